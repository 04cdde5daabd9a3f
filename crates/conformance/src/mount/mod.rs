//! The mount: it points where it was told, stops when told, and says when it may not move.

use crate::{
    Lab, Outcome, Stop, case_list, ensure, require,
    target::{connects, controls_obey_their_ranges, refused, unknown_action_is_refused},
};
use astrobackend::{
    Degrees, ErrorKind, Hours, RaDec, Timestamp,
    device::{DeviceKind, Mount, MountState},
};

pub(crate) mod parking;
pub(crate) mod pointing;
pub(crate) mod tracking;

case_list!("mount": connects_and_disconnects, controls, unknown_action, capabilities_make_sense, the_state_agrees_with_itself, the_site_is_kept, the_clock_is_set);

fn connects_and_disconnects(lab: &Lab) -> Outcome {
    connects(&lab.any(DeviceKind::Mount)?)
}

fn controls(lab: &Lab) -> Outcome {
    controls_obey_their_ranges(&*lab.mount()?)
}

fn unknown_action(lab: &Lab) -> Outcome {
    unknown_action_is_refused(&*lab.mount()?)
}

/// A place in the mount's own equinox: `hours` west of the meridian, at a declination high in the sky.
fn place(mount: &dyn Mount, hours: f64, dec_off_zenith: f64) -> Result<RaDec, Stop> {
    let state = mount.state()?;
    let lst = state.sidereal_time.ok_or_else(|| Stop::Skip("it knows no sidereal time".into()))?;
    let latitude = mount.site()?.map_or(45.0, |site| site.latitude.0);
    let dec = (latitude + dec_off_zenith).clamp(-80.0, 80.0);
    Ok(RaDec::new((lst - Hours(hours)).normalized(), Degrees(dec), mount.caps()?.equinox))
}

fn still(lab: &Lab, mount: &dyn Mount) -> Result<MountState, Stop> {
    let look = || {
        let state = mount.state()?;
        Ok((!state.slewing).then_some(state))
    };
    Ok(lab.wait().until("the mount", look, || mount.abort())?)
}

/// Arcminutes between two places of the same equinox.
fn off(a: RaDec, b: RaDec) -> f64 {
    a.separation(b).0 * 60.0
}

fn capabilities_make_sense(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let caps = mount.caps()?;
    ensure!(caps.park || !caps.unpark, "it can unpark but not park");
    ensure!(!caps.tracking_rates.is_empty(), "it has no tracking rate");
    for rates in &caps.axis_rates {
        for rate in rates {
            ensure!(rate.start().0 >= 0.0 && rate.start() <= rate.end(), "an axis rate of {rate:?}");
        }
    }
    Ok(())
}

fn the_state_agrees_with_itself(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let state = mount.state()?;
    ensure!((0.0..24.0).contains(&state.position.ra.0), "a right ascension of {}", state.position.ra.0);
    ensure!((-90.0..=90.0).contains(&state.position.dec.0), "a declination of {}", state.position.dec.0);
    ensure!(state.position.equinox == mount.caps()?.equinox, "{} in {:?}", state.position, mount.caps()?.equinox);
    ensure!(!state.slewing && !state.pulse_guiding, "it moves although nobody told it to");
    let (Some(site), Some(utc)) = (mount.site()?, state.utc) else {
        return Err(Stop::Skip("it knows no site or no time".into()));
    };
    if let Some(lst) = state.sidereal_time {
        let late = (lst - site.sidereal_time(utc)).signed().0 * 3600.0;
        ensure!(late.abs() < 5.0, "its sidereal time is off by {late} s");
    }
    if let Some(horizon) = state.horizon {
        let expected = state.position.to_altaz(&site, utc)?;
        let apart = horizon.separation(expected).0;
        ensure!(apart < 0.2, "from {} follows {expected}, it says {horizon}", state.position);
    }
    Ok(())
}

fn the_site_is_kept(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let Some(before) = mount.site()? else { return Err(Stop::Skip("it knows no site".into())) };
    ensure!((-180.0..180.0).contains(&before.longitude.0), "a longitude of {}", before.longitude.0);
    require!(mount.caps()?.set_site, "its site cannot be set");
    let other = astrobackend::Site { latitude: Degrees(-30.25), longitude: Degrees(-70.75), ..before };
    mount.set_site(other)?;
    let read = mount.site()?;
    mount.set_site(before)?;
    let close = |a: Degrees, b: Degrees| (a.0 - b.0).abs() < 1e-3;
    let kept = read.is_some_and(|read| close(read.latitude, other.latitude) && close(read.longitude, other.longitude));
    ensure!(kept, "set to {other:?} it reads {read:?}");
    Ok(())
}

fn the_clock_is_set(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let Some(before) = mount.state()?.utc else { return Err(Stop::Skip("it knows no time".into())) };
    if !mount.caps()?.set_time {
        refused(&*mount, "setting the clock", mount.set_time(before), &[ErrorKind::Unsupported])?;
        require!(false, "its clock cannot be set");
    }
    let other: Timestamp = "2026-06-21T03:00:00Z".parse().map_err(|error| Stop::Fail(format!("{error}")))?;
    mount.set_time(other)?;
    let read = mount.state()?.utc;
    mount.set_time(before)?;
    // It goes on, and on a fast clock quickly.
    let late = read.map(|read| read.duration_since(other).as_secs());
    ensure!(late.is_some_and(|late| (-2..600).contains(&late)), "set to {other} it reads {read:?}");
    Ok(())
}
