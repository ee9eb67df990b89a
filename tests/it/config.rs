//! The configuration through its public door: what is wrong, where, and what to do about it.

use std::path::Path;

use heygen_monitor::config::{self, Config, ConfigError, Surroundings};
use heygen_monitor::model::Timestamp;

mod bad;
mod channels;
mod documented;
mod files;
mod good;
mod jobs;
mod secrets;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

fn surroundings(env: &[(&str, &str)]) -> Surroundings {
    let host = [("HOSTNAME", "test-host"), ("HOME", "/home/test")];
    let env = host
        .iter()
        .chain(env)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Surroundings { env }
}

fn parse_with(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    config::parse(text, Path::new("/etc/hm/config.toml"), &surroundings(env), now())
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    parse_with(text, &[])
}

/// One problem, as it is shown: where, what is wrong, what to do.
#[track_caller]
fn is_shown(shown: &str, place: &str, message: &str, hint: &str) {
    let has = |start: &str, part: &str| {
        let mut lines = shown.lines().map(str::trim_start);
        lines.any(|line| line.starts_with(start) && line.contains(part))
    };
    assert!(shown.contains(&format!("--> /etc/hm/config.toml:{place}\n")), "{place}\n{shown}");
    assert!(has("error: ", message), "no {message}\n{shown}");
    assert!(has("= hint: ", hint), "no {hint}\n{shown}");
    assert!(shown.contains('^'), "{shown}");
}

fn names(config: &Config) -> Vec<&str> {
    config.probes.iter().map(|probe| probe.name.as_str()).collect()
}
