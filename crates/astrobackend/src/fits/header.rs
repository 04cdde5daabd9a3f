//! The header: an ordered list of cards.

/// The value of a card (FITS 4.0, section 4.2).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `T` or `F`.
    Logical(bool),
    /// An integer.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// A text in quotes.
    Text(String),
    /// No value: `COMMENT`, `HISTORY`, or a keyword without one.
    None,
}

/// One line of the header.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// At most eight characters of `A` to `Z`, `0` to `9`, `-` and `_`.
    pub keyword: String,
    /// The value.
    pub value: Value,
    /// The comment, with the unit first in square brackets.
    pub comment: String,
}

/// Cards in their order.
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
}
