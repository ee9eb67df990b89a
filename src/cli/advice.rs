//! `advice`: go, slow down or hold, for scripts.

use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use super::output::Audience;
use super::remote::believed;
use super::{Context, load_config, output};
use crate::config::Config;
use crate::engine::words;
use crate::model::{Action, Capability, Confidence, Resubmit};
use crate::wire::{AdviceJson, VerdictJson};

/// How often a waiting `advice` asks again, in real time.
const POLL: Duration = Duration::from_secs(5);

/// Go, slow down or hold: what a script should do now.
#[derive(Debug, Args)]
#[command(after_help = "Exit: 0 go, 1 slow_down, 2 anything else. Where no monitor answers: go.")]
pub struct AdviceArgs {
    /// The capability, e.g. `video_generation`.
    #[arg(value_parser = super::capability)]
    pub capability: Capability,
    /// Wait this long for `go`.
    #[arg(long, value_name = "DURATION", value_parser = super::duration)]
    pub wait: Option<Duration>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub async fn run(args: AdviceArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let give_up = Instant::now() + args.wait.unwrap_or_default();
    let mut progress = output::Progress::default();
    loop {
        let asking = asked(&config, context, args.capability);
        let advice = output::busy("asking the daemon", Audience::of(args.json), asking).await?;
        let left = give_up.saturating_duration_since(Instant::now());
        if advice.action == Action::Go || left.is_zero() {
            progress.clear();
            output::print(&text(&advice, args.json)?)?;
            return Ok(exit_code(advice.action));
        }
        let what = format!("{}: {}, waiting for go", args.capability, advice.action.as_str());
        progress.show(&what, &format!(" for {} more", words::duration(left)));
        tokio::time::sleep(POLL.min(left)).await;
    }
}

/// What the monitor says; without a monitor nothing is known, which is no reason to stop.
async fn asked(
    config: &Config,
    context: &Context,
    capability: Capability,
) -> anyhow::Result<AdviceJson> {
    let verdict = match believed(config, context).await {
        Ok(verdict) => verdict,
        Err(error) => {
            output::say(&format!("warning: {error:#}"));
            return Ok(AdviceJson {
                action: Action::Go,
                until: None,
                resubmit: Resubmit::None,
                confidence: Confidence::Blind,
                text: "Not verified: no monitor answers.".to_owned(),
            });
        }
    };
    let found = advice_of(&verdict, capability).cloned();
    found.ok_or_else(|| anyhow::anyhow!("the monitor says nothing of {capability}"))
}

fn advice_of(verdict: &VerdictJson, capability: Capability) -> Option<&AdviceJson> {
    let found = verdict.capabilities.iter().find(|one| one.capability == capability);
    found.map(|one| &one.advice)
}

fn text(advice: &AdviceJson, json: bool) -> anyhow::Result<String> {
    if json {
        return Ok(serde_json::to_string_pretty(advice)?);
    }
    let until = advice.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let why = if advice.text.is_empty() { String::new() } else { format!("\n{}", advice.text) };
    Ok(format!("{}{until}{why}", advice.action.as_str()))
}

fn exit_code(action: Action) -> u8 {
    match action {
        Action::Go => 0,
        Action::SlowDown => 1,
        Action::Hold | Action::FixAccount | Action::FixRequest | Action::CheckNetwork => 2,
    }
}
