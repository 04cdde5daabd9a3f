//! Our own methods: the device contract, member by member, in the words of its types.

use super::{devices::Served, values::complete};
use astrobackend::{
    device::{AnyDevice, Camera, Control, Exposure, FilterWheel, Focuser, Mount},
    wire::rpc::{COMMON, Params, Refusal},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

type Outcome = Result<Value, Refusal>;

/// What the original has no word for, but its own style of result.
const IN_THE_ORIGINALS_STYLE: [&str; 4] =
    ["get_camera_offset", "get_camera_usbbandwidth", "get_exposure_progress", "get_exposure_limits"];

/// True for methods that are done here.
pub(super) fn is_ours(name: &str) -> bool {
    !IN_THE_ORIGINALS_STYLE.contains(&name)
}

/// What was asked for.
fn value(value: impl Serialize) -> Outcome {
    let value = serde_json::to_value(value).map_err(|error| Refusal::application(error.to_string()))?;
    Ok(json!({ "value": value }))
}

fn done(outcome: astrobackend::Result<()>) -> Outcome {
    Ok(outcome.map(|()| complete())?)
}

fn seconds(params: &Params) -> Result<Duration, Refusal> {
    let seconds = params.number("seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| Refusal::invalid(format!("seconds {seconds} is out of range")))
}

/// Does one of our methods.
pub(super) fn perform(served: &Arc<Served>, name: &str, params: &Params) -> Outcome {
    if COMMON.iter().any(|method| method.name == name) {
        return common(&served.device, name, params);
    }
    match &served.device {
        AnyDevice::Camera(device) => camera(served, &**device, name, params),
        AnyDevice::FilterWheel(device) => filter_wheel(&**device, name, params),
        AnyDevice::Focuser(device) => focuser(&**device, name, params),
        AnyDevice::Mount(device) => mount(&**device, name, params),
        _ => Err(Refusal::unknown_method(name)),
    }
}

fn common(any: &AnyDevice, name: &str, params: &Params) -> Outcome {
    let device = any.device();
    match name {
        "get_info" => value(device.info()),
        "connect" => done(device.connect()),
        "disconnect" => done(device.disconnect()),
        "is_connected" => value(device.is_connected()?),
        "get_caps" => caps(any),
        "get_state" => state(any),
        "get_controls" => value(device.controls()?),
        "get_control" => value(device.control(params.value::<Control>("control")?)?),
        "set_control" => done(device.set_control(params.value("control")?, params.number("value")?)),
        "get_actions" => value(device.actions()?),
        "action" => value(device.action(params.text("action")?, params.text("parameters")?)?),
        "command" => value(device.command(params.text("command")?, params.truth("raw")?, params.value("reply")?)?),
        _ => Err(Refusal::unknown_method(name)),
    }
}

fn caps(device: &AnyDevice) -> Outcome {
    match device {
        AnyDevice::Camera(device) => value(&*device.caps()?),
        AnyDevice::Focuser(device) => value(device.caps()?),
        AnyDevice::Mount(device) => value(&*device.caps()?),
        _ => value(()),
    }
}

fn state(device: &AnyDevice) -> Outcome {
    match device {
        AnyDevice::Camera(device) => value(device.state()?),
        AnyDevice::FilterWheel(device) => value(device.state()?),
        AnyDevice::Focuser(device) => value(device.state()?),
        AnyDevice::Mount(device) => value(device.state()?),
        _ => value(()),
    }
}

fn camera(served: &Served, camera: &dyn Camera, name: &str, params: &Params) -> Outcome {
    let session = &served.session;
    match name {
        "camera_get_frame" => value(camera.frame()?),
        "camera_set_frame" => done(camera.set_frame(params.value("frame")?)),
        "camera_set_cooler" => done(camera.set_cooler(params.value("set_point")?)),
        "camera_start_exposure" => {
            camera.start_exposure(params.value::<Exposure>("exposure")?)?;
            session.serial.fetch_add(1, Ordering::AcqRel);
            session.failed.store(false, Ordering::Release);
            session.ended.notify_waiters();
            Ok(complete())
        }
        "camera_stop_exposure" => done(camera.stop_exposure()),
        "camera_abort_exposure" => {
            camera.abort_exposure()?;
            session.serial.fetch_add(1, Ordering::AcqRel);
            session.ended.notify_waiters();
            Ok(complete())
        }
        "camera_pulse_guide" => done(camera.pulse_guide(params.value("direction")?, seconds(params)?)),
        _ => Err(Refusal::unknown_method(name)),
    }
}

fn filter_wheel(wheel: &dyn FilterWheel, name: &str, params: &Params) -> Outcome {
    match name {
        "filterwheel_get_filters" => value(wheel.filters()?),
        "filterwheel_start_move" => done(wheel.start_move(params.value("position")?)),
        "filterwheel_set_names" => done(wheel.set_names(&params.value::<Vec<String>>("names")?)),
        _ => Err(Refusal::unknown_method(name)),
    }
}

fn focuser(focuser: &dyn Focuser, name: &str, params: &Params) -> Outcome {
    match name {
        "focuser_start_move" => done(focuser.start_move(params.value("position")?)),
        "focuser_start_move_by" => done(focuser.start_move_by(params.value("steps")?)),
        "focuser_halt" => done(focuser.halt()),
        "focuser_sync" => done(focuser.sync(params.value("position")?)),
        _ => Err(Refusal::unknown_method(name)),
    }
}

fn mount(mount: &dyn Mount, name: &str, params: &Params) -> Outcome {
    match name {
        "mount_start_slew" => done(mount.start_slew(params.value("target")?)),
        "mount_abort" => done(mount.abort()),
        "mount_sync" => done(mount.sync(params.value("target")?)),
        "mount_start_park" => done(mount.start_park()),
        "mount_start_unpark" => done(mount.start_unpark()),
        "mount_set_park" => done(mount.set_park()),
        "mount_start_home" => done(mount.start_home()),
        "mount_set_tracking_rate" => done(mount.set_tracking(params.value("tracking")?)),
        "mount_start_flip" => done(mount.start_flip(params.value("side")?)),
        "mount_get_destination_side" => value(mount.destination_side(params.value("target")?)?),
        "mount_get_guide_rates" => value(mount.guide_rates()?),
        "mount_set_guide_rates" => done(mount.set_guide_rates(params.value("rates")?)),
        "mount_pulse_guide" => done(mount.pulse_guide(params.value("direction")?, seconds(params)?)),
        "mount_move_axis" => done(mount.move_axis(params.value("axis")?, params.value("rate")?)),
        "mount_get_site" => value(mount.site()?),
        "mount_set_site" => done(mount.set_site(params.value("site")?)),
        "mount_set_time" => done(mount.set_time(params.value("utc")?)),
        _ => Err(Refusal::unknown_method(name)),
    }
}
