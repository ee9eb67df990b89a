//! Realistic messages for `notify test`, `notify render` and the admin socket's test. Pure.
//!
//! Owns one invented outage that every kind of event is told about. Invariant: what is sent as a
//! test is a drill and says so in its first word.

use std::time::Duration;

use crate::model::{
    Action, Advice, Blame, Capability, Cause, ComponentState, Confidence, EventKind, Evidence,
    EvidenceItem, Message, MessageIncident, OfficialView, Outcome, Reason, Resubmit, State,
    Timestamp,
};

/// Who speaks: both stand in every message.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    /// Where the monitor runs.
    pub vantage: &'a str,
    /// Which account it watches.
    pub account: &'a str,
}

/// A drill: what an outage would look like, marked as none.
pub fn drill(speaker: Speaker<'_>, now: Timestamp) -> Message {
    let mut message = sample(EventKind::Drill, speaker, now);
    message.notes.push("This is what an outage would look like; no action is needed.".to_owned());
    message
}

/// The channel `channel` no longer takes messages, because of `detail`.
pub fn channel_broken(
    channel: &str,
    detail: &str,
    speaker: Speaker<'_>,
    now: Timestamp,
) -> Message {
    Message {
        event: EventKind::ChannelBroken,
        at: now,
        seq: 1,
        incident: None,
        headline: format!("Channel {channel} no longer takes messages: {detail}"),
        advice: None,
        evidence: Vec::new(),
        official: None,
        notes: vec![format!(
            "Check the channel in the configuration; `heygen-monitor notify test --channel \
             {channel}` shows whether it works again."
        )],
        vantage: speaker.vantage.to_owned(),
        account: speaker.account.to_owned(),
    }
}

/// What a channel would be told of `event`.
pub fn sample(event: EventKind, speaker: Speaker<'_>, now: Timestamp) -> Message {
    let opened_at = before(now, 14);
    let is_over = matches!(event, EventKind::Resolved | EventKind::SuppressionEnded);
    let is_about_us =
        matches!(event, EventKind::Drill | EventKind::Warning | EventKind::ChannelBroken);
    Message {
        event,
        at: now,
        seq: if event == EventKind::Opened { 1 } else { 2 },
        incident: (!is_about_us).then(|| incident(event, opened_at, is_over.then_some(now))),
        headline: headline(event).to_owned(),
        advice: (!is_over).then(advice),
        evidence: vec![evidence(speaker, before(now, 1))],
        official: Some(OfficialView {
            source: "heygen".to_owned(),
            state: if event == EventKind::AcknowledgedOfficially {
                ComponentState::MajorOutage
            } else {
                ComponentState::Operational
            },
            acknowledged: event == EventKind::AcknowledgedOfficially,
            lead_seconds: Some(14 * 60),
            notice: (event == EventKind::AcknowledgedOfficially)
                .then(|| "API errors, investigating".to_owned()),
        }),
        notes: Vec::new(),
        vantage: speaker.vantage.to_owned(),
        account: speaker.account.to_owned(),
    }
}

fn headline(event: EventKind) -> &'static str {
    match event {
        EventKind::Resolved | EventKind::SuppressionEnded => "HeyGen: API answers again",
        EventKind::Eased => "HeyGen: API fails for one request in four. HeyGen's side",
        EventKind::ChannelBroken => {
            "Channel team-slack no longer takes messages: Slack answered 404: no_service"
        }
        EventKind::Warning => "HeyGen: the API key expires in 14 days. Your HeyGen account",
        EventKind::Opened
        | EventKind::AcknowledgedOfficially
        | EventKind::Worsened
        | EventKind::Reminder
        | EventKind::Flapping
        | EventKind::Drill => "HeyGen: API not answering. HeyGen's side",
    }
}

fn incident(
    event: EventKind,
    opened_at: Timestamp,
    resolved_at: Option<Timestamp>,
) -> MessageIncident {
    MessageIncident {
        id: 42,
        blame: Blame::Provider,
        cause: Cause("host:api.heygen.com".to_owned()),
        reason: Reason::Outcome(Outcome::Unavailable),
        state: if event == EventKind::Eased { State::Degraded } else { State::Outage },
        capabilities: vec![Capability::Api, Capability::Authentication],
        opened_at,
        resolved_at,
        subject: format!(
            "HeyGen: API not answering since {} UTC (#42)",
            opened_at.strftime("%H:%M")
        ),
    }
}

fn advice() -> Advice {
    Advice {
        action: Action::Hold,
        until: None,
        resubmit: Resubmit::None,
        confidence: Confidence::Observed,
        text: "Stop starting new videos; do not send waiting ones again: it adds load.".to_owned(),
    }
}

fn evidence(speaker: Speaker<'_>, at: Timestamp) -> EvidenceItem {
    let text = format!("503 from api.heygen.com after 210 ms, from {}", speaker.vantage);
    EvidenceItem {
        probe: "api-read".to_owned(),
        outcome: Outcome::Unavailable,
        at,
        text: text.clone(),
        decisive: true,
        detail: Evidence {
            text,
            host: "api.heygen.com".to_owned(),
            http_status: Some(503),
            code: Some("service_unavailable".to_owned()),
            message: Some("The service is temporarily unavailable.".to_owned()),
            doc_url: Some("https://developers.heygen.com/docs/error-codes".to_owned()),
            request_id: Some("req-sample".to_owned()),
            ..Evidence::default()
        },
    }
}

fn before(now: Timestamp, minutes: u64) -> Timestamp {
    now.saturating_sub(Duration::from_secs(minutes * 60)).unwrap_or(now)
}
