//! Alert states: what one series of observations amounts to (verdicts.md, section 2).
//!
//! Owns one [`Line`] per series with one small state machine per blame family. Does not look at
//! other series: whether a second probe agrees is told to [`Line::confirm`]. Invariant: the state
//! follows from the sequence of observations alone, so that replaying them rebuilds it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::settings::Thresholds;
use crate::model::{Observation, Outcome, Timestamp};

pub mod intermittent;
pub mod limited;
pub mod meaning;
pub mod sluggish;
pub mod streak;

pub use intermittent::Intermittent;
pub use limited::Limited;
pub use meaning::Meaning;
pub use sluggish::Sluggish;
pub use streak::{Ended, Firing, Polarity, Streak};

/// Longest `Retry-After` that is obeyed for our own next try (verdicts.md, section 5).
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Refusals in a row that prove a trouble of the account or of our request.
const REFUSALS: u32 = 2;

/// What one series of observations amounts to.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its last observation that was not skipped.
    pub last: Arc<Observation>,
    /// The last observation of each meaning.
    pub last_of: BTreeMap<Meaning, Arc<Observation>>,
    /// Provider, down.
    pub down: Streak,
    /// Provider, errors now and then.
    pub intermittent: Intermittent,
    /// Provider, slow.
    pub sluggish: Sluggish,
    /// Account, by outcome.
    pub accounts: Vec<(Outcome, Streak)>,
    /// Account, rate limited.
    pub limited: Limited,
    /// Our request.
    pub client: Streak,
    /// The last meanings that are evidence, newest last; at most two.
    recent: Vec<Meaning>,
    /// Observations in a row with something between us and HeyGen.
    pub between_in_a_row: u32,
    /// When the last one that is evidence ended.
    pub evidence_at: Option<Timestamp>,
    /// Successes in a row, and when the first of them began.
    pub good_run: Option<(u32, Timestamp)>,
    /// `Retry-After`: when it ends, as given.
    pub retry_at: Option<Timestamp>,
}

impl Line {
    /// A line that has seen nothing yet but will `take` this observation next.
    pub fn beginning_with(observation: &Arc<Observation>) -> Self {
        Self {
            last: Arc::clone(observation),
            last_of: BTreeMap::new(),
            down: Streak::default(),
            intermittent: Intermittent::default(),
            sluggish: Sluggish::default(),
            accounts: Vec::new(),
            limited: Limited::default(),
            client: Streak::default(),
            recent: Vec::new(),
            between_in_a_row: 0,
            evidence_at: None,
            good_run: None,
            retry_at: None,
        }
    }

    /// Takes in one observation. What is only pending is dropped when it is older than `fresh_for`.
    pub fn take(
        &mut self,
        observation: &Arc<Observation>,
        meaning: Meaning,
        rule: &Thresholds,
        fresh_for: Duration,
    ) {
        self.last_of.insert(meaning, Arc::clone(observation));
        if meaning == Meaning::Skipped {
            return;
        }
        self.last = Arc::clone(observation);
        self.retry_at = retry_at(observation);
        self.between_in_a_row = if meaning.is_in_between() { self.between_in_a_row + 1 } else { 0 };
        if !meaning.is_evidence() {
            return;
        }
        self.expire(observation.begun_at, fresh_for);
        self.evidence_at = Some(observation.ended_at);
        self.recent.push(meaning);
        if self.recent.len() > 2 {
            self.recent.remove(0);
        }
        self.count_success(observation, meaning);
        self.take_provider(observation, meaning, rule);
        self.take_refusal(observation, meaning);
    }

    /// Another probe looked at the same thing: it confirms or closes what is down, nothing else.
    pub fn recheck(&mut self, observation: &Observation, meaning: Meaning, rule: &Thresholds) {
        let (begun_at, known_at) = (observation.begun_at, observation.ended_at);
        if self.down.is_open() {
            let polarity = for_provider(observation, meaning);
            self.down.take(polarity, begun_at, known_at, rule.successes);
        }
    }

    /// What waits for confirmation is worth nothing after a gap.
    fn expire(&mut self, begun_at: Timestamp, fresh_for: Duration) {
        let gap = self.evidence_at.map(|last| begun_at.duration_since(last));
        let longest =
            jiff::SignedDuration::try_from(fresh_for).unwrap_or(jiff::SignedDuration::MAX);
        if gap.is_none_or(|gap| gap <= longest) {
            return;
        }
        self.down.expire();
        self.client.expire();
        self.accounts.iter_mut().for_each(|(_, streak)| streak.expire());
        self.recent.clear();
    }

    fn count_success(&mut self, observation: &Observation, meaning: Meaning) {
        self.good_run = match (meaning.is_success(), self.good_run) {
            (false, _) => None,
            (true, Some((count, since))) => Some((count.saturating_add(1), since)),
            (true, None) => Some((1, observation.begun_at)),
        };
    }

    fn take_provider(&mut self, observation: &Observation, meaning: Meaning, rule: &Thresholds) {
        let (begun_at, known_at) = (observation.begun_at, observation.ended_at);
        let polarity = for_provider(observation, meaning);
        let was_down = self.down.firing().is_some();
        self.down.take(polarity, begun_at, known_at, rule.successes);
        if was_down {
            return;
        }
        match polarity {
            Polarity::Bad => self.intermittent.take(true, begun_at, known_at),
            Polarity::Good => self.intermittent.take(false, begun_at, known_at),
            Polarity::Break | Polarity::Neutral => {}
        }
        if meaning.is_success() {
            self.sluggish.take(meaning == Meaning::Slow, begun_at, known_at);
        }
    }

    fn take_refusal(&mut self, observation: &Observation, meaning: Meaning) {
        let (begun_at, known_at) = (observation.begun_at, observation.ended_at);
        self.limited.take(meaning == Meaning::Limited, known_at);
        let outcome = observation.outcome;
        if meaning == Meaning::Account && self.accounts.iter().all(|(known, _)| *known != outcome) {
            self.accounts.push((outcome, Streak::default()));
        }
        for (known, streak) in &mut self.accounts {
            let is_this = meaning == Meaning::Account && *known == outcome;
            streak.take(for_refusal(is_this, meaning), begun_at, known_at, 1);
        }
        let polarity = for_refusal(meaning == Meaning::Client, meaning);
        self.client.take(polarity, begun_at, known_at, 1);
    }

    /// Confirms what has been seen often enough.
    pub fn confirm(&mut self, rule: &Thresholds, corroboration: Corroboration, now: Timestamp) {
        let needed = match corroboration {
            Corroboration::None => rule.failures,
            Corroboration::SecondProbe => rule.failures.min(rule.corroborated),
        };
        if self.down.is_pending() && self.down.bad_in_a_row() >= needed {
            self.confirm_down(now);
        }
        let refused = self.accounts.iter().position(|(outcome, streak)| {
            streak.is_pending() && streak.bad_in_a_row() >= refusals_needed(*outcome)
        });
        if let Some(refused) = refused {
            self.confirm_account(refused, now);
        }
        if self.client.is_pending() && self.client.bad_in_a_row() >= REFUSALS {
            self.client.confirm(now);
        }
    }

    fn confirm_down(&mut self, now: Timestamp) {
        self.down.confirm(now);
        self.intermittent.clear();
        self.sluggish.clear();
    }

    /// A refusal of another kind, confirmed, takes the place of the former one.
    fn confirm_account(&mut self, index: usize, now: Timestamp) {
        for (other, (_, streak)) in self.accounts.iter_mut().enumerate() {
            if other == index {
                streak.confirm(now);
            } else {
                streak.supersede(now);
            }
        }
    }

    /// `check` at its deadline: whatever the last two observations (or the only one) agree on
    /// fires as if confirmed; good and bad mixed is intermittent.
    pub fn judge(&mut self, now: Timestamp) {
        let is_only = |meaning| self.recent.iter().all(|seen| *seen == meaning);
        if self.recent.contains(&Meaning::Down) && self.down.firing().is_none() {
            if is_only(Meaning::Down) {
                self.confirm_down(now);
            } else {
                let since = self.last_of.get(&Meaning::Down).map_or(now, |seen| seen.begun_at);
                self.intermittent.confirm(since, now);
            }
        } else if is_only(Meaning::Slow) && self.sluggish.is_pending() {
            self.sluggish.confirm(now);
        } else if is_only(Meaning::Account) {
            let pending = self.accounts.iter().position(|(_, streak)| streak.is_pending());
            if let Some(pending) = pending {
                self.confirm_account(pending, now);
            }
        } else if is_only(Meaning::Client) {
            self.client.confirm(now);
        }
    }

    /// True while something was seen that is neither confirmed nor cleared.
    pub fn is_pending(&self) -> bool {
        self.down.is_pending()
            || self.client.is_pending()
            || self.sluggish.is_pending()
            || self.accounts.iter().any(|(_, streak)| streak.is_pending())
    }

    /// True while something is confirmed.
    pub fn is_firing(&self) -> bool {
        self.down.firing().is_some()
            || self.client.firing().is_some()
            || self.intermittent.firing().is_some()
            || self.sluggish.firing().is_some()
            || self.accounts.iter().any(|(_, streak)| streak.firing().is_some())
    }

    /// True when the last evidence counts against HeyGen.
    pub fn is_down_now(&self) -> bool {
        self.down.bad_in_a_row() > 0
    }

    /// True when there is evidence that is not older than `fresh_for`.
    pub fn is_fresh(&self, fresh_for: Duration, now: Timestamp) -> bool {
        self.evidence_at.is_some_and(|at| is_fresh(at, fresh_for, now))
    }

    /// The last success, if nothing that is evidence came after it.
    pub fn success(&self) -> Option<&Arc<Observation>> {
        self.last_success().filter(|seen| Some(seen.ended_at) == self.evidence_at)
    }

    /// The last success.
    pub fn last_success(&self) -> Option<&Arc<Observation>> {
        let (up, slow) = (self.last_of.get(&Meaning::Up), self.last_of.get(&Meaning::Slow));
        up.into_iter().chain(slow).max_by_key(|seen| seen.begun_at)
    }

    /// Not before this: the next try waits as long as `Retry-After` says, at most an hour.
    pub fn not_before(&self) -> Option<Timestamp> {
        let latest = self.last.ended_at.checked_add(LONGEST_WAIT).ok()?;
        self.retry_at.map(|at| at.min(latest))
    }
}

/// Whether a second probe of the capability is bad too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corroboration {
    /// No.
    None,
    /// Yes.
    SecondProbe,
}

/// True when something seen at `at` still says something.
pub fn is_fresh(at: Timestamp, fresh_for: Duration, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(at)).map_or(true, |age| age <= fresh_for)
}

fn retry_at(observation: &Observation) -> Option<Timestamp> {
    let secs = observation.evidence.as_ref()?.retry_after_secs?;
    observation.ended_at.checked_add(Duration::from_secs(secs)).ok()
}

/// Billing is certain at once; everything else could be a moment's confusion.
fn refusals_needed(outcome: Outcome) -> u32 {
    if outcome == Outcome::InsufficientCredit { 1 } else { REFUSALS }
}

fn for_provider(observation: &Observation, meaning: Meaning) -> Polarity {
    // Without the envelope anybody on the way may have refused it; a 5xx with one is no sign of life.
    let is_heygens_no = || {
        observation.evidence.as_ref().is_some_and(|evidence| {
            let has_envelope = evidence.code.is_some() || evidence.message.is_some();
            has_envelope && evidence.http_status.is_none_or(|status| status < 500)
        })
    };
    match meaning {
        Meaning::Down => Polarity::Bad,
        Meaning::Up | Meaning::Slow => Polarity::Good,
        Meaning::Account | Meaning::Limited | Meaning::Client if is_heygens_no() => Polarity::Good,
        Meaning::Account
        | Meaning::Limited
        | Meaning::Client
        | Meaning::Blocked
        | Meaning::LocalDns
        | Meaning::LocalPath
        | Meaning::Doubtful
        | Meaning::Offline
        | Meaning::Monitor
        | Meaning::Skipped
        | Meaning::Job => Polarity::Neutral,
    }
}

fn for_refusal(is_this: bool, meaning: Meaning) -> Polarity {
    if is_this {
        Polarity::Bad
    } else if meaning.is_success() {
        Polarity::Good
    } else if meaning.is_evidence() && meaning != Meaning::Job {
        Polarity::Break
    } else {
        Polarity::Neutral
    }
}
