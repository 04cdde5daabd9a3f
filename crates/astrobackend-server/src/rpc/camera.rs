//! The original's methods of a camera.

use super::{
    devices::Served,
    values::{complete, count, measure},
};
use astrobackend::{
    Celsius,
    device::{Camera, CameraCaps, CameraState, Control, ExposureState},
    wire::rpc::{Code, Params, Refusal},
};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

type Outcome = Result<Value, Refusal>;

/// Does one of the original's methods, or of ours in its style.
pub(super) fn perform(served: &Served, camera: &dyn Camera, name: &str, params: &Params) -> Outcome {
    let cooler = || Ok::<_, Refusal>(camera.state()?.cooler);
    let set_point = |state: &CameraState| state.cooler.and_then(|cooler| cooler.set_point).map(|set_point| set_point.0);
    Ok(match name {
        "get_camera_info" => info(camera)?,
        "get_camera_x_pixelsize" => {
            json!({ "camera_x_pixelsize": measure(camera.caps()?.sensor.pixel_width.map(|size| size.0)) })
        }
        "get_camera_y_pixelsize" => {
            json!({ "camera_y_pixelsize": measure(camera.caps()?.sensor.pixel_height.map(|size| size.0)) })
        }
        "get_camera_max_binning" => json!({ "camera_max_binning": max_binning(&*camera.caps()?) }),
        "get_max_binning" => json!({ "max_binning": max_binning(&*camera.caps()?) }),
        "get_camera_egain" => json!({ "camera_egain": measure(camera.state()?.electrons_per_adu) }),
        "get_camera_gain" => json!({ "camera_gain": control(camera, Control::Gain)? }),
        "get_camera_offset" => json!({ "camera_offset": control(camera, Control::Offset)? }),
        "get_camera_usbbandwidth" => json!({ "camera_usbbandwidth": control(camera, Control::UsbBandwidth)? }),
        "get_current_temperature" => {
            json!({ "current_temperature": measure(camera.state()?.temperature.map(|t| t.0)) })
        }
        "get_target_temperature" => json!({ "target_temperature": measure(set_point(&camera.state()?)) }),
        "get_cooler_state" => json!({ "cooler_state": cooler()?.map(|cooler| cooler.on) }),
        "get_cooler_power" => json!({ "cooler_power": measure(cooler()?.and_then(|cooler| cooler.power)) }),
        "get_exposure_progress" => progress(&camera.state()?.exposure),
        "get_exposure_limits" => limits(&*camera.caps()?),
        "set_target_temperature" => {
            camera.set_cooler(Some(Celsius(params.number("target_temperature")?)))?;
            complete()
        }
        "set_cooler_state" => {
            switch_cooler(camera, params.truth("cooler_state")?)?;
            complete()
        }
        "set_camera_gain" => {
            if control(camera, Control::Gain)?.is_null() {
                let message = "set_camera_gain currently unsupported".to_owned();
                return Err(Refusal { code: Code::UnknownMethod, message, error: None });
            }
            camera.set_control(Control::Gain, params.number("camera_gain")?)?;
            complete()
        }
        "abort_image" => {
            abort(served, camera)?;
            complete()
        }
        _ => return Err(Refusal::unknown_method(name)),
    })
}

fn info(camera: &dyn Camera) -> Outcome {
    let (caps, state, frame, device) = (camera.caps()?, camera.state()?, camera.frame()?, camera.info());
    let sensor = &caps.sensor;
    let cooler = state.cooler;
    let size = |size: Option<astrobackend::Microns>| measure(size.map(|size| size.0));
    Ok(json!({
        "binning": [frame.bin_x, frame.bin_y],
        "framesize": [sensor.width, sensor.height],
        "pixelsize": [size(sensor.pixel_width), size(sensor.pixel_height)],
        "egain": measure(state.electrons_per_adu),
        "camera_gain": control(camera, Control::Gain)?,
        "camera_offset": control(camera, Control::Offset)?,
        "camera_usbbandwidth": control(camera, Control::UsbBandwidth)?,
        "camera_current_temperature": measure(state.temperature.map(|t| t.0)),
        "camera_target_temperature": measure(cooler.and_then(|cooler| cooler.set_point).map(|t| t.0)),
        "cooler_state": cooler.map(|cooler| cooler.on),
        "cooler_power": measure(cooler.and_then(|cooler| cooler.power)),
        "roi": [frame.x, frame.y, frame.width, frame.height],
        "name": device.id.name,
        "description": device.description,
        "driver": device.driver,
        "driver_version": device.driver_version,
        "max_binning": max_binning(&caps),
        "exposure": limits(&caps),
        "state": progress(&state.exposure),
    }))
}

/// Of both directions: the original knows one binning only.
fn max_binning(caps: &CameraCaps) -> u8 {
    caps.max_bin.0.min(caps.max_bin.1)
}

/// A setting; null when the camera does not have it.
fn control(camera: &dyn Camera, control: Control) -> Outcome {
    match camera.control(control) {
        Ok(value) => Ok(count(value)),
        Err(error) if error.kind() == astrobackend::ErrorKind::Unsupported => Ok(Value::Null),
        Err(error) => Err(error.into()),
    }
}

fn limits(caps: &CameraCaps) -> Value {
    json!({
        "exposure_min": caps.exposure.start().as_secs_f64(),
        "exposure_max": caps.exposure.end().as_secs_f64(),
        "exposure_resolution": caps.exposure_resolution.as_secs_f64(),
    })
}

fn progress(state: &ExposureState) -> Value {
    let (name, percent, remaining) = match state {
        ExposureState::Idle => ("idle", None, None),
        ExposureState::Waiting => ("waiting", None, None),
        ExposureState::Exposing { remaining, percent } => ("exposing", *percent, *remaining),
        ExposureState::Reading { percent } => ("reading", *percent, None),
        ExposureState::Downloading { percent } => ("downloading", *percent, None),
        ExposureState::Ready => ("ready", Some(100.0), None),
        _ => ("failed", None, None),
    };
    let remaining = remaining.map(|remaining| remaining.as_secs_f64());
    json!({ "exposure_state": name, "exposure_progress": measure(percent), "exposure_remaining": measure(remaining) })
}

/// Switches only: the temperature to reach stays as it was.
fn switch_cooler(camera: &dyn Camera, on: bool) -> Result<(), Refusal> {
    if !on {
        return Ok(camera.set_cooler(None)?);
    }
    let state = camera.state()?;
    let wanted = state.cooler.and_then(|cooler| cooler.set_point).or(state.temperature);
    // A camera that never knew a temperature to reach begins where it is, or where water freezes.
    Ok(camera.set_cooler(Some(wanted.unwrap_or(Celsius(0.0))))?)
}

/// Ends the exposure; whoever waits for it hears at once.
pub(super) fn abort(served: &Served, camera: &dyn Camera) -> Result<(), Refusal> {
    let outcome = camera.abort_exposure();
    if !served.session.exposing.load(Ordering::Acquire) {
        // The original grants it without a camera, too.
        return Ok(());
    }
    outcome?;
    served.session.serial.fetch_add(1, Ordering::AcqRel);
    served.session.ended.notify_waiters();
    Ok(())
}
