//! HeyGen's signed events end to end: a simulated account tells, the daemon listens.

use std::os::unix::fs::OpenOptionsExt;

use heygen_monitor::model::{Job, JobState};
use heygen_monitor::simulator::{Manner, WebhookEndpoint};
use heygen_monitor::store::JobFilter;

use super::*;

const SECRET: &str = "whsec_simulated_0123456789";
const WEBHOOKS: Capability = Capability::Webhooks;

/// A world in which the account tells of its jobs, and keeps its secret in a directory.
struct Told {
    days: Days,
    url: String,
    _secret: tempfile::TempDir,
}

/// A daemon that listens, with `probes` besides; the account tells in this manner.
async fn told(factor: f64, probes: &str, manner: Manner) -> Told {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&secret);
    std::io::Write::write_all(&mut file.unwrap(), SECRET.as_bytes()).unwrap();
    // Free a moment ago, and asked for by nobody else since.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/heygen");
    let events = format!(
        "[[probe]]\nname = \"events\"\n\
         check.webhook = {{ listen = \"127.0.0.1:{port}\", secret_file = \"{}\" }}\n",
        secret.display()
    );
    let endpoint = WebhookEndpoint::new(&url, SECRET).manner(manner);
    let days = Days::with(factor, wanted(&format!("{probes}{events}")), |bench, _| {
        bench.simulator.account(|account| account.webhooks.push(endpoint));
    })
    .await;
    Told { days, url, _secret: directory }
}

impl Told {
    fn add(&self, kind: JobKind, minute: u64, lifecycle: Lifecycle) -> String {
        let at = self.days.at(minute);
        self.days.bench.simulator.account(|account| account.seed(kind, "mine", at, lifecycle))
    }

    async fn job(&self, id: &str) -> Option<Job> {
        let filter =
            JobFilter { live_only: false, kind: None, origin: None, before: None, limit: 100 };
        let jobs = self.days.running.store().jobs(filter).await.unwrap();
        jobs.into_iter().find(|job| job.id == id)
    }

    /// The row of a job once it has ended.
    async fn ended(&self, id: &str, minute: u64) -> Job {
        let clock = self.days.bench.simulator.clock().clone();
        loop {
            let job = self.job(id).await;
            if let Some(job) = job.as_ref().filter(|job| !job.state.is_live()) {
                return job.clone();
            }
            assert!(clock.now() < self.days.at(minute), "by minute {minute}: {job:?}");
            clock.sleep(Duration::from_secs(5)).await;
        }
    }

    /// What came of each event: its posts and the last answer.
    fn answers(&self) -> Vec<(u32, Option<u16>)> {
        self.days.bench.simulator.account(|account| {
            account.webhook_events.iter().map(|event| (event.attempts, event.status)).collect()
        })
    }

    fn ends_at(&self, id: &str) -> Timestamp {
        self.days.bench.simulator.account(|account| {
            account.jobs().iter().find(|job| job.id == id).and_then(|job| job.ends_at()).unwrap()
        })
    }

    fn turn(&self, manner: Manner) {
        let endpoint = WebhookEndpoint::new(&self.url, SECRET).manner(manner);
        self.days.bench.simulator.account(|account| account.webhooks = vec![endpoint]);
    }
}

fn lasting(queue_mins: u64, processing_mins: u64) -> Lifecycle {
    Lifecycle::completing(Duration::from_mins(queue_mins), Duration::from_mins(processing_mins))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_give_the_exact_end_of_what_the_lists_do_not_tell() {
    // The list is read every ten minutes, and says of a translation only that it is completed.
    let queue = QUEUE.replace("60s", "10m");
    let told = told(60.0, &queue, Manner::Prompt).await;
    let words = "unknown/monitor/no_data";
    told.days.sees("nothing was heard", 5, is(WEBHOOKS, words)).await;
    let id = told.add(JobKind::Translation, 1, lasting(11, 14));
    let job = told.ended(&id, 28).await;
    let (ended, truth) = (job.ended.unwrap(), told.ends_at(&id));
    assert_eq!(job.state, JobState::Completed);
    assert_eq!(ended.earliest, ended.latest, "known exactly");
    let off = ended.latest.duration_since(truth).abs();
    assert!(off <= jiff::SignedDuration::from_mins(2), "{ended:?} is not {truth}");
    let view = told.days.sees("events come", 30, is(WEBHOOKS, "operational/none/ok")).await;
    assert_eq!(of(&view, TRANSLATION).state, State::Operational, "before the next look");
    told.days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_stuck_job_is_known_before_the_next_look() {
    let limits =
        "[jobs.translation]\nqueue_floor = \"2m\"\nqueue_late = \"6m\"\nqueue_stuck = \"15m\"\n";
    let queue = QUEUE.replace("60s", "10m");
    let told = told(60.0, &format!("{queue}{limits}"), Manner::Prompt).await;
    let id = told.add(JobKind::Translation, 1, lasting(34, 1));
    // The first look sees it young, wherever in ten minutes it falls; the third one sees it stuck.
    told.days.sees("it is stuck", 33, is(TRANSLATION, "outage/provider/jobs_stuck")).await;
    let before = told.days.received("GET", "/v3/video-translations?");
    let job = told.ended(&id, 45).await;
    let off = job.ended.unwrap().latest.duration_since(told.ends_at(&id)).abs();
    assert!(off <= jiff::SignedDuration::from_mins(2), "{job:?}");
    let after = told.days.received("GET", "/v3/video-translations?");
    assert!(after <= before + 1, "{before} looks, then {after}");
    told.days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_never_come_are_heygens_and_the_next_one_ends_it() {
    let told = told(90.0, QUEUE, Manner::Silent).await;
    for minute in [2, 4] {
        told.add(JobKind::Translation, minute, lasting(3, 3));
    }
    told.days.until(20).await;
    let view = told.days.running.view().borrow().clone().unwrap();
    assert_eq!(of(&view, WEBHOOKS).state, State::Unknown, "an event may be late");
    let words = "degraded/provider/intermittent_errors";
    let view = told.days.sees("they are missing", 32, is(WEBHOOKS, words)).await;
    assert_eq!(of(&view, TRANSLATION).state, State::Operational);
    let advice = &of(&view, WEBHOOKS).advice.text;
    assert!(advice.contains("ask for the state of your jobs"), "{advice}");
    assert_eq!(view.incidents.len(), 1, "{:#?}", view.incidents);
    told.turn(Manner::Prompt);
    let clock = told.days.bench.simulator.clock().clone();
    told.days.bench.simulator.account(|account| {
        account.seed(JobKind::Translation, "mine", clock.now(), lasting(3, 3));
    });
    let view = told.days.sees("one came", 45, is(WEBHOOKS, "operational/none/ok")).await;
    assert!(view.incidents.is_empty(), "{:#?}", view.incidents);
    told.days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_not_heygens_or_too_old_are_refused_and_prove_nothing() {
    let old = Manner::Backdated(Duration::from_mins(20));
    for manner in [Manner::WronglySigned, Manner::Unsigned, old] {
        let told = told(60.0, QUEUE, manner).await;
        let id = told.add(JobKind::Translation, 1, lasting(2, 2));
        told.ended(&id, 12).await;
        told.days.until(12).await;
        let answers = told.answers();
        assert!(!answers.is_empty(), "{manner:?}");
        assert!(answers.iter().all(|(_, status)| *status == Some(401)), "{manner:?}: {answers:?}");
        let view = told.days.running.view().borrow().clone().unwrap();
        let heard = of(&view, WEBHOOKS);
        assert_eq!((heard.state, heard.evidence.len()), (State::Unknown, 0), "{manner:?}");
        told.days.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_twice_counts_once() {
    let told = told(60.0, QUEUE, Manner::Twice).await;
    let id = told.add(JobKind::Translation, 1, lasting(2, 2));
    let job = told.ended(&id, 12).await;
    told.days.sees("events come", 15, is(WEBHOOKS, "operational/none/ok")).await;
    told.days.until(16).await;
    assert_eq!(told.answers(), [(2, Some(200))], "both are taken");
    let later = told.job(&id).await.unwrap();
    assert_eq!((later.state, later.ended), (job.state, job.ended));
    assert!(told.days.slack().is_empty(), "{:#?}", told.days.slack());
    told.days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_ends_the_wait_for_a_test_of_our_own() {
    let rules = "[jobs.render]\npoll_min = \"5m\"\npoll_max = \"20m\"\n";
    let told =
        told(60.0, &format!("{}{rules}", render(&["look_anna_office"])), Manner::Prompt).await;
    told.days.bench.simulator.account(|account| account.video = lasting(2, 5));
    assert_eq!(told.days.tested(1, 30).await, [(IntentState::Closed, Some(Outcome::Ok))]);
    told.days.sees("events come", 30, is(WEBHOOKS, "operational/none/ok")).await;
    told.days.running.stop().await;
}
