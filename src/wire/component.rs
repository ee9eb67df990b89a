//! Rows of status pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::to_second;
use crate::engine::page::ComponentMap;
use crate::model::{Capability, Component, ComponentState, SourceReading, SourceRole, Timestamp};

/// [`Component`] as JSON, with the page it stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Component")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct ComponentJson {
    pub source: String,
    pub role: SourceRole,
    pub id: String,
    pub name: String,
    pub group: Option<String>,
    pub state: ComponentState,
    /// The page's own word for it.
    pub raw: String,
    /// The capability that it is counted to; `null` for a row that is counted to none.
    pub capability: Option<Capability>,
    pub checked_at: Timestamp,
}

impl ComponentJson {
    /// The rows of a reading; none when the page could not be read. `map` is that of HeyGen's own
    /// page: the rows of other pages are counted to nothing.
    pub fn of(reading: &SourceReading, map: Option<&ComponentMap>) -> impl Iterator<Item = Self> {
        let rows = reading.page.as_ref().map(|page| page.components.as_slice());
        rows.unwrap_or_default().iter().map(move |row| {
            let capability = map.and_then(|map| map.capability_of(row));
            Self::row(reading, row, capability)
        })
    }

    fn row(reading: &SourceReading, row: &Component, capability: Option<Capability>) -> Self {
        Self {
            source: reading.source.clone(),
            role: reading.role,
            id: row.id.clone(),
            name: row.name.clone(),
            group: row.group.clone(),
            state: row.state,
            raw: row.raw.clone(),
            capability,
            checked_at: to_second(reading.at),
        }
    }
}
