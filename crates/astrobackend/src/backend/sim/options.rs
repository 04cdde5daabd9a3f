//! The options of a `sim://` address, read and checked before a world is made.

use super::{
    faults::{self, Fault},
    scene::Band,
    sensor::SensorModel,
};
use crate::{
    Address, Degrees, Equinox, Error, Metres, Result, Site, Timestamp,
    device::{Alignment, Filter},
};
use std::{ops::RangeInclusive, str::FromStr, time::Duration};

/// The options there are, with what they want; the module documentation of `sim` explains them.
const OPTIONS: [(&str, &str); 26] = [
    ("seed", "a whole number"),
    ("speed", "a number from 0.1 to 100000"),
    ("clock", "\"now\" or a UTC time such as 2026-01-15T21:30:00Z"),
    ("site", "latitude,longitude,elevation such as 37.2236,-2.5463,2168"),
    ("aperture", "millimetres from 10 to 10000"),
    ("focal", "millimetres from 50 to 100000"),
    ("seeing", "arcseconds from 0.1 to 20"),
    ("sky", "magnitudes per square arcsecond from 14 to 23"),
    ("sensor", "one of the sensors"),
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
    ("faults", "a file of faults"),
    ("timeout", "seconds from 0.05 to 3600"),
    ("guard", "on or off"),
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
    pub(super) colour: bool,
    pub(super) bits: u8,
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
    pub(super) faults: Vec<Fault>,
    /// The longest that a call that hangs may take.
    pub(super) timeout: Duration,
    pub(super) guard: bool,
}

/// The filters of a wheel: name as given, band, and where its focus lies from that of luminance in steps.
const GLASSES: [(&[&str], Band, i32); 8] = [
    (&["l", "lum", "luminance", "clear"], Band::Luminance, 0),
    (&["r", "red"], Band::Red, 40),
    (&["g", "green"], Band::Green, -20),
    (&["b", "blue"], Band::Blue, -80),
    (&["ha", "h-alpha", "halpha"], Band::HAlpha, 100),
    (&["oiii", "o3"], Band::OIII, 60),
    (&["sii", "s2"], Band::SII, 120),
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
        let mut options = Options::usual()?;
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
            if name == "faults" {
                options.faults = faults::read(value).map_err(|error| {
                    let why = format!("the simulator's option {name:?} wants {wants}: {}", error.message());
                    Error::new(error.kind(), why).caused_by(error)
                })?;
                continue;
            }
            options.set(name, value).ok_or_else(|| {
                let sensors = || SensorModel::names().collect::<Vec<_>>().join(", ");
                let names = if name == "sensor" { format!(": {}", sensors()) } else { String::new() };
                Error::invalid(format!("the simulator's option {name:?} wants {wants}{names}, not {value:?}"))
            })?;
        }
        options.finish()
    }

    /// Puts together what several options say.
    fn finish(mut self) -> Result<Self> {
        if self.best_focus > self.focuser_steps {
            return Err(Error::invalid(format!(
                "the simulator's best focus {} lies beyond the focuser's {} steps",
                self.best_focus, self.focuser_steps
            )));
        }
        self.sensor = self.sensor.with_colour(self.colour).with_bits(self.bits)?;
        if !self.cooler {
            self.sensor.cooling = None;
        }
        Ok(self)
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
            "sensor" => self.sensor = SensorModel::find(value).ok()?,
            "camera" => self.colour = choice(value, &[("mono", false), ("osc", true)])?,
            "bits" => self.bits = choice(value, &[("8", 8), ("16", 16)])?,
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
            "timeout" => self.timeout = Duration::from_secs_f64(number(value, 0.05..=3600.0)?),
            "horizon" => self.horizon = Degrees(number(value, -90.0..=80.0)?),
            "guard" => self.guard = choice(value, &[("on", true), ("off", false)])?,
            _ => return None,
        }
        Some(())
    }
}

impl Options {
    /// A small refractor on Calar Alto, in a night in which the Orion nebula stands high.
    fn usual() -> Result<Self> {
        let names = "L,R,G,B,Ha,OIII,SII,Dark";
        Ok(Options {
            seed: 1,
            speed: 1.0,
            start: Timestamp::new(1_768_512_600, 0).ok(),
            site: Site { latitude: Degrees(37.2236), longitude: Degrees(-2.5463), elevation: Metres(2168.0) },
            aperture: Metres(0.106),
            focal_length: Metres(0.530),
            seeing: 2.5,
            sky: 20.5,
            sensor: SensorModel::find("imx533")?,
            colour: false,
            bits: 16,
            cooler: true,
            rotation: Degrees(0.0),
            guide_camera: false,
            filters: filters(names).unwrap_or_default(),
            best_focus: 25_000,
            focuser_steps: 60_000,
            backlash: 0,
            alignment: Alignment::GermanPolar,
            equinox: Equinox::OfDate,
            slew_rate: 8.0,
            settle: 1.0,
            horizon: Degrees(0.0),
            faults: Vec::new(),
            timeout: Duration::from_secs(15),
            guard: true,
        })
    }
}

/// A finite number within limits.
fn number(text: &str, range: RangeInclusive<f64>) -> Option<f64> {
    text.trim().parse().ok().filter(|value| range.contains(value))
}

/// A whole number within limits.
fn whole<T: FromStr + PartialOrd>(text: &str, range: RangeInclusive<T>) -> Option<T> {
    text.trim().parse().ok().filter(|value| range.contains(value))
}

fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| *value)
}

fn site(text: &str) -> Option<Site> {
    let mut parts = text.split(',');
    let (latitude, longitude) = (parts.next()?.trim().parse().ok()?, parts.next()?.trim().parse().ok()?);
    let elevation = parts.next().map_or(Some(0.0), |part| part.trim().parse().ok())?;
    let site = Site::new(Degrees(latitude), Degrees(longitude), Metres(elevation)).ok()?;
    parts.next().is_none().then_some(site)
}

fn filters(text: &str) -> Option<Vec<Glass>> {
    let glass = |name: &str| {
        let known = GLASSES.iter().find(|(names, ..)| names.contains(&name.to_ascii_lowercase().as_str()));
        known.map(|(_, band, focus_offset)| Glass {
            filter: Filter { name: name.to_owned(), focus_offset: *focus_offset },
            band: *band,
        })
    };
    text.split(',').map(|name| glass(name.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Options> {
        Options::read(&text.parse().unwrap())
    }

    #[test]
    fn the_usual_night_is_fixed() {
        let options = read("sim://").unwrap();
        assert_eq!(options.start.unwrap().to_string(), "2026-01-15T21:30:00Z");
        let names: Vec<_> = options.filters.iter().map(|glass| glass.filter.name.as_str()).collect();
        assert_eq!(names, ["L", "R", "G", "B", "Ha", "OIII", "SII", "Dark"]);
    }

    #[test]
    fn options_are_read_in_any_order() {
        let options = read("sim://?camera=osc&bits=8&sensor=imx455&cooler=off&clock=now&site=-30.2,289.3").unwrap();
        assert_eq!((options.sensor.width, options.sensor.bits, options.start), (9576, 8, None));
        assert!(options.sensor.colour != crate::device::Colour::Mono && options.sensor.cooling.is_none());
        assert!((options.site.longitude.0 + 70.7).abs() < 1e-9);
    }

    #[test]
    fn every_option_in_the_table_is_known_and_refuses_nonsense() {
        for (name, wants) in OPTIONS {
            let error = read(&format!("sim://?{name}=nonsense")).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(wants) && error.contains("nonsense"), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("sim://?sped=3", "no option \"sped\"; it has seed, speed"),
            ("sim://?speed=0", "from 0.1 to 100000"),
            ("sim://?speed=nan", "speed"),
            ("sim://?seed=1&seed=2", "twice"),
            ("sim://?sensor=imx1", "imx455"),
            ("sim://?filters=L,X", "filters"),
            ("sim://?site=91,0,0", "site"),
            ("sim://?focus=70000", "beyond"),
            ("sim://host", "host"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidValue);
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }
}
