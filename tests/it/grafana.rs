//! The dashboards: they are what their one source says, and each of the rules of Grafana's
//! dashboard-linter that concern Prometheus holds, under the linter's own name for it
//! (grafana/dashboard-linter, `lint/rules.go`, as of 2026-06).

mod generate;

use std::collections::BTreeSet;
use std::path::Path;

use heygen_monitor::metrics::{Catalogue, Metrics};
use heygen_monitor::model::{Capability, Origin, ProbeKind};
use serde_json::Value;

use self::generate::{Variant, files};
use crate::sample_view::{page, reading};

/// The panel types that the linter's title, description, unit and datasource rules look at, and
/// ours.
const DRAWN: [&str; 7] =
    ["stat", "gauge", "graph", "table", "timeseries", "state-timeline", "heatmap"];

/// Units that we use, all from Grafana's list.
const UNITS: [&str; 8] =
    ["none", "short", "s", "bytes", "percentunit", "bool_yes_no", "dateTimeFromNow", "currencyUSD"];

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

/// Every dashboard in both variants.
fn dashboards() -> Vec<Value> {
    files().into_iter().map(|(_, _, dashboard)| dashboard).collect()
}

/// Calls `check` with every panel that draws something.
fn each_panel(check: impl Fn(&Value, &str)) {
    let mut drawn = 0;
    for dashboard in dashboards() {
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
    }
    assert!(drawn > 40, "the panels were not found");
}

/// Every query of every panel and annotation.
fn queries() -> Vec<String> {
    let mut queries = Vec::new();
    for dashboard in dashboards() {
        let panels = list(&dashboard, "/panels").iter().flat_map(|panel| list(panel, "/targets"));
        let annotations =
            list(&dashboard, "/annotations/list").iter().filter_map(|one| one.get("target"));
        queries.extend(panels.chain(annotations).map(|target| text(target, "/expr").to_owned()));
    }
    assert!(queries.len() > 60, "the queries were not found");
    queries
}

/// The selectors of a query: metric name and what stands between its braces.
pub(crate) fn selectors(query: &str) -> Vec<(&str, &str)> {
    query
        .match_indices('{')
        .map(|(open, _)| {
            let (before, after) = query.split_at(open);
            let name = before
                .rsplit(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
                .next()
                .unwrap_or_default();
            (name, after.trim_start_matches('{').split_once('}').unwrap().0)
        })
        .collect()
}

/// `/metrics` with at least one series of every family that rules and dashboards ask for.
pub(crate) fn rendered() -> String {
    let metrics = Metrics::new(&Catalogue {
        vantage: "fra-1".to_owned(),
        probes: vec![
            ("api-read".to_owned(), ProbeKind::Api),
            ("render".to_owned(), ProbeKind::Render),
        ],
        sources: vec![("heygen".to_owned(), crate::sample_view::map())],
        channels: vec!["team-slack".to_owned()],
        jobs: Origin::ALL.map(|origin| (Capability::VideoGeneration, origin)).to_vec(),
    });
    metrics.read(&reading(Ok(page())));
    metrics.render()
}

/// Every metric of `query` exists, and so does every word that a matcher compares with.
pub(crate) fn check_names(query: &str, rendered: &str) {
    for (name, matchers) in selectors(query) {
        assert!(rendered.contains(&format!("\n{name}")), "no metric {name}: {query}");
        for matcher in matchers.split(", ").filter(|matcher| !matcher.contains('$')) {
            let Some((_, word)) = matcher.split_once('"') else { continue };
            for word in word.trim_end_matches('"').split('|') {
                assert!(rendered.contains(&format!("=\"{word}\"")), "{word} in {query}");
            }
        }
    }
}

#[test]
fn the_files_are_what_their_source_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana");
    for (file, _, dashboard) in files() {
        let path = folder.join(&file);
        let json = format!("{dashboard:#}\n");
        if std::env::var_os("WRITE").is_some() {
            std::fs::write(&path, &json).unwrap();
        }
        let is_same = std::fs::read_to_string(&path).is_ok_and(|committed| committed == json);
        assert!(is_same, "grafana/{file} is stale: `WRITE=1 cargo test --test it grafana::`");
    }
}

#[test]
fn template_datasource_rule() {
    for dashboard in dashboards() {
        let datasource = variable(&dashboard, "datasource");
        assert_eq!(text(datasource, "/type"), "datasource");
        assert_eq!(text(datasource, "/query"), "prometheus");
        assert_eq!(text(datasource, "/label"), "Data source");
    }
}

#[test]
fn template_job_and_instance_rules() {
    let both = [("job", "Job"), ("instance", "Instance")];
    for (dashboard, (name, label)) in
        dashboards().iter().flat_map(|dashboard| both.map(|variable| (dashboard, variable)))
    {
        let variable = variable(dashboard, name);
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
    let rendered = rendered();
    for dashboard in dashboards() {
        for variable in list(&dashboard, "/templating/list") {
            if text(variable, "/type") == "query" {
                assert_eq!(variable["refresh"], 2, "{variable}");
                let query = text(variable, "/query/query");
                let inner = query.strip_prefix("label_values(").and_then(|q| q.strip_suffix(')'));
                let (selector, _label) = inner.unwrap().rsplit_once(", ").unwrap();
                assert!(is_balanced(selector), "{query}");
                let name = selector.split('{').next().unwrap();
                assert!(rendered.contains(&format!("\n{name}{{")), "{query}");
            }
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

/// Brackets and quotes are closed in their order. (A real Prometheus runs every query in
/// tests/system; here it is what breaks by hand.)
fn is_balanced(query: &str) -> bool {
    let mut open = Vec::new();
    let mut is_quoted = false;
    for character in query.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(character) => return false,
            _ => {}
        }
    }
    open.is_empty() && !is_quoted
}

#[test]
fn target_promql_rule() {
    assert!(!is_balanced("sum(rate(x{a=\"(\"}[1m])"));
    for query in queries() {
        assert!(is_balanced(&query) && !query.contains("{$") && !query.contains(",}"), "{query}");
    }
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
            let is_cumulative =
                ["_total", "_bucket", "_sum", "_count"].iter().any(|suffix| name.ends_with(suffix));
            let over_time = ["rate(", "increase("].map(|function| format!("{function}{name}{{"));
            let is_over_time = over_time.iter().any(|call| query.contains(call));
            assert_eq!(is_cumulative, is_over_time, "{name} in {query}");
        }
    }
}

#[test]
fn uneditable_dashboard() {
    for dashboard in dashboards() {
        assert_eq!(dashboard["editable"], false);
    }
}

#[test]
fn they_can_be_imported_and_found_again() {
    for (file, variant, dashboard) in files() {
        assert_eq!(dashboard["schemaVersion"], 42);
        let uid = text(&dashboard, "/uid");
        assert!(uid.starts_with("heygen-") && uid.len() <= 40, "{uid}");
        assert!(dashboard.get("id").is_none_or(Value::is_null), "an id belongs to one Grafana");
        let ids: Vec<_> = list(&dashboard, "/panels").iter().map(|panel| &panel["id"]).collect();
        let distinct: BTreeSet<_> = ids.iter().map(ToString::to_string).collect();
        assert_eq!(ids.len(), distinct.len());
        let is_imported = variant == Variant::Imported;
        assert_eq!(dashboard.get("__inputs").is_some(), is_imported, "{file}");
        assert_eq!(dashboard.to_string().contains("DS_PROMETHEUS"), is_imported, "{file}");
        assert_eq!(list(&dashboard, "/annotations/list").len() > 1, is_imported, "{file}");
    }
}

#[test]
fn no_two_panels_overlap_and_none_leaves_the_grid() {
    for dashboard in dashboards() {
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
}

#[test]
fn every_metric_and_every_word_they_ask_for_exists() {
    let rendered = rendered();
    for query in queries() {
        check_names(&query, &rendered);
    }
}

#[test]
fn a_state_that_is_new_needs_a_word_and_a_colour() {
    let all = queries().join("\n");
    let rendered = rendered();
    for (metric, label) in [
        ("heygen_capability_state", "state"),
        ("heygen_capability_blame", "blame"),
        ("heygen_component_state", "state"),
    ] {
        for series in rendered.lines().filter(|line| line.starts_with(&format!("{metric}{{"))) {
            let (_, word) = series.split_once(&format!("{label}=\"")).unwrap();
            let word = word.split('"').next().unwrap();
            let asked =
                format!(r#"{metric}{{job=~"$job", instance=~"$instance", {label}="{word}"}}"#);
            assert!(all.contains(&asked), "{metric}: {word}");
        }
    }
}
