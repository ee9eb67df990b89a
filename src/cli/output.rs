//! Data to stdout, everything else to stderr; a reader that left early (`| head`) is no error.

use std::io::{ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

/// Writes `text` and a line end to stdout, keeping colours only on a terminal.
///
/// # Errors
/// When stdout cannot be written, except that a closed pipe counts as written.
pub fn print(text: &str) -> anyhow::Result<()> {
    tolerate_closed_pipe(writeln!(anstream::stdout(), "{text}"))
}

/// Writes `text` and a line end to stderr, keeping colours only on a terminal.
pub fn say(text: &str) {
    // Nobody is left to be told when stderr is gone.
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// True when stdout keeps colours and signs: a terminal that nobody asked to be plain.
pub fn is_styled() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// What is being waited for, on stderr: one line that changes on a terminal, else a line whenever
/// it is something new.
#[derive(Debug, Default)]
pub struct Progress {
    said: String,
}

impl Progress {
    /// Says what is waited for; `detail` (a countdown) is for terminals alone.
    pub fn show(&mut self, what: &str, detail: &str) {
        if std::io::stderr().is_terminal() {
            // Nobody is left to be told when stderr is gone.
            drop(write!(anstream::stderr(), "\r\u{1b}[2K{what}{detail}"));
        } else if self.said != what {
            say(what);
        }
        what.clone_into(&mut self.said);
    }

    /// Takes the line away, if there is one.
    pub fn clear(&mut self) {
        if !self.said.is_empty() && std::io::stderr().is_terminal() {
            drop(write!(anstream::stderr(), "\r\u{1b}[2K"));
        }
        self.said.clear();
    }
}

/// True when stdout is a terminal.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

fn tolerate_closed_pipe(result: std::io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
