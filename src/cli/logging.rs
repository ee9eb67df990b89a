//! How log lines look and which are written: for people, for machines, for the journal.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal;

use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{Format, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::{Cli, Command, LogFormat};
use crate::metrics::LogCounter;
use crate::systemd::{journal_prefix, stderr_is_journal};

/// Writes log lines to stderr from now on, and counts them.
pub fn start(cli: &Cli, env: &BTreeMap<String, String>, counter: LogCounter) {
    let level = level(cli);
    let filter = || EnvFilter::builder().parse_lossy(format!("warn,heygen_monitor={level}"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // The journal has its own time stamps, and knows levels by their prefix.
    let is_journal = stderr_is_journal(env);
    let lines = match cli.log_format {
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false);
            let lines = lines.with_span_list(false);
            if is_journal { lines.map_event_format(Journal).boxed() } else { lines.boxed() }
        }
        LogFormat::Text if is_journal => {
            let line = Format::default().without_time().with_target(false).with_level(false);
            lines.event_format(Journal(line)).boxed()
        }
        LogFormat::Text => lines.boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter()))
        .with(counter.with_filter(filter()))
        .init();
}

/// The daemon says what changes; other commands only what a human must act on.
fn level(cli: &Cli) -> LevelFilter {
    match (cli.verbose, &cli.command) {
        (0, Command::Run) => LevelFilter::INFO,
        (0, _) => LevelFilter::ERROR,
        (1, _) => LevelFilter::DEBUG,
        (_, _) => LevelFilter::TRACE,
    }
}

/// Puts the level's prefix before each line.
struct Journal<F>(F);

impl<S, N, F> FormatEvent<S, N> for Journal<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: FormatEvent<S, N>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str(journal_prefix(*event.metadata().level()))?;
        self.0.format_event(context, writer, event)
    }
}
