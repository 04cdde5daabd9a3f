//! Messages to bytes. Text content stands without line breaks, BLOBs as one line of base64 with
//! `size` and `len` but never `enclen`, which older readers take for the length of wrapped lines.

use super::{
    base64::encode,
    message::{Blob, Element, Elements, Message, Number, Vector},
    text::escape,
};

/// The version of the protocol; drivers of `libindi` exit when it is missing.
const VERSION: &str = "1.7";

impl Message<'_> {
    /// Appends the message as bytes for the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Message::Def(vector) => vector.write("def", "def", out),
            Message::Set(vector) => vector.write("set", "one", out),
            Message::New(vector) => vector.write("new", "one", out),
            Message::GetProperties { device, name } => {
                Tag::open("getProperties", out)
                    .with("version", Some(VERSION))
                    .with("device", device.as_deref())
                    .with("name", name.as_deref())
                    .empty();
            }
            Message::DelProperty { device, name, message } => {
                Tag::open("delProperty", out)
                    .with("device", Some(device))
                    .with("name", name.as_deref())
                    .with("message", message.as_deref())
                    .empty();
            }
            Message::Message { device, timestamp, text } => {
                Tag::open("message", out)
                    .with("device", device.as_deref())
                    .with("timestamp", timestamp.as_deref())
                    .with("message", Some(text))
                    .empty();
            }
            Message::EnableBlob { device, name, mode } => {
                Tag::open("enableBLOB", out)
                    .with("device", device.as_deref())
                    .with("name", name.as_deref())
                    .text(|out| out.extend_from_slice(mode.as_str().as_bytes()));
            }
            Message::PingRequest { uid } => Tag::open("pingRequest", out).with("uid", Some(uid)).empty(),
            Message::PingReply { uid } => Tag::open("pingReply", out).with("uid", Some(uid)).empty(),
        }
    }

    /// The message as bytes for the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

/// A tag being written.
struct Tag<'n, 'o> {
    name: &'n str,
    out: &'o mut Vec<u8>,
}

impl<'n, 'o> Tag<'n, 'o> {
    fn open(name: &'n str, out: &'o mut Vec<u8>) -> Self {
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        Tag { name, out }
    }

    fn with(self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.out.extend_from_slice(format!(" {name}=\"").as_bytes());
            escape(value, self.out);
            self.out.push(b'"');
        }
        self
    }

    fn number(self, name: &str, value: Option<f64>) -> Self {
        self.with(name, value.map(|value| value.to_string()).as_deref())
    }

    fn empty(self) {
        self.out.extend_from_slice(b"/>\n");
    }

    fn text(self, content: impl FnOnce(&mut Vec<u8>)) {
        self.out.push(b'>');
        content(self.out);
        self.out.extend_from_slice(format!("</{}>\n", self.name).as_bytes());
    }
}

/// The message that reports a file of so many bytes, and the place in it where the content goes.
pub(super) fn around_file(vector: &Vector<'_>, element: &str, format: &str, bytes: usize) -> (Vec<u8>, usize) {
    let (mut out, mut content) = (Vec::new(), 0);
    vector.open("setBLOBVector", &mut out).text(|out| {
        out.push(b'\n');
        let bytes = bytes.to_string();
        let tag = Tag::open("oneBLOB", out).with("name", Some(element)).with("size", Some(&bytes));
        tag.with("format", Some(format)).with("len", Some(&bytes)).text(|out| {
            out.push(b'\n');
            content = out.len();
            out.push(b'\n');
        });
    });
    (out, content)
}

impl Vector<'_> {
    fn write(&self, verb: &str, element: &str, out: &mut Vec<u8>) {
        let kind = match self.elements {
            Elements::Text(_) => "Text",
            Elements::Number(_) => "Number",
            Elements::Switch(_) => "Switch",
            Elements::Light(_) => "Light",
            Elements::Blob(_) => "BLOB",
        };
        let child = format!("{element}{kind}");
        self.open(&format!("{verb}{kind}Vector"), out).text(|out| {
            out.push(b'\n');
            self.elements.write(&child, out);
        });
    }

    fn open<'n, 'o>(&self, tag: &'n str, out: &'o mut Vec<u8>) -> Tag<'n, 'o> {
        Tag::open(tag, out)
            .with("device", Some(&self.device))
            .with("name", Some(&self.name))
            .with("label", self.label.as_deref())
            .with("group", self.group.as_deref())
            .with("state", self.state.map(|state| state.as_str()))
            .with("perm", self.perm.map(|perm| perm.as_str()))
            .with("rule", self.rule.map(|rule| rule.as_str()))
            .number("timeout", self.timeout)
            .with("timestamp", self.timestamp.as_deref())
            .with("message", self.message.as_deref())
    }
}

impl Elements<'_> {
    fn write(&self, tag: &str, out: &mut Vec<u8>) {
        match self {
            Elements::Text(all) => all.iter().for_each(|one| open(tag, one, out).text(|out| escape(&one.value, out))),
            Elements::Number(all) => all.iter().for_each(|one| write_number(tag, one, out)),
            Elements::Switch(all) => all.iter().for_each(|one| {
                open(tag, one, out).text(|out| out.extend_from_slice(if one.value { b"On" } else { b"Off" }));
            }),
            Elements::Light(all) => all.iter().for_each(|one| {
                open(tag, one, out).text(|out| out.extend_from_slice(one.value.as_str().as_bytes()));
            }),
            Elements::Blob(all) => all.iter().for_each(|one| write_blob(tag, one, out)),
        }
    }
}

fn open<'n, 'o, T>(tag: &'n str, element: &Element<'_, T>, out: &'o mut Vec<u8>) -> Tag<'n, 'o> {
    Tag::open(tag, out).with("name", Some(&element.name)).with("label", element.label.as_deref())
}

fn write_number(tag: &str, element: &Element<'_, Number<'_>>, out: &mut Vec<u8>) {
    let number = &element.value;
    open(tag, element, out)
        .with("format", number.format.as_deref())
        .number("min", number.min)
        .number("max", number.max)
        .number("step", number.step)
        .text(|out| out.extend_from_slice(number.value.map(|value| value.to_string()).unwrap_or_default().as_bytes()));
}

fn write_blob(tag: &str, element: &Element<'_, Blob<'_>>, out: &mut Vec<u8>) {
    let blob = &element.value;
    if tag == "defBLOB" {
        return open(tag, element, out).empty();
    }
    let length = blob.length.filter(|_| blob.attached).unwrap_or(blob.data.len() as u64);
    let open = open(tag, element, out)
        .with("size", Some(&blob.size.unwrap_or(length).to_string()))
        .with("format", Some(&blob.format));
    let open = open.with("len", Some(&length.to_string()));
    if blob.attached {
        return open.with("attached", Some("true")).empty();
    }
    open.text(|out| {
        out.push(b'\n');
        encode(&blob.data, out);
        out.push(b'\n');
    });
}
