//! `advice`: go, slow down or hold, for scripts.

use std::time::Duration;

use clap::Args;

use super::remote::believed;
use super::{Context, exit, load_config, output};
use crate::model::{Action, Capability};
use crate::wire::{AdviceJson, VerdictJson};

/// How often a waiting `advice` asks again, in real time.
const POLL: Duration = Duration::from_secs(5);

/// Go, slow down or hold: what a script should do now.
#[derive(Debug, Args)]
#[command(after_help = "Exit: 0 go, 1 slow_down, 2 anything else")]
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
/// When neither the daemon nor its database can be read.
pub async fn run(args: AdviceArgs, context: &Context) -> anyhow::Result<u8> {
    let Ok(config) = load_config(context) else {
        return Ok(exit::CONFIG);
    };
    let give_up = tokio::time::Instant::now() + args.wait.unwrap_or_default();
    loop {
        let verdict = believed(&config, context).await?;
        let Some(advice) = advice_of(&verdict, args.capability) else {
            anyhow::bail!("the monitor says nothing of {}", args.capability);
        };
        let is_last = advice.action == Action::Go || tokio::time::Instant::now() >= give_up;
        if is_last {
            output::print(&text(advice, args.json)?)?;
            return Ok(exit_code(advice.action));
        }
        tokio::time::sleep_until((tokio::time::Instant::now() + POLL).min(give_up)).await;
    }
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
