//! What a HeyGen user depends on, and the states such a thing (or a row on a status page) can be in.

use serde::{Deserialize, Serialize};

/// Something a HeyGen user depends on (contract, section 1), in the order in which people read
/// them.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Capability {
    /// Making avatar videos.
    VideoGeneration,
    /// Dubbing an existing video into another language.
    VideoTranslation,
    /// The HTTP API as such.
    Api,
    /// The web application and the marketing site.
    WebApp,
    /// That the API key is accepted.
    Authentication,
    /// Text to speech.
    Speech,
    /// Events that HeyGen sends to us.
    Webhooks,
}

words!(Capability, "capability");

/// Whether a capability can be used now (contract, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// Works.
    Operational,
    /// Works badly, or partly.
    Degraded,
    /// Does not work.
    Outage,
    /// Announced work is in progress.
    Maintenance,
    /// Cannot be told.
    Unknown,
}

words!(State, "state");

impl State {
    /// How bad it is, worst highest: outage › degraded › unknown › maintenance › operational.
    pub fn severity(self) -> u8 {
        match self {
            Self::Outage => 4,
            Self::Degraded => 3,
            Self::Unknown => 2,
            Self::Maintenance => 1,
            Self::Operational => 0,
        }
    }
}

/// The state of one row on a status page (contract, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ComponentState {
    /// Works.
    Operational,
    /// Works badly.
    DegradedPerformance,
    /// Works for some.
    PartialOutage,
    /// Works for nobody.
    MajorOutage,
    /// Announced work is in progress.
    UnderMaintenance,
    /// The page's word was not understood, or the page said nothing.
    Unknown,
}

words!(ComponentState, "component state");

impl ComponentState {
    /// Worst-of order: operational ‹ maintenance ‹ unknown ‹ degraded ‹ partial ‹ major.
    pub fn severity(self) -> u8 {
        match self {
            Self::Operational => 0,
            Self::UnderMaintenance => 1,
            Self::Unknown => 2,
            Self::DegradedPerformance => 3,
            Self::PartialOutage => 4,
            Self::MajorOutage => 5,
        }
    }
}
