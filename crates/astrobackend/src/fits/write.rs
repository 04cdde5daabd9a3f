//! Images to FITS, through one small buffer: no second copy of the frame.

use super::{BLOCK, Card, Header, Value, checksum, print, sample::Sample, structural};
use crate::{Image, Result, atomic, each_pixel_type, image::Pixels};
use std::{
    io::{self, Write},
    path::Path,
};

/// Bytes swapped at a time: they stay in the processor's cache until they are written.
const BUFFER: usize = 256 * 1024;

/// Writes an image and its header to a file, which appears whole or not at all.
///
/// The header's cards are written in their order after those that describe the file (`SIMPLE`, `BITPIX`,
/// `NAXIS`, `BZERO`, `CHECKSUM` ...), which are always the writer's own; see [`header`](super::header) for
/// composing one. An existing file is kept unless `overwrite`. Returns when the file is on the disk.
/// Takes about 0.25 MB of memory, whatever the size of the image.
///
/// Signed 32-bit pixels, which ASCOM speaks when it does not know better, are written with 16 bits when
/// all values fit and [`max_adu`](crate::image::ImageMeta::max_adu) does not say otherwise.
///
/// # Errors
/// `Io`, naming the file: it exists, its folder does not, the disk is full ...
pub fn write(path: impl AsRef<Path>, image: &Image, header: &Header, overwrite: bool) -> Result<()> {
    atomic::write(path.as_ref(), overwrite, |out| write_to(out, image, header))
}

/// Writes what [`write`] does to anything that takes bytes.
///
/// # Errors
/// Those of `out`.
pub fn write_to(out: impl Write, image: &Image, header: &Header) -> io::Result<()> {
    match image.pixels() {
        Pixels::I32(pixels) => match narrowed(pixels, image.meta.max_adu) {
            Narrowed::Unsigned => hdu(out, image, header, pixels, |p| p as u16),
            Narrowed::Signed => hdu(out, image, header, pixels, |p| p as i16),
            Narrowed::Not => hdu(out, image, header, pixels, |p| p),
        },
        pixels => each_pixel_type!(pixels, p => hdu(out, image, header, p, |p| p)),
    }
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

fn hdu<P: Copy, S: Sample>(
    mut out: impl Write,
    image: &Image,
    header: &Header,
    pixels: &[P],
    stored: impl Fn(P) -> S + Copy,
) -> io::Result<()> {
    out.write_all(&header_unit::<S>(image, header, checksum::of_pixels(pixels, stored)))?;
    let mut buffer = vec![0; BUFFER.min(pixels.len() * S::SIZE)];
    for chunk in pixels.chunks(BUFFER / S::SIZE) {
        let bytes = &mut buffer[..chunk.len() * S::SIZE];
        for (pixel, place) in chunk.iter().zip(bytes.chunks_exact_mut(S::SIZE)) {
            stored(*pixel).put(place);
        }
        out.write_all(bytes)?;
    }
    out.write_all(&[0; BLOCK][..padding(pixels.len() * S::SIZE)])?;
    out.flush()
}

/// The header in whole blocks, its checksum included.
fn header_unit<S: Sample>(image: &Image, header: &Header, data_sum: u32) -> Vec<u8> {
    let mut cards = structure::<S>(image);
    cards.extend(header.cards().iter().filter(|card| !structural(&card.keyword)).cloned());
    cards.push(Card::new("DATASUM", data_sum.to_string(), "checksum of the data"));
    cards.push(Card::new("CHECKSUM", "0".repeat(16), "checksum of header and data"));
    let mut bytes: Vec<u8> = cards.iter().flat_map(print::lines).flat_map(String::into_bytes).collect();
    let code = bytes.len() - print::RECORD + 11;
    bytes.extend(b"END");
    bytes.resize(bytes.len() + padding(bytes.len()), b' ');
    let sum = checksum::add(checksum::of_bytes(&bytes), data_sum);
    bytes[code..code + 16].copy_from_slice(checksum::encode(sum).as_bytes());
    bytes
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
