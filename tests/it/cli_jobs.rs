//! `jobs` and `budget` by the real binary: from the database alone, and beside a daemon.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use heygen_monitor::admin::{AdminHandler, AdminSocket, Request, Response, serve};
use heygen_monitor::clock::Clock;
use heygen_monitor::engine::Decision;
use heygen_monitor::model::{
    AccountReading, Baseline, BudgetView, Intent, IntentState, Interval, Job, JobFailure, JobKind,
    JobState, Origin, Outcome, PaidProbeView, Pool, PoolName, ProbeKind, SkipReason, Stage,
    StageView, Timestamp, Trigger, Unit, Usd,
};
use heygen_monitor::store::Store;
use heygen_monitor::wire::{BudgetJson, StageJson};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::sample_view::api_outage;

const BINARY: &str = env!("CARGO_BIN_EXE_heygen-monitor");

/// A directory with a configuration and a history, and no daemon.
pub(crate) struct Host {
    directory: tempfile::TempDir,
    now: Timestamp,
}

/// What the binary said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Host {
    pub(crate) async fn new(jobs: Vec<Job>, intents: Vec<Intent>, now: Timestamp) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = Self { directory, now };
        host.configure("");
        let store = Store::open(&host.path("history.db"), now).unwrap().store;
        let decision = Decision { jobs, intents, ..Decision::nothing(api_outage().verdict) };
        store.commit(&decision, now).await.unwrap();
        store.flush().await.unwrap();
        store.close().await;
        host
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "timezone = \"UTC\"\n{more}\n[storage]\npath = \"history.db\"\n\
             [[probe]]\nname = \"control\"\ncheck.control = {{}}\n\
             [[probe]]\nname = \"render\"\ncheck.render = {{ avatars = [\"a\", \"b\"] }}\n"
        );
        std::fs::write(self.path("config.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) async fn say(&self, arguments: &[&str]) -> Said {
        let mut command = tokio::process::Command::new(BINARY);
        command.env_clear().env("HOME", self.directory.path());
        command.env("HEYGEN_API_KEY", "sk-test-0123456789");
        command.arg("--config").arg(self.path("config.toml")).args(arguments);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(Duration::from_mins(1), command.output());
        let output = output.await.expect("it ends").unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Said {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The same beside a daemon that believes this.
    pub(crate) async fn say_beside(&self, daemon: impl AdminHandler, arguments: &[&str]) -> Said {
        let cancel = CancellationToken::new();
        let socket = AdminSocket::bind(&self.path("admin.sock")).unwrap();
        let asking = async {
            let said = self.say(arguments).await;
            cancel.cancel();
            said
        };
        tokio::join!(serve(socket, daemon, cancel.clone()), asking).1
    }
}

/// Knows stages and a budget, as the daemon would.
struct Daemon {
    stages: Vec<StageView>,
    budget: BudgetView,
}

impl AdminHandler for &Daemon {
    async fn handle(&self, request: Request) -> Response {
        match request {
            Request::Jobs => {
                let stages = self.stages.iter().map(StageJson::from).collect();
                Response::Jobs { stages: Some(stages) }
            }
            Request::Budget => {
                Response::Budget { budget: Some(Box::new(BudgetJson::from(&self.budget))) }
            }
            Request::Status
            | Request::Reload
            | Request::NotifyTest { .. }
            | Request::Ack { .. }
            | Request::Silence(_)
            | Request::Expire { .. }
            | Request::Probe { .. } => Response::Refused { message: "not asked here".to_owned() },
        }
    }
}

fn job(id: &str, state: JobState, created_at: Timestamp) -> Job {
    Job {
        kind: JobKind::Video,
        id: id.to_owned(),
        origin: Origin::Natural,
        title: Some("a customer's secret".to_owned()),
        created_at,
        first_seen_at: created_at,
        seen_at: created_at,
        state,
        started: None,
        ended: None,
        is_abandoned: false,
        is_sample: false,
        failure: None,
    }
}

fn intent(id: i64, state: IntentState, created_at: Timestamp) -> Intent {
    Intent {
        id,
        probe: "render".to_owned(),
        kind: ProbeKind::Render,
        nonce: format!("hgm-0a1b2c3d-{id}"),
        look: "a".to_owned(),
        price: Usd(150_000),
        trigger: Trigger::Silence,
        state,
        created_at,
        job_id: Some(format!("v_{id}")),
        searches: 0,
        misses: 0,
        failed_deletes: 0,
        outcome: (state == IntentState::Closed).then_some(Outcome::Ok),
        changed_at: created_at,
    }
}

/// One of each sort: two wait, one is made, one is too old, three ended.
async fn busy() -> Host {
    let now = Clock::system().now();
    let ago = |minutes: u64| now - Duration::from_mins(minutes);
    let ended = |minutes| Some(Interval::exact(ago(minutes)));
    let jobs = vec![
        job("v_waits", JobState::Queued, ago(30)),
        Job {
            kind: JobKind::Translation,
            started: ended(14),
            ..job("t_made", JobState::Processing, ago(20))
        },
        Job { is_abandoned: true, ..job("v_march", JobState::Queued, ago(60 * 24 * 200)) },
        Job {
            origin: Origin::Canary,
            started: ended(59),
            ended: ended(58),
            ..job("v_test", JobState::Completed, ago(60))
        },
        Job {
            ended: ended(100),
            failure: Some(JobFailure {
                code: Some("rendering_failed".to_owned()),
                message: Some("Avatar rendering timed out".to_owned()),
            }),
            ..job("v_failed", JobState::Failed, ago(120))
        },
    ];
    let intents = vec![intent(1, IntentState::Refused, now), intent(2, IntentState::Closed, now)];
    Host::new(jobs, intents, now).await
}

fn daemon(now: Timestamp) -> Daemon {
    let minutes = Duration::from_mins;
    let queue = StageView {
        kind: JobKind::Video,
        origin: Origin::Natural,
        stage: Stage::Queue,
        in_flight: 1,
        oldest_since: Some(now - minutes(30)),
        baseline: Some(Baseline {
            count: 212,
            median: Duration::from_secs(40),
            q90: minutes(2),
            q99: minutes(4),
        }),
        late: minutes(6),
        stuck: minutes(12),
    };
    let made = StageView {
        kind: JobKind::Translation,
        stage: Stage::Processing,
        baseline: None,
        late: minutes(10),
        stuck: minutes(60),
        ..queue.clone()
    };
    let pool = Pool { name: PoolName::Wallet, unit: Unit::Usd, remaining: 12.5 };
    let budget = BudgetView {
        canaries: true,
        per_day: Usd(1_000_000),
        per_month: Usd(20_000_000),
        share_today: Usd(670_000),
        spent_today: Usd(150_000),
        spent_month: Usd(3_200_000),
        forecast_month: Usd(9_800_000),
        probes: vec![PaidProbeView {
            probe: "render".to_owned(),
            price: Usd(150_000),
            runs_month: 12,
            spent_month: Usd(1_800_000),
            last_at: None,
            next_due_at: None,
            held_back: Some((SkipReason::Reserve, "the balance is below $2.00".to_owned())),
        }],
        account: Some(AccountReading {
            at: now,
            pools: vec![pool],
            plan: heygen_monitor::model::Plan::default(),
            auto_reload: Some(false),
            key_expires_at: None,
            clock_skew: None,
        }),
        days_left: Some(14.2),
    };
    Daemon { stages: vec![queue, made], budget }
}

/// The line that holds all of these.
#[track_caller]
pub(crate) fn line<'t>(text: &'t str, parts: &[&str]) -> &'t str {
    let mut lines = text.lines();
    lines
        .find(|line| parts.iter().all(|part| line.contains(part)))
        .unwrap_or_else(|| panic!("no line with {parts:?} in\n{text}"))
}

pub(crate) fn json(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("no JSON: {}", said.stdout))
}

#[tokio::test]
async fn jobs_are_told_in_plain_words_and_without_titles() {
    let host = busy().await;
    let said = host.say(&["jobs"]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("needs the running daemon"), "{}", said.stderr);
    line(&said.stdout, &["your videos", "v_waits", "waiting to start", "30 min"]);
    line(&said.stdout, &["your translations", "t_made", "being made", "14 min"]);
    line(&said.stdout, &["test video", "v_test", "finished", "after 2 min"]);
    line(&said.stdout, &["v_failed", "failed", "Avatar rendering timed out"]);
    line(&said.stdout, &["1 unfinished job was too old to follow"]);
    assert!(!said.stdout.contains("v_march") && !said.stdout.contains("secret"), "{}", said.stdout);
    let column = |id: &str| line(&said.stdout, &[id]).find(id);
    assert_eq!(column("v_waits"), column("t_made"), "aligned:\n{}", said.stdout);
    let all = host.say(&["jobs", "--all"]).await;
    line(&all.stdout, &["v_march", "not followed"]);
    host.configure("show_titles = true");
    let titled = host.say(&["jobs"]).await;
    line(&titled.stdout, &["v_waits", "a customer's secret"]);
}

#[tokio::test]
async fn beside_a_daemon_a_late_job_is_marked() {
    let host = busy().await;
    let daemon = daemon(host.now);
    let said = host.say_beside(&daemon, &["jobs"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    line(&said.stdout, &["v_waits", "STUCK"]);
    line(&said.stdout, &["t_made", "late"]);
}

#[tokio::test]
async fn baselines_come_from_the_daemon_or_not_at_all() {
    let host = busy().await;
    let alone = host.say(&["jobs", "--baseline"]).await;
    assert_eq!(alone.code, Some(1));
    assert!(alone.stderr.contains("needs the running daemon"), "{}", alone.stderr);
    let daemon = daemon(host.now);
    let said = host.say_beside(&daemon, &["jobs", "--baseline"]).await;
    let usual = ["your videos", "waiting to start", "40 s", "2 min", "6 min", "12 min", "212 jobs"];
    line(&said.stdout, &usual);
    line(&said.stdout, &["your translations", "being made", "-", "nothing yet: defaults"]);
    let said = host.say_beside(&daemon, &["jobs", "--baseline", "--json"]).await;
    assert_eq!(json(&said)[0]["baseline"]["q99_seconds"], 240.0);
    assert_eq!(json(&said)[0]["stage"], "queue");
}

#[tokio::test]
async fn jobs_as_json_have_the_shape_of_the_api() {
    let host = busy().await;
    let jobs = json(&host.say(&["jobs", "--json"]).await);
    let found = |id: &str| {
        let mut all = jobs.as_array().unwrap().iter();
        all.find(|job| job["id"] == id).unwrap_or_else(|| panic!("no {id} in {jobs}"))
    };
    let waits = found("v_waits");
    assert_eq!((&waits["id"], &waits["state"]), (&"v_waits".into(), &"queued".into()), "{jobs}");
    assert_eq!((&waits["kind"], &waits["origin"]), (&"video".into(), &"natural".into()));
    assert_eq!(waits.get("title"), None);
    let failed = found("v_failed");
    assert_eq!(failed["failure"]["code"], "rendering_failed");
    assert_eq!(failed["ended"]["earliest"], failed["ended"]["latest"]);
}

#[tokio::test]
async fn the_ledger_is_told_without_a_daemon_and_the_forecast_is_not() {
    let host = busy().await;
    let said = host.say(&["budget"]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("need the running daemon"), "{}", said.stderr);
    line(&said.stdout, &["today", "$0.15", "cap $1.00"]);
    line(&said.stdout, &["this month", "$0.15 of $20.00"]);
    line(&said.stdout, &["render", "$0.15", "ok", "nothing else told", "v_2"]);
    line(&said.stdout, &["render", "not charged", "refused"]);
    assert_eq!(host.say(&["budget", "--forecast"]).await.code, Some(1));
    let report = json(&host.say(&["budget", "--json"]).await);
    assert_eq!(report["budget"], Value::Null);
    assert_eq!(report["tests"].as_array().unwrap().len(), 2);
    assert_eq!(report["tests"][0]["nonce"], "hgm-0a1b2c3d-2");
}

#[tokio::test]
async fn beside_a_daemon_the_budget_has_caps_balance_and_forecast() {
    let host = busy().await;
    let daemon = daemon(host.now);
    let said = host.say_beside(&daemon, &["budget", "--forecast"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    line(&said.stdout, &["today", "$0.15 of $0.67 (cap $1.00)"]);
    line(&said.stdout, &["this month", "$3.20 of $20.00"]);
    line(&said.stdout, &["balance", "$12.50 wallet"]);
    line(&said.stdout, &["whole month", "about $9.80"]);
    line(&said.stdout, &["balance lasts", "about 14 days"]);
    line(&said.stdout, &["render", "12 tests, $1.80", "never", "held back: the balance is below"]);
    let report = json(&host.say_beside(&daemon, &["budget", "--json"]).await);
    assert_eq!(report["budget"]["probes"][0]["held_back"]["reason"], "reserve");
}

#[tokio::test]
async fn without_history_and_daemon_both_say_what_to_do() {
    let host = busy().await;
    std::fs::remove_file(host.path("history.db")).unwrap();
    for command in ["jobs", "budget"] {
        let said = host.say(&[command]).await;
        assert_eq!(said.code, Some(1), "{}", said.stderr);
        assert!(said.stderr.contains("heygen-monitor run"), "{}", said.stderr);
    }
    assert!(!Path::new(&host.path("history.db")).exists(), "reading makes no history");
}
