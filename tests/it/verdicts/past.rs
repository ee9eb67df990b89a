//! What the core writes down of its verdicts, and the time that is made of it.

use std::time::Duration;

use heygen_monitor::engine::uptime::{Past, Scope, Spell, Spent, Window, uptime};
use heygen_monitor::model::{Capability, Outcome};

use super::daemon::Daemon;
use super::world::{World, at, status};

fn down_between(since: i64, until: i64) -> World {
    World::with_key().heygen(move |_, now| {
        (since..until).contains(&now).then(|| status(Outcome::Unavailable, 503))
    })
}

fn spent(daemon: &Daemon, until: i64, capability: Capability) -> Spent {
    let spell = |incident: &heygen_monitor::model::Incident| Spell {
        id: incident.id,
        blame: incident.blame,
        capabilities: incident.capabilities.clone(),
        opened_at: incident.opened_at,
        confirmed_at: incident.confirmed_at,
        resolved_at: incident.resolved_at,
        acknowledged_at: incident.acknowledged_at,
    };
    let past = Past {
        changes: daemon.changes.clone(),
        alive: vec![(at(0), at(until))],
        spells: daemon.incidents.values().map(spell).collect(),
        claims: Vec::new(),
    };
    let window = Window { since: at(0), until: at(until) };
    let all = uptime(&past, &Scope::from(&daemon.world.settings), window);
    all.into_iter().find(|one| one.capability == capability).unwrap().spent
}

fn secs(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap()
}

#[test]
fn an_outage_lasts_from_its_first_bad_observation_to_its_first_good_one() {
    let daemon = Daemon::start(down_between(600, 1_500)).run_until(3_600);
    let incident = daemon.incidents.values().next().unwrap();
    let lasted = incident.resolved_at.unwrap().duration_since(incident.opened_at);
    let spent = spent(&daemon, 3_600, Capability::Api);
    assert_eq!(secs(spent.down.provider), lasted.as_secs());
    assert!((880..=920).contains(&lasted.as_secs()), "{lasted:?}");
    assert_eq!(spent.down.total() + spent.degraded.total(), spent.down.provider);
    assert_eq!(secs(spent.total()), 3_600);
}

#[test]
fn a_refused_key_counts_for_the_account_and_never_against_heygen() {
    let world = World::with_key().heygen(|series, now| {
        let is_keyed = series == "api-read" || series.starts_with("submit");
        (is_keyed && (600..1_500).contains(&now)).then(|| status(Outcome::Unauthorized, 401))
    });
    let daemon = Daemon::start(world).run_until(3_600);
    let spent = spent(&daemon, 3_600, Capability::Authentication);
    assert!((850..=930).contains(&secs(spent.down.account)), "{spent:?}");
    assert_eq!(spent.down.provider, Duration::ZERO);
    assert_eq!(spent.availability().unwrap().share.to_string(), "1");
}

#[test]
fn restarts_write_nothing_down_again() {
    let plain = Daemon::start(down_between(600, 1_500)).run_until(2_400);
    let mut daemon = Daemon::start(down_between(600, 1_500));
    for turn in 1..=60 {
        daemon = daemon.run_until(turn * 40);
        daemon.restart();
    }
    let said = |daemon: &Daemon| -> Vec<_> {
        let all = daemon.changes.iter();
        all.map(|one| (one.capability, one.state, one.blame, one.reason)).collect()
    };
    assert_eq!(said(&daemon), said(&plain));
}
