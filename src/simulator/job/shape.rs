//! What a job says of itself: the JSON of videos and translations, single, in bulk and as an event.
//!
//! Owns the documented shapes; what an account says otherwise is its [`Dialect`]. Invariant: the URL
//! of a result is signed anew at each read.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::artefact::FileKind;
use super::super::dialect::Dialect;
use super::{End, Job, JobKind, Stage};

/// What the shape of an answer depends on, beside the job.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulator) struct View<'a> {
    pub(in crate::simulator) now: Timestamp,
    /// Where files are served, without a last slash.
    pub(in crate::simulator) files: &'a str,
    pub(in crate::simulator) url_lifetime: Duration,
    pub(in crate::simulator) dialect: &'a Dialect,
}

impl View<'_> {
    /// A signed URL, as CloudFront makes them.
    pub(in crate::simulator) fn signed(&self, name: &str, kind: FileKind) -> String {
        let expires = self.now.saturating_add(self.url_lifetime).unwrap_or(Timestamp::MAX);
        let (files, kind, expires) = (self.files, kind.extension(), expires.as_second());
        format!("{files}/{name}.{kind}?Expires={expires}&Signature=simulated&Key-Pair-Id=K1")
    }
}

impl Job {
    /// What `GET /v3/videos/{id}` or `GET /v3/video-translations/{id}` holds under `data`.
    pub(in crate::simulator) fn detail(&self, view: &View<'_>) -> Value {
        let documented = match self.kind {
            JobKind::Video => self.video(view),
            JobKind::Translation => self.translation(view),
        };
        view.dialect.said(documented)
    }

    /// What the bulk `statuses` operations hold per id.
    pub(in crate::simulator) fn bulk_status(&self, now: Timestamp) -> Value {
        let status = match self.stage(now) {
            Stage::Waiting | Stage::Queued => "queued",
            Stage::Processing => "processing",
            Stage::Ended(_) => self.end_word(),
        };
        let error =
            self.failure(now).map(|(code, message)| json!({"code": code, "message": message}));
        json!({"video_id": self.id, "status": status, "batch_id": null, "item_index": null,
               "error": error})
    }

    /// Type and data of the event that tells of its end.
    pub(in crate::simulator) fn event(&self, view: &View<'_>) -> (&'static str, Value) {
        let failure = self.failure(view.now).map(|(_, message)| message);
        let url = self.result_url(view);
        match (self.kind, failure) {
            (JobKind::Video, None) => (
                "avatar_video.success",
                json!({
                    "video_id": self.id,
                    "url": url,
                    "gif_download_url": null,
                    "video_page_url": self.page_url(),
                    "video_share_page_url": format!("https://app.heygen.com/share/{}", self.id),
                    "folder_id": "",
                    "callback_id": self.callback_id,
                }),
            ),
            (JobKind::Video, Some(message)) => (
                "avatar_video.fail",
                json!({"video_id": self.id, "msg": message, "callback_id": self.callback_id}),
            ),
            (JobKind::Translation, None) => (
                "video_translate.success",
                json!({"video_translate_id": self.id, "url": url, "callback_id": self.callback_id,
                       "output_language": self.output_language}),
            ),
            (JobKind::Translation, Some(message)) => (
                "video_translate.fail",
                json!({"video_translate_id": self.id, "message": message,
                       "callback_id": self.callback_id, "output_language": self.output_language}),
            ),
        }
    }

    fn video(&self, view: &View<'_>) -> Value {
        let stage = self.stage(view.now);
        let failure = self.failure(view.now);
        let url = self.result_url(view);
        let is_done = url.is_some();
        json!({
            "id": self.id,
            "title": self.title,
            "status": self.status_word(stage),
            "created_at": self.created_at.as_second(),
            "completed_at": self.completed_at(stage).map(Timestamp::as_second),
            "video_url": url,
            "thumbnail_url": is_done.then(|| format!("{}/{}.jpg", view.files, self.id)),
            "gif_url": null,
            "captioned_video_url": null,
            "subtitle_url": null,
            "duration": is_done.then_some(self.duration_secs),
            "folder_id": null,
            "output_language": null,
            "failure_code": failure.map(|(code, _)| code),
            "failure_message": failure.map(|(_, message)| message),
            "video_page_url": self.page_url(),
        })
    }

    fn translation(&self, view: &View<'_>) -> Value {
        let stage = self.stage(view.now);
        let url = self.result_url(view);
        let is_done = url.is_some();
        let (video_url, audio_url) = if self.is_audio_only { (None, url) } else { (url, None) };
        json!({
            "id": self.id,
            "title": self.title,
            "status": self.status_word(stage),
            "input_language": is_done.then_some("en"),
            "output_language": self.output_language,
            "duration": is_done.then_some(self.duration_secs),
            "translate_audio_only": self.is_audio_only,
            "video_url": video_url,
            "audio_url": audio_url,
            "srt_caption_url": null,
            "vtt_caption_url": null,
            "callback_id": self.callback_id,
            "created_at": self.created_at.as_second(),
            "failure_message": self.failure(view.now).map(|(_, message)| message),
        })
    }

    fn status_word(&self, stage: Stage) -> &'static str {
        match (stage, self.kind) {
            (Stage::Waiting, _) => "waiting",
            (Stage::Queued, _) => "pending",
            (Stage::Processing, JobKind::Video) => "processing",
            (Stage::Processing, JobKind::Translation) => "running",
            (Stage::Ended(_), _) => self.end_word(),
        }
    }

    fn end_word(&self) -> &'static str {
        match self.lifecycle.end {
            End::Completed | End::CompletedUrlLater(_) => "completed",
            End::Failed { .. } => "failed",
        }
    }

    fn completed_at(&self, stage: Stage) -> Option<Timestamp> {
        match (stage, &self.lifecycle.end) {
            (Stage::Ended(at), End::Completed | End::CompletedUrlLater(_)) => Some(at),
            _ => None,
        }
    }

    fn result_url(&self, view: &View<'_>) -> Option<String> {
        self.has_url(view.now).then(|| view.signed(&self.id, self.file_kind()))
    }

    fn page_url(&self) -> String {
        format!("https://app.heygen.com/video/{}", self.id)
    }
}
