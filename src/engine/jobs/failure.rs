//! Why a job failed: HeyGen's side, its input, or want of credit (verdicts.md, section 4).
//!
//! Owns the words by which a reason is recognised. Invariant: a reason that nobody knows is HeyGen's
//! only for a test of ours; natural jobs have to fail in numbers.

use crate::model::JobFailure;

/// Whose failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// HeyGen's, or for a reason that we do not know.
    Theirs,
    /// The input's.
    Input,
    /// The account's: want of credit.
    Credit,
}

/// Codes of a failure for want of credit begin so (facts, section 5).
const CREDIT_CODES: [&str; 2] = ["movio_payment", "insufficient_credit"];

/// Codes that name the input (facts, sections 3 and 5).
const INPUT_CODES: [&str; 22] = [
    "invalid_parameter",
    "download_failed",
    "content_policy_violation",
    "avatar_consent_required",
    "avatar_expired",
    "avatar_not_found",
    "avatar_group_not_found",
    "voice_not_found",
    "voice_not_usable",
    "voice_unavailable",
    "template_not_found",
    "asset_not_found",
    "asset_not_available",
    "script_too_short",
    "tts_text_invalid",
    "hyperframes_project_invalid",
    "payload_too_large",
    "resource_access_denied",
    "40039",
    "400105",
    "40119",
    "400652",
];

/// What a message about the input says; seen live (facts, section 3).
const INPUT_WORDS: [&str; 12] = [
    "audio is missing or corrupted",
    "failed to download",
    "check the url",
    "video is public",
    "not supported format",
    "format is not supported",
    "unsupported format",
    "too long",
    "too short",
    "blocked word",
    "content policy",
    "no speech",
];

/// Whose failure it is.
pub fn of(failure: Option<&JobFailure>) -> Failing {
    let lower = |text: &Option<String>| text.as_deref().unwrap_or_default().to_ascii_lowercase();
    let (code, message) = failure
        .map_or_else(Default::default, |failure| (lower(&failure.code), lower(&failure.message)));
    let is_credit = CREDIT_CODES.iter().any(|known| code.starts_with(known))
        || message.contains("insufficient credit");
    if is_credit {
        Failing::Credit
    } else if INPUT_CODES.contains(&code.as_str())
        || INPUT_WORDS.iter().any(|known| message.contains(known))
    {
        Failing::Input
    } else {
        Failing::Theirs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_tells_whose_failure_it_is() {
        for (code, message, expected) in [
            ("MOVIO_PAYMENT_INSUFFICIENT_CREDIT", "Insufficient credit.", Failing::Credit),
            ("", "Insufficient credit. This operation requires 'api' credits.", Failing::Credit),
            ("rendering_failed", "Avatar rendering timed out", Failing::Theirs),
            ("", "Your video's audio is missing or corrupted, please try", Failing::Input),
            ("", "Failed to download video from url, please check the url", Failing::Input),
            ("AVATAR_NOT_FOUND", "", Failing::Input),
            ("", "", Failing::Theirs),
            ("something_new", "who knows", Failing::Theirs),
        ] {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let failure = JobFailure { code: some(code), message: some(message) };
            assert_eq!(of(Some(&failure)), expected, "{code} {message}");
        }
        assert_eq!(of(None), Failing::Theirs);
    }
}
