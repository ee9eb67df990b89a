//! A message as Slack's Block Kit. Pure.
//!
//! Invariants: within Slack's limits by construction (50 blocks, 3000 characters in a section, 150
//! in a header, under 10 000 in all, 4000 in `text`); words from outside stand in `plain_text`
//! objects alone, and `&`, `<`, `>` are escaped everywhere, so that nothing becomes a mention or a
//! link but what is made one here.

use serde_json::{Value, json};
use url::Url;

use super::{Place, Proof, Text, Tone, compose, moment, span};
use crate::model::{Delivery, Timestamp};

/// Characters in a header block (docs.slack.dev, header block).
const HEADER_CHARS: usize = 150;
/// Characters in `text`; Slack cuts at 40 000, people much earlier.
const FALLBACK_CHARS: usize = 3_900;
/// Characters that the news, one piece of evidence and one other section may take; with four pieces
/// of evidence, their links and four notes they stay under 10 000 together.
const NEWS_CHARS: usize = 900;
const EVIDENCE_CHARS: usize = 800;
const OTHER_CHARS: usize = 1_200;
const SMALL_CHARS: usize = 350;

/// The request body for an incoming webhook.
pub(crate) fn payload(delivery: &Delivery, place: Place<'_>) -> Value {
    let text = compose(delivery, place);
    let mut payload = envelope(&text, place);
    payload["blocks"] = Value::from(blocks(&text, delivery, place));
    payload
}

/// The one message of an incident, which is updated: state, times and advice, no evidence.
pub(crate) fn summary_payload(delivery: &Delivery, place: Place<'_>) -> Value {
    let text = compose(delivery, place);
    let mut payload = envelope(&text, place);
    let mut blocks = top(&text, place);
    blocks.extend(text.official.as_ref().map(|official| section(official, SMALL_CHARS)));
    blocks.extend(bottom(&text, delivery));
    payload["blocks"] = Value::from(blocks);
    payload
}

/// What belongs into the thread of a message that has just opened; `None` when there is nothing
/// but what the message itself says.
pub(crate) fn details_payload(delivery: &Delivery, place: Place<'_>) -> Option<Value> {
    let text = compose(delivery, place);
    let lines: Vec<String> =
        text.evidence.iter().map(|proof| format!("• {}", said(proof))).collect();
    if lines.is_empty() {
        return None;
    }
    let mut blocks = vec![section("What we saw", SMALL_CHARS)];
    blocks.extend(evidence(&text));
    Some(json!({
        "text": escaped(&lines.join("\n"), FALLBACK_CHARS),
        "blocks": blocks,
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
    }))
}

/// The same in plain text, for when Slack refuses the blocks.
pub(crate) fn plain_payload(delivery: &Delivery, place: Place<'_>) -> Value {
    envelope(&compose(delivery, place), place)
}

/// What notifications and screen readers show, as people read it.
pub(crate) fn fallback(text: &Text, place: Place<'_>) -> String {
    let mut lines = vec![format!("{} {}", text.tone.sign(), text.news)];
    lines.extend(text.delay.clone());
    if let Some(side) = text.side {
        lines.push(format!("Whose side: {side}"));
    }
    lines.extend(when(text, |at| moment(at, place), place));
    lines.extend(text.advice.as_ref().map(|advice| format!("What to do: {advice}")));
    lines.extend(text.evidence.iter().map(|proof| format!("• {}", said(proof))));
    lines.extend(text.official.clone());
    lines.push(text.origin.clone());
    lines.join("\n")
}

fn envelope(text: &Text, place: Place<'_>) -> Value {
    json!({
        "text": escaped(&fallback(text, place), FALLBACK_CHARS),
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn blocks(text: &Text, delivery: &Delivery, place: Place<'_>) -> Vec<Value> {
    let mut blocks = top(text, place);
    blocks.extend(evidence(text));
    blocks.extend(text.official.as_ref().map(|official| section(official, SMALL_CHARS)));
    blocks.extend(bottom(text, delivery));
    blocks
}

/// The news, and what to do about it.
fn top(text: &Text, place: Place<'_>) -> Vec<Value> {
    let header = format!("{} {}", text.tone.sign(), text.news);
    let mut blocks = vec![json!({"type": "header", "text": plain(&header, HEADER_CHARS)})];
    if escaped(&header, HEADER_CHARS).ends_with('…') {
        blocks.push(section(&text.news, NEWS_CHARS));
    }
    blocks.extend(text.delay.as_ref().map(|delay| section(delay, SMALL_CHARS)));
    blocks.extend(facts(text, place));
    if let Some(advice) = &text.advice {
        blocks.push(section(&format!("What to do: {advice}"), OTHER_CHARS));
    }
    blocks
}

fn evidence(text: &Text) -> Vec<Value> {
    let mut blocks = Vec::new();
    for proof in &text.evidence {
        blocks.push(section(&said(proof), EVIDENCE_CHARS));
        blocks.extend(proof.doc_url.as_ref().map(|url| links(&[(url, "HeyGen's documentation")])));
    }
    if text.evidence_left_out > 0 {
        blocks.push(section(&format!("and {} more", text.evidence_left_out), SMALL_CHARS));
    }
    blocks
}

fn bottom(text: &Text, delivery: &Delivery) -> Vec<Value> {
    let notes = text.notes.iter();
    let mut blocks: Vec<Value> = notes.map(|note| section(note, SMALL_CHARS)).collect();
    blocks.extend(text.link.as_ref().map(|url| links(&[(url, "Details on our own page")])));
    let channel = crate::model::text::clean(&delivery.channel, 60);
    let footer = format!("{} Channel \u{201c}{channel}\u{201d} of heygen-monitor.", text.origin);
    blocks.push(json!({"type": "context", "elements": [plain(&footer, SMALL_CHARS)]}));
    blocks
}

/// Side, times and capabilities: our own words, so they may be formatted.
fn facts(text: &Text, place: Place<'_>) -> Option<Value> {
    let mut lines = Vec::new();
    if let Some(side) = text.side {
        lines.push(format!("*Whose side:* {}", escaped(side, SMALL_CHARS)));
    }
    lines.extend(when(text, |at| date(at, place), place));
    if let Some(touches) = &text.touches {
        lines.push(format!("*Touches:* {}", escaped(touches, SMALL_CHARS)));
    }
    (!lines.is_empty())
        .then(|| json!({"type": "section", "text": {"type": "mrkdwn", "text": lines.join("\n")}}))
}

pub(super) fn when(
    text: &Text,
    show: impl Fn(Timestamp) -> String,
    place: Place<'_>,
) -> Option<String> {
    let since = text.since?;
    Some(match text.until {
        Some(until) => format!("From {} to {}, {}", show(since), show(until), span(since, until)),
        None => format!("Since {}, {} so far", show(since), span(since, place.now)),
    })
}

/// Slack shows it in each reader's own zone.
fn date(at: Timestamp, place: Place<'_>) -> String {
    let secs = at.as_second();
    format!("<!date^{secs}^{{date_short_pretty}} {{time}}|{}>", moment(at, place))
}

fn said(proof: &Proof) -> String {
    match &proof.quote {
        Some(quote) => format!("{}\n{quote}", proof.seen),
        None => proof.seen.clone(),
    }
}

fn section(text: &str, max_chars: usize) -> Value {
    json!({"type": "section", "text": plain(text, max_chars)})
}

fn plain(text: &str, max_chars: usize) -> Value {
    json!({"type": "plain_text", "text": escaped(text, max_chars), "emoji": false})
}

fn links(links: &[(&Url, &str)]) -> Value {
    let elements: Vec<Value> = links
        .iter()
        .map(|(url, name)| {
            let target = escaped(&url.as_str().replace('|', "%7C"), 1_000);
            json!({"type": "mrkdwn", "text": format!("<{target}|{name}>")})
        })
        .collect();
    json!({"type": "context", "elements": elements})
}

/// Slack's three control characters escaped, and never more than `max_chars` in all.
fn escaped(text: &str, max_chars: usize) -> String {
    let mut out = String::new();
    let mut chars = 0;
    for letter in text.chars() {
        let before = out.len();
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
        // An entity is ASCII: its length in bytes is its length in characters.
        chars += if matches!(letter, '&' | '<' | '>') { out.len() - before } else { 1 };
        if chars >= max_chars {
            out.truncate(before);
            out.push('…');
            return out;
        }
    }
    out
}

impl Tone {
    /// The sign in front of the news.
    fn sign(self) -> &'static str {
        match self {
            Self::Bad => "🔴",
            Self::Degraded => "🟠",
            Self::Good => "🟢",
            Self::Unclear => "⚪",
            Self::Drill => "🧪",
            Self::Warning => "⚠️",
        }
    }
}
