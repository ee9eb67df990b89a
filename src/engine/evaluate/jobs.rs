//! The core's side of jobs and paid tests: what comes in, what it amounts to, what is to be done.
//!
//! Owns the state of the ledger, of the intents and of the account, and the step from their
//! findings to facts that the table of verdicts weighs. Invariant: a fact about jobs follows from
//! the ledger as it is now; it is never remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::events::Events;
use super::{Memory, Recollection};
use crate::engine::alert::is_fresh;
use crate::engine::attribute::facts::Family;
use crate::engine::canary::{self, Bench, Canaries, Moved, Signals};
use crate::engine::incident::ongoing::of_jobs;
use crate::engine::jobs::stages::job_kind;
use crate::engine::jobs::{self, Finding, Ledger, Progress, Trouble};
use crate::engine::settings::{JobsWatch, Settings, Watch};
use crate::engine::{budget, notices};
use crate::model::{
    AccountReading, Blame, BudgetView, Capability, Errand, Evidence, Followed, Incident, Job,
    JobEvent, JobKind, JobPosition, JobsReading, Observation, Origin, Outcome, ProbeKind, Reason,
    Report, Series, StageView, State, Timestamp, Told,
};

/// No canary while the account holds this much of its concurrency, in percent (verdicts.md,
/// section 4).
const FULL_PERCENT: usize = 80;
/// Natural jobs are evidence this long where no queue probe says otherwise.
const SILENCE: std::time::Duration = std::time::Duration::from_hours(6);

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
    pub(super) fn recalled(recollection: &Recollection, now: Timestamp) -> Self {
        let jobs = recollection.jobs.clone();
        let samples = recollection.samples.clone();
        let positions = recollection.positions.clone();
        Self {
            ledger: Ledger::recall(jobs, samples, positions, now),
            canaries: Canaries::recall(recollection.intents.clone()),
            account: recollection.account.clone(),
            told: recollection.told.clone(),
            ..Self::default()
        }
    }
}

impl Jobs {
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

/// Something that the jobs of one capability say.
#[derive(Debug, Clone)]
pub(crate) struct JobFact {
    pub(crate) probe: String,
    pub(crate) series: Series,
    pub(crate) capability: Capability,
    pub(crate) family: Family,
    pub(crate) state: State,
    pub(crate) blame: Blame,
    pub(crate) reason: Reason,
    pub(crate) since: Timestamp,
    pub(crate) seen: Arc<Observation>,
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
        let new_unpaid = changed.iter().find(|job| job.state == crate::model::JobState::Unpaid);
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
        let key_expires_at = reading
            .key_expires_at
            .or_else(|| self.jobs.account.as_ref().and_then(|known| known.key_expires_at));
        self.jobs.account = Some(AccountReading { key_expires_at, ..reading.clone() });
    }

    /// Jobs that changed: what was refused for want of credit, and what an event is due for.
    fn note(&mut self, settings: &Settings, changed: &[Job], at: Timestamp) {
        let is_unpaid = |job: &&Job| job.state == crate::model::JobState::Unpaid;
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
        let mut facts: Vec<JobFact> =
            current.iter().filter_map(|finding| self.of_jobs(settings, finding)).collect();
        let tests = canary::findings::findings(&self.jobs.canaries, settings, now);
        facts.extend(tests.iter().flat_map(|finding| self.of_tests(finding)));
        facts.extend(self.jobs.events.fact(settings, now));
        let ups =
            JobKind::ALL.into_iter().filter_map(|kind| Some((kind, self.up(settings, kind, now)?)));
        self.jobs.ups = ups.collect();
        self.jobs.facts = facts;
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
        let page_red = notices()
            .filter(|notice| notice.is_serious && notice.capabilities.contains(&capability))
            .map(|notice| notice.since)
            .min()
            .filter(|_| !self.jobs.facts.iter().any(|fact| fact.capability == capability));
        let natural_late = self
            .jobs
            .facts
            .iter()
            .filter(|fact| fact.capability == capability && fact.blame == Blame::Provider)
            .filter(|fact| fact.seen.kind == ProbeKind::Queue)
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

    fn of_jobs(&self, settings: &Settings, finding: &Finding) -> Option<JobFact> {
        let watch = watch_of(settings, finding)?;
        let subject = match watch.kind {
            ProbeKind::Queue => finding.kind.as_str().to_owned(),
            _ => String::new(),
        };
        let series = Series { probe: watch.name.clone(), subject };
        let host = self.lines.get(&series).and_then(|line| line.last.evidence.as_ref());
        let host = host.map_or(watch.host.as_str(), |evidence| evidence.host.as_str());
        let seen = Observation {
            capabilities: vec![finding.kind.capability()],
            outcome: finding.outcome,
            answered: true,
            begun_at: finding.since.min(finding.seen_at),
            evidence: Some(Box::new(evidence(finding, host))),
            ..Observation::blank(series.clone(), watch.kind, finding.seen_at)
        };
        Some(JobFact {
            probe: watch.name.clone(),
            series,
            capability: finding.kind.capability(),
            family: family(finding.state, finding.blame, finding.reason),
            state: finding.state,
            blame: finding.blame,
            reason: finding.reason,
            since: finding.since,
            seen: Arc::new(seen),
        })
    }

    fn of_tests(&self, finding: &canary::findings::TestFinding<'_>) -> Vec<JobFact> {
        let series = Series::of(&finding.watch.name);
        let outcome = finding.last.outcome.unwrap_or(Outcome::JobFailed);
        let known = self.lines.get(&series).and_then(|line| line.last.evidence.clone());
        let detail = known.filter(|known| known.job_id == finding.last.job_id).unwrap_or_default();
        let text = match detail.text.as_str() {
            "" => finding.text.clone(),
            said => format!("{} ({said})", finding.text),
        };
        let evidence = Evidence { text, job_id: finding.last.job_id.clone(), ..*detail };
        let of = |capability: &Capability| JobFact {
            probe: finding.watch.name.clone(),
            series: series.clone(),
            capability: *capability,
            family: family(finding.state, finding.blame, finding.reason),
            state: finding.state,
            blame: finding.blame,
            reason: finding.reason,
            since: finding.since,
            seen: Arc::new(Observation {
                capabilities: vec![*capability],
                outcome,
                answered: true,
                begun_at: finding.since,
                evidence: Some(Box::new(evidence.clone())),
                ..Observation::blank(series.clone(), finding.watch.kind, finding.last.changed_at)
            }),
        };
        finding.watch.capabilities.iter().map(of).collect()
    }

    /// The last good news of a kind, while it is fresh.
    fn up(&self, settings: &Settings, kind: JobKind, now: Timestamp) -> Option<Arc<Observation>> {
        let Progress { begun_at, at, origin } = self.jobs.ledger.progress(kind)?;
        let (watch, fresh_for) = match origin {
            Origin::Natural => (natural_watch(settings, kind)?, silence(settings, kind)),
            Origin::Canary => {
                let own = |watch: &&Watch| job_kind(watch.kind) == Some(kind);
                let watch = settings.probes.iter().find(own)?;
                (watch, watch.fresh_for())
            }
        };
        if !is_fresh(at, fresh_for, now) {
            return None;
        }
        let subject = match origin {
            Origin::Natural => kind.as_str().to_owned(),
            Origin::Canary => String::new(),
        };
        let whose = match origin {
            Origin::Natural => "one of your",
            Origin::Canary => "a test of our",
        };
        let text = format!("{whose} {} moved on", jobs::noun(kind, 2));
        let series = Series { probe: watch.name.clone(), subject };
        Some(Arc::new(Observation {
            capabilities: vec![kind.capability()],
            outcome: Outcome::Ok,
            answered: true,
            begun_at: begun_at.min(at),
            evidence: Some(Box::new(Evidence { text, ..Evidence::default() })),
            ..Observation::blank(series, watch.kind, at)
        }))
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

/// The probe that sees the account's own jobs of a kind.
pub(super) fn natural_watch(settings: &Settings, kind: JobKind) -> Option<&Watch> {
    settings.probes.iter().find(|watch| match &watch.jobs {
        JobsWatch::Natural { kinds, .. } => kinds.contains(&kind),
        JobsWatch::None | JobsWatch::Canary(_) | JobsWatch::Events => false,
    })
}

/// How long the last job of the account's own is evidence.
pub(crate) fn silence(settings: &Settings, kind: JobKind) -> std::time::Duration {
    natural_watch(settings, kind).map_or(SILENCE, |watch| match &watch.jobs {
        JobsWatch::Natural { max_silence, .. } => *max_silence,
        JobsWatch::None | JobsWatch::Canary(_) | JobsWatch::Events => SILENCE,
    })
}

fn watch_of<'a>(settings: &'a Settings, finding: &Finding) -> Option<&'a Watch> {
    let natural = natural_watch(settings, finding.kind);
    let own = |watch: &&Watch| job_kind(watch.kind) == Some(finding.kind);
    let test = settings.probes.iter().find(own);
    match finding.origin {
        Origin::Natural => natural.or(test),
        Origin::Canary => test.or(natural),
    }
}

fn family(state: State, blame: Blame, reason: Reason) -> Family {
    match (state, blame) {
        _ if reason == Reason::OwnBacklog => Family::Backlog,
        (_, Blame::Account) => Family::Account,
        (State::Outage, _) => Family::JobsDown,
        _ => Family::JobsDegraded,
    }
}

fn evidence(finding: &Finding, host: &str) -> Evidence {
    let failure = finding.failure.clone().unwrap_or_default();
    Evidence {
        text: finding.text.clone(),
        host: host.to_owned(),
        code: failure.code,
        message: failure.message,
        job_id: finding.jobs.first().cloned(),
        ..Evidence::default()
    }
}
