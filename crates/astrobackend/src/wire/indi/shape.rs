//! The shape of a message: all that is not a value. Updates come in the shape of the one before, and of such a
//! message only the values have to be sought.
//!
//! Tags, names of attributes and quotes decide how the bytes are read. Where they are the same, byte for byte, and
//! each value ends where its quote or the next tag is, a closer look would find the same parts.

use super::{
    parser::MAX_TAG,
    parts::Part,
    root::{Root, Verb},
    text::find,
};

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
        // So far both are the same.
        let (mut here, mut there) = (0, 0);
        for known in &self.parts {
            let range = known.range();
            let same = range.start - there;
            if known.key.begins() {
                parts.push(Part::new(known.key, here + same..here + same + range.len()));
                continue;
            }
            if bytes.get(here..here + same)? != &self.bytes[there..range.start] {
                return None;
            }
            let from = here + same;
            here = find(self.bytes[range.end], bytes, from)?;
            there = range.end;
            parts.push(Part::new(known.key, from..here));
        }
        let rest = &self.bytes[there..];
        let length = here + rest.len();
        (bytes.get(here..length)? == rest && length <= limit.min(MAX_TAG)).then_some((root, length))
    }
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
