//! The chip's temperature: a cooler that pulls it down slowly, and the air that warms it up again.

use super::clock::Now;
use crate::{Celsius, Error, Result};
use std::ops::RangeInclusive;

/// Temperatures that can be asked for.
pub(super) const SET_POINTS: RangeInclusive<Celsius> = Celsius(-50.0)..=Celsius(30.0);

/// Warmth of the electronics around the chip.
const ELECTRONICS: f64 = 3.0;

/// Seconds after which two thirds of a difference are gone, cooled and left alone.
const COOLED: f64 = 30.0;
const ALONE: f64 = 150.0;

/// Degrees from the goal at which the cooler gives all it has.
const FULL_POWER: f64 = 10.0;

/// Degrees by which full power warms the heat sink.
const HEAT_SINK: f64 = 9.0;

/// The chip and its cooler.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chip {
    /// How far below the air it gets; `None` without a cooler.
    reach: Option<f64>,
    pub(super) on: bool,
    pub(super) set_point: Option<Celsius>,
    /// Temperature when the cooler was last told something.
    from: f64,
    since: f64,
}

impl Chip {
    /// As warm as what surrounds it.
    pub(super) fn new(cooling: Option<Celsius>, air: Celsius) -> Self {
        let reach = cooling.map(|reach| reach.0);
        Chip { reach, on: false, set_point: None, from: air.0 + ELECTRONICS, since: 0.0 }
    }

    pub(super) fn has_cooler(&self) -> bool {
        self.reach.is_some()
    }

    /// Temperature of the chip.
    pub(super) fn temperature(&self, air: Celsius, now: Now) -> Celsius {
        let goal = self.goal(air);
        let inertia = if self.on { COOLED } else { ALONE };
        Celsius(goal + (self.from - goal) * (-(now.seconds - self.since) / inertia).exp()).rounded()
    }

    /// Power of the cooler in percent.
    pub(super) fn power(&self, air: Celsius, now: Now) -> f64 {
        let Some(reach) = self.reach.filter(|_| self.on) else { return 0.0 };
        let chip = self.temperature(air, now).0;
        let power = (air.0 - chip) / reach + (chip - self.goal(air)) / FULL_POWER;
        (power.clamp(0.0, 1.0) * 1000.0).round() / 10.0
    }

    /// Temperature of the heat sink.
    pub(super) fn heat_sink(&self, air: Celsius, now: Now) -> Option<Celsius> {
        self.reach.map(|_| Celsius(air.0 + self.power(air, now) / 100.0 * HEAT_SINK).rounded())
    }

    /// Switches on to a temperature, or off.
    ///
    /// # Errors
    /// `Unsupported` without a cooler, `InvalidValue` beyond [`SET_POINTS`].
    pub(super) fn set(&mut self, set_point: Option<Celsius>, air: Celsius, now: Now) -> Result<()> {
        if self.reach.is_none() {
            return Err(Error::unsupported("has no cooler"));
        }
        if let Some(wanted) = set_point.filter(|wanted| !SET_POINTS.contains(wanted)) {
            let (low, high) = (SET_POINTS.start(), SET_POINTS.end());
            return Err(Error::invalid(format!("a temperature of {wanted} is not within {low} to {high}")));
        }
        (self.from, self.since) = (self.temperature(air, now).0, now.seconds);
        self.on = set_point.is_some();
        self.set_point = set_point.or(self.set_point);
        Ok(())
    }

    /// Switches off and forgets the temperature to reach, as a camera without power does.
    pub(super) fn switch_off(&mut self, air: Celsius, now: Now) {
        (self.from, self.since) = (self.temperature(air, now).0, now.seconds);
        (self.on, self.set_point) = (false, None);
    }

    /// Where the temperature is heading: a cooler cannot heat, and no cooler reaches everything.
    fn goal(&self, air: Celsius) -> f64 {
        let alone = air.0 + ELECTRONICS;
        match (self.on, self.reach, self.set_point) {
            (true, Some(reach), Some(wanted)) => wanted.0.clamp(air.0 - reach, alone),
            _ => alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Timestamp};

    const AIR: Celsius = Celsius(5.0);

    fn at(seconds: f64) -> Now {
        Now { seconds, world: seconds, utc: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn it_cools_slowly_at_full_power_and_holds_at_less() {
        let mut chip = Chip::new(Some(Celsius(35.0)), AIR);
        assert_eq!((chip.temperature(AIR, at(0.0)), chip.power(AIR, at(0.0))), (Celsius(8.0), 0.0));
        chip.set(Some(Celsius(-10.0)), AIR, at(10.0)).unwrap();
        assert_eq!(chip.temperature(AIR, at(10.0)), Celsius(8.0));
        assert_eq!(chip.power(AIR, at(10.0)), 100.0);
        assert!((-9.0..7.0).contains(&chip.temperature(AIR, at(25.0)).0));
        assert_eq!(chip.temperature(AIR, at(600.0)), Celsius(-10.0));
        assert!((40.0..46.0).contains(&chip.power(AIR, at(600.0))));
        chip.set(None, AIR, at(600.0)).unwrap();
        assert_eq!(chip.power(AIR, at(600.0)), 0.0);
        assert_eq!(chip.temperature(AIR, at(5000.0)), Celsius(8.0));
    }

    #[test]
    fn it_cannot_reach_everything_and_refuses_what_is_absurd() {
        let mut chip = Chip::new(Some(Celsius(35.0)), AIR);
        chip.set(Some(Celsius(-50.0)), AIR, at(0.0)).unwrap();
        assert_eq!((chip.temperature(AIR, at(900.0)), chip.power(AIR, at(900.0))), (Celsius(-30.0), 100.0));
        for absurd in [-273.25, 100.0, f64::NAN] {
            let error = chip.set(Some(Celsius(absurd)), AIR, at(900.0)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(error.to_string().contains("-50.0 °C"), "{error}");
        }
        let error = Chip::new(None, AIR).set(None, AIR, at(0.0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
