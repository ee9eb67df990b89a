//! `jobs`: what is in flight, what ended, and what is usual.
//!
//! Reads the database for the jobs themselves and asks the daemon for what it has learned.
//! Invariant: a title is shown only while `show_titles` is on.

use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;

use super::failure::Failure;
use super::output::Audience;
use super::table::Table;
use super::verdict::{bold, dim, symbol};
use super::{Context, exit, load_config, output, remote};
use crate::admin::{Request, Response};
use crate::config::Config;
use crate::engine::words;
use crate::model::{JobState, Stage, State, Timestamp};
use crate::store::JobFilter;
use crate::wire::{JobJson, StageJson, Titles};

/// Jobs shown at most.
const MOST: usize = 500;
/// Ended jobs shown unless all are asked for.
const RECENT: usize = 20;

const NO_DAEMON: &str = "what is usual, and from when on a job is late, needs the running daemon";

/// Videos and translations: in flight and recent.
#[derive(Debug, Args)]
pub struct JobsArgs {
    /// Show what is usual, and from when on a job is late or stuck.
    #[arg(long)]
    pub baseline: bool,
    /// Show more of the ended ones, and those that were too old to follow.
    #[arg(long, conflicts_with = "baseline")]
    pub all: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be read.
pub async fn run(args: JobsArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let now = context.clock.now();
    let audience = Audience::of(args.json);
    let learning = learned(&config, context);
    let stages = output::busy("asking the daemon", audience, learning).await;
    if args.baseline {
        let stages = stages.ok_or_else(|| Failure::new(NO_DAEMON))?;
        output::print(&baseline(&stages, args.json, &config.settings.timezone, now)?)?;
        return Ok(exit::OK);
    }
    let jobs = output::busy("reading the history", audience, stored(&args, &config)).await?;
    if args.json {
        output::print(&serde_json::to_string_pretty(&jobs)?)?;
        return Ok(exit::OK);
    }
    if stages.is_none() {
        output::say(NO_DAEMON);
    }
    let zone = &config.settings.timezone;
    output::print(&list(&jobs, &stages.unwrap_or_default(), &args, (zone, now)))?;
    Ok(exit::OK)
}

/// What the running daemon has learned; `None` when none runs or it has not decided yet.
async fn learned(config: &Config, context: &Context) -> Option<Vec<StageJson>> {
    match remote::ask(config, context, &Request::Jobs).await {
        Ok(Response::Jobs { stages }) => stages,
        Ok(_) | Err(_) => None,
    }
}

/// Live ones first, then those that ended; each newest first.
async fn stored(args: &JobsArgs, config: &Config) -> anyhow::Result<Vec<JobJson>> {
    let store = remote::history(config).await?;
    let filter = JobFilter { live_only: true, kind: None, origin: None, before: None, limit: MOST };
    let mut jobs = store.jobs(filter.clone()).await?;
    let all = store.jobs(JobFilter { live_only: false, ..filter }).await?;
    let shown = if args.all { MOST } else { RECENT };
    jobs.extend(all.into_iter().filter(|job| !job.state.is_live()).take(shown));
    let titles = if config.show_titles { Titles::Shown } else { Titles::Hidden };
    Ok(jobs.iter().map(|job| JobJson::of(job, titles)).collect())
}

fn list(
    jobs: &[JobJson],
    stages: &[StageJson],
    args: &JobsArgs,
    (zone, now): (&TimeZone, Timestamp),
) -> String {
    let is_shown = |job: &&JobJson| args.all || !job.abandoned;
    let (live, ended): (Vec<_>, Vec<_>) = jobs.iter().partition(|job| is_live(job));
    let ended: Vec<_> = ended.into_iter().filter(is_shown).collect();
    let left = live.iter().filter(|job| job.abandoned).count();
    let live: Vec<_> = live.into_iter().filter(is_shown).collect();
    let mut parts = vec![bold("In flight")];
    if live.is_empty() {
        parts.push("  nothing".to_owned());
    } else {
        let headings = ["whose", "id", "stage", "for", "", "created", "title"];
        let rows = live.iter().map(|job| live_row(job, stages, (zone, now)));
        parts.push(Table::of(&headings, rows).to_string());
    }
    if left > 0 && !args.all {
        let noun = if left == 1 { "job was" } else { "jobs were" };
        let text = format!("  {left} unfinished {noun} too old to follow when first seen (--all)");
        parts.push(dim(&text));
    }
    if !ended.is_empty() {
        parts.push(String::new());
        parts.push(bold("Ended"));
        let headings = ["whose", "id", "came to", "ended", "", "why", "title"];
        let rows = ended.iter().map(|job| ended_row(job, zone, now));
        parts.push(Table::of(&headings, rows).to_string());
    }
    parts.join("\n")
}

fn is_live(job: &JobJson) -> bool {
    job.state.parse().is_ok_and(JobState::is_live)
}

fn live_row(
    job: &JobJson,
    stages: &[StageJson],
    (zone, now): (&TimeZone, Timestamp),
) -> Vec<String> {
    let since = job.stage_since.unwrap_or(job.created_at);
    let age = words::between(since, now);
    let verdict =
        if job.abandoned { "not followed".to_owned() } else { lateness(job, stages, age) };
    vec![
        words::jobs(job.kind, job.origin).to_owned(),
        job.id.clone(),
        state(&job.state).to_owned(),
        words::duration(age),
        verdict,
        words::time(job.created_at, zone, now),
        job.title.clone().unwrap_or_default(),
    ]
}

/// Whether it is over a limit of its stage.
fn lateness(job: &JobJson, stages: &[StageJson], age: Duration) -> String {
    let stage = match job.state.parse() {
        Ok(JobState::Queued) => Stage::Queue,
        Ok(JobState::Processing) => Stage::Processing,
        Ok(_) | Err(_) => return String::new(),
    };
    let is_its = |one: &&StageJson| {
        one.kind == job.kind && one.origin == job.origin && one.stage == stage.as_str()
    };
    match stages.iter().find(is_its) {
        Some(limits) if age.as_secs_f64() > limits.stuck_seconds => {
            format!("{} STUCK", symbol(State::Outage))
        }
        Some(limits) if age.as_secs_f64() > limits.late_seconds => {
            format!("{} late", symbol(State::Degraded))
        }
        Some(_) | None => String::new(),
    }
}

fn ended_row(job: &JobJson, zone: &TimeZone, now: Timestamp) -> Vec<String> {
    let ended_at = job.ended.map_or(job.seen_at, |ended| ended.latest);
    let why = job.failure.as_ref();
    let why = why.and_then(|failure| failure.message.clone().or_else(|| failure.code.clone()));
    vec![
        words::jobs(job.kind, job.origin).to_owned(),
        job.id.clone(),
        state(&job.state).to_owned(),
        words::time(ended_at, zone, now),
        format!("after {}", words::duration(words::between(job.created_at, ended_at))),
        why.unwrap_or_default(),
        job.title.clone().unwrap_or_default(),
    ]
}

fn baseline(
    stages: &[StageJson],
    json: bool,
    zone: &TimeZone,
    now: Timestamp,
) -> anyhow::Result<String> {
    if json {
        return Ok(serde_json::to_string_pretty(stages)?);
    }
    if stages.is_empty() {
        let text =
            "No jobs are followed: add a `check.queue` (it costs nothing and needs the key).";
        return Ok(text.to_owned());
    }
    let headings =
        ["whose", "stage", "now", "oldest", "usual", "9 of 10", "late", "stuck", "learned from"];
    let rows = stages.iter().map(|stage| stage_row(stage, zone, now));
    Ok(Table::of(&headings, rows).right([2, 4, 5, 6, 7]).to_string())
}

fn stage_row(stage: &StageJson, zone: &TimeZone, now: Timestamp) -> Vec<String> {
    let time = |seconds: f64| {
        words::duration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    };
    let usual = stage.baseline.as_ref();
    let name = match stage.stage.as_str() {
        "submit" => "create request",
        "queue" => "waiting to start",
        "processing" => "being made",
        other => other,
    };
    let oldest = stage.oldest_since;
    vec![
        words::jobs(stage.kind, stage.origin).to_owned(),
        name.to_owned(),
        stage.in_flight.to_string(),
        oldest.map_or("-".to_owned(), |at| format!("since {}", words::time(at, zone, now))),
        usual.map_or("-".to_owned(), |usual| time(usual.median_seconds)),
        usual.map_or("-".to_owned(), |usual| time(usual.q90_seconds)),
        time(stage.late_seconds),
        time(stage.stuck_seconds),
        usual.map_or("nothing yet: defaults".to_owned(), |usual| format!("{} jobs", usual.count)),
    ]
}

fn state(word: &str) -> &str {
    match word.parse() {
        Ok(state) => words::job_state(state),
        Err(_) => word,
    }
}
