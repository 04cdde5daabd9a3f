//! The simulated mount: stars and directions to axes and back, and what it refuses.
//!
//! It points by its own site and clock, as real ones do: told a wrong time, it misses. Slews to stars want tracking
//! on (ASCOM `SlewToCoordinatesAsync`), slews to directions do not care; while parked every motion is refused.

use super::{
    clock::Now,
    drive::{Drive, Errand},
    faults::{Doing, Struck, What},
    handle::{Handle, Unit},
    motion::{Axes, SIDEREAL, equatorial, horizontal},
    options::Options,
};
use crate::{
    Degrees, DegreesPerSecond, Equinox, Error, ErrorKind, Hours, RaDec, Result, Site, Timestamp,
    device::{
        Age, Alignment, Axis, Control, ControlInfo, GuideDirection, GuideRates, Mount, MountCaps, MountState, Optics,
        PierSide, Target, Tracking, TrackingRate, check_target,
    },
};
use jiff::SignedDuration;
use std::{sync::Arc, time::Duration};

/// Fastest guide rate: that of the sky.
const MAX_GUIDE_RATE: f64 = SIDEREAL;

/// Sidereal time is extrapolated for this long, seconds.
const FRESH: f64 = 3600.0;

/// The mount and what it believes about the world.
#[derive(Debug)]
pub(super) struct MountUnit {
    pub(super) drive: Drive,
    caps: Arc<MountCaps>,
    site: Site,
    /// How far its clock is ahead of the world's.
    ahead: SignedDuration,
    guide_rates: GuideRates,
    settle: f64,
    target: Option<RaDec>,
    /// Sidereal time, hours, at some second of the world.
    sidereal: Option<(f64, f64)>,
    /// The last place of date and what it is in the mount's own equinox, with the second it was computed.
    converted: Option<(f64, RaDec, RaDec)>,
}

impl MountUnit {
    pub(super) fn new(options: &Options) -> Self {
        let rates = vec![DegreesPerSecond(0.0)..=DegreesPerSecond(options.slew_rate)];
        let german = options.alignment == Alignment::GermanPolar;
        let radius = options.aperture.0 / 2.0;
        let caps = MountCaps {
            alignment: options.alignment,
            equinox: options.equinox,
            slew: true,
            slew_altaz: true,
            sync: true,
            sync_altaz: true,
            park: true,
            unpark: true,
            set_park: true,
            home: true,
            set_pier_side: german,
            pier_side: german,
            pulse_guide: true,
            set_guide_rates: true,
            set_tracking: true,
            tracking_rates: TrackingRate::ALL.to_vec(),
            rate_offsets: (true, true),
            axis_rates: [rates.clone(), rates, Vec::new()],
            optics: Optics {
                aperture: Some(options.aperture),
                area: Some(std::f64::consts::PI * radius * radius),
                focal_length: Some(options.focal_length),
            },
            set_site: true,
            set_time: true,
        };
        let half = DegreesPerSecond(SIDEREAL / 2.0);
        MountUnit {
            drive: Drive::new(options.alignment, options.slew_rate, options.site.latitude, options.horizon),
            caps: Arc::new(caps),
            site: options.site,
            ahead: SignedDuration::ZERO,
            guide_rates: GuideRates { ra: half, dec: half },
            settle: options.settle,
            target: None,
            sidereal: None,
            converted: None,
        }
    }

    fn utc(&self, now: Now) -> Timestamp {
        now.utc.saturating_add(self.ahead).unwrap_or(now.utc)
    }

    fn sidereal_time(&mut self, now: Now) -> Hours {
        let fresh = self.sidereal.filter(|(at, _)| (now.world - at).abs() < FRESH);
        let (at, hours) = fresh.unwrap_or_else(|| (now.world, self.site.sidereal_time(self.utc(now)).0));
        self.sidereal = Some((at, hours));
        Hours(hours + (now.world - at) * SIDEREAL / 15.0).normalized()
    }

    /// Hour angle and declination of a target as the mount sees it.
    fn aim(&mut self, target: Target, now: Now) -> Result<(Hours, Degrees)> {
        check_target(target)?;
        match target {
            Target::RaDec(place) => {
                let place = place.to(Equinox::OfDate, self.utc(now))?;
                Ok(((self.sidereal_time(now) - place.ra).signed(), place.dec))
            }
            Target::AltAz(direction) => Ok(equatorial(direction, self.site.latitude)),
        }
    }

    /// The place of an hour angle and declination in the mount's own equinox.
    fn report(&mut self, (hour_angle, dec): (Hours, Degrees), now: Now) -> Result<RaDec> {
        let of_date = RaDec::new((self.sidereal_time(now) - hour_angle).normalized(), dec, Equinox::OfDate);
        if self.caps.equinox == Equinox::OfDate {
            return Ok(of_date);
        }
        // While it tracks the place stays, and the sky moves slowly under it.
        let same = |before: RaDec| (before.ra - of_date.ra).0.abs() < 1e-9 && (before.dec - of_date.dec).0.abs() < 1e-9;
        match self.converted {
            Some((at, before, there)) if same(before) && (now.world - at).abs() < 60.0 => Ok(there),
            _ => {
                let there = of_date.to(self.caps.equinox, self.utc(now))?;
                self.converted = Some((now.world, of_date, there));
                Ok(there)
            }
        }
    }

    fn state(&mut self, now: Now) -> Result<MountState> {
        let axes = self.drive.axes(now.seconds);
        let (hour_angle, dec) = axes.place();
        Ok(MountState {
            position: self.report((hour_angle, dec), now)?,
            horizon: Some(horizontal(hour_angle, dec, self.site.latitude)),
            slewing: self.drive.is_slewing(),
            tracking: self.drive.tracking,
            parked: self.drive.parked,
            at_home: self.drive.is_home(now.seconds),
            pier_side: self.drive.side(axes),
            pulse_guiding: self.drive.is_pulsing(),
            sidereal_time: Some(self.sidereal_time(now)),
            utc: Some(self.utc(now)),
            target: self.target,
            age: Age::NOW,
        })
    }

    fn unparked(&self) -> Result<()> {
        if self.drive.parked { Err(Error::new(ErrorKind::Parked, "is parked")) } else { Ok(()) }
    }

    fn slew(&mut self, target: Target, now: Now) -> Result<()> {
        let (hour_angle, dec) = self.aim(target, now)?;
        self.unparked()?;
        if matches!(target, Target::RaDec(_)) && !self.drive.tracking.on {
            return Err(Error::invalid_operation(format!("cannot slew to {target} while tracking is off")));
        }
        let altitude = horizontal(hour_angle, dec, self.site.latitude).alt;
        if altitude.0 < self.drive.horizon.0 {
            return Err(Error::invalid(format!(
                "{target} stands at an altitude of {:.1}°, below the horizon limit of {:.1}°",
                altitude.0, self.drive.horizon.0
            )));
        }
        self.target = Some(self.report((hour_angle, dec), now)?);
        let mut to = Axes::at(hour_angle, dec, self.drive.destination_side(hour_angle));
        if matches!(target, Target::AltAz(_)) {
            to = to - self.drive.lead(to, self.settle, now.seconds);
        }
        self.drive.go(Errand::Slew, to, self.settle, now.seconds);
        Ok(())
    }

    fn sync(&mut self, target: Target, now: Now) -> Result<()> {
        let (hour_angle, dec) = self.aim(target, now)?;
        self.unparked()?;
        if self.drive.is_slewing() {
            return Err(Error::invalid_operation(format!("cannot sync to {target} while it slews")));
        }
        let side = self.drive.side(self.drive.axes(now.seconds));
        self.drive.believe(Axes::at(hour_angle, dec, side), now.seconds);
        self.target = Some(self.report((hour_angle, dec), now)?);
        Ok(())
    }

    fn set_tracking(&mut self, tracking: Tracking, now: Now) -> Result<()> {
        if tracking.on {
            self.unparked()?;
        }
        // Faster than a degree per second is no tracking, and not a number is nothing at all.
        let offset = |name: &str, value: f64, max: f64| {
            let fits = (-max..=max).contains(&value);
            let message = || format!("{name} offset {value} is not within {} to {max}", -max);
            if fits { Ok(()) } else { Err(Error::invalid(message())) }
        };
        offset("right ascension", tracking.ra_offset, 240.0)?;
        offset("declination", tracking.dec_offset, 3600.0)?;
        self.drive.track(tracking, now.seconds);
        Ok(())
    }

    fn flip(&mut self, side: PierSide, now: Now) -> Result<()> {
        if !self.caps.set_pier_side {
            return Err(Error::unsupported("has no sides of a pier"));
        }
        if side == PierSide::Unknown {
            return Err(Error::invalid("the side of the pier must be east or west"));
        }
        self.unparked()?;
        let here = self.drive.axes(now.seconds);
        if self.drive.side(here) == side {
            return Ok(());
        }
        let (hour_angle, dec) = here.place();
        let to = Axes::at(hour_angle, dec, side);
        if !self.drive.may_be_at(to) {
            return Err(Error::invalid_operation(format!("cannot reach hour angle {} from the {side}", hour_angle.0)));
        }
        self.drive.go(Errand::Slew, to, self.settle, now.seconds);
        Ok(())
    }

    /// A guide pulse, also from a camera's guide port.
    pub(super) fn pulse(&mut self, direction: GuideDirection, duration: Duration, now: Now) -> Result<()> {
        self.unparked()?;
        if self.drive.is_slewing() || !self.drive.tracking.on {
            let why = if self.drive.is_slewing() { "it slews" } else { "tracking is off" };
            return Err(Error::invalid_operation(format!("takes no guide pulses while {why}")));
        }
        let (axis, rate) = match direction {
            GuideDirection::East => (0, self.guide_rates.ra.0),
            GuideDirection::West => (0, -self.guide_rates.ra.0),
            GuideDirection::North => (1, self.guide_rates.dec.0),
            GuideDirection::South => (1, -self.guide_rates.dec.0),
        };
        self.drive.pulse(axis, rate, duration.as_secs_f64(), now.seconds);
        Ok(())
    }

    fn move_axis(&mut self, axis: Axis, rate: DegreesPerSecond, now: Now) -> Result<()> {
        let (number, rates) = match axis {
            Axis::Primary => (0, &self.caps.axis_rates[0]),
            Axis::Secondary => (1, &self.caps.axis_rates[1]),
            Axis::Tertiary => return Err(Error::unsupported("has no third axis")),
        };
        self.unparked()?;
        if !rates.iter().any(|range| range.contains(&DegreesPerSecond(rate.0.abs()))) {
            let max = rates.last().map_or(0.0, |range| range.end().0);
            return Err(Error::invalid(format!("axis speed {} is not within -{max} to {max}", rate.0)));
        }
        self.drive.by_hand(number, rate.0, now.seconds);
        Ok(())
    }

    fn set_guide_rates(&mut self, rates: GuideRates) -> Result<()> {
        for rate in [rates.ra.0, rates.dec.0] {
            if !(0.0..=MAX_GUIDE_RATE).contains(&rate) {
                return Err(Error::invalid(format!("guide rate {rate} is not within 0 to {MAX_GUIDE_RATE:.7}")));
            }
        }
        self.guide_rates = rates;
        Ok(())
    }

    /// Site or clock are about to change: the sidereal time has to be found anew.
    fn set_place(&mut self, site: Site, ahead: SignedDuration) {
        self.site = site;
        self.ahead = ahead;
        self.drive.latitude = site.latitude;
        self.sidereal = None;
        self.converted = None;
    }
}

impl Unit for MountUnit {
    fn catch_up(&mut self, now: Now) {
        self.drive.catch_up(now.seconds);
    }

    fn controls(&self) -> Vec<ControlInfo> {
        vec![ControlInfo::range(Control::SettleTime, 0.0, 60.0, 0.0)]
    }

    fn control(&self, _control: Control) -> f64 {
        self.settle
    }

    fn set_control(&mut self, _control: Control, value: f64, _now: Now) -> Result<()> {
        self.settle = value;
        Ok(())
    }

    fn disconnect(&mut self, now: Now) {
        self.drive.halt(now.seconds);
    }

    fn doing(&self, _now: Now) -> Option<Doing> {
        match () {
            () if self.drive.is_slewing() => Some(Doing::Slewing),
            () if self.drive.is_pulsing() => Some(Doing::Guiding),
            () => None,
        }
    }

    fn strike(&mut self, what: &What, at: Now) -> Struck {
        match what {
            What::Stick => return Struck::Stands(at.seconds),
            What::ClockJump(by) => {
                let jump = SignedDuration::try_from_secs_f64(*by).unwrap_or(SignedDuration::ZERO);
                self.set_place(self.site, self.ahead + jump);
            }
            What::PowerCycle => {
                self.disconnect(at);
                self.drive.track(Tracking::OFF, at.seconds);
            }
            _ => {}
        }
        Struck::Done
    }
}

impl Mount for Handle<MountUnit> {
    fn caps(&self) -> Result<Arc<MountCaps>> {
        self.look("caps", |mount, _| Ok(mount.caps.clone()))
    }

    fn state(&self) -> Result<MountState> {
        self.look("state", |mount, now| mount.state(now))
    }

    fn start_slew(&self, target: Target) -> Result<()> {
        self.order("start_slew", |mount, now| mount.slew(target, now))
    }

    fn abort(&self) -> Result<()> {
        self.order("abort", |mount, now| {
            mount.drive.halt(now.seconds);
            Ok(())
        })
    }

    fn sync(&self, target: Target) -> Result<()> {
        self.order("sync", |mount, now| mount.sync(target, now))
    }

    fn start_park(&self) -> Result<()> {
        self.order("start_park", |mount, now| {
            if !mount.drive.parked {
                mount.drive.go(Errand::Park, mount.drive.park_place, mount.settle, now.seconds);
            }
            Ok(())
        })
    }

    fn start_unpark(&self) -> Result<()> {
        self.order("start_unpark", |mount, _| {
            mount.drive.parked = false;
            Ok(())
        })
    }

    fn set_park(&self) -> Result<()> {
        self.order("set_park", |mount, now| {
            mount.drive.park_place = mount.drive.axes(now.seconds);
            Ok(())
        })
    }

    fn start_home(&self) -> Result<()> {
        self.order("start_home", |mount, now| {
            mount.unparked()?;
            mount.drive.go(Errand::Home, Axes::HOME, mount.settle, now.seconds);
            Ok(())
        })
    }

    fn set_tracking(&self, tracking: Tracking) -> Result<()> {
        self.order("set_tracking", |mount, now| mount.set_tracking(tracking, now))
    }

    fn start_flip(&self, side: PierSide) -> Result<()> {
        self.order("start_flip", |mount, now| mount.flip(side, now))
    }

    fn destination_side(&self, target: RaDec) -> Result<PierSide> {
        self.look("destination_side", |mount, now| {
            let (hour_angle, _) = mount.aim(target.into(), now)?;
            Ok(mount.drive.destination_side(hour_angle))
        })
    }

    fn guide_rates(&self) -> Result<Option<GuideRates>> {
        self.look("guide_rates", |mount, _| Ok(Some(mount.guide_rates)))
    }

    fn set_guide_rates(&self, rates: GuideRates) -> Result<()> {
        self.order("set_guide_rates", |mount, _| mount.set_guide_rates(rates))
    }

    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()> {
        self.order("pulse_guide", |mount, now| mount.pulse(direction, duration, now))
    }

    fn move_axis(&self, axis: Axis, rate: DegreesPerSecond) -> Result<()> {
        self.order("move_axis", |mount, now| mount.move_axis(axis, rate, now))
    }

    fn site(&self) -> Result<Option<Site>> {
        self.look("site", |mount, _| Ok(Some(mount.site)))
    }

    fn set_site(&self, site: Site) -> Result<()> {
        self.order("set_site", |mount, _| {
            let checked = Site::new(site.latitude, site.longitude, site.elevation)?;
            // Folding costs the last digit: what needs none comes back as it was written.
            let folded = (-180.0..180.0).contains(&site.longitude.0);
            mount.set_place(if folded { site } else { checked }, mount.ahead);
            Ok(())
        })
    }

    fn set_time(&self, utc: Timestamp) -> Result<()> {
        self.order("set_time", |mount, now| {
            mount.set_place(mount.site, utc.duration_since(now.utc));
            Ok(())
        })
    }
}
