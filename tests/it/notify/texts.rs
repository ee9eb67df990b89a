//! What people read, for each kind of event.

use std::fmt::Write as _;
use std::time::Duration;

use heygen_monitor::model::{ComponentState, Delivery, EventKind, Merged, Message, OfficialView};

use super::{delivery, mail_channel, mail_target, message, now, slack_channel};

/// Subject and plain part of the mail.
fn mail_text(message: Message) -> String {
    let channel = mail_channel(mail_target(25));
    let preview = channel.preview(&delivery(message), now());
    let (headers, body) = preview.split_once("\n\n").unwrap();
    let subject = headers.lines().next().unwrap();
    format!("{subject}\n\n{body}")
}

/// What Slack shows in a notification.
fn slack_text(message: Message) -> String {
    let channel = slack_channel("https://hooks.example.org/");
    let preview = channel.preview(&delivery(message), now());
    preview.split_once("\n\n").unwrap().0.to_owned()
}

/// The lines that a mail about `message` has (`+`) and has not (`-`), compared with one about the
/// beginning.
fn unlike_the_beginning(message: Message) -> String {
    let (beginning, mail) = (mail_text(super::message(EventKind::Opened)), mail_text(message));
    let only = |sign: char, one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
    };
    let lines = [only('-', &beginning, &mail), only('+', &mail, &beginning)].concat();
    lines.join("\n")
}

fn first_lines(text: impl Fn(Message) -> String) -> String {
    let mut lines = String::new();
    for event in EventKind::ALL {
        let text = text(message(event));
        let news = text.lines().find(|line| !line.is_empty() && !line.starts_with("Subject:"));
        writeln!(lines, "{event}: {}", news.unwrap()).unwrap();
    }
    lines
}

#[test]
fn every_mail_begins_with_the_news() {
    insta::assert_snapshot!(first_lines(mail_text), @r"
    opened: Down – HeyGen: API not answering. HeyGen's side
    acknowledged_officially: HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side
    worsened: Worse, now down – HeyGen: API not answering. HeyGen's side
    eased: Better, now degraded – HeyGen: API fails for one request in four. HeyGen's side
    reminder: Still down after 14 min – HeyGen: API not answering. HeyGen's side
    flapping: Flapping, up and down – HeyGen: API not answering. HeyGen's side
    resolved: Resolved after 14 min – HeyGen: API answers again
    suppression_ended: Resolved after 14 min – HeyGen: API answers again
    channel_broken: Channel team-slack no longer takes messages: Slack answered 404: no_service
    warning: Warning – HeyGen: the API key expires in 14 days. Your HeyGen account
    drill: DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side
    ");
}

#[test]
fn every_notification_on_a_lock_screen_begins_with_the_state() {
    insta::assert_snapshot!(first_lines(slack_text), @r"
    opened: 🔴 Down – HeyGen: API not answering. HeyGen's side
    acknowledged_officially: 🔴 HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side
    worsened: 🔴 Worse, now down – HeyGen: API not answering. HeyGen's side
    eased: 🟠 Better, now degraded – HeyGen: API fails for one request in four. HeyGen's side
    reminder: 🔴 Still down after 14 min – HeyGen: API not answering. HeyGen's side
    flapping: 🟠 Flapping, up and down – HeyGen: API not answering. HeyGen's side
    resolved: 🟢 Resolved after 14 min – HeyGen: API answers again
    suppression_ended: 🟢 Resolved after 14 min – HeyGen: API answers again
    channel_broken: ⚠️ Channel team-slack no longer takes messages: Slack answered 404: no_service
    warning: ⚠️ Warning – HeyGen: the API key expires in 14 days. Your HeyGen account
    drill: 🧪 DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side
    ");
}

#[test]
fn a_mail_about_an_outage_says_what_whose_side_since_when_and_what_to_do() {
    insta::assert_snapshot!(mail_text(message(EventKind::Opened)), @r"
    Subject: HeyGen: API not answering since 08:00 UTC (#42)

    Down – HeyGen: API not answering. HeyGen's side

    Whose side: HeyGen's side
    When: since 09:00 (08:00 UTC), 15 min so far
    Touches: API and API key
    What to do: Stop starting new videos; do not send waiting ones again: it adds load.

    What we saw:
    - 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      https://developers.heygen.com/docs/error-codes

    HeyGen's page does not admit it (all working), 14 min so far

    Details: https://status.example.org/incidents/42

    Checked from fra-1, account default. Message 1 about incident #42.
    You get this because the channel “oncall” of this heygen-monitor leads to you.
    ");
}

#[test]
fn a_mail_about_its_end_says_how_long_it_took() {
    insta::assert_snapshot!(unlike_the_beginning(message(EventKind::Resolved)), @r"
    - Subject: HeyGen: API not answering since 08:00 UTC (#42)
    - Down – HeyGen: API not answering. HeyGen's side
    - When: since 09:00 (08:00 UTC), 15 min so far
    - What to do: Stop starting new videos; do not send waiting ones again: it adds load.
    - HeyGen's page does not admit it (all working), 14 min so far
    - Checked from fra-1, account default. Message 1 about incident #42.
    + Subject: Re: HeyGen: API not answering since 08:00 UTC (#42)
    + Resolved after 14 min – HeyGen: API answers again
    + When: 09:00 (08:00 UTC) to 09:14 (08:14 UTC), 14 min
    + No matching notice found on HeyGen's page
    + Checked from fra-1, account default. Message 2 about incident #42.
    ");
}

#[test]
fn a_mail_about_the_page_says_who_was_first() {
    insta::assert_snapshot!(unlike_the_beginning(message(EventKind::AcknowledgedOfficially)), @r"
    - Subject: HeyGen: API not answering since 08:00 UTC (#42)
    - Down – HeyGen: API not answering. HeyGen's side
    - HeyGen's page does not admit it (all working), 14 min so far
    - Checked from fra-1, account default. Message 1 about incident #42.
    + Subject: Re: HeyGen: API not answering since 08:00 UTC (#42)
    + HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side
    + HeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating
    + Checked from fra-1, account default. Message 2 about incident #42.
    ");
}

#[test]
fn a_drill_says_so_first_and_last() {
    let drill = heygen_monitor::notify::sample::drill(
        heygen_monitor::notify::sample::Speaker { vantage: "fra-1", account: "default" },
        super::at(),
    );
    insta::assert_snapshot!(unlike_the_beginning(drill), @r"
    - Subject: HeyGen: API not answering since 08:00 UTC (#42)
    - Down – HeyGen: API not answering. HeyGen's side
    - Whose side: HeyGen's side
    - When: since 09:00 (08:00 UTC), 15 min so far
    - Touches: API and API key
    - Details: https://status.example.org/incidents/42
    - Checked from fra-1, account default. Message 1 about incident #42.
    + Subject: DRILL from the HeyGen monitor: nothing is wrong
    + DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side
    + - This is what an outage would look like; no action is needed.
    + Checked from fra-1, account default.
    ");
}

#[test]
fn a_notification_in_slack_reads_like_the_mail() {
    insta::assert_snapshot!(slack_text(message(EventKind::Opened)), @r"
    🔴 Down – HeyGen: API not answering. HeyGen's side
    Whose side: HeyGen's side
    Since 09:00 (08:00 UTC), 15 min so far
    What to do: Stop starting new videos; do not send waiting ones again: it adds load.
    • 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
    HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
    HeyGen's page does not admit it (all working), 14 min so far
    Checked from fra-1, account default. Message 1 about incident #42.
    ");
}

#[test]
fn a_message_that_comes_late_says_so() {
    let mut late = message(EventKind::Opened);
    late.at = now().saturating_sub(Duration::from_mins(35)).unwrap();
    let text = mail_text(late.clone());
    let said =
        "This message is late: it was due 08:40 (07:40 UTC) and could be sent only 35 min later";
    assert!(text.contains(said), "{text}");
    assert!(slack_text(late).contains(said));
    assert!(!mail_text(message(EventKind::Opened)).contains("late"));
}

#[test]
fn what_the_official_page_says_fits_the_moment() {
    let said = |event, acknowledged, lead_seconds| {
        let mut message = message(event);
        message.official = Some(OfficialView {
            source: "heygen".to_owned(),
            state: if acknowledged {
                ComponentState::PartialOutage
            } else {
                ComponentState::Operational
            },
            acknowledged,
            lead_seconds,
            notice: None,
        });
        let text = mail_text(message);
        text.lines().find(|line| line.contains("HeyGen's page")).unwrap().to_owned()
    };
    let (opened, resolved) = (EventKind::Opened, EventKind::Resolved);
    for (event, acknowledged, lead, expected) in [
        (opened, false, Some(840), "HeyGen's page does not admit it (all working), 14 min so far"),
        (opened, false, None, "HeyGen's page says: all working"),
        (
            opened,
            true,
            Some(840),
            "HeyGen's page admits it (a partial outage); known here 14 min before",
        ),
        (
            opened,
            true,
            Some(-300),
            "HeyGen's page admits it (a partial outage); it was first, by 5 min",
        ),
        (opened, true, None, "HeyGen's page admits it (a partial outage)"),
        (resolved, true, Some(840), "Known here 14 min before HeyGen's page"),
        (resolved, true, Some(-300), "HeyGen's page admitted it"),
        (resolved, false, Some(840), "No matching notice found on HeyGen's page"),
    ] {
        assert_eq!(said(event, acknowledged, lead), expected);
    }
}

#[test]
fn what_stands_for_others_says_so_unless_it_comes_at_once() {
    let said = |event, events: &[EventKind], minutes_late: u64| {
        let since = now().saturating_sub(Duration::from_secs(minutes_late * 60)).unwrap();
        let merged = Merged { events: events.to_vec(), since, attempts: 2 };
        let mut message = message(event);
        message.at = now();
        let delivery = Delivery { merged: Some(merged), ..delivery(message) };
        let preview = mail_channel(mail_target(25)).preview(&delivery, now());
        let (_, body) = preview.split_once("\n\n").unwrap();
        body.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    let reminders = [EventKind::Worsened, EventKind::Reminder, EventKind::Reminder];
    let texts = [
        said(EventKind::Resolved, &[EventKind::Opened], 45),
        said(EventKind::Resolved, &[EventKind::Opened], 1),
        said(EventKind::Reminder, &reminders, 600),
        said(EventKind::Resolved, &[EventKind::Worsened], 1),
    ];
    insta::assert_snapshot!(texts.join("\n\n"), @r"
    Over: was down from 09:00 to 09:14, 14 min (told late because this channel failed) – HeyGen: API answers again
    This message is late: what was due since 08:30 (07:30 UTC) could be sent only 45 min later because this channel failed. It stands also for what was not delivered before: opened.

    Over: was down from 09:00 to 09:14, 14 min (told late because this channel failed) – HeyGen: API answers again
    This message is late: what was due since 09:14 (08:14 UTC) could be sent only 1 min later because this channel failed. It stands also for what was not delivered before: opened.

    Still down after 15 min – HeyGen: API not answering. HeyGen's side
    This message is late: what was due since Thu 23:15 (Thu 22:15 UTC) could be sent only 10 h later because this channel failed. It stands also for what was not delivered before: worsened and reminder (2 times).

    Resolved after 14 min – HeyGen: API answers again
    ");
}
