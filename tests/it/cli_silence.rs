//! `ack`, `silence`, `maintenance`, `explain` and `replay` of the real binary, beside a daemon that
//! sees an outage.

use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::model::Timestamp;
use heygen_monitor::simulator::{Effect, Rule, Service};
use serde_json::{Value, json};

use crate::support::bench::{Bench, Channels, Foreground, Said, Wanted};
use crate::support::wait_until;

const DONE: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 64;

/// A daemon on a simulated world, and commands beside it.
struct Desk {
    bench: Bench,
    run: Foreground,
}

fn wanted() -> Wanted {
    Wanted { every: "0.3s", recheck: "0.1s", ..Wanted::default() }
}

impl Desk {
    async fn open() -> Self {
        let bench = Bench::start(Clock::system()).await;
        let run = bench.run(&wanted()).await;
        let desk = Self { bench, run };
        let asked = || desk.bench.simulator.received(Service::Api).len();
        wait_until("the API is asked", || asked() > 2).await;
        desk
    }

    async fn say(&self, arguments: &[&str]) -> Said {
        self.bench.say(&wanted(), arguments).await
    }

    /// Says exactly this on stdout.
    async fn does(&self, arguments: &[&str], text: &str) {
        let said = self.say(arguments).await;
        assert_eq!((said.code, said.stdout.as_str()), (Some(DONE), text), "{}", said.stderr);
    }

    /// Ends with this code, says this on stderr and nothing on stdout.
    async fn refuses(&self, arguments: &[&str], code: i32, text: &str) {
        let said = self.say(arguments).await;
        assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "{}", said.stderr);
        assert!(said.stderr.contains(text), "`{text}` is missing in: {}", said.stderr);
    }

    /// Says each of these on stdout.
    async fn shows(&self, wanted: &Wanted, arguments: &[&str], parts: &[&str]) -> String {
        let said = self.bench.say(wanted, arguments).await;
        assert_eq!(said.code, Some(DONE), "{}", said.stderr);
        for part in parts {
            assert!(said.stdout.contains(part), "`{part}` is missing in: {}", said.stdout);
        }
        said.stdout
    }

    /// What it says on stdout, which is JSON.
    async fn json(&self, arguments: &[&str]) -> Value {
        let said = self.shows(&wanted(), arguments, &[]).await;
        serde_json::from_str(&said).unwrap()
    }

    /// Breaks the API and waits until that is incident 1.
    async fn outage(&self) {
        let down = Rule::on(Service::Api, "/v3", Effect::unavailable());
        self.bench.simulator.plan(|plan| plan.add(down));
        let store = self.bench.history();
        let opening = async {
            while store.incidents(Timestamp::UNIX_EPOCH, None, 1).await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let patience = Duration::from_secs(20);
        tokio::time::timeout(patience, opening).await.expect("an incident opens");
    }

    async fn is_told(&self) {
        let heard = || (self.bench.mails().len(), self.bench.slack().len());
        wait_until("mail and Slack hear of it", || heard() == (1, 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_added_listed_obeyed_and_ended() {
    let desk = Desk::open().await;
    desk.does(&["silence", "list"], "Nothing is silenced.").await;
    let web = ["silence", "add", "--for", "1h", "--capability", "web_app", "--author", "Ann"];
    let web = [&web[..], &["--comment", "their release"]].concat();
    desk.does(&web, "silence #1 holds").await;
    desk.does(&["silence", "add", "--for", "2h", "--blame", "provider"], "silence #2 holds").await;
    let parts = ["#1", "until ", "Ann", "their release", "#2", "HeyGen's side", "somebody"];
    desk.shows(&wanted(), &["silence", "list"], &parts).await;
    let silences = desk.json(&["silence", "list", "--json"]).await;
    assert_eq!(silences[0]["capability"], json!(["web_app"]), "{silences:#}");
    assert_eq!(silences[1]["blame"], json!(["provider"]), "{silences:#}");

    desk.outage().await;
    let why = "nobody: it waits for its time, or something keeps it back";
    desk.shows(&wanted(), &["explain", "1"], &["Seen", "Judged", "Told", why]).await;
    assert_eq!((desk.bench.mails().len(), desk.bench.slack().len()), (0, 0));

    desk.does(&["silence", "expire", "2"], "silence #2 has ended").await;
    desk.is_told().await;
    desk.refuses(&["silence", "expire", "2"], FAILED, "there is no silence #2 that still holds")
        .await;
    let left = desk.shows(&wanted(), &["silence", "list"], &["#1"]).await;
    assert!(!left.contains("#2"), "{left}");
    assert_eq!(desk.run.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_silence_everything_or_nothing_is_refused() {
    let desk = Desk::open().await;
    let everything = "this silence would concern everything: name an incident, a capability, a side \
                      or a reason";
    desk.refuses(&["silence", "add", "--for", "1h"], FAILED, everything).await;
    let over = ["silence", "add", "--for", "0s", "--blame", "provider"];
    desk.refuses(&over, FAILED, "this silence would have ended already").await;
    let soon = ["silence", "add", "--for", "soon", "--blame", "provider"];
    desk.refuses(&soon, USAGE, "a duration like `15s`").await;
    let nobody = ["silence", "add", "--for", "1h", "--blame", "them"];
    desk.refuses(&nobody, USAGE, "the sides are none, provider, account").await;
    let nothing = ["silence", "add", "--for", "1h", "--reason", "because"];
    desk.refuses(&nothing, USAGE, "`because` is no reason").await;
    desk.refuses(&["silence", "add", "--blame", "provider"], USAGE, "--for").await;
    desk.refuses(&["ack", "99"], FAILED, "there is no open incident #99").await;
    desk.refuses(&["explain", "99"], FAILED, "there is no incident #99").await;
    desk.does(&["silence", "list"], "Nothing is silenced.").await;
    assert_eq!(desk.run.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_taken_on_explained_and_replayed() {
    let desk = Desk::open().await;
    desk.outage().await;
    desk.is_told().await;
    let ack = ["ack", "1", "--author", "Ann", "--comment", "on it"];
    desk.does(&ack, "incident #1 is yours: no reminders, nobody else is told").await;
    let parts = [
        "Seen",
        "the first sign",
        "[unavailable]",
        "Judged",
        "HeyGen's side, reason unavailable",
        "taken on by Ann",
        "on it",
        "Told",
        "opened to slack, mail",
        "slack: delivered",
        "mail: delivered",
        "accepted",
    ];
    let explained = desk.shows(&wanted(), &["explain", "1"], &parts).await;
    assert!(!explained.contains("nobody"), "{explained}");

    let explained = desk.json(&["explain", "1", "--json"]).await;
    assert_eq!(explained["incident"]["reason"], "unavailable", "{explained:#}");
    let [slack, mail] = explained["messages"].as_array().unwrap().as_slice() else {
        panic!("{explained:#}")
    };
    for (message, channel) in [(slack, "slack"), (mail, "mail")] {
        let delivery = &message["delivery"];
        assert_eq!((&message["seq"], &delivery["channel"]), (&json!(1), &json!(channel)));
        assert_eq!(
            (&delivery["event"], &delivery["state"]),
            (&json!("opened"), &json!("delivered"))
        );
        assert_eq!(message["attempts"][0]["result"], "accepted", "{message:#}");
    }

    let replay = ["replay", "--since", "1h"];
    let replayed = desk.json(&["replay", "--since", "1h", "--json"]).await;
    let of = |index: usize| {
        let message = &replayed["messages"][index];
        (message["channel"].clone(), message["event"].clone())
    };
    assert_eq!(
        (of(0), of(1)),
        ((json!("slack"), json!("opened")), (json!("mail"), json!("opened")))
    );
    assert_eq!(replayed["told"], 2, "{replayed:#}");
    assert!(replayed["observations"].as_u64().is_some_and(|count| count > 2), "{replayed:#}");
    let same = ["2 messages instead of 2, over ", "opened", "slack", "mail"];
    desk.shows(&wanted(), &replay, &same).await;
    let silent = Wanted { channels: Channels::None, ..wanted() };
    let said = desk.shows(&silent, &replay, &["0 messages instead of 2, over "]).await;
    assert!(!said.contains("opened"), "{said}");

    let Desk { bench, run } = desk;
    assert_eq!(run.stop().await, Some(0));
    let said = bench.say(&wanted(), &ack).await;
    assert_eq!(said.code, Some(FAILED), "{}", said.stderr);
    assert!(said.stderr.contains("no daemon runs here"), "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_listed_with_when_they_open_next() {
    let bench = Bench::start(Clock::system()).await;
    let said = bench.say(&wanted(), &["maintenance", "list"]).await;
    assert_eq!((said.code, said.stdout.as_str()), (Some(DONE), "No windows."), "{}", said.stderr);
    let extra = "[[maintenance]]\nschedule = \"0 0 3 29 2 *\"\nduration = \"90m\"\n\
                 [[maintenance]]\nschedule = \"* * * * * *\"\nduration = \"1h\"\n";
    let with_windows = Wanted { extra: extra.to_owned(), ..wanted() };
    let said = bench.say(&with_windows, &["maintenance", "list"]).await;
    assert_eq!(said.code, Some(DONE), "{}", said.stderr);
    let lines: Vec<&str> = said.stdout.lines().map(str::trim).collect();
    let [yearly, always] = lines.as_slice() else { panic!("{}", said.stdout) };
    assert!(yearly.starts_with("0 0 3 29 2 *") && yearly.contains("1h 30m"), "{yearly}");
    assert!(yearly.ends_with("-02-29 03:00"), "{yearly}");
    assert!(always.ends_with("open now"), "{always}");
    let said = bench.say(&with_windows, &["maintenance", "list", "--json"]).await;
    let mut windows: Value = serde_json::from_str(&said.stdout).unwrap();
    for window in windows.as_array_mut().unwrap() {
        let next_at = window["next_at"].take();
        assert!(next_at.as_str().unwrap().parse::<Timestamp>().is_ok(), "{next_at}");
    }
    let expected = json!([
        {"schedule": "0 0 3 29 2 *", "duration_seconds": 5_400, "open": false, "next_at": null},
        {"schedule": "* * * * * *", "duration_seconds": 3_600, "open": true, "next_at": null},
    ]);
    assert_eq!(windows, expected);
    let said = bench.say(&wanted(), &["maintenance", "add"]).await;
    assert_eq!(said.code, Some(USAGE), "{}", said.stderr);
}
