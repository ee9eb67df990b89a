//! Bodies that were recorded (read where they are present, never kept here), and bodies that
//! nobody would think of.

use std::path::Path;

use proptest::prelude::*;

use super::tests::{ask, expect_data};
use super::*;

/// What index.md says of each recorded body: 2xx are good, the rest has its word here.
#[test]
fn recorded_bodies_are_classified_as_they_are_described() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/facts/heygen-samples");
    let Ok(index) = std::fs::read_to_string(folder.join("index.md")) else {
        return;
    };
    let mut read = 0;
    for row in index.lines().filter(|line| line.contains(".json") || line.contains(".html")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, file, status, ..] = cells[..] else {
            continue;
        };
        let Ok(status) = status.parse::<u16>() else {
            continue;
        };
        let Ok(body) = std::fs::read_to_string(folder.join(file)) else {
            continue;
        };
        let path = if file.contains("v1_") || file.starts_with("v2_") { "/v2/x" } else { "/v3/x" };
        // The v3 speech answer is flat in the recording; the official page is not the API.
        let expect = if matches!(file, "tts_ok.json" | "statuspage_summary.json") {
            vec![]
        } else {
            expect_data()
        };
        let call = Call::Keyed { expect: &expect };
        let outcome = ask(call, false, status, path, &[], &body).outcome;
        assert_eq!(outcome.as_str(), described(file, status), "{file}");
        read += 1;
    }
    assert!(read > 70, "only {read} recorded bodies were found");
}

fn described(file: &str, status: u16) -> &'static str {
    match (status, file) {
        (200, _) => "ok",
        (429, "err_429_quota_exceeded.json") => "quota_exceeded",
        (400, "v1_error_400140_daily.json") | (429, _) => "rate_limited",
        (401, _) => "unauthorized",
        (402, _) => "insufficient_credit",
        (403, _) => "forbidden",
        (404, "err_404_plain_text.txt") => "endpoint_retired",
        (409, _) => "not_ready",
        (400 | 404 | 413, _) => "bad_request",
        (500, _) => "server_error",
        (503, _) => "unavailable",
        (502 | 504, _) => "gateway_error",
        other => unreachable!("no word for {other:?}"),
    }
}

proptest! {
    #[test]
    fn there_is_a_word_for_whatever_comes(
        status in any::<u16>(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        json in "(\\{|\\[|\"error\"|\"code\"|:|,|1|null|\"data\"|\\}|\\]){0,12}",
        name in "[a-z-]{0,12}",
        value in "\\PC{0,40}",
        v2 in any::<bool>(),
    ) {
        let expect = expect_data();
        let path = if v2 { "/v2/é" } else { "/v3/x" };
        let text = String::from_utf8_lossy(&body).into_owned();
        for call in [
            Call::Keyed { expect: &expect },
            Call::Anonymous { expect: &expect },
            Call::Submit,
            Call::Job(JobCall::Delete),
            Call::Page { statuses: &[200], contains: Some("é") },
        ] {
            for body in [&text, &json] {
                let headers = [(name.as_str(), value.as_str()), ("retry-after", value.as_str())];
                let found = ask(call, v2, status, path, &headers, body);
                prop_assert_eq!(found.outcome == Outcome::Ok, found.evidence.is_none());
                prop_assert!(!found.outcome.is_transport());
            }
        }
    }
}
