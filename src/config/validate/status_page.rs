//! `[[status_page]]`: which pages are read, and what their rows and words stand for.
//!
//! Invariant: rows and words keep the order of the file, because the first match wins.

use std::time::Duration;

use super::{BuiltIn, Check, in_order};
use crate::config::document::{At, Document};
use crate::config::problem::Fault;
use crate::config::raw::{RawHtml, RawStatusPage};
use crate::config::value::{self, Purpose};
use crate::config::word::{CapabilityWord, OneOrMany, Table};
use crate::engine::Thresholds;
use crate::engine::page::ComponentMap;
use crate::model::{Capability, SourceRole};
use crate::probe::status_page::{HtmlSelectors, StatusPageCheck};
use crate::probe::{CheckSpec, ProbeSpec};

const USUAL_EVERY: Duration = Duration::from_mins(1);
/// A substitute's page is nobody's alarm.
const USUAL_EVERY_OF_SUBSTITUTE: Duration = Duration::from_mins(10);
const USUAL_TIMEOUT: Duration = Duration::from_secs(20);

impl Check<'_> {
    /// The written status pages, or the built-in one.
    pub(super) fn status_pages(
        &mut self,
        written: Option<&[RawStatusPage]>,
        built_in: &BuiltIn,
        thresholds: Thresholds,
    ) -> Vec<ProbeSpec> {
        let usual = usual_map(built_in);
        let mut pages = Vec::new();
        if let Some(list) = written {
            let at = At::root().key("status_page");
            for (i, raw) in list.iter().enumerate() {
                pages.extend(self.status_page(raw, &at.index(i), &usual, thresholds));
            }
        } else {
            for raw in built_in.raw.status_page.iter().flatten() {
                let raw = RawStatusPage { components: None, incidents: None, ..raw.clone() };
                pages.extend(self.status_page(&raw, &At::nowhere(), &usual, thresholds));
            }
        }
        pages
    }

    fn status_page(
        &mut self,
        raw: &RawStatusPage,
        at: &At,
        usual: &ComponentMap,
        thresholds: Thresholds,
    ) -> Option<ProbeSpec> {
        let name =
            raw.name.as_deref().and_then(|name| self.value(&at.key("name"), value::name(name)));
        let role = raw.role.map_or(SourceRole::Primary, |word| word.0);
        let urls = self.page_urls(raw.url.as_ref(), &at.key("url"));
        let replaces = self.replaces(raw, role, at);
        let html = raw.html.as_ref().map(|html| self.html(html, &at.key("html")));
        let map = self.component_map(raw, role, at, usual);
        let usual_every = match role {
            SourceRole::Alternative => USUAL_EVERY_OF_SUBSTITUTE,
            SourceRole::Primary | SourceRole::Peer => USUAL_EVERY,
        };
        let schedule = self.schedule(raw.every.as_ref(), raw.schedule.as_deref(), usual_every, at);
        let timeout = self.timeout(raw.timeout.as_ref(), USUAL_TIMEOUT, &schedule, at);
        let check = StatusPageCheck { urls, role, replaces, map, html };
        Some(ProbeSpec {
            name: name?,
            schedule,
            timeout,
            // A page is no probe of a capability (verdicts.md, section 1).
            capabilities: Vec::new(),
            thresholds,
            check: CheckSpec::StatusPage(check),
        })
    }

    fn page_urls(&mut self, written: Option<&OneOrMany>, at: &At) -> Vec<url::Url> {
        match written {
            Some(OneOrMany::One(text)) => {
                self.url(at, Some(text), Purpose::Ask).into_iter().collect()
            }
            Some(OneOrMany::Many(texts)) => {
                if texts.is_empty() {
                    let hint = "name at least one address";
                    self.fail(at, Fault::new("this list is empty: no page would be read", hint));
                }
                self.each(at, texts, |text| value::url(text, Purpose::Ask))
            }
            None => Vec::new(),
        }
    }

    fn replaces(&mut self, raw: &RawStatusPage, role: SourceRole, at: &At) -> Vec<Capability> {
        let replaces = in_order(raw.replaces.as_deref().unwrap_or_default());
        match role {
            SourceRole::Alternative if replaces.is_empty() => {
                let hint = "say for what people could use it: replaces = [\"video_generation\"]";
                self.fail(at, Fault::new("an alternative without `replaces` helps nobody", hint));
            }
            SourceRole::Primary | SourceRole::Peer if raw.replaces.is_some() => {
                self.problems.add_at_key(
                    self.document,
                    &at.key("replaces"),
                    Fault::new(
                        format!("a {} page replaces nothing", role.as_str()),
                        "remove `replaces`, or write role = \"alternative\"",
                    ),
                );
            }
            SourceRole::Primary | SourceRole::Alternative | SourceRole::Peer => {}
        }
        replaces
    }

    /// Each written table replaces the built-in one; an alternative has none built in, because its
    /// rows are not HeyGen's.
    fn component_map(
        &mut self,
        raw: &RawStatusPage,
        role: SourceRole,
        at: &At,
        usual: &ComponentMap,
    ) -> ComponentMap {
        let usual = match role {
            SourceRole::Alternative => ComponentMap::default(),
            SourceRole::Primary | SourceRole::Peer => usual.clone(),
        };
        let mut table = |key: &str, written: Option<&Table<CapabilityWord>>| {
            let at = at.key(key);
            let table = written.map(|table| ordered(self.document, &at, table))?;
            for (word, _) in table.iter().filter(|(word, _)| word.trim().is_empty()) {
                let fault = Fault::new("an empty word matches everything", "write a word");
                self.problems.add_at_key(self.document, &at.key(word), fault);
            }
            Some(table)
        };
        ComponentMap {
            components: table("components", raw.components.as_ref()).unwrap_or(usual.components),
            incidents: table("incidents", raw.incidents.as_ref()).unwrap_or(usual.incidents),
        }
    }

    fn html(&mut self, raw: &RawHtml, at: &At) -> HtmlSelectors {
        let mut selector = |key: &str, text: Option<&str>| {
            text.and_then(|text| self.value(&at.key(key), value::selector(text)))
        };
        let states = raw.states.iter().flat_map(|table| &table.0);
        HtmlSelectors {
            component: selector("component", raw.component.as_deref()).unwrap_or_default(),
            name: selector("name", raw.name.as_deref()).unwrap_or_default(),
            state: selector("state", raw.state.as_deref()).unwrap_or_default(),
            incident: selector("incident", raw.incident.as_deref()),
            state_attribute: raw.state_attribute.clone(),
            states: states.map(|(word, state)| (word.clone(), state.0)).collect(),
        }
    }
}

/// The rows and words of HeyGen's page.
fn usual_map(built_in: &BuiltIn) -> ComponentMap {
    let at = At::root().key("status_page").index(0);
    let page = built_in.raw.status_page.iter().flatten().next();
    let table = |key: &str, table: Option<&Table<CapabilityWord>>| {
        table.map(|table| ordered(&built_in.document, &at.key(key), table)).unwrap_or_default()
    };
    ComponentMap {
        components: table("components", page.and_then(|page| page.components.as_ref())),
        incidents: table("incidents", page.and_then(|page| page.incidents.as_ref())),
    }
}

fn ordered(
    document: &Document,
    at: &At,
    table: &Table<CapabilityWord>,
) -> Vec<(String, Capability)> {
    let keys = document.keys(at);
    let mut entries: Vec<(String, Capability)> =
        table.0.iter().map(|(key, word)| (key.clone(), word.0)).collect();
    entries.sort_by_key(|(key, _)| keys.iter().position(|other| other == key));
    entries
}
