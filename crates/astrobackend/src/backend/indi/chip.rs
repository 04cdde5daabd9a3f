//! The chips of a camera: many drivers serve a second one for guiding, which is a camera of its own here.
//!
//! It has its own exposures, regions and pictures. Connection, cooling and settings are those of the driver and
//! belong to the main chip.

use super::{controls::Place, store::Device};
use crate::{
    Microns,
    device::{BayerPattern, Colour, Control, DeviceId, DeviceKind, Sensor},
    image::Frame,
};

/// What the name of a guide chip has in addition to its driver's.
const GUIDER: &str = " (guide chip)";

/// The properties of a chip.
#[derive(Debug)]
pub(super) struct Chip {
    /// The countdown: vector and element.
    pub(super) exposure: (&'static str, &'static str),
    /// The property that is there when the chip can be used.
    pub(super) keys: &'static [&'static str],
    pub(super) abort: &'static str,
    pub(super) frame: &'static str,
    pub(super) binning: &'static str,
    pub(super) frame_type: &'static str,
    pub(super) info: &'static str,
    /// The vector of its pictures.
    pub(super) picture: &'static str,
    pub(super) controls: &'static [Place],
}

/// The chip that takes the pictures.
pub(super) static MAIN: Chip = Chip {
    exposure: ("CCD_EXPOSURE", "CCD_EXPOSURE_VALUE"),
    keys: &["CCD_EXPOSURE"],
    abort: "CCD_ABORT_EXPOSURE",
    frame: "CCD_FRAME",
    binning: "CCD_BINNING",
    frame_type: "CCD_FRAME_TYPE",
    info: "CCD_INFO",
    picture: "CCD1",
    controls: &[
        Place::number(Control::Gain, "CCD_GAIN", "GAIN"),
        Place::number(Control::Gain, "CCD_CONTROLS", "Gain"),
        Place::number(Control::Offset, "CCD_OFFSET", "OFFSET"),
        Place::number(Control::Offset, "CCD_CONTROLS", "Offset"),
        Place::number(Control::UsbBandwidth, "CCD_CONTROLS", "BandWidth"),
        Place::number(Control::DewHeater, "CCD_CONTROLS", "AntiDewHeater"),
        Place::number(Control::Fan, "CCD_CONTROLS", "FanOn"),
        Place::choice(Control::ReadoutMode, "READOUT_MODE"),
        // INDI has no names for these; our server has.
        Place::choice(Control::FastReadout, "CCD_FAST_READOUT"),
        Place::number(Control::SubExposure, "CCD_SUB_EXPOSURE", "SUB_EXPOSURE_VALUE"),
    ],
};

/// The chip for guiding.
static GUIDE: Chip = Chip {
    exposure: ("GUIDER_EXPOSURE", "GUIDER_EXPOSURE_VALUE"),
    keys: &["GUIDER_EXPOSURE"],
    abort: "GUIDER_ABORT_EXPOSURE",
    frame: "GUIDER_FRAME",
    binning: "GUIDER_BINNING",
    frame_type: "GUIDER_FRAME_TYPE",
    info: "GUIDER_INFO",
    picture: "CCD2",
    controls: &[],
};

/// The driver's name for a device.
pub(super) fn driver(id: &DeviceId) -> &str {
    guided(id).unwrap_or(&id.name)
}

/// The driver's name of a guide chip; `None` for all other devices.
fn guided(id: &DeviceId) -> Option<&str> {
    id.name.strip_suffix(GUIDER).filter(|_| id.kind == DeviceKind::Camera)
}

/// The chip that a camera is.
pub(super) fn of(id: &DeviceId) -> &'static Chip {
    if guided(id).is_some() { &GUIDE } else { &MAIN }
}

/// The name that the driver's guide chip would have.
pub(super) fn guide_chip(driver: &str) -> DeviceId {
    DeviceId::new(DeviceKind::Camera, format!("{driver}{GUIDER}"))
}

/// The camera that a guide chip is in.
pub(super) fn camera_of(id: &DeviceId) -> Option<DeviceId> {
    guided(id).map(|driver| DeviceId::new(DeviceKind::Camera, driver))
}

/// True when the driver serves a guide chip.
pub(super) fn has_guide_chip(device: &Device) -> bool {
    device.has(GUIDE.exposure.0)
}

impl Chip {
    /// True for the chip that has the driver's settings.
    pub(super) fn is_main(&self) -> bool {
        self.picture == MAIN.picture
    }

    /// What the driver tells of the sensor.
    pub(super) fn sensor(&self, device: &Device) -> Sensor {
        let info = |element| device.number(self.info, element).filter(|value| *value > 0.0);
        let both = info("CCD_PIXEL_SIZE");
        // Drivers keep these as 32-bit floats: 5.2 arrives as 5.1999998.
        let microns = |element| info(element).or(both).map(|size| Microns((size * 1e4).round() / 1e4));
        Sensor {
            width: info("CCD_MAX_X").unwrap_or(0.0) as u32,
            height: info("CCD_MAX_Y").unwrap_or(0.0) as u32,
            pixel_width: microns("CCD_PIXEL_SIZE_X"),
            pixel_height: microns("CCD_PIXEL_SIZE_Y"),
            name: None,
            colour: if self.is_main() { colour(device) } else { Colour::Mono },
            bits_per_pixel: info("CCD_BITSPERPIXEL").filter(|bits| *bits < 256.0).map(|bits| bits as u8),
        }
    }

    /// The largest binning of columns and rows.
    pub(super) fn max_bin(&self, device: &Device) -> (u8, u8) {
        let max = |element| device.limits(self.binning, element).map_or(1.0, |bin| bin.max.clamp(1.0, 255.0)) as u8;
        (max("HOR_BIN"), max("VER_BIN"))
    }

    /// The binning now.
    pub(super) fn binning(&self, device: &Device) -> (u8, u8) {
        let bin = |element| device.number(self.binning, element).map_or(1.0, |bin| bin.clamp(1.0, 255.0)) as u8;
        (bin("HOR_BIN"), bin("VER_BIN"))
    }

    /// The region read out now. The driver counts sensor pixels; the contract counts binned ones.
    pub(super) fn frame(&self, device: &Device) -> Frame {
        let (bin_x, bin_y) = self.binning(device);
        let sensor = self.sensor(device);
        let part = |element, bin: u8, otherwise: u32| {
            let pixels = device.number(self.frame, element).map_or(otherwise, |pixels| pixels.max(0.0) as u32);
            pixels / u32::from(bin)
        };
        Frame {
            x: part("X", bin_x, 0),
            y: part("Y", bin_y, 0),
            width: part("WIDTH", bin_x, sensor.width),
            height: part("HEIGHT", bin_y, sensor.height),
            bin_x,
            bin_y,
        }
    }
}

fn colour(device: &Device) -> Colour {
    let pattern = device.text("CCD_CFA", "CFA_TYPE").and_then(|text| text.parse::<BayerPattern>().ok());
    let offset = |element| device.text("CCD_CFA", element).and_then(|text| text.trim().parse().ok()).unwrap_or(0u32);
    pattern
        .map_or(Colour::Mono, |pattern| Colour::Bayer(pattern.shifted(offset("CFA_OFFSET_X"), offset("CFA_OFFSET_Y"))))
}
