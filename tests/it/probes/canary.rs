//! Paid tests, one errand at a time: what is sent, and what is made of the answer.

use std::time::Duration;

use heygen_monitor::model::{
    Capability, Errand, Finding, Intent, IntentState, JobStatus, Outcome, Owner, PoolName,
    ProbeKind, Report, SkipReason, Task, Timestamp, Trigger, Usd,
};
use heygen_monitor::probe::render::{RenderCheck, RenderSource};
use heygen_monitor::probe::speech::SpeechCheck;
use heygen_monitor::probe::translation::{TranslationCheck, TranslationSource};
use heygen_monitor::probe::{CheckSpec, ProbeDeps, ProbeSpec, Worker, worker};
use serde_json::{Value, json};

use super::desk::{Asked, Desk, Reply, json as reply, refusal};
use super::{KEY, deps, spec};
use crate::faulty::{Behaviour, Server, closed_port};

pub(super) const NONCE: &str = "hgm-test-41";

pub(super) fn now() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

pub(super) fn intent(kind: ProbeKind, job_id: Option<&str>) -> Intent {
    Intent {
        id: 41,
        probe: "probe".to_owned(),
        kind,
        nonce: NONCE.to_owned(),
        look: if kind == ProbeKind::Render { "look_anna" } else { "Spanish (Spain)" }.to_owned(),
        price: Usd(200_000),
        trigger: Trigger::Silence,
        state: IntentState::Intended,
        created_at: now(),
        job_id: job_id.map(str::to_owned),
        searches: 0,
        misses: 0,
        failed_deletes: 0,
        outcome: None,
        changed_at: now(),
    }
}

pub(super) fn render() -> ProbeSpec {
    paid(CheckSpec::Render(RenderCheck {
        source: RenderSource::Avatars(vec!["look_anna".to_owned()]),
        voice: Some("voice_anna".to_owned()),
        script: "Hi.".to_owned(),
        engine: None,
        resolution: "720p".to_owned(),
    }))
}

pub(super) fn translation(source: TranslationSource) -> ProbeSpec {
    paid(CheckSpec::Translation(TranslationCheck {
        source,
        languages: vec!["Spanish (Spain)".to_owned()],
        quality: "speed".to_owned(),
        audio_only: true,
    }))
}

pub(super) fn speech() -> ProbeSpec {
    paid(CheckSpec::Speech(SpeechCheck {
        voice: "voice_anna".to_owned(),
        text: "Hi.".to_owned(),
        path: "/v3/voices/speech".to_owned(),
    }))
}

fn paid(check: CheckSpec) -> ProbeSpec {
    ProbeSpec { capabilities: vec![Capability::VideoGeneration], ..spec(check) }
}

pub(super) async fn attend(spec: &ProbeSpec, deps: &ProbeDeps, task: Task) -> Report {
    let Worker::Spends(canary) = worker(spec, deps) else { panic!("a probe that spends") };
    let id = task.intent().map(|intent| intent.id);
    let errand = Errand { probe: "probe".to_owned(), due_at: now(), task };
    let report = canary.attend(errand).await;
    let printed = format!("{report:?}");
    assert!(!printed.contains(KEY) && !printed.contains("Signature"), "{printed}");
    assert_eq!((report.probe.as_str(), report.intent), ("probe", id));
    if let Some(seen) = &report.observation {
        assert_eq!(seen.capabilities, [Capability::VideoGeneration]);
        assert_eq!((seen.series.subject.as_str(), seen.kind), ("", spec.kind()));
        assert!(seen.ended_at >= seen.begun_at);
    }
    report
}

async fn submit(spec: &ProbeSpec, url: &str) -> Report {
    attend(spec, &deps(url), Task::Submit(intent(spec.kind(), None))).await
}

fn outcome(report: &Report) -> Option<Outcome> {
    report.observation.as_ref().map(|seen| seen.outcome)
}

fn accepted(job_id: &str) -> Finding {
    Finding::Accepted { job_id: Some(job_id.to_owned()) }
}

fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

#[tokio::test]
async fn a_create_is_one_small_post_with_the_nonce_as_title_and_key() {
    let source = TranslationSource::Url("https://example.com/a.mp4".parse().unwrap());
    let template = paid(CheckSpec::Render(RenderCheck {
        source: RenderSource::Template("t9".to_owned()),
        voice: None,
        script: String::new(),
        engine: Some("avatar_v".to_owned()),
        resolution: "720p".to_owned(),
    }));
    for (spec, path, answer, sent) in [
        (
            render(),
            "/v3/videos",
            r#"{"data":{"video_id":"j1","status":"waiting"}}"#,
            json!({"type": "avatar", "avatar_id": "look_anna", "voice_id": "voice_anna",
                   "script": "Hi.", "title": NONCE, "resolution": "720p"}),
        ),
        (
            template,
            "/v2/template/t9/generate",
            r#"{"error":null,"data":{"video_id":"j1"}}"#,
            json!({"title": NONCE, "caption": false, "variables": {}}),
        ),
        (
            translation(source),
            "/v3/video-translations",
            r#"{"data":{"video_translation_ids":["j1"]}}"#,
            json!({"video": {"type": "url", "url": "https://example.com/a.mp4"},
                   "output_languages": ["Spanish (Spain)"], "mode": "speed",
                   "translate_audio_only": true, "title": NONCE}),
        ),
        (
            translation(TranslationSource::Asset("asset_1".to_owned())),
            "/v3/video-translations",
            r#"{"data":{"video_translations":[{"video_translation_id":"j1"}]}}"#,
            json!({"video": {"type": "asset_id", "asset_id": "asset_1"},
                   "output_languages": ["Spanish (Spain)"], "mode": "speed",
                   "translate_audio_only": true, "title": NONCE}),
        ),
    ] {
        let desk = Desk::open(move |_| reply(200, answer)).await;
        let report = submit(&spec, &desk.url).await;
        assert_eq!((&report.finding, outcome(&report)), (&accepted("j1"), None));
        let asked = desk.asked();
        assert_eq!(desk.lines(), [format!("POST {path}")]);
        assert_eq!(body(&asked[0]), sent);
        assert_eq!(asked[0].header("idempotency-key"), Some(NONCE));
        assert_eq!(asked[0].header("x-api-key"), Some(KEY));
    }
}

#[tokio::test]
async fn an_answer_is_accepted_refused_or_neither() {
    let data = r#"{"data":{"video_id":"j1"}}"#;
    for (answer, finding, word) in [
        (reply(201, data), accepted("j1"), None),
        (reply(200, r#"{"data":{"status":"waiting"}}"#), Finding::Ambiguous, Some("malformed")),
        (reply(200, "<html>hello</html>"), Finding::Ambiguous, Some("malformed")),
        (refusal(400, "invalid_parameter"), Finding::Refused, Some("bad_request")),
        (refusal(402, "insufficient_credit"), Finding::Refused, Some("insufficient_credit")),
        (refusal(401, "unauthorized"), Finding::Refused, Some("unauthorized")),
        (refusal(404, "avatar_not_found"), Finding::Refused, Some("bad_request")),
        (refusal(409, "request_in_progress"), Finding::Ambiguous, Some("not_ready")),
        (refusal(409, "resource_not_ready"), Finding::Refused, Some("not_ready")),
        (refusal(429, "rate_limit_exceeded"), Finding::Refused, Some("rate_limited")),
        (refusal(500, "internal_error"), Finding::Ambiguous, Some("server_error")),
        (refusal(504, "gateway_timeout"), Finding::Ambiguous, Some("gateway_error")),
        (reply(503, "busy"), Finding::Ambiguous, Some("unavailable")),
    ] {
        let shown = format!("{answer:?}");
        let desk = Desk::open(move |_| answer.clone()).await;
        let report = submit(&render(), &desk.url).await;
        assert_eq!(report.finding, finding, "{shown}");
        assert_eq!(outcome(&report).map(Outcome::as_str), word, "{shown}");
        assert_eq!(desk.lines().len(), 1, "{shown}");
    }
}

#[tokio::test]
async fn a_file_that_heygen_cannot_fetch_is_ours() {
    let source = TranslationSource::Url("https://example.com/a.mp4".parse().unwrap());
    let by_url = translation(source);
    let by_asset = translation(TranslationSource::Asset("a".to_owned()));
    let ours = Outcome::UpstreamFetchFailed;
    for (spec, status, code, expected) in [
        (&by_url, 504, "gateway_timeout", ours),
        (&by_url, 400, "download_failed", ours),
        (&by_asset, 504, "gateway_timeout", Outcome::GatewayError),
    ] {
        let desk = Desk::open(move |_| refusal(status, code)).await;
        let report = submit(spec, &desk.url).await;
        assert_eq!(outcome(&report), Some(expected), "{status} {code}");
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_ambiguous_and_what_was_never_sent_is_refused() {
    let timely = |behaviour| async { Server::start(vec![behaviour]).await };
    for (server, word) in [
        (timely(Behaviour::Hang).await, Outcome::Timeout),
        (timely(Behaviour::Reset).await, Outcome::ConnectFailed),
        (timely(Behaviour::Close).await, Outcome::ConnectFailed),
        (
            timely(Behaviour::Stall(b"HTTP/1.1 400 No\r\ncontent-length: 9\r\n\r\n{".to_vec()))
                .await,
            Outcome::Timeout,
        ),
    ] {
        let report = submit(&render(), server.url("/").as_str()).await;
        assert_eq!((&report.finding, outcome(&report)), (&Finding::Ambiguous, Some(word)));
        assert_eq!(server.requests().len(), 1);
    }
    let nobody = format!("http://{}", closed_port().await);
    let report = submit(&render(), &nobody).await;
    assert_eq!(
        (&report.finding, outcome(&report)),
        (&Finding::Refused, Some(Outcome::ConnectFailed))
    );
    let nowhere = submit(&render(), "https://localhost").await;
    assert_eq!(nowhere.finding, Finding::Refused);
}

#[tokio::test]
async fn without_a_key_nothing_is_sent() {
    let desk = Desk::open(|_| reply(200, "{}")).await;
    let keyless = ProbeDeps { api_key: None, ..deps(&desk.url) };
    for (task, finding) in [
        (Task::Prepare, Finding::Unprepared),
        (Task::Submit(intent(ProbeKind::Render, None)), Finding::Refused),
        (Task::Find(intent(ProbeKind::Render, None)), Finding::Unanswered),
        (Task::Poll(intent(ProbeKind::Render, Some("j1"))), Finding::Unanswered),
        (Task::Delete(intent(ProbeKind::Render, Some("j1"))), Finding::NotDeleted),
        (Task::Sweep { before: now() }, Finding::Swept { deleted: 0 }),
    ] {
        let report = attend(&render(), &keyless, task).await;
        assert_eq!(report.finding, finding);
        let skipped = report.observation.map(|seen| seen.skipped);
        assert!(skipped.is_none_or(|skipped| skipped == Some(SkipReason::NoKey)));
    }
    assert!(desk.lines().is_empty());
}

#[tokio::test]
async fn the_account_is_read_before_anything_is_spent() {
    let account = |text: &'static str, key: Reply| async move {
        let desk = Desk::open(move |asked| match asked.path.as_str() {
            "/v3/users/me" => reply(200, text),
            _ => key.clone(),
        })
        .await;
        attend(&speech(), &deps(&desk.url), Task::Prepare).await.finding
    };
    let wallet = r#"{"data":{"wallet":{"currency":"usd","remaining_balance":3}}}"#;
    let Finding::Prepared { account: reading, headroom } =
        account(wallet, reply(200, r#"{"data":{"expires_at":1800000000}}"#)).await
    else {
        panic!("it can be read")
    };
    assert_eq!((reading.pools[0].name, reading.pools[0].remaining), (PoolName::Wallet, 3.0));
    assert_eq!(reading.key_expires_at.unwrap().as_second(), 1_800_000_000);
    assert!(reading.clock_skew.is_some() && headroom == Usd::ZERO);
    let Finding::Prepared { account: reading, .. } =
        account(r#"{"data":{}}"#, refusal(404, "not_found")).await
    else {
        panic!("it can be read")
    };
    assert_eq!((reading.pools.len(), reading.key_expires_at), (0, None));
    let broken = account("<html>", refusal(404, "not_found")).await;
    assert_eq!(broken, Finding::Unprepared);
}

/// A page of jobs; each is given by its id, its title, and its age in minutes.
fn page(rows: &[(&str, &str, i64)], next: Option<&str>) -> Reply {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(id, title, minutes)| {
            json!({"id": id, "title": title, "status": "completed",
                   "created_at": now().as_second() - minutes * 60})
        })
        .collect();
    let answer = json!({"data": rows, "has_more": next.is_some(), "next_token": next});
    reply(200, &answer.to_string())
}

async fn find(
    spec: &ProbeSpec,
    answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> (Finding, Vec<String>) {
    let desk = Desk::open(answer).await;
    let task = Task::Find(intent(spec.kind(), None));
    (attend(spec, &deps(&desk.url), task).await.finding, desk.lines())
}

fn found(job_id: &str) -> Finding {
    Finding::Found { job_id: job_id.to_owned() }
}

#[tokio::test]
async fn a_video_is_found_by_its_title_alone() {
    let other = "hgm-test-410";
    let rows = [("x", other, 0), ("j1", NONCE, 0)];
    let (finding, lines) = find(&render(), move |_| page(&rows, None)).await;
    assert_eq!(finding, found("j1"));
    assert_eq!(lines, ["GET /v3/videos?limit=100&title=hgm-test-41"]);
    let (finding, lines) = find(&render(), move |_| page(&[("x", other, 0)], None)).await;
    assert_eq!((finding, lines.len()), (Finding::NotFound, 1));
    let (finding, _) = find(&render(), |_| refusal(503, "service_unavailable")).await;
    assert_eq!(finding, Finding::Unanswered);
}

#[tokio::test]
async fn where_the_filter_does_nothing_the_newest_are_read() {
    for refused in [true, false] {
        let (finding, lines) = find(&render(), move |asked| {
            match (asked.path.contains("title="), asked.path.contains("token=")) {
                (true, _) if refused => refusal(400, "invalid_parameter"),
                (_, false) => page(&[("x", "Launch", 0)], Some("2")),
                (_, true) => page(&[("j1", NONCE, 1)], None),
            }
        })
        .await;
        assert_eq!((finding, lines.len()), (found("j1"), 3), "{lines:?}");
    }
}

#[tokio::test]
async fn a_translation_is_looked_for_back_to_its_intent_and_not_beyond() {
    let spec = translation(TranslationSource::Asset("a".to_owned()));
    let (finding, lines) = find(&spec, |asked| {
        let is_second = asked.path.contains("token=");
        let age = if is_second { 11 } else { 3 };
        page(&[("x", "Launch", age)], Some("2"))
    })
    .await;
    assert_eq!(finding, Finding::NotFound);
    let expected =
        ["GET /v3/video-translations?limit=100", "GET /v3/video-translations?limit=100&token=2"];
    assert_eq!(lines, expected);
    let (finding, lines) = find(&spec, |asked| {
        let number = asked.path.split_once("token=").map_or(0, |(_, n)| n.parse().unwrap());
        page(&[("x", "Launch", 0)], Some(&(number + 1).to_string()))
    })
    .await;
    assert_eq!((finding, lines.len()), (Finding::Unanswered, 10), "it was not read far enough");
}

#[tokio::test]
async fn a_poll_says_what_heygen_says() {
    let poll = |answer: Reply| async move {
        let desk = Desk::open(move |_| answer.clone()).await;
        let task = Task::Poll(intent(ProbeKind::Render, Some("j1")));
        let report = attend(&render(), &deps(&desk.url), task).await;
        assert_eq!(desk.lines(), ["GET /v3/videos/j1"]);
        assert!(report.observation.is_none());
        report.finding
    };
    let failed = r#"{"data":{"id":"j1","status":"failed","title":"hgm-test-41",
        "failure_code":"MOVIO_PAYMENT_INSUFFICIENT_CREDIT"}}"#;
    let Finding::Seen(seen) = poll(reply(200, failed)).await else { panic!("it was read") };
    assert_eq!((seen.id.as_str(), seen.status), ("j1", JobStatus::Failed));
    assert_eq!(seen.owner, Some(Owner::Ours { nonce: NONCE.to_owned() }));
    assert!(seen.failure.unwrap().code.unwrap().starts_with("MOVIO_PAYMENT"));
    let Finding::Seen(seen) = poll(refusal(404, "video_not_found")).await else {
        panic!("it was read")
    };
    assert_eq!(seen.status, JobStatus::NotFound);
    for answer in [
        reply(404, "<html>not here</html>"),
        refusal(503, "service_unavailable"),
        reply(200, "[]"),
        refusal(429, "rate_limit_exceeded"),
    ] {
        assert_eq!(poll(answer).await, Finding::Unanswered);
    }
}

#[tokio::test]
async fn gone_is_what_deleting_wants() {
    for (answer, finding) in [
        (reply(200, r#"{"data":{"id":"j1","deleted":true}}"#), Finding::Deleted),
        (reply(204, ""), Finding::Deleted),
        (refusal(404, "video_not_found"), Finding::Deleted),
        (refusal(500, "video_delete_failed"), Finding::NotDeleted),
        (refusal(403, "forbidden"), Finding::NotDeleted),
    ] {
        let desk = Desk::open(move |_| answer.clone()).await;
        let task = Task::Delete(intent(ProbeKind::Render, Some("j1")));
        let report = attend(&render(), &deps(&desk.url), task).await;
        assert_eq!(report.finding, finding);
        assert_eq!(desk.lines(), ["DELETE /v3/videos/j1"]);
        let seen = report.observation;
        assert_eq!(seen.is_some(), finding == Finding::NotDeleted);
        if let Some(seen) = seen {
            assert_eq!(seen.outcome, Outcome::CleanupFailed);
            assert_eq!(seen.evidence.unwrap().job_id.as_deref(), Some("j1"));
        }
    }
}

#[tokio::test]
async fn only_our_own_old_and_ended_leftovers_are_deleted() {
    let desk = Desk::open(|asked| {
        if asked.method == "DELETE" {
            return reply(200, r#"{"data":{"id":"x"}}"#);
        }
        let row = |id: &str, title: &str, hours: i64, status: &str| {
            json!({"id": id, "title": title, "status": status,
                   "created_at": now().as_second() - hours * 3600})
        };
        let rows = json!([
            row("old", "hgm-test-1", 30, "completed"),
            row("failed", "hgm-test-2", 30, "failed"),
            row("young", "hgm-test-3", 2, "completed"),
            row("live", "hgm-test-4", 30, "processing"),
            row("other", "hgm-else-5", 30, "completed"),
            row("copy", "hgm-test-1 my favourite", 30, "completed"),
            row("natural", "Launch", 30, "completed"),
            {"id": "undated", "title": "hgm-test-6", "status": "completed"},
        ]);
        reply(200, &json!({"data": rows, "has_more": false}).to_string())
    })
    .await;
    let before = now() - Duration::from_hours(24);
    for (spec, list) in [
        (render(), "GET /v3/videos?limit=100&title=hgm-test-"),
        (
            translation(TranslationSource::Asset("a".to_owned())),
            "GET /v3/video-translations?limit=100",
        ),
    ] {
        let seen = desk.lines().len();
        let report = attend(&spec, &deps(&desk.url), Task::Sweep { before }).await;
        assert_eq!(report.finding, Finding::Swept { deleted: 2 });
        let path = list.split_once('?').unwrap().0.strip_prefix("GET ").unwrap();
        let deletes = ["old", "failed"].map(|id| format!("DELETE {path}/{id}"));
        assert_eq!(desk.lines()[seen..], [list.to_owned(), deletes[0].clone(), deletes[1].clone()]);
    }
}
