//! From `grafana/dashboards.toml` to the JSON that Grafana reads: layout, styles, variables.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

const SOURCE: &str = include_str!("../../../grafana/dashboards.toml");

/// What `{$}` in a query stands for.
const SELECTOR: &str = r#"{job=~"$job", instance=~"$instance""#;
/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// To whom a file is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Read from a directory: keeps to Grafana's published types, which have no place for the
    /// query of an annotation; the shading of the panels says the same.
    Provisioned,
    /// Given to the import dialogue, which asks for the data source.
    Imported,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    words: BTreeMap<String, Words>,
    dashboard: Vec<Dashboard>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    label: String,
    words: Vec<[String; 3]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dashboard {
    name: String,
    title: String,
    description: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    title: String,
    repeat: Option<String>,
    panel: Vec<Panel>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Stat,
    Timeline,
    Lines,
    /// Lines, of which those called late and stuck are limits.
    Limits,
    Bars,
    Heatmap,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    kind: Kind,
    title: String,
    description: String,
    width: u64,
    height: u64,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    colours: Vec<(i64, String, String)>,
    #[serde(default)]
    name_only: bool,
    #[serde(default)]
    incidents: bool,
    set: Option<StateSet>,
    #[serde(default)]
    queries: Vec<Query>,
}

/// A metric with one series per state.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateSet {
    metric: String,
    words: String,
    by: String,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Query {
    expr: String,
    legend: String,
}

/// Every file below `grafana/` with its content.
pub(crate) fn files() -> Vec<(String, Variant, Value)> {
    let source: Source = toml::from_str(SOURCE).unwrap();
    let variants = [(Variant::Provisioned, ""), (Variant::Imported, "import/")];
    let of = |dashboard: &Dashboard| {
        variants.map(|(variant, folder)| {
            let file = format!("{folder}{}.json", dashboard.name);
            (file, variant, dashboard.json(&source.words, variant))
        })
    };
    source.dashboard.iter().flat_map(of).collect()
}

impl Dashboard {
    fn json(&self, words: &BTreeMap<String, Words>, variant: Variant) -> Value {
        let mut dashboard = json!({
            "annotations": { "list": annotations(variant) },
            "description": self.description,
            "editable": false,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,
            "links": [{
                "asDropdown": false, "icon": "external link", "includeVars": true,
                "keepTime": true, "tags": ["heygen-monitor"], "targetBlank": false,
                "title": "HeyGen", "tooltip": "", "type": "dashboards", "url": "",
            }],
            "panels": self.panels(words),
            "refresh": "1m",
            "schemaVersion": 42,
            "tags": ["heygen", "heygen-monitor"],
            "templating": { "list": self.variables(variant) },
            "time": { "from": "now-24h", "to": "now" },
            "timepicker": {},
            "timezone": "browser",
            "title": self.title,
            "uid": format!("heygen-{}", self.name),
            "version": 1,
            "weekStart": "",
        });
        if variant == Variant::Imported {
            dashboard["__inputs"] = json!([{
                "name": "DS_PROMETHEUS", "label": "Prometheus", "description": "",
                "type": "datasource", "pluginId": "prometheus", "pluginName": "Prometheus",
            }]);
            dashboard["__requires"] = self.requires();
        }
        dashboard
    }

    fn panels(&self, words: &BTreeMap<String, Words>) -> Vec<Value> {
        let mut panels = Vec::new();
        let mut y = 0;
        for row in &self.row {
            let mut head = json!({
                "collapsed": false, "gridPos": { "h": 1, "w": COLUMNS, "x": 0, "y": y },
                "id": panels.len() + 1, "panels": [], "title": row.title, "type": "row",
            });
            if let Some(variable) = &row.repeat {
                head["repeat"] = json!(variable);
            }
            panels.push(head);
            y += 1;
            let (mut x, mut tallest) = (0, 0);
            for panel in &row.panel {
                if x + panel.width > COLUMNS {
                    (x, y, tallest) = (0, y + tallest, 0);
                }
                let mut json = panel.json(words);
                json["gridPos"] = json!({ "h": panel.height, "w": panel.width, "x": x, "y": y });
                json["id"] = json!(panels.len() + 1);
                panels.push(json);
                x += panel.width;
                tallest = tallest.max(panel.height);
            }
            y += tallest;
        }
        panels
    }

    fn variables(&self, variant: Variant) -> Vec<Value> {
        let current = match variant {
            Variant::Provisioned => json!({ "text": "Prometheus", "value": "prometheus" }),
            Variant::Imported => {
                json!({ "text": "${DS_PROMETHEUS}", "value": "${DS_PROMETHEUS}" })
            }
        };
        let mut variables = vec![
            json!({
                "current": current, "hide": 0, "includeAll": false, "label": "Data source",
                "multi": false, "name": "datasource", "options": [], "query": "prometheus",
                "refresh": 1, "regex": "", "skipUrlSync": false, "type": "datasource",
            }),
            variable("job", "Job", "label_values(heygen_monitor_build_info, job)"),
            variable(
                "instance",
                "Instance",
                r#"label_values(heygen_monitor_build_info{job=~"$job"}, instance)"#,
            ),
        ];
        for (name, query) in &self.variables {
            let mut label = name.clone();
            if let Some(first) = label.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            variables.push(variable(name, &label, &filled(query)));
        }
        variables
    }

    fn requires(&self) -> Value {
        let kinds = self.row.iter().flat_map(|row| &row.panel).map(|panel| panel.kind.plugin());
        let kinds: std::collections::BTreeSet<_> = kinds.collect();
        let panel = |id| json!({ "type": "panel", "id": id, "name": id, "version": "" });
        let mut requires: Vec<_> = kinds.into_iter().map(panel).collect();
        requires.push(json!({
            "type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0",
        }));
        requires.push(
            json!({ "type": "grafana", "id": "grafana", "name": "Grafana", "version": "11.0.0" }),
        );
        Value::from(requires)
    }
}

/// Grafana's own, and incidents as regions of time.
fn annotations(variant: Variant) -> Vec<Value> {
    let mut list = vec![json!({
        "builtIn": 1, "datasource": { "type": "grafana", "uid": "-- Grafana --" }, "enable": true,
        "hide": true, "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts",
        "type": "dashboard",
    })];
    if variant == Variant::Provisioned {
        return list;
    }
    for (blame, name, colour) in [
        ("provider", "Incidents: HeyGen", "red"),
        ("account|client", "Incidents: our account or request", "orange"),
        ("network|monitor", "Incidents: our network or monitor", "blue"),
    ] {
        let query = r#"max by (instance, blame) (heygen_incidents_open{$, blame=~"BLAME"}) > 0"#;
        list.push(json!({
            "datasource": datasource(), "enable": true, "hide": false, "iconColor": colour,
            "name": name, "tagKeys": "blame,instance", "titleFormat": "Incident",
            "textFormat": "{{blame}}, seen by {{instance}}",
            "target": {
                "datasource": datasource(), "expr": filled(&query.replace("BLAME", blame)),
                "interval": "60s", "refId": "Anno",
            },
        }));
    }
    list
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "$datasource" })
}

/// `{$` written out.
fn filled(query: &str) -> String {
    query.replace("{$", SELECTOR)
}

fn variable(name: &str, label: &str, query: &str) -> Value {
    json!({
        "allValue": ".+", "current": { "text": ["All"], "value": ["$__all"] },
        "datasource": datasource(), "hide": 0, "includeAll": true,
        "label": label, "multi": true, "name": name, "options": [],
        "query": { "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery" },
        "refresh": 2, "regex": "", "skipUrlSync": false, "sort": 1, "type": "query",
    })
}

impl Kind {
    fn plugin(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Timeline => "state-timeline",
            Self::Lines | Self::Limits | Self::Bars => "timeseries",
            Self::Heatmap => "heatmap",
        }
    }

    fn options(self, name_only: bool, has_words: bool) -> Value {
        match self {
            Self::Stat => json!({
                "colorMode": if has_words { "background" } else { "none" },
                "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
                "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
                "textMode": if name_only { "name" } else { "value_and_name" },
            }),
            Self::Timeline => json!({
                "alignValue": "left", "mergeValues": true, "rowHeight": 0.85, "showValue": "auto",
                "legend": { "displayMode": "list", "placement": "bottom", "showLegend": false },
                "tooltip": { "mode": "single", "sort": "none" },
            }),
            Self::Lines | Self::Limits | Self::Bars => json!({
                "legend": {
                    "calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true,
                },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Self::Heatmap => json!({
                "calculate": false, "cellGap": 1, "filterValues": { "le": 1e-9 },
                "color": {
                    "mode": "scheme", "scheme": "Spectral", "reverse": true, "steps": 64,
                    "exponent": 0.5, "fill": "dark-orange",
                },
                "exemplars": { "color": "rgba(255,0,255,0.7)" },
                "legend": { "show": true }, "rowsFrame": { "layout": "auto" },
                "showValue": "never",
                "tooltip": { "mode": "single", "yHistogram": true, "showColorScale": false },
                "yAxis": { "axisPlacement": "left", "reverse": false, "unit": "s" },
            }),
        }
    }

    fn custom(self) -> Value {
        match self {
            Self::Stat => json!({}),
            Self::Timeline => json!({ "fillOpacity": 80, "lineWidth": 0, "spanNulls": false }),
            Self::Lines | Self::Limits => json!({
                "drawStyle": "line", "fillOpacity": 0, "lineWidth": 1, "showPoints": "auto",
                "spanNulls": false,
            }),
            Self::Bars => json!({
                "drawStyle": "bars", "fillOpacity": 60, "lineWidth": 1, "showPoints": "auto",
                "spanNulls": false, "stacking": { "group": "A", "mode": "normal" },
            }),
            Self::Heatmap => json!({ "scaleDistribution": { "type": "linear" } }),
        }
    }
}

impl Panel {
    fn json(&self, words: &BTreeMap<String, Words>) -> Value {
        let colours = self.colours(words);
        let mut defaults = json!({ "custom": self.kind.custom() });
        defaults["unit"] = json!(self.unit.as_deref().unwrap_or("none"));
        if matches!(self.kind, Kind::Lines | Kind::Limits | Kind::Bars) {
            defaults["min"] = json!(0);
        }
        json!({
            "datasource": datasource(),
            "description": self.description,
            "fieldConfig": { "defaults": defaults, "overrides": self.overrides(&colours) },
            "options": self.kind.options(self.name_only, !colours.is_empty()),
            "targets": self.targets(words),
            "title": self.title,
            "type": self.kind.plugin(),
        })
    }

    /// What a number is called, and its colour.
    fn colours(&self, words: &BTreeMap<String, Words>) -> Vec<(i64, String, String)> {
        let Some(set) = &self.set else {
            return self.colours.clone();
        };
        let numbered = (0..).zip(&words[&set.words].words);
        numbered.map(|(i, [_, text, colour])| (i, text.clone(), colour.clone())).collect()
    }

    fn targets(&self, words: &BTreeMap<String, Words>) -> Vec<Value> {
        let mut queries = self.queries.clone();
        queries.extend(self.set.as_ref().map(|set| set.query(&words[&set.words])));
        if self.incidents {
            queries.push(Query {
                expr: r#"max by (blame) (heygen_incidents_open{$, blame=~"account|provider"} > bool 0)"#
                    .to_owned(),
                legend: "incident: {{blame}}".to_owned(),
            });
        }
        ('A'..).zip(&queries).map(|(id, query)| self.target(id, query)).collect()
    }

    fn target(&self, id: char, query: &Query) -> Value {
        let mut target = json!({
            "datasource": datasource(), "editorMode": "code", "expr": filled(&query.expr),
            "legendFormat": query.legend, "refId": id.to_string(),
        });
        let range = if self.kind == Kind::Stat { "instant" } else { "range" };
        target[range] = json!(true);
        if self.kind == Kind::Heatmap {
            target["format"] = json!("heatmap");
        }
        target
    }

    fn overrides(&self, colours: &[(i64, String, String)]) -> Vec<Value> {
        let mut overrides = Vec::new();
        if !colours.is_empty() {
            overrides.push(mapped(colours));
        }
        if self.kind == Kind::Limits {
            for (limit, colour) in [("late", "yellow"), ("stuck", "red")] {
                overrides.push(styled(
                    &format!("/{limit}$/"),
                    colour,
                    &[("custom.lineStyle", json!({ "fill": "dash", "dash": [10, 10] }))],
                ));
            }
        }
        if self.incidents {
            for (blame, colour) in [("provider", "red"), ("account", "orange")] {
                let shade = [
                    ("custom.lineWidth", json!(0)),
                    ("custom.fillOpacity", json!(15)),
                    ("custom.axisPlacement", json!("hidden")),
                    ("custom.showPoints", json!("never")),
                    ("unit", json!("bool_yes_no")),
                    ("max", json!(1)),
                ];
                overrides.push(styled(&format!("/^incident: {blame}$/"), colour, &shade));
            }
        }
        overrides
    }
}

impl StateSet {
    /// The number of the state that it is in, the highest where several series are one line.
    fn query(&self, words: &Words) -> Query {
        let Self { metric, by, .. } = self;
        let label = &words.label;
        let states = (0..).zip(&words.words).map(|(i, [word, ..]): (usize, _)| {
            format!(r#"({metric}{{$, {label}="{word}"}} == 1) * {i}"#)
        });
        let states: Vec<_> = states.collect();
        let legend = match by.as_str() {
            "capability" => "{{capability}}",
            "source, component" => "{{component}} ({{source}})",
            _ => "{{capability}} @ {{instance}}",
        };
        Query {
            expr: format!("max by ({by}) (\n  {}\n)", states.join("\n  or ")),
            legend: legend.to_owned(),
        }
    }
}

/// Numbers shown as words. (In an override, because the published types know the modes as enums
/// that JSON cannot spell.)
fn mapped(colours: &[(i64, String, String)]) -> Value {
    let mut words = Map::new();
    for (index, (number, text, colour)) in colours.iter().enumerate() {
        let word = json!({ "color": colour, "index": index, "text": text });
        words.insert(number.to_string(), word);
    }
    json!({
        "matcher": { "id": "byRegexp", "options": ".*" },
        "properties": [
            { "id": "color", "value": { "mode": "thresholds" } },
            { "id": "thresholds", "value": {
                "mode": "absolute", "steps": [{ "color": "text", "value": null }],
            } },
            { "id": "mappings", "value": [{ "type": "value", "options": words }] },
        ],
    })
}

fn styled(names: &str, colour: &str, more: &[(&str, Value)]) -> Value {
    let mut properties =
        vec![json!({ "id": "color", "value": { "mode": "fixed", "fixedColor": colour } })];
    properties.extend(more.iter().map(|(id, value)| json!({ "id": id, "value": value })));
    json!({ "matcher": { "id": "byRegexp", "options": names }, "properties": properties })
}
