//! What strangers see of what the daemon believes.
//!
//! Owns what is left out for [`Reader::Public`]: what HeyGen answered us, jobs, money, whose
//! account it is, who was told. Invariant: nothing but the headlines and the words of the contract
//! is left of our own evidence.

use std::sync::Arc;

use super::Reader;
use crate::engine::{headline, words};
use crate::model::{
    BudgetView, CapabilityVerdict, Evidence, EvidenceItem, Incident, Observation, Outcome, Reason,
    Verdict, View,
};

impl Reader {
    /// The view as this reader may see it.
    pub(in crate::web) fn view(self, view: Arc<View>) -> Arc<View> {
        match self {
            Self::Trusted => view,
            Self::Public => Arc::new(public_view(Arc::unwrap_or_clone(view))),
        }
    }

    /// An incident as this reader may see it.
    pub(in crate::web) fn incident(self, mut incident: Incident) -> Incident {
        if self == Self::Public {
            if tells_more(incident.reason) {
                incident.headline.clone_from(&incident.subject);
            }
            incident.evidence.iter_mut().for_each(blank);
            incident.ack = None;
            incident.events.iter_mut().for_each(|event| event.channels.clear());
        }
        incident
    }

    /// An observation as this reader may see it.
    pub(in crate::web) fn observation(self, mut observation: Observation) -> Observation {
        if self == Self::Public {
            observation.evidence = None;
            observation.transport = None;
            observation.control = None;
        }
        observation
    }
}

fn public_view(mut view: View) -> View {
    view.verdict.account.clear();
    for one in &mut view.verdict.capabilities {
        if tells_more(one.reason) {
            one.headline = plain(one);
        }
        one.evidence.iter_mut().for_each(blank);
        words::action(one.advice.action).clone_into(&mut one.advice.text);
    }
    if tells_more(view.verdict.reason) {
        view.verdict.headline = whole(&view.verdict);
    }
    for probe in &mut view.probes {
        probe.last = probe.last.take().map(|last| Reader::Public.observation(last));
    }
    let incidents = std::mem::take(&mut view.incidents);
    view.incidents = incidents.into_iter().map(|one| Reader::Public.incident(one)).collect();
    view.stages.clear();
    view.budget = BudgetView::default();
    view
}

/// Leaves who saw what, when; not what it was told.
fn blank(item: &mut EvidenceItem) {
    item.text.clear();
    item.detail = Evidence { http_status: item.detail.http_status, ..Evidence::default() };
}

/// Whether the headline of such a verdict names jobs or avatars, money, or what HeyGen said.
fn tells_more(reason: Reason) -> bool {
    use Outcome as O;
    matches!(
        reason,
        Reason::SingleJobStuck
            | Reason::AvatarSpecific
            | Reason::OwnBacklog
            | Reason::NotWatching
            | Reason::BalanceLow
            | Reason::KeyExpiresSoon
            | Reason::Outcome(
                O::JobFailed | O::JobRejected | O::JobLost | O::ResultInvalid | O::CleanupFailed
            )
    )
}

/// `Video generation: degraded. HeyGen's side.`
fn plain(one: &CapabilityVerdict) -> String {
    let name = headline::capitalised(words::capability(one.capability));
    let side = headline::capitalised(words::side(one.blame));
    format!("{name}: {}. {side}.", words::state(one.state, one.blame))
}

/// The headline of everything, from the public ones.
fn whole(verdict: &Verdict) -> String {
    let fate = (verdict.state, verdict.blame, verdict.reason);
    let mut all = verdict.capabilities.iter();
    let worst = all.find(|one| one.used && (one.state, one.blame, one.reason) == fate);
    headline::of_whole(&verdict.capabilities, worst)
}
