//! Tile-compressed images (FITS 4.0, section 10), as `fpack` and INDI drivers write them: the image is cut into
//! tiles, each packed by itself into a row of a table.
//!
//! The table says where in the heap behind it each tile lies (`table`), an algorithm unpacks it to the bytes that
//! a plain FITS file would have (`rice`, `gzip`), and those become pixels as everywhere else. Nothing is
//! allocated before what is there can be enough for it.

mod gzip;
mod quantized;
mod rice;
mod table;

use super::{
    Header,
    input::Input,
    read::{PixelSource, axis},
    sample::Sample,
};
use crate::{Error, Result};
use std::io::BufRead;
use table::Table;

/// Packed bytes are never fewer than this part of the unpacked ones, whatever the algorithm.
const BEST_RATIO: u64 = 1100;

/// The largest image in bytes, and the largest tile: more than any sensor's.
const LARGEST: u64 = 4 << 30;

/// True for the header of a table that is a compressed image.
pub(super) fn is_compressed(header: &Header) -> bool {
    header.logical("ZIMAGE") == Some(true)
}

/// The header of the image in the table.
pub(super) fn image_header(table: &Header) -> Header {
    const OF_TABLE: [&str; 8] = ["TTYPE", "TFORM", "TUNIT", "TDIM", "TNULL", "TSCAL", "TZERO", "TDISP"];
    const OF_PACKING: [&str; 19] = [
        "ZIMAGE", "ZSIMPLE", "ZTENSION", "ZEXTEND", "ZBITPIX", "ZNAXIS", "ZPCOUNT", "ZGCOUNT", "ZCMPTYPE", "ZQUANTIZ",
        "ZDITHER0", "ZBLANK", "ZSCALE", "ZZERO", "ZHECKSUM", "ZDATASUM", "ZBLOCKED", "TFIELDS", "THEAP",
    ];
    let numbered = |keyword: &str, stem: &str| {
        keyword.strip_prefix(stem).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let packing = |keyword: &str| {
        OF_PACKING.contains(&keyword)
            || ["ZNAXIS", "ZTILE", "ZNAME", "ZVAL"].iter().any(|stem| numbered(keyword, stem))
            || OF_TABLE.iter().any(|stem| numbered(keyword, stem))
    };
    let name_of_table = |header: &Header| header.text("EXTNAME") == Some("COMPRESSED_IMAGE");
    let mut header = Header::new();
    for card in table.cards() {
        // `BZERO`, `BSCALE` and `BLANK` are those of the image already.
        let structural = super::structural(&card.keyword) && !["BZERO", "BSCALE", "BLANK"].contains(&&*card.keyword);
        let dropped = structural || packing(&card.keyword) || card.keyword == "EXTNAME" && name_of_table(table);
        if !dropped {
            // It was valid there.
            let _ = header.push(card.clone());
        }
    }
    for (packed, plain) in [("ZBITPIX", "BITPIX"), ("ZNAXIS", "NAXIS")] {
        if let Some(value) = table.integer(packed) {
            let _ = header.set(plain, value, "");
        }
    }
    for n in 1..=table.integer("ZNAXIS").unwrap_or(0).clamp(0, 999) {
        if let Some(length) = table.integer(&format!("ZNAXIS{n}")) {
            let _ = header.set(&format!("NAXIS{n}"), length, "");
        }
    }
    header
}

/// How tiles are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    /// Rice's code: bytes of its numbers, and numbers of a block.
    Rice {
        bytes: usize,
        block: usize,
    },
    Gzip,
    /// The bytes of all numbers sorted by their significance first.
    ShuffledGzip,
    /// Nothing at all.
    None,
}

impl Algorithm {
    fn of(header: &Header) -> Result<Self> {
        let parameter = |name: &str, default: i64| {
            let place = (1..=99).find(|n| header.text(&format!("ZNAME{n}")) == Some(name));
            place.and_then(|n| header.integer(&format!("ZVAL{n}"))).unwrap_or(default)
        };
        match header.text("ZCMPTYPE").unwrap_or("") {
            "RICE_1" | "RICE_ONE" => match (parameter("BYTEPIX", 4), parameter("BLOCKSIZE", 32)) {
                (bytes @ (1 | 2 | 4), block @ 1..=256) => {
                    Ok(Algorithm::Rice { bytes: bytes as usize, block: block as usize })
                }
                (bytes, block) => Err(Error::unsupported(format!(
                    "its image is packed by RICE_1 with {bytes} bytes a pixel in blocks of {block}"
                ))),
            },
            "GZIP_1" => Ok(Algorithm::Gzip),
            "GZIP_2" => Ok(Algorithm::ShuffledGzip),
            "NOCOMPRESS" => Ok(Algorithm::None),
            other => Err(Error::unsupported(format!("its image is packed by {other}; unpack it with funpack"))),
        }
    }
}

/// The tiles of an image, in memory as they are packed.
#[derive(Debug)]
pub(super) struct Tiles {
    table: Table,
    algorithm: Algorithm,
    quantized: Option<quantized::Dither>,
    bitpix: i64,
    /// Columns, rows and planes of the image.
    size: [u64; 3],
    /// Those of a tile; the last ones of each axis may be smaller.
    tile: [u64; 3],
}

impl Tiles {
    /// Reads the table and its heap.
    pub(super) fn read<R: BufRead>(input: &mut Input<R>, header: &Header) -> Result<Self> {
        let axes = axis(header, "ZNAXIS")?.min(999);
        let (mut size, mut tile) = ([1; 3], [1; 3]);
        for n in 1..=axes as usize {
            let length = axis(header, &format!("ZNAXIS{n}"))?.max(1);
            let whole = if n == 1 { length } else { 1 };
            let part = axis(header, &format!("ZTILE{n}")).unwrap_or(whole).clamp(1, length);
            match n {
                1..=3 => (size[n - 1], tile[n - 1]) = (length, part),
                _ if length == 1 => {}
                _ => return Err(Error::unsupported(format!("its image has {axes} axes"))),
            }
        }
        let bitpix = header.integer("ZBITPIX").unwrap_or(0);
        let algorithm = Algorithm::of(header)?;
        let table = Table::read(input, header)?;
        let quantized = (bitpix < 0 && table.is_quantized()).then(|| quantized::Dither::of(header)).transpose()?;
        let tiles = Tiles { table, algorithm, quantized, bitpix, size, tile };
        tiles.check()?;
        Ok(tiles)
    }

    /// The header must not promise more than the table can hold.
    fn check(&self) -> Result<()> {
        let product = |all: [u64; 3]| all.into_iter().try_fold(1u64, u64::checked_mul);
        let bytes = self.bitpix.unsigned_abs() / 8;
        let pixels = product(self.size);
        let wanted = pixels.and_then(|pixels| pixels.checked_mul(bytes));
        let most = self.table.heap_size().saturating_mul(BEST_RATIO);
        if wanted.is_none_or(|wanted| wanted > most) {
            return Err(Error::protocol("the image is cut off: its tiles are too few bytes for its size"));
        }
        if wanted.is_none_or(|wanted| wanted > LARGEST) {
            return Err(Error::protocol("the image is absurdly large"));
        }
        let tile = product(self.tile).and_then(|pixels| pixels.checked_mul(bytes.max(4)));
        if tile.is_none_or(|tile| tile > LARGEST) {
            return Err(Error::protocol("its tiles are absurdly large"));
        }
        let counts = [0, 1, 2].map(|n| self.size[n].div_ceil(self.tile[n]));
        let rows = self.table.rows() as u64;
        match product(counts) {
            Some(count) if count <= rows => Ok(()),
            _ => Err(Error::protocol(format!("the image is cut off: {rows} tiles are there"))),
        }
    }

    /// Unpacks a tile of so many pixels to the bytes of a plain FITS file.
    fn unpack(&self, row: usize, pixels: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let size = (self.bitpix.unsigned_abs() / 8) as usize;
        bytes.clear();
        if let (Some(dither), Some((scale, zero))) = (&self.quantized, self.table.scale(row)) {
            let packed = self.table.compressed(row);
            if !packed.is_empty() {
                let mut numbers = Vec::new();
                self.numbers(packed, pixels, 4, &mut numbers)?;
                dither.restore(row, &numbers, scale, zero, size, bytes);
                return Ok(());
            }
        }
        match (self.table.compressed(row), self.table.gzipped(row), self.table.uncompressed(row)) {
            (packed @ [_, ..], _, _) => self.numbers(packed, pixels, size, bytes),
            (_, packed @ [_, ..], _) => gzip::unpack(packed, pixels, size, bytes),
            (_, _, plain @ [_, ..]) => gzip::widen(plain, pixels, size, bytes),
            _ => Err(Error::protocol(format!("the image is cut off: its tile {} is empty", row + 1))),
        }
    }

    /// Unpacks numbers of a size in bytes.
    fn numbers(&self, packed: &[u8], pixels: usize, size: usize, bytes: &mut Vec<u8>) -> Result<()> {
        match self.algorithm {
            Algorithm::Rice { bytes: width, block } => rice::unpack(packed, pixels, (width, block), size, bytes),
            Algorithm::Gzip => gzip::unpack(packed, pixels, size, bytes),
            Algorithm::ShuffledGzip => gzip::unpack_shuffled(packed, pixels, size, bytes),
            Algorithm::None => gzip::widen(packed, pixels, size, bytes),
        }
    }
}

impl PixelSource for Tiles {
    fn pixels<S: Sample, P: Copy + Default>(&mut self, count: u64, convert: impl Fn(S) -> P) -> Result<Vec<P>> {
        let too_large = || Error::protocol("the image does not fit into memory");
        let count = usize::try_from(count).map_err(|_| too_large())?;
        let mut image = Vec::new();
        image.try_reserve_exact(count).map_err(|_| too_large())?;
        image.resize(count, P::default());
        let [columns, rows, planes] = self.size.map(|length| length as usize);
        let [width, height, depth] = self.tile.map(|length| length as usize);
        let mut bytes = Vec::new();
        let mut row = 0;
        for z in (0..planes).step_by(depth) {
            for y in (0..rows).step_by(height) {
                for x in (0..columns).step_by(width) {
                    let (w, h, d) = (width.min(columns - x), height.min(rows - y), depth.min(planes - z));
                    self.unpack(row, w * h * d, &mut bytes)?;
                    row += 1;
                    for (line, packed) in bytes.chunks_exact(w * S::SIZE).enumerate() {
                        let start = ((z + line / h) * rows + y + line % h) * columns + x;
                        let pixels = image.get_mut(start..start + w).into_iter().flatten();
                        pixels.zip(packed.chunks_exact(S::SIZE)).for_each(|(to, from)| *to = convert(S::take(from)));
                    }
                }
            }
        }
        Ok(image)
    }
}
