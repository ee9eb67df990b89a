//! Money: what may be spent, what was, and on what.

use serde::{Deserialize, Serialize};

use super::verdict::to_second;
use crate::model::{AccountReading, BudgetView, Intent, Outcome, PaidProbeView, Pool, Timestamp};

/// [`BudgetView`] as JSON; amounts in US dollars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Budget")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct BudgetJson {
    pub canaries: bool,
    pub usd_per_day: f64,
    pub usd_per_month: f64,
    pub share_today_usd: f64,
    pub spent_today_usd: f64,
    pub spent_month_usd: f64,
    pub forecast_month_usd: f64,
    pub probes: Vec<PaidProbeJson>,
    pub account: Option<AccountJson>,
    pub days_left: Option<f64>,
}

impl From<&BudgetView> for BudgetJson {
    fn from(view: &BudgetView) -> Self {
        Self {
            canaries: view.canaries,
            usd_per_day: view.per_day.dollars(),
            usd_per_month: view.per_month.dollars(),
            share_today_usd: view.share_today.dollars(),
            spent_today_usd: view.spent_today.dollars(),
            spent_month_usd: view.spent_month.dollars(),
            forecast_month_usd: view.forecast_month.dollars(),
            probes: view.probes.iter().map(PaidProbeJson::from).collect(),
            account: view.account.as_ref().map(AccountJson::from),
            days_left: view.days_left,
        }
    }
}

/// [`PaidProbeView`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "PaidProbe")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct PaidProbeJson {
    pub probe: String,
    pub price_usd: f64,
    pub runs_month: u32,
    pub spent_month_usd: f64,
    pub last_at: Option<Timestamp>,
    pub next_due_at: Option<Timestamp>,
    pub held_back: Option<HeldBackJson>,
}

/// Why a paid probe may not run now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "HeldBack")]
#[allow(missing_docs, reason = "a word of the contract and a sentence")]
pub struct HeldBackJson {
    pub reason: String,
    pub text: String,
}

impl From<&PaidProbeView> for PaidProbeJson {
    fn from(view: &PaidProbeView) -> Self {
        Self {
            probe: view.probe.clone(),
            price_usd: view.price.dollars(),
            runs_month: view.runs_month,
            spent_month_usd: view.spent_month.dollars(),
            last_at: view.last_at.map(to_second),
            next_due_at: view.next_due_at.map(to_second),
            held_back: view.held_back.as_ref().map(|(reason, text)| HeldBackJson {
                reason: reason.as_str().to_owned(),
                text: text.clone(),
            }),
        }
    }
}

/// [`AccountReading`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Account")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct AccountJson {
    pub at: Timestamp,
    pub pools: Vec<PoolJson>,
    pub auto_reload: Option<bool>,
    pub key_expires_at: Option<Timestamp>,
    pub clock_skew_seconds: Option<f64>,
}

impl From<&AccountReading> for AccountJson {
    fn from(reading: &AccountReading) -> Self {
        Self {
            at: to_second(reading.at),
            pools: reading.pools.iter().map(PoolJson::from).collect(),
            auto_reload: reading.auto_reload,
            key_expires_at: reading.key_expires_at.map(to_second),
            clock_skew_seconds: reading.clock_skew.map(|skew| skew.as_secs_f64()),
        }
    }
}

/// [`Pool`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Pool")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct PoolJson {
    pub pool: String,
    pub unit: String,
    pub remaining: f64,
}

impl From<&Pool> for PoolJson {
    fn from(pool: &Pool) -> Self {
        Self {
            pool: pool.name.as_str().to_owned(),
            unit: pool.unit.as_str().to_owned(),
            remaining: pool.remaining,
        }
    }
}

/// [`Intent`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Intent")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct IntentJson {
    pub id: i64,
    pub probe: String,
    pub nonce: String,
    pub look: String,
    pub price_usd: f64,
    pub trigger: String,
    pub state: String,
    pub charged: bool,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    pub job_id: Option<String>,
    pub outcome: Option<Outcome>,
}

impl From<&Intent> for IntentJson {
    fn from(intent: &Intent) -> Self {
        Self {
            id: intent.id,
            probe: intent.probe.clone(),
            nonce: intent.nonce.clone(),
            look: intent.look.clone(),
            price_usd: intent.price.dollars(),
            trigger: intent.trigger.as_str().to_owned(),
            state: intent.state.as_str().to_owned(),
            charged: intent.state.is_charged(),
            created_at: to_second(intent.created_at),
            changed_at: to_second(intent.changed_at),
            job_id: intent.job_id.clone(),
            outcome: intent.outcome,
        }
    }
}
