//! The answering side of the admin socket.
//!
//! Owns the socket file and the loop. All connections live inside the one future of [`serve`].
//! Invariant: a socket that another daemon answers on is never taken away from it.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::{LINE_BYTES_MAX, Request, Response};

/// Name of the socket in the runtime (else the state) directory.
const FILE_NAME: &str = "admin.sock";

/// Owner and group may ask; the directory decides who else gets that far.
const MODE: u32 = 0o660;

/// Operators, not crowds.
const CONNECTIONS_MAX: usize = 16;

/// Whoever connects has this long to say what they want.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// After an accept that failed, so that it is not tried in a spin.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Does what is asked; the daemon.
pub trait AdminHandler: Send + Sync {
    /// Answers one request. A request that cannot be done is [`Response::Refused`].
    fn handle(&self, request: Request) -> impl Future<Output = Response> + Send;
}

/// Why the socket could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another daemon answers on it.
    #[error("another heygen-monitor answers at {}", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// The file could not be made.
    #[error("the admin socket {} cannot be made", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Where the socket is: in `$RUNTIME_DIRECTORY` (its first entry), else in `state_directory`.
pub fn socket_path(runtime_directory: Option<&str>, state_directory: &Path) -> PathBuf {
    let runtime = runtime_directory
        .and_then(|list| list.split(':').next())
        .filter(|directory| !directory.is_empty());
    runtime.map_or(state_directory, Path::new).join(FILE_NAME)
}

/// A bound socket; its file goes away with it.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Makes the socket at `path`, mode 0660; replaces what a killed daemon left there.
    ///
    /// # Errors
    /// When another daemon answers there, or the file cannot be made.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let failed = |source| BindError::Io { path: path.to_owned(), source };
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_peer) => {
                return Err(BindError::InUse { path: path.to_owned() });
            }
            // A plain file refuses too, and is not ours to remove.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && is_socket(path) => {
                std::fs::remove_file(path).map_err(failed)?;
            }
            Err(_nothing_there) => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(MODE)).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "The admin socket's file was gone already.");
        }
    }
}

/// Answers on `socket` until `cancel`; requests under way are dropped then.
pub async fn serve(socket: AdminSocket, handler: impl AdminHandler, cancel: CancellationToken) {
    let mut conversations = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some(()) = conversations.next(), if !conversations.is_empty() => {}
            stream = accept(&socket.listener), if conversations.len() < CONNECTIONS_MAX => {
                if let Some(stream) = stream {
                    conversations.push(converse(stream, &handler));
                }
            }
        }
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

async fn accept(listener: &UnixListener) -> Option<UnixStream> {
    match listener.accept().await {
        Ok((stream, _peer)) => Some(stream),
        Err(error) => {
            tracing::warn!(%error, "The admin socket could not accept a connection.");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn converse(mut stream: UnixStream, handler: &impl AdminHandler) {
    let mut line = String::new();
    let mut reader = BufReader::new((&mut stream).take(LINE_BYTES_MAX));
    let read = tokio::time::timeout(REQUEST_TIMEOUT, reader.read_line(&mut line)).await;
    let response = match read {
        // Someone only looked whether we are there.
        Ok(Ok(0) | Err(_)) | Err(_) => return,
        Ok(Ok(_)) => match serde_json::from_str(&line) {
            Ok(request) => handler.handle(request).await,
            Err(error) => Response::Refused { message: format!("not a request: {error}") },
        },
    };
    let Ok(mut answer) = serde_json::to_vec(&response) else {
        return;
    };
    answer.push(b'\n');
    if let Err(error) = stream.write_all(&answer).await {
        tracing::debug!(%error, "Whoever asked on the admin socket did not wait for the answer.");
    }
}
