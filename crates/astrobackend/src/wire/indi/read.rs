//! From the bytes of a message to the message, which borrows them, in one pass.

use super::{
    message::{Blob, BlobMode, Element, Elements, Message, Number, Perm, Rule, State, Vector},
    number::{parse_decimal, parse_number},
    parser::MAX_TAG,
    root::{Kind, Root, Verb},
    tag::{Look, look, name},
    text::{Source, decode, find},
};
use crate::Error;
use std::{borrow::Cow, ops::Range, vec::IntoIter};

/// Why there is no message.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is not all there, is torn or too long, or holds files that were not received yet.
    Unready,
    /// It is all there and says nonsense.
    Nonsense(Error),
}

type Result<T> = std::result::Result<T, Failure>;

/// The content of a BLOB, taken out of its message.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) data: Vec<u8>,
    /// It held something that is not base64.
    pub(super) corrupt: bool,
}

/// Reads the message that begins with the first tag, of no more than `limit` bytes up to its last tag, and with these
/// files; also tells how many bytes were read.
pub(super) fn read(bytes: &[u8], limit: usize, files: Vec<Received>) -> Result<(Message<'_>, usize)> {
    let open = find(b'<', bytes, 0).ok_or(Failure::Unready)?;
    let bytes = &bytes[open..];
    let (name, name_end) = name(bytes, 0);
    let root = Root::parse(name).ok_or(Failure::Unready)?;
    let mut reader = Reader { source: Source::new(bytes), at: 0, limit, root, files: files.into_iter() };
    let message = match root {
        Root::Vector(verb, kind) => {
            let vector = reader.vector(kind, name_end)?;
            match verb {
                Verb::Def => Message::Def(vector),
                Verb::Set => Message::Set(vector),
                Verb::New => Message::New(vector),
            }
        }
        _ => reader.other(name_end)?,
    };
    Ok((message, open + reader.at))
}

/// A message that is read up to `at`.
struct Reader<'a> {
    source: Source<'a>,
    at: usize,
    limit: usize,
    root: Root,
    files: IntoIter<Received>,
}

impl<'a> Reader<'a> {
    /// Goes on to the next `<`; tells what is before it.
    fn text(&mut self) -> Result<Range<usize>> {
        let (from, end) = (self.at, find(b'<', self.source.bytes, self.at));
        self.at = end.filter(|end| *end <= self.limit).ok_or(Failure::Unready)?;
        Ok(from..self.at)
    }

    /// Goes on behind a tag, giving out its attributes; true when it is closed at once.
    fn attributes(&mut self, name_end: usize, mut take: impl FnMut(&'a [u8], Part<'a, '_>)) -> Result<bool> {
        let (source, bytes) = (self.source, self.source.bytes);
        let window = &bytes[..bytes.len().min(self.at + MAX_TAG)];
        let Look::Whole(end) = look(window, name_end, |key, range| take(key, Part { source: &source, range })) else {
            return Err(Failure::Unready);
        };
        self.at = end;
        Ok(window[end - 2] == b'/')
    }

    /// Goes on to the next tag that opens, and gives out its name and the place behind it; `None` behind the end of the
    /// message.
    fn opening(&mut self) -> Result<Option<(&'a [u8], usize)>> {
        loop {
            self.text()?;
            let (name, name_end) = name(self.source.bytes, self.at);
            if !name.starts_with(b"/") {
                return match Root::parse(name) {
                    Some(_) => Err(Failure::Unready),
                    None => Ok(Some((name, name_end))),
                };
            }
            let from = self.at + 2;
            self.attributes(name_end, |_, _| {})?;
            if Root::parse(self.source.bytes[from..self.at - 1].trim_ascii()) == Some(self.root) {
                return Ok(None);
            }
        }
    }

    /// Reads a vector.
    fn vector(&mut self, kind: Kind, name_end: usize) -> Result<Vector<'a>> {
        let mut vector = Vector::new("", "", Elements::Light(Vec::new()));
        let empty = self.attributes(name_end, |key, part| match key {
            b"device" => vector.device = part.text(),
            b"name" => vector.name = part.text(),
            b"label" => vector.label = Some(part.text()),
            b"group" => vector.group = Some(part.text()),
            b"state" => vector.state = part.word(State::parse),
            b"perm" => vector.perm = part.word(Perm::parse),
            b"rule" => vector.rule = part.word(Rule::parse),
            b"timeout" => vector.timeout = part.number(),
            b"timestamp" => vector.timestamp = Some(part.text()),
            b"message" => vector.message = Some(part.text()),
            _ => {}
        })?;
        vector.elements = match kind {
            Kind::Text => Elements::Text(self.elements(empty)?),
            Kind::Number => Elements::Number(self.elements(empty)?),
            Kind::Switch => Elements::Switch(self.elements(empty)?),
            Kind::Light => Elements::Light(self.elements(empty)?),
            Kind::Blob => Elements::Blob(self.elements(empty)?),
        };
        for (what, text) in [("device", &vector.device), ("name", &vector.name)] {
            if text.is_empty() {
                return Err(lacks(name(self.source.bytes, 0).0, what));
            }
        }
        Ok(vector)
    }

    /// Reads elements up to the end of the message: what begins with neither `one` nor `def` is none.
    fn elements<T: Value<'a>>(&mut self, empty: bool) -> Result<Vec<Element<'a, T>>> {
        // Filled in where they lie: they are too large to be moved about.
        let mut all = Vec::with_capacity(4);
        while !empty && let Some((name, name_end)) = self.opening()? {
            match name.get(..3) {
                Some(b"one" | b"def") => {
                    all.push(Element::new("", T::new()));
                    all.last_mut().map_or(Ok(()), |element| self.element(name, name_end, element))?;
                }
                _ => drop(self.attributes(name_end, |_, _| {})?),
            }
        }
        Ok(all)
    }

    /// Goes on behind the end of an element if it is written the usual way; any other is found by a closer look.
    fn pass_end_of(&mut self, tag: &[u8]) {
        let length = tag.len() + 3;
        if let Some([b'<', b'/', name @ .., b'>']) = self.source.bytes.get(self.at..self.at + length)
            && name == tag
        {
            self.at += length;
        }
    }

    fn element<T: Value<'a>>(&mut self, tag: &[u8], name_end: usize, element: &mut Element<'a, T>) -> Result<()> {
        let empty = self.attributes(name_end, |key, part| match key {
            b"name" => element.name = part.text(),
            b"label" => element.label = Some(part.text()),
            _ => element.value.attribute(key, part),
        })?;
        if element.name.is_empty() {
            return Err(lacks(tag, "name"));
        }
        if self.root.is_file(tag) && !empty {
            let file = self.files.next().ok_or(Failure::Unready)?;
            if file.corrupt {
                return Err(nonsense(format!("the BLOB {} is not base64", element.name)));
            }
            element.value.file(file.data);
        } else {
            let range = if empty { 0..0 } else { self.text()? };
            element.value.text(Part { source: &self.source, range }.trim());
            self.pass_end_of(tag);
        }
        Ok(())
    }

    /// Reads a message that is no vector.
    fn other(&mut self, name_end: usize) -> Result<Message<'a>> {
        let (mut device, mut name, mut message, mut timestamp, mut uid) = (None, None, None, None, None);
        let empty = self.attributes(name_end, |key, part| {
            let place = match key {
                b"device" => &mut device,
                b"name" => &mut name,
                b"message" => &mut message,
                b"timestamp" => &mut timestamp,
                b"uid" => &mut uid,
                _ => return,
            };
            place.get_or_insert_with(|| part.text());
        })?;
        let range = if empty { 0..0 } else { self.text()? };
        while !empty && let Some((_, name_end)) = self.opening()? {
            self.attributes(name_end, |_, _| {})?;
        }
        let tag = self::name(self.source.bytes, 0).0;
        let need =
            |what, text: Option<Cow<'a, str>>| text.filter(|text| !text.is_empty()).ok_or_else(|| lacks(tag, what));
        Ok(match self.root {
            Root::GetProperties => Message::GetProperties { device, name },
            Root::DelProperty => Message::DelProperty { device: need("device", device)?, name, message },
            Root::EnableBlob => {
                let mode = BlobMode::parse(&Part { source: &self.source, range }.trim().text());
                Message::EnableBlob {
                    device,
                    name,
                    mode: mode.ok_or_else(|| nonsense("an enableBLOB has no known mode".into()))?,
                }
            }
            Root::PingRequest => Message::PingRequest { uid: need("uid", uid)? },
            Root::PingReply => Message::PingReply { uid: need("uid", uid)? },
            Root::Message | Root::Vector(..) => {
                Message::Message { device, timestamp, text: message.unwrap_or_default() }
            }
        })
    }
}

/// A part of the message that has a meaning.
struct Part<'a, 's> {
    source: &'s Source<'a>,
    range: Range<usize>,
}

impl<'a> Part<'a, '_> {
    fn text(self) -> Cow<'a, str> {
        self.source.text(self.range)
    }

    /// A word of the protocol, with or without blanks around it.
    fn word<T>(self, parse: fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text();
        parse(&text).or_else(|| parse(text.trim()))
    }

    fn number(self) -> Option<f64> {
        parse_decimal(&self.source.bytes[self.range.clone()]).or_else(|| parse_number(&self.text()))
    }

    /// The same without the blanks around it.
    fn trim(mut self) -> Self {
        let bytes = &self.source.bytes[self.range.clone()];
        let begun = bytes.trim_ascii_start();
        self.range.start += bytes.len() - begun.len();
        self.range.end = self.range.start + begun.trim_ascii_end().len();
        self
    }
}

/// The value of an element, as it is read.
trait Value<'a>: Sized {
    /// What it is before anything is read.
    fn new() -> Self;

    /// Takes an attribute that not every element has.
    fn attribute(&mut self, _key: &[u8], _part: Part<'a, '_>) {}

    /// Takes the text, without the blanks around it.
    fn text(&mut self, part: Part<'a, '_>);

    /// Takes the file in place of the text.
    fn file(&mut self, _data: Vec<u8>) {}
}

impl<'a> Value<'a> for Cow<'a, str> {
    fn new() -> Self {
        Cow::Borrowed("")
    }

    fn text(&mut self, part: Part<'a, '_>) {
        *self = part.text();
    }
}

impl<'a> Value<'a> for Number<'a> {
    fn new() -> Self {
        Number { value: None, format: None, min: None, max: None, step: None }
    }

    fn attribute(&mut self, key: &[u8], part: Part<'a, '_>) {
        match key {
            b"format" => self.format = Some(part.text()),
            b"min" => self.min = part.number(),
            b"max" => self.max = part.number(),
            b"step" => self.step = part.number(),
            _ => {}
        }
    }

    fn text(&mut self, part: Part<'a, '_>) {
        self.value = part.number();
    }
}

impl<'a> Value<'a> for bool {
    fn new() -> Self {
        false
    }

    fn text(&mut self, part: Part<'a, '_>) {
        *self = part.text() == "On";
    }
}

impl<'a> Value<'a> for State {
    fn new() -> Self {
        State::Idle
    }

    fn text(&mut self, part: Part<'a, '_>) {
        *self = State::parse(&part.text()).unwrap_or(State::Idle);
    }
}

impl<'a> Value<'a> for Blob<'a> {
    fn new() -> Self {
        Blob::default()
    }

    fn attribute(&mut self, key: &[u8], part: Part<'a, '_>) {
        match key {
            b"format" => self.format = part.text(),
            b"size" => self.size = part.text().trim().parse().ok(),
            b"len" => self.length = part.text().trim().parse().ok(),
            b"attached" => self.attached = part.text() == "true",
            _ => {}
        }
    }

    fn text(&mut self, _part: Part<'a, '_>) {}

    fn file(&mut self, data: Vec<u8>) {
        self.data = data;
    }
}

fn lacks(tag: &[u8], what: &str) -> Failure {
    nonsense(format!("a {} has no {what}", decode(tag)))
}

fn nonsense(why: String) -> Failure {
    Failure::Nonsense(Error::protocol(why))
}
