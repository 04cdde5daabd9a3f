//! The mount: it points where it was told, stops when told, and says when it may not move.

use crate::{
    Lab, Outcome, Stop, case_list, ensure, require,
    target::{connects, controls_obey_their_ranges, refused, unknown_action_is_refused},
};
use astrobackend::{
    AltAz, Cancel, Degrees, DegreesPerSecond, Equinox, ErrorKind, Hours, RaDec, Wait,
    device::{
        Axis, DeviceKind, DeviceState, GuideDirection, GuideRates, Mount, MountExt, MountState, PierSide, Target,
        Tracking,
    },
    event::EventKind,
};
use std::time::Duration;

case_list!("mount": connects_and_disconnects, controls, unknown_action, capabilities_make_sense, the_state_agrees_with_itself,
    a_slew_is_seen_and_ends_there, a_catalogue_place_is_found, coordinates_off_the_sphere_are_refused,
    a_slew_below_the_horizon_is_refused, abort_stops_a_slew, abort_when_standing_is_fine, a_cancelled_slew_is_stopped,
    a_timeout_stops_a_slew, an_altaz_slew_ends_there, sync_corrects_the_pointing, tracking_switches, tracking_rates_are_taken,
    tracking_follows_the_sky, parks_twice_and_unparks_twice, a_parked_mount_refuses_to_move, home_is_found, pier_side_fits_the_hour_angle,
    guide_rates_are_kept, guide_pulses_move_it_the_right_way, an_axis_is_driven_and_stopped, the_site_is_kept, a_slew_is_an_event);

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
        Err(error) if error.kind() == ErrorKind::InvalidValue => {
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

fn tracking_switches(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.set_tracking, "its tracking cannot be switched");
    for on in [false, true, true, false, true] {
        mount.set_tracking(Tracking { on, ..Tracking::SIDEREAL })?;
        ensure!(mount.state()?.tracking.on == on, "tracking set {on} reads {}", mount.state()?.tracking.on);
    }
    Ok(())
}

fn tracking_rates_are_taken(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let caps = mount.caps()?;
    require!(caps.set_tracking, "its tracking cannot be switched");
    for rate in astrobackend::device::TrackingRate::ALL {
        let result = mount.set_tracking(Tracking { rate, ..Tracking::SIDEREAL });
        if caps.tracking_rates.contains(&rate) {
            result?;
            ensure!(mount.state()?.tracking.rate == rate, "set to {rate} it reads {}", mount.state()?.tracking.rate);
        } else {
            refused(&*mount, &format!("{rate} tracking"), result, &[ErrorKind::Unsupported, ErrorKind::InvalidValue])?;
        }
    }
    mount.set_tracking(Tracking::SIDEREAL)?;
    Ok(())
}

fn tracking_follows_the_sky(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.set_tracking, "its tracking cannot be switched");
    mount.slew(place(&*mount, -1.0, 5.0)?, &lab.wait())?;
    let moved = |tracking: Tracking| -> Result<f64, Stop> {
        mount.set_tracking(tracking)?;
        let before = mount.state()?;
        let start = before.utc.ok_or_else(|| Stop::Skip("it knows no time".into()))?;
        let look = || {
            let state = mount.state()?;
            let passed = state.utc.is_some_and(|now| now.duration_since(start).as_secs() >= 4);
            Ok(passed.then_some(state.position))
        };
        let after = lab.wait().until("four seconds of the mount's clock", look, || Ok(()))?;
        Ok(off(after, before.position) * 60.0)
    };
    let (still, drift) = (moved(Tracking::SIDEREAL)?, moved(Tracking::OFF)?);
    mount.set_tracking(Tracking::SIDEREAL)?;
    ensure!(still < 10.0, "tracking, it moved {still} arcseconds in four seconds");
    ensure!(drift > 20.0, "not tracking, it moved only {drift} arcseconds in four seconds");
    Ok(())
}

fn parks_twice_and_unparks_twice(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.park && mount.caps()?.unpark, "it cannot park");
    mount.start_park()?;
    ensure!(mount.state()?.slewing || mount.state()?.parked, "right after the command it neither moves nor is parked");
    still(lab, &*mount)?;
    for _ in 0..2 {
        mount.park(&lab.wait())?;
        ensure!(mount.state()?.parked, "it is not parked");
        ensure!(!mount.state()?.tracking.on, "parked, it tracks");
    }
    for _ in 0..2 {
        mount.unpark(&lab.wait())?;
        ensure!(!mount.state()?.parked, "it is still parked");
    }
    Ok(())
}

fn a_parked_mount_refuses_to_move(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let caps = mount.caps()?;
    require!(caps.park && caps.unpark, "it cannot park");
    let target = place(&*mount, -1.0, 5.0)?;
    mount.park(&lab.wait())?;
    let parked = &[ErrorKind::Parked];
    let checks = || -> Outcome {
        refused(&*mount, "a slew while parked", mount.start_slew(target.into()), parked)?;
        refused(&*mount, "tracking while parked", mount.set_tracking(Tracking::SIDEREAL), parked)?;
        if caps.sync {
            refused(&*mount, "a sync while parked", mount.sync(target.into()), parked)?;
        }
        if caps.pulse_guide {
            let pulse = mount.pulse_guide(GuideDirection::North, Duration::from_secs(1));
            refused(&*mount, "a pulse while parked", pulse, parked)?;
        }
        if !caps.axis_rates[0].is_empty() {
            let rate = *caps.axis_rates[0][0].end();
            refused(&*mount, "an axis driven while parked", mount.move_axis(Axis::Primary, rate), parked)?;
        }
        if caps.home {
            refused(&*mount, "homing while parked", mount.start_home(), parked)?;
        }
        ensure!(mount.state()?.parked && !mount.state()?.slewing, "it moved although it refused");
        Ok(())
    };
    let outcome = checks();
    mount.unpark(&lab.wait())?;
    outcome
}

fn home_is_found(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    if !mount.caps()?.home {
        refused(&*mount, "finding home", mount.start_home(), &[ErrorKind::Unsupported])?;
        require!(false, "it has no home");
    }
    mount.home(&lab.wait())?;
    ensure!(mount.state()?.at_home, "it is not at home");
    if mount.caps()?.set_tracking {
        mount.set_tracking(Tracking::SIDEREAL)?;
    }
    mount.slew(place(&*mount, -1.0, 5.0)?, &lab.wait())?;
    ensure!(!mount.state()?.at_home, "it is at home everywhere");
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

fn guide_rates_are_kept(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let Some(before) = mount.guide_rates()? else { return Err(Stop::Skip("it tells no guide rates".into())) };
    ensure!(before.ra.0 > 0.0 && before.ra.0 < 1.0, "a guide rate of {}", before.ra);
    require!(mount.caps()?.set_guide_rates, "its guide rates cannot be set");
    let half = DegreesPerSecond(0.7 * 15.041 / 3600.0);
    mount.set_guide_rates(GuideRates { ra: half, dec: half })?;
    let read = mount.guide_rates()?;
    mount.set_guide_rates(before)?;
    let close = read.is_some_and(|read| (read.ra.0 - half.0).abs() < 1e-5 && (read.dec.0 - half.0).abs() < 1e-5);
    ensure!(close, "set to {half} they read {read:?}");
    Ok(())
}

fn guide_pulses_move_it_the_right_way(lab: &Lab) -> Outcome {
    use GuideDirection::{East, North, South, West};
    let mount = lab.mount()?;
    let pulse = Duration::from_secs(4);
    if !mount.caps()?.pulse_guide {
        refused(&*mount, "a pulse", mount.pulse_guide(North, pulse), &[ErrorKind::Unsupported])?;
        require!(false, "it takes no guide pulses");
    }
    mount.slew(place(&*mount, -1.0, -20.0)?, &lab.wait())?;
    for direction in [North, South, East, West] {
        let before = mount.state()?.position;
        mount.pulse_guide(direction, pulse)?;
        ensure!(mount.state()?.pulse_guiding, "right after a pulse {direction:?} it does not guide");
        let look = || Ok((!mount.state()?.pulse_guiding).then_some(()));
        lab.wait().until("the pulse", look, || Ok(()))?;
        let after = mount.state()?.position;
        let ra = (after.ra - before.ra).signed().0 * 15.0 * 3600.0;
        let dec = (after.dec - before.dec).0 * 3600.0;
        let way = match direction {
            North => dec,
            South => -dec,
            East => ra,
            West => -ra,
        };
        ensure!(way > 1.0, "a pulse {direction:?} moved it {ra}, {dec} arcseconds in right ascension and declination");
    }
    Ok(())
}

fn an_axis_is_driven_and_stopped(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let Some(rates) = mount.caps()?.axis_rates[1].first().cloned() else {
        let result = mount.move_axis(Axis::Secondary, DegreesPerSecond(1.0));
        refused(&*mount, "driving an axis", result, &[ErrorKind::Unsupported])?;
        return Err(Stop::Skip("its axes cannot be driven".into()));
    };
    let too_fast = DegreesPerSecond(rates.end().0 * 10.0 + 1.0);
    refused(&*mount, "too fast an axis", mount.move_axis(Axis::Secondary, too_fast), &[ErrorKind::InvalidValue])?;
    mount.slew(place(&*mount, -1.0, -20.0)?, &lab.wait())?;
    let before = mount.state()?.position;
    mount.move_axis(Axis::Secondary, *rates.end())?;
    ensure!(mount.state()?.slewing, "driven by hand it does not count as slewing");
    let look = || Ok((off(mount.state()?.position, before) > 1.0).then_some(()));
    let moved = lab.wait().until("the axis to move", look, || Ok(()));
    mount.move_axis(Axis::Secondary, DegreesPerSecond(0.0))?;
    moved?;
    let state = still(lab, &*mount)?;
    ensure!(state.tracking.on, "after the axis was stopped it does not track any more");
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
