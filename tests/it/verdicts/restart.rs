//! A restart at any moment changes nothing that people see.

use heygen_monitor::model::{EventKind, Outcome};
use proptest::prelude::*;

use super::daemon::{Daemon, summary};
use super::world::{Answer, World, fails, status};

/// What the API does, two minutes at a time.
fn script() -> impl Strategy<Value = Vec<char>> {
    prop::collection::vec(
        prop::sample::select(vec!['.', '.', '.', 'x', 'x', 'k', 'l', 'b', 't']),
        6..10,
    )
}

fn answer(letter: char) -> Option<Answer> {
    match letter {
        'x' => Some(status(Outcome::Unavailable, 503)),
        'k' => Some(status(Outcome::Unauthorized, 401)),
        'l' => Some(status(Outcome::RateLimited, 429)),
        'b' => Some(status(Outcome::Blocked, 403)),
        't' => Some(fails(Outcome::Timeout)),
        _ => None,
    }
}

fn world(script: &[char]) -> World {
    let script = script.to_vec();
    World::with_key().heygen(move |series, now| {
        let index = usize::try_from(now / 120).unwrap();
        let letter = script.get(index).copied().unwrap_or('.');
        let is_keyed_trouble = letter == 'k' && (series == "api-anonymous" || series == "web");
        if is_keyed_trouble { None } else { answer(letter) }
    })
}

fn outcome(daemon: Daemon) -> (Vec<EventKind>, Vec<String>, Vec<(String, bool)>) {
    let told = daemon.told();
    let causes = told.incidents.iter().map(|one| (one.cause.0.clone(), one.is_open())).collect();
    (told.kinds("mail"), summary(&told.verdicts.last().unwrap().1), causes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_at_any_moment_changes_no_message_no_incident_and_no_verdict(
        script in script(), at in 30_i64..1_200,
    ) {
        let plain = Daemon::start(world(&script)).run_until(1_260);
        let mut restarted = Daemon::start(world(&script)).run_until(at);
        restarted.restart();
        let restarted = restarted.run_until(1_260);
        prop_assert_eq!(outcome(plain), outcome(restarted));
    }
}
