//! `budget`: what paid tests cost, what they may cost, and what will be left.
//!
//! Asks the daemon for caps and forecast and reads the database for the tests themselves.
//! Invariant: what was spent is what the ledger says, with or without a daemon.

use clap::Args;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::output::Audience;
use super::table::{Table, columns};
use super::verdict::{bold, dim};
use super::{Context, exit, load_config, output, remote};
use crate::admin::{Request, Response};
use crate::config::Config;
use crate::engine::words;
use crate::model::{IntentState, Timestamp, Usd};
use crate::wire::{AccountJson, BudgetJson, IntentJson, PaidProbeJson, PoolJson};

/// Tests of a month that are read at most.
const MOST: usize = 10_000;
/// Tests that are shown.
const SHOWN: usize = 10;

const NO_DAEMON: &str = "today's share, the balance and the forecast need the running daemon";

/// What paid tests cost, and what they may cost.
#[derive(Debug, Args)]
pub struct BudgetArgs {
    /// Show what this month will cost, and how long the balance lasts.
    #[arg(long)]
    pub forecast: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What `budget --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    /// As `/api/v1/budget`; `null` when no daemon answers.
    budget: Option<BudgetJson>,
    /// This month's tests, newest first.
    tests: Vec<IntentJson>,
}

/// Runs the command.
///
/// # Errors
/// When neither the daemon nor its database can be read.
pub async fn run(args: BudgetArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let now = context.clock.now();
    let reading = read(&config, context, now);
    let report = output::busy("reading the ledger", Audience::of(args.json), reading).await?;
    let text = if args.json {
        serde_json::to_string_pretty(&report)?
    } else {
        for_people(&report, &config, args.forecast, now)
    };
    if report.budget.is_none() && !args.json {
        output::say(NO_DAEMON);
    }
    output::print(&text)?;
    if args.forecast && report.budget.is_none() {
        return Ok(exit::FAILED);
    }
    Ok(exit::OK)
}

async fn read(config: &Config, context: &Context, now: Timestamp) -> anyhow::Result<Report> {
    let tests = tests(config, now).await?;
    let budget = match remote::ask(config, context, &Request::Budget).await {
        Ok(Response::Budget { budget }) => budget.map(|budget| *budget),
        Ok(_) | Err(_) => None,
    };
    Ok(Report { budget, tests })
}

/// The tests of this month, newest first.
async fn tests(config: &Config, now: Timestamp) -> anyhow::Result<Vec<IntentJson>> {
    let store = remote::history(config).await?;
    let since = month_began(&config.settings.timezone, now);
    Ok(store.intents(since, MOST).await?.iter().map(IntentJson::from).collect())
}

fn month_began(zone: &TimeZone, now: Timestamp) -> Timestamp {
    let first = now.to_zoned(zone.clone()).first_of_month();
    first.and_then(|first| first.start_of_day()).map_or(now, |start| start.timestamp())
}

fn day_began(zone: &TimeZone, now: Timestamp) -> Timestamp {
    now.to_zoned(zone.clone()).start_of_day().map_or(now, |start| start.timestamp())
}

fn for_people(report: &Report, config: &Config, forecast: bool, now: Timestamp) -> String {
    let zone = &config.settings.timezone;
    let mut parts = match &report.budget {
        Some(budget) => vec![columns(caps(budget))],
        None => vec![columns(ledger(&report.tests, config, now))],
    };
    if let Some(budget) = &report.budget {
        if forecast {
            parts.push(columns(outlook(budget, zone, now)));
        }
        if !budget.probes.is_empty() {
            let headings = ["paid probe", "price", "this month", "last", "next"];
            let rows = budget.probes.iter().map(|probe| probe_row(probe, zone, now));
            parts.push(Table::of(&headings, rows).right([1]).to_string());
        }
    }
    if report.tests.is_empty() {
        parts.push("No paid test was sent this month.".to_owned());
    } else {
        let rows = report.tests.iter().take(SHOWN).map(|test| test_row(test, zone, now));
        let headings = ["sent", "probe", "price", "came to", "because", "look", "job"];
        let table = Table::of(&headings, rows).right([2]);
        let mut text = format!("{}\n{table}", bold("Tests"));
        if report.tests.len() > SHOWN {
            let more = report.tests.len() - SHOWN;
            text.push('\n');
            text.push_str(&dim(&format!("  and {more} more this month (--json)")));
        }
        parts.push(text);
    }
    parts.join("\n\n")
}

fn row(name: &str, says: String) -> Vec<String> {
    vec![name.to_owned(), says]
}

fn usd(dollars: f64) -> Usd {
    Usd::from_dollars(dollars)
}

fn caps(budget: &BudgetJson) -> Vec<Vec<String>> {
    let (today, share) = (usd(budget.spent_today_usd), usd(budget.share_today_usd));
    let (month, per_month) = (usd(budget.spent_month_usd), usd(budget.usd_per_month));
    let is_sent = if budget.canaries { "are sent" } else { "are not sent (`canaries = false`)" };
    vec![
        row("paid tests", is_sent.to_owned()),
        row("today", format!("{today} of {share} (cap {})", usd(budget.usd_per_day))),
        row("this month", format!("{month} of {per_month}")),
        row("balance", balance(budget.account.as_ref())),
    ]
}

/// What the ledger alone can tell.
fn ledger(tests: &[IntentJson], config: &Config, now: Timestamp) -> Vec<Vec<String>> {
    let today = day_began(&config.settings.timezone, now);
    let spent = |since: Option<Timestamp>| -> Usd {
        let charged = tests.iter().filter(|test| test.charged);
        let counted = charged.filter(|test| since.is_none_or(|since| test.created_at >= since));
        counted.map(|test| usd(test.price_usd)).sum()
    };
    let caps = &config.settings.budget;
    vec![
        row("today", format!("{} (cap {})", spent(Some(today)), caps.per_day)),
        row("this month", format!("{} of {}", spent(None), caps.per_month)),
    ]
}

fn balance(account: Option<&AccountJson>) -> String {
    let Some(account) = account else { return "not read yet".to_owned() };
    if account.pools.is_empty() {
        return "HeyGen told none".to_owned();
    }
    account.pools.iter().map(pool).collect::<Vec<_>>().join(", ")
}

fn pool(pool: &PoolJson) -> String {
    let name = match pool.pool.as_str() {
        "add_on" => "add-on",
        "usage_cap" => "left of the spending cap",
        other => other,
    };
    if pool.unit == "usd" {
        format!("{} {name}", usd(pool.remaining))
    } else {
        format!("{} credits {name}", pool.remaining)
    }
}

fn outlook(budget: &BudgetJson, zone: &TimeZone, now: Timestamp) -> Vec<Vec<String>> {
    let lasts = match budget.days_left {
        Some(days) => format!("about {days:.0} days at the account's pace"),
        None => "cannot be told yet".to_owned(),
    };
    let expires = budget.account.as_ref().and_then(|account| account.key_expires_at);
    let mut rows = vec![
        row("whole month", format!("about {}", usd(budget.forecast_month_usd))),
        row("balance lasts", lasts),
    ];
    rows.extend(expires.map(|at| row("API key ends", words::time(at, zone, now))));
    rows
}

fn probe_row(probe: &PaidProbeJson, zone: &TimeZone, now: Timestamp) -> Vec<String> {
    let time = |at: Option<Timestamp>, none: &str| {
        at.map_or(none.to_owned(), |at| words::time(at, zone, now))
    };
    let next = match &probe.held_back {
        Some(held) if held.text.is_empty() => format!("held back: {}", held.reason),
        Some(held) => format!("held back: {}", held.text),
        None => time(probe.next_due_at, "-"),
    };
    let noun = if probe.runs_month == 1 { "test" } else { "tests" };
    vec![
        probe.probe.clone(),
        usd(probe.price_usd).to_string(),
        format!("{} {noun}, {}", probe.runs_month, usd(probe.spent_month_usd)),
        time(probe.last_at, "never"),
        next,
    ]
}

fn test_row(test: &IntentJson, zone: &TimeZone, now: Timestamp) -> Vec<String> {
    let came = test.outcome.map_or_else(
        || state(&test.state).to_owned(),
        |outcome| outcome.as_str().replace('_', " "),
    );
    let price = usd(test.price_usd);
    vec![
        words::time(test.created_at, zone, now),
        test.probe.clone(),
        if test.charged { price.to_string() } else { "not charged".to_owned() },
        came,
        trigger(&test.trigger).to_owned(),
        test.look.clone(),
        test.job_id.clone().unwrap_or_default(),
    ]
}

fn state(word: &str) -> &str {
    match word.parse() {
        Ok(IntentState::Intended) => "being sent",
        Ok(IntentState::Ambiguous) => "perhaps accepted: looked for",
        Ok(IntentState::Accepted) => "followed",
        Ok(IntentState::Judged) => "to be deleted",
        Ok(IntentState::Refused) => "refused",
        Ok(IntentState::Absent) => "never arrived",
        Ok(IntentState::Closed) => "done",
        Err(_) => word,
    }
}

fn trigger(word: &str) -> &str {
    match word {
        "schedule" => "by schedule",
        "silence" => "nothing else told",
        "disagreement" => "signals disagreed",
        "second_look" => "second look",
        "asked" => "by hand",
        other => other,
    }
}
