//! `check`: every free probe now, then the verdict. Opens no database, takes no lock.

use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::time::Instant;

use super::output::Audience;
use super::{Context, exit, load_config, output, verdict};
use crate::config::Config;
use crate::daemon::{client_options, probe_deps};
use crate::engine::{Cadence, Memory, Settings};
use crate::http_client::{ClientOptions, HttpClient};
use crate::model::{Blame, Capability, State};
use crate::monitor::{AttemptCap, Pace, Rounds, Start};
use crate::probe::ProbeSpec;
use crate::wire::VerdictJson;

/// Largest gap between two re-checks (contract, section 4).
const RECHECK: Duration = Duration::from_secs(1);
/// Longest run of one probe (contract, section 4).
const ATTEMPT: Duration = Duration::from_secs(7);
/// Longest run of the controls (contract, section 4).
const CONTROL: Duration = Duration::from_secs(3);
/// An attempt that ends at the deadline is still taken in; part of [`MARGIN`].
const TAKE_IN: Duration = Duration::from_millis(300);
/// Kept back from the deadline for judging and printing.
const MARGIN: Duration = Duration::from_millis(800);

/// Is HeyGen down? Runs every free probe now and prints the verdict.
#[derive(Debug, Args)]
#[command(after_help = "Exit: 0 operational or maintenance, 1 degraded, 2 outage, 3 unknown")]
pub struct CheckArgs {
    /// Print the verdict as JSON.
    #[arg(long, conflicts_with = "nagios")]
    pub json: bool,
    /// Print one line for Nagios or Icinga.
    #[arg(long)]
    pub nagios: bool,
    /// Judge what is known after this long, e.g. `15s`.
    #[arg(long, default_value = "15s", value_parser = patience)]
    pub timeout: Duration,
    /// Judge this capability alone.
    #[arg(long, value_name = "NAME", value_parser = super::capability)]
    pub capability: Option<Capability>,
    /// Exit 0 unless it is this bad: `provider` an outage or degradation of HeyGen's side,
    /// `outage` any outage.
    #[arg(long, value_name = "WHAT", default_value = "any")]
    pub fail_on: FailOn,
}

/// What makes `check` fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Anything but operational or maintenance.
    Any,
    /// Trouble on HeyGen's side.
    Provider,
    /// An outage, whoever's.
    Outage,
}

/// As long as one probe needs to answer at all.
fn patience(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_secs(2);
    let patience = super::duration(text)?;
    let is_enough = patience >= LEAST;
    is_enough.then_some(patience).ok_or_else(|| "no probe has answered before 2 s".to_owned())
}

/// Runs the command.
///
/// # Errors
/// When the HTTP client cannot be built or stdout cannot be written.
pub async fn run(args: CheckArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    super::warn(&config.warnings);
    let judging = judge(&config, context, args.timeout, args.capability);
    let audience = Audience::of(args.json || args.nagios);
    let judged = output::busy("asking HeyGen", audience, judging).await?;
    let seen = match args.capability {
        Some(capability) => verdict::Scope::One(capability),
        None => verdict::Scope::All,
    };
    let text = if args.json {
        serde_json::to_string_pretty(&judged)?
    } else if args.nagios {
        verdict::nagios(&judged, seen)
    } else {
        verdict::for_people(&judged, &config.settings.timezone, seen)
    };
    output::print(&text)?;
    Ok(exit_code(&judged, args.fail_on))
}

/// The exit code of a verdict (contract, section 4, `check`).
pub(crate) fn exit_code(verdict: &VerdictJson, fail_on: FailOn) -> u8 {
    let fails = match fail_on {
        FailOn::Any => true,
        FailOn::Provider => verdict.blame == Blame::Provider,
        FailOn::Outage => verdict.state == State::Outage,
    };
    match verdict.state {
        _ if !fails => exit::OK,
        State::Operational | State::Maintenance => exit::OK,
        State::Degraded => 1,
        State::Outage => 2,
        State::Unknown => exit::UNKNOWN,
    }
}

async fn judge(
    config: &Config,
    context: &Context,
    timeout: Duration,
    only: Option<Capability>,
) -> anyhow::Result<VerdictJson> {
    let patience = timeout.saturating_sub(MARGIN);
    let deadline = Instant::now() + patience;
    let now = context.clock.now();
    let mut settings = Settings {
        cadence: Cadence::Check { deadline: now.saturating_add(patience)? },
        uses: only.map_or_else(|| config.settings.uses.clone(), |one| vec![one]),
        ..config.settings.clone()
    };
    // A substitute is nobody's verdict, and must not keep this one waiting.
    settings.probes.retain(|watch| watch.kind.is_scheduled() && watch.replaces.is_empty());
    settings.sources.retain(|source| source.replaces.is_empty());
    let is_asked = |spec: &&ProbeSpec| spec.kind().is_scheduled() && !spec.is_substitute();
    let free = config.probes.iter().filter(is_asked).cloned().collect();
    let http = HttpClient::new(&client_options(config, &ClientOptions::default()))?;
    let deps = probe_deps(config, http, context.clock.clone());
    let cap = AttemptCap { probe: ATTEMPT, control: CONTROL, deadline };
    let start = Start {
        memory: Memory::default(),
        pace: Pace::Once { recheck: RECHECK },
        attempt_cap: Some(cap),
    };
    let mut rounds = Rounds::new(free, settings, &deps, start);
    while !rounds.is_settled() {
        let decision = tokio::time::timeout_at(deadline + TAKE_IN, rounds.next()).await;
        if decision.is_err() {
            break;
        }
    }
    Ok(VerdictJson::from(&rounds.conclude().verdict))
}
