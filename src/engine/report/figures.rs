//! Shares and means, each with what it rests on.
//!
//! Invariant: a figure never comes without its n.

use std::time::Duration;

use jiff::SignedDuration;

/// Of a normal distribution, 95 % lie within so many standard deviations.
const Z95: f64 = 1.959_964;

/// A share of independent cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Cases that were good.
    pub good: usize,
    /// Cases.
    pub of: usize,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

impl Share {
    /// With the interval of Wilson (J. Am. Stat. Assoc. 22, 1927), which is right for few cases and
    /// for shares near 1; `None` without a case.
    #[expect(clippy::cast_precision_loss, reason = "jobs are fewer than 2^52")]
    pub fn of(good: usize, of: usize) -> Option<Self> {
        if of == 0 {
            return None;
        }
        let (share, n) = (good as f64 / of as f64, of as f64);
        let z2 = Z95 * Z95;
        let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let reach = Z95 / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
        let (low, high) = ((middle - reach).max(0.0), (middle + reach).min(1.0));
        Some(Self { good, of, low, high })
    }

    /// 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "jobs are fewer than 2^52")]
    pub fn share(&self) -> f64 {
        self.good as f64 / self.of as f64
    }
}

/// A mean of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mean {
    /// The mean.
    pub mean: Duration,
    /// Of so many.
    pub of: u32,
}

impl Mean {
    /// `None` of nothing; what is negative counts as nothing.
    pub(super) fn of(all: impl Iterator<Item = SignedDuration>) -> Option<Self> {
        let all: Vec<Duration> =
            all.map(|one| Duration::try_from(one).unwrap_or_default()).collect();
        let of = u32::try_from(all.len()).ok().filter(|count| *count > 0)?;
        Some(Self { mean: all.iter().sum::<Duration>() / of, of })
    }
}

/// `99.951 %`, rounded down, so that it is `100 %` only when it is.
pub fn percent(share: f64) -> String {
    if share >= 1.0 {
        return "100 %".to_owned();
    }
    format!("{:.3} %", (share.max(0.0) * 1e5).floor() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        let ends = |good, of| {
            let share = Share::of(good, of).unwrap();
            (format!("{:.4}", share.low), format!("{:.4}", share.high))
        };
        // R: prop.test(x, n, correct = FALSE)
        assert_eq!(ends(10, 10), ("0.7225".to_owned(), "1.0000".to_owned()));
        assert_eq!(ends(1, 10), ("0.0179".to_owned(), "0.4042".to_owned()));
        assert_eq!(ends(400, 412), ("0.9498".to_owned(), "0.9833".to_owned()));
        assert_eq!(Share::of(0, 0), None);
    }

    #[test]
    fn only_what_is_whole_is_called_so() {
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.999_999_9), "99.999 %");
        assert_eq!(percent(0.5), "50.000 %");
        assert_eq!(percent(0.0), "0.000 %");
    }
}
