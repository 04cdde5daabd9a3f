//! `ICameraV4` over the contract's camera.

use super::{
    frame::{self, Direction},
    pictures::{self, Look, fits_time},
    served::Served,
};
use crate::lock;
use astrobackend::{
    Celsius, Error, Result,
    device::{
        Age, Camera, CameraState, Control, ControlInfo, CoolerCaps, Device, Exposure, ExposureState, FrameType,
        GuideDirection, find_control,
    },
    wire::alpaca::{
        codes,
        reply::Value::{self, Bool, Double, Int, Texts},
        request::Arguments,
    },
};
use std::{sync::Arc, time::Duration};

fn missing(what: &str) -> Error {
    Error::unsupported(format!("does not have {what}"))
}

fn known(value: Option<f64>, what: &str) -> Result<Value> {
    value.map(Double).ok_or_else(|| Error::unsupported(format!("does not know {what}")))
}

fn integer(value: u32) -> Value {
    Int(i32::try_from(value).unwrap_or(i32::MAX))
}

/// What can be read.
pub(super) fn get(served: &Arc<Served>, camera: &dyn Camera, name: &str) -> Result<Value> {
    let span = |direction| frame::get(&served.frames, camera, direction);
    Ok(match name {
        "binx" => Int(span(Direction::X)?.bin),
        "biny" => Int(span(Direction::Y)?.bin),
        "startx" => Int(span(Direction::X)?.start),
        "starty" => Int(span(Direction::Y)?.start),
        "numx" => Int(span(Direction::X)?.length),
        "numy" => Int(span(Direction::Y)?.length),
        "gain" | "gainmin" | "gainmax" | "gains" => return numbered(camera, Control::Gain, &name[4..]),
        "offset" | "offsetmin" | "offsetmax" | "offsets" => return numbered(camera, Control::Offset, &name[6..]),
        "canfastreadout" => Bool(find(camera, Control::FastReadout)?.is_some()),
        "fastreadout" => {
            Bool(require(camera, Control::FastReadout).and_then(|_| camera.control(Control::FastReadout))? >= 0.5)
        }
        "readoutmodes" => Texts(readout_modes(camera)?),
        "readoutmode" => match find(camera, Control::ReadoutMode)? {
            Some(info) => Int((camera.control(Control::ReadoutMode)? - info.min).round() as i32),
            None => Int(0),
        },
        "subexposureduration" => {
            require(camera, Control::SubExposure)?;
            Double(camera.control(Control::SubExposure)?)
        }
        "setccdtemperature" => return set_point(served, camera),
        _ => match capability(camera, name) {
            Some(value) => value?,
            None => return observed(served, camera, name),
        },
    })
}

/// What does not change while the camera is connected.
fn capability(camera: &dyn Camera, name: &str) -> Option<Result<Value>> {
    let caps = match camera.caps() {
        Ok(caps) => caps,
        Err(error) => return Some(Err(error)),
    };
    let sensor = &caps.sensor;
    let offset = |pick: fn((i32, i32)) -> i32| {
        let (_, offset) = codes::sensor_type(sensor.colour);
        offset.map(|offset| Int(pick(offset))).ok_or_else(|| missing("a Bayer mosaic"))
    };
    let cooler = caps.cooler.as_ref();
    Some(Ok(match name {
        "bayeroffsetx" => return Some(offset(|(x, _)| x)),
        "bayeroffsety" => return Some(offset(|(_, y)| y)),
        "cameraxsize" => integer(sensor.width),
        "cameraysize" => integer(sensor.height),
        "canabortexposure" => Bool(caps.abort),
        "canasymmetricbin" => Bool(caps.asymmetric_bin),
        "cangetcoolerpower" => Bool(cooler.is_some_and(|cooler| cooler.power)),
        "canpulseguide" => Bool(caps.pulse_guide),
        "cansetccdtemperature" => Bool(cooler.is_some_and(|cooler| cooler.set_point.is_some())),
        "canstopexposure" => Bool(caps.stop),
        "exposuremax" => Double(caps.exposure.end().as_secs_f64()),
        "exposuremin" => Double(caps.exposure.start().as_secs_f64()),
        "exposureresolution" => Double(caps.exposure_resolution.as_secs_f64()),
        "hasshutter" => Bool(caps.shutter),
        "maxbinx" => Int(caps.max_bin.0.into()),
        "maxbiny" => Int(caps.max_bin.1.into()),
        "pixelsizex" => return Some(known(sensor.pixel_width.map(|size| size.0), "the size of its pixels")),
        "pixelsizey" => return Some(known(sensor.pixel_height.map(|size| size.0), "the size of its pixels")),
        "sensorname" => Value::text(sensor.name.clone().unwrap_or_default()),
        "sensortype" => Int(codes::sensor_type(sensor.colour).0),
        _ => return None,
    }))
}

/// What changes by itself.
fn observed(served: &Arc<Served>, camera: &dyn Camera, name: &str) -> Result<Value> {
    let seen = served.pictures.see(camera)?;
    let state = &seen.state;
    let cooler = || state.cooler.ok_or_else(|| missing("a cooler"));
    let last = || state.last_exposure.ok_or_else(|| Error::invalid_operation("has not finished any exposure yet"));
    match name {
        "camerastate" => Ok(Int(camera_state(state, &served.pictures.look(served, &seen)))),
        "imageready" => Ok(Bool(is_ready(&served.pictures.look(served, &seen)))),
        "percentcompleted" => {
            let percent = pictures::percent(&state.exposure, served.pictures.duration());
            percent.map(Int).ok_or_else(|| missing("a measure of progress"))
        }
        "ccdtemperature" => known(state.temperature.map(|temperature| temperature.0), "the temperature of its sensor"),
        "heatsinktemperature" => {
            known(state.heat_sink.map(|temperature| temperature.0), "the temperature of its heat sink")
        }
        "cooleron" => Ok(Bool(cooler()?.on)),
        "coolerpower" => known(cooler()?.power.map(|power| power.clamp(0.0, 100.0)), "the power of its cooler"),
        "electronsperadu" => known(state.electrons_per_adu, "the electrons per ADU"),
        "fullwellcapacity" => known(state.full_well, "how many electrons a pixel holds"),
        "maxadu" => Ok(integer(state.max_adu.map_or_else(|| max_adu(camera), Ok)?)),
        "ispulseguiding" => {
            require_guide_port(camera)?;
            Ok(Bool(state.pulse_guiding))
        }
        "lastexposureduration" => Ok(Double(last()?.1.as_secs_f64())),
        "lastexposurestarttime" => Ok(Value::text(fits_time(last()?.0))),
        _ => Err(Error::protocol(format!("{name} is not known"))),
    }
}

/// What the bits of a pixel hold, when the camera does not tell itself.
fn max_adu(camera: &dyn Camera) -> Result<u32> {
    let bits = camera.caps()?.sensor.bits_per_pixel.unwrap_or(16);
    Ok(1_u32.checked_shl(bits.into()).map_or(u32::MAX, |above| above - 1))
}

fn is_ready(look: &Look) -> bool {
    matches!(look, Look::Ready(_))
}

/// A picture that is still being fetched counts as being downloaded.
fn camera_state(state: &CameraState, look: &Look) -> i32 {
    match look {
        Look::Coming => codes::camera_state(&ExposureState::Downloading { percent: None }),
        Look::Failed(error) => codes::camera_state(&ExposureState::Failed(error.clone())),
        Look::Ready(_) => codes::camera_state(&ExposureState::Ready),
        Look::Nothing => codes::camera_state(&state.exposure),
    }
}

/// `DeviceState`.
pub(super) fn states(served: &Arc<Served>, camera: &dyn Camera) -> Result<(Vec<(&'static str, Value)>, Age)> {
    let (caps, seen) = (camera.caps()?, served.pictures.see(camera)?);
    let (state, look) = (&seen.state, served.pictures.look(served, &seen));
    let mut states = vec![("CameraState", Int(camera_state(state, &look))), ("ImageReady", Bool(is_ready(&look)))];
    let celsius = |temperature: Celsius| Double(temperature.0);
    let power = state.cooler.and_then(|cooler| cooler.power).map(|power| Double(power.clamp(0.0, 100.0)));
    states.extend(state.temperature.map(|temperature| ("CCDTemperature", celsius(temperature))));
    states.extend(power.map(|power| ("CoolerPower", power)));
    states.extend(state.heat_sink.map(|temperature| ("HeatSinkTemperature", celsius(temperature))));
    states.extend(caps.pulse_guide.then_some(("IsPulseGuiding", Bool(state.pulse_guiding))));
    let percent = pictures::percent(&state.exposure, served.pictures.duration());
    states.extend(percent.map(|percent| ("PercentCompleted", Int(percent))));
    Ok((states, state.age))
}

/// What can be changed or started.
pub(super) fn put(served: &Arc<Served>, camera: &dyn Camera, name: &str, arguments: &Arguments) -> Result<()> {
    let frames = &served.frames;
    match name {
        "binx" => frame::set_bin(frames, camera, Direction::X, arguments.int(0)?),
        "biny" => frame::set_bin(frames, camera, Direction::Y, arguments.int(0)?),
        "startx" | "starty" => {
            let start = arguments.int(0)?;
            frame::set(frames, camera, direction(name), |span| span.start = start)
        }
        "numx" | "numy" => {
            let length = arguments.int(0)?;
            frame::set(frames, camera, direction(name), |span| span.length = length)
        }
        "gain" => set_numbered(camera, Control::Gain, arguments.int(0)?),
        "offset" => set_numbered(camera, Control::Offset, arguments.int(0)?),
        "fastreadout" => {
            require(camera, Control::FastReadout)?;
            camera.set_control(Control::FastReadout, f64::from(u8::from(arguments.bool(0)?)))
        }
        "readoutmode" => set_readout_mode(camera, arguments.int(0)?),
        "subexposureduration" => {
            require(camera, Control::SubExposure)?;
            camera.set_control(Control::SubExposure, arguments.double(0)?)
        }
        "cooleron" => switch_cooler(served, camera, arguments.bool(0)?),
        "setccdtemperature" => set_temperature(served, camera, Celsius(arguments.double(0)?)),
        "startexposure" => start_exposure(served, camera, arguments),
        "stopexposure" if !camera.caps()?.stop => Err(missing("a way to end an exposure early and keep its image")),
        "stopexposure" => camera.stop_exposure(),
        "abortexposure" if !camera.caps()?.abort => Err(missing("a way to abort an exposure")),
        "abortexposure" => camera.abort_exposure(),
        "pulseguide" => {
            require_guide_port(camera)?;
            let (direction, duration) = guide_pulse(arguments)?;
            camera.pulse_guide(direction, duration)
        }
        _ => Err(Error::protocol(format!("{name} is not known"))),
    }
}

fn direction(name: &str) -> Direction {
    if name.ends_with('x') { Direction::X } else { Direction::Y }
}

/// Direction and duration of a guide pulse.
///
/// # Errors
/// `InvalidValue` for a direction that there is not, or a negative duration.
pub(super) fn guide_pulse(arguments: &Arguments) -> Result<(GuideDirection, Duration)> {
    let (direction, duration) = (arguments.int(0)?, arguments.int(1)?);
    let way = codes::guide_direction(direction);
    let way = way.ok_or_else(|| Error::invalid(format!("there is no guide direction {direction}: 0 to 3")))?;
    let length = u64::try_from(duration);
    let length = length.map_err(|_| Error::invalid(format!("a guide pulse cannot take {duration} ms")))?;
    Ok((way, Duration::from_millis(length)))
}

fn require_guide_port(camera: &dyn Camera) -> Result<()> {
    if camera.caps()?.pulse_guide { Ok(()) } else { Err(missing("a guide port")) }
}

fn start_exposure(served: &Arc<Served>, camera: &dyn Camera, arguments: &Arguments) -> Result<()> {
    let (seconds, light) = (arguments.double(0)?, arguments.bool(1)?);
    let frame_type = match arguments.text(2) {
        Ok(text) => text.parse()?,
        Err(_) if light => FrameType::Light,
        Err(_) => FrameType::Dark,
    };
    let caps = camera.caps()?;
    let duration = Duration::try_from_secs_f64(seconds);
    let mut duration = duration.map_err(|_| Error::invalid(format!("an exposure cannot take {seconds} s")))?;
    // Bias frames are asked for as darks of no length.
    if duration.is_zero() && !frame_type.is_light() {
        duration = *caps.exposure.start();
    }
    if !caps.exposure.contains(&duration) {
        let (low, high) = (caps.exposure.start().as_secs_f64(), caps.exposure.end().as_secs_f64());
        return Err(Error::invalid(format!("an exposure of {seconds} s is not within {low} s to {high} s")));
    }
    if camera.state()?.exposure.is_busy() {
        return Err(Error::invalid_operation("cannot start an exposure while another one is under way"));
    }
    frame::apply(&served.frames, camera)?;
    served.pictures.start(served, camera, Exposure { duration, frame_type })
}

fn find(device: &(impl Device + ?Sized), control: Control) -> Result<Option<ControlInfo>> {
    device.is_connected().and_then(|connected| if connected { Ok(()) } else { Err(Error::not_connected()) })?;
    Ok(device.controls()?.into_iter().find(|info| info.control == control))
}

fn require(device: &(impl Device + ?Sized), control: Control) -> Result<ControlInfo> {
    find(device, control)?.ok_or_else(|| Error::unsupported(format!("has no {control} setting")))
}

/// Gain and offset: by index where the values have names, by value elsewhere, and never both.
fn numbered(camera: &dyn Camera, control: Control, what: &str) -> Result<Value> {
    let info = require(camera, control)?;
    let by_index = !info.choices.is_empty();
    let other =
        || Err(Error::unsupported(format!("has its {control} {}", if by_index { "by index" } else { "by value" })));
    match what {
        "" if by_index => Ok(Int((camera.control(control)? - info.min).round() as i32)),
        "" => Ok(Int(camera.control(control)?.round() as i32)),
        "s" if by_index => Ok(Texts(info.choices)),
        "min" if !by_index => Ok(Int(info.min.ceil() as i32)),
        "max" if !by_index => Ok(Int(info.max.floor() as i32)),
        _ => other(),
    }
}

fn set_numbered(camera: &dyn Camera, control: Control, value: i32) -> Result<()> {
    let info = require(camera, control)?;
    let value = f64::from(value) + if info.choices.is_empty() { 0.0 } else { info.min };
    info.check(value)?;
    camera.set_control(control, value)
}

fn readout_modes(camera: &dyn Camera) -> Result<Vec<String>> {
    let info = find(camera, Control::ReadoutMode)?;
    let choices = info.map(|info| info.choices).filter(|choices| !choices.is_empty());
    Ok(choices.unwrap_or_else(|| vec!["Normal".to_owned()]))
}

fn set_readout_mode(camera: &dyn Camera, mode: i32) -> Result<()> {
    match find(camera, Control::ReadoutMode)? {
        Some(_) => set_numbered(camera, Control::ReadoutMode, mode),
        None if mode == 0 => Ok(()),
        None => Err(Error::invalid(format!("there is no readout mode {mode}: there is one, 0"))),
    }
}

fn cooler(camera: &dyn Camera) -> Result<CoolerCaps> {
    camera.caps()?.cooler.clone().ok_or_else(|| missing("a cooler"))
}

/// The temperature that is, or will be, held: what was set last, here or at the device.
fn set_point(served: &Served, camera: &dyn Camera) -> Result<Value> {
    cooler(camera)?.set_point.ok_or_else(|| missing("a cooler whose temperature can be set"))?;
    let state = camera.state()?;
    let here = lock(&served.kept).set_point;
    let there = state.cooler.and_then(|cooler| cooler.set_point);
    let value = here.or(there).or(state.temperature);
    value
        .map(|temperature| Double(temperature.0))
        .ok_or_else(|| Error::new(astrobackend::ErrorKind::ValueNotSet, "was not told a temperature yet"))
}

/// Sets it at once while the cooler runs, and else keeps it until the cooler is switched on.
fn set_temperature(served: &Served, camera: &dyn Camera, temperature: Celsius) -> Result<()> {
    let range = cooler(camera)?.set_point.ok_or_else(|| missing("a cooler whose temperature can be set"))?;
    let possible = Celsius(-273.0)..=Celsius(99.0);
    if !range.contains(&temperature) || !possible.contains(&temperature) {
        return Err(Error::invalid(format!("{temperature} is not within {} to {}", range.start(), range.end())));
    }
    if camera.state()?.cooler.is_some_and(|cooler| cooler.on) {
        camera.set_cooler(Some(temperature))?;
        lock(&served.kept).set_point = None;
    } else {
        lock(&served.kept).set_point = Some(temperature);
    }
    Ok(())
}

fn switch_cooler(served: &Served, camera: &dyn Camera, on: bool) -> Result<()> {
    let caps = cooler(camera)?;
    let state = camera.state()?;
    let now = state.cooler;
    if !on {
        camera.set_cooler(None)?;
        // So that it is held again when the cooler is switched on.
        let mut kept = lock(&served.kept);
        kept.set_point = kept.set_point.or(now.and_then(|cooler| cooler.set_point));
        return Ok(());
    }
    if now.is_some_and(|cooler| cooler.on) {
        return Ok(());
    }
    let kept = lock(&served.kept).set_point;
    let wanted = kept.or(now.and_then(|cooler| cooler.set_point)).or(state.temperature).unwrap_or(Celsius(0.0));
    let within = caps.set_point.map_or(wanted, |range| Celsius(wanted.0.clamp(range.start().0, range.end().0)));
    camera.set_cooler(Some(within))?;
    lock(&served.kept).set_point = None;
    Ok(())
}

/// A setting by its number, for device kinds that have one or two.
pub(super) fn setting(device: &(impl Device + ?Sized), control: Control) -> Result<f64> {
    find_control(&device.controls()?, control)?;
    device.control(control)
}
