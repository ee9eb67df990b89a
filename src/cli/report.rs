//! `report`: what a stretch of time was like, and what a request for a refund needs.
//!
//! Reads the database alone. Invariants: the first sentence is for the boss; no title of a job and no
//! secret is ever printed.

mod csv;
mod sheet;
mod tables;

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::failure::Failure;
use super::incidents::no_such;
use super::output::Audience;
use super::verdict::{bold, dim};
use super::{Context, exit, load_config, output, remote};
use crate::config::Config;
use crate::engine::report::dossier::{Papers, dossier};
use crate::engine::report::{Material, Period, Report, report};
use crate::engine::uptime::Window;
use crate::engine::words;
use crate::model::{Incident, IncidentId, Observation, Outcome, Timestamp};
use crate::store::{ObservationFilter, Store};
use crate::wire::{DossierJson, ReportJson};
use sheet::Sheet;

/// Incidents read at most: years of a bad vendor.
const MOST_INCIDENTS: usize = 10_000;
/// Jobs of each kind and origin read at most.
const MOST_JOBS: usize = 50_000;
/// Observations of one incident read at most.
const MOST_OBSERVATIONS: usize = 20_000;
/// What is usual is learned from so long before an incident.
const BEFORE: Duration = Duration::from_hours(30 * 24);

/// What HeyGen was like: for the boss, for a refund, for a spreadsheet.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  heygen-monitor report --since 2026-11             November, in sentences and a table
  heygen-monitor report --since 90d --details       three uptimes, how soon it was found, incidents
  heygen-monitor report --format csv > uptime.csv   a row per capability (--details: per incident)
  heygen-monitor report --evidence 42               what a request for a refund needs")]
pub struct ReportArgs {
    /// How far back, e.g. `30d`; or a month (`2026-11`); or a day to begin with (`2026-11-03`).
    #[arg(long, default_value = "30d", value_parser = since)]
    pub since: Since,
    /// How it is printed.
    #[arg(long, default_value = "table")]
    pub format: Format,
    /// Print JSON.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Add the three uptimes with what they rest on, how soon trouble was found, and every incident.
    #[arg(long)]
    pub details: bool,
    /// Print what a request for a refund needs of one incident: a text to paste, and rows.
    #[arg(long, value_name = "ID", value_parser = super::number,
          conflicts_with_all = ["since", "details"])]
    pub evidence: Option<IncidentId>,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For scripts.
    Json,
    /// For spreadsheets.
    Csv,
    /// For a wiki or an issue.
    Markdown,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// The calendar month that begins on this day.
    Month(Date),
    /// From this day on.
    Day(Date),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(day) = text.parse::<Date>() {
        return Ok(Since::Day(day));
    }
    if let Ok(first) = format!("{text}-01").parse::<Date>() {
        return Ok(Since::Month(first));
    }
    let wrong = |_| "30d, a month like 2026-11 or a day like 2026-11-03 is needed".to_owned();
    super::duration(text).map(Since::Ago).map_err(wrong)
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be read.
pub async fn run(args: ReportArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let format = if args.json { Format::Json } else { args.format };
    let writing = text(&args, format, &config, context.clock.now());
    let audience = Audience::of(format == Format::Json);
    let text = output::busy("reading the history", audience, writing).await?;
    output::print(&config.redactor.redact(&text))?;
    Ok(exit::OK)
}

async fn text(
    args: &ReportArgs,
    format: Format,
    config: &Config,
    now: Timestamp,
) -> anyhow::Result<String> {
    let store = remote::history(config).await?;
    if let Some(id) = args.evidence {
        let incident = store.incident(id).await?.ok_or_else(|| no_such(id))?;
        return evidence(&store, config, &incident, (format, now)).await;
    }
    let zone = &config.settings.timezone;
    let period = period(args.since, zone, now)
        .ok_or_else(|| Failure::usage("that time has not come yet, or is no time at all"))?;
    let report = made(&store, config, period, now).await?;
    let shown = if args.details { Shown::Details } else { Shown::Summary };
    rendered(&report, shown, format, (zone, now))
}

/// The stretch of time, and what people call it; `None` for one that has not begun.
fn period(since: Since, zone: &TimeZone, now: Timestamp) -> Option<Period> {
    let begin = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
    let today = now.to_zoned(zone.clone()).date();
    let (name, since, until) = match since {
        Since::Ago(ago) => {
            let name = format!("In the last {}", ago_in_words(ago));
            (name, now.saturating_sub(ago).ok()?, now)
        }
        Since::Day(day) => (format!("Since {day}"), begin(day)?, now),
        Since::Month(first) => {
            let month = if first.year() == today.year() { "%B" } else { "%B %Y" };
            let until = begin(first.checked_add(1.month()).ok()?)?;
            let so_far = if until > now { " so far" } else { "" };
            (format!("In {}{so_far}", first.strftime(month)), begin(first)?, until.min(now))
        }
    };
    (since < until).then_some(Period { name, window: Window { since, until } })
}

fn ago_in_words(ago: Duration) -> String {
    const DAY_SECS: u64 = 86_400;
    match (ago.as_secs() / DAY_SECS, ago.as_secs() % DAY_SECS) {
        (1, 0) => "24 hours".to_owned(),
        (days, 0) if days > 0 => format!("{days} days"),
        _ => words::duration(ago),
    }
}

async fn made(
    store: &Store,
    config: &Config,
    period: Period,
    now: Timestamp,
) -> anyhow::Result<Report> {
    let window = period.window;
    let past = store.past(window).await?;
    let incidents = store.incidents(window.since, None, MOST_INCIDENTS).await?;
    let jobs = store.jobs_within(window, MOST_JOBS).await?;
    let material = Material { past: &past, incidents: &incidents, jobs: &jobs };
    Ok(report(&config.settings, period, material, now))
}

/// How much of a report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Summary,
    Details,
}

fn rendered(
    report: &Report,
    shown: Shown,
    format: Format,
    (zone, now): (&TimeZone, Timestamp),
) -> anyhow::Result<String> {
    let is_detailed = shown == Shown::Details;
    Ok(match format {
        Format::Json => serde_json::to_string_pretty(&ReportJson::from(report))?,
        Format::Csv if is_detailed => csv::incidents(report),
        Format::Csv => csv::capabilities(report),
        Format::Table | Format::Markdown => {
            let style = if format == Format::Table { Style::Terminal } else { Style::Markdown };
            let mut parts = vec![style.sentences(&report.sentences)];
            parts.push(style.sheet(&tables::capabilities(report)));
            if is_detailed {
                parts.push(style.titled("Three uptimes", &tables::uptimes(report)));
                parts.push(style.paragraph(&tables::watching(report).join(" ")));
                let incidents = tables::incidents(report, zone, now);
                parts.push(style.titled("Incidents", &incidents));
            }
            parts.retain(|part| !part.is_empty());
            parts.join("\n\n")
        }
    })
}

/// Where a report for people is read.
#[derive(Debug, Clone, Copy)]
enum Style {
    Terminal,
    Markdown,
}

impl Style {
    fn sentences(self, sentences: &[String]) -> String {
        let said = sentences.iter().enumerate();
        let line = |(index, text): (usize, &String)| match (self, index) {
            (Self::Terminal, 0) => bold(text),
            (Self::Terminal, _) => text.clone(),
            (Self::Markdown, 0) => format!("**{}**", sheet::escaped(text)),
            (Self::Markdown, _) => sheet::escaped(text),
        };
        let gap = match self {
            Self::Terminal => "\n",
            Self::Markdown => "\n\n",
        };
        said.map(line).collect::<Vec<_>>().join(gap)
    }

    fn sheet(self, sheet: &Sheet) -> String {
        match self {
            Self::Terminal => sheet.terminal(),
            Self::Markdown => sheet.markdown(),
        }
    }

    fn titled(self, title: &str, sheet: &Sheet) -> String {
        let body = self.sheet(sheet);
        match self {
            _ if body.is_empty() => String::new(),
            Self::Terminal => format!("{}\n{body}", bold(title)),
            Self::Markdown => format!("## {title}\n\n{body}"),
        }
    }

    fn paragraph(self, text: &str) -> String {
        match self {
            Self::Terminal => text.to_owned(),
            Self::Markdown => sheet::escaped(text),
        }
    }
}

async fn evidence(
    store: &Store,
    config: &Config,
    incident: &Incident,
    (format, now): (Format, Timestamp),
) -> anyhow::Result<String> {
    let end = incident.resolved_at.unwrap_or(now);
    let [before, after] = store.account_around(incident).await?;
    let window = Window { since: incident.opened_at.saturating_sub(BEFORE)?, until: end };
    let jobs = store.jobs_within(window, MOST_JOBS).await?;
    let observations = seen_within(store, incident, end).await?;
    let papers = Papers {
        incident,
        before: before.as_ref(),
        after: after.as_ref(),
        jobs: &jobs,
        observations: &observations,
    };
    let dossier = dossier(&config.settings, papers, now);
    Ok(match format {
        Format::Json => serde_json::to_string_pretty(&DossierJson::of(incident.id, &dossier))?,
        Format::Csv => csv::evidence(&dossier),
        Format::Markdown => format!(
            "{}\n\n```csv\n{}\n```",
            sheet::escaped(&dossier.text).replace('\n', "  \n"),
            csv::evidence(&dossier)
        ),
        Format::Table => {
            let rule = dim("--- the same and more as CSV (--format csv) ---");
            format!("{}\n\n{rule}\n{}", dossier.text, csv::evidence(&dossier))
        }
    })
}

/// What was seen of an incident, whichever of its capabilities it told of.
async fn seen_within(
    store: &Store,
    incident: &Incident,
    end: Timestamp,
) -> anyhow::Result<Vec<Observation>> {
    let filter = ObservationFilter {
        since: Some(incident.opened_at),
        until: Some(end),
        limit: MOST_OBSERVATIONS,
        ..ObservationFilter::default()
    };
    let all = store.list_observations(filter).await?;
    let informs = |one: &Observation| {
        one.capabilities.iter().any(|capability| incident.capabilities.contains(capability))
    };
    let seen = all.into_iter().map(|(_, one)| one);
    Ok(seen.filter(|one| one.outcome != Outcome::Ok && informs(one)).collect())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod periods {
    use super::*;

    fn said(text: &str) -> Option<(String, String, String)> {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let period = period(since(text).unwrap(), &zone, now)?;
        let window = period.window;
        Some((period.name, window.since.to_string(), window.until.to_string()))
    }

    #[test]
    fn periods_are_called_as_people_call_them() {
        let is = |name: &str, since: &str, until: &str| {
            Some((name.to_owned(), since.to_owned(), until.to_owned()))
        };
        let now = "2026-11-20T12:00:00Z";
        assert_eq!(said("30d"), is("In the last 30 days", "2026-10-21T12:00:00Z", now));
        assert_eq!(said("90m"), is("In the last 1 h 30 min", "2026-11-20T10:30:00Z", now));
        assert_eq!(said("2026-11"), is("In November so far", "2026-10-31T23:00:00Z", now));
        let october = is("In October", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z");
        assert_eq!(said("2026-10"), october);
        let old = is("In December 2025", "2025-11-30T23:00:00Z", "2025-12-31T23:00:00Z");
        assert_eq!(said("2025-12"), old);
        assert_eq!(said("2026-11-03"), is("Since 2026-11-03", "2026-11-02T23:00:00Z", now));
        assert_eq!(said("2026-12"), None);
        assert!(since("soon").is_err());
        assert!(since("2026-13").is_err());
    }
}
