//! The words that more than one product uses, and how text and times from outside come in.
//!
//! Owns the enum table of the status-page formats. Invariant: a word that is not listed is
//! `unknown`, never `operational`.

use super::markup;
use crate::engine::page::impact_of_state;
use crate::model::text::clean;
use crate::model::{ComponentState, Impact, Phase, Timestamp};

/// Longest name, title or word that is kept, in characters.
const LONGEST_LINE: usize = 300;

/// Longest text of an update that is kept, in characters.
const LONGEST_TEXT: usize = 4_000;

/// The state that a word of Statuspage, incident.io or Instatus stands for.
pub(super) fn state_of(word: &str) -> ComponentState {
    match plain_word(word).as_str() {
        "operational" => ComponentState::Operational,
        "degradedperformance" => ComponentState::DegradedPerformance,
        "partialoutage" | "minoroutage" => ComponentState::PartialOutage,
        "majoroutage" | "fulloutage" => ComponentState::MajorOutage,
        "undermaintenance" => ComponentState::UnderMaintenance,
        _ => ComponentState::Unknown,
    }
}

/// The state that Statuspage's page-wide indicator stands for.
pub(super) fn state_of_indicator(word: &str) -> ComponentState {
    match plain_word(word).as_str() {
        "none" => ComponentState::Operational,
        "minor" => ComponentState::DegradedPerformance,
        "major" => ComponentState::PartialOutage,
        "critical" => ComponentState::MajorOutage,
        "maintenance" => ComponentState::UnderMaintenance,
        _ => ComponentState::Unknown,
    }
}

/// The impact that a word stands for: Statuspage's own, or the state that was brought about.
pub(super) fn impact_of(word: &str) -> Impact {
    match plain_word(word).as_str() {
        "none" => Impact::None,
        "minor" => Impact::Minor,
        "major" => Impact::Major,
        "critical" => Impact::Critical,
        "maintenance" => Impact::Maintenance,
        _ => impact_of_state(state_of(word)),
    }
}

/// The phase that a word of any product stands for.
pub(super) fn phase_of(word: &str) -> Phase {
    match plain_word(word).as_str() {
        "investigating" => Phase::Investigating,
        "identified" => Phase::Identified,
        "monitoring" => Phase::Monitoring,
        "resolved" => Phase::Resolved,
        "postmortem" => Phase::Postmortem,
        "scheduled" | "maintenancescheduled" | "notstartedyet" => Phase::Scheduled,
        "inprogress" | "maintenanceinprogress" => Phase::InProgress,
        "verifying" => Phase::Verifying,
        "completed" | "maintenancecomplete" | "maintenancecompleted" => Phase::Completed,
        _ => Phase::Unknown,
    }
}

/// A word without case, spaces, dashes and underscores.
pub(super) fn plain_word(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A time in any of the notations the products use: RFC 3339 with any fraction and offset, RFC
/// 2822, or what JavaScript's `Date` prints.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(time) = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text) {
        return Some(time);
    }
    let without_zone_name = text.split(" (").next().unwrap_or(text);
    Timestamp::strptime("%a %b %d %Y %H:%M:%S GMT%z", without_zone_name).ok()
}

/// One clean line of text from outside.
pub(super) fn line(text: &str) -> String {
    clean(text, LONGEST_LINE)
}

/// Several lines of text from outside, cleaned line by line; empty lines are left out.
pub(super) fn lines(text: &str) -> String {
    let mut kept = String::new();
    let mut room = LONGEST_TEXT;
    for part in text.lines() {
        let part = clean(part, room);
        if part.is_empty() {
            continue;
        }
        room = room.saturating_sub(part.chars().count() + 1);
        if !kept.is_empty() {
            kept.push('\n');
        }
        kept.push_str(&part);
    }
    kept
}

/// What a person reads of an HTML fragment; block elements and `<br>` end a line.
pub(super) fn plain_text(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return lines(html);
    }
    let Ok(fragment) = markup::fragment(html) else {
        return lines(html);
    };
    let mut text = String::new();
    for node in fragment.tree.root().descendants() {
        match node.value() {
            scraper::Node::Text(part) => text.push_str(&part.replace(['\n', '\r'], " ")),
            scraper::Node::Element(element)
                if matches!(element.name(), "br" | "p" | "li" | "div" | "ul" | "ol") =>
            {
                text.push('\n');
            }
            _ => {}
        }
    }
    lines(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlisted_word_is_unknown_and_never_green() {
        for word in ["", "ok", "Operational-ish", "operationnel", "up", "degraded"] {
            assert_eq!(state_of(word), ComponentState::Unknown, "{word}");
            assert_eq!(state_of_indicator(word), ComponentState::Unknown, "{word}");
        }
        assert_eq!(state_of("full_outage"), state_of("MAJOROUTAGE"));
        assert_eq!(state_of("Degraded performance"), ComponentState::DegradedPerformance);
        assert_eq!(impact_of("MAJOROUTAGE"), Impact::Critical);
        assert_eq!(phase_of("not yet known"), Phase::Unknown);
    }

    #[test]
    fn times_are_read_in_every_notation_of_the_products() {
        let expected: Timestamp = "2026-01-30T17:59:00Z".parse().unwrap();
        for text in [
            "2026-01-30T17:59:00Z",
            "2026-01-30T17:59:00.000Z",
            "2026-01-30T17:59:00.000000000+00:00",
            "2026-01-30T11:59:00-06:00",
            "Fri, 30 Jan 2026 17:59:00 GMT",
            "Fri Jan 30 2026 17:59:00 GMT+0000 (Coordinated Universal Time)",
        ] {
            assert_eq!(time(text), Some(expected), "{text}");
        }
        assert_eq!(time("Jan 5, 08:05 CET"), None);
    }

    #[test]
    fn text_from_outside_is_cleaned() {
        assert_eq!(line("  a\u{1b}[31m\tb\n c\u{202e}d "), "a[31m b cd");
        assert_eq!(
            plain_text("We&#39;re <b>on</b> it.<br />Soon.<p>More</p>"),
            "We're on it.\nSoon.\nMore"
        );
        assert_eq!(line(&"x".repeat(1_000)).chars().count(), LONGEST_LINE);
    }
}
