//! What a status page says, whatever product serves it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Capability, ComponentState, Timestamp};

/// The software behind a status page: a word of lower-case letters, digits and `_`.
///
/// An open list, because each product's own file names it; here stand those that more than one
/// file speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Product(Cow<'static, str>);

impl Product {
    /// incident.io.
    pub const INCIDENT_IO: Self = Self::named("incident_io");
    /// Atlassian Statuspage and look-alikes.
    pub const STATUSPAGE: Self = Self::named("statuspage");
    /// Instatus.
    pub const INSTATUS: Self = Self::named("instatus");
    /// Better Stack.
    pub const BETTER_STACK: Self = Self::named("better_stack");
    /// A bare Atom or RSS feed.
    pub const FEED: Self = Self::named("feed");
    /// Any page, read with the selectors of the configuration.
    pub const HTML: Self = Self::named("html");

    /// The product with this word.
    pub const fn named(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// The word printed by `status-page --json`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a source is to us (contract, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum SourceRole {
    /// HeyGen's own page.
    Primary,
    /// A substitute's page.
    Alternative,
    /// Another heygen-monitor.
    Peer,
}

words!(SourceRole, "role");

/// A status page, read. Text is cleaned on entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The software that serves it.
    pub product: Product,
    /// Its id, where the product has one.
    pub id: Option<String>,
    /// Its own name.
    pub name: String,
    /// The address it claims, else the one it was read from.
    pub url: String,
    /// The page as a whole: worst of its components and open incidents, or its own word for it.
    pub state: ComponentState,
    /// Rows, groups left out.
    pub components: Vec<Component>,
    /// Open incidents alone.
    pub incidents: Vec<PageEvent>,
    /// Maintenances that are announced or in progress.
    pub maintenances: Vec<PageEvent>,
    /// What could not be read, one sentence each.
    pub warnings: Vec<String>,
}

/// One row on a status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Id where the product has one, else the name.
    pub id: String,
    /// Name as shown.
    pub name: String,
    /// Name of the group it stands in.
    pub group: Option<String>,
    /// What its state means.
    pub state: ComponentState,
    /// The page's own word for its state.
    pub raw: String,
}

/// An incident or a maintenance on a status page.
#[derive(Debug, Clone, PartialEq)]
pub struct PageEvent {
    /// Id where the product has one, else its link or title.
    pub id: String,
    /// Title as shown.
    pub title: String,
    /// How far it is.
    pub phase: Phase,
    /// How bad the page says it is.
    pub impact: Impact,
    /// When it began (for an announced maintenance: will begin).
    pub started_at: Option<Timestamp>,
    /// When it was last updated.
    pub updated_at: Option<Timestamp>,
    /// Planned end; maintenances alone.
    pub ends_at: Option<Timestamp>,
    /// Ids (or, where the page gives no id, names) of the components it names.
    pub components: Vec<String>,
    /// Its updates, newest first.
    pub updates: Vec<PageUpdate>,
}

/// One update of an incident or maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageUpdate {
    /// When it was published.
    pub at: Option<Timestamp>,
    /// The phase it moved to.
    pub phase: Phase,
    /// Its text, plain.
    pub text: String,
}

/// How far an incident or maintenance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the words of the products, facts in the module documentation")]
pub enum Phase {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
    Postmortem,
    Scheduled,
    InProgress,
    Verifying,
    Completed,
    /// A word that is not known; it is kept in the update's text or the page's warnings.
    Unknown,
}

words!(Phase, "phase");

impl Phase {
    /// True when the thing is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::Postmortem | Self::Completed)
    }
}

/// How bad a page says an incident is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the words of Statuspage's `impact`")]
pub enum Impact {
    None,
    Maintenance,
    Unknown,
    Minor,
    Major,
    Critical,
}

words!(Impact, "impact");

/// The result of reading one source once.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceReading {
    /// Name of the source in the configuration.
    pub source: String,
    /// What it is to us.
    pub role: SourceRole,
    /// What an alternative replaces.
    pub replaces: Vec<Capability>,
    /// When the reading ended, on our clock: freshness is ours, never the page's.
    pub at: Timestamp,
    /// The page, or why it could not be read (one sentence).
    pub page: Result<Page, String>,
}
