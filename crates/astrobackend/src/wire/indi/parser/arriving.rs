//! A BLOB taken from the parser while it arrives, so that a whole frame need not be held as bytes first.

use super::Parser;
use crate::wire::indi::tag::find_attribute;
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
        self.draft.root.is_none() && self.start == self.end
    }

    /// The BLOB whose content is arriving; `None` when none is, and when it lacks a name.
    ///
    /// To be asked after [`Parser::next_message`] had no more messages. The content may then be taken with
    /// [`Parser::take_arrived`]; what is left there is in the message.
    pub fn arriving(&self) -> Option<Arriving<'_>> {
        self.draft.decoding.as_ref()?;
        let (root, blob) = (&self.draft.bytes[..], &self.draft.bytes[self.draft.tag..]);
        Some(Arriving {
            device: find_attribute(root, b"device")?,
            vector: find_attribute(root, b"name")?,
            element: find_attribute(blob, b"name")?,
            format: find_attribute(blob, b"format").unwrap_or_default(),
            length: find_attribute(blob, b"len").and_then(|text| text.trim().parse().ok()),
        })
    }

    /// Takes what has arrived of the BLOB's bytes since the last time, in place of what `bytes` held.
    /// True when there is more to come, and for that more has to be received.
    pub fn take_arrived(&mut self, bytes: &mut Vec<u8>) -> bool {
        bytes.clear();
        let complete = self.draft.files.len();
        if self.draft.decoding.is_some() {
            let (length, _) = self.draft.text(&self.buffer[self.start..self.end]);
            self.start += length;
        }
        if let Some(blob) = &mut self.draft.decoding {
            std::mem::swap(bytes, &mut blob.data);
            blob.limit = blob.limit.saturating_sub(bytes.len());
            return true;
        }
        if let Some(last) = self.draft.files.get_mut(complete) {
            std::mem::swap(bytes, &mut last.data);
        }
        false
    }
}
