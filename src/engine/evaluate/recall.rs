//! Rebuilding the memory at start.
//!
//! Owns the replay of stored observations through the same code that took them in when they were
//! new. Decides nothing and owes nothing. Invariant: fifty restarts in an outage send one message,
//! fifty in health none.

use std::sync::Arc;

use jiff::SignedDuration;

use super::Recollection;
use super::jobs::Jobs;
use super::memory::Memory;
use crate::engine::attribute;
use crate::engine::settings::Settings;
use crate::model::{Incident, IncidentId, Observation, Outcome, SourceReading, Timestamp};

/// In quiet times the verdict is recomputed this often while replaying: it only dates `since`.
const QUIET: SignedDuration = SignedDuration::from_secs(20);

impl Memory {
    /// Rebuilds the memory by replaying what was stored; decides nothing and owes nothing.
    pub fn recall(settings: &Settings, mut recollection: Recollection, now: Timestamp) -> Self {
        let mut memory = Self::knowing(Jobs::recalled(&mut recollection, now));
        for (cause, lasted) in recollection.past {
            memory.past.entry(cause).or_default().push(lasted);
        }
        memory.silences = recollection.silences;
        memory.next_silence_id = recollection.next_silence_id;
        memory.noted = recollection.standings.iter().map(|one| (one.capability, *one)).collect();
        let mut readings = recollection.readings;
        readings.sort_by_key(|reading| reading.at);
        let mut readings = readings.into_iter().peekable();
        let mut settled_at = None;
        for observation in recollection.observations {
            while let Some(reading) = readings.next_if(|one| one.at <= observation.ended_at) {
                memory.reread(settings, reading);
            }
            memory.replay(settings, observation, &mut settled_at);
        }
        for reading in readings {
            memory.reread(settings, reading);
        }
        memory.adopt(settings, recollection.incidents, recollection.next_incident_id, now);
        memory
    }

    /// What a page has lost was said when it was lost.
    fn reread(&mut self, settings: &Settings, reading: SourceReading) {
        drop(self.read(settings, &Arc::new(reading)));
    }

    fn replay(
        &mut self,
        settings: &Settings,
        observation: Observation,
        settled_at: &mut Option<Timestamp>,
    ) {
        let at = observation.ended_at;
        let is_quiet = observation.outcome == Outcome::Ok
            && !self.lines.get(&observation.series).is_none_or(|line| {
                line.is_pending() || line.is_firing() || line.success().is_none()
            });
        self.observe(settings, &Arc::new(observation));
        self.confirm(settings, at);
        if is_quiet && settled_at.is_some_and(|last| at.duration_since(last) < QUIET) {
            return;
        }
        self.held = attribute::assess(self, settings, at).held;
        *settled_at = Some(at);
    }

    fn adopt(
        &mut self,
        settings: &Settings,
        mut incidents: Vec<Incident>,
        next_id: IncidentId,
        now: Timestamp,
    ) {
        incidents.retain(|incident| incident.opened_at <= now);
        incidents.sort_by_key(|incident| incident.id);
        let after_the_last = incidents.last().map_or(1, |last| last.id + 1);
        self.next_incident_id = next_id.max(after_the_last);
        self.incidents = incidents;
        self.jobs.remember_trouble(settings, &self.incidents);
    }
}
