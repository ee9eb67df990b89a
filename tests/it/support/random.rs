//! Numbers that look random and are the same again for the same seed.

/// SplitMix64: the same numbers everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normally distributed, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (self.unit().max(1e-12), self.unit());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    #[expect(clippy::cast_possible_truncation, reason = "some minutes")]
    pub(crate) fn log_normal(&mut self, median_secs: f64, sigma: f64) -> i64 {
        (median_secs * (sigma * self.normal()).exp()).round() as i64
    }

    #[expect(clippy::cast_possible_truncation, reason = "below a month of seconds")]
    /// In `0..bound`.
    pub(crate) fn below(&mut self, bound: i64) -> i64 {
        (self.unit() * bound as f64) as i64
    }
}
