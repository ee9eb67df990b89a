//! What a product's file offers: the forms in which its pages can be read.
//!
//! Owns the seam between fetching and parsing. A form is data and one pure function; it never
//! fetches. Invariant: a reader is total, it answers a page or one sentence, whatever the bytes.

use std::sync::Arc;

use url::Url;

use crate::model::{Page, Timestamp};

/// One way to read a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Its name in messages.
    pub(super) name: &'static str,
    /// Paths below the page's address, without a leading slash. `{host}` stands for its host. The
    /// first must be there; the others add to it where they can be read.
    pub(super) paths: &'static [&'static str],
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
