//! Cameras: the `CCD_*` standard properties, pictures as FITS BLOBs.

use super::{
    controls::{self, Settings},
    cooler,
    exposure::Phase,
    guide::Pulses,
    order::Order,
    part::{Companions, Done, Part},
    picture,
    property::{INFO, MAIN, Property, SETTINGS, With, blob, button, number, numbers, switch, switches, text, texts},
};
use crate::lock;
use astrobackend::{
    Error, ErrorKind, Result,
    device::{Camera, CameraCaps, CameraState, Colour, Device, DeviceId, Exposure, ExposureState, FrameType},
    image::Frame,
    wire::indi::{Rule, State},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const EXPOSURE: &str = "CCD_EXPOSURE";
const ABORT: &str = "CCD_ABORT_EXPOSURE";
const FRAME: &str = "CCD_FRAME";
const RESET: &str = "CCD_FRAME_RESET";
const BINNING: &str = "CCD_BINNING";
const FRAME_TYPE: &str = "CCD_FRAME_TYPE";
const PICTURE: &str = "CCD1";

const FRAME_TYPES: [(FrameType, &str, &str); 4] = [
    (FrameType::Light, "FRAME_LIGHT", "Light"),
    (FrameType::Bias, "FRAME_BIAS", "Bias"),
    (FrameType::Dark, "FRAME_DARK", "Dark"),
    (FrameType::Flat, "FRAME_FLAT", "Flat"),
];

/// The longest exposure that a number of seconds can name without being infinite.
const LONGEST: f64 = 1e6;

/// A camera.
#[derive(Debug)]
pub(super) struct CameraPart {
    id: DeviceId,
    camera: Arc<dyn Camera>,
    companions: Arc<Companions>,
    seen: Mutex<Option<Seen>>,
    session: Mutex<Session>,
    pulses: Pulses,
}

/// What was seen of it.
#[derive(Clone, Debug)]
struct Seen {
    caps: Arc<CameraCaps>,
    settings: Settings,
    frame: Frame,
    state: CameraState,
}

/// What clients have said, and the camera does not keep.
#[derive(Debug, Default)]
struct Session {
    frame_type: FrameType,
    phase: Phase,
    /// The region in sensor pixels, as it was asked for: at a binning the camera may keep less of it.
    region: Option<[u32; 4]>,
}

impl CameraPart {
    pub(super) fn new(id: DeviceId, camera: Arc<dyn Camera>, companions: Arc<Companions>) -> Self {
        CameraPart {
            id,
            camera,
            companions,
            seen: Mutex::default(),
            session: Mutex::default(),
            pulses: Pulses::default(),
        }
    }

    fn expose(&self, order: &Order) -> Result<Done> {
        let seconds = order.number("CCD_EXPOSURE_VALUE").and_then(|it| Duration::try_from_secs_f64(it).ok());
        let duration = seconds.ok_or_else(|| Error::invalid("an exposure time is missing"))?;
        let frame_type = lock(&self.session).frame_type;
        let observation = Box::new(self.companions.observe());
        self.camera.start_exposure(Exposure { duration, frame_type })?;
        lock(&self.session).phase = Phase::UnderWay(Some(observation));
        Ok(Done::Begun(vec![(EXPOSURE, State::Busy)]))
    }

    fn abort(&self) -> Result<Done> {
        self.camera.abort_exposure()?;
        lock(&self.session).phase = Phase::Over;
        Ok(Done::Begun(vec![(ABORT, State::Ok)]))
    }

    /// Sets a region in sensor pixels at a binning.
    fn set_frame(&self, region: [u32; 4], (bin_x, bin_y): (u8, u8)) -> Result<Done> {
        let [x, y, width, height] = region;
        let (across, down) = (u32::from(bin_x.max(1)), u32::from(bin_y.max(1)));
        let frame = Frame { x: x / across, y: y / down, width: width / across, height: height / down, bin_x, bin_y };
        self.camera.set_frame(frame)?;
        lock(&self.session).region = Some(region);
        Ok(Done::Set)
    }

    /// The region in sensor pixels: as it was asked for, unless the camera has another.
    fn region(&self, frame: &Frame) -> [u32; 4] {
        let (across, down) = (u32::from(frame.bin_x.max(1)), u32::from(frame.bin_y.max(1)));
        let fits = |[x, y, width, height]: &[u32; 4]| {
            (x / across, y / down, width / across, height / down) == (frame.x, frame.y, frame.width, frame.height)
        };
        let asked = lock(&self.session).region.filter(fits);
        let (x, y, width, height) = frame.unbinned();
        asked.unwrap_or([x, y, width, height])
    }
}

/// A whole number of a property, given or as it is.
fn whole(order: &Order, now: &[Property], element: &str) -> Result<u32> {
    let value =
        order.number_or(element, now).map(f64::round).filter(|value| (0.0..=f64::from(u32::MAX)).contains(value));
    value.map(|value| value as u32).ok_or_else(|| Error::invalid(format!("{element} is no number of pixels")))
}

impl Part for CameraPart {
    fn id(&self) -> &DeviceId {
        &self.id
    }

    fn device(&self) -> &dyn Device {
        &*self.camera
    }

    fn interface(&self) -> u32 {
        let guides = lock(&self.seen).as_ref().is_some_and(|seen| seen.caps.pulse_guide);
        1 << 1 | u32::from(guides) << 2
    }

    fn main(&self) -> &'static str {
        EXPOSURE
    }

    fn main_picture(&self) -> &'static str {
        PICTURE
    }

    fn look(&self, all: bool) -> Result<()> {
        let before = lock(&self.seen).clone();
        let (caps, settings, frame) = match before {
            Some(seen) if !all => (seen.caps, seen.settings, seen.frame),
            _ => (self.camera.caps()?, controls::read(&*self.camera)?, self.camera.frame()?),
        };
        let state = self.camera.state()?;
        let failure = lock(&self.session).phase.follow(&state.exposure);
        *lock(&self.seen) = Some(Seen { caps, settings, frame, state });
        failure.map_or(Ok(()), |why| Err(Error::new(ErrorKind::Device(0), format!("the exposure failed: {why}"))))
    }

    fn properties(&self) -> Vec<Property> {
        let Some(seen) = lock(&self.seen).clone() else { return Vec::new() };
        let Seen { caps, settings, frame, state } = seen;
        let mut all = self.exposing(&caps, &state);
        all.extend(cooler::properties(&caps, &state));
        all.extend(self.framing(&caps, &frame));
        all.extend(sensor(&caps));
        if caps.pulse_guide {
            all.extend(self.pulses.properties(state.pulse_guiding));
        }
        all.extend(controls::properties(&settings));
        all.push(blob(PICTURE, "Image", INFO));
        all
    }

    fn obey(&self, order: &Order, now: &[Property]) -> Result<Done> {
        let Some(Seen { caps, settings, frame, state }) = lock(&self.seen).clone() else {
            return Err(Error::not_connected());
        };
        let other = || {
            let pulsed = self.pulses.obey(order, |direction, length| self.camera.pulse_guide(direction, length));
            pulsed.or_else(|| cooler::obey(&*self.camera, &state, order))
        };
        match order.property.as_str() {
            EXPOSURE => self.expose(order),
            ABORT => self.abort(),
            FRAME_TYPE => {
                let wanted = FRAME_TYPES.iter().find(|(_, element, _)| order.on() == Some(element));
                lock(&self.session).frame_type = wanted.map_or(FrameType::Light, |(wanted, ..)| *wanted);
                Ok(Done::Begun(Vec::new()))
            }
            FRAME => {
                let part = |element| whole(order, now, element);
                let region = [part("X")?, part("Y")?, part("WIDTH")?, part("HEIGHT")?];
                self.set_frame(region, (frame.bin_x, frame.bin_y))
            }
            RESET => self.set_frame([0, 0, caps.sensor.width, caps.sensor.height], (1, 1)),
            BINNING => {
                let bin = |element| whole(order, now, element).map(|bin| bin.clamp(1, 255) as u8);
                self.set_frame(self.region(&frame), (bin("HOR_BIN")?, bin("VER_BIN")?))
            }
            _ => other().unwrap_or_else(|| controls::obey(&*self.camera, &settings, order)),
        }
    }

    fn is_due(&self, wanted: bool) -> bool {
        let Some(state) = lock(&self.seen).as_ref().map(|seen| seen.state.exposure.clone()) else { return false };
        let mut session = lock(&self.session);
        let due = session.phase.is_due(&state);
        if due && !wanted {
            session.phase = Phase::Over;
        }
        due && wanted
    }

    fn fetch(&self) -> Result<Option<Vec<u8>>> {
        let (ours, observation) = match &lock(&self.session).phase {
            Phase::Fetching(observation) => (observation.is_some(), observation.as_deref().cloned()),
            _ => return Ok(None),
        };
        if self.camera.state()?.exposure != ExposureState::Ready {
            lock(&self.session).phase.go_on();
            return Ok(None);
        }
        let colour = self.camera.caps()?.sensor.colour;
        // What somebody else asked for is left for them.
        let image = if ours { self.camera.take_image()? } else { self.camera.image()? };
        let observation = observation.unwrap_or_else(|| self.companions.observe());
        Ok(Some(picture::file(&image, &observation, colour)))
    }

    fn fetched(&self) {
        let mut session = lock(&self.session);
        if matches!(session.phase, Phase::Fetching(_)) {
            session.phase = Phase::Over;
        }
    }

    fn forget(&self) {
        *lock(&self.seen) = None;
        lock(&self.session).phase = Phase::Over;
    }
}

impl CameraPart {
    fn exposing(&self, caps: &CameraCaps, state: &CameraState) -> Vec<Property> {
        let session = lock(&self.session);
        let (shown, left) = session.phase.shown(&state.exposure);
        let limits = [caps.exposure.start(), caps.exposure.end()].map(|limit| limit.as_secs_f64().min(LONGEST));
        let limits = (limits[0], limits[1], caps.exposure_resolution.as_secs_f64());
        let element = number("CCD_EXPOSURE_VALUE", "Duration (s)", left, "%5.2f", limits);
        let mut all = vec![numbers(EXPOSURE, "Expose", MAIN, [element]).writable().state(shown)];
        if caps.abort {
            all.push(button(ABORT, "Abort", MAIN, "ABORT", "Abort"));
        }
        let kinds = FRAME_TYPES.map(|(kind, element, label)| switch(element, label, kind == session.frame_type));
        all.push(switches(FRAME_TYPE, "Frame type", SETTINGS, Rule::OneOfMany, kinds).writable());
        all
    }

    fn framing(&self, caps: &CameraCaps, frame: &Frame) -> Vec<Property> {
        let (width, height) = (f64::from(caps.sensor.width), f64::from(caps.sensor.height));
        let [x, y, columns, rows] = self.region(frame).map(f64::from);
        let parts = [
            number("X", "Left", x, "%4.0f", (0.0, (width - 1.0).max(0.0), 1.0)),
            number("Y", "Top", y, "%4.0f", (0.0, (height - 1.0).max(0.0), 1.0)),
            number("WIDTH", "Width", columns, "%4.0f", (1.0, width, 1.0)),
            number("HEIGHT", "Height", rows, "%4.0f", (1.0, height, 1.0)),
        ];
        let max = (f64::from(caps.max_bin.0), f64::from(caps.max_bin.1));
        let bins = [
            number("HOR_BIN", "Across", f64::from(frame.bin_x), "%2.0f", (1.0, max.0, 1.0)),
            number("VER_BIN", "Down", f64::from(frame.bin_y), "%2.0f", (1.0, max.1, 1.0)),
        ];
        vec![
            numbers(FRAME, "Frame", SETTINGS, parts).writable(),
            button(RESET, "Frame reset", SETTINGS, "RESET", "Reset"),
            numbers(BINNING, "Binning", SETTINGS, bins).writable_if(max != (1.0, 1.0)),
        ]
    }
}

/// What does not change.
fn sensor(caps: &CameraCaps) -> Vec<Property> {
    let sensor = &caps.sensor;
    let size = |size: Option<astrobackend::Microns>| size.map_or(0.0, |size| size.0);
    let (wide, high) = (size(sensor.pixel_width), size(sensor.pixel_height));
    let bits = f64::from(sensor.bits_per_pixel.unwrap_or(16));
    let any = (0.0, 0.0, 0.0);
    let info = [
        number("CCD_MAX_X", "Width", f64::from(sensor.width), "%.f", any),
        number("CCD_MAX_Y", "Height", f64::from(sensor.height), "%.f", any),
        number("CCD_PIXEL_SIZE", "Pixel size (um)", wide, "%5.2f", any),
        number("CCD_PIXEL_SIZE_X", "Pixel width (um)", wide, "%5.2f", any),
        number("CCD_PIXEL_SIZE_Y", "Pixel height (um)", high, "%5.2f", any),
        number("CCD_BITSPERPIXEL", "Bits per pixel", bits, "%.f", any),
    ];
    let raw = [switch("INDI_ENABLED", "Enabled", false), switch("INDI_DISABLED", "Disabled", true)];
    let mut all = vec![
        numbers("CCD_INFO", "CCD information", INFO, info).state(State::Idle),
        switches("CCD_COMPRESSION", "Compression", SETTINGS, Rule::OneOfMany, raw),
    ];
    if let Colour::Bayer(pattern) = sensor.colour {
        let elements = [
            text("CFA_OFFSET_X", "X offset", "0"),
            text("CFA_OFFSET_Y", "Y offset", "0"),
            text("CFA_TYPE", "Filter", pattern.to_string()),
        ];
        all.push(texts("CCD_CFA", "Bayer info", INFO, elements));
    }
    all
}
