//! `ITelescopeV4` over the contract's mount: what can be changed or started.
//!
//! ASCOM is stricter than the contract: while the mount is parked everything that could move it is refused, and a slew
//! to the stars wants tracking on.

use super::{
    camera::guide_pulse,
    kept,
    served::Served,
    telescope::{axis, guide_rates, place, rates_of, tracking_rates, unsupported},
};
use crate::lock;
use astrobackend::{
    AltAz, Degrees, DegreesPerSecond, Error, ErrorKind, Hours, RaDec, Result,
    device::{Control, Mount, MountCaps, MountState, PierSide, Target, Tracking, TrackingRate, check_target},
    wire::alpaca::{codes, request::Arguments},
};

/// What can be changed or started.
pub(super) fn put(served: &Served, mount: &dyn Mount, name: &str, arguments: &Arguments) -> Result<()> {
    let caps = mount.caps()?;
    match name {
        "abortslew" => unparked(mount).and_then(|_| mount.abort()),
        "declinationrate" | "rightascensionrate" => set_offset(mount, &caps, name, arguments.double(0)?),
        "doesrefraction" => set_switch(mount, Control::Refraction, arguments.bool(0)?),
        "findhome" => {
            require(caps.home, "find its home")?;
            unparked(mount)?;
            mount.start_home()
        }
        "guideratedeclination" | "guideraterightascension" => set_guide_rate(mount, &caps, name, arguments.double(0)?),
        "moveaxis" => move_axis(mount, &caps, arguments),
        "park" => require(caps.park, "park").and_then(|()| mount.start_park()),
        "unpark" => require(caps.park && caps.unpark, "unpark").and_then(|()| mount.start_unpark()),
        "setpark" => require(caps.set_park, "be told where to park").and_then(|()| mount.set_park()),
        "pulseguide" => {
            require(caps.pulse_guide, "be guided by pulses")?;
            let (direction, duration) = guide_pulse(arguments)?;
            unparked(mount)?;
            mount.pulse_guide(direction, duration)
        }
        "sideofpier" => flip(mount, &caps, arguments.int(0)?),
        "siteelevation" => set_site(served, mount, &caps, (2, "elevation"), arguments.double(0)?, -300.0..=10_000.0),
        "sitelatitude" => set_site(served, mount, &caps, (0, "latitude"), arguments.double(0)?, -90.0..=90.0),
        "sitelongitude" => set_site(served, mount, &caps, (1, "longitude"), arguments.double(0)?, -180.0..=180.0),
        "slewsettletime" => set_settle_time(mount, arguments.int(0)?),
        "targetdeclination" | "targetrightascension" => set_target(served, &caps, name, arguments.double(0)?),
        "tracking" => set_tracking(mount, &caps, arguments.bool(0)?),
        "trackingrate" => set_rate(mount, &caps, arguments.int(0)?),
        "utcdate" => require(caps.set_time, "have its clock set").and_then(|()| mount.set_time(arguments.date(0)?)),
        "slewtoaltaz" | "slewtoaltazasync" => {
            require(caps.slew_altaz, "go to altitude and azimuth")?;
            let target = direction(arguments)?;
            unparked(mount)?;
            mount.start_slew(target.into())
        }
        "synctoaltaz" => {
            require(caps.sync_altaz, "be synchronised in altitude and azimuth")?;
            let target = direction(arguments)?;
            unparked(mount)?;
            mount.sync(target.into())
        }
        "slewtocoordinates" | "slewtocoordinatesasync" => {
            require(caps.slew, "go to right ascension and declination")?;
            slew(served, mount, place(&caps, arguments)?)
        }
        "slewtotarget" | "slewtotargetasync" => {
            require(caps.slew, "go to right ascension and declination")?;
            unparked(mount)?;
            slew(served, mount, target(served, &caps)?)
        }
        "synctocoordinates" => {
            require(caps.sync, "be synchronised")?;
            sync(served, mount, place(&caps, arguments)?)
        }
        "synctotarget" => {
            require(caps.sync, "be synchronised")?;
            unparked(mount)?;
            sync(served, mount, target(served, &caps)?)
        }
        _ => Err(Error::protocol(format!("{name} is not known"))),
    }
}

fn require(can: bool, what: &str) -> Result<()> {
    if can { Ok(()) } else { Err(unsupported(what)) }
}

/// The state of a mount that is not parked.
fn unparked(mount: &dyn Mount) -> Result<MountState> {
    let state = mount.state()?;
    if state.parked { Err(Error::new(ErrorKind::Parked, "is parked")) } else { Ok(state) }
}

fn direction(arguments: &Arguments) -> Result<AltAz> {
    let direction = AltAz { az: Degrees(arguments.double(0)?), alt: Degrees(arguments.double(1)?) };
    check_target(Target::AltAz(direction))?;
    Ok(direction)
}

/// What `TargetRightAscension` and `TargetDeclination` say.
fn target(served: &Served, caps: &MountCaps) -> Result<RaDec> {
    let kept = *lock(&served.kept);
    match (kept.ra, kept.dec) {
        (Some(ra), Some(dec)) => Ok(RaDec::new(ra, dec, caps.equinox)),
        _ => Err(Error::new(ErrorKind::ValueNotSet, "has no target yet: TargetRightAscension and TargetDeclination")),
    }
}

fn slew(served: &Served, mount: &dyn Mount, place: RaDec) -> Result<()> {
    if !unparked(mount)?.tracking.on {
        return Err(Error::invalid_operation(format!("cannot slew to {place} while tracking is off")));
    }
    mount.start_slew(place.into())?;
    remember(served, place);
    Ok(())
}

fn sync(served: &Served, mount: &dyn Mount, place: RaDec) -> Result<()> {
    unparked(mount)?;
    mount.sync(place.into())?;
    remember(served, place);
    Ok(())
}

/// Slews and syncs set the target too.
fn remember(served: &Served, place: RaDec) {
    let mut kept = lock(&served.kept);
    (kept.ra, kept.dec) = (Some(place.ra), Some(place.dec));
}

fn set_target(served: &Served, caps: &MountCaps, name: &str, value: f64) -> Result<()> {
    let (ra, dec) = if name == "targetdeclination" { (0.0, value) } else { (value, 0.0) };
    check_target(RaDec::new(Hours(ra), Degrees(dec), caps.equinox).into())?;
    let mut kept = lock(&served.kept);
    match name {
        "targetdeclination" => kept.dec = Some(Degrees(dec)),
        _ => kept.ra = Some(Hours(ra)),
    }
    Ok(())
}

fn move_axis(mount: &dyn Mount, caps: &MountCaps, arguments: &Arguments) -> Result<()> {
    let (axis, rate) = (axis(arguments)?, arguments.double(1)?);
    let rates = rates_of(caps, axis);
    require(!rates.is_empty(), "have this axis driven by hand")?;
    if rate != 0.0 && !rates.iter().any(|range| range.contains(&DegreesPerSecond(rate.abs()))) {
        let rates: Vec<_> = rates.iter().map(|range| format!("{} to {}", range.start().0, range.end().0)).collect();
        let rates = rates.join(", ");
        return Err(Error::invalid(format!("{rate} degrees per second is none of the axis's speeds, {rates}")));
    }
    unparked(mount)?;
    mount.move_axis(axis, DegreesPerSecond(rate))
}

fn flip(mount: &dyn Mount, caps: &MountCaps, side: i32) -> Result<()> {
    require(caps.set_pier_side, "be told its side of the pier")?;
    let wanted = codes::pier_side(side).filter(|side| *side != PierSide::Unknown);
    let wanted = wanted.ok_or_else(|| Error::invalid(format!("there is no side {side} of the pier: 0 or 1")))?;
    unparked(mount)?;
    mount.start_flip(wanted)
}

fn set_tracking(mount: &dyn Mount, caps: &MountCaps, on: bool) -> Result<()> {
    require(caps.set_tracking, "have its tracking switched")?;
    let state = if on { unparked(mount)? } else { mount.state()? };
    mount.set_tracking(Tracking { on, ..state.tracking })
}

fn set_rate(mount: &dyn Mount, caps: &MountCaps, code: i32) -> Result<()> {
    let rates = tracking_rates(caps);
    let rate = codes::tracking_rate(code).filter(|_| rates.contains(&code));
    let rate = rate.ok_or_else(|| Error::invalid(format!("there is no tracking rate {code}: {rates:?}")))?;
    let mut tracking = Tracking { rate, ..mount.state()?.tracking };
    // Offsets are to the speed of the stars (ITelescopeV4).
    if rate != TrackingRate::Sidereal {
        (tracking.ra_offset, tracking.dec_offset) = (0.0, 0.0);
    }
    mount.set_tracking(tracking)
}

fn set_offset(mount: &dyn Mount, caps: &MountCaps, name: &str, value: f64) -> Result<()> {
    let declination = name == "declinationrate";
    let can = if declination { caps.rate_offsets.1 } else { caps.rate_offsets.0 };
    require(can, "follow the sky at another speed")?;
    let mut tracking = mount.state()?.tracking;
    if tracking.rate != TrackingRate::Sidereal {
        let rate = tracking.rate;
        return Err(Error::invalid_operation(format!("takes no offset while it tracks at the {rate} rate")));
    }
    *(if declination { &mut tracking.dec_offset } else { &mut tracking.ra_offset }) = value;
    mount.set_tracking(tracking)
}

fn set_guide_rate(mount: &dyn Mount, caps: &MountCaps, name: &str, value: f64) -> Result<()> {
    require(caps.set_guide_rates, "have the speed of its guide pulses set")?;
    if value < 0.0 {
        return Err(Error::invalid(format!("a guide rate cannot be {value}")));
    }
    let mut rates = guide_rates(mount)?;
    let rate = DegreesPerSecond(value);
    *(if name == "guideratedeclination" { &mut rates.dec } else { &mut rates.ra }) = rate;
    mount.set_guide_rates(rates)
}

fn set_site(
    served: &Served,
    mount: &dyn Mount,
    caps: &MountCaps,
    (place, what): (usize, &str),
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<()> {
    require(caps.set_site, "be told where it stands")?;
    if !range.contains(&value) {
        return Err(Error::invalid(format!("{what} {value} is not within {} to {}", range.start(), range.end())));
    }
    kept::set_site(&served.kept, mount, place, value)
}

fn set_switch(mount: &dyn Mount, control: Control, on: bool) -> Result<()> {
    astrobackend::device::find_control(&mount.controls()?, control)?;
    mount.set_control(control, f64::from(u8::from(on)))
}

fn set_settle_time(mount: &dyn Mount, seconds: i32) -> Result<()> {
    let controls = mount.controls()?;
    let value = f64::from(seconds);
    astrobackend::device::find_control(&controls, Control::SettleTime)?.check(value)?;
    mount.set_control(Control::SettleTime, value)
}
