//! Data to stdout, everything else to stderr; a reader that left early (`| head`) is no error.

use std::io::{ErrorKind, IsTerminal, Write};

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
