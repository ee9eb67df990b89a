//! Log lines of the real binary: JSON whose field names are documented, and the journal's prefixes.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::{Map, Value};

const DOCUMENT: &str = include_str!("../../docs/logs.md");

/// Nobody answers on port 9 of loopback, so every probe has something to say.
const CONFIG: &str = r#"
vantage = "test"
[heygen]
base_url = "http://127.0.0.1:9"
[web]
listen = "127.0.0.1:0"
[thresholds]
recheck = "1s"
[[status_page]]
name = "heygen"
url = "http://127.0.0.1:9"
role = "primary"
every = "1s"
[[probe]]
name = "api-anonymous"
every = "1s"
timeout = "500ms"
capabilities = ["api"]
check.api = { path = "/v3/users/me", anonymous = true }
[[probe]]
name = "control"
every = "1s"
check.control = { https = ["http://127.0.0.1:9/1", "http://127.0.0.1:9/2", "http://127.0.0.1:9/3"] }
"#;

/// What a daemon wrote until it had run a probe and was asked to stop.
fn written(arguments: &[&str], is_journal: bool) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("config.toml"), CONFIG).unwrap();
    let stderr = File::create(file("stderr")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_heygen-monitor"));
    command.args(["-v", "--config"]).arg(file("config.toml")).args(arguments).arg("run");
    command.env_clear().env("HEYGEN_MONITOR_STATE_DIR", directory.path());
    if is_journal {
        let stat = stderr.metadata().unwrap();
        command.env("JOURNAL_STREAM", format!("{}:{}", stat.dev(), stat.ino()));
    }
    let daemon = command.stderr(stderr).spawn().unwrap();
    let text = stopped_after(daemon, &file("stderr"), "connect_failed");
    text.lines().filter(|line| !line.starts_with("listening on ")).map(str::to_owned).collect()
}

fn stopped_after(mut daemon: Child, path: &PathBuf, word: &str) -> String {
    let read = || std::fs::read_to_string(path).unwrap();
    let has_said = (0..1_200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        read().contains(word)
    });
    if !has_said {
        daemon.kill().unwrap();
        panic!("it never said {word}: {}", read());
    }
    let id = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    daemon.wait().unwrap();
    read()
}

/// The names in the table of docs/logs.md.
fn documented() -> BTreeSet<String> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn every_line_of_json_has_the_documented_fields() {
    let lines = written(&["--log-format", "json"], false);
    let known = documented();
    let mut seen = BTreeSet::new();
    for line in &lines {
        let fields: Map<String, Value> = serde_json::from_str(line).expect(line);
        fields["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&fields["level"].as_str().unwrap()));
        assert!(!fields["message"].as_str().unwrap().is_empty());
        seen.extend(fields.keys().cloned());
    }
    assert!(seen.is_subset(&known), "{seen:?}");
    for name in ["address", "probe.name", "outcome", "duration_ms"] {
        assert!(seen.contains(name), "{name} is gone");
    }
}

#[test]
fn the_journal_gets_a_level_before_each_line_and_no_time() {
    let level = |line: &str| ["<3>", "<4>", "<6>", "<7>"].iter().any(|one| line.starts_with(one));
    let text = written(&[], true);
    assert!(text.iter().any(|line| line.starts_with("<6>watching ")), "{text:?}");
    let lines = written(&["--log-format", "json"], true);
    for line in text.iter().chain(&lines) {
        assert!(level(line), "{line}");
    }
    for line in lines {
        serde_json::from_str::<Value>(line.get(3..).unwrap()).expect(&line);
    }
}

/// What stands before the message in `info!(…)` and its sisters, by the names of the fields.
fn fields(source: &str) -> Vec<String> {
    let mut fields = Vec::new();
    for name in ["error!(", "warn!(", "info!(", "debug!(", "trace!("] {
        for (at, _) in source.match_indices(name) {
            let (before, rest) = source.split_at(at);
            if before.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                continue;
            }
            let arguments = rest.get(name.len()..).unwrap().split('"').next().unwrap();
            let arguments = arguments.split(',').map(str::trim).filter(|one| !one.is_empty());
            let named = arguments.filter_map(|one| one.split(['=', ' ']).next());
            fields.extend(named.map(|one| one.trim_start_matches(['%', '?']).to_owned()));
        }
    }
    fields
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_field_in_the_source_is_documented_and_none_besides() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    let mut used: BTreeSet<_> = texts.flat_map(|text| fields(&text)).collect();
    used.extend(["timestamp", "level", "message"].map(str::to_owned));
    assert_eq!(used, documented());
}
