//! The sum that tells whether a file arrived whole (FITS 4.0, appendix J): 32-bit words in ones' complement.

use super::print::RECORD;

/// Bytes added side by side, so that the compiler uses the processor's vectors.
const STEP: usize = 64;
/// Steps after which a 16-bit field may be full of bytes.
const STEPS: usize = 256;
/// The lower byte of each 16-bit field.
const LOWER: u64 = 0x00FF_00FF_00FF_00FF;

/// Sum of bytes, the last word filled up with zeros.
///
/// Bytes of the same place within a word are added up first, four to a `u64`, and put in their places
/// at the end: several times as fast as turning every word round.
pub(super) fn of_bytes(bytes: &[u8]) -> u32 {
    let mut sum = 0;
    for block in bytes.chunks(STEPS * STEP) {
        let (steps, rest) = block.as_chunks::<STEP>();
        let mut last = [0; STEP];
        last[..rest.len()].copy_from_slice(rest);
        sum += of_steps(steps) + of_steps(&[last]);
    }
    fold(sum)
}

fn of_steps(steps: &[[u8; STEP]]) -> u128 {
    let (mut even, mut odd) = ([0u64; STEP / 8], [0u64; STEP / 8]);
    for step in steps {
        for (n, bytes) in step.as_chunks::<8>().0.iter().enumerate() {
            let bytes = u64::from_le_bytes(*bytes);
            even[n] += bytes & LOWER;
            odd[n] += (bytes >> 8) & LOWER;
        }
    }
    let field = |lanes: &[u64], n: u32| lanes.iter().map(|lane| u128::from(lane >> (16 * n) & 0xFFFF)).sum::<u128>();
    let place = |lanes: &[u64], n: u32| field(lanes, n) + field(lanes, n + 2);
    (place(&even, 0) << 24) + (place(&odd, 0) << 16) + (place(&even, 1) << 8) + place(&odd, 1)
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
    fn bytes_sum_as_words_do() {
        let slow = |bytes: &[u8]| {
            let words = bytes.chunks(4).map(|word| {
                let mut whole = [0; 4];
                whole[..word.len()].copy_from_slice(word);
                u128::from(u32::from_be_bytes(whole))
            });
            fold(words.sum())
        };
        let bytes: Vec<u8> = (0..100_001u32).map(|n| (n.wrapping_mul(0x9E37_79B9) >> 24) as u8).collect();
        for length in [0, 1, 3, 4, 63, 64, 65, 2880, STEP * STEPS, STEP * STEPS + 7, bytes.len()] {
            assert_eq!(of_bytes(&bytes[..length]), slow(&bytes[..length]), "{length}");
        }
        assert_eq!(of_bytes(&[255; 100_000]), slow(&[255; 100_000]));
    }
}
