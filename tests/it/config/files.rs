//! Bad days of the file itself, and what `config init` writes.

use std::path::Path;

use clap::Parser;
use heygen_monitor::cli::{Cli, exit, run};
use heygen_monitor::config::{self, EXAMPLE};
use heygen_monitor::metrics::LogCounter;

use super::{now, surroundings};

fn refused(path: &Path) -> String {
    config::load(Some(path), &surroundings(&[]), now()).expect_err("a problem").rendered
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    assert!(refused(&path).contains("the configuration is a directory"));
    assert!(refused(&path).contains("= hint: name the file in it: "));
    let missing = path.join("missing.toml");
    assert!(refused(&missing).contains("there is no such configuration file"));
    assert!(refused(&missing).contains("heygen-monitor config init --path"));
    assert!(refused(&missing).ends_with(&format!("1 problem in {}", missing.display())));
    let file = path.join("binary.toml");
    std::fs::write(&file, b"a = 1\n\xff\xfe").unwrap();
    assert!(refused(&file).contains("not UTF-8 text (line 2)"));
    std::fs::write(&file, vec![b'#'; 2_000_000]).unwrap();
    assert!(refused(&file).contains("longer than 1 MiB"));
    let pipe = path.join("pipe.toml");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    assert!(refused(&pipe).contains("cannot be read: it is a pipe, not a file"));
    let text = format!("[heygen]\napi_key_file = {pipe:?}\n");
    let error = config::parse(&text, &file, &surroundings(&[]), now()).unwrap_err();
    assert!(error.rendered.contains("it is a pipe, not a file"), "{error}");
}

#[test]
fn an_empty_file_is_the_built_in_default() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("empty.toml");
    for text in ["", "\n\n", "\u{feff}# a comment\r\n"] {
        std::fs::write(&file, text).unwrap();
        let config = config::load(Some(&file), &surroundings(&[]), now()).unwrap();
        assert_eq!(config.probes.len(), 6);
    }
    let config = config::load(None, &surroundings(&[]), now()).unwrap();
    assert_eq!(config.file, None);
}

/// Runs `config` with these arguments; answers the exit code.
async fn config(arguments: &[&str], file: Option<&Path>, env: &[(&str, &str)]) -> u8 {
    let file = file.map(|file| ["--config", file.to_str().unwrap()]);
    let words = ["heygen-monitor", "config"].iter().chain(arguments);
    let cli = Cli::parse_from(words.chain(file.iter().flatten()));
    run(cli, surroundings(env), LogCounter::default()).await
}

#[tokio::test]
async fn init_writes_a_complete_file_and_never_over_another() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/config.toml");
    let written = || std::fs::read_to_string(&path).unwrap();
    assert_eq!(config(&["init"], Some(&path), &[]).await, exit::OK);
    assert_eq!(written(), EXAMPLE);
    assert_eq!(config(&["check"], Some(&path), &[]).await, exit::OK);
    std::fs::write(&path, "vantage = \"mine\"\n").unwrap();
    assert_eq!(config(&["init"], Some(&path), &[]).await, exit::FAILED);
    assert_eq!(written(), "vantage = \"mine\"\n");
    assert_eq!(config(&["init", "--force"], Some(&path), &[]).await, exit::OK);
    assert_eq!(written(), EXAMPLE);
    assert_eq!(config(&["init"], Some(&path.join("x.toml")), &[]).await, exit::IO);
}

#[tokio::test]
async fn check_and_show_exit_78_for_a_bad_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, "vantag = 1\n").unwrap();
    for command in ["check", "show"] {
        assert_eq!(config(&[command], Some(&path), &[]).await, exit::CONFIG);
    }
    let nowhere = [("XDG_CONFIG_HOME", "/nonexistent"), ("HEYGEN_API_KEY", "sk-0123456789")];
    for command in ["show", "schema"] {
        assert_eq!(config(&[command], None, &nowhere).await, exit::OK);
    }
}
