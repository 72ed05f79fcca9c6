//! The only place that prints: results on standard output, everything else on standard error.

use std::io::{self, Write};

use serde_json::Value;

use super::Failure;

/// How a command tells what came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Output { json }
    }

    /// Is the result for a program?
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// The one result of a command: an object for programs, a sentence for people.
    pub(super) fn result(&self, object: &Value, sentence: &str) -> Result<(), Failure> {
        if self.json {
            print(&object.to_string())
        } else {
            print(&printable(sentence))
        }
    }

    /// A list: an array for programs, a table for people.
    pub(super) fn list(&self, objects: Vec<Value>, table: &Table) -> Result<(), Failure> {
        if self.json {
            return print(&Value::Array(objects).to_string());
        }
        if table.rows.is_empty() {
            self.note(table.none);
            return Ok(());
        }
        for line in table.lines() {
            print(&line)?;
        }
        Ok(())
    }

    /// The rows of a table, for people only: beside a result that comes later.
    pub(super) fn table(&self, table: &Table) -> Result<(), Failure> {
        if self.json || table.rows.is_empty() {
            return Ok(());
        }
        table.lines().iter().try_for_each(|line| print(line))
    }

    /// Part of the result that programs find in the object that comes later.
    pub(super) fn lines_for_people(&self, text: &str) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        text.lines().try_for_each(|line| print(&printable(line)))
    }

    /// Something that was just made and is printed this once, as it is.
    pub(super) fn secret(&self, object: &Value, value: &str) -> Result<(), Failure> {
        let text = if self.json {
            object.to_string()
        } else {
            value.to_owned()
        };
        write_line(&text).map_err(not_printed)
    }

    /// An object for programs, several lines for people.
    pub(super) fn lines(&self, object: &Value, text: &str) -> Result<(), Failure> {
        if self.json {
            print(&object.to_string())
        } else {
            text.lines().try_for_each(|line| print(&printable(line)))
        }
    }

    /// A piece of a long result, as it is. `false` when whoever is behind the pipe has read enough.
    pub(super) fn bytes(&self, piece: &[u8]) -> Result<bool, Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(piece).and_then(|()| out.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(not_printed(error)),
        }
    }

    /// What people should know beside the result.
    pub(super) fn note(&self, text: &str) {
        if !self.json {
            write_note(&printable(text));
        }
    }

    /// What people must know whatever the form of the result, on a line of its own, as it is.
    pub(super) fn announce(&self, text: &str) {
        write_note(text);
    }

    /// Why the command failed, in one line.
    pub(super) fn error(&self, message: &str) {
        // What a database server says may have several lines.
        let words: Vec<&str> = message.split_whitespace().collect();
        write_note(&printable(&format!("error: {}", words.join(" "))));
    }
}

/// Rows with a heading for each column.
#[derive(Debug)]
pub(super) struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    none: &'static str,
}

impl Table {
    /// A table with these columns; `none` is said in place of an empty one.
    pub(super) fn new(heads: &[&'static str], none: &'static str) -> Self {
        Table {
            heads: heads.to_vec(),
            rows: Vec::new(),
            none,
        }
    }

    /// Adds a row, a text for each column.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }

    /// As they are printed.
    pub(super) fn lines(&self) -> Vec<String> {
        let heads: Vec<String> = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&heads]);
            cells
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        [&heads]
            .into_iter()
            .chain(&self.rows)
            .map(|row| {
                let cells = row
                    .iter()
                    .zip(&widths)
                    .map(|(cell, width)| format!("{cell:<width$}"));
                let line = cells.collect::<Vec<_>>().join("  ");
                line.trim_end().to_owned()
            })
            .collect()
    }
}

/// One line without anything that moves a terminal's cursor or turns its text around: others chose the names.
fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => line.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(character.escape_unicode());
            }
            c if c.is_control() => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line
}

/// A line of a result. Whoever closes the pipe has read enough.
fn print(line: &str) -> Result<(), Failure> {
    match write_line(line) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(not_printed),
    }
}

/// Whole and at once: what is behind a pipe sees it without waiting for the next.
fn write_line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn not_printed(error: io::Error) -> Failure {
    Failure::new(format!("the result could not be printed: {error}"))
}

/// Nobody is left to be told when standard error is gone.
fn write_note(line: &str) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "{line}").and_then(|()| err.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["ID", "NAME"], "");
        table.row(["1".into(), "a long name".into()]);
        table.row(["1000".into(), "ü".into()]);
        assert_eq!(
            table.lines(),
            ["ID    NAME", "1     a long name", "1000  ü"]
        );
    }

    #[test]
    fn a_name_can_neither_begin_a_line_nor_steer_the_terminal() {
        assert_eq!(
            printable("a\nb\u{1b}[2J\u{202e}c"),
            "a b\\u{1b}[2J\\u{202e}c"
        );
    }
}
