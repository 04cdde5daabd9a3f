//! What every device has: names, versions, state, actions and commands.

use super::{actions, camera, filter_wheel, focuser, served::Served, telescope, telescope_orders};
use astrobackend::{
    Error, Result, Timestamp,
    device::{Age, AnyDevice, DeviceInfo, DeviceKind, Reply, ReplyKind},
    wire::alpaca::{
        Member, Verb,
        reply::Value::{self, Bool, Int, States, Texts},
        request::Arguments,
    },
};
use std::sync::Arc;

/// ASCOM's limit for a `Description`, in characters.
const DESCRIPTION: usize = 68;

/// Does what a member stands for. May wait for the device.
pub(super) fn perform(served: &Arc<Served>, member: &Member, arguments: &Arguments) -> Result<Value> {
    let answer = match member.verb {
        Verb::Get => get(served, member.name, arguments),
        Verb::Put => put(served, member.name, arguments),
    };
    answer.and_then(finite).map_err(|error| error.on(&served.id))
}

/// JSON knows no other numbers.
fn finite(value: Value) -> Result<Value> {
    match value {
        Value::Double(number) if !number.is_finite() => Err(Error::invalid_operation("has no value for that now")),
        Value::States(mut states) => {
            states.retain(|(_, value)| !matches!(value, Value::Double(number) if !number.is_finite()));
            Ok(Value::States(states))
        }
        other => Ok(other),
    }
}

fn get(served: &Arc<Served>, name: &str, arguments: &Arguments) -> Result<Value> {
    Ok(match name {
        "connected" => Bool(is_connected(served)?),
        "connecting" => Bool(served.connection.is_pending()?),
        "description" => Value::text(description(served)),
        "devicestate" => States(states(served)?),
        "driverinfo" => Value::text(driver(served)),
        "driverversion" => Value::text(driver_version(served)),
        "interfaceversion" => Int(interface_version(served.id.kind)),
        "name" => Value::text(served.id.name.clone()),
        "supportedactions" => Texts(actions::supported(served)),
        _ => match served.device()? {
            AnyDevice::Camera(device) => return camera::get(served, &*device, name),
            AnyDevice::FilterWheel(device) => return filter_wheel::get(&*device, name),
            AnyDevice::Focuser(device) => return focuser::get(&*device, name),
            AnyDevice::Mount(device) => return telescope::get(served, &*device, name, arguments),
            _ => return Err(Error::unsupported("is of a kind that Alpaca does not know here")),
        },
    })
}

/// A device that is away is not.
fn is_connected(served: &Served) -> Result<bool> {
    served.device().map_or(Ok(false), |device| device.device().is_connected())
}

fn put(served: &Arc<Served>, name: &str, arguments: &Arguments) -> Result<Value> {
    let device = served.device()?;
    let text = |place| arguments.text(place);
    match name {
        "action" => return actions::perform(served, &device, &text(0)?, &text(1)?).map(Value::text),
        "commandblind" => return command(&device, arguments, ReplyKind::None),
        "commandbool" => return command(&device, arguments, ReplyKind::Bool),
        "commandstring" => return command(&device, arguments, ReplyKind::Text),
        _ => {}
    }
    match device {
        AnyDevice::Camera(device) => camera::put(served, &*device, name, arguments),
        AnyDevice::FilterWheel(device) => filter_wheel::put(&*device, name, arguments),
        AnyDevice::Focuser(device) => focuser::put(&*device, name, arguments),
        AnyDevice::Mount(device) => telescope_orders::put(served, &*device, name, arguments),
        _ => Err(Error::unsupported("is of a kind that Alpaca does not know here")),
    }
    .map(|()| Value::Done)
}

fn command(device: &AnyDevice, arguments: &Arguments, wanted: ReplyKind) -> Result<Value> {
    match device.device().command(&arguments.text(0)?, arguments.bool(1)?, wanted)? {
        Reply::None => Ok(Value::Done),
        Reply::Bool(value) => Ok(Bool(value)),
        Reply::Text(text) => Ok(Value::text(text)),
    }
}

fn info(served: &Served) -> Option<DeviceInfo> {
    served.device().ok().map(|device| device.device().info())
}

pub(super) fn description(served: &Served) -> String {
    let told = info(served).and_then(|info| info.description);
    let text = told.unwrap_or_else(|| format!("{} over {}", served.id.kind, served.backend_address()));
    text.chars().take(DESCRIPTION).collect()
}

pub(super) fn driver(served: &Served) -> String {
    let driver = info(served).and_then(|info| info.driver);
    let driver = driver.map(|driver| format!("{driver}, ")).unwrap_or_default();
    format!("{driver}at {} through astrobackend {}", served.backend_address(), env!("CARGO_PKG_VERSION"))
}

pub(super) fn driver_version(served: &Served) -> String {
    let told = info(served).and_then(|info| info.driver_version).filter(|version| !version.trim().is_empty());
    told.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned())
}

fn interface_version(kind: DeviceKind) -> i32 {
    if kind == DeviceKind::FilterWheel { 3 } else { 4 }
}

/// `DeviceState`: what is known now, and when the device itself told it.
pub(super) fn states(served: &Arc<Served>) -> Result<Vec<(&'static str, Value)>> {
    let (mut states, age) = match served.device()? {
        AnyDevice::Camera(device) => camera::states(served, &*device)?,
        AnyDevice::FilterWheel(device) => filter_wheel::states(&*device)?,
        AnyDevice::Focuser(device) => focuser::states(&*device)?,
        AnyDevice::Mount(device) => telescope::states(&*device)?,
        _ => (Vec::new(), Age::NOW),
    };
    let told = Timestamp::now().checked_sub(age.duration()).unwrap_or(Timestamp::now());
    states.push(("TimeStamp", Value::text(telescope::utc_text(told))));
    Ok(states)
}
