//! The pages for people, the feed and the badges: one glance answers "is it them or us?".
//!
//! Owns their routes and what all of them share: who reads, what is believed, times in one zone.
//! Each page is a file of `pages/`. Invariant: every text goes through a template's escaping, and
//! a link leads to `https:` or, relatively, to ourselves, so that any prefix in front of us works.

mod assets;
mod badge;
mod brand;
mod capability;
mod chart;
mod days;
mod feed;
mod frame;
mod incidents;
mod jobs;
mod overview;
mod parts;
mod probe;

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

pub use self::brand::{Brand, BrandLink, Logo, LogoKind};
use self::frame::{Frame, Place};
use self::parts::Moment;
use super::access::Reader;
use super::problem::Problem;
use super::{WebSettings, WebState};
use crate::engine::words;
use crate::model::text::clean;
use crate::model::{Timestamp, View};
use crate::store::StoreError;

/// Longest name or title from outside that a page shows.
const OUTSIDE_CHARS: usize = 300;

/// Longest sentence of the core, which may quote what came from outside; advice is the longest.
const SENTENCE_CHARS: usize = 1_000;

/// The pages of the contract, section 5, with the feed, the badges and the files beside them.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/", get(overview::page))
        .route("/capabilities/{name}", get(capability::page))
        .route("/probes/{name}", get(probe::page))
        .route("/incidents", get(incidents::list))
        .route("/incidents/{id}", get(incidents::one))
        .route("/jobs", get(jobs::page))
        .route("/feed.atom", get(feed::feed))
        .route("/badge/{file}", get(badge::badge))
        .route("/assets/{name}", get(assets::asset))
}

/// One request: who reads, when, and what is believed then.
struct Visit {
    state: WebState,
    settings: WebSettings,
    reader: Reader,
    now: Timestamp,
    view: Result<Arc<View>, Problem>,
}

impl FromRequestParts<WebState> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let Ok(reader) = Reader::from_request_parts(parts, state).await;
        Ok(Self {
            settings: state.settings.borrow().clone(),
            reader,
            now: state.clock.now(),
            view: state.current(reader),
            state: state.clone(),
        })
    }
}

impl Visit {
    fn is_trusted(&self) -> bool {
        self.reader == Reader::Trusted
    }

    fn moment(&self, at: Timestamp) -> Moment {
        Moment {
            machine: format!("{at:.0}"),
            people: words::time(at, &self.settings.timezone, self.now),
        }
    }

    /// How long ago, in words.
    fn ago(&self, at: Timestamp) -> String {
        words::duration(words::between(at, self.now))
    }

    /// A page that says no more than this sentence.
    fn notice(&self, place: Place, problem: &Problem) -> Response {
        let detail = problem.detail();
        let frame = Frame::of(self, place, "");
        let is_blind = self.view.is_err();
        let page = Notice { frame, detail, is_blind };
        rendered(&page, problem.status())
    }

    fn missing(&self, place: Place, what: &str) -> Response {
        self.notice(place, &Problem::not_found(what))
    }

    fn unreadable(&self, place: Place, error: &StoreError) -> Response {
        tracing::warn!(
            error = crate::error_chain(error),
            "A page could not read the history from the database."
        );
        self.notice(place, &Problem::unavailable("the history cannot be read at the moment", 5))
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    frame: Frame,
    detail: &'a str,
    is_blind: bool,
}

fn rendered(page: &impl Template, status: StatusCode) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "A page could not be rendered.");
            Problem::internal().into_response()
        }
    }
}

/// A text from outside, once more made harmless and short; the templates escape it.
fn outside(text: &str) -> String {
    clean(text, OUTSIDE_CHARS)
}

/// As [`outside`], for what may be a few sentences long.
fn sentence(text: &str) -> String {
    clean(text, SENTENCE_CHARS)
}
