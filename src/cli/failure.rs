//! What ends a command: one sentence on stderr, what to do about it, and an exit code.
//!
//! Owns how the errors of all rooms look to people. Invariant: an error is told once, here.

use super::{exit, output};
use crate::config::ConfigError;
use crate::daemon::StartError;
use crate::store::{BackupError, OpenError};

/// An error that knows its exit code and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// It did not work.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: exit::FAILED }
    }

    /// The command line asks for something that cannot be.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: exit::USAGE, ..Self::new(message) }
    }

    /// With what to do about it.
    #[must_use]
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// With an exit code of its own.
    #[must_use]
    pub(super) fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

/// Says what went wrong and what to do; answers the exit code.
pub(super) fn tell(error: &anyhow::Error) -> u8 {
    if let Some(refused) = error.downcast_ref::<ConfigError>() {
        output::say(&refused.rendered);
        return exit::CONFIG;
    }
    let (code, hint) = consequences(error);
    output::say(&format!("error: {error:#}"));
    if let Some(hint) = hint {
        output::say(&format!("hint: {hint}"));
    }
    code
}

/// The exit code and what to do.
pub(super) fn consequences(error: &anyhow::Error) -> (u8, Option<String>) {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return (failure.code, failure.hint.clone());
    }
    if let Some(failure) = error.downcast_ref::<StartError>() {
        return (failure.exit_code(), failure.hint());
    }
    if let Some(failure) = error.downcast_ref::<BackupError>() {
        return (code_of_backup(failure), Some(failure.hint()));
    }
    (exit::FAILED, None)
}

fn code_of_backup(failure: &BackupError) -> u8 {
    let BackupError::Place(place) = failure else { return exit::FAILED };
    match **place {
        OpenError::Locked { .. } => exit::LOCKED,
        OpenError::Directory { .. } => exit::STATE,
        _ => exit::FAILED,
    }
}
