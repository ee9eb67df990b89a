//! What to do: the table of verdicts.md, section 6.
//!
//! Owns the action, until when, and the sentences. Does not decide the verdict. Invariant: `go`
//! without evidence always says that it is blind.

use super::attribute::alternatives;
use super::attribute::facts::Fact;
use super::attribute::rows::{Basis, Case, Judgement};
use super::canary::paid;
use super::incident::ongoing::jobs_cause;
use super::settings::Watch;
use super::words;
use crate::model::{
    Action, Advice, Blame, Capability, Cause, Confidence, JobKind, JobState, OfficialView, Origin,
    Outcome, Reason, Resubmit, Stage, State, Timestamp,
};

/// What to do about one capability.
pub fn advice(
    case: &Case<'_>,
    judgement: &Judgement<'_>,
    official: Option<&OfficialView>,
) -> Advice {
    let mut advice = by_state(case, judgement, official);
    if advice.action == Action::Hold {
        advice.text.push_str(&elsewhere(case));
    }
    advice
}

fn by_state(case: &Case<'_>, judgement: &Judgement<'_>, official: Option<&OfficialView>) -> Advice {
    match (judgement.state, judgement.blame) {
        (State::Operational, _) => new(Action::Go, Confidence::Observed, "It works."),
        (State::Maintenance, _) => maintenance(case, judgement),
        (State::Outage | State::Degraded, Blame::Provider) if is_waiting(judgement, official) => {
            send_one_again(case, official)
        }
        (State::Outage, Blame::Provider) => hold(case, judgement, official),
        (State::Degraded, Blame::Provider) if is_admitted(case, judgement, official) => {
            hold(case, judgement, official)
        }
        (State::Degraded, Blame::Provider) => slow_down(case, judgement),
        (State::Degraded, Blame::Account) => limited(case, judgement),
        (State::Outage, Blame::Account) => fix_account(case, judgement),
        (_, Blame::Client) => fix_request(judgement),
        (_, Blame::Network) => check_network(case, judgement),
        (
            State::Outage | State::Degraded | State::Unknown,
            Blame::None | Blame::Monitor | Blame::Provider | Blame::Account,
        ) => blind(case, judgement),
    }
}

fn new(action: Action, confidence: Confidence, text: &str) -> Advice {
    Advice { action, until: None, resubmit: Resubmit::None, confidence, text: text.to_owned() }
}

fn maintenance(case: &Case<'_>, judgement: &Judgement<'_>) -> Advice {
    let until = match &judgement.basis {
        Basis::Maintenance(maintenance) => maintenance.ends_at,
        _ => None,
    };
    let end = until.map_or_else(
        || "HeyGen's page gives no planned end".to_owned(),
        |end| format!("planned until {}", words::time(end, &case.settings.timezone, case.now)),
    );
    let text = format!("HeyGen announced this work: don't start new videos ({end}).");
    Advice { until, ..new(Action::Hold, Confidence::OfficialOnly, &text) }
}

/// Jobs wait here while HeyGen's page says that all is well.
fn is_waiting(judgement: &Judgement<'_>, official: Option<&OfficialView>) -> bool {
    matches!(judgement.reason, Reason::JobsStuck | Reason::JobsLate)
        && official.is_none_or(|view| !view.acknowledged)
}

/// HeyGen's page admits what our own probes see of generation or translation. One stuck job or one
/// avatar is no such sight: others work.
fn is_admitted(
    case: &Case<'_>,
    judgement: &Judgement<'_>,
    official: Option<&OfficialView>,
) -> bool {
    let is_seen_here = !matches!(
        judgement.reason,
        Reason::OfficialIncident | Reason::SingleJobStuck | Reason::AvatarSpecific
    );
    let is_acknowledged = official.is_some_and(|view| view.acknowledged);
    JobKind::of(case.capability).is_some() && is_seen_here && is_acknowledged
}

fn send_one_again(case: &Case<'_>, official: Option<&OfficialView>) -> Advice {
    let text = format!(
        "Don't start new videos.{} Send one of the waiting ones again under a new title, once; leave \
         the old one: it may still finish, and both may be charged{}.",
        of_page(official),
        price(case)
    );
    Advice { resubmit: Resubmit::OneCopy, ..new(Action::Hold, Confidence::Observed, &text) }
}

/// What a test of ours of this kind costs; theirs may be longer.
fn price(case: &Case<'_>) -> String {
    let of_kind = |watch: &Watch| watch.capabilities.contains(&case.capability);
    let ours = paid(case.settings).find(|(watch, _)| of_kind(watch));
    ours.map_or_else(String::new, |(_, rules)| {
        format!(" (about {} for a few seconds)", rules.price)
    })
}

fn of_page(official: Option<&OfficialView>) -> String {
    match official {
        Some(view) if view.acknowledged => " HeyGen's page admits it.".to_owned(),
        Some(OfficialView { lead_seconds: Some(lead), .. }) if *lead >= 60 => {
            let lead = std::time::Duration::from_secs(lead.unsigned_abs());
            format!(" HeyGen's page does not admit it yet ({} so far).", words::duration(lead))
        }
        Some(_) | None => String::new(),
    }
}

/// Fewer incidents of a kind say nothing about the next.
const ENOUGH: usize = 3;

/// How long such incidents took here, or what is known in general.
fn how_long(case: &Case<'_>, judgement: &Judgement<'_>) -> String {
    let cause = first_fact(judgement).map(|fact| {
        if fact.family.is_of_jobs() {
            jobs_cause(case.capability)
        } else {
            Cause(format!("host:{}", fact.watch.host))
        }
    });
    let past =
        cause.and_then(|cause| case.memory.past.get(&cause)).filter(|past| past.len() >= ENOUGH);
    let Some(past) = past else {
        return "Such incidents often take a few hours (general experience).".to_owned();
    };
    let mut sorted = past.clone();
    sorted.sort_unstable();
    format!(
        "Such incidents took {} here (median of {}; the longest {}).",
        words::duration(sorted[sorted.len() / 2]),
        sorted.len(),
        words::duration(sorted[sorted.len() - 1])
    )
}

fn hold(case: &Case<'_>, judgement: &Judgement<'_>, official: Option<&OfficialView>) -> Advice {
    let page = of_page(official);
    let how_long = how_long(case, judgement);
    let text = format!(
        "Don't start new videos, and do not send waiting ones again: it adds load. {how_long}{page}"
    );
    new(Action::Hold, Confidence::Observed, &text)
}

fn slow_down(case: &Case<'_>, judgement: &Judgement<'_>) -> Advice {
    if judgement.reason == Reason::OfficialIncident {
        return new(
            Action::SlowDown,
            Confidence::OfficialOnly,
            "Only HeyGen's page says so; our checks do not see it. Send fewer and watch what comes back.",
        );
    }
    if let Some(advice) = about_one(judgement) {
        return advice;
    }
    let text = match judgement.reason {
        _ if case.capability == Capability::Webhooks => {
            "Events do not come: ask for the state of your jobs instead of waiting for them."
        }
        Reason::IntermittentErrors => {
            "Some requests fail: send fewer, and repeat a failed one after a pause."
        }
        Reason::ProviderThrottling => "HeyGen limits everybody at the moment: send fewer.",
        _ => "It works, but slowly: send fewer and give requests more time.",
    };
    let until = retry_at(judgement);
    Advice { until, ..new(Action::SlowDown, Confidence::Observed, text) }
}

/// Trouble with one job, one avatar or one test.
fn about_one(judgement: &Judgement<'_>) -> Option<Advice> {
    let seen = first_fact(judgement)?.seen.evidence.as_deref()?;
    let id = seen.job_id.as_deref().map_or_else(String::new, |id| format!(" ({id})"));
    let outcome = match judgement.reason {
        Reason::SingleJobStuck => {
            let text = format!("Only one is stuck, others finish: send that one again{id}.");
            let go = new(Action::Go, Confidence::Observed, &text);
            return Some(Advice { resubmit: Resubmit::OneCopy, ..go });
        }
        Reason::AvatarSpecific => {
            let text = format!("Use another avatar for now: {}.", seen.text);
            return Some(new(Action::SlowDown, Confidence::Observed, &text));
        }
        Reason::Outcome(outcome) => outcome,
        _ => return None,
    };
    let is_of_test =
        matches!(outcome, Outcome::JobFailed | Outcome::JobLost | Outcome::ResultInvalid);
    is_of_test.then(|| {
        let text = format!(
            "A test of ours went wrong: {}. Send fewer until the next one tells more.",
            seen.text
        );
        new(Action::SlowDown, Confidence::Observed, &text)
    })
}

/// The account's own queue: how long it takes to drain, where that can be told.
fn own_backlog(case: &Case<'_>, judgement: &Judgement<'_>) -> Advice {
    let until = JobKind::of(case.capability).and_then(|kind| {
        let ledger = &case.memory.jobs.ledger;
        let usual =
            ledger.limits(case.settings).baseline(kind, Origin::Natural, Stage::Processing)?;
        let waiting = ledger.of(kind).filter(|job| job.state == JobState::Queued).count();
        let rounds = waiting.div_ceil(usize::try_from(case.settings.concurrency.max(1)).ok()?);
        let rounds = u32::try_from(rounds).ok()?;
        case.now.checked_add(usual.median.saturating_mul(rounds)).ok()
    });
    let when = until.map_or_else(String::new, |until| {
        format!(" until about {}", words::time(until, &case.settings.timezone, case.now))
    });
    let what = first_fact(judgement).and_then(|fact| fact.seen.evidence.as_deref());
    let what = what.map_or("your own videos wait for a free place", |seen| seen.text.as_str());
    let text = format!("Send fewer{when}: {what}. That is your account's own queue.");
    Advice { until, ..new(Action::SlowDown, Confidence::Observed, &text) }
}

fn limited(case: &Case<'_>, judgement: &Judgement<'_>) -> Advice {
    if judgement.reason == Reason::OwnBacklog {
        return own_backlog(case, judgement);
    }
    let until = retry_at(judgement).filter(|until| *until > case.now);
    let when = until.map_or_else(String::new, |until| {
        format!(" until {}", words::time(until, &case.settings.timezone, case.now))
    });
    let text = format!(
        "Send fewer{when}: HeyGen limits this account's requests. We see only our own; perhaps your \
         other clients.{}",
        own_words(judgement)
    );
    Advice { until, ..new(Action::SlowDown, Confidence::Observed, &text) }
}

fn fix_account(case: &Case<'_>, judgement: &Judgement<'_>) -> Advice {
    let what = match judgement.reason {
        Reason::Outcome(Outcome::Unauthorized) => "HeyGen does not accept the API key: replace it.",
        Reason::Outcome(Outcome::Forbidden) => "The API key lacks a permission: give it the scope.",
        Reason::Outcome(Outcome::QuotaExceeded) => {
            "The quota is used up: wait for its renewal or raise it."
        }
        Reason::Outcome(Outcome::InsufficientCredit) => {
            "The account has not enough credit: add some."
        }
        _ => "The plan does not allow this: change the plan or the request.",
    };
    let contrast = if has_anonymous_answer(case) {
        let since = judgement.since.map_or_else(String::new, |since| {
            format!(" since {}", words::time(since, &case.settings.timezone, case.now))
        });
        format!(" The anonymous call works, yours is refused{since}.")
    } else {
        String::new()
    };
    let text = format!("{what}{contrast}{}", own_words(judgement));
    Advice { until: retry_at(judgement), ..new(Action::FixAccount, Confidence::Observed, &text) }
}

fn has_anonymous_answer(case: &Case<'_>) -> bool {
    case.memory.of_heygen(case.settings).any(|(line, watch)| {
        watch.anonymous && line.success().is_some() && line.is_fresh(watch.fresh_for(), case.now)
    })
}

fn fix_request(judgement: &Judgement<'_>) -> Advice {
    let what = match judgement.reason {
        Reason::Outcome(Outcome::EndpointRetired) => {
            "HeyGen retired this path: use its v3 successor"
        }
        Reason::Outcome(Outcome::UpstreamFetchFailed) => {
            "HeyGen could not download a URL that we sent: check that it is public and quick"
        }
        _ => "HeyGen refuses this request as wrong: correct it",
    };
    // Which path replaces it, which host has the file: the evidence names it.
    let seen = first_fact(judgement).and_then(|fact| fact.seen.evidence.as_deref());
    let seen = seen.filter(|seen| !seen.text.is_empty());
    let seen = seen.map_or_else(String::new, |seen| format!(" ({})", seen.text));
    let text = format!("{what}{seen}.{}", own_words(judgement));
    new(Action::FixRequest, Confidence::Observed, &text)
}

fn check_network(case: &Case<'_>, judgement: &Judgement<'_>) -> Advice {
    if judgement.reason == Reason::LocalView {
        let vantage = &case.settings.vantage;
        let text = if first_fact(judgement).is_some_and(Fact::is_regional) {
            format!(
                "HeyGen works from other places. What answers at {vantage} is a region of HeyGen's in \
                 trouble, or something on the way: send from another place."
            )
        } else {
            format!(
                "HeyGen works from other places: check the way to it from {vantage}, or send from \
                 there."
            )
        };
        return new(Action::CheckNetwork, Confidence::Observed, &text);
    }
    let controls = case.memory.network.controls_in_words();
    let controls = controls.map_or_else(String::new, |text| format!(" ({text})"));
    let what = match judgement.reason {
        Reason::LocalDns => "Check your resolver: another one knows HeyGen's name".to_owned(),
        Reason::LocalPath => "Check the route: another address of the same host answers".to_owned(),
        Reason::Outcome(Outcome::Blocked) => {
            "A firewall or bot protection blocks this address: try from another network".to_owned()
        }
        _ => format!("Check the network of {}{controls}", case.settings.vantage),
    };
    new(Action::CheckNetwork, Confidence::Blind, &format!("{what}; nothing is known about HeyGen."))
}

fn blind(case: &Case<'_>, judgement: &Judgement<'_>) -> Advice {
    let why = match judgement.reason {
        Reason::NotWatched if needs_key(case) => "it is not watched (add a key)",
        Reason::NotWatched => "it is not watched",
        Reason::NoRecentJobs => "nothing has run lately, and nothing looks stuck",
        Reason::NotWatching => "we stopped testing it",
        _ => "there are no fresh observations",
    };
    new(Action::Go, Confidence::Blind, &format!("Not verified: {why}."))
}

fn needs_key(case: &Case<'_>) -> bool {
    case.settings.probes.iter().all(|watch| !watch.is_of_heygen() || watch.anonymous)
}

/// HeyGen's own message and where it documents it.
fn own_words(judgement: &Judgement<'_>) -> String {
    let Some(evidence) = first_fact(judgement).and_then(|fact| fact.seen.evidence.as_deref())
    else {
        return String::new();
    };
    let message = evidence.message.as_ref().map(|message| format!(" HeyGen says: \"{message}\""));
    let link = evidence.doc_url.as_ref().map(|link| format!(" ({link})"));
    message.unwrap_or_default() + &link.unwrap_or_default()
}

fn first_fact<'a, 'b>(judgement: &'b Judgement<'a>) -> Option<&'b Fact<'a>> {
    match &judgement.basis {
        Basis::Facts(facts) => facts.first(),
        _ => None,
    }
}

/// When HeyGen wants to be asked again, as it said.
fn retry_at(judgement: &Judgement<'_>) -> Option<Timestamp> {
    let seen = first_fact(judgement)?.seen;
    let secs = seen.evidence.as_ref()?.retry_after_secs?;
    seen.ended_at.checked_add(std::time::Duration::from_secs(secs)).ok()
}

/// For a hold on generation or translation: where else to look.
fn elsewhere(case: &Case<'_>) -> String {
    if !matches!(case.capability, Capability::VideoGeneration | Capability::VideoTranslation) {
        return String::new();
    }
    let substitutes: Vec<String> = alternatives(case)
        .iter()
        .map(|one| {
            let age = words::duration(words::between(one.checked_at, case.now));
            let state = words::component_state(one.state);
            let what = words::capability(case.capability);
            format!("{} ({state} {age} ago; {what} itself not tested)", one.name)
        })
        .collect();
    let elsewhere = if substitutes.is_empty() {
        String::new()
    } else {
        format!(" Elsewhere: {}.", substitutes.join(", "))
    };
    format!(
        "{elsewhere} See what others report: https://downdetector.com/status/heygen/ or \
         https://duckduckgo.com/?q=HeyGen+down"
    )
}
