//! The files beside the pages: style, script, the icons of the window, the operator's logo.
//!
//! Invariant: a picture cannot run anything, whatever stands in it.

use askama::Template;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::super::WebState;
use super::super::problem::Problem;
use super::super::segment::Segment;
use super::Answer;
use super::parts::Shape;
use crate::model::State as Condition;

const STYLE: &str = include_str!("../../../templates/style.css");
const SCRIPT: &str = include_str!("../../../templates/page.js");

/// The version in the address ends the caching of style and script.
const CACHED: &str = "public, max-age=86400";

/// For pictures that somebody may open by themselves.
pub(super) const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// The icon of the window for one state; the shapes are those of the pages.
#[derive(Template)]
#[template(path = "icon.svg")]
struct Icon {
    shape: Shape,
    colour: &'static str,
}

pub(super) async fn asset(State(state): State<WebState>, Segment(name): Segment) -> Answer {
    let asset = match name.as_str() {
        "style.css" => Some(text("text/css; charset=utf-8", STYLE)),
        "page.js" => Some(text("text/javascript; charset=utf-8", SCRIPT)),
        "logo" => logo(&state),
        _ => icon(&name),
    };
    asset.ok_or_else(Problem::nowhere)
}

fn text(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, CACHED)], text).into_response()
}

fn logo(state: &WebState) -> Option<Response> {
    let logo = state.settings.borrow().brand.logo.clone()?;
    let headers = [
        (CONTENT_TYPE, logo.kind.media_type()),
        (CACHE_CONTROL, "public, max-age=300"),
        (CONTENT_SECURITY_POLICY, PICTURE_POLICY),
    ];
    Some((headers, logo.bytes.to_vec()).into_response())
}

fn icon(name: &str) -> Option<Response> {
    let state: Condition = name.strip_suffix(".svg")?.parse().ok()?;
    let icon = Icon { shape: Shape { class: state.as_str() }, colour: colour(state) };
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, CACHED),
        (CONTENT_SECURITY_POLICY, PICTURE_POLICY),
    ];
    Some((headers, icon.render().ok()?).into_response())
}

/// The palette of the light scheme: white on each of these is at least 4.5:1.
pub(super) fn colour(state: Condition) -> &'static str {
    match state {
        Condition::Operational => "#1a7f37",
        Condition::Degraded => "#9a6700",
        Condition::Outage => "#cf222e",
        Condition::Maintenance => "#0969da",
        Condition::Unknown => "#59636e",
    }
}
