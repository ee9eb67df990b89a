//! The files behind the URLs of finished jobs.

use std::time::Duration;

use heygen_monitor::simulator::{Artefact, End, JobKind, Lifecycle, Service, Simulator};
use serde_json::Value;

use super::{after, created, still, video_body};
use crate::support::{client, get};

const MINUTE: Duration = Duration::from_mins(1);

/// A job that is done, with this file; its detail.
async fn done(simulator: &Simulator, kind: JobKind, artefact: Artefact) -> Value {
    let id = simulator.account(|account| {
        account.artefact = artefact;
        account.seed(kind, "mine", after(-10), Lifecycle::completing(MINUTE, MINUTE))
    });
    detail(simulator, kind, &id).await
}

async fn detail(simulator: &Simulator, kind: JobKind, id: &str) -> Value {
    let path = match kind {
        JobKind::Video => "videos",
        JobKind::Translation => "video-translations",
    };
    let url = format!("{}/v3/{path}/{id}", simulator.url(Service::Api));
    get(&client(), &url).await.1["data"].clone()
}

/// Status, type and bytes of a GET of the job's video.
async fn fetch(detail: &Value) -> (u16, String, Vec<u8>) {
    let response = client().get(detail["video_url"].as_str().unwrap()).send().await.unwrap();
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), content_type, response.bytes().await.unwrap().to_vec())
}

/// The boxes at the top of `bytes`, and whether each is all there.
fn boxes(bytes: &[u8]) -> Vec<(String, bool, &[u8])> {
    let mut rest = bytes;
    let mut found = Vec::new();
    while rest.len() >= 8 {
        let (head, _) = rest.split_at(8);
        let size = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        let name = String::from_utf8_lossy(&head[4..]).into_owned();
        let is_whole = size <= rest.len();
        let (content, after) = rest.split_at(size.min(rest.len()));
        found.push((name, is_whole, &content[8..]));
        rest = after;
    }
    found
}

fn names(bytes: &[u8]) -> String {
    let name =
        |(name, is_whole, _): (String, bool, &[u8])| if is_whole { name } else { name + "…" };
    boxes(bytes).into_iter().map(name).collect::<Vec<_>>().join(" ")
}

/// The content of the first box that lies at `path`.
fn inner<'a>(bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
    path.iter().fold(bytes, |bytes, wanted| {
        let found = boxes(bytes).into_iter().find(|(name, ..)| name == wanted);
        found.unwrap_or_else(|| panic!("no {wanted}")).2
    })
}

fn seconds(movie: &[u8]) -> f64 {
    let header = inner(movie, &["moov", "mvhd"]);
    let number = |at: usize| f64::from(u32::from_be_bytes(header[at..at + 4].try_into().unwrap()));
    number(16) / number(12)
}

/// The kinds of track, as `vide soun`.
fn tracks(movie: &[u8]) -> String {
    let tracks = boxes(inner(movie, &["moov"])).into_iter().filter(|(name, ..)| name == "trak");
    let kind = |content: &[u8]| {
        let handler = inner(content, &["mdia", "hdlr"]);
        String::from_utf8_lossy(&handler[8..12]).into_owned()
    };
    tracks.map(|(_, _, content)| kind(content)).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_finished_video_is_an_mp4_of_its_length_with_both_tracks() {
    let simulator = still().await;
    simulator.account(|account| account.video_secs = 12.5);
    let job = done(&simulator, JobKind::Video, Artefact::Sound).await;
    assert_eq!(job["duration"], 12.5);
    let (status, content_type, movie) = fetch(&job).await;
    assert_eq!((status, content_type.as_str()), (200, "video/mp4"));
    assert_eq!(names(&movie), "ftyp moov mdat");
    assert!((seconds(&movie) - 12.5).abs() < 1e-9);
    assert_eq!(tracks(&movie), "vide soun");
    let track = inner(&movie, &["moov", "trak", "mdia"]);
    assert_eq!(names(track), "mdhd hdlr minf");
    assert_eq!(names(inner(track, &["minf"])), "vmhd dinf stbl");
    assert_eq!(names(inner(track, &["minf", "stbl"])), "stsd stts stsc stco stsz");
}

#[tokio::test]
async fn a_range_is_answered_with_that_part_alone() {
    let simulator = still().await;
    let job = done(&simulator, JobKind::Video, Artefact::Sound).await;
    let whole = fetch(&job).await.2;
    let url = job["video_url"].as_str().unwrap();
    let ask = |range: &'static str| client().get(url).header("range", range).send();
    let part = ask("bytes=100-199").await.unwrap();
    assert_eq!(part.status(), 206);
    let range = format!("bytes 100-199/{}", whole.len());
    assert_eq!(part.headers()["content-range"], range.as_str());
    assert_eq!(part.headers()["content-length"], "100");
    assert_eq!(part.bytes().await.unwrap(), whole[100..200]);
    assert_eq!(ask("bytes=-10").await.unwrap().bytes().await.unwrap(), whole[whole.len() - 10..]);
    assert_eq!(ask("bytes=99999999-").await.unwrap().status(), 416);
    let head = client().head(url).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.bytes().await.unwrap().len()), (200, 0));
}

#[tokio::test]
async fn every_flaw_is_served_as_such() {
    let simulator = still().await;
    let cases = [
        (Artefact::IndexLast, "ftyp mdat moov", "vide soun"),
        (Artefact::CutInIndex, "ftyp moov…", ""),
        (Artefact::CutInMedia, "ftyp moov mdat…", "vide soun"),
        (Artefact::WithoutAudio, "ftyp moov mdat", "vide"),
        (Artefact::WithoutVideo, "ftyp moov mdat", "soun"),
        (Artefact::Empty, "", ""),
    ];
    for (artefact, boxes, kinds) in cases {
        let movie = fetch(&done(&simulator, JobKind::Video, artefact.clone()).await).await.2;
        assert_eq!(names(&movie), boxes, "{artefact:?}");
        if !kinds.is_empty() {
            assert_eq!(tracks(&movie), kinds, "{artefact:?}");
        }
    }
    let wrong = Artefact::Lasting(Duration::from_secs(5));
    let job = done(&simulator, JobKind::Translation, wrong).await;
    assert_eq!(job["duration"], 10.0, "the answer says nothing of it");
    assert!((seconds(&fetch(&job).await.2) - 5.0).abs() < 1e-9);
    let page = fetch(&done(&simulator, JobKind::Video, Artefact::Page).await).await;
    assert_eq!((page.0, page.1.as_str()), (200, "text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_refused_url_is_answered_403_so_often() {
    let simulator = still().await;
    let job = done(&simulator, JobKind::Video, Artefact::Refused(2)).await;
    let statuses = [fetch(&job).await.0, fetch(&job).await.0, fetch(&job).await.0];
    assert_eq!(statuses, [403, 403, 200]);
}

#[tokio::test]
async fn a_url_holds_only_with_its_signature_while_its_job_is_there() {
    let simulator = still().await;
    let job = done(&simulator, JobKind::Video, Artefact::Sound).await;
    let url = job["video_url"].as_str().unwrap();
    assert!(url.starts_with(&simulator.url(Service::Files)));
    let bare = url.split('?').next().unwrap();
    assert_eq!(client().get(bare).send().await.unwrap().status(), 403);
    let api = format!("{}/v3/videos/{}", simulator.url(Service::Api), job["id"].as_str().unwrap());
    created(client().delete(api)).await;
    assert_eq!(fetch(&job).await.0, 403);
    simulator.account(|account| account.url_lifetime = Duration::ZERO);
    let job = done(&simulator, JobKind::Video, Artefact::Sound).await;
    assert_eq!(fetch(&job).await.0, 403, "ran out");
}

#[tokio::test]
async fn a_url_that_comes_later_is_null_and_denied_until_then() {
    let simulator = still().await;
    let mut lifecycle = Lifecycle::completing(MINUTE, MINUTE);
    lifecycle.end = End::CompletedUrlLater(60 * MINUTE);
    let id = simulator
        .account(|account| account.seed(JobKind::Video, "mine", after(-10), lifecycle.clone()));
    let job = detail(&simulator, JobKind::Video, &id).await;
    assert_eq!((job["status"].as_str(), &job["video_url"]), (Some("completed"), &Value::Null));
}

#[tokio::test]
async fn sound_is_an_mp3_of_its_length() {
    let simulator = still().await;
    simulator.account(|account| {
        account.translation = Lifecycle::completing(Duration::ZERO, Duration::ZERO);
    });
    let base = simulator.url(Service::Api);
    let dub = serde_json::json!({"video": {"type": "url", "url": simulator.source_url()},
                     "output_languages": ["Spanish (Spain)"], "translate_audio_only": true});
    let request = client().post(format!("{base}/v3/video-translations")).json(&dub);
    let (_, answer) = created(request).await;
    let id = answer["data"]["video_translation_ids"][0].as_str().unwrap();
    let job = detail(&simulator, JobKind::Translation, id).await;
    assert_eq!(job["video_url"], Value::Null);
    let speech = serde_json::json!({"text": "one two three four five", "voice_id": "voice_ben"});
    let (_, spoken) =
        created(client().post(format!("{base}/v3/voices/speech")).json(&speech)).await;
    for (url, secs) in [(&job["audio_url"], 10.0), (&spoken["data"]["audio_url"], 2.0)] {
        let response = client().get(url.as_str().unwrap()).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "audio/mpeg");
        let bytes = response.bytes().await.unwrap();
        assert!(bytes.starts_with(b"ID3"));
        let frames =
            bytes[20..].chunks(104).filter(|frame| frame.starts_with(&[0xFF, 0xFB])).count();
        assert!((frames as f64 * 1152.0 / 44_100.0 - secs).abs() < 0.03, "{frames} frames");
    }
    let source = client().get(simulator.source_url()).send().await.unwrap().bytes().await.unwrap();
    assert!((seconds(&source) - 10.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_file_is_not_there_before_its_job_is_done() {
    let simulator = still().await;
    let (_, answer) = created(
        client().post(format!("{}/v3/videos", simulator.url(Service::Api))).json(&video_body("t")),
    )
    .await;
    let id = answer["data"]["video_id"].as_str().unwrap();
    let url = format!("{}/{id}.mp4?Expires=9999999999&Signature=x", simulator.url(Service::Files));
    assert_eq!(client().get(url).send().await.unwrap().status(), 403);
}
