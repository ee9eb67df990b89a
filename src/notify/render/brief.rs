//! A message in a few plain lines: for small screens and for fields that know no markup. Pure.
//!
//! Owns which lines there are and how long each may be; the news itself stands elsewhere (a title,
//! a summary). Invariant: every line is one line and passed `clean`, so that nothing from outside
//! can look like a line of ours.

use super::blocks::when;
use super::{Place, Text, moment};
use crate::model::text::clean;

/// Characters of one line.
const LINE_CHARS: usize = 500;
/// Pieces of evidence that are worth the room.
const EVIDENCE_SHOWN: usize = 2;

/// The lines below the news: how late, whose side, since when, what to do, what was seen, from
/// where.
pub(crate) fn lines(text: &Text, place: Place<'_>) -> Vec<String> {
    let mut lines: Vec<String> = text.delay.iter().cloned().collect();
    lines.extend(text.side.map(|side| format!("Whose side: {side}")));
    lines.extend(when(text, |at| moment(at, place), place));
    lines.extend(text.touches.as_ref().map(|touches| format!("Touches: {touches}")));
    lines.extend(text.advice.as_ref().map(|advice| format!("What to do: {advice}")));
    for proof in text.evidence.iter().take(EVIDENCE_SHOWN) {
        lines.push(format!("Seen: {}", proof.seen));
        lines.extend(proof.quote.clone());
    }
    lines.extend(text.official.clone());
    lines.extend(text.notes.iter().cloned());
    lines.push(text.origin.clone());
    lines.into_iter().map(|line| clean(&line, LINE_CHARS)).collect()
}
