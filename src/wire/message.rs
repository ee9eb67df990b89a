//! Messages, as the outbox keeps them until they are delivered.

use serde::{Deserialize, Serialize};

use super::verdict::{AdviceJson, EvidenceJson, OfficialJson};
use crate::model::{
    Advice, Blame, Capability, Cause, EventKind, EvidenceItem, Message, MessageIncident,
    OfficialView, State, Timestamp, UnknownWord,
};

/// [`Message`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct MessageJson {
    pub event: EventKind,
    pub at: Timestamp,
    pub seq: u32,
    pub incident: Option<MessageIncidentJson>,
    pub headline: String,
    pub advice: Option<AdviceJson>,
    #[serde(default)]
    pub evidence: Vec<EvidenceJson>,
    pub official: Option<OfficialJson>,
    #[serde(default)]
    pub notes: Vec<String>,
    pub vantage: String,
    pub account: String,
}

/// [`MessageIncident`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct MessageIncidentJson {
    pub id: i64,
    pub blame: Blame,
    /// Empty in what an older version wrote.
    #[serde(default)]
    pub cause: String,
    pub reason: String,
    pub state: State,
    pub capabilities: Vec<Capability>,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub subject: String,
}

impl From<&Message> for MessageJson {
    fn from(message: &Message) -> Self {
        Self {
            event: message.event,
            at: message.at,
            seq: message.seq,
            incident: message.incident.as_ref().map(MessageIncidentJson::from),
            headline: message.headline.clone(),
            advice: message.advice.as_ref().map(AdviceJson::from),
            evidence: message.evidence.iter().map(EvidenceJson::from).collect(),
            official: message.official.as_ref().map(OfficialJson::from),
            notes: message.notes.clone(),
            vantage: message.vantage.clone(),
            account: message.account.clone(),
        }
    }
}

impl From<&MessageIncident> for MessageIncidentJson {
    fn from(incident: &MessageIncident) -> Self {
        Self {
            id: incident.id,
            blame: incident.blame,
            cause: incident.cause.0.clone(),
            reason: incident.reason.as_str().to_owned(),
            state: incident.state,
            capabilities: incident.capabilities.clone(),
            opened_at: incident.opened_at,
            resolved_at: incident.resolved_at,
            subject: incident.subject.clone(),
        }
    }
}

impl TryFrom<MessageJson> for Message {
    type Error = UnknownWord;

    fn try_from(json: MessageJson) -> Result<Self, UnknownWord> {
        Ok(Self {
            event: json.event,
            at: json.at,
            seq: json.seq,
            incident: json.incident.map(MessageIncident::try_from).transpose()?,
            headline: json.headline,
            advice: json.advice.map(Advice::from),
            evidence: json.evidence.into_iter().map(EvidenceItem::from).collect(),
            official: json.official.map(OfficialView::from),
            notes: json.notes,
            vantage: json.vantage,
            account: json.account,
        })
    }
}

impl TryFrom<MessageIncidentJson> for MessageIncident {
    type Error = UnknownWord;

    fn try_from(json: MessageIncidentJson) -> Result<Self, UnknownWord> {
        Ok(Self {
            id: json.id,
            blame: json.blame,
            cause: Cause(json.cause),
            reason: json.reason.parse()?,
            state: json.state,
            capabilities: json.capabilities,
            opened_at: json.opened_at,
            resolved_at: json.resolved_at,
            subject: json.subject,
        })
    }
}
