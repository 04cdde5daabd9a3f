//! The shape of a message: all that is not a value. Updates come in the shape of the one before, and of such a
//! message only the values have to be sought.
//!
//! Tags, names of attributes and quotes decide how the bytes are read. Where they are the same, byte for byte, and
//! each value ends where its quote or the next tag is, a closer look would find the same parts.

use super::{
    parser::MAX_TAG,
    parts::Part,
    root::{Root, Verb},
    text::{eight, find},
};
use std::ops::Range;

/// Bytes of a message whose shape is kept.
const MAX_SHAPE: usize = 4096;

/// The shape of the last update.
#[derive(Debug, Default)]
pub(super) struct Shape {
    root: Option<Root>,
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

impl Shape {
    /// Keeps the shape of a message whose parts are noted, if it is an update.
    pub(super) fn learn(&mut self, root: Root, bytes: &[u8], parts: &[Part]) {
        if matches!(root, Root::Vector(Verb::Set, _)) && bytes.len() <= MAX_SHAPE {
            self.root = Some(root);
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
            self.parts.clear();
            self.parts.extend_from_slice(parts);
        }
    }

    /// Notes the parts of the message that begins with these bytes, if it has this shape; what it is and how long.
    pub(super) fn note(&self, bytes: &[u8], limit: usize, parts: &mut Vec<Part>) -> Option<(Root, usize)> {
        let root = self.root?;
        parts.clear();
        // From these places on so many bytes are the same.
        let (mut here, mut there, mut same) = (0, 0, common(bytes, &self.bytes));
        for known in &self.parts {
            let Range { start, end } = known.range();
            let from = here + (start - there);
            if known.key.begins() || end < there + same {
                parts.push(Part::new(known.key, from..from + (end - start)));
                continue;
            }
            if start > there + same {
                return None;
            }
            here = find(self.bytes[end], bytes, here + same)?;
            there = end;
            same = common(&bytes[here..], &self.bytes[there..]);
            parts.push(Part::new(known.key, from..here));
        }
        let length = here + (self.bytes.len() - there);
        (there + same == self.bytes.len() && length <= limit.min(MAX_TAG)).then_some((root, length))
    }
}

/// How many bytes both begin with.
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut at = 0;
    while let (Some(eight_a), Some(eight_b)) = (eight(a, at), eight(b, at)) {
        if eight_a != eight_b {
            return at + ((eight_a ^ eight_b).trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + a[at..].iter().zip(&b[at..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use crate::wire::indi::Parser;

    fn read(parser: &mut Parser, text: &str) -> Vec<String> {
        parser.push(text.as_bytes());
        let mut read = Vec::new();
        while let Some(message) = parser.next_message() {
            read.push(message.map_or_else(|error| error.to_string(), |message| format!("{message:?}")));
        }
        read
    }

    #[test]
    fn what_came_before_makes_no_difference() {
        let update = |device: &str, x: &str, y: &str| {
            format!(
                "<setNumberVector device=\"{device}\" name='V' state='Ok'>\n  <oneNumber name='X'>{x}</oneNumber>\n  \
                 <oneNumber name='Y'>\n{y}\n</oneNumber>\n</setNumberVector>\n"
            )
        };
        let usual = update("D", "1", "2");
        let texts = [
            usual.clone(),
            update("Another", "-17.25", "1:30"),
            update("it's <that>", "", "x"),
            update("&quot;\u{e9}\u{b0}", "1</oneNumber><oneNumber name='Z'>3", "2"),
            update("", "1", "2"),
            update("D\" label=\"L", "1", "2"),
            update(&"D".repeat(20_000), "1", "2"),
            usual.replace("'X'", "''"),
            usual.replace("'Y'", "\"Y'\""),
            usual.replace("oneNumber", "oneText"),
            usual.replace("</setNumberVector>", "<message message='m'/>"),
            usual.replace("'Ok'>", "'Ok'/>"),
            usual.replace("set", "new"),
        ];
        for before in &texts {
            for text in &texts {
                let mut parser = Parser::default();
                read(&mut parser, before);
                read(&mut parser, "</setNumberVector>");
                assert_eq!(read(&mut parser, text), read(&mut Parser::default(), text), "{text} after {before}");
            }
        }
    }
}
