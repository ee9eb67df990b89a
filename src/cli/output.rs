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

/// A table whose columns begin below each other; columns that are empty everywhere are left out.
pub fn columns(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.get(i));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            line.push_str("  ");
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn tolerate_closed_pipe(result: std::io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_begin_below_each_other_and_empty_ones_are_left_out() {
        let rows = [["a", "", "é"], ["long", "", "x"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(rows), "  a     é\n  long  x");
        assert_eq!(columns([]), "");
    }
}
