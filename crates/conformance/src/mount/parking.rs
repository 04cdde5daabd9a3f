//! Parking and home: where the mount rests, and that it rests.

use super::{place, still};
use crate::{Lab, Outcome, case_list, ensure, require, target::refused};
use astrobackend::{
    ErrorKind,
    device::{Axis, GuideDirection, MountExt, Tracking},
};
use std::time::Duration;

case_list!("mount": parks_twice_and_unparks_twice, a_parked_mount_refuses_to_move, the_parking_place_can_be_chosen, home_is_found);

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
        mount.abort()?;
        ensure!(mount.state()?.parked && !mount.state()?.slewing, "it moved although it refused");
        Ok(())
    };
    let outcome = checks();
    mount.unpark(&lab.wait())?;
    outcome
}

fn the_parking_place_can_be_chosen(lab: &Lab) -> Outcome {
    let mount = lab.mount()?;
    let caps = mount.caps()?;
    if !caps.set_park {
        refused(&*mount, "choosing the parking place", mount.set_park(), &[ErrorKind::Unsupported])?;
        require!(false, "its parking place cannot be chosen");
    }
    // Others use a shared mount too, and nobody could put its old place back.
    require!(lab.is_isolated(), "others park it too");
    mount.slew(place(&*mount, -1.0, 5.0)?, &lab.wait())?;
    mount.set_park()?;
    let Some(chosen) = mount.state()?.horizon else { return Ok(()) };
    mount.slew(place(&*mount, 2.0, -10.0)?, &lab.wait())?;
    mount.park(&lab.wait())?;
    let Some(parked) = mount.state()?.horizon else { return Ok(()) };
    // Between the two calls the sky goes on.
    ensure!(parked.separation(chosen).0 < 1.0, "told to park at {chosen} it stands at {parked}");
    Ok(())
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
