//! Which checks exist, and the line of observations that one check produces.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Outcome;

/// The kinds of probe of the contract, section 8, and the status page reader.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ProbeKind {
    /// A GET of the API, with the key or (`anonymous`) without it.
    Api,
    /// A POST of an invalid body: reaches the submit handler, creates nothing.
    Submit,
    /// A page of the web application.
    Web,
    /// Reachability of the internet at large.
    Control,
    /// A status page.
    StatusPage,
    /// The account's own jobs, seen from outside.
    Queue,
    /// A paid test video.
    Render,
    /// A paid test translation.
    Translation,
    /// A paid test of text to speech.
    Speech,
    /// HeyGen's signed events.
    Webhook,
}

words!(ProbeKind, "probe kind");

impl ProbeKind {
    /// True for a check that looks by schedule: paid tests are sent when the core says so, and
    /// events come by themselves.
    pub fn is_scheduled(self) -> bool {
        match self {
            Self::Api
            | Self::Submit
            | Self::Web
            | Self::Control
            | Self::StatusPage
            | Self::Queue => true,
            Self::Render | Self::Translation | Self::Speech | Self::Webhook => false,
        }
    }

    /// How near to the capability this kind looks, nearest highest: job › submit › authenticated
    /// read › anonymous read, web › official page. The anonymous twin is one below [`Self::Api`].
    pub fn nearness(self) -> u8 {
        match self {
            Self::Queue | Self::Render | Self::Translation | Self::Speech | Self::Webhook => 5,
            Self::Submit => 4,
            Self::Api => 3,
            Self::Web => 2,
            Self::StatusPage => 1,
            Self::Control => 0,
        }
    }

    /// The outcomes that this kind can yield: the closed label values of its counters.
    pub fn outcomes(self) -> Vec<Outcome> {
        Outcome::ALL.into_iter().filter(|outcome| self.can_yield(*outcome)).collect()
    }

    fn can_yield(self, outcome: Outcome) -> bool {
        use Outcome as O;
        let is_job_word = matches!(
            outcome,
            O::QueueLate
                | O::ProcessingLate
                | O::QueueStuck
                | O::ProcessingStuck
                | O::JobFailed
                | O::JobRejected
                | O::JobLost
                | O::ResultInvalid
                | O::CleanupFailed
        );
        let is_account_word = matches!(
            outcome,
            O::QuotaExceeded | O::InsufficientCredit | O::PlanLimit | O::Unauthorized
        );
        match self {
            Self::Render | Self::Translation | Self::Webhook => true,
            // It follows what others made: it deletes nothing and fetches no artefact.
            Self::Queue => !matches!(outcome, O::JobLost | O::ResultInvalid | O::CleanupFailed),
            // It has no job: the answer to the create request is all there is.
            Self::Speech => !is_job_word || matches!(outcome, O::JobFailed | O::ResultInvalid),
            Self::Api | Self::Submit => !is_job_word,
            Self::Web | Self::StatusPage | Self::Control => !is_job_word && !is_account_word,
        }
    }
}

/// The line of observations that alert states, history and counters follow: a probe and, for a
/// probe that looks at several things in one run (submit: one per path), which of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// Name of the probe in the configuration; for a status page the name of the source.
    pub probe: String,
    /// What of it, e.g. `/v3/videos`; empty for a probe that looks at one thing.
    pub subject: String,
}

impl Series {
    /// The only series of a probe that looks at one thing.
    pub fn of(probe: &str) -> Self {
        Self { probe: probe.to_owned(), subject: String::new() }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subject.is_empty() {
            f.write_str(&self.probe)
        } else {
            write!(f, "{} {}", self.probe, self.subject)
        }
    }
}
