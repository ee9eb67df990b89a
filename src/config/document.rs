//! The file as a tree of values that know where they stand.
//!
//! Owns parsing TOML and finding the place of a value; does not know which keys exist. Invariant:
//! tables keep the order of the file, and removing a value never moves another one's place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Fault, Problems};

/// A parsed file.
#[derive(Debug)]
pub(super) struct Document {
    /// The tree.
    pub(super) root: Node,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Byte range of the value.
    pub(super) span: Range<usize>,
    /// Byte range of its key; of an element of a list its own.
    pub(super) key_span: Range<usize>,
    /// What it is.
    pub(super) value: Value,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Table(Vec<(String, Node)>),
    List(Vec<Node>),
    Text(String),
    Integer(Option<i64>),
    Float(f64),
    Boolean(bool),
    Time,
}

impl Value {
    /// What people call it.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::List(_) => "a list",
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "true or false",
            Self::Time => "a date or time",
        }
    }

    /// The JSON Schema type it has; `None` where JSON has no such thing.
    pub(super) fn schema_type(&self) -> Option<&'static str> {
        match self {
            Self::Table(_) => Some("object"),
            Self::List(_) => Some("array"),
            Self::Text(_) => Some("string"),
            Self::Integer(_) => Some("integer"),
            Self::Float(_) => Some("number"),
            Self::Boolean(_) => Some("boolean"),
            Self::Time => None,
        }
    }
}

/// The way from the root to a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct At(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl At {
    /// The root.
    pub(super) fn root() -> Self {
        Self::default()
    }

    /// Nowhere in the file: what is built in.
    pub(super) fn nowhere() -> Self {
        Self(vec![Step::Index(usize::MAX)])
    }

    /// The value of a key.
    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// An element of a list.
    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl Document {
    /// Parses TOML; syntax errors are added to the problems.
    pub(super) fn parse(text: &str, problems: &mut Problems) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut last_line = None;
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let before = text.get(..span.start).unwrap_or_default();
            let line = before.rfind('\n');
            // What follows on the same line is mostly noise of the first error.
            if last_line.replace(line) != Some(line) {
                problems.add_at_span(span, syntax(error.message()));
            }
        }
        let span = table.span();
        let value = Value::Table(entries(table.into_inner()));
        Self { root: Node { key_span: span.clone(), span, value } }
    }

    /// Where a value stands; where it is absent, the key of the nearest table around it.
    pub(super) fn value_span(&self, at: &At) -> Option<Range<usize>> {
        let (node, depth) = self.nearest(at);
        match depth {
            0 => None,
            _ if depth == at.0.len() => Some(node.span.clone()),
            _ => Some(node.key_span.clone()),
        }
    }

    /// Where the key of a value stands; as [`Self::value_span`] where it is absent.
    pub(super) fn key_span(&self, at: &At) -> Option<Range<usize>> {
        let (node, depth) = self.nearest(at);
        (depth > 0).then(|| node.key_span.clone())
    }

    /// The value at a place.
    pub(super) fn get(&self, at: &At) -> Option<&Node> {
        let (node, depth) = self.nearest(at);
        (depth == at.0.len()).then_some(node)
    }

    /// Keys of the table at a place, in the order of the file.
    pub(super) fn keys(&self, at: &At) -> Vec<String> {
        match self.get(at).map(|node| &node.value) {
            Some(Value::Table(entries)) => entries.iter().map(|(key, _)| key.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// Places of the elements of a list.
    pub(super) fn elements(&self, at: &At) -> Vec<At> {
        match self.get(at).map(|node| &node.value) {
            Some(Value::List(list)) => (0..list.len()).map(|i| at.index(i)).collect(),
            _ => Vec::new(),
        }
    }

    /// The text at a place.
    pub(super) fn text(&self, at: &At) -> Option<&str> {
        match self.get(at).map(|node| &node.value) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn nearest(&self, at: &At) -> (&Node, usize) {
        let mut node = &self.root;
        for (depth, step) in at.0.iter().enumerate() {
            let Some(next) = node.child(step) else {
                return (node, depth);
            };
            node = next;
        }
        (node, at.0.len())
    }
}

impl Node {
    fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.value, step) {
            (Value::Table(entries), Step::Key(key)) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
            }
            (Value::List(elements), Step::Index(index)) => elements.get(*index),
            _ => None,
        }
    }

    /// The same as JSON; what JSON cannot say is `null`.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Table(entries) => {
                entries.iter().map(|(key, node)| (key.clone(), node.to_json())).collect()
            }
            Value::List(elements) => elements.iter().map(Self::to_json).collect(),
            Value::Text(text) => text.as_str().into(),
            Value::Integer(Some(number)) => (*number).into(),
            Value::Boolean(value) => (*value).into(),
            Value::Float(number) => (*number).into(),
            Value::Integer(None) | Value::Time => serde_json::Value::Null,
        }
    }
}

fn syntax(message: &str) -> Fault {
    let message = message.replace('\n', ", ");
    let hint = if message.contains("must be quoted") {
        "put the text between quotation marks"
    } else if message.contains("duplicate key") {
        "a key can be written once; a second [[probe]] or [[channel]] has two brackets"
    } else {
        "compare it with config.toml.example (`heygen-monitor config init` writes one)"
    };
    Fault::new(format!("this is not TOML: {message}"), hint)
}

fn entries(table: DeTable<'_>) -> Vec<(String, Node)> {
    let mut entries: Vec<(String, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let key_span = key.span();
            (key.into_inner().into_owned(), node(value, Some(key_span)))
        })
        .collect();
    entries.sort_by_key(|(_, node)| node.key_span.start);
    entries
}

fn node(value: Spanned<DeValue<'_>>, key_span: Option<Range<usize>>) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::Table(table) => Value::Table(entries(table)),
        DeValue::Array(list) => {
            Value::List(list.into_iter().map(|element| node(element, None)).collect())
        }
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Datetime(_) => Value::Time,
    };
    Node { key_span: key_span.unwrap_or_else(|| span.clone()), span, value }
}
