//! What jobs and paid tests say, as facts that the table of verdicts weighs.
//!
//! Owns the step from findings to facts: which probe a finding is told by, and what stands in its
//! observation. Invariant: a fact about jobs follows from the ledger and the intents as they are
//! now; it is never remembered.

use std::sync::Arc;
use std::time::Duration;

use super::Memory;
use crate::engine::alert::is_fresh;
use crate::engine::attribute::facts::Family;
use crate::engine::canary::findings::{TestFinding, findings};
use crate::engine::jobs::stages::job_kind;
use crate::engine::jobs::{Finding, Progress, noun};
use crate::engine::settings::{JobsWatch, Settings, Watch};
use crate::model::{
    Blame, Evidence, JobKind, Observation, Origin, Outcome, ProbeKind, Reason, Series, State,
    Timestamp,
};

/// Natural jobs are evidence this long where no queue probe says otherwise.
const SILENCE: Duration = Duration::from_hours(6);

/// Something that jobs say of the capabilities that are seen.
#[derive(Debug, Clone)]
pub(crate) struct JobFact {
    pub(crate) state: State,
    pub(crate) blame: Blame,
    pub(crate) reason: Reason,
    pub(crate) since: Timestamp,
    pub(crate) seen: Arc<Observation>,
}

impl JobFact {
    /// Which kind of trouble it is.
    pub(crate) fn family(&self) -> Family {
        match (self.state, self.blame) {
            _ if self.reason == Reason::OwnBacklog => Family::Backlog,
            (_, Blame::Account) => Family::Account,
            (State::Outage, _) => Family::JobsDown,
            _ => Family::JobsDegraded,
        }
    }
}

impl Memory {
    /// Everything that jobs, paid tests and missing events say now.
    pub(super) fn job_facts(
        &self,
        settings: &Settings,
        current: &[Finding],
        now: Timestamp,
    ) -> Vec<JobFact> {
        let jobs = current.iter().filter_map(|finding| self.of_jobs(settings, finding));
        let tests = findings(&self.jobs.canaries, settings, now);
        let tests = tests.iter().flat_map(|finding| self.of_tests(finding));
        jobs.chain(tests).chain(self.jobs.events.fact(settings, now)).collect()
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
            ..Observation::blank(series, watch.kind, finding.seen_at)
        };
        Some(JobFact {
            state: finding.state,
            blame: finding.blame,
            reason: finding.reason,
            since: finding.since,
            seen: Arc::new(seen),
        })
    }

    /// One for each capability: every one of them has an incident of its own.
    fn of_tests(&self, finding: &TestFinding<'_>) -> Vec<JobFact> {
        let (watch, last) = (finding.watch, finding.last);
        let series = Series::of(&watch.name);
        let known = self.lines.get(&series).and_then(|line| line.last.evidence.clone());
        let detail = known.filter(|known| known.job_id == last.job_id).unwrap_or_default();
        let text = match detail.text.as_str() {
            "" => finding.text.clone(),
            said => format!("{} ({said})", finding.text),
        };
        let evidence = Evidence { text, job_id: last.job_id.clone(), ..*detail };
        let of = |capability| JobFact {
            state: finding.state,
            blame: Blame::Provider,
            reason: finding.reason,
            since: finding.since,
            seen: Arc::new(Observation {
                capabilities: vec![capability],
                outcome: last.outcome.unwrap_or(Outcome::JobFailed),
                answered: true,
                begun_at: finding.since,
                evidence: Some(Box::new(evidence.clone())),
                ..Observation::blank(series.clone(), watch.kind, last.changed_at)
            }),
        };
        watch.capabilities.iter().copied().map(of).collect()
    }

    /// The last good news of a kind, while it is fresh.
    pub(super) fn up(
        &self,
        settings: &Settings,
        kind: JobKind,
        now: Timestamp,
    ) -> Option<Arc<Observation>> {
        let Progress { begun_at, at, origin } = self.jobs.ledger.progress(kind)?;
        let (watch, fresh_for, subject, whose) = match origin {
            Origin::Natural => {
                let (watch, silence) = (natural_watch(settings, kind)?, silence(settings, kind));
                (watch, silence, kind.as_str(), "one of your")
            }
            Origin::Canary => {
                let watch = test_watch(settings, kind)?;
                (watch, watch.fresh_for(), "", "a test of our")
            }
        };
        if !is_fresh(at, fresh_for, now) {
            return None;
        }
        let text = format!("{whose} {} moved on", noun(kind, 2));
        let series = Series { probe: watch.name.clone(), subject: subject.to_owned() };
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

/// The probe that sees the account's own jobs of a kind.
pub(super) fn natural_watch(settings: &Settings, kind: JobKind) -> Option<&Watch> {
    settings.probes.iter().find(|watch| match &watch.jobs {
        JobsWatch::Natural { kinds, .. } => kinds.contains(&kind),
        JobsWatch::None | JobsWatch::Canary(_) | JobsWatch::Events => false,
    })
}

/// How long the last job of the account's own is evidence.
pub(super) fn silence(settings: &Settings, kind: JobKind) -> Duration {
    match natural_watch(settings, kind).map(|watch| &watch.jobs) {
        Some(JobsWatch::Natural { max_silence, .. }) => *max_silence,
        Some(JobsWatch::None | JobsWatch::Canary(_) | JobsWatch::Events) | None => SILENCE,
    }
}

/// The paid probe that makes jobs of a kind.
fn test_watch(settings: &Settings, kind: JobKind) -> Option<&Watch> {
    settings.probes.iter().find(|watch| job_kind(watch.kind) == Some(kind))
}

fn watch_of<'a>(settings: &'a Settings, finding: &Finding) -> Option<&'a Watch> {
    let (natural, test) =
        (natural_watch(settings, finding.kind), test_watch(settings, finding.kind));
    match finding.origin {
        Origin::Natural => natural.or(test),
        Origin::Canary => test.or(natural),
    }
}

/// What stands in the observation of a finding.
pub(super) fn evidence(finding: &Finding, host: &str) -> Evidence {
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
