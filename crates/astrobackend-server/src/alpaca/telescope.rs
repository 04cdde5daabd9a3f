//! `ITelescopeV4` over the contract's mount: what can be read.
//!
//! Right ascension and declination are in the mount's own equinox, which `EquatorialSystem` tells.

use super::{
    camera::setting,
    kept::{self, Kept},
    served::Served,
};
use crate::lock;
use astrobackend::{
    Degrees, DegreesPerSecond, Error, ErrorKind, Hours, RaDec, Result, Timestamp,
    device::{Age, Axis, Control, GuideRates, Mount, MountCaps, MountState, check_target},
    wire::alpaca::{
        codes,
        reply::Value::{self, Bool, Double, Int, Ints, Rates},
        request::Arguments,
    },
};

pub(super) fn unsupported(what: &str) -> Error {
    Error::unsupported(format!("cannot {what}"))
}

fn known(value: Option<f64>, what: &str) -> Result<Value> {
    value.map(Double).ok_or_else(|| Error::unsupported(format!("does not know {what}")))
}

/// A moment as `UTCDate` has it.
pub(super) fn utc_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string()
}

/// What can be read.
pub(super) fn get(served: &Served, mount: &dyn Mount, name: &str, arguments: &Arguments) -> Result<Value> {
    let caps = mount.caps()?;
    if let Some(value) = capability(&caps, name, arguments) {
        return value;
    }
    match name {
        "destinationsideofpier" => destination_side(mount, &caps, arguments),
        "doesrefraction" => Ok(Bool(setting(mount, Control::Refraction)? >= 0.5)),
        "slewsettletime" => Ok(Int(setting(mount, Control::SettleTime)?.round() as i32)),
        "guideratedeclination" => Ok(Double(guide_rates(mount)?.dec.0)),
        "guideraterightascension" => Ok(Double(guide_rates(mount)?.ra.0)),
        "sitelatitude" => site(served, mount, 0),
        "sitelongitude" => site(served, mount, 1),
        "siteelevation" => site(served, mount, 2),
        "targetrightascension" => target(served, mount, "TargetRightAscension", |kept| kept.ra.map(|ra| ra.0)),
        "targetdeclination" => target(served, mount, "TargetDeclination", |kept| kept.dec.map(|dec| dec.0)),
        _ => observed(&caps, &mount.state()?, name),
    }
}

/// What does not change while the mount is connected.
fn capability(caps: &MountCaps, name: &str, arguments: &Arguments) -> Option<Result<Value>> {
    Some(Ok(match name {
        "alignmentmode" => Int(codes::from_alignment(caps.alignment)),
        "aperturearea" => return Some(known(caps.optics.area, "its aperture")),
        "aperturediameter" => return Some(known(caps.optics.aperture.map(|metres| metres.0), "its aperture")),
        "axisrates" => return Some(axis_rates(caps, arguments).map(Rates)),
        "canfindhome" => Bool(caps.home),
        "canmoveaxis" => return Some(axis_rates(caps, arguments).map(|rates| Bool(!rates.is_empty()))),
        "canpark" => Bool(caps.park),
        "canpulseguide" => Bool(caps.pulse_guide),
        "cansetdeclinationrate" => Bool(caps.rate_offsets.1),
        "cansetguiderates" => Bool(caps.set_guide_rates),
        "cansetpark" => Bool(caps.set_park),
        "cansetpierside" => Bool(caps.set_pier_side),
        "cansetrightascensionrate" => Bool(caps.rate_offsets.0),
        "cansettracking" => Bool(caps.set_tracking),
        "canslew" | "canslewasync" => Bool(caps.slew),
        "canslewaltaz" | "canslewaltazasync" => Bool(caps.slew_altaz),
        "cansync" => Bool(caps.sync),
        "cansyncaltaz" => Bool(caps.sync_altaz),
        "canunpark" => Bool(caps.park && caps.unpark),
        "equatorialsystem" => Int(codes::from_equinox(caps.equinox)),
        "focallength" => return Some(known(caps.optics.focal_length.map(|metres| metres.0), "its focal length")),
        "trackingrates" => Ints(tracking_rates(caps)),
        _ => return None,
    }))
}

/// Sidereal where the mount lists none: it follows the stars at least.
pub(super) fn tracking_rates(caps: &MountCaps) -> Vec<i32> {
    let rates: Vec<_> = caps.tracking_rates.iter().map(|rate| codes::from_tracking_rate(*rate)).collect();
    if rates.is_empty() { vec![0] } else { rates }
}

/// The axis that an argument names.
pub(super) fn axis(arguments: &Arguments) -> Result<Axis> {
    let number = arguments.int(0)?;
    codes::axis(number).ok_or_else(|| Error::invalid(format!("there is no axis {number}: 0 to 2")))
}

/// The speeds at which an axis can be driven.
pub(super) fn rates_of(caps: &MountCaps, axis: Axis) -> &[std::ops::RangeInclusive<DegreesPerSecond>] {
    let place = match axis {
        Axis::Primary => 0,
        Axis::Secondary => 1,
        Axis::Tertiary => 2,
    };
    &caps.axis_rates[place]
}

fn axis_rates(caps: &MountCaps, arguments: &Arguments) -> Result<Vec<(f64, f64)>> {
    let rates = rates_of(caps, axis(arguments)?);
    Ok(rates.iter().map(|rate| (rate.start().0, rate.end().0)).collect())
}

/// What changes by itself.
fn observed(caps: &MountCaps, state: &MountState, name: &str) -> Result<Value> {
    let horizon = |pick: fn(&astrobackend::AltAz) -> f64| state.horizon.as_ref().map(pick);
    Ok(match name {
        "altitude" => return known(horizon(|horizon| horizon.alt.0), "where it points from the ground"),
        "azimuth" => return known(horizon(|horizon| horizon.az.0), "where it points from the ground"),
        "athome" => Bool(state.at_home),
        "atpark" => Bool(state.parked),
        "declination" => Double(state.position.dec.0),
        "rightascension" => Double(state.position.ra.0),
        "declinationrate" => Double(state.tracking.dec_offset),
        "rightascensionrate" => Double(state.tracking.ra_offset),
        "ispulseguiding" if !caps.pulse_guide => return Err(unsupported("be guided by pulses")),
        "ispulseguiding" => Bool(state.pulse_guiding),
        "sideofpier" if !caps.pier_side => return Err(Error::unsupported("has no sides of a pier")),
        "sideofpier" => Int(codes::from_pier_side(state.pier_side)),
        "siderealtime" => Double(sidereal_time(state)?),
        "slewing" => Bool(state.slewing),
        "tracking" => Bool(state.tracking.on),
        "trackingrate" => Int(codes::from_tracking_rate(state.tracking.rate)),
        "utcdate" => Value::text(utc_text(clock(state))),
        _ => return Err(Error::protocol(format!("{name} is not known"))),
    })
}

fn sidereal_time(state: &MountState) -> Result<f64> {
    let known = state.sidereal_time.map(|time| time.0);
    known.ok_or_else(|| Error::invalid_operation("does not know the sidereal time, because nobody told it its site"))
}

/// A mount without a clock goes by this computer's.
fn clock(state: &MountState) -> Timestamp {
    state.utc.unwrap_or_else(Timestamp::now)
}

fn site(served: &Served, mount: &dyn Mount, place: usize) -> Result<Value> {
    let value = kept::site(&served.kept, mount)?[place];
    value.map(Double).ok_or_else(|| Error::new(ErrorKind::ValueNotSet, "was not told yet where it stands"))
}

/// The speeds of guide pulses.
pub(super) fn guide_rates(mount: &dyn Mount) -> Result<GuideRates> {
    mount.guide_rates()?.ok_or_else(|| Error::unsupported("does not know the speed of its guide pulses"))
}

/// The target that clients set here, each number by itself or with a slew.
fn target(served: &Served, mount: &dyn Mount, what: &str, pick: fn(&Kept) -> Option<f64>) -> Result<Value> {
    // A mount that is gone has no target.
    mount.state()?;
    let value = pick(&lock(&served.kept));
    value.map(Double).ok_or_else(|| Error::new(ErrorKind::ValueNotSet, format!("{what} was not set yet")))
}

/// Two arguments as a place in the mount's own equinox.
pub(super) fn place(caps: &MountCaps, arguments: &Arguments) -> Result<RaDec> {
    let (ra, dec) = (Hours(arguments.double(0)?), Degrees(arguments.double(1)?));
    let place = RaDec::new(ra, dec, caps.equinox);
    check_target(place.into())?;
    Ok(place)
}

fn destination_side(mount: &dyn Mount, caps: &MountCaps, arguments: &Arguments) -> Result<Value> {
    if !caps.pier_side {
        return Err(Error::unsupported("has no sides of a pier"));
    }
    mount.destination_side(place(caps, arguments)?).map(|side| Int(codes::from_pier_side(side)))
}

/// `DeviceState`.
pub(super) fn states(mount: &dyn Mount) -> Result<(Vec<(&'static str, Value)>, Age)> {
    let (caps, state) = (mount.caps()?, mount.state()?);
    let mut states = vec![
        ("AtHome", Bool(state.at_home)),
        ("AtPark", Bool(state.parked)),
        ("Declination", Double(state.position.dec.0)),
        ("RightAscension", Double(state.position.ra.0)),
        ("Slewing", Bool(state.slewing)),
        ("Tracking", Bool(state.tracking.on)),
        ("UTCDate", Value::text(utc_text(clock(&state)))),
    ];
    if let Some(horizon) = state.horizon {
        states.extend([("Altitude", Double(horizon.alt.0)), ("Azimuth", Double(horizon.az.0))]);
    }
    states.extend(state.sidereal_time.map(|time| ("SiderealTime", Double(time.0))));
    states.extend(caps.pulse_guide.then_some(("IsPulseGuiding", Bool(state.pulse_guiding))));
    states.extend(caps.pier_side.then_some(("SideOfPier", Int(codes::from_pier_side(state.pier_side)))));
    Ok((states, state.age))
}
