//! `demo`: the whole show, as a newcomer sees it.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// Parts of the story, in the order in which they are told.
const STORY: [&str; 15] = [
    "● working",
    "begins to answer 503",
    "✖ down",
    "admits a major outage",
    "Resolved",
    "◐ degraded",
    "? can't tell right now",
    "● working",
    "accepted and never start",
    "✖ down",
    "videos have waited",
    "the queue moves again",
    "● working",
    "Resolved",
    "The day is over.",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_tells_a_whole_day_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_heygen-monitor"));
    command.env_clear().env("TMPDIR", directory.path()).args(["demo", "--for", "1m"]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(3), command.output()).await;
    let output = output.expect("the demo ends by itself").unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.starts_with("listening on http://127.0.0.1:"), "{said}");
    assert!(!told.contains('\u{1b}'), "no colours in a pipe");
    let mut rest = told.as_str();
    for part in STORY {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("`{part}` is missing where it belongs:\n{told}");
        };
        rest = after;
    }
    for part in ["✉ Slack", "✉ e-mail", "Re: HeyGen: "] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left behind");
}
