//! The dashboard: the rules of Grafana's dashboard-linter that concern Prometheus, each under the
//! linter's own name for it, and that every metric it asks for exists.

use std::collections::BTreeSet;

use heygen_monitor::metrics::{Catalogue, Metrics};
use heygen_monitor::model::{Capability, ComponentState, Origin, ProbeKind};
use serde_json::Value;

use crate::sample_view::{page, reading};

const DASHBOARD: &str = include_str!("../../grafana/heygen-monitor.json");

/// The panel types that the linter's title, description, unit and datasource rules look at, and
/// ours.
const DRAWN: [&str; 6] = ["stat", "gauge", "graph", "table", "timeseries", "state-timeline"];

/// Units that we use, all from Grafana's list.
const UNITS: [&str; 7] =
    ["none", "short", "s", "bytes", "percentunit", "bool_yes_no", "dateTimeFromNow"];

fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).unwrap()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn variable<'a>(dashboard: &'a Value, name: &str) -> &'a Value {
    list(dashboard, "/templating/list")
        .iter()
        .find(|variable| text(variable, "/name") == name)
        .unwrap_or_else(|| panic!("no variable `{name}`"))
}

/// Calls `check` with every panel that draws something.
fn each_panel(check: impl Fn(&Value, &str)) {
    let dashboard = dashboard();
    let mut drawn = 0;
    for panel in list(&dashboard, "/panels") {
        let kind = text(panel, "/type");
        if kind == "row" {
            assert!(list(panel, "/panels").is_empty(), "panels of an open row stand beside it");
            continue;
        }
        assert!(DRAWN.contains(&kind), "{kind}");
        check(panel, text(panel, "/title"));
        drawn += 1;
    }
    assert!(drawn > 20, "the panels were not found");
}

/// Every query of every panel.
fn queries() -> Vec<String> {
    let dashboard = dashboard();
    list(&dashboard, "/panels")
        .iter()
        .flat_map(|panel| list(panel, "/targets"))
        .map(|target| text(target, "/expr").to_owned())
        .collect()
}

/// The selectors of a query: metric name and what stands between its braces.
fn selectors(query: &str) -> Vec<(&str, &str)> {
    query
        .match_indices('{')
        .map(|(open, _)| {
            let (before, after) = query.split_at(open);
            let name = before
                .rsplit(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
                .next()
                .unwrap_or_default();
            (name, after.split_once('}').unwrap().0)
        })
        .collect()
}

#[test]
fn template_datasource_rule() {
    let dashboard = dashboard();
    let datasource = variable(&dashboard, "datasource");
    assert_eq!(text(datasource, "/type"), "datasource");
    assert_eq!(text(datasource, "/query"), "prometheus");
    assert_eq!(text(datasource, "/label"), "Data source");
}

#[test]
fn template_job_and_instance_rules() {
    for (name, label) in [("job", "Job"), ("instance", "Instance")] {
        let dashboard = dashboard();
        let variable = variable(&dashboard, name);
        assert_eq!(text(variable, "/type"), "query");
        assert_eq!(text(variable, "/datasource/uid"), "$datasource");
        assert_eq!(text(variable, "/label"), label);
        assert_eq!(text(variable, "/allValue"), ".+");
        assert_eq!(variable["multi"], true);
        assert_eq!(variable["includeAll"], true);
    }
}

#[test]
fn template_label_promql_and_on_time_change_reload_rules() {
    let dashboard = dashboard();
    for variable in list(&dashboard, "/templating/list") {
        if text(variable, "/type") == "query" {
            assert_eq!(variable["refresh"], 2, "{variable}");
            let query = text(variable, "/query/query");
            assert!(query.starts_with("label_values(heygen_monitor_build_info"), "{query}");
        }
    }
}

#[test]
fn panel_datasource_rule() {
    each_panel(|panel, title| {
        assert_eq!(text(panel, "/datasource/uid"), "$datasource", "{title}");
        for target in list(panel, "/targets") {
            assert_eq!(text(target, "/datasource/uid"), "$datasource", "{title}");
        }
    });
}

#[test]
fn panel_title_description_rule() {
    each_panel(|panel, title| {
        assert!(!title.is_empty());
        assert!(text(panel, "/description").ends_with('.'), "{title}");
    });
}

#[test]
fn panel_units_rule() {
    each_panel(|panel, title| {
        assert!(UNITS.contains(&text(panel, "/fieldConfig/defaults/unit")), "{title}");
    });
}

#[test]
fn panel_no_targets_rule() {
    each_panel(|panel, title| assert!(!list(panel, "/targets").is_empty(), "{title}"));
}

#[test]
fn target_job_and_instance_rules() {
    for query in queries() {
        let selectors = selectors(&query);
        assert!(!selectors.is_empty(), "{query}");
        for (name, matchers) in selectors {
            assert!(matchers.contains(r#"job=~"$job""#), "{name} in {query}");
            assert!(matchers.contains(r#"instance=~"$instance""#), "{name} in {query}");
        }
    }
}

#[test]
fn target_rate_interval_and_counter_agg_rules() {
    for query in queries() {
        for (at, _) in query.match_indices('[') {
            let (_, window) = query.split_at(at);
            assert!(window.starts_with("[$__rate_interval]"), "{query}");
        }
        for (name, _) in selectors(&query) {
            let is_cumulative = name.ends_with("_total") || name.ends_with("_bucket");
            let over_time = ["rate(", "increase("].map(|function| format!("{function}{name}{{"));
            let is_over_time = over_time.iter().any(|call| query.contains(call));
            assert_eq!(is_cumulative, is_over_time, "{name} in {query}");
        }
    }
}

#[test]
fn uneditable_dashboard() {
    assert_eq!(dashboard()["editable"], false);
}

#[test]
fn it_can_be_imported_and_found_again() {
    let dashboard = dashboard();
    assert_eq!(dashboard["schemaVersion"], 42);
    assert_eq!(text(&dashboard, "/uid"), "heygen-monitor");
    assert!(dashboard.get("id").is_none_or(Value::is_null), "an id belongs to one Grafana");
    let ids: Vec<_> = list(&dashboard, "/panels").iter().map(|panel| &panel["id"]).collect();
    let distinct: BTreeSet<_> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(ids.len(), distinct.len());
}

#[test]
fn no_two_panels_overlap_and_none_leaves_the_grid() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in list(&dashboard, "/panels") {
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(side("x") + side("w") <= 24, "{}", panel["title"]);
        for x in side("x")..side("x") + side("w") {
            for y in side("y")..side("y") + side("h") {
                assert!(taken.insert((x, y)), "{} covers another panel", panel["title"]);
            }
        }
    }
}

#[test]
fn every_metric_and_every_word_it_asks_for_exists() {
    let metrics = Metrics::new(&Catalogue {
        vantage: "fra-1".to_owned(),
        probes: vec![("api-read".to_owned(), ProbeKind::Api)],
        sources: vec![("heygen".to_owned(), crate::sample_view::map())],
        channels: vec!["team-slack".to_owned()],
        jobs: Origin::ALL.map(|origin| (Capability::VideoGeneration, origin)).to_vec(),
    });
    metrics.read(&reading(Ok(page())));
    let rendered = metrics.render();
    assert_eq!(ComponentState::ALL.len(), 6, "a new state needs a colour in the dashboard");
    for query in queries() {
        for (name, matchers) in selectors(&query) {
            assert!(rendered.contains(&format!("\n{name}")), "{name}");
            for matcher in matchers.split(", ").filter(|matcher| !matcher.contains('$')) {
                let (_, word) = matcher.split_once('"').unwrap();
                for word in word.trim_end_matches('"').split('|') {
                    assert!(rendered.contains(&format!("=\"{word}\"")), "{word} in {query}");
                }
            }
        }
    }
}
