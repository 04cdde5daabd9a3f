//! A picture to look at: what the camera saw, stretched and scaled down for the screen.
//!
//! What is saved for science is never stretched; this is made beside it.

mod reduce;
mod stretch;

pub use stretch::{Stats, Stretch};

use crate::{
    Error, Image, Result, atomic,
    image::{ImageMeta, Pixels},
};
use reduce::Reduction;
use std::{
    io::{self, Write},
    path::Path,
};

/// How a preview is made.
///
/// ```
/// use astrobackend::preview::{Options, Stretch};
/// let full_size_and_unstretched = Options { max_edge: None, stretch: Stretch::Linear };
/// assert_eq!(Options::default().max_edge, Some(1600));
/// # let _ = full_size_and_unstretched;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Longest edge of the preview in pixels, 1 or more; `None` keeps the picture's own size.
    pub max_edge: Option<u32>,
    /// From the camera's values to brightness.
    pub stretch: Stretch,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_edge: Some(1600), stretch: Stretch::default() }
    }
}

/// An 8-bit picture, the first row on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: u8,
    /// Row after row, the channels of a pixel side by side.
    pub data: Vec<u8>,
    /// What the stretch was derived from: one for each channel, in the camera's units.
    pub stats: Vec<Stats>,
}

/// Makes a preview of a mono, Bayer or three-plane picture.
///
/// Square blocks of pixels are averaged until the longer edge fits; incomplete blocks at the right
/// and the bottom are left out. A Bayer picture becomes a colour one: its blocks have an even edge and each
/// colour is averaged by itself, or the missing colours are interpolated when nothing is scaled down.
/// Rows stay in the camera's order. Pixels that are not a number, infinite or beyond `f32` count
/// for nothing; where there are no others, the preview is black.
///
/// Statistics come from at most 500 000 pixels. 61 megapixels take some 0.1 s (2 s in colour and full size) and
/// a few rows of memory beside the preview itself.
///
/// # Errors
/// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for a `max_edge` of 0 and a background
/// that is not between 0 and 1.
///
/// ```
/// # fn main() -> astrobackend::Result<()> {
/// use astrobackend::{Image, image::Pixels, preview};
/// let image = Image::new(640, 480, Pixels::U16((0..640 * 480).map(|i| (i % 997) as u16).collect()))?;
/// let preview = preview::render(&image, &preview::Options { max_edge: Some(320), ..Default::default() })?;
/// assert_eq!((preview.width, preview.height, preview.channels), (320, 240, 1));
/// # Ok(()) }
/// ```
pub fn render(image: &Image, options: &Options) -> Result<Preview> {
    options.stretch.check()?;
    if options.max_edge == Some(0) {
        return Err(Error::invalid("a preview with a longest edge of 0 pixels shows nothing"));
    }
    let reduction = Reduction::new(image, options.max_edge);
    let stats = statistics(image);
    let curves = options.stretch.curves(&stats, white(image.pixels(), &image.meta, &stats));

    let (width, height, channels) = (reduction.width(), reduction.height(), stats.len());
    let mut data = Vec::with_capacity(width * height * channels);
    let mut row = vec![0.0; width * channels];
    for y in 0..height {
        reduction.row(image, y, &mut row);
        for pixel in row.chunks_exact(channels) {
            data.extend(pixel.iter().zip(&curves).map(|(value, curve)| curve.apply(*value)));
        }
    }
    // Neither is larger than the image's own.
    Ok(Preview { width: width as u32, height: height as u32, channels: channels as u8, data, stats })
}

/// The spread of the pixel values: one for a mono picture, three (red, green, blue) for a Bayer or three-plane one.
///
/// From at most 500 000 pixels, evenly spread; all 0 when no pixel is a number.
pub fn statistics(image: &Image) -> Vec<Stats> {
    reduce::samples(image).into_iter().map(Stats::of).collect()
}

/// The value that is white when nothing is stretched.
///
/// The camera's own limit, unless its pixels disprove it; else that of the usual 8 or 16 bit, which wider
/// integers are used for; floats have none but their largest.
fn white(pixels: &Pixels, meta: &ImageMeta, stats: &[Stats]) -> f64 {
    let largest = stats.iter().map(|channel| channel.max).fold(f64::MIN, f64::max);
    let limit = match pixels {
        Pixels::U8(_) => 255.0,
        Pixels::F32(_) | Pixels::F64(_) => largest,
        Pixels::I16(_) => f64::from(i16::MAX),
        _ => 65_535.0,
    };
    meta.max_adu.map_or(limit, f64::from).max(largest)
}

impl Preview {
    /// Writes an 8-bit PNG, whole or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io), naming the file: it exists and `overwrite` is false, its
    /// folder does not exist, the disk is full ...
    pub fn write_png(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
        atomic::write(path.as_ref(), overwrite, |file| self.encode(file))
    }

    fn encode(&self, out: impl Write) -> io::Result<()> {
        let mut encoder = png::Encoder::new(out, self.width, self.height);
        encoder.set_color(if self.channels == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale });
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().map_err(cause)?;
        writer.write_image_data(&self.data).map_err(cause)?;
        writer.finish().map_err(cause)
    }
}

/// The system's own error where there is one.
fn cause(error: png::EncodingError) -> io::Error {
    match error {
        png::EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
