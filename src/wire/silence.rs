//! A silence in JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Blame, Capability, Matchers, Silence, UnknownWord};

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

impl TryFrom<SilenceJson> for Silence {
    type Error = UnknownWord;

    /// A reason that nobody knows is refused: without it the silence would concern more than was
    /// asked for.
    fn try_from(json: SilenceJson) -> Result<Self, UnknownWord> {
        Ok(Self {
            id: json.id,
            matchers: Matchers {
                incident: json.incident,
                capabilities: json.capability,
                blames: json.blame,
                reason: json.reason.as_deref().map(str::parse).transpose()?,
            },
            starts_at: json.starts_at,
            ends_at: json.ends_at,
            author: json.author,
            comment: json.comment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_nobody_knows_silences_nothing() {
        let silence = |reason: &str| {
            let json = format!(
                r#"{{"reason":"{reason}","starts_at":"2026-11-20T09:00:00Z",
                    "ends_at":"2026-11-20T10:00:00Z","author":"ops"}}"#
            );
            Silence::try_from(serde_json::from_str::<SilenceJson>(&json).unwrap())
        };
        assert_eq!(silence("slow").unwrap().matchers.reason.unwrap().as_str(), "slow");
        assert_eq!(silence("very_slow").unwrap_err().word, "very_slow");
    }
}
