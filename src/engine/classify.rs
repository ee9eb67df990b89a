//! From an answer to an outcome (contract, section 2). First match wins.
//!
//! Owns the table for everything that came over HTTP; failures below HTTP have no answer and are
//! named where they happen. Knows nothing of controls, thresholds or earlier answers.
//! Invariant: total. Whatever bytes come back, there is exactly one word for them.

use std::time::Duration;

use crate::model::{Evidence, Outcome, Timestamp};

mod challenge;
mod envelope;
mod evidence;
mod legacy;
mod page;

use envelope::Reading;

/// An answer, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Host that was asked, without port.
    pub host: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// Decoded body.
    pub body: &'a [u8],
    /// The whole exchange.
    pub elapsed: Duration,
    /// When it ended.
    pub at: Timestamp,
}

impl Answer<'_> {
    /// A header; the first one where there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// What was asked, as far as the meaning of the answer depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What kind of call it was.
    pub call: Call<'a>,
    /// Path of the URL: a retired version is told by it.
    pub path: &'a str,
    /// Whether the request carried a URL that HeyGen had to fetch.
    pub carries_url: bool,
    /// A success slower than this is `slow`.
    pub slow_after: Duration,
}

/// The kinds of call.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// With the key; a success has these keys at its top.
    Keyed {
        /// Keys that must be there and not null.
        expect: &'a [String],
    },
    /// Without the key.
    Anonymous {
        /// Keys that a success must have.
        expect: &'a [String],
    },
    /// With the key and a body that can create nothing.
    Submit,
    /// About a job of ours.
    Job(JobCall),
    /// A page for people.
    Page {
        /// Statuses that are right.
        statuses: &'a [u16],
        /// A marker that the body must contain.
        contains: Option<&'a str>,
    },
}

/// What is done with a job of ours; its own words are tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobCall {
    /// Reading its state; a 404 is tolerated within the grace period.
    Poll {
        /// Whether the grace period is over.
        past_grace: bool,
    },
    /// Fetching its artefact from a freshly read URL.
    Fetch,
    /// Deleting it.
    Delete,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// The one word.
    pub outcome: Outcome,
    /// What proves it; `None` for `ok`.
    pub evidence: Option<Box<Evidence>>,
}

/// The meaning of an answer.
pub fn classify(answer: &Answer<'_>, question: &Question<'_>) -> Classified {
    let reading = Reading::of(answer.body);
    let outcome = match question.call {
        Call::Page { statuses, contains } => page::outcome(answer, statuses, contains),
        Call::Keyed { .. } | Call::Anonymous { .. } | Call::Submit | Call::Job(_) => {
            api_outcome(answer, question, &reading)
        }
    };
    let is_slow = outcome == Outcome::Ok && answer.elapsed > question.slow_after;
    let outcome = if is_slow { Outcome::Slow } else { outcome };
    let evidence = match outcome {
        Outcome::Ok => None,
        _ => Some(Box::new(evidence::of(outcome, answer, question, &reading))),
    };
    Classified { outcome, evidence }
}

fn api_outcome(answer: &Answer<'_>, question: &Question<'_>, reading: &Reading) -> Outcome {
    let by_job = match question.call {
        Call::Job(call) => job_outcome(answer, call, reading),
        _ => None,
    };
    if let Some(outcome) = by_job {
        return outcome;
    }
    if is_success(answer, question, reading) {
        return Outcome::Ok;
    }
    let is_html_for_json = matches!(answer.status, 202 | 403 | 405) && reading.is_html();
    if is_html_for_json || challenge::is_one(answer, reading) {
        return Outcome::Blocked;
    }
    let outcome = match answer.status {
        500..=599 => of_server_error(answer.status, question, reading),
        _ => of_refusal(answer, question, reading),
    };
    let is_proof_of_life =
        matches!(question.call, Call::Submit) && matches!(answer.status, 400 | 422);
    if is_proof_of_life && outcome == Outcome::BadRequest { Outcome::Ok } else { outcome }
}

/// The documented answer, or for an anonymous call any envelope that is not the server's own
/// failure and no throttling.
fn is_success(answer: &Answer<'_>, question: &Question<'_>, reading: &Reading) -> bool {
    let is_2xx = (200..300).contains(&answer.status);
    match question.call {
        Call::Keyed { expect } => is_2xx && reading.documents(expect),
        Call::Anonymous { expect } => {
            let is_refused_in_form = reading.envelope().is_some() && answer.status < 500;
            (is_2xx && reading.documents(expect)) || (is_refused_in_form && answer.status != 429)
        }
        Call::Job(JobCall::Fetch) => is_2xx,
        Call::Submit | Call::Job(JobCall::Poll { .. } | JobCall::Delete) => {
            is_2xx && reading.documents(&["data"])
        }
        Call::Page { .. } => false,
    }
}

fn job_outcome(answer: &Answer<'_>, call: JobCall, reading: &Reading) -> Option<Outcome> {
    match (call, answer.status) {
        (JobCall::Poll { past_grace: true }, 404) => Some(Outcome::JobLost),
        (JobCall::Poll { past_grace: false }, 404) => Some(Outcome::NotReady),
        (JobCall::Fetch, 400..=499) => Some(Outcome::ResultInvalid),
        // Gone is what deleting wanted.
        (JobCall::Delete, 404) => Some(Outcome::Ok),
        (JobCall::Delete, status) => {
            let is_done = (200..300).contains(&status) && reading.documents(&["data"]);
            Some(if is_done { Outcome::Ok } else { Outcome::CleanupFailed })
        }
        (JobCall::Poll { .. } | JobCall::Fetch, _) => None,
    }
}

fn of_server_error(status: u16, question: &Question<'_>, reading: &Reading) -> Outcome {
    let Some(envelope) = reading.envelope() else {
        return match status {
            503 => Outcome::Unavailable,
            500 => Outcome::ServerError,
            _ => Outcome::GatewayError,
        };
    };
    match status {
        504 if question.carries_url && envelope.is_code("gateway_timeout") => {
            Outcome::UpstreamFetchFailed
        }
        503 => Outcome::Unavailable,
        504 => Outcome::GatewayError,
        _ => Outcome::ServerError,
    }
}

/// Everything that is neither a success nor a 5xx.
fn of_refusal(answer: &Answer<'_>, question: &Question<'_>, reading: &Reading) -> Outcome {
    let status = answer.status;
    let is_anonymous = matches!(question.call, Call::Anonymous { .. });
    let envelope = reading.envelope();
    let is_code = |code: &str| envelope.is_some_and(|envelope| envelope.is_code(code));
    match status {
        429 if is_code("quota_exceeded") => Outcome::QuotaExceeded,
        429 => Outcome::RateLimited,
        // The legacy API's own number for it, whatever the status below 500.
        _ if is_code("400140") => Outcome::RateLimited,
        402 if is_code("insufficient_credit") => Outcome::InsufficientCredit,
        402 => Outcome::PlanLimit,
        400 if envelope.is_some_and(|envelope| envelope.has_code_prefix("resource_limit_")) => {
            Outcome::PlanLimit
        }
        401 if !is_anonymous => Outcome::Unauthorized,
        _ if legacy::is_retired(answer, question.path) => Outcome::EndpointRetired,
        403 if envelope.is_some() => Outcome::Forbidden,
        400 if question.carries_url && is_code("download_failed") => Outcome::UpstreamFetchFailed,
        409 if is_code("request_in_progress") || is_code("resource_not_ready") => Outcome::NotReady,
        410 => Outcome::EndpointRetired,
        404 if envelope.is_none() => Outcome::EndpointRetired,
        301 | 403 if envelope.is_none() && legacy::is_legacy(question.path) => {
            Outcome::EndpointRetired
        }
        400..=499 if envelope.is_some() => Outcome::BadRequest,
        _ => Outcome::Malformed,
    }
}

#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod tests;
