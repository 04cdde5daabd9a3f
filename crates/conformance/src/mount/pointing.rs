//! Slews that end at their target or are stopped, and what the mount says about where it points.

use super::{off, place, still};
use crate::{Lab, Outcome, Stop, case_list, ensure, require, target::refused};
use astrobackend::{
    AltAz, Cancel, Degrees, Equinox, ErrorKind, Hours, RaDec, Wait,
    device::{DeviceState, Mount, MountExt, PierSide, Target, Tracking},
    event::EventKind,
};
use std::time::Duration;

case_list!("mount": a_slew_is_seen_and_ends_there, a_catalogue_place_is_found, coordinates_off_the_sphere_are_refused, a_slew_below_the_horizon_is_refused, abort_stops_a_slew, abort_when_standing_is_fine, a_cancelled_slew_is_stopped, a_timeout_stops_a_slew, an_altaz_slew_ends_there, sync_corrects_the_pointing, pier_side_fits_the_hour_angle, a_flip_changes_the_side, a_slew_is_an_event);

fn a_slew_is_seen_and_ends_there(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.slew, "it cannot slew");
    for (hours, dec) in [(-1.5, 5.0), (1.5, -10.0)] {
        let target = place(&*mount, hours, dec)?;
        mount.start_slew(target.into())?;
        ensure!(mount.state()?.slewing, "right after the command it does not slew");
        let state = still(lab, &*mount)?;
        let error = off(state.position, target);
        ensure!(error < 1.0, "sent to {target} it points at {}, {error} arcminutes off", state.position);
        ensure!(state.tracking.on, "after a slew it does not track");
        if let Some(seen) = state.target {
            ensure!(off(seen, target) < 1.0, "sent to {target} it says its target was {seen}");
        }
    }
    Ok(())
}

fn a_catalogue_place_is_found(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.slew, "it cannot slew");
    let Some(utc) = mount.state()?.utc else { return Err(Stop::Skip("it knows no time".into())) };
    let j2000 = place(&*mount, -1.0, 8.0)?.to(Equinox::J2000, utc)?;
    mount.slew(j2000, &lab.wait())?;
    let state = mount.state()?;
    let seen = state.position.to(Equinox::J2000, state.utc.unwrap_or(utc))?;
    let error = off(seen, j2000);
    ensure!(error < 1.0, "sent to {j2000} it points at {seen}, {error} arcminutes off");
    Ok(())
}

fn coordinates_off_the_sphere_are_refused(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let caps = mount.caps()?;
    let before = mount.state()?.position;
    for (ra, dec) in [(25.0, 0.0), (24.0, 0.0), (-0.1, 0.0), (6.0, 91.0), (6.0, -90.5), (f64::NAN, 0.0)] {
        let bad = RaDec::new(Hours(ra), Degrees(dec), caps.equinox);
        let what = format!("a slew to {ra} h {dec}°");
        refused(&*mount, &what, mount.start_slew(bad.into()), &[ErrorKind::InvalidValue])?;
        if caps.sync {
            refused(&*mount, "such a sync", mount.sync(bad.into()), &[ErrorKind::InvalidValue])?;
        }
    }
    ensure!(!mount.state()?.slewing, "it slews although it refused");
    ensure!(off(mount.state()?.position, before) < 30.0, "it moved although it refused");
    Ok(())
}

fn a_slew_below_the_horizon_is_refused(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let target = place(&*mount, 12.0, 0.0)?;
    let latitude = mount.site()?.map_or(45.0, |site| site.latitude.0);
    let nadir = RaDec { dec: Degrees(-latitude), ..target };
    match mount.start_slew(nadir.into()) {
        // The driver's own refusal, where it alone knows the limit.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::Device(_)) => {
            ensure!(error.to_string().contains("horizon"), "the refusal does not say why: {error}");
            ensure!(!mount.state()?.slewing, "it slews although it refused");
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(()) => {
            mount.abort()?;
            Err(Stop::Skip("it has no horizon limit".into()))
        }
    }
}

/// Starts a slew that takes a while.
fn start_far(mount: &dyn Mount) -> Result<RaDec, Stop> {
    let hour_angle = mount.hour_angle()?.map_or(0.0, |h| h.0);
    let target = place(mount, if hour_angle > 0.0 { -4.0 } else { 4.0 }, 0.0)?;
    mount.start_slew(target.into())?;
    Ok(target)
}

fn abort_stops_a_slew(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.slew, "it cannot slew");
    let target = start_far(&*mount)?;
    mount.abort()?;
    let state = still(lab, &*mount)?;
    ensure!(off(state.position, target) > 60.0, "it went on to {target}");
    Ok(())
}

fn abort_when_standing_is_fine(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    mount.abort()?;
    mount.abort()?;
    Ok(())
}

fn a_cancelled_slew_is_stopped(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.slew, "it cannot slew");
    let target = place(&*mount, if mount.hour_angle()?.is_some_and(|h| h.0 > 0.0) { -4.0 } else { 4.0 }, 0.0)?;
    let cancel = Cancel::new();
    cancel.cancel();
    let result = mount.slew(target, &lab.wait().cancelled_by(&cancel));
    refused(&*mount, "a cancelled slew", result, &[ErrorKind::Cancelled])?;
    ensure!(off(still(lab, &*mount)?.position, target) > 60.0, "it went on to {target}");
    Ok(())
}

fn a_timeout_stops_a_slew(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.slew, "it cannot slew");
    let target = place(&*mount, if mount.hour_angle()?.is_some_and(|h| h.0 > 0.0) { -4.0 } else { 4.0 }, 0.0)?;
    let result = mount.slew(target, &Wait::new(Duration::ZERO));
    refused(&*mount, "a slew without time", result, &[ErrorKind::Timeout])?;
    ensure!(off(still(lab, &*mount)?.position, target) > 60.0, "it went on to {target}");
    Ok(())
}

fn an_altaz_slew_ends_there(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let target = AltAz { alt: Degrees(60.0), az: Degrees(120.0) };
    if !mount.caps()?.slew_altaz {
        refused(&*mount, "an alt-az slew", mount.start_slew(target.into()), &[ErrorKind::Unsupported])?;
        require!(false, "it cannot slew in altitude and azimuth");
    }
    if mount.caps()?.set_tracking {
        mount.set_tracking(Tracking::OFF)?;
    }
    mount.slew(target, &lab.wait())?;
    let Some(horizon) = mount.state()?.horizon else { return Err(Stop::Fail("it knows no altitude".into())) };
    let error = horizon.separation(target).0;
    ensure!(error < 0.5, "sent to {target} it points at {horizon}");
    Ok(())
}

fn sync_corrects_the_pointing(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.sync, "it cannot be synchronised");
    mount.slew(place(&*mount, -1.0, 5.0)?, &lab.wait())?;
    let before = mount.state()?.position;
    let target = RaDec { dec: Degrees(before.dec.0 + 0.2), ..before };
    mount.sync(Target::RaDec(target))?;
    let look = || {
        let position = mount.state()?.position;
        Ok((off(position, target) < 1.0).then_some(()))
    };
    Wait::new(Duration::from_secs(5)).until("the sync", look, || Ok(()))?;
    ensure!(!mount.state()?.slewing, "a sync moves it");
    let again = RaDec { dec: Degrees(before.dec.0 + 1.0), ..before };
    mount.slew(again, &lab.wait())?;
    ensure!(off(mount.state()?.position, again) < 1.0, "after a sync a slew does not end at its target");
    mount.sync(Target::RaDec(RaDec { dec: Degrees(again.dec.0 - 0.2), ..mount.state()?.position }))?;
    Ok(())
}

fn pier_side_fits_the_hour_angle(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.pier_side, "it does not tell its pier side");
    for hours in [-2.0, 2.0] {
        let target = place(&*mount, hours, 5.0)?;
        let expected = PierSide::for_hour_angle(Hours(hours));
        match mount.destination_side(target) {
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            side => ensure!(side? == expected, "at hour angle {hours} it says it would be elsewhere than {expected}"),
        }
        mount.slew(target, &lab.wait())?;
        let side = mount.state()?.pier_side;
        ensure!(side == expected, "at hour angle {hours} its pointing state is {side}");
    }
    Ok(())
}

fn a_flip_changes_the_side(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    if !mount.caps()?.set_pier_side {
        refused(&*mount, "a flip", mount.start_flip(PierSide::East), &[ErrorKind::Unsupported])?;
        require!(false, "it cannot be told its side of the pier");
    }
    // Just beyond the meridian a German mount reaches from both sides.
    mount.slew(place(&*mount, 0.5, 5.0)?, &lab.wait())?;
    let before = mount.state()?;
    let other = if before.pier_side == PierSide::East { PierSide::West } else { PierSide::East };
    mount.flip(other, &lab.wait())?;
    let after = mount.state()?;
    ensure!(after.pier_side == other, "told to be {other} it is {}", after.pier_side);
    let apart = off(after.position, before.position);
    ensure!(apart < 2.0, "the flip moved it from {} to {}", before.position, after.position);
    Ok(())
}

fn a_slew_is_an_event(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.slew, "it cannot slew");
    let target = place(&*mount, -1.5, 0.0)?;
    let events = lab.backend.events();
    mount.slew(target, &lab.wait())?;
    let id = mount.info().id;
    while let Some(event) = events.next(Duration::from_secs(10)) {
        if let EventKind::State(DeviceState::Mount(state)) = &event.kind
            && event.device.as_ref() == Some(&id)
            && !state.slewing
            && off(state.position, target) < 1.0
        {
            return Ok(());
        }
    }
    Err(Stop::Fail("no event told that the mount arrived".into()))
}
