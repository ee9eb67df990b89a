//! What paid tests say of HeyGen: one failed, two failed, one avatar fails (verdicts.md, section 2).
//!
//! Owns the rules over the results of the tests; stuck ones are jobs like any other. Invariant: one
//! failed test is never more than degraded.

use super::{Canaries, is_bad, is_good, paid};
use crate::engine::settings::{CanaryRules, Settings, Watch};
use crate::model::{Intent, Outcome, ProbeKind, Reason, State, Timestamp};

/// A failed test is evidence for this many of its silences.
const FRESH_SILENCES: i32 = 2;

/// What the tests of one probe say.
#[derive(Debug, Clone)]
pub struct TestFinding<'a> {
    /// The probe.
    pub watch: &'a Watch,
    /// What it makes of the capability.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// When the first of the failed tests was sent.
    pub since: Timestamp,
    /// The last failed test.
    pub last: &'a Intent,
    /// How often, or which avatar, in words.
    pub text: String,
}

/// What the tests of every paid probe say.
pub fn findings<'a>(
    canaries: &'a Canaries,
    settings: &'a Settings,
    now: Timestamp,
) -> Vec<TestFinding<'a>> {
    paid(settings).filter_map(|(watch, rules)| of_probe(canaries, watch, rules, now)).collect()
}

fn of_probe<'a>(
    canaries: &'a Canaries,
    watch: &'a Watch,
    rules: &CanaryRules,
    now: Timestamp,
) -> Option<TestFinding<'a>> {
    let told: Vec<(&Intent, Outcome)> = canaries
        .of(&watch.name)
        .filter_map(|intent| Some((intent, intent.outcome?)))
        .filter(|(intent, outcome)| is_bad(intent.kind, *outcome) || is_good(*outcome))
        .collect();
    let (last, outcome) = *told.last()?;
    let fresh_for = jiff::SignedDuration::try_from(rules.max_silence).ok()? * FRESH_SILENCES;
    if is_good(outcome) {
        return one_look(watch, rules, &told);
    }
    if now.duration_since(last.changed_at) > fresh_for {
        return None;
    }
    let failed: Vec<&Intent> = told
        .iter()
        .rev()
        .take_while(|(intent, outcome)| is_bad(intent.kind, *outcome))
        .map(|(intent, _)| *intent)
        .collect();
    let unfit = told.iter().rev().take(failed.len()).any(|(_, one)| *one == Outcome::ResultInvalid);
    let is_outage = failed.len() >= 2 && !unfit;
    let since = failed.last().map_or(last.created_at, |first| first.created_at);
    Some(TestFinding {
        watch,
        state: if is_outage { State::Outage } else { State::Degraded },
        reason: if is_outage { Reason::JobsFailing } else { Reason::Outcome(outcome) },
        since,
        last,
        text: match failed.len() {
            1 => "a test failed".to_owned(),
            count => format!("{count} tests in a row failed"),
        },
    })
}

/// The last test was good, but the last one of another avatar was not.
fn one_look<'a>(
    watch: &'a Watch,
    rules: &CanaryRules,
    told: &[(&'a Intent, Outcome)],
) -> Option<TestFinding<'a>> {
    if watch.kind != ProbeKind::Render {
        return None;
    }
    let last_of = |look: &String| told.iter().rev().find(|(intent, _)| intent.look == *look);
    let failing = rules
        .looks
        .iter()
        .filter_map(last_of)
        .find(|(intent, outcome)| is_bad(intent.kind, *outcome))?;
    let (last, _) = *failing;
    Some(TestFinding {
        watch,
        state: State::Degraded,
        reason: Reason::AvatarSpecific,
        since: last.created_at,
        last,
        text: format!("avatar {} fails, others work", last.look),
    })
}
