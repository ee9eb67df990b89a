//! Holds transport failures back until a control run begun after them says whose they are. Pure.

use crate::model::{ControlReading, Observation, ProbeKind, Timestamp, Transport};

/// Transport failures that wait for a control run.
#[derive(Debug, Default)]
pub struct Controls {
    names: Vec<String>,
    readings: Vec<(String, ControlReading)>,
    held: Vec<Observation>,
}

impl Controls {
    /// Knows the names of the configured controls; nothing is held without any.
    pub fn new(names: Vec<String>) -> Self {
        Self { names, readings: Vec::new(), held: Vec::new() }
    }

    /// Follows a changed configuration and answers what nothing is waited for any more.
    pub fn replace(&mut self, names: Vec<String>) -> Vec<Observation> {
        self.names = names;
        if self.names.is_empty() { self.give_up() } else { self.release() }
    }

    /// Takes an observation in and answers what can be judged now, itself included, oldest first.
    pub fn pass(&mut self, observation: Observation) -> Vec<Observation> {
        if let Some(reading) = observation.control.clone() {
            let name = observation.series.probe.clone();
            self.readings.retain(|(known, _)| *known != name);
            self.readings.push((name, reading));
            let mut ready = vec![observation];
            ready.extend(self.release());
            return ready;
        }
        let waits = observation.outcome.is_transport()
            && observation.kind != ProbeKind::Control
            && !self.names.is_empty();
        if waits {
            self.held.push(observation);
            return self.release();
        }
        vec![observation]
    }

    /// True while something waits for a control run that has not begun.
    pub fn is_wanted(&self) -> bool {
        !self.held.is_empty()
    }

    /// Gives up waiting: what is held goes on without a control run (the deadline of `check`).
    pub fn give_up(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.held)
    }

    fn release(&mut self) -> Vec<Observation> {
        let held = std::mem::take(&mut self.held);
        let mut ready = Vec::new();
        for mut observation in held {
            match self.reading_after(observation.ended_at) {
                Some(reading) => {
                    let transport = observation.transport.get_or_insert_with(Transport::default);
                    transport.control = Some(reading);
                    ready.push(observation);
                }
                None => self.held.push(observation),
            }
        }
        ready
    }

    /// All controls together, when each has begun a run at or after `at`.
    fn reading_after(&self, at: Timestamp) -> Option<ControlReading> {
        let is_after = |reading: &&ControlReading| reading.begun_at >= at;
        let mut together: Option<ControlReading> = None;
        for name in &self.names {
            let (_, reading) = self.readings.iter().find(|(known, _)| known == name)?;
            let reading = Some(reading).filter(is_after)?;
            match &mut together {
                Some(whole) => whole.targets.extend(reading.targets.iter().cloned()),
                None => together = Some(reading.clone()),
            }
        }
        together
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Outcome, Series};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn observation(probe: &str, outcome: Outcome, ended: i64) -> Observation {
        let blank = Observation::blank(Series::of(probe), ProbeKind::Api, at(ended));
        Observation { outcome, ..blank }
    }

    fn control(probe: &str, begun: i64) -> Observation {
        let reading = ControlReading { begun_at: at(begun), targets: Vec::new() };
        Observation {
            kind: ProbeKind::Control,
            control: Some(reading),
            ..observation(probe, Outcome::Ok, begun + 1)
        }
    }

    fn controls() -> Controls {
        Controls::new(vec!["control".to_owned()])
    }

    #[test]
    fn a_transport_failure_waits_for_a_control_run_begun_after_it() {
        let mut controls = controls();
        controls.pass(control("control", 0));
        assert!(controls.pass(observation("a", Outcome::Timeout, 5)).is_empty());
        assert!(controls.is_wanted());
        assert_eq!(controls.pass(control("control", 4)).len(), 1, "begun before the failure");
        let ready = controls.pass(control("control", 6));
        assert_eq!(ready.len(), 2, "the control itself, then what it releases");
        let reading = ready[1].transport.as_ref().unwrap().control.as_ref().unwrap();
        assert_eq!(reading.begun_at, at(6));
        assert!(!controls.is_wanted());
    }

    #[test]
    fn an_answer_and_a_monitor_without_controls_wait_for_nothing() {
        assert_eq!(controls().pass(observation("a", Outcome::Unavailable, 5)).len(), 1);
        let mut none = Controls::new(Vec::new());
        assert_eq!(none.pass(observation("a", Outcome::Timeout, 5)).len(), 1);
    }

    #[test]
    fn several_controls_are_heard_together() {
        let mut controls = Controls::new(vec!["one".to_owned(), "two".to_owned()]);
        controls.pass(observation("a", Outcome::DnsFailed, 5));
        assert_eq!(controls.pass(control("one", 6)).len(), 1);
        assert_eq!(controls.pass(control("two", 6)).len(), 2);
    }

    #[test]
    fn what_is_held_goes_on_when_a_reload_takes_the_controls_away() {
        let mut controls = controls();
        controls.pass(observation("a", Outcome::Timeout, 5));
        assert!(controls.replace(vec!["other".to_owned()]).is_empty());
        assert_eq!(controls.pass(control("other", 6)).len(), 2);
        controls.pass(observation("a", Outcome::Timeout, 9));
        assert_eq!(controls.replace(Vec::new()).len(), 1);
        assert!(!controls.is_wanted());
    }

    #[test]
    fn at_the_deadline_nothing_that_was_seen_is_lost() {
        let mut controls = controls();
        controls.pass(observation("a", Outcome::Timeout, 5));
        assert_eq!(controls.give_up().len(), 1);
    }
}
