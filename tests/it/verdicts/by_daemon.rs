//! Golden scenarios of verdicts.md, section 8, by the daemon: hours of simulated time.

use heygen_monitor::model::{Capability, ComponentState, EventKind, Impact, Outcome};

use super::daemon::Daemon;
use super::world::{Answer, Shown, World, at, down_between, fails, status};

const HOUR: i64 = 3_600;

#[test]
fn health_is_silent() {
    let told = World::with_key().daemon(2 * HOUR);
    assert_eq!(told.to("slack"), "");
    assert!(told.incidents.is_empty());
}

#[test]
fn golden_2_an_outage_is_told_within_a_minute_and_the_page_admits_it_later() {
    let told = World::with_key()
        .heygen(down_between(600, 3_000))
        .page(|now| {
            if (1_440..3_600).contains(&now) {
                Shown::Rows(vec![
                    ("api.heygen.com", ComponentState::MajorOutage),
                    ("Video Generation", ComponentState::Operational),
                    ("app.heygen.com", ComponentState::Operational),
                ])
            } else {
                Shown::Green
            }
        })
        .daemon(2 * HOUR);
    let kinds = [EventKind::Opened, EventKind::AcknowledgedOfficially, EventKind::Resolved];
    assert_eq!(told.kinds("mail"), kinds, "{}", told.to("mail"));
    assert_eq!(told.kinds("slack"), kinds, "{}", told.to("slack"));
    let incident = &told.incidents[0];
    assert_eq!(told.incidents.len(), 1);
    assert_eq!(incident.cause.0, "host:api.heygen.com");
    let confirmed_after = incident.confirmed_at.duration_since(incident.opened_at).as_secs();
    assert!(confirmed_after <= 60, "{confirmed_after}");
    assert!(incident.opened_at >= at(600) && incident.opened_at <= at(660));
    let resolved_at = incident.resolved_at.unwrap();
    assert!(resolved_at >= at(3_000) && resolved_at <= at(3_310), "{resolved_at}");
    let opened = told.message(EventKind::Opened);
    assert!(opened.headline.starts_with("HeyGen: "), "{}", opened.headline);
    assert!(opened.headline.ends_with("HeyGen's side."), "{}", opened.headline);
    assert_eq!(
        opened.incident.as_ref().unwrap().subject,
        "HeyGen: API not answering since 09:10 (#1)"
    );
    let page = told.message(EventKind::AcknowledgedOfficially);
    assert!(page.headline.contains("before HeyGen's page"), "{}", page.headline);
    assert!(told.message(EventKind::Resolved).notes[0].contains("before HeyGen's page"));
}

#[test]
fn a_refusal_that_no_application_wrote_ends_no_outage() {
    let story = |code: Option<&'static str>| {
        let told = World::with_key()
            .heygen(move |series, now| match now {
                _ if series == "web" => None,
                600..1_200 => Some(status(Outcome::Unavailable, 503)),
                1_200..1_800 => Some(Answer { code, ..status(Outcome::EndpointRetired, 404) }),
                _ => None,
            })
            .daemon(HOUR);
        told.incidents[0].resolved_at.unwrap()
    };
    let by_the_edge = story(None);
    assert!(by_the_edge >= at(1_800), "a bare 404 is nobody's word: {by_the_edge}");
    let by_heygen = story(Some("not_found"));
    assert!(by_heygen < at(1_300), "an envelope shows that it works again: {by_heygen}");
}

#[test]
fn golden_14_a_lost_network_is_told_once_when_it_is_back() {
    let told = World::with_key()
        .heygen(|_, now| (600..1_800).contains(&now).then_some(fails(Outcome::ConnectFailed)))
        .controls(|now| if (600..1_800).contains(&now) { 0 } else { 3 })
        .page(|now| if (600..1_800).contains(&now) { Shown::Unreadable } else { Shown::Green })
        .daemon(2 * HOUR);
    assert_eq!(told.kinds("slack"), [EventKind::Resolved], "{}", told.to("slack"));
    assert_eq!(told.verdict_at(1_500, Capability::Api), "unknown/network/monitor_offline");
    assert_eq!(told.verdict_at(2_000, Capability::Api), "operational/none/ok");
    let message = told.message(EventKind::Resolved);
    assert!(
        message.headline.contains("Nothing is known about HeyGen from 09:"),
        "{}",
        message.headline
    );
    assert!(
        told.incidents.iter().all(|one| one.cause.0 == "monitor_offline"),
        "no provider downtime"
    );
}

#[test]
fn a_network_lost_for_two_minutes_is_not_told() {
    let told = World::with_key()
        .heygen(|_, now| (600..720).contains(&now).then_some(fails(Outcome::ConnectFailed)))
        .controls(|now| if (600..720).contains(&now) { 0 } else { 3 })
        .page(|now| if (600..720).contains(&now) { Shown::Unreadable } else { Shown::Green })
        .daemon(HOUR);
    assert_eq!(told.to("slack"), "");
}

#[test]
fn an_outage_is_suspended_while_offline_and_goes_on_afterwards() {
    let told = World::with_key()
        .heygen(down_between(600, 4_000))
        .heygen(|_, now| (1_200..2_400).contains(&now).then_some(fails(Outcome::Timeout)))
        .controls(|now| if (1_200..2_400).contains(&now) { 0 } else { 3 })
        .page(|now| if (1_200..2_400).contains(&now) { Shown::Unreadable } else { Shown::Green })
        .daemon(2 * HOUR);
    assert_eq!(told.to("mail").matches("#1").count(), 2, "{}", told.to("mail"));
    let first = &told.incidents[0];
    assert!(first.resolved_at.unwrap() >= at(4_000), "{:?}", first.resolved_at);
}

#[test]
fn golden_18_an_unreadable_page_never_stays_green() {
    let told = World::with_key()
        .page(|now| if now >= 600 { Shown::Unreadable } else { Shown::Green })
        .daemon(HOUR);
    let (_, verdict) = told.verdicts.last().unwrap();
    assert_eq!(verdict.capabilities[2].state.as_str(), "operational", "the probes still judge");
    assert_eq!(told.to("slack"), "");
}

#[test]
fn golden_19_a_row_that_vanishes_is_a_warning_once() {
    let told = World::with_key()
        .page(|now| {
            if now < 600 {
                Shown::Green
            } else {
                Shown::Rows(vec![
                    ("app.heygen.com", ComponentState::Operational),
                    ("Video Generation", ComponentState::Operational),
                ])
            }
        })
        .daemon(HOUR);
    assert_eq!(told.warnings.len(), 1);
    assert_eq!(told.kinds("slack"), [EventKind::Warning]);
    assert!(told.message(EventKind::Warning).headline.contains("api.heygen.com"));
}

#[test]
fn golden_20_one_error_among_successes_is_silent() {
    let told = World::with_key()
        .heygen(|series, now| {
            (series == "api-read" && (600..660).contains(&now) && now < 650 && now % 60 < 10)
                .then_some(status(Outcome::ServerError, 500))
        })
        .daemon(2 * HOUR);
    assert_eq!(told.to("slack"), "");
}

#[test]
fn golden_20_one_in_four_for_an_hour_is_one_message() {
    let asked = std::cell::Cell::new(0_u32);
    let told = World::with_key()
        .heygen(move |series, now| {
            if series != "api-read" || !(600..4_200).contains(&now) {
                return None;
            }
            asked.set(asked.get() + 1);
            asked.get().is_multiple_of(4).then_some(status(Outcome::Unavailable, 503))
        })
        .daemon(4 * HOUR);
    assert_eq!(told.kinds("mail"), [EventKind::Opened, EventKind::Resolved], "{}", told.to("mail"));
    assert_eq!(told.incidents[0].reason.as_str(), "intermittent_errors");
}

#[test]
fn golden_21_up_and_down_for_an_hour_is_at_most_five_messages() {
    let told = World::with_key()
        .heygen(|series, now| {
            let is_down = (600..4_200).contains(&now) && (now / 40) % 2 == 0;
            (series != "web" && is_down).then_some(status(Outcome::Unavailable, 503))
        })
        .daemon(2 * HOUR);
    let said = told.kinds("mail");
    assert!(said.len() <= 5, "{}", told.to("mail"));
    let last = told.incidents.last();
    assert_eq!(said.last(), Some(&EventKind::Resolved), "{} {last:?}", told.to("mail"));
    assert!(told.incidents.iter().all(|one| !one.is_open()));
}

#[test]
fn outages_that_come_and_go_are_told_as_flapping_and_then_as_what_is_true() {
    let told = World::with_key()
        .heygen(|series, now| {
            let is_down = (600..4_800).contains(&now) && (now / 300) % 2 == 0;
            (series != "web" && is_down).then_some(status(Outcome::Unavailable, 503))
        })
        .daemon(3 * HOUR);
    let expected = [
        EventKind::Opened,
        EventKind::Resolved,
        EventKind::Opened,
        EventKind::Flapping,
        EventKind::Resolved,
    ];
    assert_eq!(told.kinds("mail"), expected, "{}", told.to("mail"));
}

#[test]
fn golden_32_a_key_that_expires_is_one_message_and_one_incident() {
    let told = World::with_key()
        .heygen(|series, now| {
            (series != "web" && series != "api-anonymous" && now >= 600)
                .then_some(status(Outcome::Unauthorized, 401))
        })
        .daemon(2 * HOUR);
    assert_eq!(told.kinds("mail"), [EventKind::Opened]);
    assert_eq!(told.incidents.len(), 1);
    assert_eq!(told.incidents[0].cause.0, "unauthorized");
    assert_eq!(told.verdict_at(HOUR, Capability::WebApp), "operational/none/ok");
}

#[test]
fn everything_down_grows_into_one_platform_incident() {
    let told = World::with_key()
        .heygen(|_, now| (600..2_400).contains(&now).then_some(status(Outcome::Unavailable, 503)))
        .daemon(2 * HOUR);
    assert_eq!(told.incidents.len(), 1, "{}", told.to("mail"));
    assert_eq!(told.incidents[0].cause.0, "platform");
    assert_eq!(told.kinds("mail").last(), Some(&EventKind::Resolved));
    assert!(told.kinds("mail").len() <= 3, "{}", told.to("mail"));
}

#[test]
fn two_hosts_that_are_told_already_are_one_platform_incident_and_no_second_one() {
    let told = World::with_key()
        .heygen(|series, now| {
            let begins = match series {
                "web" => 1_200,
                _ if series.starts_with("submit") => 1_800,
                _ => 600,
            };
            (begins..4_000).contains(&now).then_some(status(Outcome::Unavailable, 503))
        })
        .daemon(2 * HOUR);
    let causes: Vec<&str> = told.incidents.iter().map(|one| one.cause.0.as_str()).collect();
    assert_eq!(causes, ["platform", "host:app.heygen.com"], "{}", told.to("mail"));
    let kinds = [
        EventKind::Opened,
        EventKind::Opened,
        EventKind::Worsened,
        EventKind::Resolved,
        EventKind::Resolved,
    ];
    assert_eq!(told.kinds("mail"), kinds, "{}", told.to("mail"));
}

#[test]
fn what_only_the_page_says_is_told_to_slack_after_five_minutes() {
    let told = World::with_key()
        .page(|now| {
            if (600..3_000).contains(&now) {
                Shown::Incident("Rendering is delayed", Impact::Minor)
            } else {
                Shown::Green
            }
        })
        .daemon(2 * HOUR);
    assert_eq!(told.to("mail"), "");
    assert_eq!(
        told.kinds("slack"),
        [EventKind::Opened, EventKind::Resolved],
        "{}",
        told.to("slack")
    );
    let opened_at: i64 = told.to("slack").split(':').next().unwrap().parse().unwrap();
    assert!((900..=980).contains(&opened_at), "{opened_at}");
}

#[test]
fn a_rate_limit_is_told_only_when_half_of_ten_minutes_are_limited() {
    let limited = |from: i64, to: i64| {
        move |series: &str, now: i64| {
            (series == "api-read" && (from..to).contains(&now))
                .then_some(status(Outcome::RateLimited, 429))
        }
    };
    let told = World::with_key().heygen(limited(600, 720)).daemon(HOUR);
    assert_eq!(told.to("mail"), "");
    assert_eq!(told.verdict_at(700, Capability::Api), "degraded/account/rate_limited");
    let told = World::with_key().heygen(limited(600, 1_800)).daemon(2 * HOUR);
    assert_eq!(told.kinds("mail"), [EventKind::Opened, EventKind::Resolved], "{}", told.to("mail"));
}

#[test]
fn a_limit_is_heygens_only_while_the_account_hardly_does_anything() {
    let verdict = |jobs: usize| {
        let world = World::with_key().heygen(|series, _| {
            series.starts_with("api-").then_some(status(Outcome::RateLimited, 429))
        });
        let mut daemon = Daemon::start(world);
        daemon.list(jobs);
        daemon.run_until(60).told().verdict_at(50, Capability::Api)
    };
    assert_eq!(verdict(1), "degraded/provider/provider_throttling");
    assert_eq!(verdict(2), "degraded/account/rate_limited");
}

#[test]
fn being_blocked_is_told_once_after_ten_minutes() {
    let told = World::with_key()
        .heygen(|_, now| (600..6_000).contains(&now).then_some(status(Outcome::Blocked, 403)))
        .daemon(3 * HOUR);
    assert_eq!(told.kinds("mail"), [EventKind::Opened], "{}", told.to("mail"));
    assert!(told.incidents.iter().all(|one| !one.is_open()), "{:?}", told.incidents);
}

#[test]
fn what_nobody_uses_is_told_to_nobody() {
    let mut world = World::with_key().heygen(down_between(600, 3_000));
    world.settings.uses = vec![Capability::WebApp];
    let told = world.daemon(2 * HOUR);
    assert_eq!(told.to("mail"), "");
    assert_eq!(told.incidents.len(), 1);
}

#[test]
fn fifty_restarts_in_an_outage_send_one_message_and_fifty_in_health_none() {
    let mut daemon = Daemon::start(World::with_key().heygen(down_between(600, 90_000)));
    for turn in 1..=50 {
        daemon = daemon.run_until(600 + turn * 30);
        daemon.restart();
    }
    let told = daemon.run_until(2_400).told();
    assert_eq!(told.kinds("mail"), [EventKind::Opened], "{}", told.to("mail"));

    let mut daemon = Daemon::start(World::with_key());
    for turn in 1..=50 {
        daemon = daemon.run_until(turn * 20);
        daemon.restart();
    }
    assert_eq!(daemon.told().to("mail"), "");
}
