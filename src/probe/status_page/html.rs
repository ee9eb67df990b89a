//! Any page, read with the selectors of the configuration.
//!
//! Invariant: a selector that finds nothing makes the page unreadable; it never makes it green.

use scraper::ElementRef;

use super::form::{Documents, Found, Reading, Refusal, Warnings, event, row};
use super::{HtmlSelectors, markup, words};
use crate::model::{Component, ComponentState, PageEvent, Product};

/// Reads a page with the selectors of the configuration.
pub(super) fn read(
    selectors: &HtmlSelectors,
    documents: &Documents<'_>,
) -> Result<Reading, Refusal> {
    let text = documents.text();
    let html = markup::document(&text)?;
    let rows = markup::all(&html, &selectors.component);
    if rows.is_empty() {
        return Err(format!("has nothing that matches `{}`", selectors.component).into());
    }
    let components: Vec<Component> =
        rows.iter().filter_map(|row| component(selectors, *row)).collect();
    if components.is_empty() {
        return Err(format!("has no row with a name that matches `{}`", selectors.name).into());
    }
    let mut warnings = Warnings::default();
    if components.len() < rows.len() {
        let lost = rows.len() - components.len();
        warnings.lose(format!("{lost} of {} rows have no name", rows.len()));
    }
    let incidents: Vec<PageEvent> = selectors
        .incident
        .iter()
        .flat_map(|selector| markup::all(&html, selector))
        .filter_map(|element| incident(&markup::text_of(element)))
        .collect();
    // The address it gives itself is for link previews, and seldom meant as an identity.
    let name = markup::first_text(&html, "title");
    let found = Found { name, components, incidents, warnings, ..Found::default() };
    Ok(found.on(documents, Product::HTML))
}

fn component(selectors: &HtmlSelectors, element: ElementRef<'_>) -> Option<Component> {
    let name =
        part(element, &selectors.name).map(markup::text_of).filter(|name| !name.is_empty())?;
    let element = part(element, &selectors.state);
    let raw = match &selectors.state_attribute {
        Some(attribute) => element.and_then(|element| element.attr(attribute)).map(words::line),
        None => element.map(markup::text_of),
    };
    let raw = raw.unwrap_or_default();
    let state = state_of(selectors, &raw);
    Some(row(name, None, raw, state))
}

/// The element a selector finds within the row; an empty selector is the row itself.
fn part<'a>(row: ElementRef<'a>, selector: &str) -> Option<ElementRef<'a>> {
    if selector.trim().is_empty() { Some(row) } else { markup::first(row, selector) }
}

/// The configured word that is the whole text or one of the words of the attribute (its classes),
/// else what the products call it; anything else is unknown: "not up" is not "up".
fn state_of(selectors: &HtmlSelectors, raw: &str) -> ComponentState {
    let has_words = selectors.state_attribute.is_some();
    let is_said = |word: &str| {
        raw.eq_ignore_ascii_case(word.trim())
            || has_words
                && raw.split_whitespace().any(|part| part.eq_ignore_ascii_case(word.trim()))
    };
    let said = selectors.states.iter().filter(|(word, _)| is_said(word)).map(|(_, state)| *state);
    crate::engine::page::worst(said).unwrap_or_else(|| words::state_of(raw))
}

fn incident(title: &str) -> Option<PageEvent> {
    (!title.is_empty()).then(|| event(title.to_owned(), title.to_owned()))
}
