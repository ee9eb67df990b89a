//! Does the file have the right shape? Compares the tree with the JSON Schema: unknown keys, wrong
//! types, unknown words, numbers out of range, missing keys; all of them, not the first.
//!
//! Knows no key by itself. Invariant: what is wrong is reported once and removed from the tree, so
//! that what remains can be deserialized and judged further in the same run.

use serde_json::Value as Json;

use super::document::{Node, Value};
use super::problem::{Fault, Problems};
use super::special;

/// Farthest typing mistake that is taken for a known word.
const FARTHEST_TYPO: usize = 2;

/// Reports and removes everything that the schema does not allow.
pub(super) fn check(root: &mut Node, schema: &Json, problems: &mut Problems) {
    let mut checker = Checker { definitions: &schema["$defs"], problems };
    checker.node(root, schema, "");
}

struct Checker<'a> {
    definitions: &'a Json,
    problems: &'a mut Problems,
}

impl<'a> Checker<'a> {
    /// Checks a value in the table `place`; false when it has to go.
    fn node(&mut self, node: &mut Node, schema: &'a Json, place: &str) -> bool {
        let Some(schema) = self.fitting(node, self.resolved(schema)) else {
            self.wrong_type(node, schema);
            return false;
        };
        let span = node.span.clone();
        let fault = match &mut node.value {
            Value::Table(entries) => {
                let found = self.entries(entries, schema, place);
                self.missing(&node.key_span, schema, &found, place);
                return true;
            }
            Value::List(elements) => {
                let was_empty = elements.is_empty();
                elements.retain_mut(|element| self.node(element, &schema["items"], place));
                // A list that lost everything was not written empty.
                return was_empty || !elements.is_empty();
            }
            Value::Text(word) => unknown_word(word, schema),
            Value::Integer(number) => out_of_range(*number, schema),
            Value::Float(number) => fraction_out_of_range(*number, schema),
            Value::Boolean(_) | Value::Time => None,
        };
        let is_right = fault.is_none();
        if let Some(fault) = fault {
            self.problems.add_at_span(span, fault);
        }
        is_right
    }

    /// The schema, or the one of its alternatives, that allows values of this type.
    fn fitting(&self, node: &Node, schema: &'a Json) -> Option<&'a Json> {
        self.alternatives(schema)
            .into_iter()
            .find(|option| fits(&node.value, option["type"].as_str()))
    }

    fn alternatives(&self, schema: &'a Json) -> Vec<&'a Json> {
        match schema["anyOf"].as_array() {
            Some(options) => options.iter().map(|option| self.resolved(option)).collect(),
            None => vec![schema],
        }
    }

    fn resolved(&self, schema: &'a Json) -> &'a Json {
        let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
        name.map_or(schema, |name| &self.definitions[name])
    }

    fn wrong_type(&mut self, node: &Node, schema: &'a Json) {
        let options = self.alternatives(self.resolved(schema));
        let nouns: Vec<&str> = options.iter().map(|option| noun(option)).collect();
        let expected = nouns.join(" or ");
        let found = node.value.noun();
        let hint = wrong_type_hint(node, &options);
        self.problems.add_at_span(
            node.span.clone(),
            Fault::new(format!("expected {expected}, found {found}"), hint),
        );
    }

    /// Checks the entries of a table; answers what was found (or was meant) in it.
    fn entries(
        &mut self,
        entries: &mut Vec<(String, Node)>,
        schema: &'a Json,
        place: &str,
    ) -> Found {
        let properties = schema["properties"].as_object();
        let known: Vec<&str> =
            properties.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let mut found = Found::default();
        entries.retain_mut(|(key, node)| {
            let inner = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            if let Some(schema) = properties.and_then(|properties| properties.get(key)) {
                found.keys.push(key.clone());
                return self.node(node, schema, &inner);
            }
            if schema["additionalProperties"].is_object() {
                return self.node(node, &schema["additionalProperties"], &inner);
            }
            found.keys.extend(nearest(key, &known).map(str::to_owned));
            found.has_unknown = true;
            let fault = special::fault(place, key).unwrap_or_else(|| unknown_key(key, &known));
            self.problems.add_at_span(node.key_span.clone(), fault);
            false
        });
        found
    }

    fn missing(
        &mut self,
        span: &std::ops::Range<usize>,
        schema: &'a Json,
        found: &Found,
        place: &str,
    ) {
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if found.keys.iter().all(|name| name != key) {
                let about = self.about(schema, key);
                self.problems.add_at_span(
                    span.clone(),
                    Fault::new(format!("`{key}` is missing"), format!("add `{key} = …`: {about}")),
                );
            }
        }
        let Some(options) = schema["oneOf"].as_array() else {
            return;
        };
        let options: Vec<&str> =
            options.iter().filter_map(|option| option["required"][0].as_str()).collect();
        let chosen: Vec<String> = options
            .iter()
            .filter(|option| found.keys.iter().any(|key| key == *option))
            .map(|option| format!("`{option}`"))
            .collect();
        if chosen.is_empty() && !found.has_unknown {
            let what = if place.starts_with("probe.check.") { "its subject" } else { "its kind" };
            let hint = format!("add one of {}", list(&options));
            let fault = Fault::new(format!("{what} is missing"), hint);
            self.problems.add_at_span(span.clone(), fault);
        }
        if chosen.len() > 1 {
            let message = format!("{} exclude each other", chosen.join(" and "));
            let fault = Fault::new(message, "keep one, and give the other an entry of its own");
            self.problems.add_at_span(span.clone(), fault);
        }
    }

    fn about(&self, schema: &'a Json, key: &str) -> String {
        let property = &schema["properties"][key];
        let text = property["description"]
            .as_str()
            .or_else(|| self.resolved(property)["description"].as_str())
            .unwrap_or("It is required.");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.trim_end_matches('.');
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        first.into_iter().chain(letters).collect()
    }
}

/// What stood in a table: known keys, and known keys that were probably meant.
#[derive(Debug, Default)]
struct Found {
    keys: Vec<String>,
    has_unknown: bool,
}

/// True when a value is of this type; a number may do without a fraction.
fn fits(value: &Value, wanted: Option<&str>) -> bool {
    let is_whole = matches!(value, Value::Integer(_)) && wanted == Some("number");
    is_whole || wanted == value.schema_type()
}

fn noun(schema: &Json) -> &'static str {
    match (schema["type"].as_str(), schema["title"].as_str()) {
        (_, Some("duration")) => "a duration",
        (Some("object"), _) => "a table",
        (Some("array"), _) => "a list",
        (Some("integer"), _) => "a whole number",
        (Some("number"), _) => "a number",
        (Some("boolean"), _) => "true or false",
        _ => "a text",
    }
}

fn wrong_type_hint(node: &Node, options: &[&Json]) -> String {
    let noun = options.first().map_or("a text", |option| noun(option));
    match (noun, &node.value) {
        ("a duration", Value::Integer(Some(number))) => {
            format!("a duration is a text with its unit: \"{number}s\"")
        }
        ("a duration", _) => {
            "a duration is a text with its unit: \"30s\", \"5m\", \"1h 30m\"".into()
        }
        ("a list", Value::Text(_) | Value::Integer(_)) => "put it between [ and ]".into(),
        ("a list", Value::Table(_)) => {
            "a list of tables is written [[name]], twice bracketed".into()
        }
        ("a text", Value::List(_)) => "only one value can stand here".into(),
        ("a text", _) => "put it between quotation marks".into(),
        ("a table", _) => "a table is written { key = value, … } or under a [header]".into(),
        ("true or false", _) => "write true or false, without quotation marks".into(),
        ("a number", _) => "write it as a number, without quotation marks: 1.5".into(),
        _ => "write it as a whole number, without quotation marks".into(),
    }
}

fn unknown_word(word: &str, schema: &Json) -> Option<Fault> {
    let words: Vec<&str> = schema["enum"].as_array()?.iter().filter_map(Json::as_str).collect();
    if words.contains(&word) {
        return None;
    }
    let kind = schema["title"].as_str().unwrap_or("word");
    if let Some(fault) = special::word_fault(kind, word) {
        return Some(fault);
    }
    let meant = nearest(&word.to_lowercase(), &words);
    let meant = meant.map_or(String::new(), |word| format!("did you mean \"{word}\"? "));
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let hint = format!("{meant}allowed: {}", quoted.join(", "));
    Some(Fault::new(format!("unknown {kind} \"{word}\""), hint))
}

fn out_of_range(number: Option<i64>, schema: &Json) -> Option<Fault> {
    let lowest = schema["minimum"].as_i64().unwrap_or(0);
    let highest = schema["maximum"].as_i64().unwrap_or(i64::from(u32::MAX));
    let is_right = number.is_some_and(|number| (lowest..=highest).contains(&number));
    (!is_right).then(|| outside(lowest, highest))
}

fn fraction_out_of_range(number: f64, schema: &Json) -> Option<Fault> {
    let lowest = schema["minimum"].as_f64().unwrap_or(0.0);
    let highest = schema["maximum"].as_f64().unwrap_or(f64::MAX);
    (!(lowest..=highest).contains(&number)).then(|| outside(lowest, highest))
}

fn outside<N: std::fmt::Display>(lowest: N, highest: N) -> Fault {
    Fault::new(
        format!("this number must lie between {lowest} and {highest}"),
        "correct it, or leave the key out for its default",
    )
}

fn unknown_key(key: &str, known: &[&str]) -> Fault {
    let meant = nearest(key, known).or_else(|| special::elsewhere(key, known));
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known keys here: {}", list(known)),
    };
    Fault::new(format!("unknown key `{key}`"), hint)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The known word that is at most two typing mistakes away, and shares something with it.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= FARTHEST_TYPO && *distance * 2 < word.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
