//! The loop that the daemon would run over a [`World`], and what would be on its disk.

use std::collections::BTreeMap;

use heygen_monitor::engine::{Decision, Input, Memory, Recollection, Suspect, Watch, evaluate};
use heygen_monitor::model::{
    Backfill, Capability, CapabilityChange, Command, EventKind, Incident, JobKind, JobStatus,
    JobsReading, Message, Observation, Outcome, Owner, PeerReading, Phases, ProbeKind, Series,
    Sighting, SourceReading, Timestamp, Verdict,
};

use super::world::{World, at, is_due, of};

/// The loop of the daemon, and what would be on its disk.
pub(super) struct Daemon {
    pub world: World,
    pub memory: Memory,
    now: i64,
    last_run: BTreeMap<String, i64>,
    suspects: Vec<Suspect>,
    pub stored: Vec<Observation>,
    readings: BTreeMap<String, SourceReading>,
    pub incidents: BTreeMap<i64, Incident>,
    pub messages: Vec<(i64, String, Message)>,
    pub verdicts: Vec<(i64, Verdict)>,
    latest: Option<Verdict>,
    pub changes: Vec<CapabilityChange>,
    pub warnings: Vec<String>,
}

impl Daemon {
    pub(super) fn start(world: World) -> Self {
        Self {
            world,
            memory: Memory::default(),
            now: 0,
            last_run: BTreeMap::new(),
            suspects: Vec::new(),
            stored: Vec::new(),
            readings: BTreeMap::new(),
            incidents: BTreeMap::new(),
            messages: Vec::new(),
            verdicts: Vec::new(),
            latest: None,
            changes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Runs second by second; a tick comes every ten.
    pub(super) fn run_until(mut self, end: i64) -> Self {
        while self.now < end {
            self.second();
            self.now += 1;
        }
        self
    }

    fn second(&mut self) {
        let now = at(self.now);
        if self.now % 60 == 3 {
            let reading = self.world.reading(now);
            if reading.page.is_ok() {
                self.readings.insert(reading.source.clone(), reading.clone());
            }
            self.step(Input::Read(Box::new(reading)), now);
        }
        for (index, watch) in self.world.settings.probes.clone().iter().enumerate() {
            if !self.is_due(watch, i64::try_from(index).unwrap()) {
                continue;
            }
            self.last_run.insert(watch.name.clone(), self.now);
            for observation in self.world.run(watch, now) {
                let known_at = observation.ended_at;
                self.stored.push(observation.clone());
                self.step(Input::Observed(Box::new(observation)), known_at);
            }
        }
        if self.now % 10 == 9 {
            self.step(Input::Tick, now);
        }
    }

    /// A probe starts with its own phase, and is due again after its interval or its re-check.
    fn is_due(&self, watch: &Watch, phase: i64) -> bool {
        let Some(last) = self.last_run.get(&watch.name) else {
            return self.now >= phase;
        };
        let interval = i64::try_from(watch.interval.as_secs()).unwrap();
        let suspect = self.suspects.iter().find(|one| one.probe == watch.name);
        match suspect {
            Some(suspect) => is_due(suspect, at(self.now)) && self.now - last >= 10,
            None => self.now - last >= interval,
        }
    }

    /// Tells the daemon something.
    pub(super) fn command(&mut self, command: Command) -> Result<String, String> {
        let input = Input::Commanded(Box::new(command));
        let now = at(self.now);
        let decision = evaluate(&mut self.memory, &self.world.settings, input, now);
        let reply = decision.reply.clone().unwrap();
        self.take(decision);
        reply
    }

    /// Hands in what a page showed.
    pub(super) fn read(&mut self, reading: SourceReading) {
        let now = at(self.now);
        self.step(Input::Read(Box::new(reading)), now);
    }

    /// Hands in a list of that many videos of the account's that are being made.
    pub(super) fn list(&mut self, videos: usize) {
        let now = at(self.now);
        let series = Series { probe: "queue".to_owned(), subject: JobKind::Video.to_string() };
        let observation = Observation {
            outcome: Outcome::Ok,
            answered: true,
            ..Observation::blank(series, ProbeKind::Queue, now)
        };
        let sighting = |index: usize| Sighting {
            kind: JobKind::Video,
            id: format!("v_{index}"),
            status: JobStatus::Processing,
            at: now,
            created_at: Some(now),
            completed_at: None,
            owner: Some(Owner::Natural),
            failure: None,
            has_url: false,
            title: None,
        };
        let reading = JobsReading {
            probe: "queue".to_owned(),
            kind: JobKind::Video,
            at: now,
            sightings: (0..videos).map(sighting).collect(),
            backfill: Backfill::Done,
        };
        self.step(Input::Listed(Box::new(observation), Box::new(reading)), now);
    }

    /// Hands in what another monitor said.
    pub(super) fn hear(&mut self, reading: PeerReading) {
        let now = at(self.now);
        self.step(Input::Peer(Box::new(reading)), now);
    }

    fn step(&mut self, input: Input, now: Timestamp) {
        let decision: Decision = evaluate(&mut self.memory, &self.world.settings, input, now);
        self.take(decision);
    }

    fn take(&mut self, decision: Decision) {
        for change in decision.changes {
            self.incidents.insert(change.incident.id, change.incident);
        }
        self.changes.extend(decision.standings);
        for owed in decision.owed {
            self.messages.push((self.now, owed.channel, owed.message));
        }
        let is_news = self
            .verdicts
            .last()
            .is_none_or(|(_, last)| summary(last) != summary(&decision.verdict));
        self.latest = Some(decision.verdict.clone());
        if is_news {
            self.verdicts.push((self.now, decision.verdict));
        }
        self.suspects = decision.suspects;
        self.warnings.extend(decision.warnings);
    }

    /// `kill -9` and start again, with what is on the disk: successes come back without details.
    pub(super) fn restart(&mut self) {
        let compact = |observation: &Observation| {
            let mut kept = observation.clone();
            if kept.outcome == Outcome::Ok {
                kept.answered = false;
                kept.phases = Phases::default();
                kept.control = None;
            }
            kept
        };
        let recollection = Recollection {
            observations: self.stored.iter().map(compact).collect(),
            readings: self.readings.values().cloned().collect(),
            incidents: self.incidents.values().cloned().collect(),
            next_incident_id: self.incidents.keys().max().map_or(1, |last| last + 1),
            standings: Capability::ALL
                .into_iter()
                .filter_map(|one| self.last_change(one))
                .collect(),
            ..Recollection::default()
        };
        self.memory = Memory::recall(&self.world.settings, recollection, at(self.now));
        self.step(Input::Tick, at(self.now));
    }

    fn last_change(&self, capability: Capability) -> Option<CapabilityChange> {
        self.changes.iter().rev().find(|one| one.capability == capability).copied()
    }

    pub(super) fn told(self) -> Told {
        Told {
            messages: self.messages,
            incidents: self.incidents.into_values().collect(),
            verdicts: self.verdicts,
            latest: self.latest,
            warnings: self.warnings,
        }
    }
}

pub(super) fn summary(verdict: &Verdict) -> Vec<String> {
    Capability::ALL.into_iter().map(|one| of(verdict, one)).collect()
}

/// What the daemon decided and told.
pub(super) struct Told {
    pub messages: Vec<(i64, String, Message)>,
    pub incidents: Vec<Incident>,
    pub verdicts: Vec<(i64, Verdict)>,
    /// As of the end, with its words.
    pub latest: Option<Verdict>,
    pub warnings: Vec<String>,
}

impl Told {
    /// `60:opened#1 900:resolved#1`, to one channel.
    pub(super) fn to(&self, channel: &str) -> String {
        let said = self.messages.iter().filter(|(_, to, _)| to == channel);
        said.map(|(at, _, message)| format!("{at}:{}#{}", message.event, message.thread()))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The kinds alone.
    pub(super) fn kinds(&self, channel: &str) -> Vec<EventKind> {
        let said = self.messages.iter().filter(|(_, to, _)| to == channel);
        said.map(|(_, _, message)| message.event).collect()
    }

    pub(super) fn message(&self, kind: EventKind) -> &Message {
        &self.messages.iter().find(|(_, _, message)| message.event == kind).unwrap().2
    }

    /// The verdict of a capability at that second.
    pub(super) fn verdict_at(&self, at: i64, capability: Capability) -> String {
        let (_, verdict) = self.verdicts.iter().rev().find(|(since, _)| *since <= at).unwrap();
        of(verdict, capability)
    }
}

impl World {
    /// What the daemon decides and tells in that many seconds.
    pub(super) fn daemon(self, for_seconds: i64) -> Told {
        Daemon::start(self).run_until(for_seconds).told()
    }
}
