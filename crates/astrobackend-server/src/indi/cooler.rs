//! The cooler of a camera: `CCD_TEMPERATURE`, `CCD_COOLER`, `CCD_COOLER_POWER`.

use super::{
    order::Order,
    part::Done,
    property::{MAIN, Property, With, number, numbers, switch, switches},
};
use astrobackend::{
    Celsius, Error, Result,
    device::{Camera, CameraCaps, CameraState},
    wire::indi::{Rule, State},
};

const TEMPERATURE: &str = "CCD_TEMPERATURE";
const COOLER: &str = "CCD_COOLER";

/// As near as the sensor has to come to count as cooled.
const NEAR: f64 = 1.0;

/// Thermometer and cooler as properties.
pub(super) fn properties(caps: &CameraCaps, state: &CameraState) -> Vec<Property> {
    let mut all = Vec::new();
    if let Some(temperature) = state.temperature {
        let range = caps.cooler.as_ref().and_then(|cooler| cooler.set_point.clone());
        let limits = range.as_ref().map_or((-273.15, 100.0, 0.0), |range| (range.start().0, range.end().0, 0.0));
        let element = number("CCD_TEMPERATURE_VALUE", "Celsius", temperature.0, "%5.2f", limits);
        let under_way = state.cooler.filter(|cooler| cooler.on).and_then(|cooler| cooler.set_point);
        let state = match under_way {
            Some(target) if (target.0 - temperature.0).abs() > NEAR => State::Busy,
            _ => State::Ok,
        };
        all.push(numbers(TEMPERATURE, "Temperature", MAIN, [element]).writable_if(range.is_some()).state(state));
    }
    let Some(cooler) = state.cooler.filter(|_| caps.cooler.is_some()) else { return all };
    let both = [switch("COOLER_ON", "On", cooler.on), switch("COOLER_OFF", "Off", !cooler.on)];
    let on = if cooler.on { State::Ok } else { State::Idle };
    all.push(switches(COOLER, "Cooler", MAIN, Rule::OneOfMany, both).writable().state(on));
    if let Some(power) = cooler.power {
        let element = number("CCD_COOLER_VALUE", "Power (%)", power, "%5.1f", (0.0, 100.0, 0.0));
        all.push(numbers("CCD_COOLER_POWER", "Cooler power", MAIN, [element]));
    }
    all
}

/// Cools as is asked; `None` when the order is for another property.
pub(super) fn obey(camera: &dyn Camera, state: &CameraState, order: &Order) -> Option<Result<Done>> {
    let wanted = match (order.property.as_str(), order.on()) {
        (TEMPERATURE, _) => match order.number("CCD_TEMPERATURE_VALUE") {
            Some(degrees) => Some(Celsius(degrees)),
            None => return Some(Err(Error::invalid("a temperature is missing"))),
        },
        (COOLER, Some("COOLER_ON")) => {
            // The switch says nothing of a temperature: the one before, or no change yet.
            let before = state.cooler.and_then(|cooler| cooler.set_point);
            let here = state.temperature.map(|temperature| Celsius(temperature.0.round()));
            Some(before.or(here).unwrap_or(Celsius(0.0)))
        }
        (COOLER, _) => None,
        _ => return None,
    };
    Some(camera.set_cooler(wanted).map(|()| match wanted {
        Some(_) if order.property == TEMPERATURE => Done::Begun(vec![(TEMPERATURE, State::Busy)]),
        _ => Done::Begun(Vec::new()),
    }))
}
