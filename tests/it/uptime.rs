//! Time by class: golden days, and properties that hold for every history.

use std::time::Duration;

use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::engine::uptime::{
    CapabilityUptime, Past, Scope, Spell, Window, together, uptime,
};
use heygen_monitor::engine::{Settings, Source};
use heygen_monitor::model::{
    Blame, Capability, CapabilityChange, ComponentChange, ComponentState, Outcome, Reason,
    SourceRole, State, Timestamp,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;

const API: Capability = Capability::Api;

pub(crate) fn settings(zone: &str) -> Settings {
    let map = ComponentMap { components: vec![("api".to_owned(), API)], ..ComponentMap::default() };
    let source = Source {
        name: "heygen".to_owned(),
        role: SourceRole::Primary,
        replaces: Vec::new(),
        interval: Duration::from_mins(1),
        map,
    };
    Settings {
        vantage: "fra-1".to_owned(),
        timezone: TimeZone::get(zone).unwrap(),
        sources: vec![source],
        ..Settings::default()
    }
}

fn scope(zone: &str) -> Scope {
    Scope::from(&settings(zone))
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(second)
}

/// `.` works, `d` degraded and `x` down by HeyGen, `a` down by the account, `r` rate limited, `m`
/// maintenance, `?` cannot be told, ` ` nobody looked.
fn change(second: i64, letter: char) -> CapabilityChange {
    let ok = Reason::Outcome(Outcome::Ok);
    let (state, blame, reason) = match letter {
        '.' => (State::Operational, Blame::None, ok),
        'd' => (State::Degraded, Blame::Provider, Reason::IntermittentErrors),
        'x' => (State::Outage, Blame::Provider, Reason::Outcome(Outcome::Unavailable)),
        'a' => (State::Outage, Blame::Account, Reason::Outcome(Outcome::Unauthorized)),
        'r' => (State::Degraded, Blame::Account, Reason::Outcome(Outcome::RateLimited)),
        'm' => (State::Maintenance, Blame::Provider, Reason::OfficialMaintenance),
        '?' => (State::Unknown, Blame::Network, Reason::NetworkDoubtful),
        _ => (State::Unknown, Blame::Monitor, Reason::NoData),
    };
    CapabilityChange { capability: API, at: at(second), state, blame, reason }
}

fn spell(blame: Blame, opened: i64, confirmed: i64, resolved: Option<i64>) -> Spell {
    Spell {
        id: opened,
        blame,
        capabilities: vec![API],
        opened_at: at(opened),
        confirmed_at: at(confirmed),
        resolved_at: resolved.map(at),
        acknowledged_at: None,
    }
}

fn past(changes: &[(i64, char)], spells: &[Spell]) -> Past {
    Past {
        changes: changes.iter().map(|(second, letter)| change(*second, *letter)).collect(),
        alive: vec![(at(-1_000_000), at(1_000_000))],
        spells: spells.to_vec(),
        claims: Vec::new(),
    }
}

fn of_api(past: &Past, scope: &Scope, window: Window) -> CapabilityUptime {
    uptime(past, scope, window).into_iter().find(|one| one.capability == API).unwrap()
}

/// `up 600, down provider 20, …`: whatever is not zero.
fn said(past: &Past, since: i64, until: i64) -> String {
    let window = Window { since: at(since), until: at(until) };
    let spent = of_api(past, &scope("UTC"), window).spent;
    let parts = [
        ("up", spent.up),
        ("degraded provider", spent.degraded.provider),
        ("degraded account", spent.degraded.account),
        ("down provider", spent.down.provider),
        ("down account", spent.down.account),
        ("maintenance", spent.maintenance),
        ("unknown", spent.unknown),
        ("no data", spent.no_data),
    ];
    let named = parts.iter().filter(|(_, length)| !length.is_zero());
    named
        .map(|(name, length)| format!("{name} {}", length.as_secs()))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn each_state_falls_into_its_class() {
    let past = past(
        &[
            (0, '.'),
            (10, 'd'),
            (30, 'x'),
            (60, 'a'),
            (100, 'r'),
            (150, 'm'),
            (210, '?'),
            (280, ' '),
        ],
        &[],
    );
    assert_eq!(
        said(&past, 0, 360),
        "up 10, degraded provider 20, degraded account 50, down provider 30, down account 40, \
         maintenance 60, unknown 70, no data 80"
    );
}

#[test]
fn before_the_first_word_and_while_nobody_was_alive_there_is_no_data() {
    let mut past = past(&[(100, '.'), (400, 'x'), (500, '.')], &[]);
    past.alive = vec![(at(50), at(300)), (at(450), at(900))];
    assert_eq!(said(&past, 0, 1_000), "up 600, down provider 50, no data 350");
}

#[test]
fn an_incident_begins_with_its_first_bad_observation_and_ends_with_its_first_good_one() {
    let one = spell(Blame::Provider, 60, 100, Some(380));
    let past = past(&[(0, '.'), (100, 'x'), (400, '.')], &[one]);
    assert_eq!(said(&past, 0, 600), "up 280, down provider 320");
    // What a window cuts off stays outside.
    assert_eq!(said(&past, 80, 390), "up 10, down provider 300");
    assert_eq!(said(&past, 70, 80), "down provider 10");
}

#[test]
fn an_incident_is_not_dated_back_for_a_capability_that_failed_later() {
    let one = spell(Blame::Provider, 60, 100, Some(880));
    let past = past(&[(0, '.'), (500, 'x'), (900, '.')], &[one]);
    assert_eq!(said(&past, 0, 1_000), "up 620, down provider 380");
}

#[test]
fn overlapping_troubles_keep_their_sides() {
    let key = spell(Blame::Account, 50, 100, Some(600));
    let outage = spell(Blame::Provider, 260, 300, Some(480));
    let past = past(&[(0, '.'), (100, 'a'), (300, 'x'), (500, 'a'), (620, '.')], &[key, outage]);
    assert_eq!(said(&past, 0, 700), "up 150, down provider 220, down account 330");
}

#[test]
fn the_end_of_one_of_two_incidents_of_a_side_ends_nothing() {
    let first = spell(Blame::Provider, 90, 100, Some(280));
    let second = spell(Blame::Provider, 190, 200, Some(480));
    let past = past(&[(0, '.'), (100, 'x'), (300, 'd'), (500, '.')], &[first, second]);
    assert_eq!(said(&past, 0, 600), "up 210, degraded provider 180, down provider 210");
}

#[test]
fn a_strip_has_one_day_per_date_whatever_the_clocks_do() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let hours = |now: &str, days| {
        let window = Window::of_days(days, &zone, now.parse().unwrap());
        let mut past = past(&[], &[]);
        past.changes = vec![CapabilityChange { at: Timestamp::UNIX_EPOCH, ..change(0, '.') }];
        past.alive = vec![(Timestamp::UNIX_EPOCH, Timestamp::MAX)];
        let days = of_api(&past, &scope("Europe/Berlin"), window).days;
        let hours =
            days.iter().map(|day| (day.date.to_string(), day.spent.total().as_secs() / 3_600));
        hours.collect::<Vec<_>>()
    };
    let day = |date: &str, hours| (date.to_owned(), hours);
    assert_eq!(
        hours("2026-03-30T10:00:00Z", 3),
        [day("2026-03-28", 24), day("2026-03-29", 23), day("2026-03-30", 12)]
    );
    assert_eq!(
        hours("2026-10-26T10:00:00Z", 3),
        [day("2026-10-24", 24), day("2026-10-25", 25), day("2026-10-26", 11)]
    );
    assert_eq!(hours("2026-11-20T12:00:00Z", 90).len(), 90);
    assert_eq!(hours("2026-11-20T12:00:00Z", 1), [day("2026-11-20", 13)]);
}

#[test]
fn a_day_names_the_worst_that_was_seen_and_what_the_page_said_of_it() {
    let day = 86_400;
    let mut past = past(&[(-3 * day, '.'), (-day, 'x'), (-day + 600, '?'), (-day + 700, '.')], &[]);
    let claim = |second, state| ComponentChange {
        source: "heygen".to_owned(),
        component: "c1".to_owned(),
        name: "api".to_owned(),
        at: at(second),
        state,
    };
    past.claims = vec![
        claim(-4 * day, ComponentState::Operational),
        claim(-day + 300, ComponentState::PartialOutage),
        claim(-day + 500, ComponentState::Operational),
    ];
    let window = Window { since: at(-3 * day), until: at(0) };
    let api = of_api(&past, &scope("UTC"), window);
    let worst: Vec<_> = api.days.iter().map(|day| day.worst).collect();
    let fine = Some((State::Operational, Blame::None));
    assert_eq!(worst, [fine, fine, Some((State::Outage, Blame::Provider)), fine]);
    let claimed = api.days[2].claimed.unwrap();
    assert_eq!((claimed.worst, claimed.outage.as_secs()), (ComponentState::PartialOutage, 200));
    assert_eq!(api.days[0].claimed.unwrap().worst, ComponentState::Operational);
    assert_eq!(format!("{:.5}", api.claimed.unwrap().declared().unwrap()), "0.99923");
    assert_eq!(format!("{:.5}", api.spent.availability().unwrap().share), "0.99768");
}

#[test]
fn two_troubles_at_once_count_once_and_heygens_before_all_else() {
    let mut past = past(&[(0, '.'), (100, 'x'), (300, '.')], &[]);
    let other = [(0, '.'), (200, 'x'), (400, 'a'), (450, '.')];
    past.changes.extend(other.map(|(second, letter)| CapabilityChange {
        capability: Capability::VideoGeneration,
        ..change(second, letter)
    }));
    let window = Window { since: at(0), until: at(1_000) };
    let both = together(&past, &[API, Capability::VideoGeneration], window);
    assert_eq!(both.down.provider, Duration::from_mins(5));
    assert_eq!(both.down.account, Duration::from_secs(50));
    assert_eq!((both.up, both.total()), (Duration::from_secs(650), window.length()));
    assert_eq!(together(&past, &[], window).no_data, window.length());
}

#[test]
fn time_in_which_nobody_could_tell_widens_the_interval_and_moves_nothing_else() {
    let past = past(&[(0, '.'), (900, 'x'), (1_000, '?')], &[]);
    let window = Window { since: at(0), until: at(1_100) };
    let share = of_api(&past, &scope("UTC"), window).spent.availability().unwrap();
    assert_eq!(format!("{:.3}", share.share), "0.900");
    assert_eq!(format!("{:.3}", share.low), "0.818");
    assert_eq!(format!("{:.3}", share.high), "0.909");
    assert_eq!(share.unknown, Duration::from_secs(100));
}

fn any_letter() -> impl Strategy<Value = char> {
    prop::sample::select(vec!['.', 'd', 'x', 'a', 'r', 'm', '?', ' '])
}

fn any_spell() -> impl Strategy<Value = Spell> {
    let blame = prop::sample::select(vec![Blame::Provider, Blame::Account, Blame::Network]);
    (blame, -5_000_i64..300_000, 0_i64..5_000, prop::option::of(0_i64..90_000)).prop_map(
        |(blame, opened, wait, lasted)| {
            spell(blame, opened, opened + wait, lasted.map(|lasted| opened + wait + lasted))
        },
    )
}

proptest! {
    #[test]
    fn time_adds_up_to_the_window_exactly(
        changes in prop::collection::vec((-10_000_i64..300_000, any_letter()), 0..40),
        spells in prop::collection::vec(any_spell(), 0..8),
        beats in prop::collection::btree_set(-20_000_i64..300_000, 0..8),
        since in -5_000_i64..200_000,
        length in 1_i64..200_000,
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"]),
    ) {
        let mut past = past(&changes, &spells);
        past.changes.sort_by_key(|one| one.at);
        let beats: Vec<i64> = beats.into_iter().collect();
        past.alive = beats.chunks_exact(2).map(|pair| (at(pair[0]), at(pair[1]))).collect();
        let window = Window { since: at(since), until: at(since + length) };
        for one in uptime(&past, &scope(zone), window) {
            prop_assert_eq!(one.spent.total(), window.length());
            let days: Duration = one.days.iter().map(|day| day.spent.total()).sum();
            prop_assert_eq!(days, window.length());
            let alive: i64 = beats.chunks_exact(2)
                .map(|pair| (pair[1].min(since + length) - pair[0].max(since)).max(0)).sum();
            prop_assert!(one.spent.watched() <= Duration::from_secs(alive.unsigned_abs()));
            if let Some(share) = one.spent.availability() {
                prop_assert!(share.low <= share.share && share.share <= share.high);
            }
        }
    }
}
