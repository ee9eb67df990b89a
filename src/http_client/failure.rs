//! From what a library reports to the phase that failed and one sentence about it.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::phases::Marks;
use super::resolve::ResolveError;
use super::{TransportFailure, TransportKind};
use crate::model::Phases;
use crate::model::text::clean;

/// Longest sentence of a library that is passed on, in characters.
const SENTENCE_CHARS: usize = 200;

/// Errors of this system's own limits: ENOMEM, ENFILE, EMFILE, EADDRNOTAVAIL (no port is free),
/// ENOBUFS (Linux numbers).
const LOCAL_LIMITS: [i32; 5] = [12, 23, 24, 99, 105];

/// Whom an exchange is with, as far as its failures need to know.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Host as written in the URL.
    pub(super) host: String,
    /// Whether TLS is spoken.
    pub(super) tls: bool,
}

/// The deepest cause of an error, in its own words: those above it name URLs.
pub(super) fn sentence(error: &(dyn Error + 'static)) -> String {
    let deepest = chain(error).last().map(ToString::to_string).unwrap_or_default();
    clean(&deepest, SENTENCE_CHARS)
}

/// A request that may not be sent.
pub(super) fn refused(kind: TransportKind, text: String) -> TransportFailure {
    TransportFailure {
        kind,
        text,
        phases: Phases::default(),
        answered: false,
        addresses: Vec::new(),
    }
}

/// An exchange that ended before the head of an answer.
pub(super) fn before_head(error: &reqwest::Error, peer: &Peer, marks: &Marks) -> TransportFailure {
    let (kind, text) = judged(error, peer);
    failure(kind, text, marks)
}

/// An exchange that ended within the body of an answer.
pub(super) fn within_body(error: &reqwest::Error, peer: &Peer, marks: &Marks) -> TransportFailure {
    let (kind, text) = judged(error, peer);
    TransportFailure { answered: true, ..failure(kind, text, marks) }
}

/// An exchange that took too long. `tcp_stands` says whether TCP alone came about.
pub(super) fn too_slow(
    peer: &Peer,
    marks: &Marks,
    after: Duration,
    tcp_stands: bool,
) -> TransportFailure {
    let host = &peer.host;
    let secs = after.as_secs_f64();
    let (kind, text) = if marks.is_resolving() {
        (TransportKind::Dns, format!("{host} did not resolve within {secs:.1} s"))
    } else if marks.is_connecting() && tcp_stands {
        (TransportKind::Tls, format!("no TLS with {host} within {secs:.1} s"))
    } else if marks.is_connecting() {
        (TransportKind::Connect, format!("no connection to {host} within {secs:.1} s"))
    } else {
        (TransportKind::Timeout, format!("no answer from {host} within {secs:.1} s"))
    };
    failure(kind, text, marks)
}

/// An answer that began and then stopped.
pub(super) fn stalled(peer: &Peer, marks: &Marks, waited: Duration) -> TransportFailure {
    let text = format!("the answer of {} stopped, waited {:.1} s", peer.host, waited.as_secs_f64());
    TransportFailure { answered: true, ..failure(TransportKind::Timeout, text, marks) }
}

/// An answer whose head is larger than anything we read.
pub(super) fn head_too_large(peer: &Peer, marks: &Marks) -> TransportFailure {
    let text = format!("the headers of {} are too large to be read", peer.host);
    TransportFailure { answered: true, ..failure(TransportKind::Connect, text, marks) }
}

fn failure(kind: TransportKind, text: String, marks: &Marks) -> TransportFailure {
    TransportFailure {
        kind,
        text,
        phases: marks.phases(),
        answered: false,
        addresses: marks.addresses.clone(),
    }
}

fn judged(error: &reqwest::Error, peer: &Peer) -> (TransportKind, String) {
    let host = &peer.host;
    let reason = sentence(error);
    if let Some(resolve) = chain(error).find_map(|cause| cause.downcast_ref::<ResolveError>()) {
        return (of_resolve(resolve), resolve.sentence());
    }
    if is_local_limit(error) {
        return (TransportKind::Local, format!("this machine is at a limit: {reason}"));
    }
    if error.is_builder() {
        return (TransportKind::Local, format!("the request cannot be made: {reason}"));
    }
    if is_tls(error, peer) {
        return (TransportKind::Tls, format!("no TLS with {host}: {reason}"));
    }
    let text = match io_kind(error) {
        Some(io::ErrorKind::ConnectionRefused) => format!("connection refused by {host}"),
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe,
        ) => format!("connection reset by {host}"),
        Some(io::ErrorKind::UnexpectedEof) => closed(host),
        _ if reason.contains("before message completed") => closed(host),
        _ => format!("no whole answer from {host}: {reason}"),
    };
    (TransportKind::Connect, text)
}

fn closed(host: &str) -> String {
    format!("connection closed by {host} before a whole answer")
}

fn of_resolve(error: &ResolveError) -> TransportKind {
    match error {
        ResolveError::Unresolved { source, .. } if is_limit(source) => TransportKind::Local,
        ResolveError::Unresolved { .. } => TransportKind::Dns,
        ResolveError::Loopback { .. } | ResolveError::Private { .. } => TransportKind::Address,
    }
}

/// rustls reports what it dislikes as `InvalidData`, during the handshake or (an alert to our
/// certificate, in TLS 1.3) with the first read. A name that cannot be in a certificate is
/// `InvalidInput`. A connection that is reset or closed meanwhile is not TLS's.
fn is_tls(error: &reqwest::Error, peer: &Peer) -> bool {
    peer.tls
        && matches!(io_kind(error), Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput))
}

/// Whether a body came whole but its compression is broken: then it is an answer, if a bad one.
/// reqwest calls every failure within a body a decoding one.
pub(super) fn is_broken_compression(error: &reqwest::Error) -> bool {
    let kind = io_kind(error);
    error.is_decode()
        && matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput))
}

fn is_local_limit(error: &reqwest::Error) -> bool {
    io_errors(error).any(is_limit)
}

fn is_limit(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
        || error.raw_os_error().is_some_and(|code| LOCAL_LIMITS.contains(&code))
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    io_errors(error).last().map(io::Error::kind)
}

fn io_errors(error: &reqwest::Error) -> impl Iterator<Item = &io::Error> {
    chain(error).filter_map(|cause| cause.downcast_ref::<io::Error>())
}

/// Every cause, an error wrapped in an `io::Error` included: its own `source` skips that one.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map_or_else(|| (**error).source(), |inner| Some(inner as &(dyn Error + 'static)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_limits_are_not_the_networks() {
        for code in LOCAL_LIMITS {
            let source = io::Error::from_raw_os_error(code);
            let error = ResolveError::Unresolved { name: "a.test".to_owned(), source };
            assert_eq!(of_resolve(&error), TransportKind::Local, "{error:?}");
        }
        for code in [101, 104, 110, 111, 113] {
            assert!(!is_limit(&io::Error::from_raw_os_error(code)), "{code}");
        }
    }

    #[test]
    fn an_error_within_an_io_error_is_seen() {
        let inner = io::Error::from_raw_os_error(24);
        let outer = io::Error::other(io::Error::other(inner));
        let seen: Vec<_> = chain(&outer).map(ToString::to_string).collect();
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(sentence(&outer).contains("24"), "{seen:?}");
    }
}
