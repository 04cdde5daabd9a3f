//! `IFilterWheelV3` over the contract's filter wheel.

use astrobackend::{
    Error, Result,
    device::{Age, FilterWheel, FilterWheelState},
    wire::alpaca::{
        reply::Value::{self, Int, Ints, Texts},
        request::Arguments,
    },
};

/// What can be read.
pub(super) fn get(wheel: &dyn FilterWheel, name: &str) -> Result<Value> {
    match name {
        "focusoffsets" => Ok(Ints(wheel.filters()?.iter().map(|filter| filter.focus_offset).collect())),
        "names" => Ok(Texts(names(wheel)?)),
        "position" => Ok(Int(position(wheel.state()?))),
        _ => Err(Error::protocol(format!("{name} is not known"))),
    }
}

/// A place without a name is called by its number.
fn names(wheel: &dyn FilterWheel) -> Result<Vec<String>> {
    let name =
        |(place, name): (usize, String)| if name.trim().is_empty() { format!("Filter {}", place + 1) } else { name };
    Ok(wheel.filters()?.into_iter().map(|filter| filter.name).enumerate().map(name).collect())
}

/// −1 while it turns.
fn position(state: FilterWheelState) -> i32 {
    state.position.and_then(|place| i32::try_from(place).ok()).unwrap_or(-1)
}

/// `DeviceState`.
pub(super) fn states(wheel: &dyn FilterWheel) -> Result<(Vec<(&'static str, Value)>, Age)> {
    let state = wheel.state()?;
    Ok((vec![("Position", Int(position(state)))], state.age))
}

/// What can be changed.
pub(super) fn put(wheel: &dyn FilterWheel, name: &str, arguments: &Arguments) -> Result<()> {
    if name != "position" {
        return Err(Error::protocol(format!("{name} is not known")));
    }
    let (place, places) = (arguments.int(0)?, wheel.filters()?.len());
    match usize::try_from(place).ok().filter(|place| *place < places) {
        Some(place) => wheel.start_move(place),
        None => Err(Error::invalid(format!("place {place} is not within 0 to {}", places.saturating_sub(1)))),
    }
}
