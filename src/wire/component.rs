//! Rows of status pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::to_second;
use crate::model::{Component, ComponentState, SourceReading, SourceRole, Timestamp};

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
    pub checked_at: Timestamp,
}

impl ComponentJson {
    /// The rows of a reading; none when the page could not be read.
    pub fn of(reading: &SourceReading) -> impl Iterator<Item = Self> {
        let rows = reading.page.as_ref().map(|page| page.components.as_slice());
        rows.unwrap_or_default().iter().map(|row| Self::row(reading, row))
    }

    fn row(reading: &SourceReading, row: &Component) -> Self {
        Self {
            source: reading.source.clone(),
            role: reading.role,
            id: row.id.clone(),
            name: row.name.clone(),
            group: row.group.clone(),
            state: row.state,
            raw: row.raw.clone(),
            checked_at: to_second(reading.at),
        }
    }
}
