//! Whether HeyGen's events come for the jobs that were seen to finish.
//!
//! Owns the comparison of the two. Invariant: an event that is merely late is not missing, and what
//! finished before anybody listened is not expected.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use super::job_facts::JobFact;
use crate::engine::settings::{JobsWatch, Settings};
use crate::model::{
    Blame, Capability, Evidence, Job, JobEvent, JobKind, JobState, Observation, Outcome, Reason,
    Series, State, Timestamp,
};

/// An event may be this late; HeyGen repeats what was not taken with growing pauses.
const DUE_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// So many in a row have to be missing.
const MISSING: usize = 2;
/// So many finished jobs are looked at.
const LOOKED_AT: usize = 20;

/// Which finished jobs an event came for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events {
    finished: Vec<(JobKind, String, Timestamp)>,
    heard: BTreeSet<(JobKind, String)>,
}

impl Events {
    /// Jobs that were seen to finish: an event is due for each.
    pub(super) fn expect(&mut self, changed: &[Job]) {
        for job in changed {
            let is_told = matches!(job.state, JobState::Completed | JobState::Failed);
            // First seen when it had ended already: it may have ended before anybody listened.
            let was_followed = job.seen_at > job.first_seen_at;
            if let Some(ended) = job.ended.filter(|_| is_told && was_followed) {
                self.finished.push((job.kind, job.id.clone(), ended.latest));
            }
        }
        if self.finished.len() > LOOKED_AT {
            let surplus = self.finished.len() - LOOKED_AT;
            let gone: Vec<_> = self.finished.drain(..surplus).collect();
            for (kind, id, _) in gone {
                self.heard.remove(&(kind, id));
            }
        }
    }

    /// An event came.
    pub(super) fn hear(&mut self, event: &JobEvent) {
        if let Some(sighting) = &event.sighting {
            self.heard.insert((sighting.kind, sighting.id.clone()));
            if self.heard.len() > LOOKED_AT * 4 {
                let finished: BTreeSet<_> =
                    self.finished.iter().map(|(kind, id, _)| (*kind, id.clone())).collect();
                self.heard.retain(|key| finished.contains(key));
            }
        }
    }

    /// Events that never came for the last jobs that finished.
    pub(super) fn fact(&self, settings: &Settings, now: Timestamp) -> Option<JobFact> {
        let watch = settings.probes.iter().find(|one| matches!(one.jobs, JobsWatch::Events))?;
        // One that came ends it, be its own time up or not.
        let is_silent =
            |(kind, id, _): &&(JobKind, String, _)| !self.heard.contains(&(*kind, id.clone()));
        let silent = self.finished.iter().rev().take_while(is_silent);
        let missing: Vec<_> =
            silent.filter(|(_, _, at)| now.duration_since(*at) > DUE_WITHIN).collect();
        let (_, first_id, since) = *missing.last()?;
        if missing.len() < MISSING {
            return None;
        }
        let series = Series::of(&watch.name);
        let text = format!("no event came for the last {} jobs that finished", missing.len());
        let evidence = Evidence {
            text,
            host: watch.host.clone(),
            job_id: Some(first_id.clone()),
            ..Evidence::default()
        };
        Some(JobFact {
            state: State::Degraded,
            blame: Blame::Provider,
            reason: Reason::IntermittentErrors,
            since: *since,
            seen: Arc::new(Observation {
                capabilities: vec![Capability::Webhooks],
                outcome: Outcome::Timeout,
                begun_at: *since,
                evidence: Some(Box::new(evidence)),
                ..Observation::blank(series, watch.kind, now)
            }),
        })
    }

    /// True when an event came for the last job that finished.
    pub(crate) fn is_hearing(&self) -> bool {
        self.finished.last().is_some_and(|(kind, id, _)| self.heard.contains(&(*kind, id.clone())))
    }
}
