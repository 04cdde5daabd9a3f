//! The streaming parser: bytes come cut anywhere, messages go out as soon as their last byte is there.
//!
//! One pass: tags are found as they arrive and only their places in the buffer are noted, so that a
//! message borrows its texts and a half message is never scanned twice. The text of a BLOB never
//! collects in the buffer; it is decoded on arrival into the vector that the message will own.

use super::{
    base64::Decoder,
    build::{Root, Tag, build},
    message::Message,
    tag::{Attribute, Look, look},
    text::{Source, find},
};
use crate::{Error, Result};

/// What a peer may make the parser hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one message without its BLOBs.
    pub message: usize,
    /// Bytes of one decoded BLOB.
    pub blob: usize,
}

impl Default for Limits {
    /// 4 MiB of text, and BLOBs of 1 GiB: more than three times the largest sensor on the market.
    fn default() -> Self {
        Limits { message: 4 << 20, blob: 1 << 30 }
    }
}

/// Bytes of one tag; a quote that is never closed must not swallow the stream.
const MAX_TAG: usize = 16 << 10;

/// Least room offered for one read.
const ROOM: usize = 128 << 10;

#[derive(Clone, Copy, Debug)]
enum Scan {
    Text,
    Tag { open: usize },
}

#[derive(Debug)]
struct Decoding {
    decoder: Decoder,
    data: Vec<u8>,
    /// Bytes that are valid; what follows is padding.
    limit: usize,
}

/// Turns a stream of bytes into [`Message`]s. It never panics and holds no more than its [`Limits`].
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    /// `buffer[start..end]` is received and not yet consumed; all other places count from `start`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at: usize,
    scan: Scan,
    /// Length of the message given out last, to be dropped when the next one is asked for.
    consumed: usize,
    root: Option<Root>,
    tags: Vec<Tag>,
    attributes: Vec<Attribute>,
    decoding: Option<Decoding>,
    blobs: Vec<Vec<u8>>,
}

impl Default for Parser {
    fn default() -> Self {
        Parser::new(Limits::default())
    }
}

impl Parser {
    /// A parser with limits.
    pub fn new(limits: Limits) -> Self {
        Parser {
            limits,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            at: 0,
            scan: Scan::Text,
            consumed: 0,
            root: None,
            tags: Vec::new(),
            attributes: Vec::new(),
            decoding: None,
            blobs: Vec::new(),
        }
    }

    /// Room to read into; tell [`Parser::filled`] how much was used.
    pub fn room(&mut self) -> &mut [u8] {
        self.room_for(ROOM)
    }

    fn room_for(&mut self, bytes: usize) -> &mut [u8] {
        self.release();
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < self.end + bytes {
            self.buffer.resize((self.end + bytes).next_power_of_two(), 0);
        }
        &mut self.buffer[self.end..]
    }

    /// So many bytes were written to the beginning of [`Parser::room`].
    pub fn filled(&mut self, bytes: usize) {
        self.end = (self.end + bytes).min(self.buffer.len());
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.room_for(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.filled(bytes.len());
    }

    /// The next message; `None` when more bytes are needed.
    ///
    /// A malformed or oversized message is an error and is left out; the messages after it come all the same.
    ///
    /// # Errors
    /// `Protocol`, with what was wrong.
    pub fn next_message(&mut self) -> Option<Result<Message<'_>>> {
        match self.advance()? {
            Ok(root) => {
                let bytes = &self.buffer[self.start..self.start + self.consumed];
                Some(build(root, bytes, &self.tags, &self.attributes, std::mem::take(&mut self.blobs)))
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Drops the message given out last.
    fn release(&mut self) {
        if self.consumed > 0 {
            self.skip_to(self.consumed);
            self.consumed = 0;
        }
    }

    /// Forgets everything before a place, whatever it was part of.
    fn skip_to(&mut self, place: usize) {
        self.start += place;
        self.at = 0;
        self.scan = Scan::Text;
        self.root = None;
        self.tags.clear();
        self.attributes.clear();
        self.decoding = None;
        self.blobs.clear();
    }

    /// Goes on to the end of the next message.
    fn advance(&mut self) -> Option<Result<Root>> {
        self.release();
        loop {
            match self.scan {
                Scan::Text => {
                    let found = self.text();
                    if let Err(error) = self.check_size() {
                        return Some(Err(error));
                    }
                    if !found {
                        return None;
                    }
                }
                Scan::Tag { open } => {
                    if let Some(step) = self.look_at_tag(open)? {
                        return Some(step);
                    }
                }
            }
        }
    }

    /// Takes text up to the next `<`; false when there is none yet.
    fn text(&mut self) -> bool {
        let text = &self.buffer[self.start + self.at..self.end];
        let found = find(b'<', text);
        let length = found.unwrap_or(text.len());
        if let Some(blob) = &mut self.decoding {
            blob.decoder.decode(&text[..length], &mut blob.data, blob.limit);
            // The message's head moves up to where the text ends, so that the buffer stays small.
            self.buffer.copy_within(self.start..self.start + self.at, self.start + length);
            self.start += length;
        } else if self.root.is_none() {
            self.start += length;
        } else {
            self.at += length;
        }
        if found.is_some() {
            self.end_of_text();
            self.scan = Scan::Tag { open: self.at };
            self.at += 1;
        }
        found.is_some()
    }

    fn end_of_text(&mut self) {
        let at = self.at as u32;
        if let Some(tag) = self.tags.last_mut().filter(|tag| !tag.closed) {
            tag.closed = true;
            tag.text.1 = at;
        }
        if let Some(mut blob) = self.decoding.take() {
            blob.decoder.finish(&mut blob.data, blob.limit);
            if let Some(tag) = self.tags.last_mut() {
                tag.blob = Some(self.blobs.len());
                tag.corrupt = blob.decoder.corrupt;
            }
            self.blobs.push(blob.data);
        }
    }

    fn check_size(&mut self) -> Result<()> {
        if self.root.is_some() && self.at > self.limits.message {
            let limit = self.limits.message;
            self.skip_to(self.at);
            return Err(Error::protocol(format!("a message is longer than {limit} bytes")));
        }
        if self.decoding.as_ref().is_some_and(|blob| blob.data.len() > self.limits.blob) {
            let limit = self.limits.blob;
            self.skip_to(self.at);
            return Err(Error::protocol(format!("a BLOB is larger than {limit} bytes")));
        }
        Ok(())
    }

    /// Takes in the tag that opened at `open`; `None` when it is not there yet. What comes out is as of [`Self::tag`].
    fn look_at_tag(&mut self, open: usize) -> Option<Option<Result<Root>>> {
        let bytes = &self.buffer[self.start..self.end];
        let window = &bytes[..bytes.len().min(open + MAX_TAG)];
        let first = self.attributes.len();
        match look(window, open + 1, &mut self.attributes) {
            Look::Whole { name_end, end } => {
                self.at = end + 1;
                self.scan = Scan::Text;
                Some(self.tag(open + 1, name_end, end, first))
            }
            Look::Half => {
                self.attributes.truncate(first);
                if window.len() < open + MAX_TAG {
                    return None;
                }
                self.skip_to(open + 1);
                Some(Some(Err(Error::protocol(format!("a tag is longer than {MAX_TAG} bytes")))))
            }
            Look::Torn(place) => {
                let torn = self.root.is_some();
                self.begin_at(place);
                Some(torn.then(|| Err(Error::protocol("a message breaks off inside a tag"))))
            }
        }
    }

    /// Forgets what was before a `<`.
    fn begin_at(&mut self, place: usize) {
        self.skip_to(place);
        (self.scan, self.at) = (Scan::Tag { open: 0 }, 1);
    }

    /// Takes in a complete tag; the answer is a complete message or a torn one.
    fn tag(&mut self, from: usize, name_end: usize, to: usize, first: usize) -> Option<Result<Root>> {
        let inside = &self.buffer[self.start + from..self.start + to];
        if let Some(name) = inside.strip_prefix(b"/") {
            self.attributes.truncate(first);
            let of_root =
                self.tags.first().is_some_and(|root| root.name(&self.buffer[self.start..]) == name.trim_ascii());
            return match self.root {
                None => {
                    self.skip_to(self.at);
                    None
                }
                Some(root) => of_root.then(|| self.complete(root)),
            };
        }
        let (inside, empty) = inside.strip_suffix(b"/").map_or((inside, false), |inside| (inside, true));
        let to = from + inside.len();
        let name_end = name_end.min(to);
        let name = &inside[..name_end - from];
        match (Root::parse(name), self.root) {
            (Some(_), Some(_)) => {
                // A root never stands inside another: the one that is still open was torn off. Begin again here.
                self.begin_at(from - 1);
                Some(Err(Error::protocol("a message breaks off where the next one begins")))
            }
            (Some(root), None) => {
                self.root = Some(root);
                self.note_tag((from, name_end), first, empty);
                empty.then(|| self.complete(root))
            }
            (None, Some(root)) => {
                let blob = root.carries_blobs() && name == b"oneBLOB" && !empty;
                self.note_tag((from, name_end), first, empty);
                if blob && let Err(error) = self.begin_blob() {
                    self.skip_to(self.at);
                    return Some(Err(error));
                }
                None
            }
            (None, None) => {
                self.skip_to(self.at);
                None
            }
        }
    }

    fn complete(&mut self, root: Root) -> Result<Root> {
        self.consumed = self.at;
        Ok(root)
    }

    /// Notes where the parts of an opening tag lie.
    fn note_tag(&mut self, (from, name_end): (usize, usize), first: usize, closed: bool) {
        let (at, attributes) = (self.at as u32, (first, self.attributes.len()));
        let name = (from as u32, name_end as u32);
        self.tags.push(Tag { name, attributes, text: (at, at), closed, blob: None, corrupt: false });
    }

    /// The last tag opened a BLOB: makes room for it and decodes from here.
    fn begin_blob(&mut self) -> Result<()> {
        let bytes = &self.buffer[self.start..self.end];
        let Some(tag) = self.tags.last() else { return Ok(()) };
        let number = |wanted: &[u8]| {
            let mut attributes = tag.attributes(Source::new(bytes), &self.attributes);
            attributes.find(|(name, _)| *name == wanted).and_then(|(_, text)| text.trim().parse::<u64>().ok())
        };
        let (length, size) = (number(b"len"), number(b"size"));
        let wanted = length.or(size).unwrap_or(0);
        let too_large =
            || Error::protocol(format!("a BLOB of {wanted} bytes is beyond the limit of {}", self.limits.blob));
        let capacity =
            usize::try_from(wanted).ok().filter(|wanted| *wanted <= self.limits.blob).ok_or_else(too_large)?;
        let mut data = Vec::new();
        // A few bytes more than needed: the last group of base64 may overshoot before it is cut.
        data.try_reserve_exact(capacity + 8).map_err(|_| too_large())?;
        let limit = if length.is_some() { capacity } else { self.limits.blob + 1 };
        self.decoding = Some(Decoding { decoder: Decoder::default(), data, limit });
        Ok(())
    }
}

mod arriving;
#[cfg(test)]
mod tests;

pub use arriving::Arriving;
