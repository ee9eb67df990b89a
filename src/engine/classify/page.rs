//! The table's rows for a page that people open in a browser.

use super::envelope::Reading;
use super::{Answer, challenge};
use crate::model::Outcome;

pub(super) fn outcome(answer: &Answer<'_>, statuses: &[u16], contains: Option<&str>) -> Outcome {
    let is_right_status = statuses.contains(&answer.status);
    let has_marker =
        contains.is_none_or(|marker| String::from_utf8_lossy(answer.body).contains(marker));
    // A marker that is there proves the page; without one a challenge could pass for it.
    let is_proven = contains.is_some() && has_marker;
    let reading = Reading::of_page(answer.body);
    let is_challenge = challenge::is_one(answer, &reading);
    if is_right_status && has_marker && (is_proven || !is_challenge) {
        return Outcome::Ok;
    }
    match answer.status {
        _ if is_challenge => Outcome::Blocked,
        403 | 405 => Outcome::Blocked,
        429 => Outcome::RateLimited,
        503 => Outcome::Unavailable,
        500 => Outcome::ServerError,
        501..=599 => Outcome::GatewayError,
        _ => Outcome::Malformed,
    }
}
