//! A table, wherever it is read.
//!
//! Invariant: a cell never breaks out of its table, whatever text it holds.

use crate::cli::table::Table;

/// Headings and rows of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Without rows.
    pub(super) fn headed<const N: usize>(headings: [&'static str; N]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(Vec::from(cells));
    }

    /// Columns below each other; nothing without rows.
    pub(super) fn terminal(&self) -> String {
        Table::of(&self.headings, self.rows.iter().cloned()).to_string()
    }

    /// A table of GitHub's kind; nothing without rows.
    pub(super) fn markdown(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let mut lines = vec![
            line(self.headings.iter().map(|one| (*one).to_owned()).collect()),
            line(self.headings.iter().map(|_| "---".to_owned()).collect()),
        ];
        let rows = self.rows.iter();
        lines.extend(rows.map(|row| line(row.iter().map(|cell| escaped(cell)).collect())));
        lines.join("\n")
    }
}

/// Text that Markdown leaves alone.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_in_its_table() {
        let mut sheet = Sheet::headed(["what", "n"]);
        sheet.row(["a | [b](https://x) <script>".to_owned(), "1".to_owned()]);
        let expected = "| what | n |\n| --- | --- |\n| a \\| \\[b\\](https://x) \\<script\\> | 1 |";
        assert_eq!(sheet.markdown(), expected);
        assert_eq!(Sheet::headed(["what"]).markdown(), "");
    }
}
