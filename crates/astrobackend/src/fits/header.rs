//! The header: an ordered list of cards, valid at any time.
//!
//! What is put in is checked or made valid at once (FITS 4.0, section 4), so that writing cannot fail later.

use super::{print, structural};
use crate::{Error, Result};
use std::fmt;

/// The value of a card (FITS 4.0, section 4.2).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `T` or `F`.
    Logical(bool),
    /// An integer.
    Integer(i64),
    /// A real number; always finite within a [`Header`].
    Real(f64),
    /// A text in quotes; printable ASCII without trailing blanks within a [`Header`].
    Text(String),
    /// No value: `COMMENT`, `HISTORY`, or a keyword without one.
    None,
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self { Value::$variant(value.into()) }
        }
    )*};
}

value_from!(bool => Logical, u8 => Integer, i16 => Integer, u16 => Integer, i32 => Integer, u32 => Integer,
    i64 => Integer, f64 => Real, &str => Text, String => Text);

/// One line of the header; a text longer than a line continues on the next (`CONTINUE`).
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// At most eight characters of `A` to `Z`, `0` to `9`, `-` and `_`; empty for a blank line of text;
    /// or `HIERARCH` with the words after it, as the European observatories write.
    pub keyword: String,
    /// The value.
    pub value: Value,
    /// The comment, with the unit first in square brackets; the text of `COMMENT` and `HISTORY`.
    pub comment: String,
}

impl Card {
    /// A card with a value; checked when it is put into a [`Header`].
    pub fn new(keyword: impl Into<String>, value: impl Into<Value>, comment: impl Into<String>) -> Self {
        Card { keyword: keyword.into(), value: value.into(), comment: comment.into() }
    }

    /// `COMMENT`, `HISTORY` and the blank keyword may be repeated and have no value.
    pub(super) fn is_commentary(&self) -> bool {
        matches!(self.keyword.as_str(), "" | "COMMENT" | "HISTORY")
    }
}

/// Cards in their order: each keyword once, except for `COMMENT`, `HISTORY` and the blank one.
///
/// Texts are in printable ASCII, the only characters FITS allows: others are written in the nearest
/// Latin letters (`Jürgen` becomes `Jurgen`), or as `?`.
///
/// ```
/// use astrobackend::fits::Header;
/// let mut header = Header::new();
/// header.set("observer", "Jürgen", "who observes")?;
/// header.set("EXPTIME", 5.0, "[s] exposure time")?;
/// assert_eq!(header.text("OBSERVER"), Some("Jurgen"));
/// assert_eq!(header.real("EXPTIME"), Some(5.0));
/// assert!(header.set("EXPOSURETIME", 5.0, "").is_err());
/// # Ok::<(), astrobackend::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    cards: Vec<Card>,
}

impl Header {
    /// Without any card.
    pub fn new() -> Self {
        Header::default()
    }

    /// The cards.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// Sets a keyword: in its place when it is there already, else at the end.
    ///
    /// Lower case becomes upper case. Keywords that describe the file itself (`BITPIX`, `NAXIS1`,
    /// `CHECKSUM` ...) can be set, but writing computes its own.
    ///
    /// # Errors
    /// `InvalidValue` for a keyword that FITS does not allow, and for a number that is not finite.
    pub fn set(&mut self, keyword: &str, value: impl Into<Value>, comment: &str) -> Result<()> {
        self.push(Card::new(keyword, value, comment))
    }

    /// Adds a line of `COMMENT`, or several when the text is long.
    pub fn comment(&mut self, text: &str) {
        self.commentary("COMMENT", text);
    }

    /// Adds a line of `HISTORY`, or several when the text is long.
    pub fn history(&mut self, text: &str) {
        self.commentary("HISTORY", text);
    }

    /// Puts a card in, as [`Header::set`] does; `COMMENT`, `HISTORY` and blank ones are always added.
    ///
    /// # Errors
    /// As [`Header::set`].
    pub fn push(&mut self, card: Card) -> Result<()> {
        let card = checked(card)?;
        if card.is_commentary() {
            self.commentary(&card.keyword, &card.comment);
        } else {
            self.put(card);
        }
        Ok(())
    }

    /// Takes a card out; the first of that keyword.
    pub fn remove(&mut self, keyword: &str) -> Option<Card> {
        let index = self.cards.iter().position(|card| card.keyword == keyword)?;
        Some(self.cards.remove(index))
    }

    /// Takes over all cards of another header, whose values win.
    pub fn merge(&mut self, other: &Header) {
        for card in &other.cards {
            if card.is_commentary() {
                self.cards.push(card.clone());
            } else {
                self.put(card.clone());
            }
        }
    }

    /// Takes over what is not there yet; the values here stay.
    pub fn fill(&mut self, other: &Header) {
        for card in &other.cards {
            if card.is_commentary() || self.card(&card.keyword).is_none() {
                self.cards.push(card.clone());
            }
        }
    }

    /// Keeps only the cards that a condition holds for.
    pub fn retain(&mut self, keep: impl FnMut(&Card) -> bool) {
        self.cards.retain(keep);
    }

    /// The card of a keyword (upper case); the first one.
    pub fn card(&self, keyword: &str) -> Option<&Card> {
        self.cards.iter().find(|card| card.keyword == keyword)
    }

    /// The value of a keyword (upper case).
    pub fn get(&self, keyword: &str) -> Option<&Value> {
        self.card(keyword).map(|card| &card.value)
    }

    /// The value, when it is a text.
    pub fn text(&self, keyword: &str) -> Option<&str> {
        self.get(keyword)?.as_text()
    }

    /// The value as a real number, when it is a number.
    pub fn real(&self, keyword: &str) -> Option<f64> {
        self.get(keyword)?.as_real()
    }

    /// The value as an integer, when it is a number without fraction.
    pub fn integer(&self, keyword: &str) -> Option<i64> {
        self.get(keyword)?.as_integer()
    }

    /// The value, when it is `T` or `F`.
    pub fn logical(&self, keyword: &str) -> Option<bool> {
        match self.get(keyword)? {
            Value::Logical(value) => Some(*value),
            _ => None,
        }
    }

    /// Puts in a card known to be valid.
    pub(super) fn put(&mut self, card: Card) {
        match self.cards.iter_mut().find(|old| old.keyword == card.keyword) {
            Some(old) => *old = card,
            None => self.cards.push(card),
        }
    }

    /// Keeps the cards that describe the observation and not the file.
    pub(super) fn without_structure(mut self) -> Self {
        self.retain(|card| !structural(&card.keyword));
        self
    }

    fn commentary(&mut self, keyword: &str, text: &str) {
        for line in print::wrapped(&printable(text)) {
            self.cards.push(Card { keyword: keyword.to_owned(), value: Value::None, comment: line });
        }
    }
}

/// The lines of the file, 80 characters each.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for card in &self.cards {
            for line in print::lines(card) {
                writeln!(f, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }
}

/// As a person reads it: texts without quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&print::unquoted(self))
    }
}

impl Value {
    pub(super) fn as_logical(&self) -> Option<bool> {
        match self {
            Value::Logical(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_real(&self) -> Option<f64> {
        match self {
            Value::Real(value) => Some(*value),
            Value::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Integer(value) => Some(*value),
            Value::Real(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(*value as i64),
            _ => None,
        }
    }
}

/// The card made valid, or why it cannot be.
fn checked(card: Card) -> Result<Card> {
    let keyword = card.keyword.trim().to_ascii_uppercase();
    let refused = |why: &str| Err(Error::invalid(format!("FITS keyword {keyword:?} {why}")));
    let value = match card.value {
        Value::Real(value) if !value.is_finite() => return refused(&format!("cannot have the value {value}")),
        Value::Text(text) => Value::Text(printable(&text).trim_end().to_owned()),
        value => value,
    };
    let hierarchical = keyword.starts_with("HIERARCH ");
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-_".contains(c);
    if keyword == "END" || keyword == "CONTINUE" {
        return refused("belongs to the format itself");
    }
    if hierarchical && !keyword.chars().all(|c| allowed(c) || c == ' ') {
        return refused("may have only letters, digits, - and _ in its words");
    }
    if !hierarchical && (keyword.len() > 8 || !keyword.chars().all(allowed)) {
        return refused("is not one of up to 8 letters, digits, - and _");
    }
    let card = Card { keyword, value, comment: printable(&card.comment).trim_end().to_owned() };
    if card.is_commentary() {
        return commentary(card);
    }
    let card = Card { comment: card.comment.trim_start().to_owned(), ..card };
    if hierarchical && !print::fits_one_line(&card) {
        return Err(Error::invalid(format!("FITS keyword {:?} is too long for its value", card.keyword)));
    }
    Ok(card)
}

/// A value given to `COMMENT` or `HISTORY` is its text.
fn commentary(card: Card) -> Result<Card> {
    match (card.value, card.comment.is_empty()) {
        (Value::None, _) => Ok(Card { value: Value::None, ..card }),
        (Value::Text(text), true) => Ok(Card { value: Value::None, comment: text, ..card }),
        _ => Err(Error::invalid(format!("FITS keyword {:?} has a text only", card.keyword))),
    }
}

/// In the characters that FITS allows: 0x20 to 0x7E.
fn printable(text: &str) -> String {
    let mut latin = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if c.is_ascii() => latin.push(c),
            _ => latin.push_str(deunicode::deunicode_char(c).unwrap_or("?")),
        }
    }
    let allowed = |c: char| match c {
        ' '..='~' => c,
        '\t' | '\n' | '\r' => ' ',
        _ => '?',
    };
    latin.chars().map(allowed).collect()
}
