//! What the original answers, method by method, over devices that obey at once.

use crate::fake_indi::blob::fits;
use serde_json::{Value, json};
use std::{fs, time::Duration};

/// The sensor.
const SIZE: (i64, i64) = (1280, 1024);

/// Whether there is an answer now, or when something has ended.
pub(super) enum Answer {
    Now(Result<Value, (i64, String)>),
    /// After so long, for the exposure of a number.
    After(Duration, u64),
}

/// The devices behind the server.
#[derive(Debug)]
pub(super) struct World {
    pub(super) dead: bool,
    pub(super) away: Vec<&'static str>,
    target_temperature: Value,
    cooler: bool,
    gain: Value,
    focus: i64,
    filter: i64,
    place: (f64, f64),
    parked: bool,
    tracking: bool,
    /// The exposure under way: its number, and the picture that it will be.
    exposing: Option<(u64, (i64, i64))>,
    exposures: u64,
    /// Kept until the next one, whatever became of those in between.
    picture: Option<(u64, (i64, i64))>,
}

impl Default for World {
    fn default() -> Self {
        World {
            dead: false,
            away: Vec::new(),
            target_temperature: json!(-10.0),
            cooler: false,
            gain: json!(100),
            focus: 10_000,
            filter: 0,
            place: (5.5, -5.0),
            parked: false,
            tracking: true,
            exposing: None,
            exposures: 0,
            picture: None,
        }
    }
}

impl World {
    /// How an exposure ended, if it did: an abort looks like a success.
    pub(super) fn outcome(&mut self, number: u64, over: bool) -> Option<Result<Value, (i64, String)>> {
        match self.exposing {
            Some((current, size)) if current == number => {
                if !over && !self.dead {
                    return None;
                }
                self.exposing = None;
                self.picture = Some((number, size));
            }
            _ => {}
        }
        Some(Ok(complete()))
    }
}

fn complete() -> Value {
    json!({ "complete": true })
}

fn invalid(message: &str) -> Answer {
    Answer::Now(Err((-32600, message.to_owned())))
}

fn failed(message: &str) -> Answer {
    Answer::Now(Err((-1, message.to_owned())))
}

fn device(method: &str) -> &'static str {
    match method.split('_').next() {
        Some("focuser") => "Focuser",
        Some("filterwheel") => "Filter wheel",
        Some("mount") => "Mount",
        _ => "Camera",
    }
}

pub(super) fn answer(world: &mut World, method: &str, params: &Value) -> Answer {
    let of = device(method);
    if world.away.contains(&of) && method != "abort_image" {
        return failed(&format!("{of} not connected!"));
    }
    if let Some(result) = read(world, method) {
        return Answer::Now(Ok(result));
    }
    match method {
        "take_image" => take(world, params),
        "abort_image" => {
            if world.exposing.take().is_some() {
                world.picture = None;
            }
            Answer::Now(Ok(complete()))
        }
        "save_image" => save(world, params),
        "set_target_temperature" if params["target_temperature"].is_number() => {
            world.target_temperature = params["target_temperature"].clone();
            Answer::Now(Ok(complete()))
        }
        "set_cooler_state" => match params["cooler_state"].as_bool() {
            Some(on) => {
                world.cooler = on;
                Answer::Now(Ok(complete()))
            }
            None => invalid("cooler_state must be bool"),
        },
        "focuser_stop" => Answer::Now(Ok(json!({ "stop": null }))),
        "focuser_move_absolute_position" => match params["absolute_position"].as_i64() {
            Some(position) => {
                world.focus = position;
                Answer::Now(Ok(complete()))
            }
            None => invalid("absolute_position must be int"),
        },
        "filterwheel_move_position" => {
            world.filter = params["filter_position"].as_i64().unwrap_or(world.filter);
            Answer::Now(Ok(complete()))
        }
        "mount_slew_radec" | "mount_sync_radec" => match (params["ra"].as_f64(), params["dec"].as_f64()) {
            (Some(ra), Some(dec)) => {
                world.place = (ra, dec);
                Answer::Now(Ok(complete()))
            }
            _ => invalid("ra and dec must be numbers"),
        },
        "mount_abort_slew" => Answer::Now(Ok(complete())),
        "mount_park" | "mount_unpark" => {
            world.parked = method == "mount_park";
            Answer::Now(Ok(complete()))
        }
        "mount_set_tracking" if params["tracking"].is_boolean() => {
            world.tracking = params["tracking"] == true;
            Answer::Now(Ok(complete()))
        }
        "set_target_temperature" | "mount_set_tracking" => invalid("missing parameters"),
        _ => Answer::Now(Err((-32601, format!("Method {method} not found")))),
    }
}

fn read(world: &World, method: &str) -> Option<Value> {
    Some(match method {
        "get_camera_info" => json!({
            "binning": [1.0, 1.0], "framesize": [SIZE.0 as f64, SIZE.1 as f64], "pixelsize": [5.2, 5.2], "egain": null,
            "camera_gain": world.gain, "camera_offset": 10.0, "camera_usbbandwidth": null,
            "camera_current_temperature": 5.25, "camera_target_temperature": world.target_temperature,
            "cooler_state": world.cooler, "cooler_power": 0.0, "roi": [0.0, 0.0, SIZE.0 as f64, SIZE.1 as f64],
        }),
        "get_camera_x_pixelsize" => json!({ "camera_x_pixelsize": 5.2 }),
        "get_camera_y_pixelsize" => json!({ "camera_y_pixelsize": 5.2 }),
        "get_camera_max_binning" => json!({ "camera_max_binning": 4.0 }),
        "get_camera_egain" => json!({ "camera_egain": null }),
        "get_camera_gain" => json!({ "camera_gain": world.gain }),
        "get_current_temperature" => json!({ "current_temperature": 5.25 }),
        "get_target_temperature" => json!({ "target_temperature": world.target_temperature }),
        "get_cooler_state" => json!({ "cooler_state": world.cooler }),
        "get_cooler_power" => json!({ "cooler_power": 0.0 }),
        "focuser_get_absolute_position" => json!({ "absolute_position": world.focus as f64 }),
        "focuser_get_max_absolute_position" => json!({ "max_absolute_position": 100_000.0 }),
        "focuser_get_current_temperature" => json!({ "current_temperature": null }),
        "focuser_is_moving" => json!({ "is_moving": false }),
        "filterwheel_get_position" => json!({ "filter_position": world.filter }),
        "filterwheel_get_filter_names" => json!({ "filter_names": ["L", "R", "G", "B", "Ha", "OIII", "SII", "Dark"] }),
        "mount_can_park" => json!({ "can_park": true }),
        "mount_at_park" => json!({ "at_park": world.parked }),
        "mount_pier_side" => json!({ "pier_side": "EAST" }),
        "mount_is_slewing" => json!({ "is_slewing": false }),
        "mount_get_tracking" => json!({ "tracking": world.tracking }),
        "mount_get_radec" => json!({ "ra": world.place.0, "dec": world.place.1 }),
        "mount_get_altaz" => json!({ "alt": null, "az": null }),
        _ => return None,
    })
}

fn take(world: &mut World, params: &Value) -> Answer {
    let Some(exposure) = params["exposure"].as_f64() else { return invalid("exposure must be float or int") };
    let binning = if params["binning"].is_null() { Some(1) } else { params["binning"].as_i64() };
    let Some(binning) = binning else { return invalid("binning must be int") };
    let size = match &params["roi"] {
        Value::Null => SIZE,
        roi => match (roi[2].as_f64(), roi[3].as_f64()) {
            (Some(width), Some(height)) => (width as i64, height as i64),
            _ => return invalid("roi not valid"),
        },
    };
    if size.0 * binning > SIZE.0 || size.1 * binning > SIZE.1 {
        return invalid("roi too large for binning");
    }
    if world.exposing.is_some() {
        return failed("Could not lock camera");
    }
    if !params["camera_gain"].is_null() {
        world.gain = params["camera_gain"].clone();
    }
    world.exposures += 1;
    world.exposing = Some((world.exposures, size));
    Answer::After(Duration::from_secs_f64(exposure.clamp(0.0, 3600.0)), world.exposures)
}

fn save(world: &World, params: &Value) -> Answer {
    let Some(name) = params["filename"].as_str() else { return invalid("missing filename") };
    let Some((number, (width, height))) = world.picture else { return failed("No image available!") };
    let there = fs::exists(name).unwrap_or(true);
    if there && params["overwrite"] != true {
        return failed("Error writing image");
    }
    // The number of the exposure is in every pixel, so that a stale picture shows.
    let file = fits(width.unsigned_abs() as usize, height.unsigned_abs() as usize, number as u16);
    match fs::write(name, file) {
        Ok(()) => Answer::Now(Ok(complete())),
        Err(_) => failed("Error writing image"),
    }
}
