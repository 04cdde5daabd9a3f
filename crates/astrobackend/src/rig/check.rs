//! What is wrong with a rig file, said so that the line can be found and mended.

use std::{fmt, ops::Range};

/// One thing that is wrong: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the line, from 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl Problem {
    /// At a place in the text, given in bytes.
    pub(super) fn at(text: &str, span: Range<usize>, message: String) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Problem { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1, message }
    }
}

/// `7:3: there is no key "latitud" in [site]; did you mean "latitude"?`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// `; did you mean "latitude"?` when one of the words is close enough, else the words there are.
pub(super) fn did_you_mean(wrong: &str, known: &[&str]) -> String {
    let close = known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&wrong.to_lowercase(), word), word))
        .filter(|(distance, word)| *distance <= 1 + word.len() / 4)
        .min();
    match close {
        Some((_, word)) => format!("; did you mean {word:?}?"),
        None => format!("; there are {}", known.join(", ")),
    }
}
