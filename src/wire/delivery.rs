//! What is owed to whom, and what became of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::to_second;
use crate::model::{Delivery, DeliveryState, EventKind, Timestamp};

/// [`Delivery`] as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Delivery")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct DeliveryJson {
    pub id: i64,
    pub channel: String,
    /// `null` for what is said about the monitor itself.
    pub incident_id: Option<i64>,
    pub event: EventKind,
    pub headline: String,
    pub state: DeliveryState,
    pub attempts: u32,
    pub created_at: Timestamp,
    /// When it may be tried (again); `null` once nothing is owed any more.
    pub next_at: Option<Timestamp>,
    pub last_error: Option<String>,
}

impl From<&Delivery> for DeliveryJson {
    fn from(delivery: &Delivery) -> Self {
        let is_owed = matches!(delivery.state, DeliveryState::Pending | DeliveryState::Leased);
        Self {
            id: delivery.id,
            channel: delivery.channel.clone(),
            incident_id: delivery.message.incident.as_ref().map(|incident| incident.id),
            event: delivery.message.event,
            headline: delivery.message.headline.clone(),
            state: delivery.state,
            attempts: delivery.attempts,
            created_at: to_second(delivery.created_at),
            next_at: is_owed.then(|| to_second(delivery.next_at)),
            last_error: delivery.last_error.clone(),
        }
    }
}
