//! A verdict as text: for people, for machines, for Nagios.

use std::fmt::Write;

use jiff::tz::TimeZone;

use super::output;
use super::table::columns;
use crate::engine::words;
use crate::model::{Blame, Capability, State, Timestamp};
use crate::wire::{CapabilityJson, VerdictJson};

/// The reason of capabilities that no probe looks at: listed apart.
const NOT_WATCHED: &str = "not_watched";

/// Which capabilities are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every used one.
    All,
    /// One.
    One(Capability),
}

/// One sentence, then a table, then what to do; colours for a terminal.
pub fn for_people(verdict: &VerdictJson, zone: &TimeZone, scope: Scope) -> String {
    let headline = format!("{} {}", symbol(verdict.state), bold(&verdict.headline));
    let mut text = format!("{}\n\n", headline.trim_start());
    let (watched, unwatched): (Vec<_>, Vec<_>) =
        shown(verdict, scope).partition(|one| one.reason != NOT_WATCHED);
    let rows = watched.iter().map(|one| row(one, zone, verdict.at).to_vec());
    push(&mut text, &columns(rows));
    if !unwatched.is_empty() {
        let names: Vec<_> = unwatched.iter().map(|one| words::capability(one.capability)).collect();
        push(&mut text, &format!("  {}", dim(&format!("not watched: {}", names.join(", ")))));
    }
    push_advice(&mut text, verdict, &watched);
    push_evidence(&mut text, &watched, zone, verdict.at);
    text.trim_end().to_owned()
}

/// `HEYGEN CRITICAL - headline | perfdata` (facts C7).
pub fn nagios(verdict: &VerdictJson, scope: Scope) -> String {
    let word = match verdict.state {
        State::Operational | State::Maintenance => "OK",
        State::Degraded => "WARNING",
        State::Outage => "CRITICAL",
        State::Unknown => "UNKNOWN",
    };
    let watched: Vec<_> = shown(verdict, scope).filter(|one| one.reason != NOT_WATCHED).collect();
    let up = watched.iter().filter(|one| one.state == State::Operational).count();
    let all = watched.len();
    let headline = plugin_text(&verdict.headline);
    format!("HEYGEN {word} - {headline} | 'up'={up};;;0;{all}")
}

/// The same where there is no verdict, and why.
pub fn nagios_blind(why: &str) -> String {
    format!("HEYGEN UNKNOWN - {}", plugin_text(why))
}

/// One line that cannot be taken for performance data.
fn plugin_text(text: &str) -> String {
    text.replace('|', "/").replace(['\n', '\r'], " ")
}

fn shown(verdict: &VerdictJson, scope: Scope) -> impl Iterator<Item = &CapabilityJson> {
    verdict.capabilities.iter().filter(move |one| match scope {
        Scope::All => one.used,
        Scope::One(capability) => one.capability == capability,
    })
}

fn row(one: &CapabilityJson, zone: &TimeZone, now: Timestamp) -> [String; 5] {
    let is_fine = one.state == State::Operational;
    let side = if is_fine || one.blame == Blame::None { "" } else { words::side(one.blame) };
    let since = one.since.filter(|_| !is_fine);
    [
        symbol(one.state),
        words::capability(one.capability).to_owned(),
        words::state(one.state, one.blame).to_owned(),
        side.to_owned(),
        since.map_or_else(String::new, |since| format!("since {}", words::time(since, zone, now))),
    ]
}

fn push_advice(text: &mut String, verdict: &VerdictJson, watched: &[&CapabilityJson]) {
    let mut said: Vec<&str> = Vec::new();
    for one in watched.iter().filter(|one| one.state != State::Operational) {
        let advice = one.advice.text.as_str();
        if !advice.is_empty() && !said.contains(&advice) {
            said.push(advice);
        }
    }
    if verdict.state == State::Operational || said.is_empty() {
        return;
    }
    push(text, "");
    push(text, &bold("What to do"));
    for advice in said {
        push(text, &format!("  {advice}"));
    }
}

fn push_evidence(text: &mut String, watched: &[&CapabilityJson], zone: &TimeZone, now: Timestamp) {
    let mut lines: Vec<String> = Vec::new();
    for one in watched.iter().filter(|one| one.state != State::Operational) {
        for item in one.evidence.iter().filter(|item| item.decisive) {
            let at = words::time(item.at, zone, now);
            let mut line = format!("  {at}  {}: {}", item.probe, item.text);
            if let Some(message) = &item.message {
                write!(line, " — “{message}”").unwrap_or_default();
            }
            if let Some(doc_url) = &item.doc_url {
                write!(line, " ({doc_url})").unwrap_or_default();
            }
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let notice = one.official.as_ref().and_then(|official| official.notice.as_ref());
        if let Some(notice) = notice {
            let line = format!("  HeyGen's page: {notice}");
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    if lines.is_empty() {
        return;
    }
    push(text, "");
    push(text, &bold("Evidence"));
    for line in lines {
        push(text, &line);
    }
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A sign and a colour, never a colour alone; nothing where the words have to do (a pipe).
pub fn symbol(state: State) -> String {
    if !output::is_styled() {
        return String::new();
    }
    let (colour, sign) = match state {
        State::Operational => ("32", "✓"),
        State::Degraded => ("33", "▲"),
        State::Outage => ("31", "✕"),
        State::Maintenance => ("34", "◆"),
        State::Unknown => ("90", "?"),
    };
    format!("\u{1b}[{colour}m{sign}\u{1b}[0m")
}

/// Bold on a terminal.
pub fn bold(text: &str) -> String {
    format!("\u{1b}[1m{text}\u{1b}[0m")
}

/// Dim on a terminal.
pub fn dim(text: &str) -> String {
    format!("\u{1b}[2m{text}\u{1b}[0m")
}
