//! What reading a long history costs: `cargo bench --bench history`.
//!
//! Fills a database and times what `report --since 90d`, the pages and `/api/v1/uptime` read of it.
//! `HEYGEN_MONITOR_BENCH_ROWS=10000000` makes it the size that is promised for (1 GB, minutes);
//! `HEYGEN_MONITOR_BENCH_DIR` keeps it for another run.

#![allow(clippy::print_stdout, reason = "what was measured goes to stdout")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on panics")]

use std::future::Future;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::engine::uptime::{Scope, Window, uptime};
use heygen_monitor::model::{Capability, Timestamp};
use heygen_monitor::store::{JobFilter, ObservationFilter, Store};
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};
use tokio::time::Instant;

const BINARY: &str = env!("CARGO_BIN_EXE_heygen-monitor");
/// Enough to see that nothing is broken.
const ROWS: i64 = 100_000;
const SERIES: i64 = 12;
const DAYS: i64 = 90;
const DAY_MS: i64 = 86_400_000;
const ROUNDS: usize = 40;

/// One in a hundred failed.
const FILL_OBSERVATIONS: &str = "
    WITH RECURSIVE run (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM run WHERE n + 1 < ?3)
    INSERT INTO observations (series_id, ended_at_ms, duration_ms, outcome)
    SELECT ?1, ?2 + n * ?4, 200 + n % 700, CASE WHEN n % 100 = 7 THEN 'unavailable' END FROM run";

const FILL_DETAILS: &str = "
    INSERT INTO details (series_id, ended_at_ms, answered, evidence)
    SELECT series_id, ended_at_ms, 1,
        '{\"text\":\"503 from api.heygen.com after 210 ms\",\"host\":\"api.heygen.com\"}'
    FROM observations WHERE series_id = ?1 AND outcome IS NOT NULL";

/// Down for 20 of every 400 minutes.
const FILL_CHANGES: &str = "
    WITH RECURSIVE run (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM run WHERE n + 1 < 650)
    INSERT INTO capability_changes (capability, at_ms, state, blame, reason)
    SELECT ?1, ?2 + (n / 2) * 24000000 + (n % 2) * 1200000,
        CASE n % 2 WHEN 0 THEN 'outage' ELSE 'operational' END,
        CASE n % 2 WHEN 0 THEN 'provider' ELSE 'none' END,
        CASE n % 2 WHEN 0 THEN 'unavailable' ELSE 'ok' END
    FROM run";

const FILL_INCIDENTS: &str = "
    WITH RECURSIVE run (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM run WHERE n + 1 < 325)
    INSERT INTO incidents (id, blame, cause, reason, state, worst_state, capabilities,
        opened_at_ms, confirmed_at_ms, resolved_at_ms, acknowledged_at_ms, flapping, subject,
        headline, evidence)
    SELECT n + 1, 'provider', 'host:api.heygen.com', 'unavailable', 'outage', 'outage',
        '[\"api\",\"authentication\"]', ?1 + n * 24000000 - 40000, ?1 + n * 24000000,
        ?1 + n * 24000000 + 1190000, NULL, 0, 'HeyGen', 'API: answers 503.', '[]'
    FROM run";

const FILL_HEARTBEATS: &str = "
    WITH RECURSIVE run (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM run WHERE n + 1 < 90)
    INSERT INTO heartbeats (begun_at_ms, ended_at_ms)
    SELECT ?1 + n * 86400000, ?1 + (n + 1) * 86400000 - 600000 FROM run";

const FILL_CLAIMS: &str = "
    WITH RECURSIVE run (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM run WHERE n + 1 < 400)
    INSERT INTO component_changes (source, component, at_ms, name, state, raw)
    SELECT 'heygen', 'c' || (n % 8), ?1 + n * 19000000, 'api.heygen.com',
        CASE n % 3 WHEN 0 THEN 'partial_outage' ELSE 'operational' END, ''
    FROM run";

const FILL_JOBS: &str = "
    WITH RECURSIVE run (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM run WHERE n + 1 < 20000)
    INSERT INTO jobs (kind, id, origin, created_at_ms, first_seen_at_ms, seen_at_ms, state,
        ended_earliest_at_ms, ended_latest_at_ms, finished_at_ms, abandoned, sample, has_failure)
    SELECT 'video', 'v_' || n, 'natural', ?1 + n * 388000, ?1 + n * 388000, ?1 + n * 388000,
        'completed', ?1 + n * 388000 + 240000, ?1 + n * 388000 + 250000,
        ?1 + n * 388000 + 250000, 0, 1, 0
    FROM run";

fn main() {
    let rows = std::env::var("HEYGEN_MONITOR_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok());
    let rows: i64 = rows.unwrap_or(ROWS);
    let temporary = tempfile::tempdir().unwrap();
    let directory = std::env::var_os("HEYGEN_MONITOR_BENCH_DIR")
        .map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&directory).unwrap();
    let now = Clock::system().now();
    let path = directory.join("history.db");
    if !path.exists() {
        fill(&path, rows, now);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&path, now));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = configuration(&directory, &path, port);
    report(&config);
    let daemon = Daemon::start(&config);
    runtime.block_on(pages(port));
    drop(daemon);
}

/// Watches nothing but itself, and throws away nothing of what was filled in.
fn configuration(directory: &Path, path: &Path, port: u16) -> PathBuf {
    let config = directory.join("config.toml");
    let text = format!(
        "[storage]\npath = {:?}\n[storage.retention]\nobservations = \"400d\"\nfailures = \"400d\"\n\
         [web]\nlisten = \"127.0.0.1:{port}\"\n\
         [[probe]]\nname = \"control\"\ncheck.control = {{}}\n",
        path.display().to_string()
    );
    std::fs::write(&config, text).unwrap();
    config
}

fn fill(path: &Path, rows: i64, now: Timestamp) {
    drop(Store::open(path, now).unwrap());
    let mut connection = Connection::open(path).unwrap();
    let begun_ms = now.as_millisecond() - DAYS * DAY_MS;
    let each = rows / SERIES;
    for series in 1..=SERIES {
        let transaction = connection.transaction().unwrap();
        transaction
            .execute(
                "INSERT INTO series (id, probe, subject, kind, anonymous, capabilities)
                 VALUES (?1, 'probe-' || ?1, '', 'api', 0, '[\"api\",\"authentication\"]')",
                [series],
            )
            .unwrap();
        let step_ms = DAYS * DAY_MS / each.max(1);
        transaction.execute(FILL_OBSERVATIONS, params![series, begun_ms, each, step_ms]).unwrap();
        transaction.execute(FILL_DETAILS, [series]).unwrap();
        transaction.commit().unwrap();
    }
    for capability in Capability::ALL {
        connection.execute(FILL_CHANGES, params![capability.as_str(), begun_ms]).unwrap();
    }
    for statement in [FILL_INCIDENTS, FILL_HEARTBEATS, FILL_CLAIMS, FILL_JOBS] {
        connection.execute(statement, [begun_ms]).unwrap();
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

async fn measure(path: &Path, now: Timestamp) {
    let store = Store::open_to_read(path);
    let scope = Scope {
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        uses: Capability::ALL.to_vec(),
        pages: vec![(
            "heygen".to_owned(),
            ComponentMap {
                components: vec![("api.heygen.com".to_owned(), Capability::Api)],
                ..ComponentMap::default()
            },
        )],
    };
    let window = Window::of_days(90, &scope.zone, now);
    println!("{:<42} {:>10} {:>10}", "what", "median", "p95");
    timed("the past of 90 days, read", || store.past(window)).await;
    let past = store.past(window).await.unwrap();
    timed("… counted, 7 capabilities × 90 days", || {
        std::hint::black_box(uptime(&past, &scope, window));
        std::future::ready(Ok::<(), ()>(()))
    })
    .await;
    timed("incidents of 90 days", || store.incidents(window.since, None, 1_000)).await;
    timed("the last 50 runs of a probe", || {
        store.list_observations(ObservationFilter {
            probe: Some("probe-3".to_owned()),
            limit: 50,
            ..ObservationFilter::default()
        })
    })
    .await;
    timed("the last 50 runs of all", || {
        store.list_observations(ObservationFilter { limit: 50, ..ObservationFilter::default() })
    })
    .await;
    timed("the last 50 jobs", || {
        store.jobs(JobFilter {
            live_only: false,
            kind: None,
            origin: None,
            before: None,
            limit: 50,
        })
    })
    .await;
    timed("jobs of 90 days", || store.jobs_within(window, 50_000)).await;
}

async fn timed<T, E, F: Future<Output = Result<T, E>>>(what: &str, work: impl Fn() -> F)
where
    E: std::fmt::Debug,
{
    work().await.unwrap();
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        work().await.unwrap();
        times.push(begun.elapsed());
    }
    print(what, times);
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (median, late) = (times[times.len() / 2], times[times.len() * 95 / 100]);
    println!("{what:<42} {:>10} {:>10}", format!("{median:.1?}"), format!("{late:.1?}"));
}

/// The whole command, start of the process included.
fn report(config: &Path) {
    let times = (0..10).map(|_| {
        let begun = Instant::now();
        let mut command = Command::new(BINARY);
        let arguments = ["report", "--since", "90d", "--details"];
        let output = command.arg("--config").arg(config).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        begun.elapsed()
    });
    print("report --since 90d --details, the command", times.collect());
}

/// The monitor itself, ended with the measurement.
struct Daemon(Child);

impl Daemon {
    fn start(config: &Path) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(config).arg("run").stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Whole requests over one connection, as a browser sends them.
#[expect(clippy::disallowed_methods, reason = "the other side of the connection is no part of us")]
async fn pages(port: u16) {
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = |path: &'static str| {
        let asked = browser.get(format!("http://127.0.0.1:{port}{path}"));
        async move { asked.send().await?.error_for_status()?.bytes().await }
    };
    let begun = Instant::now();
    while get("/-/ready").await.is_err() {
        assert!(begun.elapsed() < Duration::from_mins(2), "the monitor is not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for path in [
        "/",
        "/capabilities/api",
        "/probes/control",
        "/incidents",
        "/incidents/300",
        "/jobs",
        "/feed.atom",
        "/api/v2/summary.json",
        "/api/v1/uptime",
        "/metrics",
    ] {
        timed(path, || get(path)).await;
    }
}
