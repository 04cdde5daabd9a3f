//! From the parts of a message to the message, which borrows its bytes.

use super::{
    message::{Blob, BlobMode, Element, Elements, Message, Number, Perm, Rule, State, Vector},
    number::{parse_decimal, parse_number},
    parts::{Key, Part},
    root::{Kind, Root, Verb},
    tag::name,
    text::Source,
};
use crate::{Error, Result};
use std::{borrow::Cow, ops::Range, vec::IntoIter};

/// The content of a BLOB, taken out of its message.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) data: Vec<u8>,
    /// It held something that is not base64.
    pub(super) corrupt: bool,
}

/// Builds the message of these bytes, whose parts are noted.
pub(super) fn build<'a>(root: Root, bytes: &'a [u8], parts: &[Part], files: IntoIter<Received>) -> Result<Message<'a>> {
    let source = Source::new(bytes);
    let own = parts.iter().position(|part| part.key.begins()).unwrap_or(parts.len());
    let (own, elements) = parts.split_at(own);
    let get = |key| own.iter().find(|part| part.key == key).map(|part| source.text(part.range()));
    let need =
        |key, what| get(key).filter(|text| !text.is_empty()).ok_or_else(|| lacks(source, root_tag(source), what));
    let (device, name) = (|| get(Key::Device), || get(Key::Name));
    Ok(match root {
        Root::Vector(verb, kind) => {
            let vector = vector(source, kind, own, elements, files)?;
            match verb {
                Verb::Def => Message::Def(vector),
                Verb::Set => Message::Set(vector),
                Verb::New => Message::New(vector),
            }
        }
        Root::GetProperties => Message::GetProperties { device: device(), name: name() },
        Root::DelProperty => {
            Message::DelProperty { device: need(Key::Device, "device")?, name: name(), message: get(Key::Message) }
        }
        Root::Message => Message::Message {
            device: device(),
            timestamp: get(Key::Timestamp),
            text: get(Key::Message).unwrap_or_default(),
        },
        Root::EnableBlob => {
            let mode = get(Key::Text).and_then(|text| BlobMode::parse(text.trim_ascii()));
            let mode = mode.ok_or_else(|| Error::protocol("an enableBLOB has no known mode"))?;
            Message::EnableBlob { device: device(), name: name(), mode }
        }
        Root::PingRequest => Message::PingRequest { uid: need(Key::Uid, "uid")? },
        Root::PingReply => Message::PingReply { uid: need(Key::Uid, "uid")? },
    })
}

fn vector<'a>(
    source: Source<'a>,
    kind: Kind,
    own: &[Part],
    parts: &[Part],
    mut files: IntoIter<Received>,
) -> Result<Vector<'a>> {
    let count = check(source, parts, files.as_slice())?;
    let elements = match kind {
        Kind::Text => Elements::Text(elements(source, parts, count)),
        Kind::Number => Elements::Number(elements(source, parts, count)),
        Kind::Switch => Elements::Switch(elements(source, parts, count)),
        Kind::Light => Elements::Light(elements(source, parts, count)),
        Kind::Blob => {
            let mut blobs: Vec<Element<'a, Blob<'a>>> = elements(source, parts, count);
            let carrying = blobs.iter_mut().zip(groups(parts)).filter(|(_, parts)| is_file(parts));
            carrying.zip(&mut files).for_each(|((blob, _), file)| blob.value.data = file.data);
            Elements::Blob(blobs)
        }
    };
    let mut vector = Vector::new("", "", elements);
    for part in own {
        let range = part.range();
        match part.key {
            Key::Device => vector.device = source.text(range),
            Key::Name => vector.name = source.text(range),
            Key::Label => vector.label = Some(source.text(range)),
            Key::Group => vector.group = Some(source.text(range)),
            Key::State => vector.state = word(source, range, State::parse),
            Key::Perm => vector.perm = word(source, range, Perm::parse),
            Key::Rule => vector.rule = word(source, range, Rule::parse),
            Key::Timeout => vector.timeout = number(source, range),
            Key::Timestamp => vector.timestamp = Some(source.text(range)),
            Key::Message => vector.message = Some(source.text(range)),
            _ => {}
        }
    }
    if vector.device.is_empty() || vector.name.is_empty() {
        let what = if vector.device.is_empty() { "device" } else { "name" };
        return Err(lacks(source, root_tag(source), what));
    }
    Ok(vector)
}

/// The parts of each element.
fn groups(parts: &[Part]) -> impl Iterator<Item = &[Part]> {
    parts.chunk_by(|_, next| !next.key.begins())
}

/// Refuses elements without a name, and files that are none; tells how many elements there are.
fn check(source: Source<'_>, parts: &[Part], files: &[Received]) -> Result<usize> {
    let (mut files, mut count) = (files.iter(), 0);
    for parts in groups(parts) {
        let name = parts.iter().rfind(|part| part.key == Key::Name).map(|part| part.range()).unwrap_or_default();
        if name.is_empty() {
            let tag = parts.first().map(|part| part.range()).unwrap_or_default();
            return Err(lacks(source, tag, "name"));
        }
        if is_file(parts) && files.next().is_some_and(|file| file.corrupt) {
            return Err(Error::protocol(format!("the BLOB {} is not base64", source.text(name))));
        }
        count += 1;
    }
    Ok(count)
}

fn is_file(parts: &[Part]) -> bool {
    parts.first().is_some_and(|part| part.key == Key::File)
}

fn elements<'a, T: Value<'a>>(source: Source<'a>, parts: &[Part], count: usize) -> Vec<Element<'a, T>> {
    let mut groups = groups(parts);
    let element = |_| {
        let (mut name, mut label, mut value) = (Cow::Borrowed(""), None, T::new());
        for part in groups.next().unwrap_or_default() {
            let range = part.range();
            match part.key {
                Key::Name => name = source.text(range),
                Key::Label => label = Some(source.text(range)),
                Key::Text => value.text(source, trim(source, range)),
                key => value.take(key, source, range),
            }
        }
        Element { name, label, value }
    };
    // As many as are told beforehand are made where they stay.
    (0..count).map(element).collect()
}

/// The value of an element, as its parts make it.
trait Value<'a> {
    fn new() -> Self;

    /// Takes the text.
    fn text(&mut self, source: Source<'a>, range: Range<usize>);

    /// Takes another part that not every element has.
    fn take(&mut self, _key: Key, _source: Source<'a>, _range: Range<usize>) {}
}

impl<'a> Value<'a> for Cow<'a, str> {
    fn new() -> Self {
        Cow::Borrowed("")
    }

    fn text(&mut self, source: Source<'a>, range: Range<usize>) {
        *self = source.text(range);
    }
}

impl<'a> Value<'a> for bool {
    fn new() -> Self {
        false
    }

    fn text(&mut self, source: Source<'a>, range: Range<usize>) {
        *self = source.text(range) == "On";
    }
}

impl<'a> Value<'a> for State {
    fn new() -> Self {
        State::Idle
    }

    fn text(&mut self, source: Source<'a>, range: Range<usize>) {
        *self = State::parse(&source.text(range)).unwrap_or(State::Idle);
    }
}

impl<'a> Value<'a> for Number<'a> {
    fn new() -> Self {
        Number::default()
    }

    fn text(&mut self, source: Source<'a>, range: Range<usize>) {
        self.value = number(source, range);
    }

    fn take(&mut self, key: Key, source: Source<'a>, range: Range<usize>) {
        match key {
            Key::Format => self.format = Some(source.text(range)),
            Key::Min => self.min = number(source, range),
            Key::Max => self.max = number(source, range),
            Key::Step => self.step = number(source, range),
            _ => {}
        }
    }
}

impl<'a> Value<'a> for Blob<'a> {
    fn new() -> Self {
        Blob::default()
    }

    fn text(&mut self, _source: Source<'a>, _range: Range<usize>) {}

    fn take(&mut self, key: Key, source: Source<'a>, range: Range<usize>) {
        let text = source.text(range);
        match key {
            Key::Format => self.format = text,
            Key::Size => self.size = text.trim().parse().ok(),
            Key::Length => self.length = text.trim().parse().ok(),
            Key::Attached => self.attached = text == "true",
            _ => {}
        }
    }
}

/// A part without the blanks around it.
fn trim(source: Source<'_>, range: Range<usize>) -> Range<usize> {
    let begun = source.bytes[range.clone()].trim_ascii_start();
    let from = range.end - begun.len();
    from..from + begun.trim_ascii_end().len()
}

/// A word of the protocol, with or without blanks around it.
fn word<T>(source: Source<'_>, range: Range<usize>, parse: fn(&str) -> Option<T>) -> Option<T> {
    let text = source.text(range);
    parse(&text).or_else(|| parse(text.trim()))
}

fn number(source: Source<'_>, range: Range<usize>) -> Option<f64> {
    parse_decimal(&source.bytes[range.clone()]).or_else(|| parse_number(&source.text(range)))
}

fn root_tag(source: Source<'_>) -> Range<usize> {
    1..1 + name(source.bytes, 0).0.len()
}

fn lacks(source: Source<'_>, tag: Range<usize>, what: &str) -> Error {
    Error::protocol(format!("a {} has no {what}", source.text(tag)))
}
