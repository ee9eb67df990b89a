//! Routes, silences, acknowledgements and windows: who is told what, when, and what is made up for.

use std::time::Duration;

use heygen_monitor::engine::room::Room;
use heygen_monitor::engine::schedule::CronSchedule;
use heygen_monitor::engine::{Hours, Input, Memory, Owed, Route, Window, evaluate};
use heygen_monitor::model::{
    Ack, Blame, Capability, ChannelKind, Command, EventKind, Matchers, Outcome, Silence, State,
};
use jiff::civil::time;

use super::daemon::Daemon;
use super::world::{Shown, World, at, down_between, fails, status};

const HOUR: i64 = 3_600;

fn route(channels: &[&str], after_mins: u64) -> Route {
    Route {
        capabilities: Vec::new(),
        blames: Vec::new(),
        min_state: None,
        after: Duration::from_mins(after_mins),
        hours: None,
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
        remind_every: None,
    }
}

fn with_routes(world: World, routes: Vec<Route>) -> World {
    let mut world = world;
    world.settings.routes = routes;
    world
}

fn silence(until: i64) -> Command {
    Command::Silence(Silence {
        id: 0,
        matchers: Matchers { capabilities: vec![Capability::Api], ..Matchers::default() },
        starts_at: at(0),
        ends_at: at(until),
        author: "ann".to_owned(),
        comment: "we know".to_owned(),
    })
}

#[test]
fn a_full_disk_is_told_to_everybody_at_any_hour_and_once_a_day() {
    let settings = World::with_key().settings;
    let mut memory = Memory::default();
    // Hours after 09:00: Low at night, still so, the reserve gone, room again, low again.
    let told: Vec<usize> = [
        (13, Room::Low),
        (14, Room::Low),
        (15, Room::Spent),
        (16, Room::Ample),
        (17, Room::Low),
        (37, Room::Low),
    ]
    .into_iter()
    .map(|(hour, room)| {
        let decision = evaluate(&mut memory, &settings, Input::Room(room), at(hour * HOUR));
        let is_of_the_disk = |one: &&Owed| one.message.headline.contains("disk");
        assert_eq!(decision.told.len(), decision.owed.len() / settings.channels.len());
        decision.owed.iter().filter(is_of_the_disk).count() / settings.channels.len()
    })
    .collect();
    assert_eq!(told, [1, 0, 1, 0, 0, 1]);
}

#[test]
fn a_route_that_waits_is_an_escalation_to_further_channels() {
    let world = World::with_key().heygen(down_between(600, 2 * HOUR));
    // Slack at once; the mail joins when it is still open after half an hour.
    let routes = vec![route(&["slack", "mail"], 30), route(&["slack"], 0)];
    let told = with_routes(world, routes).daemon(3 * HOUR);
    assert_eq!(told.kinds("slack"), [EventKind::Opened, EventKind::Resolved]);
    assert_eq!(told.kinds("mail"), [EventKind::Opened, EventKind::Resolved]);
    let first = |channel: &str| told.messages.iter().find(|(_, to, _)| to == channel).unwrap().0;
    assert!(first("slack") < 660, "{}", first("slack"));
    assert!((600 + 1_800..600 + 1_900).contains(&first("mail")), "{}", first("mail"));
}

#[test]
fn an_incident_that_ended_before_a_route_s_time_is_not_told_there() {
    let world = World::with_key().heygen(down_between(600, 1_500));
    let routes = vec![route(&["slack", "mail"], 30), route(&["slack"], 0)];
    let told = with_routes(world, routes).daemon(2 * HOUR);
    assert_eq!(told.kinds("slack"), [EventKind::Opened, EventKind::Resolved]);
    assert_eq!(told.to("mail"), "");
}

fn cut_off() -> World {
    let is_cut = |now: i64| (600..1_800).contains(&now);
    World::with_key()
        .heygen(move |_, now| is_cut(now).then_some(fails(Outcome::ConnectFailed)))
        .controls(move |now| if is_cut(now) { 0 } else { 3 })
        .page(move |now| if is_cut(now) { Shown::Unreadable } else { Shown::Green })
}

#[test]
fn that_the_network_is_back_is_told_by_the_routes() {
    let told = |routes: Vec<Route>| with_routes(cut_off(), routes).daemon(HOUR);
    let by_channel = told(vec![route(&["slack"], 0)]);
    assert_eq!(by_channel.kinds("slack"), [EventKind::Resolved], "{}", by_channel.to("slack"));
    assert_eq!(by_channel.to("mail"), "");
    let by_side = told(vec![Route { blames: vec![Blame::Provider], ..route(&["slack"], 0) }]);
    assert_eq!(by_side.kinds("mail"), [EventKind::Resolved], "no match: every channel");
    let by_length = told(vec![route(&["slack"], 60)]);
    assert_eq!(by_length.to("slack") + &by_length.to("mail"), "", "it was over before");
    let never = Hours { days: Vec::new(), from: time(0, 0, 0, 0), until: time(1, 0, 0, 0) };
    let by_hours = told(vec![Route { hours: Some(never), ..route(&["slack"], 0) }]);
    assert_eq!(by_hours.to("slack") + &by_hours.to("mail"), "");
}

#[test]
fn what_comes_and_goes_is_told_where_a_route_leads_and_nowhere_else() {
    let coming_and_going = |series: &str, now: i64| {
        let is_down = (600..4_800).contains(&now) && (now / 300) % 2 == 0;
        (series != "web" && is_down).then_some(status(Outcome::Unavailable, 503))
    };
    let world = World::with_key().heygen(coming_and_going);
    let told = with_routes(world, vec![route(&["slack"], 0)]).daemon(3 * HOUR);
    assert!(told.kinds("slack").contains(&EventKind::Flapping), "{}", told.to("slack"));
    assert_eq!(told.to("mail"), "");
}

#[test]
fn a_route_matches_by_side_capability_and_state() {
    let of = |blames: Vec<Blame>, min_state| {
        let world = World::with_key().heygen(down_between(600, HOUR));
        let route = Route { blames, min_state, ..route(&["mail"], 0) };
        with_routes(world, vec![route]).daemon(HOUR)
    };
    let told = of(vec![Blame::Provider], Some(State::Outage));
    assert!(told.to("slack").is_empty(), "the first match decides: {}", told.to("slack"));
    assert_eq!(told.kinds("mail")[0], EventKind::Opened);
    let told = of(vec![Blame::Account], None);
    assert_eq!(told.kinds("slack")[0], EventKind::Opened, "no match: every channel");
}

#[test]
fn reminders_come_in_doubling_gaps_and_end_with_an_ack() {
    let world = World::with_key().heygen(down_between(600, 12 * HOUR));
    let reminding = Route { remind_every: Some(Duration::from_hours(1)), ..route(&["slack"], 0) };
    let world = with_routes(world, vec![reminding]);
    let mut daemon = Daemon::start(world).run_until(5 * HOUR);
    let ack = Ack { at: at(5 * HOUR), author: "ann".to_owned(), comment: String::new() };
    assert!(daemon.command(Command::Ack { incident: 99, ack: ack.clone() }).is_err());
    assert!(daemon.command(Command::Ack { incident: 1, ack }).is_ok());
    let told = daemon.run_until(13 * HOUR).told();
    let kinds = told.kinds("slack");
    let reminders = kinds.iter().filter(|kind| **kind == EventKind::Reminder).count();
    assert_eq!(reminders, 2, "after one hour and after two more: {}", told.to("slack"));
    assert_eq!(*kinds.last().unwrap(), EventKind::Resolved);
    assert!(told.incidents[0].ack.is_some());
}

#[test]
fn a_silence_mutes_messages_and_at_its_end_the_difference_is_told() {
    // Silenced from the start until after the outage has been told of: it opens late.
    let mut daemon =
        Daemon::start(World::with_key().heygen(down_between(600, 2 * HOUR))).run_until(60);
    assert!(daemon.command(silence(HOUR)).is_ok());
    let told = daemon.run_until(3 * HOUR).told();
    assert_eq!(told.kinds("slack"), [EventKind::Opened, EventKind::Resolved]);
    let first = told.messages[0].0;
    assert!((HOUR..HOUR + 20).contains(&first), "{first}");
    assert_eq!(told.incidents[0].opened_at.duration_since(at(600)).as_secs() / 60, 0);
}

#[test]
fn what_was_resolved_while_silenced_is_told_when_the_silence_ends() {
    let mut daemon =
        Daemon::start(World::with_key().heygen(down_between(600, 2 * HOUR))).run_until(HOUR);
    assert!(daemon.command(silence(6 * HOUR)).is_ok());
    let told = daemon.run_until(7 * HOUR).told();
    assert_eq!(
        told.kinds("slack"),
        [EventKind::Opened, EventKind::Resolved],
        "{}",
        told.to("slack")
    );
    let last = told.messages.iter().rfind(|(_, to, _)| to == "slack").unwrap();
    assert!((6 * HOUR..6 * HOUR + 20).contains(&last.0), "{}", last.0);
}

#[test]
fn a_silence_that_is_expired_by_hand_ends_at_once() {
    let mut daemon =
        Daemon::start(World::with_key().heygen(down_between(600, 2 * HOUR))).run_until(60);
    assert!(daemon.command(silence(5 * HOUR)).is_ok());
    let mut daemon = daemon.run_until(1_200);
    assert!(daemon.messages.is_empty());
    assert!(daemon.command(Command::Expire(7)).is_err());
    assert!(daemon.command(Command::Expire(1)).is_ok());
    let told = daemon.run_until(1_300).told();
    assert_eq!(told.kinds("slack"), [EventKind::Opened]);
}

#[test]
fn a_silence_for_everything_is_refused() {
    let mut daemon = Daemon::start(World::with_key()).run_until(60);
    let all = Silence {
        id: 0,
        matchers: Matchers::default(),
        starts_at: at(0),
        ends_at: at(HOUR),
        author: String::new(),
        comment: String::new(),
    };
    assert!(daemon.command(Command::Silence(all)).unwrap_err().contains("everything"));
}

#[test]
fn a_window_of_our_own_mutes_what_begins_in_it() {
    let mut world = World::with_key().heygen(down_between(600, 2 * HOUR));
    let schedule = CronSchedule::parse("0 0 9 * * *", jiff::tz::TimeZone::UTC, at(0)).unwrap();
    world.settings.windows = vec![Window { schedule, duration: Duration::from_mins(45) }];
    let told = world.daemon(3 * HOUR);
    assert_eq!(told.kinds("slack"), [EventKind::Opened, EventKind::Resolved]);
    let first = told.messages[0].0;
    assert!((45 * 60..45 * 60 + 20).contains(&first), "{first}");
}

#[test]
fn more_than_a_few_at_once_are_one_digest() {
    let mut world = World::with_key();
    world.settings.channels.retain(|channel| channel.kind == ChannelKind::Slack);
    let owed: Vec<_> = (0..8)
        .flat_map(|i| {
            let text = format!("message {i}");
            heygen_monitor::engine::escalate::warn(&world.settings, &text, at(i))
        })
        .collect();
    let digested = heygen_monitor::engine::escalate::digested(&world.settings, &owed, at(60));
    assert_eq!(digested.len(), 1);
    let said = &digested[0].message.headline;
    assert!((0..8).all(|i| said.contains(&format!("message {i}"))), "{said}");
}
