//! HeyGen's status page as incident.io serves it.
//!
//! Owns what the page says at a given moment: components, incidents, maintenances, each with its own
//! times. Its HTTP side and the shapes are in `page/`. Invariant: what has not happened yet is not on
//! the page.

mod compat;
mod feed;
mod native;
mod routes;

use jiff::Timestamp;

pub(super) use routes::router;

/// The official page.
#[derive(Debug, Clone)]
pub struct StatusPage {
    /// ULID.
    pub id: String,
    /// Name.
    pub name: String,
    /// Its address as it says; `None`: the one it is asked at.
    pub url: Option<String>,
    /// What it serves.
    pub format: Format,
    /// Rows.
    pub components: Vec<PageComponent>,
    /// Incidents, oldest first.
    pub incidents: Vec<PageIncident>,
    /// Maintenances, oldest first.
    pub maintenances: Vec<PageMaintenance>,
}

/// What the page serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Each path what belongs there.
    #[default]
    Json,
    /// The HTML page, with its data, where JSON belongs.
    Html,
    /// An HTML page without any data at every path: the page has moved or is broken.
    Landing,
}

/// One row.
#[derive(Debug, Clone)]
pub struct PageComponent {
    /// ULID.
    pub id: String,
    /// Name: on HeyGen's page, a URL.
    pub name: String,
    /// State from each moment on, oldest first; operational before.
    pub states: Vec<(Timestamp, ComponentState)>,
}

/// State of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "incident.io's words")]
pub enum ComponentState {
    Operational,
    UnderMaintenance,
    DegradedPerformance,
    PartialOutage,
    FullOutage,
}

/// One incident.
#[derive(Debug, Clone)]
pub struct PageIncident {
    /// ULID.
    pub id: String,
    /// Title.
    pub name: String,
    /// `none`, `minor`, `major` or `critical`.
    pub impact: String,
    /// Ids of the rows it names; incident.io's compatible API does not show them.
    pub components: Vec<String>,
    /// What was written, oldest first. The first opens it, `resolved` ends it.
    pub updates: Vec<Notice>,
}

/// One update of an incident.
#[derive(Debug, Clone)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// The phase from then on.
    pub status: IncidentStatus,
    /// What it says.
    pub text: String,
}

/// Phase of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "incident.io's words")]
pub enum IncidentStatus {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
}

/// One maintenance.
#[derive(Debug, Clone)]
pub struct PageMaintenance {
    /// ULID.
    pub id: String,
    /// Title.
    pub name: String,
    /// Ids of the rows it names.
    pub components: Vec<String>,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

impl StatusPage {
    /// HeyGen's page on a good day: six rows named by URL.
    pub fn heygen() -> Self {
        let row = |id: &str, name: &str| PageComponent {
            id: id.to_owned(),
            name: name.to_owned(),
            states: Vec::new(),
        };
        Self {
            id: "01H1NMXHPTVBJ27HJPPZH3DD55".to_owned(),
            name: "HeyGen".to_owned(),
            url: None,
            format: Format::Json,
            components: vec![
                row("01H1NMXJ689YRXE29XWFA5BJCK", "https://www.heygen.com"),
                row("01H1NMXJ68PP0R48RA72768THS", "https://api.heygen.com"),
                row("01KKYCQG8KPQM4RGEN1E0YSEXV", "https://www.liveavatar.com"),
                row("01H1NMXJ68A78D2263VQ5BXFCY", "https://app.heygen.com"),
                row("01KKYCQG8K7CCFHMRWNZZCE4Z8", "https://api.liveavatar.com"),
                row("01KKYCQG8K7SWXD06AKM5MERHE", "https://app.liveavatar.com"),
            ],
            incidents: Vec::new(),
            maintenances: Vec::new(),
        }
    }

    /// The row called `name`.
    pub fn component(&mut self, name: &str) -> Option<&mut PageComponent> {
        self.components.iter_mut().find(|component| component.name == name)
    }

    /// Lets the row called `name` be in `state` from `at` on.
    ///
    /// # Panics
    /// When there is no such row: a script that changes nothing is a mistake.
    pub fn turn(&mut self, name: &str, state: ComponentState, at: Timestamp) {
        let component = self.component(name).expect("a row of the page");
        component.states.push((at, state));
    }

    /// Opens an incident that names the row called `component`.
    pub fn open_incident(&mut self, name: &str, impact: &str, component: &str, first: Notice) {
        let number = self.incidents.len() + 1;
        let names = self.components.iter().filter(|row| row.name == component);
        self.incidents.push(PageIncident {
            id: format!("01KX0000000000000000000{number:03}"),
            name: name.to_owned(),
            impact: impact.to_owned(),
            components: names.map(|row| row.id.clone()).collect(),
            updates: vec![first],
        });
    }

    /// Announces a maintenance of the row called `component`.
    pub fn announce(
        &mut self,
        name: &str,
        component: &str,
        starts_at: Timestamp,
        ends_at: Timestamp,
    ) {
        let number = self.maintenances.len() + 1;
        let names = self.components.iter().filter(|row| row.name == component);
        self.maintenances.push(PageMaintenance {
            id: format!("01KY0000000000000000000{number:03}"),
            name: name.to_owned(),
            components: names.map(|row| row.id.clone()).collect(),
            starts_at,
            ends_at,
        });
    }

    /// State of `component` at `now`; a maintenance in progress shows on the rows it names.
    fn state(&self, component: &PageComponent, now: Timestamp) -> ComponentState {
        let own = component.states.iter().rev().find(|(at, _)| *at <= now);
        let own = own.map_or(ComponentState::Operational, |(_, state)| *state);
        let is_in_work = self.maintenances.iter().any(|maintenance| {
            maintenance.is_in_progress(now) && maintenance.components.contains(&component.id)
        });
        if is_in_work { own.max(ComponentState::UnderMaintenance) } else { own }
    }

    fn worst(&self, now: Timestamp) -> ComponentState {
        let states = self.components.iter().map(|component| self.state(component, now));
        states.max().unwrap_or(ComponentState::Operational)
    }
}

impl Notice {
    /// An update.
    pub fn new(at: Timestamp, status: IncidentStatus, text: &str) -> Self {
        Self { at, status, text: text.to_owned() }
    }
}

impl PageIncident {
    /// The updates that have been written by `now`, oldest first.
    fn written(&self, now: Timestamp) -> Vec<&Notice> {
        self.updates.iter().filter(|notice| notice.at <= now).collect()
    }

    /// The phase at `now`; `None`: nothing is written yet.
    fn status(&self, now: Timestamp) -> Option<IncidentStatus> {
        self.written(now).last().map(|notice| notice.status)
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.status(now).is_some_and(|status| status != IncidentStatus::Resolved)
    }
}

impl PageMaintenance {
    fn is_in_progress(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
    }
}

impl IncidentStatus {
    fn word(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}
