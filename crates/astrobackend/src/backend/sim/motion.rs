//! How the axes of the simulated mount move, as a function of time that can be asked for any past moment.
//!
//! A motion is a chain of segments, each with constant speeds and at most one journey to a target laid over them.
//! Nothing is computed between two looks, and a picture taken a while ago still knows where the telescope pointed.

use crate::{AltAz, Degrees, Hours, device::PierSide};
use std::{collections::VecDeque, ops};

/// Turns of the sky in degrees per second of UTC.
pub(super) const SIDEREAL: f64 = 360.0 / 86_164.090_53;

/// The two axes of an equatorial mount, in degrees.
///
/// The secondary axis is the declination up to the pole; beyond it the tube looks over the pole (90 to 270),
/// with the counterweight on the other side. The primary axis is the hour angle as long as the tube
/// looks this side of the pole: 90 with the counterweight down, where both ways meet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Axes {
    pub(super) primary: f64,
    pub(super) secondary: f64,
}

impl Axes {
    /// Counterweight down, looking at the pole.
    pub(super) const HOME: Axes = Axes { primary: 90.0, secondary: 90.0 };

    /// The axes that point at a place from one side of the pier; a mount without sides never looks over the pole.
    pub(super) fn at(hour_angle: Hours, dec: Degrees, side: PierSide) -> Self {
        let angle = hour_angle.signed().degrees().0;
        match side {
            PierSide::West => Axes { primary: angle + 180.0, secondary: 180.0 - dec.0 },
            _ => Axes { primary: angle, secondary: dec.0 },
        }
    }

    /// True when the tube looks over the pole.
    pub(super) fn beyond_pole(self) -> bool {
        Degrees(self.secondary).signed().0.abs() > 90.0
    }

    /// Hour angle and declination of the place that the axes point at.
    pub(super) fn place(self) -> (Hours, Degrees) {
        let secondary = Degrees(self.secondary).signed().0;
        if secondary.abs() <= 90.0 {
            return (Degrees(self.primary).hours().signed(), Degrees(secondary));
        }
        (Degrees(self.primary + 180.0).hours().signed(), Degrees(180.0 - secondary).signed())
    }
}

impl ops::Add for Axes {
    type Output = Axes;
    fn add(self, other: Axes) -> Axes {
        Axes { primary: self.primary + other.primary, secondary: self.secondary + other.secondary }
    }
}

impl ops::Sub for Axes {
    type Output = Axes;
    fn sub(self, other: Axes) -> Axes {
        self + other * -1.0
    }
}

impl ops::Mul<f64> for Axes {
    type Output = Axes;
    fn mul(self, factor: f64) -> Axes {
        Axes { primary: self.primary * factor, secondary: self.secondary * factor }
    }
}

/// Altitude and azimuth of an hour angle and declination, without refraction.
pub(super) fn horizontal(hour_angle: Hours, dec: Degrees, latitude: Degrees) -> AltAz {
    let (sin_h, cos_h) = hour_angle.radians().sin_cos();
    let (sin_d, cos_d) = dec.radians().sin_cos();
    let (sin_l, cos_l) = latitude.radians().sin_cos();
    let up = sin_l * sin_d + cos_l * cos_d * cos_h;
    let north = sin_d * cos_l - cos_d * cos_h * sin_l;
    let east = -cos_d * sin_h;
    AltAz {
        alt: Degrees::from_radians(up.atan2(north.hypot(east))),
        az: Degrees::from_radians(east.atan2(north)).normalized(),
    }
}

/// Hour angle and declination of an altitude and azimuth: the same turn, which is its own inverse.
pub(super) fn equatorial(direction: AltAz, latitude: Degrees) -> (Hours, Degrees) {
    let turned = horizontal(direction.az.hours(), direction.alt, latitude);
    (turned.az.signed().hours(), turned.alt)
}

/// A journey of both axes, each speeding up, running and slowing down by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Journey {
    distance: Axes,
    speed: f64,
    /// Speed gained per second.
    acceleration: f64,
}

impl Journey {
    /// Over a distance, at most at a speed that is reached within a second.
    pub(super) fn new(distance: Axes, speed: f64) -> Self {
        Journey { distance, speed, acceleration: speed }
    }

    /// Seconds until both axes have arrived.
    pub(super) fn duration(&self) -> f64 {
        self.takes(self.distance.primary).max(self.takes(self.distance.secondary))
    }

    /// The way that lies behind after some seconds.
    fn made(&self, seconds: f64) -> Axes {
        Axes {
            primary: self.way(self.distance.primary, seconds),
            secondary: self.way(self.distance.secondary, seconds),
        }
    }

    fn takes(&self, distance: f64) -> f64 {
        let ramp = self.speed / self.acceleration;
        let long = distance.abs() >= self.speed * ramp;
        if long { distance.abs() / self.speed + ramp } else { 2.0 * (distance.abs() / self.acceleration).sqrt() }
    }

    fn way(&self, distance: f64, seconds: f64) -> f64 {
        let takes = self.takes(distance);
        if seconds >= takes {
            return distance;
        }
        let ramp = (self.speed / self.acceleration).min(takes / 2.0);
        let way = if seconds <= ramp {
            self.acceleration * seconds * seconds / 2.0
        } else if seconds < takes - ramp {
            self.acceleration * ramp * (seconds - ramp / 2.0)
        } else {
            distance.abs() - self.acceleration * (takes - seconds).powi(2) / 2.0
        };
        way.copysign(distance)
    }
}

/// Constant speeds since a moment, with a journey laid over them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) start: f64,
    pub(super) from: Axes,
    /// Degrees per second.
    pub(super) rates: Axes,
    /// A journey and when it began, which may be before this segment.
    pub(super) journey: Option<(Journey, f64)>,
    /// What has to be added to the mount's own belief to get where the tube really points.
    pub(super) misalignment: Axes,
}

impl Segment {
    /// Where the mount believes to be at a moment of this segment.
    pub(super) fn axes(&self, at: f64) -> Axes {
        let steady = self.from + self.rates * (at - self.start);
        match self.journey {
            Some((journey, began)) => steady + journey.made(at - began) - journey.made(self.start - began),
            None => steady,
        }
    }
}

/// Segments that are kept: guiding makes four in a second, so this is more than two hours.
const KEPT: usize = 32_768;

/// The motion up to now: the present segment and those before.
#[derive(Debug)]
pub(super) struct Motion {
    segments: VecDeque<Segment>,
    now: Segment,
}

impl Motion {
    /// Standing somewhere from the beginning on.
    pub(super) fn at(axes: Axes) -> Self {
        let now =
            Segment { start: 0.0, from: axes, rates: Axes::default(), journey: None, misalignment: Axes::default() };
        Motion { segments: VecDeque::new(), now }
    }

    /// The present segment.
    pub(super) fn now(&self) -> &Segment {
        &self.now
    }

    /// Goes on with another segment, which begins not before the present one.
    pub(super) fn then(&mut self, next: Segment) {
        if next.start > self.now.start {
            if self.segments.len() == KEPT {
                self.segments.pop_front();
            }
            self.segments.push_back(self.now);
        }
        self.now = next;
    }

    /// Where the tube really pointed at a moment; before what is remembered, the oldest place.
    pub(super) fn truth(&self, at: f64) -> Axes {
        let after = self.segments.partition_point(|segment| segment.start <= at);
        let segment = match (at >= self.now.start, after.checked_sub(1)) {
            (true, _) => &self.now,
            (false, Some(index)) => self.segments.get(index).unwrap_or(&self.now),
            (false, None) => self.segments.front().unwrap_or(&self.now),
        };
        segment.axes(at.max(segment.start)) + segment.misalignment
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn axes_point_where_they_were_sent(angle in -11.99f64..11.99, dec in -89.0f64..89.0, west: bool) {
            let side = if west { PierSide::West } else { PierSide::East };
            let axes = Axes::at(Hours(angle), Degrees(dec), side);
            let (back, dec_back) = axes.place();
            prop_assert!((back - Hours(angle)).signed().0.abs() < 1e-9 && (dec_back.0 - dec).abs() < 1e-9);
            prop_assert_eq!(axes.beyond_pole(), west);
        }

        #[test]
        fn the_horizon_and_back(angle in -11.9f64..11.9, dec in -89.0f64..89.0, latitude in -80.0f64..80.0) {
            let seen = horizontal(Hours(angle), Degrees(dec), Degrees(latitude));
            let (back, dec_back) = equatorial(seen, Degrees(latitude));
            prop_assert!((back - Hours(angle)).signed().0.abs() < 1e-6, "{:?}", back);
            prop_assert!((dec_back.0 - dec).abs() < 1e-6);
        }

        #[test]
        fn a_journey_never_turns_back_and_arrives(distance in -200.0f64..200.0, speed in 0.1f64..50.0) {
            let journey = Journey::new(Axes { primary: distance, secondary: 0.0 }, speed);
            let mut last = 0.0;
            for step in 0..=100 {
                let way = journey.made(journey.duration() * f64::from(step) / 100.0).primary.abs();
                prop_assert!(way >= last - 1e-9);
                last = way;
            }
            prop_assert!((last - distance.abs()).abs() < 1e-9);
        }
    }

    #[test]
    fn the_past_is_remembered_across_segments() {
        let mut motion = Motion::at(Axes::default());
        let rates = Axes { primary: 1.0, secondary: 0.0 };
        let journey = Journey::new(Axes { primary: 0.0, secondary: 10.0 }, 5.0);
        let first = Segment { start: 10.0, rates, journey: Some((journey, 10.0)), ..*motion.now() };
        motion.then(first);
        // Speeds change while the journey goes on: it must not jump.
        let second = Segment { start: 11.0, from: first.axes(11.0), rates: Axes::default(), ..first };
        motion.then(second);
        assert_eq!(motion.truth(5.0), Axes::default());
        assert_eq!(motion.truth(10.5).primary, 0.5);
        assert!((motion.truth(20.0) - Axes { primary: 1.0, secondary: 10.0 }).secondary.abs() < 1e-9);
        assert_eq!(motion.truth(20.0).primary, 1.0);
    }
}
