//! Alpaca telescopes: slews, parking, tracking, guiding. What a mount can do is read in [`abilities`].
//!
//! [`abilities`]: super::abilities

use super::{
    abilities,
    carrier::Arguments,
    controls::Settings,
    handle::{Handle, Remembered, impl_device},
    milliseconds,
    motion::Motion,
    values::Values,
};
use crate::{
    AltAz, Degrees, DegreesPerSecond, Equinox, Error, ErrorKind, Hours, Metres, RaDec, Result, Site, Timestamp,
    backend::keeping::Declared,
    device::{
        Axis, ControlInfo, GuideDirection, GuideRates, Mount, MountCaps, MountState, PierSide, Target, Tracking,
        check_target,
    },
    sync::lock,
    wire::alpaca::codes,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// As near as a mount has to be to its target for a slew without any sign of life to count as done.
const NEAR: Degrees = Degrees(0.1);

/// A mount, whatever carries it.
#[derive(Debug)]
pub(super) struct AscomMount {
    handle: Handle,
    settings: Settings,
    caps: Remembered<MountCaps>,
    motion: Motion<Goal>,
    pulses: Motion<()>,
    /// As it was seen last.
    seen: Mutex<Option<MountState>>,
}

/// Where a motion is to end.
#[derive(Clone, Copy, Debug)]
enum Goal {
    Place(RaDec),
    Direction(AltAz),
    Parked(bool),
    Home,
    Side(PierSide),
    /// An axis that is driven.
    Moving,
}

impl Goal {
    fn is_reached(self, state: &MountState) -> bool {
        match self {
            Goal::Place(target) => state.position.separation(target).0 <= NEAR.0,
            Goal::Direction(target) => state.horizon.is_some_and(|here| here.separation(target).0 <= NEAR.0),
            Goal::Parked(parked) => state.parked == parked,
            Goal::Home => state.at_home,
            Goal::Side(side) => state.pier_side == side,
            Goal::Moving => false,
        }
    }
}

impl_device!(AscomMount);

/// What tells of a motion comes first: where it is read as standing, the place read after it is the one it has come to.
const STATE: &[&str] = &[
    "slewing",
    "ispulseguiding",
    "rightascension",
    "declination",
    "altitude",
    "azimuth",
    "tracking",
    "atpark",
    "athome",
    "sideofpier",
    "siderealtime",
    "utcdate",
];

/// The command that moves no axis to anywhere.
const PULSE: &str = "pulseguide";

const OTHERS: &[&str] =
    &["trackingrate", "rightascensionrate", "declinationrate", "targetrightascension", "targetdeclination"];

impl AscomMount {
    pub(super) fn new(handle: Handle) -> Self {
        AscomMount {
            settings: Settings::default(),
            caps: Remembered::default(),
            motion: Motion::new(handle.resets()),
            pulses: Motion::new(handle.resets()),
            seen: Mutex::default(),
            handle,
        }
    }

    fn prepare(&self) -> Result<()> {
        self.caps().map(drop)
    }

    fn ascom_settings(&self) -> Result<Vec<ControlInfo>> {
        abilities::settings(&self.handle)
    }

    /// The state as the server has it.
    fn look(&self) -> Result<MountState> {
        let caps = self.caps()?;
        let values = self.handle.look(STATE, OTHERS)?;
        let state = MountState {
            position: position(&values, caps.equinox)?,
            horizon: horizon(&values)?,
            slewing: values.need("slewing")?,
            tracking: tracking(&values)?,
            parked: values.flag("atpark")?,
            at_home: values.flag("athome")?,
            pier_side: values.maybe("sideofpier")?.and_then(codes::pier_side).unwrap_or_default(),
            pulse_guiding: values.flag("ispulseguiding")?,
            sidereal_time: values.maybe("siderealtime")?.map(|hours| Hours(hours).normalized()),
            utc: values.maybe("utcdate")?,
            target: target(&values, caps.equinox)?,
            age: values.age(),
        };
        *lock(&self.seen) = Some(state);
        Ok(state)
    }

    /// Starts a motion that ends somewhere.
    fn go(&self, member: &'static str, arguments: Arguments, goal: Goal) -> Result<()> {
        if self.handle.carrier.is_serial() {
            // It may not be asked on the way.
            self.look()?;
        }
        self.handle.start(member, arguments)?;
        self.motion.started(goal);
        Ok(())
    }

    fn require(&self, can: bool, otherwise: &'static str) -> Result<()> {
        if can { Ok(()) } else { self.handle.fail(Error::unsupported(otherwise)) }
    }

    /// Some servers move a parked mount.
    fn refuse_when_parked(&self) -> Result<()> {
        match self.handle.values(&["atpark"])?.flag("atpark")? {
            true => self.handle.fail(Error::new(ErrorKind::Parked, "is parked")),
            false => Ok(()),
        }
    }

    /// A place in the equinox that the mount speaks.
    fn in_own_equinox(&self, place: RaDec) -> Result<RaDec> {
        place.to(self.caps()?.equinox, Timestamp::now()).map_err(|error| self.handle.name(error))
    }

    fn check(&self, target: Target) -> Result<()> {
        check_target(target).map_err(|error| self.handle.name(error))
    }
}

fn position(values: &Values, equinox: Equinox) -> Result<RaDec> {
    let (ra, dec): (f64, f64) = (values.need("rightascension")?, values.need("declination")?);
    // Models and rounding leave values a hair beyond the pole.
    Ok(RaDec::new(Hours(ra).normalized(), Degrees(dec.clamp(-90.0, 90.0)), equinox))
}

fn horizon(values: &Values) -> Result<Option<AltAz>> {
    let both = values.maybe::<f64>("altitude")?.zip(values.maybe::<f64>("azimuth")?);
    Ok(both.map(|(alt, az)| AltAz { alt: Degrees(alt.clamp(-90.0, 90.0)), az: Degrees(az).normalized() }))
}

fn tracking(values: &Values) -> Result<Tracking> {
    Ok(Tracking {
        on: values.flag("tracking")?,
        rate: values.maybe("trackingrate")?.and_then(codes::tracking_rate).unwrap_or_default(),
        ra_offset: values.maybe("rightascensionrate")?.unwrap_or(0.0),
        dec_offset: values.maybe("declinationrate")?.unwrap_or(0.0),
    })
}

fn target(values: &Values, equinox: Equinox) -> Result<Option<RaDec>> {
    let both = values.maybe::<f64>("targetrightascension")?.zip(values.maybe::<f64>("targetdeclination")?);
    Ok(both.map(|(ra, dec)| RaDec::new(Hours(ra), Degrees(dec), equinox)))
}

fn coordinates(place: RaDec) -> Arguments {
    Arguments::new().with("RightAscension", place.ra.0).with("Declination", place.dec.0)
}

fn direction(direction: AltAz) -> Arguments {
    Arguments::new().with("Azimuth", direction.az.normalized().0).with("Altitude", direction.alt.0)
}

impl Mount for AscomMount {
    fn caps(&self) -> Result<Arc<MountCaps>> {
        self.caps.get(&self.handle, || abilities::read(&self.handle))
    }

    fn state(&self) -> Result<MountState> {
        if let (Some(member), Some(seen)) = (self.handle.deaf(), *lock(&self.seen)) {
            // A driver that answers nothing on the way: what changes with the time is not known.
            let pulse = member == PULSE;
            let (slewing, pulse_guiding) = (seen.slewing || !pulse, seen.pulse_guiding || pulse);
            let age = self.handle.since_told();
            return Ok(MountState {
                slewing,
                pulse_guiding,
                horizon: None,
                sidereal_time: None,
                utc: None,
                age,
                ..seen
            });
        }
        let doing = self.handle.work().inspect_err(|_| self.motion.forget())?;
        let before = *lock(&self.seen);
        let mut state = self.motion.look(before.as_ref(), |state| state.slewing, || self.look())?;
        let (seen, moves) = (state, doing.is_some_and(|member| member != PULSE));
        state.slewing = self.motion.is_moving(state.slewing || moves, |goal| goal.is_reached(&seen));
        state.pulse_guiding = self.pulses.is_moving(state.pulse_guiding || doing == Some(PULSE), |()| false);
        self.handle.claim.see(&state);
        Ok(state)
    }

    fn start_slew(&self, target: Target) -> Result<()> {
        self.check(target)?;
        let caps = self.caps()?;
        self.refuse_when_parked()?;
        let can = abilities::slews(&self.handle)?;
        match target {
            Target::RaDec(place) => {
                self.require(caps.slew, "cannot go to coordinates")?;
                let place = self.in_own_equinox(place)?;
                let member = if can.equatorial_async { "slewtocoordinatesasync" } else { "slewtocoordinates" };
                self.go(member, coordinates(place), Goal::Place(place))
            }
            Target::AltAz(wanted) => {
                self.require(caps.slew_altaz, "cannot go to altitude and azimuth")?;
                let member = if can.horizontal_async { "slewtoaltazasync" } else { "slewtoaltaz" };
                self.go(member, direction(wanted), Goal::Direction(wanted))
            }
        }
    }

    fn abort(&self) -> Result<()> {
        let at_work = self.handle.work().is_ok_and(|doing| doing.is_some());
        let state = self.look()?;
        if at_work || self.motion.is_moving(state.slewing, |goal| goal.is_reached(&state)) {
            self.handle.put("abortslew", Arguments::new())?;
        }
        self.motion.forget();
        Ok(())
    }

    fn sync(&self, target: Target) -> Result<()> {
        self.check(target)?;
        let caps = self.caps()?;
        self.refuse_when_parked()?;
        match target {
            Target::RaDec(place) => {
                self.require(caps.sync, "cannot be synchronised")?;
                self.handle.put("synctocoordinates", coordinates(self.in_own_equinox(place)?))
            }
            Target::AltAz(here) => {
                self.require(caps.sync_altaz, "cannot be synchronised in altitude and azimuth")?;
                self.handle.put("synctoaltaz", direction(here))
            }
        }
    }

    fn start_park(&self) -> Result<()> {
        self.require(self.caps()?.park, "cannot park")?;
        if self.look()?.parked {
            return Ok(());
        }
        self.handle.claim.forget_tracking();
        self.go("park", Arguments::new(), Goal::Parked(true))
    }

    fn start_unpark(&self) -> Result<()> {
        self.require(self.caps()?.unpark, "cannot unpark")?;
        if !self.look()?.parked {
            return Ok(());
        }
        self.go("unpark", Arguments::new(), Goal::Parked(false))
    }

    fn set_park(&self) -> Result<()> {
        self.require(self.caps()?.set_park, "cannot set its parking place")?;
        self.handle.put("setpark", Arguments::new())
    }

    fn start_home(&self) -> Result<()> {
        self.require(self.caps()?.home, "has no home")?;
        self.refuse_when_parked()?;
        self.handle.claim.forget_tracking();
        self.go("findhome", Arguments::new(), Goal::Home)
    }

    fn set_tracking(&self, wanted: Tracking) -> Result<()> {
        let caps = self.caps()?;
        let state = self.look()?;
        let now = state.tracking;
        if wanted.on && state.parked {
            return self.handle.fail(Error::new(ErrorKind::Parked, "is parked"));
        }
        let switch = |on| self.handle.put("tracking", Arguments::new().with("Tracking", on));
        if wanted.on != now.on {
            self.require(caps.set_tracking, "cannot switch its tracking")?;
        }
        let declare = || self.handle.claim.declare(Declared::Tracking(wanted));
        if !wanted.on {
            if now.on {
                switch(false)?;
            }
            declare();
            return Ok(());
        }
        if !caps.tracking_rates.contains(&wanted.rate) {
            return self.handle.fail(Error::unsupported(format!("cannot track at the {} rate", wanted.rate)));
        }
        let (ra, dec) = (wanted.ra_offset != now.ra_offset, wanted.dec_offset != now.dec_offset);
        self.require(!ra || caps.rate_offsets.0, "takes no offset to its speed in right ascension")?;
        self.require(!dec || caps.rate_offsets.1, "takes no offset to its speed in declination")?;
        if wanted.rate != now.rate {
            let rate = codes::from_tracking_rate(wanted.rate);
            self.handle.put("trackingrate", Arguments::new().with("TrackingRate", rate))?;
        }
        if !now.on {
            switch(true)?;
        }
        if ra {
            self.handle.put("rightascensionrate", Arguments::new().with("RightAscensionRate", wanted.ra_offset))?;
        }
        if dec {
            self.handle.put("declinationrate", Arguments::new().with("DeclinationRate", wanted.dec_offset))?;
        }
        declare();
        Ok(())
    }

    fn start_flip(&self, side: PierSide) -> Result<()> {
        self.require(self.caps()?.set_pier_side, "cannot be told to flip")?;
        self.refuse_when_parked()?;
        if side == PierSide::Unknown {
            return self.handle.fail(Error::invalid("a flip wants a side of the pier: east or west"));
        }
        let arguments = Arguments::new().with("SideOfPier", codes::from_pier_side(side));
        self.go("sideofpier", arguments, Goal::Side(side))
    }

    fn destination_side(&self, target: RaDec) -> Result<PierSide> {
        self.check(target.into())?;
        let arguments = coordinates(self.in_own_equinox(target)?);
        let side: i32 = self.handle.get_with("destinationsideofpier", arguments)?;
        Ok(codes::pier_side(side).unwrap_or_default())
    }

    fn guide_rates(&self) -> Result<Option<GuideRates>> {
        self.caps()?;
        let values = self.handle.values(&["guideraterightascension", "guideratedeclination"])?;
        let rate = |member| Ok::<_, Error>(values.maybe(member)?.map(DegreesPerSecond));
        let both = rate("guideraterightascension")?.zip(rate("guideratedeclination")?);
        Ok(both.map(|(ra, dec)| GuideRates { ra, dec }))
    }

    fn set_guide_rates(&self, rates: GuideRates) -> Result<()> {
        self.require(self.caps()?.set_guide_rates, "has no guide rates that can be set")?;
        let put = |member, name, rate: DegreesPerSecond| self.handle.put(member, Arguments::new().with(name, rate.0));
        put("guideraterightascension", "GuideRateRightAscension", rates.ra)?;
        put("guideratedeclination", "GuideRateDeclination", rates.dec)?;
        self.handle.claim.declare(Declared::GuideRates(rates));
        Ok(())
    }

    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()> {
        self.require(self.caps()?.pulse_guide, "takes no guide pulses")?;
        let arguments = Arguments::new().with("Direction", codes::from_guide_direction(direction));
        self.handle.start(PULSE, arguments.with("Duration", milliseconds(duration)))?;
        self.pulses.started_for((), duration);
        Ok(())
    }

    fn move_axis(&self, axis: Axis, rate: DegreesPerSecond) -> Result<()> {
        let caps = self.caps()?;
        abilities::check_rate(&caps, axis, rate).map_err(|error| self.handle.name(error))?;
        if rate.0 != 0.0 {
            self.refuse_when_parked()?;
        }
        self.handle.put("moveaxis", Arguments::new().with("Axis", codes::from_axis(axis)).with("Rate", rate.0))?;
        match rate.0 != 0.0 {
            true => self.motion.started(Goal::Moving),
            false => self.motion.forget(),
        }
        Ok(())
    }

    fn site(&self) -> Result<Option<Site>> {
        self.caps()?;
        let values = self.handle.values(&["sitelatitude", "sitelongitude", "siteelevation"])?;
        let place = values.maybe::<f64>("sitelatitude")?.zip(values.maybe::<f64>("sitelongitude")?);
        let Some((latitude, longitude)) = place else { return Ok(None) };
        let elevation = values.maybe::<f64>("siteelevation")?.unwrap_or(0.0);
        // What drivers say as long as nobody has told them.
        if (latitude, longitude, elevation) == (0.0, 0.0, 0.0) {
            return Ok(None);
        }
        Ok(Site::new(Degrees(latitude), Degrees(longitude).signed(), Metres(elevation)).ok())
    }

    fn set_site(&self, site: Site) -> Result<()> {
        self.require(self.caps()?.set_site, "cannot be told where it stands")?;
        let site = Site::new(site.latitude, site.longitude.signed(), site.elevation);
        let site = site.map_err(|error| self.handle.name(error))?;
        let put = |member, name, value: f64| self.handle.put(member, Arguments::new().with(name, value));
        put("sitelatitude", "SiteLatitude", site.latitude.0)?;
        put("sitelongitude", "SiteLongitude", site.longitude.0)?;
        put("siteelevation", "SiteElevation", site.elevation.0)
    }

    fn set_time(&self, utc: Timestamp) -> Result<()> {
        self.require(self.caps()?.set_time, "has no clock that can be set")?;
        let text = utc.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        self.handle.put("utcdate", Arguments::new().with("UTCDate", text))
    }
}
