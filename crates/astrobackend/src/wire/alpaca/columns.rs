//! The pixels of an ImageBytes picture, taken as they arrive and put into rows.
//!
//! A strip of whole columns is filled at a time, by whoever reads from the network, and turned into its place in
//! the picture while it still is in the processor's cache: the frame is in memory once. Integers of 32 and 64 bit,
//! which servers send for any camera, become 16 bit as long as every value fits.

use super::{
    block::BLOCK,
    image_bytes::{ElementType, Shape},
    transpose::place_columns,
};
use crate::{
    Error, Result, each_pixel_type,
    image::{Image, Pixels},
    memory,
};

/// Bytes of a row that are turned at once, a line of the cache: measured fastest for large frames, and faster than
/// with a second thread, to which the strips would have to be passed on.
const STRIP: usize = 64;

/// The most bytes of a picture that are believed: four times the largest sensors that there are, in 32 bit.
pub const LARGEST: u64 = 4 << 30;

/// Steps in which memory goes over from the narrow to the wide type.
const STEPS: usize = 32;

/// A picture that arrives column after column.
#[derive(Debug)]
pub struct Columns {
    size: (usize, usize, usize),
    sent: ElementType,
    /// The strip that arrives.
    strip: Strip,
    /// Bytes of it that are there.
    filled: usize,
    /// Its first column.
    first: usize,
    rows: Pixels,
}

/// A strip in the type that is sent; its bytes are where the next pixels go.
#[derive(Debug)]
enum Strip {
    U8(Vec<u8>),
    I16(Vec<i16>),
    U16(Vec<u16>),
    I32(Vec<i32>),
    U32(Vec<u32>),
    I64(Vec<i64>),
    U64(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

macro_rules! each_strip {
    ($strip:expr, $s:ident => $body:expr) => {
        match $strip {
            Strip::U8($s) => $body,
            Strip::I16($s) => $body,
            Strip::U16($s) => $body,
            Strip::I32($s) => $body,
            Strip::U32($s) => $body,
            Strip::I64($s) => $body,
            Strip::U64($s) => $body,
            Strip::F32($s) => $body,
            Strip::F64($s) => $body,
        }
    };
}

impl Columns {
    /// Ready for the first byte.
    ///
    /// # Errors
    /// `Protocol` for a picture that is larger than any ([`LARGEST`]), larger than there is memory, or of a number
    /// of planes other than 1 and 3.
    pub fn new(shape: &Shape) -> Result<Self> {
        let (width, height, planes) = (shape.width as usize, shape.height as usize, shape.planes as usize);
        if planes != 1 && planes != 3 {
            return Err(Error::protocol(format!("the picture has {planes} planes")));
        }
        let too_large = || Error::protocol(format!("a picture of {width}x{height}x{planes} pixels is too large"));
        if shape.bytes() > LARGEST {
            return Err(too_large());
        }
        let pixels = width * height * planes;
        // Asking first turns a failure into an error. The memory itself comes as it is written to.
        let bytes = shape.bytes() as usize;
        Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| too_large())?;
        let size = (width, height, planes);
        let (strip, rows) = (new_strip(shape.sent, size), first_rows(shape.sent, pixels));
        Ok(Columns { size, sent: shape.sent, strip, filled: 0, first: 0, rows })
    }

    /// Where the next bytes go; empty when the picture is complete.
    pub fn space(&mut self) -> &mut [u8] {
        let (_, height, planes) = self.size;
        let bytes = self.columns() * height * planes * self.sent.size();
        let filled = self.filled;
        each_strip!(&mut self.strip, strip => &mut bytemuck::cast_slice_mut(strip)[filled..bytes])
    }

    /// So many bytes were put into [`Columns::space`].
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub fn advance(&mut self, bytes: usize) {
        let space = self.space().len();
        assert!(bytes <= space, "{bytes} bytes into a space of {space}");
        self.filled += bytes;
        if bytes == space && bytes > 0 {
            let place = Place { first: self.first, size: self.size };
            place.turn(&mut self.strip, self.filled / self.sent.size(), &mut self.rows);
            self.first += self.columns();
            self.filled = 0;
        }
    }

    /// Takes the picture from `read`, which puts bytes where it is told and gives their number, 0 at the end.
    ///
    /// # Errors
    /// The first of `read`.
    pub fn receive<E>(&mut self, mut read: impl FnMut(&mut [u8]) -> Result<usize, E>) -> Result<(), E> {
        while !self.is_complete() {
            match read(self.space())? {
                0 => break,
                bytes => self.advance(bytes),
            }
        }
        Ok(())
    }

    /// Takes bytes as they come; those beyond the picture are not taken. The number taken.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            let space = self.space();
            let count = space.len().min(bytes.len() - taken);
            if count == 0 {
                break;
            }
            space[..count].copy_from_slice(&bytes[taken..][..count]);
            self.advance(count);
            taken += count;
        }
        taken
    }

    /// True when the last pixel is there.
    pub fn is_complete(&self) -> bool {
        self.first == self.size.0
    }

    /// Columns of the strip that arrives.
    fn columns(&self) -> usize {
        columns_at_once(self.sent, self.size).min(self.size.0 - self.first)
    }

    /// The picture.
    ///
    /// # Errors
    /// `Protocol` unless it is complete.
    pub fn finish(self) -> Result<Image> {
        let (width, height, planes) = self.size;
        if !self.is_complete() {
            let first = self.first;
            let message = format!("the picture of {width}x{height} pixels broke off in column {first}");
            return Err(Error::protocol(message));
        }
        // Shapes have sizes below 2^20 and one or three planes.
        Image::with_planes(width as u32, height as u32, planes as u8, self.rows)
    }
}

/// Where a strip belongs.
struct Place {
    first: usize,
    size: (usize, usize, usize),
}

impl Place {
    /// Turns the first pixels of a strip into their place.
    fn turn(&self, strip: &mut Strip, pixels: usize, rows: &mut Pixels) {
        each_strip!(&mut *strip, strip => to_native(&mut strip[..pixels]));
        match strip {
            Strip::I32(strip) => self.integers(&strip[..pixels], rows, Pixels::I32),
            Strip::U32(strip) => self.integers(&strip[..pixels], rows, Pixels::U32),
            Strip::I64(strip) => self.integers(&strip[..pixels], rows, Pixels::I64),
            Strip::U64(strip) => self.integers(&strip[..pixels], rows, Pixels::U64),
            Strip::U8(strip) => self.plain(&strip[..pixels], rows),
            Strip::I16(strip) => self.plain(&strip[..pixels], rows),
            Strip::U16(strip) => self.plain(&strip[..pixels], rows),
            Strip::F32(strip) => self.plain(&strip[..pixels], rows),
            Strip::F64(strip) => self.plain(&strip[..pixels], rows),
        }
    }

    fn plain<T: Sample>(&self, strip: &[T], rows: &mut Pixels) {
        if let Some(rows) = T::of(rows) {
            place_columns(strip, self.first, rows, self.size);
        }
    }

    /// Places integers as 16 bit while they fit, and in their own type from the first one on that does not.
    fn integers<T>(&self, strip: &[T], rows: &mut Pixels, wide: fn(Vec<T>) -> Pixels)
    where
        T: Sample + Default + From<u16>,
        u16: TryFrom<T>,
    {
        if let Pixels::U16(narrow) = rows {
            let fitting: Option<Vec<u16>> = strip.iter().map(|value| u16::try_from(*value).ok()).collect();
            match fitting {
                Some(strip) => return place_columns(&strip, self.first, narrow, self.size),
                None => *rows = wide(widened(std::mem::take(narrow))),
            }
        }
        self.plain(strip, rows);
    }
}

/// The same values in a wider type. The narrow memory is given back step by step, so that both together are never
/// more than the wide one alone.
pub(super) fn widened<N: Copy, W: Default + Clone + From<N>>(mut narrow: Vec<N>) -> Vec<W> {
    let mut wide = vec![W::default(); narrow.len()];
    let step = narrow.len().div_ceil(STEPS).max(1);
    while !narrow.is_empty() {
        let start = narrow.len().saturating_sub(step);
        for (to, from) in wide[start..narrow.len()].iter_mut().zip(&narrow[start..]) {
            *to = W::from(*from);
        }
        narrow.truncate(start);
        narrow.shrink_to_fit();
    }
    wide
}

/// A type of pixels: where pixels of this type are, and what the network's byte order means for it.
trait Sample: bytemuck::Pod {
    fn of(pixels: &mut Pixels) -> Option<&mut Vec<Self>>;
    fn native(self) -> Self;
}

macro_rules! samples {
    ($($type:ty, $variant:ident, $native:expr;)*) => {$(
        impl Sample for $type {
            fn of(pixels: &mut Pixels) -> Option<&mut Vec<Self>> {
                if let Pixels::$variant(pixels) = pixels { Some(pixels) } else { None }
            }
            fn native(self) -> Self {
                let native: fn(Self) -> Self = $native;
                native(self)
            }
        }
    )*};
}

samples! {
    u8, U8, |value| value;
    i16, I16, i16::from_le;
    u16, U16, u16::from_le;
    i32, I32, i32::from_le;
    u32, U32, u32::from_le;
    i64, I64, i64::from_le;
    u64, U64, u64::from_le;
    f32, F32, |value| f32::from_bits(u32::from_le(value.to_bits()));
    f64, F64, |value| f64::from_bits(u64::from_le(value.to_bits()));
}

/// From the byte order of the network to that of this machine.
fn to_native<T: Sample>(strip: &mut [T]) {
    if cfg!(target_endian = "big") {
        strip.iter_mut().for_each(|value| *value = value.native());
    }
}

/// How many columns are a strip.
fn columns_at_once(sent: ElementType, (width, _, planes): (usize, usize, usize)) -> usize {
    (STRIP / sent.size() / planes).max(BLOCK).min(width)
}

fn new_strip(sent: ElementType, size: (usize, usize, usize)) -> Strip {
    let pixels = columns_at_once(sent, size) * size.1 * size.2;
    match sent {
        ElementType::U8 => Strip::U8(vec![0; pixels]),
        ElementType::I16 => Strip::I16(vec![0; pixels]),
        ElementType::U16 => Strip::U16(vec![0; pixels]),
        ElementType::I32 => Strip::I32(vec![0; pixels]),
        ElementType::U32 => Strip::U32(vec![0; pixels]),
        ElementType::I64 => Strip::I64(vec![0; pixels]),
        ElementType::U64 => Strip::U64(vec![0; pixels]),
        ElementType::F32 => Strip::F32(vec![0.0; pixels]),
        ElementType::F64 => Strip::F64(vec![0.0; pixels]),
    }
}

/// Large integers are hoped to be small.
fn first_rows(sent: ElementType, pixels: usize) -> Pixels {
    let mut rows = match sent {
        ElementType::U8 => Pixels::U8(vec![0; pixels]),
        ElementType::I16 => Pixels::I16(vec![0; pixels]),
        ElementType::F32 => Pixels::F32(vec![0.0; pixels]),
        ElementType::F64 => Pixels::F64(vec![0.0; pixels]),
        _ => Pixels::U16(vec![0; pixels]),
    };
    each_pixel_type!(&mut rows, rows => memory::in_large_pages(rows));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::alpaca::transpose::to_columns;
    use proptest::prelude::*;

    fn shape(sent: ElementType, width: usize, height: usize, planes: usize) -> Shape {
        let rank = if planes == 1 { 2 } else { 3 };
        Shape { element: sent, sent, width: width as u32, height: height as u32, planes: planes as u32, rank }
    }

    /// Sends `rows` in chunks of any size, and reads them.
    fn through<T: bytemuck::Pod + Default>(
        rows: &[T],
        sent: ElementType,
        size: (usize, usize, usize),
        chunk: usize,
    ) -> Pixels {
        let columns = to_columns(rows, size.0, size.1, size.2);
        let mut reader = Columns::new(&shape(sent, size.0, size.1, size.2)).unwrap();
        for part in bytemuck::cast_slice::<T, u8>(&columns).chunks(chunk) {
            assert_eq!(reader.push(part), part.len());
        }
        assert!(reader.is_complete() && reader.push(&[0]) == 0);
        let pushed = reader.finish().unwrap().into_pixels();
        assert_eq!(received(bytemuck::cast_slice(&columns), sent, size, chunk).unwrap(), pushed);
        pushed
    }

    /// The same through [`Columns::receive`]; the bytes may end early.
    fn received(bytes: &[u8], sent: ElementType, size: (usize, usize, usize), chunk: usize) -> Result<Pixels> {
        let mut reader = Columns::new(&shape(sent, size.0, size.1, size.2))?;
        let mut left = bytes;
        reader.receive(|space| {
            let count = chunk.min(space.len()).min(left.len());
            space[..count].copy_from_slice(&left[..count]);
            left = &left[count..];
            Ok::<_, Error>(count)
        })?;
        Ok(reader.finish()?.into_pixels())
    }

    #[test]
    fn what_ends_early_or_fails_is_no_picture() {
        let size = (1000, 7, 1);
        for bytes in [0, 1, 128 * 7, 999 * 7 + 6] {
            let broken = received(&vec![0; bytes], ElementType::U8, size, 100).unwrap_err();
            assert!(broken.to_string().contains("broke off"), "{broken}");
        }
        let mut reader = Columns::new(&shape(ElementType::U8, 1000, 7, 1)).unwrap();
        let mut reads = 0;
        let failed = reader.receive(|space| {
            reads += 1;
            if reads == 4 { Err("the line is cut") } else { Ok(space.len()) }
        });
        assert_eq!((failed, reads), (Err("the line is cut"), 4));
    }

    #[test]
    fn a_value_that_does_not_fit_widens_all_of_them() {
        for last in [65_535, 65_536, -1] {
            let mut rows: Vec<i32> = (0..600 * 3).collect();
            *rows.last_mut().unwrap() = last;
            let read = through(&rows, ElementType::I32, (600, 3, 1), 1000);
            let same = match read {
                Pixels::U16(read) => last == 65_535 && read.iter().map(|value| i32::from(*value)).eq(rows),
                Pixels::I32(read) => last != 65_535 && read == rows,
                _ => false,
            };
            assert!(same, "{last}");
        }
    }

    #[test]
    fn what_cannot_be_a_picture_is_refused() {
        assert!(Columns::new(&shape(ElementType::F64, (1 << 20) - 1, (1 << 20) - 1, 1)).is_err());
        assert!(Columns::new(&shape(ElementType::U8, 10, 10, 2)).is_err());
        let mut early = Columns::new(&shape(ElementType::U8, 10, 10, 1)).unwrap();
        early.push(&[0; 99]);
        assert!(early.finish().unwrap_err().to_string().contains("broke off"));
    }

    proptest! {
        #[test]
        fn each_type_arrives_in_rows(width in 1..700_usize, height in 1..9_usize, colour: bool, chunk in 1..5000_usize) {
            let planes = if colour { 3 } else { 1 };
            let size = (width, height, planes);
            let count = width * height * planes;
            let bytes: Vec<u8> = (0..count).map(|n| n as u8).collect();
            prop_assert_eq!(through(&bytes, ElementType::U8, size, chunk), Pixels::U8(bytes));
            let rows: Vec<i16> = (0..count).map(|n| n as i16 - 5).collect();
            prop_assert_eq!(through(&rows, ElementType::I16, size, chunk), Pixels::I16(rows));
            let rows: Vec<u16> = (0..count).map(|n| n as u16).collect();
            prop_assert_eq!(through(&rows, ElementType::U16, size, chunk), Pixels::U16(rows.clone()));
            let wide: Vec<u64> = rows.iter().map(|n| u64::from(*n)).collect();
            prop_assert_eq!(through(&wide, ElementType::U64, size, chunk), Pixels::U16(rows));
            let rows: Vec<i64> = (0..count).map(|n| 70_000 - n as i64).collect();
            prop_assert_eq!(through(&rows, ElementType::I64, size, chunk), Pixels::I64(rows));
            let rows: Vec<u32> = (0..count).map(|n| u32::MAX - n as u32).collect();
            prop_assert_eq!(through(&rows, ElementType::U32, size, chunk), Pixels::U32(rows));
            let rows: Vec<f32> = (0..count).map(|n| n as f32 / 3.0).collect();
            prop_assert_eq!(through(&rows, ElementType::F32, size, chunk), Pixels::F32(rows));
            let rows: Vec<f64> = (0..count).map(|n| n as f64 / 3.0).collect();
            prop_assert_eq!(through(&rows, ElementType::F64, size, chunk), Pixels::F64(rows));
        }
    }
}
