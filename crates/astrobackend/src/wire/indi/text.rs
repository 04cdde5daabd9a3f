//! Escaping and unescaping: the five entities that INDI knows, and bytes that are not UTF-8.

use super::tag::Span;
use memchr::memchr;
use std::borrow::Cow;

/// The bytes of a message, of which texts are parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    bytes: &'a [u8],
    /// All of it as it is, when nothing in it has to be decoded: checked once, instead of for each text.
    plain: Option<&'a str>,
}

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let plain = std::str::from_utf8(bytes).ok().filter(|_| memchr(b'&', bytes).is_none());
        Source { bytes, plain }
    }

    /// A part as it is.
    pub(super) fn raw(&self, (from, to): Span) -> &'a [u8] {
        self.bytes.get(from as usize..to as usize).unwrap_or_default()
    }

    /// A part as a text.
    pub(super) fn text(&self, (from, to): Span) -> Cow<'a, str> {
        match self.plain.and_then(|plain| plain.get(from as usize..to as usize)) {
            Some(text) => Cow::Borrowed(text),
            None => decode(self.raw((from, to))),
        }
    }
}

const ENTITIES: [(&[u8], u8); 5] =
    [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];

/// Where a byte is first found, usually only a few bytes on: a vectorised search would take longer to begin.
pub(super) fn find(wanted: u8, bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 64;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (eights, _) = bytes[..bytes.len().min(NEAR)].as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        // A byte that is the wanted one becomes zero; the lowest zero byte is marked in its highest bit.
        let differs = u64::from_le_bytes(*eight) ^ (ONES * u64::from(wanted));
        let zeros = differs.wrapping_sub(ONES) & !differs & (ONES << 7);
        if zeros != 0 {
            return Some(index * 8 + (zeros.trailing_zeros() / 8) as usize);
        }
    }
    let looked = eights.len() * 8;
    memchr(wanted, &bytes[looked..]).map(|at| looked + at)
}

/// The text of an attribute or an element: entities resolved, and Latin-1 understood where it is no UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if memchr(b'&', bytes).is_none() {
        return to_text(bytes);
    }
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
    Cow::Owned(to_text(&plain).into_owned())
}

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
            prop_assert_eq!(find(wanted, &bytes), bytes.iter().position(|byte| *byte == wanted));
            let high: Vec<u8> = bytes.iter().map(|byte| byte | 0x80).collect();
            prop_assert_eq!(find(wanted | 0x80, &high), high.iter().position(|byte| *byte == wanted | 0x80));
            prop_assert_eq!(find(wanted, &high), None);
        }

        #[test]
        fn escaping_is_undone_by_decoding(text in "[^\0]{0,40}") {
            let mut escaped = Vec::new();
            escape(&text, &mut escaped);
            prop_assert_eq!(decode(&escaped), text);
        }
    }
}
