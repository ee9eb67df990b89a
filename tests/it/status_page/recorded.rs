//! Every recorded page of the known products, where the recordings are at hand.

use std::path::PathBuf;

use heygen_monitor::model::{ComponentState, Page};

use super::site::{Reply, Site};
use super::{read, titles};

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/facts/status-fixtures");
    folder.is_dir().then_some(folder)
}

/// Serves recordings at the paths of the real product; `None` when there are none.
async fn recorded(files: &[(&str, &str)]) -> Option<Result<Page, String>> {
    let folder = folder()?;
    let site = Site::start().await;
    for (path, file) in files {
        let body = std::fs::read(folder.join(file)).unwrap();
        let reply = match file.rsplit('.').next().unwrap() {
            "json" => Reply::json(body),
            "html" => Reply::html(body),
            _ => Reply::xml(body),
        };
        site.set(path, reply);
    }
    Some(read(site.url.clone()).await)
}

fn count(page: &Page, state: ComponentState) -> usize {
    page.components.iter().filter(|row| row.state == state).count()
}

/// Serves one recording and compares product, rows, operational rows, open incidents, state.
async fn expect(
    path: &str,
    file: &str,
    (product, rows, operational): (&str, usize, usize),
    open: &[&str],
    state: ComponentState,
) {
    let Some(page) = recorded(&[(path, file)]).await else {
        return;
    };
    let page = page.unwrap_or_else(|reason| panic!("{file}: {reason}"));
    assert_eq!(page.product.as_str(), product, "{file}");
    assert_eq!(page.components.len(), rows, "{file}: {:?}", page.components);
    assert_eq!(
        count(&page, ComponentState::Operational),
        operational,
        "{file}: {:?}",
        page.components
    );
    assert_eq!(titles(&page.incidents), open, "{file}");
    assert_eq!(page.state, state, "{file}: {:?}", page.warnings);
}

const SUMMARY: &str = "/api/v2/summary.json";

#[tokio::test]
async fn recorded_pages_of_incident_io() {
    use ComponentState::{DegradedPerformance, Operational, Unknown};
    let io = "incident_io";
    let signing_in = ["Elevated errors for sign-in and account creation"];
    expect(
        SUMMARY,
        "incidentio/heygen_compat_summary_trimmed_2026-08-24.json",
        (io, 6, 6),
        &[],
        Operational,
    )
    .await;
    expect(
        SUMMARY,
        "incidentio/openai_compat_summary_idle_trimmed_2026-09-04.json",
        (io, 4, 4),
        &[],
        Operational,
    )
    .await;
    expect(
        "/",
        "incidentio/openai-monitoring-captured.html",
        (io, 31, 31),
        &signing_in,
        Operational,
    )
    .await;
    expect("/", "incidentio/linear-good.html", (io, 6, 6), &[], Operational).await;
    let proxy = "/proxy/127.0.0.1";
    expect(
        proxy,
        "incidentio/derived_openai-monitoring.proxy-summary.json",
        (io, 31, 31),
        &signing_in,
        Operational,
    )
    .await;
    expect(
        proxy,
        "incidentio/derived_linear-good.proxy-summary.json",
        (io, 6, 6),
        &[],
        Operational,
    )
    .await;
    expect(
        "/history.atom",
        "incidentio/openai_history_atom_trimmed_2026-09-03.xml",
        (io, 0, 0),
        &["Elevated errors across ChatGPT and Codex"],
        DegradedPerformance,
    )
    .await;
    let widget = "/api/v1/summary";
    expect(widget, "incidentio/neon_widget_v1_summary_idle.json", (io, 0, 0), &[], Unknown).await;
}

#[tokio::test]
async fn recorded_pages_of_statuspage() {
    use ComponentState::{DegradedPerformance, MajorOutage, Operational, Unknown};
    let atlassian = "statuspage";
    expect(
        SUMMARY,
        "atlassian/claude_summary_idle_trimmed_2026-09-04.json",
        (atlassian, 6, 6),
        &[],
        Operational,
    )
    .await;
    expect(
        SUMMARY,
        "atlassian/renku_statuspage-operational.json",
        (atlassian, 8, 8),
        &[],
        Operational,
    )
    .await;
    expect(
        SUMMARY,
        "atlassian/renku_statuspage-outage.json",
        (atlassian, 8, 8),
        &["Having Problems"],
        MajorOutage,
    )
    .await;
    expect(
        "/api/v2/incidents.json",
        "atlassian/cloud-incident-atlas_statuspage.json",
        (atlassian, 0, 0),
        &[],
        Unknown,
    )
    .await;
    expect(
        "/",
        "atlassian/html_4x0m5xr7wl1j.statuspage.io.html",
        (atlassian, 1, 1),
        &[],
        Operational,
    )
    .await;
    expect(
        "/",
        "atlassian/html_aquafadas.statuspage.io.html",
        (atlassian, 18, 17),
        &["Error File System Server Prod Cloudauthoring & ftp"],
        DegradedPerformance,
    )
    .await;
}

#[tokio::test]
async fn recorded_pages_of_instatus_and_better_stack() {
    use ComponentState::{MajorOutage, Operational};
    expect("/", "instatus/whereby-good.html", ("instatus", 4, 4), &[], Operational).await;
    expect(
        "/summary.json",
        "instatus/docs_summary_json_example.json",
        ("instatus", 0, 0),
        &["We're facing an issue with our API"],
        MajorOutage,
    )
    .await;
    expect(
        "/index.json",
        "betterstack/latitude_index_json_trimmed.json",
        ("better_stack", 1, 1),
        &[],
        Operational,
    )
    .await;
    expect("/", "betterstack/buildjet-good.html", ("better_stack", 3, 3), &[], Operational).await;
}

#[tokio::test]
async fn recorded_pages_of_statuscast_and_gatus() {
    use ComponentState::{MajorOutage, Operational};
    expect(
        "/summary.json",
        "other/statuscast_campaignmonitor_summary_2026-08-11.json",
        ("statuscast", 0, 0),
        &[],
        Operational,
    )
    .await;
    expect(
        "/api/v1/endpoints/statuses",
        "other/gatus_endpoints_statuses_constructed.json",
        ("gatus", 1, 0),
        &[],
        MajorOutage,
    )
    .await;
}

#[tokio::test]
async fn recorded_pages_of_nobody_are_unreadable() {
    for (path, file) in [
        ("/", "atlassian/html_001xnxqmhdh6.statuspage.io.html"),
        ("/status.json", "other/hyperping_lempire_status_2026-08-03.json"),
    ] {
        if let Some(page) = recorded(&[(path, file)]).await {
            let reason = page.unwrap_err();
            assert!(
                !file.contains("001xnx") || reason.contains("nobody has claimed"),
                "{file}: {reason}"
            );
        }
    }
}
