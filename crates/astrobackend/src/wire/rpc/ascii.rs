//! JSON in ASCII only, as the original programs write and expect it.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

struct Ascii(CompactFormatter);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() {
            return to.write_all(fragment.as_bytes());
        }
        fragment.chars().try_for_each(|c| match c.is_ascii() {
            true => to.write_all(&[c as u8]),
            false => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(to, "\\u{unit:04x}")),
        })
    }
}

/// Appends a value as one line; nothing of one that JSON cannot say.
pub(super) fn write_line(to: &mut Vec<u8>, value: &impl Serialize) -> Result<(), serde_json::Error> {
    let before = to.len();
    let written = value.serialize(&mut Serializer::with_formatter(&mut *to, Ascii(CompactFormatter)));
    match written {
        Ok(()) => to.push(b'\n'),
        Err(_) => to.truncate(before),
    }
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_a_line_of_ascii_that_reads_the_same(text in "\\PC*|[\\x00-\\x1f\u{1F52D}\u{fc}]*") {
            let mut line = Vec::new();
            super::write_line(&mut line, &text).unwrap();
            prop_assert!(line.is_ascii() && line.iter().filter(|byte| **byte == b'\n').count() == 1);
            prop_assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
        }
    }
}
