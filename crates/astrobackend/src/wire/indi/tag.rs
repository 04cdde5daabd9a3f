//! One tag: its name, its attributes, and where it ends, in one pass over its bytes.

use super::text::{ONES, decode, eight, find};
use std::{borrow::Cow, ops::Range};

/// What a look at a tag found; places count from the beginning of the bytes that were looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// All of it: the place behind its `>`.
    Whole(usize),
    /// The `>` has not come yet.
    Half,
    /// Another `<` begins there: this tag was torn off.
    Torn(usize),
}

/// The name of the tag whose `<` stands at `open`, and the place behind it. That of a closing tag begins with its
/// slash; one that is not there as a whole yet may be longer.
#[inline]
pub(super) fn name(bytes: &[u8], open: usize) -> (&[u8], usize) {
    let from = open + 1;
    let end = match bytes.get(from) {
        // All of a comment or declaration, which may hold apostrophes.
        Some(b'!' | b'?') => find(b'>', bytes, from).unwrap_or(bytes.len()),
        Some(b'/') => word_end(bytes, from + 1),
        _ => word_end(bytes, from),
    };
    match bytes.get(from..end).unwrap_or_default() {
        closing @ [b'/', ..] => (closing, end),
        [empty @ .., b'/'] if bytes.get(end) == Some(&b'>') => (empty, end),
        name => (name, end),
    }
}

/// Looks at the rest of a tag, behind its name. Gives out the names of its attributes and where their values are; what
/// is no `name="value"` is passed over.
#[inline]
pub(super) fn look<'a>(bytes: &'a [u8], name_end: usize, mut take: impl FnMut(&'a [u8], Range<usize>)) -> Look {
    let mut at = name_end;
    while let Some((name, value, end)) = attribute(bytes, at) {
        take(name, value);
        at = end;
    }
    // The word that may turn out to be an attribute's name, and whether its `=` has been seen.
    let (mut word, mut equals) = (&[][..], false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'>' => return Look::Whole(at + 1),
            b'<' => return Look::Torn(at),
            b'=' => equals = true,
            b'"' | b'\'' => {
                let Some(end) = find(*byte, bytes, at + 1) else { return Look::Half };
                if equals {
                    take(word, at + 1..end);
                }
                at = end;
                (word, equals) = (&[], false);
            }
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => {
                let end = word_end(bytes, at);
                (word, equals) = (&bytes[at..end], false);
                at = end;
                continue;
            }
        }
        at += 1;
    }
    Look::Half
}

/// An attribute as nearly all are written, ` name="value"`, and the place behind it; `None` for what takes a closer
/// look.
#[inline(always)]
fn attribute(bytes: &[u8], at: usize) -> Option<(&[u8], Range<usize>, usize)> {
    let (b' ', from) = (bytes.get(at)?, at + 1) else { return None };
    let name_end = word_end(bytes, from);
    let (b'=', quote @ (b'"' | b'\'')) = (bytes.get(name_end)?, bytes.get(name_end + 1)?) else { return None };
    let value = name_end + 2;
    let end = find(*quote, bytes, value)?;
    Some((&bytes[from..name_end], value..end, end + 1))
}

/// Where the word that begins here ends: at a blank or at a character that means something in a tag.
#[inline(always)]
fn word_end(bytes: &[u8], from: usize) -> usize {
    let delimits = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'=' | b'>' | b'<' | b'"' | b'\'');
    let mut at = from;
    // Eight at a time past what has the bit that all letters have and no delimiter has.
    while let Some(eight) = eight(bytes, at) {
        let others = !eight & (ONES << 6);
        if others == 0 {
            at += 8;
            continue;
        }
        at += (others.trailing_zeros() / 8) as usize;
        if bytes.get(at).is_none_or(delimits) {
            return at;
        }
        at += 1;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(delimits).map_or(bytes.len(), |length| at + length)
}

/// The first attribute of a name, of the tag that begins with these bytes.
pub(super) fn find_attribute<'a>(tag: &'a [u8], wanted: &[u8]) -> Option<Cow<'a, str>> {
    let mut found = None;
    let (_, name_end) = name(tag, 0);
    look(tag, name_end, |name, value| {
        if name == wanted && found.is_none() {
            found = Some(value);
        }
    });
    found.map(|value| decode(&tag[value]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(tag: &str) -> (Look, Vec<(&str, &str)>) {
        let mut found = Vec::new();
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        let (_, name_end) = name(tag.as_bytes(), 0);
        let look = look(tag.as_bytes(), name_end, |name, value| found.push((text(name), &tag[value])));
        (look, found)
    }

    #[test]
    fn attributes_are_found_among_anything() {
        let (look, found) = attributes("<a  b='c>' d = \"it's\"\n e=f g g='' ='x' 'y' h='z'/> k='l'");
        assert_eq!(look, Look::Whole(50));
        assert_eq!(found, [("b", "c>"), ("d", "it's"), ("g", ""), ("", "x"), ("h", "z")]);
        assert_eq!(find_attribute(b"<a b='1' c='2' c='3'>", b"c").as_deref(), Some("2"));
    }

    #[test]
    fn half_and_torn_tags() {
        assert_eq!(attributes("<a b='c").0, Look::Half);
        assert_eq!(attributes("<a b").0, Look::Half);
        assert_eq!(attributes("<a b='<' <c>").0, Look::Torn(9));
        assert_eq!(attributes("<!-- it's <b> here").0, Look::Whole(13));
    }

    #[test]
    fn names_are_found_with_any_end() {
        let name = |tag: &'static str| std::str::from_utf8(name(tag.as_bytes(), 0).0).unwrap();
        for (tag, expected) in [
            ("<oneNumber name='a'>", "oneNumber"),
            ("<setNumberVector\n>", "setNumberVector"),
            ("<a-1.b/>", "a-1.b"),
            ("</oneNumber>", "/oneNumber"),
            ("</oneNumb", "/oneNumb"),
            ("<!-- a 'b' -->", "!-- a 'b' --"),
            ("<>", ""),
            ("</>", "/"),
            ("< a>", ""),
            ("<", ""),
        ] {
            assert_eq!(name(tag), expected, "{tag}");
        }
    }
}
