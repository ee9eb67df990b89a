//! `/metrics`: names, series from the first scrape, and what each event does to them.

use std::sync::Arc;
use std::time::Duration;

use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::metrics::{Catalogue, LogCounter, Metrics, Task};
use heygen_monitor::model::{
    AccountReading, Attempt, AttemptResult, Baseline, Blame, BudgetView, Capability, Component,
    ComponentState, EventKind, FailureReason, JobKind, Origin, Outcome, Page, Pool, PoolName,
    ProbeKind, SkipReason, SourceReading, Stage, StageView, Unit, Usd,
};
use heygen_monitor::store::OutboxLine;
use tracing_subscriber::layer::SubscriberExt;

use crate::sample_view::{api_outage, at, map, observation, page, probe, reading};

/// The families of the contract, section 6, that have a source by now: name, type, labels.
const CONTRACT: &str = "
heygen_capability_state gauge capability,state
heygen_capability_blame gauge capability,blame
heygen_component_state gauge source,component,state
heygen_source_up gauge source
heygen_source_last_success_timestamp_seconds gauge source
heygen_official_incidents_open gauge source,impact
heygen_probe_up gauge probe
heygen_probe_last_run_timestamp_seconds gauge probe
heygen_probe_last_success_timestamp_seconds gauge probe
heygen_probe_observations_total counter probe,outcome
heygen_probe_duration_seconds histogram probe
heygen_probe_phase_seconds gauge probe,phase
heygen_certificate_expiry_timestamp_seconds gauge probe
heygen_job_stage_duration_seconds histogram capability,origin,stage
heygen_jobs_in_flight gauge capability,origin,stage
heygen_job_oldest_stage_start_timestamp_seconds gauge capability,origin,stage
heygen_job_baseline_seconds summary capability,origin,stage,quantile
heygen_job_limit_seconds gauge capability,origin,stage,limit
heygen_spend_usd_total counter probe
heygen_budget_limit_usd gauge window
heygen_balance gauge unit,pool
heygen_incidents_open gauge blame
heygen_incidents_total counter blame
heygen_status_page_lead_seconds histogram capability
heygen_monitor_build_info gauge version,revision,vantage
heygen_monitor_scheduler_lag_seconds histogram -
heygen_monitor_probe_skipped_total counter probe,reason
heygen_monitor_internet_up gauge -
heygen_monitor_notifications_total counter channel,event
heygen_monitor_notification_failures_total counter channel,reason
heygen_monitor_notifications_dead_total counter channel
heygen_monitor_outbox_pending gauge channel
heygen_monitor_outbox_oldest_timestamp_seconds gauge channel
heygen_monitor_config_last_reload_successful gauge -
heygen_monitor_config_last_reload_success_timestamp_seconds gauge -
heygen_monitor_storage_errors_total counter operation
heygen_monitor_storage_degraded gauge -
heygen_monitor_database_size_bytes gauge -
heygen_monitor_wal_size_bytes gauge -
heygen_monitor_clock_steps_total counter -
heygen_monitor_panics_total counter task
heygen_monitor_log_messages_total counter level
";

fn catalogue() -> Catalogue {
    Catalogue {
        vantage: "fra-1".to_owned(),
        probes: vec![
            ("api-read".to_owned(), ProbeKind::Api),
            ("control".to_owned(), ProbeKind::Control),
            ("render".to_owned(), ProbeKind::Render),
        ],
        sources: vec![("heygen".to_owned(), map())],
        channels: vec!["team-slack".to_owned()],
        jobs: vec![
            (Capability::VideoGeneration, Origin::Canary),
            (Capability::VideoTranslation, Origin::Natural),
            (Capability::Speech, Origin::Canary),
        ],
    }
}

fn metrics() -> Metrics {
    Metrics::new(&catalogue())
}

/// The sample of one series, written as in the text format.
fn sample(metrics: &Metrics, series: &str) -> Option<String> {
    metrics.render().lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.to_owned())
    })
}

#[track_caller]
fn check(metrics: &Metrics, expected: &[(&str, &str)]) {
    for (series, value) in expected {
        assert_eq!(sample(metrics, series).as_deref(), Some(*value), "{series}");
    }
}

fn label_names(series: &str) -> Vec<&str> {
    let Some((_, labels)) = series.split_once('{') else {
        return Vec::new();
    };
    labels
        .split("\",")
        .filter_map(|label| label.split_once('=').map(|(name, _)| name))
        .filter(|name| *name != "le")
        .collect()
}

#[test]
fn every_name_type_and_label_of_the_contract_is_spelled_exactly() {
    let metrics = metrics();
    metrics.read(&reading(Ok(page())));
    let text = metrics.render();
    for line in CONTRACT.lines().filter(|line| !line.is_empty()) {
        let [name, kind, labels] = line.split(' ').collect::<Vec<_>>()[..] else { panic!() };
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name} {kind}");
        let help = text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} ")));
        let help = help.unwrap_or_else(|| panic!("{name} has no help"));
        assert!(help.contains(". Unit: ") && help.contains(". Source: "), "{name}: {help}");
        let stem = if kind == "histogram" { format!("{name}_count") } else { name.to_owned() };
        let series = text
            .lines()
            .find(|line| line.strip_prefix(&stem).is_some_and(|rest| rest.starts_with(['{', ' '])))
            .unwrap_or_else(|| panic!("{name} has no series"));
        let mut expected: Vec<_> = labels.split(',').filter(|label| *label != "-").collect();
        expected.sort_unstable();
        assert_eq!(label_names(series), expected, "{name}");
    }
    let known: Vec<_> = CONTRACT.lines().filter_map(|line| line.split(' ').next()).collect();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(known.contains(&name) || name.starts_with("process_"), "{name} is not in the list");
    }
}

#[test]
fn the_first_scrape_shows_every_series() {
    let text = metrics().render();
    let ours: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("heygen_") && !line.contains("_bucket"))
        .map(|line| line.replace(env!("CARGO_PKG_VERSION"), "VERSION"))
        .collect();
    insta::assert_snapshot!(ours.join("\n"));
}

/// A page with more rows than are shown, each mapped.
fn crowded_page() -> Page {
    let row = |i: usize| Component {
        id: format!("c{i}"),
        name: format!("api {i}"),
        group: None,
        state: ComponentState::Operational,
        raw: "operational".to_owned(),
    };
    Page { components: (0..100).map(row).collect(), ..page() }
}

#[test]
fn a_hundred_probes_stay_below_ten_thousand_series() {
    let kinds = ProbeKind::ALL.into_iter().filter(|kind| *kind != ProbeKind::StatusPage);
    let probes = kinds.cycle().take(100).enumerate();
    let everything = ComponentMap {
        components: vec![("*".to_owned(), Capability::Api)],
        ..ComponentMap::default()
    };
    let metrics = Metrics::new(&Catalogue {
        probes: probes.map(|(i, kind)| (format!("probe-{i}"), kind)).collect(),
        sources: (0..4).map(|i| (format!("source-{i}"), everything.clone())).collect(),
        channels: (0..10).map(|i| format!("channel-{i}")).collect(),
        jobs: [Capability::VideoGeneration, Capability::VideoTranslation]
            .into_iter()
            .flat_map(|capability| Origin::ALL.map(|origin| (capability, origin)))
            .chain([(Capability::Speech, Origin::Canary)])
            .collect(),
        ..catalogue()
    });
    for i in 0..4 {
        let source = format!("source-{i}");
        metrics.read(&SourceReading { source, ..reading(Ok(crowded_page())) });
    }
    let series = metrics.render().lines().filter(|line| !line.starts_with('#')).count();
    assert!((5_000..10_000).contains(&series), "{series}");
}

#[test]
fn an_observation_counts_once_under_its_outcome() {
    let metrics = metrics();
    metrics.observed(&observation("api-read", Outcome::Unavailable));
    metrics.observed(&observation("removed-long-ago", Outcome::Unavailable));
    check(
        &metrics,
        &[
            (r#"heygen_probe_observations_total{outcome="unavailable",probe="api-read"}"#, "1"),
            (r#"heygen_probe_observations_total{outcome="ok",probe="api-read"}"#, "0"),
            (r#"heygen_probe_duration_seconds_sum{probe="api-read"}"#, "0.21"),
            (r#"heygen_probe_phase_seconds{phase="ttfb",probe="api-read"}"#, "0.18"),
            (r#"heygen_probe_phase_seconds{phase="dns",probe="api-read"}"#, "NaN"),
            (r#"heygen_certificate_expiry_timestamp_seconds{probe="api-read"}"#, "1797724800"),
        ],
    );
    assert!(!metrics.render().contains("removed-long-ago"));
}

#[test]
fn a_skipped_run_has_a_reason_and_no_duration() {
    let metrics = metrics();
    let mut skipped = observation("api-read", Outcome::Skipped);
    skipped.skipped = Some(SkipReason::Maintenance);
    metrics.observed(&skipped);
    check(
        &metrics,
        &[
            (r#"heygen_monitor_probe_skipped_total{probe="api-read",reason="maintenance"}"#, "1"),
            (r#"heygen_probe_observations_total{outcome="skipped",probe="api-read"}"#, "1"),
            (r#"heygen_probe_duration_seconds_count{probe="api-read"}"#, "0"),
        ],
    );
}

#[test]
fn the_view_becomes_state_sets_and_gauges() {
    let metrics = metrics();
    let mut view = api_outage();
    let yesterday = at("2026-11-19T00:00:00Z");
    view.probes.push(probe("api-read", Outcome::Ok, Some(yesterday)));
    metrics.believe(&view);
    check(
        &metrics,
        &[
            (r#"heygen_capability_state{capability="api",state="outage"}"#, "1"),
            (r#"heygen_capability_state{capability="api",state="operational"}"#, "0"),
            (r#"heygen_capability_blame{blame="provider",capability="api"}"#, "1"),
            (r#"heygen_capability_blame{blame="none",capability="api"}"#, "0"),
            (r#"heygen_incidents_open{blame="provider"}"#, "1"),
            ("heygen_monitor_internet_up", "1"),
            (r#"heygen_probe_up{probe="api-read"}"#, "0"),
            (r#"heygen_probe_up{probe="control"}"#, "NaN"),
            (r#"heygen_probe_last_success_timestamp_seconds{probe="api-read"}"#, "NaN"),
        ],
    );
}

#[test]
fn a_page_that_cannot_be_read_leaves_no_green_row() {
    let metrics = metrics();
    metrics.read(&reading(Ok(page())));
    let row = |state: &str| {
        let labels = r#"component="api_heygen_com",source="heygen""#;
        format!(r#"heygen_component_state{{{labels},state="{state}"}}"#)
    };
    check(
        &metrics,
        &[
            (&row("partial_outage"), "1"),
            (&row("operational"), "0"),
            (r#"heygen_source_up{source="heygen"}"#, "1"),
            (r#"heygen_official_incidents_open{impact="minor",source="heygen"}"#, "1"),
        ],
    );
    assert!(!metrics.render().contains("liveavatar"), "rows that are not mapped have no series");
    metrics.read(&reading(Err("HTML where JSON was".to_owned())));
    check(
        &metrics,
        &[
            (&row("unknown"), "1"),
            (&row("partial_outage"), "0"),
            (r#"heygen_source_up{source="heygen"}"#, "0"),
            (r#"heygen_official_incidents_open{impact="minor",source="heygen"}"#, "NaN"),
            (r#"heygen_source_last_success_timestamp_seconds{source="heygen"}"#, "1795166340"),
        ],
    );
}

#[test]
fn attempts_failures_and_dead_ones_are_counted_apart() {
    let metrics = metrics();
    let attempt = |result| Attempt { at: at("2026-11-20T09:00:00Z"), result };
    let detail = || "the channel said no".to_owned();
    let results = [
        AttemptResult::Retry { reason: FailureReason::Timeout, detail: detail(), after: None },
        AttemptResult::Accepted { provider_ref: None },
        AttemptResult::Dead { reason: FailureReason::Rejected, detail: detail() },
    ];
    for result in results {
        metrics.attempted("team-slack", EventKind::Opened, &attempt(result));
    }
    let failures = "heygen_monitor_notification_failures_total";
    check(
        &metrics,
        &[
            (r#"heygen_monitor_notifications_total{channel="team-slack",event="opened"}"#, "3"),
            (&format!(r#"{failures}{{channel="team-slack",reason="timeout"}}"#), "1"),
            (&format!(r#"{failures}{{channel="team-slack",reason="rejected"}}"#), "1"),
            (r#"heygen_monitor_notifications_dead_total{channel="team-slack"}"#, "1"),
        ],
    );
}

#[test]
fn a_channel_that_owes_nothing_shows_zero_and_no_time() {
    let metrics = metrics();
    let line = OutboxLine {
        channel: "team-slack".to_owned(),
        pending: 2,
        oldest_at: Some(at("2026-11-20T09:00:00Z")),
    };
    metrics.outbox(&[line]);
    let pending = r#"heygen_monitor_outbox_pending{channel="team-slack"}"#;
    let oldest = r#"heygen_monitor_outbox_oldest_timestamp_seconds{channel="team-slack"}"#;
    check(&metrics, &[(pending, "2"), (oldest, "1795165200")]);
    metrics.outbox(&[]);
    check(&metrics, &[(pending, "0"), (oldest, "NaN")]);
}

#[test]
fn a_reload_keeps_the_counters_of_what_stays_and_drops_what_goes() {
    let metrics = metrics();
    metrics.observed(&observation("api-read", Outcome::Ok));
    metrics.read(&reading(Ok(page())));
    let mut after = catalogue();
    after.vantage = "sgp-1".to_owned();
    after.probes.retain(|(name, _)| name == "api-read");
    after.jobs.clear();
    after.probes.push(("web".to_owned(), ProbeKind::Web));
    after.sources.clear();
    after.channels = vec!["oncall".to_owned()];
    metrics.set_catalogue(&after);
    check(
        &metrics,
        &[
            (r#"heygen_probe_observations_total{outcome="ok",probe="api-read"}"#, "1"),
            (r#"heygen_probe_up{probe="web"}"#, "NaN"),
            (r#"heygen_monitor_notifications_dead_total{channel="oncall"}"#, "0"),
        ],
    );
    let text = metrics.render();
    for gone in [
        r#"probe="render""#,
        "heygen_jobs_in_flight{",
        r#"probe="control""#,
        r#"source="heygen""#,
        r#"channel="team-slack""#,
        "fra-1",
    ] {
        assert!(!text.contains(gone), "{gone}");
    }
    assert_eq!(text.matches("heygen_monitor_build_info{").count(), 1);
}

/// Two translations of the account's own wait to start.
fn waiting() -> StageView {
    StageView {
        kind: JobKind::Translation,
        origin: Origin::Natural,
        stage: Stage::Queue,
        in_flight: 2,
        oldest_since: Some(at("2026-11-20T09:00:00Z")),
        baseline: Some(Baseline {
            count: 212,
            median: Duration::from_secs(40),
            q90: Duration::from_secs(90),
            q99: Duration::from_mins(4),
        }),
        late: Duration::from_mins(6),
        stuck: Duration::from_mins(12),
    }
}

#[test]
fn stages_become_gauges_and_what_is_no_longer_told_is_nan() {
    let metrics = metrics();
    let mut view = api_outage();
    view.stages = vec![waiting(), StageView { kind: JobKind::Video, ..waiting() }];
    metrics.believe(&view);
    let labels = r#"capability="video_translation""#;
    let queue = r#"origin="natural""#;
    let in_flight = format!(r#"heygen_jobs_in_flight{{{labels},{queue},stage="queue"}}"#);
    let oldest = format!(
        r#"heygen_job_oldest_stage_start_timestamp_seconds{{{labels},{queue},stage="queue"}}"#
    );
    let q99 =
        format!(r#"heygen_job_baseline_seconds{{{labels},{queue},quantile="0.99",stage="queue"}}"#);
    let stuck =
        format!(r#"heygen_job_limit_seconds{{{labels},limit="stuck",{queue},stage="queue"}}"#);
    check(&metrics, &[(&in_flight, "2"), (&oldest, "1795165200"), (&q99, "240"), (&stuck, "720")]);
    let foreign = r#"capability="video_generation",origin="natural""#;
    assert!(!metrics.render().contains(foreign), "nobody asked for these");
    view.stages.clear();
    metrics.believe(&view);
    for series in [&in_flight, &oldest, &q99, &stuck] {
        check(&metrics, &[(series, "NaN")]);
    }
}

#[test]
fn the_time_in_a_stage_is_observed_for_jobs_that_are_watched() {
    let metrics = metrics();
    let minute = Duration::from_mins(1);
    metrics.staged(Capability::VideoGeneration, Origin::Canary, Stage::Submit, minute);
    metrics.staged(Capability::VideoGeneration, Origin::Natural, Stage::Queue, minute);
    metrics.staged(Capability::Speech, Origin::Canary, Stage::Processing, minute);
    let sum = "heygen_job_stage_duration_seconds_sum";
    let canary = r#"capability="video_generation",origin="canary""#;
    check(&metrics, &[(&format!(r#"{sum}{{{canary},stage="submit"}}"#), "60")]);
    let text = metrics.render();
    assert!(!text.contains(r#"capability="speech",origin="canary",stage="processing""#));
    assert!(!text.contains(r#"capability="video_generation",origin="natural""#));
}

#[test]
fn money_is_counted_in_dollars_and_a_balance_in_its_own_unit() {
    let metrics = metrics();
    metrics.spent("render", Usd(150_000));
    metrics.spent("render", Usd(170_000));
    metrics.spent("render", Usd(-1));
    metrics.spent("api-read", Usd(150_000));
    let mut view = api_outage();
    let pool = |name, unit, remaining| Pool { name, unit, remaining };
    view.budget = BudgetView {
        per_day: Usd(1_000_000),
        per_month: Usd(20_000_000),
        account: Some(AccountReading {
            at: view.verdict.at,
            pools: vec![pool(PoolName::Wallet, Unit::Usd, 12.5)],
            plan: heygen_monitor::model::Plan::default(),
            auto_reload: Some(false),
            key_expires_at: None,
            clock_skew: None,
        }),
        ..BudgetView::default()
    };
    metrics.believe(&view);
    let wallet = |unit: &str| format!(r#"heygen_balance{{pool="wallet",unit="{unit}"}}"#);
    check(
        &metrics,
        &[
            (r#"heygen_spend_usd_total{probe="render"}"#, "0.32"),
            (r#"heygen_budget_limit_usd{window="day"}"#, "1"),
            (r#"heygen_budget_limit_usd{window="month"}"#, "20"),
            (&wallet("usd"), "12.5"),
            (&wallet("credits"), "NaN"),
        ],
    );
    assert!(!metrics.render().contains(r#"heygen_spend_usd_total{probe="api-read"}"#));
}

#[test]
fn single_events_reach_their_series() {
    let metrics = metrics();
    metrics.incident_opened(Blame::Account);
    metrics.page_lead(Capability::Api, Duration::from_mins(14));
    metrics.scheduler_lag(Duration::from_millis(3));
    metrics.reloaded(true, at("2026-11-20T09:00:00Z"));
    metrics.reloaded(false, at("2026-11-20T10:00:00Z"));
    metrics.storage_failed("commit");
    metrics.storage_degraded(true);
    metrics.storage_sizes(4_096, 32_768);
    metrics.clock_stepped();
    metrics.panicked(Task::Probe);
    check(
        &metrics,
        &[
            (r#"heygen_incidents_total{blame="account"}"#, "1"),
            (r#"heygen_status_page_lead_seconds_sum{capability="api"}"#, "840"),
            ("heygen_monitor_scheduler_lag_seconds_count", "1"),
            ("heygen_monitor_config_last_reload_successful", "0"),
            ("heygen_monitor_config_last_reload_success_timestamp_seconds", "1795165200"),
            (r#"heygen_monitor_storage_errors_total{operation="commit"}"#, "1"),
            ("heygen_monitor_storage_degraded", "1"),
            ("heygen_monitor_database_size_bytes", "4096"),
            ("heygen_monitor_wal_size_bytes", "32768"),
            ("heygen_monitor_clock_steps_total", "1"),
            (r#"heygen_monitor_panics_total{task="probe"}"#, "1"),
        ],
    );
}

#[test]
fn log_messages_are_counted_by_level() {
    let metrics = Arc::new(metrics());
    let counter = LogCounter::default();
    counter.count_into(&metrics);
    let subscriber = tracing_subscriber::registry().with(counter);
    tracing::subscriber::with_default(subscriber, || {
        tracing::warn!("a probe could not be run");
        tracing::warn!("another one");
        tracing::error!("a human must act");
    });
    check(
        &metrics,
        &[
            (r#"heygen_monitor_log_messages_total{level="warn"}"#, "2"),
            (r#"heygen_monitor_log_messages_total{level="error"}"#, "1"),
        ],
    );
}

#[test]
fn the_process_is_measured_too() {
    assert!(metrics().render().contains("\nprocess_resident_memory_bytes "));
}
