//! What all commands have in common, by the real binary: the history that they read, how they fail,
//! the manual.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use heygen_monitor::clock::Clock;
use rusqlite::Connection;

use crate::cli_jobs::{Host, Said};

const READERS: [&[&str]; 10] = [
    &["status"],
    &["incidents"],
    &["incidents", "show", "#3"],
    &["explain", "3"],
    &["jobs"],
    &["budget"],
    &["silence", "list"],
    &["replay"],
    &["report"],
    &["report", "--evidence", "3"],
];

async fn host() -> Host {
    Host::new(Vec::new(), Vec::new(), Clock::system().now()).await
}

/// Ends with this code, and says all of this on stderr and nothing on stdout.
#[track_caller]
fn refuses(said: &Said, code: i32, parts: &[&str], arguments: &[&str]) {
    let stderr = &said.stderr;
    assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "{arguments:?}: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{arguments:?}: no `{part}` in {stderr}");
    }
}

/// `status` cannot tell then, which has an exit code of its own; the others end with `code`.
fn blind(arguments: &[&str], code: i32) -> i32 {
    if arguments.first() == Some(&"status") { 3 } else { code }
}

#[tokio::test]
async fn a_history_that_cannot_be_read_says_what_to_do() {
    let host = host().await;
    let path = host.path("history.db");
    std::fs::write(&path, "garbage ".repeat(1_000)).unwrap();
    let damaged =
        ["error: the history cannot be used: ", "is damaged", "hint: the daemon keeps it"];
    for arguments in READERS {
        refuses(&host.say(arguments).await, blind(arguments, 74), &damaged, arguments);
    }
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let foreign = host.say(&["run"]).await.stderr;
    assert!(foreign.contains("another program") && foreign.contains("hint: move "), "{foreign}");
    for arguments in READERS {
        refuses(&host.say(arguments).await, blind(arguments, 74), &[&foreign], arguments);
    }
}

#[tokio::test]
async fn without_a_history_nothing_is_known_and_that_is_said() {
    let host = host().await;
    std::fs::remove_file(host.path("history.db")).unwrap();
    for arguments in READERS {
        let parts: &[&str] = match arguments {
            ["incidents"] => continue,
            ["incidents", ..] => &["error: there is no incident #3", "hint: "],
            _ => &["error: no daemon answers, and there is no history at ", "hint: start one"],
        };
        refuses(&host.say(arguments).await, blind(arguments, 1), parts, arguments);
    }
    let none = host.say(&["incidents"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), "No incidents.\n"), "{}", none.stderr);
    let none = host.say(&["incidents", "--json"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), "[]\n"), "{}", none.stderr);
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_usage_error() {
    let host = host().await;
    for (arguments, why) in [
        (&["incidents", "show", "x"][..], "a number like `42` is needed"),
        (&["explain", "0"], "a number like `42` is needed"),
        (&["check", "--timeout", "1ms"], "no probe has answered before 2 s"),
        (&["report", "--since", "0s"], "that time has not come yet, or is no time at all"),
        (&["status-page", "ftp://x:secret-1@a.example.org"], "hint: write it like https://"),
        (&["probe", "nothing"], "hint: the probes are control, render"),
    ] {
        let said = host.say(arguments).await;
        refuses(&said, 64, &[why], arguments);
        assert!(!said.stderr.contains("secret-1"), "{}", said.stderr);
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_written_configuration_is_readable_for_the_service() {
    let host = host().await;
    let path = host.path("etc/heygen-monitor/config.toml");
    let said = host.say(&["config", "init", "--path", path.to_str().unwrap()]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o644, 0o755));
}

#[tokio::test]
async fn every_command_has_a_page_in_the_manual() {
    let host = host().await;
    let directory = tempfile::tempdir().unwrap();
    let said = host.say(&["man", directory.path().to_str().unwrap()]).await;
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""), "{}", said.stderr);
    let page = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert!(page("heygen-monitor-check.1").contains("Is HeyGen down?"));
    assert_eq!(mode(&directory.path().join("heygen-monitor-check.1")), 0o644);
    assert!(page("heygen-monitor-silence-add.1").contains("Incidents of this side"));
    assert!(page("heygen-monitor.1").contains("heygen\\-monitor\\-status\\-page(1)"));
    let nowhere = Path::new("/nonexistent").to_str().unwrap();
    refuses(&host.say(&["man", nowhere]).await, 74, &["cannot write to", "hint: "], &["man"]);
}
