//! `notify test` and `notify render`, the real binary.

use std::path::Path;

use heygen_monitor::simulator::smtp::{Reaction, Script, SmtpServer, Stage};
use serde_json::{Value, json};

struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the binary with one mail channel that leads to `port`.
async fn run(directory: &Path, port: u16, args: &[&str]) -> Said {
    let config = directory.join("config.toml");
    let text = format!(
        "[[channel]]\nname = \"oncall\"\n[channel.email]\nfrom = \"HeyGen monitor <monitor@example.org>\"\n\
         to = [\"oncall@example.org\"]\nsmtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\n"
    );
    std::fs::write(&config, text).unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_heygen-monitor"))
        .env_clear()
        .env("HEYGEN_MONITOR_STATE_DIR", directory)
        .arg("--config")
        .arg(&config)
        .arg("notify")
        .args(args)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn a_test_without_a_daemon_sends_a_drill_and_says_how_it_went() {
    let directory = tempfile::tempdir().unwrap();
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let said = run(directory.path(), server.address().port(), &["test"]).await;
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (Some(0), "oncall: delivered (accepted)\n"),
        "{}",
        said.stderr
    );
    let said = run(directory.path(), server.address().port(), &["test", "--json"]).await;
    let results: Value = serde_json::from_str(&said.stdout).unwrap();
    let expected = json!([{"channel": "oncall", "delivered": true, "detail": "accepted"}]);
    assert_eq!((said.code, results), (Some(0), expected), "{}", said.stderr);
    let mails = server.mails();
    let mail = super::email::parsed(&mails[0]);
    assert!(mail.subject().unwrap().starts_with("DRILL"));

    let reply = Reaction::Reply("550 5.1.1 <oncall@example.org>: no such user".to_owned());
    server.set_script(Script::always(Stage::Rcpt, reply));
    let said =
        run(directory.path(), server.address().port(), &["test", "--channel", "oncall"]).await;
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stdout.starts_with("oncall: NOT delivered (refused for good: "),
        "{}",
        said.stdout
    );
    assert!(!(said.stdout + &said.stderr).contains("oncall@"), "no address is shown");
}

#[tokio::test]
async fn a_silent_test_logs_in_and_tells_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let port = server.address().port();
    let said = run(directory.path(), port, &["test", "--silent"]).await;
    let expected = "oncall: works (nobody was told anything)\n";
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), expected), "{}", said.stderr);
    assert!(!server.commands().iter().any(|line| line.starts_with("MAIL")));
    assert!(!directory.path().join("history.db").exists());
    let busy = Reaction::Reply("554 5.7.1 Not for you".to_owned());
    server.set_script(Script::always(Stage::Greeting, busy));
    let said = run(directory.path(), port, &["test", "--silent"]).await;
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stdout.starts_with("oncall: does NOT work (the mail server answered 554"));
    let said = run(directory.path(), port, &["test", "--silent", "--json"]).await;
    let mut checked: Value = serde_json::from_str(&said.stdout).unwrap();
    let detail = checked[0]["detail"].take();
    assert!(detail.as_str().unwrap().starts_with("the mail server answered 554"), "{detail}");
    let expected = json!([{"channel": "oncall", "works": false, "detail": null}]);
    assert_eq!((said.code, checked), (Some(1), expected));
}

#[tokio::test]
async fn rendering_sends_nothing_and_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let args = ["render", "--channel", "oncall", "--event", "resolved"];
    let said = run(directory.path(), server.address().port(), &args).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.starts_with("Subject: Re: HeyGen: API not answering"), "{}", said.stdout);
    assert!(said.stdout.contains("\n\nResolved after 14 min"), "{}", said.stdout);
    assert!(server.commands().is_empty());
    assert!(!directory.path().join("history.db").exists());
}

#[tokio::test]
async fn a_channel_that_does_not_exist_is_a_usage_error_that_names_those_that_do() {
    let directory = tempfile::tempdir().unwrap();
    let said = run(directory.path(), 25, &["test", "--channel", "oncal"]).await;
    assert_eq!(said.code, Some(64));
    assert!(said.stderr.contains("the channels are oncall"), "{}", said.stderr);
    let said =
        run(directory.path(), 25, &["render", "--channel", "oncall", "--event", "exploded"]).await;
    assert_eq!(said.code, Some(64), "{}", said.stderr);
    assert!(said.stderr.contains("acknowledged_officially"), "{}", said.stderr);
}
