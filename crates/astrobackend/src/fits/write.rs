//! Images to FITS, piece by piece: no second copy of the frame.

use super::{BLOCK, Card, Header, Value, checksum, print, sample::Sample, structural};
use crate::{Image, Result, atomic, each_pixel_type, image::Pixels, memory};
use std::{
    io::{self, Seek, SeekFrom, Write},
    path::Path,
};

/// Bytes swapped at a time: they stay in the processor's first cache until they are summed and written.
const CHUNK: usize = 8 * 1024;

/// Runs the same code for an image's pixels and the function that makes each what FITS stores.
macro_rules! each_stored_type {
    ($image:expr, $pixels:ident, $stored:ident => $body:expr) => {
        match $image.pixels() {
            Pixels::I32($pixels) => match narrowed($pixels, $image.meta.max_adu) {
                Narrowed::Unsigned => {
                    let $stored = |p: i32| p as u16;
                    $body
                }
                Narrowed::Signed => {
                    let $stored = |p: i32| p as i16;
                    $body
                }
                Narrowed::Not => {
                    let $stored = |p: i32| p;
                    $body
                }
            },
            pixels => each_pixel_type!(pixels, $pixels => {
                let $stored = |p| p;
                $body
            }),
        }
    };
}

/// Writes an image and its header to a file, which appears whole or not at all.
///
/// The header's cards are written in their order after those that describe the file (`SIMPLE`, `BITPIX`,
/// `NAXIS`, `BZERO`, `CHECKSUM` ...), which are always the writer's own; see [`header()`](super::header) for
/// composing one; those without a value are left out. An existing file is kept unless `overwrite`. Returns when the file is on the disk.
/// Takes less than 0.1 MB of memory, whatever the size of the image.
///
/// Signed 32-bit pixels, which ASCOM speaks when it does not know better, are written with 16 bits when
/// all values fit and [`max_adu`](crate::image::ImageMeta::max_adu) does not say otherwise.
///
/// # Errors
/// `Io`, naming the file: it exists, its folder does not, the disk is full ...
pub fn write(path: impl AsRef<Path>, image: &Image, header: &Header, overwrite: bool) -> Result<()> {
    atomic::write(path.as_ref(), overwrite, |out| write_to(out, image, header))
}

/// Writes what [`write()`] does from the present position on: into memory, into an open file.
///
/// It goes back once, to put the checksum of the pixels into the header.
///
/// ```
/// # let image = astrobackend::Image::new(1, 1, astrobackend::image::Pixels::U8(vec![7]))?;
/// use astrobackend::fits;
/// let mut file = std::io::Cursor::new(Vec::new());
/// fits::write_to(&mut file, &image, &fits::Header::new())?;
/// assert_eq!(fits::parse(file.get_ref())?.0.pixels(), image.pixels());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of `out`.
pub fn write_to(out: impl Write + Seek, image: &Image, header: &Header) -> io::Result<()> {
    each_stored_type!(image, pixels, stored => stream(out, image, header, pixels, stored))
}

/// The whole file in memory, as [`write()`] would write it.
///
/// Takes the memory of the file and no more.
///
/// ```
/// # let image = astrobackend::Image::new(1, 1, astrobackend::image::Pixels::U8(vec![7]))?;
/// use astrobackend::fits;
/// let file = fits::to_vec(&image, &fits::Header::new());
/// assert_eq!(fits::parse(&file)?.0.pixels(), image.pixels());
/// # Ok::<(), astrobackend::Error>(())
/// ```
pub fn to_vec(image: &Image, header: &Header) -> Vec<u8> {
    each_stored_type!(image, pixels, stored => collect(image, header, pixels, stored))
}

enum Narrowed {
    Unsigned,
    Signed,
    Not,
}

/// Whether 16 bits hold all of the pixels and, as far as is known, those of the camera's next picture.
fn narrowed(pixels: &[i32], max_adu: Option<u32>) -> Narrowed {
    let all =
        |low: i32, high: i32| pixels.chunks(4096).all(|c| c.iter().fold(true, |ok, p| ok & (low <= *p && *p <= high)));
    if max_adu.is_some_and(|max| max > u32::from(u16::MAX)) {
        Narrowed::Not
    } else if all(0, u16::MAX.into()) {
        Narrowed::Unsigned
    } else if all(i16::MIN.into(), i16::MAX.into()) {
        Narrowed::Signed
    } else {
        Narrowed::Not
    }
}

fn stream<P: Copy, S: Sample>(
    mut out: impl Write + Seek,
    image: &Image,
    header: &Header,
    pixels: &[P],
    stored: impl Fn(P) -> S,
) -> io::Result<()> {
    let start = out.stream_position()?;
    out.write_all(&header_unit::<S>(image, header, 0))?;
    let mut sum = 0;
    let mut buffer = [0; CHUNK];
    for chunk in pixels.chunks(CHUNK / S::SIZE) {
        let bytes = &mut buffer[..chunk.len() * S::SIZE];
        sum = checksum::add(sum, encode(chunk, bytes, &stored));
        out.write_all(bytes)?;
    }
    out.write_all(&[0; BLOCK][..padding(pixels.len() * S::SIZE)])?;
    let end = out.stream_position()?;
    out.seek(SeekFrom::Start(start))?;
    out.write_all(&header_unit::<S>(image, header, sum))?;
    out.seek(SeekFrom::Start(end))?;
    out.flush()
}

fn collect<P: Copy, S: Sample>(image: &Image, header: &Header, pixels: &[P], stored: impl Fn(P) -> S) -> Vec<u8> {
    let unit = header_unit::<S>(image, header, 0);
    let data = pixels.len() * S::SIZE;
    let mut file = vec![0; unit.len() + data + padding(data)];
    memory::in_large_pages(&mut file);
    let mut sum = 0;
    for (chunk, bytes) in pixels.chunks(CHUNK / S::SIZE).zip(file[unit.len()..][..data].chunks_mut(CHUNK)) {
        sum = checksum::add(sum, encode(chunk, bytes, &stored));
    }
    file[..unit.len()].copy_from_slice(&header_unit::<S>(image, header, sum));
    file
}

/// Stores pixels and returns their checksum.
fn encode<P: Copy, S: Sample>(pixels: &[P], bytes: &mut [u8], stored: impl Fn(P) -> S) -> u32 {
    for (pixel, place) in pixels.iter().zip(bytes.chunks_exact_mut(S::SIZE)) {
        stored(*pixel).put(place);
    }
    checksum::of_bytes(bytes)
}

/// The header in whole blocks, its checksum included.
fn header_unit<S: Sample>(image: &Image, header: &Header, data_sum: u32) -> Vec<u8> {
    let mut cards = structure::<S>(image);
    cards.extend(header.cards().iter().filter(|card| is_written(card)).cloned());
    let mut lines: Vec<String> = cards.iter().flat_map(print::lines).collect();
    if lines.iter().any(|line| line.starts_with("CONTINUE")) {
        lines.extend(print::lines(&Card::new("LONGSTRN", "OGIP 1.0", "texts may continue on the next line")));
    }
    // As wide as any sum, so that the length does not depend on it.
    let data = format!("{data_sum:010}");
    lines.extend(print::lines(&Card::new("DATASUM", data, "checksum of the data")));
    lines.extend(print::lines(&Card::new("CHECKSUM", "0".repeat(16), "checksum of header and data")));
    let mut bytes = lines.concat().into_bytes();
    let code = bytes.len() - print::RECORD + 11;
    bytes.extend(b"END");
    bytes.resize(bytes.len() + padding(bytes.len()), b' ');
    let sum = checksum::add(checksum::of_bytes(&bytes), data_sum);
    bytes[code..code + 16].copy_from_slice(checksum::encode(sum).as_bytes());
    bytes
}

/// Cards of the observation that have something to say.
fn is_written(card: &Card) -> bool {
    !structural(&card.keyword) && (card.is_commentary() || card.value != Value::None)
}

fn structure<S: Sample>(image: &Image) -> Vec<Card> {
    let card = |keyword: &str, value: Value, comment: &str| Card::new(keyword, value, comment);
    let axes = if image.planes() == 1 { 2i64 } else { 3 };
    let mut cards = vec![
        card("SIMPLE", true.into(), "conforms to FITS Standard 4.0"),
        card("BITPIX", S::BITPIX.into(), "bits per pixel, negative for floats"),
        card("NAXIS", axes.into(), "number of axes"),
        card("NAXIS1", image.width().into(), "columns"),
        card("NAXIS2", image.height().into(), "rows"),
    ];
    if axes == 3 {
        cards.push(card("NAXIS3", image.planes().into(), "colour planes: red, green, blue"));
    }
    cards.push(card("EXTEND", true.into(), "extensions are permitted"));
    if S::BZERO != 0.0 {
        cards.push(card("BZERO", bzero(S::BZERO), "added to each pixel: unsigned integers"));
        cards.push(card("BSCALE", Value::Integer(1), "factor of each pixel"));
    }
    cards
}

/// As an integer, which every reader takes for exact, where it is one of ours.
fn bzero(value: f64) -> Value {
    if value < 9e18 { Value::Integer(value as i64) } else { Value::Real(value) }
}

/// Bytes missing to a whole block.
fn padding(length: usize) -> usize {
    length.next_multiple_of(BLOCK) - length
}
