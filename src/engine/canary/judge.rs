//! What the state of its job means for a paid test.
//!
//! Owns the verdict on one test. Invariant: a test is judged once; being stuck is said once and
//! overruled by the end.

use jiff::SignedDuration;

use super::{job_of, observed};
use crate::engine::jobs::Ledger;
use crate::engine::settings::{Settings, Watch};
use crate::engine::words;
use crate::model::{Evidence, Intent, IntentState, Job, JobState, Observation, Outcome, Timestamp};

/// A completed job without a URL gets this much grace (verdicts.md, section 4).
const URL_GRACE: SignedDuration = SignedDuration::from_mins(1);

/// What follows from a look at the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sentence {
    /// It lives.
    GoOn,
    /// It is done and has a URL.
    Fetch,
    /// It is done and has no URL yet.
    FetchLater,
    /// It has just been in its stage for too long.
    Stuck(Outcome, String),
    /// It has ended so, and the intent goes on there.
    Ended(Outcome, String, IntentState),
    /// It was stuck for a day.
    GivenUp,
}

/// What follows from a look at the job.
pub(super) fn by_job(
    ledger: &Ledger,
    settings: &Settings,
    intent: &Intent,
    has_url: bool,
    now: Timestamp,
) -> Sentence {
    let Some(job) = job_of(ledger, intent) else {
        return Sentence::GoOn;
    };
    let said = |plain: &str| {
        let failure = job.failure.as_ref();
        let words =
            failure.and_then(|failure| failure.message.clone().or_else(|| failure.code.clone()));
        words.map_or_else(|| plain.to_owned(), |words| format!("{plain}: {words}"))
    };
    let judged = |outcome, text| Sentence::Ended(outcome, text, IntentState::Judged);
    match job.state {
        JobState::Completed if has_url => Sentence::Fetch,
        JobState::Completed => {
            let waited =
                job.ended.map_or(SignedDuration::ZERO, |ended| now.duration_since(ended.latest));
            if waited < URL_GRACE {
                return Sentence::FetchLater;
            }
            judged(Outcome::ResultInvalid, "completed, but there is no URL".to_owned())
        }
        JobState::Failed => judged(Outcome::JobFailed, said("the test failed")),
        JobState::Rejected => judged(Outcome::JobRejected, said("the test was rejected")),
        JobState::Unpaid => judged(Outcome::InsufficientCredit, said("the test was not paid for")),
        JobState::Gone => {
            let text = "HeyGen does not know the test any more".to_owned();
            Sentence::Ended(Outcome::JobLost, text, IntentState::Closed)
        }
        JobState::Queued | JobState::Processing | JobState::WaitingForInput => {
            alive(ledger, settings, intent, job)
        }
    }
}

fn alive(ledger: &Ledger, settings: &Settings, intent: &Intent, job: &Job) -> Sentence {
    if job.is_abandoned {
        return Sentence::GivenUp;
    }
    let limits = ledger.limits(settings);
    let Some(age) = limits.age(job) else {
        return Sentence::GoOn;
    };
    if age <= limits.of(job).stuck || intent.outcome.is_some() {
        return Sentence::GoOn;
    }
    let (outcome, did) = match job.state {
        JobState::Queued => (Outcome::QueueStuck, "has waited"),
        _ => (Outcome::ProcessingStuck, "has been processing for"),
    };
    Sentence::Stuck(outcome, format!("the test {did} {}", words::duration(age)))
}

/// What became of a test, with its text.
pub(super) fn observation(
    watch: &Watch,
    intent: &Intent,
    outcome: Outcome,
    text: &str,
    at: Timestamp,
) -> Box<Observation> {
    let evidence = Evidence {
        text: text.to_owned(),
        host: watch.host.clone(),
        job_id: intent.job_id.clone(),
        ..Evidence::default()
    };
    let seen = observed(watch, intent.created_at, outcome, at);
    Box::new(Observation { evidence: Some(Box::new(evidence)), ..seen })
}
