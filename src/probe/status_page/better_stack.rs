//! Better Stack: `/index.json` (JSON:API), and the page's HTML.
//!
//! Invariant: `not_monitored` is no information, so it is `unknown`.

use std::collections::BTreeSet;

use scraper::ElementRef;
use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, row};
use super::{json, markup, words};
use crate::engine::page::impact_of_state;
use crate::model::{Component, ComponentState, PageEvent, PageUpdate, Phase, Product, Timestamp};

/// The JSON.
pub(super) const INDEX: Form = Form::json("Better Stack JSON", &["index.json"], read_index);

/// The HTML: states by section, no incidents.
pub(super) const HTML: Form = Form::html("Better Stack HTML", read_html);

fn state_of(word: &str) -> ComponentState {
    match words::plain_word(word).as_str() {
        "operational" | "resolved" | "recovered" => ComponentState::Operational,
        "maintenance" | "undermaintenance" => ComponentState::UnderMaintenance,
        "degraded" => ComponentState::DegradedPerformance,
        "downtime" | "down" => ComponentState::MajorOutage,
        _ => ComponentState::Unknown,
    }
}

fn read_index(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let index = json::object(documents.main())?;
    let data = index.get("data").filter(|data| kind(data) == Some("status_page"));
    let data = data.ok_or("is not JSON of a Better Stack page")?;
    let about = data.get("attributes").unwrap_or(&Value::Null);
    let mut warnings = Warnings::default();
    json::rows(&index, "included", &mut warnings, |entry| kind(entry).map(|_| ()));
    let components = components(&index, &mut warnings);
    let (incidents, maintenances) = reports(&index, documents.now, &mut warnings);
    let found = Found {
        id: json::text(data, "id"),
        name: json::text(about, "company_name"),
        url: json::text(about, "custom_domain").map(|host| format!("https://{host}")),
        own_word: json::text(about, "aggregate_state").map(|word| state_of(&word)),
        components,
        incidents,
        maintenances,
        warnings,
    };
    Ok(found.on(documents, Product::BETTER_STACK))
}

fn kind(entry: &Value) -> Option<&str> {
    entry.get("type").and_then(Value::as_str)
}

/// The attributes of every included entry of one kind, with its id.
fn included<'a>(index: &'a Value, wanted: &'a str) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    json::list(index, "included")
        .iter()
        .filter(move |entry| kind(entry) == Some(wanted))
        .filter_map(|entry| Some((entry, entry.get("attributes")?)))
}

fn components(index: &Value, warnings: &mut Warnings) -> Vec<Component> {
    let sections = json::included(index, "status_page_section");
    let mut components = Vec::new();
    for (entry, about) in included(index, "status_page_resource") {
        let (Some(id), Some(name)) = (json::text(entry, "id"), json::text(about, "public_name"))
        else {
            warnings.lose("a resource without id or name could not be read");
            continue;
        };
        let raw = json::text(about, "status").unwrap_or_default();
        let section = json::text(about, "status_page_section_id").and_then(|id| sections.get(&id));
        let group = section.and_then(|about| json::text(about, "name"));
        components.push(Component { id, name, group, state: state_of(&raw), raw });
    }
    components
}

/// Incidents and maintenances.
fn reports(
    index: &Value,
    now: Timestamp,
    warnings: &mut Warnings,
) -> (Vec<PageEvent>, Vec<PageEvent>) {
    let (mut incidents, mut maintenances) = (Vec::new(), Vec::new());
    for (entry, about) in included(index, "status_report") {
        let Some(event) = report(index, entry, about, now) else {
            warnings.lose("a report without id and title could not be read");
            continue;
        };
        if is_maintenance(about) {
            maintenances.push(event);
        } else {
            incidents.push(event);
        }
    }
    (incidents, maintenances)
}

fn is_maintenance(about: &Value) -> bool {
    json::text(about, "report_type").as_deref() == Some("maintenance")
}

fn report(index: &Value, entry: &Value, about: &Value, now: Timestamp) -> Option<PageEvent> {
    let title = json::text(about, "title");
    let id = json::text(entry, "id").or_else(|| title.clone())?;
    let (starts_at, ends_at) = (json::time(about, "starts_at"), json::time(about, "ends_at"));
    let word = json::text(about, "aggregate_state").unwrap_or_default();
    let is_over =
        ends_at.is_some_and(|end| end <= now) || state_of(&word) == ComponentState::Operational;
    let phase = match (is_over, is_maintenance(about)) {
        (true, true) => Phase::Completed,
        (true, false) => Phase::Resolved,
        (false, true) if starts_at.is_some_and(|start| start > now) => Phase::Scheduled,
        (false, true) => Phase::InProgress,
        (false, false) => Phase::Investigating,
    };
    let updates = updates(index, entry, &id, phase);
    Some(PageEvent {
        title: title.unwrap_or_else(|| id.clone()),
        phase,
        impact: impact_of_state(state_of(&word)),
        started_at: starts_at,
        updated_at: updates.first().and_then(|update| update.at).or(starts_at),
        ends_at: ends_at.filter(|_| is_maintenance(about)),
        components: json::list(about, "affected_resources")
            .iter()
            .filter_map(|row| json::text(row, "status_page_resource_id"))
            .collect(),
        updates,
        id,
    })
}

/// The updates of one report, by either end of the relationship. They carry no phase of their own.
fn updates(index: &Value, report: &Value, report_id: &str, phase: Phase) -> Vec<PageUpdate> {
    let related = report.pointer("/relationships/status_updates").unwrap_or(&Value::Null);
    let related: BTreeSet<String> =
        json::list(related, "data").iter().filter_map(|link| json::text(link, "id")).collect();
    let updates = included(index, "status_update")
        .filter(|(entry, about)| {
            json::text(about, "status_report_id").as_deref() == Some(report_id)
                || json::text(entry, "id").is_some_and(|id| related.contains(&id))
        })
        .map(|(_, about)| PageUpdate {
            at: json::time(about, "published_at"),
            phase,
            text: json::prose(about, "message"),
        });
    json::newest_first(updates.collect())
}

fn read_html(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let text = documents.text();
    if !(text.contains("betterstack.com") || text.contains("betteruptime.com")) {
        return Err("is no Better Stack page".into());
    }
    let html = markup::document(&text)?;
    let mut components = Vec::new();
    for section in markup::all(&html, ".section") {
        components.extend(section_rows(section));
    }
    if components.is_empty() {
        return Err("shows no section of a Better Stack page".into());
    }
    let found = Found {
        name: markup::first_text(&html, "title")
            .map(|title| title.strip_suffix(" status").unwrap_or(&title).to_owned()),
        url: markup::own_address(&html),
        components,
        warnings: Warnings::of("the HTML was read: open incidents are not listed in it"),
        ..Found::default()
    };
    Ok(found.on(documents, Product::BETTER_STACK))
}

/// The rows of a section. Their own states are loaded later by a script: all are operational when
/// the section is; else a row is `unknown`, unless it is the only one.
fn section_rows(section: ElementRef<'_>) -> Vec<Component> {
    let badge = markup::first(section, ".section-status-badge");
    let raw = badge.map(markup::text_of).unwrap_or_default();
    let color = badge.and_then(color_of).unwrap_or(ComponentState::Unknown);
    let title = markup::first(section, ".section-toggle .truncate")
        .map(markup::text_of)
        .filter(|title| !title.is_empty());
    let names = markup::within(section, ".section-content .truncate");
    let is_shared = color != ComponentState::Operational && names.len() > 1;
    let rows = names.iter().map(|name| {
        let name = markup::text_of(*name);
        let state = if is_shared { ComponentState::Unknown } else { color };
        Component { group: title.clone(), ..row(name, None, raw.clone(), state) }
    });
    let mut rows: Vec<Component> = rows.collect();
    match title {
        // A section of several rows that is not fine: the section itself says how bad it is.
        Some(name) if rows.is_empty() || is_shared => {
            rows.push(row(name, None, raw, color));
        }
        _ => {}
    }
    rows
}

/// The state that the badge's icon shows: by its class, or, on older pages, by its colour. Of
/// several the worst counts.
fn color_of(badge: ElementRef<'_>) -> Option<ComponentState> {
    let icon = markup::first(badge, "svg")?;
    let markup = icon.html();
    let shown = |marks: [&str; 2]| marks.iter().any(|mark| markup.contains(mark));
    [
        (["text-statuspage-red", "#b91c1c"], ComponentState::MajorOutage),
        (["text-statuspage-yellow", "#d97706"], ComponentState::DegradedPerformance),
        (["text-statuspage-blue", "#0369a1"], ComponentState::UnderMaintenance),
        (["text-statuspage-green", "#059669"], ComponentState::Operational),
    ]
    .into_iter()
    .find(|(marks, _)| shown(*marks))
    .map(|(_, state)| state)
}
