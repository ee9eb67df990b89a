//! Cachet 3: `/api/components` (JSON:API), with the incidents and the schedules.
//!
//! Its times have no offset, so they are left out. Invariant: a row that is switched off is not
//! shown, whatever its state.

use serde_json::Value;

use super::cachet::{phase_of, state_of};
use super::form::{ANYWHERE, Documents, Form, Found, Media, Reading, Refusal, event, impact_on};
use super::{json, words};
use crate::model::{Component, Impact, PageEvent, PageUpdate, Phase, Product};

/// The three lists; a page shows 15 rows of each unless it is asked for more.
pub(super) const LISTS: Form = Form {
    name: "Cachet 3 JSON",
    paths: &[
        "api/components?include=group&per_page=200",
        "api/incidents?include=components,updates&per_page=50",
        "api/schedules?include=components&per_page=50",
    ],
    hosts: ANYWHERE,
    media: Media::Json,
    read,
};

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let list = json::object(documents.main())?;
    let is_row = |row: &Value| row.pointer("/attributes/status/value").is_some();
    if !json::list(&list, "data").iter().any(is_row) {
        return Err("lists no component of Cachet 3".into());
    }
    let other = |at| documents.body(at).and_then(|body| json::object(body).ok());
    let mut warnings = Vec::new();
    if list.pointer("/links/next").is_some_and(Value::is_string) {
        warnings.push("only the first page of components was read".to_owned());
    }
    let rows = json::rows(&list, "data", &mut warnings, |row| component(&list, row));
    let shown = rows.into_iter().filter(|(_, is_shown)| *is_shown);
    let components: Vec<Component> = shown.map(|(row, _)| row).collect();
    let incidents = other(1).map(|document| {
        json::rows(&document, "data", &mut warnings, |row| incident(&document, row, &components))
    });
    let maintenances =
        other(2).map(|document| json::rows(&document, "data", &mut warnings, maintenance));
    let found = Found {
        components,
        incidents: incidents.unwrap_or_default(),
        maintenances: maintenances.unwrap_or_default(),
        warnings,
        ..Found::default()
    };
    Ok(found.on(documents, Product::named("cachet_3")))
}

/// A row, and whether the page shows it.
fn component(document: &Value, row: &Value) -> Option<(Component, bool)> {
    let about = row.get("attributes")?;
    let id = json::text(row, "id")?;
    let number = number(about);
    let group = related(row, "group").first().and_then(|id| {
        let (_, about) = included(document, "componentGroups", id)?;
        json::text(about, "name")
    });
    let is_shown = about.get("enabled").and_then(Value::as_bool) != Some(false);
    let component = Component {
        name: json::text(about, "name").unwrap_or_else(|| id.clone()),
        id,
        group,
        state: state_of(&number),
        raw: number,
    };
    Some((component, is_shown))
}

fn number(about: &Value) -> String {
    about.get("status").and_then(|status| json::text(status, "value")).unwrap_or_default()
}

/// The ids at the other end of a relationship, be it one or many.
fn related(row: &Value, name: &str) -> Vec<String> {
    let data = row.get("relationships").and_then(|all| all.get(name)?.get("data"));
    match data {
        Some(Value::Array(links)) => {
            links.iter().filter_map(|link| json::text(link, "id")).collect()
        }
        Some(link) => json::text(link, "id").into_iter().collect(),
        None => Vec::new(),
    }
}

/// An included entry with its attributes.
fn included<'a>(document: &'a Value, kind: &str, id: &str) -> Option<(&'a Value, &'a Value)> {
    let entry = json::list(document, "included").iter().find(|entry| {
        json::text(entry, "type").as_deref() == Some(kind)
            && json::text(entry, "id").as_deref() == Some(id)
    })?;
    Some((entry, entry.get("attributes")?))
}

fn incident(document: &Value, row: &Value, components: &[Component]) -> Option<PageEvent> {
    let about = row.get("attributes")?;
    let (id, title) = (json::text(row, "id")?, json::text(about, "name")?);
    let named = related(row, "components");
    let mut updates: Vec<PageUpdate> = related(row, "updates")
        .iter()
        .rev()
        .filter_map(|id| Some(update(included(document, "updates", id)?.1)))
        .collect();
    updates.push(PageUpdate { phase: Phase::Unknown, ..update(about) });
    Some(PageEvent {
        phase: phase_of(&number(about)),
        impact: impact_on(components, &named),
        components: named,
        updates,
        ..event(id, title)
    })
}

fn update(about: &Value) -> PageUpdate {
    let text = about.get("message").and_then(Value::as_str).map(words::plain_text);
    PageUpdate { at: None, phase: phase_of(&number(about)), text: text.unwrap_or_default() }
}

fn maintenance(row: &Value) -> Option<PageEvent> {
    let about = row.get("attributes")?;
    let phase = match number(about).as_str() {
        "0" => Phase::Scheduled,
        "1" => Phase::InProgress,
        "2" => Phase::Completed,
        _ => Phase::Unknown,
    };
    Some(PageEvent {
        phase,
        impact: Impact::Maintenance,
        components: related(row, "components"),
        updates: vec![PageUpdate { phase, ..update(about) }],
        ..event(json::text(row, "id")?, json::text(about, "name")?)
    })
}
