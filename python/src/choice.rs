//! The enumerations of `astrobackend.enums`, and which value of the library each member is.

use crate::error::Invalid;
use astrobackend::{
    Equinox,
    backend::indi::properties,
    device::{Alignment, Axis, Control, DeviceKind, FrameType, GuideDirection, PierSide, TrackingRate},
    event::Level,
    guard,
};
use pyo3::{prelude::*, sync::PyOnceLock, types::PyString};

/// A value of the library that is a member of a Python enumeration.
pub(crate) trait Choice: Sized + Copy + PartialEq + 'static {
    /// The name of the enumeration.
    const CLASS: &'static str;
    /// Each value and the name of its member.
    const MEMBERS: &'static [(Self, &'static str)];

    /// The members in the order of `MEMBERS`, once they were looked up.
    fn cache() -> &'static PyOnceLock<Vec<Py<PyAny>>>;

    /// The members in the order of `MEMBERS`.
    fn all(py: Python<'_>) -> PyResult<&'static [Py<PyAny>]> {
        let members = Self::cache().get_or_try_init(py, || {
            let class = py.import("astrobackend.enums")?.getattr(Self::CLASS)?;
            Self::MEMBERS.iter().map(|(_, name)| class.getattr(*name).map(Bound::unbind)).collect::<PyResult<_>>()
        })?;
        Ok(members)
    }

    /// The member for this value.
    fn member(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let index = Self::MEMBERS.iter().position(|(value, _)| *value == self).unwrap_or(0);
        Ok(Self::all(py)?[index].bind(py).clone())
    }

    /// The value of a member, of what equals one, or of its name or word in any casing.
    fn of(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let text = value.cast::<PyString>().ok().map(|text| text.to_string_lossy().to_lowercase());
        for (member, (choice, name)) in Self::all(py)?.iter().zip(Self::MEMBERS) {
            let member = member.bind(py);
            let named = || text.as_ref().is_some_and(|text| *text == name.to_lowercase());
            let word = || match (&text, member.cast::<PyString>()) {
                (Some(text), Ok(word)) => *text == word.to_string_lossy().to_lowercase(),
                _ => false,
            };
            if member.eq(value)? || named() || word() {
                return Ok(*choice);
            }
        }
        let names: Vec<_> = Self::MEMBERS.iter().map(|(_, name)| *name).collect();
        Err(Invalid(format!("{} is no {}; there are {}", value.repr()?, Self::CLASS, names.join(", "))).into())
    }
}

macro_rules! choices {
    ($($type:ty as $class:literal { $($value:ident = $name:literal),* $(,)? })*) => {$(
        impl Choice for $type {
            const CLASS: &'static str = $class;
            const MEMBERS: &'static [(Self, &'static str)] = &[$((<$type>::$value, $name)),*];

            fn cache() -> &'static PyOnceLock<Vec<Py<PyAny>>> {
                static CACHE: PyOnceLock<Vec<Py<PyAny>>> = PyOnceLock::new();
                &CACHE
            }
        }
    )*};
}

/// What a camera is doing, without the figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CameraStatus {
    Unknown,
    Idle,
    Waiting,
    Exposing,
    Reading,
    Downloading,
    Error,
}

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Added,
    Removed,
    Connected,
    State,
    Message,
    Link,
    Frame,
    Restored,
    Lagged,
}

/// What a frame guard thinks of a picture, without the reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Ok,
    Suspect,
    Bad,
}

impl From<&guard::Verdict> for Verdict {
    fn from(verdict: &guard::Verdict) -> Self {
        match verdict {
            guard::Verdict::Ok => Verdict::Ok,
            guard::Verdict::Suspect(_) => Verdict::Suspect,
            guard::Verdict::Bad(_) => Verdict::Bad,
        }
    }
}

/// Whether a link is up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LinkStatus {
    Up,
    Lost,
    Restoring,
}

choices! {
    DeviceKind as "DeviceKind" {
        Camera = "CAMERA", FilterWheel = "FILTER_WHEEL", Focuser = "FOCUSER", Mount = "MOUNT",
    }
    CameraStatus as "CameraStatus" {
        Unknown = "UNKNOWN", Idle = "IDLE", Waiting = "WAITING", Exposing = "EXPOSING", Reading = "READING",
        Downloading = "DOWNLOADING", Error = "ERROR",
    }
    FrameType as "FrameType" { Light = "LIGHT", Dark = "DARK", Bias = "BIAS", Flat = "FLAT" }
    Control as "Control" {
        Gain = "GAIN", Offset = "OFFSET", UsbBandwidth = "USB_BANDWIDTH", ReadoutMode = "READOUT_MODE",
        FastReadout = "FAST_READOUT", SubExposure = "SUB_EXPOSURE", DewHeater = "DEW_HEATER", Fan = "FAN",
        TemperatureCompensation = "TEMPERATURE_COMPENSATION", Reversed = "REVERSED", Backlash = "BACKLASH",
        Speed = "SPEED", MaxPosition = "MAX_POSITION", SettleTime = "SETTLE_TIME", Refraction = "REFRACTION",
        SlewRate = "SLEW_RATE",
    }
    GuideDirection as "GuideDirection" { North = "NORTH", South = "SOUTH", East = "EAST", West = "WEST" }
    PierSide as "PierSide" { East = "EAST", West = "WEST", Unknown = "UNKNOWN" }
    Equinox as "Equinox" { J2000 = "J2000", OfDate = "OF_DATE", J2050 = "J2050", B1950 = "B1950", Other = "OTHER" }
    Alignment as "Alignment" { AltAz = "ALT_AZ", Polar = "POLAR", GermanPolar = "GERMAN_POLAR" }
    Axis as "Axis" { Primary = "PRIMARY", Secondary = "SECONDARY", Tertiary = "TERTIARY" }
    TrackingRate as "TrackingRate" { Sidereal = "SIDEREAL", Lunar = "LUNAR", Solar = "SOLAR", King = "KING" }
    Kind as "EventKind" {
        Added = "ADDED", Removed = "REMOVED", Connected = "CONNECTED", State = "STATE", Message = "MESSAGE",
        Link = "LINK", Frame = "FRAME", Restored = "RESTORED", Lagged = "LAGGED",
    }
    Verdict as "Verdict" { Ok = "OK", Suspect = "SUSPECT", Bad = "BAD" }
    Level as "Level" { Info = "INFO", Warning = "WARNING", Error = "ERROR" }
    LinkStatus as "LinkStatus" { Up = "UP", Lost = "LOST", Restoring = "RESTORING" }
    properties::Kind as "PropertyKind" {
        Text = "TEXT", Number = "NUMBER", Switch = "SWITCH", Light = "LIGHT", Blob = "BLOB",
    }
    properties::State as "PropertyState" { Idle = "IDLE", Ok = "OK", Busy = "BUSY", Alert = "ALERT" }
}
