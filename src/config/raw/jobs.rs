//! The keys that have to do with jobs and money: `[budget]`, `[jobs.*]` and the checks that follow
//! or send jobs.
//!
//! Owns names and plain types, and nothing of their meaning. Invariant: as for all of `raw`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::word::{Amount, DurationWord, JobKindWord};

/// `[budget]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawBudget {
    /// What paid tests may cost in a calendar day.
    pub(in crate::config) usd_per_day: Option<Amount>,
    /// What paid tests may cost in a calendar month; paced over its days.
    pub(in crate::config) usd_per_month: Option<Amount>,
    /// What has to be left in the account.
    pub(in crate::config) reserve: Option<RawReserve>,
    /// Permits paid tests while the wallet would charge a card by itself.
    pub(in crate::config) allow_auto_reload: Option<bool>,
    /// Whether this monitor sends paid tests at all.
    pub(in crate::config) canaries: Option<bool>,
}

/// `budget.reserve`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawReserve {
    /// No paid test when a balance in dollars is below.
    pub(in crate::config) usd: Option<Amount>,
    /// No paid test when a balance in credits is below.
    pub(in crate::config) credits: Option<Amount>,
}

/// `[jobs]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawJobs {
    /// When a video is late or stuck.
    pub(in crate::config) render: Option<RawJobLimits>,
    /// When a translation is late or stuck.
    pub(in crate::config) translation: Option<RawJobLimits>,
}

/// `[jobs.render]` and `[jobs.translation]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawJobLimits {
    /// No learned limit on waiting to start falls under this.
    pub(in crate::config) queue_floor: Option<DurationWord>,
    /// Waiting to start for longer is late, until what is usual was learned.
    pub(in crate::config) queue_late: Option<DurationWord>,
    /// Waiting to start for longer is stuck, until what is usual was learned.
    pub(in crate::config) queue_stuck: Option<DurationWord>,
    /// No learned limit on being made falls under this.
    pub(in crate::config) processing_floor: Option<DurationWord>,
    /// Being made for longer is late, until what is usual was learned.
    pub(in crate::config) processing_late: Option<DurationWord>,
    /// Being made for longer is stuck, until what is usual was learned.
    pub(in crate::config) processing_stuck: Option<DurationWord>,
    /// A create request may take this long.
    pub(in crate::config) submit_timeout: Option<DurationWord>,
    /// First gap between two looks at a test.
    pub(in crate::config) poll_min: Option<DurationWord>,
    /// Longest gap between two looks at a test.
    pub(in crate::config) poll_max: Option<DurationWord>,
}

/// `check.queue`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawQueue {
    /// Which jobs are followed.
    pub(in crate::config) kinds: Option<Vec<JobKindWord>>,
    /// Jobs with such a title (glob) are never evidence.
    pub(in crate::config) exclude_titles: Option<Vec<String>>,
    /// A job that is older than this when it is first seen is never evidence.
    pub(in crate::config) ignore_older_than: Option<DurationWord>,
    /// How long the last finished job is evidence.
    pub(in crate::config) max_silence: Option<DurationWord>,
    /// Requests of one run at most.
    #[schemars(range(min = 1, max = 1000))]
    pub(in crate::config) max_requests: Option<u32>,
}

/// `check.render`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["avatars"] }, { "required": ["template"] }]))]
pub(in crate::config) struct RawRender {
    /// Look ids, taken in turn; two can tell a failing avatar from failing renders.
    pub(in crate::config) avatars: Option<Vec<String>>,
    /// Id of a template, instead of avatars.
    pub(in crate::config) template: Option<String>,
    /// Voice id; default: the avatar's own.
    pub(in crate::config) voice: Option<String>,
    /// What is said.
    pub(in crate::config) script: Option<String>,
    /// The engine; default: HeyGen's own default.
    pub(in crate::config) engine: Option<EngineWord>,
    /// The resolution.
    pub(in crate::config) resolution: Option<ResolutionWord>,
    /// Sent by need or by schedule.
    pub(in crate::config) mode: Option<ModeWord>,
    /// By need: nothing else said anything for this long.
    pub(in crate::config) max_silence: Option<DurationWord>,
    /// What one test costs at most.
    pub(in crate::config) price_usd: Option<Amount>,
}

/// `check.translation`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["video_url"] }, { "required": ["asset_id"] }]))]
pub(in crate::config) struct RawTranslation {
    /// A short video that HeyGen can download.
    pub(in crate::config) video_url: Option<String>,
    /// Id of an uploaded video, instead of a URL.
    pub(in crate::config) asset_id: Option<String>,
    /// HeyGen's names of languages, taken in turn.
    pub(in crate::config) languages: Option<Vec<String>>,
    /// How it is translated.
    pub(in crate::config) quality: Option<QualityWord>,
    /// Whether only the sound is made.
    pub(in crate::config) audio_only: Option<bool>,
    /// Sent by need or by schedule.
    pub(in crate::config) mode: Option<ModeWord>,
    /// By need: nothing else said anything for this long.
    pub(in crate::config) max_silence: Option<DurationWord>,
    /// What one test costs at most.
    pub(in crate::config) price_usd: Option<Amount>,
}

/// `check.speech`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["voice"]))]
pub(in crate::config) struct RawSpeech {
    /// Voice id.
    pub(in crate::config) voice: Option<String>,
    /// What is said.
    pub(in crate::config) text: Option<String>,
    /// Path below `heygen.base_url`.
    pub(in crate::config) path: Option<String>,
    /// Sent by need or by schedule.
    pub(in crate::config) mode: Option<ModeWord>,
    /// By need: nothing else said anything for this long.
    pub(in crate::config) max_silence: Option<DurationWord>,
    /// What one test costs at most.
    pub(in crate::config) price_usd: Option<Amount>,
}

/// `check.webhook`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["listen"]))]
pub(in crate::config) struct RawEvents {
    /// Address and port to listen on for HeyGen's events.
    pub(in crate::config) listen: Option<String>,
    /// File that holds the endpoint's secret; only its owner may read it.
    pub(in crate::config) secret_file: Option<String>,
    /// Path that HeyGen posts to.
    pub(in crate::config) path: Option<String>,
}

/// When a paid test is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ModeWord {
    Adaptive,
    Fixed,
}

/// Engines of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum EngineWord {
    AvatarIii,
    AvatarIv,
    AvatarV,
}

impl EngineWord {
    pub(in crate::config) fn as_str(self) -> &'static str {
        match self {
            Self::AvatarIii => "avatar_iii",
            Self::AvatarIv => "avatar_iv",
            Self::AvatarV => "avatar_v",
        }
    }
}

/// Resolutions of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub(in crate::config) enum ResolutionWord {
    #[serde(rename = "720p")]
    P720,
    #[serde(rename = "1080p")]
    P1080,
    #[serde(rename = "4k")]
    K4,
}

impl ResolutionWord {
    pub(in crate::config) fn as_str(self) -> &'static str {
        match self {
            Self::P720 => "720p",
            Self::P1080 => "1080p",
            Self::K4 => "4k",
        }
    }
}

/// How a video is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum QualityWord {
    Speed,
    Precision,
}

impl QualityWord {
    pub(in crate::config) fn as_str(self) -> &'static str {
        match self {
            Self::Speed => "speed",
            Self::Precision => "precision",
        }
    }
}
