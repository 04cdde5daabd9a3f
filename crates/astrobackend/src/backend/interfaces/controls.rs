//! Settings: those of ASCOM member by member, or all that a server of ours has.

use super::{
    carrier::{Argument, Arguments},
    extras,
    handle::{Handle, Remembered},
};
use crate::{
    ErrorKind, Result,
    backend::keeping::Declared,
    device::{Control, ControlInfo, find_control},
    wire::alpaca::extensions,
};
use serde_json::Value;

/// Where a setting is in ASCOM: the member, its parameter, and how a value is written.
struct Place {
    control: Control,
    member: &'static str,
    parameter: &'static str,
    write: fn(f64) -> Argument,
}

fn whole(value: f64) -> Argument {
    Argument::Integer(value.round() as i64)
}

fn switch(value: f64) -> Argument {
    Argument::Bool(value != 0.0)
}

const PLACES: &[Place] = &[
    Place { control: Control::Gain, member: "gain", parameter: "Gain", write: whole },
    Place { control: Control::Offset, member: "offset", parameter: "Offset", write: whole },
    Place { control: Control::ReadoutMode, member: "readoutmode", parameter: "ReadoutMode", write: whole },
    Place { control: Control::FastReadout, member: "fastreadout", parameter: "FastReadout", write: switch },
    Place {
        control: Control::SubExposure,
        member: "subexposureduration",
        parameter: "SubExposureDuration",
        write: Argument::Real,
    },
    Place { control: Control::TemperatureCompensation, member: "tempcomp", parameter: "TempComp", write: switch },
    Place { control: Control::SettleTime, member: "slewsettletime", parameter: "SlewSettleTime", write: whole },
    Place { control: Control::Refraction, member: "doesrefraction", parameter: "DoesRefraction", write: switch },
];

/// The settings that are known of a device.
pub(super) type Settings = Remembered<Vec<ControlInfo>>;

fn by_extension(handle: &Handle) -> Result<bool> {
    Ok(handle.common()?.extras.has(extensions::SETTINGS))
}

/// What there is, known or read; a device that is not connected and was never looked at has none.
fn known(
    handle: &Handle,
    settings: &Settings,
    ascom: impl FnOnce() -> Result<Vec<ControlInfo>>,
) -> Result<std::sync::Arc<Vec<ControlInfo>>> {
    settings.get(handle, || if by_extension(handle)? { extras::settings(handle) } else { ascom() })
}

/// All settings. Where a server of ours has them, their ranges are read anew: one may change another's.
pub(super) fn list(
    handle: &Handle,
    settings: &Settings,
    ascom: impl FnOnce() -> Result<Vec<ControlInfo>>,
) -> Result<Vec<ControlInfo>> {
    match by_extension(handle) {
        Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(Vec::new()),
        by_extension => {
            if by_extension? {
                settings.forget();
            }
        }
    }
    Ok(known(handle, settings, ascom)?.to_vec())
}

/// The value of a setting.
pub(super) fn get(
    handle: &Handle,
    settings: &Settings,
    control: Control,
    ascom: impl FnOnce() -> Result<Vec<ControlInfo>>,
) -> Result<f64> {
    let known = known(handle, settings, ascom)?;
    find_control(&known, control).map_err(|error| handle.name(error))?;
    if by_extension(handle)? {
        let text = handle.action(extensions::SETTING, &control.to_string())?;
        let value = text.trim().parse::<f64>().ok();
        return value.ok_or_else(|| handle.name(super::handle::no_sense(extensions::SETTING, &Value::String(text))));
    }
    let place = place(handle, control)?;
    let value: Value = handle.get(place.member)?;
    let number = crate::wire::alpaca::answer::boolean(&value).filter(|_| value.is_boolean()).map(f64::from);
    let number = number.or_else(|| crate::wire::alpaca::answer::real(&value));
    number.ok_or_else(|| handle.name(super::handle::no_sense(place.member, &value)))
}

/// Changes a setting.
pub(super) fn set(
    handle: &Handle,
    settings: &Settings,
    control: Control,
    value: f64,
    ascom: impl FnOnce() -> Result<Vec<ControlInfo>>,
) -> Result<()> {
    let known = known(handle, settings, ascom)?;
    let info = find_control(&known, control).map_err(|error| handle.name(error))?;
    info.check(value).map_err(|error| handle.name(error))?;
    if by_extension(handle)? {
        handle.action(extensions::SET_SETTING, &format!("{control}={value}"))?;
    } else {
        let place = place(handle, control)?;
        handle.put(place.member, Arguments::new().with(place.parameter, (place.write)(value)))?;
    }
    handle.claim.declare(Declared::Control(control, value));
    Ok(())
}

fn place(handle: &Handle, control: Control) -> Result<&'static Place> {
    let place = PLACES.iter().find(|place| place.control == control);
    place.ok_or_else(|| handle.name(crate::Error::unsupported(format!("has no {control} control"))))
}
