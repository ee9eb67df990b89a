//! The examples of docs/api.md run, and no monitor never stops anybody.

use std::process::Stdio;
use std::sync::Arc;

use heygen_monitor::model::{Action, View};

use super::{Site, served};
use crate::sample_view::api_outage;

const DOCUMENT: &str = include_str!("../../../docs/api.md");

/// The code of an example, and what runs it.
fn example(name: &str) -> (&'static str, String) {
    let (_, rest) = DOCUMENT.split_once(&format!("<!-- example: {name} -->")).expect(name);
    let code = rest.split("```").nth(1).expect(name);
    let (language, code) = code.split_once('\n').expect(name);
    (if language == "sh" { "sh" } else { "python3" }, code.to_owned())
}

fn is_there(program: &str) -> bool {
    let mut command = std::process::Command::new(program);
    command.args(["-c", ""]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What an example says of a monitor there.
async fn say(name: &str, monitor: &str) -> String {
    let (program, code) = example(name);
    let mut command = tokio::process::Command::new(program);
    command.args(["-c", &code]).env("HEYGEN_MONITOR", monitor).kill_on_drop(true);
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn view(action: Action) -> View {
    let mut view = api_outage();
    view.verdict.capabilities.iter_mut().for_each(|one| one.advice.action = action);
    view
}

#[tokio::test]
async fn each_example_starts_waits_and_never_needs_a_monitor() {
    let names = ["gate.sh", "advice.sh", "gate.py", "advice.py"];
    let runnable = |name: &&str| {
        let (program, _) = example(name);
        is_there(program) && (program != "sh" || is_there("curl"))
    };
    for name in names.into_iter().filter(runnable) {
        let lines = example(name).1.lines().count();
        assert!((5..=11).contains(&lines), "{name} has {lines} lines");
        let site = Site::new(None);
        let is_gate = name.starts_with("gate");
        served(&site, async |address| {
            let monitor = format!("http://{address}");
            assert_eq!(say(name, &monitor).await, "start", "{name}: it is starting");
            for (action, expected) in [
                (Action::Go, "start"),
                (Action::SlowDown, if is_gate { "wait" } else { "start fewer" }),
                (Action::Hold, "wait"),
                (Action::FixAccount, "wait"),
            ] {
                site.view.send_replace(Some(Arc::new(view(action))));
                assert_eq!(say(name, &monitor).await, expected, "{name}: {action:?}");
            }
        })
        .await;
        assert_eq!(say(name, "http://127.0.0.1:9").await, "start", "{name}: nobody is there");
    }
}
