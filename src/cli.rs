//! The command line: arguments in, text and an exit code out.
//!
//! Owns the grammar of the commands and their exit codes (contract, section 4); each family of
//! commands is a file. Decides nothing about HeyGen. Invariant: data goes to stdout, everything
//! else to stderr.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::clock::Clock;
use crate::config::{Config, ConfigError, Surroundings};
use crate::metrics::LogCounter;
use crate::model::Capability;
use failure::Failure;

pub mod advice;
pub mod budget;
pub mod check;
pub mod config;
pub mod db;
pub mod demo;
pub mod explain;
mod failure;
pub mod incidents;
pub mod jobs;
pub mod logging;
pub mod notify;
pub mod output;
pub mod probe;
pub mod remote;
pub mod replay;
pub mod report;
pub mod run;
pub mod silence;
pub mod status_page;
pub mod table;
pub mod verdict;

/// What every command gets besides its own arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// The environment.
    pub surroundings: Surroundings,
    /// The time.
    pub clock: Clock,
    /// Counts log lines for the daemon's metrics.
    pub log_counter: LogCounter,
}

/// Exit codes of the contract, section 4.
pub mod exit {
    /// Done.
    pub const OK: u8 = 0;
    /// It did not work.
    pub const FAILED: u8 = 1;
    /// Nobody can tell how HeyGen is.
    pub const UNKNOWN: u8 = 3;
    /// The command line is wrong.
    pub const USAGE: u8 = 64;
    /// The state directory cannot be used.
    pub const STATE: u8 = 73;
    /// A port or a file cannot be used.
    pub const IO: u8 = 74;
    /// Another instance holds the lock.
    pub const LOCKED: u8 = 75;
    /// The configuration (or the database's version) is wrong.
    pub const CONFIG: u8 = 78;
}

/// Is it HeyGen, or is it us?
#[derive(Debug, Parser)]
#[command(name = "heygen-monitor", version, about, max_term_width = 100)]
#[command(after_help = "\
Examples:
  heygen-monitor check                      is HeyGen down? (no key needed)
  HEYGEN_API_KEY=… heygen-monitor check     with your own key
  heygen-monitor demo                       a whole day of trouble in 90 s, no network needed
  heygen-monitor run                        the daemon")]
pub struct Cli {
    /// Configuration file [default: the first of $HEYGEN_MONITOR_CONFIG,
    /// $XDG_CONFIG_HOME/heygen-monitor/config.toml, /etc/heygen-monitor/config.toml; else built in].
    #[arg(long, short, global = true, value_name = "FILE", alias = "config.file")]
    pub config: Option<PathBuf>,
    /// How log lines look.
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        alias = "log.format"
    )]
    pub log_format: LogFormat,
    /// Say more (twice: everything).
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "each command documents itself where its arguments are")]
pub enum Command {
    /// Run the daemon in the foreground.
    Run,
    Check(check::CheckArgs),
    /// What the running daemon believes.
    Status(remote::StatusArgs),
    Advice(advice::AdviceArgs),
    /// Incidents: list, show.
    Incidents(incidents::IncidentsArgs),
    Jobs(jobs::JobsArgs),
    Budget(budget::BudgetArgs),
    Probe(probe::ProbeArgs),
    StatusPage(status_page::StatusPageArgs),
    /// Try channels out: test, render.
    #[command(subcommand)]
    Notify(notify::NotifyCommand),
    /// Work with the configuration: check, init, schema, show.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Care for the database: check, backup, restore.
    #[command(subcommand)]
    Db(db::DbCommand),
    Ack(silence::AckArgs),
    /// Keep messages back for a while: add, list, expire.
    #[command(subcommand)]
    Silence(silence::SilenceCommand),
    /// Windows of your own in which nobody is told: list.
    #[command(subcommand)]
    Maintenance(silence::MaintenanceCommand),
    Explain(explain::ExplainArgs),
    Replay(replay::ReplayArgs),
    Report(report::ReportArgs),
    /// Make the running daemon read its configuration again.
    Reload,
    /// Ask the running daemon over HTTP whether it is healthy.
    Healthcheck,
    Demo(demo::DemoArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write it and those of all commands.
    Man {
        /// Where to: a directory that exists, e.g. `/usr/local/share/man/man1`.
        directory: Option<PathBuf>,
    },
}

/// Runs a command, says on stderr why it failed if it did, and answers its exit code.
pub async fn run(cli: Cli, surroundings: Surroundings, log_counter: LogCounter) -> u8 {
    let surroundings = if matches!(cli.command, Command::Run) {
        // What is started by hand is no service.
        surroundings
    } else {
        let file = crate::config::find(cli.config.as_deref(), &surroundings);
        crate::config::beside_service(file.as_deref(), &surroundings)
    };
    let context = Context { config: cli.config, surroundings, clock: Clock::system(), log_counter };
    done(cli.command, &context).await.unwrap_or_else(|error| failure::tell(&error))
}

async fn done(command: Command, context: &Context) -> anyhow::Result<u8> {
    match command {
        Command::Run => run::run(context).await,
        Command::Check(args) => check::run(args, context).await,
        Command::Status(args) => remote::status(args, context).await,
        Command::Advice(args) => advice::run(args, context).await,
        Command::Incidents(args) => incidents::run(args, context).await,
        Command::Jobs(args) => jobs::run(args, context).await,
        Command::Budget(args) => budget::run(args, context).await,
        Command::Probe(args) => probe::run(args, context).await,
        Command::StatusPage(args) => status_page::run(&args, context).await,
        Command::Notify(command) => notify::run(command, context).await,
        Command::Config(command) => config::run(command, context).await,
        Command::Db(command) => db::run(command, context).await,
        Command::Ack(args) => silence::ack(args, context).await,
        Command::Silence(command) => silence::run(command, context).await,
        Command::Maintenance(command) => silence::maintenance(&command, context),
        Command::Explain(args) => explain::run(args, context).await,
        Command::Replay(args) => replay::run(args, context).await,
        Command::Report(args) => report::run(args, context).await,
        Command::Reload => remote::reload(context).await,
        Command::Healthcheck => remote::healthcheck(context).await,
        Command::Demo(args) => demo::run(args, context).await,
        Command::Completions { shell } => completions(shell),
        Command::Man { directory } => manual(directory.as_deref()),
    }
}

/// What holds no secret is written so that others, the service among them, may read it; everything
/// else this program writes is for its user alone.
fn write_for_everybody() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// Loads the configuration.
///
/// # Errors
/// Everything that is wrong with it.
fn load_config(context: &Context) -> Result<Config, ConfigError> {
    let file = crate::config::find(context.config.as_deref(), &context.surroundings);
    crate::config::load(file.as_deref(), &context.surroundings, context.clock.now())
}

/// Says what is allowed but worth saying of a configuration.
fn warn(warnings: &[String]) {
    for warning in warnings {
        output::say(&format!("warning: {warning}"));
    }
}

/// A duration argument: `15s`, `1h 30m`, `30d` (a day is 24 hours).
///
/// # Errors
/// What is wrong with the text.
fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::Span = text
        .parse()
        .map_err(|_| "a duration like `15s`, `1h 30m` or `30d` is needed".to_owned())?;
    let exact = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "months and years have no fixed length; use days".to_owned())?;
    Duration::try_from(exact).map_err(|_| "a duration cannot be negative".to_owned())
}

/// A capability argument.
///
/// # Errors
/// Names the capabilities there are.
fn capability(text: &str) -> Result<Capability, String> {
    text.parse().map_err(|_| {
        let all: Vec<_> = Capability::ALL.iter().map(|one| one.as_str()).collect();
        format!("the capabilities are {}", all.join(", "))
    })
}

/// The number of an incident or a silence, as people write it and as they read it: `42`, `#42`.
///
/// # Errors
/// What is wrong with the text.
fn number(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let number = digits.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a number like `42` is needed, as `incidents` shows it".to_owned())
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "heygen-monitor", &mut text);
    output::print(String::from_utf8(text)?.trim_end())?;
    Ok(exit::OK)
}

fn manual(directory: Option<&Path>) -> anyhow::Result<u8> {
    if let Some(directory) = directory {
        write_for_everybody();
        clap_mangen::generate_to(Cli::command(), directory).map_err(|error| {
            let failure = Failure::new(format!("cannot write to {}: {error}", directory.display()));
            failure.hint("name a directory that exists and that you may write to").code(exit::IO)
        })?;
        return Ok(exit::OK);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).section("1").render(&mut text)?;
    output::print(String::from_utf8(text)?.trim_end())?;
    Ok(exit::OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("30d"), Ok(Duration::from_hours(720)));
        for wrong in ["", "soon", "-5s", "1y"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_read_as_they_are_shown() {
        assert_eq!((number("42"), number("#42")), (Ok(42), Ok(42)));
        for wrong in ["", "#", "0", "-1", "x", "99999999999999999999"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }
}
