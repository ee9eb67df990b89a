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
use std::str::FromStr;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use url::form_urlencoded;

pub use self::brand::{Brand, BrandLink, Logo, LogoKind};
use self::frame::Frame;
use self::parts::Moment;
use super::access::Reader;
use super::problem::Problem;
use super::{WebSettings, WebState};
use crate::engine::{headline, words};
use crate::model::text::clean;
use crate::model::{Timestamp, View};

/// Longest name or title from outside that a page shows.
const OUTSIDE_CHARS: usize = 200;

/// Longest sentence of the core, which may quote what came from outside; advice is the longest.
const SENTENCE_CHARS: usize = 600;

/// No address of ours is as deep; a page there would need endless links to lead out again.
const DEEPEST: usize = 10;

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

/// What a page answers; a problem becomes a page too where a browser asked.
type Answer = Result<Response, Problem>;

/// Tells a problem on a page of ours to people who look with a browser. Below `/api/` nobody does:
/// some clients ask for `text/html` by habit.
pub(super) async fn tell_people(
    State(state): State<WebState>,
    reader: Reader,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let is_for_people = wants_page(request.headers())
        && !path.starts_with("/api/")
        && path.split('/').count() <= DEEPEST;
    let response = next.run(request).await;
    let problem = response.extensions().get::<Problem>().filter(|_| is_for_people);
    let Some(page) = problem.map(|problem| Notice::of(&Visit::of(state, reader, &path), problem))
    else {
        return response;
    };
    let Ok(page) = rendered(&page) else { return response };
    let mut headers = response.headers().clone();
    headers.remove(CONTENT_TYPE);
    (response.status(), headers, page).into_response()
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.into_iter().any(|kinds| kinds.contains("text/html"))
}

/// One request: who reads what, when, and what is believed then.
struct Visit {
    state: WebState,
    settings: WebSettings,
    reader: Reader,
    now: Timestamp,
    view: Result<Arc<View>, Problem>,
    /// The way from the page to `/`, so that links hold behind any prefix.
    root: String,
    /// The first part of its address: what it is listed under; empty for `/`.
    section: String,
}

impl FromRequestParts<WebState> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let Ok(reader) = Reader::from_request_parts(parts, state).await;
        Ok(Self::of(state.clone(), reader, parts.uri.path()))
    }
}

impl Visit {
    fn of(state: WebState, reader: Reader, path: &str) -> Self {
        let settings = state.settings.borrow().clone();
        Self {
            settings,
            reader,
            now: state.clock.now(),
            view: state.current(reader),
            root: "../".repeat(path.matches('/').count().saturating_sub(1)),
            section: path.split('/').nth(1).unwrap_or_default().to_owned(),
            state,
        }
    }

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
}

/// `?before=PLACE`: where a page of a list begins. One that is no place of ours is the beginning.
struct Before<T>(Option<T>);

impl<T: FromStr, S: Sync> FromRequestParts<S> for Before<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let mut asked = form_urlencoded::parse(query.as_bytes());
        let before = asked.find(|(name, _)| name == "before");
        Ok(Self(before.and_then(|(_, place)| place.parse().ok())))
    }
}

/// A page that says no more than what is wrong.
#[derive(Template)]
#[template(path = "notice.html")]
struct Notice {
    frame: Frame,
    heading: &'static str,
    sentence: String,
}

impl Notice {
    fn of(visit: &Visit, problem: &Problem) -> Self {
        let heading = match problem.status() {
            StatusCode::NOT_FOUND => "not found",
            StatusCode::UNAUTHORIZED => "not public",
            _ => "can't tell right now",
        };
        let sentence = match &visit.view {
            Err(blind) if blind == problem => frame::nothing_is_known(blind),
            Ok(_) | Err(_) => format!("{}.", headline::capitalised(problem.detail())),
        };
        let subject = if problem.status() == StatusCode::NOT_FOUND { heading } else { "" };
        Self { frame: Frame::of(visit, subject), heading, sentence }
    }
}

fn rendered(page: &impl Template) -> Answer {
    let text = page.render().map_err(|error| {
        tracing::error!(%error, "A page could not be rendered.");
        Problem::internal()
    })?;
    Ok(Html(text).into_response())
}

/// A text from outside, once more made harmless and short; the templates escape it.
fn outside(text: &str) -> String {
    clean(text, OUTSIDE_CHARS)
}

/// As [`outside`], for what may be a few sentences long.
fn sentence(text: &str) -> String {
    clean(text, SENTENCE_CHARS)
}
