//! `demo`: a simulated HeyGen, the real daemon and a scripted day of trouble in fast time.
//!
//! Owns the order of the show; the day is in `day`, what it needs in `stage`, what is printed in
//! `story`. Needs no key and no network. Invariant: everything printed about a verdict or a message
//! is what the real daemon published or what the simulated Slack and mail server received.

mod day;
mod mail;
mod stage;
mod story;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::{Context, exit, output};
use crate::clock::Clock;
use crate::daemon::{Daemon, Running};
use crate::model::View;
use day::Day;
use stage::Stage;
use story::Story;

/// Real time between two looks at what the simulated Slack and mail server received.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Below this the day passes faster than a daemon with a disk can follow.
const SHORTEST: Duration = Duration::from_secs(20);

/// A simulated HeyGen, the real daemon and a scripted day of trouble in fast time: no key, no
/// network, nothing is kept.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Where the daemon's page is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// How long the day takes in real time.
    #[arg(long = "for", value_name = "DURATION", default_value = "90s", value_parser = super::duration)]
    pub length: Duration,
}

/// Runs the command.
///
/// # Errors
/// When a loopback port or the temporary directory cannot be used, or the daemon does not start.
pub async fn run(args: DemoArgs, context: &Context) -> anyhow::Result<u8> {
    let length = args.length.max(SHORTEST);
    if length > args.length {
        output::say("the day takes at least 20 s");
    }
    let day = Day::starting(day::morning_of(context.clock.now()));
    let clock = Clock::starting_at(day.origin, day::LENGTH.as_secs_f64() / length.as_secs_f64());
    let stage = Stage::set(&day, clock.clone(), args.listen).await.context("setting the stage")?;
    let running = Daemon::start(stage.config()?, stage.deps(context)).await?;
    output::say(&format!("listening on http://{}", running.address()));
    let mut story = Story::new();
    output::print(&Story::opening(running.address(), length))?;
    let interrupted = play(&day, &stage, &running, &mut story).await?;
    running.stop().await;
    look(&stage, &mut story)?;
    output::print(&story.closing(&stage.simulator, interrupted))?;
    Ok(exit::OK)
}

/// Tells the day as it happens; answers whether it was cut short.
async fn play(
    day: &Day,
    stage: &Stage,
    running: &Running,
    story: &mut Story,
) -> anyhow::Result<Cut> {
    let clock = stage.simulator.clock();
    let mut view = running.view();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    let mut scenes = day.scenes().into_iter().peekable();
    let mut end = std::pin::pin!(clock.sleep_until(day.end()));
    loop {
        tokio::select! {
            () = &mut end => return Ok(Cut::No),
            _ = &mut interrupt => return Ok(Cut::Interrupted),
            () = running.failed() => anyhow::bail!("a core loop of the daemon ended"),
            changed = view.changed() => changed.context("the daemon publishes nothing any more")?,
            _ = ticks.tick() => {}
        }
        let now = clock.now();
        stage.follow(now);
        while let Some(scene) = scenes.next_if(|scene| scene.at <= now) {
            output::print(&Story::scene(&scene))?;
        }
        tell(&mut view, story, now)?;
        look(stage, story)?;
    }
}

/// Whether the day was cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    No,
    Interrupted,
}

fn tell(
    view: &mut watch::Receiver<Option<Arc<View>>>,
    story: &mut Story,
    now: Timestamp,
) -> anyhow::Result<()> {
    let current = view.borrow_and_update().clone();
    if let Some(line) = current.and_then(|view| story.verdict(&view, now)) {
        output::print(&line)?;
    }
    Ok(())
}

/// Prints what Slack and the mail server received since the last look.
fn look(stage: &Stage, story: &mut Story) -> anyhow::Result<()> {
    for line in story.messages(&stage.simulator, &stage.mail) {
        output::print(&line)?;
    }
    Ok(())
}
