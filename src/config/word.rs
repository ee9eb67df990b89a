//! Single values as they are written, where plain text is not enough: free tables in their order,
//! durations, and the words of closed lists, each with its part of the JSON Schema.
//!
//! Invariant: the words of a list are those of the model, never a copy of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
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
#[derive(Debug, Clone)]
pub(super) struct Table<T>(pub(super) Vec<(String, T)>);

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

impl<T: JsonSchema> JsonSchema for Table<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("table_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}

/// A duration as written.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct DurationWord(pub(super) String);

/// A capability as written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct CapabilityWord(pub(super) Capability);

/// A side as written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct BlameWord(pub(super) Blame);

/// A state as written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct StateWord(pub(super) State);

/// The role of a source as written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct RoleWord(pub(super) SourceRole);

/// A kind of job as written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct JobKindWord(pub(super) JobKind);

/// An amount of money or credits as written, with or without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub(super) struct Amount(pub(super) f64);

/// The state of a row as written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct ComponentStateWord(pub(super) ComponentState);

impl JsonSchema for DurationWord {
    fn schema_name() -> Cow<'static, str> {
        "duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "title": "duration",
            "description": "A length of time with its unit.",
            "examples": ["30s", "5m", "1h 30m", "90d"],
        })
    }
}

/// Implements [`JsonSchema`] as a closed list of words.
fn words_schema(title: &str, words: &[&str]) -> Schema {
    json_schema!({ "type": "string", "title": title, "enum": words })
}

impl JsonSchema for CapabilityWord {
    fn schema_name() -> Cow<'static, str> {
        "capability".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_schema("capability", &Capability::ALL.map(Capability::as_str))
    }
}

impl JsonSchema for BlameWord {
    fn schema_name() -> Cow<'static, str> {
        "blame".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_schema("blame", &Blame::ALL.map(Blame::as_str))
    }
}

impl JsonSchema for StateWord {
    fn schema_name() -> Cow<'static, str> {
        "state".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_schema("state", &State::ALL.map(State::as_str))
    }
}

impl JsonSchema for RoleWord {
    fn schema_name() -> Cow<'static, str> {
        "role".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let roles = [SourceRole::Primary, SourceRole::Alternative, SourceRole::Peer];
        words_schema("role", &roles.map(SourceRole::as_str))
    }
}

impl JsonSchema for JobKindWord {
    fn schema_name() -> Cow<'static, str> {
        "job_kind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_schema("kind of job", &JobKind::ALL.map(JobKind::as_str))
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "number",
            "title": "amount",
            "description": "An amount of money (in US dollars) or credits.",
            "minimum": 0,
            "maximum": 1_000_000,
        })
    }
}

impl JsonSchema for ComponentStateWord {
    fn schema_name() -> Cow<'static, str> {
        "component_state".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_schema("component state", &ComponentState::ALL.map(ComponentState::as_str))
    }
}
