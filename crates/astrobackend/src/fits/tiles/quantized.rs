//! Real numbers that were made integers before they were packed, with noise added so that no steps show
//! (FITS 4.0, section 10.2): the same noise is taken off again.

use crate::{Error, Result, fits::Header};

/// An integer that stands for no number.
const NULL: i32 = i32::MIN + 1;

/// An integer that stands for exactly zero, by the second method.
const ZERO: i32 = i32::MIN + 2;

/// How noise was added.
#[derive(Debug)]
pub(super) struct Dither {
    /// The numbers that the standard prescribes, all in 0..1; empty when none was added.
    random: Vec<f32>,
    /// Where the first tile begins among them.
    seed: usize,
    keeps_zeros: bool,
    blank: i32,
}

impl Dither {
    pub(super) fn of(header: &Header) -> Result<Self> {
        let method = header.text("ZQUANTIZ").unwrap_or("NO_DITHER").trim();
        let dithered = match method {
            "NO_DITHER" | "NONE" | "" => false,
            "SUBTRACTIVE_DITHER_1" | "SUBTRACTIVE_DITHER_2" => true,
            other => return Err(Error::unsupported(format!("its numbers are rounded by {other}"))),
        };
        let seed = header.integer("ZDITHER0").unwrap_or(1);
        if dithered && !(1..=10_000).contains(&seed) {
            return Err(Error::protocol(format!("its header has no valid ZDITHER0: {seed}")));
        }
        Ok(Dither {
            random: if dithered { random() } else { Vec::new() },
            seed: seed.max(1) as usize - 1,
            keeps_zeros: method == "SUBTRACTIVE_DITHER_2",
            blank: header.integer("ZBLANK").and_then(|blank| i32::try_from(blank).ok()).unwrap_or(NULL),
        })
    }

    /// Appends the real numbers of a tile, in `size` bytes each.
    pub(super) fn restore(&self, row: usize, numbers: &[u8], scale: f64, zero: f64, size: usize, out: &mut Vec<u8>) {
        let count = self.random.len().max(1);
        let mut tile = (row + self.seed) % count;
        let start = |tile: usize| self.random.get(tile).map_or(0, |random| (random * 500.0) as usize);
        let mut next = start(tile);
        for number in numbers.chunks_exact(4) {
            let number = number.first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes));
            let noise = self.random.get(next).map_or(0.0, |random| f64::from(*random) - 0.5);
            let value = match number {
                number if number == self.blank => f64::NAN,
                ZERO if self.keeps_zeros => 0.0,
                number => (f64::from(number) - noise) * scale + zero,
            };
            match size {
                8 => out.extend_from_slice(&value.to_be_bytes()),
                _ => out.extend_from_slice(&(value as f32).to_be_bytes()),
            }
            next += 1;
            if next == count {
                tile = (tile + 1) % count;
                next = start(tile);
            }
        }
    }
}

/// The standard's numbers: Park and Miller's generator, from 1 on (FITS 4.0, appendix I).
fn random() -> Vec<f32> {
    let mut seed = 1u64;
    let next = || {
        seed = seed * 16_807 % 2_147_483_647;
        (seed as f64 / 2_147_483_647.0) as f32
    };
    std::iter::repeat_with(next).take(10_000).collect()
}
