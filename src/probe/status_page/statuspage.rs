//! Atlassian Statuspage and look-alikes: JSON (`/api/v2`), and the compatible JSON of incident.io.
//!
//! Owns the v2 shapes; the HTML page is read by `statuspage_html`, feeds by `feed`. Invariant:
//! incidents are read whatever the indicator says, and group rows are never components.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{ANYWHERE, Documents, Form, Found, Media, Reading, Refusal};
use super::{json, words};
use crate::model::{Component, Impact, PageEvent, PageUpdate, Phase, Product};

/// `/api/v2/summary.json` of a page whose id is not incident.io's.
pub(super) const SUMMARY: Form = Form {
    name: "Statuspage JSON",
    paths: &["api/v2/summary.json"],
    hosts: ANYWHERE,
    media: Media::Json,
    read: read_summary,
};

/// A host that serves no summary, but the list of incidents.
pub(super) const PARTS: Form = Form {
    name: "Statuspage JSON in parts",
    paths: &["api/v2/incidents.json", "api/v2/components.json", "api/v2/status.json"],
    hosts: ANYWHERE,
    media: Media::Json,
    read: read_parts,
};

fn read_summary(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let summary = json::object(documents.main())?;
    if product_of(&summary) == Product::INCIDENT_IO {
        return Err("is incident.io's".into());
    }
    is_compat(&summary)?;
    Ok(read(&[&summary], documents, Product::STATUSPAGE))
}

fn read_parts(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let incidents = json::object(documents.main())?;
    let is_ours = |incident: &Value| incident.get("impact").is_some();
    let says_so = incidents.get("page").is_some_and(Value::is_object);
    let has_list = incidents.get("incidents").is_some_and(Value::is_array);
    if !(has_list && (says_so || json::list(&incidents, "incidents").iter().any(is_ours))) {
        return Err("has no `incidents` of Statuspage".into());
    }
    let others: Vec<Value> =
        [1, 2].iter().filter_map(|at| json::object(documents.body(*at)?).ok()).collect();
    let parts: Vec<&Value> = others.iter().chain([&incidents]).collect();
    Ok(read(&parts, documents, product_of(&incidents)))
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
/// except that of an incident the later update wins.
pub(super) fn read(parts: &[&Value], documents: &Documents<'_>, product: Product) -> Reading {
    let mut warnings = Vec::new();
    let components = components(parts, &mut warnings);
    let events = events(parts, &mut warnings);
    let words = events.iter().map(|(event, word, _)| (event, word));
    json::warn_of_unknown_phases(words, &mut warnings);
    let (maintenances, incidents): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|(.., is_maintenance)| *is_maintenance);
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
        incidents: incidents.into_iter().map(|(event, ..)| event).collect(),
        maintenances: maintenances.into_iter().map(|(event, ..)| event).collect(),
        warnings,
    };
    found.on(documents, product)
}

fn components(parts: &[&Value], warnings: &mut Vec<String>) -> Vec<Component> {
    let mut components: Vec<Component> = Vec::new();
    for part in parts {
        let groups = group_names(part);
        let rows = json::rows(part, "components", warnings, |row| {
            let component = json::component(row, json::text(row, "name"), words::state_of)?;
            let group =
                groups.get(&component.id).or_else(|| groups.get(&json::text(row, "group_id")?));
            Some((Component { group: group.cloned(), ..component }, is_group(row)))
        });
        for (component, is_group) in rows {
            if !is_group && !components.iter().any(|known| known.id == component.id) {
                components.push(component);
            }
        }
    }
    components
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

/// Incidents and maintenances, each with the page's word for its phase and whether it is a
/// maintenance.
fn events(parts: &[&Value], warnings: &mut Vec<String>) -> Vec<(PageEvent, String, bool)> {
    let mut events: Vec<(PageEvent, String, bool)> = Vec::new();
    for part in parts {
        for key in ["incidents", "scheduled_maintenances"] {
            for (event, word) in json::rows(part, key, warnings, event) {
                let is_maintenance = key != "incidents" || event.impact == Impact::Maintenance;
                let known = events.iter_mut().find(|(known, ..)| known.id == event.id);
                match known {
                    Some(known) if event.updated_at > known.0.updated_at => {
                        *known = (event, word, is_maintenance);
                    }
                    Some(known) if known.0.updates.is_empty() => known.0.updates = event.updates,
                    Some(_) => {}
                    None => events.push((event, word, is_maintenance)),
                }
            }
        }
    }
    events
}

fn event(row: &Value) -> Option<(PageEvent, String)> {
    let title = json::text(row, "name");
    let id = json::first_text(row, &["id", "shortlink"]).or_else(|| title.clone())?;
    let word = json::text(row, "status").unwrap_or_default();
    let updates: Vec<PageUpdate> = json::list(row, "incident_updates").iter().map(update).collect();
    let event = PageEvent {
        title: title.unwrap_or_else(|| id.clone()),
        phase: words::phase_of(&word),
        impact: json::text(row, "impact").map_or(Impact::Unknown, |word| words::impact_of(&word)),
        started_at: json::first_time(row, &["scheduled_for", "started_at", "created_at"]),
        updated_at: json::time(row, "updated_at"),
        ends_at: json::time(row, "scheduled_until"),
        components: touched(row),
        updates: json::newest_first(updates),
        id,
    };
    Some((event, word))
}

fn update(row: &Value) -> PageUpdate {
    PageUpdate {
        at: json::first_time(row, &["display_at", "created_at", "updated_at"]),
        phase: json::text(row, "status").map_or(Phase::Unknown, |word| words::phase_of(&word)),
        text: row.get("body").and_then(Value::as_str).map(words::plain_text).unwrap_or_default(),
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
    for id in own.chain(by_updates) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}
