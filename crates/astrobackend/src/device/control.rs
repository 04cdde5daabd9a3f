//! Settings that are a plain number or a choice from a list, one mechanism for all device kinds.
//!
//! They differ from driver to driver in range and meaning, so a device lists what it has with
//! range and names, and programs can show them without knowing each one.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A setting of a device. Switches are 0 (off) and 1 (on).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Control {
    /// Camera: amplification, in the driver's own units, or an index into names (ASCOM `Gain`/`Gains`,
    /// INDI `CCD_GAIN` or `CCD_CONTROLS`).
    Gain,
    /// Camera: bias level, in the driver's own units, or an index into names (ASCOM `Offset`/`Offsets`).
    Offset,
    /// Camera: share of the USB bandwidth to use, percent (INDI `CCD_CONTROLS.BandWidth`).
    UsbBandwidth,
    /// Camera: index into the names of readout modes (ASCOM `ReadoutMode`, INDI `READOUT_MODE`).
    ReadoutMode,
    /// Camera: switch, faster readout of lower quality (ASCOM `FastReadout`).
    FastReadout,
    /// Camera: length of the sub-exposures that the camera adds up, seconds (ASCOM `SubExposureDuration`).
    SubExposure,
    /// Camera: anti-dew heater power, in the driver's own units.
    DewHeater,
    /// Camera: fan power, in the driver's own units.
    Fan,
    /// Focuser: switch, follow the temperature (ASCOM `TempComp`).
    TemperatureCompensation,
    /// Focuser: switch, count the other way round (INDI `FOCUS_REVERSE_MOTION`).
    Reversed,
    /// Focuser: steps of play that the driver takes up, 0 for none (INDI `FOCUS_BACKLASH_STEPS`).
    Backlash,
    /// Focuser: speed, in the driver's own units (INDI `FOCUS_SPEED`).
    Speed,
    /// Focuser: largest position allowed (INDI `FOCUS_MAX`).
    MaxPosition,
    /// Mount: seconds to wait after a slew (ASCOM `SlewSettleTime`).
    SettleTime,
    /// Mount: switch, the mount corrects for refraction (ASCOM `DoesRefraction`).
    Refraction,
    /// Mount: index into the names of slew speeds (INDI `TELESCOPE_SLEW_RATE`).
    SlewRate,
}

/// Names for programs and command lines, in the order of [`Control`].
const NAMES: [(Control, &str); 16] = [
    (Control::Gain, "gain"),
    (Control::Offset, "offset"),
    (Control::UsbBandwidth, "usb-bandwidth"),
    (Control::ReadoutMode, "readout-mode"),
    (Control::FastReadout, "fast-readout"),
    (Control::SubExposure, "sub-exposure"),
    (Control::DewHeater, "dew-heater"),
    (Control::Fan, "fan"),
    (Control::TemperatureCompensation, "temperature-compensation"),
    (Control::Reversed, "reversed"),
    (Control::Backlash, "backlash"),
    (Control::Speed, "speed"),
    (Control::MaxPosition, "max-position"),
    (Control::SettleTime, "settle-time"),
    (Control::Refraction, "refraction"),
    (Control::SlewRate, "slew-rate"),
];

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(control, _)| control == self);
        f.pad(name.map_or("control", |(_, name)| name))
    }
}

impl FromStr for Control {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        known.map(|(control, _)| *control).ok_or_else(|| Error::not_found(format!("there is no control {text:?}")))
    }
}

/// A setting that a device has: its range, its names, and whether it can be changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlInfo {
    /// Which one.
    pub control: Control,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Smallest change, 0 when unknown or continuous.
    pub step: f64,
    /// Names of the values `min`, `min + 1` ...; empty when the value is a quantity.
    pub choices: Vec<String>,
    /// False when it can only be read.
    pub writable: bool,
}

impl ControlInfo {
    /// A number between two limits that can be set.
    pub fn range(control: Control, min: f64, max: f64, step: f64) -> Self {
        ControlInfo { control, min, max, step, choices: Vec::new(), writable: true }
    }

    /// A switch: 0 or 1.
    pub fn switch(control: Control) -> Self {
        ControlInfo::range(control, 0.0, 1.0, 1.0)
    }

    /// One of several names, by index from 0.
    pub fn choice(control: Control, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let choices: Vec<String> = names.into_iter().map(Into::into).collect();
        let max = choices.len().saturating_sub(1) as f64;
        ControlInfo { choices, ..ControlInfo::range(control, 0.0, max, 1.0) }
    }

    /// Refuses a value out of range, with the range, and any change of what can only be read.
    ///
    /// # Errors
    /// `InvalidValue` or `Unsupported`.
    pub fn check(&self, value: f64) -> Result<()> {
        if !self.writable {
            return Err(Error::unsupported(format!("{} can only be read", self.control)));
        }
        // Written so that NaN fails too.
        if !(self.min..=self.max).contains(&value) {
            return Err(Error::invalid(format!("{} {value} is not within {} to {}", self.control, self.min, self.max)));
        }
        Ok(())
    }
}

/// Finds a control in a device's list.
///
/// # Errors
/// `Unsupported` when it is not there.
pub fn find_control(controls: &[ControlInfo], control: Control) -> Result<&ControlInfo> {
    let found = controls.iter().find(|info| info.control == control);
    found.ok_or_else(|| Error::unsupported(format!("has no {control} control")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_control_is_found_by_its_name() {
        for (control, name) in NAMES {
            assert_eq!(control.to_string(), name);
            assert_eq!(name.parse::<Control>().unwrap(), control);
        }
    }

    #[test]
    fn out_of_range_names_the_range() {
        let gain = ControlInfo::range(Control::Gain, 0.0, 570.0, 1.0);
        assert!(gain.check(570.0).is_ok());
        assert_eq!(gain.check(571.0).unwrap_err().to_string(), "gain 571 is not within 0 to 570");
        assert!(gain.check(f64::NAN).is_err());
    }
}
