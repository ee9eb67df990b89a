//! What a product's file offers: the forms in which its pages can be read.
//!
//! Owns the seam between fetching and parsing, and what follows for the whole page from what a
//! reader found in it. A form is data and one pure function; it never fetches. Invariant: a reader
//! is total, it answers a page or one sentence, whatever the bytes.

use std::sync::Arc;

use url::Url;

use serde_json::Value;

use super::json::{self, MOST_ROWS};
use crate::engine::page::{impact_of_state, overall_state, worst};
use crate::model::{Component, ComponentState, Impact, Page, PageEvent, Phase, Product, Timestamp};

/// Updates of one incident that are kept: nobody reads further back.
const MOST_UPDATES: usize = 100;
/// Sentences about one page: more than that nobody reads.
const MOST_WARNINGS: usize = 100;

/// Reads the documents of one form.
type Read = fn(&Documents<'_>) -> Result<Reading, Refusal>;

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
    /// The hosts that are asked for it (none: every one); any other only where its address names
    /// the document.
    pub(super) hosts: &'static [&'static str],
    /// What the first path must answer.
    pub(super) media: Media,
    /// From the documents to the page.
    pub(super) read: Read,
}

impl Form {
    /// JSON that any host may serve.
    pub(super) const fn json(
        name: &'static str,
        paths: &'static [&'static str],
        read: Read,
    ) -> Self {
        Self { name, paths, hosts: &[], media: Media::Json, read }
    }

    /// The page itself, which any host may serve.
    pub(super) const fn html(name: &'static str, read: Read) -> Self {
        Self { media: Media::Html, ..Self::json(name, &[""], read) }
    }

    /// A feed that any host may serve.
    pub(super) const fn feed(
        name: &'static str,
        paths: &'static [&'static str],
        read: Read,
    ) -> Self {
        Self { media: Media::Feed, ..Self::json(name, paths, read) }
    }

    /// The same, of these hosts alone.
    pub(super) const fn of(self, hosts: &'static [&'static str]) -> Self {
        Self { hosts, ..self }
    }
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

    /// The object in the document of the path with this index, if there is one.
    pub(super) fn object(&self, index: usize) -> Option<Value> {
        json::object(self.body(index)?).ok()
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
    /// What could not be read.
    pub(super) warnings: Warnings,
}

impl Found {
    /// The page: the address and the host stand for what it does not say of itself. One of which
    /// something was lost is not known to be fine.
    pub(super) fn on(self, documents: &Documents<'_>, product: Product) -> Reading {
        let Self { id, name, url, own_word, mut components, mut warnings, .. } = self;
        warnings.cut(&mut components, "rows");
        json::warn_of_unknown_states(&components, &mut warnings);
        let mut over = Vec::new();
        let mut open = |mut events: Vec<PageEvent>, what: &str| -> Vec<PageEvent> {
            warnings.cut(&mut events, what);
            let (past, mut open): (Vec<_>, Vec<_>) =
                events.into_iter().partition(|event| event.phase.is_over());
            over.extend(past.into_iter().map(|event| event.id));
            for event in &mut open {
                event.updates.truncate(MOST_UPDATES);
                event.components.truncate(MOST_ROWS);
            }
            open
        };
        let incidents = open(self.incidents, "incidents");
        let maintenances = open(self.maintenances, "maintenances");
        let said = overall_state(own_word, &components, &incidents, &maintenances);
        let lost = warnings.has_lost.then_some(ComponentState::Unknown);
        let page = Page {
            product,
            id,
            name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| documents.host()),
            url: url.unwrap_or_else(|| documents.address.to_string()),
            state: worst(lost.into_iter().chain([said])).unwrap_or(said),
            components,
            incidents,
            maintenances,
            warnings: warnings.said,
        };
        Reading { page, over }
    }
}

/// What is to be said of a reading, one sentence each, none of them twice.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    said: Vec<String>,
    /// Whether something was lost that may not be fine.
    has_lost: bool,
}

impl Warnings {
    /// Begins with a sentence.
    pub(super) fn of(sentence: &str) -> Self {
        Self { said: vec![sentence.to_owned()], has_lost: false }
    }

    /// One more sentence.
    pub(super) fn say(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if self.said.len() < MOST_WARNINGS && !self.said.contains(&sentence) {
            self.said.push(sentence);
        }
    }

    /// Something that may not be fine could not be read.
    pub(super) fn lose(&mut self, sentence: impl Into<String>) {
        self.has_lost = true;
        self.say(sentence);
    }

    /// Keeps as many entries as a page may have.
    fn cut<T>(&mut self, entries: &mut Vec<T>, what: &str) {
        if entries.len() > MOST_ROWS {
            self.lose(format!("only {MOST_ROWS} of {} {what} were read", entries.len()));
            entries.truncate(MOST_ROWS);
        }
    }
}

/// A row that stands in no group; its name, where it has none, is its id.
pub(super) fn row(
    id: String,
    name: Option<String>,
    raw: String,
    state: ComponentState,
) -> Component {
    Component { name: name.unwrap_or_else(|| id.clone()), id, group: None, state, raw }
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
