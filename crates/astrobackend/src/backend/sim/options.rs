//! The options of a `sim://` address, read and checked before a world is made.

use super::{scene::Band, sensor::SensorModel};
use crate::{
    Address, Degrees, Equinox, Error, Metres, Result, Site, Timestamp,
    device::{Alignment, BayerPattern, Colour, Filter},
};
use std::{ops::RangeInclusive, str::FromStr};

/// The options there are, with what they want; the module documentation of `sim` explains them.
const OPTIONS: [(&str, &str); 23] = [
    ("seed", "a whole number"),
    ("speed", "a number from 0.1 to 100000"),
    ("clock", "\"now\" or a UTC time such as 2026-01-15T21:30:00Z"),
    ("site", "latitude,longitude,elevation such as 37.2236,-2.5463,2168"),
    ("aperture", "millimetres from 10 to 10000"),
    ("focal", "millimetres from 50 to 100000"),
    ("seeing", "arcseconds from 0.1 to 20"),
    ("sky", "magnitudes per square arcsecond from 14 to 23"),
    ("sensor", "the name of a sensor"),
    ("camera", "mono or osc"),
    ("bits", "8 or 16"),
    ("cooler", "on or off"),
    ("rotation", "degrees from -360 to 360"),
    ("cameras", "1 or 2"),
    ("filters", "names from L, R, G, B, Ha, OIII, SII, Dark, with commas"),
    ("focus", "steps from 0 to 1000000"),
    ("steps", "steps from 1000 to 1000000"),
    ("backlash", "steps from 0 to 10000"),
    ("mount", "german or fork"),
    ("equinox", "jnow or j2000"),
    ("slew", "degrees per second from 0.1 to 100"),
    ("settle", "seconds from 0 to 60"),
    ("horizon", "degrees from -90 to 80"),
];

/// A filter of the wheel: what people call it and what it lets through.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Glass {
    pub(super) filter: Filter,
    pub(super) band: Band,
}

/// Everything that a world is made from.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) seed: u64,
    pub(super) speed: f64,
    /// `None` follows the real clock.
    pub(super) start: Option<Timestamp>,
    pub(super) site: Site,
    pub(super) aperture: Metres,
    pub(super) focal_length: Metres,
    pub(super) seeing: f64,
    pub(super) sky: f64,
    pub(super) sensor: SensorModel,
    pub(super) cooler: bool,
    pub(super) rotation: Degrees,
    pub(super) guide_camera: bool,
    pub(super) filters: Vec<Glass>,
    pub(super) best_focus: i32,
    pub(super) focuser_steps: i32,
    pub(super) backlash: i32,
    pub(super) alignment: Alignment,
    pub(super) equinox: Equinox,
    pub(super) slew_rate: f64,
    pub(super) settle: f64,
    pub(super) horizon: Degrees,
}

/// The filters of a wheel: name as given, band, and where its focus lies from that of luminance in steps.
const GLASSES: [(&[&str], Band, i32); 8] = [
    (&["l", "lum", "luminance", "clear"], Band::Luminance, 0),
    (&["r", "red"], Band::Red, 10),
    (&["g", "green"], Band::Green, -5),
    (&["b", "blue"], Band::Blue, -20),
    (&["ha", "h-alpha", "halpha"], Band::HAlpha, 25),
    (&["oiii", "o3"], Band::OIII, 15),
    (&["sii", "s2"], Band::SII, 30),
    (&["dark", "opaque"], Band::Opaque, 0),
];

impl Options {
    /// Reads an address.
    ///
    /// # Errors
    /// `InvalidValue` for an unknown option, with those there are, and for a value that one cannot take.
    pub(super) fn read(address: &Address) -> Result<Self> {
        if let Some(host) = address.host() {
            return Err(Error::invalid(format!(
                "{address} names a host, {host:?}, but the simulator is built in: write sim://?seed=7"
            )));
        }
        let mut options = Options::default();
        for (n, (name, value)) in address.options().iter().enumerate() {
            let Some((_, wants)) = OPTIONS.iter().find(|(known, _)| known == name) else {
                let known: Vec<_> = OPTIONS.iter().map(|(known, _)| *known).collect();
                return Err(Error::invalid(format!(
                    "the simulator has no option {name:?}; it has {}",
                    known.join(", ")
                )));
            };
            if address.options().iter().take(n).any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid(format!("the simulator's option {name:?} is given twice")));
            }
            options.set(name, value).ok_or_else(|| {
                let wants = if name == "sensor" { one_of_the_sensors() } else { (*wants).to_owned() };
                Error::invalid(format!("the simulator's option {name:?} wants {wants}, not {value:?}"))
            })?;
        }
        options.fit(address)
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "seed" => self.seed = value.parse().ok()?,
            "speed" => self.speed = number(value, 0.1..=1e5)?,
            "clock" if value == "now" => self.start = None,
            "clock" => self.start = Some(value.parse().ok()?),
            "site" => self.site = site(value)?,
            "aperture" => self.aperture = Metres(number(value, 10.0..=1e4)? / 1000.0),
            "focal" => self.focal_length = Metres(number(value, 50.0..=1e5)? / 1000.0),
            "seeing" => self.seeing = number(value, 0.1..=20.0)?,
            "sky" => self.sky = number(value, 14.0..=23.0)?,
            "cooler" => self.cooler = choice(value, &[("on", true), ("off", false)])?,
            "rotation" => self.rotation = Degrees(number(value, -360.0..=360.0)?),
            "cameras" => self.guide_camera = choice(value, &[("1", false), ("2", true)])?,
            "filters" => self.filters = filters(value)?,
            "focus" => self.best_focus = whole(value, 0..=1_000_000)?,
            "steps" => self.focuser_steps = whole(value, 1000..=1_000_000)?,
            "backlash" => self.backlash = whole(value, 0..=10_000)?,
            "mount" => {
                self.alignment = choice(value, &[("german", Alignment::GermanPolar), ("fork", Alignment::Polar)])?;
            }
            "equinox" => self.equinox = choice(value, &[("jnow", Equinox::OfDate), ("j2000", Equinox::J2000)])?,
            "slew" => self.slew_rate = number(value, 0.1..=100.0)?,
            "settle" => self.settle = number(value, 0.0..=60.0)?,
            "horizon" => self.horizon = Degrees(number(value, -90.0..=80.0)?),
            _ => return self.set_sensor(name, value),
        }
        Some(())
    }
}
