//! What can go wrong in a simulated observatory: faults, when they strike, and how long they last.
//!
//! A [`Fault`] names a device, what happens to it, and when: at a time of the night, at a call, at an exposure, or
//! while the device does something. Faults come from a file (`sim://?faults=FILE`) or from a program
//! ([`Sim::inject`](super::Sim::inject)); `docs/faults.md` has the file with examples.
//!
//! ```
//! use astrobackend::{ErrorKind, backend::sim::{Fault, Sim, What}, device::{CameraExt, Exposure}, Wait};
//! use std::time::Duration;
//! # fn main() -> astrobackend::Result<()> {
//! let observatory = astrobackend::open("sim://?sensor=generic&speed=100")?;
//! Sim::of(&*observatory)?.inject(Fault::new("camera", What::Throw("the shutter is stuck".into())).on_exposure(2))?;
//! let camera = observatory.camera()?;
//! camera.connect()?;
//! let (exposure, wait) = (Exposure::light(Duration::from_secs(1)), Wait::new(Duration::from_secs(30)));
//! camera.expose(exposure, &wait)?;
//! assert_eq!(camera.expose(exposure, &wait).unwrap_err().kind(), ErrorKind::Device(0));
//! camera.expose(exposure, &wait)?;
//! # Ok(()) }
//! ```

mod engine;
mod file;
mod patient;
mod spoil;

pub(super) use engine::{Engine, Struck, Verdict};
#[cfg(test)]
pub(super) use file::parse;
pub(super) use file::read;

use crate::device::DeviceKind;
use std::{fmt, str::FromStr, time::Duration};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A call does not come back: it ends with `Timeout` after the simulator's `timeout`.
    Hang,
    /// A call comes back that much later, in seconds of the night.
    Late(Duration),
    /// A call fails with `Device`, for this reason.
    Throw(String),
    /// The link to the device is down: calls fail with `Unreachable`.
    LoseLink,
    /// The device was without power: not connected, nothing going on, all settings as they were at first.
    PowerCycle,
    /// The camera's settings are lost and its frames black, until it is connected anew.
    UsbReset,
    /// The exposure does not end.
    EndlessExposure,
    /// Reading the chip stops half way.
    StallReadout,
    /// The exposure fails, for this reason.
    FailExposure(String),
    /// The frame is all zeros.
    BlackFrame,
    /// The frame is the one before once more.
    DuplicateFrame,
    /// The frame is half as high as it should be.
    WrongSize,
    /// The lower half of the frame is missing: zeros.
    MissingTail,
    /// What moves stands still and goes on saying that it moves: a focuser and a mount at once, a wheel between two
    /// places.
    Stick,
    /// The device's own clock is that many seconds ahead from now on; those of cameras and mounts can be seen.
    ClockJump(f64),
    /// The cooler is off when the camera is connected anew, or its link comes back.
    CoolerOff,
}

impl What {
    /// True for what happens to single calls.
    fn is_of_calls(&self) -> bool {
        matches!(self, What::Hang | What::Late(_) | What::Throw(_))
    }

    /// True for what happens to single frames.
    fn is_of_frames(&self) -> bool {
        matches!(self, What::BlackFrame | What::DuplicateFrame | What::WrongSize | What::MissingTail)
    }

    /// True for what happens to single exposures.
    fn is_of_exposures(&self) -> bool {
        matches!(self, What::EndlessExposure | What::StallReadout | What::FailExposure(_))
    }

    /// True for what only a camera can suffer.
    fn is_of_cameras(&self) -> bool {
        self.is_of_frames() || self.is_of_exposures() || matches!(self, What::UsbReset | What::CoolerOff)
    }

    /// True for what is a moment, not a time.
    fn is_momentary(&self) -> bool {
        matches!(self, What::PowerCycle | What::ClockJump(_) | What::FailExposure(_))
    }
}

/// The name in the file: `black-frame`.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            What::Hang => "hang",
            What::Late(_) => "late",
            What::Throw(_) => "throw",
            What::LoseLink => "lose-link",
            What::PowerCycle => "power-cycle",
            What::UsbReset => "usb-reset",
            What::EndlessExposure => "endless-exposure",
            What::StallReadout => "stall-readout",
            What::FailExposure(_) => "fail-exposure",
            What::BlackFrame => "black-frame",
            What::DuplicateFrame => "duplicate-frame",
            What::WrongSize => "wrong-size",
            What::MissingTail => "missing-tail",
            What::Stick => "stick",
            What::ClockJump(_) => "clock-jump",
            What::CoolerOff => "cooler-off",
        })
    }
}

/// What a device is doing, as a condition for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// A camera collects light.
    Exposing,
    /// A camera's chip is read.
    Reading,
    /// A focuser or a wheel moves.
    Moving,
    /// A mount slews, parks, or is driven by hand.
    Slewing,
    /// A mount, or a camera's guide port, gives a guide pulse.
    Guiding,
}

impl FromStr for Doing {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "exposing" => Ok(Doing::Exposing),
            "reading" => Ok(Doing::Reading),
            "moving" => Ok(Doing::Moving),
            "slewing" => Ok(Doing::Slewing),
            "guiding" => Ok(Doing::Guiding),
            _ => Err(()),
        }
    }
}

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq)]
enum When {
    /// So many seconds after the night began.
    At(f64),
    /// At the so-manieth call of a method, or of any.
    Call { name: Option<String>, nth: u64 },
    /// With the so-manieth exposure.
    Exposure(u64),
    /// When a call finds the device doing this.
    During(Doing),
}

/// Something that goes wrong with a device, at some time, for some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    device: String,
    what: What,
    when: When,
    every: Option<f64>,
    lasts: Option<Duration>,
    times: Option<u32>,
    chance: f64,
}

impl Fault {
    /// From the beginning of the night on; what happens to calls, frames and exposures happens to the first one.
    ///
    /// `device` is a kind (`camera`, `focuser` ...), the name of a device, or `all`.
    pub fn new(device: impl Into<String>, what: What) -> Self {
        Fault { device: device.into(), what, when: When::At(0.0), every: None, lasts: None, times: None, chance: 1.0 }
    }

    /// At a time after the night began.
    #[must_use]
    pub fn at(mut self, time: Duration) -> Self {
        self.when = When::At(time.as_secs_f64());
        self
    }

    /// At the `nth` call of a method (1 is the first), named as in the contract: `state`, `start_exposure`, `image` ...
    /// `any` stands for all.
    #[must_use]
    pub fn on_call(mut self, name: impl Into<String>, nth: u64) -> Self {
        self.when = When::Call { name: Some(name.into()).filter(|name| name != "any"), nth };
        self
    }

    /// With the `nth` exposure (1 is the first); only for cameras.
    #[must_use]
    pub fn on_exposure(mut self, nth: u64) -> Self {
        self.when = When::Exposure(nth);
        self
    }

    /// When a call finds the device doing this.
    #[must_use]
    pub fn during(mut self, doing: Doing) -> Self {
        self.when = When::During(doing);
        self
    }

    /// Again and again: every so many seconds after the first time, or so many calls, or so many exposures.
    #[must_use]
    pub fn every(mut self, step: f64) -> Self {
        self.every = Some(step);
        self
    }

    /// Lasts so long, in time of the night. What can last goes on until its device is disconnected and connected again
    /// if this is not said.
    #[must_use]
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    /// Strikes so many calls, frames or exposures, and is over then; one, if nothing is said.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Strikes with this probability, 0 to 1, when it could; the observatory's seed throws the dice.
    #[must_use]
    pub fn chance(mut self, chance: f64) -> Self {
        self.chance = chance;
        self
    }

    /// What is wrong with it in itself.
    fn check(&self) -> Result<(), String> {
        let what = &self.what;
        let finite = |value: f64| value.is_finite() && value >= 0.0;
        let steps = match self.when {
            When::At(_) => self.every.is_none_or(|step| finite(step) && step > 0.0),
            When::Call { .. } | When::Exposure(_) => self.every.is_none_or(|step| step >= 1.0 && step.fract() == 0.0),
            When::During(_) => self.every.is_none(),
        };
        let singles = what.is_of_calls() || what.is_of_frames() || what.is_of_exposures();
        let on_exposure_of_others = matches!(self.when, When::Exposure(_)) && !self.may_be_camera();
        let problem = match () {
            () if !(0.0..=1.0).contains(&self.chance) => "a chance is from 0 to 1".into(),
            () if matches!(self.when, When::At(at) if !finite(at)) => "a time is 0 or more seconds".into(),
            () if !steps => "every is a positive time, or a whole number of calls or exposures".into(),
            () if matches!(self.when, When::Call { nth: 0, .. } | When::Exposure(0)) => "counts begin with 1".into(),
            () if self.times == Some(0) => "times is 1 or more".into(),
            () if self.times.is_some() && !singles => format!("{what} does not happen to single calls or frames"),
            () if self.lasts.is_some() && what.is_momentary() => format!("{what} lasts for no time"),
            () if what.is_of_cameras() && !self.may_be_camera() => format!("{what} happens to cameras only"),
            () if on_exposure_of_others => "only cameras have exposures".into(),
            () if matches!(what, What::ClockJump(by) if !by.is_finite() || by.abs() > 1e9) => {
                "a clock jumps by at most 1e9 seconds".into()
            }
            () => return Ok(()),
        };
        Err(problem)
    }

    fn may_be_camera(&self) -> bool {
        // A name may be any device's.
        self.device.parse().map_or(true, |kind: DeviceKind| kind == DeviceKind::Camera)
    }
}
