//! From the places that the parser noted to a message that borrows them.

use super::{
    message::{Blob, BlobMode, Element, Elements, Message, Number, Perm, Rule, State, Vector},
    number::parse_number,
    tag::{Attribute, Span},
    text::Source,
};
use crate::{Error, Result};
use std::borrow::Cow;

/// An opening tag: the root first, then the elements.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: Span,
    /// Its attributes: first and the one after the last.
    pub(super) attributes: (usize, usize),
    /// The text up to the next tag.
    pub(super) text: Span,
    pub(super) closed: bool,
    /// Which of the message's BLOBs is its content.
    pub(super) blob: Option<usize>,
    /// That BLOB held something that is not base64.
    pub(super) corrupt: bool,
}

impl Tag {
    pub(super) fn name<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.name.0 as usize..self.name.1 as usize).unwrap_or_default()
    }

    /// Names and values of its attributes among those of the whole message.
    pub(super) fn attributes<'a>(
        &self,
        source: Source<'a>,
        all: &[Attribute],
    ) -> impl Iterator<Item = (&'a [u8], Cow<'a, str>)> {
        let own = all[self.attributes.0..self.attributes.1].iter();
        own.map(move |(name, value)| (source.raw(*name), source.text(*value)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Def,
    Set,
    New,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Switch,
    Light,
    Blob,
}

/// The root elements of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Vector(Verb, Kind),
    GetProperties,
    DelProperty,
    Message,
    EnableBlob,
    PingRequest,
    PingReply,
}

impl Root {
    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        let vector = |verb| {
            let kind = match name.get(3..)?.strip_suffix(b"Vector")? {
                b"Text" => Kind::Text,
                b"Number" => Kind::Number,
                b"Switch" => Kind::Switch,
                b"Light" => Kind::Light,
                b"BLOB" => Kind::Blob,
                _ => return None,
            };
            Some(Root::Vector(verb, kind))
        };
        match name.get(..3)? {
            b"set" => vector(Verb::Set),
            b"def" => vector(Verb::Def),
            b"new" => vector(Verb::New),
            _ => match name {
                b"message" => Some(Root::Message),
                b"delProperty" => Some(Root::DelProperty),
                b"getProperties" => Some(Root::GetProperties),
                b"enableBLOB" => Some(Root::EnableBlob),
                b"pingRequest" => Some(Root::PingRequest),
                b"pingReply" => Some(Root::PingReply),
                _ => None,
            },
        }
    }

    pub(super) fn carries_blobs(self) -> bool {
        matches!(self, Root::Vector(Verb::Set | Verb::New, Kind::Blob))
    }
}

/// A tag with everything needed to read it.
#[derive(Clone, Copy)]
struct Node<'a, 'p> {
    source: Source<'a>,
    attributes: &'p [Attribute],
    tag: &'p Tag,
}

impl<'a> Node<'a, '_> {
    fn attributes(&self) -> impl Iterator<Item = (&'a [u8], Cow<'a, str>)> {
        self.tag.attributes(self.source, self.attributes)
    }

    fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
    }

    /// What an attribute must tell.
    fn required(&self, name: &str, value: Option<Cow<'a, str>>) -> Result<Cow<'a, str>> {
        value.filter(|text| !text.is_empty()).ok_or_else(|| {
            let tag = self.source.text(self.tag.name);
            Error::protocol(format!("a {tag} has no {name}"))
        })
    }

    fn need(&self, name: &str) -> Result<Cow<'a, str>> {
        self.required(name, self.get(name))
    }

    fn text(&self) -> Cow<'a, str> {
        match self.source.text(self.tag.text) {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
            Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_owned()),
        }
    }

    fn element<T>(&self, value: T) -> Result<Element<'a, T>> {
        self.element_with(value, |_, _, _| {})
    }

    /// The element; `take` gets the attributes that not every element has.
    fn element_with<T>(&self, mut value: T, take: impl Fn(&mut T, &[u8], Cow<'a, str>)) -> Result<Element<'a, T>> {
        let (mut name, mut label) = (None, None);
        for (key, text) in self.attributes() {
            match key {
                b"name" => name = Some(text),
                b"label" => label = Some(text),
                _ => take(&mut value, key, text),
            }
        }
        Ok(Element { name: self.required("name", name)?, label, value })
    }

    fn as_number(&self) -> Result<Element<'a, Number<'a>>> {
        let value = parse_number(&self.text());
        let number = Number { value, format: None, min: None, max: None, step: None };
        self.element_with(number, |number, key, text| match key {
            b"format" => number.format = Some(text),
            b"min" => number.min = parse_number(&text),
            b"max" => number.max = parse_number(&text),
            b"step" => number.step = parse_number(&text),
            _ => {}
        })
    }

    fn as_blob(&self, blobs: &mut [Vec<u8>]) -> Result<Element<'a, Blob<'a>>> {
        if self.tag.corrupt {
            return Err(Error::protocol(format!("the BLOB {} is not base64", self.need("name")?)));
        }
        let data = self.tag.blob.and_then(|n| blobs.get_mut(n)).map(std::mem::take).unwrap_or_default();
        let blob = Blob { format: Cow::Borrowed(""), size: None, length: None, data, attached: false };
        self.element_with(blob, |blob, key, text| match key {
            b"format" => blob.format = text,
            b"size" => blob.size = text.trim().parse().ok(),
            b"len" => blob.length = text.trim().parse().ok(),
            b"attached" => blob.attached = text == "true",
            _ => {}
        })
    }
}

/// Builds the message whose tags lie in `bytes`.
pub(super) fn build<'a>(
    root: Root,
    bytes: &'a [u8],
    tags: &[Tag],
    attributes: &[Attribute],
    blobs: Vec<Vec<u8>>,
) -> Result<Message<'a>> {
    let Some((first, elements)) = tags.split_first() else { return Err(Error::protocol("an empty message")) };
    let node = Node { source: Source::new(bytes), attributes, tag: first };
    Ok(match root {
        Root::Vector(verb, kind) => {
            let vector = vector(node, kind, elements, blobs)?;
            match verb {
                Verb::Def => Message::Def(vector),
                Verb::Set => Message::Set(vector),
                Verb::New => Message::New(vector),
            }
        }
        Root::GetProperties => Message::GetProperties { device: node.get("device"), name: node.get("name") },
        Root::DelProperty => {
            Message::DelProperty { device: node.need("device")?, name: node.get("name"), message: node.get("message") }
        }
        Root::Message => Message::Message {
            device: node.get("device"),
            timestamp: node.get("timestamp"),
            text: node.get("message").unwrap_or_default(),
        },
        Root::EnableBlob => Message::EnableBlob {
            device: node.get("device"),
            name: node.get("name"),
            mode: BlobMode::parse(&node.text()).ok_or_else(|| Error::protocol("an enableBLOB has no known mode"))?,
        },
        Root::PingRequest => Message::PingRequest { uid: node.need("uid")? },
        Root::PingReply => Message::PingReply { uid: node.need("uid")? },
    })
}

/// The elements of a kind: what begins with neither `one` nor `def` is none.
fn elements<'a, 'p, T>(
    root: Node<'a, 'p>,
    tags: &'p [Tag],
    mut element: impl FnMut(Node<'a, 'p>) -> Result<Element<'a, T>>,
) -> Result<Vec<Element<'a, T>>> {
    let mut all = Vec::with_capacity(tags.len());
    for tag in tags {
        if matches!(root.source.raw(tag.name).get(..3), Some(b"one" | b"def")) {
            all.push(element(Node { tag, ..root })?);
        }
    }
    Ok(all)
}

fn vector<'a>(root: Node<'a, '_>, kind: Kind, tags: &[Tag], mut blobs: Vec<Vec<u8>>) -> Result<Vector<'a>> {
    let state = |node: &Node<'_, '_>| State::parse(&node.text()).unwrap_or(State::Idle);
    let elements = match kind {
        Kind::Text => Elements::Text(elements(root, tags, |node| node.element(node.text()))?),
        Kind::Number => Elements::Number(elements(root, tags, |node| node.as_number())?),
        Kind::Switch => Elements::Switch(elements(root, tags, |node| node.element(node.text() == "On"))?),
        Kind::Light => Elements::Light(elements(root, tags, |node| node.element(state(&node)))?),
        Kind::Blob => Elements::Blob(elements(root, tags, |node| node.as_blob(&mut blobs))?),
    };
    let (mut device, mut name) = (None, None);
    let mut vector = Vector::new("", "", elements);
    for (key, text) in root.attributes() {
        match key {
            b"device" => device = Some(text),
            b"name" => name = Some(text),
            b"label" => vector.label = Some(text),
            b"group" => vector.group = Some(text),
            b"state" => vector.state = State::parse(text.trim()),
            b"perm" => vector.perm = Perm::parse(text.trim()),
            b"rule" => vector.rule = Rule::parse(text.trim()),
            b"timeout" => vector.timeout = parse_number(&text),
            b"timestamp" => vector.timestamp = Some(text),
            b"message" => vector.message = Some(text),
            _ => {}
        }
    }
    vector.device = root.required("device", device)?;
    vector.name = root.required("name", name)?;
    Ok(vector)
}
