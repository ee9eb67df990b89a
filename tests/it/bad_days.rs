//! Bad days: each is a clear sentence with what to do, the documented exit code, and nothing lost.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

/// Nothing here may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A configuration that talks to nobody: controls on loopback ports that nobody listens on.
const QUIET: &str = r#"
[web]
listen = "127.0.0.1:0"
[[status_page]]
name = "page"
url = "http://127.0.0.1:9/"
every = "1h"
[[probe]]
name = "api-anonymous"
every = "1h"
check.api = { path = "/v3/users/me", anonymous = true }
[[probe]]
name = "control"
every = "1h"
check.control = { https = ["http://127.0.0.1:9/"] }
[heygen]
base_url = "http://127.0.0.1:9"
"#;

struct Place {
    directory: TempDir,
}

impl Place {
    fn new(config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("config.toml"), config).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heygen-monitor"));
        command
            .env_clear()
            .env("HOME", self.directory.path())
            .env("HEYGEN_MONITOR_STATE_DIR", self.path("state"))
            .arg("--config")
            .arg(self.path("config.toml"))
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end, which must come by itself.
    fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments))
    }

    fn start(&self) -> Daemon {
        let mut command = self.command(&["run"]);
        command.stderr(Stdio::piped()).stdout(Stdio::null());
        let daemon = Daemon { child: command.spawn().unwrap() };
        until("the daemon listens", || self.path("state/listen").exists());
        daemon
    }
}

struct Daemon {
    child: Child,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn finish(mut command: Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().ok();
            panic!("it does not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Asserts the exit code and that stderr says each of `says`.
fn refused(output: &Output, code: i32, says: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for part in says {
        assert!(stderr.contains(part), "`{part}` is missing in: {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_directory_as_configuration_is_called_one() {
    let place = Place::new(QUIET);
    fs::remove_file(place.path("config.toml")).unwrap();
    fs::create_dir(place.path("config.toml")).unwrap();
    refused(&place.run(&["run"]), 78, &["config.toml", "directory"]);
}

#[test]
fn a_configuration_that_is_not_there_is_said_to_be_missing() {
    let place = Place::new(QUIET);
    fs::remove_file(place.path("config.toml")).unwrap();
    refused(&place.run(&["config", "check"]), 78, &["config.toml"]);
}

#[test]
fn an_empty_configuration_is_the_built_in_default() {
    let place = Place::new("");
    let output = place.run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_key_file_that_is_missing_or_open_to_others_is_refused_by_name() {
    let with_key = QUIET.replace("[heygen]\n", "[heygen]\napi_key_file = \"key\"\n");
    let place = Place::new(&with_key);
    refused(&place.run(&["run"]), 78, &["key", "config.toml:"]);
    fs::write(place.path("key"), "sk_live_0123456789").unwrap();
    fs::set_permissions(place.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = place.run(&["run"]);
    refused(&output, 78, &["key", "chmod 600"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("sk_live"));
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let place = Place::new(&QUIET.replace("127.0.0.1:0", &format!("127.0.0.1:{port}")));
    refused(&place.run(&["run"]), 74, &[&port, "hint:", "web.listen"]);
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    let place = Place::new(QUIET);
    fs::write(place.path("state"), "a file, not a directory").unwrap();
    refused(&place.run(&["run"]), 73, &["state", "hint:"]);
}

#[test]
fn a_second_instance_names_the_first() {
    let place = Place::new(QUIET);
    let first = place.start();
    let pid = first.child.id().to_string();
    refused(&place.run(&["run"]), 75, &[&pid, "hint:"]);
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let place = Place::new(QUIET);
    drop(place.start());
    let path = place.path("state/history.db");
    set_schema(&path, 9_999);
    refused(&place.run(&["run"]), 78, &["newer", "9999"]);
    assert_eq!(schema(&path), 9_999);
}

#[test]
fn a_corrupt_database_is_moved_aside_and_monitoring_goes_on() {
    let place = Place::new(QUIET);
    drop(place.start());
    let path = place.path("state/history.db");
    for name in ["state/history.db-wal", "state/history.db-shm", "state/listen"] {
        fs::remove_file(place.path(name)).ok();
    }
    let mut bytes = fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(100) {
        *byte ^= 0x5a;
    }
    fs::write(&path, bytes).unwrap();
    let _running = place.start();
    let aside = fs::read_dir(place.path("state")).unwrap();
    let aside = aside
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("corrupt"));
    assert!(aside.count() >= 1, "the corrupt file was kept");
}

#[test]
fn files_of_the_state_directory_are_nobody_elses_business() {
    let place = Place::new(QUIET);
    let _running = place.start();
    until("the heartbeat is written", || place.path("state/history.db-wal").exists());
    for entry in fs::read_dir(place.path("state")).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let allowed = if entry.file_name() == "admin.sock" { 0o660 } else { 0o700 };
        assert_eq!(mode & !allowed, 0, "{:?} has mode {mode:o}", entry.file_name());
    }
}

#[test]
fn a_terminated_daemon_stops_clean() {
    let place = Place::new(QUIET);
    let mut running = place.start();
    let pid = rustix::process::Pid::from_child(&running.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let begun = Instant::now();
    let status = loop {
        match running.child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(begun.elapsed() < PATIENCE, "it does not end"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(0));
    assert!(!place.path("state/listen").exists(), "the address file went with it");
}

#[test]
fn a_bad_file_changes_nothing_at_reload_and_says_so() {
    let place = Place::new(QUIET);
    let _running = place.start();
    fs::write(place.path("broken.toml"), "x").unwrap();
    fs::write(place.path("config.toml"), format!("{QUIET}\n[[probe]]\nname = 7\n")).unwrap();
    // The command itself needs a valid configuration to find the socket: it gets the old one.
    fs::write(place.path("old.toml"), QUIET).unwrap();
    let mut reload = Command::new(env!("CARGO_BIN_EXE_heygen-monitor"));
    reload
        .env_clear()
        .env("HEYGEN_MONITOR_STATE_DIR", place.path("state"))
        .arg("--config")
        .arg(place.path("old.toml"))
        .arg("reload");
    refused(&finish(reload), 1, &["config.toml:", "name", "old configuration"]);
}

#[test]
fn health_is_asked_where_the_daemon_listens_whatever_its_port() {
    let place = Place::new(QUIET);
    refused(&place.run(&["healthcheck"]), 1, &["no daemon runs here"]);
    let _running = place.start();
    let said = place.run(&["healthcheck"]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
}

#[test]
fn what_a_reload_cannot_take_over_is_said() {
    let place = Place::new(QUIET);
    let _running = place.start();
    let url = place.path("heartbeat");
    fs::write(&url, "http://127.0.0.1:9/beat").unwrap();
    fs::set_permissions(&url, fs::Permissions::from_mode(0o600)).unwrap();
    let heartbeat = "[heartbeat]\nurl_file = \"heartbeat\"\n";
    fs::write(place.path("config.toml"), format!("{QUIET}\n{heartbeat}")).unwrap();
    let reload = place.run(&["reload"]);
    assert_eq!(reload.status.code(), Some(0), "{reload:?}");
    let said = String::from_utf8(reload.stderr).unwrap();
    assert!(
        said.contains("warning: `heartbeat` has changed; it is taken over at the next"),
        "{said}"
    );
    assert_eq!(said.matches("there is 1 target").count(), 1, "the command says it already: {said}");
}

#[test]
fn a_daemon_that_is_restarted_every_night_backs_its_history_up_all_the_same() {
    let place = Place::new(QUIET);
    drop(place.start());
    let old = place.path("state/history.db.backup-schema5-1790000000");
    fs::copy(place.path("state/history.db"), old).unwrap();
    fs::remove_file(place.path("state/listen")).unwrap();
    let _running = place.start();
    let backups = || {
        let names = fs::read_dir(place.path("state")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.starts_with("history.db.backup-") && !name.contains("partial"))
            .count()
    };
    until("a backup of today", || backups() == 2);
}

#[test]
fn without_history_each_command_says_so() {
    let place = Place::new(QUIET);
    assert_eq!(place.run(&["incidents"]).status.code(), Some(0));
    refused(&place.run(&["status"]), 3, &["no daemon answers", "heygen-monitor run"]);
    let nagios = place.run(&["status", "--nagios"]);
    let said = String::from_utf8_lossy(&nagios.stdout);
    assert_eq!(nagios.status.code(), Some(3), "{said}");
    assert!(
        said.starts_with("HEYGEN UNKNOWN - no daemon answers") && said.lines().count() == 1,
        "{said}"
    );
    let advice = place.run(&["advice", "api"]);
    assert_eq!(advice.status.code(), Some(0), "no monitor is no reason to stop");
    assert!(String::from_utf8_lossy(&advice.stdout).starts_with("go\n"));
    assert!(String::from_utf8_lossy(&advice.stderr).contains("no daemon answers"));
}

#[test]
fn a_wrong_command_line_exits_64() {
    let place = Place::new(QUIET);
    refused(&place.run(&["frobnicate"]), 64, &["frobnicate"]);
}

fn set_schema(path: &Path, version: i64) {
    let database = rusqlite::Connection::open(path).unwrap();
    database.pragma_update(None, "user_version", version).unwrap();
}

fn schema(path: &Path) -> i64 {
    let database = rusqlite::Connection::open(path).unwrap();
    database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}
