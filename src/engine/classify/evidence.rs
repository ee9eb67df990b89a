//! What proves an outcome, in HeyGen's own words where it gave any.

use std::time::Duration;

use super::envelope::Reading;
use super::{Answer, Call, Question, legacy};
use crate::model::text::clean;
use crate::model::{Evidence, Outcome, http_date, retry_after_secs};

/// Where edges put the id of a request; HeyGen itself sends none (facts, section 12).
const REQUEST_IDS: [&str; 6] = [
    "x-request-id",
    "x-amzn-requestid",
    "x-amzn-request-id",
    "x-amzn-trace-id",
    "cf-ray",
    "x-amz-cf-id",
];
/// Longest request id kept, in characters.
const ID_CHARS: usize = 200;

pub(super) fn of(
    outcome: Outcome,
    answer: &Answer<'_>,
    question: &Question<'_>,
    reading: &Reading,
) -> Evidence {
    let envelope = reading.envelope().cloned().unwrap_or_default();
    let because = because(outcome, answer, question, reading);
    let status = answer.status;
    let took = spoken(answer.elapsed);
    Evidence {
        text: format!("{status} from {} after {took}{because}", answer.host),
        host: answer.host.to_owned(),
        http_status: Some(status),
        code: envelope.code,
        message: envelope.message,
        param: envelope.param,
        doc_url: envelope.doc_url,
        retry_after_secs: retry_after(answer),
        request_id: REQUEST_IDS
            .iter()
            .find_map(|name| answer.header(name))
            .map(|id| clean(id, ID_CHARS))
            .filter(|id| !id.is_empty()),
        job_id: None,
    }
}

/// The wait that an answer asks for. A date counts from the answer's own `Date`, so that clocks
/// which disagree do not matter.
fn retry_after(answer: &Answer<'_>) -> Option<u64> {
    let sent_at = answer.header("date").and_then(http_date).unwrap_or(answer.at);
    retry_after_secs(answer.header("retry-after")?, sent_at)
}

/// What the status alone does not say.
fn because(
    outcome: Outcome,
    answer: &Answer<'_>,
    question: &Question<'_>,
    reading: &Reading,
) -> String {
    match (outcome, question.call) {
        (Outcome::Slow, _) => format!(", slow above {}", spoken(question.slow_after)),
        (Outcome::Blocked, _) => ": blocked before HeyGen's application".to_owned(),
        (Outcome::EndpointRetired, _) => {
            let instead = legacy::instead(question.path);
            format!(": {} is gone{instead}", clean(question.path, 100))
        }
        (Outcome::Malformed, Call::Page { statuses, .. }) => {
            let is_right_status = statuses.contains(&answer.status);
            if is_right_status { ", the page lacks its marker" } else { " instead of the page" }
                .to_owned()
        }
        (Outcome::Malformed, call) => malformed(answer.status, call, reading),
        _ => String::new(),
    }
}

fn malformed(status: u16, call: Call<'_>, reading: &Reading) -> String {
    let expect = match call {
        Call::Keyed { expect } | Call::Anonymous { expect } => expect,
        Call::Submit | Call::Job(_) | Call::Page { .. } => &[],
    };
    match (status, reading) {
        (300..=399, _) => ", a redirect".to_owned(),
        (_, Reading::Html(_)) => ", HTML where JSON is due".to_owned(),
        (_, Reading::Other(text)) if text.trim().is_empty() => ", an empty body".to_owned(),
        (_, Reading::Other(_)) => ", not JSON".to_owned(),
        (200..=299, Reading::Object(_, Some(_))) => ", an error in place of data".to_owned(),
        (200..=299, Reading::Object(_, None)) => reading
            .missing(expect)
            .map_or(String::new(), |key| format!(", without \"{}\"", clean(key, 50))),
        (_, Reading::Object(..) | Reading::OtherJson) => {
            ", not the JSON that HeyGen documents".to_owned()
        }
    }
}

/// A duration for people: `210 ms`, `5.2 s`, `31 s`.
fn spoken(duration: Duration) -> String {
    match duration.as_secs_f64() {
        secs if secs < 1.0 => format!("{} ms", duration.as_millis()),
        secs if secs < 10.0 => format!("{secs:.1} s"),
        secs => format!("{secs:.0} s"),
    }
}
