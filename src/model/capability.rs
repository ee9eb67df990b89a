//! What a HeyGen user depends on, and the states such a thing (or a row on a status page) can be in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{UnknownWord, parse_word};

/// Something a HeyGen user depends on (contract, section 1).
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

impl Capability {
    /// Every capability, in the order in which people read them.
    pub const ALL: [Self; 7] = [
        Self::VideoGeneration,
        Self::VideoTranslation,
        Self::Api,
        Self::WebApp,
        Self::Authentication,
        Self::Speech,
        Self::Webhooks,
    ];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VideoGeneration => "video_generation",
            Self::VideoTranslation => "video_translation",
            Self::Api => "api",
            Self::WebApp => "web_app",
            Self::Authentication => "authentication",
            Self::Speech => "speech",
            Self::Webhooks => "webhooks",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Capability {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word("capability", &Self::ALL, Self::as_str, word)
    }
}

/// Whether a capability can be used now (contract, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
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

impl State {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Operational, Self::Degraded, Self::Outage, Self::Maintenance, Self::Unknown];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Degraded => "degraded",
            Self::Outage => "outage",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
        }
    }

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

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word("state", &Self::ALL, Self::as_str, word)
    }
}

/// The state of one row on a status page (contract, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
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

impl ComponentState {
    /// Every component state.
    pub const ALL: [Self; 6] = [
        Self::Operational,
        Self::DegradedPerformance,
        Self::PartialOutage,
        Self::MajorOutage,
        Self::UnderMaintenance,
        Self::Unknown,
    ];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::DegradedPerformance => "degraded_performance",
            Self::PartialOutage => "partial_outage",
            Self::MajorOutage => "major_outage",
            Self::UnderMaintenance => "under_maintenance",
            Self::Unknown => "unknown",
        }
    }

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

impl fmt::Display for ComponentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
