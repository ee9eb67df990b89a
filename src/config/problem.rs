//! What is wrong with a configuration, and how people read it: every problem with file, line,
//! column, the line itself, a caret and a hint.
//!
//! Owns collecting and rendering; knows nothing of keys. Invariant: what stands in the file where
//! a secret could stand is never rendered (`mask`).

use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::document::{At, Document};
use super::{ConfigError, mask};
use crate::model::text::clean;

/// Nobody mends more in one go, and a file of another kind has as many as lines.
const MOST_SHOWN: usize = 50;

/// What a message may quote of the file, in characters.
const LONGEST_MESSAGE: usize = 600;

/// Something wrong, not yet tied to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) hint: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

/// Something wrong at a place of the file, or with what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    span: Option<Range<usize>>,
    fault: Fault,
}

/// Every problem found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem at a byte range of the file.
    pub(super) fn add_at_span(&mut self, span: Range<usize>, fault: Fault) {
        self.push(Problem { span: Some(span), fault });
    }

    /// Adds a problem with a value (or, where it is absent, with what would contain it).
    pub(super) fn add(&mut self, document: &Document, at: &At, fault: Fault) {
        self.push(Problem { span: document.value_span(at), fault });
    }

    /// Adds a problem with a key.
    pub(super) fn add_at_key(&mut self, document: &Document, at: &At, fault: Fault) {
        self.push(Problem { span: document.key_span(at), fault });
    }

    /// Adds a problem that is not in the file.
    pub(super) fn add_outside(&mut self, fault: Fault) {
        self.push(Problem { span: None, fault });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn push(&mut self, problem: Problem) {
        // Two channels may ask for the same thing that is wrong outside of the file.
        if problem.span.is_some() || !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// All of them as one error, in the order of the file; those outside of it come last.
    pub(super) fn into_error(mut self, text: &str, name: &Path) -> ConfigError {
        self.0.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
        let masked = mask::mask(text);
        let path = name.display().to_string();
        let shown = self.0.iter().take(MOST_SHOWN);
        let mut rendered: Vec<String> =
            shown.map(|problem| render(problem, &masked, &path)).collect();
        let count = self.0.len();
        if count > MOST_SHOWN {
            rendered.push(format!("… and {} more", count - MOST_SHOWN));
        }
        let noun = if count == 1 { "problem" } else { "problems" };
        rendered.push(format!("{count} {noun} in {path}"));
        ConfigError { rendered: rendered.join("\n\n"), problems: count }
    }
}

fn render(problem: &Problem, text: &str, path: &str) -> String {
    let fault = &problem.fault;
    // Messages may quote what stands in the file, and hints name paths.
    let title = Level::ERROR.primary_title(clean(&fault.message, LONGEST_MESSAGE));
    let hint = Level::HELP.with_name("hint").message(clean(&fault.hint, LONGEST_MESSAGE));
    let group = match problem.span.clone() {
        Some(span) => title.element(
            Snippet::source(text)
                .path(path)
                .annotation(AnnotationKind::Primary.span(first_line(text, span))),
        ),
        None => annotate_snippets::Group::with_title(title),
    };
    let group = if fault.hint.is_empty() { group } else { group.element(hint) };
    Renderer::plain().render(&[group]).trim_end().to_owned()
}

/// The part of a span that lies on its first line and within the text.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let start = floor(text, span.start.min(text.len()));
    let end = floor(text, span.end.clamp(start, text.len()));
    let line = text.get(start..end).and_then(|part| part.find('\n'));
    start..line.map_or(end, |length| start + length)
}

fn floor(text: &str, index: usize) -> usize {
    (0..=index).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}
