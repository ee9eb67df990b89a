//! The one POST of a paid test.
//!
//! Owns which answer means accepted, refused or neither. Invariant: refused only where HeyGen said
//! so, or where certainly nothing was sent; the rest is ambiguous.

use reqwest::header::HeaderValue;

use super::{Done, Recipe, keyless};
use crate::engine::JobRules;
use crate::engine::classify::{Call, Question};
use crate::heygen::job::{created_id, error_code};
use crate::http_client::Request;
use crate::model::{Finding, Intent, Observation, Outcome};
use crate::probe::job_calls::{JobCalls, malformed};
use crate::probe::observe::Asked;

/// Sends a create that makes a job.
pub(super) async fn submit(calls: &JobCalls, recipe: &Recipe, intent: &Intent) -> Done {
    let body = (recipe.body)(intent).to_string();
    let request = calls.create(&recipe.path, &body).and_then(|request| {
        let key = HeaderValue::from_str(&intent.nonce).ok()?;
        Some(request.header("idempotency-key", key))
    });
    let Some(request) = request else {
        return (Finding::Refused, Some(keyless(calls)));
    };
    let asked = send(calls, request, &recipe.path, recipe.fetched_from.is_some()).await;
    let accepted = |body: &[u8]| created_id(body).map(Some);
    let finding = finding(&asked, accepted);
    let mut seen = asked.observation;
    if finding == Finding::Ambiguous && is_good(&seen) {
        malformed(&mut seen, "to a create without the id of its job");
    }
    if seen.outcome == Outcome::UpstreamFetchFailed {
        name_the_file(&mut seen, recipe);
    }
    let is_worth_telling = match &finding {
        // That a create is accepted proves nothing of what it makes; that it was slow says something.
        Finding::Accepted { job_id } => {
            if let (Some(evidence), Some(id)) = (&mut seen.evidence, job_id) {
                evidence.job_id = Some(id.clone());
            }
            seen.outcome == Outcome::Slow
        }
        _ => true,
    };
    (finding, is_worth_telling.then(|| Box::new(seen)))
}

/// Says from where HeyGen could not get the file.
fn name_the_file(seen: &mut Observation, recipe: &Recipe) {
    if let (Some(evidence), Some(host)) = (&mut seen.evidence, &recipe.fetched_from) {
        evidence.text.push_str(": HeyGen could not get our file from ");
        evidence.text.push_str(host);
    }
}

/// Sends a create, whatever it makes.
pub(in crate::probe) async fn send(
    calls: &JobCalls,
    request: Request,
    path: &str,
    carries_url: bool,
) -> Asked {
    let expect = ["data".to_owned()];
    let call = Call::Keyed { expect: &expect };
    let question = Question { call, path, carries_url, slow_after: JobRules::SUBMIT_LATE };
    calls.send(&calls.subject, request, &question).await
}

/// What came of a create; `accepted` reads the job's id out of a success.
pub(in crate::probe) fn finding(
    asked: &Asked,
    accepted: impl Fn(&[u8]) -> Option<Option<String>>,
) -> Finding {
    let exchange = match &asked.answer {
        Ok(exchange) => exchange,
        Err(failure) if failure.may_have_arrived() => return Finding::Ambiguous,
        Err(_) => return Finding::Refused,
    };
    match exchange.status {
        200..=299 => accepted(&exchange.body)
            .map_or(Finding::Ambiguous, |job_id| Finding::Accepted { job_id }),
        // Given up by something in between, perhaps after it was passed on.
        408 | 499 => Finding::Ambiguous,
        409 if error_code(&exchange.body).as_deref() == Some("request_in_progress") => {
            Finding::Ambiguous
        }
        // A redirect that is not followed has made nothing; 303 points to what was made.
        301 | 302 | 307 | 308 | 400..=499 => Finding::Refused,
        _ => Finding::Ambiguous,
    }
}

fn is_good(seen: &Observation) -> bool {
    matches!(seen.outcome, Outcome::Ok | Outcome::Slow)
}
