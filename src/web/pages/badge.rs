//! `/badge/{capability}.svg`: a flat badge, 20 px high, for a README or a wiki.
//!
//! Invariant: it is made of the words of the contract alone, and a blind monitor's is grey.

use askama::Template;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;

use super::super::problem::Problem;
use super::super::segment::Segment;
use super::assets::{PICTURE_POLICY, colour};
use super::{Answer, Visit, overview};
use crate::engine::words;
use crate::model::{Blame, Capability, State};

#[derive(Template)]
#[template(path = "badge.svg")]
struct Badge {
    label: String,
    word: &'static str,
    colour: &'static str,
    label_width: u32,
    word_width: u32,
}

pub(super) async fn badge(visit: Visit, Segment(file): Segment) -> Answer {
    let capability = file.strip_suffix(".svg").and_then(|name| name.parse().ok());
    let capability = capability.ok_or_else(|| Problem::not_found("there is no such badge"))?;
    let (word, state) = says(&visit, capability);
    let label = format!("HeyGen {}", words::capability(capability));
    let (label_width, word_width) = (width(&label), width(word));
    let badge = Badge { label, word, colour: colour(state), label_width, word_width };
    let picture = badge.render().map_err(|_| Problem::internal())?;
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "public, max-age=300"),
        (CONTENT_SECURITY_POLICY, PICTURE_POLICY),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    Ok((headers, picture).into_response())
}

fn says(visit: &Visit, capability: Capability) -> (&'static str, State) {
    let verdict =
        visit.view.as_ref().ok().and_then(|view| {
            view.verdict.capabilities.iter().find(|one| one.capability == capability)
        });
    match verdict {
        Some(verdict) => (overview::capability_mark(verdict).word, verdict.state),
        None => (words::state(State::Unknown, Blame::Monitor), State::Unknown),
    }
}

/// Pixels that a text takes in Verdana of 11 px, with its margins; `textLength` makes it exact.
fn width(text: &str) -> u32 {
    let pixels: u32 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | ' ' | '\'' | ':' => 4,
            'f' | 'r' | 't' | 'I' => 5,
            'm' | 'w' | 'M' | 'W' => 10,
            c if c.is_uppercase() => 8,
            _ => 7,
        })
        .sum();
    pixels + 10
}
