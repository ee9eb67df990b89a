//! HeyGen's asynchronous jobs: where each stands at a given moment.
//!
//! Owns the lifecycle; what a job says of itself is `job/shape`. A job is never driven: its stage is
//! computed from its age, so thousands cost nothing. Invariant: a stage never goes backwards.

mod shape;

use std::time::Duration;

use jiff::Timestamp;

use super::artefact::{Artefact, FileKind};

pub(super) use shape::View;

/// The two kinds of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// What stands behind its URL.
    pub artefact: Artefact,
    /// The caller's own id for it.
    pub callback_id: Option<String>,
    /// When one of the account's places for jobs in progress is free for it.
    pub(super) place: Place,
}

/// When a job may begin, where the account processes only so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At once.
    Free,
    /// Not before another one ends.
    From(Timestamp),
    /// Never: every place is held by a job that is never done.
    Never,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    Queued,
    Processing,
    Ended(Timestamp),
}

impl Job {
    /// When its processing begins; `None`: never.
    pub fn begins_at(&self) -> Option<Timestamp> {
        let ready = self.ready_at()?;
        match self.place {
            Place::Free => Some(ready),
            Place::From(at) => Some(ready.max(at)),
            Place::Never => None,
        }
    }

    /// When it ends; `None`: never.
    pub fn ends_at(&self) -> Option<Timestamp> {
        Some(later(self.begins_at()?, self.lifecycle.processing?))
    }

    /// When it would begin if no other job were in its way.
    pub(super) fn ready_at(&self) -> Option<Timestamp> {
        Some(later(self.created_at, self.lifecycle.waiting + self.lifecycle.queue?))
    }

    /// The type of its file.
    pub(super) fn file_kind(&self) -> FileKind {
        if self.is_audio_only { FileKind::Mp3 } else { FileKind::Mp4 }
    }

    /// True once its URL is shown.
    pub(super) fn has_url(&self, now: Timestamp) -> bool {
        let Stage::Ended(at) = self.stage(now) else {
            return false;
        };
        match self.lifecycle.end {
            End::Completed => true,
            End::CompletedUrlLater(delay) => later(at, delay) <= now,
            End::Failed { .. } => false,
        }
    }

    pub(super) fn stage(&self, now: Timestamp) -> Stage {
        if now < later(self.created_at, self.lifecycle.waiting) {
            return Stage::Waiting;
        }
        if self.begins_at().is_none_or(|begins| now < begins) {
            return Stage::Queued;
        }
        match self.ends_at() {
            Some(at) if at <= now => Stage::Ended(at),
            Some(_) | None => Stage::Processing,
        }
    }

    /// Code and message, once it has failed.
    pub(super) fn failure(&self, now: Timestamp) -> Option<(&str, &str)> {
        match (self.stage(now), &self.lifecycle.end) {
            (Stage::Ended(_), End::Failed { code, message }) => Some((code, message)),
            _ => None,
        }
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
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
            artefact: Artefact::Sound,
            callback_id: None,
            place: Place::Free,
        }
    }

    fn detail(job: &Job, now: Timestamp) -> serde_json::Value {
        let (files, dialect) = ("https://files.heygen.ai", super::super::Dialect::default());
        job.detail(&View { now, files, url_lifetime: Duration::from_hours(1), dialect: &dialect })
    }

    /// Status once a minute.
    fn course(job: &Job, minutes: i64) -> String {
        let at = |minute: i64| Timestamp::from_second(1_700_000_000 + 60 * minute).unwrap();
        let words = (0..minutes).map(|minute| detail(job, at(minute))["status"].clone());
        words.map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_job_passes_its_stages_by_age_alone() {
        let video = job(JobKind::Video, Lifecycle::completing(2 * MINUTE, MINUTE));
        assert_eq!(course(&video, 4), "pending pending processing completed");
        let mut held = video.clone();
        held.place = Place::From(Timestamp::from_second(1_700_000_180).unwrap());
        assert_eq!(course(&held, 5), "pending pending pending processing completed");
        held.place = Place::Never;
        assert_eq!(course(&held, 2), "pending pending");
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
        let detail = detail(&video, Timestamp::from_second(1_700_000_120).unwrap());
        assert_eq!(detail["failure_code"], "MOVIO_PAYMENT_INSUFFICIENT_CREDIT");
        assert_eq!(detail["completed_at"], serde_json::Value::Null);
    }

    #[test]
    fn a_late_url_is_null_until_it_comes() {
        let mut lifecycle = Lifecycle::completing(MINUTE, MINUTE);
        lifecycle.end = End::CompletedUrlLater(MINUTE);
        let video = job(JobKind::Video, lifecycle);
        let url = |secs: i64| {
            let at = Timestamp::from_second(1_700_000_000 + secs).unwrap();
            detail(&video, at)["video_url"].is_string()
        };
        assert_eq!([url(120), url(179), url(180)], [false, false, true]);
    }
}
