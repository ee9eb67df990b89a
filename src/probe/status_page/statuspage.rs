//! Atlassian Statuspage and look-alikes: JSON (`/api/v2`), and the compatible JSON of incident.io.
//!
//! Owns the v2 shapes; the HTML page is read by `statuspage_html`, feeds by `feed`. Invariant:
//! incidents are read whatever the indicator says, and group rows are never components.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event as blank};
use super::json::{self, MOST_ROWS, Told};
use super::words;
use crate::model::{Component, Impact, PageEvent, PageUpdate, Phase, Product};

/// `/api/v2/summary.json` of a page whose id is not incident.io's.
pub(super) const SUMMARY: Form =
    Form::json("Statuspage JSON", &["api/v2/summary.json"], read_summary);

/// A host that serves no summary, but the list of incidents.
pub(super) const PARTS: Form = Form::json(
    "Statuspage JSON in parts",
    &["api/v2/incidents.json", "api/v2/components.json", "api/v2/status.json"],
    read_parts,
);

fn read_summary(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let summary = json::object(documents.main())?;
    if product_of(&summary) == Product::INCIDENT_IO {
        return Err("is incident.io's".into());
    }
    is_compat(&summary)?;
    Ok(read(&[summary], documents, Product::STATUSPAGE))
}

fn read_parts(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let incidents = json::object(documents.main())?;
    let is_ours = |incident: &Value| incident.get("impact").is_some();
    let says_so = incidents.get("page").is_some_and(Value::is_object);
    let has_list = incidents.get("incidents").is_some_and(Value::is_array);
    if !(has_list && (says_so || json::list(&incidents, "incidents").iter().any(is_ours))) {
        return Err("has no `incidents` of Statuspage".into());
    }
    let product = product_of(&incidents);
    let parts = [documents.object(1), documents.object(2), Some(incidents)];
    let parts: Vec<Value> = parts.into_iter().flatten().collect();
    Ok(read(&parts, documents, product))
}

/// Whether this is a summary: it must say something of the whole or of a row.
pub(super) fn is_compat(summary: &Value) -> Result<(), Refusal> {
    let has_indicator =
        summary.get("status").is_some_and(|status| status.get("indicator").is_some());
    let has_rows = summary.get("components").is_some_and(Value::is_array);
    if has_indicator || has_rows {
        Ok(())
    } else {
        Err("has neither `status.indicator` nor `components`".into())
    }
}

/// The product by the shape of its ids: ULIDs are incident.io's.
pub(super) fn product_of(document: &Value) -> Product {
    let page_id = document.get("page").and_then(|page| json::text(page, "id"));
    let row_ids = ["components", "incidents"]
        .iter()
        .filter_map(|key| json::list(document, key).first().and_then(|row| json::text(row, "id")));
    match page_id.into_iter().chain(row_ids).next() {
        Some(id) if is_ulid(&id) => Product::INCIDENT_IO,
        _ => Product::STATUSPAGE,
    }
}

fn is_ulid(id: &str) -> bool {
    id.len() == 26
        && id.starts_with(|c| matches!(c, '0'..='7'))
        && id.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Reads v2 documents that complete each other; where two speak of the same thing, the first wins,
/// except that of a row the worse state wins, and of an incident the later update.
pub(super) fn read(parts: &[Value], documents: &Documents<'_>, product: Product) -> Reading {
    let mut warnings = Warnings::default();
    let components = components(parts, &mut warnings);
    let events = events(parts, &mut warnings);
    let (incidents, maintenances) = json::apart(events, &mut warnings);
    let own_word = parts
        .iter()
        .find_map(|part| json::text(part.get("status")?, "indicator"))
        .map(|word| words::state_of_indicator(&word));
    let page = parts.iter().find_map(|part| part.get("page"));
    let page_text = |key| page.and_then(|page| json::text(page, key));
    let found = Found {
        id: page_text("id"),
        name: page_text("name"),
        url: page_text("url"),
        own_word,
        components,
        incidents,
        maintenances,
        warnings,
    };
    found.on(documents, product)
}

fn components(parts: &[Value], warnings: &mut Warnings) -> Vec<Component> {
    let mut components: Vec<Component> = Vec::new();
    for part in parts {
        let groups = group_names(part);
        let rows = json::rows(part, "components", warnings, |row| {
            let component = json::component(row, json::text(row, "name"), words::state_of)?;
            let group =
                groups.get(&component.id).or_else(|| groups.get(&json::text(row, "group_id")?));
            Some((Component { group: group.cloned(), ..component }, is_group(row)))
        });
        components.extend(rows.into_iter().filter(|(_, is_group)| !is_group).map(|(row, _)| row));
    }
    json::unique(components)
}

fn is_group(row: &Value) -> bool {
    json::is_true(row, "group")
}

/// Group names by the id of the group and of each of its children.
fn group_names(part: &Value) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for group in json::list(part, "components").iter().filter(|row| is_group(row)) {
        let Some(name) = json::text(group, "name") else {
            continue;
        };
        let children =
            json::list(group, "components").iter().filter_map(Value::as_str).map(str::to_owned);
        for id in children.chain(json::text(group, "id")) {
            names.insert(id, name.clone());
        }
    }
    names
}

/// Incidents and maintenances.
fn events(parts: &[Value], warnings: &mut Warnings) -> Vec<Told> {
    let mut events: Vec<Told> = Vec::new();
    for part in parts {
        for key in ["incidents", "scheduled_maintenances"] {
            for mut told in json::rows(part, key, warnings, event) {
                told.is_maintenance |= key != "incidents";
                match events.iter_mut().find(|known| known.event.id == told.event.id) {
                    Some(known) if told.event.updated_at > known.event.updated_at => *known = told,
                    Some(known) if known.event.updates.is_empty() => {
                        known.event.updates = told.event.updates;
                    }
                    Some(_) => {}
                    None => events.push(told),
                }
            }
        }
    }
    events
}

fn event(row: &Value) -> Option<Told> {
    let title = json::text(row, "name");
    let id = json::first_text(row, &["id", "shortlink"]).or_else(|| title.clone())?;
    let word = json::text(row, "status").unwrap_or_default();
    let updates: Vec<PageUpdate> = json::list(row, "incident_updates").iter().map(update).collect();
    let impact = json::text(row, "impact").map_or(Impact::Unknown, |word| words::impact_of(&word));
    let event = PageEvent {
        phase: words::phase_of(&word),
        impact,
        started_at: json::first_time(row, &["scheduled_for", "started_at", "created_at"]),
        updated_at: json::time(row, "updated_at"),
        ends_at: json::time(row, "scheduled_until"),
        components: touched(row),
        updates: json::newest_first(updates),
        ..blank(id.clone(), title.unwrap_or(id))
    };
    Some(Told { event, word, is_maintenance: impact == Impact::Maintenance })
}

fn update(row: &Value) -> PageUpdate {
    PageUpdate {
        at: json::first_time(row, &["display_at", "created_at", "updated_at"]),
        phase: json::text(row, "status").map_or(Phase::Unknown, |word| words::phase_of(&word)),
        text: json::prose(row, "body"),
    }
}

/// Ids of the rows an incident names: its own list, and those of its updates, by `code` alone
/// (their names carry the group).
fn touched(row: &Value) -> Vec<String> {
    let own = json::list(row, "components")
        .iter()
        .filter_map(|row| json::first_text(row, &["id", "name"]));
    let by_updates = json::list(row, "incident_updates")
        .iter()
        .flat_map(|update| json::list(update, "affected_components"))
        .filter_map(|row| json::text(row, "code"));
    let mut ids: Vec<String> = Vec::new();
    for id in own.chain(by_updates).take(MOST_ROWS) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}
