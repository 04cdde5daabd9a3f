//! Rows to columns and back: our pictures stand row after row, Alpaca's column after column.
//!
//! The one place where this is done. A picture of three planes has, on Alpaca's side, the three values of a pixel
//! side by side; on ours plane after plane.
//!
//! Memory that is walked across is slow, so blocks are turned that stay in the processor's cache.

use super::block::{self, BLOCK};
use bytemuck::Pod;

/// Turns rows into columns, in new memory.
///
/// `rows` has `height * planes` rows of `width` pixels.
///
/// # Panics
/// When `rows` is not that long.
pub fn to_columns<T: Pod>(rows: &[T], width: usize, height: usize, planes: usize) -> Vec<T> {
    if planes == 1 {
        return into_columns(rows.to_vec(), width, height);
    }
    let mut columns = vec![T::zeroed(); rows.len()];
    for (plane, rows) in rows.chunks_exact(width * height).enumerate() {
        for (y, row) in rows.chunks_exact(width).enumerate() {
            for (x, pixel) in row.iter().enumerate() {
                columns[(x * height + y) * planes + plane] = *pixel;
            }
        }
    }
    columns
}

/// Turns rows of one plane into columns within the memory they stand in: a large frame is there only once.
///
/// Bands of rows are turned one by one, so that what belongs together in a column is a short run; then the runs
/// change places. Costs two to three plain copies, and a bit of memory for each run of 128 bytes.
///
/// # Panics
/// When `rows` does not have `width * height` pixels.
pub fn into_columns<T: Pod>(mut rows: Vec<T>, width: usize, height: usize) -> Vec<T> {
    assert_eq!(rows.len(), width * height, "the pixels of {width}x{height}");
    // Two lines of the cache: memory is not read in smaller pieces anyway.
    let run = (128 / size_of::<T>()).max(1);
    let bands = height.div_ceil(run);
    rows.resize(bands * run * width, T::zeroed());
    let mut turned = vec![T::zeroed(); run * width];
    for band in rows.chunks_exact_mut(run * width) {
        turn(band, width, &mut turned, run, (run, width));
        band.copy_from_slice(&turned);
    }
    drop(turned);
    exchange_runs(&mut rows, run, bands, width);
    let padded = bands * run;
    if padded > height {
        (1..width).for_each(|x| rows.copy_within(x * padded..x * padded + height, x * height));
        rows.truncate(width * height);
    }
    rows
}

/// Turns a strip of whole columns into their places in rows: `columns` begins with column `first`.
///
/// # Panics
/// When `columns` is no whole number of columns, or `rows` is not a picture of this size.
pub fn place_columns<T: Pod>(
    columns: &[T],
    first: usize,
    rows: &mut [T],
    (width, height, planes): (usize, usize, usize),
) {
    let count = columns.len() / (height * planes);
    assert_eq!((columns.len(), rows.len()), (count * height * planes, width * height * planes));
    if planes == 1 {
        return turn(columns, height, &mut rows[first..], width, (count, height));
    }
    for (plane, rows) in rows.chunks_exact_mut(width * height).enumerate() {
        for (y, row) in rows.chunks_exact_mut(width).enumerate() {
            for (x, pixel) in row[first..][..count].iter_mut().enumerate() {
                *pixel = columns[(x * height + y) * planes + plane];
            }
        }
    }
}

/// Turns `lines` of `length`, which begin `stride` pixels apart, into `length` lines that begin `to_stride` apart.
fn turn<T: Pod>(from: &[T], stride: usize, to: &mut [T], to_stride: usize, (lines, length): (usize, usize)) {
    let (whole_lines, whole_length) = (lines - lines % BLOCK, length - length % BLOCK);
    // What a line of the cache has is used up while it is there.
    let near = (64 / size_of::<T>()).max(BLOCK);
    for begin in (0..whole_length).step_by(near) {
        for line in (0..whole_lines).step_by(BLOCK) {
            for at in (begin..whole_length.min(begin + near)).step_by(BLOCK) {
                block::turn(&from[line * stride + at..], stride, &mut to[at * to_stride + line..], to_stride);
            }
        }
    }
    for at in 0..length {
        for line in if at < whole_length { whole_lines } else { 0 }..lines {
            to[at * to_stride + line] = from[line * stride + at];
        }
    }
}

/// Turns `height` rows of `width` runs into `width` rows of `height` runs, in place: follows each run to where it
/// belongs, and the one that was there on, until the circle closes.
fn exchange_runs<T: Pod>(pixels: &mut [T], run: usize, height: usize, width: usize) {
    let count = height * width;
    let mut done = vec![0_u64; count.div_ceil(64)];
    let (mut carried, mut met) = (vec![T::zeroed(); run], vec![T::zeroed(); run]);
    for start in 0..count {
        if done[start / 64] & 1 << (start % 64) != 0 {
            continue;
        }
        carried.copy_from_slice(&pixels[start * run..][..run]);
        let mut at = start;
        loop {
            at = at % width * height + at / width;
            let place = &mut pixels[at * run..][..run];
            met.copy_from_slice(place);
            place.copy_from_slice(&carried);
            std::mem::swap(&mut carried, &mut met);
            done[at / 64] |= 1 << (at % 64);
            if at == start {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Said as plainly as can be.
    fn plainly(rows: &[u32], width: usize, height: usize, planes: usize) -> Vec<u32> {
        let mut columns = Vec::new();
        for x in 0..width {
            for y in 0..height {
                columns.extend((0..planes).map(|plane| rows[(plane * height + y) * width + x]));
            }
        }
        columns
    }

    #[test]
    fn a_corner_stays_where_the_specification_puts_it() {
        // 3 columns, 2 rows: [x][y], y fastest.
        assert_eq!(to_columns(&[1, 2, 3, 4, 5, 6], 3, 2, 1), [1, 4, 2, 5, 3, 6]);
        assert_eq!(into_columns(vec![1, 2, 3, 4, 5, 6], 3, 2), [1, 4, 2, 5, 3, 6]);
        // Red 1 2, green 3 4, blue 5 6: one row of two pixels.
        assert_eq!(to_columns(&[1, 2, 3, 4, 5, 6], 2, 1, 3), [1, 3, 5, 2, 4, 6]);
    }

    proptest! {
        #[test]
        fn all_ways_agree(width in 1..90_usize, height in 1..150_usize, planes in 1..4_usize, strip in 1..40_usize) {
            let rows: Vec<u32> = (0..(width * height * planes) as u32).collect();
            let columns = to_columns(&rows, width, height, planes);
            prop_assert_eq!(&columns, &plainly(&rows, width, height, planes));
            if planes == 1 {
                prop_assert_eq!(&into_columns(rows.clone(), width, height), &columns);
                let bytes: Vec<u8> = rows.iter().map(|pixel| *pixel as u8).collect();
                prop_assert_eq!(into_columns(bytes.clone(), width, height), to_columns(&bytes, width, height, 1));
            }
            let mut back = vec![0; rows.len()];
            for (n, part) in columns.chunks(strip * height * planes).enumerate() {
                place_columns(part, n * strip, &mut back, (width, height, planes));
            }
            prop_assert_eq!(back, rows);
        }
    }
}
