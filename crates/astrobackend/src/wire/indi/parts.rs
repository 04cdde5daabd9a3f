//! Where the parts of a message lie: one pass over its bytes, which makes nothing of them yet.

use super::{
    parser::MAX_TAG,
    root::Root,
    tag::{Look, look, name},
    text::find,
};
use std::ops::Range;

/// What a part is: the value of an attribute, a text, or the name of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Device,
    Name,
    Label,
    Group,
    State,
    Perm,
    Rule,
    Timeout,
    Timestamp,
    Message,
    Format,
    Min,
    Max,
    Step,
    Size,
    Length,
    Attached,
    Uid,
    /// What follows the tag, with the blanks around it.
    Text,
    /// An element begins; all up to the next one are its parts.
    Element,
    /// The same, and its content is not text but the next of the message's files.
    File,
}

impl Key {
    fn of_attribute(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"device" => Key::Device,
            b"name" => Key::Name,
            b"label" => Key::Label,
            b"group" => Key::Group,
            b"state" => Key::State,
            b"perm" => Key::Perm,
            b"rule" => Key::Rule,
            b"timeout" => Key::Timeout,
            b"timestamp" => Key::Timestamp,
            b"message" => Key::Message,
            b"format" => Key::Format,
            b"min" => Key::Min,
            b"max" => Key::Max,
            b"step" => Key::Step,
            b"size" => Key::Size,
            b"len" => Key::Length,
            b"attached" => Key::Attached,
            b"uid" => Key::Uid,
            _ => return None,
        })
    }

    /// True at the beginning of an element.
    pub(super) fn begins(self) -> bool {
        matches!(self, Key::Element | Key::File)
    }
}

/// A part of a message and where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) key: Key,
    from: u32,
    to: u32,
}

impl Part {
    pub(super) fn new(key: Key, range: Range<usize>) -> Self {
        Part { key, from: range.start as u32, to: range.end as u32 }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.from as usize..self.to as usize
    }
}

/// Notes the parts of the message that begins with these bytes: those of the root, then of its elements. Tells what it
/// is and how long; `None` when it is not all there, is torn, or has more than `limit` bytes before its last tag. One
/// with files in it must have been `received` before, without their content.
pub(super) fn note(bytes: &[u8], limit: usize, received: bool, parts: &mut Vec<Part>) -> Option<(Root, usize)> {
    parts.clear();
    let (tag, name_end) = name(bytes, 0);
    let root = Root::parse(tag)?;
    let mut at = note_attributes(bytes, 0, name_end, parts)?;
    if bytes[at - 2] == b'/' {
        return Some((root, at));
    }
    let next = |from| find(b'<', bytes, from).filter(|place| *place <= limit);
    // Of the roots only this one has a text.
    let mut text = Some(at).filter(|_| root == Root::EnableBlob);
    loop {
        at = next(at)?;
        if let Some(from) = text.take() {
            parts.push(Part::new(Key::Text, from..at));
        }
        let (tag, name_end) = name(bytes, at);
        match (tag, Root::parse(tag)) {
            // A root never stands inside another.
            (_, Some(_)) => return None,
            ([b'/', ..], None) => {
                let end = pass(bytes, at, name_end, |_, _| {})?;
                if Root::parse(bytes[at + 2..end - 1].trim_ascii()) == Some(root) {
                    return Some((root, end));
                }
                at = end;
            }
            ([b'o', b'n', b'e', ..] | [b'd', b'e', b'f', ..], None) => {
                let element = parts.len();
                parts.push(Part::new(Key::Element, at + 1..at + 1 + tag.len()));
                at = note_attributes(bytes, at, name_end, parts)?;
                if bytes[at - 2] != b'/' {
                    text = Some(at);
                    if root.is_file(tag) {
                        parts.get_mut(element).filter(|_| received)?.key = Key::File;
                    }
                }
            }
            _ => at = pass(bytes, at, name_end, |_, _| {})?,
        }
    }
}

/// The place behind the tag that opens here; gives out its attributes.
fn pass<'a>(bytes: &'a [u8], open: usize, name_end: usize, take: impl FnMut(&'a [u8], Range<usize>)) -> Option<usize> {
    match look(&bytes[..bytes.len().min(open + MAX_TAG)], name_end, take) {
        Look::Whole(end) => Some(end),
        Look::Half | Look::Torn(_) => None,
    }
}

fn note_attributes(bytes: &[u8], open: usize, name_end: usize, parts: &mut Vec<Part>) -> Option<usize> {
    pass(bytes, open, name_end, |name, value| {
        if let Some(key) = Key::of_attribute(name) {
            parts.push(Part::new(key, value));
        }
    })
}
