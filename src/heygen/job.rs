//! HeyGen's jobs on the wire: lists, bulk statuses, single jobs, answers to creates (facts, 2–4).
//!
//! Owns where each word stands. What a status means is `model::JobStatus`'s. Invariant: a row that
//! cannot be understood is left out, and the rest of its page is read.

use serde_json::Value;
use url::Url;

use super::fields::{Fields, parsed};
use crate::model::{JobFailure, JobKind, JobStatus, Timestamp};

/// Most rows of a page, and most ids of a bulk call.
pub const PAGE_ROWS: usize = 100;
/// Longest title looked at, in characters.
const TITLE_CHARS: usize = 500;
/// Longest status word looked at, in characters.
const STATUS_CHARS: usize = 50;
/// Longest error code kept, in characters.
const CODE_CHARS: usize = 100;
/// Longest error message kept, in characters.
const MESSAGE_CHARS: usize = 500;
/// Longest cursor passed on, in characters.
const CURSOR_CHARS: usize = 2_000;
/// Names of a job's id, most telling first.
const IDS: [&str; 5] =
    ["video_translation_id", "video_translate_id", "video_id", "id", "translation_id"];

/// One job in an answer. Has no `Debug`: titles and signed URLs are nobody's business.
pub struct JobRow {
    /// Its id.
    pub id: String,
    /// Its title, cleaned.
    pub title: Option<String>,
    /// What HeyGen says.
    pub status: JobStatus,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<JobFailure>,
    /// Where its result is, signature and all.
    pub url: Option<Url>,
}

/// One page of a list, newest first, or a bulk answer.
pub struct JobPage {
    /// Its rows.
    pub rows: Vec<JobRow>,
    /// Cursor of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// Path of a kind's operations.
pub fn jobs_path(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Video => "/v3/videos",
        JobKind::Translation => "/v3/video-translations",
    }
}

/// Path of one job. The id is one of HeyGen's own: see `fields::is_id`.
pub fn job_path(kind: JobKind, id: &str) -> String {
    format!("{}/{id}", jobs_path(kind))
}

/// Path and query of a page of the newest jobs, whose title contains a text where one is given.
pub fn list_path(kind: JobKind, cursor: Option<&str>, title: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &PAGE_ROWS.to_string());
    for (name, value) in [("token", cursor), ("title", title)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("{}?{}", jobs_path(kind), query.finish())
}

/// Path and query of the statuses of up to [`PAGE_ROWS`] jobs.
pub fn statuses_path(kind: JobKind, ids: &[String]) -> String {
    let parameter = match kind {
        JobKind::Video => "video_ids",
        JobKind::Translation => "video_translation_ids",
    };
    format!("{}/statuses?{parameter}={}", jobs_path(kind), ids.join(","))
}

/// A list or a bulk answer; `None` when it holds no list.
pub fn job_page(body: &[u8]) -> Option<JobPage> {
    let answer = parsed(body)?;
    let top = Fields::of(&answer)?;
    let inner = top.part("data");
    let rows = match inner {
        Some(inner) => ["videos", "video_translations", "items", "list", "statuses"]
            .iter()
            .find_map(|name| inner.get(name)?.as_array()),
        None => top.get("data")?.as_array(),
    }?;
    let places = || [Some(top), inner].into_iter().flatten();
    let cursor = places().find_map(|place| place.text(&["next_token", "token"], CURSOR_CHARS));
    let has_more = places().find_map(|place| place.flag("has_more")).unwrap_or(true);
    Some(JobPage { rows: rows.iter().filter_map(row).collect(), next: cursor.filter(|_| has_more) })
}

/// One job; the id is the one asked for.
pub fn job_detail(body: &[u8], id: &str) -> Option<JobRow> {
    let answer = parsed(body)?;
    let fields = Fields::of(&answer)?.part("data")?;
    Some(read(fields, id.to_owned()))
}

/// The id in the answer to a create.
pub fn created_id(body: &[u8]) -> Option<String> {
    let answer = parsed(body)?;
    let data = Fields::of(&answer)?.part("data")?;
    let of_list = || {
        ["video_translation_ids", "video_translate_ids", "video_ids"].iter().find_map(|name| {
            let first = data.get(name)?.as_array()?.first()?.as_str()?;
            super::fields::is_id(first).then(|| first.to_owned())
        })
    };
    let of_rows = || {
        let rows = data.get("video_translations")?.as_array()?;
        Fields::of(rows.first()?)?.id(&IDS)
    };
    of_list().or_else(of_rows).or_else(|| data.id(&IDS))
}

/// Where the sound is, in the answer to a text to speech.
pub fn speech_url(body: &[u8]) -> Option<Url> {
    let answer = parsed(body)?;
    Fields::of(&answer)?.part("data")?.url(&["audio_url", "url"])
}

/// Whether an answer is HeyGen's own refusal: an object with an error in it.
pub fn is_envelope(body: &[u8]) -> bool {
    let Some(answer) = parsed(body) else { return false };
    let fields = Fields::of(&answer);
    fields.is_some_and(|fields| fields.get("error").is_some() || fields.get("code").is_some())
}

/// The code of HeyGen's refusal, in lower case.
pub fn error_code(body: &[u8]) -> Option<String> {
    let answer = parsed(body)?;
    let code = Fields::of(&answer)?.part("error")?.text(&["code"], CODE_CHARS)?;
    Some(code.to_ascii_lowercase())
}

/// HeyGen's event about a job: its type and what it says; `None` when it is none of HeyGen's.
pub fn job_event(body: &[u8]) -> Option<(String, Option<(JobKind, JobRow)>)> {
    let answer = parsed(body)?;
    let top = Fields::of(&answer)?;
    let word = top.text(&["event_type", "event"], CODE_CHARS)?;
    let (kind, status) = match word.as_str() {
        "avatar_video.success" => (JobKind::Video, JobStatus::Completed),
        "avatar_video.fail" => (JobKind::Video, JobStatus::Failed),
        "video_translate.success" => (JobKind::Translation, JobStatus::Completed),
        "video_translate.fail" => (JobKind::Translation, JobStatus::Failed),
        _ => return Some((word, None)),
    };
    let said = top.part("event_data").and_then(|data| {
        let row = read(data, data.id(&IDS)?);
        let failure = match status {
            JobStatus::Failed => failure(data, JobStatus::Failed),
            _ => None,
        };
        Some((kind, JobRow { status, failure, ..row }))
    });
    Some((word, said))
}

fn row(value: &Value) -> Option<JobRow> {
    let fields = Fields::of(value)?;
    Some(read(fields, fields.id(&IDS)?))
}

fn read(fields: Fields<'_>, id: String) -> JobRow {
    let word = fields.text(&["status"], STATUS_CHARS).unwrap_or_default();
    let status = JobStatus::of_word(&word);
    JobRow {
        id,
        title: fields.text(&["title"], TITLE_CHARS),
        status,
        created_at: fields.time(&["created_at"]),
        completed_at: fields.time(&["completed_at"]),
        failure: failure(fields, status),
        url: fields.url(&["video_url", "audio_url", "url"]),
    }
}

fn failure(fields: Fields<'_>, status: JobStatus) -> Option<JobFailure> {
    let error = fields.part("error");
    let code = fields
        .text(&["failure_code", "error_code"], CODE_CHARS)
        .or_else(|| error?.text(&["code"], CODE_CHARS));
    let message = fields
        .text(&["failure_message", "failure_reason"], MESSAGE_CHARS)
        .or_else(|| error?.text(&["message", "detail"], MESSAGE_CHARS))
        .or_else(|| fields.text(&["error"], MESSAGE_CHARS))
        .or_else(|| {
            fields.text(&["message", "msg"], MESSAGE_CHARS).filter(|_| status == JobStatus::Failed)
        })
        .map(|message| without_queries(&message));
    (code.is_some() || message.is_some()).then_some(JobFailure { code, message })
}

/// A text whose URLs have lost what may be a signature.
fn without_queries(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.split_once(['?', '#']) {
        Some((address, _)) if address.contains("://") => address,
        Some(_) | None => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> JobPage {
        job_page(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_page_is_read_around_what_is_broken() {
        let page = page(
            r#"{"data":[7,{"title":"no id"},{"id":"a","status":"completed","created_at":"1711929600",
               "completed_at":1711930200000,"video_url":"https://f.test/a.mp4?Signature=x"},
               {"id":"b","status":["?"],"created_at":null,"new_field":{}}],
               "has_more":true,"next_token":"c 1"}"#,
        );
        assert_eq!(page.next.as_deref(), Some("c 1"));
        let ids: Vec<_> = page.rows.iter().map(|row| (row.id.as_str(), row.status)).collect();
        assert_eq!(ids, [("a", JobStatus::Completed), ("b", JobStatus::Unknown)]);
        let took =
            page.rows[0].completed_at.unwrap().duration_since(page.rows[0].created_at.unwrap());
        assert_eq!(took.as_secs(), 600);
        assert!(page.rows[0].url.is_some());
        assert_eq!(list_path(JobKind::Video, Some("c 1"), None), "/v3/videos?limit=100&token=c+1");
    }

    #[test]
    fn the_last_page_has_no_successor() {
        for text in [
            r#"{"data":[],"has_more":false,"next_token":"x"}"#,
            r#"{"data":[],"has_more":true,"next_token":null}"#,
            r#"{"data":{"videos":[]}}"#,
        ] {
            assert!(page(text).next.is_none(), "{text}");
        }
        for text in [r#"{"data":{}}"#, r#"{"data":null}"#, "[]", "<html>", r#"{"data":"x"}"#] {
            assert!(job_page(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_created_id_is_found_in_every_form() {
        for (text, id) in [
            (r#"{"data":{"video_id":"v1","status":"waiting"}}"#, Some("v1")),
            (r#"{"error":null,"data":{"video_id":"v1"},"warning":{}}"#, Some("v1")),
            (r#"{"data":{"video_translation_ids":["t1","t2"]}}"#, Some("t1")),
            (r#"{"data":{"video_translations":[{"video_translation_id":"t1"}]}}"#, Some("t1")),
            (r#"{"data":{"video_translate_id":"t1"}}"#, Some("t1")),
            (r#"{"data":{"video_translation_ids":[]}}"#, None),
            (r#"{"data":{"video_id":"../x"}}"#, None),
            (r#"{"data":{}}"#, None),
            ("", None),
        ] {
            assert_eq!(created_id(text.as_bytes()).as_deref(), id, "{text}");
        }
    }

    #[test]
    fn a_failure_is_told_in_every_form_and_without_signatures() {
        for (text, code, message) in [
            (
                r#"{"id":"a","status":"failed","failure_code":"X","failure_message":"No."}"#,
                Some("X"),
                Some("No."),
            ),
            (r#"{"id":"a","status":"failed","failure_reason":"No."}"#, None, Some("No.")),
            (
                r#"{"id":"a","status":"failed","error":{"code":"X","message":"No."}}"#,
                Some("X"),
                Some("No."),
            ),
            (
                r#"{"id":"a","status":"failed","failure_message":"Cannot get https://h.test/a.mp4?sig=1 now"}"#,
                None,
                Some("Cannot get https://h.test/a.mp4 now"),
            ),
            (r#"{"id":"a","status":"failed","message":"No."}"#, None, Some("No.")),
        ] {
            let body = format!("{{\"data\":{text}}}");
            let failure = job_detail(body.as_bytes(), "a").unwrap().failure.unwrap();
            assert_eq!((failure.code.as_deref(), failure.message.as_deref()), (code, message));
        }
        let sound = job_detail(br#"{"data":{"status":"running","message":"ok"}}"#, "a").unwrap();
        assert!(sound.failure.is_none() && sound.status == JobStatus::Processing);
    }
}
