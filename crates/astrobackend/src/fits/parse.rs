//! The 80-character records of the file to cards. Forgiving: a bad record becomes a comment, never an error.

use super::{Card, Header, Value, print::RECORD};

/// Reads records up to `END`; `None` when it is not among them.
pub(super) fn header(records: &[u8]) -> Option<Header> {
    let mut cards: Vec<Card> = Vec::new();
    for record in records.chunks_exact(RECORD) {
        if record.starts_with(b"END     ") {
            return Some(collect(cards));
        }
        match (cards.last_mut(), continuation(record)) {
            (Some(last), Some(piece)) if unfinished(last) => append(last, piece),
            _ => cards.push(card(record)),
        }
    }
    None
}

/// Keeps the first of a repeated keyword: the standard leaves open which counts, and other readers do so.
fn collect(cards: Vec<Card>) -> Header {
    let mut header = Header::new();
    for card in cards {
        if !card.is_commentary() && header.card(&card.keyword).is_some() {
            continue;
        }
        let text = format!("{} {} {}", card.keyword, card.value, card.comment);
        if header.push(card).is_err() {
            header.comment(&text);
        }
    }
    header
}

fn unfinished(card: &Card) -> bool {
    card.value.as_text().is_some_and(|text| text.ends_with('&'))
}

/// The text and comment of a `CONTINUE` record.
fn continuation(record: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(record.strip_prefix(b"CONTINUE")?).into_owned();
    let (text, comment) = quoted(text.trim_start())?;
    Some((text, comment.to_owned()))
}

fn append(card: &mut Card, (piece, comment): (String, String)) {
    if let Value::Text(text) = &mut card.value {
        text.pop();
        text.push_str(&piece);
    }
    if !card.comment.is_empty() && !comment.is_empty() {
        card.comment.push(' ');
    }
    card.comment.push_str(&comment);
}

fn card(record: &[u8]) -> Card {
    let (name, rest) = record.split_at(8);
    let keyword = String::from_utf8_lossy(name).trim_end().to_ascii_uppercase();
    let rest = String::from_utf8_lossy(rest);
    if keyword == "HIERARCH"
        && let Some((words, field)) = rest.split_once('=')
    {
        let words: Vec<&str> = words.split_whitespace().collect();
        return valued(format!("HIERARCH {}", words.join(" ")), field);
    }
    match rest.strip_prefix("= ") {
        Some(field) if !matches!(keyword.as_str(), "" | "COMMENT" | "HISTORY") => valued(keyword, field),
        _ => Card::new(keyword, Value::None, rest.trim_end()),
    }
}

fn valued(keyword: String, field: &str) -> Card {
    let field = field.trim_start();
    if let Some((text, comment)) = quoted(field) {
        return Card::new(keyword, text, comment);
    }
    let (value, comment) = field.split_once('/').unwrap_or((field, ""));
    Card::new(keyword, unquoted(value.trim()), comment.trim())
}

/// A text in quotes at the start of the field, doubled quotes halved, and the comment after it.
fn quoted(field: &str) -> Option<(String, &str)> {
    let mut rest = field.strip_prefix('\'')?;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once('\'') {
        text.push_str(before);
        let Some(more) = after.strip_prefix('\'') else {
            let comment = after.split_once('/').map_or("", |(_, comment)| comment);
            return Some((text.trim_end().to_owned(), comment.trim()));
        };
        text.push('\'');
        rest = more;
    }
    // Without a closing quote the text goes on to the end of the record.
    text.push_str(rest);
    Some((text.trim_end().to_owned(), ""))
}

fn unquoted(text: &str) -> Value {
    match text {
        "" => return Value::None,
        "T" => return Value::Logical(true),
        "F" => return Value::Logical(false),
        _ => {}
    }
    if let Ok(integer) = text.parse() {
        return Value::Integer(integer);
    }
    // Some drivers write `nan`, which is no value.
    let number = text.replace(['d', 'D'], "E").parse::<f64>();
    match number {
        Ok(real) if real.is_finite() => Value::Real(real),
        Ok(_) => Value::None,
        Err(_) => Value::Text(text.to_owned()),
    }
}
