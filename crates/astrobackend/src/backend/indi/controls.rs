//! Settings that are plain numbers or switches, by the places where drivers keep them.

use super::{
    handle::{Handle, Values},
    property::{Element, Property, Value},
    store::Device,
};
use crate::{
    Error, Result,
    device::{Control, ControlInfo, find_control},
};

/// Where a control may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    control: Control,
    property: &'static str,
    /// The number; `None` for a vector of switches of which one is on.
    element: Option<&'static str>,
    /// A vector that switches the number's effect on and off; off is the value 0.
    switch: Option<&'static str>,
}

impl Place {
    /// A number.
    pub(super) const fn number(control: Control, property: &'static str, element: &'static str) -> Self {
        Place { control, property, element: Some(element), switch: None }
    }

    /// A number that another vector switches on and off.
    pub(super) const fn switched(
        control: Control,
        property: &'static str,
        element: &'static str,
        switch: &'static str,
    ) -> Self {
        Place { control, property, element: Some(element), switch: Some(switch) }
    }

    /// One of several switches.
    pub(super) const fn choice(control: Control, property: &'static str) -> Self {
        Place { control, property, element: None, switch: None }
    }
}

/// The settings that the device has. None while it is not connected.
pub(super) fn list(handle: &Handle, places: &[Place]) -> Result<Vec<ControlInfo>> {
    handle.read_any(|device| {
        let mut all: Vec<ControlInfo> = Vec::new();
        for place in places {
            if all.iter().all(|known| known.control != place.control) {
                all.extend(describe(device, place));
            }
        }
        Ok(all)
    })
}

fn describe(device: &Device, place: &Place) -> Option<ControlInfo> {
    let vector = device.property(place.property)?;
    let control = place.control;
    let info = match place.element {
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
fn find_place(handle: &Handle, places: &[Place], control: Control) -> Result<Place> {
    handle.read(|device| {
        let here = |place: &&Place| place.control == control && describe(device, place).is_some();
        places.iter().find(here).copied().ok_or_else(|| Error::unsupported(format!("has no {control} control")))
    })
}

/// The value of a setting.
pub(super) fn get(handle: &Handle, places: &[Place], control: Control) -> Result<f64> {
    let place = find_place(handle, places, control)?;
    handle.read(|device| {
        if place.switch.is_some_and(|switch| device.switch(switch, "INDI_DISABLED") == Some(true)) {
            return Ok(0.0);
        }
        let vector = device.property(place.property).ok_or_else(Error::not_connected)?;
        let is_on = |one: &Element| matches!(one.value, Value::Switch(true));
        let value = match (place.element, on_and_off(vector)) {
            (Some(element), _) => find(vector, element).and_then(|one| vector.number(&one.name)).map(|one| one.value),
            (None, Some((on, _))) => Some(f64::from(is_on(on))),
            (None, None) => vector.elements.iter().position(is_on).map(|n| n as f64),
        };
        let unclear = || Error::protocol(format!("{} does not say which {control} is in effect", place.property));
        value.ok_or_else(unclear)
    })
}

/// Changes a setting.
pub(super) fn set(handle: &Handle, places: &[Place], control: Control, value: f64) -> Result<()> {
    let all = list(handle, places)?;
    let place = find_place(handle, places, control)?;
    find_control(&all, control).and_then(|info| info.check(value)).map_err(|error| handle.name(error))?;
    let name = handle.read(|device| {
        let vector = device.property(place.property).ok_or_else(Error::not_connected)?;
        let found = match (place.element, on_and_off(vector)) {
            (Some(element), _) => find(vector, element),
            (None, Some((on, off))) => Some(if value >= 0.5 { on } else { off }),
            (None, None) => vector.elements.get(value.round() as usize),
        };
        found.map(|one| one.name.clone()).ok_or_else(|| Error::unsupported(format!("has no {control} {value}")))
    })?;
    if let Some(switch) = place.switch.filter(|switch| handle.read(|device| Ok(device.can_set(switch))) == Ok(true)) {
        handle.switch_on(switch, if value == 0.0 { "INDI_DISABLED" } else { "INDI_ENABLED" })?;
        if value == 0.0 {
            return Ok(());
        }
    }
    match place.element {
        Some(_) => handle.set(place.property, Values::Numbers(&[(&name, value)])),
        None => handle.switch_on(place.property, &name),
    }
}
