//! The camera of the original server. Its picture stays there: it is saved to a file, and read from that.

use super::{Peer, exposure::Taking, impl_original, number, whole};
use crate::{
    Celsius, Error, ErrorKind, Image, Microns, Result, Timestamp,
    backend::{
        keeping::Declared,
        rpc::handle::{SAVE, save_params},
    },
    device::{
        Age, Camera, CameraCaps, CameraState, Control, ControlInfo, Cooler, CoolerCaps, Exposure, ExposureState,
        FrameType, Sensor,
    },
    event::{Event, Hub},
    fits,
    guard::Guard,
    image::Frame,
    sync::{Turn, lock},
    wait::Deadline,
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Temperatures that can be asked for: the server does not tell its camera's, and colder is nowhere.
const SET_POINTS: (f64, f64) = (-273.15, 100.0);

/// The camera.
#[derive(Debug)]
pub(super) struct OriginalCamera {
    peer: Peer,
    known: Mutex<Option<Known>>,
    session: Mutex<Session>,
    fetching: Turn,
    guard: Guard,
    hub: Arc<Hub>,
}

/// What is asked once.
#[derive(Clone, Debug)]
struct Known {
    losses: u64,
    caps: Arc<CameraCaps>,
    controls: Vec<ControlInfo>,
}

#[derive(Debug, Default)]
struct Session {
    frame: Option<Frame>,
    gain: Option<f64>,
    last: Last,
    finished: Option<(Timestamp, Duration)>,
}

/// The last exposure.
#[derive(Debug, Default)]
enum Last {
    #[default]
    None,
    Taken(Arc<Taking>),
    Fetched(Arc<Image>),
}

impl_original!(
    OriginalCamera,
    |camera| match camera.peer.check() {
        Ok(()) => Ok(camera.known()?.controls),
        Err(_) => Ok(Vec::new()),
    },
    |camera, control| camera.read_control(control),
    |camera, _, value| {
        lock(&camera.session).gain = Some(value);
        camera.peer.claim.declare(Declared::Control(Control::Gain, value));
        Ok(())
    },
    fn actions(&self) -> Result<Vec<String>> {
        Ok(vec![SAVE.to_owned()])
    },
    fn action(&self, name: &str, parameters: &str) -> Result<String> {
        if name != SAVE {
            let error = Error::new(ErrorKind::UnknownAction, format!("has no action {name:?}"));
            return self.peer.fail(error);
        }
        // The server would save the picture before.
        self.check_ready()?;
        self.peer.order("save_image", save_params(parameters)).map(|()| String::new())
    }
);

impl OriginalCamera {
    pub(super) fn new(peer: Peer, hub: Arc<Hub>) -> Self {
        let guard = Guard::new(peer.connection.policy().guard);
        OriginalCamera {
            peer,
            known: Mutex::default(),
            session: Mutex::default(),
            fetching: Turn::default(),
            guard,
            hub,
        }
    }

    fn known(&self) -> Result<Known> {
        self.peer.check()?;
        let losses = self.peer.connection.losses();
        if let Some(known) = lock(&self.known).as_ref().filter(|known| known.losses == losses) {
            return Ok(known.clone());
        }
        let info = self.peer.read("get_camera_info")?;
        let max_bin = self.max_binning()?;
        let size = |index: usize| number(&info["framesize"][index]).and_then(whole);
        let (Some(width @ 1..), Some(height @ 1..)) = (size(0), size(1)) else {
            return self.peer.fail(Error::protocol("does not tell the size of its sensor"));
        };
        let pixel = |index: usize| number(&info["pixelsize"][index]).map(Microns);
        let has = |key: &str| number(&info[key]).is_some();
        let cooler = info["cooler_state"].as_bool().map(|_| CoolerCaps {
            set_point: Some(Celsius(SET_POINTS.0)..=Celsius(SET_POINTS.1)),
            power: has("cooler_power"),
        });
        let caps = CameraCaps {
            sensor: Sensor {
                width: width.unsigned_abs(),
                height: height.unsigned_abs(),
                pixel_width: pixel(0),
                pixel_height: pixel(1),
                ..Sensor::default()
            },
            max_bin: (max_bin, max_bin),
            asymmetric_bin: false,
            exposure: Duration::ZERO..=Duration::MAX,
            exposure_resolution: Duration::ZERO,
            stop: false,
            abort: true,
            cooler,
            shutter: false,
            pulse_guide: false,
        };
        let limits = |control| ControlInfo::range(control, 0.0, f64::from(i32::MAX), 0.0);
        let mut controls = Vec::new();
        if has("camera_gain") {
            controls.push(limits(Control::Gain));
        }
        for (key, control) in [("camera_offset", Control::Offset), ("camera_usbbandwidth", Control::UsbBandwidth)] {
            if has(key) {
                controls.push(ControlInfo { writable: false, ..limits(control) });
            }
        }
        let known = Known { losses, caps: Arc::new(caps), controls };
        *lock(&self.known) = Some(known.clone());
        Ok(known)
    }

    /// The client and the server of the original do not agree on its name.
    fn max_binning(&self) -> Result<u8> {
        let answer = match self.peer.number("get_camera_max_binning", "camera_max_binning") {
            Err(error) if error.kind() == ErrorKind::Unsupported => self.peer.number("get_max_binning", "max_binning"),
            other => other,
        };
        match answer {
            Ok(value) => Ok(value.map_or(1, |value| value.clamp(1.0, 255.0) as u8)),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(1),
            Err(error) => Err(error),
        }
    }

    fn read_control(&self, control: Control) -> Result<f64> {
        let declared = lock(&self.session).gain;
        let value = match (control, declared) {
            (Control::Gain, Some(gain)) => return Ok(gain),
            (Control::Gain, None) => self.peer.number("get_camera_gain", "camera_gain")?,
            (Control::Offset, _) => number(&self.peer.read("get_camera_info")?["camera_offset"]),
            _ => number(&self.peer.read("get_camera_info")?["camera_usbbandwidth"]),
        };
        value.ok_or_else(|| self.peer.name(Error::new(ErrorKind::ValueNotSet, format!("does not tell its {control}"))))
    }

    fn exposure_state(&self) -> ExposureState {
        let mut session = lock(&self.session);
        let state = match &session.last {
            Last::None => ExposureState::Idle,
            Last::Fetched(_) => ExposureState::Ready,
            Last::Taken(taking) => taking.state(),
        };
        if let (ExposureState::Ready, Last::Taken(taking)) = (&state, &session.last) {
            session.finished = Some((taking.at, taking.exposure.duration));
        }
        match state {
            ExposureState::Failed(error) => ExposureState::Failed(self.peer.name(error)),
            other => other,
        }
    }

    fn check_ready(&self) -> Result<()> {
        self.peer.check()?;
        match self.exposure_state() {
            ExposureState::Ready => Ok(()),
            ExposureState::Failed(error) => Err(error),
            state if state.is_busy() => self.peer.fail(Error::invalid_operation("the exposure has not finished")),
            _ => self.peer.fail(Error::invalid_operation("there is no image")),
        }
    }

    /// Lets the server save its picture here, and reads it.
    fn fetch(&self, taking: &Taking) -> Result<Image> {
        let host = &self.peer.connection.server().host;
        let is_here =
            host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !is_here {
            return Err(Error::unsupported(format!("keeps its picture on {host}, where the action {SAVE} saves it")));
        }
        let failed = |error| Error::io("there is no place for a picture", error);
        let folder = tempfile::Builder::new().prefix("astrobackend-rpc-").tempdir().map_err(failed)?;
        let path = folder.path().join("image.fits");
        let Some(name) = path.to_str() else {
            return Err(Error::invalid("the name of the folder for temporary files is no text"));
        };
        self.peer.order("save_image", json!({ "filename": name, "overwrite": true }))?;
        let (mut image, _) = fits::read(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Error::not_found(format!("the server says that it saved {name}, which is not on this machine"))
            }
            _ => error,
        })?;
        let frame = taking.frame;
        if (image.width(), image.height()) != (frame.width, frame.height) {
            let (width, height) = (image.width(), image.height());
            let message = format!("has a picture of {width}x{height}, which is somebody else's");
            return Err(Error::new(ErrorKind::Device(0), message));
        }
        image.meta.camera = Some(self.peer.info.id.name.clone());
        image.meta.frame_type = Some(taking.exposure.frame_type);
        image.meta.frame = Some(frame);
        // The server writes when it saved.
        image.meta.start = Some(taking.at);
        let exposed = image.meta.exposure.replace(taking.exposure.duration);
        let at = Timestamp::now();
        if let Some(kind) = taking.ticket.judge(&mut image, at, exposed) {
            self.hub.publish(&Event { at, device: Some(self.peer.info.id.clone()), kind });
        }
        Ok(image)
    }
}

/// As the server has it.
fn frame_type(frame_type: FrameType) -> &'static str {
    match frame_type {
        FrameType::Light => "Light",
        FrameType::Dark => "Dark",
        FrameType::Bias => "Bias",
        FrameType::Flat => "Flat",
    }
}

impl Camera for OriginalCamera {
    fn caps(&self) -> Result<Arc<CameraCaps>> {
        Ok(self.known()?.caps)
    }

    fn state(&self) -> Result<CameraState> {
        let temperature = self.peer.number("get_current_temperature", "current_temperature")?;
        let cooler = match self.peer.truth("get_cooler_state", "cooler_state")? {
            Some(on) => Some(Cooler {
                on,
                set_point: self.peer.number("get_target_temperature", "target_temperature")?.map(Celsius),
                power: self.peer.number("get_cooler_power", "cooler_power")?,
            }),
            None => None,
        };
        let electrons_per_adu = self.peer.number("get_camera_egain", "camera_egain")?;
        let exposure = self.exposure_state();
        Ok(CameraState {
            exposure,
            temperature: temperature.map(Celsius),
            heat_sink: None,
            cooler,
            pulse_guiding: false,
            electrons_per_adu,
            full_well: None,
            max_adu: None,
            last_exposure: lock(&self.session).finished,
            age: Age::NOW,
        })
    }

    fn frame(&self) -> Result<Frame> {
        let sensor = &self.known()?.caps.sensor;
        Ok(lock(&self.session).frame.unwrap_or_else(|| Frame::full(sensor.width, sensor.height, 1)))
    }

    fn set_frame(&self, frame: Frame) -> Result<()> {
        let caps = self.known()?.caps;
        let max = caps.max_bin.0;
        if frame.bin_x > max || frame.bin_y > max {
            let message = format!("binning {}x{} is beyond {max}x{max}", frame.bin_x, frame.bin_y);
            return self.peer.fail(Error::invalid(message));
        }
        if frame.bin_x != frame.bin_y {
            let message = format!("binning {}x{} differs across and down", frame.bin_x, frame.bin_y);
            return self.peer.fail(Error::invalid(message));
        }
        frame.check(caps.sensor.width, caps.sensor.height).map_err(|error| self.peer.name(error))?;
        if self.exposure_state().is_busy() {
            return self.peer.fail(Error::new(ErrorKind::Busy, "is exposing, its frame cannot change"));
        }
        lock(&self.session).frame = Some(frame);
        self.peer.claim.declare(Declared::Frame(frame));
        Ok(())
    }

    fn set_cooler(&self, set_point: Option<Celsius>) -> Result<()> {
        if self.known()?.caps.cooler.is_none() {
            return self.peer.fail(Error::unsupported("has no cooler"));
        }
        if let Some(Celsius(wanted)) = set_point {
            let (lowest, highest) = SET_POINTS;
            if !(lowest..=highest).contains(&wanted) {
                let message = format!("set point {wanted} is not within {lowest} to {highest}");
                return self.peer.fail(Error::invalid(message));
            }
            self.peer.order("set_target_temperature", json!({ "target_temperature": wanted }))?;
        }
        self.peer.order("set_cooler_state", json!({ "cooler_state": set_point.is_some() }))?;
        self.peer.claim.declare(Declared::Cooler(set_point));
        Ok(())
    }

    fn start_exposure(&self, exposure: Exposure) -> Result<()> {
        // Always with a region: without one the server takes the unbinned sensor at any binning.
        let (frame, caps) = (self.frame()?, self.caps()?);
        let mut session = lock(&self.session);
        if matches!(&session.last, Last::Taken(taking) if taking.state().is_busy()) {
            return self.peer.fail(Error::new(ErrorKind::Busy, "another exposure is under way"));
        }
        let mut params = json!({
            "exposure": exposure.duration.as_secs_f64(),
            "binning": frame.bin_x,
            "roi": [frame.x, frame.y, frame.width, frame.height],
            "frametype": frame_type(exposure.frame_type),
        });
        if let Some(gain) = session.gain {
            params["camera_gain"] = whole(gain).map_or(Value::from(gain), Value::from);
        }
        session.last = Last::None;
        let (at, since) = (Timestamp::now(), Instant::now());
        let answer = self.peer.connection.start("take_image", &params).map_err(|error| self.peer.name(error))?;
        let ticket = self.guard.begin(exposure, frame, &caps, at);
        session.last = Last::Taken(Arc::new(Taking { answer, ticket, exposure, frame, at, since }));
        Ok(())
    }

    fn stop_exposure(&self) -> Result<()> {
        self.peer.fail(Error::unsupported("cannot keep the image of an exposure that is ended early"))
    }

    fn abort_exposure(&self) -> Result<()> {
        self.peer.check()?;
        let last = {
            let mut session = lock(&self.session);
            match &session.last {
                Last::Taken(taking) if taking.state().is_busy() => std::mem::take(&mut session.last),
                _ => return Ok(()),
            }
        };
        let Last::Taken(taking) = last else { return Ok(()) };
        self.peer.order("abort_image", json!({})).inspect_err(|_| {
            let mut session = lock(&self.session);
            if matches!(session.last, Last::None) {
                // It goes on, and may be aborted again.
                session.last = Last::Taken(taking.clone());
            }
        })?;
        // Until the server has let the camera go, it refuses the next exposure.
        let limit = self.peer.connection.policy().timeout;
        match taking.answer.wait(&Deadline::after(limit)) {
            Some(_) => Ok(()),
            None => self.peer.fail(Error::timeout("the end of the aborted exposure", limit)),
        }
    }

    fn image(&self) -> Result<Arc<Image>> {
        self.check_ready()?;
        let _fetching = self.fetching.after_others("the picture").map_err(|error| self.peer.name(error))?;
        let taking = match &lock(&self.session).last {
            Last::Fetched(image) => return Ok(image.clone()),
            Last::Taken(taking) => taking.clone(),
            Last::None => return self.peer.fail(Error::invalid_operation("there is no image")),
        };
        let fetched = self.fetch(&taking).map(Arc::new).map_err(|error| self.peer.name(error))?;
        let mut session = lock(&self.session);
        // Another exposure may have begun meanwhile.
        if matches!(&session.last, Last::Taken(current) if Arc::ptr_eq(current, &taking)) {
            session.last = Last::Fetched(fetched.clone());
        }
        Ok(fetched)
    }
}
