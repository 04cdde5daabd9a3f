//! Tiles packed by gzip (FITS 4.0, section 10.4.2), as they are or with their bytes sorted by significance.

use crate::{Error, Result};
use flate2::bufread::{GzDecoder, ZlibDecoder};
use std::io::Read;

/// Unpacks `count` numbers and appends them in `size` bytes each.
pub(super) fn unpack(packed: &[u8], count: usize, size: usize, out: &mut Vec<u8>) -> Result<()> {
    widen(&inflate(packed, count, size)?, count, size, out)
}

/// The same, with all the most significant bytes first, then the next ones, and so on.
pub(super) fn unpack_shuffled(packed: &[u8], count: usize, size: usize, out: &mut Vec<u8>) -> Result<()> {
    let bytes = inflate(packed, count, size)?;
    let width = width_of(&bytes, count)?;
    let mut numbers = vec![0; bytes.len()];
    for (significance, sorted) in bytes.chunks_exact(count).enumerate() {
        for (number, byte) in numbers.chunks_exact_mut(width).zip(sorted) {
            number[significance] = *byte;
        }
    }
    widen(&numbers, count, size, out)
}

fn inflate(packed: &[u8], count: usize, size: usize) -> Result<Vec<u8>> {
    // Writers may use four bytes for smaller numbers; what is longer, by one byte or more, is no tile.
    let most = (count as u64).saturating_mul(size.max(4) as u64).saturating_add(1);
    let mut bytes = Vec::new();
    let unpacked = match packed {
        [0x1F, 0x8B, ..] => GzDecoder::new(packed).take(most).read_to_end(&mut bytes),
        _ => ZlibDecoder::new(packed).take(most).read_to_end(&mut bytes),
    };
    unpacked.map_err(|error| Error::protocol(format!("a tile of the image is damaged: {error}")))?;
    Ok(bytes)
}

/// Bytes of each number.
fn width_of(bytes: &[u8], count: usize) -> Result<usize> {
    let width = bytes.len() / count.max(1);
    match width {
        1 | 2 | 4 | 8 if width * count == bytes.len() => Ok(width),
        _ => Err(Error::protocol(format!("a tile of the image has {} bytes for {count} pixels", bytes.len()))),
    }
}

/// Appends big-endian numbers in `size` bytes each, whatever size they have.
pub(super) fn widen(bytes: &[u8], count: usize, size: usize, out: &mut Vec<u8>) -> Result<()> {
    let width = width_of(bytes, count)?;
    if width == size {
        out.extend_from_slice(bytes);
        return Ok(());
    }
    for number in bytes.chunks_exact(width) {
        // Single bytes are unsigned, all others signed.
        let sign = if width > 1 && number[0] & 0x80 != 0 { 0xFF } else { 0 };
        let mut wide = [sign; 8];
        wide[8 - width..].copy_from_slice(number);
        out.extend_from_slice(&wide[8 - size.min(8)..]);
    }
    Ok(())
}
