//! A message as an e-mail: subject, plain text that stands alone, HTML, headers. Pure.
//!
//! Owns what makes mail clients thread an incident: one fixed subject, a `Message-ID` that is the
//! same on every attempt, and one root that all later messages refer to. Does not own MIME or SMTP
//! (`notify::email`).

use askama::Template;

use super::{Place, Text, Tone, compose, moment, span};
use crate::model::{Delivery, EventKind, Merged, Timestamp};

/// An e-mail, not yet in MIME.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mail {
    /// `Subject`.
    pub(crate) subject: String,
    /// `Date`: when it came to be owed, so that every attempt sends the same mail.
    pub(crate) date: Timestamp,
    /// `Message-ID`, with its angle brackets.
    pub(crate) message_id: String,
    /// `In-Reply-To` and `References`: the first message of the incident.
    pub(crate) root_id: Option<String>,
    /// Further headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The plain part.
    pub(crate) text: String,
    /// The HTML part.
    pub(crate) html: String,
}

/// What names the sender in ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender<'a> {
    /// Domain of `From`.
    pub(crate) domain: &'a str,
    /// Id of this installation.
    pub(crate) monitor_id: &'a str,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    text: &'a Text,
    facts: &'a [(&'static str, String)],
    why: &'a str,
}

/// Renders a delivery as an e-mail.
pub(crate) fn mail(delivery: &Delivery, sender: Sender<'_>, place: Place<'_>) -> Mail {
    let text = compose(delivery, place);
    let facts = facts(&text, place);
    let why = why(&delivery.channel);
    let page = Html { text: &text, facts: &facts, why: &why };
    Mail {
        subject: thread_subject(delivery, &text),
        date: delivery.created_at,
        message_id: message_id(delivery, sender),
        root_id: root_id(delivery, sender),
        headers: headers(delivery, text.tone, sender),
        text: plain(&text, &facts, &why),
        // Writing into a string cannot fail; the plain part stands alone in any case.
        html: page.render().unwrap_or_default(),
    }
}

/// `Re:` on everything but the message that opens the thread.
fn thread_subject(delivery: &Delivery, text: &Text) -> String {
    let is_first = delivery.message.event == EventKind::Opened
        || delivery.merged.as_ref().is_some_and(Merged::has_opening);
    let is_later = delivery.message.incident.is_some() && !is_first;
    if is_later { format!("Re: {}", text.subject) } else { text.subject.clone() }
}

fn message_id(delivery: &Delivery, sender: Sender<'_>) -> String {
    match &delivery.message.incident {
        Some(incident) => incident_id(incident.id, delivery.message.seq, &delivery.channel, sender),
        None => format!(
            "<{}-{}.ch-{}.{}@{}>",
            delivery.message.event.as_str().replace('_', "-"),
            delivery.id,
            atom(&delivery.channel),
            atom(sender.monitor_id),
            sender.domain
        ),
    }
}

fn root_id(delivery: &Delivery, sender: Sender<'_>) -> Option<String> {
    let incident = delivery.message.incident.as_ref()?;
    (delivery.message.seq > 1).then(|| incident_id(incident.id, 1, &delivery.channel, sender))
}

fn incident_id(id: i64, seq: u32, channel: &str, sender: Sender<'_>) -> String {
    let Sender { domain, monitor_id } = sender;
    format!("<inc-{id}.ev-{seq}.ch-{}.{}@{domain}>", atom(channel), atom(monitor_id))
}

/// The letters that are safe in a `Message-ID` (RFC 5322, `atext`, of which the plainest).
fn atom(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    name.chars().take(60).map(|letter| if plain(letter) { letter } else { '-' }).collect()
}

fn headers(delivery: &Delivery, tone: Tone, sender: Sender<'_>) -> Vec<(&'static str, String)> {
    let message = &delivery.message;
    let mut headers = vec![
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "All".to_owned()),
        ("List-Id", format!("HeyGen monitor <heygen-monitor.{}>", sender.domain)),
        ("X-HeyGen-Monitor-Event", message.event.as_str().to_owned()),
        ("X-HeyGen-Monitor-Vantage", crate::model::text::clean(&message.vantage, 60)),
    ];
    if tone == Tone::Bad {
        headers.extend([("X-Priority", "1".to_owned()), ("Importance", "high".to_owned())]);
    }
    if let Some(incident) = &message.incident {
        let names: Vec<&str> = incident.capabilities.iter().map(|name| name.as_str()).collect();
        headers.extend([
            ("X-HeyGen-Monitor-Incident", incident.id.to_string()),
            ("X-HeyGen-Monitor-State", incident.state.as_str().to_owned()),
            ("X-HeyGen-Monitor-Blame", incident.blame.as_str().to_owned()),
            ("X-HeyGen-Monitor-Reason", incident.reason.as_str().to_owned()),
            ("X-HeyGen-Monitor-Capabilities", names.join(",")),
        ]);
    }
    headers
}

fn facts(text: &Text, place: Place<'_>) -> Vec<(&'static str, String)> {
    let when = match (text.since, text.until) {
        (Some(since), Some(until)) => Some(format!(
            "{} to {}, {}",
            moment(since, place),
            moment(until, place),
            span(since, until)
        )),
        (Some(since), None) => {
            Some(format!("since {}, {} so far", moment(since, place), span(since, place.now)))
        }
        (None, _) => None,
    };
    [
        ("Whose side", text.side.map(str::to_owned)),
        ("When", when),
        ("Touches", text.touches.clone()),
        ("What to do", text.advice.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn why(channel: &str) -> String {
    format!(
        "You get this because the channel \u{201c}{}\u{201d} of this heygen-monitor leads to you.",
        crate::model::text::clean(channel, 60)
    )
}

fn plain(text: &Text, facts: &[(&'static str, String)], why: &str) -> String {
    let mut out = format!("{}\n", text.news);
    if let Some(delay) = &text.delay {
        push(&mut out, delay);
    }
    out.push('\n');
    for (name, value) in facts {
        push(&mut out, &format!("{name}: {value}"));
    }
    plain_evidence(&mut out, text);
    if let Some(official) = &text.official {
        push(&mut out, &format!("\n{official}"));
    }
    if !text.notes.is_empty() {
        out.push('\n');
    }
    for note in &text.notes {
        push(&mut out, &format!("- {note}"));
    }
    if let Some(link) = &text.link {
        push(&mut out, &format!("\nDetails: {link}"));
    }
    push(&mut out, &format!("\n{}\n{why}", text.origin));
    out
}

fn plain_evidence(out: &mut String, text: &Text) {
    if !text.evidence.is_empty() {
        push(out, "\nWhat we saw:");
    }
    for proof in &text.evidence {
        push(out, &format!("- {}", proof.seen));
        if let Some(quote) = &proof.quote {
            push(out, &format!("  {quote}"));
        }
        if let Some(url) = &proof.doc_url {
            push(out, &format!("  {url}"));
        }
    }
    if text.evidence_left_out > 0 {
        push(out, &format!("- and {} more", text.evidence_left_out));
    }
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

impl super::Tone {
    /// A middle tone, readable beside black on white and white on black.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Self::Bad => "#cf222e",
            Self::Degraded => "#bc6c00",
            Self::Good => "#2da44e",
            Self::Unclear | Self::Drill => "#6e7781",
            Self::Warning => "#9a6700",
        }
    }
}
