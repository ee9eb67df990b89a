//! Which label values exist: the closed sets, and the names of one configuration.
//!
//! Owns the creation of every series before it has a value, and the removal of those whose probe,
//! source or channel is gone after a reload. Never sets a value that means something.
//! Invariant: creating a series that exists changes nothing.

use prometheus::GaugeVec;

use super::families::Families;
use super::jobs;
use super::{NONE, Task, level_word};
use crate::engine::Settings;
use crate::engine::page::ComponentMap;
use crate::model::{
    Blame, Capability, EventKind, FailureReason, Impact, Origin, ProbeKind, SkipReason, State,
};
use crate::store::StoreError;

/// The phases of one exchange (label `phase`).
pub(super) const PHASES: [&str; 4] = ["dns", "connect", "ttfb", "body"];

/// The levels of the log (label `level`).
const LEVELS: [tracing::Level; 5] = [
    tracing::Level::ERROR,
    tracing::Level::WARN,
    tracing::Level::INFO,
    tracing::Level::DEBUG,
    tracing::Level::TRACE,
];

/// The closed label values of one configuration: every series exists from the first scrape.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Where the monitor runs.
    pub vantage: String,
    /// Every probe but status pages: name and kind.
    pub probes: Vec<(String, ProbeKind)>,
    /// Every status page: name, and which of its rows are mapped.
    pub sources: Vec<(String, ComponentMap)>,
    /// Every channel.
    pub channels: Vec<String>,
    /// Whose jobs of which capability are watched.
    pub jobs: Vec<(Capability, Origin)>,
}

impl Catalogue {
    /// The names that a configuration gives.
    pub fn of(settings: &Settings) -> Self {
        let probes = settings.probes.iter().map(|probe| (probe.name.clone(), probe.kind)).collect();
        let sources =
            settings.sources.iter().map(|source| (source.name.clone(), source.map.clone()));
        Self {
            vantage: settings.vantage.clone(),
            probes,
            sources: sources.collect(),
            channels: settings.channels.iter().map(|channel| channel.name.clone()).collect(),
            jobs: jobs::watched(settings),
        }
    }

    pub(super) fn has_probe(&self, name: &str) -> bool {
        self.probes.iter().any(|(probe, _)| probe == name)
    }

    pub(super) fn has_channel(&self, name: &str) -> bool {
        self.channels.iter().any(|channel| channel == name)
    }

    pub(super) fn source(&self, name: &str) -> Option<&ComponentMap> {
        self.sources.iter().find(|(source, _)| source == name).map(|(_, map)| map)
    }
}

impl Families {
    /// Creates what does not depend on a configuration.
    pub(super) fn create_closed(&self) {
        for capability in Capability::ALL {
            for state in State::ALL {
                let known = if state == State::Unknown { 1.0 } else { 0.0 };
                set(&self.capability_state, &[capability.as_str(), state.as_str()], known);
            }
            for blame in Blame::ALL {
                set(&self.capability_blame, &[capability.as_str(), blame.as_str()], f64::NAN);
            }
            self.status_page_lead.with_label_values(&[capability.as_str()]);
        }
        for blame in Blame::ALL {
            set(&self.incidents_open, &[blame.as_str()], f64::NAN);
            self.incidents.with_label_values(&[blame.as_str()]);
        }
        for task in Task::ALL {
            self.panics.with_label_values(&[task.as_str()]);
        }
        for level in LEVELS {
            self.log_messages.with_label_values(&[level_word(level)]);
        }
        for operation in StoreError::OPERATIONS {
            self.storage_errors.with_label_values(&[operation]);
        }
        self.create_money();
        self.create_single();
    }

    /// Families without labels: one series each.
    fn create_single(&self) {
        for gauge in [
            &self.internet_up,
            &self.reload_successful,
            &self.reload_success_at,
            &self.storage_degraded,
            &self.database_size,
            &self.wal_size,
        ] {
            set(gauge, NONE, f64::NAN);
        }
        self.scheduler_lag.with_label_values(NONE);
        self.clock_steps.with_label_values(NONE);
    }

    pub(super) fn create_probe(&self, name: &str, kind: ProbeKind) {
        for gauge in [&self.probe_up, &self.probe_last_run, &self.probe_last_success] {
            set(gauge, &[name], f64::NAN);
        }
        for outcome in kind.outcomes() {
            self.probe_observations.with_label_values(&[name, outcome.as_str()]);
        }
        for reason in SkipReason::ALL {
            self.probe_skipped.with_label_values(&[name, reason.as_str()]);
        }
        self.probe_duration.with_label_values(&[name]);
        if jobs::is_paid(kind) {
            self.spend.with_label_values(&[name]);
        }
        if is_exchange(kind) {
            set(&self.certificate_expiry, &[name], f64::NAN);
            for phase in PHASES {
                set(&self.probe_phase, &[name, phase], f64::NAN);
            }
        }
    }

    pub(super) fn create_source(&self, name: &str) {
        set(&self.source_up, &[name], f64::NAN);
        set(&self.source_last_success, &[name], f64::NAN);
        for impact in Impact::ALL {
            set(&self.official_incidents_open, &[name, impact.as_str()], f64::NAN);
        }
    }

    pub(super) fn create_channel(&self, name: &str) {
        for event in EventKind::ALL {
            self.notifications.with_label_values(&[name, event.as_str()]);
        }
        for reason in FailureReason::ALL {
            self.notification_failures.with_label_values(&[name, reason.as_str()]);
        }
        self.notifications_dead.with_label_values(&[name]);
        set(&self.outbox_pending, &[name], f64::NAN);
        set(&self.outbox_oldest, &[name], f64::NAN);
    }

    /// Removing a series that never came to be is no error: hence the ignored results.
    pub(super) fn remove_probe(&self, name: &str, kind: ProbeKind) {
        for gauge in [
            &self.probe_up,
            &self.probe_last_run,
            &self.probe_last_success,
            &self.certificate_expiry,
        ] {
            gauge.remove_label_values(&[name]).ok();
        }
        for outcome in kind.outcomes() {
            self.probe_observations.remove_label_values(&[name, outcome.as_str()]).ok();
        }
        for reason in SkipReason::ALL {
            self.probe_skipped.remove_label_values(&[name, reason.as_str()]).ok();
        }
        self.probe_duration.remove_label_values(&[name]).ok();
        self.spend.remove_label_values(&[name]).ok();
        for phase in PHASES {
            self.probe_phase.remove_label_values(&[name, phase]).ok();
        }
    }

    pub(super) fn remove_source(&self, name: &str) {
        self.source_up.remove_label_values(&[name]).ok();
        self.source_last_success.remove_label_values(&[name]).ok();
        for impact in Impact::ALL {
            self.official_incidents_open.remove_label_values(&[name, impact.as_str()]).ok();
        }
    }

    pub(super) fn remove_channel(&self, name: &str) {
        for event in EventKind::ALL {
            self.notifications.remove_label_values(&[name, event.as_str()]).ok();
        }
        for reason in FailureReason::ALL {
            self.notification_failures.remove_label_values(&[name, reason.as_str()]).ok();
        }
        self.notifications_dead.remove_label_values(&[name]).ok();
        self.outbox_pending.remove_label_values(&[name]).ok();
        self.outbox_oldest.remove_label_values(&[name]).ok();
    }
}

/// True for the kinds whose run is one HTTP exchange with phases and perhaps a certificate.
fn is_exchange(kind: ProbeKind) -> bool {
    match kind {
        ProbeKind::Control | ProbeKind::StatusPage | ProbeKind::Webhook => false,
        ProbeKind::Api
        | ProbeKind::Submit
        | ProbeKind::Web
        | ProbeKind::Queue
        | ProbeKind::Render
        | ProbeKind::Translation
        | ProbeKind::Speech => true,
    }
}

pub(super) fn set(gauge: &GaugeVec, labels: &[&str], value: f64) {
    gauge.with_label_values(labels).set(value);
}
