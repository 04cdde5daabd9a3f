//! The table of the tiles: a row for each, with the places of its bytes in the heap behind the table (FITS 4.0,
//! sections 7.3 and 10.1).

use crate::{
    Error, Result,
    fits::{
        Header,
        input::Input,
        read::{axis, data_size},
    },
};
use std::{io::BufRead, ops::Range};

/// The table and its heap.
#[derive(Debug)]
pub(super) struct Table {
    bytes: Vec<u8>,
    width: usize,
    rows: usize,
    heap: Range<usize>,
    compressed: Option<Column>,
    gzipped: Option<Column>,
    uncompressed: Option<Column>,
    scale: Option<Factor>,
    zero: Option<Factor>,
}

/// A column of descriptors: where it begins, its size, and the bytes of one element in the heap.
#[derive(Clone, Copy, Debug)]
struct Column {
    at: usize,
    wide: bool,
    element: usize,
}

/// A factor of each tile, or of all.
#[derive(Clone, Copy, Debug)]
enum Factor {
    Column { at: usize, double: bool },
    All(f64),
}

impl Table {
    pub(super) fn read<R: BufRead>(input: &mut Input<R>, header: &Header) -> Result<Self> {
        let number = |keyword: &str| {
            let number = usize::try_from(axis(header, keyword)?);
            number.map_err(|_| Error::protocol(format!("its header has no valid {keyword}")))
        };
        let (width, rows) = (number("NAXIS1")?, number("NAXIS2")?);
        let absurd = || Error::protocol("its header promises an absurd amount of data");
        let size = width.checked_mul(rows).ok_or_else(absurd)?;
        let bytes = input.bytes(data_size(header)?)?;
        let heap = number("THEAP").unwrap_or(size).max(size).min(bytes.len())..bytes.len();
        let mut table = Table {
            bytes,
            width,
            rows,
            heap,
            compressed: None,
            gzipped: None,
            uncompressed: None,
            scale: header.real("ZSCALE").map(Factor::All),
            zero: header.real("ZZERO").map(Factor::All),
        };
        if size > table.bytes.len() {
            return Err(absurd());
        }
        table.find_columns(header)?;
        Ok(table)
    }

    fn find_columns(&mut self, header: &Header) -> Result<()> {
        let mut at = 0usize;
        for n in 1..=axis(header, "TFIELDS")?.min(999) {
            let format = header.text(&format!("TFORM{n}")).unwrap_or("").trim();
            let form = Form::parse(format).ok_or_else(|| Error::protocol(format!("its column {n} is {format:?}")))?;
            let column = form.descriptor.map(|(wide, element)| Column { at, wide, element });
            let factor = matches!(form.letter, 'D' | 'E').then_some(Factor::Column { at, double: form.letter == 'D' });
            match header.text(&format!("TTYPE{n}")).unwrap_or("").trim() {
                "COMPRESSED_DATA" => self.compressed = column,
                "GZIP_COMPRESSED_DATA" => self.gzipped = column,
                "UNCOMPRESSED_DATA" => self.uncompressed = column,
                "ZSCALE" => self.scale = factor,
                "ZZERO" => self.zero = factor,
                _ => {}
            }
            at = at.saturating_add(form.size);
        }
        match at <= self.width {
            true => Ok(()),
            false => Err(Error::protocol("its columns are wider than its table")),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn heap_size(&self) -> u64 {
        self.heap.len() as u64
    }

    /// Real numbers are stored as integers with a scale.
    pub(super) fn is_quantized(&self) -> bool {
        self.scale.is_some() && self.zero.is_some()
    }

    /// The packed bytes of a tile; empty when it is stored otherwise.
    pub(super) fn compressed(&self, row: usize) -> &[u8] {
        self.in_heap(self.compressed, row)
    }

    /// The same, packed by gzip because it could not be packed as the others.
    pub(super) fn gzipped(&self, row: usize) -> &[u8] {
        self.in_heap(self.gzipped, row)
    }

    /// The same, as it is.
    pub(super) fn uncompressed(&self, row: usize) -> &[u8] {
        self.in_heap(self.uncompressed, row)
    }

    /// Scale and zero of a tile.
    pub(super) fn scale(&self, row: usize) -> Option<(f64, f64)> {
        let value = |factor: Option<Factor>| match factor? {
            Factor::All(value) => Some(value),
            Factor::Column { at, double: true } => Some(f64::from_be_bytes(*self.row(row)?.get(at..)?.first_chunk()?)),
            Factor::Column { at, double: false } => {
                Some(f32::from_be_bytes(*self.row(row)?.get(at..)?.first_chunk()?).into())
            }
        };
        Some((value(self.scale)?, value(self.zero)?))
    }

    fn row(&self, row: usize) -> Option<&[u8]> {
        let start = row.checked_mul(self.width).filter(|_| row < self.rows)?;
        self.bytes.get(start..start + self.width)
    }

    fn in_heap(&self, column: Option<Column>, row: usize) -> &[u8] {
        let find = || {
            let column = column?;
            let descriptor = self.row(row)?.get(column.at..)?;
            let (count, place) = match column.wide {
                false => {
                    let number = |at: usize| Some(u32::from_be_bytes(*descriptor.get(at..)?.first_chunk()?) as usize);
                    (number(0)?, number(4)?)
                }
                true => {
                    let number =
                        |at: usize| usize::try_from(u64::from_be_bytes(*descriptor.get(at..)?.first_chunk()?)).ok();
                    (number(0)?, number(8)?)
                }
            };
            let heap = self.bytes.get(self.heap.clone())?;
            heap.get(place..place.checked_add(count.checked_mul(column.element)?)?)
        };
        find().unwrap_or_default()
    }
}

/// What a `TFORM` says (FITS 4.0, table 18).
struct Form {
    letter: char,
    /// Bytes in the row.
    size: usize,
    /// Of an array in the heap: whether the descriptor has 64-bit numbers, and the bytes of an element.
    descriptor: Option<(bool, usize)>,
}

impl Form {
    fn parse(text: &str) -> Option<Self> {
        let letters = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let repeat = &text[..text.len() - letters.len()];
        let repeat: usize = if repeat.is_empty() { 1 } else { repeat.parse().ok()? };
        let mut letters = letters.chars();
        let letter = letters.next()?;
        let element = |letter| match letter {
            'L' | 'B' | 'A' => Some(1),
            'I' => Some(2),
            'J' | 'E' => Some(4),
            'K' | 'D' | 'C' => Some(8),
            'M' => Some(16),
            _ => None,
        };
        let (size, descriptor) = match letter {
            'P' => (8usize, Some((false, element(letters.next()?)?))),
            'Q' => (16, Some((true, element(letters.next()?)?))),
            'X' => return Some(Form { letter, size: repeat.div_ceil(8), descriptor: None }),
            letter => (element(letter)?, None),
        };
        Some(Form { letter, size: size.checked_mul(repeat)?, descriptor })
    }
}
