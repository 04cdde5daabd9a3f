//! The camera: exposures are started, watched and fetched; see [`Camera`].

use super::{Age, Device, GuideDirection};
use crate::{
    Celsius, Error, ErrorKind, Microns, Result, Timestamp, Wait,
    image::{Frame, Image},
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive, str::FromStr, sync::Arc, time::Duration};

/// What a picture is for; decides about the shutter and goes into the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameType {
    /// The sky, shutter open.
    #[default]
    Light,
    /// Shutter closed, for the dark current.
    Dark,
    /// Shutter closed, shortest exposure, for the read-out level.
    Bias,
    /// An evenly lit field, shutter open.
    Flat,
}

impl FrameType {
    /// True when the shutter opens (ASCOM `StartExposure`'s `Light`).
    pub fn is_light(self) -> bool {
        matches!(self, FrameType::Light | FrameType::Flat)
    }
}

/// `light`, `dark`, `bias`, `flat`
impl fmt::Display for FrameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            FrameType::Light => "light",
            FrameType::Dark => "dark",
            FrameType::Bias => "bias",
            FrameType::Flat => "flat",
        })
    }
}

impl FromStr for FrameType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "light" => Ok(FrameType::Light),
            "dark" => Ok(FrameType::Dark),
            "bias" => Ok(FrameType::Bias),
            "flat" => Ok(FrameType::Flat),
            _ => Err(Error::invalid(format!("{text:?} is no frame type: light, dark, bias or flat"))),
        }
    }
}

/// The four colours in front of a 2x2 group of pixels, rows from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BayerPattern {
    /// Red green / green blue.
    Rggb,
    /// Green red / blue green.
    Grbg,
    /// Green blue / red green.
    Gbrg,
    /// Blue green / green red.
    Bggr,
}

impl BayerPattern {
    /// The pattern that begins `x` columns and `y` rows further on.
    ///
    /// ```
    /// use astrobackend::device::BayerPattern;
    /// assert_eq!(BayerPattern::Rggb.shifted(1, 0), BayerPattern::Grbg);
    /// assert_eq!(BayerPattern::Rggb.shifted(3, 5), BayerPattern::Bggr);
    /// ```
    #[must_use]
    pub fn shifted(self, x: u32, y: u32) -> Self {
        use BayerPattern::*;
        let across = match self {
            Rggb => Grbg,
            Grbg => Rggb,
            Gbrg => Bggr,
            Bggr => Gbrg,
        };
        let pattern = if x % 2 == 1 { across } else { self };
        if y.is_multiple_of(2) {
            return pattern;
        }
        match pattern {
            Rggb => Gbrg,
            Grbg => Bggr,
            Gbrg => Rggb,
            Bggr => Grbg,
        }
    }
}

/// `RGGB`, as FITS `BAYERPAT` has it.
impl fmt::Display for BayerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            BayerPattern::Rggb => "RGGB",
            BayerPattern::Grbg => "GRBG",
            BayerPattern::Gbrg => "GBRG",
            BayerPattern::Bggr => "BGGR",
        })
    }
}

impl FromStr for BayerPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_uppercase().as_str() {
            "RGGB" => Ok(BayerPattern::Rggb),
            "GRBG" => Ok(BayerPattern::Grbg),
            "GBRG" => Ok(BayerPattern::Gbrg),
            "BGGR" => Ok(BayerPattern::Bggr),
            _ => Err(Error::invalid(format!("{text:?} is no Bayer pattern"))),
        }
    }
}

/// How the sensor sees colour (ASCOM `SensorType`, `BayerOffsetX`, `BayerOffsetY`; INDI `CCD_CFA`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Colour {
    /// Monochrome (ASCOM 0).
    #[default]
    Mono,
    /// The camera delivers red, green and blue planes (ASCOM 1).
    Planes,
    /// A Bayer mosaic whose pattern begins at the sensor's first pixel (ASCOM 2 with its offsets applied).
    Bayer(BayerPattern),
    /// Another mosaic, whose pixels are given as they are (ASCOM 3 to 5).
    Mosaic {
        /// Which.
        kind: Mosaic,
        /// ASCOM `BayerOffsetX`.
        offset_x: u8,
        /// ASCOM `BayerOffsetY`.
        offset_y: u8,
    },
}

/// Mosaics other than red-green-blue Bayer (ASCOM `SensorType` 3 to 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mosaic {
    /// Cyan, magenta, yellow, green (ASCOM 3).
    Cmyg,
    /// The same with alternating rows (ASCOM 4).
    Cmyg2,
    /// Kodak's with luminance pixels (ASCOM 5).
    Lrgb,
}

/// The chip.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sensor {
    /// Columns, unbinned.
    pub width: u32,
    /// Rows, unbinned.
    pub height: u32,
    /// Width of an unbinned pixel; `None` when the driver does not know.
    pub pixel_width: Option<Microns>,
    /// Height of an unbinned pixel.
    pub pixel_height: Option<Microns>,
    /// Name of the chip (ASCOM `SensorName`).
    pub name: Option<String>,
    /// How it sees colour.
    pub colour: Colour,
    /// Bits that a pixel is sent with (INDI `CCD_BITSPERPIXEL`).
    pub bits_per_pixel: Option<u8>,
}

/// The cooler's abilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoolerCaps {
    /// Temperatures that can be asked for; `None` when the cooler only switches.
    pub set_point: Option<RangeInclusive<Celsius>>,
    /// The power is known (ASCOM `CanGetCoolerPower`).
    pub power: bool,
}

/// What a camera can do. Asked once, then unchanged while connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraCaps {
    /// The chip.
    pub sensor: Sensor,
    /// Largest binning across and down, 1 when it cannot bin.
    pub max_bin: (u8, u8),
    /// Across and down may differ (ASCOM `CanAsymmetricBin`).
    pub asymmetric_bin: bool,
    /// Shortest and longest exposure.
    #[serde(with = "crate::serial::seconds_range")]
    pub exposure: RangeInclusive<Duration>,
    /// Smallest difference between two exposure times, zero when unknown (ASCOM `ExposureResolution`).
    #[serde(with = "crate::serial::seconds")]
    pub exposure_resolution: Duration,
    /// An exposure can be ended early and its image kept (ASCOM `CanStopExposure`).
    pub stop: bool,
    /// An exposure can be thrown away (ASCOM `CanAbortExposure`).
    pub abort: bool,
    /// The cooler; `None` without one.
    pub cooler: Option<CoolerCaps>,
    /// A mechanical shutter (ASCOM `HasShutter`).
    pub shutter: bool,
    /// The camera has a guide port (ASCOM `CanPulseGuide`, INDI `TELESCOPE_TIMED_GUIDE_*` of a camera).
    pub pulse_guide: bool,
}

/// What the cooler is doing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cooler {
    /// On or off.
    pub on: bool,
    /// Temperature it was last told to reach, `None` when unknown.
    pub set_point: Option<Celsius>,
    /// Power in percent, `None` when the camera does not say.
    pub power: Option<f64>,
}

/// How far an exposure is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExposureState {
    /// Nothing under way, no image since the last connect.
    #[default]
    Idle,
    /// Accepted, not yet begun: waiting for a shutter, a trigger (ASCOM `CameraWaiting`).
    Waiting,
    /// Collecting light.
    Exposing {
        /// Time left, `None` when the camera does not say.
        #[serde(with = "crate::serial::maybe_seconds")]
        remaining: Option<Duration>,
        /// Percent done, 0 to 100, `None` when the camera does not say (ASCOM `PercentCompleted`).
        percent: Option<f64>,
    },
    /// Being read from the chip.
    Reading {
        /// Percent done, when known.
        percent: Option<f64>,
    },
    /// Being transferred from the camera or the server.
    Downloading {
        /// Percent done, when known.
        percent: Option<f64>,
    },
    /// [`Camera::image`] has the picture of the last exposure.
    Ready,
    /// The last exposure ended without a picture; aborts are not failures, they lead to `Idle`.
    Failed(Error),
}

impl ExposureState {
    /// True from the accepted command until the image is there or the exposure has ended otherwise.
    pub fn is_busy(&self) -> bool {
        use ExposureState::*;
        matches!(self, Waiting | Exposing { .. } | Reading { .. } | Downloading { .. })
    }
}

/// Everything about a camera that changes by itself, in one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraState {
    /// How far the exposure is.
    pub exposure: ExposureState,
    /// Sensor temperature.
    pub temperature: Option<Celsius>,
    /// Heat sink temperature (ASCOM `HeatSinkTemperature`).
    pub heat_sink: Option<Celsius>,
    /// The cooler; `None` without one.
    pub cooler: Option<Cooler>,
    /// A guide pulse of this camera's port is under way.
    pub pulse_guiding: bool,
    /// Electrons per ADU at the present gain (ASCOM `ElectronsPerADU`).
    pub electrons_per_adu: Option<f64>,
    /// Electrons that a pixel holds (ASCOM `FullWellCapacity`).
    pub full_well: Option<f64>,
    /// Largest pixel value (ASCOM `MaxADU`).
    pub max_adu: Option<u32>,
    /// UTC start and true length of the last finished exposure (ASCOM `LastExposureStartTime`, `LastExposureDuration`).
    #[serde(with = "crate::serial::moment_and_seconds")]
    pub last_exposure: Option<(Timestamp, Duration)>,
    /// How old all of this is.
    #[serde(default)]
    pub age: Age,
}

/// One exposure to be taken. Region, binning and gain are settings of the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// How long to collect light.
    #[serde(with = "crate::serial::seconds")]
    pub duration: Duration,
    /// What the picture is for.
    pub frame_type: FrameType,
}

impl Exposure {
    /// A picture of the sky.
    pub fn light(duration: Duration) -> Self {
        Exposure { duration, frame_type: FrameType::Light }
    }

    /// A picture in the dark, as long as those it is to correct.
    pub fn dark(duration: Duration) -> Self {
        Exposure { duration, frame_type: FrameType::Dark }
    }

    /// A picture in the dark as short as the camera can, which is the beginning of [`CameraCaps::exposure`].
    pub fn bias(duration: Duration) -> Self {
        Exposure { duration, frame_type: FrameType::Bias }
    }

    /// A picture of an evenly lit field.
    pub fn flat(duration: Duration) -> Self {
        Exposure { duration, frame_type: FrameType::Flat }
    }
}

/// A camera.
///
/// # Frameworks
/// ASCOM `ICameraV4` (and its forerunners), INDI's `CCD_*` standard properties; the table in
/// `ARCHITECTURE.md` says member by member which is which.
pub trait Camera: Device {
    /// What the camera can do. No I/O once connected.
    ///
    /// # Errors
    /// `NotConnected`, as long as nothing is known.
    fn caps(&self) -> Result<Arc<CameraCaps>>;

    /// Everything that changes by itself, in one look.
    fn state(&self) -> Result<CameraState>;

    /// Region and binning of the next exposure.
    fn frame(&self) -> Result<Frame>;

    /// Sets region and binning together, in binned pixels.
    ///
    /// # Errors
    /// `InvalidValue` for a region off the sensor or a binning beyond the maximum.
    fn set_frame(&self, frame: Frame) -> Result<()>;

    /// Switches the cooler; `Some(t)` also sets the temperature to reach, `None` switches it off.
    ///
    /// # Errors
    /// `Unsupported` without a cooler, `InvalidValue` beyond its range.
    fn set_cooler(&self, set_point: Option<Celsius>) -> Result<()>;

    /// Starts an exposure and returns at once; the state is busy from then on.
    ///
    /// The image of an earlier exposure is gone with this call.
    ///
    /// # Errors
    /// `InvalidValue` for a time out of range, `Busy` while another exposure is under way.
    fn start_exposure(&self, exposure: Exposure) -> Result<()>;

    /// Ends the exposure now and keeps the image; nothing when idle.
    ///
    /// # Errors
    /// `Unsupported` when the camera can only abort.
    fn stop_exposure(&self) -> Result<()>;

    /// Ends the exposure now and throws it away: the state becomes `Idle` and no image appears; nothing when idle.
    fn abort_exposure(&self) -> Result<()>;

    /// The image of the last exposure, shared, as often as asked for, until the next one starts.
    ///
    /// Where the image is still on the other side this fetches it, within the image deadline.
    ///
    /// # Errors
    /// `InvalidOperation` unless the state is [`ExposureState::Ready`]; the exposure's own error if it failed.
    fn image(&self) -> Result<Arc<Image>>;

    /// [`Camera::image`], after which the camera need not keep it: a server that hands the picture on in a form
    /// of its own has a large frame in memory only once.
    ///
    /// Where the camera lets it go, `image` is `InvalidOperation` until the next exposure; the state stays `Ready`.
    ///
    /// # Errors
    /// As [`Camera::image`].
    fn take_image(&self) -> Result<Arc<Image>> {
        self.image()
    }

    /// Starts a guide pulse through the camera's port and returns at once; `pulse_guiding` tells when it ends.
    ///
    /// # Errors
    /// `Unsupported` without a guide port.
    fn pulse_guide(&self, _direction: GuideDirection, _duration: Duration) -> Result<()> {
        Err(Error::unsupported("has no guide port").on(self.info().id))
    }
}

/// Conveniences over any camera.
pub trait CameraExt: Camera {
    /// Takes one picture: starts, waits, fetches; on timeout and cancel the exposure is aborted.
    ///
    /// ```
    /// # fn main() -> astrobackend::Result<()> {
    /// use astrobackend::{Wait, device::{CameraExt, Exposure}};
    /// use std::time::Duration;
    /// let camera = astrobackend::open("sim://?speed=100")?.camera()?;
    /// camera.connect()?;
    /// let image = camera.expose(Exposure::light(Duration::from_secs(2)), &Wait::new(Duration::from_secs(30)))?;
    /// assert_eq!(image.meta.exposure, Some(Duration::from_secs(2)));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Timeout`, `Cancelled` (by the caller, or when somebody else aborts the exposure), or what the camera reports.
    fn expose(&self, exposure: Exposure, wait: &Wait) -> Result<Arc<Image>> {
        self.expose_watched(exposure, wait, |_| {})
    }

    /// [`CameraExt::expose`] that shows each state it sees, for a progress bar.
    ///
    /// # Errors
    /// As [`CameraExt::expose`].
    fn expose_watched(
        &self,
        exposure: Exposure,
        wait: &Wait,
        mut watch: impl FnMut(&ExposureState),
    ) -> Result<Arc<Image>> {
        let look = || {
            let state = self.state()?.exposure;
            watch(&state);
            match state {
                ExposureState::Ready => Ok(Some(())),
                ExposureState::Failed(error) => Err(error),
                ExposureState::Idle => {
                    Err(Error::new(ErrorKind::Cancelled, "the exposure was aborted").on(self.info().id))
                }
                _ => Ok(None),
            }
        };
        let what = format!("the exposure of {:?}", exposure.duration);
        let taken = wait.within(|| {
            wait.run(what, || self.start_exposure(exposure), look, || self.abort_exposure())?;
            self.image()
        });
        taken.map_err(|error| error.on(self.info().id))
    }
}

impl<C: Camera + ?Sized> CameraExt for C {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_shifted_twice_is_itself() {
        for pattern in ["RGGB", "GRBG", "GBRG", "BGGR"] {
            let pattern: BayerPattern = pattern.parse().unwrap();
            assert_eq!(pattern.shifted(1, 0).shifted(1, 0), pattern);
            assert_eq!(pattern.shifted(0, 1).shifted(0, 1), pattern);
            assert_eq!(pattern.shifted(1, 1), pattern.shifted(1, 0).shifted(0, 1));
        }
    }
}
