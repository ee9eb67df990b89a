//! From means to an intent: may it be spent, and on what.
//!
//! Owns the creation of intents. Invariant: an intent is created only when every bound allows its
//! whole price, and its look is the one that was tried longest ago.

use jiff::SignedDuration;

use super::plan::Signals;
use super::{Canaries, Hold, Means, observed};
use crate::engine::budget::{self, Refusal};
use crate::engine::settings::{CanaryRules, Settings, Watch};
use crate::model::{
    Evidence, Intent, IntentState, NONCE_PREFIX, Observation, Outcome, SkipReason, Timestamp,
    Trigger,
};

/// A test that was held back is thought of again after this.
const THINK_AGAIN: SignedDuration = SignedDuration::from_mins(30);
/// The same, while it is our own queue that stands in the way, or HeyGen did not answer.
const THINK_SOON: SignedDuration = SignedDuration::from_mins(5);

impl Canaries {
    /// Spends, or says why not.
    pub(super) fn decide(
        &mut self,
        settings: &Settings,
        (watch, rules): (&Watch, &CanaryRules),
        signals: &Signals,
        means: Option<Means<'_>>,
        now: Timestamp,
    ) -> Result<Intent, Box<Observation>> {
        self.desk(&watch.name).asked_at = None;
        let refusal = refusal(settings, rules, signals, means, &self.intents, now);
        if let Some(refusal) = refusal {
            return Err(Box::new(self.hold_back(watch, refusal, now)));
        }
        let id = self.next_id.max(1);
        self.next_id = id + 1;
        let desk = self.desk(&watch.name);
        desk.held_back = None;
        desk.retry_at = None;
        let trigger = desk.wanted.map_or(Trigger::Silence, |wanted| wanted.trigger);
        let intent = Intent {
            id,
            probe: watch.name.clone(),
            kind: watch.kind,
            nonce: format!("{NONCE_PREFIX}{}-{id}", settings.instance),
            look: self.next_look(&watch.name, rules),
            price: rules.price,
            trigger,
            state: IntentState::Intended,
            created_at: now,
            job_id: None,
            searches: 0,
            misses: 0,
            failed_deletes: 0,
            outcome: None,
            changed_at: now,
        };
        self.intents.push(intent.clone());
        Ok(intent)
    }

    fn next_look(&self, probe: &str, rules: &CanaryRules) -> String {
        let last_tried = |look: &&String| {
            self.of(probe).filter(|intent| intent.look == **look).map(|intent| intent.id).max()
        };
        rules.looks.iter().min_by_key(last_tried).cloned().unwrap_or_default()
    }

    fn hold_back(&mut self, watch: &Watch, refusal: Refusal, now: Timestamp) -> Observation {
        let desk = self.desk(&watch.name);
        let wait = match refusal.reason {
            SkipReason::Backlog => THINK_SOON,
            _ if !refusal.is_told => THINK_SOON,
            _ => THINK_AGAIN,
        };
        desk.retry_at = now.saturating_add(wait).ok();
        let before = desk.held_back.take().filter(|before| before.reason == refusal.reason);
        desk.held_back = Some(Hold {
            reason: refusal.reason,
            text: refusal.text.clone(),
            since: before.map_or(now, |before| before.since),
            is_told: refusal.is_told,
        });
        let evidence = Evidence { text: refusal.text, ..Evidence::default() };
        Observation {
            skipped: Some(refusal.reason),
            answered: false,
            evidence: Some(Box::new(evidence)),
            ..observed(watch, now, Outcome::Skipped, now)
        }
    }
}

fn refusal(
    settings: &Settings,
    rules: &CanaryRules,
    signals: &Signals,
    means: Option<Means<'_>>,
    intents: &[Intent],
    now: Timestamp,
) -> Option<Refusal> {
    if signals.is_maintained {
        let text = "HeyGen declares a maintenance".to_owned();
        return Some(Refusal { reason: SkipReason::Maintenance, text, is_told: false });
    }
    if signals.is_backlogged {
        let text = "the account uses most of its places already".to_owned();
        return Some(Refusal { reason: SkipReason::Backlog, text, is_told: false });
    }
    let Some(means) = means else {
        let text = "the balance cannot be read".to_owned();
        return Some(Refusal { reason: SkipReason::Reserve, text, is_told: false });
    };
    budget::refusal(settings, rules.price, means, intents, now)
}
