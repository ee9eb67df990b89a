//! When the next paid test is worth its money (issue 3: spend only for information).
//!
//! Owns the due time alone; whether it may be spent then is `budget`'s. Invariant: an ambiguous
//! create is no reason for another one.

use std::time::Duration;

use jiff::SignedDuration;

use super::{is_bad, is_good};
use crate::engine::schedule::phase;
use crate::engine::settings::{CanaryMode, CanaryRules};
use crate::model::{Intent, IntentState, Timestamp, Trigger};

/// First gap between two tests that the same disagreement asks for; doubles.
const FIRST_GAP: SignedDuration = SignedDuration::from_mins(30);

/// What else is known of the capability.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals {
    /// The account's own jobs are read as well, and the first read has not come yet.
    pub is_reading: bool,
    /// The last job (or result) that said something.
    pub evidence_at: Option<Timestamp>,
    /// Since when cheap signals have contradicted each other.
    pub disagreement_since: Option<Timestamp>,
    /// The account holds most of its concurrency.
    pub is_backlogged: bool,
    /// HeyGen declares a maintenance.
    pub is_maintained: bool,
}

/// When the next one is due, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub trigger: Trigger,
}

/// Everything that the due time depends on.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Every intent, oldest first.
    pub intents: &'a [Intent],
    /// The probe.
    pub probe: &'a str,
    /// Its rules.
    pub rules: &'a CanaryRules,
    /// What this installation is called.
    pub instance: &'a str,
    /// What else is known.
    pub signals: &'a Signals,
    /// When this process first looked at it.
    pub begun_at: Timestamp,
    /// As of when.
    pub now: Timestamp,
}

/// When the next paid test is due; `None` while that cannot be told.
pub fn wanted(case: &Case<'_>) -> Option<Wanted> {
    let regular = match &case.rules.mode {
        CanaryMode::Adaptive => case.silence(),
        CanaryMode::Fixed(schedule) => {
            let after = case
                .last()
                .map_or(case.begun_at, |last| case.since(last.created_at).max(case.begun_at));
            let interval = schedule.interval(case.now);
            let phase = phase(case.instance, case.probe, interval);
            let at = schedule.next_due(phase, after)?;
            Some(Wanted { at, trigger: Trigger::Schedule })
        }
    };
    let urgent = match case.rules.mode {
        CanaryMode::Adaptive => case.disagreement(),
        CanaryMode::Fixed(_) => None,
    };
    [regular, urgent, case.second_look()].into_iter().flatten().min_by_key(|wanted| wanted.at)
}

impl Case<'_> {
    fn own(&self) -> impl DoubleEndedIterator<Item = &Intent> {
        self.intents.iter().filter(|intent| intent.probe == self.probe)
    }

    fn last(&self) -> Option<&Intent> {
        self.own().next_back()
    }

    /// What lies in the future was stored before a clock was set back: it counts from the start of
    /// this process, or no test would be due until that future comes.
    fn since(&self, at: Timestamp) -> Timestamp {
        if at > self.now { self.begun_at } else { at }
    }

    fn silence(&self) -> Option<Wanted> {
        let last = self.last();
        // A refusal costs nothing, but asking again and again is no answer either.
        let wait = match last.map(|last| last.state) {
            Some(IntentState::Refused) => doubled(self.refusals(), self.rules.max_silence),
            _ => signed(self.rules.max_silence),
        };
        let latest = last.map(|last| self.since(last.created_at)).max(self.signals.evidence_at);
        let at = match latest {
            Some(latest) => latest.saturating_add(wait).ok()?,
            None if self.signals.is_reading => return None,
            None => self.now,
        };
        Some(Wanted { at, trigger: Trigger::Silence })
    }

    fn refusals(&self) -> u32 {
        let refused = self.own().rev().take_while(|one| one.state == IntentState::Refused);
        u32::try_from(refused.count()).unwrap_or(u32::MAX)
    }

    fn disagreement(&self) -> Option<Wanted> {
        let since = self.signals.disagreement_since?;
        let asked: Vec<&Intent> = self.own().filter(|one| one.created_at >= since).collect();
        let at = match asked.last() {
            None => self.now,
            Some(last) => {
                let count = u32::try_from(asked.len()).unwrap_or(u32::MAX);
                let sent_at = self.since(last.created_at);
                sent_at.saturating_add(doubled(count, self.rules.max_silence)).ok()?
            }
        };
        Some(Wanted { at, trigger: Trigger::Disagreement })
    }

    /// One more after a failed one, once; after that in doubling gaps, to see it come back.
    fn second_look(&self) -> Option<Wanted> {
        let told = self.own().rev().filter_map(|one| Some((one, one.outcome?)));
        let failed: Vec<&Intent> = told
            .filter(|(one, outcome)| is_bad(one.kind, *outcome) || is_good(*outcome))
            .take_while(|(one, outcome)| is_bad(one.kind, *outcome))
            .map(|(one, _)| one)
            .collect();
        let last = failed.first()?;
        let again = u32::try_from(failed.len()).unwrap_or(u32::MAX).saturating_sub(1);
        let at = if again == 0 {
            self.since(last.changed_at)
        } else {
            let sent_at = self.since(last.created_at);
            sent_at.saturating_add(doubled(again, self.rules.max_silence)).ok()?
        };
        Some(Wanted { at, trigger: Trigger::SecondLook })
    }
}

/// 30 min, doubling with each, at most `longest`.
fn doubled(count: u32, longest: Duration) -> SignedDuration {
    let factor = 1_i32 << count.saturating_sub(1).min(16);
    (FIRST_GAP * factor).min(signed(longest))
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
