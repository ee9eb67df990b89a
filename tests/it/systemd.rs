//! The talk with the service manager, heard on a fake notification socket; and the unit files.

use std::collections::BTreeMap;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use heygen_monitor::systemd::{Supervisor, is_journal, journal_prefix};
use tokio_util::sync::CancellationToken;

const SERVICE: &str = include_str!("../../systemd/heygen-monitor.service");
const TEMPLATE: &str = include_str!("../../systemd/heygen-monitor@.service");
const DROP_IN: &str =
    include_str!("../../systemd/heygen-monitor.service.d/credentials.conf.example");

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A service manager that listens at `path`.
fn manager(path: &Path, more: &[(&str, &str)]) -> (UnixDatagram, Supervisor) {
    let socket = UnixDatagram::bind(path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut env = environment(more);
    env.insert("NOTIFY_SOCKET".to_owned(), path.to_str().unwrap().to_owned());
    (socket, Supervisor::from_environment(&env).unwrap())
}

fn heard(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 1_024];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[test]
fn a_life_is_told_in_the_words_of_sd_notify() {
    let directory = tempfile::tempdir().unwrap();
    let (socket, supervisor) = manager(&directory.path().join("notify"), &[]);
    supervisor.ready("8 probes, 0 messages waiting");
    assert_eq!(heard(&socket), "READY=1\nSTATUS=8 probes, 0 messages waiting");
    supervisor.status("HeyGen: all fine\nWATCHDOG=trigger");
    assert_eq!(heard(&socket), "STATUS=HeyGen: all fine WATCHDOG=trigger", "one field, one line");
    supervisor.reloading();
    let reloading = heard(&socket);
    let usec = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading);
    assert!(usec.parse::<u64>().unwrap() > 0);
    supervisor.stopping();
    assert_eq!(heard(&socket), "STOPPING=1\nSTATUS=stopping");
}

#[tokio::test(start_paused = true)]
async fn a_long_step_of_the_start_asks_for_patience_until_it_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let (socket, supervisor) = manager(&directory.path().join("notify"), &[]);
    assert_eq!(supervisor.patiently(async { "at once" }).await, "at once");
    let migration = tokio::time::sleep(Duration::from_secs(75));
    supervisor.patiently(migration).await;
    assert_eq!(heard(&socket), "EXTEND_TIMEOUT_USEC=120000000");
    assert_eq!(heard(&socket), "EXTEND_TIMEOUT_USEC=120000000");
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 64]).is_err(), "a quick step asks for nothing");
}

#[test]
fn an_abstract_socket_is_reached_too() {
    let name = format!("heygen-monitor-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    let env = environment(&[("NOTIFY_SOCKET", &format!("@{name}"))]);
    Supervisor::from_environment(&env).unwrap().status("here");
    assert_eq!(heard(&socket), "STATUS=here");
}

#[test]
fn without_a_manager_nothing_happens() {
    let supervisor = Supervisor::from_environment(&BTreeMap::new()).unwrap();
    supervisor.ready("fine");
    supervisor.reloading();
    supervisor.stopping();
}

#[test]
fn a_manager_that_went_away_stops_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (socket, supervisor) = manager(&directory.path().join("notify"), &[]);
    drop(socket);
    supervisor.status("still here");
}

#[tokio::test]
async fn the_watchdog_is_petted_only_while_something_moves() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let (socket, supervisor) = manager(&path, &[("WATCHDOG_USEC", "20000")]);
    let (cancel, looks) = (CancellationToken::new(), AtomicU32::new(0));
    let is_alive = || {
        let look = looks.fetch_add(1, Ordering::Relaxed);
        if look == 5 {
            cancel.cancel();
        }
        look < 2
    };
    supervisor.watch(is_alive, cancel.clone()).await;
    assert_eq!(heard(&socket), "WATCHDOG=1");
    assert_eq!(heard(&socket), "WATCHDOG=1");
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 64]).is_err(), "a hung loop starves the watchdog");
}

#[tokio::test]
async fn a_watchdog_of_another_process_or_none_is_left_alone() {
    for more in [&[("WATCHDOG_USEC", "20000"), ("WATCHDOG_PID", "1")][..], &[]] {
        let directory = tempfile::tempdir().unwrap();
        let (_socket, supervisor) = manager(&directory.path().join("notify"), more);
        supervisor.watch(|| panic!("nobody asked"), CancellationToken::new()).await;
    }
}

#[test]
fn level_prefixes_are_for_the_journals_own_stream_alone() {
    let journal = environment(&[("JOURNAL_STREAM", "8:12345")]);
    assert!(is_journal(&journal, (8, 12345)));
    assert!(!is_journal(&journal, (8, 99)), "standard error was redirected");
    assert!(!is_journal(&BTreeMap::new(), (8, 12345)));
    assert!(!is_journal(&environment(&[("JOURNAL_STREAM", "x")]), (8, 12345)));
    assert_eq!(journal_prefix(tracing::Level::ERROR), "<3>");
}

/// The settings of a unit, comments left out.
fn settings(unit: &str) -> Vec<(&str, &str)> {
    unit.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect()
}

#[test]
fn a_fresh_start_needs_no_secret() {
    for unit in [SERVICE, TEMPLATE, DROP_IN] {
        assert!(settings(unit).iter().all(|(key, _)| *key != "LoadCredential"));
    }
    for name in ["heygen_api_key", "smtp_password", "slack_webhook_url"] {
        let line = format!("#LoadCredential={name}:/etc/heygen-monitor/secrets/{name}\n");
        assert!(DROP_IN.contains(&line), "{name}");
    }
}

#[test]
fn the_template_differs_from_the_service_in_its_names_alone() {
    let names =
        ["Description", "ExecStart", "EnvironmentFile", "StateDirectory", "RuntimeDirectory"];
    let (service, template) = (settings(SERVICE), settings(TEMPLATE));
    assert_eq!(service.len(), template.len());
    for ((key, ours), (other_key, other)) in service.into_iter().zip(template) {
        assert_eq!(key, other_key);
        assert_eq!(ours != other, names.contains(&key), "{key}");
        assert!(!names.contains(&key) || other.contains("%i"), "{key}={other}");
    }
}
