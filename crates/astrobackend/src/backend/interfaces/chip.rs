//! What a camera can do, its region and binning, its cooler and its settings, member by member.

use super::{carrier::Arguments, handle::Handle, values::Values};
use crate::{
    Celsius, Error, Microns, Result,
    device::{CameraCaps, Colour, Control, ControlInfo, CoolerCaps, Sensor},
    image::Frame,
    wire::alpaca::codes,
};
use std::time::Duration;

/// The members of region and binning.
pub(super) const FRAME: [&str; 6] = ["binx", "biny", "startx", "starty", "numx", "numy"];

/// Between what a driver that does not tell its range can be asked for: it refuses the rest itself.
const COLDEST: Celsius = Celsius(-273.0);
const WARMEST: Celsius = Celsius(100.0);

const CAPS: &[&str] = &[
    "cameraxsize",
    "cameraysize",
    "pixelsizex",
    "pixelsizey",
    "sensorname",
    "sensortype",
    "bayeroffsetx",
    "bayeroffsety",
    "maxbinx",
    "maxbiny",
    "canasymmetricbin",
    "exposuremin",
    "exposuremax",
    "exposureresolution",
    "canstopexposure",
    "canabortexposure",
    "hasshutter",
    "canpulseguide",
    "cansetccdtemperature",
    "cangetcoolerpower",
    "cooleron",
];

/// Reads what the camera can do.
pub(super) fn caps(handle: &Handle) -> Result<CameraCaps> {
    let common = handle.common()?;
    let values = handle.values(CAPS)?;
    values.all_there()?;
    let bin = |member| Ok::<_, Error>(values.maybe::<i64>(member)?.map_or(1, |bin| bin.clamp(1, 255) as u8));
    let seconds =
        |member| Ok::<_, Error>(values.maybe::<f64>(member)?.and_then(|s| Duration::try_from_secs_f64(s).ok()));
    let (shortest, longest) = (seconds("exposuremin")?.unwrap_or_default(), seconds("exposuremax")?);
    Ok(CameraCaps {
        sensor: Sensor { bits_per_pixel: common.extras.description.bits_per_pixel, ..sensor(&values)? },
        max_bin: (bin("maxbinx")?, bin("maxbiny")?),
        asymmetric_bin: values.flag("canasymmetricbin")?,
        exposure: shortest..=longest.filter(|longest| *longest > shortest).unwrap_or(Duration::MAX),
        exposure_resolution: seconds("exposureresolution")?.unwrap_or_default(),
        stop: values.flag("canstopexposure")?,
        abort: values.flag("canabortexposure")?,
        cooler: cooler(&values, common.extras.description.set_points)?,
        shutter: values.flag("hasshutter")?,
        pulse_guide: values.flag("canpulseguide")?,
    })
}

fn sensor(values: &Values) -> Result<Sensor> {
    let size = |member| Ok::<_, Error>(values.maybe::<f64>(member)?.filter(|size| *size > 0.0).map(Microns));
    let offset = |member| Ok::<_, Error>(values.maybe::<i32>(member)?.unwrap_or(0));
    let kind = values.maybe::<i32>("sensortype")?.unwrap_or(0);
    Ok(Sensor {
        width: values.need("cameraxsize")?,
        height: values.need("cameraysize")?,
        pixel_width: size("pixelsizex")?,
        pixel_height: size("pixelsizey")?,
        name: values.maybe::<String>("sensorname")?.filter(|name| !name.trim().is_empty()),
        colour: codes::colour(kind, offset("bayeroffsetx")?, offset("bayeroffsety")?).unwrap_or(Colour::Mono),
        bits_per_pixel: None,
    })
}

fn cooler(values: &Values, range: Option<(f64, f64)>) -> Result<Option<CoolerCaps>> {
    let aims = values.flag("cansetccdtemperature")?;
    if !aims && values.maybe::<bool>("cooleron")?.is_none() {
        return Ok(None);
    }
    let range =
        range.filter(|(low, high)| low <= high).map_or(COLDEST..=WARMEST, |(low, high)| Celsius(low)..=Celsius(high));
    Ok(Some(CoolerCaps { set_point: aims.then_some(range), power: values.flag("cangetcoolerpower")? }))
}

/// Switches the cooler, with the temperature to reach.
pub(super) fn set_cooler(handle: &Handle, caps: Option<&CoolerCaps>, set_point: Option<Celsius>) -> Result<()> {
    let Some(caps) = caps else { return handle.fail(Error::unsupported("has no cooler")) };
    let switch = |on: bool| handle.put("cooleron", Arguments::new().with("CoolerOn", on));
    match (set_point, &caps.set_point) {
        (None, _) => switch(false),
        (Some(_), None) => handle.fail(Error::unsupported("has a cooler without a set point")),
        (Some(wanted), Some(range)) if !range.contains(&wanted) => {
            let message = format!("{wanted} is not within {} to {}", range.start(), range.end());
            handle.fail(Error::invalid(message))
        }
        (Some(wanted), Some(_)) => {
            handle.put("setccdtemperature", Arguments::new().with("SetCCDTemperature", wanted.0))?;
            switch(true)
        }
    }
}

/// Region and binning.
pub(super) fn frame(values: &Values) -> Result<Frame> {
    let bin = |member| Ok::<_, Error>(values.need::<i64>(member)?.clamp(1, 255) as u8);
    Ok(Frame {
        x: values.need("startx")?,
        y: values.need("starty")?,
        width: values.need("numx")?,
        height: values.need("numy")?,
        bin_x: bin("binx")?,
        bin_y: bin("biny")?,
    })
}

/// Refuses what the camera cannot do, before anything is sent.
pub(super) fn check_frame(caps: &CameraCaps, wanted: Frame) -> Result<()> {
    let (x, y) = (wanted.bin_x, wanted.bin_y);
    if x > caps.max_bin.0 || y > caps.max_bin.1 {
        return Err(Error::invalid(format!("binning {x}x{y} is beyond {}x{}", caps.max_bin.0, caps.max_bin.1)));
    }
    if x != y && !caps.asymmetric_bin {
        return Err(Error::invalid(format!("binning {x}x{y} is not the same both ways")));
    }
    wanted.check(caps.sensor.width, caps.sensor.height)
}

/// Sets region and binning, so that no step leads to a region off the sensor: some servers check each one.
pub(super) fn set_frame(handle: &Handle, wanted: Frame) -> Result<()> {
    let put = |member, name, value: u32| handle.put(member, Arguments::new().with(name, value));
    let mut now = frame(&handle.values(&FRAME)?)?;
    if (now.bin_x, now.bin_y) != (wanted.bin_x, wanted.bin_y) {
        put("binx", "BinX", wanted.bin_x.into())?;
        put("biny", "BinY", wanted.bin_y.into())?;
        // Some servers set the region to the whole sensor with it, others convert it, others leave it.
        now = frame(&handle.values(&FRAME)?)?;
    }
    let axes = [
        (("startx", "StartX"), ("numx", "NumX"), (now.x, now.width), (wanted.x, wanted.width)),
        (("starty", "StartY"), ("numy", "NumY"), (now.y, now.height), (wanted.y, wanted.height)),
    ];
    for (start, count, now, wanted) in axes {
        let start = (start, now.0, wanted.0);
        let count = (count, now.1, wanted.1);
        // Towards the edge the length comes first, away from it the start.
        let steps = if wanted.0 < now.0 { [start, count] } else { [count, start] };
        for ((member, name), now, wanted) in steps {
            if now != wanted {
                put(member, name, wanted)?;
            }
        }
    }
    Ok(())
}

/// The settings that ASCOM has for a camera.
pub(super) fn settings(handle: &Handle) -> Result<Vec<ControlInfo>> {
    let members = [
        "gain",
        "gains",
        "gainmin",
        "gainmax",
        "offset",
        "offsets",
        "offsetmin",
        "offsetmax",
        "readoutmode",
        "readoutmodes",
        "canfastreadout",
        "fastreadout",
        "subexposureduration",
        "exposuremax",
    ];
    let values = handle.values(&members)?;
    values.all_there()?;
    let mut settings = Vec::new();
    settings.extend(level(&values, Control::Gain, ["gain", "gains", "gainmin", "gainmax"])?);
    settings.extend(level(&values, Control::Offset, ["offset", "offsets", "offsetmin", "offsetmax"])?);
    let modes: Vec<String> = values.maybe("readoutmodes")?.unwrap_or_default();
    if values.maybe::<i64>("readoutmode")?.is_some() && !modes.is_empty() {
        settings.push(ControlInfo::choice(Control::ReadoutMode, modes));
    }
    if values.flag("canfastreadout")? && values.maybe::<bool>("fastreadout")?.is_some() {
        settings.push(ControlInfo::switch(Control::FastReadout));
    }
    if let Some(now) = values.maybe::<f64>("subexposureduration")? {
        let longest = values.maybe::<f64>("exposuremax")?.unwrap_or(f64::MAX).max(now);
        settings.push(ControlInfo::range(Control::SubExposure, 0.0, longest, 0.0));
    }
    Ok(settings)
}

/// Gain or offset: a number between two limits, or the index of a name; never both.
fn level(
    values: &Values,
    control: Control,
    [value, names, min, max]: [&'static str; 4],
) -> Result<Option<ControlInfo>> {
    if values.maybe::<f64>(value)?.is_none() {
        return Ok(None);
    }
    let limits = values.maybe::<f64>(min)?.zip(values.maybe::<f64>(max)?).filter(|(min, max)| min <= max);
    let names: Vec<String> = values.maybe(names)?.unwrap_or_default();
    Ok(match limits {
        Some((min, max)) => Some(ControlInfo::range(control, min, max, 1.0)),
        None if !names.is_empty() => Some(ControlInfo::choice(control, names)),
        None => None,
    })
}
