//! Golden scenarios of verdicts.md, section 8, by one-shot `check`.

use heygen_monitor::model::{
    Action, Capability, ComponentState, Confidence, Impact, Outcome, PathCheck,
};

use super::world::{Answer, Shown, World, at, fails, status};

fn everywhere(answer: Answer) -> impl Fn(&str, i64) -> Option<Answer> {
    move |series, _| (series != "web").then_some(answer)
}

fn with_the_key(answer: Answer) -> impl Fn(&str, i64) -> Option<Answer> {
    move |series, _| (series != "web" && series != "api-anonymous").then_some(answer)
}

#[test]
fn golden_1_all_fine_is_operational() {
    let checked = World::with_key().check();
    assert_eq!(checked.whole(), "operational/none/ok");
    assert_eq!(checked.rounds, 1);
    assert_eq!(checked.of(Capability::VideoGeneration), "unknown/monitor/no_recent_jobs");
    assert_eq!(checked.of(Capability::Speech), "unknown/none/not_watched");
    assert_eq!(checked.verdict.headline, "HeyGen works: API, web app and API key.");
}

#[test]
fn golden_3_a_rate_limit_slows_down_until_retry_after() {
    let limited = Answer { retry_after: Some(30), ..status(Outcome::RateLimited, 429) };
    let checked = World::with_key().heygen(with_the_key(limited)).check();
    assert_eq!(checked.whole(), "degraded/account/rate_limited");
    let advice = &checked.verdict.capabilities[2].advice;
    assert_eq!(advice.action, Action::SlowDown);
    assert_eq!(advice.until.unwrap().duration_since(at(30)).as_secs(), 0);
}

#[test]
fn golden_4_a_used_up_quota_is_an_outage_of_the_account() {
    let quota = Answer { code: Some("quota_exceeded"), ..status(Outcome::QuotaExceeded, 429) };
    let checked = World::with_key().heygen(with_the_key(quota)).check();
    assert_eq!(checked.whole(), "outage/account/quota_exceeded");
    assert_eq!(checked.rounds, 2);
}

#[test]
fn golden_7_a_401_with_the_key_alone_is_the_key_and_503_for_both_is_heygen() {
    let checked =
        World::with_key().heygen(with_the_key(status(Outcome::Unauthorized, 401))).check();
    assert_eq!(checked.whole(), "outage/account/unauthorized");
    let advice = &checked.verdict.capabilities[2].advice;
    assert_eq!(advice.action, Action::FixAccount);
    assert!(advice.text.contains("anonymous call works"), "{}", advice.text);

    let checked = World::with_key().heygen(everywhere(status(Outcome::Unavailable, 503))).check();
    assert_eq!(checked.whole(), "outage/provider/unavailable");
    assert_eq!(checked.rounds, 3, "three in a row, for a second probe agrees");
    assert!(checked.verdict.headline.contains("503, 3 in a row"), "{}", checked.verdict.headline);
    assert_eq!(checked.open.len(), 1, "one cause, one incident");
}

#[test]
fn golden_8_a_400_is_our_request_whatever_its_code_says() {
    let wrong = Answer { code: Some("internal_error"), ..status(Outcome::BadRequest, 400) };
    let checked = World::without_key()
        .heygen(move |series, _| (series == "api-anonymous").then_some(wrong))
        .check();
    assert_eq!(checked.of(Capability::Api), "unknown/client/bad_request");
}

#[test]
fn golden_9a_and_10_what_no_application_answered_is_heygens() {
    let checked = World::with_key().heygen(everywhere(status(Outcome::GatewayError, 504))).check();
    assert_eq!(checked.whole(), "outage/provider/gateway_error");
    let checked = World::with_key().heygen(everywhere(status(Outcome::Malformed, 200))).check();
    assert_eq!(checked.whole(), "outage/provider/malformed");
}

#[test]
fn golden_10_a_challenge_is_blocked_after_one_more_look() {
    let checked = World::without_key().heygen(|_, _| Some(status(Outcome::Blocked, 403))).check();
    assert_eq!(checked.whole(), "unknown/network/blocked");
    assert_eq!(checked.rounds, 2);
}

#[test]
fn golden_15_a_name_that_nobody_resolves_is_heygens_and_one_that_others_do_is_ours() {
    let gone = Answer { path_check: Some(PathCheck::NotOurs), ..fails(Outcome::DnsFailed) };
    let checked = World::with_key().heygen(everywhere(gone)).check();
    assert_eq!(checked.whole(), "outage/provider/dns_failed");
    assert!(checked.verdict.headline.contains("not reachable from fra-1"));

    let ours = Answer { path_check: Some(PathCheck::LocalDns), ..gone };
    let checked = World::with_key().heygen(move |_, _| Some(ours)).check();
    assert_eq!(checked.whole(), "unknown/network/local_dns");
    assert!(checked.open.is_empty());
}

#[test]
fn golden_16_a_page_that_says_outage_while_probes_are_fine_is_shown_as_the_pages_word() {
    let rows = || vec![("api.heygen.com", ComponentState::MajorOutage)];
    let checked = World::with_key().page(move |_| Shown::Rows(rows())).check();
    assert_eq!(checked.whole(), "degraded/provider/official_incident");
    assert!(checked.verdict.headline.contains("our checks do not see it"));
    assert_eq!(checked.verdict.capabilities[2].advice.confidence, Confidence::OfficialOnly);
}

#[test]
fn golden_17_an_unreachable_page_is_no_fault_of_heygens() {
    let checked = World::with_key().page(|_| Shown::Unreadable).check();
    assert_eq!(checked.whole(), "operational/none/ok");
    let official = checked.verdict.capabilities[2].official.as_ref().unwrap();
    assert_eq!(official.state, ComponentState::Unknown);
}

#[test]
fn golden_22_a_failure_during_declared_maintenance_is_maintenance() {
    let checked = World::with_key()
        .heygen(everywhere(status(Outcome::Unavailable, 503)))
        .page(|_| Shown::Maintenance("api.heygen.com"))
        .check();
    assert_eq!(checked.of(Capability::Api), "maintenance/provider/official_maintenance");
    assert_eq!(checked.verdict.capabilities[2].advice.until, Some(at(7200)));
}

#[test]
fn golden_23_a_retired_path_is_ours_and_a_living_one_that_fails_is_heygens() {
    let only_api =
        |answer: Answer| move |series: &str, _: i64| (series == "api-anonymous").then_some(answer);
    let checked =
        World::without_key().heygen(only_api(status(Outcome::EndpointRetired, 404))).check();
    assert_eq!(checked.of(Capability::Api), "unknown/client/endpoint_retired");
    let checked = World::without_key().heygen(only_api(status(Outcome::Unavailable, 503))).check();
    assert_eq!(checked.of(Capability::Api), "outage/provider/unavailable");
}

#[test]
fn golden_25_everything_down_is_one_platform_incident() {
    let checked = World::with_key().heygen(|_, _| Some(status(Outcome::ServerError, 500))).check();
    assert_eq!(checked.whole(), "outage/provider/server_error");
    let causes: Vec<&str> = checked.open.iter().map(|one| one.cause.0.as_str()).collect();
    assert_eq!(causes, ["platform"]);
    assert_eq!(checked.open[0].capabilities.len(), 5);
}

#[test]
fn golden_31_without_a_key_what_is_watched_is_operational() {
    let checked = World::without_key().check();
    assert_eq!(checked.whole(), "operational/none/ok");
    assert_eq!(checked.of(Capability::VideoGeneration), "unknown/none/not_watched");
    assert!(checked.verdict.capabilities[0].advice.text.contains("add a key"));
}

#[test]
fn what_the_page_admits_and_our_probes_see_too_is_a_hold() {
    let action = |shown: Shown| {
        let slow =
            |series: &str, _: i64| series.starts_with("submit").then_some(fails(Outcome::Slow));
        let checked = World::with_key().heygen(slow).page(move |_| shown.clone()).check();
        assert_eq!(checked.of(Capability::VideoGeneration), "degraded/provider/slow");
        checked.verdict.capabilities[0].advice.action
    };
    assert_eq!(action(Shown::Green), Action::SlowDown);
    assert_eq!(action(Shown::Incident("Rendering is delayed", Impact::Minor)), Action::Hold);
}

#[test]
fn good_and_bad_mixed_until_the_deadline_is_intermittent() {
    let every_other = |series: &str, at: i64| {
        (series == "api-read" && at % 2 == 0).then_some(status(Outcome::Unavailable, 503))
    };
    let checked = World::with_key().heygen(every_other).check();
    assert_eq!(checked.of(Capability::Authentication), "degraded/provider/intermittent_errors");
}

#[test]
fn one_blip_during_a_check_is_cleared() {
    let once = |series: &str, at: i64| {
        (series == "api-read" && at == 0).then_some(status(Outcome::Unavailable, 503))
    };
    let checked = World::with_key().heygen(once).check();
    assert_eq!(checked.whole(), "operational/none/ok");
    assert_eq!(checked.rounds, 3, "two good ones clear it");
}

#[test]
fn a_retry_after_past_the_deadline_ends_the_rechecks() {
    let busy = Answer { retry_after: Some(120), ..status(Outcome::Unavailable, 503) };
    let checked = World::with_key().heygen(everywhere(busy)).check();
    assert_eq!(checked.whole(), "outage/provider/unavailable");
    assert_eq!(checked.rounds, 1);
}

#[test]
fn nothing_at_all_answers_is_offline_after_one_more_look() {
    let checked = World::with_key()
        .heygen(|_, _| Some(fails(Outcome::ConnectFailed)))
        .controls(|_| 0)
        .page(|_| Shown::Unreadable)
        .check();
    assert_eq!(checked.whole(), "unknown/network/monitor_offline");
    assert_eq!(checked.rounds, 2);
    assert_eq!(checked.verdict.capabilities[0].advice.action, Action::CheckNetwork);
}

#[test]
fn one_control_of_three_is_doubtful() {
    let checked = World::with_key()
        .heygen(|_, _| Some(fails(Outcome::Timeout)))
        .controls(|_| 1)
        .page(|_| Shown::Unreadable)
        .check();
    assert_eq!(checked.whole(), "unknown/network/network_doubtful");
}

#[test]
fn throttling_with_and_without_the_key_is_heygens() {
    let checked = World::with_key().heygen(everywhere(status(Outcome::RateLimited, 429))).check();
    assert_eq!(checked.of(Capability::Api), "degraded/provider/provider_throttling");
}

#[test]
fn an_incident_without_impact_alerts_nobody() {
    let checked =
        World::with_key().page(|_| Shown::Incident("API docs moved", Impact::None)).check();
    assert_eq!(checked.whole(), "operational/none/ok");
}

#[test]
fn slow_answers_count_only_when_the_internet_is_not_slow() {
    let slow = |series: &str, _: i64| (series == "web").then_some(fails(Outcome::Slow));
    let checked = World::with_key().heygen(slow).check();
    assert_eq!(checked.of(Capability::WebApp), "degraded/provider/slow");
    let checked = World::with_key().heygen(slow).controls(|_| 1).check();
    assert_eq!(checked.of(Capability::WebApp), "operational/none/ok");
}
