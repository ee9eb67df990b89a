//! What HeyGen made: fetched in parts, looked into, and never with the key.

use heygen_monitor::model::{Finding, JobStatus, Outcome, ProbeKind, Report, Task};
use heygen_monitor::probe::ProbeSpec;
use heygen_monitor::probe::translation::TranslationSource;

use super::canary::{attend, intent, render, speech, translation};
use super::desk::{Asked, Desk, Film, Reply, file, json};
use super::{KEY, deps};

const MP4: &str = "video/mp4";

/// An MP3 of silence: 128 kbit/s, so 16,000 bytes a second.
fn mp3(secs: usize) -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
    frame.resize(417, 0);
    frame.repeat(secs * 16_000 / 417)
}

/// A host of files beside HeyGen.
async fn files(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Desk {
    Desk::open(answer).await
}

/// Checks a job whose result lies on `files`.
async fn check(spec: &ProbeSpec, files: &Desk) -> Report {
    let url = format!("{}/video/a.mp4?Expires=1&Signature=S", files.url);
    let job = format!(r#"{{"data":{{"id":"j1","status":"completed","video_url":"{url}"}}}}"#);
    let api = Desk::open(move |_| json(200, &job)).await;
    let report = attend(spec, &deps(&api.url), Task::Check(intent(spec.kind(), Some("j1")))).await;
    assert_eq!(api.lines().len(), 1);
    for asked in files.asked() {
        assert!(asked.header("x-api-key").is_none() && asked.header("range").is_some());
        assert!(!asked.headers.iter().any(|(_, value)| value.contains(KEY)));
    }
    report
}

fn text(report: &Report) -> String {
    let seen = report.observation.as_ref().unwrap();
    seen.evidence.as_ref().map(|evidence| evidence.text.clone()).unwrap_or_default()
}

async fn judged(spec: &ProbeSpec, media_type: &'static str, bytes: Vec<u8>) -> Option<String> {
    let files = files(move |asked| file(asked, media_type, &bytes)).await;
    let report = check(spec, &files).await;
    assert_eq!(report.finding, Finding::Checked);
    let seen = report.observation.as_ref().unwrap();
    match seen.outcome {
        Outcome::Ok => None,
        outcome => {
            assert_eq!(outcome, Outcome::ResultInvalid);
            assert_eq!(seen.evidence.as_ref().unwrap().job_id.as_deref(), Some("j1"));
            Some(text(&report).split_once("a.mp4 ").unwrap().1.to_owned())
        }
    }
}

#[tokio::test]
async fn a_good_video_is_good_wherever_its_index_is() {
    let film = Film::of_secs(3);
    let small = Film { media: 10, ..Film::of_secs(3) };
    for bytes in [film.bytes(), film.streamable(), small.bytes()] {
        for media_type in [MP4, "application/octet-stream", "binary/octet-stream"] {
            assert_eq!(judged(&render(), media_type, bytes.clone()).await, None);
        }
    }
}

#[tokio::test]
async fn every_way_to_be_broken_is_told() {
    let film = Film::of_secs(3);
    let whole = film.bytes();
    let cut = whole[..100_000].to_vec();
    let silent = Film { tracks: vec![b"vide"], ..Film::of_secs(3) };
    let blind = Film { tracks: vec![b"soun"], ..Film::of_secs(3) };
    let blink = Film { millis: 40, ..Film::of_secs(3) };
    let headless = whole[..200_000].to_vec();
    for (media_type, bytes, why) in [
        (MP4, cut, "is truncated: its boxes announce 200024 bytes, it has 100000"),
        (MP4, headless, "is truncated: its boxes announce 200024 bytes, it has 200000"),
        (MP4, whole[..200_024].to_vec(), "has no index (moov): it cannot be played"),
        (MP4, whole[..200_060].to_vec(), "is truncated: its boxes announce"),
        (MP4, whole[..5].to_vec(), "is no MP4"),
        (MP4, silent.bytes(), "has no audio track"),
        (MP4, blind.bytes(), "has no video track"),
        (MP4, blink.bytes(), "is 0.04 s long"),
        (MP4, Vec::new(), "is empty"),
        (MP4, mp3(1), "is no MP4"),
        ("text/html", b"<!doctype html><html>no</html>".to_vec(), "is a page (HTML or XML)"),
        (MP4, b"\n <Error><Code>AccessDenied</Code></Error>".to_vec(), "is a page (HTML or XML)"),
        ("application/json", whole, "is of type application/json, not a recording"),
    ] {
        let said = judged(&render(), media_type, bytes).await.unwrap();
        assert!(said.starts_with(why), "{said} instead of {why}");
    }
}

#[tokio::test]
async fn a_translation_is_as_long_as_its_source_which_is_looked_at_once() {
    let source = files(|asked| file(asked, MP4, &Film::of_secs(10).bytes())).await;
    let url = format!("{}/source.mp4", source.url).parse().unwrap();
    let spec = translation(TranslationSource::Url(url));
    assert_eq!(judged(&spec, MP4, Film::of_secs(11).bytes()).await, None);
    let said = judged(&spec, MP4, Film::of_secs(6).bytes()).await.unwrap();
    assert_eq!(said, "is 6.0 s long, its source 10.0 s");
    assert_eq!(judged(&spec, "audio/mpeg", mp3(10)).await, None);
    let said = judged(&spec, "audio/mpeg", mp3(5)).await.unwrap();
    assert_eq!(said, "is 5.0 s long, its source 10.0 s");
    let said = judged(&spec, "audio/mpeg", b"ID3\x04\0\0\0\0\0\0".to_vec()).await.unwrap();
    assert_eq!(said, "holds no sound");
    let silent = Film { tracks: vec![b"vide"], ..Film::of_secs(10) };
    assert_eq!(judged(&spec, MP4, silent.bytes()).await.unwrap(), "has no audio track");
    let unknown = translation(TranslationSource::Asset("a".to_owned()));
    assert_eq!(judged(&unknown, MP4, Film::of_secs(6).bytes()).await, None);
    assert_eq!(
        judged(&unknown, "audio/mpeg", b"hello".to_vec()).await.unwrap(),
        "is no sound that is known here"
    );
}

#[tokio::test]
async fn a_host_without_parts_and_one_that_redirects_are_read_too() {
    let bytes = Film::of_secs(3).bytes();
    let whole =
        files(move |asked| file(&Asked { headers: Vec::new(), ..asked.clone() }, MP4, &bytes))
            .await;
    let report = check(&render(), &whole).await;
    assert_eq!(report.observation.unwrap().outcome, Outcome::Ok);
    let target = format!("{}/b.mp4", whole.url);
    let away = files(move |_| json(302, "{}").with("location", &target)).await;
    assert_eq!(check(&render(), &away).await.observation.unwrap().outcome, Outcome::Ok);
    let circle = files(|_| json(302, "{}").with("location", "/video/a.mp4")).await;
    let report = check(&render(), &circle).await;
    assert!(text(&report).ends_with("is redirected in a circle"), "{}", text(&report));
}

#[tokio::test]
async fn a_refused_url_is_invalid_and_a_failing_host_says_nothing() {
    for status in [403, 404, 410] {
        let files = files(move |_| json(status, "{}")).await;
        let report = check(&render(), &files).await;
        assert_eq!(report.finding, Finding::Checked);
        assert_eq!(report.observation.as_ref().unwrap().outcome, Outcome::ResultInvalid);
        assert!(text(&report).ends_with(&format!("is refused with {status}")));
    }
    for status in [429, 500, 503] {
        let files = files(move |_| json(status, "{}")).await;
        let report = check(&render(), &files).await;
        assert_eq!((report.finding, report.observation), (Finding::Unanswered, None));
    }
}

#[tokio::test]
async fn a_job_without_a_url_is_only_seen() {
    for (body, status, job) in [
        (
            r#"{"data":{"id":"j1","status":"completed","video_url":null}}"#,
            200,
            JobStatus::Completed,
        ),
        (r#"{"error":{"code":"video_not_found","message":"No."}}"#, 404, JobStatus::NotFound),
    ] {
        let api = Desk::open(move |_| json(status, body)).await;
        let task = Task::Check(intent(ProbeKind::Render, Some("j1")));
        let report = attend(&render(), &deps(&api.url), task).await;
        let Finding::Seen(seen) = &report.finding else { panic!("{:?}", report.finding) };
        assert_eq!((seen.status, seen.has_url), (job, false));
        assert!(report.observation.is_none());
    }
}

/// Speaks with a HeyGen whose sound lies on `files`.
async fn speak(files: &Desk) -> Report {
    let url = format!("{}/tts/a.mp4?Signature=S", files.url);
    let answer = format!(r#"{{"data":{{"audio_url":"{url}","duration":0.5}}}}"#);
    let api = Desk::open(move |_| json(200, &answer)).await;
    let task = Task::Submit(intent(ProbeKind::Speech, None));
    let report = attend(&speech(), &deps(&api.url), task).await;
    let asked = api.asked();
    assert_eq!(api.lines(), ["POST /v3/voices/speech"]);
    assert_eq!(asked[0].body, r#"{"text":"Hi.","voice_id":"voice_anna"}"#);
    assert!(asked[0].header("idempotency-key").is_none());
    assert_eq!(report.finding, Finding::Accepted { job_id: None });
    report
}

#[tokio::test]
async fn speech_is_heard_at_once() {
    let fine = files(|asked| file(asked, "audio/mpeg", &mp3(1))).await;
    assert_eq!(speak(&fine).await.observation.unwrap().outcome, Outcome::Ok);
    let page = files(|asked| file(asked, "text/html", b"<html>")).await;
    let seen = speak(&page).await.observation.unwrap();
    assert_eq!(seen.outcome, Outcome::ResultInvalid);
    assert!(seen.evidence.unwrap().text.contains("/tts/a.mp4 is a page"));
    let failing = files(|_| json(503, "{}")).await;
    assert!(speak(&failing).await.observation.is_none());
    assert_eq!(failing.lines().len(), 2, "tried twice");
}

#[tokio::test]
async fn speech_without_a_sound_is_ambiguous_and_an_error_is_told() {
    for (answer, finding, outcome) in [
        (json(200, r#"{"data":{"duration":1}}"#), Finding::Ambiguous, Outcome::Malformed),
        (
            super::desk::refusal(402, "insufficient_credit"),
            Finding::Refused,
            Outcome::InsufficientCredit,
        ),
        (
            super::desk::refusal(503, "service_unavailable"),
            Finding::Ambiguous,
            Outcome::Unavailable,
        ),
    ] {
        let api = Desk::open(move |_| answer.clone()).await;
        let task = Task::Submit(intent(ProbeKind::Speech, None));
        let report = attend(&speech(), &deps(&api.url), task).await;
        assert_eq!(report.finding, finding);
        assert_eq!(report.observation.unwrap().outcome, outcome);
    }
}
