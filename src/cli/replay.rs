//! `replay`: what another configuration would have told.
//!
//! Runs the core over stored observations. Invariant: nothing is sent and nothing is stored.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::output::Audience;
use super::table::columns;
use super::{Context, exit, load_config, output, remote};
use crate::config::Config;
use crate::engine::words;
use crate::engine::{self, Input, Memory, Owed};
use crate::model::{EventKind, Observation, Timestamp};

/// Time passes at least this often, as in the daemon.
const TICK: Duration = Duration::from_secs(10);
/// After a gap of observations it is enough to let time pass for this long.
const LONGEST_GAP: Duration = Duration::from_hours(1);

/// What another configuration (`--config NEW.toml`) would have told of the same observations; its
/// `storage.path` says where they are.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// How far back, e.g. `7d`.
    #[arg(long, default_value = "7d", value_parser = super::duration)]
    pub since: Duration,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What `replay --json` prints.
#[derive(Debug, Serialize)]
struct Replayed<'a> {
    /// What would have been told, oldest first.
    messages: Vec<WouldTell<'a>>,
    /// How many messages were told.
    told: usize,
    /// How many stored observations it rests on.
    observations: usize,
}

#[derive(Debug, Serialize)]
struct WouldTell<'a> {
    at: Timestamp,
    channel: &'a str,
    event: EventKind,
    headline: &'a str,
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be read.
pub async fn run(args: ReplayArgs, context: &Context) -> anyhow::Result<u8> {
    let changed = load_config(context)?;
    let audience = Audience::of(args.json);
    let replaying = replay(args, &changed, context.clock.now());
    let text = output::busy("replaying the history", audience, replaying).await?;
    output::print(&text)?;
    Ok(exit::OK)
}

async fn replay(args: ReplayArgs, changed: &Config, now: Timestamp) -> anyhow::Result<String> {
    let since = now.saturating_sub(args.since)?;
    let store = remote::history(changed).await?;
    let told = store.incidents(since, None, usize::MAX >> 1).await?;
    let told: usize = told
        .iter()
        .flat_map(|incident| &incident.events)
        .filter(|event| event.at >= since)
        .map(|event| event.channels.iter().filter(|name| !name.is_empty()).count())
        .sum();
    let observations = store.history(since).await?;
    let seen = observations.len();
    let owed = tokio::task::spawn_blocking({
        let settings = changed.settings.clone();
        move || replayed(&settings, observations)
    })
    .await?;
    if args.json { json(&owed, told, seen) } else { Ok(text(&owed, told, seen, changed, now)) }
}

/// Everything that would have been owed, and when.
fn replayed(settings: &engine::Settings, observations: Vec<Observation>) -> Vec<(Timestamp, Owed)> {
    let mut memory = Memory::default();
    let mut owed = Vec::new();
    let mut last: Option<Timestamp> = None;
    let mut step = |memory: &mut Memory, input: Input, at: Timestamp| {
        let decision = engine::evaluate(memory, settings, input, at);
        owed.extend(decision.owed.into_iter().map(|one| (at, one)));
    };
    for observation in observations {
        let at = observation.ended_at;
        while let Some(before) = last {
            let tick = before.saturating_add(TICK).unwrap_or(at);
            let skip = at.saturating_sub(LONGEST_GAP).unwrap_or(at);
            let tick = tick.max(skip);
            if tick >= at {
                break;
            }
            step(&mut memory, Input::Tick, tick);
            last = Some(tick);
        }
        step(&mut memory, Input::Observed(Box::new(observation)), at);
        last = Some(at);
    }
    owed
}

fn json(owed: &[(Timestamp, Owed)], told: usize, observations: usize) -> anyhow::Result<String> {
    let messages = owed.iter().map(|(at, one)| WouldTell {
        at: *at,
        channel: &one.channel,
        event: one.message.event,
        headline: &one.message.headline,
    });
    let replayed = Replayed { messages: messages.collect(), told, observations };
    Ok(serde_json::to_string_pretty(&replayed)?)
}

fn text(
    owed: &[(Timestamp, Owed)],
    told: usize,
    seen: usize,
    config: &Config,
    now: Timestamp,
) -> String {
    let rows: Vec<Vec<String>> = owed
        .iter()
        .map(|(at, one)| {
            vec![
                words::time(*at, &config.settings.timezone, now),
                one.channel.clone(),
                one.message.event.to_string(),
                one.message.headline.clone(),
            ]
        })
        .collect();
    let table = if rows.is_empty() { String::new() } else { format!("{}\n\n", columns(rows)) };
    let noun = if owed.len() == 1 { "message" } else { "messages" };
    format!(
        "{table}{} {noun} instead of {told}, over {seen} stored observations. Status pages, peers \
         and jobs are not replayed.",
        owed.len()
    )
}
