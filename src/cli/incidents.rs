//! `incidents`: what happened.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::output::Audience;
use super::table::{Table, columns};
use super::verdict::{bold, dim, symbol};
use super::{Context, exit, load_config, output, remote};
use crate::config::Config;
use crate::engine::words;
use crate::model::{Incident, IncidentId, State, Timestamp};
use crate::wire::IncidentJson;

/// Incidents shown at most.
const MOST: usize = 500;

/// What happened, newest first.
#[derive(Debug, Args)]
pub struct IncidentsArgs {
    /// What to do; `list` without it.
    #[command(subcommand)]
    pub command: Option<IncidentsCommand>,
    /// How far back, e.g. `30d`.
    #[arg(long, global = true, default_value = "30d", value_parser = super::duration)]
    pub since: Duration,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do with incidents.
#[derive(Debug, Subcommand)]
pub enum IncidentsCommand {
    /// All of them, a line each.
    List,
    /// One of them, whole.
    Show {
        /// Its number, e.g. `42`.
        #[arg(value_parser = super::number)]
        id: IncidentId,
    },
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be read.
pub async fn run(args: IncidentsArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let now = context.clock.now();
    let reading = text(&args, &config, now);
    let text = output::busy("reading the history", Audience::of(args.json), reading).await?;
    output::print(&text)?;
    Ok(exit::OK)
}

async fn text(args: &IncidentsArgs, config: &Config, now: Timestamp) -> anyhow::Result<String> {
    let store = remote::history_if_any(config).await?;
    let Some(IncidentsCommand::Show { id }) = args.command else {
        let since = now.saturating_sub(args.since)?;
        let Some(store) = store else {
            let path = config.storage.path.display();
            output::say(&format!("no history yet at {path}"));
            return list(&[], config, now, args.json);
        };
        let incidents = store.incidents(since, None, MOST).await?;
        return list(&incidents, config, now, args.json);
    };
    let incident = match store {
        Some(store) => store.incident(id).await?,
        None => None,
    };
    show(&incident.ok_or_else(|| no_such(id))?, config, now, args.json)
}

/// There is no incident of this number.
pub(super) fn no_such(id: IncidentId) -> Failure {
    Failure::new(format!("there is no incident #{id}"))
        .hint("`heygen-monitor incidents --since 90d` lists those of the last 90 days")
}

fn list(
    incidents: &[Incident],
    config: &Config,
    now: Timestamp,
    json: bool,
) -> anyhow::Result<String> {
    if json {
        let data: Vec<_> = incidents.iter().map(IncidentJson::from).collect();
        return Ok(serde_json::to_string_pretty(&data)?);
    }
    if incidents.is_empty() {
        return Ok("No incidents.".to_owned());
    }
    let mut table = Table::headed(["", "#", "began", "lasted", "whose side", "what"]).right([1]);
    for one in incidents {
        table.row(row(one, config, now));
    }
    Ok(table.to_string())
}

fn row(incident: &Incident, config: &Config, now: Timestamp) -> [String; 6] {
    let lasted = words::duration(length(incident, now));
    let state = if incident.is_open() { incident.worst_state } else { State::Operational };
    [
        symbol(state),
        format!("#{}", incident.id),
        words::time(incident.opened_at, &config.settings.timezone, now),
        if incident.is_open() { format!("open for {lasted}") } else { lasted },
        words::side(incident.blame).to_owned(),
        incident.headline.clone(),
    ]
}

fn show(
    incident: &Incident,
    config: &Config,
    now: Timestamp,
    json: bool,
) -> anyhow::Result<String> {
    if json {
        return Ok(serde_json::to_string_pretty(&IncidentJson::from(incident))?);
    }
    let zone = &config.settings.timezone;
    let at = |at: Timestamp| words::time(at, zone, now);
    let touched: Vec<_> = incident.capabilities.iter().map(|one| words::capability(*one)).collect();
    let lasted = words::duration(length(incident, now));
    let end = incident.resolved_at.map_or_else(|| "still open".to_owned(), at);
    let mut facts = vec![
        ["what", incident.headline.as_str()].map(str::to_owned),
        ["whose side", words::side(incident.blame)].map(str::to_owned),
        ["touches".to_owned(), touched.join(", ")],
        ["began".to_owned(), at(incident.opened_at)],
        ["ended".to_owned(), format!("{end} ({lasted})")],
    ];
    if let Some(admitted) = incident.acknowledged_at {
        facts.push(["admitted".to_owned(), format!("{} by HeyGen's page", at(admitted))]);
    }
    let told = incident.events.iter().map(|event| vec![at(event.at), plain(event.kind.as_str())]);
    let seen = incident.evidence.iter().map(|item| {
        vec![
            at(item.at),
            item.probe.clone(),
            words::outcome(item.outcome).to_owned(),
            dim(&item.text),
        ]
    });
    let parts = [
        columns(facts.into_iter().map(Vec::from)),
        section("What happened", &columns(told)),
        section("Evidence", &columns(seen)),
    ];
    let title = format!("{} {}", symbol(incident.worst_state), bold(&incident.subject));
    let parts = std::iter::once(title.trim_start().to_owned()).chain(parts);
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    Ok(parts.join("\n\n"))
}

/// A table under its title; nothing when the table is empty.
fn section(title: &str, table: &str) -> String {
    if table.is_empty() { String::new() } else { format!("{}\n{table}", bold(title)) }
}

fn plain(word: &str) -> String {
    word.replace('_', " ")
}

fn length(incident: &Incident, now: Timestamp) -> Duration {
    let end = incident.resolved_at.unwrap_or(now);
    Duration::try_from(end.duration_since(incident.opened_at)).unwrap_or_default()
}
