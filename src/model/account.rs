//! What the account holds and what may be spent of it.
//!
//! Owns amounts of money and the reading of `/v3/users/me` and `/v3/api_keys/self`. Decides nothing:
//! whether something may be spent is `engine::budget`'s. Invariant: money is whole micro-dollars.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use jiff::SignedDuration;

use super::{SkipReason, Timestamp};

/// An amount in US dollars, in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(pub i64);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From dollars, rounded up to the next millionth; what is no number is nothing.
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    pub fn from_dollars(dollars: f64) -> Self {
        Self((dollars * 1e6).ceil() as i64)
    }

    /// In dollars.
    #[expect(clippy::cast_precision_loss, reason = "beyond nine billion dollars nobody minds")]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::add)
    }
}

impl fmt::Display for Usd {
    /// `$0.17`; below a cent with as many digits as it takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.dollars();
        if self.0 != 0 && self.0.abs() < 10_000 {
            write!(f, "${dollars:.4}")
        } else {
            write!(f, "${dollars:.2}")
        }
    }
}

/// What a balance is counted in (contract, section 6, `heygen_balance`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Unit {
    /// US dollars.
    Usd,
    /// HeyGen's credits.
    Credits,
}

words!(Unit, "unit");

/// Where an amount lies (facts, section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PoolName {
    /// `wallet.remaining_balance`
    Wallet,
    /// `subscription.credits.premium_credits`
    Premium,
    /// `subscription.credits.add_on_credits`
    AddOn,
    /// `usage_based`: what the spending cap leaves.
    UsageCap,
    /// `usage_based.remaining_credits`
    Included,
}

words!(PoolName, "pool");

/// What is left in one pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pool {
    /// Which.
    pub name: PoolName,
    /// Counted in.
    pub unit: Unit,
    /// What is left; never `NaN`.
    pub remaining: f64,
}

/// The plan, its cycle and what was used of it, as far as HeyGen tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// `subscription.plan`, else the way of billing.
    pub name: Option<String>,
    /// When the cycle ends.
    pub resets_at: Option<Timestamp>,
    /// Spent in this cycle, in US dollars.
    pub spent_usd: Option<f64>,
}

/// What HeyGen says of the account. Holds no name, no address, no key.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountReading {
    /// When it was read.
    pub at: Timestamp,
    /// What is left; empty when the answer told of no balance.
    pub pools: Vec<Pool>,
    /// The plan, its cycle and what was used of it.
    pub plan: Plan,
    /// Whether the wallet charges a card by itself; `None` when there is no wallet.
    pub auto_reload: Option<bool>,
    /// When the key ends; `None` when it never does or that is not known.
    pub key_expires_at: Option<Timestamp>,
    /// HeyGen's `Date` minus our clock; `None` without a readable `Date`.
    pub clock_skew: Option<SignedDuration>,
}

/// What may be spent, what was, and what will be: for pages, metrics and `budget`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BudgetView {
    /// Whether this monitor sends paid tests at all.
    pub canaries: bool,
    /// Cap of a day.
    pub per_day: Usd,
    /// Cap of a month.
    pub per_month: Usd,
    /// What may be spent today: the smaller of the day's cap and the rest of the month, paced.
    pub share_today: Usd,
    /// Spent today.
    pub spent_today: Usd,
    /// Spent this month.
    pub spent_month: Usd,
    /// What the whole month will cost at the present pace.
    pub forecast_month: Usd,
    /// What each paid probe costs and does.
    pub probes: Vec<PaidProbeView>,
    /// The last reading of the account.
    pub account: Option<AccountReading>,
    /// Days until the balance is used up at the account's pace; `None` when that cannot be told.
    pub days_left: Option<f64>,
}

/// One paid probe.
#[derive(Debug, Clone, PartialEq)]
pub struct PaidProbeView {
    /// Its name.
    pub probe: String,
    /// Price of one run.
    pub price: Usd,
    /// Runs this month.
    pub runs_month: u32,
    /// Spent this month.
    pub spent_month: Usd,
    /// When it ran last.
    pub last_at: Option<Timestamp>,
    /// When it is due next; `None` while it may not run.
    pub next_due_at: Option<Timestamp>,
    /// Why it may not run now.
    pub held_back: Option<(SkipReason, String)>,
}
