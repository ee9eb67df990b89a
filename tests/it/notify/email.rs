//! E-mail against a real SMTP server.

use heygen_monitor::model::{AttemptResult, Delivery, EventKind, FailureReason};
use heygen_monitor::notify::email::SmtpTls;
use heygen_monitor::secret::Secret;
use heygen_monitor::simulator::smtp::{Reaction, ReceivedMail, Script, SmtpServer, Stage};
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders};

use super::{delivery, detail, mail_channel, mail_target, message, now, word};

fn opened() -> Delivery {
    delivery(message(EventKind::Opened))
}

fn reply(line: &str) -> Reaction {
    Reaction::Reply(line.to_owned())
}

async fn attempt(script: Script) -> (AttemptResult, SmtpServer) {
    let server = SmtpServer::start(script).await.unwrap();
    let channel = mail_channel(mail_target(server.address().port()));
    (channel.send(&opened(), now()).await, server)
}

pub(crate) fn parsed(mail: &ReceivedMail) -> Message<'_> {
    MessageParser::default().parse(&mail.message).unwrap()
}

fn header(mail: &ReceivedMail, name: &str) -> Option<String> {
    let parsed = parsed(mail);
    let value = parsed.header_raw(name)?;
    Some(value.trim().to_owned())
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again() {
    let nobody = SmtpServer::start(Script::default()).await.unwrap().address().port();
    let result = mail_channel(mail_target(nobody)).send(&opened(), now()).await;
    assert_eq!(word(&result), "retry unreachable", "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_costs_its_deadline_and_no_more() {
    for stage in [Stage::Greeting, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot] {
        let begun = tokio::time::Instant::now();
        let (result, _) = attempt(Script::once(stage, Reaction::Hang)).await;
        assert_eq!(word(&result), "retry timeout", "{stage:?}: {result:?}");
        assert!(begun.elapsed().as_secs() <= 30, "{stage:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn an_accepted_mail_carries_the_servers_name_for_it() {
    let (result, server) = attempt(Script::default()).await;
    let provider_ref = Some("SIM00001".to_owned());
    assert_eq!(result, AttemptResult::Accepted { provider_ref });
    let mails = server.mails();
    assert_eq!(mails[0].from, "monitor@example.org");
    assert_eq!(mails[0].to, ["oncall@example.org"]);
}

#[tokio::test]
async fn a_connection_lost_after_the_final_dot_repeats_the_same_mail() {
    let server = SmtpServer::start(Script::once(Stage::Dot, Reaction::Drop)).await.unwrap();
    let channel = mail_channel(mail_target(server.address().port()));
    let first = channel.send(&opened(), now()).await;
    assert_eq!(word(&first), "retry unreachable");
    let second = channel.send(&opened(), now()).await;
    assert_eq!(word(&second), "accepted");
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].message, mails[1].message, "the duplicate is the same mail, byte by byte");
}

#[tokio::test]
async fn greylisting_is_waited_out() {
    let server = SmtpServer::start(Script { greylists: true, ..Script::default() }).await.unwrap();
    let channel = mail_channel(mail_target(server.address().port()));
    assert_eq!(word(&channel.send(&opened(), now()).await), "retry server_error");
    assert_eq!(word(&channel.send(&opened(), now()).await), "accepted");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn one_refused_recipient_does_not_cost_the_others_their_mail() {
    let script = Script::once(Stage::Rcpt, reply("550 5.1.1 Unknown user"));
    let server = SmtpServer::start(script).await.unwrap();
    let mut target = mail_target(server.address().port());
    target.to.push("second@example.org".parse().unwrap());
    let result = mail_channel(target).send(&opened(), now()).await;
    assert_eq!(word(&result), "accepted", "{result:?}");
    assert_eq!(server.mails()[0].to, ["second@example.org"]);
}

#[tokio::test]
async fn a_deferred_recipient_gets_the_mail_later_and_the_others_once() {
    let script = Script::once(Stage::Rcpt, reply("450 4.2.0 Greylisted"));
    let server = SmtpServer::start(script).await.unwrap();
    let mut target = mail_target(server.address().port());
    target.to.push("second@example.org".parse().unwrap());
    let channel = mail_channel(target);
    assert_eq!(word(&channel.send(&opened(), now()).await), "retry server_error");
    assert_eq!(word(&channel.send(&opened(), now()).await), "accepted");
    let recipients: Vec<_> = server.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(recipients, [["second@example.org"], ["oncall@example.org"]]);
}

#[tokio::test]
async fn a_recipient_that_is_refused_in_the_end_does_not_make_a_mail_undelivered() {
    let script = Script::once(Stage::Rcpt, reply("450 4.2.0 Greylisted"));
    let server = SmtpServer::start(script).await.unwrap();
    let mut target = mail_target(server.address().port());
    target.to.insert(0, "left-long-ago@example.org".parse().unwrap());
    let channel = mail_channel(target);
    assert_eq!(word(&channel.send(&opened(), now()).await), "retry server_error");
    server.set_script(Script::once(Stage::Rcpt, reply("550 5.1.1 Unknown user")));
    assert_eq!(word(&channel.send(&opened(), now()).await), "accepted");
    let recipients: Vec<_> = server.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(recipients, [["oncall@example.org"]]);
}

#[tokio::test]
async fn logging_in_works_and_a_wrong_password_is_final() {
    let login = Some(("monitor".to_owned(), "right horse".to_owned()));
    let server = SmtpServer::start(Script { login, ..Script::default() }).await.unwrap();
    for (password, expected) in [
        (Some("right horse"), "accepted"),
        (Some("wrong horse"), "dead unauthorized"),
        (None, "dead unauthorized"),
    ] {
        let mut target = mail_target(server.address().port());
        target.smtp.login = password.map(|word| ("monitor".to_owned(), Secret::new(word)));
        let result = mail_channel(target).send(&opened(), now()).await;
        assert_eq!(word(&result), expected, "{result:?}");
        assert!(!detail(&result).contains("horse"), "{result:?}");
    }
}

#[tokio::test]
async fn nothing_goes_out_in_the_clear_when_starttls_is_demanded() {
    let server = SmtpServer::start(Script::default()).await.unwrap();
    for tls in [SmtpTls::Starttls, SmtpTls::Tls] {
        let mut target = mail_target(server.address().port());
        target.smtp.tls = tls;
        target.smtp.login = Some(("monitor".to_owned(), Secret::new("horse")));
        let result = mail_channel(target).send(&opened(), now()).await;
        let AttemptResult::Retry { reason, .. } = &result else { panic!("{result:?}") };
        let is_expected = matches!(reason, FailureReason::Unreachable | FailureReason::Timeout);
        assert!(is_expected, "{result:?}");
    }
    let commands = server.commands();
    let is_revealing =
        |line: &String| ["AUTH", "MAIL", "RCPT"].iter().any(|verb| line.starts_with(verb));
    assert!(!commands.iter().any(is_revealing), "{commands:?}");
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn both_parts_are_quoted_printable_and_stand_alone() {
    let (_, server) = attempt(Script::default()).await;
    let mails = server.mails();
    let mail = parsed(&mails[0]);
    let kind = mail.content_type().unwrap();
    assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("alternative")));
    let parts: Vec<_> = mail.parts.iter().skip(1).collect();
    assert_eq!(parts.len(), 2);
    for (part, subtype) in parts.iter().zip(["plain", "html"]) {
        let kind = part.content_type().unwrap();
        assert_eq!(kind.subtype(), Some(subtype));
        assert_eq!(kind.attribute("charset"), Some("utf-8"));
        assert_eq!(part.content_transfer_encoding(), Some("quoted-printable"));
    }
    let text = mail.body_text(0).unwrap();
    let html = mail.body_html(0).unwrap();
    for words in ["HeyGen's side", "The service is temporarily unavailable.", "fra-1"] {
        assert!(text.contains(words), "{words} in {text}");
        assert!(html.replace("&#39;", "'").contains(words), "{words} in {html}");
    }
    assert!(mails[0].wire.is_ascii(), "quoted-printable and encoded words are ASCII");
}

#[tokio::test]
async fn the_mails_of_an_incident_form_one_thread() {
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let channel = mail_channel(mail_target(server.address().port()));
    for (event, seq) in
        [(EventKind::Opened, 1), (EventKind::AcknowledgedOfficially, 2), (EventKind::Resolved, 3)]
    {
        let mut message = message(event);
        message.seq = seq;
        assert_eq!(word(&channel.send(&delivery(message), now()).await), "accepted");
    }
    let mails = server.mails();
    let root = "<inc-42.ev-1.ch-oncall.m0n1@example.org>";
    let subject = "HeyGen: API not answering since 08:00 UTC (#42)";
    assert_eq!(parsed(&mails[0]).subject(), Some(subject));
    assert_eq!(header(&mails[0], "Message-ID").as_deref(), Some(root));
    assert_eq!(header(&mails[0], "In-Reply-To"), None);
    for (mail, seq) in mails.iter().skip(1).zip(2..) {
        let id = format!("<inc-42.ev-{seq}.ch-oncall.m0n1@example.org>");
        assert_eq!(header(mail, "Message-ID"), Some(id));
        assert_eq!(header(mail, "In-Reply-To").as_deref(), Some(root));
        assert_eq!(header(mail, "References").as_deref(), Some(root));
        assert_eq!(parsed(mail).subject(), Some(format!("Re: {subject}").as_str()));
    }
    let resolved = parsed(&mails[2]);
    assert!(resolved.body_text(0).unwrap().starts_with("Resolved after 14 min"));
}

#[tokio::test]
async fn filters_and_auto_responders_find_their_headers() {
    let (_, server) = attempt(Script::default()).await;
    let mails = server.mails();
    for (name, value) in [
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("List-Id", "HeyGen monitor <heygen-monitor.example.org>"),
        ("X-HeyGen-Monitor-Incident", "42"),
        ("X-HeyGen-Monitor-State", "outage"),
        ("X-HeyGen-Monitor-Blame", "provider"),
        ("X-HeyGen-Monitor-Event", "opened"),
        ("X-HeyGen-Monitor-Capabilities", "api,authentication"),
        ("X-Priority", "1"),
        ("Importance", "high"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(&mails[0], name).as_deref(), Some(value), "{name}");
    }
    let mail = parsed(&mails[0]);
    let date = mail.date().unwrap().to_timestamp();
    assert_eq!(date, super::at().as_second(), "the date is when it came to be owed");
    assert!(matches!(mail.header("From"), Some(HeaderValue::Address(_))));
}

#[tokio::test]
async fn two_drills_are_two_mails() {
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let channel = mail_channel(mail_target(server.address().port()));
    for id in [7, 8] {
        let drill = Delivery { id, ..delivery(message(EventKind::Drill)) };
        assert_eq!(word(&channel.send(&drill, now()).await), "accepted");
    }
    let mails = server.mails();
    let ids: Vec<_> = mails.iter().map(|mail| header(mail, "Message-ID").unwrap()).collect();
    assert_eq!(ids[0], "<drill-7.ch-oncall.m0n1@example.org>");
    assert_eq!(ids[1], "<drill-8.ch-oncall.m0n1@example.org>");
}

#[tokio::test]
async fn only_what_is_down_is_urgent() {
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let channel = mail_channel(mail_target(server.address().port()));
    let events = [EventKind::Eased, EventKind::Resolved, EventKind::Warning, EventKind::Drill];
    for event in events {
        channel.send(&delivery(message(event)), now()).await;
    }
    assert_eq!(server.mails().len(), events.len());
    for mail in server.mails() {
        assert_eq!((header(&mail, "X-Priority"), header(&mail, "Importance")), (None, None));
    }
}

#[tokio::test]
async fn the_html_leaves_its_colours_to_the_reader() {
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let channel = mail_channel(mail_target(server.address().port()));
    for event in EventKind::ALL {
        channel.send(&delivery(message(event)), now()).await;
    }
    assert_eq!(server.mails().len(), EventKind::ALL.len());
    for mail in server.mails() {
        let html = parsed(&mail).body_html(0).unwrap().into_owned();
        assert!(html.contains(r#"<meta name="color-scheme" content="light dark">"#), "{html}");
        for fixed in ["background", "bgcolor", ";color:", "\"color:", "<img", "<style"] {
            assert!(!html.contains(fixed), "{fixed}: {html}");
        }
    }
}

#[tokio::test]
async fn the_silent_check_of_a_mail_server_logs_in_and_sends_nothing() {
    let login = Some(("monitor".to_owned(), "right horse".to_owned()));
    let server = SmtpServer::start(Script { login, ..Script::default() }).await.unwrap();
    for (password, expected) in [("right horse", "accepted"), ("wrong horse", "dead unauthorized")]
    {
        let mut target = mail_target(server.address().port());
        target.smtp.login = Some(("monitor".to_owned(), Secret::new(password)));
        let result = mail_channel(target).check(now()).await.unwrap();
        assert_eq!(word(&result), expected, "{result:?}");
    }
    assert!(!server.commands().iter().any(|line| line.starts_with("MAIL")));
}
