//! What the demo prints: scenes, verdicts, messages, and what came of the day.
//!
//! Owns words, symbols and colours; remembers what was told, so that nothing is told twice. Colours
//! are dropped by `output` where stdout is no terminal. Invariant: every line begins with the
//! simulated time, or belongs to the line above.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::day::Scene;
use super::{Cut, mail};
use crate::engine::words;
use crate::model::{Blame, Reason, State, View};
use crate::simulator::smtp::SmtpServer;
use crate::simulator::{Service, Simulator};

/// Lines of a message that are shown.
const LINES: usize = 3;

/// A line of a message is cut here.
const WIDTH: usize = 110;

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const OFF: &str = "\x1b[0m";

/// What was told so far.
pub(super) struct Story {
    verdict: Option<(State, Blame, Reason)>,
    verdicts: usize,
    slack: usize,
    mails: usize,
    lead: Option<Duration>,
}

impl Story {
    pub(super) fn new() -> Self {
        Self { verdict: None, verdicts: 0, slack: 0, mails: 0, lead: None }
    }

    /// What there is to see, and where.
    pub(super) fn opening(address: SocketAddr, length: Duration) -> String {
        let minutes = super::day::LENGTH.as_secs_f64() / 60.0;
        let minute = length.as_secs_f64() / minutes;
        format!(
            "{BOLD}A day of trouble with HeyGen{OFF}, 09:00 to 12:00 in {}: a minute takes {minute:.1} s.\n\
             The daemon is real, HeyGen, Slack and the mail server are simulated.\n\
             Watch it at {BOLD}http://{address}/{OFF}\n",
            words::duration(length)
        )
    }

    /// Something happens on stage.
    pub(super) fn scene(scene: &Scene) -> String {
        format!("{DIM}{}  ▸ {}{OFF}", time(scene.at), scene.text)
    }

    /// The verdict, when it is another one.
    pub(super) fn verdict(&mut self, view: &View, now: Timestamp) -> Option<String> {
        let verdict = &view.verdict;
        self.note_lead(view);
        let key = (verdict.state, verdict.blame, verdict.reason);
        if self.verdict == Some(key) {
            return None;
        }
        self.verdict = Some(key);
        self.verdicts += 1;
        let (symbol, colour) = symbol(verdict.state);
        let word = words::state(verdict.state, verdict.blame);
        Some(format!("{}  {colour}{symbol} {BOLD}{word}{OFF}  {}", time(now), verdict.headline))
    }

    /// What Slack and the mail server received since the last time.
    pub(super) fn messages(&mut self, simulator: &Simulator, mail: &SmtpServer) -> Vec<String> {
        let mut lines = Vec::new();
        let accepted = simulator.received(Service::Slack).into_iter();
        let accepted: Vec<_> = accepted.filter(|entry| entry.status == Some(200)).collect();
        for entry in accepted.iter().skip(self.slack) {
            let body = entry.json();
            let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
            lines.push(message(entry.at, "Slack", &first_lines(text)));
        }
        self.slack = accepted.len().max(self.slack);
        let mails = mail.mails();
        for received in mails.iter().skip(self.mails) {
            let text = String::from_utf8_lossy(&received.message);
            let mut shown = vec![mail::subject(&text)];
            shown.extend(mail::first_lines(&text, 1));
            lines.push(message(simulator.clock().now(), "e-mail", &shown));
        }
        self.mails = mails.len().max(self.mails);
        lines
    }

    /// What came of the day.
    pub(super) fn closing(&self, simulator: &Simulator, cut: Cut) -> String {
        let requests = simulator.log().len();
        let mut text = match cut {
            Cut::No => format!("\n{BOLD}The day is over.{OFF}"),
            Cut::Interrupted => format!("\n{BOLD}Stopped.{OFF}"),
        };
        // Writing to a String cannot fail.
        let _infallible = write!(
            text,
            " {} verdicts, {} Slack messages, {} e-mails, {requests} requests to the simulated world.",
            self.verdicts, self.slack, self.mails
        );
        if let Some(lead) = self.lead {
            let lead = words::duration(lead);
            let _infallible = write!(text, "\nWe knew {lead} before HeyGen's page did.");
        }
        text.push_str("\nNothing was kept. For the real HeyGen: heygen-monitor check");
        text
    }

    /// Remembers by how much we were ahead of the page once the page admits it.
    fn note_lead(&mut self, view: &View) {
        let views = view.verdict.capabilities.iter().filter_map(|one| one.official.as_ref());
        let admitted = views.filter(|official| official.acknowledged);
        let leads = admitted.filter_map(|official| official.lead_seconds);
        let longest = leads.filter_map(|lead| u64::try_from(lead).ok()).max();
        self.lead = self.lead.max(longest.map(Duration::from_secs));
    }
}

fn message(at: Timestamp, channel: &str, lines: &[String]) -> String {
    let mut text = format!("{}  ✉ \x1b[36m{channel}{OFF}", time(at));
    for (i, line) in lines.iter().enumerate() {
        let indent = if i == 0 { "  " } else { "\n           │ " };
        text.push_str(indent);
        text.extend(line.chars().take(WIDTH));
        if line.chars().count() > WIDTH {
            text.push('…');
        }
    }
    text
}

fn first_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.take(LINES).map(str::to_owned).collect()
}

fn symbol(state: State) -> (char, &'static str) {
    match state {
        State::Operational => ('●', "\x1b[32m"),
        State::Degraded => ('◐', "\x1b[33m"),
        State::Outage => ('✖', "\x1b[31m"),
        State::Maintenance => ('◆', "\x1b[34m"),
        State::Unknown => ('?', "\x1b[35m"),
    }
}

fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()
}
