//! A message that does not come in one piece: what is there of it, tag by tag, until its last byte has come.
//!
//! The content of a BLOB is decoded as it comes into the vector that the message will own, so that it
//! never collects as text. Here is also decided what is no message, or a torn one.

use super::{Limits, MAX_TAG};
use crate::{
    Error, Result,
    wire::indi::{
        base64::Decoder,
        build::Received,
        root::Root,
        tag::{Look, find_attribute, look, name},
        text::find,
    },
};

/// A message that is arriving.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) root: Option<Root>,
    /// What has come of it, without the content of its BLOBs.
    pub(super) bytes: Vec<u8>,
    /// Where the last opening tag begins in it.
    pub(super) tag: usize,
    pub(super) decoding: Option<Decoding>,
    pub(super) files: Vec<Received>,
    /// Bytes of its BLOBs that are decoded, those included that were taken.
    decoded: usize,
}

/// A BLOB that is arriving.
#[derive(Debug)]
pub(super) struct Decoding {
    decoder: Decoder,
    pub(super) data: Vec<u8>,
    /// Bytes that are valid; what follows is padding.
    pub(super) limit: usize,
}

/// How far a draft is.
#[derive(Debug)]
pub(super) enum Step {
    /// More has to come.
    Half,
    /// A tag is through.
    Tag,
    /// All of it is there.
    Complete,
    /// It was no good and is forgotten.
    Failed(Error),
}

impl Draft {
    /// Forgets what has come.
    pub(super) fn clear(&mut self) {
        (self.root, self.decoding, self.decoded) = (None, None, 0);
        self.bytes.clear();
        self.files.clear();
    }

    /// Takes in bytes up to the end of the next tag; tells how many they were.
    pub(super) fn take(&mut self, bytes: &[u8], limits: &Limits) -> (usize, Step) {
        let (text, found) = self.text(bytes);
        if let Err(error) = self.check_size(limits) {
            self.clear();
            return (text, Step::Failed(error));
        }
        if !found {
            return (text, Step::Half);
        }
        let (tag, step) = self.tag(&bytes[text..], limits);
        (text + tag, step)
    }

    /// Takes in text up to the next `<`; tells how long it was, and whether its end is there.
    pub(super) fn text(&mut self, bytes: &[u8]) -> (usize, bool) {
        let found = find(b'<', bytes, 0);
        let text = &bytes[..found.unwrap_or(bytes.len())];
        if let Some(blob) = &mut self.decoding {
            let before = blob.data.len();
            blob.decoder.decode(text, &mut blob.data, blob.limit);
            self.decoded += blob.data.len() - before;
        } else if self.root.is_some() {
            self.bytes.extend_from_slice(text);
        }
        if found.is_some()
            && let Some(mut blob) = self.decoding.take()
        {
            let before = blob.data.len();
            blob.decoder.finish(&mut blob.data, blob.limit);
            self.decoded += blob.data.len() - before;
            self.files.push(Received { data: blob.data, corrupt: blob.decoder.corrupt });
        }
        (text.len(), found.is_some())
    }

    fn check_size(&self, limits: &Limits) -> Result<()> {
        if self.bytes.len() > limits.message {
            return Err(Error::protocol(format!("a message is longer than {} bytes", limits.message)));
        }
        if self.decoded > limits.blob {
            return Err(Error::protocol(format!("a message's BLOBs are larger than {} bytes", limits.blob)));
        }
        Ok(())
    }

    /// Takes in the tag that these bytes begin with; tells how long it was.
    fn tag(&mut self, bytes: &[u8], limits: &Limits) -> (usize, Step) {
        let window = &bytes[..bytes.len().min(MAX_TAG)];
        let (name, name_end) = name(window, 0);
        match look(window, name_end, |_, _| {}) {
            Look::Whole(end) if name.starts_with(b"/") => (end, self.closing(&bytes[..end])),
            Look::Whole(end) => self.opening(name, &bytes[..end], limits),
            Look::Half if window.len() < MAX_TAG => (0, Step::Half),
            Look::Half => {
                self.clear();
                (1, Step::Failed(Error::protocol(format!("a tag is longer than {MAX_TAG} bytes"))))
            }
            Look::Torn(place) => {
                let step = match self.root {
                    Some(_) => Step::Failed(Error::protocol("a message breaks off inside a tag")),
                    None => Step::Tag,
                };
                self.clear();
                (place, step)
            }
        }
    }

    fn closing(&mut self, tag: &[u8]) -> Step {
        if self.root.is_none() {
            return Step::Tag;
        }
        self.bytes.extend_from_slice(tag);
        match Root::parse(tag[2..tag.len() - 1].trim_ascii()) == self.root {
            true => Step::Complete,
            false => Step::Tag,
        }
    }

    fn opening(&mut self, name: &[u8], tag: &[u8], limits: &Limits) -> (usize, Step) {
        let empty = tag.ends_with(b"/>");
        let step = match (self.root, Root::parse(name)) {
            (Some(_), Some(_)) => {
                // A root never stands inside another: the one that is still open was torn off. Begin again here.
                self.clear();
                return (0, Step::Failed(Error::protocol("a message breaks off where the next one begins")));
            }
            (None, None) => return (tag.len(), Step::Tag),
            (None, root) => {
                self.root = root;
                if empty { Step::Complete } else { Step::Tag }
            }
            (Some(root), None) if root.is_file(name) && !empty => match self.begin_blob(tag, limits) {
                Ok(()) => Step::Tag,
                Err(error) => {
                    self.clear();
                    return (tag.len(), Step::Failed(error));
                }
            },
            (Some(_), None) => Step::Tag,
        };
        self.tag = self.bytes.len();
        self.bytes.extend_from_slice(tag);
        (tag.len(), step)
    }

    /// Makes room for the BLOB that begins behind a tag, and decodes from there.
    fn begin_blob(&mut self, tag: &[u8], limits: &Limits) -> Result<()> {
        let number = |wanted| find_attribute(tag, wanted).and_then(|text| text.trim().parse::<u64>().ok());
        let (length, size) = (number(b"len"), number(b"size"));
        let wanted = length.or(size).unwrap_or(0);
        let too_large = || Error::protocol(format!("a BLOB of {wanted} bytes is beyond the limit of {}", limits.blob));
        let left = limits.blob.saturating_sub(self.decoded);
        let capacity = usize::try_from(wanted).ok().filter(|wanted| *wanted <= left).ok_or_else(too_large)?;
        let mut data = Vec::new();
        // A few bytes more than needed: the last group of base64 may overshoot before it is cut.
        data.try_reserve_exact(capacity + 8).map_err(|_| too_large())?;
        let limit = if length.is_some() { capacity } else { left + 1 };
        self.decoding = Some(Decoding { decoder: Decoder::default(), data, limit });
        Ok(())
    }
}
