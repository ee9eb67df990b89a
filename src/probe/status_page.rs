//! Reads a status page: what is configured, the products, and the probe.
//!
//! Owns the list of forms in the order in which they are tried. `session` fetches, remembers and
//! decides what is accepted; each product's file only turns documents into a page. Invariant: a
//! page that could not be read just now is never shown from an earlier reading.

use url::Url;

use crate::engine::page::ComponentMap;
use crate::model::{Capability, SourceRole};

mod aws;
mod azure;
mod better_stack;
mod cachet;
mod cachet_3;
mod detect;
mod feed;
mod fetch;
mod flight;
mod form;
mod gatus;
mod google_cloud;
mod html;
mod incident_io;
mod instatus;
mod json;
mod markup;
mod peer;
mod prober;
mod session;
mod status_io;
mod statuscast;
mod statuspage;
mod statuspage_html;
mod trouble;
mod uptime_kuma;
mod watch;
mod words;

pub use prober::{prober, read_address, read_once};

use form::Form;

/// `[[status_page]]` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct StatusPageCheck {
    /// Alternates of the same page, tried in order.
    pub urls: Vec<Url>,
    /// What it is to us.
    pub role: SourceRole,
    /// What an alternative replaces.
    pub replaces: Vec<Capability>,
    /// Rows and words.
    pub map: ComponentMap,
    /// Selectors of the generic HTML reader; `None`: the page is one of the known products.
    pub html: Option<HtmlSelectors>,
}

/// CSS selectors of the generic HTML reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HtmlSelectors {
    /// One element per row.
    pub component: String,
    /// Its name, within the row.
    pub name: String,
    /// Its state, within the row: text, or the `class` where `state_attribute` says so.
    pub state: String,
    /// Attribute that holds the state instead of the text.
    pub state_attribute: Option<String>,
    /// Word on the page → component state (the words of the contract).
    pub states: Vec<(String, crate::model::ComponentState)>,
    /// One element per open incident (its text is the title).
    pub incident: Option<String>,
}

/// Every way to read a page, in the order in which they are tried: what says most comes first,
/// and HTML and feeds come after all JSON.
static FORMS: &[Form] = &[
    statuspage::SUMMARY,
    incident_io::COMPAT,
    incident_io::PROXY,
    better_stack::INDEX,
    instatus::SUMMARY,
    statuspage::PARTS,
    incident_io::WIDGET,
    statuscast::SUMMARY,
    gatus::STATUSES,
    cachet::LISTS,
    cachet_3::LISTS,
    uptime_kuma::PAGE,
    google_cloud::INCIDENTS,
    aws::EVENTS,
    azure::DEVOPS,
    status_io::STATUS,
    incident_io::HTML,
    instatus::HTML,
    statuspage_html::HTML,
    better_stack::HTML,
    azure::FEED,
    feed::FORMS[0],
    feed::FORMS[1],
    feed::FORMS[2],
    feed::FORMS[3],
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::{Arc, OnceLock};

    use proptest::prelude::*;
    use serde_json::Value;

    use super::form::Documents;
    use super::*;
    use crate::model::{ComponentState, Page, Product};

    /// Every document of every product: the files beside each other, and those in the cases.
    fn fixtures() -> &'static [Vec<u8>] {
        static FIXTURES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
        FIXTURES.get_or_init(|| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/status");
            let alone = files(&folder).map(|path| std::fs::read(path).unwrap());
            let products = folder.join("products");
            let cases =
                files(&products).flat_map(|path| served(&std::fs::read_to_string(path).unwrap()));
            alone.chain(cases).collect()
        })
    }

    fn files(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    }

    /// The documents of a case: from each line `> PATH` to the next line that begins one.
    fn served(case: &str) -> Vec<Vec<u8>> {
        let parts = case.split("\n> ").skip(1).filter_map(|part| part.split_once('\n'));
        let body = |(head, rest): (&str, &str)| {
            let body = rest.split("\n= ").next().unwrap_or_default();
            if head.ends_with(" utf-16") {
                format!("\u{feff}{body}").encode_utf16().flat_map(u16::to_be_bytes).collect()
            } else {
                body.as_bytes().to_vec()
            }
        };
        parts.map(body).collect()
    }

    /// Every reader on the same bytes: as the only document, and as every document.
    fn read_by_all(bytes: &[u8]) -> Vec<Page> {
        let address: Url = "https://status.acme.example/".parse().unwrap();
        let now = "2026-01-02T04:00:00Z".parse().unwrap();
        let body: Option<Arc<[u8]>> = Some(bytes.into());
        let alone = vec![body.clone(), None, None];
        let everywhere = vec![body; 3];
        let read = |bodies: &Vec<_>, form: &Form| {
            (form.read)(&Documents { address: &address, bodies, now }).ok()
        };
        [alone, everywhere]
            .iter()
            .flat_map(|bodies| FORMS.iter().filter_map(move |form| read(bodies, form)))
            .map(|reading| reading.page)
            .collect()
    }

    fn is_green_with_reason(page: &Page) -> bool {
        page.state != ComponentState::Operational
            || page.components.iter().all(|row| row.state == ComponentState::Operational)
    }

    #[test]
    fn every_fixture_is_read_by_its_reader_alone() {
        for fixture in fixtures() {
            let pages = read_by_all(fixture);
            let products: BTreeSet<&str> = pages
                .iter()
                .map(|page| page.product.as_str())
                // Any feed may be read as a mere feed.
                .filter(|product| *product != Product::FEED.as_str())
                .collect();
            assert!(products.len() <= 1, "{products:?}: {}", String::from_utf8_lossy(fixture));
        }
    }

    /// The same shape, with nothing in it that any product says.
    fn without_meaning(value: &Value, nonsense: &Value) -> Value {
        match value {
            Value::Array(entries) => {
                entries.iter().map(|entry| without_meaning(entry, nonsense)).collect()
            }
            Value::Object(fields) => {
                let fields = fields.iter();
                fields.map(|(key, value)| (key.clone(), without_meaning(value, nonsense))).collect()
            }
            _ => nonsense.clone(),
        }
    }

    #[test]
    fn no_reader_calls_a_broken_document_green() {
        let empty = ["", "null", "true", "0", "[]", "{}", "[{}]", "[null]", "{\"data\":[]}"];
        let mut broken: Vec<Vec<u8>> = empty.iter().map(|text| text.as_bytes().to_vec()).collect();
        for fixture in fixtures() {
            let Ok(json) = serde_json::from_slice::<Value>(fixture) else { continue };
            broken.push(fixture.iter().take(fixture.len() / 2).copied().collect());
            for nonsense in [Value::Null, "nonsense".into(), 7777.into(), (-1).into()] {
                broken.push(without_meaning(&json, &nonsense).to_string().into_bytes());
            }
        }
        for document in &broken {
            for page in read_by_all(document) {
                let text = String::from_utf8_lossy(document);
                assert_ne!(page.state, ComponentState::Operational, "{}: {text}", page.product);
            }
        }
    }

    #[test]
    fn what_could_not_be_read_may_be_bad() {
        for whole in [
            r#"{"page":{},"status":{"indicator":"none"},"components":[],"incidents":[]}"#,
            r#"{"page":{"status":"UP"},"components":[],"activeIncidents":[]}"#,
            r#"{"PageName":"A","Status":"Available","UnresolvedIncidents":[]}"#,
            r#"{"data":{"type":"status_page","attributes":{"aggregate_state":"operational"}},"included":[]}"#,
            r#"{"result":{"status_overall":{"status_code":100},"status":[],"incidents":[]}}"#,
            r#"{"summary":{"components":[{"id":"a"}],"affected_components":[],"ongoing_incidents":[]}}"#,
        ] {
            let is_green = |document: &str| {
                let pages = read_by_all(document.as_bytes());
                assert!(!pages.is_empty(), "{document}");
                pages.iter().any(|page| page.state == ComponentState::Operational)
            };
            assert!(is_green(whole), "{whole}");
            // Each of its lists in turn: no list, and a list of what is no row.
            for (at, _) in whole.match_indices("[]") {
                for broken in ["7", "{\"a\":1}", "[7]", "[{}]"] {
                    let mut document = whole.to_owned();
                    document.replace_range(at..at + 2, broken);
                    assert!(!is_green(&document), "{document}");
                }
            }
        }
    }

    #[test]
    fn who_is_affected_twice_is_as_bad_as_the_worse() {
        let native = |affected: &str| {
            let document = format!(
                r#"{{"summary":{{"components":[{{"id":"a"}}],"affected_components":[{affected}]}}}}"#
            );
            read_by_all(document.as_bytes()).remove(0).state
        };
        let (bad, fine) = (
            r#"{"component_id":"a","status":"full_outage"}"#,
            r#"{"component_id":"a","status":"operational"}"#,
        );
        assert_eq!(native(fine), ComponentState::Operational);
        assert_eq!(native(&format!("{bad},{fine}")), ComponentState::MajorOutage);
        assert_eq!(native(r#"{"status":"full_outage"}"#), ComponentState::Unknown);
    }

    #[test]
    fn a_page_of_more_rows_than_any_has_is_cut_and_not_green() {
        use std::fmt::Write as _;
        let many = |row: &dyn Fn(usize) -> String| {
            (0..2_500).fold(String::new(), |mut all, number| {
                write!(all, "{}{}", if number == 0 { "" } else { "," }, row(number)).unwrap();
                all
            })
        };
        let row = |n: usize| format!(r#"{{"id":"i{n}","name":"n{n}","status":"s{n}"}}"#);
        let ids = many(&|n| format!(r#"{{"id":"i{n}"}}"#));
        for document in [
            format!(r#"{{"page":{{}},"components":[{}]}}"#, many(&row)),
            format!(
                r#"{{"page":{{}},"components":[],"incidents":[{{"id":"1","impact":"minor","components":[{ids}]}}]}}"#
            ),
            format!(
                r#"{{"page":{{"status":"UP"}},"components":[{{"id":"p","children":[{}]}}]}}"#,
                many(&row)
            ),
            format!(r#"{{"config":{{}},"publicGroupList":[{{"monitorList":[{}]}}]}}"#, many(&row)),
            format!(r#"[{{"affected_products":[{ids}],"begin":"x","id":"1"}}]"#),
        ] {
            for page in read_by_all(document.as_bytes()) {
                assert!(page.components.len() <= json::MOST_ROWS, "{}", page.product);
                assert!(page.warnings.len() <= 101, "{}", page.product);
                assert_ne!(page.state, ComponentState::Operational, "{}", page.product);
                let named = page.incidents.iter().map(|incident| incident.components.len());
                assert!(named.max().unwrap_or(0) <= json::MOST_ROWS, "{}", page.product);
            }
        }
    }

    #[test]
    fn a_page_that_is_nested_without_end_is_unreadable() {
        // Behind the end of the body a comment stands high up in the tree.
        let hidden = format!("{}</body><!-- -->", "<div>".repeat(500)).repeat(20);
        for body in ["<div>".repeat(20_000), hidden] {
            let page = format!("<body class='status index'>{body}");
            assert!(markup::document(&page).is_err());
            assert!(read_by_all(page.as_bytes()).is_empty());
        }
        assert!(markup::document(&"<p>".repeat(20_000)).is_ok(), "one behind the other");
        assert_eq!(words::plain_text(&"<div>".repeat(500)), "<div>".repeat(500));
        let groups = ["<m:group>", "</m:group>"].map(|tag| tag.repeat(20_000)).concat();
        let feed = format!(
            r#"<feed xmlns="http://www.w3.org/2005/Atom" xmlns:m="http://search.yahoo.com/mrss/"><entry>{groups}</entry></feed>"#
        );
        assert!(read_by_all(feed.as_bytes()).is_empty());
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(read_by_all(deep.as_bytes()).is_empty());
    }

    #[test]
    fn of_two_events_that_touch_a_service_the_worse_counts() {
        let event = |status: u8| {
            format!(r#"{{"service":"s3","status":"{status}","date":"{status}","event_log":[]}}"#)
        };
        let pages = read_by_all(format!("[{},{}]", event(1), event(3)).as_bytes());
        assert_eq!(pages[0].components[0].state, ComponentState::MajorOutage);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn no_reader_panics_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for page in read_by_all(&bytes) {
                prop_assert!(is_green_with_reason(&page));
            }
        }

        #[test]
        fn no_reader_panics_on_a_damaged_page(
            which in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            length in 0_usize..40,
            patch in prop_oneof![Just(""), Just("null"), Just("[]"), Just("{}"), Just("\""), Just("<b>"), Just("é$undefined"), Just("-1")],
        ) {
            let mut bytes = which.get(fixtures()).clone();
            let from = at.index(bytes.len());
            let to = (from + length).min(bytes.len());
            bytes.splice(from..to, patch.bytes());
            for page in read_by_all(&bytes) {
                prop_assert!(is_green_with_reason(&page));
            }
        }
    }
}
