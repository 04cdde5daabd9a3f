//! FITS to images: the first image of a file, its pixels in the type they were taken in.

use super::{
    Header,
    input::Input,
    meta,
    sample::Sample,
    tiles::{self, Tiles},
};
use crate::{Error, ErrorKind, Image, Result, each_pixel_type, image::Pixels};
use std::{fs::File, io::BufRead, io::BufReader, path::Path};

/// Bytes read from a file at a time.
const BUFFER: usize = 1 << 20;

/// Reads the first image of a file and its header; one that `fpack` has compressed (RICE, GZIP) too.
///
/// Unsigned integers come back as such, other scaled images (`BSCALE`) as floats. A picture whose first
/// row is the lowest (`ROWORDER` = `BOTTOM-UP`) is turned over: the first row of an [`Image`] is the top one.
/// [`Image::meta`] is filled from the keywords; its `header` has the cards that it does not cover. The header
/// returned is the file's own, turned over with the picture (a plate solution, which counts rows, is left
/// out then); an image in an extension inherits the cards of the primary header.
///
/// Memory: the image once, and about a megabyte; of a compressed one also its compressed bytes.
///
/// # Errors
/// `NotFound` and `Io` for the file, `Protocol` when it is no FITS file or is damaged, `Unsupported` when it
/// has no image of one or three planes. Each names the file.
pub fn read(path: impl AsRef<Path>) -> Result<(Image, Header)> {
    let path = path.as_ref();
    let unopened = |source: std::io::Error| {
        let kind = if source.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Io };
        Error::new(kind, format!("cannot read {}: {source}", path.display())).caused_by(source)
    };
    let file = File::open(path).map_err(unopened)?;
    let metadata = file.metadata().map_err(unopened)?;
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::Io, format!("cannot read {}: it is no ordinary file", path.display())));
    }
    first_image(Input::new(BufReader::with_capacity(BUFFER, file), metadata.len()))
        .map_err(|error| Error::new(error.kind(), format!("{}: {}", path.display(), error.message())).caused_by(error))
}

/// Reads the first image of a FITS file in memory, as [`read`] does.
///
/// Memory: the image once, whatever the header says.
///
/// # Errors
/// `Protocol` and `Unsupported`, as [`read`].
pub fn parse(bytes: &[u8]) -> Result<(Image, Header)> {
    first_image(Input::new(bytes, bytes.len() as u64))
}

/// Reads the first image of a FITS file of a length from what delivers it, as [`read`] does.
///
/// Nothing is read beyond the image. Memory: the image once.
///
/// # Errors
/// As [`read`].
pub fn read_from(reader: impl BufRead, length: u64) -> Result<(Image, Header)> {
    first_image(Input::new(reader, length))
}

/// What gives the pixels of an image.
pub(super) trait PixelSource {
    /// The next `count` pixels, each made into what is wanted.
    fn pixels<S: Sample, P: Copy + Default>(&mut self, count: u64, convert: impl Fn(S) -> P) -> Result<Vec<P>>;
}

fn first_image<R: BufRead>(mut input: Input<R>) -> Result<(Image, Header)> {
    let primary = input.header()?;
    if is_image(&primary) {
        return image(&mut input, primary);
    }
    input.skip(data_size(&primary)?)?;
    while !input.is_empty() {
        let Ok(header) = input.header() else { break };
        if is_image(&header) {
            let mut header = header;
            header.fill(&primary.without_structure());
            return image(&mut input, header);
        }
        if tiles::is_compressed(&header) {
            let mut tiles = Tiles::read(&mut input, &header)?;
            let mut image_header = tiles::image_header(&header);
            if header.logical("ZSIMPLE").is_none() {
                image_header.fill(&primary.without_structure());
            }
            return image(&mut tiles, image_header);
        }
        input.skip(data_size(&header)?)?;
    }
    Err(Error::unsupported("has no image"))
}

fn is_image(header: &Header) -> bool {
    let kind = header.text("XTENSION").unwrap_or("IMAGE");
    kind == "IMAGE" && header.integer("NAXIS").is_some_and(|axes| axes > 0) && header.integer("NAXIS1") != Some(0)
}

/// A length that the header must tell.
pub(super) fn axis(header: &Header, keyword: &str) -> Result<u64> {
    let length = header.integer(keyword).and_then(|length| u64::try_from(length).ok());
    length.ok_or_else(|| Error::protocol(format!("its header has no valid {keyword}")))
}

/// Bytes of an HDU's data (FITS 4.0, section 4.4.1).
pub(super) fn data_size(header: &Header) -> Result<u64> {
    let axes = axis(header, "NAXIS")?.min(999);
    if axes == 0 {
        return Ok(0);
    }
    let groups = header.logical("GROUPS") == Some(true);
    let lengths = (1..=axes).map(|n| axis(header, &format!("NAXIS{n}"))).skip(usize::from(groups));
    let pixels = lengths.map(|length| length.ok()).try_fold(1u64, |product, length| product.checked_mul(length?));
    let optional = |keyword: &str, default: u64| axis(header, keyword).unwrap_or(default);
    let bytes = header.integer("BITPIX").unwrap_or(0).unsigned_abs() / 8;
    pixels
        .and_then(|pixels| pixels.checked_add(optional("PCOUNT", 0)))
        .and_then(|pixels| pixels.checked_mul(optional("GCOUNT", 1)))
        .and_then(|pixels| pixels.checked_mul(bytes))
        .ok_or_else(|| Error::protocol("its header promises an absurd amount of data"))
}

/// Columns, rows and planes.
fn size(header: &Header) -> Result<(u32, u32, u8)> {
    let axes = axis(header, "NAXIS")?.min(999);
    let mut lengths = [1u64; 3];
    for n in 1..=axes {
        let length = axis(header, &format!("NAXIS{n}"))?;
        match lengths.get_mut(n as usize - 1) {
            Some(place) => *place = length,
            None if length == 1 => {}
            None => return Err(Error::unsupported(format!("its image has {axes} axes"))),
        }
    }
    let [columns, rows, planes] = lengths;
    if !matches!(planes, 1 | 3) {
        return Err(Error::unsupported(format!("its image has {planes} planes, not 1 or 3")));
    }
    match (u32::try_from(columns), u32::try_from(rows)) {
        (Ok(columns @ 1..), Ok(rows @ 1..)) => Ok((columns, rows, planes as u8)),
        _ => Err(Error::protocol(format!("its image cannot have the size {columns}x{rows}"))),
    }
}

fn image(input: &mut impl PixelSource, mut header: Header) -> Result<(Image, Header)> {
    let (columns, rows, planes) = size(&header)?;
    let too_large = || Error::protocol("the image is absurdly large");
    let count = u64::from(columns) * u64::from(rows);
    let mut pixels = pixels(input, &header, count.checked_mul(planes.into()).ok_or_else(too_large)?)?;
    if meta::is_bottom_up(&header) {
        each_pixel_type!(&mut pixels, p => turn_over(p, columns as usize, rows as usize));
        meta::turn_over(&mut header, rows);
    }
    let mut image = Image::with_planes(columns, rows, planes, pixels)?;
    image.meta = meta::from_header(&header, columns, rows);
    Ok((image, header))
}

/// Exchanges first and last row, and so on, in each plane.
fn turn_over<P>(pixels: &mut [P], columns: usize, rows: usize) {
    for plane in pixels.chunks_exact_mut(columns * rows) {
        let (upper, lower) = plane.split_at_mut(rows / 2 * columns);
        for (a, b) in upper.chunks_exact_mut(columns).zip(lower.chunks_exact_mut(columns).rev()) {
            a.swap_with_slice(b);
        }
    }
}

fn pixels(input: &mut impl PixelSource, header: &Header, count: u64) -> Result<Pixels> {
    let scale = Scale::of(header);
    let bitpix = header.integer("BITPIX").unwrap_or(0);
    let unsigned = |zero: f64| scale.factor == 1.0 && scale.zero == zero;
    Ok(match bitpix {
        8 if scale.is_none() => Pixels::U8(input.pixels(count, |p: u8| p)?),
        16 if scale.is_none() => Pixels::I16(input.pixels(count, |p: i16| p)?),
        16 if unsigned(u16::BZERO) => Pixels::U16(input.pixels(count, |p: u16| p)?),
        32 if scale.is_none() => Pixels::I32(input.pixels(count, |p: i32| p)?),
        32 if unsigned(u32::BZERO) => Pixels::U32(input.pixels(count, |p: u32| p)?),
        64 if scale.is_none() => Pixels::I64(input.pixels(count, |p: i64| p)?),
        64 if unsigned(u64::BZERO) => Pixels::U64(input.pixels(count, |p: u64| p)?),
        -32 if scale.is_none() => Pixels::F32(input.pixels(count, |p: f32| p)?),
        -64 if scale.is_none() => Pixels::F64(input.pixels(count, |p: f64| p)?),
        8 => Pixels::F32(input.pixels(count, |p: u8| scale.of_integer(p.into()) as f32)?),
        16 => Pixels::F32(input.pixels(count, |p: i16| scale.of_integer(p.into()) as f32)?),
        32 => Pixels::F64(input.pixels(count, |p: i32| scale.of_integer(p.into()))?),
        64 => Pixels::F64(input.pixels(count, |p: i64| scale.of_integer(p))?),
        -32 => Pixels::F32(input.pixels(count, |p: f32| scale.of_real(p.into()) as f32)?),
        -64 => Pixels::F64(input.pixels(count, |p: f64| scale.of_real(p))?),
        other => return Err(Error::protocol(format!("its header has no valid BITPIX: {other}"))),
    })
}

/// `BSCALE`, `BZERO` and `BLANK` (FITS 4.0, section 4.4.2).
struct Scale {
    factor: f64,
    zero: f64,
    blank: Option<i64>,
}

impl Scale {
    fn of(header: &Header) -> Self {
        let factor = header.real("BSCALE").unwrap_or(1.0);
        Scale { factor, zero: header.real("BZERO").unwrap_or(0.0), blank: header.integer("BLANK") }
    }

    fn is_none(&self) -> bool {
        self.factor == 1.0 && self.zero == 0.0
    }

    fn of_integer(&self, stored: i64) -> f64 {
        if Some(stored) == self.blank { f64::NAN } else { self.of_real(stored as f64) }
    }

    fn of_real(&self, stored: f64) -> f64 {
        stored * self.factor + self.zero
    }
}
