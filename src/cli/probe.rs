//! `probe NAME`: one run now, with a transcript that holds no secret.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::output::Audience;
use super::{Context, exit, load_config, output, remote};
use crate::admin::{Request, Response};
use crate::config::Config;
use crate::daemon::{client_options, probe_deps};
use crate::engine::canary;
use crate::http_client::{ClientOptions, HttpClient};
use crate::model::{Observation, Outcome, Phases, Series, Timestamp, Usd};
use crate::probe::{Run, Step, Worker, worker};
use crate::store::Store;
use crate::wire::ObservationJson;

/// How often the history is asked whether the test has ended.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Run one probe now and show what it saw.
#[derive(Debug, Args)]
#[command(after_help = "Exit: 0 ok or slow, 1 anything else")]
pub struct ProbeArgs {
    /// Name of the probe or status page in the configuration.
    pub name: String,
    /// Show phases and everything that was kept as evidence.
    #[arg(long)]
    pub debug: bool,
    /// Spend money without asking.
    #[arg(long)]
    pub yes: bool,
    /// Print JSON: everything that was kept.
    #[arg(long, conflicts_with = "debug")]
    pub json: bool,
}

/// What `probe --json` prints.
#[derive(Debug, Serialize)]
struct Seen<'a> {
    observations: Vec<ObservationJson>,
    /// Why a status page could not be read.
    unreadable: Option<&'a str>,
}

/// Runs the command.
///
/// # Errors
/// When the HTTP client cannot be built or stdout cannot be written.
pub async fn run(args: ProbeArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let spec = config.probes.iter().find(|spec| spec.name == args.name);
    let spec = spec.ok_or_else(|| no_such_probe(&args.name, &config))?;
    let http = HttpClient::new(&client_options(&config, &ClientOptions::default()))?;
    let deps = probe_deps(&config, http, context.clock.clone());
    let run = Run::looking(spec.timeout, true);
    let prober = match worker(spec, &deps) {
        Worker::Looks(prober) => prober,
        Worker::Spends(_) => return paid(&args, &config, context).await,
        Worker::Listens => return Err(listens(&args.name).into()),
    };
    let running = prober.run(run);
    let step = output::busy("asking", Audience::Person, running).await;
    let Step { observations, reading, .. } = step;
    let unreadable = reading.as_ref().and_then(|reading| reading.page.as_ref().err());
    show(&observations, unreadable.map(String::as_str), &args, &config)
}

fn show(
    observations: &[Observation],
    unreadable: Option<&str>,
    args: &ProbeArgs,
    config: &Config,
) -> anyhow::Result<u8> {
    let text = if args.json {
        let observations = observations.iter().map(ObservationJson::from).collect();
        serde_json::to_string_pretty(&Seen { observations, unreadable })?
    } else {
        for_people(observations, unreadable, args.debug)
    };
    output::print(config.redactor.redact(text.trim_end()).as_str())?;
    let is_good =
        |observation: &Observation| matches!(observation.outcome, Outcome::Ok | Outcome::Slow);
    Ok(if observations.iter().all(is_good) { exit::OK } else { exit::FAILED })
}

fn for_people(observations: &[Observation], unreadable: Option<&str>, debug: bool) -> String {
    let mut text = String::new();
    for observation in observations {
        push(&mut text, observation, debug);
    }
    if let Some(reason) = unreadable {
        writeln!(text, "  {reason}").unwrap_or_default();
    }
    text
}

/// The daemon spends, because it keeps the ledger: asks it, then waits for what comes of it.
async fn paid(args: &ProbeArgs, config: &Config, context: &Context) -> anyhow::Result<u8> {
    let price = canary::paid(&config.settings)
        .find(|(watch, _)| watch.name == args.name)
        .map_or(Usd::ZERO, |(_, rules)| rules.price);
    if !args.yes && !is_agreed(&args.name, price)? {
        let failure = Failure::usage("nothing was sent");
        return Err(failure.hint("`--yes` spends without asking").into());
    }
    let asked_at = context.clock.now();
    match remote::ask(config, context, &Request::Probe { name: args.name.clone() }).await {
        Ok(Response::Done { message }) => output::say(&message),
        Ok(Response::Refused { message }) => return Err(Failure::new(message).into()),
        Ok(_) => return Err(remote::unexpected()),
        Err(error) => {
            return Err(error.context("a paid test is sent by the daemon, which keeps the ledger"));
        }
    }
    let store = remote::history(config).await?;
    output::say("waiting for its end (Ctrl-C leaves the test to the daemon)");
    let waiting = end_of(&args.name, &store, asked_at);
    let end = output::busy("waiting", Audience::Person, waiting).await?;
    show(&[end], None, args, config)
}

async fn end_of(name: &str, store: &Store, asked_at: Timestamp) -> anyhow::Result<Observation> {
    let series = Series::of(name);
    loop {
        if let Some(last) = store.observations(&series, asked_at).await?.pop() {
            return Ok(last);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Asks on the terminal; where nobody can answer, the answer is no.
fn is_agreed(name: &str, price: Usd) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    output::say(&format!("`{name}` costs up to {price}. Send it? [y/N]"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn no_such_probe(name: &str, config: &Config) -> Failure {
    let names: Vec<_> = config.probes.iter().map(|spec| spec.name.as_str()).collect();
    let hint = format!("the probes are {}", names.join(", "));
    Failure::usage(format!("there is no probe `{name}`")).hint(hint)
}

fn listens(name: &str) -> Failure {
    let why = "it waits for HeyGen's events while the daemon runs";
    Failure::usage(format!("`{name}` cannot be run by hand: {why}"))
        .hint("`heygen-monitor jobs` shows what is known of your jobs")
}

fn push(text: &mut String, observation: &Observation, debug: bool) {
    let millis = observation.duration().as_millis();
    let mut line = format!("{}: {} ({millis} ms)", observation.series, observation.outcome);
    if let Some(evidence) = &observation.evidence {
        write!(line, " — {}", evidence.text).unwrap_or_default();
        let said = [&evidence.code, &evidence.message, &evidence.doc_url, &evidence.request_id];
        for part in said.into_iter().flatten().filter(|_| debug) {
            write!(line, "\n  {part}").unwrap_or_default();
        }
    }
    if let Some(control) = &observation.control {
        for target in control.targets.iter().filter(|target| debug || target.latency.is_none()) {
            let answer = target.latency.map_or_else(
                || "no answer".to_owned(),
                |latency| format!("{} ms", latency.as_millis()),
            );
            write!(line, "\n  {}: {answer}", target.target).unwrap_or_default();
        }
    }
    if debug {
        write!(line, "\n  {}", phases(&observation.phases)).unwrap_or_default();
        if let Some(at) = observation.certificate_expires_at {
            write!(line, "\n  certificate until {at}").unwrap_or_default();
        }
    }
    text.push_str(&line);
    text.push('\n');
}

fn phases(phases: &Phases) -> String {
    let all = [
        ("dns", phases.dns),
        ("connect", phases.connect),
        ("ttfb", phases.ttfb),
        ("body", phases.body),
    ];
    let parts: Vec<_> = all
        .into_iter()
        .filter_map(|(name, took)| took.map(|took| format!("{name} {} ms", took.as_millis())))
        .collect();
    parts.join(", ")
}
