//! Devices and their state as JSON: stable names with the unit in them, unknown is `null`.

use astrobackend::{
    AltAz, Celsius, Error, Event, RaDec,
    device::{
        AnyDevice, CameraCaps, CameraState, Colour, ControlInfo, DeviceInfo, DeviceState, ExposureState,
        FilterWheelState, FocuserCaps, FocuserState, MountCaps, MountState,
    },
    event::{EventKind, Level, Link},
    preview::Stats,
};
use serde_json::{Map, Value, json};

/// Two objects in one; the second wins.
pub(crate) fn merged(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Object(mut first), Value::Object(second)) => {
            first.extend(second);
            Value::Object(first)
        }
        (_, second) => second,
    }
}

/// What a device is.
pub(crate) fn device_info(info: &DeviceInfo) -> Value {
    json!({
        "kind": info.id.kind,
        "name": info.id.name,
        "address": info.address.to_string(),
        "description": info.description,
        "driver": info.driver,
        "driver_version": info.driver_version,
        "interface_version": info.interface_version,
        "unique_id": info.unique_id,
    })
}

/// What a device can do.
pub(crate) fn caps(device: &AnyDevice) -> astrobackend::Result<Value> {
    Ok(match device {
        AnyDevice::Camera(camera) => camera_caps(&*camera.caps()?),
        AnyDevice::FilterWheel(wheel) => {
            let filter = |(place, filter): (usize, &astrobackend::device::Filter)| json!({ "slot": place + 1, "name": filter.name, "focus_offset_steps": filter.focus_offset });
            json!({ "filters": wheel.filters()?.iter().enumerate().map(filter).collect::<Vec<_>>() })
        }
        AnyDevice::Focuser(focuser) => focuser_caps(&focuser.caps()?),
        AnyDevice::Mount(mount) => mount_caps(&*mount.caps()?),
        _ => Value::Object(Map::new()),
    })
}

fn camera_caps(caps: &CameraCaps) -> Value {
    let sensor = &caps.sensor;
    let colour = match &sensor.colour {
        Colour::Mono => "mono".to_owned(),
        Colour::Planes => "planes".to_owned(),
        Colour::Bayer(pattern) => pattern.to_string(),
        Colour::Mosaic { kind, .. } => format!("{kind:?}").to_uppercase(),
        _ => "other".to_owned(),
    };
    let cooler = caps.cooler.as_ref().map(|cooler| {
        let range = cooler.set_point.as_ref();
        json!({
            "min_c": range.map(|range| range.start().0),
            "max_c": range.map(|range| range.end().0),
            "reports_power": cooler.power,
        })
    });
    json!({
        "sensor": {
            "name": sensor.name,
            "width_px": sensor.width,
            "height_px": sensor.height,
            "pixel_width_um": sensor.pixel_width.map(|size| size.0),
            "pixel_height_um": sensor.pixel_height.map(|size| size.0),
            "colour": colour,
            "bits_per_pixel": sensor.bits_per_pixel,
        },
        "max_binning": [caps.max_bin.0, caps.max_bin.1],
        "asymmetric_binning": caps.asymmetric_bin,
        "min_exposure_s": caps.exposure.start().as_secs_f64(),
        "max_exposure_s": caps.exposure.end().as_secs_f64(),
        "exposure_resolution_s": caps.exposure_resolution.as_secs_f64(),
        "stop": caps.stop,
        "abort": caps.abort,
        "cooler": cooler,
        "shutter": caps.shutter,
        "pulse_guide": caps.pulse_guide,
    })
}

fn focuser_caps(caps: &FocuserCaps) -> Value {
    json!({
        "max_position_steps": caps.max_position,
        "max_move_steps": caps.max_move,
        "absolute": caps.absolute,
        "step_size_um": caps.step_size.map(|size| size.0),
        "halt": caps.halt,
        "sync": caps.sync,
        "temperature": caps.temperature,
    })
}

fn mount_caps(caps: &MountCaps) -> Value {
    let axis = |rates: &Vec<std::ops::RangeInclusive<astrobackend::DegreesPerSecond>>| {
        rates.iter().map(|range| json!([range.start().0, range.end().0])).collect::<Vec<_>>()
    };
    json!({
        "alignment": format!("{:?}", caps.alignment),
        "equinox": caps.equinox.to_string(),
        "slew": caps.slew,
        "slew_altaz": caps.slew_altaz,
        "sync": caps.sync,
        "sync_altaz": caps.sync_altaz,
        "park": caps.park,
        "unpark": caps.unpark,
        "set_park": caps.set_park,
        "home": caps.home,
        "set_pier_side": caps.set_pier_side,
        "pier_side": caps.pier_side,
        "pulse_guide": caps.pulse_guide,
        "set_guide_rates": caps.set_guide_rates,
        "set_tracking": caps.set_tracking,
        "tracking_rates": caps.tracking_rates.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rate_offsets": { "ra": caps.rate_offsets.0, "dec": caps.rate_offsets.1 },
        "axis_rates_degrees_per_s": caps.axis_rates.iter().map(axis).collect::<Vec<_>>(),
        "aperture_m": caps.optics.aperture.map(|length| length.0),
        "focal_length_m": caps.optics.focal_length.map(|length| length.0),
        "set_site": caps.set_site,
        "set_time": caps.set_time,
    })
}

/// A setting of a device with its value, `null` when it cannot be read.
pub(crate) fn control(info: &ControlInfo, value: Option<f64>) -> Value {
    json!({
        "name": info.control.to_string(),
        "value": value,
        "min": info.min,
        "max": info.max,
        "step": info.step,
        "choices": info.choices,
        "writable": info.writable,
    })
}

/// The state of a device of any kind.
pub(crate) fn state(state: &DeviceState) -> Value {
    match state {
        DeviceState::Camera(state) => camera(state),
        DeviceState::FilterWheel(state) => filter_wheel(state),
        DeviceState::Focuser(state) => focuser(state),
        DeviceState::Mount(state) => mount(state),
        _ => Value::Object(Map::new()),
    }
}

/// A camera's state.
pub(crate) fn camera(state: &CameraState) -> Value {
    let more = json!({
        "exposure": exposure(&state.exposure),
        "pulse_guiding": state.pulse_guiding,
        "electrons_per_adu": state.electrons_per_adu,
        "full_well_electrons": state.full_well,
        "max_adu": state.max_adu,
        "last_exposure_start": state.last_exposure.map(|(start, _)| start.to_string()),
        "last_exposure_s": state.last_exposure.map(|(_, length)| length.as_secs_f64()),
        "age_s": state.age.seconds(),
    });
    merged(cooler(state), more)
}

/// The temperatures of a camera, and what its cooler does.
pub(crate) fn cooler(state: &CameraState) -> Value {
    let cooler = state.cooler;
    json!({
        "temperature_c": celsius(state.temperature),
        "heat_sink_c": celsius(state.heat_sink),
        "cooler_on": cooler.map(|cooler| cooler.on),
        "set_point_c": celsius(cooler.and_then(|cooler| cooler.set_point)),
        "cooler_power_percent": cooler.and_then(|cooler| cooler.power),
    })
}

fn exposure(state: &ExposureState) -> Value {
    let (name, remaining, percent) = match state {
        ExposureState::Idle => ("idle", None, None),
        ExposureState::Waiting => ("waiting", None, None),
        ExposureState::Exposing { remaining, percent } => ("exposing", *remaining, *percent),
        ExposureState::Reading { percent } => ("reading", None, *percent),
        ExposureState::Downloading { percent } => ("downloading", None, *percent),
        ExposureState::Ready => ("ready", None, None),
        ExposureState::Failed(error) => return json!({ "state": "failed", "error": error.to_string() }),
        _ => ("other", None, None),
    };
    json!({ "state": name, "remaining_s": remaining.map(|left| left.as_secs_f64()), "percent": percent })
}

/// A filter wheel's state; the name of the filter is known to the caller.
pub(crate) fn filter_wheel(state: &FilterWheelState) -> Value {
    json!({
        "slot": state.position.map(|position| position + 1),
        "position": state.position,
        "moving": state.position.is_none(),
        "age_s": state.age.seconds(),
    })
}

/// A focuser's state.
pub(crate) fn focuser(state: &FocuserState) -> Value {
    json!({
        "position_steps": state.position,
        "moving": state.moving,
        "temperature_c": celsius(state.temperature),
        "age_s": state.age.seconds(),
    })
}

/// A mount's state.
pub(crate) fn mount(state: &MountState) -> Value {
    let tracking = state.tracking;
    let place = merged(ra_dec(&state.position), alt_az(state.horizon.as_ref()));
    merged(
        place,
        json!({
            "slewing": state.slewing,
            "tracking": tracking.on,
            "tracking_rate": tracking.rate.to_string(),
            "ra_offset_s_per_sidereal_s": tracking.ra_offset,
            "dec_offset_arcsec_per_s": tracking.dec_offset,
            "parked": state.parked,
            "at_home": state.at_home,
            "pier_side": state.pier_side.to_string(),
            "pulse_guiding": state.pulse_guiding,
            "sidereal_time_hours": state.sidereal_time.map(|time| time.0),
            "utc": state.utc.map(|utc| utc.to_string()),
            "target": state.target.as_ref().map(ra_dec),
            "age_s": state.age.seconds(),
        }),
    )
}

/// A place among the stars.
pub(crate) fn ra_dec(place: &RaDec) -> Value {
    json!({ "ra_hours": place.ra.0, "dec_degrees": place.dec.0, "equinox": place.equinox.to_string() })
}

fn alt_az(direction: Option<&AltAz>) -> Value {
    json!({ "alt_degrees": direction.map(|at| at.alt.0), "az_degrees": direction.map(|at| at.az.0) })
}

fn celsius(temperature: Option<Celsius>) -> Option<f64> {
    temperature.map(|temperature| temperature.0)
}

/// The spread of pixel values, one object for each channel.
pub(crate) fn statistics(stats: &[Stats]) -> Value {
    let channel = |stats: &Stats| {
        json!({
            "min": stats.min,
            "max": stats.max,
            "mean": stats.mean,
            "median": stats.median,
            "median_absolute_deviation": stats.mad,
        })
    };
    stats.iter().map(channel).collect()
}

/// A piece of news.
pub(crate) fn event(event: &Event) -> Value {
    let (name, more) = match &event.kind {
        EventKind::Added(info) => ("added", json!({ "info": device_info(info) })),
        EventKind::Removed => ("removed", json!({})),
        EventKind::Connected(true) => ("connected", json!({})),
        EventKind::Connected(false) => ("disconnected", json!({})),
        EventKind::State(now) => ("state", json!({ "state": state(now) })),
        EventKind::Message(level, text) => ("message", json!({ "level": level_name(*level), "text": text })),
        EventKind::Link(Link::Up) => ("link_up", json!({})),
        EventKind::Link(Link::Restoring) => ("link_restoring", json!({})),
        EventKind::Link(Link::Lost { since, why }) => {
            ("link_lost", json!({ "since": since.to_string(), "why": why.to_string() }))
        }
        EventKind::Frame { number, frame_type, verdict } => (
            "frame",
            json!({
                "exposure_number": number,
                "frame_type": frame_type.map(|kind| kind.to_string()),
                "verdict": verdict.name(),
                "verdict_reason": verdict.why(),
            }),
        ),
        EventKind::Restored { restored, failed } => {
            let why = |(what, why): &(String, Error)| (what.clone(), Value::from(why.to_string()));
            ("restored", json!({ "restored": restored, "failed": failed.iter().map(why).collect::<Map<_, _>>() }))
        }
        EventKind::Lagged(lost) => ("lagged", json!({ "lost": lost })),
        _ => ("other", json!({})),
    };
    let device = event.device.as_ref();
    let head = json!({
        "at": event.at.to_string(),
        "kind": device.map(|id| id.kind),
        "device": device.map(|id| &id.name),
        "event": name,
    });
    merged(head, more)
}

/// How much a message matters.
pub(crate) fn level_name(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}
