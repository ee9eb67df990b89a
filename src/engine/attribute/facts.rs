//! Confirmed alert states, as far as nothing nearer and newer overrules them.
//!
//! Owns the step from the lines to a flat list of facts. Does not weigh them against each other.
//! Invariant: a fact rests on fresh evidence; what is stale is no fact, and no end of one either.

use std::sync::Arc;

use super::places;
use crate::engine::alert::{Firing, Line, Meaning};
use crate::engine::evaluate::Memory;
use crate::engine::evaluate::job_facts::JobFact;
use crate::engine::settings::{Cadence, Settings, Watch};
use crate::model::{
    Blame, Capability, Job, JobKind, Observation, Outcome, ProbeKind, Reason, Series, State,
    Timestamp,
};

/// Requests in five minutes below which a limit is hardly ours (verdicts.md, section 5).
const FEW_REQUESTS: usize = 30;
/// Jobs in flight up to which a limit is hardly the account's (the same place).
const FEW_JOBS: usize = 1;

/// A confirmed alert state of one series.
#[derive(Debug, Clone)]
pub struct Fact<'a> {
    /// The probe.
    pub watch: &'a Watch,
    /// The series.
    pub series: &'a Series,
    /// Which kind of trouble.
    pub family: Family,
    /// What it makes of its capabilities.
    pub state: State,
    /// Whose move it is.
    pub blame: Blame,
    /// Why.
    pub reason: Reason,
    /// The first bad observation.
    pub since: Timestamp,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// What it touches; empty when it is overruled everywhere.
    pub capabilities: Vec<Capability>,
    /// The last bad observation.
    pub seen: &'a Arc<Observation>,
    /// How often it was seen, in words, when more than once.
    pub how_often: Option<String>,
    /// True when it may open an incident.
    pub is_lasting: bool,
}

impl Fact<'_> {
    /// Something answers over HTTP, but not as it does in other places: a region of HeyGen's, or
    /// something on the way. Who is at fault cannot be told from here.
    pub fn is_regional(&self) -> bool {
        self.family == Family::Local && !self.seen.outcome.is_transport()
    }
}

/// Which kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Provider, down.
    Down,
    /// Down from here, while other places see it work.
    Local,
    /// Provider, errors now and then.
    Intermittent,
    /// Provider, slow.
    Slow,
    /// Account, refused.
    Account,
    /// Account, rate limited (or the provider throttles).
    Limited,
    /// Our request.
    Client,
    /// The provider's, seen by jobs: they do not come out.
    JobsDown,
    /// The provider's, seen by jobs: late, a single one, a failed test.
    JobsDegraded,
    /// Our own queue.
    Backlog,
}

impl Family {
    /// True for what jobs say: nothing but jobs overrules it.
    pub fn is_of_jobs(self) -> bool {
        matches!(self, Self::JobsDown | Self::JobsDegraded | Self::Backlog)
    }
}

/// Every confirmed alert state of every line that may speak of HeyGen.
pub fn facts<'a>(
    memory: &'a Memory,
    settings: &'a Settings,
    lines: &[(&'a Line, &'a Watch)],
    now: Timestamp,
) -> Vec<Fact<'a>> {
    let mut all = Vec::new();
    for (line, watch) in lines.iter().copied() {
        if !line.is_fresh(watch.fresh_for(), now) {
            continue;
        }
        all.extend(provider_facts(line, watch, now));
        all.extend(account_facts(line, watch));
        all.extend(limited_fact(memory, settings, line, watch, now));
        all.extend(client_fact(line, watch));
    }
    for fact in &mut all {
        let stands = |one: &&Capability| {
            !is_overruled(lines, fact, **one, now) && !is_overruled_by_job(memory, fact, **one)
        };
        fact.capabilities = fact.capabilities.iter().filter(stands).copied().collect();
    }
    for fact in &mut all {
        places::weigh(fact, memory, settings, now);
    }
    all.extend(memory.jobs.facts.iter().filter_map(|seen| of_jobs(settings, seen)));
    all
}

fn fact<'a>(
    line: &'a Line,
    watch: &'a Watch,
    seen: &'a Arc<Observation>,
    family: Family,
) -> Fact<'a> {
    let (state, blame) = match family {
        Family::Down | Family::JobsDown => (State::Outage, Blame::Provider),
        Family::Intermittent | Family::Slow | Family::JobsDegraded => {
            (State::Degraded, Blame::Provider)
        }
        Family::Local => (State::Degraded, Blame::Network),
        Family::Account => (State::Outage, Blame::Account),
        Family::Limited | Family::Backlog => (State::Degraded, Blame::Account),
        Family::Client => (State::Unknown, Blame::Client),
    };
    let reason = match family {
        Family::Intermittent => Reason::IntermittentErrors,
        Family::Local => Reason::LocalView,
        Family::Down
        | Family::Slow
        | Family::Account
        | Family::Limited
        | Family::Client
        | Family::JobsDown
        | Family::JobsDegraded
        | Family::Backlog => Reason::Outcome(seen.outcome),
    };
    Fact {
        watch,
        series: &line.last.series,
        family,
        state,
        blame,
        reason,
        since: seen.begun_at,
        confirmed_at: seen.ended_at,
        capabilities: line.last.capabilities.clone(),
        seen,
        how_often: None,
        is_lasting: true,
    }
}

/// What the jobs say is confirmed by itself: every job has its own deadline.
fn of_jobs<'a>(settings: &'a Settings, said: &'a JobFact) -> Option<Fact<'a>> {
    let family = said.family();
    Some(Fact {
        watch: settings.watch(&said.seen.series.probe)?,
        series: &said.seen.series,
        family,
        state: said.state,
        blame: said.blame,
        reason: said.reason,
        since: said.since,
        confirmed_at: said.seen.ended_at,
        capabilities: said.seen.capabilities.clone(),
        seen: &said.seen,
        how_often: None,
        is_lasting: family != Family::Backlog,
    })
}

/// A job that was created after the last failure and moved on shows that the way is open.
fn is_overruled_by_job(memory: &Memory, fact: &Fact<'_>, capability: Capability) -> bool {
    let is_of_provider = matches!(fact.family, Family::Down | Family::Intermittent | Family::Slow);
    let up = JobKind::of(capability).and_then(|kind| memory.jobs.ups.get(&kind));
    is_of_provider && up.is_some_and(|up| up.begun_at > fact.seen.begun_at)
}

fn confirmed(fact: Fact<'_>, firing: Firing) -> Fact<'_> {
    Fact { since: firing.since, confirmed_at: firing.confirmed_at, ..fact }
}

fn provider_facts<'a>(
    line: &'a Line,
    watch: &'a Watch,
    now: Timestamp,
) -> impl Iterator<Item = Fact<'a>> {
    let made = move |firing: Option<Firing>, family, meaning| {
        let (firing, seen) = (firing?, line.last_of.get(&meaning)?);
        Some(confirmed(fact(line, watch, seen, family), firing))
    };
    let down = made(line.down.firing(), Family::Down, Meaning::Down).map(|fact| {
        let count = line.down.bad_in_a_row();
        Fact { how_often: (count > 1).then(|| format!("{count} in a row")), ..fact }
    });
    let intermittent =
        made(line.intermittent.firing(), Family::Intermittent, Meaning::Down).map(|fact| {
            let (bad, seen) = line.intermittent.share(now);
            Fact { how_often: Some(format!("{bad} of the last {seen} failed")), ..fact }
        });
    let slow = made(line.sluggish.firing(), Family::Slow, Meaning::Slow);
    [down, intermittent, slow].into_iter().flatten()
}

fn account_facts<'a>(line: &'a Line, watch: &'a Watch) -> impl Iterator<Item = Fact<'a>> {
    line.accounts.iter().filter_map(move |(outcome, streak)| {
        let firing = streak.firing()?;
        let seen = line.last_of.get(&Meaning::Account)?;
        let mut made = confirmed(fact(line, watch, seen, Family::Account), firing);
        made.reason = Reason::Outcome(*outcome);
        if *outcome == Outcome::Forbidden {
            // HeyGen knew who we are: the key itself is proven.
            made.capabilities.retain(|capability| *capability != Capability::Authentication);
        }
        Some(made)
    })
}

fn limited_fact<'a>(
    memory: &Memory,
    settings: &Settings,
    line: &'a Line,
    watch: &'a Watch,
    now: Timestamp,
) -> Option<Fact<'a>> {
    if !line.limited.is_active(now) {
        return None;
    }
    let seen = line.last_of.get(&Meaning::Limited)?;
    let mut made = fact(line, watch, seen, Family::Limited);
    made.since = line.limited.since().unwrap_or(seen.begun_at);
    made.is_lasting = line.limited.is_lasting(now);
    if is_throttled_by_provider(memory, settings, now) {
        made.blame = Blame::Provider;
        made.reason = Reason::ProviderThrottling;
    }
    Some(made)
}

fn client_fact<'a>(line: &'a Line, watch: &'a Watch) -> Option<Fact<'a>> {
    let (firing, seen) = (line.client.firing()?, line.last_of.get(&Meaning::Client)?);
    Some(confirmed(fact(line, watch, seen, Family::Client), firing))
}

/// Both the authenticated and the anonymous call are limited, twice, some time apart, we hardly
/// sent anything and nobody else does much: then it is not this account's doing.
fn is_throttled_by_provider(memory: &Memory, settings: &Settings, now: Timestamp) -> bool {
    let is_limited_twice = |line: &Line, watch: &Watch| {
        let apart = match settings.cadence {
            Cadence::Daemon => watch.thresholds.recheck,
            Cadence::Check { .. } => super::check_spacing(watch),
        };
        let spread = line
            .limited
            .last()
            .zip(line.limited.since())
            .map(|(last, first)| last.duration_since(first));
        line.limited.in_a_row() >= 2
            // Re-checks are spaced from the end of the last run: a tenth less is still apart.
            && spread.is_some_and(|spread| spread.unsigned_abs() >= apart.mul_f64(0.9))
    };
    let reads = || memory.of_heygen(settings).filter(|(_, watch)| watch.kind == ProbeKind::Api);
    reads().any(|(line, watch)| watch.anonymous && is_limited_twice(line, watch))
        && reads().any(|(line, watch)| !watch.anonymous && is_limited_twice(line, watch))
        && memory.requests_sent(now) < FEW_REQUESTS
        && memory.jobs.ledger.all().filter(|job| is_in_flight(job)).count() <= FEW_JOBS
}

fn is_in_flight(job: &Job) -> bool {
    job.state.is_live() && !job.is_abandoned
}

/// True when an equal or nearer probe succeeded later: newer than the last failure, or steadily
/// since the failing began, so that the answer does not swing with every single observation.
fn is_overruled(
    lines: &[(&Line, &Watch)],
    fact: &Fact<'_>,
    capability: Capability,
    now: Timestamp,
) -> bool {
    let (seen, since, watch) = (fact.seen, fact.since, fact.watch);
    lines.iter().any(|(other, other_watch)| {
        // The cheapest question first: with many probes nearly all of them end here.
        if other.good_run.is_none() {
            return false;
        }
        let is_near_enough = other_watch.nearness() > watch.nearness()
            || (other_watch.nearness() == watch.nearness() && other_watch.host == watch.host);
        if other.last.series == seen.series || !is_near_enough {
            return false;
        }
        let Some(success) = other.success().filter(|_| is_up_evidence(other_watch, capability))
        else {
            return false;
        };
        let informs = other.last.capabilities.contains(&capability);
        let is_steady = other.good_run.is_some_and(|(count, first)| {
            count >= other_watch.thresholds.successes && first > since
        });
        informs
            && other.is_fresh(other_watch.fresh_for(), now)
            && (success.begun_at > seen.begun_at || is_steady)
    })
}

/// Whether a success of this probe shows that the capability works: for generation and
/// translation only a job does, and jobs are remembered by themselves.
pub fn is_up_evidence(watch: &Watch, capability: Capability) -> bool {
    match capability {
        Capability::VideoGeneration | Capability::VideoTranslation => false,
        Capability::Authentication => !watch.anonymous,
        Capability::Api | Capability::WebApp | Capability::Speech | Capability::Webhooks => true,
    }
}
