//! `incidents`: what happened.

use std::fmt::Write;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::verdict::{bold, dim, symbol};
use super::{Context, exit, load_config, output};
use crate::config::Config;
use crate::engine::words;
use crate::model::{Incident, IncidentId, State, Timestamp};
use crate::store::Store;
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
        id: IncidentId,
    },
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be read.
pub async fn run(args: IncidentsArgs, context: &Context) -> anyhow::Result<u8> {
    let Ok(config) = load_config(context) else {
        return Ok(exit::CONFIG);
    };
    let now = context.clock.now();
    if !config.storage.path.exists() {
        output::say(&format!("no history yet at {}", config.storage.path.display()));
        return Ok(exit::OK);
    }
    let store = Store::open_to_read(&config.storage.path);
    match args.command {
        None | Some(IncidentsCommand::List) => {
            let since = now.saturating_sub(args.since)?;
            let incidents = store.incidents(since, None, MOST).await?;
            output::print(&list(&incidents, &config, now, args.json)?)?;
            Ok(exit::OK)
        }
        Some(IncidentsCommand::Show { id }) => {
            let Some(incident) = store.incident(id).await? else {
                output::say(&format!("error: there is no incident #{id}"));
                return Ok(exit::FAILED);
            };
            output::print(&show(&incident, &config, now, args.json)?)?;
            Ok(exit::OK)
        }
    }
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
    let lines: Vec<_> = incidents.iter().map(|one| line(one, config, now)).collect();
    Ok(lines.join("\n"))
}

fn line(incident: &Incident, config: &Config, now: Timestamp) -> String {
    let opened = words::time(incident.opened_at, &config.settings.timezone, now);
    let lasted = words::duration(length(incident, now));
    let lasted = if incident.is_open() { format!("open for {lasted}") } else { lasted };
    let sign =
        if incident.is_open() { symbol(incident.worst_state) } else { symbol(State::Operational) };
    let side = words::side(incident.blame);
    format!("{sign} #{:<5} {opened:<17} {lasted:<22} {side:<20} {}", incident.id, incident.headline)
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
    let mut text = format!("{}\n{}\n\n", bold(&incident.subject), line(incident, config, now));
    let touched: Vec<_> = incident.capabilities.iter().map(|one| words::capability(*one)).collect();
    writeln!(text, "touches   {}", touched.join(", "))?;
    if let Some(at) = incident.acknowledged_at {
        writeln!(text, "admitted  {} by HeyGen's page", words::time(at, zone, now))?;
    }
    for event in &incident.events {
        writeln!(text, "{}  {}", words::time(event.at, zone, now), event.kind)?;
    }
    for item in &incident.evidence {
        let line = format!("{}: {}", item.probe, item.text);
        writeln!(text, "{}  {}", words::time(item.at, zone, now), dim(&line))?;
    }
    Ok(text.trim_end().to_owned())
}

fn length(incident: &Incident, now: Timestamp) -> Duration {
    let end = incident.resolved_at.unwrap_or(now);
    Duration::try_from(end.duration_since(incident.opened_at)).unwrap_or_default()
}
