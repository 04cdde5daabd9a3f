//! How a mount follows the sky: `TELESCOPE_TRACK_STATE`, `TELESCOPE_TRACK_MODE`, `TELESCOPE_TRACK_RATE`.
//!
//! Offsets to the sidereal speed are the mode `TRACK_CUSTOM` with `TELESCOPE_TRACK_RATE`, which are speeds in
//! arcseconds per second: of the hour angle, sidereal as a whole, and of the declination.

use super::{
    place::{SIDEREAL, equatorial},
    reading::{is_at_home, is_moving, is_parked},
};
use crate::{
    Error, Result,
    backend::{
        indi::{
            handle::{Handle, Values},
            store::Device,
        },
        keeping::may_track,
    },
    device::{Tracking, TrackingRate},
    wire::indi::State,
};

pub(in crate::backend::indi) const TRACK: &str = "TELESCOPE_TRACK_STATE";
const MODE: &str = "TELESCOPE_TRACK_MODE";
const CUSTOM: &str = "TRACK_CUSTOM";
const RATE: (&str, [&str; 2]) = ("TELESCOPE_TRACK_RATE", ["TRACK_RATE_RA", "TRACK_RATE_DE"]);

/// The sidereal speed in arcseconds per second: also what a second of right ascension per sidereal second is.
const ARCSECONDS: f64 = SIDEREAL * 3600.0;

const MODES: [(TrackingRate, &str); 4] = [
    (TrackingRate::Sidereal, "TRACK_SIDEREAL"),
    (TrackingRate::Lunar, "TRACK_LUNAR"),
    (TrackingRate::Solar, "TRACK_SOLAR"),
    (TrackingRate::King, "TRACK_KING"),
];

/// True when it can be switched.
pub(super) fn can_set(device: &Device) -> bool {
    device.can_set(TRACK)
}

/// The named speeds it has.
pub(super) fn rates(device: &Device) -> Vec<TrackingRate> {
    let there = |(_, element): &&(TrackingRate, &str)| device.has_switch(MODE, element);
    let rates: Vec<_> = MODES.iter().filter(there).map(|(rate, _)| *rate).collect();
    if rates.is_empty() && can_set(device) { vec![TrackingRate::Sidereal] } else { rates }
}

/// True when offsets to the sidereal speed can be set.
pub(super) fn has_offsets(device: &Device) -> bool {
    let number = |element: &&str| device.number(RATE.0, element).is_some();
    device.has_switch(MODE, CUSTOM) && device.can_set(RATE.0) && RATE.1.iter().all(number)
}

/// How it follows the sky now.
pub(super) fn state(device: &Device) -> Tracking {
    let on = device.switch(TRACK, "TRACK_ON");
    // Without the switch, the state of the coordinates says it.
    let on = on.unwrap_or(device.state(equatorial(device)) == Some(State::Ok));
    let rate = MODES.iter().find(|(_, element)| device.switch(MODE, element) == Some(true));
    let tracking = Tracking { on, rate: rate.map_or(TrackingRate::Sidereal, |(rate, _)| *rate), ..Tracking::OFF };
    let [ra, dec] = RATE.1.map(|element| device.number(RATE.0, element));
    match (device.switch(MODE, CUSTOM), ra, dec) {
        // To nine decimals: the sidereal speed differs in the tenth among drivers.
        (Some(true), Some(ra), Some(dec)) => {
            Tracking { ra_offset: ((1.0 - ra / ARCSECONDS) * 1e9).round() / 1e9, dec_offset: dec, ..tracking }
        }
        _ => tracking,
    }
}

/// Sets it; the caller has seen that the mount may track and stands.
///
/// # Errors
/// `Unsupported` for a speed or an offset that it does not have, `InvalidValue` for one beyond its limits.
pub(super) fn set(handle: &Handle, wanted: Tracking) -> Result<()> {
    handle.read(|device| check(device, wanted))?;
    if wanted.on {
        set_speed(handle, wanted)?;
    }
    handle.read(|device| Ok(state(device).on)).and_then(|on| match on == wanted.on {
        true => Ok(()),
        false => switch(handle, wanted.on),
    })
}

/// Puts back what was declared, after a loss; `anew`: the driver was connected again. See
/// [`Supervision`](crate::Supervision).
///
/// # Errors
/// Why it is left as it is.
pub(in crate::backend::indi) fn put_back(handle: &Handle, wanted: Tracking, anew: bool, tracked: bool) -> Result<()> {
    let now = handle.read(|device| Ok(state(device)))?;
    if now == wanted || !(now.on || wanted.on) {
        return Ok(());
    }
    may_track(wanted, anew, tracked)?;
    if wanted.on {
        let resting = [(is_parked as fn(&Device) -> bool, "parked"), (is_at_home, "at home"), (is_moving, "moving")];
        let why = handle.read(|device| Ok(resting.iter().find(|(is, _)| is(device)).map(|(_, why)| *why)))?;
        if let Some(why) = why {
            return Err(Error::invalid_operation(format!("is not started: the mount is {why}")));
        }
    }
    set(handle, wanted)
}

/// Switches it on or off, whatever the speed.
///
/// # Errors
/// The driver's refusal.
pub(super) fn switch(handle: &Handle, on: bool) -> Result<()> {
    handle.set(TRACK, Values::On(if on { "TRACK_ON" } else { "TRACK_OFF" }))
}

fn is_offset(tracking: Tracking) -> bool {
    (tracking.ra_offset, tracking.dec_offset) != (0.0, 0.0)
}

/// Arcseconds per second of the two axes.
fn speeds(tracking: Tracking) -> [(&'static str, f64); 2] {
    let [ra, dec] = RATE.1;
    [(ra, (1.0 - tracking.ra_offset) * ARCSECONDS), (dec, tracking.dec_offset)]
}

fn check(device: &Device, wanted: Tracking) -> Result<()> {
    if !can_set(device) {
        return Err(Error::unsupported("cannot switch its tracking"));
    }
    if wanted.on && !rates(device).contains(&wanted.rate) {
        return Err(Error::unsupported(format!("cannot track at the {} rate", wanted.rate)));
    }
    if !is_offset(wanted) {
        return Ok(());
    }
    if !has_offsets(device) {
        return Err(Error::unsupported("has no offsets to its tracking rates"));
    }
    if wanted.rate != TrackingRate::Sidereal {
        return Err(Error::unsupported(format!(
            "has no offsets to the {} rate, to the sidereal one only",
            wanted.rate
        )));
    }
    for (element, speed) in speeds(wanted) {
        let (min, max) = device.limits(RATE.0, element).and_then(|it| it.range()).unwrap_or((f64::MIN, f64::MAX));
        if !(min..=max).contains(&speed) {
            return Err(Error::invalid(format!("{speed} arcseconds per second are not within {min} to {max}")));
        }
    }
    Ok(())
}

fn set_speed(handle: &Handle, wanted: Tracking) -> Result<()> {
    if is_offset(wanted) {
        handle.set(RATE.0, Values::Numbers(&speeds(wanted)))?;
        return handle.switch_on(MODE, CUSTOM);
    }
    let element = MODES.iter().find(|(rate, _)| *rate == wanted.rate).map(|(_, element)| *element);
    let there = handle.read(|device| Ok(element.filter(|element| device.has_switch(MODE, element))))?;
    there.map_or(Ok(()), |element| handle.switch_on(MODE, element))
}
