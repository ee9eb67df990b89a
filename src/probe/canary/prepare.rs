//! Before anything is spent: balance, key and clock.
//!
//! Owns two free reads. Decides nothing. Invariant: without a right answer about the account there
//! is no reading.

use super::{Done, keyless};
use crate::heygen::account::{ACCOUNT_PATH, KEY_PATH};
use crate::http_client::Limits;
use crate::model::{AccountReading, Finding, Usd};
use crate::probe::account;
use crate::probe::job_calls::JobCalls;

/// Reads the account.
pub(in crate::probe) async fn prepare(calls: &JobCalls) -> Done {
    let Some(asked) = calls.get(ACCOUNT_PATH, Limits::API.total).await else {
        return (Finding::Unprepared, Some(keyless(calls)));
    };
    let Some(reading) = account::reading(&asked) else {
        return (Finding::Unprepared, None);
    };
    let key = calls.get(KEY_PATH, Limits::API.total).await;
    let key = key.and_then(|asked| account::key_reading(&asked));
    let key_expires_at = key.and_then(|key| key.expires_at);
    let account = Box::new(AccountReading { key_expires_at, ..reading });
    (Finding::Prepared { account, headroom: Usd::ZERO }, None)
}
