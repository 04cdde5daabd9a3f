//! From the places that the parser noted to a message that borrows them.

use super::{
    message::{Blob, BlobMode, Element, Elements, Message, Number, Perm, Rule, State, Vector},
    number::parse_number,
    text::decode,
};
use crate::{Error, Result};
use std::borrow::Cow;

/// First byte and the byte after the last, counted from the beginning of the message.
pub(super) type Span = (u32, u32);

/// Name and value of an attribute.
pub(super) type Attribute = (Span, Span);

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

/// Notes the attributes in `bytes[from..]`; what is no `name="value"` is passed over.
pub(super) fn find_attributes(bytes: &[u8], from: usize, out: &mut Vec<Attribute>) {
    let mut at = from;
    while let Some(equals) = memchr::memchr(b'=', &bytes[at..]).map(|found| at + found) {
        let before = bytes[at..equals].trim_ascii_end();
        let name_start = before.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
        let name = ((at + name_start) as u32, (at + before.len()) as u32);
        let blanks = bytes[equals + 1..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let open = equals + 1 + blanks;
        let Some(quote @ (b'"' | b'\'')) = bytes.get(open) else {
            at = equals + 1;
            continue;
        };
        let Some(length) = memchr::memchr(*quote, &bytes[open + 1..]) else { return };
        out.push((name, ((open + 1) as u32, (open + 1 + length) as u32)));
        at = open + 2 + length;
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
    fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.tag.attribute(name, self.bytes, self.attributes)
    }

    fn required(&self, name: &str) -> Result<Cow<'a, str>> {
        self.get(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            let tag = decode(self.tag.name(self.bytes));
            Error::protocol(format!("a {tag} has no {name}"))
        })
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(|text| parse_number(&text))
    }

    fn word<T>(&self, name: &str, parse: fn(&str) -> Option<T>) -> Option<T> {
        self.get(name).and_then(|word| parse(word.trim()))
    }

    fn text(&self) -> Cow<'a, str> {
        decode(slice(self.bytes, self.tag.text).trim_ascii())
    }

    fn element<T>(&self, value: T) -> Result<Element<'a, T>> {
        Ok(Element { name: self.required("name")?, label: self.get("label"), value })
    }

    fn as_number(&self) -> Result<Element<'a, Number<'a>>> {
        self.element(Number {
            value: parse_number(&self.text()),
            format: self.get("format"),
            min: self.number("min"),
            max: self.number("max"),
            step: self.number("step"),
        })
    }

    fn as_blob(&self, blobs: &mut [Vec<u8>]) -> Result<Element<'a, Blob<'a>>> {
        if self.tag.corrupt {
            return Err(Error::protocol(format!("the BLOB {} is not base64", self.required("name")?)));
        }
        let data = self.tag.blob.and_then(|n| blobs.get_mut(n)).map(std::mem::take).unwrap_or_default();
        self.element(Blob {
            format: self.get("format").unwrap_or_default(),
            size: self.get("size").and_then(|text| text.trim().parse().ok()),
            data,
            attached: self.get("attached").is_some_and(|word| word == "true"),
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
        Root::DelProperty => Message::DelProperty {
            device: node.required("device")?,
            name: node.get("name"),
            message: node.get("message"),
        },
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
        Root::PingRequest => Message::PingRequest { uid: node.required("uid")? },
        Root::PingReply => Message::PingReply { uid: node.required("uid")? },
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
    Ok(Vector {
        device: root.required("device")?,
        name: root.required("name")?,
        label: root.get("label"),
        group: root.get("group"),
        state: root.word("state", State::parse),
        perm: root.word("perm", Perm::parse),
        rule: root.word("rule", Rule::parse),
        timeout: root.number("timeout"),
        timestamp: root.get("timestamp"),
        message: root.get("message"),
        elements,
    })
}
