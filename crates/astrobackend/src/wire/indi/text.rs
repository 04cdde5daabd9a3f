//! Escaping and unescaping: the five entities that INDI knows, and bytes that are not UTF-8.

use memchr::memchr;
use std::{borrow::Cow, ops::Range};

/// The bytes of a message, of which texts are parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) bytes: &'a [u8],
    /// Their beginning, usually all of them, as far as it is a text as it is: looked at once instead of for each part.
    plain: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        const USUAL: usize = 256;
        let beginning = &bytes[..bytes.len().min(USUAL)];
        let plain = match std::str::from_utf8(beginning) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&beginning[..error.valid_up_to()]).unwrap_or_default(),
        };
        let end = memchr(b'&', plain.as_bytes()).unwrap_or(plain.len());
        Source { bytes, plain: plain.get(..end).unwrap_or_default() }
    }

    /// A part as a text.
    pub(super) fn text(&self, part: Range<usize>) -> Cow<'a, str> {
        match self.plain.get(part.clone()) {
            Some(text) => Cow::Borrowed(text),
            None => decode(&self.bytes[part]),
        }
    }
}

const ENTITIES: [(&[u8], u8); 5] =
    [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];

/// One in each of eight bytes.
pub(super) const ONES: u64 = 0x0101_0101_0101_0101;

/// Where a byte is first found from a place on, usually only a few bytes on: a vectorised search would take longer to
/// begin.
#[inline]
pub(super) fn find(wanted: u8, bytes: &[u8], from: usize) -> Option<usize> {
    const NEAR: usize = 64;
    let mut at = from;
    while let Some(eight) = eight(bytes, at) {
        // A byte that is the wanted one becomes zero; the lowest zero byte is marked in its highest bit.
        let differs = eight ^ (ONES * u64::from(wanted));
        let zeros = differs.wrapping_sub(ONES) & !differs & (ONES << 7);
        if zeros != 0 {
            return Some(at + (zeros.trailing_zeros() / 8) as usize);
        }
        at += 8;
        if at >= from + NEAR {
            return memchr(wanted, &bytes[at..]).map(|length| at + length);
        }
    }
    bytes.get(at..)?.iter().position(|byte| *byte == wanted).map(|length| at + length)
}

/// The eight bytes at a place, if there are so many.
#[inline]
pub(super) fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight))
}

/// The text of an attribute or an element: entities resolved, and Latin-1 understood where it is no UTF-8.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match find(b'&', bytes, 0) {
        None => to_text(bytes),
        Some(_) => Cow::Owned(to_text(&resolve(bytes)).into_owned()),
    }
}

/// The same with its entities resolved.
fn resolve(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr(b'&', rest) {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let (entity, byte) = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)).unwrap_or(&(b"&", b'&'));
        plain.push(*byte);
        rest = &rest[entity.len()..];
    }
    plain.extend_from_slice(rest);
    plain
}

#[inline]
fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// Appends a text with the five entities in it; NUL would reset other parsers and is left out.
pub(super) fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes().filter(|byte| *byte != 0) {
        match ENTITIES.iter().find(|(_, plain)| *plain == byte) {
            Some((entity, _)) => out.extend_from_slice(entity),
            None => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_entity_passes_through() {
        assert_eq!(decode(b"a &amp; b &#65; &bogus; &"), "a & b &#65; &bogus; &");
        assert_eq!(decode(b"20 \xB0C"), "20 \u{B0}C");
        assert_eq!(decode("20 \u{B0}C".as_bytes()), "20 \u{B0}C");
    }

    proptest! {
        #[test]
        fn a_byte_is_found_wherever_it_is(bytes in proptest::collection::vec(0u8..9, 0..200), wanted in 0u8..9) {
            prop_assert_eq!(find(wanted, &bytes, 0), bytes.iter().position(|byte| *byte == wanted));
            let high: Vec<u8> = bytes.iter().map(|byte| byte | 0x80).collect();
            prop_assert_eq!(find(wanted | 0x80, &high, 0), high.iter().position(|byte| *byte == wanted | 0x80));
            prop_assert_eq!(find(wanted, &high, 0), None);
        }

        #[test]
        fn escaping_is_undone_by_decoding(text in "[^\0]{0,40}") {
            let mut escaped = Vec::new();
            escape(&text, &mut escaped);
            prop_assert_eq!(decode(&escaped), text);
        }
    }
}
