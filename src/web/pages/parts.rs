//! The small pieces that pages are made of: a time, a state with its icon.
//!
//! Invariant: a piece escapes what it is made of, so that pages may take it as it is.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::engine::words;
use crate::model::{Blame, State};

/// A time for machines and for people.
#[derive(Debug, Clone, Template)]
#[template(ext = "html", source = r#"<time datetime="{{ machine }}">{{ people }}</time>"#)]
pub(super) struct Moment {
    pub(super) machine: String,
    pub(super) people: String,
}

impl HtmlSafe for Moment {}

/// Icon, word and colour of a state: never colour alone.
#[derive(Debug, Clone, Copy, Template)]
#[template(
    ext = "html",
    source = r##"<span class="mark {{ class }}"><svg class="icon" aria-hidden="true"><use href="#i-{{ class }}"></use></svg>{{ word }}</span>"##
)]
pub(super) struct Mark {
    pub(super) class: &'static str,
    pub(super) word: &'static str,
}

impl HtmlSafe for Mark {}

/// The shape of a state's icon; its colour is the style's.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "shapes.html")]
pub(super) struct Shape {
    pub(super) class: &'static str,
}

impl HtmlSafe for Shape {}

impl Mark {
    pub(super) fn of(state: State, blame: Blame) -> Self {
        Self { class: state.as_str(), word: words::state(state, blame) }
    }

    /// What stands in the title of a window, where nothing can be drawn.
    pub(super) fn glyph(self) -> &'static str {
        match self.class {
            "operational" => "✓",
            "degraded" => "▲",
            "outage" => "✕",
            "maintenance" => "🔧",
            _ => "–",
        }
    }
}
