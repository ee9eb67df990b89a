//! The rules for Prometheus: named and annotated as mixtool's lint wants it, each with a page of its
//! own and a test, and about metrics that exist. (`promtool` itself runs in tests/system.)

use std::collections::BTreeSet;
use std::path::Path;

use crate::grafana::{check_names, rendered};

const RULES: &str = include_str!("../../prometheus/heygen-monitor.rules.yml");
const TESTS: &str = include_str!("../../prometheus/heygen-monitor.test.yml");
const DASHBOARDS: [&str; 3] = ["/d/heygen-overview", "/d/heygen-probe", "/d/heygen-monitor"];

/// One rule as written, from its `- alert:` or `- record:` on.
struct Rule {
    name: &'static str,
    is_alert: bool,
    lines: Vec<&'static str>,
}

impl Rule {
    fn value(&self, key: &str) -> &'static str {
        let line = self.lines.iter().find_map(|line| line.trim().strip_prefix(key));
        let value = line.and_then(|line| line.strip_prefix(": "));
        value.unwrap_or_else(|| panic!("{} has no {key}", self.name)).trim_matches('\'')
    }

    /// The expression, comments and annotations left out.
    fn expression(&self) -> String {
        let expression = self
            .lines
            .iter()
            .skip_while(|line| !line.trim().starts_with("expr:"))
            .take_while(|line| {
                !["for:", "labels:"].contains(&line.trim().split(' ').next().unwrap())
            })
            .filter(|line| !line.trim().starts_with('#'));
        expression.copied().collect::<Vec<_>>().join("\n")
    }
}

fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for line in RULES.lines() {
        let begun = line.trim().strip_prefix("- alert: ").map(|name| (name, true));
        let begun = begun.or(line.trim().strip_prefix("- record: ").map(|name| (name, false)));
        if let Some((name, is_alert)) = begun {
            rules.push(Rule { name, is_alert, lines: Vec::new() });
        } else if let Some(rule) = rules.last_mut()
            && !line.trim().starts_with("- name: ")
        {
            rule.lines.push(line);
        }
    }
    assert!(rules.len() > 25, "the rules were not found");
    rules
}

fn alerts() -> Vec<Rule> {
    rules().into_iter().filter(|rule| rule.is_alert).collect()
}

/// `^([A-Z]+[a-z0-9]+)+$`
fn is_camel_case(name: &str) -> bool {
    name.chars().all(|character| character.is_ascii_alphanumeric())
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.ends_with(|last: char| !last.is_ascii_uppercase())
}

#[test]
fn alerts_are_named_and_annotated_as_mixtool_wants_it() {
    for alert in alerts() {
        let name = alert.name;
        assert!(is_camel_case(name), "{name}");
        assert!(["critical", "warning", "info"].contains(&alert.value("severity")), "{name}");
        let summary = alert.value("summary");
        assert!(summary.starts_with(|first: char| first.is_ascii_uppercase()), "{name}");
        assert!(summary.ends_with('.') && !summary.contains("{{"), "{name}");
        assert!(alert.value("description").contains("{{"), "{name}");
        assert_eq!(alert.value("runbook_url"), format!("docs/runbooks/{name}.md"));
        assert!(DASHBOARDS.contains(&alert.value("dashboard_url")), "{name}");
    }
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks");
    let pages = std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().path());
    let pages: BTreeSet<_> =
        pages.map(|page| page.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let alerts: BTreeSet<_> = alerts().iter().map(|alert| alert.name.to_owned()).collect();
    assert_eq!(pages, alerts);
    for alert in alerts {
        let page = std::fs::read_to_string(folder.join(format!("{alert}.md"))).unwrap();
        let expected = ["What it means", "How to check", "What to do"];
        let heads: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert!(page.starts_with(&format!("# {alert}\n")), "{alert}");
        assert_eq!(heads, expected, "{alert}");
    }
}

#[test]
fn every_alert_is_tested_where_it_fires_and_where_it_is_silent() {
    for alert in alerts() {
        let name = alert.name;
        assert!(TESTS.contains(&format!("alertname: {name}, exp_alerts: []")), "{name} is silent");
        assert!(
            TESTS.contains(&format!("alertname: {name}\n        exp_alerts:\n")),
            "{name} fires"
        );
    }
}

#[test]
fn rules_ask_for_metrics_and_words_that_exist() {
    let rendered = rendered();
    let rules = rules();
    let recorded: BTreeSet<_> = rules.iter().map(|rule| rule.name).collect();
    for rule in &rules {
        let expression = rule.expression();
        check_names(&expression, &rendered);
        let is_in_name =
            |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
        for name in expression.split(|character: char| !is_in_name(character)) {
            if name.contains(':') && name.contains("heygen_") {
                assert!(recorded.contains(name), "{name} in {}", rule.name);
            } else if name.starts_with("heygen_") {
                assert!(rendered.contains(&format!("\n{name}")), "{name} in {}", rule.name);
            }
        }
    }
}

#[test]
fn recorded_names_say_level_metric_and_operation() {
    for rule in rules().iter().filter(|rule| !rule.is_alert) {
        let parts: Vec<_> = rule.name.split(':').collect();
        assert!(parts.len() == 3 && !parts[1].ends_with("_total"), "{}", rule.name);
    }
}
