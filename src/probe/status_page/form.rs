//! What a product's file offers: the forms in which its pages can be read.
//!
//! Owns the seam between fetching and parsing, and what follows for the whole page from what a
//! reader found in it. A form is data and one pure function; it never fetches. Invariant: a reader
//! is total, it answers a page or one sentence, whatever the bytes.

use std::sync::Arc;

use url::Url;

use super::json;
use crate::engine::page::{impact_of_state, overall_state, worst};
use crate::model::{Component, ComponentState, Impact, Page, PageEvent, Phase, Product, Timestamp};

/// For a form of which any host may serve a page.
pub(super) const ANYWHERE: &[&str] = &[];

/// One way to read a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Its name in messages.
    pub(super) name: &'static str,
    /// Paths from the page's address, or, with a leading slash, from the root of its host; `""` is
    /// the page itself. `{host}` stands for its host, `{slug}` for the last part of its path
    /// (`default` where it has none). The first must be there; the others add to it where they can
    /// be read.
    pub(super) paths: &'static [&'static str],
    /// The hosts that are asked for it; any other only where its address names the document.
    pub(super) hosts: &'static [&'static str],
    /// What the first path must answer.
    pub(super) media: Media,
    /// From the documents to the page.
    pub(super) read: fn(&Documents<'_>) -> Result<Reading, Refusal>,
}

/// What kind of document a form reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// JSON; never served as HTML.
    Json,
    /// JSON that holds a long history, and may be larger.
    Archive,
    /// HTML.
    Html,
    /// Atom or RSS, whatever it is served as.
    Feed,
}

/// What was fetched for one form.
#[derive(Debug)]
pub(super) struct Documents<'a> {
    /// The address of the page as configured.
    pub(super) address: &'a Url,
    /// One entry per path of the form; the first is always there.
    pub(super) bodies: &'a [Option<Arc<[u8]>>],
    /// The time, for what is planned and what is over.
    pub(super) now: Timestamp,
}

impl Documents<'_> {
    /// The first document.
    pub(super) fn main(&self) -> &[u8] {
        self.body(0).unwrap_or_default()
    }

    /// The document of the path with this index, if it could be fetched.
    pub(super) fn body(&self, index: usize) -> Option<&[u8]> {
        self.bodies.get(index).and_then(Option::as_deref)
    }

    /// Host of the page: its name where it gives none.
    pub(super) fn host(&self) -> String {
        self.address.host_str().unwrap_or_default().to_owned()
    }

    /// The first document as text, invalid bytes replaced.
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.main())
    }
}

/// A page, and what was learned beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// The page.
    pub(super) page: Page,
    /// Ids of incidents and maintenances that the page says are over.
    pub(super) over: Vec<String>,
}

/// What a reader found; [`Found::on`] makes a page of it. What is missing is missing.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The page's id.
    pub(super) id: Option<String>,
    /// The page's name.
    pub(super) name: Option<String>,
    /// The address that the page gives itself.
    pub(super) url: Option<String>,
    /// The page's own word for the whole.
    pub(super) own_word: Option<ComponentState>,
    /// Rows, groups left out.
    pub(super) components: Vec<Component>,
    /// Incidents, over or not.
    pub(super) incidents: Vec<PageEvent>,
    /// Maintenances, over or not.
    pub(super) maintenances: Vec<PageEvent>,
    /// What could not be read, one sentence each.
    pub(super) warnings: Vec<String>,
}

impl Found {
    /// The page: the address and the host stand for what it does not say of itself.
    pub(super) fn on(self, documents: &Documents<'_>, product: Product) -> Reading {
        let Self { id, name, url, own_word, components, mut warnings, .. } = self;
        json::warn_of_unknown_states(&components, &mut warnings);
        let mut over = Vec::new();
        let mut open = |events: Vec<PageEvent>| -> Vec<PageEvent> {
            let (past, open): (Vec<_>, Vec<_>) =
                events.into_iter().partition(|event| event.phase.is_over());
            over.extend(past.into_iter().map(|event| event.id));
            open
        };
        let (incidents, maintenances) = (open(self.incidents), open(self.maintenances));
        let page = Page {
            product,
            id,
            name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| documents.host()),
            url: url.unwrap_or_else(|| documents.address.to_string()),
            state: overall_state(own_word, &components, &incidents, &maintenances),
            components,
            incidents,
            maintenances,
            warnings,
        };
        Reading { page, over }
    }
}

/// An incident or maintenance of which no more than this is known.
pub(super) fn event(id: String, title: String) -> PageEvent {
    PageEvent {
        id,
        title,
        phase: Phase::Unknown,
        impact: Impact::Unknown,
        started_at: None,
        updated_at: None,
        ends_at: None,
        components: Vec::new(),
        updates: Vec::new(),
    }
}

/// The impact of an incident whose product says no more of it than the rows it names: as bad as
/// the worst of them is now.
pub(super) fn impact_on(components: &[Component], named: &[String]) -> Impact {
    let rows = components.iter().filter(|row| named.contains(&row.id));
    worst(rows.map(|row| row.state)).map_or(Impact::Unknown, impact_of_state)
}

/// Why a reader does not take a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not this form's; another may take it. Continues a sentence that begins with its
    /// address.
    Foreign(String),
    /// It is this product's, and says that there is nothing to be read on this host.
    Unusable(String),
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self::Foreign(text)
    }
}

impl From<&str> for Refusal {
    fn from(text: &str) -> Self {
        Self::Foreign(text.to_owned())
    }
}
