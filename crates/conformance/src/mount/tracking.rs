//! Following the sky: tracking, guiding, and axes driven by hand.

use super::{off, place, still};
use crate::{Lab, Outcome, Stop, case_list, ensure, require, target::refused};
use astrobackend::{
    DegreesPerSecond, ErrorKind,
    device::{Axis, GuideDirection, GuideRates, MountExt, Tracking},
};
use std::time::Duration;

case_list!("mount": tracking_switches, tracking_rates_are_taken, rate_offsets_are_taken, tracking_follows_the_sky, guide_rates_are_kept, guide_pulses_move_it_the_right_way, an_axis_is_driven_and_stopped);

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

fn rate_offsets_are_taken(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    require!(mount.caps()?.set_tracking, "its tracking cannot be switched");
    let wanted = Tracking { ra_offset: 0.01, dec_offset: -0.5, ..Tracking::SIDEREAL };
    let (ra, dec) = mount.caps()?.rate_offsets;
    let result = mount.set_tracking(wanted);
    if !(ra && dec) {
        let kinds = &[ErrorKind::Unsupported, ErrorKind::InvalidValue];
        refused(&*mount, "offsets to the rate", result, kinds)?;
        return Err(Stop::Skip("it takes no offsets in both axes".into()));
    }
    result?;
    let read = mount.state()?.tracking;
    mount.set_tracking(Tracking::SIDEREAL)?;
    let close = (read.ra_offset - wanted.ra_offset).abs() < 1e-6 && (read.dec_offset - wanted.dec_offset).abs() < 1e-6;
    ensure!(close && read.on, "set to {wanted:?} it reads {read:?}");
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
