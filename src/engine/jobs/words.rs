//! The sentences about jobs (verdicts.md, section 7).
//!
//! Owns how ages and what is usual are put into words. Invariant: an id may be named, a title never.

use std::time::Duration;

use super::limits::{Limits, stage_of};
use crate::engine::words::{duration, listed};
use crate::model::{Job, JobKind, JobState, Origin, Stage};

/// So many ids are named in a sentence.
const NAMED: usize = 4;

/// `video` or `videos`, `translation` or `translations`.
pub(crate) fn noun(kind: JobKind, count: usize) -> &'static str {
    match (kind, count) {
        (JobKind::Video, 1) => "video",
        (JobKind::Video, _) => "videos",
        (JobKind::Translation, 1) => "translation",
        (JobKind::Translation, _) => "translations",
    }
}

/// `videos have waited 24 min to start; usually under 4 min (your last 212)`.
pub(super) fn waited(kind: JobKind, over: &[&Job], limits: &Limits<'_>) -> String {
    let oldest = over[0];
    let whose = match oldest.origin {
        Origin::Canary => "test ",
        Origin::Natural => "",
    };
    let count = over.len();
    let noun = noun(kind, count);
    let (subject, have) = match count {
        1 => (format!("a {whose}{noun}"), "has"),
        _ => (format!("{whose}{noun}"), "have"),
    };
    let age = duration(limits.age(oldest).unwrap_or_default());
    let did = did(kind, oldest.state, have, &age);
    format!("{subject} {did}; {}", usual(oldest, limits))
}

/// `video v_1 has waited 44 min to start, while 3 younger ones finished`.
pub(super) fn single(kind: JobKind, over: &[&Job], limits: &Limits<'_>) -> String {
    let oldest = over[0];
    let age = duration(limits.age(oldest).unwrap_or_default());
    let have = if over.len() == 1 { "has" } else { "have" };
    let did = did(kind, oldest.state, have, &age);
    let ids: Vec<&str> = over.iter().take(NAMED).map(|job| job.id.as_str()).collect();
    let more = match over.len().saturating_sub(NAMED) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let noun = noun(kind, over.len());
    format!("{noun} {}{more} {did}, while younger ones finished", listed(&ids))
}

fn did(kind: JobKind, state: JobState, have: &str, age: &str) -> String {
    match (state, kind) {
        (JobState::Queued, _) => format!("{have} waited {age} to start"),
        (_, JobKind::Video) => format!("{have} been rendering for {age}"),
        (_, JobKind::Translation) => format!("{have} been translating for {age}"),
    }
}

fn usual(job: &Job, limits: &Limits<'_>) -> String {
    let whose = match job.origin {
        Origin::Canary => "our last",
        Origin::Natural => "your last",
    };
    match limits.baseline(job.kind, job.origin, stage_of(job)) {
        Some(baseline) => {
            format!(
                "usually under {} ({whose} {})",
                duration(round_up(baseline.q90)),
                baseline.count
            )
        }
        None => format!("the limit is {}", duration(limits.of(job).late)),
    }
}

/// How a sentence about what is usual now begins.
pub(crate) const NEW_NORMAL: &str = "New normal: ";

/// `New normal: nine of ten videos start within 12 min lately; it was 4 min.`
pub(super) fn new_normal(kind: JobKind, stage: Stage, before: Duration, now: Duration) -> String {
    let (now, before) = (duration(round_up(now)), duration(round_up(before)));
    let noun = noun(kind, 2);
    let verb = match (stage, kind) {
        (Stage::Queue | Stage::Submit, _) => "start",
        (Stage::Processing, JobKind::Video) => "are rendered",
        (Stage::Processing, JobKind::Translation) => "are translated",
    };
    format!("{NEW_NORMAL}nine of ten {noun} {verb} within {now} lately; it was {before}.")
}

/// To the next minute, or below two minutes to the next ten seconds.
fn round_up(duration: Duration) -> Duration {
    let secs = duration.as_secs_f64().ceil();
    let step = if secs < 120.0 { 10.0 } else { 60.0 };
    Duration::from_secs_f64((secs / step).ceil().max(1.0) * step)
}

/// `5 of the 6 videos that ended within the last hour failed`.
pub(super) fn failing(kind: JobKind, failed: usize, ended: usize) -> String {
    format!("{failed} of the {ended} {} that ended within the last hour failed", noun(kind, ended))
}

/// `a video was not paid for: the account lacks credit`.
pub(super) fn unpaid(kind: JobKind) -> String {
    format!("a {} failed for want of credit", noun(kind, 1))
}

/// `90 of your videos wait for a free place; 10 are being made at once`.
pub(super) fn backlog(kind: JobKind, queued: usize, processing: usize) -> String {
    format!(
        "{queued} of your {} wait for a free place; {processing} {} being made",
        noun(kind, 2),
        if processing == 1 { "is" } else { "are" }
    )
}
