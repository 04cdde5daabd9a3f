//! A block of eight by eight pixels, turned in the processor's registers.
//!
//! For pixels of 16 bit, which nearly all pictures have, processors have instructions that compilers do not find by
//! themselves.

use bytemuck::Pod;
use wide::i16x8;

/// Pixels on each side.
pub(super) const BLOCK: usize = 8;

/// Turns the block that both begin with; the lines begin `stride` and `to_stride` pixels apart.
#[inline]
pub(super) fn turn<T: Pod>(from: &[T], stride: usize, to: &mut [T], to_stride: usize) {
    if let (Ok(from), Ok(to)) = (bytemuck::try_cast_slice(from), bytemuck::try_cast_slice_mut(to))
        && size_of::<T>() == size_of::<i16>()
    {
        return turn_16_bit(from, stride, to, to_stride);
    }
    turn_any(from, stride, to, to_stride);
}

fn turn_any<T: Pod>(from: &[T], stride: usize, to: &mut [T], to_stride: usize) {
    for (at, line) in to.chunks_mut(to_stride).take(BLOCK).enumerate() {
        for (n, pixel) in line[..BLOCK].iter_mut().enumerate() {
            *pixel = from[n * stride + at];
        }
    }
}

#[inline]
fn turn_16_bit(from: &[i16], stride: usize, to: &mut [i16], to_stride: usize) {
    let line = |line| i16x8::from_slice_unaligned(&from[line * stride..][..BLOCK]);
    for (line, pixels) in i16x8::transpose(std::array::from_fn(line)).iter().enumerate() {
        to[line * to_stride..][..BLOCK].copy_from_slice(pixels.as_array_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned<T: Pod + PartialEq>(turn: fn(&[T], usize, &mut [T], usize), pixel: impl Fn(usize) -> T) -> bool {
        let (stride, to_stride) = (11, 9);
        let from: Vec<T> = (0..BLOCK * stride).map(&pixel).collect();
        let mut to = vec![T::zeroed(); BLOCK * to_stride];
        turn(&from, stride, &mut to, to_stride);
        let turned = |line: usize, at: usize| to[at * to_stride + line] == from[line * stride + at];
        (0..BLOCK * BLOCK).all(|n| turned(n / BLOCK, n % BLOCK))
            && (0..BLOCK).all(|line| to[line * to_stride + BLOCK] == T::zeroed())
    }

    #[test]
    fn lines_become_columns_in_every_size() {
        assert!(turned(turn::<u8>, |n| n as u8 + 1) && turned(turn::<u16>, |n| n as u16 * 700 + 1));
        assert!(turned(turn::<i16>, |n| -(n as i16) - 1) && turned(turn_any::<u16>, |n| n as u16 * 700 + 1));
        assert!(turned(turn::<f32>, |n| n as f32 + 0.5) && turned(turn::<u64>, |n| n as u64 * 1_000_000_007 + 1));
    }
}
