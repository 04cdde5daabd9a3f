//! `IFocuserV4` over the contract's focuser.

use super::camera::setting;
use astrobackend::{
    Error, Result,
    device::{Age, Control, Focuser, FocuserCaps, FocuserState},
    wire::alpaca::{
        reply::Value::{self, Bool, Double, Int},
        request::Arguments,
    },
};

/// What can be read.
pub(super) fn get(focuser: &dyn Focuser, name: &str) -> Result<Value> {
    let caps = focuser.caps()?;
    let state = || focuser.state();
    Ok(match name {
        "absolute" => Bool(caps.absolute),
        "ismoving" => Bool(state()?.moving),
        "maxincrement" => Int(max_increment(&caps)),
        "maxstep" => Int(caps.max_position),
        "position" => Int(position(&state()?)?),
        "stepsize" => Double(caps.step_size.ok_or_else(|| Error::unsupported("does not know the length of a step"))?.0),
        "tempcomp" => Bool(compensates(focuser)?.unwrap_or(false)),
        "tempcompavailable" => Bool(compensates(focuser)?.is_some()),
        "temperature" => {
            let temperature = state()?.temperature;
            Double(temperature.ok_or_else(|| Error::unsupported("does not know its temperature"))?.0)
        }
        _ => return Err(Error::protocol(format!("{name} is not known"))),
    })
}

fn max_increment(caps: &FocuserCaps) -> i32 {
    caps.max_move.min(caps.max_position).max(1)
}

fn position(state: &FocuserState) -> Result<i32> {
    state.position.ok_or_else(|| Error::unsupported("is a relative focuser: it knows no position"))
}

/// Whether it follows the temperature; `None` when it cannot.
fn compensates(focuser: &dyn Focuser) -> Result<Option<bool>> {
    let controls = focuser.controls()?;
    let available = controls.iter().any(|info| info.control == Control::TemperatureCompensation && info.writable);
    if !available {
        return Ok(None);
    }
    setting(focuser, Control::TemperatureCompensation).map(|value| Some(value >= 0.5))
}

/// `DeviceState`.
pub(super) fn states(focuser: &dyn Focuser) -> Result<(Vec<(&'static str, Value)>, Age)> {
    let state = focuser.state()?;
    let mut states = vec![("IsMoving", Bool(state.moving))];
    states.extend(state.position.map(|position| ("Position", Int(position))));
    states.extend(state.temperature.map(|temperature| ("Temperature", Double(temperature.0))));
    Ok((states, state.age))
}

/// What can be changed or started.
pub(super) fn put(focuser: &dyn Focuser, name: &str, arguments: &Arguments) -> Result<()> {
    let caps = focuser.caps()?;
    match name {
        "halt" if !caps.halt => Err(Error::unsupported("cannot be stopped")),
        "halt" => focuser.halt(),
        "move" => start_move(focuser, &caps, arguments.int(0)?),
        "tempcomp" => {
            compensates(focuser)?.ok_or_else(|| Error::unsupported("cannot follow the temperature"))?;
            focuser.set_control(Control::TemperatureCompensation, f64::from(u8::from(arguments.bool(0)?)))
        }
        _ => Err(Error::protocol(format!("{name} is not known"))),
    }
}

/// To a position, or, for a relative focuser, by a number of steps.
fn start_move(focuser: &dyn Focuser, caps: &FocuserCaps, target: i32) -> Result<()> {
    let refuse = |low: i32, high: i32, what: &str| {
        if (low..=high).contains(&target) {
            return Ok(());
        }
        Err(Error::invalid(format!("{what} {target} is not within {low} to {high}")))
    };
    if caps.absolute {
        refuse(0, caps.max_position, "position")?;
        return focuser.start_move(target);
    }
    let most = max_increment(caps);
    refuse(-most, most, "a move by")?;
    focuser.start_move_by(target)
}
