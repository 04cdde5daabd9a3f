//! Actions: those of the backend's device, and ours, so that a client of ours loses nothing on the way.

use super::served::Served;
use astrobackend::{
    Error, ErrorKind, Result,
    device::{AnyDevice, Control, ControlInfo, DeviceKind},
    wire::alpaca::extensions::{
        DESCRIBE, Description, PICTURE_META, SET_NAMES, SET_SETTING, SETTING, SETTINGS, SYNC_POSITION, Setting,
    },
};
use serde::Serialize;
use std::sync::Arc;

/// Ours, for a kind of device.
fn ours(kind: DeviceKind) -> Vec<&'static str> {
    let mut names = vec![DESCRIBE, SETTINGS, SETTING, SET_SETTING];
    names.extend(match kind {
        DeviceKind::Camera => Some(PICTURE_META),
        DeviceKind::Focuser => Some(SYNC_POSITION),
        DeviceKind::FilterWheel => Some(SET_NAMES),
        _ => None,
    });
    names
}

/// True for actions of ours that change nothing.
pub(super) fn only_reads(name: &str) -> bool {
    [DESCRIBE, SETTINGS, SETTING, PICTURE_META].iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

/// `SupportedActions`; a device that is away or not connected has ours only.
pub(super) fn supported(served: &Served) -> Vec<String> {
    let its = served.device().and_then(|device| device.device().actions()).unwrap_or_default();
    let its = its.into_iter().filter(|name| !name.trim().is_empty());
    ours(served.id.kind).into_iter().map(str::to_owned).chain(its).collect()
}

/// Does an action; its name is found in any casing.
///
/// # Errors
/// `UnknownAction`, or what the action fails with.
pub(super) fn perform(served: &Arc<Served>, device: &AnyDevice, name: &str, parameters: &str) -> Result<String> {
    let known = ours(served.id.kind).into_iter().find(|known| known.eq_ignore_ascii_case(name));
    match known {
        Some(known) => own(served, device, known, parameters),
        None => {
            let its = device.device().actions()?;
            let its = its.iter().find(|its| its.eq_ignore_ascii_case(name));
            let unknown = || Error::new(ErrorKind::UnknownAction, format!("has no action {name:?}"));
            device.device().action(its.ok_or_else(unknown)?, parameters)
        }
    }
}

fn own(served: &Arc<Served>, device: &AnyDevice, name: &str, parameters: &str) -> Result<String> {
    match (name, device) {
        (DESCRIBE, _) => json(&describe(device)?),
        (SETTINGS, _) => json(&device.device().controls()?.into_iter().map(setting).collect::<Vec<_>>()),
        (SETTING, _) => json(&device.device().control(control(parameters)?)?),
        (SET_SETTING, _) => {
            let (name, value) = parameters.split_once('=').ok_or_else(|| wrong("name=value", parameters))?;
            let value = value.trim().parse().map_err(|_| wrong("name=value with a number", parameters))?;
            device.device().set_control(control(name)?, value).map(|()| String::new())
        }
        (PICTURE_META, AnyDevice::Camera(_)) => {
            let picture = served.pictures.ready();
            let picture = picture.ok_or_else(|| Error::invalid_operation("has no image: nothing was exposed"))?;
            json(&picture.meta)
        }
        (SYNC_POSITION, AnyDevice::Focuser(focuser)) => {
            let position = parameters.trim().parse().map_err(|_| wrong("a position", parameters))?;
            focuser.sync(position).map(|()| String::new())
        }
        (SET_NAMES, AnyDevice::FilterWheel(wheel)) => {
            let names: Vec<String> =
                serde_json::from_str(parameters).map_err(|_| wrong("a JSON list of names", parameters))?;
            wheel.set_names(&names).map(|()| String::new())
        }
        _ => Err(Error::new(ErrorKind::UnknownAction, format!("has no action {name:?}"))),
    }
}

fn wrong(wanted: &str, parameters: &str) -> Error {
    Error::invalid(format!("the action wants {wanted}, not {parameters:?}"))
}

fn control(name: &str) -> Result<Control> {
    name.trim().parse().map_err(|error: Error| Error::invalid(error.message().to_owned()))
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::protocol("cannot be told as JSON").caused_by(error))
}

fn setting(info: ControlInfo) -> Setting {
    let ControlInfo { control, min, max, step, choices, writable } = info;
    Setting { name: control.to_string(), min, max, step, choices, writable }
}

fn describe(device: &AnyDevice) -> Result<Description> {
    let info = device.device().info();
    let mut description =
        Description { name: info.id.name, part_of: info.part_of.map(|part_of| part_of.name), ..Description::default() };
    match device {
        AnyDevice::Camera(camera) => {
            let caps = camera.caps()?;
            description.bits_per_pixel = caps.sensor.bits_per_pixel;
            let range = caps.cooler.as_ref().and_then(|cooler| cooler.set_point.as_ref());
            description.set_points = range.map(|range| (range.start().0, range.end().0));
        }
        AnyDevice::Focuser(focuser) => {
            let caps = focuser.caps()?;
            (description.halt, description.sync) = (Some(caps.halt), Some(caps.sync));
        }
        AnyDevice::Mount(mount) => {
            let caps = mount.caps()?;
            description.set_site = Some((caps.set_site, caps.set_time));
        }
        _ => {}
    }
    Ok(description)
}
