//! Why a page could not be read just now.

use crate::http_client::TransportFailure;
use crate::model::{Evidence, Outcome};
use crate::probe::observe::outcome_of;

/// Why a page could not be read just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The one word.
    pub(super) outcome: Outcome,
    /// One sentence without a full stop, without a URL's query.
    pub(super) text: String,
    /// Host that was asked, without port.
    pub(super) host: String,
    /// HTTP status, where there was an answer.
    pub(super) status: Option<u16>,
    /// `Retry-After` in seconds.
    pub(super) retry_after_secs: Option<u64>,
    /// What it means for the other ways to read the same host.
    pub(super) reach: Reach,
}

/// What a trouble means for the other ways to read the same host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This document alone: another one may be there.
    Document,
    /// Perhaps passing: what is learned while it lasts is not remembered.
    Passing,
    /// The whole host: asking on is useless or unwelcome.
    Host,
}

impl Trouble {
    /// An answer that is not what it should be.
    pub(super) fn malformed(host: &str, text: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Malformed,
            text: text.into(),
            host: host.to_owned(),
            status: None,
            retry_after_secs: None,
            reach: Reach::Document,
        }
    }

    /// The deadline of the run is over.
    pub(super) fn out_of_time(host: &str) -> Self {
        Self {
            outcome: Outcome::Timeout,
            reach: Reach::Host,
            ..Self::malformed(host, format!("{host} was not read within the deadline"))
        }
    }

    /// No whole answer came.
    pub(super) fn transport(host: &str, failure: &TransportFailure) -> Self {
        let outcome = outcome_of(failure.kind);
        Self { outcome, reach: Reach::Host, ..Self::malformed(host, failure.text.clone()) }
    }

    /// True when an answer came that could not be read: what a changed product looks like.
    pub(super) fn is_unreadable(&self) -> bool {
        self.outcome == Outcome::Malformed
    }
}

impl From<&Trouble> for Evidence {
    fn from(trouble: &Trouble) -> Self {
        Self {
            text: trouble.text.clone(),
            host: trouble.host.clone(),
            http_status: trouble.status,
            retry_after_secs: trouble.retry_after_secs,
            ..Self::default()
        }
    }
}
