//! Instatus: `/summary.json` with `/v2/components.json`, and the data in the page's HTML.
//!
//! Invariant: the page's own word alone never hides an open incident or a bad row.

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event as blank};
use super::json::Told;
use super::{flight, json, words};
use crate::model::{
    Component, ComponentState, Impact, PageEvent, PageUpdate, Phase, Product, Timestamp,
};

/// The two JSON documents.
pub(super) const SUMMARY: Form =
    Form::json("Instatus JSON", &["summary.json", "v2/components.json"], read_summary);

/// The same data in the page's HTML.
pub(super) const HTML: Form = Form::html("Instatus HTML", read_html);

fn read_summary(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let summary = json::object(documents.main())?;
    let page = summary.get("page").ok_or("has no `page`")?;
    let word = json::text(page, "status")
        .or_else(|| json::first_text(summary.get("status")?, &["type", "text"]))
        .filter(|word| word.chars().all(|c| c.is_ascii_uppercase()))
        .ok_or("has no Instatus `page.status`")?;
    let mut warnings = Warnings::default();
    let list = documents.object(1);
    let components = components(list.as_ref().unwrap_or(&summary), &mut warnings);
    let source = Source { about: page, events: &summary, own_word: own_state(&word) };
    if source.own_word == ComponentState::Unknown {
        warnings.say(format!("the state `{word}` is not known"));
    }
    Ok(read(&source, components, warnings, documents))
}

fn read_html(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let html = documents.text();
    let data =
        from_flight(&html).or_else(|| flight::next_data(&html)).ok_or("holds no Instatus data")?;
    let site = data.get("site").ok_or("holds no Instatus `site`")?;
    if !site.get("components").is_some_and(Value::is_array) {
        return Err("holds no Instatus `site.components`".into());
    }
    let mut warnings = Warnings::default();
    let components = components(site, &mut warnings);
    let word = json::text(site, "status").unwrap_or_default();
    let source = Source { about: site, events: &data, own_word: own_state(&word) };
    Ok(read(&source, components, warnings, documents))
}

/// The page's data in its flight chunks, brought into the shape of the older `pageProps`.
fn from_flight(html: &str) -> Option<Value> {
    let flight = flight::decode(html);
    let site = flight::objects(&flight, "site")
        .find(|site| site.get("components").is_some_and(Value::is_array))?;
    let list = |key| flight::list(&flight, key).unwrap_or_default();
    Some(serde_json::json!({
        "site": site,
        "activeIncidents": list("activeIncidents"),
        "activeMaintenances": list("activeMaintenances"),
    }))
}

/// What a page says of itself.
struct Source<'a> {
    about: &'a Value,
    events: &'a Value,
    own_word: ComponentState,
}

fn own_state(word: &str) -> ComponentState {
    match words::plain_word(word).as_str() {
        "up" => ComponentState::Operational,
        "hasissues" => ComponentState::DegradedPerformance,
        _ => words::state_of(word),
    }
}

fn read(
    source: &Source<'_>,
    components: Vec<Component>,
    mut warnings: Warnings,
    documents: &Documents<'_>,
) -> Reading {
    let mut events = Vec::new();
    for (key, is_maintenance) in [("activeIncidents", false), ("activeMaintenances", true)] {
        events.extend(json::rows(source.events, key, &mut warnings, |row| {
            Some(Told { is_maintenance, ..event(row)? })
        }));
    }
    let (incidents, maintenances) = json::apart(events, &mut warnings);
    let found = Found {
        id: json::text(source.about, "id"),
        name: label(source.about, "name"),
        url: json::text(source.about, "url").or_else(|| {
            json::text(source.about, "customDomain").map(|host| format!("https://{host}"))
        }),
        own_word: Some(source.own_word),
        components,
        incidents,
        maintenances,
        warnings,
    };
    found.on(documents, Product::INSTATUS)
}

/// A name: plain, or a map from language to text.
fn label(value: &Value, key: &str) -> Option<String> {
    json::text(value, key).or_else(|| {
        let names = value.get(key)?;
        json::first_text(names, &["default", "en"])
            .or_else(|| names.as_object()?.keys().find_map(|language| json::text(names, language)))
    })
}

/// Rows, groups left out: a parent's rows stand under it, or beside it with its name.
fn components(value: &Value, warnings: &mut Warnings) -> Vec<Component> {
    let rows = json::rows(value, "components", warnings, |row| {
        if row.get("archivedAt").is_some_and(Value::is_string) {
            return Some(Vec::new());
        }
        let name = label(row, "name");
        let children = json::list(row, "children").iter().filter_map(|child| {
            let own = json::component(child, label(child, "name"), words::state_of)?;
            Some(Component { group: name.clone(), ..own })
        });
        let children: Vec<Component> = children.collect();
        if json::is_true(row, "isParent") || !children.is_empty() {
            return Some(children);
        }
        let group = json::text(row, "group").or_else(|| label(row.get("group")?, "name"));
        Some(vec![Component { group, ..json::component(row, name, words::state_of)? }])
    });
    json::unique(rows.into_iter().flatten())
}

fn event(row: &Value) -> Option<Told> {
    let title = label(row, "name");
    let id = json::first_text(row, &["id", "url"]).or_else(|| title.clone())?;
    let word = json::text(row, "status").unwrap_or_default();
    let updates = json::list(row, "updates").iter().map(update).collect();
    let updates = json::newest_first(updates);
    let started_at = json::first_time(row, &["started", "start"]);
    let event = PageEvent {
        phase: words::phase_of(&word),
        impact: json::text(row, "impact").map_or(Impact::Unknown, |word| words::impact_of(&word)),
        started_at,
        updated_at: updates.first().and_then(|update| update.at).or(started_at),
        ends_at: planned_end(row, started_at),
        components: json::list(row, "components")
            .iter()
            .filter_map(|row| json::text(row, "id").or_else(|| label(row, "name")))
            .collect(),
        updates,
        ..blank(id.clone(), title.unwrap_or(id))
    };
    Some(Told { event, word, is_maintenance: false })
}

/// A maintenance says how many minutes it takes.
fn planned_end(row: &Value, started_at: Option<Timestamp>) -> Option<Timestamp> {
    let minutes: i64 = json::text(row, "duration")?.parse().ok()?;
    started_at?.checked_add(jiff::SignedDuration::try_from_mins(minutes)?).ok()
}

fn update(row: &Value) -> PageUpdate {
    PageUpdate {
        at: json::first_time(row, &["started", "createdAt"]),
        phase: json::text(row, "status").map_or(Phase::Unknown, |word| words::phase_of(&word)),
        text: label(row, "message").map(|text| words::plain_text(&text)).unwrap_or_default(),
    }
}
