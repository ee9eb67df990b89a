//! The account on the wire: `/v3/users/me` and `/v3/api_keys/self` (facts, sections 1 and 8).
//!
//! Owns where each amount stands. Takes neither names nor addresses out of an answer. Invariant:
//! what is not told is absent, never zero.

use jiff::SignedDuration;

use super::fields::{Fields, parsed};
use crate::model::{AccountReading, Plan, Pool, PoolName, Timestamp, Unit, http_date};

/// Path of the account.
pub const ACCOUNT_PATH: &str = "/v3/users/me";
/// Path of the key's own data.
pub const KEY_PATH: &str = "/v3/api_keys/self";

/// Longest name of a plan kept, in characters.
const PLAN_CHARS: usize = 60;

/// What HeyGen tells of the account; `None` when the answer is not about one. `date` is the
/// answer's `Date`, `at` our clock when it came.
pub fn account(body: &[u8], date: Option<&str>, at: Timestamp) -> Option<AccountReading> {
    let answer = parsed(body)?;
    let data = Fields::of(&answer)?.part("data")?;
    let wallet = data.part("wallet");
    let credits = data.part("subscription").and_then(|plan| plan.part("credits"));
    let usage = data.part("usage_based");
    let left = |name| credits?.part(name)?.number(&["remaining"]);
    let pools = [
        wallet.and_then(of_wallet),
        left("premium_credits").map(|left| pool(PoolName::Premium, Unit::Credits, left)),
        left("add_on_credits").map(|left| pool(PoolName::AddOn, Unit::Credits, left)),
        usage.and_then(of_cap),
        usage
            .and_then(|usage| usage.number(&["remaining_credits"]))
            .map(|left| pool(PoolName::Included, Unit::Credits, left)),
    ];
    Some(AccountReading {
        at,
        plan: plan(data),
        pools: pools.into_iter().flatten().collect(),
        auto_reload: wallet.map(reloads),
        key_expires_at: None,
        clock_skew: date.and_then(|date| skew(date, at)),
    })
}

/// The plan, its cycle, and what was used of it.
fn plan(data: Fields<'_>) -> Plan {
    let subscription = data.part("subscription");
    let named = subscription.and_then(|plan| plan.text(&["plan"], PLAN_CHARS));
    let credits = subscription.and_then(|plan| plan.part("credits"));
    Plan {
        name: named.or_else(|| data.text(&["billing_type"], PLAN_CHARS)),
        resets_at: ["premium_credits", "add_on_credits"]
            .into_iter()
            .find_map(|name| credits?.part(name)?.time(&["resets_at"])),
        spent_usd: data
            .part("usage_based")
            .and_then(|usage| usage.number(&["spending_current_usd"])),
    }
}

/// What HeyGen tells of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyReading {
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// What HeyGen tells of the key; `None` when the answer is not about one.
pub fn key(body: &[u8], now: Timestamp) -> Option<KeyReading> {
    let answer = parsed(body)?;
    let data = Fields::of(&answer)?.part("data")?;
    let told = data.time(&["expires_at"]);
    let expires_at = told.or_else(|| {
        let left = data.number(&["expires_in_seconds"])?;
        let left = SignedDuration::try_from_secs_f64(left).ok()?;
        now.checked_add(left).ok()
    });
    Some(KeyReading { expires_at })
}

fn skew(date: &str, at: Timestamp) -> Option<SignedDuration> {
    http_date(date).map(|date| date.duration_since(at))
}

fn pool(name: PoolName, unit: Unit, remaining: f64) -> Pool {
    Pool { name, unit, remaining }
}

fn of_wallet(wallet: Fields<'_>) -> Option<Pool> {
    let remaining = wallet.number(&["remaining_balance"])?;
    let currency = wallet.text(&["currency"], 20).unwrap_or_default();
    let is_credits = currency.to_ascii_lowercase().starts_with("credit");
    Some(pool(PoolName::Wallet, if is_credits { Unit::Credits } else { Unit::Usd }, remaining))
}

/// A wallet that says nothing of it does not reload: the documented default.
fn reloads(wallet: Fields<'_>) -> bool {
    let inner = wallet.part("auto_reload").and_then(|reload| reload.flag("enabled"));
    inner.or_else(|| wallet.flag("auto_reload")).unwrap_or(false)
}

fn of_cap(usage: Fields<'_>) -> Option<Pool> {
    let cap = usage.number(&["spending_cap_usd"])?;
    let spent = usage.number(&["spending_current_usd"])?;
    Some(pool(PoolName::UsageCap, Unit::Usd, cap - spent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> AccountReading {
        let at = "2026-11-20T09:00:00Z".parse().unwrap();
        account(text.as_bytes(), Some("Fri, 20 Nov 2026 09:07:00 GMT"), at).unwrap()
    }

    #[test]
    fn every_way_of_billing_is_read() {
        let wallet = read(
            r#"{"data":{"email":"a@b.test","billing_type":"wallet","wallet":{"currency":"usd",
               "remaining_balance":"125.5","auto_reload":{"enabled":true}},"subscription":null}}"#,
        );
        assert_eq!(wallet.pools, [pool(PoolName::Wallet, Unit::Usd, 125.5)]);
        assert_eq!(wallet.auto_reload, Some(true));
        assert_eq!(wallet.clock_skew.unwrap().as_mins(), 7);
        assert!(!format!("{wallet:?}").contains("a@b.test"));
        let plan = read(
            r#"{"data":{"subscription":{"plan":"creator","credits":{"premium_credits":
               {"remaining":120,"resets_at":"2026-12-01T00:00:00Z"},"add_on_credits":{"remaining":0}}}}}"#,
        );
        let credits = Unit::Credits;
        let expected =
            [pool(PoolName::Premium, credits, 120.0), pool(PoolName::AddOn, credits, 0.0)];
        assert_eq!(plan.pools, expected);
        assert_eq!(plan.plan.name.as_deref(), Some("creator"));
        assert_eq!(plan.plan.resets_at, Some("2026-12-01T00:00:00Z".parse().unwrap()));
        assert_eq!(plan.auto_reload, None);
        let usage = read(
            r#"{"data":{"usage_based":{"spending_current_usd":42.5,"spending_cap_usd":100,
               "remaining_credits":3}}}"#,
        );
        let expected =
            [pool(PoolName::UsageCap, Unit::Usd, 57.5), pool(PoolName::Included, credits, 3.0)];
        assert_eq!(usage.pools, expected);
        assert_eq!(read(r#"{"data":{"wallet":{"currency":"usd"}}}"#).pools, []);
    }

    #[test]
    fn a_key_ends_or_it_does_not() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let ends = |text: &str| key(text.as_bytes(), now).map(|key| key.expires_at);
        assert_eq!(ends(r#"{"data":{"expires_at":null,"expires_in_seconds":null}}"#), Some(None));
        let later: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        assert_eq!(ends(r#"{"data":{"expires_at":"2026-11-20T10:00:00Z"}}"#), Some(Some(later)));
        assert_eq!(ends(r#"{"data":{"expires_in_seconds":3600}}"#), Some(Some(later)));
        assert_eq!(ends("<html>"), None);
    }
}
