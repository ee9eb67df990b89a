//! `ack`, `silence` and `maintenance`: what keeps messages back.
//!
//! Changes go through the running daemon, so that it obeys at once. Invariant: nothing here stops
//! probing or recording.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::output::Audience;
use super::table::columns;
use super::{Context, exit, load_config, output, remote};
use crate::admin::{Request, Response};
use crate::config::{Config, duration_text};
use crate::engine::words;
use crate::model::{Blame, Capability, Reason, Silence, Timestamp};
use crate::wire::SilenceJson;

/// Take an incident on: no reminders, and nobody else is told.
#[derive(Debug, Args)]
pub struct AckArgs {
    /// Its number, e.g. `42`.
    #[arg(value_parser = super::number)]
    pub id: i64,
    /// What you say about it.
    #[arg(long, default_value = "")]
    pub comment: String,
    /// Who you are.
    #[arg(long, env = "USER", default_value = "somebody")]
    pub author: String,
}

/// Keep messages back for a while: add, list, expire.
#[derive(Debug, Subcommand)]
pub enum SilenceCommand {
    /// Keep messages about some incidents back.
    Add(AddArgs),
    /// What is kept back now.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a silence now.
    Expire {
        /// Its number.
        #[arg(value_parser = super::number)]
        id: i64,
    },
}

/// Which incidents, and for how long.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// For how long, e.g. `2h`.
    #[arg(long = "for", value_parser = super::duration)]
    pub duration: Duration,
    /// One incident alone.
    #[arg(long, value_name = "ID", value_parser = super::number)]
    pub incident: Option<i64>,
    /// Incidents that touch this; may be repeated.
    #[arg(long, value_parser = super::capability)]
    pub capability: Vec<Capability>,
    /// Incidents of this side; may be repeated.
    #[arg(long, value_parser = blame)]
    pub blame: Vec<Blame>,
    /// Incidents for this reason, e.g. `rate_limited`.
    #[arg(long, value_parser = reason)]
    pub reason: Option<Reason>,
    /// Why.
    #[arg(long, default_value = "")]
    pub comment: String,
    /// Who you are.
    #[arg(long, env = "USER", default_value = "somebody")]
    pub author: String,
}

/// Windows of your own in which nobody is told: list.
#[derive(Debug, Subcommand)]
pub enum MaintenanceCommand {
    /// Every window, and when it opens next.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What `maintenance list --json` prints of a window.
#[derive(Debug, Serialize)]
struct WindowLine<'a> {
    schedule: &'a str,
    duration_seconds: u64,
    open: bool,
    /// When it opens next.
    next_at: Option<Timestamp>,
}

fn blame(text: &str) -> Result<Blame, String> {
    text.parse().map_err(|_| format!("the sides are {}", Blame::ALL.map(Blame::as_str).join(", ")))
}

fn reason(text: &str) -> Result<Reason, String> {
    text.parse().map_err(|_| format!("`{text}` is no reason; `incidents --json` shows some"))
}

/// Runs `ack`.
///
/// # Errors
/// When no daemon answers.
pub async fn ack(args: AckArgs, context: &Context) -> anyhow::Result<u8> {
    let AckArgs { id: incident, comment, author } = args;
    order(context, Request::Ack { incident, author, comment }).await
}

/// Runs `silence`.
///
/// # Errors
/// When no daemon answers, or the database cannot be read.
pub async fn run(command: SilenceCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        SilenceCommand::Add(args) => {
            let starts_at = context.clock.now();
            let silence = SilenceJson {
                id: 0,
                incident: args.incident,
                capability: args.capability,
                blame: args.blame,
                reason: args.reason.map(|reason| reason.as_str().to_owned()),
                starts_at,
                ends_at: starts_at.saturating_add(args.duration)?,
                author: args.author,
                comment: args.comment,
            };
            order(context, Request::Silence(Box::new(silence))).await
        }
        SilenceCommand::List { json } => list(json, context).await,
        SilenceCommand::Expire { id: silence } => order(context, Request::Expire { silence }).await,
    }
}

async fn order(context: &Context, request: Request) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let asking = remote::ask(&config, context, &request);
    match output::busy("asking the daemon", Audience::Person, asking).await? {
        Response::Done { message } => {
            output::print(&message)?;
            Ok(exit::OK)
        }
        Response::Refused { message } => Err(Failure::new(message).into()),
        _ => Err(remote::unexpected()),
    }
}

async fn list(json: bool, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let now = context.clock.now();
    let silences = remote::history(&config).await?.silences(now).await?;
    if json {
        let data: Vec<_> = silences.iter().map(SilenceJson::from).collect();
        output::print(&serde_json::to_string_pretty(&data)?)?;
        return Ok(exit::OK);
    }
    if silences.is_empty() {
        output::print("Nothing is silenced.")?;
        return Ok(exit::OK);
    }
    let rows: Vec<Vec<String>> = silences.iter().map(|one| line(one, &config, now)).collect();
    output::print(&columns(rows))?;
    Ok(exit::OK)
}

fn line(silence: &Silence, config: &Config, now: Timestamp) -> Vec<String> {
    let matchers = &silence.matchers;
    let mut what: Vec<String> = Vec::new();
    what.extend(matchers.incident.map(|id| format!("incident #{id}")));
    what.extend(matchers.capabilities.iter().map(|one| words::capability(*one).to_owned()));
    what.extend(matchers.blames.iter().map(|one| words::side(*one).to_owned()));
    what.extend(matchers.reason.map(|reason| reason.as_str().to_owned()));
    let until = words::time(silence.ends_at, &config.settings.timezone, now);
    vec![
        format!("#{}", silence.id),
        what.join(", "),
        format!("until {until}"),
        silence.author.clone(),
        silence.comment.clone(),
    ]
}

/// Runs `maintenance`.
///
/// # Errors
/// When stdout cannot be written.
pub fn maintenance(command: &MaintenanceCommand, context: &Context) -> anyhow::Result<u8> {
    let MaintenanceCommand::List { json } = command;
    let config = load_config(context)?;
    let now = context.clock.now();
    let zone = &config.settings.timezone;
    let windows = config.settings.windows.iter();
    if *json {
        let lines = windows.map(|window| WindowLine {
            schedule: &window.schedule.expression,
            duration_seconds: window.duration.as_secs(),
            open: window.is_open(now),
            next_at: window.next_at(now),
        });
        output::print(&serde_json::to_string_pretty(&lines.collect::<Vec<_>>())?)?;
        return Ok(exit::OK);
    }
    let rows: Vec<Vec<String>> = windows
        .map(|window| {
            let next = window.next_at(now).map(|at| words::time(at, zone, now));
            let next = if window.is_open(now) { Some("open now".to_owned()) } else { next };
            vec![
                window.schedule.expression.clone(),
                duration_text(window.duration),
                next.unwrap_or_default(),
            ]
        })
        .collect();
    let text = if rows.is_empty() { "No windows.".to_owned() } else { columns(rows) };
    output::print(&text)?;
    Ok(exit::OK)
}
