//! The cooler of a camera: `CCD_TEMPERATURE`, `CCD_COOLER`, `CCD_COOLER_POWER`.

use super::{
    handle::{Handle, Values},
    store::Device,
};
use crate::{
    Celsius, Error, Result,
    device::{Cooler, CoolerCaps},
};

/// The thermometer, and the set point when it is written.
pub(super) const TEMPERATURE: (&str, &str) = ("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE");

/// Switches the cooler.
pub(super) const SWITCH: &str = "CCD_COOLER";

/// The element that does it.
pub(super) const OFF: &str = "COOLER_OFF";

/// What the cooler can do; `None` without one.
pub(super) fn caps(device: &Device) -> Option<CoolerCaps> {
    if !device.can_set(SWITCH) && !device.can_set(TEMPERATURE.0) {
        return None;
    }
    let limits = device.limits(TEMPERATURE.0, TEMPERATURE.1).filter(|_| device.can_set(TEMPERATURE.0));
    let range = |(min, max)| Celsius(min)..=Celsius(max);
    // Without limits from the driver, those of physics.
    let set_point = limits.map(|limits| range(limits.range().unwrap_or((-273.15, 100.0))));
    Some(CoolerCaps { set_point, power: power(device).is_some() })
}

/// Older and newer drivers name the element differently.
fn power(device: &Device) -> Option<f64> {
    let vector = device.property("CCD_COOLER_POWER")?;
    ["CCD_COOLER_VALUE", "COOLER_POWER"].iter().find_map(|element| vector.number(element)).map(|number| number.value)
}

/// What the cooler is doing. Nothing tells the set point but the command, ours or another client's.
pub(super) fn state(device: &Device) -> Option<Cooler> {
    caps(device)?;
    let set_point = device.limits(TEMPERATURE.0, TEMPERATURE.1).and_then(|number| number.requested).map(Celsius);
    let on = device.switch(SWITCH, "COOLER_ON").unwrap_or(set_point.is_some());
    Some(Cooler { on, set_point, power: power(device) })
}

/// Switches the cooler, with the temperature to reach.
pub(super) fn set(handle: &Handle, set_point: Option<Celsius>) -> Result<()> {
    let (caps, has_switch) = handle.read(|device| Ok((caps(device), device.can_set(SWITCH))))?;
    let Some(caps) = caps else { return handle.fail(Error::unsupported("has no cooler")) };
    let Some(wanted) = set_point else {
        return match has_switch {
            true => handle.switch_on(SWITCH, OFF),
            false => handle.fail(Error::unsupported("cannot switch its cooler off")),
        };
    };
    match &caps.set_point {
        None => return handle.fail(Error::unsupported("has a cooler without a set point")),
        Some(range) if !range.contains(&wanted) => {
            let message = format!("{wanted} is not within {} to {}", range.start(), range.end());
            return handle.fail(Error::invalid(message));
        }
        Some(_) => {}
    }
    if has_switch {
        handle.switch_on(SWITCH, "COOLER_ON")?;
    }
    aim(handle, wanted.0)
}

/// Sets the temperature to reach.
///
/// The answer is that the driver has begun: some keep the vector busy until the temperature is reached,
/// some for ever.
pub(super) fn aim(handle: &Handle, degrees: f64) -> Result<()> {
    let values = Values::Numbers(&[(TEMPERATURE.1, degrees)]);
    let order = handle.send(TEMPERATURE.0, values)?;
    handle.finish(&order, |device| device.property(TEMPERATURE.0).is_some_and(|it| it.seq > order.mark))?;
    handle.declare(TEMPERATURE.0, values);
    Ok(())
}
