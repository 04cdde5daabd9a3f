//! What goes where: data on stdout, everything else on stderr.

use crate::{args::Global, json};
use astrobackend::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::io::{self, ErrorKind as IoKind, IsTerminal, Write};

/// Writes to stdout and stderr as the options ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// JSON instead of text.
    pub(crate) json: bool,
    quiet: bool,
    verbose: bool,
}

impl Output {
    /// As the options ask.
    pub(crate) fn new(global: &Global) -> Self {
        Output { json: global.json, quiet: global.quiet, verbose: global.verbose }
    }

    /// For a command line that asks for JSON and is wrong otherwise.
    pub(crate) fn of_json() -> Self {
        Output { json: true, quiet: false, verbose: false }
    }

    /// True when a progress bar may be drawn.
    pub(crate) fn draws(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// True with `--verbose`.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Data: text for people, or a JSON object, which gets its `schema`.
    pub(crate) fn data(&self, text: impl AsRef<str>, object: Value) -> Result<()> {
        match self.json {
            true => to_stdout(&schema(object).to_string()),
            false => to_stdout(text.as_ref()),
        }
    }

    /// Data that people are told in other words, if at all: only with `--json`.
    pub(crate) fn answer(&self, object: Value) -> Result<()> {
        if self.json { to_stdout(&schema(object).to_string()) } else { Ok(()) }
    }

    /// Data in columns: aligned with a heading on a terminal, separated by tabs and without one in a pipe.
    pub(crate) fn table(&self, heading: &[&str], rows: &[Vec<String>], object: Value) -> Result<()> {
        let text = if io::stdout().is_terminal() { aligned(heading, rows) } else { tabbed(rows) };
        if text.is_empty() && !self.json { Ok(()) } else { self.data(text, object) }
    }

    /// A step for people to follow; not with `--quiet` or `--json`.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet && !self.json {
            to_stderr(text.as_ref());
        }
    }

    /// A step that only `-v` shows.
    pub(crate) fn detail(&self, text: impl AsRef<str>) {
        if self.verbose {
            self.note(text);
        }
    }

    /// Something that did not stop the work.
    pub(crate) fn warn(&self, error: &Error) {
        match self.json {
            true => to_stderr(&schema(json!({ "warning": error_object(error) })).to_string()),
            false if self.quiet => {}
            false => to_stderr(&format!("astrobackend: warning: {error}")),
        }
    }

    /// What ended the command.
    pub(crate) fn error(&self, error: &Error, code: u8) {
        if self.json {
            let mut object = error_object(error);
            object["exit_code"] = code.into();
            to_stderr(&schema(json!({ "error": object })).to_string());
        } else {
            to_stderr(&format!("astrobackend: {error}"));
        }
    }
}

/// True for the error of writing to a pipe that nobody reads any more, as with `| head`.
pub(crate) fn is_broken_pipe(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    error.kind() == ErrorKind::Io && source.is_some_and(|source| source.kind() == IoKind::BrokenPipe)
}

/// Writes a line to stdout.
pub(crate) fn to_stdout(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
    written.map_err(|error| Error::io("cannot write the answer", error))
}

/// Writes a line to stderr; when even that is gone there is nobody left to tell.
fn to_stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn schema(object: Value) -> Value {
    json::merged(json!({ "schema": 1 }), object)
}

fn error_object(error: &Error) -> Value {
    json!({ "kind": error.kind().name(), "message": error.message(), "device": error.device() })
}

fn tabbed(rows: &[Vec<String>]) -> String {
    rows.iter().map(|row| row.join("\t")).collect::<Vec<_>>().join("\n")
}

fn aligned(heading: &[&str], rows: &[Vec<String>]) -> String {
    let heading: Vec<String> = heading.iter().map(|word| word.to_uppercase()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&heading).chain(rows).collect();
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let print = |line: &&Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(print).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_for_people_and_not_for_programs() {
        let rows = [vec!["camera".to_owned(), "é".to_owned()], vec!["mount".to_owned(), "".to_owned()]];
        assert_eq!(aligned(&["kind", "name"], &rows), "KIND    NAME\ncamera  é\nmount");
        assert_eq!(tabbed(&rows), "camera\té\nmount\t");
    }

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        let error = |kind| Error::io("x", io::Error::from(kind));
        assert!(is_broken_pipe(&error(IoKind::BrokenPipe)));
        assert!(!is_broken_pipe(&error(IoKind::StorageFull)));
    }
}
