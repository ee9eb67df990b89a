//! What a verdict rests on, as a short list for people and machines.
//!
//! Owns the order and the sentences of evidence. Decides nothing. Invariant: decisive first, at
//! most six, and HeyGen's own words are passed on as they came.

use super::facts::Fact;
use super::rows::{Basis, Case, Judgement};
use crate::engine::words;
use crate::model::{Evidence, EvidenceItem, Observation, Outcome, Timestamp};

/// Longest list.
pub const MOST: usize = 6;

/// The evidence of one capability: what is decisive, then the latest of each probe.
pub fn of_capability(case: &Case<'_>, judgement: &Judgement<'_>) -> Vec<EvidenceItem> {
    let mut items = decisive(case, judgement);
    for (line, _) in &case.lines {
        let item = item(&line.last, None, false);
        if items.iter().all(|known| (&known.probe, known.at) != (&item.probe, item.at)) {
            items.push(item);
        }
    }
    items.truncate(MOST);
    items
}

fn decisive(case: &Case<'_>, judgement: &Judgement<'_>) -> Vec<EvidenceItem> {
    match &judgement.basis {
        Basis::Facts(facts) => facts.iter().map(of_fact).collect(),
        Basis::Successes(seen) => seen.iter().take(1).map(|seen| item(seen, None, true)).collect(),
        Basis::Between(seen) => seen.iter().map(|seen| item(seen, None, true)).collect(),
        Basis::Notice(notice) => {
            vec![of_page(&notice.source, &format!("the page says: {}", notice.title), case.now)]
        }
        Basis::Maintenance(maintenance) => {
            let source = case.settings.primary_sources().next();
            let name = source.map_or("page", |source| source.name.as_str());
            vec![of_page(name, &format!("maintenance: {}", maintenance.title), case.now)]
        }
        Basis::Offline => {
            let text = case.memory.network.controls_in_words();
            text.map(|text| of_page("controls", &text, case.now)).into_iter().collect()
        }
        Basis::Held | Basis::Nothing => Vec::new(),
    }
}

/// The last bad observation of a confirmed alert state.
pub fn of_fact(fact: &Fact<'_>) -> EvidenceItem {
    item(fact.seen, fact.how_often.as_deref(), true)
}

/// Something that a page (or the controls) said, as of now.
pub fn of_page(source: &str, text: &str, now: Timestamp) -> EvidenceItem {
    EvidenceItem {
        probe: source.to_owned(),
        outcome: Outcome::Ok,
        at: now,
        text: text.to_owned(),
        decisive: true,
        detail: Evidence::default(),
    }
}

fn item(seen: &Observation, how_often: Option<&str>, decisive: bool) -> EvidenceItem {
    let detail = seen.evidence.as_deref().cloned().unwrap_or_default();
    let text = if detail.text.is_empty() { plain(seen) } else { detail.text.clone() };
    EvidenceItem {
        probe: seen.series.to_string(),
        outcome: seen.outcome,
        at: seen.ended_at,
        text: how_often.map_or(text.clone(), |often| format!("{text} ({often})")),
        decisive,
        detail,
    }
}

fn plain(seen: &Observation) -> String {
    match seen.outcome {
        Outcome::Ok | Outcome::Slow => format!("answered after {} ms", seen.duration().as_millis()),
        other => words::outcome(other).to_owned(),
    }
}
