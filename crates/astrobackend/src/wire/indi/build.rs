//! From the places that the parser noted to a message that borrows them.

use super::{
    message::{Blob, BlobMode, Element, Elements, Message, Number, Perm, Rule, State, Vector},
    number::parse_number,
    tag::{Attribute, Span},
    text::decode,
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

fn slice(bytes: &[u8], (from, to): Span) -> &[u8] {
    bytes.get(from as usize..to as usize).unwrap_or_default()
}

impl Tag {
    pub(super) fn name<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        slice(bytes, self.name)
    }

    pub(super) fn attribute<'a>(&self, name: &str, bytes: &'a [u8], all: &[Attribute]) -> Option<Cow<'a, str>> {
        let mut own = all[self.attributes.0..self.attributes.1].iter();
        let (_, value) = own.find(|(key, _)| slice(bytes, *key) == name.as_bytes())?;
        Some(decode(slice(bytes, *value)))
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
    bytes: &'a [u8],
    attributes: &'p [Attribute],
    tag: &'p Tag,
}

impl<'a> Node<'a, '_> {
    /// Its attributes: names and raw values.
    fn attributes(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let own = self.attributes[self.tag.attributes.0..self.tag.attributes.1].iter();
        own.map(|(name, value)| (slice(self.bytes, *name), slice(self.bytes, *value)))
    }

    fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.tag.attribute(name, self.bytes, self.attributes)
    }

    /// What an attribute must tell.
    fn required(&self, name: &str, value: Option<Cow<'a, str>>) -> Result<Cow<'a, str>> {
        value.filter(|text| !text.is_empty()).ok_or_else(|| {
            let tag = decode(self.tag.name(self.bytes));
            Error::protocol(format!("a {tag} has no {name}"))
        })
    }

    fn need(&self, name: &str) -> Result<Cow<'a, str>> {
        self.required(name, self.get(name))
    }

    fn text(&self) -> Cow<'a, str> {
        decode(slice(self.bytes, self.tag.text).trim_ascii())
    }

    fn element<T>(&self, value: T) -> Result<Element<'a, T>> {
        self.element_with(value, |_, _, _| {})
    }

    /// The element; `take` gets the attributes that not every element has.
    fn element_with<T>(&self, mut value: T, take: impl Fn(&mut T, &[u8], &'a [u8])) -> Result<Element<'a, T>> {
        let (mut name, mut label) = (None, None);
        for (key, text) in self.attributes() {
            match key {
                b"name" => name = Some(decode(text)),
                b"label" => label = Some(decode(text)),
                _ => take(&mut value, key, text),
            }
        }
        Ok(Element { name: self.required("name", name)?, label, value })
    }

    fn as_number(&self) -> Result<Element<'a, Number<'a>>> {
        let value = parse_number(&self.text());
        let number = Number { value, format: None, min: None, max: None, step: None };
        self.element_with(number, |number, key, text| match key {
            b"format" => number.format = Some(decode(text)),
            b"min" => number.min = parse_number(&decode(text)),
            b"max" => number.max = parse_number(&decode(text)),
            b"step" => number.step = parse_number(&decode(text)),
            _ => {}
        })
    }

    fn as_blob(&self, blobs: &mut [Vec<u8>]) -> Result<Element<'a, Blob<'a>>> {
        if self.tag.corrupt {
            return Err(Error::protocol(format!("the BLOB {} is not base64", self.need("name")?)));
        }
        let data = self.tag.blob.and_then(|n| blobs.get_mut(n)).map(std::mem::take).unwrap_or_default();
        let blob = Blob { format: Cow::Borrowed(""), size: None, data, attached: false };
        self.element_with(blob, |blob, key, text| match key {
            b"format" => blob.format = decode(text),
            b"size" => blob.size = decode(text).trim().parse().ok(),
            b"attached" => blob.attached = text == b"true",
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
    let node = Node { bytes, attributes, tag: first };
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

fn vector<'a>(root: Node<'a, '_>, kind: Kind, tags: &[Tag], mut blobs: Vec<Vec<u8>>) -> Result<Vector<'a>> {
    let nodes = || {
        let known = |tag: &&Tag| matches!(tag.name(root.bytes).get(..3), Some(b"one" | b"def"));
        tags.iter().filter(known).map(|tag| Node { tag, ..root })
    };
    let elements = match kind {
        Kind::Text => Elements::Text(nodes().map(|node| node.element(node.text())).collect::<Result<_>>()?),
        Kind::Number => Elements::Number(nodes().map(|node| node.as_number()).collect::<Result<_>>()?),
        Kind::Switch => Elements::Switch(nodes().map(|node| node.element(node.text() == "On")).collect::<Result<_>>()?),
        Kind::Light => {
            let state = |node: &Node<'_, '_>| State::parse(&node.text()).unwrap_or(State::Idle);
            Elements::Light(nodes().map(|node| node.element(state(&node))).collect::<Result<_>>()?)
        }
        Kind::Blob => Elements::Blob(nodes().map(|node| node.as_blob(&mut blobs)).collect::<Result<_>>()?),
    };
    let (mut device, mut name) = (None, None);
    let mut vector = Vector::new("", "", elements);
    for (key, text) in root.attributes() {
        match key {
            b"device" => device = Some(decode(text)),
            b"name" => name = Some(decode(text)),
            b"label" => vector.label = Some(decode(text)),
            b"group" => vector.group = Some(decode(text)),
            b"state" => vector.state = State::parse(decode(text).trim()),
            b"perm" => vector.perm = Perm::parse(decode(text).trim()),
            b"rule" => vector.rule = Rule::parse(decode(text).trim()),
            b"timeout" => vector.timeout = parse_number(&decode(text)),
            b"timestamp" => vector.timestamp = Some(decode(text)),
            b"message" => vector.message = Some(decode(text)),
            _ => {}
        }
    }
    vector.device = root.required("device", device)?;
    vector.name = root.required("name", name)?;
    Ok(vector)
}
