//! Why the daemon could not start, what to do about it, and the exit code.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::admin::BindError;
use crate::http_client::ClientError;
use crate::store::{OpenError, StoreError};

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the variants are")]
pub enum StartError {
    #[error("the history cannot be used")]
    Store(#[source] OpenError),
    #[error("the history cannot be read")]
    Recall(#[source] StoreError),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("the runtime directory {} cannot be used", directory.display())]
    Runtime {
        directory: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot take commands")]
    Admin(#[source] BindError),
    #[error("cannot reach the service manager")]
    Supervisor(#[source] std::io::Error),
    #[error("cannot send requests")]
    Http(#[source] ClientError),
}

impl StartError {
    /// The exit code of the contract, section 4.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Store(OpenError::Locked { .. }) => 75,
            Self::Store(OpenError::Directory { .. }) => 73,
            Self::Store(OpenError::Newer { .. }) => 78,
            Self::Store(
                OpenError::File { .. }
                | OpenError::Sqlite { .. }
                | OpenError::Migration { .. }
                | OpenError::Backup { .. }
                | OpenError::Damaged { .. }
                | OpenError::OldSqlite { .. },
            )
            | Self::Recall(_)
            | Self::Listen { .. }
            | Self::Runtime { .. }
            | Self::Admin(_)
            | Self::Supervisor(_)
            | Self::Http(_) => 74,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(failure) => Some(failure.hint()),
            Self::Listen { address, source } => Some(listen_hint(*address, source)),
            Self::Runtime { directory, .. } => {
                Some(format!("make {} writable for this user", directory.display()))
            }
            Self::Recall(_) => Some("look at it with `heygen-monitor db check`".to_owned()),
            Self::Admin(BindError::InUse { .. }) => {
                Some("stop it first, or give this one its own storage.path".to_owned())
            }
            Self::Admin(BindError::Io { .. }) => Some(
                "set RUNTIME_DIRECTORY to a directory that this user may write to; the path of a \
                 socket has at most 107 characters"
                    .to_owned(),
            ),
            Self::Supervisor(_) => {
                Some("NOTIFY_SOCKET leads nowhere: unset it where no systemd is".to_owned())
            }
            Self::Http(_) => None,
        }
    }
}

fn listen_hint(address: SocketAddr, source: &std::io::Error) -> String {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "another program listens on port {}; set web.listen to a free port (0 takes any)",
            address.port()
        ),
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need a privilege; set web.listen to a higher one".to_owned()
        }
        _ => "set web.listen to an address of this machine, e.g. 127.0.0.1:10043".to_owned(),
    }
}
