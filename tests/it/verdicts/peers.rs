//! Several places: what other monitors see of the same path.

use heygen_monitor::engine::Source;
use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::model::{
    Action, Blame, Capability, EventKind, Outcome, PeerReading, PeerSaid, PeerSight, ProbeKind,
    SourceRole,
};

use super::daemon::{Daemon, Told};
use super::world::{Answer, World, at, fails, status};

const PATH: &str = "GET https://api.heygen.com/v3/users/me";
/// Our failing begins.
const BEGIN: i64 = 600;

/// What a peer says at a second; `None`: it cannot be asked.
type Script = fn(i64) -> Option<Peer>;

#[derive(Clone, Copy)]
struct Peer {
    vantage: &'static str,
    outcome: Outcome,
    kind: ProbeKind,
    target: &'static str,
    anonymous: bool,
    is_cut_off: bool,
    /// When it last looked.
    looked_at: i64,
}

/// It looks once a minute, at the half.
fn sees(now: i64, outcome: Outcome) -> Peer {
    Peer {
        vantage: "sgp-1",
        outcome,
        kind: ProbeKind::Api,
        target: PATH,
        anonymous: false,
        is_cut_off: false,
        looked_at: (now - 30).div_euclid(60) * 60 + 30,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the scripts")]
fn works(now: i64) -> Option<Peer> {
    Some(sees(now, Outcome::Ok))
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the scripts")]
fn fails_too(now: i64) -> Option<Peer> {
    Some(sees(now, if now >= BEGIN { Outcome::Unavailable } else { Outcome::Ok }))
}

fn silent(_: i64) -> Option<Peer> {
    None
}

/// Ours, with this answer of the API between `BEGIN` and `end`, and two peers.
fn world(answer: Answer, end: i64) -> World {
    let mut world = World::with_key().heygen(move |series, now| {
        let is_of_api = series.starts_with("api");
        (is_of_api && (BEGIN..end).contains(&now)).then_some(answer)
    });
    for watch in world.settings.probes.iter_mut().filter(|one| one.kind == ProbeKind::Api) {
        PATH.clone_into(&mut watch.target);
    }
    for name in ["sgp", "iad"] {
        world.settings.sources.push(Source {
            name: name.to_owned(),
            role: SourceRole::Peer,
            replaces: Vec::new(),
            interval: std::time::Duration::from_mins(1),
            map: ComponentMap::default(),
        });
    }
    world
}

fn reading(source: &str, now: i64, said: Option<Peer>) -> PeerReading {
    let said = said.map(|peer| PeerSaid {
        vantage: peer.vantage.to_owned(),
        is_cut_off: peer.is_cut_off,
        sights: vec![PeerSight {
            kind: peer.kind,
            target: peer.target.to_owned(),
            anonymous: peer.anonymous,
            outcome: peer.outcome,
            begun_at: at(peer.looked_at),
            fresh_until: at(peer.looked_at + 120),
        }],
    });
    PeerReading { source: source.to_owned(), at: at(now), said }
}

/// Runs for `seconds`; both peers are asked every ten.
fn told(world: World, peers: [Script; 2], seconds: i64) -> Told {
    let mut daemon = Daemon::start(world);
    for now in 0..seconds {
        daemon = daemon.run_until(now);
        if now % 10 == 5 {
            for (source, script) in ["sgp", "iad"].into_iter().zip(peers) {
                daemon.hear(reading(source, now, script(now)));
            }
        }
    }
    daemon.told()
}

const LOCAL: &str = "degraded/network/local_view";

#[test]
fn what_the_peers_see_decides_what_a_failure_is() {
    let connect = fails(Outcome::ConnectFailed);
    let broken = status(Outcome::Unavailable, 503);
    let outage = "outage/provider/unavailable";
    let lost = "outage/provider/connect_failed";
    let refused: Script = |now| Some(sees(now, Outcome::Unauthorized));
    let blocked: Script = |now| Some(sees(now, Outcome::Blocked));
    let cut_off: Script =
        |now| Some(Peer { is_cut_off: true, ..sees(now, Outcome::ConnectFailed) });
    let asleep: Script =
        |now| Some(Peer { looked_at: now.min(BEGIN - 30), ..sees(now, Outcome::Ok) });
    let elsewhere: Script = |now| {
        Some(Peer { target: "GET https://api.heygen.com/v3/voices", ..sees(now, Outcome::Ok) })
    };
    let other_host: Script = |now| {
        Some(Peer { target: "GET https://app.heygen.com/v3/users/me", ..sees(now, Outcome::Ok) })
    };
    let other_kind: Script = |now| Some(Peer { kind: ProbeKind::Web, ..sees(now, Outcome::Ok) });
    let keyless: Script = |now| Some(Peer { anonymous: true, ..sees(now, Outcome::Ok) });
    let ourselves: Script = |now| Some(Peer { vantage: "fra-1", ..sees(now, Outcome::Ok) });
    let rows: [(&str, Answer, [Script; 2], &str, &str); 17] = [
        ("both work, no way for us", connect, [works, works], LOCAL, "sees it). Your network."),
        ("both work, 503 for us", broken, [works, works], LOCAL, "sees it). Only seen from fra-1."),
        ("an answer is an answer", broken, [refused, silent], LOCAL, "1 of 2 places sees it"),
        ("all fail", broken, [fails_too, fails_too], outage, "3 of 3 places see it"),
        ("one fails", broken, [fails_too, works], outage, "2 of 3 places see it"),
        ("nobody can be asked", broken, [silent, silent], outage, "in a row). HeyGen's side"),
        ("one works, one has no voice", broken, [works, silent], LOCAL, "1 of 2 places sees it"),
        ("one is cut off", connect, [cut_off, works], LOCAL, "1 of 2 places sees it"),
        ("both are cut off", connect, [cut_off, cut_off], lost, "in a row). HeyGen's side"),
        ("blocked says nothing", broken, [blocked, silent], outage, "in a row). HeyGen's side"),
        ("what was seen before is stale", broken, [asleep, asleep], outage, "in a row). HeyGen"),
        ("another path", broken, [elsewhere, elsewhere], outage, "in a row). HeyGen's side"),
        ("the way to the host", connect, [elsewhere, silent], LOCAL, "1 of 2 places sees it"),
        ("another host", connect, [other_host, silent], lost, "in a row). HeyGen's side"),
        ("another kind", broken, [other_kind, silent], outage, "in a row). HeyGen's side"),
        ("our own voice", broken, [ourselves, silent], outage, "in a row). HeyGen's side"),
        ("it works without a key alone", broken, [keyless, keyless], outage, "in a row"),
    ];
    let mut wrong = Vec::new();
    for (name, answer, peers, expected, words) in rows {
        let told = told(world(answer, i64::MAX), peers, BEGIN + 200);
        let verdict = told.verdict_at(BEGIN + 200, Capability::Authentication);
        let whole = told.latest.unwrap();
        if verdict != expected || !whole.headline.contains(words) {
            wrong.push(format!("{name}: {verdict}, {}", whole.headline));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_no_other_place_sees_is_never_told_as_an_outage_of_heygen() {
    let told = told(world(fails(Outcome::ConnectFailed), 1_500), [works, works], 1_800);
    // Trouble of our own is told once.
    assert_eq!(told.kinds("mail"), [EventKind::Opened]);
    let message = told.message(EventKind::Opened);
    assert!(message.headline.contains("failing from here alone"), "{}", message.headline);
    let incidents: Vec<_> =
        told.incidents.iter().map(|one| (one.blame, one.cause.0.as_str())).collect();
    assert_eq!(incidents, [(Blame::Network, "local_view")]);
    assert!(told.incidents.iter().all(|one| one.resolved_at.is_some()));
    let advice = told.verdicts.iter().find_map(|(_, verdict)| {
        let one = verdict.capabilities.iter().find(|one| one.blame == Blame::Network)?;
        Some((one.advice.action, one.advice.text.clone()))
    });
    let (action, text) = advice.unwrap();
    assert_eq!(action, Action::CheckNetwork);
    assert!(text.contains("works from other places") && text.contains("fra-1"), "{text}");
}

#[test]
fn an_answer_that_only_this_place_gets_is_blamed_on_nobody() {
    let told =
        told(world(status(Outcome::Unavailable, 503), i64::MAX), [works, works], BEGIN + 200);
    let message = told.message(EventKind::Opened);
    assert!(message.headline.ends_with("Only seen from fra-1."), "{}", message.headline);
    let advice = &message.advice.as_ref().unwrap().text;
    assert!(advice.contains("a region of HeyGen's in trouble"), "{advice}");
}

#[test]
fn what_others_see_too_is_told_no_later_than_without_them() {
    let world = || world(status(Outcome::Unavailable, 503), i64::MAX);
    let alone = told(world(), [silent, silent], BEGIN + 200);
    let together = told(world(), [fails_too, fails_too], BEGIN + 200);
    assert_eq!(alone.to("mail"), together.to("mail"));
    assert!(!alone.messages.is_empty());
}

#[test]
fn peers_that_never_look_again_delay_a_message_by_ninety_seconds_at_most() {
    let asleep: Script =
        |now| Some(Peer { looked_at: now.min(BEGIN - 30), ..sees(now, Outcome::Ok) });
    let told = told(world(status(Outcome::Unavailable, 503), i64::MAX), [asleep, silent], 900);
    let (first, _, message) = told.messages.first().unwrap();
    assert!((BEGIN..=BEGIN + 100).contains(first), "{first}");
    assert!(message.headline.contains("HeyGen's side"), "{}", message.headline);
}

#[test]
fn the_last_place_to_recover_is_not_blamed_for_it() {
    const END: i64 = 1_500;
    let first_to_recover: Script = |now| {
        let is_down = (BEGIN..END - 40).contains(&sees(now, Outcome::Ok).looked_at);
        Some(sees(now, if is_down { Outcome::Unavailable } else { Outcome::Ok }))
    };
    let peers = [first_to_recover, first_to_recover];
    let told = told(world(status(Outcome::Unavailable, 503), END), peers, 2_000);
    assert_eq!(told.kinds("mail"), [EventKind::Opened, EventKind::Resolved]);
    let local = told.verdicts.iter().find(|(_, one)| one.reason.as_str() == "local_view");
    assert!(local.is_none(), "{local:?}");
}

#[test]
fn a_restart_in_trouble_of_our_own_tells_nothing() {
    let mut daemon = Daemon::start(world(fails(Outcome::ConnectFailed), i64::MAX));
    for now in 0..BEGIN + 600 {
        daemon = daemon.run_until(now);
        if now % 100 == 0 && now > BEGIN + 200 {
            daemon.restart();
        } else if now % 10 == 5 {
            for source in ["sgp", "iad"] {
                daemon.hear(reading(source, now, works(now)));
            }
        }
    }
    let told = daemon.told();
    assert_eq!(told.kinds("mail"), [EventKind::Opened]);
    assert_eq!(told.incidents.len(), 1);
    assert_eq!(told.incidents[0].blame, Blame::Network);
    assert!(told.incidents[0].is_open());
}

#[test]
fn a_failure_that_others_begin_to_see_becomes_heygens() {
    let later: Script =
        |now| Some(sees(now, if now >= BEGIN + 300 { Outcome::Unavailable } else { Outcome::Ok }));
    let told = told(world(status(Outcome::Unavailable, 503), i64::MAX), [later, later], 1_300);
    assert_eq!(told.verdict_at(BEGIN + 250, Capability::Api), LOCAL);
    assert_eq!(told.verdict_at(1_299, Capability::Api), "outage/provider/unavailable");
    let blames: Vec<Blame> = told.incidents.iter().map(|one| one.blame).collect();
    assert_eq!(blames, [Blame::Network, Blame::Provider]);
}

#[test]
fn what_jobs_say_is_no_matter_of_the_place() {
    // A job probe has no target: nobody is asked about it, and nobody's voice counts.
    let mut world = world(status(Outcome::Unavailable, 503), i64::MAX);
    for watch in &mut world.settings.probes {
        watch.target.clear();
    }
    let told = told(world, [works, works], BEGIN + 200);
    assert_eq!(told.verdict_at(BEGIN + 200, Capability::Api), "outage/provider/unavailable");
}

#[test]
fn a_check_counts_what_peers_saw_just_before_it() {
    let sight = |looked_at, outcome| Some(Peer { looked_at, ..sees(0, outcome) });
    let outage = "outage/provider/unavailable";
    let (works, fails) = (Outcome::Ok, Outcome::Unavailable);
    let rows = [
        ("both work", [sight(-30, works), sight(-80, works)], LOCAL, "1 of 3 places sees it"),
        ("one fails", [sight(-30, fails), sight(-30, works)], outage, "2 of 3 places see it"),
        ("one was not reached", [sight(-30, works), None], LOCAL, "1 of 2 places sees it"),
        ("nobody was reached", [None, None], outage, "503, 3 in a row). HeyGen's side"),
        ("nobody looked lately", [sight(-100, works), None], outage, "in a row). HeyGen's side"),
    ];
    for (name, said, expected, words) in rows {
        let mut world = world(status(Outcome::Unavailable, 503), i64::MAX);
        world = world.heygen(|series, _| {
            series.starts_with("api").then_some(status(Outcome::Unavailable, 503))
        });
        let heard = ["sgp", "iad"].into_iter().zip(said);
        world.heard = heard.map(|(source, said)| reading(source, 0, said)).collect();
        let checked = world.check();
        assert_eq!(checked.whole(), expected, "{name}");
        let headline = &checked.verdict.headline;
        assert!(headline.contains(words), "{name}: {headline}");
    }
}
