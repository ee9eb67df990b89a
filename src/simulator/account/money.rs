//! What the account pays with, and what each kind of job costs.
//!
//! Owns the arithmetic; who is charged when is `account`. Invariant: what is refused costs nothing.

use jiff::Timestamp;

/// How the account is billed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Billing {
    /// From its [`Wallet`].
    #[default]
    Wallet,
    /// By credits of a plan, one per job; premium ones first.
    Subscription {
        /// Credits of the plan.
        premium: u32,
        /// When those are renewed.
        resets_at: Option<Timestamp>,
        /// Credits bought on top.
        add_on: u32,
    },
    /// By what it used.
    UsageBased {
        /// US dollars used.
        spent_usd: f64,
        /// US dollars from which on creates are refused.
        cap_usd: Option<f64>,
    },
    /// Not told: every field is null. Creates cost nothing.
    Untold,
}

/// The account's money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wallet {
    /// US dollars left.
    pub balance_usd: f64,
    /// Whether it charges a card by itself.
    pub reloads: bool,
}

/// A wallet that reloads does so below this balance (US dollars).
pub(in crate::simulator) const RELOAD_BELOW_USD: f64 = 10.0;

/// What a reload charges the card with (US dollars).
pub(in crate::simulator) const RELOAD_USD: f64 = 50.0;

/// What creates cost, in US dollars each (translations: for each language).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// A video.
    pub video_usd: f64,
    /// A translation into one language.
    pub translation_usd: f64,
    /// A text that is spoken.
    pub speech_usd: f64,
}

impl Default for Prices {
    /// HeyGen's of August 2026: three seconds of Avatar IV, ten of sound translated, three of speech.
    fn default() -> Self {
        Self { video_usd: 0.2, translation_usd: 0.17, speech_usd: 0.002 }
    }
}

/// All that is paid with.
#[derive(Debug)]
pub(super) struct Purse<'a> {
    pub(super) billing: &'a mut Billing,
    pub(super) wallet: &'a mut Wallet,
    /// How often the card was charged.
    pub(super) reloads: &'a mut u32,
}

impl Purse<'_> {
    /// Takes `usd` for `count` jobs; false when there is not enough.
    pub(super) fn take(&mut self, usd: f64, count: u32) -> bool {
        match self.billing {
            Billing::Untold => true,
            Billing::Wallet => self.take_from_wallet(usd),
            Billing::Subscription { premium, add_on, .. } => {
                let Some(left) = premium.saturating_add(*add_on).checked_sub(count) else {
                    return false;
                };
                *premium = premium.saturating_sub(count);
                *add_on = left - *premium;
                true
            }
            Billing::UsageBased { spent_usd, cap_usd } => {
                if cap_usd.is_some_and(|cap| *spent_usd + usd > cap) {
                    return false;
                }
                *spent_usd += usd;
                true
            }
        }
    }

    /// An empty wallet refuses even what is free. A refused create reloads it, too.
    fn take_from_wallet(&mut self, usd: f64) -> bool {
        let is_enough = self.wallet.balance_usd > 0.0 && usd <= self.wallet.balance_usd;
        if is_enough {
            self.wallet.balance_usd -= usd;
        }
        if self.wallet.reloads && self.wallet.balance_usd < RELOAD_BELOW_USD {
            self.wallet.balance_usd += RELOAD_USD;
            *self.reloads += 1;
        }
        is_enough
    }
}
