//! Single values as they are written, where plain text is not enough: free tables in their order,
//! durations, and the words of closed lists, each with its part of the JSON Schema.
//!
//! Invariant: the words of a list are those of the model, never a copy of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Blame, Capability, ComponentState, JobKind, SourceRole, State};

/// A text, or a list of texts.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A table of free keys, in the order in which it is to be read.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(inline)]
pub(super) struct Table<T>(#[schemars(with = "BTreeMap<String, T>")] pub(super) Vec<(String, T)>);

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = BTreeMap::deserialize(deserializer)?;
        Ok(Self(table.into_iter().collect()))
    }
}

/// A length of time with its unit.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[schemars(
    rename = "duration", title = "duration",
    extend("examples" = ["30s", "5m", "1h 30m", "90d"]),
)]
pub(super) struct DurationWord(pub(super) String);

/// An amount of money (in US dollars) or credits, with or without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "amount", title = "amount", extend("minimum" = 0, "maximum" = 1_000_000))]
pub(super) struct Amount(pub(super) f64);

/// A capability.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(
    rename = "capability", title = "capability",
    extend("enum" = Capability::ALL.map(Capability::as_str)),
)]
pub(super) struct CapabilityWord(#[schemars(with = "String")] pub(super) Capability);

/// A side.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "blame", title = "blame", extend("enum" = Blame::ALL.map(Blame::as_str)))]
pub(super) struct BlameWord(#[schemars(with = "String")] pub(super) Blame);

/// A state.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "state", title = "state", extend("enum" = State::ALL.map(State::as_str)))]
pub(super) struct StateWord(#[schemars(with = "String")] pub(super) State);

/// The role of a source.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(
    rename = "role", title = "role",
    extend("enum" = SourceRole::ALL.map(SourceRole::as_str)),
)]
pub(super) struct RoleWord(#[schemars(with = "String")] pub(super) SourceRole);

/// A kind of job.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(
    rename = "job_kind", title = "kind of job",
    extend("enum" = JobKind::ALL.map(JobKind::as_str)),
)]
pub(super) struct JobKindWord(#[schemars(with = "String")] pub(super) JobKind);

/// The state of a row.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(
    rename = "component_state", title = "component state",
    extend("enum" = ComponentState::ALL.map(ComponentState::as_str)),
)]
pub(super) struct ComponentStateWord(#[schemars(with = "String")] pub(super) ComponentState);
