//! The variable part of an address.
//!
//! Invariant: what cannot be decoded names nothing, and is missing as anything else that is not
//! there.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

/// The one variable part of an address; empty, which is no name of anything, where it is not UTF-8.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(read.map(|Path(name)| name).unwrap_or_default()))
    }
}
