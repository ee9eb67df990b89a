//! The past in figures: `/api/v1/uptime`, and the part of a report that it shares.
//!
//! Owns their shape: seconds and shares as numbers, days by their date.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::to_second;
use crate::engine::uptime::{Availability, CapabilityUptime, Claimed, Day, Sides, Spent, Window};
use crate::model::{Blame, Capability, ComponentState, State, Timestamp};

/// The past of every capability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Uptime")]
pub struct UptimeJson {
    /// First instant.
    pub since: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// One entry per capability.
    pub capabilities: Vec<CapabilityUptimeJson>,
}

/// The past of one capability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CapabilityUptime")]
pub struct CapabilityUptimeJson {
    /// Which.
    pub capability: Capability,
    /// Whether this team depends on it.
    pub used: bool,
    /// Where the time went, by our own checks; adds up to the whole.
    pub seconds: SpentJson,
    /// The share of time in which HeyGen could be used; `null` when nothing was judged.
    pub availability: Option<AvailabilityJson>,
    /// What HeyGen's page said of the same time; `null` when no row of it stands for this.
    pub official: Option<ClaimedJson>,
    /// Calendar days of the configured zone, oldest first.
    pub days: Vec<DayJson>,
}

/// Seconds by what they were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Spent")]
pub struct SpentJson {
    /// It worked.
    pub up: f64,
    /// It worked badly.
    pub degraded: SidesJson,
    /// It could not be used.
    pub down: SidesJson,
    /// HeyGen's announced work.
    pub maintenance: f64,
    /// Somebody looked and could not tell.
    pub unknown: f64,
    /// Nobody looked.
    pub no_data: f64,
}

/// Seconds by whose move it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Sides")]
pub struct SidesJson {
    /// HeyGen's.
    pub provider: f64,
    /// The account's: key, quota, plan, credit.
    pub account: f64,
    /// Our request's or file's.
    pub client: f64,
    /// Our network's.
    pub network: f64,
    /// This monitor's.
    pub monitor: f64,
}

/// A share of time; it lies between `low` and `high` whatever was the case while nobody could tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Availability")]
pub struct AvailabilityJson {
    /// 0 to 1.
    pub share: f64,
    /// If HeyGen was down whenever nobody could tell.
    pub low: f64,
    /// If HeyGen was up whenever nobody could tell.
    pub high: f64,
    /// How many seconds the share is of.
    pub judged_seconds: f64,
}

/// What HeyGen's page claimed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Claimed")]
pub struct ClaimedJson {
    /// The worst that it showed.
    pub worst: ComponentState,
    /// The share of the known time in which it showed no outage.
    pub share: Option<f64>,
    /// Seconds in which it showed that all works.
    pub operational_seconds: f64,
    /// Seconds in which it showed degraded performance.
    pub degraded_seconds: f64,
    /// Seconds in which it showed a partial or a major outage.
    pub outage_seconds: f64,
    /// Seconds in which it showed maintenance.
    pub maintenance_seconds: f64,
    /// Seconds of which it is not known what it showed.
    pub unknown_seconds: f64,
}

/// One calendar day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Day")]
pub struct DayJson {
    /// `2026-11-20`.
    pub date: String,
    /// The worst that was seen; `null` where nobody looked.
    pub worst: Option<State>,
    /// Whose move that was.
    pub blame: Option<Blame>,
    /// Where the day's time went.
    pub seconds: SpentJson,
    /// The worst that HeyGen's page showed on that day.
    pub official: Option<ComponentState>,
}

impl UptimeJson {
    /// The past of a window.
    pub fn of(window: Window, capabilities: &[CapabilityUptime]) -> Self {
        Self {
            since: to_second(window.since),
            until: to_second(window.until),
            capabilities: capabilities.iter().map(CapabilityUptimeJson::from).collect(),
        }
    }
}

impl From<&CapabilityUptime> for CapabilityUptimeJson {
    fn from(uptime: &CapabilityUptime) -> Self {
        Self {
            capability: uptime.capability,
            used: uptime.used,
            seconds: uptime.spent.into(),
            availability: uptime.spent.availability().map(AvailabilityJson::from),
            official: uptime.claimed.map(ClaimedJson::from),
            days: uptime.days.iter().map(DayJson::from).collect(),
        }
    }
}

impl From<Spent> for SpentJson {
    fn from(spent: Spent) -> Self {
        Self {
            up: spent.up.as_secs_f64(),
            degraded: spent.degraded.into(),
            down: spent.down.into(),
            maintenance: spent.maintenance.as_secs_f64(),
            unknown: spent.unknown.as_secs_f64(),
            no_data: spent.no_data.as_secs_f64(),
        }
    }
}

impl From<Sides> for SidesJson {
    fn from(sides: Sides) -> Self {
        Self {
            provider: sides.provider.as_secs_f64(),
            account: sides.account.as_secs_f64(),
            client: sides.client.as_secs_f64(),
            network: sides.network.as_secs_f64(),
            monitor: sides.monitor.as_secs_f64(),
        }
    }
}

impl From<Availability> for AvailabilityJson {
    fn from(availability: Availability) -> Self {
        Self {
            share: availability.share,
            low: availability.low,
            high: availability.high,
            judged_seconds: availability.judged.as_secs_f64(),
        }
    }
}

impl From<Claimed> for ClaimedJson {
    fn from(claimed: Claimed) -> Self {
        Self {
            worst: claimed.worst,
            share: claimed.declared(),
            operational_seconds: claimed.operational.as_secs_f64(),
            degraded_seconds: claimed.degraded.as_secs_f64(),
            outage_seconds: claimed.outage.as_secs_f64(),
            maintenance_seconds: claimed.maintenance.as_secs_f64(),
            unknown_seconds: claimed.unknown.as_secs_f64(),
        }
    }
}

impl From<&Day> for DayJson {
    fn from(day: &Day) -> Self {
        Self {
            date: day.date.to_string(),
            worst: day.worst.map(|(state, _)| state),
            blame: day.worst.map(|(_, blame)| blame),
            seconds: day.spent.into(),
            official: day.claimed.map(|claimed| claimed.worst),
        }
    }
}
