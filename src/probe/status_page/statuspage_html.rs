//! The HTML of an Atlassian Statuspage, for hosts whose JSON cannot be read.
//!
//! Invariant: a host that nobody has claimed, which answers marketing on every path, is unreadable.

use scraper::{ElementRef, Html};

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event, row};
use super::{markup, words};
use crate::model::{Component, ComponentState, Impact, PageEvent, PageUpdate, Phase, Product};

/// The page itself.
pub(super) const HTML: Form = Form::html("Statuspage HTML", read);

const UNRESOLVED: &str = ".unresolved-incident";

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let text = documents.text();
    let html = markup::document(&text)?;
    if is_unclaimed(&html) {
        return Err(Refusal::Unusable("is an address nobody has claimed at Statuspage".to_owned()));
    }
    let Some(own_word) = page_state(&html) else {
        return Err("is no Statuspage HTML".into());
    };
    let components: Vec<Component> =
        markup::all(&html, ".component-inner-container[data-component-status]")
            .into_iter()
            .filter(|row| !is_group_header(*row))
            .filter_map(component)
            .collect();
    let incidents: Vec<PageEvent> =
        markup::all(&html, UNRESOLVED).into_iter().filter_map(incident).collect();
    let found = Found {
        name: markup::first_text(&html, "title")
            .map(|title| title.strip_suffix(" Status").unwrap_or(&title).to_owned()),
        url: markup::own_address(&html),
        own_word: Some(own_word),
        components,
        incidents,
        warnings: Warnings::of(
            "the HTML was read: maintenances and the rows of incidents are not in it",
        ),
        ..Found::default()
    };
    Ok(found.on(documents, Product::STATUSPAGE))
}

fn is_unclaimed(html: &Html) -> bool {
    markup::all(html, r#"link[rel="canonical"]"#)
        .iter()
        .filter_map(|link| link.attr("href"))
        .any(|address| address.contains("atlassian.com/software/statuspage"))
}

/// The page-wide word: the class of the body, which is there whether or not the banner is.
fn page_state(html: &Html) -> Option<ComponentState> {
    let body = *markup::all(html, "body.status.index").first()?;
    let word = body.value().classes().find_map(|class| class.strip_prefix("status-"));
    Some(word.map_or(ComponentState::Unknown, words::state_of_indicator))
}

fn is_group_header(row: ElementRef<'_>) -> bool {
    row.parent()
        .and_then(ElementRef::wrap)
        .is_some_and(|parent| parent.value().classes().any(|class| class == "is-group"))
}

fn component(element: ElementRef<'_>) -> Option<Component> {
    let raw = words::line(element.attr("data-component-status")?);
    let name = markup::first(element, ".name").map(markup::text_of).filter(|name| !name.is_empty());
    let id = element.attr("data-component-id").map(words::line).or_else(|| name.clone())?;
    let group = element
        .ancestors()
        .filter_map(ElementRef::wrap)
        .find(|above| above.value().classes().any(|class| class == "is-group"))
        .and_then(|group| markup::first(group, ".name"))
        .map(markup::text_of);
    let state = words::state_of(&raw);
    Some(Component { group, ..row(id, name, raw, state) })
}

fn incident(element: ElementRef<'_>) -> Option<PageEvent> {
    let link = markup::first(element, ".incident-title a.actual-title")
        .or_else(|| markup::first(element, ".incident-title"))?;
    let title = markup::text_of(link);
    let impact = element.value().classes().find_map(|class| class.strip_prefix("impact-"));
    let updates = updates(element);
    let id = link.attr("href").and_then(|address| address.rsplit('/').next()).map(words::line);
    Some(PageEvent {
        phase: updates.first().map_or(Phase::Unknown, |update| update.phase),
        impact: impact.map_or(Impact::Unknown, words::impact_of),
        updates,
        ..event(id.unwrap_or_else(|| title.clone()), title)
    })
}

/// Newest first, as on the page. Their times have no year and no offset, so they are left out;
/// "Update" means that the phase stayed as it was.
fn updates(incident: ElementRef<'_>) -> Vec<PageUpdate> {
    let mut phase = Phase::Unknown;
    let mut updates: Vec<PageUpdate> = markup::within(incident, ".update")
        .into_iter()
        .rev()
        .map(|element| {
            let word = markup::first(element, "strong").map(markup::text_of).unwrap_or_default();
            if words::plain_word(&word) != "update" {
                phase = words::phase_of(&word);
            }
            PageUpdate { at: None, phase, text: update_text(element, &word) }
        })
        .collect();
    updates.reverse();
    updates
}

/// The text between the phase in front and the date behind.
fn update_text(element: ElementRef<'_>, word: &str) -> String {
    let text = words::plain_text(&element.inner_html());
    let date = markup::first(element, "small")
        .map(|date| words::plain_text(&date.inner_html()))
        .unwrap_or_default();
    let text = text.strip_suffix(&date).unwrap_or(&text);
    let text = text.strip_prefix(word).unwrap_or(text).trim_start();
    text.strip_prefix('-').unwrap_or(text).trim().to_owned()
}
