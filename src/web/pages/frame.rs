//! What stands around every page: title, icon, navigation, how fresh it is, and the alarm.
//!
//! Invariant: a monitor that is blind says so above everything else, on every page.

use super::Visit;
use super::brand::BrandLink;
use super::parts::{Mark, Moment, Shape};
use crate::engine::words;
use crate::model::{Blame, State, View};
use crate::web::problem::Problem;

/// What the layout shows.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) root: String,
    pub(super) section: String,
    pub(super) title: String,
    /// Of the whole: the icon of the window follows it.
    pub(super) mark: Mark,
    pub(super) name: String,
    pub(super) has_logo: bool,
    pub(super) links: Vec<BrandLink>,
    pub(super) alarms: Vec<String>,
    pub(super) fresh: Option<Fresh>,
    pub(super) zone: String,
    pub(super) now: String,
    pub(super) is_trusted: bool,
    /// A browser would ask its user for a password.
    pub(super) can_sign_in: bool,
    pub(super) version: &'static str,
    pub(super) shapes: [Shape; 5],
}

/// How fresh it is.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) updated: Moment,
    pub(super) next: Option<Moment>,
    pub(super) vantage: String,
    pub(super) account: String,
}

impl Frame {
    /// `subject` names the page in the title of the window; empty for the verdict itself.
    pub(super) fn of(visit: &Visit, subject: &str) -> Self {
        let mark = match &visit.view {
            Ok(view) => Mark::of(view.verdict.state, view.verdict.blame),
            Err(_) => Mark::of(State::Unknown, Blame::Monitor),
        };
        let brand = &visit.settings.brand;
        let auth = visit.settings.auth.as_ref();
        let subject = if subject.is_empty() { mark.word } else { subject };
        Self {
            root: visit.root.clone(),
            section: visit.section.clone(),
            title: format!("{} {subject} – {}", mark.glyph(), brand.name),
            mark,
            name: brand.name.clone(),
            has_logo: brand.logo.is_some(),
            links: brand.links.clone(),
            alarms: alarms(visit),
            fresh: visit.view.as_ref().ok().map(|view| fresh(visit, view)),
            zone: zone(visit),
            now: format!("{:.0}", visit.now),
            is_trusted: visit.is_trusted(),
            can_sign_in: auth.is_some_and(|auth| auth.scheme() == "Basic"),
            version: env!("CARGO_PKG_VERSION"),
            shapes: State::ALL.map(|state| Shape { class: state.as_str() }),
        }
    }
}

fn fresh(visit: &Visit, view: &View) -> Fresh {
    let next = view.probes.iter().filter_map(|probe| probe.next_due_at).min();
    let moment = |at, people| Moment { people, ..visit.moment(at) };
    Fresh {
        updated: moment(view.verdict.at, format!("{} ago", visit.ago(view.verdict.at))),
        next: next.map(|at| {
            let left = words::between(visit.now, at);
            let people = if left.is_zero() {
                "now".to_owned()
            } else {
                format!("in {}", words::duration(left))
            };
            moment(at, people)
        }),
        vantage: super::outside(&view.verdict.vantage),
        account: super::outside(&view.verdict.account),
    }
}

fn zone(visit: &Visit) -> String {
    let zone = &visit.settings.timezone;
    let abbreviation = visit.now.to_zoned(zone.clone()).strftime("%Z").to_string();
    zone.iana_name().map_or(abbreviation.clone(), |name| format!("{name} ({abbreviation})"))
}

pub(super) fn nothing_is_known(problem: &Problem) -> String {
    format!("Nothing is known about HeyGen: {}.", problem.detail())
}

/// Why nobody should trust what the page says now.
fn alarms(visit: &Visit) -> Vec<String> {
    let mut alarms = Vec::new();
    match &visit.view {
        Err(problem) => {
            alarms.push(nothing_is_known(problem));
        }
        Ok(view) if view.internet_up == Some(false) => {
            alarms.push(
                "This monitor cannot reach the internet: it sees nothing of HeyGen.".to_owned(),
            );
        }
        Ok(_) => {}
    }
    for complaint in visit.state.health.complaints() {
        alarms.push(format!("This monitor is in trouble: {complaint}."));
    }
    if visit.state.store.health().is_degraded {
        alarms.push("This monitor cannot write its history at the moment.".to_owned());
    }
    if let Some((_, warning)) = visit.state.store.room().warning() {
        alarms.push(warning.to_owned());
    }
    alarms
}
