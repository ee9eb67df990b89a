//! `status-page URL`: reads any status page and prints what it says.
//!
//! Owns the printed shape (issue 2, item 6) and the table for people. Invariant: what cannot be
//! read is never printed as a page; it is a reason on stderr and exit code 1.

use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::failure::Failure;
use super::output::Audience;
use super::table::columns;
use super::{Context, exit, output};
use crate::model::{Component, Page, PageEvent, Timestamp};
use crate::probe::status_page::read_address;

/// Detection asks for a dozen documents at worst.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Reads any status page: product, components, open incidents.
#[derive(Debug, clap::Args)]
pub struct StatusPageArgs {
    /// Address of the page, e.g. `https://status.heygen.com`
    pub url: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command; answers its exit code.
///
/// # Errors
/// When stdout cannot be written.
pub async fn run(args: &StatusPageArgs, context: &Context) -> anyhow::Result<u8> {
    let url = address(&args.url)?;
    // What stands in a query or before an @ may be a secret.
    let host = url.host_str().unwrap_or_default().to_owned();
    let reading = read_address(url, &context.clock, TIMEOUT);
    let page = output::busy("reading the page", Audience::of(args.json), reading).await;
    let page =
        page.map_err(|reason| Failure::new(format!("cannot read the page at {host}: {reason}")))?;
    let printed =
        if args.json { serde_json::to_string_pretty(&PageJson::from(&page))? } else { text(&page) };
    output::print(printed.trim_end())?;
    Ok(exit::OK)
}

/// An address as people write it: `https://` may be left out.
fn address(text: &str) -> Result<Url, Failure> {
    let wrong = |why: &str| {
        Failure::usage(format!("this is no address of a page: {why}"))
            .hint("write it like https://status.heygen.com")
    };
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url: Url = whole.parse().map_err(|error| wrong(&format!("{error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("it begins with neither http:// nor https://"));
    }
    Ok(url)
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct PageJson<'a> {
    product: &'a str,
    page: IdentityJson<'a>,
    state: &'static str,
    components: Vec<ComponentJson<'a>>,
    incidents: Vec<EventJson<'a>>,
    maintenances: Vec<EventJson<'a>>,
    warnings: &'a [String],
}

#[derive(Debug, Serialize)]
struct IdentityJson<'a> {
    id: Option<&'a str>,
    name: &'a str,
    url: &'a str,
}

#[derive(Debug, Serialize)]
struct ComponentJson<'a> {
    id: &'a str,
    name: &'a str,
    group: Option<&'a str>,
    state: &'static str,
    raw: &'a str,
}

#[derive(Debug, Serialize)]
struct EventJson<'a> {
    id: &'a str,
    title: &'a str,
    phase: &'static str,
    impact: &'static str,
    started_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    components: &'a [String],
    updates: Vec<UpdateJson<'a>>,
}

#[derive(Debug, Serialize)]
struct UpdateJson<'a> {
    at: Option<Timestamp>,
    phase: &'static str,
    text: &'a str,
}

impl<'a> From<&'a Page> for PageJson<'a> {
    fn from(page: &'a Page) -> Self {
        Self {
            product: page.product.as_str(),
            page: IdentityJson { id: page.id.as_deref(), name: &page.name, url: &page.url },
            state: page.state.as_str(),
            components: page.components.iter().map(ComponentJson::from).collect(),
            incidents: page.incidents.iter().map(EventJson::from).collect(),
            maintenances: page.maintenances.iter().map(EventJson::from).collect(),
            warnings: &page.warnings,
        }
    }
}

impl<'a> From<&'a Component> for ComponentJson<'a> {
    fn from(row: &'a Component) -> Self {
        Self {
            id: &row.id,
            name: &row.name,
            group: row.group.as_deref(),
            state: row.state.as_str(),
            raw: &row.raw,
        }
    }
}

impl<'a> From<&'a PageEvent> for EventJson<'a> {
    fn from(event: &'a PageEvent) -> Self {
        let update = |update: &'a crate::model::PageUpdate| UpdateJson {
            at: update.at,
            phase: update.phase.as_str(),
            text: &update.text,
        };
        Self {
            id: &event.id,
            title: &event.title,
            phase: event.phase.as_str(),
            impact: event.impact.as_str(),
            started_at: event.started_at,
            updated_at: event.updated_at,
            ends_at: event.ends_at,
            components: &event.components,
            updates: event.updates.iter().map(update).collect(),
        }
    }
}

/// The page for people.
fn text(page: &Page) -> String {
    let mut text =
        format!("{} ({}, {}): {}\n", page.name, page.product, page.url, plain(page.state.as_str()));
    let label = |row: &Component| match &row.group {
        Some(group) => format!("{group} / {}", row.name),
        None => row.name.clone(),
    };
    let rows = page.components.iter().map(|row| vec![label(row), plain(row.state.as_str())]);
    if rows.len() > 0 {
        push(&mut text, &columns(rows));
    }
    events(&mut text, "Open incidents", &page.incidents);
    events(&mut text, "Maintenances", &page.maintenances);
    for warning in &page.warnings {
        push(&mut text, &format!("note: {warning}"));
    }
    text
}

fn events(text: &mut String, title: &str, events: &[PageEvent]) {
    if events.is_empty() {
        push(text, &format!("{title}: none"));
        return;
    }
    push(text, &format!("{title}:"));
    for event in events {
        let since = event.started_at.map_or_else(String::new, |at| format!(", since {at:.0}"));
        let (phase, impact) = (plain(event.phase.as_str()), plain(event.impact.as_str()));
        push(text, &format!("  {} ({phase}, impact {impact}{since})", event.title));
        if let Some(update) = event.updates.iter().find(|update| !update.text.is_empty()) {
            push(text, &format!("    {}", update.text.replace('\n', "\n    ")));
        }
    }
}

/// A word of the contract as people read it.
fn plain(word: &str) -> String {
    word.replace('_', " ")
}

fn push(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ComponentState, Impact, PageUpdate, Phase, Product};

    fn page() -> Page {
        let at: Timestamp = "2026-11-20T12:00:00.5Z".parse().unwrap();
        let update =
            PageUpdate { at: Some(at), phase: Phase::Identified, text: "Found it.".into() };
        Page {
            product: Product::INCIDENT_IO,
            id: Some("01H".into()),
            name: "Acme".into(),
            url: "https://status.acme.example/".into(),
            state: ComponentState::PartialOutage,
            components: vec![Component {
                id: "1".into(),
                name: "API".into(),
                group: Some("Core".into()),
                state: ComponentState::PartialOutage,
                raw: "partial_outage".into(),
            }],
            incidents: vec![PageEvent {
                id: "i".into(),
                title: "Renders fail".into(),
                phase: Phase::Identified,
                impact: Impact::Major,
                started_at: Some(at),
                updated_at: None,
                ends_at: None,
                components: vec!["1".into()],
                updates: vec![update],
            }],
            maintenances: Vec::new(),
            warnings: vec!["one row could not be read".into()],
        }
    }

    #[test]
    fn the_json_has_the_promised_shape() {
        let json = serde_json::to_value(PageJson::from(&page())).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "product": "incident_io",
                "page": {"id": "01H", "name": "Acme", "url": "https://status.acme.example/"},
                "state": "partial_outage",
                "components": [{"id": "1", "name": "API", "group": "Core", "state": "partial_outage", "raw": "partial_outage"}],
                "incidents": [{"id": "i", "title": "Renders fail", "phase": "identified", "impact": "major",
                    "started_at": "2026-11-20T12:00:00.5Z", "updated_at": null, "components": ["1"],
                    "updates": [{"at": "2026-11-20T12:00:00.5Z", "phase": "identified", "text": "Found it."}]}],
                "maintenances": [],
                "warnings": ["one row could not be read"],
            })
        );
    }

    #[test]
    fn people_get_an_aligned_text() {
        insta::assert_snapshot!(text(&page()), @r"
        Acme (incident_io, https://status.acme.example/): partial outage
          Core / API  partial outage
        Open incidents:
          Renders fail (identified, impact major, since 2026-11-20T12:00:00Z)
            Found it.
        Maintenances: none
        note: one row could not be read
        ");
    }

    #[test]
    fn an_address_may_lack_its_scheme() {
        assert_eq!(address("status.heygen.com").unwrap().as_str(), "https://status.heygen.com/");
        assert_eq!(address("http://127.0.0.1:8080/x").unwrap().port(), Some(8080));
        for wrong in ["", "https://", "ftp://x.example", "file:///etc/passwd"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
