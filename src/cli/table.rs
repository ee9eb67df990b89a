//! Tables on the terminal: columns begin below each other, whatever stands in them.
//!
//! Owns widths and alignment. Knows nothing of what is shown. Invariant: colours take no room, and
//! a column that is empty in every row is left out, its heading too.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::verdict::dim;

/// A table; [`fmt::Display`] lays it out.
#[derive(Debug, Clone, Default)]
pub struct Table {
    headings: Vec<&'static str>,
    right: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a line of headings.
    pub fn headed<const N: usize>(headings: [&'static str; N]) -> Self {
        Self { headings: headings.to_vec(), ..Self::default() }
    }

    /// A whole table.
    pub fn of(headings: &[&'static str], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let rows = rows.into_iter().collect();
        Self { headings: headings.to_vec(), rows, ..Self::default() }
    }

    /// Columns (from 0) that end below each other: numbers.
    #[must_use]
    pub fn right<const N: usize>(mut self, columns: [usize; N]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| width(cell)).max().unwrap_or(0);
        let heading = self.headings.get(column).map_or(0, |heading| width(heading));
        if widest == 0 { 0 } else { widest.max(heading) }
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (i, (cell, room)) in cells.iter().zip(widths).enumerate().filter(|(_, c)| *c.1 > 0) {
            let gap = " ".repeat(room - width(cell));
            let (before, after) =
                if self.right.contains(&i) { (gap, String::new()) } else { (String::new(), gap) };
            line.extend(["  ", &before, cell, &after]);
        }
        line.trim_end().to_owned()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..count).map(|column| self.width(column)).collect();
        let mut lines: Vec<String> = self.rows.iter().map(|row| self.line(row, &widths)).collect();
        if !self.headings.is_empty() && !lines.is_empty() {
            let headings: Vec<String> = self.headings.iter().map(|one| dim(one)).collect();
            lines.insert(0, self.line(&headings, &widths));
        }
        f.write_str(&lines.join("\n"))
    }
}

/// A table without headings.
pub fn columns(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    Table { rows: rows.into_iter().collect(), ..Table::default() }.to_string()
}

/// Columns of a terminal; a Chinese character takes two.
fn width(cell: &str) -> usize {
    anstream::adapter::strip_str(cell).to_string().width()
}

#[cfg(test)]
mod tests {
    use super::super::verdict::bold;
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn columns_begin_below_each_other_and_empty_ones_are_left_out() {
        let rows = [["a", "", "é"], ["long", "", "x"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(rows), "  a     é\n  long  x");
        let rows = [["日本", "x"], ["abc", "y"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(rows), "  日本  x\n  abc   y");
        assert_eq!(columns([]), "");
    }

    #[test]
    fn colours_take_no_room_and_numbers_end_below_each_other() {
        let mut table = Table::headed(["what", "unseen", "n"]).right([2]);
        table.row([bold("ab"), String::new(), "7".to_owned()]);
        table.row(["c".to_owned(), String::new(), "112".to_owned()]);
        assert_eq!(plain(&table.to_string()), "  what    n\n  ab      7\n  c     112");
        assert_eq!(Table::headed(["nothing"]).to_string(), "");
    }
}
