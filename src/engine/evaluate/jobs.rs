//! The core's side of jobs and paid tests: what comes in, and what is to be done.
//!
//! Owns the state of the ledger, of the intents and of the account, and trouble with jobs that is
//! not over yet. Invariant: what was stored of jobs and intents comes back as it was.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;

use super::events::Events;
use super::job_facts::{JobFact, evidence, natural_watch, silence};
use super::{Memory, Recollection};
use crate::engine::alert::is_fresh;
use crate::engine::canary::{self, Bench, Canaries, Moved, Signals};
use crate::engine::incident::ongoing::of_jobs;
use crate::engine::jobs::stages::job_kind;
use crate::engine::jobs::{self, Finding, Ledger, Trouble};
use crate::engine::settings::{JobsWatch, Settings, Watch};
use crate::engine::{budget, notices};
use crate::model::{
    AccountReading, Blame, BudgetView, Capability, Errand, Followed, Incident, Job, JobEvent,
    JobKind, JobPosition, JobState, JobsReading, Observation, Origin, Outcome, ProbeKind, Reason,
    Report, Series, StageView, Timestamp, Told,
};

/// No canary while the account holds this much of its concurrency, in percent (verdicts.md,
/// section 4).
const FULL_PERCENT: usize = 80;

/// What is remembered of jobs, paid tests and the account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jobs {
    pub(crate) ledger: Ledger,
    pub(crate) canaries: Canaries,
    pub(crate) account: Option<AccountReading>,
    pub(crate) told: Vec<Told>,
    pub(crate) events: Events,
    pub(crate) pace: notices::Pace,
    /// What the jobs say now.
    pub(crate) facts: Vec<JobFact>,
    /// What was found of a kind and is not over yet.
    found: BTreeMap<JobKind, Finding>,
    /// The last good news of each kind, while it is fresh.
    pub(crate) ups: BTreeMap<JobKind, Arc<Observation>>,
    followed: Arc<BTreeMap<JobKind, Followed>>,
}

impl Jobs {
    /// Jobs and intents are rows, not observations: they come back as they were.
    pub(super) fn recalled(recollection: &mut Recollection, now: Timestamp) -> Self {
        let jobs = take(&mut recollection.jobs);
        let samples = take(&mut recollection.samples);
        let positions = take(&mut recollection.positions);
        Self {
            ledger: Ledger::recall(jobs, samples, positions, &recollection.incidents, now),
            canaries: Canaries::recall(take(&mut recollection.intents)),
            account: recollection.account.take(),
            told: take(&mut recollection.told),
            ..Self::default()
        }
    }

    /// What the jobs say, with what they said and did not take back: trouble of HeyGen's with a kind
    /// ends when later jobs leave in time, not with the moment in which nothing is over its limit.
    fn standing(&mut self, settings: &Settings, now: Timestamp) -> Vec<Finding> {
        let mut all = jobs::findings(&self.ledger, settings, now);
        for kind in JobKind::ALL {
            let is_trouble = |one: &&Finding| one.kind == kind && one.blame == Blame::Provider;
            if let Some(finding) = all.iter().find(is_trouble) {
                let since = self.found.get(&kind).map_or(finding.since, |known| known.since);
                let since = since.min(finding.since);
                self.found.insert(kind, Finding { since, ..finding.clone() });
                continue;
            }
            let Some(known) = self.found.get(&kind) else { continue };
            let is_over = jobs::recovered(&self.ledger, settings, kind, known.since).is_some()
                || !is_fresh(known.seen_at, silence(settings, kind), now);
            if is_over {
                self.found.remove(&kind);
            } else {
                all.push(known.clone());
            }
        }
        all
    }

    /// Trouble with jobs that an open incident tells of goes on until it is over.
    pub(super) fn remember_trouble(&mut self, settings: &Settings, incidents: &[Incident]) {
        for incident in incidents.iter().filter(|one| one.is_open()) {
            let kind = of_jobs(&incident.cause).and_then(JobKind::of);
            let is_of_jobs = matches!(
                incident.reason,
                Reason::JobsStuck | Reason::JobsLate | Reason::SingleJobStuck | Reason::JobsFailing
            );
            let item = incident.evidence.first();
            // What tests found follows from the tests.
            let is_of_tests = incident.reason == Reason::JobsFailing
                && item
                    .and_then(|item| settings.watch(&item.probe))
                    .is_some_and(|watch| !watch.kind.is_scheduled());
            let Some(kind) = kind.filter(|_| is_of_jobs && !is_of_tests) else { continue };
            let finding = Finding {
                kind,
                origin: Origin::Natural,
                state: incident.state,
                blame: Blame::Provider,
                reason: incident.reason,
                outcome: item.map_or(Outcome::QueueStuck, |item| item.outcome),
                since: incident.opened_at,
                seen_at: item.map_or(incident.confirmed_at, |item| item.at),
                jobs: item.and_then(|item| item.detail.job_id.clone()).into_iter().collect(),
                text: item.map(|item| item.text.clone()).unwrap_or_default(),
                failure: None,
            };
            self.found.insert(kind, finding);
        }
    }
}

/// What is to be done and shown.
#[derive(Debug)]
pub(super) struct Outlook {
    pub(super) errands: Vec<Errand>,
    pub(super) followed: Arc<BTreeMap<JobKind, Followed>>,
    pub(super) stages: Vec<StageView>,
    pub(super) budget: BudgetView,
}

impl Memory {
    /// The queue probe read a list: the observation learns its word, the ledger the rest.
    pub(super) fn list(
        &mut self,
        settings: &Settings,
        observation: &mut Observation,
        reading: &JobsReading,
    ) -> (Vec<Job>, Option<JobPosition>) {
        let kind = reading.kind;
        let trouble = self.trouble(kind.capability());
        let before = self.jobs.ledger.position_of(kind).cloned();
        let changed = self.jobs.ledger.read(settings, reading, trouble);
        self.note(settings, &changed, reading.at);
        let new_unpaid = changed.iter().find(|job| job.state == JobState::Unpaid);
        let all = jobs::findings(&self.jobs.ledger, settings, reading.at);
        let worst = all.iter().find(|one| {
            one.kind == kind && one.origin == Origin::Natural && is_worded(one, new_unpaid)
        });
        if let Some(finding) = worst.filter(|_| canary::is_good(observation.outcome)) {
            observation.outcome = finding.outcome;
            observation.evidence = Some(Box::new(evidence(finding, "")));
        }
        let after = self.jobs.ledger.position_of(kind).cloned();
        (changed, after.filter(|after| Some(after) != before.as_ref()))
    }

    /// An errand was run.
    pub(super) fn report(&mut self, settings: &Settings, report: &Report, now: Timestamp) -> Moved {
        let Some(watch) = settings.watch(&report.probe) else {
            return Moved::default();
        };
        let signals = self.signals(settings, watch, now);
        let trouble = job_kind(watch.kind).and_then(|kind| self.trouble(kind.capability()));
        let Jobs { ledger, canaries, .. } = &mut self.jobs;
        let bench = Bench { settings, watch, ledger, signals, trouble, now };
        let moved = canaries.take(bench, report);
        self.note(settings, &moved.jobs, now);
        if let Some(account) = &moved.account {
            self.account_told(account);
        }
        moved
    }

    /// HeyGen told of the account: a balance that rises ends what was refused for want of it.
    pub(super) fn account_told(&mut self, reading: &AccountReading) {
        let has_risen = |before: &AccountReading| {
            reading.pools.iter().any(|pool| {
                let known = before.pools.iter().find(|known| known.name == pool.name);
                known.is_some_and(|known| pool.remaining > known.remaining)
            })
        };
        if self.jobs.account.as_ref().is_some_and(has_risen) {
            self.jobs.ledger.unpaid_at = None;
            for line in self.lines.values_mut() {
                let unpaid = line.accounts.iter_mut();
                unpaid
                    .filter(|(outcome, _)| *outcome == Outcome::InsufficientCredit)
                    .for_each(|(_, streak)| streak.supersede(reading.at));
            }
        }
        self.jobs.pace.note(reading);
        // What is read after a key has ended was read with another one.
        let key_expires_at = reading
            .key_expires_at
            .or_else(|| self.jobs.account.as_ref().and_then(|known| known.key_expires_at))
            .filter(|ends| *ends > reading.at);
        self.jobs.account = Some(AccountReading { key_expires_at, ..reading.clone() });
    }

    /// Jobs that changed: what was refused for want of credit, and what an event is due for.
    fn note(&mut self, settings: &Settings, changed: &[Job], at: Timestamp) {
        let is_unpaid = |job: &&Job| job.state == JobState::Unpaid;
        if changed.iter().any(|job| is_unpaid(&job)) {
            self.jobs.ledger.unpaid_at = Some((at, self.jobs.account.clone()));
        }
        let listens = settings.probes.iter().any(|watch| matches!(watch.jobs, JobsWatch::Events));
        if listens {
            self.jobs.events.expect(changed);
        }
    }

    /// HeyGen sent an event: exact to the second, and proof that events come.
    pub(super) fn hear(
        &mut self,
        settings: &Settings,
        event: &JobEvent,
    ) -> (Vec<Job>, Option<Box<Observation>>) {
        let Some(watch) = settings.watch(&event.probe) else {
            return (Vec::new(), None);
        };
        self.jobs.events.hear(event);
        let changed = event.sighting.as_ref().and_then(|sighting| {
            let trouble = self.trouble(sighting.kind.capability());
            self.jobs.ledger.hear(settings, sighting, trouble)
        });
        let changed: Vec<Job> = changed.into_iter().collect();
        self.note(settings, &changed, event.at);
        let seen = Observation {
            capabilities: watch.capabilities.clone(),
            outcome: Outcome::Ok,
            answered: true,
            begun_at: event.sent_at.min(event.at),
            ..Observation::blank(Series::of(&watch.name), watch.kind, event.at)
        };
        (changed, Some(Box::new(seen)))
    }

    /// Lets time pass over the jobs, and judges them anew.
    pub(super) fn judge_jobs(&mut self, settings: &Settings, now: Timestamp) -> Vec<Job> {
        let aged = self.jobs.ledger.age(settings, now);
        let current = self.jobs.standing(settings, now);
        self.jobs.facts = self.job_facts(settings, &current, now);
        let up = |kind| Some((kind, self.up(settings, kind, now)?));
        self.jobs.ups = JobKind::ALL.into_iter().filter_map(up).collect();
        let followed = self.jobs.ledger.followed();
        if *self.jobs.followed != followed {
            self.jobs.followed = Arc::new(followed);
        }
        aged
    }

    /// What is to be done and shown.
    pub(super) fn outlook(&mut self, settings: &Settings, now: Timestamp) -> Outlook {
        let signals: BTreeMap<String, Signals> = canary::paid(settings)
            .map(|(watch, _)| (watch.name.clone(), self.signals(settings, watch, now)))
            .collect();
        let of = |watch: &Watch| signals.get(&watch.name).copied().unwrap_or_default();
        let Jobs { ledger, canaries, account, pace, followed, .. } = &mut self.jobs;
        let errands = canaries.errands(settings, ledger, &of, now);
        Outlook {
            errands,
            followed: Arc::clone(followed),
            stages: jobs::stages(ledger, canaries.intents(), settings),
            budget: budget::view(settings, canaries, account.as_ref(), pace.days_left(), now),
        }
    }

    /// An open incident of HeyGen's that touches a capability.
    fn trouble(&self, capability: Capability) -> Option<Trouble> {
        let since = self
            .incidents
            .iter()
            .filter(|incident| incident.is_open() && incident.blame == Blame::Provider)
            .filter(|incident| incident.capabilities.contains(&capability))
            .map(|incident| incident.opened_at)
            .min()?;
        Some(Trouble { since })
    }

    fn signals(&self, settings: &Settings, watch: &Watch, now: Timestamp) -> Signals {
        let Some(kind) = job_kind(watch.kind) else {
            return Signals::default();
        };
        let capability = kind.capability();
        let notices =
            || settings.primary_sources().flat_map(|source| self.official.notices(source, now));
        let facts =
            || self.jobs.facts.iter().filter(|fact| fact.seen.capabilities.contains(&capability));
        let page_red = notices()
            .filter(|notice| notice.is_serious && notice.capabilities.contains(&capability))
            .map(|notice| notice.since)
            .min()
            .filter(|_| facts().next().is_none());
        let natural_late = facts()
            .filter(|fact| fact.blame == Blame::Provider && fact.seen.kind == ProbeKind::Queue)
            .map(|fact| fact.since)
            .min();
        let live = self.jobs.ledger.all().filter(|job| job.state.is_live() && !job.is_abandoned);
        let places = usize::try_from(settings.concurrency).unwrap_or(usize::MAX);
        let reader = natural_watch(settings, kind);
        Signals {
            is_reading: reader.is_some_and(|reader| self.lines_of(&reader.name).next().is_none()),
            evidence_at: self.jobs.ledger.progress(kind).map(|progress| progress.at),
            disagreement_since: page_red.into_iter().chain(natural_late).min(),
            is_backlogged: live.count() * 100 >= places.saturating_mul(FULL_PERCENT),
            is_maintained: settings
                .primary_sources()
                .flat_map(|source| self.official.maintenances(source, now))
                .any(|one| one.capabilities.contains(&capability)),
        }
    }
}

/// Refused for want of credit is the word of the run that saw it, not of every later one.
fn is_worded(finding: &Finding, new_unpaid: Option<&Job>) -> bool {
    match finding.reason {
        Reason::OwnBacklog => false,
        Reason::Outcome(Outcome::InsufficientCredit) => new_unpaid.is_some(),
        _ => true,
    }
}
