//! What a paid test costs when nothing else is written.
//!
//! HeyGen's self-serve prices per second of output, as documented in August 2026; later ones are
//! shown in its dashboard alone, which is why every price is a value of the configuration.
//! Invariant: of two prices that are possible the dearer one is taken.

use crate::config::raw::EngineWord;
use crate::config::word::Amount;
use crate::model::Usd;

/// A video is charged by the second; none is shorter.
const SHORTEST_SECS: i64 = 3;

/// A slow speaker says at least this many characters in a second.
const CHARS_PER_SEC: usize = 8;

/// A translation is reckoned at this length of its video.
const TRANSLATED_SECS: i64 = 10;

/// In whole micro-dollars; the caps are reckoned in them too.
#[expect(clippy::cast_possible_truncation, reason = "the schema keeps amounts below a million")]
pub(super) fn money(amount: Amount) -> Usd {
    Usd((amount.0 * 1e6).round() as i64)
}

/// Three seconds cost $0.13 with Avatar III (a photo is the dearer), $0.15 with Avatar IV, $0.20
/// with Avatar V.
pub(super) fn render(engine: Option<EngineWord>, script: &str) -> Usd {
    let per_sec = match engine {
        Some(EngineWord::AvatarIii) => 130_000,
        Some(EngineWord::AvatarIv) | None => 150_000,
        Some(EngineWord::AvatarV) => 200_000,
    };
    spoken(per_sec, script)
}

/// Ten seconds cost $0.17 when only the sound is made, $0.33 by speed, $0.67 by precision.
pub(super) fn translation(quality: &str, is_audio_only: bool) -> Usd {
    let per_ten_secs = match (quality, is_audio_only) {
        ("precision", _) => 670_000,
        (_, true) => 170_000,
        (_, false) => 330_000,
    };
    Usd(per_ten_secs * TRANSLATED_SECS / 10)
}

/// Three seconds cost $0.002.
pub(super) fn speech(text: &str) -> Usd {
    spoken(2_000, text)
}

/// The price of a text whose three shortest seconds cost `per_three_secs`, rounded up.
fn spoken(per_three_secs: i64, text: &str) -> Usd {
    let secs = text.chars().count().div_ceil(CHARS_PER_SEC);
    let secs = i64::try_from(secs).unwrap_or(i64::MAX).max(SHORTEST_SECS);
    Usd(per_three_secs.saturating_mul(secs).saturating_add(SHORTEST_SECS - 1) / SHORTEST_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_tests_cost_what_the_table_says() {
        assert_eq!(render(None, "Hi."), Usd(150_000));
        assert_eq!(render(Some(EngineWord::AvatarIii), "Hi."), Usd(130_000));
        assert_eq!(render(Some(EngineWord::AvatarV), "Hi."), Usd(200_000));
        assert_eq!(translation("speed", true), Usd(170_000));
        assert_eq!(translation("speed", false), Usd(330_000));
        assert_eq!(translation("precision", false), Usd(670_000));
        assert_eq!(speech("Hi."), Usd(2_000));
        assert_eq!(money(Amount(0.29)), Usd(290_000));
    }

    #[test]
    fn a_longer_text_costs_more() {
        assert_eq!(render(None, &"x".repeat(80)), Usd(500_000));
        assert_eq!(speech(&"x".repeat(25)), Usd(2_667));
    }
}
