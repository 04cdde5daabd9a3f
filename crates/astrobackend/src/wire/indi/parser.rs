//! The streaming parser: bytes come cut anywhere, messages go out as soon as their last byte is there.
//!
//! Nearly every message is there as a whole when its turn comes, and is read where it lies. What is not, or carries
//! BLOBs, goes through a [`Draft`] first, so that a half message is never looked at from its beginning again.

use super::{
    build::build,
    message::Message,
    parts::{self, Part},
    root::Root,
    shape::Shape,
    text::find,
};
use crate::Result;
use draft::{Draft, Step};

/// What a peer may make the parser hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one message without its BLOBs.
    pub message: usize,
    /// Bytes of the decoded BLOBs of one message.
    pub blob: usize,
}

impl Default for Limits {
    /// 4 MiB of text, and BLOBs of 1 GiB: more than three times the largest sensor on the market.
    fn default() -> Self {
        Limits { message: 4 << 20, blob: 1 << 30 }
    }
}

/// Bytes of one tag; a quote that is never closed must not swallow the stream.
pub(super) const MAX_TAG: usize = 16 << 10;

/// Least room offered for one read.
const ROOM: usize = 128 << 10;

/// Turns a stream of bytes into [`Message`]s. It never panics and holds no more than its [`Limits`].
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    /// `buffer[start..end]` is received and not yet consumed.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    draft: Draft,
    /// The message given out last was the draft.
    drafted: bool,
    /// The parts of the message given out last.
    parts: Vec<Part>,
    shape: Shape,
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
            draft: Draft::default(),
            drafted: false,
            parts: Vec::new(),
            shape: Shape::default(),
        }
    }

    /// Room to read into; tell [`Parser::filled`] how much was used.
    pub fn room(&mut self) -> &mut [u8] {
        self.room_for(ROOM)
    }

    fn room_for(&mut self, bytes: usize) -> &mut [u8] {
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
        if std::mem::take(&mut self.drafted) {
            self.draft.clear();
        }
        loop {
            if self.draft.root.is_none()
                && let Some((root, length)) = self.note()
            {
                let bytes = &self.buffer[self.start..self.start + length];
                self.start += length;
                return Some(build(root, bytes, &self.parts, Vec::new().into_iter()));
            }
            let (length, step) = self.draft.take(&self.buffer[self.start..self.end], &self.limits);
            self.start += length;
            match step {
                Step::Half => return None,
                Step::Tag => {}
                Step::Complete => break,
                Step::Failed(error) => return Some(Err(error)),
            }
        }
        self.drafted = true;
        let (root, _) = parts::note(&self.draft.bytes, self.limits.message, true, &mut self.parts)?;
        let files = std::mem::take(&mut self.draft.files);
        Some(build(root, &self.draft.bytes, &self.parts, files.into_iter()))
    }

    /// Goes on to the next message and notes its parts, if it is there as a whole; what it is and how long.
    fn note(&mut self) -> Option<(Root, usize)> {
        self.start = find(b'<', &self.buffer[..self.end], self.start).unwrap_or(self.end);
        let bytes = &self.buffer[self.start..self.end];
        if let Some(found) = self.shape.note(bytes, self.limits.message, &mut self.parts) {
            return Some(found);
        }
        let (root, length) = parts::note(bytes, self.limits.message, false, &mut self.parts)?;
        self.shape.learn(root, &bytes[..length], &self.parts);
        Some((root, length))
    }
}

mod arriving;
mod draft;
#[cfg(test)]
mod tests;

pub use arriving::Arriving;
