//! Base64 in pieces: characters arrive cut anywhere, with or without line breaks, and the bytes go
//! straight into the one buffer that the BLOB will be.

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

/// Marks what is not one of the 64 characters; above all 24 bits of a group.
const NONE: u32 = 1 << 31;

/// Value of each character, shifted to each of its four places in a group.
static TABLES: [[u32; 256]; 4] = tables();

const fn tables() -> [[u32; 256]; 4] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut tables = [[NONE; 256]; 4];
    let mut value = 0;
    while value < 64 {
        let mut place = 0;
        while place < 4 {
            tables[place][alphabet[value] as usize] = (value as u32) << (18 - 6 * place);
            place += 1;
        }
        value += 1;
    }
    tables
}

impl Decoder {
    /// Decodes a piece onto the end of `out`, but never beyond `limit` bytes in all: what is more is padding.
    pub(super) fn decode(&mut self, mut input: &[u8], out: &mut Vec<u8>, limit: usize) {
        while !input.is_empty() && out.len() < limit {
            if self.count == 0 && !self.ended {
                let done = decode_groups(input, out);
                input = &input[done..];
            }
            // Up to the end of a group one by one: an unfinished group, a blank, a line break, the end.
            while let Some((first, rest)) = input.split_first() {
                input = rest;
                self.take(*first, out);
                if self.count == 0 && !first.is_ascii_whitespace() {
                    break;
                }
            }
        }
        out.truncate(limit);
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        let value = TABLES[3][byte as usize];
        if value != NONE && !self.ended {
            self.pending = self.pending << 6 | value;
            self.count += 1;
            if self.count == 4 {
                out.extend_from_slice(&self.pending.to_be_bytes()[1..]);
                (self.pending, self.count) = (0, 0);
            }
        } else if byte == b'=' {
            self.finish(out);
            self.ended = true;
        } else if !byte.is_ascii_whitespace() {
            self.corrupt = true;
        }
    }

    /// Writes the bytes of a last group that is shorter than four.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
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

/// Decodes whole groups of four up to the first that holds anything else; returns the characters used.
fn decode_groups(input: &[u8], out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.resize(start + input.len() / 4 * 3, 0);
    let mut groups = 0;
    for (four, three) in input.chunks_exact(4).zip(out[start..].chunks_exact_mut(3)) {
        let bits = TABLES[0][four[0] as usize]
            | TABLES[1][four[1] as usize]
            | TABLES[2][four[2] as usize]
            | TABLES[3][four[3] as usize];
        if bits & NONE != 0 {
            break;
        }
        three.copy_from_slice(&bits.to_be_bytes()[1..]);
        groups += 1;
    }
    out.truncate(start + groups * 3);
    groups * 4
}

/// Appends the base64 of some bytes, in one line as `indiserver` writes it.
pub(super) fn encode(data: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.reserve(data.len().div_ceil(3) * 4);
    for three in data.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            out.push(if place <= three.len() { ALPHABET[(bits >> (18 - 6 * place) & 63) as usize] } else { b'=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]], limit: usize) -> (Vec<u8>, bool) {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        pieces.iter().for_each(|piece| decoder.decode(piece, &mut out, limit));
        decoder.finish(&mut out);
        out.truncate(limit);
        (out, decoder.corrupt)
    }

    #[test]
    fn known_texts() {
        assert_eq!(decode(&[b"Zm9vYmFy"], 99), (b"foobar".to_vec(), false));
        assert_eq!(decode(&[b"Zm9v", b"Yg=="], 99), (b"foob".to_vec(), false));
        assert_eq!(decode(&[b"\n Zm9\r\nvYm", b"E= \n"], 99), (b"fooba".to_vec(), false));
        assert_eq!(decode(&[b"Zm9vYmFy"], 4), (b"foob".to_vec(), false));
        assert_eq!(decode(&[b"Zm9vYmE"], 99), (b"fooba".to_vec(), false), "missing padding");
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
