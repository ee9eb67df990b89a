//! `config.toml.example` documents every key with its default.

use std::collections::BTreeSet;

use heygen_monitor::config::{self, EXAMPLE};
use serde_json::Value;

use super::{parse, parse_with};

/// Something of everything, without files.
pub(super) const EVERYTHING_BUT_SECRETS: &str = r#"
vantage = "fra-1"
uses = ["api", "web_app"]
timezone = "Europe/Berlin"
show_titles = true
proxy = "http://proxy.example.org:3128"
[heygen]
account = "studio"
base_url = "http://127.0.0.1:4010"
concurrency = 20
[storage]
path = "/var/lib/x/history.db"
retention = { observations = "7d", failures = "1h 30m" }
[web]
listen = "127.0.0.1:0"
public_url = "https://status.example.org"
hosts = ["status.example.org"]
brand = { name = "Studio status", links = [{ text = "Runbook", url = "https://wiki.example.org/h" }] }
[budget]
usd_per_day = 5
usd_per_month = 49.99
reserve = { credits = 2.5 }
canaries = true
[jobs.render]
queue_floor = "1s"
queue_late = "1.5s"
queue_stuck = "3s"
poll_min = "100ms"
[jobs.translation]
processing_stuck = "2h"
submit_timeout = "90s"
[[probe]]
name = "jobs"
check.queue = { kinds = ["translation"], exclude_titles = ["internal*"], max_requests = 5 }
[[probe]]
name = "video"
check.render = { avatars = ["look_a", "look_b"], voice = "v1", engine = "avatar_v", price_usd = 0.29 }
[[probe]]
name = "template"
every = "6h"
check.render = { template = "t_1", mode = "fixed", price_usd = 1 }
[[probe]]
name = "dub"
schedule = "0 0 */6 * * *"
check.translation = { video_url = "https://a.example.org/v.mp4", mode = "fixed", audio_only = false }
[[probe]]
name = "dub-asset"
check.translation = { asset_id = "as_1", languages = ["French", "German"], max_silence = "30h" }
[[probe]]
name = "say"
check.speech = { voice = "v1", text = "Good morning, everybody out there." }
[[probe]]
name = "read"
every = "1.5s"
check.api = { path = "/v3/users/me", expect = [] }
[[probe]]
name = "cron"
schedule = "0 */5 * * * *"
check.submit = { paths = ["/v3/video-translations"] }
[[probe]]
name = "web"
check.web = { url = "https://a.example.org/x?y=1", status = [200, 204], contains = "x" }
[[status_page]]
name = "peer"
role = "peer"
url = "https://b.example.org"
html = { component = ".c", name = ".n", state = ".s", states = { "up" = "operational" } }
[[channel]]
name = "mail"
[channel.email]
from = "HeyGen monitor <a@example.org>"
to = ["b@example.org"]
smtp = { host = "127.0.0.1", port = 2525, tls = "none" }
"#;

/// The example with the lines that begin with one of the marks made real.
fn uncommented(marks: &[&str]) -> String {
    let real = |line: &str| {
        marks
            .iter()
            .filter_map(|mark| line.strip_prefix(mark))
            .find(|rest| {
                rest.starts_with(|c: char| c.is_ascii_lowercase() || matches!(c, '[' | '"'))
            })
            .map(str::to_owned)
    };
    EXAMPLE.lines().map(|line| real(line).unwrap_or_default() + "\n").collect()
}

#[test]
fn as_it_is_delivered_it_is_the_built_in_default() {
    let shown = |text: &str| config::effective(&parse(text).unwrap()).unwrap();
    assert_eq!(shown(EXAMPLE), shown(""));
    assert!(EXAMPLE.lines().all(|line| line.is_empty() || line.starts_with('#')));
}

#[test]
fn what_it_calls_defaults_are_the_defaults() {
    let key = [("HEYGEN_API_KEY", "sk-test-0123456789")];
    let shown = |text: &str| config::effective(&parse_with(text, &key).unwrap()).unwrap();
    let defaults = uncommented(&["#"]);
    assert!(defaults.contains("[[probe]]") && defaults.contains("recheck"));
    assert_eq!(shown(&defaults), shown(""));
}

#[test]
fn every_key_of_the_schema_is_in_it_and_nothing_else() {
    let text = uncommented(&["#", "# e.g. "]);
    // Keys that exclude each other (`every` and `schedule`) stand side by side: only the shape counts.
    let tree: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut documented = BTreeSet::new();
    keys_of_tree(&toml::Value::Table(tree), "", &mut documented);
    let schema = config::json_schema();
    let mut known = BTreeSet::new();
    keys_of_schema(&schema, &schema, "", &mut known);
    assert!(known.contains("probe.check.api.slow_after"), "{known:?}");
    let missing: Vec<_> = known.difference(&documented).collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
    let is_free = |key: &str| {
        ["components.", "incidents.", "states."].iter().any(|table| key.contains(table))
    };
    let extra: Vec<_> = documented.difference(&known).filter(|key| !is_free(key)).collect();
    assert!(extra.is_empty(), "not in the schema: {extra:?}");
}

#[test]
fn the_schema_is_for_editors_too() {
    let schema = config::json_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    let mut known = BTreeSet::new();
    keys_of_schema(&schema, &schema, "", &mut known);
    for key in &known {
        assert!(described(&schema, key), "{key} has no description");
    }
    assert!(!schema.to_string().contains("null"));
}

fn keys_of_tree(value: &toml::Value, place: &str, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                keys_of_tree(value, &place, found);
                found.insert(place);
            }
        }
        toml::Value::Array(list) => {
            for value in list {
                keys_of_tree(value, place, found);
            }
        }
        _ => {}
    }
}

fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(schema, |name| &root["$defs"][name])
}

fn keys_of_schema(root: &Value, schema: &Value, place: &str, found: &mut BTreeSet<String>) {
    let schema = resolved(root, schema);
    let schema = if schema["type"] == "array" { resolved(root, &schema["items"]) } else { schema };
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
        keys_of_schema(root, schema, &place, found);
        found.insert(place);
    }
}

fn described(root: &Value, key: &str) -> bool {
    let mut schema = root;
    for part in key.split('.') {
        schema = resolved(root, schema);
        if schema["type"] == "array" {
            schema = resolved(root, &schema["items"]);
        }
        schema = &schema["properties"][part];
    }
    schema["description"].is_string() || resolved(root, schema)["description"].is_string()
}
