//! The words people read (verdicts.md, section 7): one table, and how times and durations are said.
//!
//! Owns every translation from a word of the contract to plain language. Does not compose
//! sentences. Pure. Invariant: total, so that no new state can be without words.

use std::time::Duration;

use jiff::ToSpan;
use jiff::tz::TimeZone;

use crate::model::{
    Action, Blame, Capability, ComponentState, EventKind, JobKind, JobState, Origin, Outcome,
    Stage, State, Timestamp,
};

/// From here on seconds say nothing any more.
const SECONDS_MATTER: Duration = Duration::from_mins(10);

/// `HeyGen's side`, `your HeyGen account`, `our request or file`, `your network`, `this monitor`.
pub fn side(blame: Blame) -> &'static str {
    match blame {
        Blame::None => "nobody's side",
        Blame::Provider => "HeyGen's side",
        Blame::Account => "your HeyGen account",
        Blame::Client => "our request or file",
        Blame::Network => "your network",
        Blame::Monitor => "this monitor",
    }
}

/// `video generation`, `API key` …
pub fn capability(capability: Capability) -> &'static str {
    match capability {
        Capability::VideoGeneration => "video generation",
        Capability::VideoTranslation => "video translation",
        Capability::Api => "API",
        Capability::WebApp => "web app",
        Capability::Authentication => "API key",
        Capability::Speech => "speech",
        Capability::Webhooks => "webhooks",
    }
}

/// `video generation, video translation and API`.
pub fn capabilities(all: &[Capability]) -> String {
    let words: Vec<&str> = all.iter().map(|one| capability(*one)).collect();
    listed(&words)
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `working`, `degraded`, `down`, `maintenance`, `can't tell right now`; outage + account is
/// `blocked: your HeyGen account`.
pub fn state(state: State, blame: Blame) -> &'static str {
    match (state, blame) {
        (State::Operational, _) => "working",
        (State::Degraded, _) => "degraded",
        (State::Outage, Blame::Account) => "blocked: your HeyGen account",
        (State::Outage, _) => "down",
        (State::Maintenance, _) => "maintenance",
        (State::Unknown, _) => "can't tell right now",
    }
}

/// What to do, where the reasons are not told.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Go => "Go ahead.",
        Action::SlowDown => "Send fewer for now.",
        Action::Hold => "Don't start new videos.",
        Action::FixAccount => "The HeyGen account needs attention.",
        Action::FixRequest => "Our request or file has to be corrected.",
        Action::CheckNetwork => "The network here has to be checked.",
    }
}

/// What a row of a status page is said to be: `a major outage`, `working` …
pub fn component_state(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Operational => "all working",
        ComponentState::DegradedPerformance => "degraded performance",
        ComponentState::PartialOutage => "a partial outage",
        ComponentState::MajorOutage => "a major outage",
        ComponentState::UnderMaintenance => "maintenance",
        ComponentState::Unknown => "nothing that can be read",
    }
}

/// What happened, in a few words that fit behind a colon: `answers 503 (unavailable)`.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "works",
        Outcome::Slow => "answers slowly",
        Outcome::Blocked => "a challenge or block page instead of an answer",
        Outcome::RateLimited => "requests are rate limited",
        Outcome::QuotaExceeded => "the quota is used up",
        Outcome::InsufficientCredit => "not enough credit",
        Outcome::PlanLimit => "the plan does not allow it",
        Outcome::Unauthorized => "the API key is refused",
        Outcome::Forbidden => "access is forbidden",
        Outcome::UpstreamFetchFailed => "HeyGen could not download our file",
        Outcome::NotReady => "not ready yet",
        Outcome::EndpointRetired => "the endpoint is retired",
        Outcome::BadRequest => "the request is refused as wrong",
        Outcome::Unavailable => "service unavailable",
        Outcome::ServerError => "server errors",
        Outcome::GatewayError => "gateway errors",
        Outcome::Malformed => "answers that make no sense",
        Outcome::DnsFailed => "the name does not resolve",
        Outcome::ConnectFailed => "connections fail",
        Outcome::TlsFailed => "TLS fails",
        Outcome::Timeout => "no answer in time",
        Outcome::QueueLate => "videos wait long to start",
        Outcome::ProcessingLate => "videos take long to finish",
        Outcome::QueueStuck => "videos do not start",
        Outcome::ProcessingStuck => "videos do not finish",
        Outcome::JobFailed => "a video failed",
        Outcome::JobRejected => "a video was rejected",
        Outcome::JobLost => "a video was lost",
        Outcome::ResultInvalid => "a finished video cannot be used",
        Outcome::CleanupFailed => "a test video could not be deleted",
        Outcome::Skipped => "not run",
        Outcome::MonitorError => "an error of this monitor",
    }
}

/// What a message told: `opened`, `admitted by HeyGen's page` …
pub fn event(event: EventKind) -> &'static str {
    match event {
        EventKind::Opened => "opened",
        EventKind::AcknowledgedOfficially => "admitted by HeyGen's page",
        EventKind::Worsened => "got worse",
        EventKind::Eased => "got better",
        EventKind::Reminder => "reminder",
        EventKind::Flapping => "goes up and down",
        EventKind::Resolved => "resolved",
        EventKind::SuppressionEnded => "told late: it had been kept back",
        EventKind::ChannelBroken => "a channel is broken",
        EventKind::Warning => "warning",
        EventKind::Drill => "drill",
    }
}

/// Whose jobs: `your videos`, `test translation` …
pub fn jobs(kind: JobKind, origin: Origin) -> &'static str {
    match (origin, kind) {
        (Origin::Canary, JobKind::Video) => "test video",
        (Origin::Canary, JobKind::Translation) => "test translation",
        (Origin::Natural, JobKind::Video) => "your videos",
        (Origin::Natural, JobKind::Translation) => "your translations",
    }
}

/// Where jobs are: `waiting to start`, `being made` …
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Submit => "create request",
        Stage::Queue => "waiting to start",
        Stage::Processing => "being made",
    }
}

/// How a job stands.
pub fn job_state(state: JobState) -> &'static str {
    match state {
        JobState::Queued => stage(Stage::Queue),
        JobState::Processing => stage(Stage::Processing),
        JobState::WaitingForInput => "waits for you",
        JobState::Completed => "finished",
        JobState::Failed => "failed",
        JobState::Rejected => "rejected: its input",
        JobState::Unpaid => "failed: no credit",
        JobState::Gone => "gone",
    }
}

/// `45 s`, `2 min 30 s`, `14 min`, `3 h 12 min`, `2 d 4 h`: the two largest units, rounded down;
/// seconds are dropped from 10 min on.
pub fn duration(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    if days > 0 {
        return two(days, "d", hours, "h");
    }
    if hours > 0 {
        return two(hours, "h", minutes, "min");
    }
    if minutes > 0 {
        let rest = if duration < SECONDS_MATTER { secs % 60 } else { 0 };
        return two(minutes, "min", rest, "s");
    }
    format!("{secs} s")
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

/// `09:00`, with the day (`Fri 09:00`, further away `2026-11-13 09:00`) when it is not today's.
pub fn time(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let local = at.to_zoned(zone.clone());
    let today = now.to_zoned(zone.clone()).date();
    let near = today
        .checked_sub(6.days())
        .and_then(|first| today.checked_add(6.days()).map(|last| (first, last)))
        .is_ok_and(|(first, last)| (first..=last).contains(&local.date()));
    let format = if local.date() == today {
        "%H:%M"
    } else if near {
        "%a %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    local.strftime(format).to_string()
}

/// The time between two instants; zero when `until` is not later.
pub fn between(since: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_name_at_most_two_units() {
        let said = |secs| duration(Duration::from_secs(secs));
        assert_eq!(said(0), "0 s");
        assert_eq!(said(45), "45 s");
        assert_eq!(said(150), "2 min 30 s");
        assert_eq!(said(845), "14 min");
        assert_eq!(said(3 * 3600 + 12 * 60 + 59), "3 h 12 min");
        assert_eq!(said(52 * 3600), "2 d 4 h");
        assert_eq!(said(86_400), "1 d");
    }

    #[test]
    fn times_name_the_day_only_when_it_is_not_today() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let said = |at: &str| time(at.parse().unwrap(), &zone, now);
        assert_eq!(said("2026-11-20T08:00:00Z"), "09:00");
        assert_eq!(said("2026-11-19T23:30:00Z"), "00:30");
        assert_eq!(said("2026-11-19T22:30:00Z"), "Thu 23:30");
        assert_eq!(said("2026-11-13T08:00:00Z"), "2026-11-13 09:00");
        assert_eq!(said("2026-11-21T08:00:00Z"), "Sat 09:00");
    }

    #[test]
    fn an_outage_of_the_account_is_called_blocked() {
        assert_eq!(state(State::Outage, Blame::Account), "blocked: your HeyGen account");
        assert_eq!(state(State::Outage, Blame::Provider), "down");
        assert_eq!(state(State::Unknown, Blame::Network), "can't tell right now");
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(capabilities(&[Capability::Api, Capability::WebApp]), "API and web app");
    }
}
