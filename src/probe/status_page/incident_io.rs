//! incident.io: the Statuspage-compatible JSON, the page's own JSON (`/proxy`), the same object in
//! the HTML's flight data, and the widget.
//!
//! Does not read its feeds (`feed` does). Invariant: a component of the page's own JSON is
//! operational only because that list says which ones are affected, and it is not among them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event as blank, row};
use super::json::{self, MOST_ROWS, Told};
use super::{flight, statuspage, words};
use crate::engine::page::{impact_of_state, worst};
use crate::model::{Component, ComponentState, Impact, PageEvent, PageUpdate, Phase, Product};

/// The Statuspage-compatible JSON. The summary may list only some components, and may leave out
/// incidents and their texts: the other two complete it.
pub(super) const COMPAT: Form = Form::json(
    "incident.io JSON",
    &["api/v2/summary.json", "api/v2/components.json", "api/v2/incidents.json"],
    read_compat,
);

/// The JSON that the page itself asks for.
pub(super) const PROXY: Form =
    Form::json("incident.io page JSON", &["proxy/{host}"], |documents| {
        read_native(json::object(documents.main())?.get("summary"), documents)
    });

/// The same object in the page's HTML.
pub(super) const HTML: Form = Form::html("incident.io HTML", read_html);

/// The opt-in widget: what is going on, but no list of components.
pub(super) const WIDGET: Form = Form::json("incident.io widget", &["api/v1/summary"], read_widget);

fn read_compat(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let summary = json::object(documents.main())?;
    if statuspage::product_of(&summary) != Product::INCIDENT_IO {
        return Err("is not incident.io's".into());
    }
    statuspage::is_compat(&summary)?;
    let parts: Vec<Value> =
        [Some(summary), documents.object(1), documents.object(2)].into_iter().flatten().collect();
    Ok(statuspage::read(&parts, documents, Product::INCIDENT_IO))
}

fn read_html(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let html = documents.text();
    let flight = flight::decode(&html);
    let summary = flight::objects(&flight, "summary")
        .find(|summary| summary.get("components").is_some_and(Value::is_array))
        .ok_or("holds no incident.io page data")?;
    read_native(Some(&summary), documents)
}

fn read_native(summary: Option<&Value>, documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let summary = summary.ok_or("has no `summary`")?;
    if !summary.get("components").is_some_and(Value::is_array) {
        return Err("has no `summary.components`".into());
    }
    let mut warnings = Warnings::default();
    let components = native_components(summary, &mut warnings);
    let mut events = json::rows(summary, "ongoing_incidents", &mut warnings, native_event);
    events.extend(json::rows(summary, "scheduled_maintenances", &mut warnings, |row| {
        Some(Told { is_maintenance: true, ..native_event(row)? })
    }));
    Ok(page(summary, documents, (components, events), warnings))
}

fn page(
    summary: &Value,
    documents: &Documents<'_>,
    (components, events): (Vec<Component>, Vec<Told>),
    mut warnings: Warnings,
) -> Reading {
    let (incidents, maintenances) = json::apart(events, &mut warnings);
    let found = Found {
        id: json::text(summary, "id"),
        name: json::first_text(summary, &["name", "page_title"]),
        url: json::first_text(summary, &["public_url", "page_url"]),
        own_word: None,
        components,
        incidents,
        maintenances,
        warnings,
    };
    found.on(documents, Product::INCIDENT_IO)
}

/// Affected components by id, with the page's word under `key`; of several the worst.
fn affected(value: &Value, key: &str) -> BTreeMap<String, String> {
    let severity = |word: &String| words::state_of(word).severity();
    let mut affected = BTreeMap::new();
    for row in json::list(value, "affected_components") {
        let Some(id) = id_of(row) else { continue };
        let word = json::first_text(row, &[key, "current_status", "status"]).unwrap_or_default();
        if affected.get(&id).is_none_or(|known| severity(known) < severity(&word)) {
            affected.insert(id, word);
        }
    }
    affected
}

fn id_of(row: &Value) -> Option<String> {
    json::first_text(row, &["component_id", "id"])
}

fn native_components(summary: &Value, warnings: &mut Warnings) -> Vec<Component> {
    let affected = affected(summary, "status");
    // Whoever is named in a way that is not understood may be any of them.
    let listed = summary.get("affected_components").and_then(Value::as_array);
    let names_affected = listed
        .is_some_and(|rows| rows.len() <= MOST_ROWS && rows.iter().all(|row| id_of(row).is_some()));
    if !names_affected {
        warnings.lose("`affected_components` is missing or broken: no state is known");
    }
    let (mut rows, hidden) = structure(summary);
    for (id, name, is_hidden) in json::rows(summary, "components", warnings, |row| {
        Some((json::text(row, "id")?, json::text(row, "name"), json::is_true(row, "hidden")))
    }) {
        let is_listed = rows.iter().any(|(known, ..)| *known == id);
        if !is_hidden && !is_listed && !hidden.contains(&id) {
            rows.push((id, name, None));
        }
    }
    rows.into_iter()
        .map(|(id, name, group)| {
            let (raw, state) = match affected.get(&id) {
                Some(word) => (word.clone(), words::state_of(word)),
                None if names_affected => ("operational".to_owned(), ComponentState::Operational),
                None => (String::new(), ComponentState::Unknown),
            };
            Component { group, ..row(id, name, raw, state) }
        })
        .collect()
}

/// Id, name and group of a row.
type Row = (String, Option<String>, Option<String>);

/// The rows in the order of the page, and the ids of those that it hides.
fn structure(summary: &Value) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut hidden) = (Vec::new(), Vec::new());
    let mut take = |component: &Value, group: Option<&str>, is_hidden: bool| {
        let Some(id) = id_of(component) else { return };
        if is_hidden || json::is_true(component, "hidden") {
            hidden.push(id);
        } else {
            rows.push((id, json::text(component, "name"), group.map(str::to_owned)));
        }
    };
    for item in summary.get("structure").map_or(&[][..], |structure| json::list(structure, "items"))
    {
        if let Some(component) = item.get("component") {
            take(component, None, false);
        }
        if let Some(group) = item.get("group") {
            let name = json::text(group, "name");
            for component in json::list(group, "components") {
                take(component, name.as_deref(), json::is_true(group, "hidden"));
            }
        }
    }
    (rows, hidden)
}

fn native_event(row: &Value) -> Option<Told> {
    let title = json::text(row, "name");
    let id = json::first_text(row, &["id", "url"]).or_else(|| title.clone())?;
    let word = json::text(row, "status").unwrap_or_default();
    let phase = words::phase_of(&word);
    // The page lists updates oldest first.
    let mut updates: Vec<PageUpdate> =
        json::list(row, "updates").iter().rev().map(update).collect();
    updates.extend(widget_update(row, phase));
    let updates = json::newest_first(updates);
    let published = json::first_time(row, &["started_at", "starts_at", "published_at"]);
    let began = json::list(row, "status_summaries")
        .iter()
        .filter_map(|part| json::time(part, "start_at"))
        .min();
    let is_maintenance = json::text(row, "type").is_some_and(|kind| kind == "maintenance")
        || matches!(phase, Phase::Scheduled | Phase::InProgress | Phase::Completed);
    let event = PageEvent {
        phase,
        impact: impact(row),
        started_at: began.into_iter().chain(published).min(),
        updated_at: updates.first().and_then(|update| update.at).or(published),
        ends_at: planned_end(row).filter(|_| is_maintenance),
        components: affected(row, "current_status").into_keys().collect(),
        updates,
        ..blank(id.clone(), title.unwrap_or(id))
    };
    Some(Told { event, word, is_maintenance })
}

fn planned_end(row: &Value) -> Option<crate::model::Timestamp> {
    json::first_time(row, &["scheduled_end_at", "ends_at"]).or_else(|| {
        json::list(row, "status_summaries")
            .iter()
            .filter_map(|part| json::time(part, "end_at"))
            .max()
    })
}

/// The impact as of now: `current_status`, not the worst it ever was, and never the page's icon.
fn impact(row: &Value) -> Impact {
    if let Some(word) = json::text(row, "current_worst_impact") {
        return words::impact_of(&word);
    }
    let now = affected(row, "current_status");
    if let Some(state) = worst(now.values().map(|word| words::state_of(word))) {
        return impact_of_state(state);
    }
    json::list(row, "status_summaries")
        .last()
        .and_then(|part| json::text(part, "worst_component_status"))
        .map_or(Impact::Unknown, |word| words::impact_of(&word))
}

fn update(row: &Value) -> PageUpdate {
    let plain = row.get("message_string").and_then(Value::as_str).map(words::lines);
    PageUpdate {
        at: json::time(row, "published_at"),
        phase: json::text(row, "to_status").map_or(Phase::Unknown, |word| words::phase_of(&word)),
        text: plain
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| rich_text(row.get("message"))),
    }
}

/// The one update that the widget gives.
fn widget_update(row: &Value, phase: Phase) -> Option<PageUpdate> {
    let text = row.get("last_update_message").and_then(Value::as_str)?;
    Some(PageUpdate { at: json::time(row, "last_update_at"), phase, text: words::lines(text) })
}

/// The text of a rich-text tree, where the plain copy of it is missing.
fn rich_text(node: Option<&Value>) -> String {
    fn collect(node: &Value, text: &mut String) {
        if let Some(part) = node.get("text").and_then(Value::as_str) {
            text.push_str(part);
        }
        if node.get("type").and_then(Value::as_str) == Some("lineBreak") {
            text.push('\n');
        }
        for child in json::list(node, "content") {
            collect(child, text);
        }
        if node.get("type").and_then(Value::as_str) == Some("paragraph") {
            text.push('\n');
        }
    }
    let mut text = String::new();
    if let Some(node) = node {
        collect(node, &mut text);
    }
    words::lines(&text)
}

fn read_widget(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let widget = json::object(documents.main())?;
    if !widget.get("ongoing_incidents").is_some_and(Value::is_array)
        || widget.get("page_url").is_none()
    {
        return Err("is no incident.io widget".into());
    }
    let mut warnings = Warnings::of("the widget lists no components: no state is known");
    let mut events = Vec::new();
    for key in ["ongoing_incidents", "in_progress_maintenances", "scheduled_maintenances"] {
        events.extend(json::rows(&widget, key, &mut warnings, native_event));
    }
    Ok(page(&widget, documents, (Vec::new(), events), warnings))
}
