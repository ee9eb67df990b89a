//! An account in numbers: jobs that are created, wait, are made and end, seen by a queue probe that
//! looks once a minute. What the core makes of it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use heygen_monitor::engine::{
    ChannelInfo, Decision, Input, JobsWatch, Memory, Recollection, Settings, Thresholds, Watch,
    evaluate,
};
use heygen_monitor::model::{
    Backfill, Capability, CapabilityVerdict, ChannelKind, EventKind, Incident, Job, JobFailure,
    JobKind, JobPosition, JobState, JobStatus, JobsReading, Message, Observation, Outcome, Owner,
    ProbeKind, Reason, Sample, Series, Sighting, Stage, StageView, State, Timestamp,
};

/// The queue probe looks this often.
pub(super) const POLL: i64 = 60;

pub(super) fn at(second: i64) -> Timestamp {
    let nine: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    nine + jiff::SignedDuration::from_secs(second)
}

/// One job as it will be.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) kind: JobKind,
    pub(super) id: String,
    pub(super) created: i64,
    /// Seconds until it starts; `None`: never.
    pub(super) queue: Option<i64>,
    /// Seconds that it takes then; `None`: never done.
    pub(super) processing: Option<i64>,
    pub(super) failure: Option<JobFailure>,
}

impl Planned {
    pub(super) fn video(id: &str, created: i64, queue: i64, processing: i64) -> Self {
        Self {
            kind: JobKind::Video,
            id: id.to_owned(),
            created,
            queue: Some(queue),
            processing: Some(processing),
            failure: None,
        }
    }

    pub(super) fn stuck(id: &str, created: i64) -> Self {
        Self { queue: None, ..Self::video(id, created, 0, 0) }
    }

    /// The same, as a translation.
    pub(super) fn translated(self) -> Self {
        Self { kind: JobKind::Translation, ..self }
    }

    pub(super) fn failing(mut self, code: &str, message: &str) -> Self {
        self.failure =
            Some(JobFailure { code: Some(code.to_owned()), message: Some(message.to_owned()) });
        self
    }

    fn ended(&self) -> Option<i64> {
        Some(self.created + self.queue? + self.processing?)
    }

    fn status(&self, now: i64) -> JobStatus {
        let started = self.queue.map(|queue| self.created + queue);
        match (self.ended(), started) {
            (Some(ended), _) if ended <= now && self.failure.is_some() => JobStatus::Failed,
            (Some(ended), _) if ended <= now => JobStatus::Completed,
            (_, Some(started)) if started <= now => JobStatus::Processing,
            _ => JobStatus::Queued,
        }
    }

    /// True when it has been in this stage for longer than that.
    fn is_over(&self, stage: Stage, limit: i64, now: i64) -> bool {
        let status = self.status(now);
        let started = self.queue.map_or(self.created, |queue| self.created + queue);
        match stage {
            Stage::Queue => status == JobStatus::Queued && now - self.created > limit,
            Stage::Submit | Stage::Processing => {
                status == JobStatus::Processing && now - started > limit
            }
        }
    }

    fn seen(&self, now: i64) -> Sighting {
        let status = self.status(now);
        let is_dated = status == JobStatus::Completed && self.kind == JobKind::Video;
        Sighting {
            kind: self.kind,
            id: self.id.clone(),
            status,
            at: at(now),
            created_at: Some(at(self.created)),
            completed_at: self.ended().filter(|_| is_dated).map(at),
            owner: Some(Owner::Natural),
            failure: self.failure.clone().filter(|_| status == JobStatus::Failed),
            has_url: status == JobStatus::Completed,
            title: None,
        }
    }
}

/// The account with a core that watches it.
pub(super) struct Account {
    pub(super) settings: Settings,
    pub(super) memory: Memory,
    planned: Vec<Planned>,
    open: BTreeSet<usize>,
    next: usize,
    pub(super) now: i64,
    pub(super) incidents: BTreeMap<i64, Incident>,
    pub(super) messages: Vec<(i64, Message)>,
    /// Changes of the verdict on generation: when, and what it is from then on.
    pub(super) verdicts: Vec<(i64, State, Reason, Vec<String>)>,
    pub(super) last: Option<CapabilityVerdict>,
    /// Ids that any verdict named, and when first.
    pub(super) named_at: BTreeMap<String, i64>,
    /// When a job was first seen over the stuck limit of its stage.
    over_at: BTreeMap<String, i64>,
    rows: BTreeMap<(JobKind, String), Job>,
    positions: BTreeMap<JobKind, JobPosition>,
    stored: Vec<Observation>,
}

impl Account {
    pub(super) fn new(mut planned: Vec<Planned>) -> Self {
        planned.sort_by_key(|job| job.created);
        Self {
            settings: settings(),
            memory: Memory::default(),
            planned,
            open: BTreeSet::new(),
            next: 0,
            now: 0,
            incidents: BTreeMap::new(),
            messages: Vec::new(),
            verdicts: Vec::new(),
            last: None,
            named_at: BTreeMap::new(),
            over_at: BTreeMap::new(),
            rows: BTreeMap::new(),
            positions: BTreeMap::new(),
            stored: Vec::new(),
        }
    }

    /// Looks once a minute until `end`.
    pub(super) fn until(mut self, end: i64) -> Self {
        while self.now < end {
            self.look();
            self.now += POLL;
        }
        self
    }

    fn look(&mut self) {
        while self.next < self.planned.len() && self.planned[self.next].created <= self.now {
            self.open.insert(self.next);
            self.next += 1;
        }
        for kind in [JobKind::Translation, JobKind::Video] {
            if kind == JobKind::Video || self.planned.iter().any(|job| job.kind == kind) {
                let (observation, reading) = self.reading(kind);
                self.step(Input::Listed(Box::new(observation), Box::new(reading)));
            }
        }
        let now = self.now;
        let planned = &self.planned;
        self.open.retain(|index| planned[*index].ended().is_none_or(|ended| ended > now));
    }

    fn reading(&self, kind: JobKind) -> (Observation, JobsReading) {
        let jobs = self.open.iter().map(|index| &self.planned[*index]);
        let sightings = jobs.filter(|job| job.kind == kind).map(|job| job.seen(self.now)).collect();
        let series = Series { probe: "queue".to_owned(), subject: kind.as_str().to_owned() };
        let observation = Observation {
            capabilities: vec![kind.capability()],
            outcome: Outcome::Ok,
            answered: true,
            ..Observation::blank(series, ProbeKind::Queue, at(self.now))
        };
        let reading = JobsReading {
            probe: "queue".to_owned(),
            kind,
            at: at(self.now),
            sightings,
            backfill: Backfill::Done,
        };
        (observation, reading)
    }

    fn step(&mut self, input: Input) {
        let decision: Decision = evaluate(&mut self.memory, &self.settings, input, at(self.now));
        for change in decision.changes {
            self.incidents.insert(change.incident.id, change.incident);
        }
        for job in decision.jobs {
            self.rows.insert((job.kind, job.id.clone()), job);
        }
        for position in decision.positions {
            self.positions.insert(position.kind, position);
        }
        self.stored.extend(decision.observation);
        let to_mail = decision.owed.into_iter().filter(|owed| owed.channel == "mail");
        self.messages.extend(to_mail.map(|owed| (self.now, owed.message)));
        let all = decision.verdict.capabilities;
        let own =
            all.into_iter().find(|one| one.capability == Capability::VideoGeneration).unwrap();
        let is_news = self
            .verdicts
            .last()
            .is_none_or(|(_, state, reason, _)| (*state, *reason) != (own.state, own.reason));
        if is_news {
            self.verdicts.push((self.now, own.state, own.reason, named(&own)));
        }
        for (job, stuck) in stuck_limits(&decision.stages) {
            let over = self.open.iter().map(|index| &self.planned[*index]);
            for job in over.filter(|one| one.is_over(job, stuck, self.now)) {
                self.over_at.entry(job.id.clone()).or_insert(self.now);
            }
        }
        for id in named(&own) {
            self.named_at.entry(id).or_insert(self.now);
        }
        self.last = Some(own);
    }

    /// Seconds from the limit of each of these jobs to the first verdict that names it.
    pub(super) fn delays(&self, ids: &BTreeSet<String>) -> Vec<i64> {
        ids.iter().filter_map(|id| Some(self.named_at.get(id)? - self.over_at.get(id)?)).collect()
    }

    pub(super) fn opened_at(&self) -> Vec<i64> {
        self.incidents.values().map(|one| one.opened_at.duration_since(at(0)).as_secs()).collect()
    }

    pub(super) fn resolved_at(&self) -> Vec<Option<i64>> {
        let ends = self.incidents.values().map(|one| one.resolved_at);
        ends.map(|end| end.map(|end| end.duration_since(at(0)).as_secs())).collect()
    }

    /// `kill -9` and start again, with what is on the disk.
    pub(super) fn restart(&mut self) {
        let recollection = Recollection {
            observations: self.stored.clone(),
            incidents: self.incidents.values().cloned().collect(),
            jobs: self.rows.values().cloned().collect(),
            samples: self.samples(),
            positions: self.positions.values().cloned().collect(),
            ..Recollection::default()
        };
        self.memory = Memory::recall(&self.settings, recollection, at(self.now));
        self.step(Input::Tick);
    }

    /// What the table of jobs says of completed ones.
    fn samples(&self) -> Vec<Sample> {
        let is_sample = |job: &&Job| job.is_sample && job.state == JobState::Completed;
        let mut samples = Vec::new();
        for job in self.rows.values().filter(is_sample) {
            let (created, ended) = (job.created_at, job.ended.unwrap().latest);
            let mut add = |stage, from, until| {
                let duration = heygen_monitor::engine::words::between(from, until);
                let Job { kind, origin, .. } = *job;
                samples.push(Sample { kind, origin, stage, duration, at: ended });
            };
            add(None, created, ended);
            if let Some(started) = job.started {
                add(Some(Stage::Queue), created, started.latest);
                add(Some(Stage::Processing), started.earliest, ended);
            }
        }
        samples.sort_by_key(|sample| sample.at);
        samples
    }

    /// `degraded/provider/single_job_stuck`.
    pub(super) fn verdict(&self) -> String {
        let last = self.last.as_ref().unwrap();
        format!("{}/{}/{}", last.state, last.blame, last.reason)
    }

    pub(super) fn told(&self) -> Vec<EventKind> {
        self.messages.iter().map(|(_, message)| message.event).collect()
    }

    pub(super) fn abandoned(&self) -> usize {
        self.rows.values().filter(|job| job.is_abandoned).count()
    }

    pub(super) fn is_live(&self, id: &str) -> bool {
        self.rows
            .get(&(JobKind::Video, id.to_owned()))
            .is_some_and(|job| matches!(job.state, JobState::Queued | JobState::Processing))
    }
}

/// Every job that a verdict of HeyGen's side names.
fn named(verdict: &CapabilityVerdict) -> Vec<String> {
    if verdict.blame != heygen_monitor::model::Blame::Provider {
        return Vec::new();
    }
    let decisive = verdict.evidence.iter().filter(|item| item.decisive);
    let words = decisive.flat_map(|item| {
        let text = item.text.split([' ', ',']).map(str::to_owned).collect::<Vec<_>>();
        text.into_iter().chain(item.detail.job_id.clone())
    });
    words.filter(|word| word.starts_with("v_")).collect()
}

/// From when on the account's own videos are stuck, by stage.
fn stuck_limits(stages: &[StageView]) -> Vec<(Stage, i64)> {
    let own = stages.iter().filter(|view| {
        view.kind == JobKind::Video && view.origin == heygen_monitor::model::Origin::Natural
    });
    own.map(|view| (view.stage, i64::try_from(view.stuck.as_secs()).unwrap())).collect()
}

fn settings() -> Settings {
    let queue = Watch {
        name: "queue".to_owned(),
        kind: ProbeKind::Queue,
        anonymous: false,
        capabilities: vec![Capability::VideoGeneration],
        interval: Duration::from_mins(1),
        host: "api.heygen.com".to_owned(),
        target: String::new(),
        thresholds: Thresholds::default(),
        replaces: Vec::new(),
        jobs: JobsWatch::Natural {
            kinds: vec![JobKind::Video, JobKind::Translation],
            max_silence: Duration::from_hours(6),
            ignore_older_than: Duration::from_hours(24),
        },
    };
    Settings {
        probes: vec![queue],
        channels: vec![ChannelInfo { name: "mail".to_owned(), kind: ChannelKind::Email }],
        ..Settings::default()
    }
}
