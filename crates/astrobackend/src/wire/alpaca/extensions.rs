//! What our server tells our client beyond ASCOM, so that a bridge loses nothing: actions with JSON answers.
//!
//! Any Alpaca client may use them: they are listed in `SupportedActions` and described in `docs/alpaca.md`. A server
//! without them is used as far as ASCOM goes.

use serde::{Deserialize, Serialize};

/// No parameters; answers a [`Description`].
pub const DESCRIBE: &str = "astrobackend:describe";
/// No parameters; answers a list of [`Setting`].
pub const SETTINGS: &str = "astrobackend:settings";
/// The name of a setting; answers its value.
pub const SETTING: &str = "astrobackend:setting";
/// `name=value`; changes a setting.
pub const SET_SETTING: &str = "astrobackend:set-setting";
/// Cameras: no parameters; answers a [`PictureMeta`] of the last picture.
pub const PICTURE_META: &str = "astrobackend:picture-meta";
/// Focusers: the position to declare the present one to be.
pub const SYNC_POSITION: &str = "astrobackend:sync-position";
/// Filter wheels: a JSON list of names, one for each place.
pub const SET_NAMES: &str = "astrobackend:set-names";

/// A parameter of `startexposure` beyond ASCOM's: `light`, `dark`, `bias` or `flat`. Other servers ignore it.
pub const FRAME_TYPE: &str = "FrameType";

/// What ASCOM's members do not tell about a device; what does not apply is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Description {
    /// The name of the device within its own backend.
    pub name: String,
    /// The name of the camera that a guide chip is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
    /// Cameras: bits that a pixel is sent with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits_per_pixel: Option<u8>,
    /// Cameras: lowest and highest temperature that can be asked for, degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_points: Option<(f64, f64)>,
    /// Focusers: a move can be stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt: Option<bool>,
    /// Focusers: the position can be declared to be another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<bool>,
    /// Mounts: the place on Earth can be set, and the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_site: Option<(bool, bool)>,
}

/// A setting that is a number or a choice ([`ControlInfo`](crate::device::ControlInfo)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// As `Control` displays: `gain`, `usb-bandwidth` ...
    pub name: String,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Smallest change, 0 when unknown.
    pub step: f64,
    /// Names of the values from `min` on; empty for a quantity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// False when it can only be read.
    pub writable: bool,
}

/// What is known about the last picture ([`ImageMeta`](crate::image::ImageMeta)); unknown is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PictureMeta {
    /// `light`, `dark`, `bias`, `flat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_type: Option<String>,
    /// UTC of the beginning, ISO 8601 with `Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Seconds exposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<f64>,
    /// `x, y, width, height, bin_x, bin_y` of the picture, binned pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<[u32; 6]>,
    /// Unbinned width and height of a pixel, micrometres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_size: Option<(f64, f64)>,
    /// The mosaic that begins at the first pixel, `RGGB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bayer: Option<String>,
    /// The gain setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// The offset setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
    /// Electrons per ADU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub electrons_per_adu: Option<f64>,
    /// Largest value of a pixel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_adu: Option<u32>,
    /// Name of the readout mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readout_mode: Option<String>,
    /// Temperature of the sensor, degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Temperature that the cooler was to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_point: Option<f64>,
    /// The number of the exposure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_number: Option<u64>,
    /// What the frame guard thinks of it: `ok`, `suspect: WHY`, `bad: WHY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Cards of the driver's own FITS header: keyword, value as JSON (text, number, truth value or null), comment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub header: Vec<(String, serde_json::Value, String)>,
}
