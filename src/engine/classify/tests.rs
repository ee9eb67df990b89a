//! The table of the contract, section 2, row by row.

use super::*;

const ENVELOPE: &str = r#"{"error":{"code":"some_code","message":"Some words."}}"#;
const HTML: &str = "<html><body><h1>Bad</h1></body></html>";
const DATA: &str = r#"{"data":{"id":"x"}}"#;

fn envelope(code: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"Some words."}}}}"#)
}

pub(super) fn expect_data() -> Vec<String> {
    vec!["data".to_owned()]
}

/// Asks `path` with the key and classifies what came back.
fn keyed(status: u16, path: &str, headers: &[(&str, &str)], body: &str) -> Classified {
    ask(Call::Keyed { expect: &expect_data() }, false, status, path, headers, body)
}

pub(super) fn ask(
    call: Call<'_>,
    carries_url: bool,
    status: u16,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Classified {
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let answer = Answer {
        host: "api.heygen.com",
        status,
        headers: &headers,
        body: body.as_bytes(),
        elapsed: Duration::from_millis(210),
        at: "2026-11-20T09:00:00Z".parse().unwrap(),
    };
    let slow_after = Duration::from_secs(5);
    classify(&answer, &Question { call, path, carries_url, slow_after })
}

const V3: &str = "/v3/users/me";
const V2: &str = "/v2/user/remaining_quota";

fn holds(rows: &[(u16, &str, &str, &str)]) {
    for (status, path, body, word) in rows {
        let outcome = keyed(*status, path, &[], body).outcome;
        assert_eq!(outcome.as_str(), *word, "{status} {path} {body}");
    }
}

#[test]
fn successes_and_challenges_of_a_keyed_call() {
    holds(&[
        (200, V3, DATA, "ok"),
        (200, V2, r#"{"error":null,"data":{"remaining_quota":1}}"#, "ok"),
        (200, V2, r#"{"code":100,"data":{"status":"waiting"},"message":"Success"}"#, "ok"),
        (200, V3, "\u{feff}{\"data\":{}}", "ok"),
        (202, V3, HTML, "blocked"),
        (403, V3, HTML, "blocked"),
        (405, V3, HTML, "blocked"),
        (403, V2, HTML, "blocked"),
        (503, V3, "<html><script>window._cf_chl_opt={}</script></html>", "blocked"),
        (200, V3, "<!DOCTYPE html><title>Just a moment...</title>", "blocked"),
    ]);
}

#[test]
fn refusals_for_the_account_are_its_own() {
    holds(&[
        (429, V3, &envelope("rate_limit_exceeded"), "rate_limited"),
        (429, V3, HTML, "rate_limited"),
        (429, V3, "", "rate_limited"),
        (429, V2, r#"{"code":429,"message":"Too many requests"}"#, "rate_limited"),
        (400, V2, r#"{"data":null,"error":{"code":400140,"message":"Exceed"}}"#, "rate_limited"),
        (200, V2, r#"{"code":400140,"message":"Daily rate limit exceeded"}"#, "rate_limited"),
        (429, V3, &envelope("QUOTA_EXCEEDED"), "quota_exceeded"),
        (402, V3, &envelope("insufficient_credit"), "insufficient_credit"),
        (402, V3, &envelope("subscription_required"), "plan_limit"),
        (402, V3, "", "plan_limit"),
        (400, V3, &envelope("resource_limit_reached"), "plan_limit"),
        (400, V3, &envelope("RESOURCE_LIMIT_EXCEEDED"), "plan_limit"),
        (401, V3, &envelope("unauthorized"), "unauthorized"),
        (401, V3, &envelope("authentication_failed"), "unauthorized"),
        (401, V2, r#"{"code":401,"message":"Unauthorized"}"#, "unauthorized"),
        (401, V3, "", "unauthorized"),
        (403, V3, &envelope("forbidden"), "forbidden"),
    ]);
}

#[test]
fn refusals_of_the_request_are_the_clients() {
    holds(&[
        (409, V3, &envelope("request_in_progress"), "not_ready"),
        (409, V3, &envelope("resource_not_ready"), "not_ready"),
        (409, V3, &envelope("conflict"), "bad_request"),
        (410, V3, ENVELOPE, "endpoint_retired"),
        (410, V2, "", "endpoint_retired"),
        (404, V2, HTML, "endpoint_retired"),
        (301, V2, "", "endpoint_retired"),
        (403, V2, "Forbidden", "endpoint_retired"),
        (404, V3, "Not Found", "endpoint_retired"),
        (404, V3, r#"{"detail":"Not Found"}"#, "endpoint_retired"),
        (404, V3, &envelope("video_not_found"), "bad_request"),
        (400, V3, &envelope("internal_error"), "bad_request"),
        (400, V3, &envelope("download_failed"), "bad_request"),
        (413, V3, &envelope("payload_too_large"), "bad_request"),
        (422, V3, ENVELOPE, "bad_request"),
        (424, V3, ENVELOPE, "bad_request"),
    ]);
}

/// A Template call: v2, and alive.
const LIVING: &str = "/v2/template/t1/generate";

#[test]
fn after_their_end_v1_and_v2_are_gone_whatever_the_body_says() {
    holds(&[
        (404, V2, &envelope("not_found"), "endpoint_retired"),
        (403, V2, &envelope("forbidden"), "endpoint_retired"),
        (410, V2, &envelope("gone"), "endpoint_retired"),
        (301, V2, &envelope("moved"), "endpoint_retired"),
        (404, "/v1/video_status.get", r#"{"code":40104,"message":"No."}"#, "endpoint_retired"),
        // These keep their own words.
        (400, V2, ENVELOPE, "bad_request"),
        (401, V2, ENVELOPE, "unauthorized"),
        (402, V2, &envelope("insufficient_credit"), "insufficient_credit"),
        (429, V2, ENVELOPE, "rate_limited"),
        (503, V2, ENVELOPE, "unavailable"),
        (200, V2, DATA, "ok"),
    ]);
    let path = "/v2/avatars";
    let before = |status, body| {
        let answer = Answer {
            host: "api.heygen.com",
            status,
            headers: &[],
            body,
            elapsed: Duration::from_millis(210),
            at: "2026-10-30T09:00:00Z".parse().unwrap(),
        };
        let call = Call::Keyed { expect: &expect_data() };
        let slow_after = Duration::from_secs(5);
        classify(&answer, &Question { call, path, carries_url: false, slow_after }).outcome
    };
    assert_eq!(before(404, ENVELOPE.as_bytes()), Outcome::BadRequest, "it lived then");
    assert_eq!(before(403, ENVELOPE.as_bytes()), Outcome::Forbidden, "it lived then");
    assert_eq!(before(404, b""), Outcome::EndpointRetired);
}

#[test]
fn studio_and_template_calls_live_with_their_own_outcomes() {
    holds(&[
        (200, LIVING, r#"{"error":null,"data":{"video_id":"v"}}"#, "ok"),
        (503, LIVING, HTML, "unavailable"),
        (404, LIVING, &envelope("template_not_found"), "bad_request"),
        (404, "/v2/templates", &envelope("not_found"), "bad_request"),
        (403, LIVING, &envelope("forbidden"), "forbidden"),
        (404, LIVING, HTML, "endpoint_retired"),
        (403, LIVING, "", "endpoint_retired"),
    ]);
}

#[test]
fn a_sunset_that_lies_behind_retires_what_is_refused_and_never_what_works() {
    let past = [("deprecation", "true"), ("sunset", "Sat, 31 Oct 2026 00:00:00 GMT")];
    let ahead = [("deprecation", "true"), ("sunset", "Fri, 31 Dec 2027 00:00:00 GMT")];
    for (status, path, headers, body, word) in [
        (400, V2, &past, ENVELOPE, "endpoint_retired"),
        (422, V2, &past, ENVELOPE, "endpoint_retired"),
        (400, V2, &ahead, ENVELOPE, "bad_request"),
        (400, LIVING, &past, ENVELOPE, "bad_request"),
        (400, V3, &past, ENVELOPE, "bad_request"),
        (401, V2, &past, ENVELOPE, "unauthorized"),
        (429, V2, &past, ENVELOPE, "rate_limited"),
        (503, V2, &past, ENVELOPE, "unavailable"),
        (200, V2, &past, DATA, "ok"),
        (200, LIVING, &past, DATA, "ok"),
    ] {
        let outcome = keyed(status, path, headers, body).outcome;
        assert_eq!(outcome.as_str(), word, "{status} {path} {headers:?}");
    }
    // A create with nothing in it proves that its path lives, unless that is gone.
    let submit = |headers: &[(&str, &str)]| {
        ask(Call::Submit, false, 400, "/v2/video/generate", headers, ENVELOPE).outcome
    };
    assert_eq!((submit(&past), submit(&ahead)), (Outcome::EndpointRetired, Outcome::Ok));
}

#[test]
fn failures_of_the_server_are_the_providers() {
    holds(&[
        (503, V3, HTML, "unavailable"),
        (503, V3, ENVELOPE, "unavailable"),
        (503, V2, "Service Unavailable", "unavailable"),
        (503, V3, "", "unavailable"),
        (500, V3, ENVELOPE, "server_error"),
        (500, V3, HTML, "server_error"),
        (502, V3, ENVELOPE, "server_error"),
        (502, V3, HTML, "gateway_error"),
        (599, V3, "", "gateway_error"),
        (504, V3, HTML, "gateway_error"),
        (504, V3, &envelope("gateway_timeout"), "gateway_error"),
        (200, V3, HTML, "malformed"),
        (200, V3, "", "malformed"),
        (200, V3, "[]", "malformed"),
        (200, V3, "null", "malformed"),
        (200, V3, r#"{"other":1}"#, "malformed"),
        (200, V3, r#"{"data":null}"#, "malformed"),
        (200, V3, &envelope("internal_error"), "malformed"),
        (200, V3, r#"{"data":{"id":"#, "malformed"),
        (204, V3, "", "malformed"),
        (302, V3, "", "malformed"),
        (301, V3, HTML, "malformed"),
        (302, V2, "", "malformed"),
        (403, V3, "Forbidden", "malformed"),
        (400, V3, HTML, "malformed"),
        (405, V3, "", "malformed"),
        (400, V3, r#"{"message":"Forbidden"}"#, "malformed"),
        (100, V3, "", "malformed"),
    ]);
}

#[test]
fn a_challenge_is_told_by_its_header_whatever_the_status() {
    for headers in [("cf-mitigated", "challenge"), ("x-amzn-waf-action", "captcha")] {
        for status in [200, 202, 403, 405, 503] {
            let outcome = keyed(status, "/v3/users/me", &[headers], HTML).outcome;
            assert_eq!(outcome, Outcome::Blocked, "{status} {headers:?}");
        }
    }
    let fine = keyed(200, "/v3/users/me", &[("cf-mitigated", "challenge")], DATA).outcome;
    assert_eq!(fine, Outcome::Ok, "the documented answer came: nothing blocked us");
}

#[test]
fn an_anonymous_call_lives_by_any_envelope() {
    let expect = expect_data();
    let call = Call::Anonymous { expect: &expect };
    for (status, body, word) in [
        (401, ENVELOPE, "ok"),
        (403, ENVELOPE, "ok"),
        (404, ENVELOPE, "ok"),
        (200, DATA, "ok"),
        (401, r#"{"code":401,"message":"Unauthorized"}"#, "ok"),
        (401, "", "malformed"),
        (401, HTML, "malformed"),
        (429, ENVELOPE, "rate_limited"),
        (503, ENVELOPE, "unavailable"),
        (403, HTML, "blocked"),
        (404, HTML, "endpoint_retired"),
    ] {
        let outcome = ask(call, false, status, "/v3/users/me", &[], body).outcome;
        assert_eq!(outcome.as_str(), word, "{status} {body}");
    }
}

#[test]
fn a_submit_lives_by_its_refusal() {
    for (status, body, word) in [
        (400, envelope("invalid_parameter"), "ok"),
        (422, envelope("invalid_parameter"), "ok"),
        (400, envelope("internal_error"), "ok"),
        (400, envelope("resource_limit_reached"), "plan_limit"),
        (400, HTML.to_owned(), "malformed"),
        (401, envelope("unauthorized"), "unauthorized"),
        (402, envelope("insufficient_credit"), "insufficient_credit"),
        (403, envelope("forbidden"), "forbidden"),
        (404, envelope("not_found"), "bad_request"),
        (429, envelope("rate_limit_exceeded"), "rate_limited"),
        (500, envelope("internal_error"), "server_error"),
    ] {
        let outcome = ask(Call::Submit, false, status, "/v3/videos", &[], &body).outcome;
        assert_eq!(outcome.as_str(), word, "{status} {body}");
    }
}

#[test]
fn a_file_of_ours_is_not_heygens_fault() {
    for (carries_url, status, code, word) in [
        (true, 504, "gateway_timeout", "upstream_fetch_failed"),
        (true, 400, "download_failed", "upstream_fetch_failed"),
        (true, 504, "other", "gateway_error"),
        (false, 504, "gateway_timeout", "gateway_error"),
        (false, 400, "download_failed", "bad_request"),
    ] {
        let expect = expect_data();
        let call = Call::Keyed { expect: &expect };
        let outcome = ask(call, carries_url, status, "/v3/videos", &[], &envelope(code)).outcome;
        assert_eq!(outcome.as_str(), word, "{carries_url} {status} {code}");
    }
}

#[test]
fn the_words_of_a_job_are_tried_first() {
    for (call, status, body, word) in [
        (JobCall::Poll { past_grace: true }, 404, ENVELOPE, "job_lost"),
        (JobCall::Poll { past_grace: false }, 404, ENVELOPE, "not_ready"),
        (JobCall::Poll { past_grace: true }, 200, DATA, "ok"),
        (JobCall::Poll { past_grace: true }, 503, HTML, "unavailable"),
        (JobCall::Fetch, 206, "bytes", "ok"),
        (JobCall::Fetch, 403, "<Error>expired</Error>", "result_invalid"),
        (JobCall::Fetch, 503, "", "unavailable"),
        (JobCall::Delete, 200, DATA, "ok"),
        (JobCall::Delete, 404, ENVELOPE, "ok"),
        (JobCall::Delete, 500, ENVELOPE, "cleanup_failed"),
        (JobCall::Delete, 401, ENVELOPE, "cleanup_failed"),
    ] {
        let outcome = ask(Call::Job(call), false, status, "/v3/videos/v", &[], body).outcome;
        assert_eq!(outcome.as_str(), word, "{call:?} {status}");
    }
}

#[test]
fn a_page_is_right_by_status_and_marker() {
    let challenged = "<title>Just a moment...</title>";
    for (status, contains, body, word) in [
        (200, None, "<html>hello</html>", "ok"),
        (200, Some("hello"), "<html>hello</html>", "ok"),
        (200, Some("hello"), "hello <script>window._cf_chl_opt</script>", "ok"),
        (200, Some("missing"), "<html>hello</html>", "malformed"),
        (200, None, challenged, "blocked"),
        (200, Some("hello"), challenged, "blocked"),
        (503, None, challenged, "blocked"),
        (403, None, "", "blocked"),
        (405, None, "", "blocked"),
        (302, None, "", "malformed"),
        (404, None, HTML, "malformed"),
        (401, None, "", "malformed"),
        (429, None, "", "rate_limited"),
        (500, None, HTML, "server_error"),
        (503, None, HTML, "unavailable"),
        (502, None, HTML, "gateway_error"),
    ] {
        let call = Call::Page { statuses: &[200], contains };
        let outcome = ask(call, false, status, "/", &[], body).outcome;
        assert_eq!(outcome.as_str(), word, "{status} {contains:?} {body}");
    }
}

#[test]
fn slowness_taints_a_success_and_nothing_else() {
    let expect = expect_data();
    let question = Question {
        call: Call::Keyed { expect: &expect },
        path: "/v3/users/me",
        carries_url: false,
        slow_after: Duration::from_millis(100),
    };
    let answer = |status, body: &'static str| Answer {
        host: "api.heygen.com",
        status,
        headers: &[],
        body: body.as_bytes(),
        elapsed: Duration::from_millis(5230),
        at: Timestamp::UNIX_EPOCH,
    };
    let slow = classify(&answer(200, DATA), &question);
    assert_eq!(slow.outcome, Outcome::Slow);
    let text = slow.evidence.unwrap().text;
    assert_eq!(text, "200 from api.heygen.com after 5.2 s, slow above 100 ms");
    assert_eq!(classify(&answer(503, HTML), &question).outcome, Outcome::Unavailable);
}

#[test]
fn evidence_keeps_heygens_own_words_and_drops_what_is_hostile() {
    let body = r#"{"error":{"code":429001,"message":"Slow\u001b[31m down\u202e.\n","param":"a",
        "doc_url":"https://docs.example/e#r","extra":[1]}}"#;
    let headers = [
        ("date", "Sun, 06 Nov 1994 08:49:07 GMT"),
        ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-amzn-trace-id", "Root=1-abc"),
    ];
    let found = keyed(429, "/v3/users/me", &headers, body).evidence.unwrap();
    assert_eq!(
        *found,
        Evidence {
            text: "429 from api.heygen.com after 210 ms".to_owned(),
            host: "api.heygen.com".to_owned(),
            http_status: Some(429),
            code: Some("429001".to_owned()),
            message: Some("Slow[31m down.".to_owned()),
            param: Some("a".to_owned()),
            doc_url: Some("https://docs.example/e#r".to_owned()),
            retry_after_secs: Some(30),
            request_id: Some("Root=1-abc".to_owned()),
            job_id: None,
        }
    );
    let link = r#"{"error":{"code":"c","message":"m","doc_url":"javascript:alert(1)"}}"#;
    assert_eq!(keyed(400, "/v3/x", &[], link).evidence.unwrap().doc_url, None);
}

#[test]
fn evidence_says_what_the_status_does_not() {
    for (status, path, body, text) in [
        (200, "/v3/x", HTML, ", HTML where JSON is due"),
        (200, "/v3/x", "{}", ", without \"data\""),
        (200, "/v3/x", ENVELOPE, ", an error in place of data"),
        (200, "/v3/x", " ", ", an empty body"),
        (302, "/v3/x", "", ", a redirect"),
        (404, V2, "", ": /v2/user/remaining_quota is gone; /v3/users/me replaces it"),
        (404, "/v3/x", "", ": /v3/x is gone"),
        (403, "/v3/x", HTML, ": blocked before HeyGen's application"),
        (503, "/v3/x", HTML, ""),
    ] {
        let found = keyed(status, path, &[], body).evidence.unwrap().text;
        assert_eq!(found, format!("{status} from api.heygen.com after 210 ms{text}"));
    }
}

#[test]
fn strange_json_is_read_without_panic() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(keyed(200, "/v3/x", &[], &deep).outcome, Outcome::Malformed);
    let twice = r#"{"data":null,"data":{"a":1}}"#;
    assert_eq!(keyed(200, "/v3/x", &[], twice).outcome, Outcome::Ok);
    let broken = b"{\"data\":{\"title\":\"\xff\xfe\"}}";
    assert!(Reading::of(broken).documents(&["data"]));
}
