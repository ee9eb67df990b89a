//! The sentences of a report; the first one is for the boss.
//!
//! Invariant: no sentence says more than its figures: what nobody watched is never called fine.

use std::time::Duration;

use super::{JobsReport, Report};
use crate::engine::jobs::noun;
use crate::engine::words;

/// All that there is to say.
pub(super) fn all(report: &Report) -> Vec<String> {
    let mut sentences = vec![of_heygen(report)];
    sentences.extend(report.jobs.iter().map(of_jobs));
    if report.jobs.is_empty() {
        sentences.push("No video of your own was followed in that time.".to_owned());
    }
    sentences.extend(of_slowness(report));
    sentences.extend(of_account(report));
    sentences.extend(of_blindness(report));
    sentences
}

fn of_heygen(report: &Report) -> String {
    let period = &report.period.name;
    let (making, down) = (&report.making, report.making.down.provider);
    if making.watched().is_zero() {
        return format!("{period} nobody watched whether videos could be made.");
    }
    if down.is_zero() && report.outages == 0 {
        let watched = if making.no_data.is_zero() { "" } else { ", as far as anybody watched" };
        return format!("{period} HeyGen never kept you from making videos{watched}.");
    }
    let lasted = words::duration(down);
    let incidents = match report.outages {
        1 => "1 incident".to_owned(),
        count => format!("{count} incidents"),
    };
    let admitted = match report.admitted {
        0 => "none".to_owned(),
        all if all == report.outages && all > 1 => format!("all {all}"),
        some => some.to_string(),
    };
    if report.outages == 0 {
        return format!("{period} HeyGen kept you from making videos for {lasted}.");
    }
    format!(
        "{period} HeyGen kept you from making videos for {lasted}, in {incidents}; its own page \
         showed {admitted}."
    )
}

fn of_jobs(jobs: &JobsReport) -> String {
    let all = format!("{} {}", jobs.judged, noun(jobs.kind, jobs.judged));
    let failed = match jobs.failed {
        0 => String::new(),
        failed => format!("; {failed} failed on HeyGen's side"),
    };
    if jobs.late == 0 {
        let in_time = if jobs.failed == 0 { "came in time" } else { "none came late" };
        return match jobs.failed {
            0 => format!("Your {all} {in_time}."),
            _ => format!("Of your {all} {in_time}{failed}."),
        };
    }
    let waited = words::duration(jobs.waited);
    let longest = match jobs.late {
        1 => String::new(),
        _ => format!(" (the longest {})", words::duration(jobs.longest)),
    };
    format!(
        "{} of your {all} came late: {waited} of waiting beyond the usual{longest}{failed}.",
        jobs.late
    )
}

fn of_slowness(report: &Report) -> Option<String> {
    let slow = report.making.degraded.provider;
    (!slow.is_zero()).then(|| {
        let slow = words::duration(slow);
        format!("For another {slow} HeyGen worked badly: slow, not always, or not for all.")
    })
}

fn of_account(report: &Report) -> Option<String> {
    let (down, worse) = (report.making.down.account, report.making.degraded.account);
    let blocked = part(down, "stopped you for");
    let limited = part(worse, "limited you for");
    let parts: Vec<&str> = [&blocked, &limited].into_iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| {
        format!(
            "Your own HeyGen account (key, plan, quota, credit, limits) {}; that is not HeyGen's \
             failure and not counted above.",
            words::listed(&parts)
        )
    })
}

fn part(time: Duration, what: &str) -> Option<String> {
    (!time.is_zero()).then(|| format!("{what} {}", words::duration(time)))
}

fn of_blindness(report: &Report) -> Option<String> {
    let making = &report.making;
    if making.watched().is_zero() {
        return None;
    }
    let part = |time: Duration, who: &str| {
        (!time.is_zero()).then(|| format!("for {} {who}", words::duration(time)))
    };
    let said =
        match (part(making.no_data, "nobody watched"), part(making.unknown, "nobody could tell")) {
            (None, None) => return None,
            (Some(one), None) | (None, Some(one)) => one,
            (Some(blind), Some(unsure)) => format!("{blind} and {unsure}"),
        };
    Some(format!("Within it, {said}: that counts for neither side."))
}
