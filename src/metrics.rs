//! Every metric family once: names, labels, HELP; nothing else in the crate names a metric.
//!
//! Owns the values that `/metrics` shows. Reads what was seen and decided, decides nothing.
//! Invariant: every series of a configured probe, source or channel and every value of a closed
//! label exists from the first scrape; a gauge that is not known is NaN, never a stale number.

mod catalogue;
mod components;
mod families;
mod jobs;
mod log;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use prometheus::{Registry, TextEncoder};

pub use self::catalogue::Catalogue;
use self::catalogue::{PHASES, set};
use self::components::Components;
use self::families::Families;
pub use self::log::LogCounter;
use crate::model::{
    Attempt, AttemptResult, Blame, Capability, EventKind, Impact, Observation, Outcome, Page,
    ProbeView, SourceReading, State, Timestamp, View,
};
use crate::store::OutboxLine;

/// Set by whoever builds a release from a repository.
const REVISION: &str = match option_env!("HEYGEN_MONITOR_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

const BASELINE_AS_GAUGE: &str = "# TYPE heygen_job_baseline_seconds gauge\n";
const BASELINE_AS_SUMMARY: &str = "# TYPE heygen_job_baseline_seconds summary\n";

/// The label values of a family without labels.
const NONE: &[&str] = &[];

/// Every metric family; cheap to clone through an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Families,
    known: Mutex<Known>,
}

/// What has series now.
#[derive(Debug, Default)]
struct Known {
    catalogue: Catalogue,
    components: Components,
}

/// Background work whose panics are counted (label `task`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the loops of the architecture")]
pub enum Task {
    Monitor,
    Probe,
    Deliver,
    Web,
    Admin,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 5] = [Self::Monitor, Self::Probe, Self::Deliver, Self::Web, Self::Admin];

    /// The word of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Probe => "probe",
            Self::Deliver => "deliver",
            Self::Web => "web",
            Self::Admin => "admin",
        }
    }
}

impl Metrics {
    /// All families with the series that `catalogue` asks for.
    pub fn new(catalogue: &Catalogue) -> Self {
        let registry = Registry::new();
        let families = Families::register(&registry);
        families.create_closed();
        let metrics = Self { registry, families, known: Mutex::default() };
        metrics.set_catalogue(catalogue);
        metrics
    }

    /// After a reload: adds what is new, removes what is gone, keeps the counters of the rest.
    pub fn set_catalogue(&self, catalogue: &Catalogue) {
        let mut known = self.known();
        let Known { catalogue: before, components } = &mut *known;
        self.remove_gone(before, components, catalogue);
        self.add_new(before, catalogue);
        *before = catalogue.clone();
    }

    fn remove_gone(&self, before: &Catalogue, components: &mut Components, after: &Catalogue) {
        for (name, kind) in before.probes.iter().filter(|probe| !after.probes.contains(probe)) {
            self.families.remove_probe(name, *kind);
        }
        for (name, map) in &before.sources {
            match after.source(name) {
                None => {
                    self.families.remove_source(name);
                    components.forget(&self.families, name);
                }
                Some(now) if now != map => components.forget(&self.families, name),
                Some(_) => {}
            }
        }
        for name in before.channels.iter().filter(|channel| !after.has_channel(channel)) {
            self.families.remove_channel(name);
        }
        for line in before.jobs.iter().filter(|line| !after.jobs.contains(line)) {
            self.families.remove_jobs(*line);
        }
    }

    fn add_new(&self, before: &Catalogue, after: &Catalogue) {
        for (name, kind) in after.probes.iter().filter(|probe| !before.probes.contains(probe)) {
            self.families.create_probe(name, *kind);
        }
        for (name, _) in after.sources.iter().filter(|(name, _)| before.source(name).is_none()) {
            self.families.create_source(name);
        }
        for name in after.channels.iter().filter(|channel| !before.has_channel(channel)) {
            self.families.create_channel(name);
        }
        for line in after.jobs.iter().filter(|line| !before.jobs.contains(line)) {
            self.families.create_jobs(*line);
        }
        self.families.build_info.reset();
        let labels = [env!("CARGO_PKG_VERSION"), REVISION, after.vantage.as_str()];
        set(&self.families.build_info, &labels, 1.0);
    }

    /// One run of a probe. Status pages come through [`Self::read`].
    pub fn observed(&self, observation: &Observation) {
        let probe = observation.series.probe.as_str();
        if !self.known().catalogue.has_probe(probe) {
            return;
        }
        let labels = [probe, observation.outcome.as_str()];
        self.families.probe_observations.with_label_values(&labels).inc();
        if let Some(reason) = observation.skipped {
            self.families.probe_skipped.with_label_values(&[probe, reason.as_str()]).inc();
        }
        if observation.outcome == Outcome::Skipped {
            return;
        }
        let seconds = observation.duration().as_secs_f64();
        self.families.probe_duration.with_label_values(&[probe]).observe(seconds);
        self.took(probe, observation);
    }

    fn took(&self, probe: &str, observation: &Observation) {
        let phases = observation.phases;
        let durations = [phases.dns, phases.connect, phases.ttfb, phases.body];
        for (phase, duration) in PHASES.into_iter().zip(durations) {
            if let Some(duration) = duration {
                set(&self.families.probe_phase, &[probe, phase], duration.as_secs_f64());
            }
        }
        if let Some(expires_at) = observation.certificate_expires_at {
            set(&self.families.certificate_expiry, &[probe], seconds(expires_at));
        }
    }

    /// One reading of a status page, good or bad.
    pub fn read(&self, reading: &SourceReading) {
        let mut known = self.known();
        let Known { catalogue, components } = &mut *known;
        let source = reading.source.as_str();
        let Some(map) = catalogue.source(source) else {
            return;
        };
        let page = reading.page.as_ref().ok();
        set(&self.families.source_up, &[source], truth(page.is_some()));
        if page.is_some() {
            set(&self.families.source_last_success, &[source], seconds(reading.at));
        }
        for impact in Impact::ALL {
            let open = page.map_or(f64::NAN, |page| open_incidents(page, impact));
            set(&self.families.official_incidents_open, &[source, impact.as_str()], open);
        }
        components.show(&self.families, source, map, page);
    }

    /// Capability states, incidents, internet: all gauges that follow from the view.
    pub fn believe(&self, view: &View) {
        for verdict in &view.verdict.capabilities {
            let name = verdict.capability.as_str();
            for state in State::ALL {
                let value = truth(state == verdict.state);
                set(&self.families.capability_state, &[name, state.as_str()], value);
            }
            for blame in Blame::ALL {
                let value = truth(blame == verdict.blame);
                set(&self.families.capability_blame, &[name, blame.as_str()], value);
            }
        }
        for blame in Blame::ALL {
            let open = view.incidents.iter().filter(|incident| incident.blame == blame).count();
            set(&self.families.incidents_open, &[blame.as_str()], number(open));
        }
        set(&self.families.internet_up, NONE, view.internet_up.map_or(f64::NAN, truth));
        self.believe_jobs(&view.stages);
        self.believe_budget(&view.budget);
        self.believe_probes(&view.probes);
        self.believe_sources(view);
    }

    fn believe_probes(&self, views: &[ProbeView]) {
        let mut probes: BTreeMap<&str, Vec<&ProbeView>> = BTreeMap::new();
        for view in views {
            probes.entry(view.series.probe.as_str()).or_default().push(view);
        }
        let known = self.known();
        for (probe, views) in probes.into_iter().filter(|(name, _)| known.catalogue.has_probe(name))
        {
            let lasts = || views.iter().filter_map(|view| view.last.as_ref());
            let is_up = lasts().all(|last| matches!(last.outcome, Outcome::Ok | Outcome::Slow));
            let last_run = lasts().map(|last| last.ended_at).max();
            let up = last_run.map_or(f64::NAN, |_| truth(is_up));
            let successes: Option<Vec<_>> = views.iter().map(|view| view.last_success_at).collect();
            let last_success = successes.and_then(|all| all.into_iter().min());
            set(&self.families.probe_up, &[probe], up);
            set(&self.families.probe_last_run, &[probe], last_run.map_or(f64::NAN, seconds));
            set(
                &self.families.probe_last_success,
                &[probe],
                last_success.map_or(f64::NAN, seconds),
            );
        }
    }

    /// What was true before a restart: the view knows it, the readings of this process do not.
    fn believe_sources(&self, view: &View) {
        let known = self.known();
        for source in
            view.sources.iter().filter(|view| known.catalogue.source(&view.name).is_some())
        {
            if let Some(at) = source.last_success_at {
                set(&self.families.source_last_success, &[&source.name], seconds(at));
            }
        }
    }

    /// An incident opened.
    pub fn incident_opened(&self, blame: Blame) {
        self.families.incidents.with_label_values(&[blame.as_str()]).inc();
    }

    /// The official page admitted an incident that we had known for `lead`.
    pub fn page_lead(&self, capability: Capability, lead: Duration) {
        let seconds = lead.as_secs_f64();
        self.families.status_page_lead.with_label_values(&[capability.as_str()]).observe(seconds);
    }

    /// A probe was started that long after it fell due.
    pub fn scheduler_lag(&self, lag: Duration) {
        self.families.scheduler_lag.with_label_values(NONE).observe(lag.as_secs_f64());
    }

    /// One attempt to deliver: notifications, failures and dead ones.
    pub fn attempted(&self, channel: &str, event: EventKind, attempt: &Attempt) {
        if !self.known().catalogue.has_channel(channel) {
            return;
        }
        self.families.notifications.with_label_values(&[channel, event.as_str()]).inc();
        let (AttemptResult::Retry { reason, .. } | AttemptResult::Dead { reason, .. }) =
            &attempt.result
        else {
            return;
        };
        self.families.notification_failures.with_label_values(&[channel, reason.as_str()]).inc();
        if matches!(attempt.result, AttemptResult::Dead { .. }) {
            self.families.notifications_dead.with_label_values(&[channel]).inc();
        }
    }

    /// What every channel owes; a channel that is not named owes nothing.
    pub fn outbox(&self, lines: &[OutboxLine]) {
        for channel in &self.known().catalogue.channels {
            let line = lines.iter().find(|line| line.channel == *channel);
            let pending = line.map_or(0, |line| line.pending);
            let oldest_at = line.and_then(|line| line.oldest_at).map_or(f64::NAN, seconds);
            set(&self.families.outbox_pending, &[channel], number(pending));
            set(&self.families.outbox_oldest, &[channel], oldest_at);
        }
    }

    /// The configuration was loaded, or a new one was refused.
    pub fn reloaded(&self, successful: bool, at: Timestamp) {
        set(&self.families.reload_successful, NONE, truth(successful));
        if successful {
            set(&self.families.reload_success_at, NONE, seconds(at));
        }
    }

    /// The database refused `operation`.
    pub fn storage_failed(&self, operation: &'static str) {
        self.families.storage_errors.with_label_values(&[operation]).inc();
    }

    /// Whether history is not stored in full for the moment.
    pub fn storage_degraded(&self, degraded: bool) {
        set(&self.families.storage_degraded, NONE, truth(degraded));
    }

    /// Sizes of the files.
    pub fn storage_sizes(&self, database_bytes: u64, wal_bytes: u64) {
        set(&self.families.database_size, NONE, number(database_bytes));
        set(&self.families.wal_size, NONE, number(wal_bytes));
    }

    /// The wall clock was set.
    pub fn clock_stepped(&self) {
        self.families.clock_steps.with_label_values(NONE).inc();
    }

    /// A panic was contained.
    pub fn panicked(&self, task: Task) {
        self.families.panics.with_label_values(&[task.as_str()]).inc();
    }

    /// A message was logged.
    pub fn logged(&self, level: tracing::Level) {
        self.families.log_messages.with_label_values(&[level_word(level)]).inc();
    }

    /// Prometheus text 0.0.4, with the metrics of the process.
    pub fn render(&self) -> String {
        let mut families = self.registry.gather();
        families.extend(prometheus::gather());
        let text = TextEncoder::new().encode_to_string(&families).unwrap_or_else(|fault| {
            // Only a family without series could be refused, and the encoder gets none of those.
            format!("# the metrics cannot be encoded: {fault}\n")
        });
        // Quantiles are a summary to those who read them (promlint allows the label nowhere else);
        // the crate can only count one, and these are learned elsewhere.
        text.replacen(BASELINE_AS_GAUGE, BASELINE_AS_SUMMARY, 1)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The word of the label `level`.
fn level_word(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

fn open_incidents(page: &Page, impact: Impact) -> f64 {
    number(page.incidents.iter().filter(|incident| incident.impact == impact).count())
}

fn truth(claim: bool) -> f64 {
    f64::from(u8::from(claim))
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

/// A count as a sample; exact up to 2^53, which no count of ours reaches.
#[expect(clippy::cast_precision_loss, reason = "samples are floats by definition")]
fn number<N: TryInto<u64>>(count: N) -> f64 {
    count.try_into().map_or(f64::NAN, |count| count as f64)
}
