//! What every answer of every kind of channel means: one table (`--nocapture` prints it).
//!
//! `tests/mutants/channel_table.py` takes out one protection after the other and shows that every
//! row notices.

use std::fmt::Write as _;
use std::future::Future;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::StreamExt;
use heygen_monitor::model::{AttemptResult, EventKind};
use heygen_monitor::notify::Notifier;
use heygen_monitor::notify::email::SmtpTls;
use heygen_monitor::secret::Secret;
use heygen_monitor::simulator::smtp::{Reaction, Script, SmtpServer, Stage};

use super::stub::{HttpStub, Reply};
use super::{
    alertmanager_channel, delivery, detail, mail_channel, mail_target, message, now, ntfy_channel,
    pagerduty_channel, slack_bot_channel, slack_channel, webhook_channel, word,
};

/// One row: what happened, and what became of the delivery.
struct Row {
    channel: &'static str,
    situation: String,
    expected: &'static str,
    result: String,
    /// Requests or mails that the other side saw.
    sent: usize,
    detail: String,
}

type Pending = BoxFuture<'static, Row>;

/// An attempt ends within 30 s, whatever the other side does; the rest is for a slow machine.
const NEVER: Duration = Duration::from_mins(1);

/// The word for what came of an attempt, and its sentence.
async fn outcome(attempt: impl Future<Output = AttemptResult>) -> (String, String) {
    match tokio::time::timeout(NEVER, attempt).await {
        Ok(result) => (word(&result), detail(&result).to_owned()),
        Err(_elapsed) => ("never ended".to_owned(), String::new()),
    }
}

async fn mail_row(
    situation: String,
    script: Script,
    change: impl FnOnce(&mut heygen_monitor::notify::email::EmailTarget),
    expected: &'static str,
) -> Row {
    let server = SmtpServer::start(script).await.unwrap();
    let mut target = mail_target(server.address().port());
    change(&mut target);
    let (channel, delivery) = (mail_channel(target), delivery(message(EventKind::Opened)));
    let (result, detail) = outcome(channel.send(&delivery, now())).await;
    Row { channel: "email", situation, expected, result, sent: server.mails().len(), detail }
}

fn smtp(stage: Stage, line: &'static str, expected: &'static str) -> Pending {
    let script = Script::once(stage, Reaction::Reply(line.to_owned()));
    mail_row(format!("{stage:?}: {line}"), script, |_| (), expected).boxed()
}

fn smtp_drop(stage: Stage, expected: &'static str) -> Pending {
    let script = Script::once(stage, Reaction::Drop);
    mail_row(format!("{stage:?}: connection lost"), script, |_| (), expected).boxed()
}

fn smtp_rows() -> Vec<Pending> {
    let mut rows = vec![
        mail_row("all is well".to_owned(), Script::default(), |_| (), "accepted").boxed(),
        smtp(Stage::Greeting, "421 4.3.2 Service closing", "retry server_error"),
        smtp(Stage::Greeting, "554 5.7.1 Not for you", "dead rejected"),
        smtp(Stage::Greeting, "nonsense", "retry unreachable"),
        smtp(Stage::Ehlo, "451 4.3.0 Later", "retry server_error"),
        smtp(Stage::Ehlo, "550 5.0.0 No", "dead rejected"),
        smtp(Stage::Mail, "421 4.7.0 Too many connections", "retry server_error"),
        smtp(Stage::Mail, "450 4.7.1 Sender greylisted", "retry server_error"),
        smtp(Stage::Mail, "451 4.3.0 Later", "retry server_error"),
        smtp(Stage::Mail, "452 4.3.1 Insufficient storage", "retry server_error"),
        smtp(Stage::Mail, "530 5.7.0 Authentication required", "dead unauthorized"),
        smtp(Stage::Mail, "550 5.7.1 Sender refused", "dead rejected"),
        smtp(Stage::Mail, "553 5.1.8 Bad sender", "dead rejected"),
        smtp(Stage::Rcpt, "421 4.7.0 Closing", "retry server_error"),
        smtp(Stage::Rcpt, "450 4.2.0 Greylisted", "retry server_error"),
        smtp(Stage::Rcpt, "451 4.7.1 Try later", "retry server_error"),
        smtp(Stage::Rcpt, "452 4.5.3 Too many recipients", "retry server_error"),
        smtp(Stage::Rcpt, "550 5.1.1 <oncall@example.org> unknown", "dead rejected"),
        smtp(Stage::Rcpt, "553 5.1.3 Bad address", "dead rejected"),
        smtp(Stage::Rcpt, "554 5.7.1 Relay denied", "dead rejected"),
        smtp(Stage::Data, "421 4.3.2 Closing", "retry server_error"),
        smtp(Stage::Data, "451 4.3.0 Later", "retry server_error"),
        smtp(Stage::Data, "554 5.5.1 No", "dead rejected"),
        smtp(Stage::Dot, "421 4.3.2 Closing", "retry server_error"),
        smtp(Stage::Dot, "451 4.3.0 Content filter is busy", "retry server_error"),
        smtp(Stage::Dot, "452 4.3.1 Disk full", "retry server_error"),
        smtp(Stage::Dot, "552 5.3.4 Too large", "dead rejected"),
        smtp(Stage::Dot, "554 5.7.1 Spam", "dead rejected"),
    ];
    rows.extend(
        [Stage::Greeting, Stage::Ehlo, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot]
            .map(|stage| smtp_drop(stage, "retry unreachable")),
    );
    let greylists = Script { greylists: true, ..Script::default() };
    let strip = |target: &mut heygen_monitor::notify::email::EmailTarget| {
        target.smtp.tls = SmtpTls::Starttls;
    };
    let busy = "454 4.7.0 Temporary authentication failure".to_owned();
    let busy = Script::once(Stage::Auth, Reaction::Reply(busy));
    let log_in = |target: &mut heygen_monitor::notify::email::EmailTarget| {
        target.smtp.login = Some(("monitor".to_owned(), Secret::new("SECRETSECRET")));
    };
    let login = Some(("monitor".to_owned(), "another".to_owned()));
    let wrong = Script { login, ..Script::default() };
    rows.extend([
        mail_row("greylisting".to_owned(), greylists, |_| (), "retry server_error").boxed(),
        mail_row("STARTTLS stripped".to_owned(), Script::default(), strip, "retry unreachable")
            .boxed(),
        mail_row("login: 454".to_owned(), busy, log_in, "retry server_error").boxed(),
        mail_row("login: 535".to_owned(), wrong, log_in, "dead unauthorized").boxed(),
    ]);
    rows
}

async fn row(
    channel: &'static str,
    make: impl FnOnce(&HttpStub) -> Box<dyn Notifier>,
    replies: Vec<Reply>,
    expected: &'static str,
) -> Row {
    let situation = replies.iter().map(said).collect::<Vec<_>>().join(", then ");
    let stub = HttpStub::start(replies).await;
    let (notifier, delivery) = (make(&stub), delivery(message(EventKind::Opened)));
    let (result, detail) = outcome(notifier.send(&delivery, now())).await;
    Row { channel, situation, expected, result, sent: stub.seen().len(), detail }
}

fn said(reply: &Reply) -> String {
    match reply {
        Reply::Hang => "hangs".to_owned(),
        Reply::Redirect(status, address) => format!("{status} {address}"),
        Reply::Answer(status, after, body) => {
            let after = after.map(|after| format!(" Retry-After: {after}")).unwrap_or_default();
            format!("{status}{after} {body}").trim_end().to_owned()
        }
    }
}

/// What every service over HTTP has in common.
fn common(
    channel: &'static str,
    make: impl Fn(&HttpStub) -> Box<dyn Notifier> + Copy + Send + 'static,
) -> Vec<Pending> {
    let one = |reply: Reply, expected| row(channel, make, vec![reply], expected).boxed();
    let busy = |after| Reply::Answer(429, Some(after), String::new());
    vec![
        one(Reply::status(302), "dead rejected"),
        one(Reply::status(308), "dead rejected"),
        one(Reply::status(401), "dead unauthorized"),
        one(Reply::status(403), "dead unauthorized"),
        one(Reply::status(404), "dead rejected"),
        one(Reply::status(408), "retry timeout"),
        one(Reply::status(410), "dead rejected"),
        one(busy("30"), "retry rate_limited 30"),
        one(busy("Fri, 20 Nov 2026 08:16:00 GMT"), "retry rate_limited 60"),
        one(Reply::status(429), "retry rate_limited"),
        one(busy("-30"), "retry rate_limited"),
        one(busy("soon"), "retry rate_limited"),
        one(busy("Fri, 20 Nov 2026 08:14:00 GMT"), "retry rate_limited"),
        one(busy("999999999999999999999"), "retry rate_limited"),
        one(Reply::status(500), "retry server_error"),
        one(Reply::status(502), "retry server_error"),
        one(Reply::Answer(503, Some("7"), String::new()), "retry server_error 7"),
    ]
}

fn slack(stub: &HttpStub) -> Box<dyn Notifier> {
    slack_channel(&stub.url)
}

fn bot(stub: &HttpStub) -> Box<dyn Notifier> {
    slack_bot_channel(&stub.url)
}

fn slack_rows() -> Vec<Pending> {
    let one = |status, body, expected| {
        row("slack webhook", slack, vec![Reply::body(status, body)], expected).boxed()
    };
    let two = |body, second, expected| {
        let replies = vec![Reply::body(400, body), Reply::body(second, "ok")];
        row("slack webhook", slack, replies, expected).boxed()
    };
    let mut rows = vec![
        one(200, "ok", "accepted"),
        one(200, "no_text", "dead rejected"),
        one(200, r#"{"ok":false,"error":"ratelimited"}"#, "dead rejected"),
        one(200, "<html>captive portal</html>", "dead rejected"),
        one(400, "user_not_found", "dead rejected"),
        one(403, "action_prohibited", "dead unauthorized"),
        one(404, "no_service", "dead rejected"),
        one(404, "channel_not_found", "dead rejected"),
        one(410, "channel_is_archived", "dead rejected"),
        one(500, "rollup_error", "retry server_error"),
        two("invalid_blocks", 200, "accepted"),
        two("invalid_payload", 200, "accepted"),
        two("msg_blocks_too_long", 200, "accepted"),
        two("invalid_payload", 500, "retry server_error"),
    ];
    let twice = vec![Reply::body(400, "invalid_blocks"), Reply::body(400, "invalid_blocks")];
    rows.push(row("slack webhook", slack, twice, "dead rejected").boxed());
    rows.extend(common("slack webhook", slack));
    rows
}

fn bot_rows() -> Vec<Pending> {
    let one = |error, expected| row("slack bot", bot, vec![Reply::slack(error)], expected).boxed();
    let limited = Reply::Answer(429, Some("9"), r#"{"ok":false,"error":"ratelimited"}"#.to_owned());
    let mut rows = vec![
        row("slack bot", bot, vec![], "accepted").boxed(),
        row("slack bot", bot, vec![limited], "retry rate_limited 9").boxed(),
        row("slack bot", bot, vec![Reply::body(200, "<html>portal</html>")], "dead rejected")
            .boxed(),
        one("ratelimited", "retry rate_limited"),
        one("internal_error", "retry server_error"),
        one("fatal_error", "retry server_error"),
        one("service_unavailable", "retry server_error"),
        one("invalid_auth", "dead unauthorized"),
        one("account_inactive", "dead unauthorized"),
        one("token_revoked", "dead unauthorized"),
        one("missing_scope", "dead unauthorized"),
        one("channel_not_found", "dead rejected"),
        one("not_in_channel", "dead rejected"),
        one("is_archived", "dead rejected"),
        one("invalid_blocks", "accepted"),
        one("msg_too_long", "accepted"),
    ];
    let twice = vec![Reply::slack("msg_too_long"), Reply::slack("msg_too_long")];
    rows.push(row("slack bot", bot, twice, "dead rejected").boxed());
    rows.extend(common("slack bot", bot));
    rows
}

fn service_rows() -> Vec<Pending> {
    let webhook = |stub: &HttpStub| webhook_channel(&stub.url);
    let alertmanager = |stub: &HttpStub| alertmanager_channel(&[&stub.url]);
    let pagerduty = |stub: &HttpStub| pagerduty_channel(&stub.url);
    let ntfy = |stub: &HttpStub| ntfy_channel(&stub.url);
    let mut rows = vec![
        row("webhook", webhook, vec![Reply::status(204)], "accepted").boxed(),
        row("webhook", webhook, vec![Reply::status(202)], "accepted").boxed(),
        row("webhook", webhook, vec![Reply::status(400)], "dead rejected").boxed(),
        row("webhook", webhook, vec![Reply::status(425)], "retry rate_limited").boxed(),
        row("alertmanager", alertmanager, vec![Reply::status(200)], "accepted").boxed(),
        row("alertmanager", alertmanager, vec![Reply::status(400)], "dead rejected").boxed(),
        row("pagerduty", pagerduty, vec![Reply::status(202)], "accepted").boxed(),
        row("pagerduty", pagerduty, vec![Reply::body(200, "portal")], "dead rejected").boxed(),
        row("pagerduty", pagerduty, vec![Reply::body(400, "invalid event")], "dead rejected")
            .boxed(),
        row("ntfy", ntfy, vec![], "accepted").boxed(),
        row("ntfy", ntfy, vec![Reply::status(413)], "dead rejected").boxed(),
        row("ntfy", ntfy, vec![Reply::status(507)], "retry server_error").boxed(),
    ];
    rows.extend(common("webhook", webhook));
    rows.extend(common("alertmanager", alertmanager));
    rows.extend(common("pagerduty", pagerduty));
    rows.extend(common("ntfy", ntfy));
    rows
}

/// Makes a channel that sends to a stub.
type Make = fn(&HttpStub) -> Box<dyn Notifier>;

/// What costs each channel its whole deadline.
fn hanging_rows() -> Vec<Pending> {
    let hangs = Script::once(Stage::Rcpt, Reaction::Hang);
    let mut rows = vec![mail_row("Rcpt: hangs".to_owned(), hangs, |_| (), "retry timeout").boxed()];
    let makes: [(&str, Make); 6] = [
        ("slack webhook", slack),
        ("slack bot", bot),
        ("webhook", |stub| webhook_channel(&stub.url)),
        ("alertmanager", |stub| alertmanager_channel(&[&stub.url])),
        ("pagerduty", |stub| pagerduty_channel(&stub.url)),
        ("ntfy", |stub| ntfy_channel(&stub.url)),
    ];
    rows.extend(
        makes.map(|(name, make)| row(name, make, vec![Reply::Hang], "retry timeout").boxed()),
    );
    rows
}

/// What became of each; a few at a time, so that a slow machine misses no deadline.
async fn ended(rows: impl Iterator<Item = Pending>) -> Vec<Row> {
    futures_util::stream::iter(rows).buffered(10).collect().await
}

#[tokio::test]
async fn every_answer_of_every_channel_means_what_its_documentation_says() {
    let all = smtp_rows().into_iter().chain(slack_rows()).chain(bot_rows()).chain(service_rows());
    let mut rows = ended(all).await;
    // From here on nothing but deadlines is waited for.
    tokio::time::pause();
    rows.extend(ended(hanging_rows().into_iter()).await);
    let mut table = String::new();
    let mut wrong = Vec::new();
    for row in &rows {
        writeln!(
            table,
            "{:<14} {:<64} {:>2} sent  {:<24} {}",
            row.channel, row.situation, row.sent, row.result, row.detail
        )
        .unwrap();
        if row.result != row.expected {
            let Row { channel, situation, expected, result, .. } = row;
            wrong.push(format!("{channel}: {situation}: {result} instead of {expected}"));
        }
        assert!(!row.detail.contains("SECRET"), "{}", row.detail);
        assert!(!row.detail.contains("oncall@"), "{}", row.detail);
        let is_refused = row.channel == "email" && row.expected != "accepted";
        let is_doubtful = row.situation.starts_with("Dot: connection lost");
        if is_refused && !is_doubtful && row.sent > 0 {
            wrong.push(format!("{}: {}: {} mails sent", row.channel, row.situation, row.sent));
        }
    }
    println!("{table}{} rows", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
