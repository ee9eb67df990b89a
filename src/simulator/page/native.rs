//! incident.io's own JSON (`/proxy/<host>`), and the HTML page that carries the same object as
//! flight data. Rows carry no state: one that is not among the affected is operational.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ComponentState, Format, PageIncident, PageMaintenance, StatusPage};

impl StatusPage {
    pub(super) fn native(&self, url: &str, now: Timestamp) -> Value {
        let rows = self.components.iter();
        let components: Vec<Value> = rows
            .clone()
            .map(|row| json!({"id": row.id, "name": row.name, "status_page_id": self.id}))
            .collect();
        let items: Vec<Value> = rows
            .clone()
            .map(|row| {
                json!({"component": {"component_id": row.id, "name": row.name, "hidden": false,
                                     "display_uptime": true,
                                     "data_available_since": "2023-05-30T00:00:00Z"}})
            })
            .collect();
        let affected: Vec<Value> = rows
            .map(|row| (row, self.state(row, now)))
            .filter(|(_, state)| *state != ComponentState::Operational)
            .map(|(row, state)| json!({"component_id": row.id, "status": word(state)}))
            .collect();
        let in_work = self.maintenances.iter().filter(|known| known.is_in_progress(now));
        let open = self.incidents.iter().filter(|incident| incident.is_open(now));
        let ongoing: Vec<Value> = open
            .map(|incident| self.native_incident(incident, now))
            .chain(in_work.map(|known| self.native_maintenance(known, now)))
            .collect();
        let coming = self.maintenances.iter().filter(|known| now < known.starts_at);
        let coming: Vec<Value> = coming.map(|known| self.native_maintenance(known, now)).collect();
        json!({"summary": {
            "id": self.id, "name": self.name, "public_url": url, "subpath": "", "locale": "en-US",
            "page_type": "standalone", "expose_status_summary_api": false,
            "display_uptime_mode": "chart_and_percentage",
            "components": components,
            "affected_components": affected,
            "ongoing_incidents": ongoing,
            "scheduled_maintenances": coming,
            "structure": {"id": "01K0STRUCTURE0000000000000", "status_page_id": self.id,
                          "items": items},
        }})
    }

    pub(super) fn native_incidents(&self, now: Timestamp) -> Value {
        let written = self.incidents.iter().rev().filter(|known| known.status(now).is_some());
        let incidents: Vec<Value> =
            written.map(|incident| self.native_incident(incident, now)).collect();
        json!({"incidents": incidents})
    }

    /// The page as a browser gets it; with [`Format::Landing`] without any data.
    pub(super) fn html(&self, url: &str, now: Timestamp) -> String {
        let head =
            format!("<!DOCTYPE html><html lang=\"en\"><head><title>{} Status</title>", self.name);
        if self.format == Format::Landing {
            return format!("{head}</head><body><p>We have moved.</p></body></html>");
        }
        let row = format!("5:[false,[\"$\",\"$L1a\",null,{}]]\n", self.native(url, now));
        let cut = row.char_indices().map(|(i, _)| i).nth(row.chars().count() / 2).unwrap_or(0);
        let (left, right) = row.split_at(cut);
        let push = |chunk: &str| {
            // `<` is escaped so that a title cannot end the script.
            let literal = Value::from(chunk).to_string().replace('<', "\\u003c");
            format!("<script>self.__next_f.push([1,{literal}])</script>")
        };
        format!(
            "{head}</head><body><div id=\"root\"></div>{}{}</body></html>",
            push(left),
            push(right)
        )
    }

    fn native_incident(&self, incident: &PageIncident, now: Timestamp) -> Value {
        let written = incident.written(now);
        let affected: Vec<Value> = self
            .components
            .iter()
            .filter(|row| incident.components.contains(&row.id))
            .map(|row| {
                let worst = row.states.iter().map(|(_, state)| *state).max();
                let worst = worst.unwrap_or(ComponentState::Operational);
                json!({"component_id": row.id, "status": word(worst),
                       "current_status": word(self.state(row, now))})
            })
            .collect();
        let updates: Vec<Value> = written
            .iter()
            .enumerate()
            .map(|(i, notice)| {
                json!({"id": format!("{}{i:02}", incident.id), "automated_update": false,
                       "published_at": notice.at.to_string(), "to_status": notice.status.word(),
                       "message_string": notice.text, "component_statuses": []})
            })
            .collect();
        json!({
            "id": incident.id, "name": incident.name, "type": "incident", "status_page_id": self.id,
            "status": incident.status(now).map(super::IncidentStatus::word),
            "published_at": written.first().map(|notice| notice.at.to_string()),
            "affected_components": affected, "component_impacts": [], "status_summaries": [],
            "updates": updates,
        })
    }

    fn native_maintenance(&self, maintenance: &PageMaintenance, now: Timestamp) -> Value {
        let (status, current) = if maintenance.is_in_progress(now) {
            ("maintenance_in_progress", "under_maintenance")
        } else {
            ("maintenance_scheduled", "operational")
        };
        let impact = |id: &String| {
            json!({"id": format!("{id}-impact"), "component_id": id, "status": "under_maintenance",
                   "start_at": maintenance.starts_at.to_string(),
                   "end_at": maintenance.ends_at.to_string(),
                   "status_page_incident_id": maintenance.id})
        };
        let affected = |id: &String| json!({"component_id": id, "status": "under_maintenance", "current_status": current});
        let named = &maintenance.components;
        json!({
            "id": maintenance.id, "name": maintenance.name, "type": "maintenance",
            "status": status, "status_page_id": self.id,
            "published_at": maintenance.starts_at.to_string(),
            "affected_components": named.iter().map(affected).collect::<Vec<_>>(),
            "component_impacts": named.iter().map(impact).collect::<Vec<_>>(),
            "status_summaries": [], "updates": [],
        })
    }
}

pub(super) fn word(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Operational => "operational",
        ComponentState::UnderMaintenance => "under_maintenance",
        ComponentState::DegradedPerformance => "degraded_performance",
        ComponentState::PartialOutage => "partial_outage",
        ComponentState::FullOutage => "full_outage",
    }
}
