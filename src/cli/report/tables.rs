//! What stands in the tables of a report, in words.
//!
//! Invariant: every share says what it is of.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::sheet::Sheet;
use crate::engine::report::{CapabilityReport, Mean, Report, percent};
use crate::engine::words;
use crate::model::{Blame, Timestamp};

/// One row per capability that the team uses.
pub(super) fn capabilities(report: &Report) -> Sheet {
    let mut sheet = Sheet::headed([
        "capability",
        "HeyGen down",
        "HeyGen degraded",
        "your account",
        "can't tell",
        "not watched",
        "our checks",
        "HeyGen's page",
        "your videos",
    ]);
    for one in &report.capabilities {
        let spent = &one.uptime.spent;
        let (ours, page, videos) = shares(one);
        sheet.row([
            words::capability(one.uptime.capability).to_owned(),
            time(spent.down.provider),
            time(spent.degraded.provider),
            time(spent.down.account + spent.degraded.account),
            time(spent.unknown),
            time(spent.no_data),
            ours,
            page,
            videos,
        ]);
    }
    sheet
}

fn shares(one: &CapabilityReport) -> (String, String, String) {
    let or_dash = |share: Option<f64>| share.map_or("-".to_owned(), percent);
    (
        or_dash(one.uptime.spent.availability().map(|one| one.share)),
        or_dash(one.uptime.claimed.and_then(|claimed| claimed.declared())),
        or_dash(one.experienced.map(|one| one.share())),
    )
}

fn time(length: Duration) -> String {
    if length.is_zero() { "-".to_owned() } else { words::duration(length) }
}

/// Three measures of each capability, with n and interval.
pub(super) fn uptimes(report: &Report) -> Sheet {
    let mut sheet = Sheet::headed(["capability", "by", "uptime", "of", "between"]);
    for one in &report.capabilities {
        let name = words::capability(one.uptime.capability);
        let mut add = |by: &str, share, of: String, between: String| {
            sheet.row([name.to_owned(), by.to_owned(), percent(share), of, between]);
        };
        if let Some(ours) = one.uptime.spent.availability() {
            let between = match ours.unknown {
                Duration::ZERO => "nothing left open".to_owned(),
                unknown => format!(
                    "{} and {}, whatever was the case in {}",
                    percent(ours.low),
                    percent(ours.high),
                    words::duration(unknown)
                ),
            };
            add(
                "our checks",
                ours.share,
                format!("{} judged", words::duration(ours.judged)),
                between,
            );
        }
        if let Some(claimed) = one.uptime.claimed
            && let Some(share) = claimed.declared()
        {
            let known = claimed.operational + claimed.degraded + claimed.outage;
            let read = format!("{} of it read", words::duration(known));
            add("HeyGen's page", share, read, String::new());
        }
        if let Some(jobs) = one.experienced {
            let between =
                format!("{} and {} (95 %, Wilson)", percent(jobs.low), percent(jobs.high));
            let noun = if jobs.of == 1 { "job" } else { "jobs" };
            add("your videos", jobs.share(), format!("{} {noun}", jobs.of), between);
        }
    }
    sheet
}

/// How soon trouble was found, how long it lasted, and what HeyGen's page made of it.
pub(super) fn watching(report: &Report) -> Vec<String> {
    let watching = &report.watching;
    let time = |mean: Mean| words::duration(mean.mean);
    let of = |mean: Mean| {
        let noun = if mean.of == 1 { "incident" } else { "incidents" };
        format!("on average ({} {noun})", mean.of)
    };
    let mut said = Vec::new();
    said.extend(watching.detected.map(|mean| {
        let (time, of) = (time(mean), of(mean));
        format!("Trouble on HeyGen's side was confirmed {time} after its first sign {of}.")
    }));
    said.extend(watching.repaired.map(|mean| format!("It lasted {} {}.", time(mean), of(mean))));
    if watching.open > 0 {
        said.push(format!("{} of HeyGen's incidents still open are not in that.", watching.open));
    }
    said.extend(watching.lead.map(|mean| {
        format!("It was known here {} before HeyGen's page {}.", time(mean), of(mean))
    }));
    if !watching.unannounced.is_empty() {
        let ids: Vec<String> = watching.unannounced.iter().map(|id| format!("#{id}")).collect();
        said.push(format!("No matching notice of HeyGen's was found for {}.", ids.join(", ")));
    }
    said
}

/// Every incident, newest first.
pub(super) fn incidents(report: &Report, zone: &TimeZone, now: Timestamp) -> Sheet {
    let mut sheet = Sheet::headed(["incident", "began", "lasted", "side", "HeyGen's page", "what"]);
    for one in &report.incidents {
        let lasted = words::duration(one.lasted);
        let page = match (one.blame, one.acknowledged_at) {
            (Blame::Provider, Some(at)) => {
                format!("{} later", words::duration(words::between(one.opened_at, at)))
            }
            (Blame::Provider, None) => "no notice".to_owned(),
            _ => "-".to_owned(),
        };
        sheet.row([
            format!("#{}", one.id),
            words::time(one.opened_at, zone, now),
            if one.resolved_at.is_some() { lasted } else { format!("open for {lasted}") },
            words::side(one.blame).to_owned(),
            page,
            one.headline.clone(),
        ]);
    }
    sheet
}
