//! Every product with a case in `tests/fixtures/status/products`: what its documents are read as.
//!
//! A case is a script. `> PATH` serves what follows at that path (`utf-16` behind it: in UTF-16).
//! `= PATH` reads the page at that address; what follows is what must come of it. Lines before the
//! first are for people.

use std::fmt::Write;
use std::path::PathBuf;

use heygen_monitor::model::{Page, PageEvent};

use super::site::{Reply, Site};
use super::{read, rows};

/// The steps of a case: the mark, its line, and what follows.
fn steps(case: &str) -> Vec<(char, &str, String)> {
    let mut steps: Vec<(char, &str, String)> = Vec::new();
    for line in case.lines() {
        if let Some(head) = line.strip_prefix("> ") {
            steps.push(('>', head, String::new()));
        } else if let Some(head) = line.strip_prefix("= ") {
            steps.push(('=', head, String::new()));
        } else if let Some((.., text)) = steps.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    steps
}

fn reply(body: &str, is_utf16: bool) -> Reply {
    if is_utf16 {
        let units = format!("\u{feff}{body}");
        let bytes: Vec<u8> = units.encode_utf16().flat_map(u16::to_be_bytes).collect();
        Reply::ok("application/json;charset=utf-16", bytes)
    } else if body.trim_start().starts_with('<') {
        Reply::xml(body)
    } else {
        Reply::json(body)
    }
}

fn event(kind: &str, event: &PageEvent) -> String {
    let mut line =
        format!("{kind} [{}, {}] {}", event.phase.as_str(), event.impact.as_str(), event.title);
    if !event.components.is_empty() {
        write!(line, " on {}", event.components.join(", ")).unwrap();
    }
    if let Some(at) = event.started_at {
        write!(line, " from {at}").unwrap();
    }
    if let Some(at) = event.ends_at {
        write!(line, " until {at}").unwrap();
    }
    for update in &event.updates {
        write!(line, "\n  {}: {}", update.phase.as_str(), update.text.replace('\n', " / "))
            .unwrap();
    }
    line
}

fn summary(page: &Result<Page, String>) -> String {
    let page = match page {
        Ok(page) => page,
        Err(reason) => {
            let reason = reason.split_once(' ').map_or("", |(_host, reason)| reason);
            return format!("unreadable: {reason}\n");
        }
    };
    let name = if page.name == "127.0.0.1" { "" } else { &page.name };
    let mut lines = vec![format!("{} {} {name}", page.product, page.state).trim_end().to_owned()];
    lines.extend(rows(page).iter().map(|row| format!("row {row}")));
    lines.extend(page.incidents.iter().map(|incident| event("incident", incident)));
    lines.extend(page.maintenances.iter().map(|maintenance| event("maintenance", maintenance)));
    lines.extend(page.warnings.iter().map(|warning| format!("warning {warning}")));
    lines.join("\n") + "\n"
}

fn cases() -> Vec<PathBuf> {
    let folder = format!("{}/tests/fixtures/status/products", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn every_product_is_read_as_its_case_says() {
    for path in cases() {
        let case = std::fs::read_to_string(&path).unwrap();
        let site = Site::start().await;
        for (mark, head, text) in steps(&case) {
            if mark == '>' {
                let (at, charset) = head.split_once(' ').unwrap_or((head, ""));
                site.set(at, reply(&text, charset == "utf-16"));
            } else {
                let page = read(site.at(head)).await;
                let expected = text.trim_end().to_owned() + "\n";
                assert_eq!(summary(&page), expected, "{} at {head}", path.display());
            }
        }
    }
}
