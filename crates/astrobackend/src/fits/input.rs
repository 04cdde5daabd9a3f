//! What is read from: a slice or a file, and how much of it is left, so that no header can ask for more memory.

use super::{BLOCK, Header, parse, print::RECORD, read::PixelSource, sample::Sample};
use crate::{Error, Result, memory};
use std::io::{BufRead, Read};

/// Blocks that a header may have; nothing known needs a tenth of it.
const MAX_BLOCKS: usize = 300;

/// A source of bytes whose length is known.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: R,
    left: u64,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(reader: R, length: u64) -> Self {
        Input { reader, left: length }
    }

    /// True after the last byte.
    pub(super) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The next header, up to its `END`.
    pub(super) fn header(&mut self) -> Result<Header> {
        let mut records = Vec::new();
        while records.len() < MAX_BLOCKS * BLOCK {
            let start = records.len();
            records.resize(start + BLOCK, 0);
            self.claim(BLOCK as u64, "its header has no END")?;
            self.reader.read_exact(&mut records[start..]).map_err(unreadable)?;
            if start == 0 && !begins_a_header(&records) {
                return Err(Error::protocol("is no FITS file: it does not begin with SIMPLE"));
            }
            if records[start..].chunks_exact(RECORD).any(|record| record.starts_with(b"END     ")) {
                return parse::header(&records).ok_or_else(|| Error::protocol("its header has no END"));
            }
        }
        Err(Error::protocol(format!("its header has no END within {MAX_BLOCKS} blocks")))
    }

    /// The next bytes, as they are.
    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        self.claim(count, "the image is cut off")?;
        let mut bytes = Vec::new();
        let capacity = usize::try_from(count).unwrap_or(usize::MAX);
        bytes.try_reserve_exact(capacity).map_err(|_| Error::protocol("the image does not fit into memory"))?;
        let read = self.reader.by_ref().take(count).read_to_end(&mut bytes).map_err(unreadable)?;
        if (read as u64) < count {
            return Err(unreadable(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }

    /// Passes over the data of an HDU, up to its last block.
    pub(super) fn skip(&mut self, bytes: u64) -> Result<()> {
        let mut bytes = bytes.checked_next_multiple_of(BLOCK as u64).unwrap_or(u64::MAX).min(self.left);
        self.left -= bytes;
        while bytes > 0 {
            let buffered = self.reader.fill_buf().map_err(unreadable)?.len();
            if buffered == 0 {
                return Err(unreadable(std::io::ErrorKind::UnexpectedEof.into()));
            }
            let step = bytes.min(buffered as u64);
            self.reader.consume(step as usize);
            bytes -= step;
        }
        Ok(())
    }

    fn claim(&mut self, bytes: u64, why: &str) -> Result<()> {
        if bytes > self.left {
            return Err(Error::protocol(format!("{why}: {bytes} bytes are due, {} are there", self.left)));
        }
        self.left -= bytes;
        Ok(())
    }
}

/// Pixels are not stored in any other form between.
impl<R: BufRead> PixelSource for Input<R> {
    fn pixels<S: Sample, P: Copy + Default>(&mut self, count: u64, convert: impl Fn(S) -> P) -> Result<Vec<P>> {
        let bytes = count.checked_mul(S::SIZE as u64).ok_or_else(|| Error::protocol("the image is absurdly large"))?;
        self.claim(bytes, "the image is cut off")?;
        let count = usize::try_from(count).map_err(|_| Error::protocol("the image does not fit into memory"))?;
        let mut pixels = Vec::new();
        pixels.try_reserve_exact(count).map_err(|_| Error::protocol("the image does not fit into memory"))?;
        memory::in_large_pages(pixels.spare_capacity_mut());
        while pixels.len() < count {
            let bytes = self.reader.fill_buf().map_err(unreadable)?;
            let whole = (bytes.len() / S::SIZE).min(count - pixels.len()) * S::SIZE;
            if whole > 0 {
                pixels.extend(bytes[..whole].chunks_exact(S::SIZE).map(|bytes| convert(S::take(bytes))));
                self.reader.consume(whole);
            } else {
                // A pixel across the end of the buffer.
                let mut one = [0; 8];
                self.reader.read_exact(&mut one[..S::SIZE]).map_err(unreadable)?;
                pixels.push(convert(S::take(&one[..S::SIZE])));
            }
        }
        Ok(pixels)
    }
}

fn begins_a_header(records: &[u8]) -> bool {
    records.starts_with(b"SIMPLE  =") || records.starts_with(b"XTENSION=")
}

fn unreadable(source: std::io::Error) -> Error {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match source.kind() {
        // What unpacks says it so.
        InvalidData | InvalidInput => Error::protocol(format!("is damaged: {source}")).caused_by(source),
        UnexpectedEof => Error::protocol("is cut off").caused_by(source),
        _ => Error::io("cannot be read", source),
    }
}
