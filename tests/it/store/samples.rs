//! Values to store.

use std::time::Duration;

use heygen_monitor::engine::{Decision, Owed};
use heygen_monitor::model::{
    AccountReading, Action, Advice, Blame, Capability, Cause, Component, ComponentState,
    Confidence, ControlReading, EventKind, Evidence, EvidenceItem, Impact, Incident,
    IncidentChange, IncidentEvent, Intent, IntentState, Interval, Job, JobKind, JobState, Message,
    MessageIncident, Observation, OfficialView, Origin, Outcome, Page, PageEvent, PageUpdate,
    PathCheck, Phase, Phases, Pool, PoolName, ProbeKind, Product, Reason, Resubmit, Series,
    SkipReason, SourceReading, SourceRole, State, TargetReading, Timestamp, Transport, Trigger,
    Unit, Usd, Verdict,
};

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// A decision that stores nothing yet.
pub(crate) fn decision() -> Decision {
    Decision::nothing(Verdict {
        at: at(0),
        vantage: "fra-1".to_owned(),
        account: "default".to_owned(),
        state: State::Operational,
        blame: Blame::None,
        reason: Reason::Outcome(Outcome::Ok),
        headline: String::new(),
        capabilities: Vec::new(),
    })
}

pub(super) fn observed(observation: Observation) -> Decision {
    Decision { observation: Some(observation), ..decision() }
}

/// Begins at `second` and takes one second.
pub(super) fn success(probe: &str, second: i64) -> Observation {
    Observation {
        capabilities: vec![Capability::Api, Capability::Authentication],
        ended_at: at(second + 1),
        outcome: Outcome::Ok,
        answered: true,
        ..Observation::blank(Series::of(probe), ProbeKind::Api, at(second))
    }
}

pub(super) fn skipped(probe: &str, second: i64, reason: SkipReason) -> Observation {
    Observation {
        outcome: Outcome::Skipped,
        skipped: Some(reason),
        answered: false,
        ..success(probe, second)
    }
}

pub(super) fn failure(probe: &str, second: i64) -> Observation {
    Observation {
        outcome: Outcome::Timeout,
        answered: false,
        phases: Phases {
            dns: Some(Duration::from_micros(1_234)),
            connect: Some(Duration::from_millis(20)),
            ttfb: None,
            body: None,
        },
        evidence: Some(Box::new(evidence())),
        transport: Some(Transport {
            path_check: Some(PathCheck::NotOurs),
            control: Some(control_reading(second)),
        }),
        certificate_expires_at: Some(at(9_000_000)),
        ..success(probe, second)
    }
}

pub(super) fn control(second: i64) -> Observation {
    Observation {
        kind: ProbeKind::Control,
        capabilities: Vec::new(),
        control: Some(control_reading(second)),
        ..success("control", second)
    }
}

fn control_reading(second: i64) -> ControlReading {
    let target = |name: &str, latency| TargetReading { target: name.to_owned(), latency };
    ControlReading {
        begun_at: at(second),
        targets: vec![
            target("one.example.org", Some(Duration::from_millis(31))),
            target("example.org@192.0.2.53", None),
        ],
    }
}

fn evidence() -> Evidence {
    Evidence {
        text: "no answer from api.heygen.com within 10 s".to_owned(),
        host: "api.heygen.com".to_owned(),
        http_status: Some(503),
        code: Some("internal_error".to_owned()),
        message: Some("„later“ – déjà vu".to_owned()),
        param: None,
        doc_url: Some("https://docs.heygen.com/".to_owned()),
        retry_after_secs: Some(30),
        request_id: Some("r-1".to_owned()),
        job_id: None,
    }
}

/// Opened by the observation at `second`, confirmed half a minute later.
pub(crate) fn incident(id: i64, second: i64) -> Incident {
    Incident {
        id,
        blame: Blame::Provider,
        cause: Cause("host:api.heygen.com".to_owned()),
        reason: Reason::Outcome(Outcome::Timeout),
        state: State::Outage,
        worst_state: State::Outage,
        capabilities: vec![Capability::Api, Capability::Authentication],
        opened_at: at(second),
        confirmed_at: at(second + 30),
        resolved_at: None,
        acknowledged_at: None,
        suspended: None,
        flapping: false,
        subject: format!("HeyGen: API not answering (#{id})"),
        headline: "HeyGen's API does not answer.".to_owned(),
        evidence: vec![evidence_item(second)],
        ack: None,
        events: vec![IncidentEvent {
            seq: 1,
            kind: EventKind::Opened,
            at: at(second + 30),
            state: State::Outage,
            channels: vec!["slack".to_owned()],
        }],
    }
}

fn evidence_item(second: i64) -> EvidenceItem {
    let detail = evidence();
    EvidenceItem {
        probe: "api-read".to_owned(),
        outcome: Outcome::Timeout,
        at: at(second),
        text: detail.text.clone(),
        decisive: true,
        detail,
    }
}

pub(crate) fn change(incident: &Incident) -> IncidentChange {
    IncidentChange { incident: incident.clone() }
}

pub(crate) fn owed(channel: &str, incident: Option<&Incident>, seq: u32, event: EventKind) -> Owed {
    let incident = incident.map(|incident| MessageIncident {
        id: incident.id,
        blame: incident.blame,
        cause: incident.cause.clone(),
        reason: incident.reason,
        state: incident.state,
        capabilities: incident.capabilities.clone(),
        opened_at: incident.opened_at,
        resolved_at: incident.resolved_at,
        subject: incident.subject.clone(),
    });
    let message = Message {
        event,
        at: at(100),
        seq,
        incident,
        headline: "HeyGen's API does not answer.".to_owned(),
        advice: Some(Advice {
            action: Action::Hold,
            until: Some(at(1_000)),
            resubmit: Resubmit::None,
            confidence: Confidence::Observed,
            text: "Wait.".to_owned(),
        }),
        evidence: vec![evidence_item(70)],
        official: Some(OfficialView {
            source: "heygen".to_owned(),
            state: ComponentState::Operational,
            acknowledged: false,
            lead_seconds: Some(30),
            notice: None,
        }),
        notes: vec!["Such incidents took 12 min.".to_owned()],
        vantage: "fra-1".to_owned(),
        account: "default".to_owned(),
    };
    Owed { channel: channel.to_owned(), message }
}

pub(super) fn reading(source: &str, second: i64, state: ComponentState) -> SourceReading {
    let update = PageUpdate {
        at: Some(at(second)),
        phase: Phase::Investigating,
        text: "We are looking into it.".to_owned(),
    };
    let event = PageEvent {
        id: "i-1".to_owned(),
        title: "Slow rendering".to_owned(),
        phase: Phase::Investigating,
        impact: Impact::Minor,
        started_at: Some(at(second - 60)),
        updated_at: Some(at(second)),
        ends_at: None,
        components: vec!["c-1".to_owned()],
        updates: vec![update],
    };
    let page = Page {
        product: Product::INCIDENT_IO,
        id: Some("p-1".to_owned()),
        name: "HeyGen".to_owned(),
        url: "https://status.heygen.com".to_owned(),
        state,
        components: vec![Component {
            id: "c-1".to_owned(),
            name: "https://api.heygen.com".to_owned(),
            group: Some("API".to_owned()),
            state,
            raw: "as_the_page_says".to_owned(),
        }],
        incidents: vec![event.clone()],
        maintenances: vec![event],
        warnings: vec!["one row could not be read".to_owned()],
    };
    SourceReading {
        source: source.to_owned(),
        role: SourceRole::Alternative,
        replaces: vec![Capability::VideoGeneration],
        at: at(second),
        page: Ok(page),
    }
}

pub(super) fn seen(jobs: Vec<Job>) -> Decision {
    Decision { jobs, ..decision() }
}

pub(super) fn paid(intents: Vec<Intent>) -> Decision {
    Decision { intents, ..decision() }
}

/// A natural video that was created at `second` and waits.
pub(super) fn job(id: &str, second: i64) -> Job {
    Job {
        kind: JobKind::Video,
        id: id.to_owned(),
        origin: Origin::Natural,
        title: None,
        created_at: at(second),
        first_seen_at: at(second + 10),
        seen_at: at(second + 20),
        state: JobState::Queued,
        started: None,
        ended: None,
        is_abandoned: false,
        is_sample: false,
        failure: None,
    }
}

/// Waited at most 60 s, took at most 400 s to be made, 450 s altogether.
pub(super) fn completed(id: &str, second: i64) -> Job {
    Job {
        seen_at: at(second + 450),
        state: JobState::Completed,
        started: Some(Interval { earliest: at(second + 50), latest: at(second + 60) }),
        ended: Some(Interval { earliest: at(second + 440), latest: at(second + 450) }),
        is_sample: true,
        ..job(id, second)
    }
}

/// Committed at `second`, not sent yet.
pub(super) fn intent(id: i64, second: i64) -> Intent {
    Intent {
        id,
        probe: "render".to_owned(),
        kind: ProbeKind::Render,
        nonce: format!("hgm-fra1-{id}"),
        look: "avatar-1".to_owned(),
        price: Usd(50_000),
        trigger: Trigger::Silence,
        state: IntentState::Intended,
        created_at: at(second),
        job_id: None,
        searches: 0,
        misses: 0,
        failed_deletes: 0,
        outcome: None,
        changed_at: at(second),
    }
}

pub(super) fn account(second: i64) -> AccountReading {
    AccountReading {
        at: at(second),
        pools: vec![Pool { name: PoolName::Wallet, unit: Unit::Usd, remaining: 12.5 }],
        plan: heygen_monitor::model::Plan {
            name: Some("creator".to_owned()),
            resets_at: Some(at(5_000_000)),
            spent_usd: Some(1.25),
        },
        auto_reload: Some(false),
        key_expires_at: Some(at(9_000_000)),
        clock_skew: Some(jiff::SignedDuration::from_millis(-1_500)),
    }
}
