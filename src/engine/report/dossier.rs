//! What a request for a refund needs of one incident, in one text to paste and in rows.
//!
//! Owns what is in it, its order and its length. Invariants: at most [`MOST_CHARS`] characters; no
//! title of a job, no query of an address; what is not known is said to be not known.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::jobs::{self, LateJob, without_queries};
use crate::engine::settings::Settings;
use crate::engine::words;
use crate::model::text::clean;
use crate::model::{
    AccountReading, Evidence, EvidenceItem, Incident, Job, JobState, Observation, Origin, Outcome,
    PoolName, Timestamp,
};

/// What HeyGen's support form takes at least.
pub const MOST_CHARS: usize = 2_000;
/// Longest quotation of one answer, in characters.
const QUOTED_CHARS: usize = 200;
/// Longest name of anything, in characters.
const NAME_CHARS: usize = 60;
/// What HeyGen's API documentation says of failed jobs, under credits and prices.
const POLICY: &str = "HeyGen's documentation says that failed jobs are not charged. Please check \
                      the jobs above, and credit what was charged.";

/// What a dossier is made of.
#[derive(Debug, Clone, Copy)]
pub struct Papers<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// The account when it opened (or the last known before).
    pub before: Option<&'a AccountReading>,
    /// The account when it was over.
    pub after: Option<&'a AccountReading>,
    /// Jobs of some weeks around it: those it met, and those that show what is usual.
    pub jobs: &'a [Job],
    /// What was seen while it lasted.
    pub observations: &'a [Observation],
}

/// What a request for a refund needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    /// To paste: at most [`MOST_CHARS`] characters.
    pub text: String,
    /// Jobs that it made late or fail, the latest first.
    pub jobs: Vec<LateJob>,
    /// HeyGen's distinct answers, the most frequent first.
    pub answers: Vec<Answer>,
}

/// One distinct answer (or silence) of HeyGen's, as often as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The check that got it.
    pub probe: String,
    /// What it counts as.
    pub outcome: Outcome,
    /// HTTP status, where there was an answer.
    pub http_status: Option<u16>,
    /// HeyGen's error code.
    pub code: Option<String>,
    /// HeyGen's error message, whole.
    pub message: Option<String>,
    /// So often.
    pub count: usize,
    /// First.
    pub first_at: Timestamp,
    /// Last.
    pub last_at: Timestamp,
    /// The last request id that came with it.
    pub request_id: Option<String>,
}

/// Puts the papers together.
pub fn dossier(settings: &Settings, papers: Papers<'_>, now: Timestamp) -> Dossier {
    let incident = papers.incident;
    let end = incident.resolved_at.unwrap_or(now);
    let met = |job: &&Job| {
        let capability = job.kind.capability();
        let ended_at = job.ended.map(|ended| ended.latest);
        incident.capabilities.contains(&capability)
            && job.created_at < end
            && ended_at.is_none_or(|ended_at| ended_at > incident.opened_at)
    };
    let met: Vec<&Job> = papers.jobs.iter().filter(met).collect();
    let late = jobs::late(settings, &met, papers.jobs, now);
    let answers = answers(incident, papers.observations);
    let text = Draft { settings, papers, now }.text(met.len(), &late, &answers);
    Dossier { text, jobs: late, answers }
}

/// What was seen of it, without repeating.
fn answers(incident: &Incident, observations: &[Observation]) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut places = HashMap::new();
    let its = observations.iter().filter(|one| one.outcome.blame() == incident.blame);
    for seen in its.filter(|one| one.outcome != Outcome::Ok) {
        let evidence = seen.evidence.as_deref();
        let answer = Answer {
            probe: seen.series.to_string(),
            outcome: seen.outcome,
            http_status: evidence.and_then(|one| one.http_status),
            code: evidence.and_then(|one| one.code.clone()),
            message: evidence.and_then(message),
            count: 1,
            first_at: seen.begun_at,
            last_at: seen.begun_at,
            request_id: evidence.and_then(|one| one.request_id.clone()),
        };
        let words = (answer.code.clone(), answer.message.clone());
        let what = (answer.probe.clone(), answer.outcome, answer.http_status, words);
        let place = *places.entry(what).or_insert(answers.len());
        let Some(known) = answers.get_mut(place) else {
            answers.push(answer);
            continue;
        };
        known.count += 1;
        known.first_at = known.first_at.min(answer.first_at);
        if answer.last_at >= known.last_at {
            known.last_at = answer.last_at;
            known.request_id = answer.request_id.or(known.request_id.take());
        }
    }
    answers.sort_by_key(|one| (std::cmp::Reverse(one.count), one.first_at));
    answers
}

fn message(evidence: &Evidence) -> Option<String> {
    evidence.message.as_deref().map(without_queries)
}

/// The text in the making.
struct Draft<'a> {
    settings: &'a Settings,
    papers: Papers<'a>,
    now: Timestamp,
}

impl Draft<'_> {
    /// What must be there has its place; answers take at most half of what is left, jobs the rest.
    fn text(&self, met: usize, late: &[LateJob], answers: &[Answer]) -> String {
        let mut text = self.heading();
        let jobs = Self::summary(met, late);
        text.push_str("HeyGen's answers:\n");
        let fixed = chars(&text) + chars(&jobs) + chars(POLICY);
        let room = MOST_CHARS.saturating_sub(fixed);
        let answers = fitting(&self.answers(answers), room / 2);
        text.push_str(&answers);
        text.push_str(&jobs);
        let lines: Vec<String> = late.iter().map(of_job).collect();
        text.push_str(&fitting(&lines, room - chars(&answers)));
        text.push_str(POLICY);
        text
    }

    fn heading(&self) -> String {
        let incident = self.papers.incident;
        let end = incident.resolved_at.map_or_else(|| "now (it goes on)".to_owned(), utc);
        let lasted = words::duration(words::between(
            incident.opened_at,
            incident.resolved_at.unwrap_or(self.now),
        ));
        let seen = format!(
            "{} (first failure {}, confirmed {})",
            clean(&self.settings.vantage, NAME_CHARS),
            utc(incident.opened_at),
            utc(incident.confirmed_at)
        );
        let account = clean(&self.settings.account, NAME_CHARS);
        let lines = [
            format!(
                "HeyGen incident, {} to {end} ({lasted}), all times UTC",
                utc(incident.opened_at)
            ),
            format!("What failed: {}", words::capabilities(&incident.capabilities)),
            format!("Seen as: {}", clean(&without_queries(&incident.headline), QUOTED_CHARS)),
            format!("Seen from: {seen}"),
            format!("HeyGen's notice: {}", self.notice()),
            format!("Account: {account}, {}\n", self.account()),
        ];
        lines.join("\n")
    }

    fn notice(&self) -> String {
        let incident = self.papers.incident;
        let Some(at) = incident.acknowledged_at else {
            return "none that matches was found on the status page".to_owned();
        };
        let late = words::between(incident.opened_at, at);
        if late.is_zero() {
            return format!("on the status page at {}", utc(at));
        }
        format!("on the status page at {}, {} later", utc(at), words::duration(late))
    }

    fn account(&self) -> String {
        let Some(before) = self.papers.before else {
            return "plan and balance not known (no key, or not read)".to_owned();
        };
        let plan = &before.plan;
        let name =
            plan.name.as_ref().map_or("plan not told".to_owned(), |name| format!("plan {name}"));
        let cycle = plan.resets_at.map_or_else(
            || "cycle not told".to_owned(),
            |at| format!("cycle ends {}", at.to_zoned(TimeZone::UTC).date()),
        );
        let used = plan.spent_usd.map(|spent| format!(", ${spent:.2} used in it"));
        let mut text = format!("{name}, {cycle}{}; {}", used.unwrap_or_default(), left(before));
        if let Some(after) = self.papers.after.filter(|after| after.at > before.at) {
            text.push_str("; after: ");
            text.push_str(&left(after));
        }
        text
    }

    fn answers(&self, answers: &[Answer]) -> Vec<String> {
        if !answers.is_empty() {
            return answers.iter().map(said).collect();
        }
        let decisive = self.papers.incident.evidence.iter().filter(|item| item.decisive);
        let line = |item: &EvidenceItem| {
            let text = clean(&without_queries(&item.text), QUOTED_CHARS);
            format!("{} {}: {text}", utc(item.at), clean(&item.probe, NAME_CHARS))
        };
        decisive.map(line).collect()
    }

    fn summary(met: usize, late: &[LateJob]) -> String {
        let failed = late.iter().filter(|job| job.state == JobState::Failed).count();
        let noun = if met == 1 { "job" } else { "jobs" };
        format!(
            "Jobs: {met} {noun} of the account met it, {} were late, {failed} failed\n",
            late.len() - failed
        )
    }
}

/// As many lines as there is room for, and how many are left out.
fn fitting(lines: &[String], room: usize) -> String {
    /// For `- and 12345678 others`.
    const RESERVE: usize = 24;
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let reserve = if index + 1 == lines.len() { 0 } else { RESERVE };
        if chars(&text) + chars(line) + 3 + reserve > room {
            let others = format!("- and {} others\n", lines.len() - index);
            if chars(&text) + chars(&others) <= room {
                text.push_str(&others);
            }
            break;
        }
        text.push_str("- ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn of_job(job: &LateJob) -> String {
    let id = clean(&job.id, 80);
    let test = if job.origin == Origin::Canary { " (our test)" } else { "" };
    let took = words::duration(job.took);
    match (job.state, job.late_by) {
        (JobState::Failed, _) => {
            let why = job.failure.as_ref();
            let why = why.and_then(|one| one.code.clone().or_else(|| one.message.clone()));
            let why = why.map(|why| format!(": {}", clean(&without_queries(&why), 80)));
            format!("{id}{test}: failed after {took}{}", why.unwrap_or_default())
        }
        (_, Some(by)) if job.ended_at.is_none() => {
            format!("{id}{test}: not finished after {took}, {} late", words::duration(by))
        }
        (_, by) => {
            let by = words::duration(by.unwrap_or_default());
            format!("{id}{test}: {by} late (took {took})")
        }
    }
}

fn said(answer: &Answer) -> String {
    let status = answer.http_status.map(|status| format!("HTTP {status}"));
    let message = answer.message.as_ref().map(|text| format!("\"{}\"", clean(text, QUOTED_CHARS)));
    let parts = [status, answer.code.clone().map(|code| clean(&code, NAME_CHARS)), message];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let what =
        if parts.is_empty() { words::outcome(answer.outcome).to_owned() } else { parts.join(" ") };
    let id = answer.request_id.as_ref().map(|id| format!(", request id {}", clean(id, NAME_CHARS)));
    let times = match answer.count {
        1 => format!("once, {}", utc(answer.first_at)),
        count => format!("{count} times, {} to {}", utc(answer.first_at), utc(answer.last_at)),
    };
    format!("{}: {what} ({times}{})", clean(&answer.probe, NAME_CHARS), id.unwrap_or_default())
}

fn left(account: &AccountReading) -> String {
    if account.pools.is_empty() {
        return format!("{}: no balance told", utc(account.at));
    }
    let pool = |pool: &crate::model::Pool| {
        let name = match pool.name {
            PoolName::Wallet => "wallet",
            PoolName::Premium => "premium",
            PoolName::AddOn => "add-on",
            PoolName::UsageCap => "left of the cap",
            PoolName::Included => "included",
        };
        format!("{:.2} {} {name}", pool.remaining, pool.unit.as_str())
    };
    let pools: Vec<String> = account.pools.iter().map(pool).collect();
    format!("{}: {}", utc(account.at), pools.join(", "))
}

/// `2026-11-20 11:31:07`.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn chars(text: &str) -> usize {
    text.chars().count()
}
