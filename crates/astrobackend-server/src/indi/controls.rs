//! Settings that are plain numbers, switches or choices, in the properties where INDI's clients look for them.
//!
//! Where INDI has no name for one it has a name of our own, which our client knows too.

use super::{
    order::Order,
    part::Done,
    property::{MAIN, OPTIONS, Property, SETTINGS, With, number, numbers, on_off, switch, switches},
};
use astrobackend::{
    Error, Result,
    device::{Control, ControlInfo, Device},
    wire::indi::{Elements, Rule},
};

/// Where a control is shown.
#[derive(Debug)]
struct Place {
    control: Control,
    property: &'static str,
    label: &'static str,
    group: &'static str,
    shape: Shape,
}

/// As what.
#[derive(Debug)]
enum Shape {
    /// A number, element and label; several may share a vector.
    Number(&'static str, &'static str),
    /// On and off.
    Switch,
    /// One of several names.
    Choice,
}

const fn place(
    control: Control,
    property: &'static str,
    label: &'static str,
    group: &'static str,
    shape: Shape,
) -> Place {
    Place { control, property, label, group, shape }
}

use Shape::{Choice, Number, Switch};

const PLACES: &[Place] = &[
    place(Control::Gain, "CCD_GAIN", "Gain", MAIN, Number("GAIN", "Gain")),
    place(Control::Offset, "CCD_OFFSET", "Offset", MAIN, Number("OFFSET", "Offset")),
    place(Control::UsbBandwidth, "CCD_CONTROLS", "Controls", SETTINGS, Number("BandWidth", "USB bandwidth")),
    place(Control::DewHeater, "CCD_CONTROLS", "Controls", SETTINGS, Number("AntiDewHeater", "Dew heater")),
    place(Control::Fan, "CCD_CONTROLS", "Controls", SETTINGS, Number("FanOn", "Fan")),
    place(Control::ReadoutMode, "READOUT_MODE", "Readout mode", SETTINGS, Choice),
    place(Control::FastReadout, "CCD_FAST_READOUT", "Fast readout", SETTINGS, Switch),
    place(Control::SubExposure, "CCD_SUB_EXPOSURE", "Sub-exposure", SETTINGS, Number("SUB_EXPOSURE_VALUE", "Seconds")),
    place(Control::TemperatureCompensation, "FOCUS_TEMPERATURE_COMPENSATION", "Follow temperature", OPTIONS, Switch),
    place(Control::Reversed, "FOCUS_REVERSE_MOTION", "Reverse motion", MAIN, Switch),
    place(Control::Backlash, "FOCUS_BACKLASH_STEPS", "Backlash", OPTIONS, Number("FOCUS_BACKLASH_VALUE", "Steps")),
    place(Control::Speed, "FOCUS_SPEED", "Speed", OPTIONS, Number("FOCUS_SPEED_VALUE", "Speed")),
    place(Control::MaxPosition, "FOCUS_MAX", "Largest position", MAIN, Number("FOCUS_MAX_VALUE", "Steps")),
    place(Control::SettleTime, "TELESCOPE_SETTLE_TIME", "Settle time", OPTIONS, Number("SETTLE_TIME_VALUE", "Seconds")),
    place(Control::Refraction, "TELESCOPE_REFRACTION", "Correct refraction", OPTIONS, Switch),
];

/// The settings of a device and their values.
pub(super) type Settings = Vec<(ControlInfo, f64)>;

/// Reads them all; one that cannot be read now is left out.
///
/// # Errors
/// What listing them fails with.
pub(super) fn read(device: &dyn Device) -> Result<Settings> {
    let infos = device.controls()?;
    Ok(infos.into_iter().filter_map(|info| device.control(info.control).ok().map(|value| (info, value))).collect())
}

/// The settings as properties.
pub(super) fn properties(settings: &Settings) -> Vec<Property> {
    let mut all: Vec<Property> = Vec::new();
    for place in PLACES {
        let Some((info, value)) = settings.iter().find(|(info, _)| info.control == place.control) else { continue };
        let same = all.iter_mut().find(|property| property.name == place.property);
        match (same, shown(place, info, *value)) {
            (Some(same), property) => join(same, property),
            (None, property) => all.push(property.writable_if(info.writable)),
        }
    }
    all
}

fn shown(place: &Place, info: &ControlInfo, value: f64) -> Property {
    match &place.shape {
        Shape::Number(element, label) => {
            let format = if info.step.fract() == 0.0 && info.step > 0.0 { "%.f" } else { "%.3f" };
            let element = number(element, label, value, format, (info.min, info.max, info.step));
            numbers(place.property, place.label, place.group, [element])
        }
        Shape::Switch => on_off(place.property, place.label, place.group, value >= 0.5),
        Shape::Choice => {
            let chosen = (value - info.min).round() as usize;
            let choices = info.choices.iter().enumerate();
            let choice = |(n, name): (usize, &String)| switch(format!("MODE_{n}"), name.clone(), n == chosen);
            switches(place.property, place.label, place.group, Rule::OneOfMany, choices.map(choice))
        }
    }
}

fn join(vector: &mut Property, other: Property) {
    if let (Elements::Number(all), Elements::Number(more)) = (&mut vector.elements, other.elements) {
        all.extend(more);
    }
}

/// True for a property that is a setting.
pub(super) fn is_setting(property: &str) -> bool {
    PLACES.iter().any(|place| place.property == property)
}

/// Changes a setting, or those that share a property.
///
/// # Errors
/// The device's refusal.
pub(super) fn obey(device: &dyn Device, settings: &Settings, order: &Order) -> Result<Done> {
    for place in PLACES.iter().filter(|place| place.property == order.property) {
        let Some((info, _)) = settings.iter().find(|(info, _)| info.control == place.control) else { continue };
        let value = match &place.shape {
            Shape::Number(element, _) => order.number(element),
            Shape::Switch => order.on().map(|on| f64::from(u8::from(on == "INDI_ENABLED"))),
            Shape::Choice => {
                let number = order.on().and_then(|on| on.strip_prefix("MODE_")?.parse::<u32>().ok());
                number.map(|number| info.min + f64::from(number))
            }
        };
        if let Some(value) = value {
            device.set_control(place.control, value)?;
        }
    }
    match is_setting(&order.property) {
        true => Ok(Done::Set),
        false => Err(Error::unsupported(format!("{} cannot be changed", order.property))),
    }
}
