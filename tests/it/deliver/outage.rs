//! Every channel is down for a day: what arrives afterwards, and what it says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::deliver::{Deliver, Notifiers};
use heygen_monitor::engine::Owed;
use heygen_monitor::metrics::{Catalogue, Metrics};
use heygen_monitor::model::{DeliveryState, EventKind, Message, Timestamp};
use heygen_monitor::simulator::smtp::{Reaction, Script, SmtpServer, Stage};
use heygen_monitor::store::Store;
use tokio::sync::watch;

use crate::notify::stub::{HttpStub, Reply};
use crate::notify::{
    alertmanager_channel, mail_channel, mail_target, message, ntfy_channel, pagerduty_channel,
    slack_bot_channel, webhook_channel,
};

fn begin() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn minute(minutes: u64) -> Timestamp {
    begin() + Duration::from_secs(minutes * 60)
}

/// The event `event` of incident `id`, decided `minutes` after the beginning.
fn told(id: i64, seq: u32, event: EventKind, minutes: u64) -> Message {
    let mut message = message(event);
    message.at = minute(minutes);
    message.seq = seq;
    let incident = message.incident.as_mut().unwrap();
    incident.id = id;
    incident.opened_at = if id == 1 { minute(0) } else { minute(60) };
    incident.resolved_at = incident.resolved_at.map(|_| message.at);
    message
}

/// Decided while everything is down, in the order of time.
fn story() -> Vec<(u64, Message)> {
    let reminders = (0..5_u32).map(|i| (300 + 240 * u64::from(i), 2, 4 + i, EventKind::Reminder));
    [
        (0, 1, 1, EventKind::Opened),
        (20, 1, 2, EventKind::Resolved),
        (60, 2, 1, EventKind::Opened),
        (90, 2, 2, EventKind::AcknowledgedOfficially),
        (120, 2, 3, EventKind::Worsened),
    ]
    .into_iter()
    .chain(reminders)
    .map(|(minutes, id, seq, event)| (minutes, told(id, seq, event, minutes)))
    .collect()
}

/// Every kind of channel, all of them refusing for the time being.
struct Channels {
    mail: SmtpServer,
    services: BTreeMap<&'static str, HttpStub>,
}

impl Channels {
    async fn down() -> Self {
        let busy = Reaction::Reply("451 4.3.0 Later".to_owned());
        let mail = SmtpServer::start(Script::always(Stage::Mail, busy)).await.unwrap();
        let mut services = BTreeMap::new();
        for name in ["alertmanager", "ntfy", "pagerduty", "slack", "webhook"] {
            let stub = HttpStub::start([]).await;
            stub.always(Some(Reply::status(503)));
            services.insert(name, stub);
        }
        Self { mail, services }
    }

    /// Back up; what arrives from now on counts.
    fn up(&self) -> BTreeMap<&'static str, usize> {
        self.mail.set_script(Script::default());
        let all = self.services.iter();
        all.map(|(name, stub)| {
            stub.always(None);
            (*name, stub.seen().len())
        })
        .collect()
    }

    fn names(&self) -> Vec<String> {
        let names = self.services.keys().map(|name| (*name).to_owned());
        names.chain(["mail".to_owned()]).collect()
    }

    fn notifiers(&self) -> Notifiers {
        let url = |name: &str| self.services[name].url.clone();
        [
            ("mail", mail_channel(mail_target(self.mail.address().port()))),
            ("alertmanager", alertmanager_channel(&[&url("alertmanager")])),
            ("ntfy", ntfy_channel(&url("ntfy"))),
            ("pagerduty", pagerduty_channel(&url("pagerduty"))),
            ("slack", slack_bot_channel(&url("slack"))),
            ("webhook", webhook_channel(&url("webhook"))),
        ]
        .map(|(name, channel)| (name.to_owned(), Arc::from(channel)))
        .into()
    }
}

/// Sends what is due at `now`, with notifiers that know nothing of the rounds before.
async fn round(store: &Store, channels: &Channels, now: Timestamp) {
    let (_keep, notifiers) = watch::channel(channels.notifiers());
    let deliver = Deliver {
        store: store.clone(),
        metrics: Arc::new(Metrics::new(&Catalogue::default())),
        clock: Clock::starting_at(now, 1.0),
        owed: Arc::default(),
        notifiers,
        turned: Box::new(|| ()),
    };
    tokio::time::timeout(Duration::from_mins(2), deliver.pass()).await.unwrap();
}

#[tokio::test]
async fn after_a_day_without_any_channel_everything_arrives_merged_in_order_and_says_how_late() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("history.db"), begin()).unwrap().store;
    let channels = Channels::down().await;
    let mut story = story().into_iter().peekable();
    let mut ids = Vec::new();
    for quarter in 0..=96 {
        let now = minute(quarter * 15);
        while let Some((_, message)) = story.next_if(|(minutes, _)| *minutes <= quarter * 15) {
            for channel in channels.names() {
                let at = message.at;
                let owed = Owed { channel, message: message.clone() };
                ids.push(store.owe(&owed, at).await.unwrap());
            }
        }
        round(&store, &channels, now).await;
    }
    assert!(channels.mail.mails().is_empty());
    for id in &ids {
        let delivery = store.delivery(*id).await.unwrap().unwrap();
        assert_ne!(delivery.state, DeliveryState::Dead, "nothing is given up within a day");
    }

    let before = channels.up();
    for late in 1..=3 {
        round(&store, &channels, minute(24 * 60 + late * 20)).await;
    }
    assert_eq!(store.outbox().await.unwrap(), [], "nothing is owed any more");

    let bodies = webhook_texts(&channels.services["webhook"], before["webhook"]);
    insta::assert_snapshot!(bodies.join("\n"), @r#"
    #1.2 resolved | late 87600 s, merged ["opened"] | Over: was down from Fri 10:00 to Fri 10:20, 20 min (told late because this channel failed) – HeyGen: API answers again
    #2.1 opened | late 84000 s, merged null | Down – HeyGen: API not answering. HeyGen's side
    #2.2 acknowledged_officially | late 82200 s, merged null | HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side
    #2.8 reminder | late 80400 s, merged ["worsened","reminder","reminder","reminder","reminder"] | Still down after 20 h – HeyGen: API not answering. HeyGen's side
    "#);
    let mails: Vec<String> = channels.mail.mails().iter().map(mail_line).collect();
    insta::assert_snapshot!(mails.join("\n"), @r"
    #1 resolved | HeyGen: API not answering since 08:00 UTC (#42)
        Over: was down from Fri 10:00 to Fri 10:20, 20 min (told late because this channel failed) – HeyGen: API answers again
        This message is late: what was due since Fri 10:00 (Fri 09:00 UTC) could be sent only 1 d later because this channel failed. It stands also for what was not delivered before: opened.
    #2 opened | HeyGen: API not answering since 08:00 UTC (#42)
        Down – HeyGen: API not answering. HeyGen's side
        This message is late: it was due Fri 11:00 (Fri 10:00 UTC) and could be sent only 23 h 20 min later; read it as of then.
    #2 acknowledged_officially | Re: HeyGen: API not answering since 08:00 UTC (#42)
        HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side
        This message is late: it was due Fri 11:30 (Fri 10:30 UTC) and could be sent only 22 h 50 min later; read it as of then.
    #2 reminder | Re: HeyGen: API not answering since 08:00 UTC (#42)
        Still down after 20 h – HeyGen: API not answering. HeyGen's side
        This message is late: what was due since Fri 12:00 (Fri 11:00 UTC) could be sent only 22 h 20 min later. It stands also for what was not delivered before: worsened and reminder (4 times).
    ");
    let actions: Vec<String> = channels.services["pagerduty"]
        .seen()
        .iter()
        .skip(before["pagerduty"])
        .map(|seen| {
            let body = seen.json();
            format!("{} {}", body["event_action"].as_str().unwrap(), body["dedup_key"])
        })
        .collect();
    insta::assert_snapshot!(actions.join("\n"), @r#"
    trigger "heygen-monitor-m0n1-1"
    resolve "heygen-monitor-m0n1-1"
    trigger "heygen-monitor-m0n1-2"
    trigger "heygen-monitor-m0n1-2"
    trigger "heygen-monitor-m0n1-2"
    "#);
    for (name, stub) in &channels.services {
        let texts: Vec<String> = stub
            .seen()
            .iter()
            .skip(before[name])
            .map(|seen| String::from_utf8_lossy(&seen.body).into_owned())
            .collect();
        assert!(texts.iter().any(|text| text.contains("late")), "{name}: {texts:?}");
    }
    store.close().await;
}

fn webhook_texts(stub: &HttpStub, before: usize) -> Vec<String> {
    let seen = stub.seen();
    let bodies = seen.iter().skip(before).map(super::super::notify::stub::Seen::json);
    bodies
        .map(|body| {
            format!(
                "#{}.{} {} | late {} s, merged {} | {}",
                body["incident"]["id"],
                body["seq"],
                body["event"].as_str().unwrap(),
                body["late"]["seconds"],
                body["late"]["merged"],
                body["text"].as_str().unwrap()
            )
        })
        .collect()
}

/// Thread, event and the two first lines of a mail.
fn mail_line(mail: &heygen_monitor::simulator::smtp::ReceivedMail) -> String {
    let mail = crate::notify::email::parsed(mail);
    let header = |name: &str| mail.header_raw(name).map_or("-", str::trim).to_owned();
    let text = mail.body_text(0).unwrap();
    let lines: Vec<&str> = text.lines().take(2).collect();
    format!(
        "#{} {} | {}\n    {}",
        header("X-HeyGen-Monitor-Incident"),
        header("X-HeyGen-Monitor-Event"),
        mail.subject().unwrap(),
        lines.join("\n    ")
    )
}
