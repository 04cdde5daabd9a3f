//! Rice's code (FITS 4.0, section 10.4.1): differences of neighbouring numbers, those of a block with as many
//! low bits each as suit it, the rest in unary.

use crate::{Error, Result};

/// Unpacks `count` numbers of `(bytes, numbers in a block)` and appends them, big endian, in `size` bytes each.
pub(super) fn unpack(
    packed: &[u8],
    count: usize,
    (width, block): (usize, usize),
    size: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    match width {
        1 => numbers(packed, count, block, 1, |number| put(i64::from(number as u8), size, out)),
        2 => numbers(packed, count, block, 2, |number| put(i64::from(number as i16), size, out)),
        _ => numbers(packed, count, block, 4, |number| put(i64::from(number as i32), size, out)),
    }
}

#[inline(always)]
fn put(number: i64, size: usize, out: &mut Vec<u8>) {
    match size {
        2 => out.extend_from_slice(&(number as i16).to_be_bytes()),
        4 => out.extend_from_slice(&(number as i32).to_be_bytes()),
        1 => out.push(number as u8),
        _ => out.extend_from_slice(&number.to_be_bytes()[8 - size.min(8)..]),
    }
}

#[inline(always)]
fn numbers(packed: &[u8], count: usize, block: usize, width: usize, mut put: impl FnMut(u32)) -> Result<()> {
    // Bits that tell a block's low bits, and the value that means numbers as they are.
    let (id_bits, plain) = match width {
        1 => (3, 6),
        2 => (4, 14),
        _ => (5, 25),
    };
    let cut_off = || Error::protocol("a tile of the image is cut off");
    let (first, rest) = packed.split_at_checked(width).ok_or_else(cut_off)?;
    let mut last = first.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
    let mut bits = Bits { bytes: rest, held: 0, count: 0 };
    let mut left = count;
    while left > 0 {
        let low = bits.take(id_bits).ok_or_else(cut_off)?;
        let n = left.min(block);
        left -= n;
        match low {
            0 => (0..n).for_each(|_| put(last)),
            low if low == plain + 1 => {
                for _ in 0..n {
                    last = step(last, bits.take(width as u32 * 8).ok_or_else(cut_off)?);
                    put(last);
                }
            }
            low => {
                for _ in 0..n {
                    let high = bits.zeros().ok_or_else(cut_off)?;
                    let low_part = bits.take(low - 1).ok_or_else(cut_off)?;
                    last = step(last, high.wrapping_shl(low - 1) | low_part);
                    put(last);
                }
            }
        }
    }
    Ok(())
}

/// Even differences are upwards, odd ones downwards.
#[inline(always)]
fn step(last: u32, coded: u32) -> u32 {
    let difference = if coded & 1 == 0 { coded >> 1 } else { !(coded >> 1) };
    last.wrapping_add(difference)
}

/// Bits, the most significant first.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Its lowest `count` bits, at most 56, are not used yet; those above are zero.
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// Holds more bits, as many as fit.
    #[inline(always)]
    fn fill(&mut self) {
        if let Some((four, rest)) = self.bytes.split_first_chunk::<4>().filter(|_| self.count <= 24) {
            self.held = self.held << 32 | u64::from(u32::from_be_bytes(*four));
            (self.count, self.bytes) = (self.count + 32, rest);
            return;
        }
        while self.count <= 48
            && let Some((byte, rest)) = self.bytes.split_first()
        {
            self.held = self.held << 8 | u64::from(*byte);
            (self.count, self.bytes) = (self.count + 8, rest);
        }
    }

    /// The next bits, at most 32.
    #[inline(always)]
    fn take(&mut self, bits: u32) -> Option<u32> {
        if self.count < bits {
            self.fill();
        }
        self.count = self.count.checked_sub(bits)?;
        let taken = self.held >> self.count;
        self.held &= (1 << self.count) - 1;
        Some(taken as u32)
    }

    /// The number of zeros before the next one, which is taken too.
    #[inline(always)]
    fn zeros(&mut self) -> Option<u32> {
        let mut zeros = 0u32;
        while self.held == 0 {
            zeros = u32::saturating_add(zeros, self.count);
            self.count = 0;
            self.fill();
            if self.count == 0 {
                return None;
            }
        }
        let above = self.held.leading_zeros() - (64 - self.count);
        self.count -= above + 1;
        self.held &= (1 << self.count) - 1;
        Some(zeros.saturating_add(above))
    }
}
