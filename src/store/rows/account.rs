//! What the account holds as JSON.

use jiff::SignedDuration;
use rusqlite::Result;
use serde::{Deserialize, Serialize};

use super::{instant, millis};
use crate::model::{AccountReading, Plan, Pool};

/// [`AccountReading`].
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct AccountRow {
    at_ms: i64,
    #[serde(default)]
    pools: Vec<PoolRow>,
    #[serde(default)]
    plan: PlanRow,
    #[serde(default)]
    auto_reload: Option<bool>,
    #[serde(default)]
    key_expires_at_ms: Option<i64>,
    #[serde(default)]
    clock_skew_ms: Option<i64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct PlanRow {
    name: Option<String>,
    resets_at_ms: Option<i64>,
    spent_usd: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PoolRow {
    name: String,
    unit: String,
    remaining: f64,
}

impl From<&AccountReading> for AccountRow {
    fn from(reading: &AccountReading) -> Self {
        let skew_ms = |skew: SignedDuration| {
            let bounded = skew.as_millis().clamp(i64::MIN.into(), i64::MAX.into());
            i64::try_from(bounded).unwrap_or_default()
        };
        Self {
            at_ms: millis(reading.at),
            // JSON has no infinity.
            pools: reading
                .pools
                .iter()
                .filter(|pool| pool.remaining.is_finite())
                .map(PoolRow::from)
                .collect(),
            plan: PlanRow {
                name: reading.plan.name.clone(),
                resets_at_ms: reading.plan.resets_at.map(millis),
                spent_usd: reading.plan.spent_usd.filter(|amount| amount.is_finite()),
            },
            auto_reload: reading.auto_reload,
            key_expires_at_ms: reading.key_expires_at.map(millis),
            clock_skew_ms: reading.clock_skew.map(skew_ms),
        }
    }
}

impl TryFrom<AccountRow> for AccountReading {
    type Error = rusqlite::Error;

    fn try_from(row: AccountRow) -> Result<Self> {
        Ok(Self {
            at: instant(row.at_ms)?,
            pools: row.pools.iter().filter_map(PoolRow::pool).collect(),
            plan: Plan {
                name: row.plan.name,
                resets_at: row.plan.resets_at_ms.map(instant).transpose()?,
                spent_usd: row.plan.spent_usd,
            },
            auto_reload: row.auto_reload,
            key_expires_at: row.key_expires_at_ms.map(instant).transpose()?,
            clock_skew: row.clock_skew_ms.map(SignedDuration::from_millis),
        })
    }
}

impl From<&Pool> for PoolRow {
    fn from(pool: &Pool) -> Self {
        Self {
            name: pool.name.as_str().to_owned(),
            unit: pool.unit.as_str().to_owned(),
            remaining: pool.remaining,
        }
    }
}

impl PoolRow {
    /// The pool; `None` for one that a later version wrote and this one does not know.
    fn pool(&self) -> Option<Pool> {
        let (name, unit) = (self.name.parse().ok()?, self.unit.parse().ok()?);
        Some(Pool { name, unit, remaining: self.remaining })
    }
}
