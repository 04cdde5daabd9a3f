//! Base64 in pieces: characters arrive cut anywhere, with or without line breaks, and the bytes go
//! straight into the one buffer that wants them.

use base64_simd::STANDARD;
use memchr::memchr3;

/// Decodes one BLOB, piece by piece.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Characters of an unfinished group of four, as bits.
    pending: u32,
    count: u8,
    /// A `=` was seen: nothing but blanks may follow.
    ended: bool,
    /// Something that is not base64 was seen.
    pub(super) corrupt: bool,
}

impl Decoder {
    /// Decodes a piece onto the end of `out`, but never beyond `limit` bytes in all: what is more is padding,
    /// whatever it is.
    pub(super) fn decode(&mut self, mut input: &[u8], out: &mut Vec<u8>, limit: usize) {
        while !input.is_empty() && out.len() < limit {
            // No character more than the limit takes: what follows need not be base64, however the input is cut.
            let needed = (limit - out.len()).div_ceil(3).saturating_mul(4) - usize::from(self.count);
            let piece = &input[..input.len().min(needed)];
            let line = memchr3(b'\n', b'\r', b'=', piece).unwrap_or(piece.len());
            self.line(&piece[..line], out, limit);
            self.take_all(&piece[line..(line + 1).min(piece.len())], out, limit);
            input = &input[(line + 1).min(piece.len())..];
        }
        out.truncate(limit);
    }

    /// Decodes characters without a line break: all groups of four at once, unless something else is among them.
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>, limit: usize) {
        // A group that began before is finished first.
        let (head, rest) = line.split_at(usize::from((4 - self.count) % 4).min(line.len()));
        self.take_all(head, out, limit);
        let (groups, tail) = rest.split_at(rest.len() / 4 * 4);
        let all = self.count == 0 && !self.ended && STANDARD.decode_append(groups, out).is_ok();
        self.take_all(if all { tail } else { rest }, out, limit);
    }

    /// Decodes one by one, up to the limit.
    fn take_all(&mut self, bytes: &[u8], out: &mut Vec<u8>, limit: usize) {
        for byte in bytes {
            if out.len() >= limit {
                return;
            }
            self.take(*byte, out);
        }
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        let value = VALUES[byte as usize];
        if value != NONE && !self.ended {
            self.pending = self.pending << 6 | u32::from(value);
            self.count += 1;
            if self.count == 4 {
                out.extend_from_slice(&self.pending.to_be_bytes()[1..]);
                (self.pending, self.count) = (0, 0);
            }
        } else if byte == b'=' {
            self.end_of_groups(out);
            self.ended = true;
        } else if !byte.is_ascii_whitespace() {
            self.corrupt = true;
        }
    }

    /// Writes the bytes of a last group that is shorter than four, within the limit.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>, limit: usize) {
        // Characters beyond the limit may have begun a group.
        if out.len() < limit {
            self.end_of_groups(out);
            out.truncate(limit);
        }
    }

    fn end_of_groups(&mut self, out: &mut Vec<u8>) {
        let bytes = (self.pending << (6 * (4 - u32::from(self.count)) % 24)).to_be_bytes();
        out.extend_from_slice(match self.count {
            2 => &bytes[1..2],
            3 => &bytes[1..3],
            _ => &[],
        });
        self.corrupt |= self.count == 1;
        (self.pending, self.count) = (0, 0);
    }
}

/// Marks what is not one of the 64 characters.
const NONE: u8 = 255;

/// The value of each character.
static VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Appends the base64 of some bytes, in one line as `indiserver` writes it.
pub(super) fn encode(data: &[u8], out: &mut Vec<u8>) {
    STANDARD.encode_append(data, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]], limit: usize) -> (Vec<u8>, bool) {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        pieces.iter().for_each(|piece| decoder.decode(piece, &mut out, limit));
        decoder.finish(&mut out, limit);
        (out, decoder.corrupt)
    }

    #[test]
    fn known_texts() {
        assert_eq!(decode(&[b"Zm9vYmFy"], 99), (b"foobar".to_vec(), false));
        assert_eq!(decode(&[b"Zm9v", b"Yg=="], 99), (b"foob".to_vec(), false));
        assert_eq!(decode(&[b"\n Zm9\r\nvYm", b"E= \n"], 99), (b"fooba".to_vec(), false));
        assert_eq!(decode(&[b"Zm9vYmFy"], 4), (b"foob".to_vec(), false));
        assert_eq!(decode(&[b"Z", b"m9vYmFyZ"], 3), (b"foo".to_vec(), false), "a group begins beyond the limit");
        for pieces in [&[&b"Zm9v\nY*"[..]][..], &[b"Zm9v", b"\nY*"], &[b"Z m9v*"]] {
            assert_eq!(decode(pieces, 3), (b"foo".to_vec(), false), "beyond the limit may be anything");
        }
        assert_eq!(decode(&[b"Zm9vYmE"], 99), (b"fooba".to_vec(), false), "missing padding");
        assert_eq!(decode(&[b"Zm9", b"v{"], 3), (b"foo".to_vec(), false), "nonsense beyond the limit");
        assert!(decode(&[b"Zm9v*mFy"], 99).1 && decode(&[b"Zm9vY"], 99).1);
    }

    proptest! {
        #[test]
        fn any_cut_and_any_line_length_give_the_bytes_back(
            data in proptest::collection::vec(any::<u8>(), 0..400), line in 1usize..90, cut in 1usize..50,
        ) {
            let mut text = Vec::new();
            encode(&data, &mut text);
            let broken: Vec<u8> = text.chunks(line).flat_map(|line| [line, b"\n"].concat()).collect();
            let pieces: Vec<&[u8]> = broken.chunks(cut).collect();
            prop_assert_eq!(decode(&pieces, usize::MAX), (data, false));
        }

        #[test]
        fn any_bytes_are_survived(data in proptest::collection::vec(any::<u8>(), 0..200), limit in 0usize..99) {
            prop_assert!(decode(&[&data], limit).0.len() <= limit);
        }
    }
}
