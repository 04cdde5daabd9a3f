//! Pictures as the camera delivered them, and the region and binning they were taken with.
//!
//! An [`Image`] keeps the camera's own pixel type, row-major, first row first,
//! and is shared as `Arc<Image>`: no layer copies a frame to pass it on.

use crate::{
    Celsius, Error, Result, Timestamp,
    device::{BayerPattern, FrameType},
    fits::Header,
    guard::Verdict,
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The pixels in the camera's own type, row after row; colour images plane after plane.
///
/// The order within a plane is (row, column), the first row first; a colour image
/// holds all of red, then green, then blue, as FITS does.
#[derive(Clone, PartialEq)]
pub enum Pixels {
    /// Unsigned 8 bit.
    U8(Vec<u8>),
    /// Signed 16 bit.
    I16(Vec<i16>),
    /// Unsigned 16 bit: what most cameras deliver.
    U16(Vec<u16>),
    /// Signed 32 bit: what ASCOM speaks of when it does not know better.
    I32(Vec<i32>),
    /// Unsigned 32 bit.
    U32(Vec<u32>),
    /// Signed 64 bit.
    I64(Vec<i64>),
    /// Unsigned 64 bit.
    U64(Vec<u64>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
}

/// Runs the same code for the vector of any pixel type.
///
/// ```
/// use astrobackend::{each_pixel_type, image::Pixels};
/// let pixels = Pixels::U16(vec![1, 2, 3]);
/// assert_eq!(each_pixel_type!(&pixels, p => p.len()), 3);
/// ```
#[macro_export]
macro_rules! each_pixel_type {
    ($pixels:expr, $p:ident => $body:expr) => {
        match $pixels {
            $crate::image::Pixels::U8($p) => $body,
            $crate::image::Pixels::I16($p) => $body,
            $crate::image::Pixels::U16($p) => $body,
            $crate::image::Pixels::I32($p) => $body,
            $crate::image::Pixels::U32($p) => $body,
            $crate::image::Pixels::I64($p) => $body,
            $crate::image::Pixels::U64($p) => $body,
            $crate::image::Pixels::F32($p) => $body,
            $crate::image::Pixels::F64($p) => $body,
        }
    };
}

impl Pixels {
    /// Number of pixels, all planes counted.
    pub fn len(&self) -> usize {
        each_pixel_type!(self, p => p.len())
    }

    /// True without any pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the type, as Rust and NumPy users read it: `u8`, `i32`, `f32` ...
    pub fn type_name(&self) -> &'static str {
        match self {
            Pixels::U8(_) => "u8",
            Pixels::I16(_) => "i16",
            Pixels::U16(_) => "u16",
            Pixels::I32(_) => "i32",
            Pixels::U32(_) => "u32",
            Pixels::I64(_) => "i64",
            Pixels::U64(_) => "u64",
            Pixels::F32(_) => "f32",
            Pixels::F64(_) => "f64",
        }
    }

    /// Bytes that one pixel takes.
    pub fn bytes_per_pixel(&self) -> usize {
        fn size<T>(_: &[T]) -> usize {
            size_of::<T>()
        }
        each_pixel_type!(self, p => size(p))
    }

    /// One pixel as a float, for statistics and pictures.
    #[allow(clippy::unnecessary_cast, reason = "one of the types is f64 itself")]
    pub fn get(&self, index: usize) -> Option<f64> {
        each_pixel_type!(self, p => p.get(index).map(|v| *v as f64))
    }
}

/// The first few, and how many there are: a whole frame helps nobody in a log.
impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let (count, name) = (self.len(), self.type_name());
        each_pixel_type!(self, p => match p.get(..SHOWN) {
            Some(first) if count > SHOWN => write!(f, "{count} {name} {first:?}..."),
            _ => write!(f, "{count} {name} {p:?}"),
        })
    }
}

/// Region and binning of a picture, in **binned** pixels as ASCOM counts them.
///
/// INDI counts `CCD_FRAME` in unbinned pixels; see [`Frame::unbinned`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// First column, binned pixels from the sensor's left edge.
    pub x: u32,
    /// First row, binned pixels from the sensor's top edge.
    pub y: u32,
    /// Columns of the picture, binned pixels.
    pub width: u32,
    /// Rows of the picture, binned pixels.
    pub height: u32,
    /// Sensor pixels across that make one column, 1 or more.
    pub bin_x: u8,
    /// Sensor pixels down that make one row, 1 or more.
    pub bin_y: u8,
}

impl Frame {
    /// The whole sensor at a binning; incomplete pixels at the edge are left out.
    ///
    /// ```
    /// use astrobackend::image::Frame;
    /// let frame = Frame::full(9576, 6388, 3);
    /// assert_eq!((frame.width, frame.height), (3192, 2129));
    /// ```
    pub fn full(sensor_width: u32, sensor_height: u32, bin: u8) -> Self {
        let n = u32::from(bin.max(1));
        Frame { x: 0, y: 0, width: sensor_width / n, height: sensor_height / n, bin_x: bin.max(1), bin_y: bin.max(1) }
    }

    /// `(x, y, width, height)` in sensor pixels, as INDI's `CCD_FRAME` wants them.
    pub fn unbinned(&self) -> (u32, u32, u32, u32) {
        let (bx, by) = (u32::from(self.bin_x), u32::from(self.bin_y));
        (
            self.x.saturating_mul(bx),
            self.y.saturating_mul(by),
            self.width.saturating_mul(bx),
            self.height.saturating_mul(by),
        )
    }

    /// Pixels of the picture.
    pub fn pixels(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Refuses an empty region, a zero binning, and whatever lies beyond the sensor.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue), naming the limit.
    pub fn check(&self, sensor_width: u32, sensor_height: u32) -> Result<()> {
        if self.bin_x == 0 || self.bin_y == 0 {
            return Err(Error::invalid(format!("binning {}x{} is below 1x1", self.bin_x, self.bin_y)));
        }
        let (max_x, max_y) = (sensor_width / u32::from(self.bin_x), sensor_height / u32::from(self.bin_y));
        let beyond =
            |start: u32, length: u32, max: u32| length == 0 || u64::from(start) + u64::from(length) > u64::from(max);
        if beyond(self.x, self.width, max_x) || beyond(self.y, self.height, max_y) {
            return Err(Error::invalid(format!(
                "region {},{} {}x{} does not lie on the sensor, which has {max_x}x{max_y} pixels at binning {}x{}",
                self.x, self.y, self.width, self.height, self.bin_x, self.bin_y
            )));
        }
        Ok(())
    }
}

/// What the camera knew about a picture when it was taken; unknown is `None`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageMeta {
    /// The camera's name.
    pub camera: Option<String>,
    /// The camera's unique, stable identity.
    pub camera_id: Option<String>,
    /// Light, dark, bias or flat.
    pub frame_type: Option<FrameType>,
    /// UTC at which the exposure began.
    pub start: Option<Timestamp>,
    /// Time that the sensor was really exposed.
    #[serde(with = "crate::serial::maybe_seconds")]
    pub exposure: Option<Duration>,
    /// Region and binning.
    pub frame: Option<Frame>,
    /// Unbinned pixel width and height in micrometres.
    pub pixel_size: Option<(f64, f64)>,
    /// Colour filter in front of each pixel of **this** picture: the pattern that
    /// begins at its first pixel, odd regions already taken into account.
    pub bayer: Option<BayerPattern>,
    /// The driver's gain setting (not electrons per ADU).
    pub gain: Option<f64>,
    /// The driver's offset setting.
    pub offset: Option<f64>,
    /// Electrons per ADU.
    pub electrons_per_adu: Option<f64>,
    /// Largest value a pixel can have.
    pub max_adu: Option<u32>,
    /// Name of the readout mode.
    pub readout_mode: Option<String>,
    /// Sensor temperature.
    pub temperature: Option<Celsius>,
    /// Set point, while the cooler is on.
    pub set_point: Option<Celsius>,
    /// The number of the exposure, from 1 on since its camera was opened where the first
    /// [frame guard](crate::guard) watches.
    pub exposure_number: Option<u64>,
    /// What the [frame guard](crate::guard) thinks of the picture; `None` when it was not judged.
    pub verdict: Option<Verdict>,
    /// Cards that the driver wrote itself (INDI sends whole FITS files).
    #[serde(with = "crate::serial::cards")]
    pub header: Header,
}

/// One picture: its size, its pixels, and what the camera said about it.
#[derive(Clone, Debug)]
pub struct Image {
    width: u32,
    height: u32,
    planes: u8,
    pixels: Pixels,
    /// What is known about the picture.
    pub meta: ImageMeta,
}

impl Image {
    /// A monochrome (or Bayer) picture of one plane.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if the number of pixels is not `width * height`.
    pub fn new(width: u32, height: u32, pixels: Pixels) -> Result<Self> {
        Image::with_planes(width, height, 1, pixels)
    }

    /// A picture of 1 (mono) or 3 (red, green, blue) planes.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if the number of pixels does not fit the size.
    pub fn with_planes(width: u32, height: u32, planes: u8, pixels: Pixels) -> Result<Self> {
        let expected = u64::from(width) * u64::from(height) * u64::from(planes);
        if expected == 0 || expected != pixels.len() as u64 {
            return Err(Error::protocol(format!(
                "{} pixels do not make an image of {width}x{height}x{planes}",
                pixels.len()
            )));
        }
        Ok(Image { width, height, planes, pixels, meta: ImageMeta::default() })
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// 1 for mono and Bayer, 3 for red, green and blue.
    pub fn planes(&self) -> u8 {
        self.planes
    }

    /// The pixels.
    pub fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// Takes the pixels out, without a copy.
    pub fn into_pixels(self) -> Pixels {
        self.pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_off_the_sensor_is_refused_with_the_limit() {
        let frame = Frame { x: 600, y: 0, width: 100, height: 512, bin_x: 2, bin_y: 2 };
        let error = frame.check(1280, 1024).unwrap_err();
        assert!(error.to_string().contains("640x512"), "{error}");
        assert!(Frame { x: 540, ..frame }.check(1280, 1024).is_ok());
        assert!(Frame { x: u32::MAX, ..frame }.check(1280, 1024).is_err());
        assert!(Frame { width: 0, ..frame }.check(1280, 1024).is_err());
        assert!(Frame { bin_x: 0, ..frame }.check(1280, 1024).is_err());
    }

    #[test]
    fn the_size_must_fit_the_pixels() {
        assert!(Image::new(3, 2, Pixels::U8(vec![0; 6])).is_ok());
        assert!(Image::new(3, 2, Pixels::U8(vec![0; 5])).is_err());
        assert!(Image::new(0, 0, Pixels::U8(vec![])).is_err());
    }
}
