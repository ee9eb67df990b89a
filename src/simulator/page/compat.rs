//! incident.io's Statuspage-compatible JSON (`/api/v2/*.json`), with its peculiarities: empty lists
//! of incidents are left out, rows have no group, incidents do not name their rows.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{ComponentState, PageIncident, PageMaintenance, StatusPage};

impl StatusPage {
    pub(super) fn summary(&self, url: &str, now: Timestamp) -> Value {
        let mut body = self.head(url, now);
        body.insert("status".to_owned(), self.indicator(now));
        body.insert("components".to_owned(), self.rows(now).into());
        let open = self.incidents.iter().filter(|incident| incident.is_open(now));
        let incidents: Vec<Value> = open.map(|incident| self.incident(incident, now)).collect();
        if !incidents.is_empty() {
            body.insert("incidents".to_owned(), incidents.into());
        }
        let coming = self.maintenances.iter().filter(|maintenance| now < maintenance.ends_at);
        let coming: Vec<Value> = coming.map(|known| self.maintenance(known, now)).collect();
        body.insert("scheduled_maintenances".to_owned(), coming.into());
        body.into()
    }

    pub(super) fn component_list(&self, url: &str, now: Timestamp) -> Value {
        let mut body = self.head(url, now);
        body.insert("components".to_owned(), self.rows(now).into());
        body.into()
    }

    pub(super) fn incident_list(&self, url: &str, now: Timestamp) -> Value {
        let mut body = self.head(url, now);
        let written = self.incidents.iter().rev().filter(|known| known.status(now).is_some());
        let incidents: Vec<Value> = written.map(|incident| self.incident(incident, now)).collect();
        if !incidents.is_empty() {
            body.insert("incidents".to_owned(), incidents.into());
        }
        body.into()
    }

    pub(super) fn status_line(&self, url: &str, now: Timestamp) -> Value {
        let mut body = self.head(url, now);
        body.insert("status".to_owned(), self.indicator(now));
        body.into()
    }

    fn head(&self, url: &str, now: Timestamp) -> Map<String, Value> {
        let page = json!({"id": self.id, "name": self.name, "url": url,
                          "updated_at": self.updated_at(now).to_string()});
        Map::from_iter([("page".to_owned(), page)])
    }

    /// When something was last written; the page's birthday when nothing ever was.
    fn updated_at(&self, now: Timestamp) -> Timestamp {
        let notices = self.incidents.iter().flat_map(|incident| incident.written(now));
        let newest = notices.map(|notice| notice.at).max();
        newest.unwrap_or_else(|| Timestamp::from_second(1_756_000_000).unwrap_or(now))
    }

    fn indicator(&self, now: Timestamp) -> Value {
        let (indicator, description) = match self.worst(now) {
            ComponentState::Operational => ("none", "All Systems Operational"),
            ComponentState::UnderMaintenance => ("maintenance", "Service Under Maintenance"),
            ComponentState::DegradedPerformance => ("minor", "Partially Degraded Service"),
            ComponentState::PartialOutage => ("major", "Partial System Outage"),
            ComponentState::FullOutage => ("critical", "Major Service Outage"),
        };
        json!({"indicator": indicator, "description": description})
    }

    fn rows(&self, now: Timestamp) -> Vec<Value> {
        let row = |component: &super::PageComponent| {
            json!({"id": component.id, "name": component.name,
                   "status": word(self.state(component, now))})
        };
        self.components.iter().map(row).collect()
    }

    fn incident(&self, incident: &PageIncident, now: Timestamp) -> Value {
        let written = incident.written(now);
        let status = incident.status(now).map_or("investigating", super::IncidentStatus::word);
        let first = written.first().map(|notice| notice.at.to_string());
        let last = written.last().map(|notice| notice.at.to_string());
        let resolved_at = last.clone().filter(|_| !incident.is_open(now));
        let updates: Vec<Value> = written
            .iter()
            .enumerate()
            .rev()
            .map(|(i, notice)| {
                let at = notice.at.to_string();
                json!({"id": format!("{}{i:02}", incident.id), "incident_id": incident.id,
                       "status": notice.status.word(), "body": notice.text, "created_at": at,
                       "updated_at": at, "display_at": at})
            })
            .collect();
        json!({"id": incident.id, "name": incident.name, "status": status,
               "impact": incident.impact, "page_id": self.id, "shortlink": null,
               "created_at": first, "started_at": first, "updated_at": last,
               "resolved_at": resolved_at, "components": [], "incident_updates": updates})
    }

    fn maintenance(&self, maintenance: &PageMaintenance, now: Timestamp) -> Value {
        let status = if maintenance.is_in_progress(now) { "in_progress" } else { "scheduled" };
        let named = self.components.iter().filter(|row| maintenance.components.contains(&row.id));
        let named: Vec<Value> = named.map(|row| json!({"id": row.id, "name": row.name})).collect();
        json!({"id": maintenance.id, "name": maintenance.name, "status": status,
               "impact": "maintenance", "page_id": self.id, "shortlink": null,
               "scheduled_for": maintenance.starts_at.to_string(),
               "scheduled_until": maintenance.ends_at.to_string(),
               "components": named, "incident_updates": []})
    }
}

fn word(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Operational => "operational",
        ComponentState::UnderMaintenance => "under_maintenance",
        ComponentState::DegradedPerformance => "degraded_performance",
        ComponentState::PartialOutage => "partial_outage",
        ComponentState::FullOutage => "major_outage",
    }
}
