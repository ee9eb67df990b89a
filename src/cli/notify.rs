//! `notify test` and `notify render`: whether channels work, and what they would show.
//!
//! Owns how the results are printed. A test goes through the real outbox: by the running daemon,
//! else by taking its place for one pass. Invariant: `render` sends nothing and opens nothing.

use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;

use super::failure::Failure;
use super::output::Audience;
use super::{Context, exit, load_config, output, remote};
use crate::admin::{Request, Response, TestResult};
use crate::config::Config;
use crate::daemon::{StartError, client_options, notify_deps};
use crate::deliver::{Deliver, DrillResult, Notifiers, drill_results, owe_drills};
use crate::http_client::{ClientOptions, HttpClient};
use crate::metrics::{Catalogue, Metrics};
use crate::model::{AttemptResult, Delivery, DeliveryState, EventKind};
use crate::notify::notifier;
use crate::notify::sample::{Speaker, sample};
use crate::store::{Opened, Store};

const NO_CHANNEL: &str = "set SLACK_WEBHOOK_URL, or add a [[channel]] to the configuration";

/// Try channels out.
#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// Send a realistic drill through the real outbox.
    #[command(after_help = "Exit: 0 every channel accepted it, 1 at least one did not")]
    Test {
        /// Only this channel.
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// Tell nobody: log in (SMTP) or ask who we are (Slack by token), and nothing more.
        #[arg(long)]
        silent: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print what a channel would be told, without sending anything.
    Render {
        /// Which channel.
        #[arg(long, value_name = "NAME")]
        channel: String,
        /// Which kind of event: opened, resolved, reminder …
        #[arg(long, value_name = "EVENT", value_parser = event)]
        event: EventKind,
    },
}

/// For whom results are printed.
#[derive(Debug, Clone, Copy)]
enum Format {
    People,
    Json,
}

impl Format {
    fn audience(self) -> Audience {
        Audience::of(matches!(self, Self::Json))
    }
}

/// What `notify test --silent --json` prints of a channel.
#[derive(Debug, Serialize)]
struct Checked {
    channel: String,
    /// `null` where it cannot be checked without telling somebody.
    works: Option<bool>,
    /// What the channel said; empty when it said nothing.
    detail: String,
}

/// Runs the command.
///
/// # Errors
/// When the HTTP client cannot be built, the outbox refuses, or stdout cannot be written.
pub async fn run(command: NotifyCommand, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    match command {
        NotifyCommand::Test { channel, silent, json } => {
            let format = if json { Format::Json } else { Format::People };
            if silent {
                check(channel, &config, context, format).await
            } else {
                test(channel, &config, context, format).await
            }
        }
        NotifyCommand::Render { channel, event } => render(&channel, event, &config, context),
    }
}

async fn test(
    only: Option<String>,
    config: &Config,
    context: &Context,
    format: Format,
) -> anyhow::Result<u8> {
    let chosen = chosen(config, only.as_deref())?;
    let request = Request::NotifyTest { channel: only };
    let testing = async {
        match remote::ask(config, context, &request).await {
            Ok(Response::NotifyTested { results }) => Ok(results),
            Ok(Response::Refused { message }) => Err(Failure::new(message).into()),
            Ok(_) => Err(remote::unexpected()),
            // Without a daemon we take its place; with one that is stuck, its lock says so.
            Err(_) => test_alone(&chosen, config, context).await,
        }
    };
    print(&output::busy("sending the drill", format.audience(), testing).await?, format)
}

/// Asks each channel whether it would take a message; one that cannot be asked is no failure.
async fn check(
    only: Option<String>,
    config: &Config,
    context: &Context,
    format: Format,
) -> anyhow::Result<u8> {
    let chosen = chosen(config, only.as_deref())?;
    let mut all = Vec::new();
    for (channel, notifier) in notifiers(config, "check")? {
        if !chosen.contains(&channel) {
            continue;
        }
        let checking = notifier.check(context.clock.now());
        let (works, detail) = match output::busy("asking", format.audience(), checking).await {
            None => (None, String::new()),
            Some(AttemptResult::Accepted { .. }) => (Some(true), String::new()),
            Some(AttemptResult::Retry { detail, .. } | AttemptResult::Dead { detail, .. }) => {
                (Some(false), detail)
            }
        };
        all.push(Checked { channel, works, detail });
    }
    let text = match format {
        Format::Json => serde_json::to_string_pretty(&all)?,
        Format::People => all.iter().map(checked_line).collect::<Vec<_>>().join("\n"),
    };
    output::print(&text)?;
    let fails = all.iter().any(|one| one.works == Some(false));
    Ok(if fails { exit::FAILED } else { exit::OK })
}

fn checked_line(one: &Checked) -> String {
    let told = match one.works {
        None => "cannot be checked without telling somebody".to_owned(),
        Some(true) => "works (nobody was told anything)".to_owned(),
        Some(false) => format!("does NOT work ({})", one.detail),
    };
    format!("{}: {told}", one.channel)
}

async fn test_alone(
    chosen: &[String],
    config: &Config,
    context: &Context,
) -> anyhow::Result<Vec<TestResult>> {
    let path = config.storage.path.clone();
    let now = context.clock.now();
    let opened = tokio::task::spawn_blocking(move || Store::open(&path, now)).await?;
    let Opened { store, monitor_id, repairs } = opened.map_err(StartError::Store)?;
    super::warn(&repairs);
    let drills = owe_drills(&store, chosen, speaker(config), now).await?;
    let (_keep, notifiers) = tokio::sync::watch::channel(notifiers(config, &monitor_id)?);
    let names = config.channels.iter().map(|channel| channel.name.clone());
    let catalogue = Catalogue { channels: names.collect(), ..Catalogue::default() };
    let deliver = Deliver {
        store: store.clone(),
        metrics: Arc::new(Metrics::new(&catalogue)),
        clock: context.clock.clone(),
        owed: Arc::default(),
        turned: Box::new(|| ()),
        notifiers,
    };
    deliver.pass().await;
    let results = drill_results(&store, &drills, Duration::ZERO).await?;
    store.close().await;
    Ok(results.into_iter().map(told).collect())
}

fn render(name: &str, event: EventKind, config: &Config, context: &Context) -> anyhow::Result<u8> {
    let spec = config.channels.iter().find(|spec| spec.name == name);
    let spec = spec.ok_or_else(|| no_such_channel(name, config))?;
    let http = HttpClient::new(&client_options(config, &ClientOptions::default()))?;
    let now = context.clock.now();
    let delivery = Delivery {
        id: 0,
        channel: spec.name.clone(),
        message: sample(event, speaker(config), now),
        state: DeliveryState::Pending,
        attempts: 0,
        next_at: now,
        created_at: now,
        last_error: None,
        provider_ref: None,
        thread_ref: None,
        merged: None,
    };
    // The database knows our id, but may be in use: ids in a preview name no real message anyway.
    let text = notifier(spec, &notify_deps(config, http, "preview")).preview(&delivery, now);
    output::print(&config.redactor.redact(&text))?;
    Ok(exit::OK)
}

/// The names of the channels to test.
fn chosen(config: &Config, only: Option<&str>) -> Result<Vec<String>, Failure> {
    let names = config.channels.iter().map(|channel| channel.name.clone());
    let chosen: Vec<String> = names.filter(|name| only.is_none_or(|only| only == name)).collect();
    match (chosen.is_empty(), only) {
        (false, _) => Ok(chosen),
        (true, Some(name)) => Err(no_such_channel(name, config)),
        (true, None) => Err(Failure::new("no channel is configured").hint(NO_CHANNEL)),
    }
}

fn no_such_channel(name: &str, config: &Config) -> Failure {
    let names: Vec<_> = config.channels.iter().map(|spec| spec.name.as_str()).collect();
    let hint = match names.as_slice() {
        [] => NO_CHANNEL.to_owned(),
        names => format!("the channels are {}", names.join(", ")),
    };
    Failure::usage(format!("there is no channel `{name}`")).hint(hint)
}

fn notifiers(config: &Config, monitor_id: &str) -> anyhow::Result<Notifiers> {
    let http = HttpClient::new(&client_options(config, &ClientOptions::default()))?;
    let deps = notify_deps(config, http, monitor_id);
    let channels = config.channels.iter();
    Ok(channels.map(|spec| (spec.name.clone(), Arc::from(notifier(spec, &deps)))).collect())
}

fn speaker(config: &Config) -> Speaker<'_> {
    Speaker { vantage: &config.settings.vantage, account: &config.settings.account }
}

fn told(drill: DrillResult) -> TestResult {
    let DrillResult { channel, delivered, detail } = drill;
    TestResult { channel, delivered, detail }
}

fn print(results: &[TestResult], format: Format) -> anyhow::Result<u8> {
    let text = match format {
        Format::Json => serde_json::to_string_pretty(results)?,
        Format::People => results.iter().map(line).collect::<Vec<_>>().join("\n"),
    };
    output::print(&text)?;
    let all = results.iter().all(|result| result.delivered);
    Ok(if all { exit::OK } else { exit::FAILED })
}

fn line(result: &TestResult) -> String {
    let TestResult { channel, delivered, detail } = result;
    let word = if *delivered { "delivered" } else { "NOT delivered" };
    let rest = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    format!("{channel}: {word}{rest}")
}

fn event(word: &str) -> Result<EventKind, String> {
    word.parse().map_err(|_| {
        let all: Vec<_> = EventKind::ALL.iter().map(|event| event.as_str()).collect();
        format!("the events are {}", all.join(", "))
    })
}
