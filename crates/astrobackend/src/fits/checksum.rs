//! The sum that tells whether a file arrived whole (FITS 4.0, appendix J): 32-bit words in ones' complement.

use super::{print::RECORD, sample::Sample};

/// Pixels summed side by side, so that the compiler uses the processor's vectors; a multiple of all word shares.
const LANES: usize = 16;

/// Sum of the pixels as they are stored, the last word filled up with zeros.
pub(super) fn of_pixels<P: Copy, S: Sample>(pixels: &[P], stored: impl Fn(P) -> S) -> u32 {
    let mut lanes = [0u64; LANES];
    let (groups, rest) = pixels.as_chunks::<LANES>();
    for group in groups {
        for (lane, pixel) in lanes.iter_mut().zip(group) {
            *lane += stored(*pixel).word_sum();
        }
    }
    for (lane, pixel) in lanes.iter_mut().zip(rest) {
        *lane += stored(*pixel).word_sum();
    }
    let per_word = (4 / S::SIZE).max(1);
    let place = |(n, lane): (usize, u64)| u128::from(lane) << (8 * S::SIZE * (per_word - 1 - n % per_word));
    fold(lanes.into_iter().enumerate().map(place).sum())
}

/// Sum of bytes, whole words.
pub(super) fn of_bytes(bytes: &[u8]) -> u32 {
    let (words, _) = bytes.as_chunks::<4>();
    fold(words.iter().map(|word| u128::from(u32::from_be_bytes(*word))).sum())
}

/// Both sums as one.
pub(super) fn add(a: u32, b: u32) -> u32 {
    fold(u128::from(a) + u128::from(b))
}

/// Carries beyond 32 bits are added at the other end.
fn fold(mut sum: u128) -> u32 {
    while sum > u128::from(u32::MAX) {
        sum = (sum >> 32) + (sum & u128::from(u32::MAX));
    }
    sum as u32
}

/// The 16 letters and digits which, in columns 12 to 27 of a record, make the sum of the whole HDU all ones.
pub(super) fn encode(sum: u32) -> String {
    let mut letters = [0u8; 16];
    for (n, byte) in (!sum).to_be_bytes().into_iter().enumerate() {
        for (m, letter) in spread(byte).into_iter().enumerate() {
            letters[4 * m + n] = letter;
        }
    }
    // The value begins in column 12, one byte into a word.
    debug_assert_eq!((11 + RECORD) % 4, 3);
    letters.rotate_right(1);
    letters.iter().map(|letter| char::from(*letter)).collect()
}

/// Four letters or digits that exceed four `0` by `byte` together.
fn spread(byte: u8) -> [u8; 4] {
    let quarter = byte / 4 + b'0';
    let mut letters = [quarter + byte % 4, quarter, quarter, quarter];
    // Punctuation is avoided by moving one unit between the letters of a pair.
    while let Some(pair) = [0, 2].into_iter().find(|n| letters[*n..n + 2].iter().any(|c| !c.is_ascii_alphanumeric())) {
        letters[pair] += 1;
        letters[pair + 1] -= 1;
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_sums_to_the_complement_of_the_sum() {
        for sum in [0, 1, 868_229_149, 0x8000_0000, u32::MAX, 0x0A0B_0C0D] {
            let code = encode(sum);
            assert!(code.bytes().all(|b| b.is_ascii_alphanumeric()), "{code}");
            let mut zeros = [b'0'; 16];
            let mut bytes = code.into_bytes();
            // As it lies in the file.
            zeros.rotate_left(1);
            bytes.rotate_left(1);
            let difference = add(of_bytes(&bytes), !of_bytes(&zeros));
            assert_eq!(add(difference, sum), u32::MAX);
        }
    }

    #[test]
    fn every_byte_spreads_into_letters_and_digits() {
        for byte in 0..=255u8 {
            let letters = spread(byte);
            assert!(letters.iter().all(u8::is_ascii_alphanumeric), "{byte}");
            assert_eq!(letters.iter().map(|c| u32::from(*c)).sum::<u32>(), 4 * 48 + u32::from(byte));
        }
    }

    #[test]
    fn pixels_sum_as_their_bytes_do() {
        let pixels: Vec<u8> = (0..1000u32).map(|n| (n * 7 % 251) as u8).collect();
        assert_eq!(of_pixels(&pixels, |p| p), of_bytes(&pixels));
        let wide: Vec<u64> = (0..77u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let bytes: Vec<u8> = wide.iter().flat_map(|p| (p ^ (1 << 63)).to_be_bytes()).collect();
        assert_eq!(of_pixels(&wide, |p| p), of_bytes(&bytes));
        let short: Vec<u16> = vec![1, 2, 3];
        assert_eq!(of_pixels(&short, |p| p), of_bytes(&[0x80, 1, 0x80, 2, 0x80, 3, 0, 0]));
    }
}
