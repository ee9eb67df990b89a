//! The metric families: name, type, labels and HELP of each, exactly once.
//!
//! Owns the spelling that dashboards and alert rules depend on (contract, section 6). Does not
//! know when a value changes. Invariant: the HELP text is the doc comment of the field.

use prometheus::{
    CounterVec, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry,
    core::Collector,
};

/// From a quick anonymous read to a create request that runs into its timeout.
const PROBE_SECONDS: &[f64] =
    &[0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0];

/// A healthy scheduler is late by milliseconds, a starved one by seconds.
const LAG_SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Official pages admit an incident after minutes, some after hours.
const LEAD_SECONDS: &[f64] =
    &[60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0];

/// From a create request that is answered at once to a job that is stuck for hours.
const STAGE_SECONDS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 2_700.0, 3_600.0,
    7_200.0, 14_400.0, 43_200.0, 86_400.0,
];

/// Declares the struct of all families and its registration from one list.
macro_rules! families {
    ($( $(#[doc = $help:literal])+ $field:ident: $kind:ident $name:literal $labels:tt $($buckets:ident)?; )+) => {
        /// Every family, registered.
        #[derive(Debug)]
        pub(super) struct Families {
            $( $(#[doc = $help])+ pub(super) $field: families!(@type $kind), )+
        }

        impl Families {
            /// Registers every family with `registry`, which holds none of them yet.
            pub(super) fn register(registry: &Registry) -> Self {
                Self {
                    $( $field: registered(registry, families!(@new $kind $name, concat!($($help),+), &$labels $(, $buckets)?)), )+
                }
            }
        }
    };
    (@type gauge) => { GaugeVec };
    (@type counter) => { IntCounterVec };
    (@type amount) => { CounterVec };
    (@type histogram) => { HistogramVec };
    (@new gauge $name:literal, $help:expr, $labels:expr) => {
        GaugeVec::new(Opts::new($name, $help.trim()), $labels)
    };
    (@new counter $name:literal, $help:expr, $labels:expr) => {
        IntCounterVec::new(Opts::new($name, $help.trim()), $labels)
    };
    (@new amount $name:literal, $help:expr, $labels:expr) => {
        CounterVec::new(Opts::new($name, $help.trim()), $labels)
    };
    (@new histogram $name:literal, $help:expr, $labels:expr, $buckets:ident) => {
        HistogramVec::new(HistogramOpts::new($name, $help.trim()).buckets($buckets.to_vec()), $labels)
    };
}

fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    family: prometheus::Result<C>,
) -> C {
    let family = family.expect("names and labels are literals that a test registers");
    registry.register(Box::new(family.clone())).expect("each name stands once in the list");
    family
}

families! {
    /// State of a capability: 1 for the state it is in, 0 for the others.
    /// Unit: 0 or 1. Source: the verdict.
    capability_state: gauge "heygen_capability_state" ["capability", "state"];
    /// Whose move it is, per capability: 1 for that side, 0 for the others.
    /// Unit: 0 or 1. Source: the verdict.
    capability_blame: gauge "heygen_capability_blame" ["capability", "blame"];
    /// State of a mapped row of a status page as the page tells it; unknown while the page is unreadable.
    /// Unit: 0 or 1. Source: the status page.
    component_state: gauge "heygen_component_state" ["source", "component", "state"];
    /// Whether the last reading of the status page succeeded.
    /// Unit: 0 or 1. Source: the status page.
    source_up: gauge "heygen_source_up" ["source"];
    /// When the status page was last read well.
    /// Unit: seconds since 1970. Source: the status page.
    source_last_success: gauge "heygen_source_last_success_timestamp_seconds" ["source"];
    /// Open incidents on the status page by the impact that it states.
    /// Unit: incidents. Source: the status page.
    official_incidents_open: gauge "heygen_official_incidents_open" ["source", "impact"];
    /// Whether the last run of the probe that was not skipped ended ok or slow.
    /// Unit: 0 or 1. Source: the probe.
    probe_up: gauge "heygen_probe_up" ["probe"];
    /// When the last run of the probe that was not skipped ended.
    /// Unit: seconds since 1970. Source: the probe.
    probe_last_run: gauge "heygen_probe_last_run_timestamp_seconds" ["probe"];
    /// When the probe last ended ok or slow; of a probe that looks at several paths, the path that did so longest ago.
    /// Unit: seconds since 1970. Source: the probe.
    probe_last_success: gauge "heygen_probe_last_success_timestamp_seconds" ["probe"];
    /// Observations by outcome.
    /// Unit: runs. Source: the probe.
    probe_observations: counter "heygen_probe_observations_total" ["probe", "outcome"];
    /// How long runs of the probe took, skipped ones left out.
    /// Unit: seconds. Source: the probe.
    probe_duration: histogram "heygen_probe_duration_seconds" ["probe"] PROBE_SECONDS;
    /// How long the phase took when it last happened; connect is TCP and TLS.
    /// Unit: seconds. Source: the probe.
    probe_phase: gauge "heygen_probe_phase_seconds" ["probe", "phase"];
    /// When the certificate that the probe last saw expires.
    /// Unit: seconds since 1970. Source: the probe.
    certificate_expiry: gauge "heygen_certificate_expiry_timestamp_seconds" ["probe"];
    /// How long jobs were in a stage, as far as it can be told from outside; submit is the create request of a test.
    /// Unit: seconds. Source: the queue and paid probes.
    job_stage_duration: histogram "heygen_job_stage_duration_seconds" ["capability", "origin", "stage"] STAGE_SECONDS;
    /// Jobs that are in the stage now; abandoned ones are left out.
    /// Unit: jobs. Source: the queue and paid probes.
    jobs_in_flight: gauge "heygen_jobs_in_flight" ["capability", "origin", "stage"];
    /// Since when the oldest job has been in the stage; NaN while there is none.
    /// Unit: seconds since 1970. Source: the queue and paid probes.
    job_oldest_stage_start: gauge "heygen_job_oldest_stage_start_timestamp_seconds" ["capability", "origin", "stage"];
    /// How long the stage usually takes, by quantile; NaN until enough was learned.
    /// Unit: seconds. Source: completed jobs of 30 days.
    job_baseline: gauge "heygen_job_baseline_seconds" ["capability", "origin", "stage", "quantile"];
    /// From when on a job is late or stuck in the stage.
    /// Unit: seconds. Source: the configuration and completed jobs of 30 days.
    job_limit: gauge "heygen_job_limit_seconds" ["capability", "origin", "stage", "limit"];
    /// What paid tests cost, by their reserved prices.
    /// Unit: US dollars. Source: the ledger of paid tests.
    spend: amount "heygen_spend_usd_total" ["probe"];
    /// What paid tests may cost in a day and in a month.
    /// Unit: US dollars. Source: the configuration.
    budget_limit: gauge "heygen_budget_limit_usd" ["window"];
    /// What the account holds as HeyGen last told it; NaN for what it has not.
    /// Unit: the label unit. Source: the account endpoint.
    balance: gauge "heygen_balance" ["unit", "pool"];
    /// Open incidents by whose side they are on.
    /// Unit: incidents. Source: the verdict.
    incidents_open: gauge "heygen_incidents_open" ["blame"];
    /// Incidents opened by whose side they were on.
    /// Unit: incidents. Source: the verdict.
    incidents: counter "heygen_incidents_total" ["blame"];
    /// How long before the official page we knew of an incident; observed when the page admits it, and not when the page was first.
    /// Unit: seconds. Source: the verdict and the status page.
    status_page_lead: histogram "heygen_status_page_lead_seconds" ["capability"] LEAD_SECONDS;
    /// Always 1; what runs, and where.
    /// Unit: none. Source: the program.
    build_info: gauge "heygen_monitor_build_info" ["version", "revision", "vantage"];
    /// How long after its due time a probe was started.
    /// Unit: seconds. Source: the monitor loop.
    scheduler_lag: histogram "heygen_monitor_scheduler_lag_seconds" [] LAG_SECONDS;
    /// Runs that did not take place, by reason.
    /// Unit: runs. Source: the monitor loop.
    probe_skipped: counter "heygen_monitor_probe_skipped_total" ["probe", "reason"];
    /// Whether the controls reach the internet at large.
    /// Unit: 0 or 1. Source: the control probe.
    internet_up: gauge "heygen_monitor_internet_up" [];
    /// Attempts to send a notification.
    /// Unit: attempts. Source: the deliver loop.
    notifications: counter "heygen_monitor_notifications_total" ["channel", "event"];
    /// Attempts to send a notification that failed, by reason.
    /// Unit: attempts. Source: the deliver loop.
    notification_failures: counter "heygen_monitor_notification_failures_total" ["channel", "reason"];
    /// Notifications given up because the channel refused them for good.
    /// Unit: notifications. Source: the deliver loop.
    notifications_dead: counter "heygen_monitor_notifications_dead_total" ["channel"];
    /// Notifications that wait to be sent.
    /// Unit: notifications. Source: the database.
    outbox_pending: gauge "heygen_monitor_outbox_pending" ["channel"];
    /// When the oldest waiting notification came to be owed; NaN while none waits.
    /// Unit: seconds since 1970. Source: the database.
    outbox_oldest: gauge "heygen_monitor_outbox_oldest_timestamp_seconds" ["channel"];
    /// Whether the last attempt to load the configuration succeeded.
    /// Unit: 0 or 1. Source: the configuration.
    reload_successful: gauge "heygen_monitor_config_last_reload_successful" [];
    /// When the configuration was last loaded successfully.
    /// Unit: seconds since 1970. Source: the configuration.
    reload_success_at: gauge "heygen_monitor_config_last_reload_success_timestamp_seconds" [];
    /// Operations on the database that failed.
    /// Unit: operations. Source: the database.
    storage_errors: counter "heygen_monitor_storage_errors_total" ["operation"];
    /// Whether history is not stored in full for the moment: the database refuses, or its disk is full.
    /// Unit: 0 or 1. Source: the database.
    storage_degraded: gauge "heygen_monitor_storage_degraded" [];
    /// Size of the database file.
    /// Unit: bytes. Source: the file system.
    database_size: gauge "heygen_monitor_database_size_bytes" [];
    /// Size of the write-ahead log of the database.
    /// Unit: bytes. Source: the file system.
    wal_size: gauge "heygen_monitor_wal_size_bytes" [];
    /// Steps of the wall clock that were noticed.
    /// Unit: steps. Source: the clock.
    clock_steps: counter "heygen_monitor_clock_steps_total" [];
    /// Panics that were contained, by the task that had them.
    /// Unit: panics. Source: the loops.
    panics: counter "heygen_monitor_panics_total" ["task"];
    /// Messages logged, by level.
    /// Unit: messages. Source: the log.
    log_messages: counter "heygen_monitor_log_messages_total" ["level"];
}
