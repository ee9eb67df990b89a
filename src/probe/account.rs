//! The account, read on the way: what is left of the money, when the key ends, whether our clock
//! agrees with HeyGen's.
//!
//! Owns how the two answers become one reading. Decides nothing. Invariant: free of charge, and a
//! key's end that cannot be read costs nothing else.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::observe::Asked;
use crate::heygen::account::{KeyReading, account, key};
use crate::model::{AccountReading, Timestamp};

/// A key's end changes when somebody changes it.
const KEY_EVERY: Duration = Duration::from_hours(6);

/// What the answer of `/v3/users/me` tells; `None` when it was not right.
pub(super) fn reading(asked: &Asked) -> Option<AccountReading> {
    let date = asked.answer.as_ref().ok().and_then(|exchange| exchange.header("date"));
    account(asked.body()?, date, asked.observation.ended_at)
}

/// What the answer of `/v3/api_keys/self` tells; `None` when it was not right.
pub(super) fn key_reading(asked: &Asked) -> Option<KeyReading> {
    key(asked.body()?, asked.observation.ended_at)
}

/// When the key ends, remembered between reads.
#[derive(Debug, Default)]
pub(super) struct KeyEnd(Mutex<Remembered>);

#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    tried_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

impl KeyEnd {
    /// Whether it is time to read it again; notes that this happens now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due_at = remembered.tried_at.and_then(|at| at.checked_add(KEY_EVERY).ok());
        let is_due = due_at.is_none_or(|due_at| due_at <= now);
        if is_due {
            remembered.tried_at = Some(now);
        }
        is_due
    }

    /// It was read.
    pub(super) fn learn(&self, key: KeyReading) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ends_at = key.expires_at;
    }

    /// What is known.
    pub(super) fn known(&self) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ends_at
    }
}
