//! The focuser: moves that end when the device stands, not when the target was echoed.

use crate::{
    Lab, Outcome, Stop, case_list, ensure, require,
    target::{connects, controls_obey_their_ranges, refused, unknown_action_is_refused},
};
use astrobackend::{
    Cancel, ErrorKind, Wait,
    device::{DeviceKind, DeviceState, Focuser, FocuserExt},
    event::EventKind,
};
use std::time::Duration;

case_list!("focuser": connects_and_disconnects, controls, unknown_action, stands_within_its_range, a_move_is_busy_at_once_and_ends_there,
    beyond_the_range_is_refused, relative_moves_count_from_here, halt_stops_it_on_the_way, halt_when_standing_is_fine,
    a_cancelled_move_is_halted, a_timeout_halts_it, a_move_is_an_event, sync_declares_the_position);

fn connects_and_disconnects(lab: &Lab) -> Outcome {
    connects(&lab.any(DeviceKind::Focuser)?)
}

fn controls(lab: &Lab) -> Outcome {
    controls_obey_their_ranges(&*lab.focuser()?)
}

fn unknown_action(lab: &Lab) -> Outcome {
    unknown_action_is_refused(&*lab.focuser()?)
}

/// Where it stands; skips the case for a relative focuser.
fn position(focuser: &dyn Focuser) -> Result<i32, Stop> {
    focuser.state()?.position.ok_or_else(|| Stop::Skip("the focuser knows no position".into()))
}

/// A place well away from here, within the range.
fn elsewhere(focuser: &dyn Focuser) -> Result<i32, Stop> {
    let (here, max) = (position(focuser)?, focuser.caps()?.max_position);
    Ok(if here > max / 2 { here - max / 5 } else { here + max / 5 })
}

fn stands_within_its_range(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    let (caps, state) = (focuser.caps()?, focuser.state()?);
    ensure!(caps.max_position > 0 && caps.max_move > 0, "its range is {caps:?}");
    ensure!(!state.moving, "it moves although nobody told it to");
    ensure!(state.position.is_some() == caps.absolute, "absolute {} but at {:?}", caps.absolute, state.position);
    if let Some(position) = state.position {
        ensure!((0..=caps.max_position).contains(&position), "{position} is beyond {}", caps.max_position);
    }
    if let Some(temperature) = state.temperature {
        ensure!((-60.0..60.0).contains(&temperature.0), "a temperature of {temperature}");
    }
    Ok(())
}

fn a_move_is_busy_at_once_and_ends_there(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    let target = elsewhere(&*focuser)?;
    focuser.start_move(target)?;
    let at_once = focuser.state()?;
    ensure!(at_once.moving, "right after the command it claims to stand: {at_once:?}");
    let look = || {
        let state = focuser.state()?;
        Ok((!state.moving).then_some(state.position))
    };
    let stood = lab.wait().until("the move", look, || Ok(()))?;
    ensure!(stood.is_some_and(|at| (at - target).abs() <= 1), "sent to {target}, it stood at {stood:?}");
    Ok(())
}

fn beyond_the_range_is_refused(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    let (before, max) = (position(&*focuser)?, focuser.caps()?.max_position);
    for target in [-1, max + 1, i32::MAX, i32::MIN] {
        let what = format!("position {target}");
        let error = refused(&*focuser, &what, focuser.start_move(target), &[ErrorKind::InvalidValue])?;
        let limit = if target < 0 { "0".to_owned() } else { max.to_string() };
        ensure!(error.to_string().contains(&limit), "the refusal does not name the limit {limit}: {error}");
        let too_far = focuser.move_to(target, &lab.wait());
        refused(&*focuser, &what, too_far, &[ErrorKind::InvalidValue])?;
    }
    refused(&*focuser, "a huge step", focuser.start_move_by(i32::MAX), &[ErrorKind::InvalidValue])?;
    ensure!(position(&*focuser)? == before, "it moved although it refused");
    Ok(())
}

fn relative_moves_count_from_here(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    let here = position(&*focuser)?;
    let steps = if here > 1000 { -500 } else { 500 };
    focuser.start_move_by(steps)?;
    let look = || Ok((!focuser.state()?.moving).then_some(()));
    lab.wait().until("the move", look, || Ok(()))?;
    let there = position(&*focuser)?;
    ensure!((there - here - steps).abs() <= 1, "{steps} from {here} led to {there}");
    focuser.move_by(-steps, &lab.wait())?;
    ensure!((position(&*focuser)? - here).abs() <= 1, "the way back did not lead to {here}");
    Ok(())
}

fn halt_stops_it_on_the_way(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    require!(focuser.caps()?.halt, "it cannot be halted");
    let (here, target) = (position(&*focuser)?, elsewhere(&*focuser)?);
    focuser.start_move(target)?;
    focuser.halt()?;
    let look = || Ok((!focuser.state()?.moving).then_some(()));
    lab.wait().until("halting", look, || Ok(()))?;
    let stood = position(&*focuser)?;
    ensure!(stood != target, "it went on to {target}");
    ensure!(
        (here.min(target)..=here.max(target)).contains(&stood),
        "it stands at {stood}, not between {here} and {target}"
    );
    Ok(())
}

fn halt_when_standing_is_fine(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    require!(focuser.caps()?.halt, "it cannot be halted");
    focuser.halt()?;
    Ok(())
}

fn a_cancelled_move_is_halted(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    require!(focuser.caps()?.halt, "it cannot be halted");
    let target = elsewhere(&*focuser)?;
    let cancel = Cancel::new();
    cancel.cancel();
    let result = focuser.move_to(target, &lab.wait().cancelled_by(&cancel));
    refused(&*focuser, "a cancelled move", result, &[ErrorKind::Cancelled])?;
    let look = || Ok((!focuser.state()?.moving).then_some(()));
    lab.wait().until("halting", look, || Ok(()))?;
    ensure!(position(&*focuser)? != target, "it went on to {target}");
    Ok(())
}

fn a_timeout_halts_it(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    require!(focuser.caps()?.halt, "it cannot be halted");
    let target = elsewhere(&*focuser)?;
    let result = focuser.move_to(target, &Wait::new(Duration::ZERO));
    refused(&*focuser, "a move without time", result, &[ErrorKind::Timeout])?;
    let look = || Ok((!focuser.state()?.moving).then_some(()));
    lab.wait().until("halting", look, || Ok(()))?;
    ensure!(position(&*focuser)? != target, "it went on to {target}");
    Ok(())
}

fn a_move_is_an_event(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    let target = elsewhere(&*focuser)?;
    let events = lab.backend.events();
    focuser.move_to(target, &lab.wait())?;
    let id = focuser.info().id;
    while let Some(event) = events.next(Duration::from_secs(10)) {
        if let EventKind::State(DeviceState::Focuser(state)) = &event.kind
            && event.device.as_ref() == Some(&id)
            && !state.moving
            && state.position.is_some_and(|at| (at - target).abs() <= 1)
        {
            return Ok(());
        }
    }
    Err(Stop::Fail("no event told that the focuser arrived".into()))
}

fn sync_declares_the_position(lab: &Lab) -> Outcome {
    let focuser = lab.focuser()?;
    require!(focuser.caps()?.sync, "it cannot be synchronised");
    let here = position(&*focuser)?;
    let other = if here > 1000 { here - 1000 } else { here + 1000 };
    focuser.sync(other)?;
    let read = position(&*focuser)?;
    focuser.sync(here)?;
    ensure!(read == other, "declared to be {other}, it reads {read}");
    Ok(())
}
