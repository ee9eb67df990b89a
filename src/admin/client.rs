//! The asking side of the admin socket.
//!
//! Owns one request on one connection. Invariant: it never hangs, whatever listens there.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::{LINE_BYTES_MAX, Request, Response};

/// A drill waits for the slowest channel; everything else answers at once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No daemon listens there: none runs, or it uses another state directory.
    #[error("no heygen-monitor answers at {}", path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The socket is there, and not for us.
    #[error("{} may not be used by this user", path.display())]
    Denied {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The connection broke.
    #[error("the daemon broke off")]
    Broken(#[source] io::Error),
    /// It took longer than 90 s.
    #[error("the daemon did not answer within 90 s")]
    Timeout,
    /// What came back is no answer of ours.
    #[error("the daemon's answer is not understood (is it of another version?)")]
    Malformed(#[source] serde_json::Error),
}

/// Asks the daemon behind the socket at `path`.
///
/// # Errors
/// When there is no answer; a refusal by the daemon is an answer ([`Response::Refused`]).
pub async fn request(path: &Path, request: &Request) -> Result<Response, RequestError> {
    let stream = UnixStream::connect(path).await.map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::PermissionDenied {
            RequestError::Denied { path, source }
        } else {
            RequestError::NotRunning { path, source }
        }
    })?;
    match tokio::time::timeout(ANSWER_TIMEOUT, exchange(stream, request)).await {
        Ok(answer) => answer,
        Err(_elapsed) => Err(RequestError::Timeout),
    }
}

async fn exchange(mut stream: UnixStream, request: &Request) -> Result<Response, RequestError> {
    let mut line = serde_json::to_vec(request).map_err(RequestError::Malformed)?;
    line.push(b'\n');
    stream.write_all(&line).await.map_err(RequestError::Broken)?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX))
        .read_line(&mut answer)
        .await
        .map_err(RequestError::Broken)?;
    if answer.is_empty() {
        return Err(RequestError::Broken(io::ErrorKind::UnexpectedEof.into()));
    }
    serde_json::from_str(&answer).map_err(RequestError::Malformed)
}
