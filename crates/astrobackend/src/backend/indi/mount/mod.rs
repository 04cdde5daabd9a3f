//! INDI mounts: `EQUATORIAL_EOD_COORD` (or `EQUATORIAL_COORD`), `ON_COORD_SET`, `TELESCOPE_*`.

mod by_hand;
mod place;
mod reading;
pub(super) mod tracking;

use super::{
    controls::Place,
    handle::{Handle, Values, impl_device},
    motion::Motion,
    pulse::Pulses,
    store::Device,
};
use crate::{
    AltAz, Degrees, DegreesPerSecond, Error, ErrorKind, RaDec, Result, Site, Timestamp,
    device::{
        Alignment, Axis, Control, GuideDirection, GuideRates, Mount, MountCaps, MountState, PierSide, Target, Tracking,
        check_target,
    },
};
use place::{HORIZONTAL, SIDEREAL, equatorial};
use reading::{HOME, ON_COORD_SET, PARK, is_at_home, is_moving, is_parked, pier_side};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Properties of which one is there when a mount can be used.
pub(super) const KEYS: &[&str] = &["EQUATORIAL_EOD_COORD", "EQUATORIAL_COORD"];

const CONTROLS: &[Place] = &[
    Place::choice(Control::SlewRate, "TELESCOPE_SLEW_RATE"),
    // INDI has no names for these; our server has.
    Place::number(Control::SettleTime, "TELESCOPE_SETTLE_TIME", "SETTLE_TIME_VALUE"),
    Place::choice(Control::Refraction, "TELESCOPE_REFRACTION"),
];

/// As near as a mount has to come, or to be already, for a command without any sign of life to count as done.
const NEAR: Degrees = Degrees(0.1);

/// A mount behind a server.
#[derive(Debug)]
pub(super) struct IndiMount {
    handle: Handle,
    motion: Motion<Goal>,
    pulses: Pulses,
    /// It tracked before an axis was driven by hand.
    tracked: AtomicBool,
}

/// Where a motion is to end.
#[derive(Clone, Copy, Debug)]
enum Goal {
    Place(RaDec),
    Direction(AltAz),
    Parked,
    Unparked,
    Home,
}

impl_device!(IndiMount, |_| CONTROLS);

fn reached(device: &Device, goal: &Goal) -> bool {
    match goal {
        Goal::Place(target) => place::position(device).is_some_and(|here| here.separation(*target).0 <= NEAR.0),
        Goal::Direction(target) => place::horizon(device).is_some_and(|here| here.separation(*target).0 <= NEAR.0),
        Goal::Parked => is_parked(device),
        Goal::Unparked => device.has(PARK) && !is_parked(device) && !device.is_busy(PARK),
        Goal::Home => !device.is_busy(HOME),
    }
}

impl IndiMount {
    pub(super) fn new(handle: Handle) -> Self {
        IndiMount { handle, motion: Motion::default(), pulses: Pulses::default(), tracked: AtomicBool::new(false) }
    }

    /// The state as listeners see it: a failed motion is told to the one who asks, not to them.
    pub(super) fn look(&self) -> Result<MountState> {
        self.state_with(self.motion.is_moving(&self.handle, reached))
    }

    fn state_with(&self, ordered: bool) -> Result<MountState> {
        let goal = self.motion.goal();
        let (mut state, site) = self.handle.read(|device| {
            let position = place::position(device).ok_or_else(|| Error::protocol("tells no coordinates"))?;
            let state = MountState {
                position,
                horizon: place::horizon(device),
                slewing: ordered || is_moving(device),
                tracking: tracking::state(device),
                parked: is_parked(device) && !ordered,
                at_home: is_at_home(device) && !ordered,
                pier_side: pier_side(device),
                pulse_guiding: self.pulses.under_way(device),
                sidereal_time: None,
                utc: place::clock(device),
                target: match goal {
                    Some(Goal::Place(target)) => Some(target),
                    _ => place::target(device),
                },
                age: device.age(),
            };
            Ok((state, place::site(device)))
        })?;
        if let Some(site) = site {
            let now = state.utc.unwrap_or_else(Timestamp::now);
            state.sidereal_time = Some(site.sidereal_time(now));
            state.horizon = state.horizon.or_else(|| state.position.to_altaz(&site, now).ok());
        }
        Ok(state)
    }

    /// The mount's own clock may be another than ours.
    fn now(&self) -> Timestamp {
        self.handle.read(|device| Ok(place::clock(device))).ok().flatten().unwrap_or_else(Timestamp::now)
    }

    fn declare_tracking(&self, tracking: Option<Tracking>) {
        self.handle.connection.store().claims.declare_tracking(&self.handle.id, tracking);
    }

    fn refuse_when_parked(&self) -> Result<()> {
        self.handle.read(|device| match is_parked(device) {
            true => Err(Error::new(ErrorKind::Parked, "is parked")),
            false => Ok(()),
        })
    }

    /// The target in the equinox that the mount speaks.
    fn in_own_equinox(&self, target: Target) -> Result<RaDec> {
        let (equinox, site) = self.handle.read(|device| Ok((place::equinox(device), place::site(device))))?;
        let now = self.now();
        let place = match (target, site) {
            (Target::RaDec(place), _) => place.to(equinox, now),
            (Target::AltAz(direction), Some(site)) => direction.to_radec(&site, now, equinox),
            (Target::AltAz(_), None) => Err(Error::invalid_operation("does not know its site")),
        };
        place.map_err(|error| self.handle.name(error))
    }

    /// Tracks again when both axes stand and it did before one was driven.
    fn resume_tracking(&self) -> Result<()> {
        let (driven, on) = self.handle.read(|device| Ok((by_hand::is_driven(device), tracking::state(device).on)))?;
        if driven || !self.tracked.swap(false, Ordering::Relaxed) || on {
            return Ok(());
        }
        tracking::switch(&self.handle, true)
    }

    fn start(&self, property: &'static str, values: Values<'_>, goal: Goal) -> Result<()> {
        self.tracked.store(false, Ordering::Relaxed);
        self.motion.start(&self.handle, property, values, goal, reached)
    }

    /// Writes coordinates in a mode of `ON_COORD_SET`: both at once, and always with the mode before.
    fn go(&self, mode: &str, place: RaDec) -> Result<()> {
        // A mount without the choice goes where it is told.
        if self.handle.read(|device| Ok(device.has(ON_COORD_SET)))? {
            self.handle.set(ON_COORD_SET, Values::On(mode))?;
        }
        let property = self.handle.read(|device| Ok(equatorial(device)))?;
        self.start(property, Values::Numbers(&[("RA", place.ra.0), ("DEC", place.dec.0)]), Goal::Place(place))
    }

    /// Nothing may be ordered while the mount parks: a goto then would keep it from ever parking.
    fn refuse_while_parking(&self) -> Result<()> {
        self.handle.read(|device| match device.is_busy(PARK) {
            true => Err(Error::new(ErrorKind::Busy, "is parking or unparking")),
            false => Ok(()),
        })
    }

    /// Parks or unparks, unless it is there or on its way: some drivers take a second command for an error.
    fn park_switch(&self, element: &'static str, goal: Goal) -> Result<()> {
        let (there, busy, towards) = self.handle.read(|device| {
            Ok((reached(device, &goal), device.is_busy(PARK), device.switch(PARK, element) == Some(true)))
        })?;
        match (there || (busy && towards), busy) {
            (true, _) => Ok(()),
            (false, true) => self.handle.fail(Error::new(ErrorKind::Busy, "is parking or unparking")),
            (false, false) => self.start(PARK, Values::On(element), goal),
        }
    }
}

impl Mount for IndiMount {
    fn caps(&self) -> Result<Arc<MountCaps>> {
        self.handle.read(|device| Ok(Arc::new(reading::caps(device))))
    }

    fn state(&self) -> Result<MountState> {
        self.handle.read(|_| Ok(()))?;
        let ordered = self.motion.check(&self.handle, reached)?;
        self.state_with(ordered)
    }

    fn start_slew(&self, target: Target) -> Result<()> {
        check_target(target).map_err(|error| self.handle.name(error))?;
        self.refuse_when_parked()?;
        self.refuse_while_parking()?;
        let caps = self.caps()?;
        match target {
            Target::AltAz(direction) if caps.slew_altaz => {
                let values = [("ALT", direction.alt.0), ("AZ", direction.az.normalized().0)];
                self.start(HORIZONTAL, Values::Numbers(&values), Goal::Direction(direction))
            }
            Target::RaDec(_) if caps.slew => self.go("TRACK", self.in_own_equinox(target)?),
            Target::AltAz(_) => self.handle.fail(Error::unsupported("cannot go to altitude and azimuth")),
            Target::RaDec(_) => self.handle.fail(Error::unsupported("cannot go to coordinates")),
        }
    }

    fn abort(&self) -> Result<()> {
        if self.look()?.slewing {
            let order = self.handle.send("TELESCOPE_ABORT_MOTION", Values::On("ABORT"))?;
            self.handle.finish(&order, |device| !is_moving(device))?;
        }
        self.motion.forget(&self.handle);
        Ok(())
    }

    fn sync(&self, target: Target) -> Result<()> {
        check_target(target).map_err(|error| self.handle.name(error))?;
        self.refuse_when_parked()?;
        if !self.caps()?.sync || matches!(target, Target::AltAz(_)) {
            return self.handle.fail(Error::unsupported("cannot be synchronised on this"));
        }
        if self.look()?.slewing {
            return self.handle.fail(Error::invalid_operation("is slewing, it cannot be synchronised now"));
        }
        let place = self.in_own_equinox(target)?;
        self.handle.set(ON_COORD_SET, Values::On("SYNC"))?;
        let property = self.handle.read(|device| Ok(equatorial(device)))?;
        let values = [("RA", place.ra.0), ("DEC", place.dec.0)];
        let order = self.handle.send(property, Values::Numbers(&values));
        let synced = order.and_then(|order| self.handle.finish(&order, |device| reached(device, &Goal::Place(place))));
        // Always back, or the next goto of any client would be a sync.
        let back = self.handle.set(ON_COORD_SET, Values::On("TRACK"));
        synced.and(back)
    }

    fn start_park(&self) -> Result<()> {
        if !self.caps()?.park {
            return self.handle.fail(Error::unsupported("cannot park"));
        }
        self.declare_tracking(None);
        self.park_switch("PARK", Goal::Parked)
    }

    fn start_unpark(&self) -> Result<()> {
        if !self.caps()?.unpark {
            return self.handle.fail(Error::unsupported("cannot unpark"));
        }
        self.park_switch("UNPARK", Goal::Unparked)
    }

    fn set_park(&self) -> Result<()> {
        if !self.caps()?.set_park {
            return self.handle.fail(Error::unsupported("cannot set its parking place"));
        }
        let order = self.handle.send("TELESCOPE_PARK_OPTION", Values::On("PARK_CURRENT"))?;
        self.handle.finish(&order, |device| device.property(&order.property).is_some_and(|it| it.seq > order.mark))
    }

    fn start_home(&self) -> Result<()> {
        self.refuse_when_parked()?;
        let element = self.handle.read(|device| {
            let found = ["GO", "FIND"].into_iter().find(|element| device.has_switch(HOME, element));
            found.ok_or_else(|| Error::unsupported("has no home"))
        })?;
        self.declare_tracking(None);
        self.start(HOME, Values::On(element), Goal::Home)
    }

    fn set_tracking(&self, wanted: Tracking) -> Result<()> {
        if wanted.on {
            self.refuse_when_parked()?;
        }
        if self.look()?.slewing {
            // Some drivers would report the slew as done at once.
            return self.handle.fail(Error::invalid_operation("is moving, its tracking cannot change now"));
        }
        tracking::set(&self.handle, wanted)?;
        self.declare_tracking(Some(wanted));
        Ok(())
    }

    fn start_flip(&self, _side: PierSide) -> Result<()> {
        self.refuse_when_parked()?;
        if !self.caps()?.set_pier_side {
            return self.handle.fail(Error::unsupported("cannot be told to flip"));
        }
        self.go("FLIP", self.look()?.position)
    }

    fn destination_side(&self, target: RaDec) -> Result<PierSide> {
        check_target(target.into()).map_err(|error| self.handle.name(error))?;
        let caps = self.caps()?;
        let site = self.site()?;
        match site {
            Some(site) if caps.pier_side && caps.alignment == Alignment::GermanPolar => {
                let angle = site.hour_angle(target, self.now());
                Ok(PierSide::for_hour_angle(angle.map_err(|error| self.handle.name(error))?))
            }
            _ => self.handle.fail(Error::unsupported("does not tell on which side it would point")),
        }
    }

    fn guide_rates(&self) -> Result<Option<GuideRates>> {
        self.handle.read(|device| {
            let rate = |element| device.number("GUIDE_RATE", element).map(|part| DegreesPerSecond(part * SIDEREAL));
            Ok(rate("GUIDE_RATE_WE").zip(rate("GUIDE_RATE_NS")).map(|(ra, dec)| GuideRates { ra, dec }))
        })
    }

    fn set_guide_rates(&self, rates: GuideRates) -> Result<()> {
        let parts = [("GUIDE_RATE_WE", rates.ra.0 / SIDEREAL), ("GUIDE_RATE_NS", rates.dec.0 / SIDEREAL)];
        self.handle.read(|device| {
            for (element, part) in parts {
                let limits = device.limits("GUIDE_RATE", element);
                let limits = limits.ok_or_else(|| Error::unsupported("has no guide rates"))?;
                let (min, max) = limits.range().unwrap_or((0.0, f64::MAX));
                if !(min..=max).contains(&part) {
                    let message = format!("a guide rate of {part:.3} times sidereal is not within {min} to {max}");
                    return Err(Error::invalid(message));
                }
            }
            Ok(())
        })?;
        self.handle.set("GUIDE_RATE", Values::Numbers(&parts))
    }

    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()> {
        self.refuse_when_parked()?;
        self.pulses.start(&self.handle, direction, duration)
    }

    fn move_axis(&self, axis: Axis, rate: DegreesPerSecond) -> Result<()> {
        if rate.0 == 0.0 {
            by_hand::stop(&self.handle, axis)?;
            return self.resume_tracking();
        }
        self.refuse_when_parked()?;
        self.refuse_while_parking()?;
        let before = self.handle.read(|device| Ok(tracking::state(device).on && !by_hand::is_driven(device)))?;
        by_hand::drive(&self.handle, axis, rate)?;
        if before {
            self.tracked.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn site(&self) -> Result<Option<Site>> {
        self.handle.read(|device| Ok(place::site(device)))
    }

    fn set_site(&self, site: Site) -> Result<()> {
        let site = Site::new(site.latitude, site.longitude.signed(), site.elevation);
        let site = site.map_err(|error| self.handle.name(error))?;
        self.handle.set(place::SITE, Values::Numbers(&place::site_values(&site)))
    }

    fn set_time(&self, utc: Timestamp) -> Result<()> {
        let text = utc.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        self.handle.set(place::CLOCK, Values::Texts(&[("UTC", &text), ("OFFSET", "0")]))
    }
}
