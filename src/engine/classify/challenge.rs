//! Signs that something before HeyGen wanted a human, not us.

use super::Answer;
use super::envelope::Reading;

/// Marks of challenge pages, in lower case. Each appears there alone: what ordinary pages embed
/// too (`challenge-platform`, `captcha`, the WAF's script) and what edges say of a broken origin
/// (CloudFront's "the request could not be satisfied") is left out.
const MARKS: [&str; 7] = [
    // Cloudflare
    "_cf_chl_opt",
    "<title>just a moment...</title>",
    "<title>attention required! | cloudflare</title>",
    // AWS WAF
    "window.gokuprops",
    // Imperva, DataDome, HUMAN
    "incapsula incident id",
    "geo.captcha-delivery.com",
    "px-captcha",
];

/// Whether an answer is a challenge or a block of whatever stands before the application.
pub(super) fn is_one(answer: &Answer<'_>, reading: &Reading) -> bool {
    has_challenge_header(answer)
        || reading.foreign_text().is_some_and(|text| MARKS.iter().any(|mark| text.contains(mark)))
}

/// `cf-mitigated: challenge` (Cloudflare), `x-amzn-waf-action: challenge|captcha` (AWS WAF).
fn has_challenge_header(answer: &Answer<'_>) -> bool {
    answer.header("cf-mitigated").is_some() || answer.header("x-amzn-waf-action").is_some()
}
