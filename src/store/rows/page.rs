//! A status page as JSON.

use serde::{Deserialize, Serialize};

use crate::model::{
    Component, ComponentState, Impact, Page, PageEvent, PageUpdate, Phase, Product, Timestamp,
};

/// [`Page`].
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct PageRow {
    product: Product,
    #[serde(default)]
    id: Option<String>,
    name: String,
    url: String,
    state: ComponentState,
    #[serde(default)]
    components: Vec<ComponentRow>,
    #[serde(default)]
    incidents: Vec<EventRow>,
    #[serde(default)]
    maintenances: Vec<EventRow>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ComponentRow {
    id: String,
    name: String,
    #[serde(default)]
    group: Option<String>,
    state: ComponentState,
    raw: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct EventRow {
    id: String,
    title: String,
    phase: Phase,
    impact: Impact,
    #[serde(default)]
    started_at: Option<Timestamp>,
    #[serde(default)]
    updated_at: Option<Timestamp>,
    #[serde(default)]
    ends_at: Option<Timestamp>,
    #[serde(default)]
    components: Vec<String>,
    #[serde(default)]
    updates: Vec<UpdateRow>,
}

#[derive(Debug, Serialize, Deserialize)]
struct UpdateRow {
    #[serde(default)]
    at: Option<Timestamp>,
    phase: Phase,
    text: String,
}

impl From<&Page> for PageRow {
    fn from(page: &Page) -> Self {
        Self {
            product: page.product.clone(),
            id: page.id.clone(),
            name: page.name.clone(),
            url: page.url.clone(),
            state: page.state,
            components: page.components.iter().map(ComponentRow::from).collect(),
            incidents: page.incidents.iter().map(EventRow::from).collect(),
            maintenances: page.maintenances.iter().map(EventRow::from).collect(),
            warnings: page.warnings.clone(),
        }
    }
}

impl From<PageRow> for Page {
    fn from(row: PageRow) -> Self {
        Self {
            product: row.product,
            id: row.id,
            name: row.name,
            url: row.url,
            state: row.state,
            components: row.components.into_iter().map(Component::from).collect(),
            incidents: row.incidents.into_iter().map(PageEvent::from).collect(),
            maintenances: row.maintenances.into_iter().map(PageEvent::from).collect(),
            warnings: row.warnings,
        }
    }
}

impl From<&Component> for ComponentRow {
    fn from(component: &Component) -> Self {
        Self {
            id: component.id.clone(),
            name: component.name.clone(),
            group: component.group.clone(),
            state: component.state,
            raw: component.raw.clone(),
        }
    }
}

impl From<ComponentRow> for Component {
    fn from(row: ComponentRow) -> Self {
        Self { id: row.id, name: row.name, group: row.group, state: row.state, raw: row.raw }
    }
}

impl From<&PageEvent> for EventRow {
    fn from(event: &PageEvent) -> Self {
        Self {
            id: event.id.clone(),
            title: event.title.clone(),
            phase: event.phase,
            impact: event.impact,
            started_at: event.started_at,
            updated_at: event.updated_at,
            ends_at: event.ends_at,
            components: event.components.clone(),
            updates: event.updates.iter().map(UpdateRow::from).collect(),
        }
    }
}

impl From<EventRow> for PageEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            title: row.title,
            phase: row.phase,
            impact: row.impact,
            started_at: row.started_at,
            updated_at: row.updated_at,
            ends_at: row.ends_at,
            components: row.components,
            updates: row.updates.into_iter().map(PageUpdate::from).collect(),
        }
    }
}

impl From<&PageUpdate> for UpdateRow {
    fn from(update: &PageUpdate) -> Self {
        Self { at: update.at, phase: update.phase, text: update.text.clone() }
    }
}

impl From<UpdateRow> for PageUpdate {
    fn from(row: UpdateRow) -> Self {
        Self { at: row.at, phase: row.phase, text: row.text }
    }
}
