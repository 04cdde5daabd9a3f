//! What a picture should know about itself: from the server's members, and from a server of ours all of it.

use super::{carrier::is_transport, exposure::Taking, extras, handle::Handle, session::Facts};
use crate::{
    Celsius, Image, Result, Timestamp,
    device::{CameraCaps, Colour},
    fits::{Card, Header, Value},
    image::{Frame, ImageMeta},
    wire::alpaca::extensions::{self, PictureMeta},
};
use std::time::Duration;

/// What is known when a picture has been loaded.
pub(super) struct Known<'a> {
    pub(super) handle: &'a Handle,
    pub(super) caps: &'a CameraCaps,
    pub(super) taking: &'a Taking,
    pub(super) finished: Option<(Timestamp, Duration)>,
    pub(super) facts: Facts,
    pub(super) mode: Option<String>,
}

/// What a server of ours tells of the picture that is ready; `None` from others, and where it says that there is nothing.
///
/// # Errors
/// `Unreachable` and the like: the picture can be asked for again.
pub(super) fn told(handle: &Handle) -> Result<Option<PictureMeta>> {
    if !handle.common()?.extras.has(extensions::PICTURE_META) {
        return Ok(None);
    }
    match extras::picture(handle) {
        Err(error) if is_transport(&error) => Err(error),
        told => Ok(told.ok()),
    }
}

/// Fills a picture's `meta`. What cannot be read is left out: the picture counts more.
pub(super) fn complete(image: &mut Image, known: &Known<'_>, told: Option<PictureMeta>) {
    let Known { handle, caps, taking, finished, facts, mode } = known;
    let notes = &taking.notes;
    let info = handle.info();
    let frame = Frame { width: image.width(), height: image.height(), ..notes.frame };
    image.meta = ImageMeta {
        camera: Some(info.id.name),
        camera_id: info.unique_id,
        frame_type: Some(taking.exposure.frame_type),
        start: finished.map_or(Some(taking.at), |(start, _)| Some(start)),
        exposure: finished.map_or(Some(taking.exposure.duration), |(_, length)| Some(length)),
        frame: Some(frame),
        pixel_size: caps.sensor.pixel_width.zip(caps.sensor.pixel_height).map(|(width, height)| (width.0, height.0)),
        bayer: match (caps.sensor.colour, frame) {
            (Colour::Bayer(pattern), Frame { x, y, bin_x: 1, bin_y: 1, .. }) => Some(pattern.shifted(x, y)),
            _ => None,
        },
        gain: notes.gain,
        offset: notes.offset,
        electrons_per_adu: facts.electrons_per_adu,
        max_adu: facts.max_adu,
        readout_mode: mode.clone(),
        ..ImageMeta::default()
    };
    match told {
        Some(told) => merge(&mut image.meta, told),
        None => temperatures(&mut image.meta, handle, caps),
    }
}

/// The temperatures, which ASCOM tells only of now.
fn temperatures(meta: &mut ImageMeta, handle: &Handle, caps: &CameraCaps) {
    let members: &[&'static str] = match caps.cooler {
        Some(_) => &["ccdtemperature", "cooleron", "setccdtemperature"],
        None => &["ccdtemperature"],
    };
    let Ok(values) = handle.values(members) else { return };
    meta.temperature = values.maybe("ccdtemperature").ok().flatten().map(Celsius);
    if values.flag("cooleron").unwrap_or(false) {
        meta.set_point = values.maybe("setccdtemperature").ok().flatten().map(Celsius);
    }
}

/// What the server tells goes before what was put together here.
fn merge(meta: &mut ImageMeta, told: PictureMeta) {
    let frame = |[x, y, width, height, bin_x, bin_y]: [u32; 6]| {
        Some(Frame { x, y, width, height, bin_x: bin_x.try_into().ok()?, bin_y: bin_y.try_into().ok()? })
    };
    meta.frame_type = told.frame_type.and_then(|text| text.parse().ok()).or(meta.frame_type);
    meta.start = told.start.and_then(|text| text.parse().ok()).or(meta.start);
    meta.exposure = told.exposure.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).or(meta.exposure);
    meta.frame = told.frame.and_then(frame).or(meta.frame);
    meta.pixel_size = told.pixel_size.or(meta.pixel_size);
    meta.bayer = told.bayer.and_then(|text| text.parse().ok());
    meta.gain = told.gain;
    meta.offset = told.offset;
    meta.electrons_per_adu = told.electrons_per_adu;
    meta.max_adu = told.max_adu;
    meta.readout_mode = told.readout_mode;
    meta.temperature = told.temperature.map(Celsius);
    meta.set_point = told.set_point.map(Celsius);
    meta.exposure_number = told.exposure_number;
    meta.verdict = told.verdict.and_then(|text| text.parse().ok());
    meta.header = header(told.header);
}

/// The cards of the driver's own header; one that cannot be is left out.
fn header(cards: Vec<(String, serde_json::Value, String)>) -> Header {
    let mut header = Header::new();
    for (keyword, value, comment) in cards {
        let value = match value {
            serde_json::Value::Bool(value) => Value::Logical(value),
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Value::Integer(whole),
                (None, Some(real)) => Value::Real(real),
                (None, None) => Value::None,
            },
            _ => Value::None,
        };
        let _ = header.push(Card { keyword, value, comment });
    }
    header
}
