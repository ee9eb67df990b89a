//! A silence in JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Blame, Capability, Matchers, Reason, Silence};

/// A silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceJson {
    /// Its number; 0 before it has one.
    #[serde(default)]
    pub id: i64,
    /// One incident alone.
    #[serde(default)]
    pub incident: Option<i64>,
    /// Incidents that touch one of these.
    #[serde(default)]
    pub capability: Vec<Capability>,
    /// Incidents of one of these sides.
    #[serde(default)]
    pub blame: Vec<Blame>,
    /// Incidents for this reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who wanted it.
    pub author: String,
    /// Why.
    #[serde(default)]
    pub comment: String,
}

impl From<&Silence> for SilenceJson {
    fn from(silence: &Silence) -> Self {
        Self {
            id: silence.id,
            incident: silence.matchers.incident,
            capability: silence.matchers.capabilities.clone(),
            blame: silence.matchers.blames.clone(),
            reason: silence.matchers.reason.map(|reason| reason.as_str().to_owned()),
            starts_at: silence.starts_at,
            ends_at: silence.ends_at,
            author: silence.author.clone(),
            comment: silence.comment.clone(),
        }
    }
}

impl From<SilenceJson> for Silence {
    /// A reason that nobody knows fits nothing: it is checked where people write it.
    fn from(json: SilenceJson) -> Self {
        let reason = json.reason.as_deref().and_then(|word| word.parse::<Reason>().ok());
        Self {
            id: json.id,
            matchers: Matchers {
                incident: json.incident,
                capabilities: json.capability,
                blames: json.blame,
                reason,
            },
            starts_at: json.starts_at,
            ends_at: json.ends_at,
            author: json.author,
            comment: json.comment,
        }
    }
}
