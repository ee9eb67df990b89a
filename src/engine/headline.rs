//! The one sentence that people read first: what, whose side, since when.
//!
//! Owns headlines of capabilities, of the whole, of incidents, and their subjects. Decides
//! nothing. Invariant: the first words say what is wrong, and nothing claims more than is known.

use jiff::tz::TimeZone;

use super::attribute::Standing;
use super::attribute::facts::{Fact, Family};
use super::attribute::rows::{Basis, Case, Judgement};
use super::{jobs, notices, words};
use crate::model::{
    Blame, Capability, CapabilityVerdict, JobKind, Outcome, Reason, State, Timestamp,
};

/// The headline of one capability.
pub fn of_capability(case: &Case<'_>, judgement: &Judgement<'_>, standing: Standing) -> String {
    let name = words::capability(case.capability);
    let zone = &case.settings.timezone;
    let since = words::time(standing.since, zone, case.now);
    match &judgement.basis {
        Basis::Facts(facts) => {
            if let Some(said) = facts.first().and_then(of_jobs) {
                return said;
            }
            let what = trouble(name, judgement.reason, &since);
            facts.first().map_or_else(String::new, |fact| {
                sentence(&what, fact, judgement.blame, &case.settings.vantage)
            })
        }
        Basis::Notice(notice) => format!(
            "HeyGen's page reports trouble with {name} since {since} ({}); our checks do not see it. \
             HeyGen's side.",
            notice.title
        ),
        Basis::Maintenance(maintenance) => {
            let until = maintenance.ends_at.map_or_else(String::new, |end| {
                format!(", planned until {}", words::time(end, zone, case.now))
            });
            format!(
                "HeyGen: {name} under maintenance since {since}{until} ({}).",
                maintenance.title
            )
        }
        Basis::Offline => {
            let controls = case.memory.network.controls_in_words();
            let controls = controls.map_or_else(String::new, |text| format!(" ({text})"));
            format!(
                "Can't tell right now: this monitor is offline since {since}{controls}. Your network."
            )
        }
        Basis::Between(_) => between(case, judgement.reason, judgement.blame),
        Basis::Successes(_) => format!("HeyGen: {name} works."),
        Basis::Held => format!(
            "HeyGen: {name} {} so far; a failure is being checked.",
            words::state(judgement.state, judgement.blame)
        ),
        Basis::Nothing => blind(case, name, judgement.reason),
    }
}

fn between(case: &Case<'_>, reason: Reason, blame: Blame) -> String {
    let name = words::capability(case.capability);
    let why = match reason {
        Reason::Outcome(Outcome::Blocked) => {
            "a challenge or block page stands between us and HeyGen".to_owned()
        }
        Reason::LocalDns => "our resolver does not know HeyGen's name, another one does".to_owned(),
        Reason::LocalPath => {
            "one address cannot be reached from here, another one answers".to_owned()
        }
        Reason::Outcome(Outcome::MonitorError) => {
            "this monitor has a problem of its own".to_owned()
        }
        _ => {
            let controls = case.memory.network.controls_in_words();
            let controls = controls.map_or_else(String::new, |text| format!("; {text}"));
            format!("not reachable from {}{controls}", case.settings.vantage)
        }
    };
    format!("Can't tell right now about {name}: {why}. {}.", capitalised(words::side(blame)))
}

/// `HeyGen: videos have waited 24 min to start; usually under 4 min. HeyGen's side.`
fn of_jobs(fact: &Fact<'_>) -> Option<String> {
    let text = &fact.seen.evidence.as_ref().filter(|_| fact.family.is_of_jobs())?.text;
    Some(format!("HeyGen: {text}. {}.", capitalised(words::side(fact.blame))))
}

fn blind(case: &Case<'_>, name: &str, reason: Reason) -> String {
    let last = JobKind::of(case.capability).and_then(|kind| {
        let at = case.memory.jobs.ledger.progress(kind)?.at;
        Some((jobs::noun(kind, 1), words::time(at, &case.settings.timezone, case.now)))
    });
    match reason {
        Reason::NoRecentJobs if let Some((noun, at)) = &last => {
            format!("{}: no {noun} has run since {at}; nothing looks stuck.", capitalised(name))
        }
        Reason::NotWatching => {
            let stopped = notices::stopped(case.memory, case.settings, case.now);
            let why = stopped.iter().find(|one| one.capabilities.contains(&case.capability));
            let why = why.map_or_else(String::new, |one| format!(": {}", one.why));
            format!("Can't tell right now about {name}: we stopped testing it{why}.")
        }
        Reason::NotWatched => format!("{}: not watched.", capitalised(name)),
        Reason::NoRecentJobs => format!(
            "{}: requests are accepted, but no video was seen to run; nothing looks stuck.",
            capitalised(name)
        ),
        _ => format!("Can't tell right now about {name}: no fresh observations."),
    }
}

/// The headline of everything: the worst first, named with all that shares its fate.
pub fn of_whole(capabilities: &[CapabilityVerdict], worst: Option<&CapabilityVerdict>) -> String {
    let Some(worst) = worst else {
        return "Can't tell: nothing that you use is watched.".to_owned();
    };
    if worst.state == State::Operational {
        let working: Vec<Capability> = capabilities
            .iter()
            .filter(|one| one.used && one.state == State::Operational)
            .map(|one| one.capability)
            .collect();
        return format!("HeyGen works: {}.", words::capabilities(&working));
    }
    let same_fate: Vec<Capability> = capabilities
        .iter()
        .filter(|one| one.used && is_same_fate(one, worst))
        .map(|one| one.capability)
        .collect();
    let own = words::capability(worst.capability);
    if same_fate.len() < 2 || worst.reason == Reason::MonitorOffline {
        return worst.headline.clone();
    }
    worst.headline.replacen(own, &words::capabilities(&shown(&same_fate)), 1)
}

fn is_same_fate(one: &CapabilityVerdict, worst: &CapabilityVerdict) -> bool {
    (one.state, one.blame, one.reason) == (worst.state, worst.blame, worst.reason)
}

/// The API key goes without saying where the API does.
fn shown(capabilities: &[Capability]) -> Vec<Capability> {
    let has_api = capabilities.contains(&Capability::Api);
    let is_said = |one: &&Capability| !(has_api && **one == Capability::Authentication);
    capabilities.iter().filter(is_said).copied().collect()
}

/// The headline of an incident that our own probes see.
pub fn of_incident(
    facts: &[&Fact<'_>],
    (capabilities, platform): (&[Capability], Platform),
    since: Timestamp,
    (zone, vantage): (&TimeZone, &str),
    now: Timestamp,
) -> String {
    let Some(first) = facts.first() else {
        return String::new();
    };
    let name = name_of(capabilities, platform);
    if let Some(said) = of_jobs(first) {
        return said;
    }
    let what = trouble(&name, first.reason, &words::time(since, zone, now));
    sentence(&what, first, first.blame, vantage)
}

/// The subject of its thread: what and since when, without whose side and detail.
pub fn subject(
    (capabilities, platform): (&[Capability], Platform),
    reason: Reason,
    since: Timestamp,
    zone: &TimeZone,
    now: Timestamp,
) -> String {
    trouble(&name_of(capabilities, platform), reason, &words::time(since, zone, now))
}

/// Whether everything of HeyGen's fails together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Only what is listed.
    Part,
    /// Every host.
    Whole,
}

fn name_of(capabilities: &[Capability], platform: Platform) -> String {
    match platform {
        Platform::Part => words::capabilities(&shown(capabilities)),
        Platform::Whole => "everything".to_owned(),
    }
}

/// `HeyGen: API not answering since 09:00`.
pub fn trouble(name: &str, reason: Reason, since: &str) -> String {
    let what = match reason {
        Reason::Outcome(outcome) => of_outcome(outcome),
        Reason::IntermittentErrors => "failing now and then",
        Reason::ProviderThrottling => "throttled although we send little",
        Reason::OfficialIncident => "in trouble by its own page",
        Reason::OfficialMaintenance => "under maintenance",
        Reason::MonitorOffline => return format!("heygen-monitor: offline since {since}"),
        Reason::LocalDns => {
            return format!("Your network: HeyGen's name does not resolve here since {since}");
        }
        Reason::LocalPath => {
            return format!("Your network: HeyGen cannot be reached from here since {since}");
        }
        Reason::NetworkDoubtful => return format!("Your network: doubtful since {since}"),
        Reason::NoData | Reason::NotWatching => {
            return format!("heygen-monitor: no observations of {name} since {since}");
        }
        Reason::JobsLate => "late",
        Reason::JobsStuck => "stuck",
        Reason::JobsFailing => "failing",
        Reason::SingleJobStuck => "with one stuck job",
        Reason::AvatarSpecific => "failing for one avatar",
        Reason::OwnBacklog => "waiting in your own queue",
        Reason::LocalView => "failing from here alone",
        Reason::NoRecentJobs | Reason::NotWatched | Reason::BalanceLow | Reason::KeyExpiresSoon => {
            reason.as_str()
        }
    };
    if let Reason::Outcome(Outcome::Blocked) = reason {
        return format!("Your network: blocked on the way to HeyGen's {name} since {since}");
    }
    if let Reason::Outcome(Outcome::MonitorError) = reason {
        return format!("heygen-monitor: cannot check {name} since {since}");
    }
    format!("HeyGen: {name} {what} since {since}")
}

fn of_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unavailable
        | Outcome::GatewayError
        | Outcome::DnsFailed
        | Outcome::ConnectFailed
        | Outcome::TlsFailed
        | Outcome::Timeout => "not answering",
        Outcome::ServerError => "failing",
        Outcome::Malformed => "giving wrong answers",
        Outcome::Slow => "slow",
        Outcome::RateLimited => "rate-limited",
        Outcome::QuotaExceeded => "refused, your quota is used up",
        Outcome::InsufficientCredit => "refused, not enough credit",
        Outcome::PlanLimit => "refused, your plan does not allow it",
        Outcome::Unauthorized => "refused, your key is not accepted",
        Outcome::Forbidden => "refused, your key lacks permission",
        Outcome::UpstreamFetchFailed => "unable to download our file",
        Outcome::EndpointRetired => "asked at a retired endpoint",
        Outcome::NotReady => "not ready for our request",
        Outcome::BadRequest => "refused, our request is wrong",
        Outcome::JobFailed => "failing a test",
        Outcome::JobLost => "losing a test",
        Outcome::ResultInvalid => "giving unusable results",
        Outcome::JobRejected => "refused, our test's input is wrong",
        Outcome::Ok
        | Outcome::Blocked
        | Outcome::QueueLate
        | Outcome::ProcessingLate
        | Outcome::QueueStuck
        | Outcome::ProcessingStuck
        | Outcome::CleanupFailed
        | Outcome::Skipped
        | Outcome::MonitorError => words::outcome(outcome),
    }
}

/// `503, 3 in a row`.
fn detail(fact: &Fact<'_>, vantage: &str) -> String {
    let status = fact.seen.evidence.as_ref().and_then(|evidence| evidence.http_status);
    let what = match status {
        _ if fact.seen.outcome.is_transport() => {
            format!("{}, not reachable from {vantage}", words::outcome(fact.seen.outcome))
        }
        _ if fact.family == Family::Slow => words::duration(fact.seen.duration()),
        Some(status) => status.to_string(),
        None => words::outcome(fact.seen.outcome).to_owned(),
    };
    match &fact.how_often {
        Some(often) => format!("{what}, {often}"),
        None => what,
    }
}

fn sentence(what: &str, fact: &Fact<'_>, blame: Blame, vantage: &str) -> String {
    let whose = if fact.is_regional() {
        format!("Only seen from {vantage}")
    } else {
        capitalised(words::side(blame))
    };
    format!("{what} ({}). {whose}.", detail(fact, vantage))
}

/// With a capital first letter.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
