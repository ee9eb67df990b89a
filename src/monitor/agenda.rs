//! What is due when: one entry per configured probe. Pure; `now` is an argument.
//!
//! Fixed rate on the phase grid of the schedule, no backlog (a missed time is skipped, never made
//! up for), no overlap of a probe with itself, `recheck` while a probe is suspect, `Retry-After`
//! obeyed. Does not run anything.

use std::time::Duration;

use crate::engine::Suspect;
use crate::engine::schedule::{Schedule, phase};
use crate::model::{ProbeKind, Timestamp};
use crate::probe::ProbeSpec;

/// Whether probes come round again by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pace {
    /// The daemon: by schedule, with a phase that depends on this installation.
    Scheduled {
        /// Id of this installation.
        monitor_id: String,
    },
    /// `check`: once, then again only while suspect, at most this far apart.
    Once {
        /// Largest gap between two re-checks.
        recheck: Duration,
    },
}

/// What is due when.
#[derive(Debug, Clone)]
pub struct Agenda {
    pace: Pace,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    kind: ProbeKind,
    schedule: Schedule,
    phase: Duration,
    recheck: Duration,
    scheduled_at: Option<Timestamp>,
    recheck_at: Option<Timestamp>,
    suspect: Option<Suspect>,
    started_at: Option<Timestamp>,
    running: bool,
    overrun_counted: bool,
}

/// A probe that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Position in the configuration.
    pub index: usize,
    /// When it was due.
    pub at: Timestamp,
    /// Whether this is a re-check.
    pub recheck: bool,
}

impl Agenda {
    /// Everything is due at `now`: who restarts a monitor in an outage waits for nothing. Monitors that
    /// are started together drift apart with their phases, after this one pass.
    pub fn new(specs: &[ProbeSpec], pace: Pace, now: Timestamp) -> Self {
        let entries = specs.iter().map(|spec| Entry::new(spec, &pace, now)).collect();
        Self { pace, entries }
    }

    /// The agenda of a changed configuration: probes that stay as they were keep their times.
    #[must_use]
    pub fn replaced(&self, specs: &[ProbeSpec], now: Timestamp) -> Self {
        let mut next = Self::new(specs, self.pace.clone(), now);
        for entry in &mut next.entries {
            if let Some(old) = self.entries.iter().find(|old| old.name == entry.name) {
                entry.keep_times_of(old);
            }
        }
        next
    }

    /// When the next probe falls due; `None` when none will.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        self.entries.iter().filter(|entry| !entry.running).filter_map(Entry::due_at).min()
    }

    /// When the probe at `index` falls due, running or not.
    pub fn due_at(&self, index: usize) -> Option<Timestamp> {
        self.entries.get(index).and_then(Entry::due_at)
    }

    /// Takes what is due at `now`; it counts as running until [`Self::finished`].
    pub fn take_due(&mut self, now: Timestamp) -> Vec<Due> {
        let Self { pace, entries } = self;
        let is_due = |entry: &Entry| !entry.running && entry.due_at().is_some_and(|at| at <= now);
        entries
            .iter_mut()
            .enumerate()
            .filter(|(_, entry)| is_due(entry))
            .map(|(index, entry)| entry.start(index, pace, now))
            .collect()
    }

    /// Probes whose scheduled time has come while they still run; each is answered once a run.
    pub fn take_overrun(&mut self, now: Timestamp) -> Vec<usize> {
        let mut overrun = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let is_late = entry.running && entry.scheduled_at.is_some_and(|at| at <= now);
            if is_late && !entry.overrun_counted {
                entry.overrun_counted = true;
                overrun.push(index);
            }
        }
        overrun
    }

    /// The run of the probe at `index` is over.
    pub fn finished(&mut self, index: usize, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.finish(&self.pace, now);
        }
    }

    /// Sets which probes are suspect, from now on.
    pub fn set_suspects(&mut self, suspects: &[Suspect]) {
        for entry in &mut self.entries {
            entry.suspect = suspects.iter().find(|one| one.probe == entry.name).cloned();
            entry.recheck_at = entry.next_recheck(&self.pace);
        }
    }

    /// Makes every control due at `now`; one that runs comes again when it has finished.
    pub fn call_controls(&mut self, now: Timestamp) {
        for entry in self.entries.iter_mut().filter(|entry| entry.kind == ProbeKind::Control) {
            entry.recheck_at = Some(now);
        }
    }

    /// True when every probe has begun at least one run.
    pub fn has_started_all(&self) -> bool {
        self.entries.iter().all(|entry| entry.started_at.is_some())
    }
}

impl Entry {
    fn new(spec: &ProbeSpec, pace: &Pace, now: Timestamp) -> Self {
        let phase = match pace {
            Pace::Scheduled { monitor_id } => {
                phase(monitor_id, &spec.name, spec.schedule.interval(now))
            }
            Pace::Once { .. } => Duration::ZERO,
        };
        Self {
            name: spec.name.clone(),
            kind: spec.kind(),
            schedule: spec.schedule.clone(),
            phase,
            recheck: spec.thresholds.recheck,
            scheduled_at: spec.kind().is_scheduled().then_some(now),
            recheck_at: None,
            suspect: None,
            started_at: None,
            running: false,
            overrun_counted: false,
        }
    }

    fn keep_times_of(&mut self, old: &Self) {
        self.suspect.clone_from(&old.suspect);
        self.recheck_at = old.recheck_at;
        self.started_at = old.started_at;
        self.running = old.running;
        let same_grid = self.phase == old.phase;
        if same_grid {
            self.scheduled_at = old.scheduled_at;
        }
    }

    fn due_at(&self) -> Option<Timestamp> {
        let held_until = self.suspect.as_ref().and_then(|suspect| suspect.not_before);
        let due = match (self.scheduled_at, self.recheck_at) {
            (Some(scheduled), Some(recheck)) => Some(scheduled.min(recheck)),
            (scheduled, recheck) => scheduled.or(recheck),
        };
        due.map(|at| held_until.map_or(at, |until| at.max(until)))
    }

    fn start(&mut self, index: usize, pace: &Pace, now: Timestamp) -> Due {
        let at = self.due_at().unwrap_or(now);
        let recheck = self.suspect.is_some() && self.started_at.is_some();
        self.running = true;
        self.overrun_counted = false;
        self.started_at = Some(now);
        self.recheck_at = None;
        if self.scheduled_at.is_some_and(|scheduled| scheduled <= now) {
            self.scheduled_at = match pace {
                Pace::Scheduled { .. } => self.schedule.next_due(self.phase, now),
                Pace::Once { .. } => None,
            };
        }
        Due { index, at, recheck }
    }

    fn finish(&mut self, pace: &Pace, now: Timestamp) {
        self.running = false;
        if self.scheduled_at.is_some_and(|scheduled| scheduled <= now) {
            self.scheduled_at = self.schedule.next_due(self.phase, now);
        }
        if self.recheck_at.is_none() {
            self.recheck_at = self.next_recheck(pace);
        }
    }

    fn next_recheck(&self, pace: &Pace) -> Option<Timestamp> {
        self.suspect.as_ref()?;
        let gap = match pace {
            Pace::Scheduled { .. } => self.recheck,
            Pace::Once { recheck } => self.recheck.min(*recheck),
        };
        self.started_at?.saturating_add(gap).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Thresholds;
    use crate::probe::CheckSpec;
    use crate::probe::control::ControlCheck;
    use crate::probe::submit::SubmitCheck;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn spec(name: &str, every: u64, check: CheckSpec) -> ProbeSpec {
        ProbeSpec {
            name: name.to_owned(),
            schedule: Schedule::Every(Duration::from_secs(every)),
            timeout: Duration::from_secs(10),
            capabilities: Vec::new(),
            thresholds: Thresholds::default(),
            check,
        }
    }

    fn submit(name: &str) -> ProbeSpec {
        spec(name, 60, CheckSpec::Submit(SubmitCheck { paths: Vec::new() }))
    }

    fn control() -> ProbeSpec {
        let check = ControlCheck { https: Vec::new(), dns: Vec::new() };
        spec("control", 60, CheckSpec::Control(check))
    }

    fn scheduled(monitor_id: &str) -> Pace {
        Pace::Scheduled { monitor_id: monitor_id.to_owned() }
    }

    fn agenda(specs: &[ProbeSpec]) -> Agenda {
        Agenda::new(specs, scheduled("m"), at(0))
    }

    fn suspect(probe: &str, not_before: Option<Timestamp>) -> Suspect {
        Suspect { probe: probe.to_owned(), not_before }
    }

    #[test]
    fn the_first_pass_comes_at_once_and_the_next_within_one_interval() {
        let mut agenda = agenda(&[submit("a"), submit("b")]);
        assert_eq!(agenda.take_due(at(0)).len(), 2);
        agenda.finished(0, at(1));
        agenda.finished(1, at(1));
        assert!(agenda.take_due(at(0)).is_empty());
        let next = agenda.next_due_at().unwrap();
        assert!(next > at(0) && next <= at(60), "{next}");
    }

    #[test]
    fn missed_times_are_skipped_and_never_made_up_for() {
        let mut agenda = agenda(&[submit("a")]);
        agenda.take_due(at(0));
        agenda.finished(0, at(1));
        assert_eq!(agenda.take_due(at(3600)).len(), 1, "a resumed machine runs it once");
        agenda.finished(0, at(3601));
        assert!(agenda.take_due(at(3601)).is_empty());
    }

    #[test]
    fn a_probe_never_overlaps_itself_and_an_overrun_is_said_once() {
        let mut agenda = agenda(&[submit("a")]);
        agenda.take_due(at(0));
        assert!(agenda.take_due(at(90)).is_empty());
        assert_eq!(agenda.take_overrun(at(90)), [0]);
        assert!(agenda.take_overrun(at(91)).is_empty());
        agenda.finished(0, at(95));
        assert!(agenda.take_due(at(95)).is_empty(), "the missed run is not made up for");
        assert!(agenda.next_due_at().unwrap() <= at(155));
    }

    #[test]
    fn a_suspect_runs_at_its_recheck_interval_and_obeys_retry_after() {
        let mut agenda = agenda(&[submit("a")]);
        agenda.take_due(at(0));
        agenda.finished(0, at(1));
        agenda.set_suspects(&[suspect("a", None)]);
        assert_eq!(agenda.next_due_at(), Some(at(10)));
        let due = agenda.take_due(at(10));
        assert!(due[0].recheck);
        agenda.finished(0, at(11));
        agenda.set_suspects(&[suspect("a", Some(at(300)))]);
        assert_eq!(agenda.next_due_at(), Some(at(300)));
        agenda.set_suspects(&[]);
        let next = agenda.next_due_at().unwrap();
        assert!(next <= at(71), "one interval after it ended, not {next}");
    }

    #[test]
    fn called_controls_are_due_at_once_even_when_one_is_running() {
        let mut agenda = agenda(&[submit("a"), control()]);
        agenda.take_due(at(0));
        agenda.finished(0, at(1));
        agenda.call_controls(at(1));
        assert!(agenda.take_due(at(1)).is_empty(), "the control still runs");
        agenda.finished(1, at(2));
        let due = agenda.take_due(at(2));
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].index, 1);
    }

    #[test]
    fn a_reload_keeps_the_times_of_what_stays() {
        let mut agenda = agenda(&[submit("a")]);
        agenda.take_due(at(0));
        agenda.finished(0, at(1));
        let before = agenda.next_due_at();
        let mut after = agenda.replaced(&[submit("b"), submit("a")], at(2));
        assert_eq!(after.take_due(at(2)).len(), 1, "the new probe has its first pass");
        assert_eq!(after.due_at(1), before);
    }

    #[test]
    fn check_runs_everything_once_and_then_suspects_alone() {
        let pace = Pace::Once { recheck: Duration::from_secs(1) };
        let mut agenda = Agenda::new(&[submit("a"), submit("b")], pace, at(0));
        assert_eq!(agenda.take_due(at(0)).len(), 2);
        agenda.finished(0, at(0));
        agenda.finished(1, at(0));
        assert_eq!(agenda.next_due_at(), None);
        agenda.set_suspects(&[suspect("b", None)]);
        assert_eq!(agenda.next_due_at(), Some(at(1)));
    }
}
