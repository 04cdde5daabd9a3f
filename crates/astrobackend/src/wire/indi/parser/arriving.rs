//! A BLOB taken from the parser while it arrives, so that a whole frame need not be held as bytes first.

use super::{Parser, Scan};
use crate::wire::indi::text::Source;
use std::borrow::Cow;

/// The BLOB whose content is arriving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arriving<'a> {
    /// The device that sends it.
    pub device: Cow<'a, str>,
    /// The vector it belongs to.
    pub vector: Cow<'a, str>,
    /// Its element.
    pub element: Cow<'a, str>,
    /// Its format, `.fits`.
    pub format: Cow<'a, str>,
    /// Its bytes, unless the sender does not tell: `size` does not, which some servers leave as it was before.
    pub length: Option<u64>,
}

impl Parser {
    /// True when no message has begun that is not complete; to be asked after [`Parser::next_message`] had no more.
    pub fn is_between_messages(&self) -> bool {
        self.root.is_none() && matches!(self.scan, Scan::Text)
    }

    /// The BLOB whose content is arriving; `None` when none is, and when it lacks a name.
    ///
    /// To be asked after [`Parser::next_message`] had no more messages. The content may then be taken with
    /// [`Parser::take_arrived`]; what is left there is in the message.
    pub fn arriving(&self) -> Option<Arriving<'_>> {
        self.decoding.as_ref()?;
        let source = Source::new(&self.buffer[self.start..self.start + self.at]);
        let find = |tag: Option<&super::Tag>, name: &[u8]| {
            let mut attributes = tag?.attributes(source, &self.attributes);
            attributes.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let (root, blob) = (self.tags.first(), self.tags.last());
        Some(Arriving {
            device: find(root, b"device")?,
            vector: find(root, b"name")?,
            element: find(blob, b"name")?,
            format: find(blob, b"format").unwrap_or_default(),
            length: find(blob, b"len").and_then(|text| text.trim().parse().ok()),
        })
    }

    /// Takes what has arrived of the BLOB's bytes since the last time, in place of what `bytes` held.
    /// True when there is more to come, and for that more has to be received.
    pub fn take_arrived(&mut self, bytes: &mut Vec<u8>) -> bool {
        bytes.clear();
        let complete = self.blobs.len();
        if self.decoding.is_some() && matches!(self.scan, Scan::Text) {
            self.text();
        }
        if let Some(blob) = &mut self.decoding {
            std::mem::swap(bytes, &mut blob.data);
            blob.limit = blob.limit.saturating_sub(bytes.len());
            return true;
        }
        if let Some(last) = self.blobs.get_mut(complete) {
            std::mem::swap(bytes, last);
        }
        false
    }
}
