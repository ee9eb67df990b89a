//! May this be spent? Caps, pace, reserve (contract, section 8, `[budget]`).
//!
//! Owns every bound that follows from the ledger and the account; the in-process limiter is the
//! monitor's. Spends nothing. Invariant: a price that was reserved counts until it is known that
//! nothing was spent, and an entry from the future counts as one of today.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};

use super::canary::{Canaries, Means, paid};
use super::settings::{BudgetRules, CanaryMode, CanaryRules, Settings};
use crate::model::{
    AccountReading, BudgetView, Intent, PaidProbeView, Pool, SkipReason, Timestamp, Unit, Usd,
};

/// Clocks that disagree by more cannot be trusted with calendar caps.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Days of a month, for the pace of an adaptive probe.
const DAYS: f64 = 30.0;

/// Why it may not be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The word.
    pub reason: SkipReason,
    /// One plain sentence without a full stop.
    pub text: String,
    /// Whether people should know that nobody is watching.
    pub is_told: bool,
}

/// Why `price` may not be spent now; `None` when it may.
pub(crate) fn refusal(
    settings: &Settings,
    price: Usd,
    means: Means<'_>,
    intents: &[Intent],
    now: Timestamp,
) -> Option<Refusal> {
    let told = |reason, text| Some(Refusal { reason, text, is_told: true });
    let rules = &settings.budget;
    if let Some(text) = untrusted_clock(means.account) {
        return told(SkipReason::Budget, text);
    }
    if let Some(text) = below_reserve(rules, means.account, price) {
        let is_told = !means.account.pools.is_empty();
        return Some(Refusal { reason: SkipReason::Reserve, text, is_told });
    }
    let spent = Spent::of(intents.iter(), Calendar::of(&settings.timezone, now));
    if spent.month + price > rules.per_month {
        let cap = rules.per_month;
        return told(SkipReason::Budget, format!("the month's cap of {cap} is reached"));
    }
    let share = spent.share(rules);
    if spent.today + price > share {
        return told(SkipReason::Budget, format!("today's share of {share} is used up"));
    }
    if price > means.headroom {
        let cap = rules.per_day;
        return told(SkipReason::Budget, format!("{cap} were spent within 24 h already"));
    }
    None
}

fn untrusted_clock(account: &AccountReading) -> Option<String> {
    let skew = account.clock_skew?;
    (skew.abs() > MOST_SKEW)
        .then(|| format!("our clock and HeyGen's differ by {} min", skew.abs().as_secs() / 60))
}

/// Every pool that there is lies below its reserve, or none can be read, or a card would be charged.
fn below_reserve(rules: &BudgetRules, account: &AccountReading, price: Usd) -> Option<String> {
    if account.pools.is_empty() {
        return Some("the balance cannot be read".to_owned());
    }
    if account.auto_reload == Some(true) && !rules.allow_auto_reload {
        return Some("the wallet charges a card by itself (`allow_auto_reload`)".to_owned());
    }
    let is_low = |pool: &Pool| match pool.unit {
        Unit::Usd => Usd::from_dollars(pool.remaining) - price < rules.reserve_usd,
        Unit::Credits => pool.remaining < rules.reserve_credits,
    };
    account.pools.iter().all(is_low).then(|| "the balance is below the reserve".to_owned())
}

/// Where today lies in the calendar of the configured zone.
#[derive(Debug, Clone, Copy)]
struct Calendar {
    day_begins: Timestamp,
    month_begins: Timestamp,
    /// Days of the month that are left, today included.
    days_left: i64,
    /// Days of the month that have passed, today included.
    days_gone: i64,
}

impl Calendar {
    fn of(zone: &TimeZone, now: Timestamp) -> Self {
        let local = now.to_zoned(zone.clone());
        let begins = |zoned: &Zoned| zoned.start_of_day().map_or(now, |start| start.timestamp());
        let (day, days) = (i64::from(local.day()), i64::from(local.days_in_month()));
        Self {
            day_begins: begins(&local),
            month_begins: local.first_of_month().map_or(now, |first| begins(&first)),
            days_left: days - day + 1,
            days_gone: day,
        }
    }
}

/// What was spent, by the calendar.
#[derive(Debug, Clone, Copy)]
struct Spent {
    today: Usd,
    month: Usd,
    runs_month: usize,
    calendar: Calendar,
}

impl Spent {
    fn of<'a>(intents: impl Iterator<Item = &'a Intent>, calendar: Calendar) -> Self {
        let mut spent = Self { today: Usd::ZERO, month: Usd::ZERO, runs_month: 0, calendar };
        for intent in intents.filter(|intent| intent.state.is_charged()) {
            if intent.created_at >= calendar.month_begins {
                spent.month = spent.month + intent.price;
                spent.runs_month += 1;
            }
            if intent.created_at >= calendar.day_begins {
                spent.today = spent.today + intent.price;
            }
        }
        spent
    }

    /// Today's share: the smaller of the day's cap and what the month leaves for each day.
    fn share(&self, rules: &BudgetRules) -> Usd {
        let before_today = self.month - self.today;
        let rest = (rules.per_month - before_today).max(Usd::ZERO);
        Usd(rest.0 / self.calendar.days_left.max(1)).min(rules.per_day)
    }
}

/// What may be spent, what was, and what will be.
pub fn view(
    settings: &Settings,
    canaries: &Canaries,
    account: Option<&AccountReading>,
    days_left: Option<f64>,
    now: Timestamp,
) -> BudgetView {
    let rules = &settings.budget;
    let calendar = Calendar::of(&settings.timezone, now);
    let spent = Spent::of(canaries.intents().iter(), calendar);
    let probes: Vec<PaidProbeView> = paid(settings)
        .map(|(watch, of_probe)| {
            let own = Spent::of(canaries.of(&watch.name), calendar);
            let hold = canaries.hold(&watch.name);
            PaidProbeView {
                probe: watch.name.clone(),
                price: of_probe.price,
                runs_month: u32::try_from(own.runs_month).unwrap_or(u32::MAX),
                spent_month: own.month,
                last_at: canaries.of(&watch.name).next_back().map(|intent| intent.created_at),
                next_due_at: canaries.next_due_at(&watch.name),
                held_back: hold.map(|hold| (hold.reason, hold.text.clone())),
            }
        })
        .collect();
    BudgetView {
        canaries: rules.canaries,
        per_day: rules.per_day,
        per_month: rules.per_month,
        share_today: spent.share(rules),
        spent_today: spent.today,
        spent_month: spent.month,
        forecast_month: forecast(settings, &spent),
        probes,
        account: account.cloned(),
        days_left,
    }
}

/// What was spent plus what the rest of the month will take at the usual pace, capped.
fn forecast(settings: &Settings, spent: &Spent) -> Usd {
    let rules = &settings.budget;
    if !rules.canaries {
        return spent.month;
    }
    let per_day: f64 =
        paid(settings).map(|(_, of_probe)| usual_per_month(of_probe).dollars() / DAYS).sum();
    let so_far =
        spent.month.dollars() / f64::from(i32::try_from(spent.calendar.days_gone).unwrap_or(1));
    let pace = per_day.min(rules.per_day.dollars()).max(so_far.min(rules.per_day.dollars()));
    let rest = pace * f64::from(i32::try_from(spent.calendar.days_left - 1).unwrap_or(0));
    (spent.month + Usd::from_dollars(rest)).min(rules.per_month.max(spent.month))
}

/// What a probe costs in 30 days when nothing else ever says anything: adaptive, one per
/// `max_silence`; fixed, one per interval.
pub fn usual_per_month(rules: &CanaryRules) -> Usd {
    let gap = match &rules.mode {
        CanaryMode::Adaptive => rules.max_silence,
        CanaryMode::Fixed(schedule) => schedule.interval(Timestamp::UNIX_EPOCH),
    };
    let runs = DAYS * 86_400.0 / gap.as_secs_f64().max(1.0);
    Usd::from_dollars(rules.price.dollars() * runs)
}
