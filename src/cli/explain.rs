//! `explain`: the chain from what was seen to what was told.
//!
//! Reads the database alone. Invariant: every message that was owed appears, with every try.

use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use super::incidents::no_such;
use super::output::Audience;
use super::verdict::{bold, dim};
use super::{Context, exit, load_config, output, remote};
use crate::config::Config;
use crate::engine::words;
use crate::model::{Incident, IncidentEvent, IncidentId, Timestamp};
use crate::store::{Trace, Try};
use crate::wire::{DeliveryJson, IncidentJson};

/// Why an incident was told as it was: what was seen, which rule held, who was told, every try.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Its number, e.g. `42`.
    #[arg(value_parser = super::number)]
    pub id: IncidentId,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What `explain --json` prints.
#[derive(Debug, Serialize)]
struct Explained {
    incident: IncidentJson,
    /// Every message of it, oldest first.
    messages: Vec<Told>,
}

/// A message and every try to deliver it.
#[derive(Debug, Serialize)]
struct Told {
    /// The event of the incident that it tells.
    seq: u32,
    delivery: DeliveryJson,
    attempts: Vec<Attempted>,
}

#[derive(Debug, Serialize)]
struct Attempted {
    at: Timestamp,
    /// `accepted`, `retry` or `dead`.
    result: String,
    detail: String,
}

impl From<&Trace> for Told {
    fn from(trace: &Trace) -> Self {
        let attempts = trace.attempts.iter().cloned();
        let attempts = attempts.map(|Try { at, result, detail }| Attempted { at, result, detail });
        Self {
            seq: trace.delivery.message.seq,
            delivery: DeliveryJson::from(&trace.delivery),
            attempts: attempts.collect(),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be read.
pub async fn run(args: ExplainArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let reading = read(args.id, &config);
    let audience = Audience::of(args.json);
    let (incident, traces) = output::busy("reading the history", audience, reading).await?;
    if args.json {
        let incident = IncidentJson::from(&incident);
        let explained = Explained { incident, messages: traces.iter().map(Told::from).collect() };
        output::print(&serde_json::to_string_pretty(&explained)?)?;
        return Ok(exit::OK);
    }
    output::print(&text(&incident, &traces, &config, context.clock.now())?)?;
    Ok(exit::OK)
}

async fn read(id: IncidentId, config: &Config) -> anyhow::Result<(Incident, Vec<Trace>)> {
    let store = remote::history(config).await?;
    let incident = store.incident(id).await?.ok_or_else(|| no_such(id))?;
    Ok((incident, store.trace(id, usize::MAX).await?))
}

fn text(
    incident: &Incident,
    traces: &[Trace],
    config: &Config,
    now: Timestamp,
) -> anyhow::Result<String> {
    let zone = &config.settings.timezone;
    let at = |instant| words::time(instant, zone, now);
    let mut text = format!("{}\n\n", bold(&incident.subject));
    writeln!(text, "{}", bold("Seen"))?;
    writeln!(
        text,
        "  {}  the first sign (the incident is dated back to it)",
        at(incident.opened_at)
    )?;
    for item in &incident.evidence {
        writeln!(text, "  {}  {}: {} [{}]", at(item.at), item.probe, item.text, item.outcome)?;
    }
    writeln!(text, "{}", bold("Judged"))?;
    writeln!(
        text,
        "  {}  confirmed: {}, {}, reason {}, cause {}",
        at(incident.confirmed_at),
        words::state(incident.worst_state, incident.blame),
        words::side(incident.blame),
        incident.reason,
        incident.cause.0
    )?;
    if let Some(page_at) = incident.acknowledged_at {
        writeln!(text, "  {}  HeyGen's page admitted it", at(page_at))?;
    }
    if let Some(end) = incident.resolved_at {
        writeln!(text, "  {}  good again", at(end))?;
    }
    if let Some(ack) = &incident.ack {
        writeln!(text, "  {}  taken on by {} {}", at(ack.at), ack.author, dim(&ack.comment))?;
    }
    writeln!(text, "{}", bold("Told"))?;
    if incident.events.is_empty() {
        writeln!(text, "  nobody: {}", why_nobody(incident))?;
    }
    for event in &incident.events {
        writeln!(text, "  {}  {} to {}", at(event.at), event.kind, listed(event))?;
        for trace in traces.iter().filter(|trace| trace.delivery.message.seq == event.seq) {
            push_trace(&mut text, trace, &at)?;
        }
    }
    Ok(text.trim_end().to_owned())
}

fn listed(event: &IncidentEvent) -> String {
    let names: Vec<&str> = event
        .channels
        .iter()
        .map(|name| if name == IncidentEvent::EVERYBODY { "every channel" } else { name.as_str() })
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() { "nobody (no channel is configured)".to_owned() } else { names.join(", ") }
}

fn push_trace(
    text: &mut String,
    trace: &Trace,
    at: &impl Fn(Timestamp) -> String,
) -> anyhow::Result<()> {
    let delivery = &trace.delivery;
    writeln!(text, "      {}: {}", delivery.channel, delivery.state.as_str())?;
    for attempt in &trace.attempts {
        writeln!(text, "        {}  {} {}", at(attempt.at), attempt.result, dim(&attempt.detail))?;
    }
    Ok(())
}

fn why_nobody(incident: &Incident) -> &'static str {
    if incident.flapping {
        "it goes up and down"
    } else if incident.suspended.is_some() {
        "nothing can be seen of it at the moment"
    } else if incident.is_open() {
        "it waits for its time, or something keeps it back (`silence list`, `maintenance list`)"
    } else {
        "it was over before anybody was due to be told, or something kept it back"
    }
}
