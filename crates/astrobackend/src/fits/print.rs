//! Cards to the 80-character records of the file (FITS 4.0, sections 4.1 and 4.2).

use super::{Card, Value};

/// Characters of a record.
pub(super) const RECORD: usize = 80;
/// Columns of `COMMENT` and `HISTORY` after the keyword.
const COMMENTARY: usize = RECORD - 8;
/// Characters between the quotes of a text that begins in column 11.
const TEXT: usize = RECORD - 12;
/// Between a value and its comment.
const SLASH: &str = " / ";
/// Characters of a comment behind a value that there is not.
const NO_VALUE: usize = RECORD - 33;

/// The records of a valid card, each exactly 80 ASCII characters.
pub(super) fn lines(card: &Card) -> Vec<String> {
    if card.is_commentary() {
        return vec![padded(format!("{:8}{}", card.keyword, card.comment))];
    }
    let lead = lead(card);
    match &card.value {
        // A text without a value, which has all of the record behind the keyword (section 4.1.2.3).
        Value::None if !hierarchical(card) && card.comment.len() > NO_VALUE && !card.comment.starts_with("= ") => {
            vec![padded(format!("{:8}{}", card.keyword, card.comment))]
        }
        Value::Text(text) if escaped(text).len() > TEXT && !hierarchical(card) => long_text(&lead, text, &card.comment),
        value => vec![with_comment(format!("{lead}{}", field(value, hierarchical(card))), &card.comment)],
    }
}

/// True when keyword and value leave at least the record's end free.
pub(super) fn fits_one_line(card: &Card) -> bool {
    lead(card).len() + field(&card.value, true).len() <= RECORD
}

/// The text in pieces that fit `COMMENT` records, broken at blanks where there are any.
pub(super) fn wrapped(text: &str) -> Vec<String> {
    let mut rest = text.trim_end();
    let mut pieces = Vec::new();
    while rest.len() > COMMENTARY {
        let end = rest[..=COMMENTARY].rfind(' ').filter(|end| !rest[..*end].trim().is_empty()).unwrap_or(COMMENTARY);
        pieces.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    pieces.push(rest.to_owned());
    pieces
}

fn hierarchical(card: &Card) -> bool {
    card.keyword.len() > 8
}

fn lead(card: &Card) -> String {
    match hierarchical(card) {
        true => format!("{} = ", card.keyword),
        false => format!("{:8}= ", card.keyword),
    }
}

/// The value in the fixed format, or as short as possible.
fn field(value: &Value, short: bool) -> String {
    match value {
        Value::Text(text) if short => format!("'{}'", escaped(text)),
        Value::Text(text) => format!("{:20}", format!("'{:8}'", escaped(text))),
        other if short => unquoted(other),
        other => format!("{:>20}", unquoted(other)),
    }
}

/// The value as it stands in the file, a text without its quotes.
pub(super) fn unquoted(value: &Value) -> String {
    match value {
        Value::Logical(true) => "T".to_owned(),
        Value::Logical(false) => "F".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => real(*value),
        Value::Text(text) => text.clone(),
        Value::None => String::new(),
    }
}

/// The shortest number that reads back equal, always with a decimal point.
fn real(value: f64) -> String {
    let text = format!("{value:?}").to_uppercase();
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

fn escaped(text: &str) -> String {
    text.replace('\'', "''")
}

/// A text over several records, the comment after its last piece (section 4.2.1.2).
fn long_text(lead: &str, text: &str, comment: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        let width = if c == '\'' { 2 } else { 1 };
        if pieces.last().is_some_and(|piece| piece.len() + width >= TEXT) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
            piece.extend((c == '\'').then_some(c));
        }
    }
    if pieces.last().is_some_and(|piece| piece.len() + comment.len() + SLASH.len() > TEXT) {
        pieces.push(String::new());
    }
    let last = pieces.len() - 1;
    let record = |(n, piece): (usize, &String)| {
        let lead = if n == 0 { lead } else { "CONTINUE  " };
        match n == last {
            true => with_comment(format!("{lead}'{piece}'"), comment),
            false => padded(format!("{lead}'{piece}&'")),
        }
    };
    pieces.iter().enumerate().map(record).collect()
}

/// With as much of the comment as there is room for; without its slash where that is nothing.
fn with_comment(line: String, comment: &str) -> String {
    let room = RECORD.saturating_sub(line.len() + SLASH.len()).min(comment.len());
    match comment.get(..room).unwrap_or_default().trim_end() {
        "" => padded(line),
        comment => padded(format!("{line}{SLASH}{comment}")),
    }
}

/// Exactly 80 characters; what is cut off can only be the end of a comment.
fn padded(mut line: String) -> String {
    line.truncate(RECORD);
    format!("{line:RECORD$}")
}
