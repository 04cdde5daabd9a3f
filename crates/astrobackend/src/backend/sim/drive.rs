//! The motors of the simulated mount: slews, tracking, guide pulses, axes driven by hand, and where they must stop.
//!
//! It knows hour angles, not stars: site, clock and equinox are the business of [`mount`](super::mount).

use super::motion::{Axes, Journey, Motion, SIDEREAL, Segment, horizontal};
use crate::{
    Degrees, Hours,
    device::{Alignment, PierSide, Tracking, TrackingRate},
};

/// How far past the meridian the counterweight may rise, degrees.
const PAST_MERIDIAN: f64 = 45.0;

/// Longest time between two looks at the limits, seconds.
const LOOK: f64 = 3600.0;

/// What a journey is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Errand {
    Slew,
    Park,
    Home,
}

#[derive(Clone, Copy, Debug)]
struct Task {
    errand: Errand,
    journey: Journey,
    to: Axes,
    began: f64,
    /// Arrived and settled.
    ends: f64,
}

#[derive(Clone, Copy, Debug)]
struct Pulse {
    /// Degrees per second on the sky, towards east or north.
    rate: f64,
    ends: f64,
}

/// The motors and what they are doing.
#[derive(Debug)]
pub(super) struct Drive {
    motion: Motion,
    misalignment: Axes,
    german: bool,
    /// Largest speed, degrees per second.
    speed: f64,
    /// Latitude that the mount believes in.
    pub(super) latitude: Degrees,
    /// Lowest altitude.
    pub(super) horizon: Degrees,
    pub(super) tracking: Tracking,
    /// Speeds by hand, degrees per second towards growing right ascension and declination.
    by_hand: [f64; 2],
    pulses: [Option<Pulse>; 2],
    task: Option<Task>,
    pub(super) parked: bool,
    pub(super) park_place: Axes,
    /// The limits were kept up to this moment.
    checked: f64,
}

impl Drive {
    /// Stands at home and tracks.
    pub(super) fn new(alignment: Alignment, speed: f64, latitude: Degrees, horizon: Degrees) -> Self {
        let mut drive = Drive {
            motion: Motion::at(Axes::HOME),
            misalignment: Axes::default(),
            german: alignment == Alignment::GermanPolar,
            speed,
            latitude,
            horizon,
            tracking: Tracking::SIDEREAL,
            by_hand: [0.0; 2],
            pulses: [None; 2],
            task: None,
            parked: false,
            park_place: Axes::HOME,
            checked: 0.0,
        };
        drive.steer(0.0);
        drive
    }

    /// Where the mount believes to be.
    pub(super) fn axes(&self, at: f64) -> Axes {
        self.motion.now().axes(at)
    }

    /// Where the tube really points, also in the past.
    pub(super) fn truth(&self, at: f64) -> Axes {
        self.motion.truth(at)
    }

    pub(super) fn is_slewing(&self) -> bool {
        self.task.is_some() || self.by_hand != [0.0; 2]
    }

    pub(super) fn is_pulsing(&self) -> bool {
        self.pulses.iter().any(Option::is_some)
    }

    pub(super) fn is_home(&self, at: f64) -> bool {
        let off = self.axes(at) - Axes::HOME;
        let still = !self.is_slewing() && !self.is_pulsing() && !self.tracking.on;
        still && off.primary.abs().max(off.secondary.abs()) < 1e-6
    }

    /// The pointing state of some axes.
    pub(super) fn side(&self, axes: Axes) -> PierSide {
        match (self.german, axes.beyond_pole()) {
            (false, _) => PierSide::Unknown,
            (true, true) => PierSide::West,
            (true, false) => PierSide::East,
        }
    }

    /// The pointing state in which a slew to an hour angle ends.
    pub(super) fn destination_side(&self, hour_angle: Hours) -> PierSide {
        if self.german { PierSide::for_hour_angle(hour_angle) } else { PierSide::Unknown }
    }

    /// True when the axes may be there: above the horizon, the counterweight not too high.
    pub(super) fn may_be_at(&self, axes: Axes) -> bool {
        self.margin(axes) >= 0.0
    }

    /// Degrees to the nearest limit, negative beyond it.
    fn margin(&self, axes: Axes) -> f64 {
        let (hour_angle, dec) = axes.place();
        let height = horizontal(hour_angle, dec, self.latitude).alt.0 - self.horizon.0;
        if !self.german {
            return height;
        }
        height.min(axes.primary + PAST_MERIDIAN).min(180.0 + PAST_MERIDIAN - axes.primary)
    }

    /// Lets everything happen that was to happen until now.
    pub(super) fn catch_up(&mut self, now: f64) {
        loop {
            let pulses = self.pulses.iter().flatten().map(|pulse| pulse.ends);
            let next = pulses.chain(self.task.map(|task| task.ends)).fold(f64::INFINITY, f64::min);
            if next > now {
                break;
            }
            self.keep_limits(next);
            for pulse in &mut self.pulses {
                *pulse = pulse.filter(|pulse| pulse.ends > next);
            }
            if let Some(task) = self.task.filter(|task| task.ends <= next) {
                self.parked |= task.errand == Errand::Park;
                self.task = None;
            }
            self.steer(next);
        }
        self.keep_limits(now);
    }

    /// Sends the axes to a place that moves on with the tracking; busy until `settle` seconds after they arrived.
    pub(super) fn go(&mut self, errand: Errand, to: Axes, settle: f64, now: f64) {
        self.halt(now);
        if errand != Errand::Slew {
            self.tracking.on = false;
        }
        let journey = Journey::new(to - self.axes(now), self.speed);
        self.task = Some(Task { errand, journey, to, began: now, ends: now + journey.duration() + settle });
        self.steer(now);
    }

    /// The way that tracking makes during a slew to a place: to arrive there, start for so much less.
    pub(super) fn lead(&self, to: Axes, settle: f64, now: f64) -> Axes {
        let time = Journey::new(to - self.axes(now), self.speed).duration() + settle;
        self.rates(to.beyond_pole()) * time
    }

    /// Ends every motion but tracking.
    pub(super) fn halt(&mut self, now: f64) {
        self.task = None;
        self.by_hand = [0.0; 2];
        self.pulses = [None; 2];
        self.steer(now);
    }

    /// Changes how it follows the sky, from now on.
    pub(super) fn track(&mut self, tracking: Tracking, now: f64) {
        self.tracking = tracking;
        self.steer(now);
    }

    /// Drives one axis by hand, degrees per second; 0 gives it back to the tracking.
    pub(super) fn by_hand(&mut self, axis: usize, rate: f64, now: f64) {
        if rate != 0.0 {
            self.task = None;
            self.pulses = [None; 2];
        }
        if let Some(speed) = self.by_hand.get_mut(axis) {
            *speed = rate;
        }
        self.steer(now);
    }

    /// Adds a speed on the sky, degrees per second towards east (axis 0) or north (1), for a while.
    pub(super) fn pulse(&mut self, axis: usize, rate: f64, seconds: f64, now: f64) {
        if let Some(pulse) = self.pulses.get_mut(axis) {
            *pulse = Some(Pulse { rate, ends: now + seconds });
        }
        self.steer(now);
    }

    /// From now on believes to be at these axes; the tube does not move.
    pub(super) fn believe(&mut self, axes: Axes, now: f64) {
        self.misalignment = self.misalignment + self.axes(now) - axes;
        self.motion.then(Segment { start: now, from: axes, ..*self.motion.now() });
        self.steer(now);
    }

    /// Begins a new segment with the speeds as they are now.
    fn steer(&mut self, at: f64) {
        let from = self.axes(at);
        let beyond = self.task.map_or(from, |task| task.to).beyond_pole();
        let rates = if self.parked { Axes::default() } else { self.rates(beyond) };
        let journey = self.task.map(|task| (task.journey, task.began));
        self.motion.then(Segment { start: at, from, rates, journey, misalignment: self.misalignment });
        self.checked = at;
    }

    /// Speeds of the axes, journeys apart.
    fn rates(&self, beyond_pole: bool) -> Axes {
        let follow = match self.tracking {
            Tracking { on: true, rate, ra_offset, dec_offset } => {
                // Seconds of right ascension per sidereal second, to degrees per second.
                let offset = ra_offset * 15.0 / 3600.0 * (SIDEREAL * 240.0);
                [speed_of(rate) - offset, dec_offset / 3600.0]
            }
            _ => [0.0; 2],
        };
        let pulse = self.pulses.map(|pulse| pulse.map_or(0.0, |pulse| pulse.rate));
        let primary = if self.by_hand[0] != 0.0 { -self.by_hand[0] } else { follow[0] };
        let north = if self.by_hand[1] != 0.0 { self.by_hand[1] } else { follow[1] } + pulse[1];
        Axes { primary: primary - pulse[0], secondary: if beyond_pole { -north } else { north } }
    }

    /// Stops where tracking or a hand would have run into a limit; what began beyond one may only come back.
    fn keep_limits(&mut self, until: f64) {
        while self.checked < until {
            let next = until.min(self.checked + LOOK);
            let segment = *self.motion.now();
            if self.task.is_some() || segment.rates == Axes::default() {
                self.checked = until;
                return;
            }
            let after = self.margin(segment.axes(next));
            let before = if after < 0.0 { self.margin(segment.axes(self.checked)) } else { 0.0 };
            if after >= 0.0 || before < 0.0 && after > before {
                self.checked = next;
                continue;
            }
            let (mut kept, mut beyond) = (self.checked, if before < 0.0 { self.checked } else { next });
            for _ in 0..40 {
                let middle = f64::midpoint(kept, beyond);
                if self.margin(segment.axes(middle)) >= 0.0 { kept = middle } else { beyond = middle }
            }
            self.tracking.on = false;
            self.halt(kept);
            self.checked = until;
        }
    }
}

/// Degrees per second of a named speed.
fn speed_of(rate: TrackingRate) -> f64 {
    match rate {
        TrackingRate::Sidereal => SIDEREAL,
        TrackingRate::Lunar => 14.685 / 3600.0,
        TrackingRate::Solar => 15.0 / 3600.0,
        TrackingRate::King => 15.036_9 / 3600.0,
    }
}
