//! A view as the daemon would publish it in the middle of an API outage, with text from outside
//! that tries to be markup.

use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::model::{
    Action, Advice, Blame, BudgetView, Capability, CapabilityVerdict, Cause, Component,
    ComponentState, Confidence, Evidence, EvidenceItem, Impact, Incident, Observation,
    OfficialView, Outcome, Page, PageEvent, Phase, Phases, ProbeKind, ProbeView, Product, Reason,
    Resubmit, Series, SourceReading, SourceRole, SourceView, State, Timestamp, Verdict, View,
};

/// What a hostile page title looks like.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&";

/// Parses a time of the tests.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An API outage since 09:00, seen at 09:20; the page does not admit it.
pub(crate) fn api_outage() -> View {
    let now = at("2026-11-20T09:20:00Z");
    let capabilities: Vec<_> = Capability::ALL.into_iter().map(capability).collect();
    View {
        verdict: Verdict {
            at: now,
            vantage: "fra-1".to_owned(),
            account: "default".to_owned(),
            state: State::Outage,
            blame: Blame::Provider,
            reason: Reason::Outcome(Outcome::Unavailable),
            headline: "HeyGen: the API has answered 503 since 09:00. HeyGen's side.".to_owned(),
            capabilities,
        },
        probes: vec![probe("api-read", Outcome::Unavailable, None), control()],
        sources: vec![source()],
        incidents: vec![incident(7)],
        internet_up: Some(true),
        stages: Vec::new(),
        budget: BudgetView::default(),
    }
}

fn capability(capability: Capability) -> CapabilityVerdict {
    let (state, blame, reason) = match capability {
        Capability::Api => (State::Outage, Blame::Provider, Reason::Outcome(Outcome::Unavailable)),
        Capability::Speech | Capability::Webhooks => {
            (State::Unknown, Blame::None, Reason::NotWatched)
        }
        _ => (State::Operational, Blame::None, Reason::Outcome(Outcome::Ok)),
    };
    let is_down = state == State::Outage;
    CapabilityVerdict {
        capability,
        used: capability != Capability::Webhooks,
        state,
        blame,
        reason,
        since: is_down.then(|| at("2026-11-20T09:00:00Z")),
        headline: format!("{capability} is {state}"),
        official: is_down.then(|| OfficialView {
            source: "heygen".to_owned(),
            state: ComponentState::Operational,
            acknowledged: false,
            lead_seconds: Some(1_200),
            notice: None,
        }),
        evidence: if is_down { vec![evidence()] } else { Vec::new() },
        advice: Advice {
            action: if is_down { Action::Hold } else { Action::Go },
            until: is_down.then(|| at("2026-11-20T09:30:00Z")),
            resubmit: Resubmit::None,
            confidence: Confidence::Observed,
            text: if is_down { "Stop starting new ones.".to_owned() } else { String::new() },
        },
        alternatives: Vec::new(),
    }
}

fn evidence() -> EvidenceItem {
    EvidenceItem {
        probe: "api-read".to_owned(),
        outcome: Outcome::Unavailable,
        at: at("2026-11-20T09:19:50Z"),
        text: "503 from api.heygen.com after 210 ms".to_owned(),
        decisive: true,
        detail: Evidence { http_status: Some(503), ..Evidence::default() },
    }
}

/// One run that began at 09:19:50 and took 210 ms.
pub(crate) fn observation(probe: &str, outcome: Outcome) -> Observation {
    Observation {
        series: Series::of(probe),
        kind: ProbeKind::Api,
        anonymous: false,
        capabilities: vec![Capability::Api],
        begun_at: at("2026-11-20T09:19:50Z"),
        ended_at: at("2026-11-20T09:19:50.21Z"),
        outcome,
        skipped: None,
        answered: true,
        phases: Phases { ttfb: Some(std::time::Duration::from_millis(180)), ..Phases::default() },
        evidence: None,
        transport: None,
        control: None,
        certificate_expires_at: Some(at("2026-12-20T00:00:00Z")),
    }
}

/// One series of a probe, last seen with `outcome`.
pub(crate) fn probe(name: &str, outcome: Outcome, success_at: Option<Timestamp>) -> ProbeView {
    ProbeView {
        series: Series::of(name),
        kind: ProbeKind::Api,
        target: None,
        last: Some(observation(name, outcome)),
        last_outcome: Some(outcome),
        last_success_at: success_at,
        next_due_at: Some(at("2026-11-20T09:20:40Z")),
    }
}

fn control() -> ProbeView {
    ProbeView {
        series: Series::of("control"),
        kind: ProbeKind::Control,
        target: None,
        last: None,
        last_outcome: None,
        last_success_at: None,
        next_due_at: Some(at("2026-11-20T09:21:00Z")),
    }
}

/// HeyGen's page: one mapped row that is partly out, one incident with a hostile title.
pub(crate) fn page() -> Page {
    let row = |name: &str, state: ComponentState| Component {
        id: name.to_owned(),
        name: name.to_owned(),
        group: None,
        state,
        raw: state.as_str().to_owned(),
    };
    Page {
        product: Product::INCIDENT_IO,
        id: None,
        name: "HeyGen".to_owned(),
        url: "https://status.example.org".to_owned(),
        state: ComponentState::PartialOutage,
        components: vec![
            row("https://api.heygen.com", ComponentState::PartialOutage),
            row("LiveAvatar", ComponentState::MajorOutage),
        ],
        incidents: vec![PageEvent {
            id: "1".to_owned(),
            title: HOSTILE.to_owned(),
            phase: Phase::Investigating,
            impact: Impact::Minor,
            started_at: None,
            updated_at: None,
            ends_at: None,
            components: Vec::new(),
            updates: Vec::new(),
        }],
        maintenances: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Which rows of [`page`] stand for what.
pub(crate) fn map() -> ComponentMap {
    ComponentMap {
        components: vec![("https://api.heygen.com".to_owned(), Capability::Api)],
        incidents: Vec::new(),
    }
}

/// A reading of HeyGen's page at 09:19.
pub(crate) fn reading(page: Result<Page, String>) -> SourceReading {
    SourceReading {
        source: "heygen".to_owned(),
        role: SourceRole::Primary,
        replaces: Vec::new(),
        at: at("2026-11-20T09:19:00Z"),
        page,
    }
}

fn source() -> SourceView {
    SourceView {
        name: "heygen".to_owned(),
        role: SourceRole::Primary,
        last: Some(reading(Ok(page()))),
        last_success_at: Some(at("2026-11-20T09:19:00Z")),
    }
}

/// An open provider incident with that number.
pub(crate) fn incident(id: i64) -> Incident {
    Incident {
        id,
        blame: Blame::Provider,
        cause: Cause("host:api.heygen.com".to_owned()),
        reason: Reason::Outcome(Outcome::Unavailable),
        state: State::Outage,
        worst_state: State::Outage,
        capabilities: vec![Capability::Api],
        opened_at: at("2026-11-20T09:00:00Z"),
        confirmed_at: at("2026-11-20T09:00:20Z"),
        resolved_at: None,
        acknowledged_at: None,
        suspended: None,
        flapping: false,
        subject: "HeyGen: API not answering since 09:00 (#7)".to_owned(),
        headline: "API not answering since 09:00".to_owned(),
        evidence: vec![evidence()],
        ack: None,
        events: Vec::new(),
    }
}
