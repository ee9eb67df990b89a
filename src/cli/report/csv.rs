//! A report as rows for a spreadsheet (RFC 4180).
//!
//! Invariant: no cell is a formula to a spreadsheet, whatever HeyGen wrote into it.

use std::time::Duration;

use crate::engine::report::Report;
use crate::engine::report::dossier::Dossier;
use crate::engine::uptime::Sides;
use crate::model::Timestamp;

/// A row per capability; times in seconds, shares from 0 to 1.
pub(super) fn capabilities(report: &Report) -> String {
    let mut lines = vec![line(&[
        "since",
        "until",
        "capability",
        "up_seconds",
        "down_heygen_seconds",
        "degraded_heygen_seconds",
        "down_account_seconds",
        "degraded_account_seconds",
        "other_side_seconds",
        "maintenance_seconds",
        "unknown_seconds",
        "not_watched_seconds",
        "heygen_incidents",
        "our_checks_share",
        "our_checks_low",
        "our_checks_high",
        "heygens_page_share",
        "your_jobs_share",
        "your_jobs",
        "your_jobs_low",
        "your_jobs_high",
    ])];
    let window = report.period.window;
    for one in &report.capabilities {
        let spent = &one.uptime.spent;
        let (down, degraded) = (spent.down, spent.degraded);
        let others = |sides: Sides| sides.client + sides.network + sides.monitor;
        let other = others(down) + others(degraded);
        let ours = spent.availability();
        let theirs = one.experienced;
        let share = |share: Option<f64>| share.map_or(String::new(), |share| format!("{share:.6}"));
        lines.push(line(&[
            &time(window.since),
            &time(window.until),
            one.uptime.capability.as_str(),
            &seconds(spent.up),
            &seconds(down.provider),
            &seconds(degraded.provider),
            &seconds(down.account),
            &seconds(degraded.account),
            &seconds(other),
            &seconds(spent.maintenance),
            &seconds(spent.unknown),
            &seconds(spent.no_data),
            &one.incidents.to_string(),
            &share(ours.map(|one| one.share)),
            &share(ours.map(|one| one.low)),
            &share(ours.map(|one| one.high)),
            &share(one.uptime.claimed.and_then(|claimed| claimed.declared())),
            &share(theirs.map(|one| one.share())),
            &theirs.map_or(String::new(), |one| one.of.to_string()),
            &share(theirs.map(|one| one.low)),
            &share(theirs.map(|one| one.high)),
        ]));
    }
    lines.join("\n")
}

/// A row per incident.
pub(super) fn incidents(report: &Report) -> String {
    let mut lines = vec![line(&[
        "incident",
        "side",
        "worst_state",
        "capabilities",
        "opened_at",
        "resolved_at",
        "seconds",
        "heygens_page_at",
        "what",
    ])];
    for one in &report.incidents {
        let touched: Vec<&str> = one.capabilities.iter().map(|one| one.as_str()).collect();
        lines.push(line(&[
            &one.id.to_string(),
            one.blame.as_str(),
            one.worst.as_str(),
            &touched.join(" "),
            &time(one.opened_at),
            &time_or_none(one.resolved_at),
            &seconds(one.lasted),
            &time_or_none(one.acknowledged_at),
            &one.headline,
        ]));
    }
    lines.join("\n")
}

/// A row per job that an incident made late or fail, then a row per answer of HeyGen's.
pub(super) fn evidence(dossier: &Dossier) -> String {
    let mut lines = vec![line(&[
        "what",
        "id",
        "kind",
        "state",
        "from",
        "to",
        "took_seconds",
        "late_seconds",
        "count",
        "http_status",
        "code",
        "message",
        "request_id",
    ])];
    for job in &dossier.jobs {
        let failure = job.failure.as_ref();
        lines.push(line(&[
            "job",
            &job.id,
            job.kind.as_str(),
            job.state.as_str(),
            &time(job.created_at),
            &time_or_none(job.ended_at),
            &seconds(job.took),
            &job.late_by.map_or(String::new(), seconds),
            "",
            "",
            failure.and_then(|one| one.code.as_deref()).unwrap_or_default(),
            failure.and_then(|one| one.message.as_deref()).unwrap_or_default(),
            "",
        ]));
    }
    for answer in &dossier.answers {
        lines.push(line(&[
            "answer",
            &answer.probe,
            "",
            answer.outcome.as_str(),
            &time(answer.first_at),
            &time(answer.last_at),
            "",
            "",
            &answer.count.to_string(),
            &answer.http_status.map_or(String::new(), |status| status.to_string()),
            answer.code.as_deref().unwrap_or_default(),
            answer.message.as_deref().unwrap_or_default(),
            answer.request_id.as_deref().unwrap_or_default(),
        ]));
    }
    lines.join("\n")
}

fn line(cells: &[&str]) -> String {
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",")
}

/// A spreadsheet runs what begins like a formula (OWASP, "CSV Injection"): an apostrophe makes it
/// text.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if is_formula || text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn time_or_none(at: Option<Timestamp>) -> String {
    at.map_or(String::new(), time)
}

fn seconds(length: Duration) -> String {
    length.as_secs().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("+49"), "\"'+49\"");
        assert_eq!(cell("-2"), "\"'-2\"");
        assert_eq!(cell("@SUM(A1)"), "\"'@SUM(A1)\"");
        assert_eq!(cell("\t=1"), "\"'\t=1\"");
        assert_eq!(cell("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(cell("plain = text"), "plain = text");
    }
}
