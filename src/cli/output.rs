//! What commands print: a table for people, lines with tabs for pipes, JSON for programs.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use serde_json::Value;
use time::OffsetDateTime;
use time::macros::format_description;

/// Rows of text under headings.
pub(super) struct Table<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
}

/// Whether a person reads what is printed.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

impl<const N: usize> Table<N> {
    pub(super) fn new(headings: [&'static str; N]) -> Self {
        Self {
            headings,
            rows: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, row: [String; N]) {
        self.rows.push(row.map(|cell| plain(&cell)));
    }

    pub(super) fn print(&self) {
        let text = if is_terminal() {
            self.aligned()
        } else {
            self.tabbed()
        };
        write(&text);
    }

    /// Without headings, so that every line is a row.
    fn tabbed(&self) -> String {
        let lines = self.rows.iter().map(|row| row.join("\t") + "\n");
        lines.collect()
    }

    fn aligned(&self) -> String {
        let mut widths = self.headings.map(str::len);
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut out = line(&self.headings.map(str::to_owned), &widths);
        for row in &self.rows {
            out.push_str(&line(row, &widths));
        }
        out
    }
}

fn line<const N: usize>(cells: &[String; N], widths: &[usize; N]) -> String {
    let mut out = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let _ = write!(out, "{cell:<width$}  ");
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Cells are one line each, and command no terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

pub(super) fn json(value: &Value) {
    write(&format!("{value:#}\n"));
}

/// One object of several, on a line of its own.
pub(super) fn json_line(value: &Value) {
    write(&format!("{value}\n"));
}

/// A reader that has seen enough and is gone is no error.
pub(super) fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The moment in UTC, to the second.
pub(super) fn moment(at: Option<OffsetDateTime>) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.and_then(|at| at.to_offset(time::UtcOffset::UTC).format(format).ok())
        .unwrap_or_else(|| "-".to_owned())
}

/// As many are named of those of whom the same is to be said.
const NAMED: usize = 10;

/// The first names, and how many more there are.
pub(super) fn names(names: &[impl AsRef<str>]) -> String {
    let first = names.iter().take(NAMED).map(AsRef::as_ref);
    let first = first.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// A size for people: `1.2 MB`.
pub(super) fn size(bytes: i64) -> String {
    let (mut whole, mut tenth, mut unit) = (bytes, 0, 0);
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    while whole >= 1000 && unit + 1 < units.len() {
        tenth = whole % 1000 / 100;
        whole /= 1000;
        unit += 1;
    }
    if unit == 0 || whole >= 100 {
        format!("{whole} {}", units[unit])
    } else {
        format!("{whole}.{tenth} {}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_for_people_and_tabbed_for_pipes() {
        let mut table = Table::new(["NAME", "N"]);
        table.push(["Müller & Söhne".into(), "1".into()]);
        table.push(["a\tb\u{1b}[2J".into(), String::new()]);
        assert_eq!(table.tabbed(), "Müller & Söhne\t1\na b [2J\t\n");
        assert_eq!(
            table.aligned(),
            "NAME            N\nMüller & Söhne  1\na b [2J\n"
        );
    }

    #[test]
    fn sizes_have_two_or_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (123_456, "123 kB"),
            (9_950_000, "9.9 MB"),
            (i64::MAX, "9223 PB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
