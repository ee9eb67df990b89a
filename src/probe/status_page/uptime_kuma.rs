//! Uptime Kuma: the page's configuration, and the heartbeats of its monitors.
//!
//! Invariant: a monitor without a heartbeat is `unknown`; the list of monitors alone says nothing.

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event, row};
use super::json;
use crate::model::{
    Component, ComponentState, Impact, PageEvent, PageUpdate, Phase, Product, Timestamp,
};

/// The two documents of a page at `/status/SLUG`, or at the root of a host of its own.
pub(super) const PAGE: Form = Form::json(
    "Uptime Kuma JSON",
    &["../../api/status-page/{slug}", "../../api/status-page/heartbeat/{slug}"],
    read,
);

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let page = json::object(documents.main())?;
    let config = page.get("config").filter(|config| config.is_object());
    let config = config.ok_or("is no page of Uptime Kuma")?;
    if !page.get("publicGroupList").is_some_and(Value::is_array) {
        return Err("lists no monitor of Uptime Kuma".into());
    }
    let mut warnings = Warnings::default();
    let heartbeats = documents.object(1);
    if heartbeats.is_none() {
        warnings.lose("no heartbeats could be read: no state is known");
    }
    let heartbeats = heartbeats.as_ref().and_then(|beats| beats.get("heartbeatList"));
    let groups = json::rows(&page, "publicGroupList", &mut warnings, |group| {
        let monitors = json::first(group.get("monitorList")?.as_array()?);
        let read = |monitor| component(monitor, group, heartbeats);
        Some(monitors.iter().filter_map(read).collect::<Vec<Component>>())
    });
    let mut incidents = json::rows(&page, "incidents", &mut warnings, incident);
    // Before 2.1 a page had one at most.
    incidents.extend(page.get("incident").and_then(incident));
    let found = Found {
        id: json::text(config, "slug"),
        name: json::text(config, "title"),
        components: groups.into_iter().flatten().collect(),
        incidents,
        maintenances: json::rows(&page, "maintenanceList", &mut warnings, maintenance),
        warnings,
        ..Found::default()
    };
    Ok(found.on(documents, Product::named("uptime_kuma")))
}

/// A monitor with the state of its newest heartbeat, which is the last.
fn component(monitor: &Value, group: &Value, heartbeats: Option<&Value>) -> Option<Component> {
    let id = json::text(monitor, "id")?;
    let newest = heartbeats.and_then(|list| list.get(&id)?.as_array()?.last());
    let raw = newest.and_then(|beat| json::text(beat, "status")).unwrap_or_default();
    let state = match raw.as_str() {
        "0" => ComponentState::MajorOutage,
        "1" => ComponentState::Operational,
        // Pending: it failed, and is tried again before it counts as down.
        "2" => ComponentState::DegradedPerformance,
        "3" => ComponentState::UnderMaintenance,
        _ => ComponentState::Unknown,
    };
    let own = row(id, json::text(monitor, "name"), raw, state);
    Some(Component { group: json::text(group, "name"), ..own })
}

/// An announcement that somebody wrote; its colour is all that it says of its weight.
fn incident(row: &Value) -> Option<PageEvent> {
    let title = json::text(row, "title")?;
    let impact = match json::text(row, "style").as_deref() {
        Some("danger") => Impact::Major,
        Some("warning") => Impact::Minor,
        Some("info" | "primary" | "light" | "dark") => Impact::None,
        _ => Impact::Unknown,
    };
    let is_over = row.get("active").and_then(Value::as_bool) == Some(false);
    let phase = if is_over { Phase::Resolved } else { Phase::Investigating };
    Some(PageEvent {
        phase,
        impact,
        updates: vec![update(row, "content", phase)],
        ..event(json::text(row, "id").unwrap_or_else(|| title.clone()), title)
    })
}

fn update(row: &Value, key: &str, phase: Phase) -> PageUpdate {
    PageUpdate { at: None, phase, text: json::prose(row, key) }
}

fn maintenance(row: &Value) -> Option<PageEvent> {
    let title = json::text(row, "title")?;
    let phase = match json::text(row, "status").as_deref() {
        Some("under-maintenance") => Phase::InProgress,
        Some("scheduled") => Phase::Scheduled,
        Some("ended" | "inactive") => Phase::Completed,
        _ => Phase::Unknown,
    };
    let slot = json::list(row, "timeslotList").first();
    // The page's clock and its offset are two fields.
    let time = |key| -> Option<Timestamp> {
        let local = json::text(slot?, key)?;
        format!("{local}{}", json::text(row, "timezoneOffset")?).parse().ok()
    };
    Some(PageEvent {
        phase,
        impact: Impact::Maintenance,
        started_at: time("startDate"),
        ends_at: time("endDate"),
        updates: vec![update(row, "description", phase)],
        ..event(json::text(row, "id").unwrap_or_else(|| title.clone()), title)
    })
}
