//! Settings that are plain numbers or switches, by the places where drivers keep them.

use super::{
    handle::{Handle, Values},
    store::{Device, Element, Property, Value},
};
use crate::{
    Error, Result,
    device::{Control, ControlInfo, find_control},
};

/// Where a control may be: a vector and an element, or a vector of switches of which one is on.
pub(super) type Place = (Control, &'static str, Option<&'static str>);

/// The settings that the device has. None while it is not connected.
pub(super) fn list(handle: &Handle, places: &[Place]) -> Result<Vec<ControlInfo>> {
    handle.read_any(|device| {
        let mut all: Vec<ControlInfo> = Vec::new();
        for (control, property, element) in places {
            if all.iter().all(|known| known.control != *control) {
                all.extend(describe(device, *control, property, *element));
            }
        }
        Ok(all)
    })
}

fn describe(device: &Device, control: Control, property: &str, element: Option<&str>) -> Option<ControlInfo> {
    let vector = device.property(property)?;
    let info = match element {
        Some(element) => {
            let number = vector.number(&find(vector, element)?.name)?;
            let (min, max) = number.range().unwrap_or((f64::MIN, f64::MAX));
            ControlInfo::range(control, min, max, number.step.max(0.0))
        }
        None if on_and_off(vector).is_some() => ControlInfo::switch(control),
        None => ControlInfo::choice(control, vector.elements.iter().map(Element::title)),
    };
    Some(ControlInfo { writable: vector.writable(), ..info })
}

/// Drivers do not agree on upper and lower case.
fn find<'a>(vector: &'a Property, element: &str) -> Option<&'a Element> {
    vector.elements.iter().find(|one| one.name.eq_ignore_ascii_case(element))
}

/// Where the places of on and off are, in a vector of those two.
fn on_and_off(vector: &Property) -> Option<(&Element, &Element)> {
    let [first, second] = &vector.elements[..] else { return None };
    let means_on = |element: &Element| ["INDI_ENABLED", "ENABLE", "ENABLED", "ON"].contains(&element.name.as_str());
    match (means_on(first), means_on(second)) {
        (true, false) => Some((first, second)),
        (false, true) => Some((second, first)),
        _ => None,
    }
}

/// The place that this device has.
fn place(handle: &Handle, places: &[Place], control: Control) -> Result<Place> {
    handle.read(|device| {
        let here = |(wanted, property, element): &&Place| {
            *wanted == control && describe(device, control, property, *element).is_some()
        };
        places.iter().find(here).copied().ok_or_else(|| Error::unsupported(format!("has no {control} control")))
    })
}

/// The value of a setting.
pub(super) fn get(handle: &Handle, places: &[Place], control: Control) -> Result<f64> {
    let (_, property, element) = place(handle, places, control)?;
    handle.read(|device| {
        let vector = device.property(property).ok_or_else(Error::not_connected)?;
        let value = match (element, on_and_off(vector)) {
            (Some(element), _) => find(vector, element).and_then(|one| vector.number(&one.name)).map(|one| one.value),
            (None, Some((on, _))) => Some(f64::from(matches!(on.value, Value::Switch(true)))),
            (None, None) => {
                vector.elements.iter().position(|one| matches!(one.value, Value::Switch(true))).map(|n| n as f64)
            }
        };
        value.ok_or_else(|| Error::protocol(format!("{property} does not say which {control} is in effect")))
    })
}

/// Changes a setting.
pub(super) fn set(handle: &Handle, places: &[Place], control: Control, value: f64) -> Result<()> {
    let all = list(handle, places)?;
    let (_, property, element) = place(handle, places, control)?;
    find_control(&all, control).and_then(|info| info.check(value)).map_err(|error| handle.name(error))?;
    let name = handle.read(|device| {
        let vector = device.property(property).ok_or_else(Error::not_connected)?;
        let found = match (element, on_and_off(vector)) {
            (Some(element), _) => find(vector, element),
            (None, Some((on, off))) => Some(if value >= 0.5 { on } else { off }),
            (None, None) => vector.elements.get(value.round() as usize),
        };
        found.map(|one| one.name.clone()).ok_or_else(|| Error::unsupported(format!("has no {control} {value}")))
    })?;
    match element {
        Some(_) => handle.set(property, Values::Numbers(&[(&name, value)])),
        None => handle.switch_on(property, &name),
    }
}
