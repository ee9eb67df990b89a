//! When a delivery is tried again, and when no longer. Pure.
//!
//! Invariant: nothing is given up before seven days, nor because a clock says so, and no attempt
//! comes earlier than the channel asked for (up to an hour).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::engine::words;
use crate::model::{AttemptResult, ChannelKind, Delivery, Timestamp};

/// Mail servers that greylist let a sender in after 5 to 15 minutes (RFC 5321, 4.5.4.1 asks for
/// patience of days).
const MAIL_SECS: [u64; 4] = [30, 2 * 60, 5 * 60, 15 * 60];
/// Longest pause between two attempts of every other kind: 2, 4, 8 … 300 s.
const HTTP_MOST_SECS: u64 = 300;
/// A `Retry-After` beyond this is a mistake of the server.
const ASKED_MOST: Duration = Duration::from_hours(1);
/// From then on nobody wants to know any more.
const GIVE_UP: Duration = Duration::from_hours(7 * 24);
/// So many attempts take half a day at the least: a clock that leaps ahead ends nothing by itself.
const GIVE_UP_ATTEMPTS: u32 = 150;

/// What an attempt that ended at `now` means: a retry gets its time, or becomes the end when the
/// delivery is too old.
pub(super) fn after(
    kind: ChannelKind,
    delivery: &Delivery,
    result: AttemptResult,
    now: Timestamp,
) -> (AttemptResult, Option<Timestamp>) {
    let AttemptResult::Retry { reason, detail, after } = result else {
        return (result, None);
    };
    if is_too_old(delivery, now) && delivery.attempts >= GIVE_UP_ATTEMPTS {
        let detail = format!("given up after 7 days: {detail}");
        return (AttemptResult::Dead { reason, detail }, None);
    }
    let wait = pause(kind, delivery).max(after.unwrap_or_default().min(ASKED_MOST));
    let next_at = now.saturating_add(wait).unwrap_or(now);
    (AttemptResult::Retry { reason, detail, after }, Some(next_at))
}

/// True when nobody wants to know of it any more.
pub(super) fn is_too_old(delivery: &Delivery, now: Timestamp) -> bool {
    words::between(delivery.created_at, now) >= GIVE_UP
}

/// The pause after this attempt, up to a fifth longer so that deliveries do not march in step.
fn pause(kind: ChannelKind, delivery: &Delivery) -> Duration {
    let secs = match kind {
        ChannelKind::Email => {
            let step = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
            MAIL_SECS.get(step).copied().unwrap_or(MAIL_SECS[MAIL_SECS.len() - 1])
        }
        ChannelKind::Slack
        | ChannelKind::Webhook
        | ChannelKind::Alertmanager
        | ChannelKind::Pagerduty
        | ChannelKind::Ntfy => 2_u64.saturating_pow(delivery.attempts + 1).min(HTTP_MOST_SECS),
    };
    let pause = Duration::from_secs(secs);
    let mut hasher = DefaultHasher::new();
    (delivery.id, delivery.attempts).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 1_000).unwrap_or_default();
    pause + pause * share / 5_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeliveryState, EventKind, FailureReason};
    use crate::notify::sample::{Speaker, sample};

    fn delivery(attempts: u32) -> Delivery {
        let created_at: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let speaker = Speaker { vantage: "fra-1", account: "default" };
        Delivery {
            id: 7,
            channel: "mail".to_owned(),
            message: sample(EventKind::Opened, speaker, created_at),
            state: DeliveryState::Leased,
            attempts,
            next_at: created_at,
            created_at,
            last_error: None,
            provider_ref: None,
            thread_ref: None,
            merged: None,
        }
    }

    fn retry(after: Option<u64>) -> AttemptResult {
        AttemptResult::Retry {
            reason: FailureReason::ServerError,
            detail: "451 later".to_owned(),
            after: after.map(Duration::from_secs),
        }
    }

    fn waits(kind: ChannelKind, attempts: u32, asked: Option<u64>) -> u64 {
        let delivery = delivery(attempts);
        let now = delivery.created_at;
        let (_, next_at) = after(kind, &delivery, retry(asked), now);
        u64::try_from(next_at.unwrap().duration_since(now).as_secs()).unwrap()
    }

    #[test]
    fn pauses_grow_by_kind_and_stay_within_a_fifth_of_their_step() {
        let within = |secs: u64, step: u64| (step..=step + step / 5).contains(&secs);
        for (attempts, step) in [(0, 30), (1, 120), (2, 300), (3, 900), (50, 900)] {
            assert!(within(waits(ChannelKind::Email, attempts, None), step), "{attempts}");
        }
        for (attempts, step) in [(0, 2), (1, 4), (2, 8), (7, 256), (8, 300), (4_000_000, 300)] {
            assert!(within(waits(ChannelKind::Slack, attempts, None), step), "{attempts}");
        }
    }

    #[test]
    fn the_same_attempt_always_waits_equally_long() {
        assert_eq!(waits(ChannelKind::Slack, 3, None), waits(ChannelKind::Slack, 3, None));
    }

    #[test]
    fn what_the_channel_asks_for_is_honoured_up_to_an_hour() {
        assert_eq!(waits(ChannelKind::Slack, 0, Some(30)), 30);
        assert_eq!(waits(ChannelKind::Slack, 0, Some(1_000_000)), 3_600);
        assert!(waits(ChannelKind::Slack, 8, Some(1)) >= 300);
    }

    #[test]
    fn nothing_is_given_up_before_seven_days_nor_by_a_clock_that_leaps_ahead() {
        let is_given_up = |attempts, hours| {
            let delivery = delivery(attempts);
            let now = delivery.created_at.saturating_add(Duration::from_hours(hours)).unwrap();
            let (result, _) = after(ChannelKind::Email, &delivery, retry(None), now);
            matches!(result, AttemptResult::Dead { .. })
        };
        assert!(!is_given_up(700, 167));
        assert!(is_given_up(700, 168));
        assert!(!is_given_up(3, 30 * 24));
    }
}
