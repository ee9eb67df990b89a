//! The rules of stuck, late, failing and our own queue, one scenario each.

use std::time::Duration;

use heygen_monitor::engine::{CanaryMode, CanaryRules, JobsWatch, Thresholds, Watch};
use heygen_monitor::model::{Action, Capability, EventKind, ProbeKind, Resubmit, Usd};

use super::account::{Account, POLL, Planned};

const MIN: i64 = 60;

/// A video that runs as usual.
fn fine(id: &str, created: i64) -> Planned {
    Planned::video(id, created, 40, 150)
}

#[test]
fn golden_11_renders_that_nothing_overtakes_and_nothing_finishes_are_stuck() {
    let jobs =
        vec![fine("v_0", 0), Planned::stuck("v_1", 10 * MIN), Planned::stuck("v_2", 12 * MIN)];
    let account = Account::new(jobs).until(70 * MIN);
    assert_eq!(account.verdict(), "outage/provider/jobs_stuck");
    let last = account.last.as_ref().unwrap();
    assert_eq!(last.advice.action, Action::Hold);
    assert_eq!(last.advice.resubmit, Resubmit::OneCopy);
    assert!(last.headline.contains("videos have waited"), "{}", last.headline);
    let stuck = account.verdicts.iter().find(|(_, _, reason, _)| reason.as_str() == "jobs_stuck");
    let (since, ..) = stuck.unwrap();
    // Two are over the limit of 40 min from 52 min on.
    assert!((52 * MIN..=52 * MIN + 2 * POLL).contains(since), "{since}");
    assert_eq!(account.told(), [EventKind::Opened, EventKind::Worsened]);
}

#[test]
fn the_only_job_that_lives_and_is_over_its_limit_is_stuck() {
    let account = Account::new(vec![Planned::stuck("v_1", MIN)]).until(45 * MIN);
    assert_eq!(account.verdict(), "outage/provider/jobs_stuck");
}

#[test]
fn the_advice_to_send_one_again_names_what_a_test_of_ours_costs() {
    let advice = |price: Option<Usd>| {
        let mut account = Account::new(vec![Planned::stuck("v_1", MIN)]);
        account.settings.probes.extend(price.map(render));
        account.until(45 * MIN).last.unwrap().advice
    };
    assert_eq!(advice(None).resubmit, Resubmit::OneCopy);
    assert!(advice(None).text.contains("both may be charged. "), "{}", advice(None).text);
    let priced = advice(Some(Usd(150_000)));
    assert!(priced.text.contains("both may be charged (about $0.15"), "{}", priced.text);
}

fn render(price: Usd) -> Watch {
    Watch {
        name: "render".to_owned(),
        kind: ProbeKind::Render,
        anonymous: false,
        capabilities: vec![Capability::VideoGeneration],
        interval: Duration::from_hours(12),
        host: "api.heygen.com".to_owned(),
        target: String::new(),
        thresholds: Thresholds::default(),
        replaces: Vec::new(),
        jobs: JobsWatch::Canary(CanaryRules {
            mode: CanaryMode::Adaptive,
            max_silence: Duration::from_hours(12),
            price,
            looks: vec![String::new()],
            path: "/v3/videos".to_owned(),
        }),
    }
}

#[test]
fn golden_13a_one_stuck_job_among_others_that_finish_is_that_one_alone() {
    let mut jobs = vec![Planned::stuck("v_a", 0)];
    jobs.extend((1..=4).map(|i| fine(&format!("v_{i}"), i * 10 * MIN)));
    let account = Account::new(jobs).until(60 * MIN);
    assert_eq!(account.verdict(), "degraded/provider/single_job_stuck");
    let last = account.last.as_ref().unwrap();
    assert_eq!(last.advice.action, Action::Go);
    assert!(last.advice.text.contains("v_a"), "{}", last.advice.text);
    assert!(last.evidence[0].text.contains("v_a"), "{:?}", last.evidence);
}

#[test]
fn golden_13b_two_stuck_jobs_with_nothing_finishing_later_are_an_outage() {
    let jobs =
        vec![fine("v_0", 0), Planned::stuck("v_a", 30 * MIN), Planned::stuck("v_b", 31 * MIN)];
    let account = Account::new(jobs).until(80 * MIN);
    assert_eq!(account.verdict(), "outage/provider/jobs_stuck");
}

#[test]
fn an_incident_about_jobs_ends_when_later_ones_leave_in_time() {
    let mut jobs =
        vec![Planned::video("v_a", 0, 60 * MIN, 150), Planned::video("v_b", 30, 60 * MIN, 150)];
    jobs.extend((0..4).map(|i| fine(&format!("v_{i}"), 70 * MIN + i * 5 * MIN)));
    let account = Account::new(jobs).until(100 * MIN);
    assert_eq!(account.verdict(), "operational/none/ok");
    assert_eq!(account.incidents.len(), 1);
    let incident = &account.incidents[&1];
    assert!(incident.resolved_at.is_some());
    assert_eq!(account.told(), [EventKind::Opened, EventKind::Worsened, EventKind::Resolved]);
}

#[test]
fn golden_33_a_batch_of_a_hundred_on_ten_places_is_our_own_queue() {
    // Ten at a time, twelve minutes each.
    let jobs = (0..100)
        .map(|i| Planned::video(&format!("v_{i:03}"), i, (i / 10) * 12 * MIN, 12 * MIN))
        .collect();
    let mut account = Account::new(jobs);
    let mut seen = Vec::new();
    while account.now < 130 * MIN {
        let next = account.now + MIN;
        account = account.until(next);
        seen.push(account.verdict());
    }
    assert!(seen.iter().any(|verdict| verdict == "degraded/account/own_backlog"), "{seen:?}");
    assert!(seen.iter().all(|verdict| !verdict.contains("provider")), "{seen:?}");
    assert!(account.incidents.is_empty(), "{:?}", account.incidents);
    assert!(account.messages.is_empty());
}

#[test]
fn a_batch_of_the_other_kind_holds_the_places_as_well() {
    let mut jobs: Vec<Planned> = (0..100)
        .map(|i| Planned::video(&format!("t_{i:03}"), i, (i / 10) * 12 * MIN, 12 * MIN))
        .map(Planned::translated)
        .collect();
    jobs.push(Planned::video("v_1", 2 * MIN, 118 * MIN, 3 * MIN));
    jobs.push(Planned::video("v_2", 3 * MIN, 117 * MIN, 3 * MIN));
    let mut account = Account::new(jobs);
    while account.now < 130 * MIN {
        let next = account.now + MIN;
        account = account.until(next);
        assert!(!account.verdict().contains("provider"), "{} at {next}", account.verdict());
    }
    assert!(account.incidents.is_empty(), "{:?}", account.incidents);
}

#[test]
fn golden_12_videos_are_stuck_although_translations_come_out() {
    let mut jobs: Vec<Planned> =
        (0..10).map(|i| fine(&format!("t_{i}"), i * 8 * MIN).translated()).collect();
    jobs.extend([Planned::stuck("v_1", MIN), Planned::stuck("v_2", 3 * MIN)]);
    let account = Account::new(jobs).until(50 * MIN);
    assert_eq!(account.verdict(), "outage/provider/jobs_stuck");
}

#[test]
fn golden_34_jobs_from_march_are_rubbish() {
    let months = 240 * 24 * 60 * MIN;
    let jobs = (0..3).map(|i| Planned::stuck(&format!("v_{i}"), i - months)).collect();
    let account = Account::new(jobs).until(30 * MIN);
    assert_eq!(account.abandoned(), 3);
    assert_eq!(account.verdict(), "unknown/monitor/no_recent_jobs");
    assert!(account.messages.is_empty());
}

#[test]
fn golden_35_a_weekend_without_jobs_is_silent() {
    let account = Account::new(vec![fine("v_1", 0), fine("v_2", 60)]).until(48 * 60 * MIN);
    assert_eq!(account.verdict(), "unknown/monitor/no_recent_jobs");
    let last = account.last.as_ref().unwrap();
    assert!(last.headline.contains("no video has run since"), "{}", last.headline);
    assert!(account.incidents.is_empty() && account.messages.is_empty());
}

#[test]
fn golden_6_a_job_that_fails_for_want_of_credit_is_the_accounts() {
    let jobs = vec![
        fine("v_0", 0),
        fine("v_1", 10 * MIN).failing("MOVIO_PAYMENT_INSUFFICIENT_CREDIT", "Insufficient credit."),
    ];
    let account = Account::new(jobs).until(20 * MIN);
    assert_eq!(account.verdict(), "outage/account/insufficient_credit");
    let last = account.last.as_ref().unwrap();
    assert_eq!(last.advice.action, Action::FixAccount);
    assert!(last.advice.text.contains("Insufficient credit."), "{}", last.advice.text);
    assert_eq!(account.told(), [EventKind::Opened]);
}

#[test]
fn a_job_that_is_paid_for_again_ends_the_want_of_credit() {
    let jobs = vec![
        fine("v_1", 10 * MIN).failing("MOVIO_PAYMENT_INSUFFICIENT_CREDIT", "Insufficient credit."),
        fine("v_2", 30 * MIN),
        fine("v_3", 35 * MIN),
    ];
    let account = Account::new(jobs).until(45 * MIN);
    assert_eq!(account.verdict(), "operational/none/ok");
    assert_eq!(account.told(), [EventKind::Opened, EventKind::Resolved]);
}

#[test]
fn three_natural_jobs_that_fail_for_no_reason_of_theirs_are_heygens() {
    let failing = |i: i64| {
        fine(&format!("v_{i}"), i * 5 * MIN)
            .failing("rendering_failed", "Avatar rendering timed out")
    };
    let account = Account::new((1..=2).map(failing).collect()).until(30 * MIN);
    assert_ne!(account.verdict(), "outage/provider/jobs_failing", "two are not enough");
    let account = Account::new((1..=3).map(failing).collect()).until(30 * MIN);
    assert_eq!(account.verdict(), "outage/provider/jobs_failing");
    let rejected = |i: i64| {
        fine(&format!("v_{i}"), i * 5 * MIN).failing("avatar_not_found", "Avatar not found")
    };
    let account = Account::new((1..=5).map(rejected).collect()).until(30 * MIN);
    assert!(!account.verdict().contains("provider"), "{}", account.verdict());
}

#[test]
fn a_restart_changes_nothing() {
    let jobs =
        || vec![fine("v_0", 0), Planned::stuck("v_1", 10 * MIN), Planned::stuck("v_2", 12 * MIN)];
    for when in [20, 45, 51, 53, 60] {
        let mut account = Account::new(jobs()).until(when * MIN);
        account.restart();
        assert!(account.is_live("v_1"));
        let account = account.until(70 * MIN);
        assert_eq!(account.verdict(), "outage/provider/jobs_stuck", "restart at {when} min");
        assert_eq!(account.told(), [EventKind::Opened, EventKind::Worsened], "at {when} min");
    }
}
