//! HeyGen's asynchronous jobs: what each says of itself at a given moment.
//!
//! Owns the lifecycle and the two JSON shapes (video, translation). A job is never driven: its stage
//! is computed from its age, so thousands cost nothing. Invariant: a stage never goes backwards.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

/// The two kinds of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// `/v3/videos`
    Video,
    /// `/v3/video-translations`
    Translation,
}

/// How long the stages of a job take and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// Time that a GET still says `waiting` (older answers do; the documented enumeration does not).
    pub waiting: Duration,
    /// Time in `pending`; `None`: for ever.
    pub queue: Option<Duration>,
    /// Time in `processing` (translations: `running`); `None`: for ever.
    pub processing: Option<Duration>,
    /// The end.
    pub end: End,
}

/// How a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Completed, with a URL.
    Completed,
    /// Completed; its URL appears this much later.
    CompletedUrlLater(Duration),
    /// Failed. Translations show the message alone.
    Failed {
        /// `failure_code`
        code: String,
        /// `failure_message`
        message: String,
    },
}

impl Lifecycle {
    /// Queues for `queue`, processes for `processing`, completes.
    pub fn completing(queue: Duration, processing: Duration) -> Self {
        Self {
            waiting: Duration::ZERO,
            queue: Some(queue),
            processing: Some(processing),
            end: End::Completed,
        }
    }

    /// Never leaves the queue.
    pub fn stuck_in_queue() -> Self {
        Self { queue: None, ..Self::completing(Duration::ZERO, Duration::ZERO) }
    }

    /// Leaves the queue after `queue` and is never done.
    pub fn stuck_in_processing(queue: Duration) -> Self {
        Self { processing: None, ..Self::completing(queue, Duration::ZERO) }
    }

    /// The same stages, but failing.
    #[must_use]
    pub fn failing(mut self, code: &str, message: &str) -> Self {
        self.end = End::Failed { code: code.to_owned(), message: message.to_owned() };
        self
    }

    /// Fails for want of credit at poll time, as HeyGen does.
    pub fn out_of_credit(queue: Duration) -> Self {
        let message = "Insufficient credit. This operation requires 'api' credits.";
        Self::completing(queue, Duration::ZERO)
            .failing("MOVIO_PAYMENT_INSUFFICIENT_CREDIT", message)
    }
}

impl Default for Lifecycle {
    /// A short video on a good day.
    fn default() -> Self {
        Self::completing(Duration::from_secs(40), Duration::from_secs(150))
    }
}

/// One job of the account.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: JobKind,
    /// Its title.
    pub title: Option<String>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// What becomes of it.
    pub lifecycle: Lifecycle,
    /// Seconds that its result lasts.
    pub duration_secs: f64,
    /// Target language; translations alone.
    pub output_language: Option<String>,
    /// Whether only the sound is made; translations alone.
    pub is_audio_only: bool,
    /// Where the artefact is served.
    pub files_url: String,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Queued,
    Processing,
    Ended(Timestamp),
}

impl Job {
    /// What `GET /v3/videos/{id}` or `GET /v3/video-translations/{id}` holds under `data`.
    pub(super) fn detail(&self, now: Timestamp) -> Value {
        match self.kind {
            JobKind::Video => self.video(now),
            JobKind::Translation => self.translation(now),
        }
    }

    /// What the bulk `statuses` operations hold per id.
    pub(super) fn bulk_status(&self, now: Timestamp) -> Value {
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

    fn video(&self, now: Timestamp) -> Value {
        let stage = self.stage(now);
        let failure = self.failure(now);
        let url = self.result_url(now);
        let is_done = url.is_some();
        json!({
            "id": self.id,
            "title": self.title,
            "status": self.status_word(stage),
            "created_at": self.created_at.as_second(),
            "completed_at": self.completed_at(stage).map(Timestamp::as_second),
            "video_url": url,
            "thumbnail_url": is_done.then(|| format!("{}/{}.jpg", self.files_url, self.id)),
            "gif_url": null,
            "captioned_video_url": null,
            "subtitle_url": null,
            "duration": is_done.then_some(self.duration_secs),
            "folder_id": null,
            "output_language": null,
            "failure_code": failure.map(|(code, _)| code),
            "failure_message": failure.map(|(_, message)| message),
            "video_page_url": format!("https://app.heygen.com/video/{}", self.id),
        })
    }

    fn translation(&self, now: Timestamp) -> Value {
        let stage = self.stage(now);
        let url = self.result_url(now);
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
            "callback_id": null,
            "created_at": self.created_at.as_second(),
            "failure_message": self.failure(now).map(|(_, message)| message),
        })
    }

    fn stage(&self, now: Timestamp) -> Stage {
        let age = Duration::try_from(now.duration_since(self.created_at)).unwrap_or_default();
        let Some(queue) = self.lifecycle.queue else {
            return if age < self.lifecycle.waiting { Stage::Waiting } else { Stage::Queued };
        };
        let queued_until = self.lifecycle.waiting + queue;
        if age < self.lifecycle.waiting {
            return Stage::Waiting;
        }
        if age < queued_until {
            return Stage::Queued;
        }
        let Some(processing) = self.lifecycle.processing else {
            return Stage::Processing;
        };
        let total = queued_until + processing;
        if age < total {
            return Stage::Processing;
        }
        Stage::Ended(self.created_at.saturating_add(total).unwrap_or(now))
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

    fn failure(&self, now: Timestamp) -> Option<(&str, &str)> {
        match (self.stage(now), &self.lifecycle.end) {
            (Stage::Ended(_), End::Failed { code, message }) => Some((code, message)),
            _ => None,
        }
    }

    /// A signed URL, as CloudFront makes them; fresh at each read.
    fn result_url(&self, now: Timestamp) -> Option<String> {
        let Stage::Ended(at) = self.stage(now) else {
            return None;
        };
        match self.lifecycle.end {
            End::Failed { .. } => return None,
            End::CompletedUrlLater(delay) if now < at.saturating_add(delay).unwrap_or(now) => {
                return None;
            }
            End::Completed | End::CompletedUrlLater(_) => {}
        }
        let expires = now.as_second() + 7 * 86_400;
        let kind = if self.is_audio_only { "mp3" } else { "mp4" };
        let (files, id) = (&self.files_url, &self.id);
        Some(format!("{files}/{id}.{kind}?Expires={expires}&Signature=simulated&Key-Pair-Id=K1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(kind: JobKind, lifecycle: Lifecycle) -> Job {
        Job {
            id: "v_1".to_owned(),
            kind,
            title: None,
            created_at: Timestamp::from_second(1_700_000_000).unwrap(),
            lifecycle,
            duration_secs: 3.0,
            output_language: None,
            is_audio_only: false,
            files_url: "https://files.heygen.ai".to_owned(),
        }
    }

    /// Status once a minute.
    fn course(job: &Job, minutes: i64) -> String {
        let at = |minute: i64| Timestamp::from_second(1_700_000_000 + 60 * minute).unwrap();
        let words = (0..minutes).map(|minute| job.detail(at(minute))["status"].clone());
        words.map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_job_passes_its_stages_by_age_alone() {
        let video = job(JobKind::Video, Lifecycle::completing(2 * MINUTE, MINUTE));
        assert_eq!(course(&video, 4), "pending pending processing completed");
        let translation = job(JobKind::Translation, Lifecycle::completing(MINUTE, MINUTE));
        assert_eq!(course(&translation, 3), "pending running completed");
        let stuck = job(JobKind::Video, Lifecycle::stuck_in_queue());
        assert_eq!(course(&stuck, 3), "pending pending pending");
        let stuck = job(JobKind::Video, Lifecycle::stuck_in_processing(MINUTE));
        assert_eq!(course(&stuck, 3), "pending processing processing");
    }

    #[test]
    fn a_payment_failure_shows_at_poll_time() {
        let video = job(JobKind::Video, Lifecycle::out_of_credit(MINUTE));
        assert_eq!(course(&video, 2), "pending failed");
        let detail = video.detail(Timestamp::from_second(1_700_000_120).unwrap());
        assert_eq!(detail["failure_code"], "MOVIO_PAYMENT_INSUFFICIENT_CREDIT");
        assert_eq!(detail["completed_at"], Value::Null);
    }

    #[test]
    fn a_late_url_is_null_until_it_comes() {
        let mut lifecycle = Lifecycle::completing(MINUTE, MINUTE);
        lifecycle.end = End::CompletedUrlLater(MINUTE);
        let video = job(JobKind::Video, lifecycle);
        let url = |secs: i64| {
            let at = Timestamp::from_second(1_700_000_000 + secs).unwrap();
            video.detail(at)["video_url"].is_string()
        };
        assert_eq!([url(120), url(179), url(180)], [false, false, true]);
    }
}
