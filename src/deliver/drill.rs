//! Drills: realistic messages through the real outbox, and how they ended.
//!
//! Owns what `notify test` and the admin socket share. Sends nothing itself: the deliver loop
//! does, as for every other message.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Owed;
use crate::model::{Delivery, DeliveryState, Timestamp};
use crate::notify::sample::{Speaker, drill};
use crate::store::{Store, StoreError};

/// How often the outbox is looked at while a drill is under way, in real time.
const LOOK: Duration = Duration::from_millis(50);

/// How a drill ended on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillResult {
    /// Name of the channel.
    pub channel: String,
    /// Whether the channel accepted it.
    pub delivered: bool,
    /// One sentence, redacted.
    pub detail: String,
}

/// Owes a drill to each of `channels`; answers channel and delivery id of each.
///
/// # Errors
/// When the database refuses it.
pub async fn owe_drills(
    store: &Store,
    channels: &[String],
    speaker: Speaker<'_>,
    now: Timestamp,
) -> Result<Vec<(String, i64)>, StoreError> {
    let mut owed = Vec::new();
    for channel in channels {
        let message = drill(speaker, now);
        let id = store.owe(&Owed { channel: channel.clone(), message }, now).await?;
        owed.push((channel.clone(), id));
    }
    Ok(owed)
}

/// Waits until each of `drills` was tried, at most `patience` of real time, and tells how it went.
///
/// # Errors
/// When the database cannot be read.
pub async fn drill_results(
    store: &Store,
    drills: &[(String, i64)],
    patience: Duration,
) -> Result<Vec<DrillResult>, StoreError> {
    let deadline = Instant::now() + patience;
    let mut results = Vec::new();
    for (channel, id) in drills {
        let mut delivery = store.delivery(*id).await?;
        while delivery.as_ref().is_some_and(is_untried) && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
            delivery = store.delivery(*id).await?;
        }
        results.push(result(channel, delivery.as_ref()));
    }
    Ok(results)
}

fn is_untried(delivery: &Delivery) -> bool {
    match delivery.state {
        DeliveryState::Pending | DeliveryState::Leased => delivery.attempts == 0,
        DeliveryState::Delivered | DeliveryState::Dead | DeliveryState::Merged => false,
    }
}

fn result(channel: &str, delivery: Option<&Delivery>) -> DrillResult {
    let error = delivery.and_then(|delivery| delivery.last_error.clone());
    let reason = error.unwrap_or_else(|| "no attempt was made yet".to_owned());
    let detail = match delivery.map(|delivery| (delivery.state, delivery.attempts)) {
        Some((DeliveryState::Delivered, _)) => "accepted".to_owned(),
        Some((DeliveryState::Dead, _)) => format!("refused for good: {reason}"),
        Some((DeliveryState::Merged, _)) => "told by a later message".to_owned(),
        Some((DeliveryState::Pending | DeliveryState::Leased, 0)) => {
            "waits behind an older message that the channel has not taken yet".to_owned()
        }
        Some((DeliveryState::Pending | DeliveryState::Leased, _)) => {
            format!("not accepted, and tried again later by the daemon: {reason}")
        }
        None => "is not in the outbox any more".to_owned(),
    };
    let delivered = delivery.is_some_and(|delivery| delivery.state == DeliveryState::Delivered);
    DrillResult { channel: channel.to_owned(), delivered, detail }
}
