//! `config check|init|schema|show`: the configuration before it is used.
//!
//! Changes nothing but the file that `init` writes. Invariant: no secret is printed.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::failure::Failure;
use super::output::{print, say};
use super::{Context, exit, load_config};
use crate::config::{self, Config, Spend};
use crate::engine::schedule::Schedule;
use crate::engine::{CanaryMode, CanaryRules, JobsWatch};
use crate::model::{Timestamp, Usd};
use crate::probe::ProbeSpec;

/// Where `init` writes when nothing else is said.
const SYSTEM_FILE: &str = "/etc/heygen-monitor/config.toml";

/// How many runs of a cron expression `check` shows.
const SHOWN_RUNS: usize = 3;

/// The subcommands of `config`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Name everything that is wrong, with line and column.
    Check {
        /// Print what is right as JSON; what is wrong stays text.
        #[arg(long)]
        json: bool,
    },
    /// Write a commented configuration; everything in it is a default.
    Init {
        /// Where to; default: --config, else the place where it is looked for first.
        #[arg(long, value_name = "FILE")]
        path: Option<PathBuf>,
        /// Replace a file that is there already.
        #[arg(long)]
        force: bool,
    },
    /// Print the JSON Schema, for editors.
    Schema,
    /// Print the configuration in effect, secrets masked.
    Show,
}

/// Runs a subcommand of `config`; the answer is the exit code.
///
/// # Errors
/// Everything that is wrong with the configuration; a file or stdout that cannot be written.
#[expect(clippy::unused_async, reason = "every command has the same signature")]
pub async fn run(command: ConfigCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        ConfigCommand::Check { json } => {
            let (config, now) = (load_config(context)?, context.clock.now());
            let text = if json {
                format!("{:#}", summary_json(&config, now))
            } else {
                summary(&config, now)
            };
            print(&text)?;
        }
        ConfigCommand::Show => {
            let text = config::effective(&load_config(context)?);
            print(text.context("the configuration cannot be written as TOML")?.trim_end())?;
        }
        ConfigCommand::Schema => {
            print(&serde_json::to_string_pretty(&config::json_schema())?)?;
        }
        ConfigCommand::Init { path, force } => {
            super::write_for_everybody();
            init(&target(path, context), force)?;
        }
    }
    Ok(exit::OK)
}

fn summary(config: &Config, now: Timestamp) -> String {
    let file = config.file.as_ref().map(|file| file.display().to_string());
    let mut lines = vec![format!("ok: {}", file.unwrap_or_else(|| "built-in default".to_owned()))];
    let names: Vec<&str> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
    lines.push(match names.as_slice() {
        [] => "channels: none, so nobody is told (add a [[channel]], or set SLACK_WEBHOOK_URL)"
            .to_owned(),
        names => format!("channels: {}", names.join(", ")),
    });
    lines.push(match &config.heygen.api_key {
        Some(_) => "API key: present".to_owned(),
        None => "API key: none, so only what needs no key is watched (set HEYGEN_API_KEY, or \
                 heygen.api_key_file)"
            .to_owned(),
    });
    lines.push(format!("history: {}", config.storage.path.display()));
    lines.push(format!("probes: {}", config.probes.len()));
    lines.extend(config.probes.iter().map(|probe| probe_line(probe, config, now)));
    lines.extend(paid_lines(config, now));
    lines.extend(config.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n")
}

/// The summary for machines; amounts are US dollars in 30 days.
fn summary_json(config: &Config, now: Timestamp) -> serde_json::Value {
    let is_sent = config.settings.budget.canaries;
    let spends = config::spends(&config.settings, now);
    let paid = spends.iter().filter(|_| is_sent).map(|spend| {
        json!({
            "probe": spend.probe,
            "price_usd": spend.price.dollars(),
            "most_usd": spend.most.dollars(),
            "usually_usd": spend.usually.dollars(),
        })
    });
    let channels = config.channels.iter().map(|channel| &channel.name);
    let probes = config.probes.iter().map(|probe| {
        json!({
            "probe": probe.name, "kind": probe.kind(),
        })
    });
    json!({
        "file": config.file,
        "channels": channels.collect::<Vec<_>>(),
        "api_key": config.heygen.api_key.is_some(),
        "history": config.storage.path,
        "probes": probes.collect::<Vec<_>>(),
        "paid_tests": paid.collect::<Vec<_>>(),
        "warnings": config.warnings,
    })
}

/// What paid tests will cost, as far as the configuration tells.
fn paid_lines(config: &Config, now: Timestamp) -> Vec<String> {
    let spends = config::spends(&config.settings, now);
    let budget = &config.settings.budget;
    if spends.is_empty() {
        return vec!["paid tests: none".to_owned()];
    }
    if !budget.canaries {
        return vec!["paid tests: none from here (`budget.canaries` is false)".to_owned()];
    }
    let most: Usd = spends.iter().map(|spend| spend.most).sum();
    let usually: Usd = spends.iter().map(|spend| spend.usually).sum();
    let mut lines = vec![format!(
        "paid tests: at most {most} in 30 days, usually {usually} (caps: {} a day, {} a month)",
        budget.per_day, budget.per_month
    )];
    lines.extend(spends.iter().map(|spend| {
        let Spend { probe, price, runs, most, usually, .. } = spend;
        let usual = match *usually {
            Usd::ZERO => "usually nothing, while jobs of your own finish".to_owned(),
            usually if usually == *most => "and usually as much".to_owned(),
            usually => format!("usually {usually}"),
        };
        format!("  {probe}: {price} each, at most {runs} tests ({most}), {usual}")
    }));
    lines
}

fn probe_line(probe: &ProbeSpec, config: &Config, now: Timestamp) -> String {
    let watch = config.settings.watch(&probe.name);
    match watch.map(|watch| &watch.jobs) {
        Some(JobsWatch::Canary(CanaryRules {
            mode: CanaryMode::Adaptive, max_silence, ..
        })) => {
            let silence = config::duration_text(*max_silence);
            return format!(
                "  {} ({}) when nothing else told anything for {silence}",
                probe.name,
                probe.kind()
            );
        }
        Some(JobsWatch::Events) => {
            return format!("  {} ({}) listens", probe.name, probe.kind());
        }
        Some(JobsWatch::None | JobsWatch::Natural { .. } | JobsWatch::Canary(_)) | None => {}
    }
    let schedule = match &probe.schedule {
        Schedule::Every(every) => format!("every {}", config::duration_text(*every)),
        Schedule::Cron(cron) => {
            let runs = std::iter::successors(cron.next_after(now), |run| cron.next_after(*run));
            let zone = &config.settings.timezone;
            let runs: Vec<String> = runs
                .take(SHOWN_RUNS)
                .map(|run| run.to_zoned(zone.clone()).strftime("%a %F %T %Z").to_string())
                .collect();
            format!("at {}: next {}", cron.expression, runs.join(", "))
        }
    };
    format!("  {} ({}) {schedule}", probe.name, probe.kind())
}

/// `--path`, `--config`, `$HEYGEN_MONITOR_CONFIG` or the user's own file; as root the system's.
fn target(path: Option<PathBuf>, context: &Context) -> PathBuf {
    let env = |name: &str| context.surroundings.env.get(name).filter(|value| !value.is_empty());
    let user = || {
        let own = env("XDG_CONFIG_HOME").map(PathBuf::from);
        let own = own.or_else(|| env("HOME").map(|home| Path::new(home).join(".config")))?;
        let is_root = rustix::process::geteuid().is_root();
        (!is_root).then(|| own.join("heygen-monitor/config.toml"))
    };
    path.or_else(|| context.config.clone())
        .or_else(|| env("HEYGEN_MONITOR_CONFIG").map(PathBuf::from))
        .or_else(user)
        .unwrap_or_else(|| PathBuf::from(SYSTEM_FILE))
}

fn init(path: &Path, force: bool) -> Result<(), Failure> {
    let shown = path.display();
    write_example(path, force).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::new(format!("{shown} exists already and was left as it is"))
                .hint("choose another place with --path, or replace it with --force")
        }
        _ => Failure::new(format!("{shown} cannot be written: {error}"))
            .hint("choose a place that you may write to with --path")
            .code(exit::IO),
    })?;
    say(&format!(
        "wrote {shown}: everything in it is a default\n\
         next: edit it, then `heygen-monitor --config {shown} config check`"
    ));
    Ok(())
}

/// Writes the example; without `force` never over something else. A replaced file is replaced
/// whole or not at all.
fn write_example(path: &Path, force: bool) -> std::io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        if directory.exists() && !directory.is_dir() {
            return Err(std::io::Error::new(ErrorKind::NotADirectory, "it would lie in a file"));
        }
        std::fs::create_dir_all(directory)?;
    }
    if path.is_dir() {
        return Err(std::io::Error::new(ErrorKind::IsADirectory, "it is a directory"));
    }
    let fresh = if force { path.with_extension("toml.new") } else { path.to_owned() };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).mode(0o644);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut file = options.open(&fresh)?;
    file.write_all(config::EXAMPLE.as_bytes())?;
    file.sync_all()?;
    if force { std::fs::rename(&fresh, path) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Surroundings;

    #[test]
    fn the_summary_says_what_paid_tests_will_cost() {
        let probes = "[[probe]]\nname = \"queue\"\ncheck.queue = {}\n\
                      [[probe]]\nname = \"render\"\ncheck.render = { avatars = [\"a\", \"b\"] }\n\
                      [[probe]]\nname = \"say\"\nevery = \"6h\"\n\
                      check.speech = { voice = \"v\", mode = \"fixed\" }\n\
                      [[probe]]\nname = \"control\"\ncheck.control = {}\n";
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let env = [("HEYGEN_API_KEY".to_owned(), "sk-test-0123456789".to_owned())].into();
        let surroundings = Surroundings { env };
        let parsed =
            |text: &str| config::parse(text, Path::new("c.toml"), &surroundings, now).unwrap();
        let summary = |text: &str| summary(&parsed(text), now);
        let mut machine = summary_json(&parsed(probes), now);
        for volatile in ["history", "warnings"] {
            machine[volatile].take();
        }
        let expected = json!({
            "file": null, "channels": [], "api_key": true, "history": null, "warnings": null,
            "probes": [
                {"probe": "queue", "kind": "queue"},
                {"probe": "render", "kind": "render"},
                {"probe": "say", "kind": "speech"},
                {"probe": "control", "kind": "control"},
                {"probe": "heygen", "kind": "status_page"},
                {"probe": "Synthesia", "kind": "status_page"},
            ],
            "paid_tests": [
                {"probe": "render", "price_usd": 0.15, "most_usd": 9.0, "usually_usd": 0.0},
                {"probe": "say", "price_usd": 0.002, "most_usd": 0.24, "usually_usd": 0.24},
            ],
        });
        assert_eq!(machine, expected);
        let said = summary(probes);
        for line in [
            "  render (render) when nothing else told anything for 12h",
            "  say (speech) every 6h",
            "paid tests: at most $9.24 in 30 days, usually $0.24 (caps: $1.00 a day, $20.00 a month)",
            "  render: $0.15 each, at most 60 tests ($9.00), usually nothing, while jobs of your \
             own finish",
            "  say: $0.0020 each, at most 120 tests ($0.24), and usually as much",
        ] {
            assert!(said.lines().any(|shown| shown == line), "{line}\n{said}");
        }
        let off = summary(&format!("budget = {{ canaries = false }}\n{probes}"));
        assert!(off.contains("\npaid tests: none from here"), "{off}");
        assert!(summary("").contains("\npaid tests: none\n") || summary("").ends_with("none"));
    }

    #[test]
    fn the_summary_shows_the_next_runs_of_a_cron_expression_and_every_warning() {
        let text = "timezone = \"Europe/Berlin\"\n[[probe]]\nname = \"c\"\n\
                    schedule = \"0 30 9 * * Mon-Fri\"\ncheck.control = { https = [\"https://a.example.org\"] }";
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let file = Path::new("config.toml");
        let config = config::parse(text, file, &Surroundings::default(), now).unwrap();
        let summary = summary(&config, now);
        let line = "  c (control) at 0 30 9 * * Mon-Fri: next Mon 2026-11-23 09:30:00 CET, \
                    Tue 2026-11-24 09:30:00 CET, Wed 2026-11-25 09:30:00 CET";
        assert!(summary.lines().any(|shown| shown == line), "{summary}");
        assert!(summary.contains("\nwarning: there is 1 target"), "{summary}");
    }
}
