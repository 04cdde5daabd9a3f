//! Cameras.

use crate::{
    choice::{CameraStatus, Choice},
    device::{Core, Device, Limits, PyCancel, awaitable, other_kind},
    error::{Invalid, exception},
    image::Image,
    moment::datetime,
    place::{Frame, RaDec},
    record::record,
    whole::whole,
};
use astrobackend::{
    Celsius, Error, Result, Wait,
    device::{self, AnyDevice, Control, Exposure, ExposureState, FilterWheelExt as _, FrameType, GuideDirection},
    image,
    rig::{Picture, Shot},
};
use pyo3::{
    PyClassInitializer,
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::sync::Arc;

record! {
    /// What a camera can do.
    CameraCaps(device::CameraCaps), pickled as |this, py| {
        /// Columns of the sensor, unbinned.
        width: this.sensor.width,
        /// Rows of the sensor, unbinned.
        height: this.sensor.height,
        /// Width and height of an unbinned pixel in micrometres.
        pixel_size: this.sensor.pixel_width.zip(this.sensor.pixel_height).map(|(width, height)| (width.0, height.0)),
        /// Name of the chip.
        sensor_name: &this.sensor.name,
        /// `mono`, `planes`, a Bayer pattern such as `RGGB`, or another mosaic.
        colour: colour(&this.sensor.colour),
        /// Bits that a pixel is sent with.
        bits_per_pixel: this.sensor.bits_per_pixel,
        /// Largest binning across and down.
        max_bin: this.max_bin,
        /// Binning across and down may differ.
        asymmetric_bin: this.asymmetric_bin,
        /// Shortest and longest exposure in seconds.
        exposure: (this.exposure.start().as_secs_f64(), this.exposure.end().as_secs_f64()),
        /// Smallest difference between two exposure times in seconds, 0 when unknown.
        exposure_resolution: this.exposure_resolution.as_secs_f64(),
        /// An exposure can be ended early and its image kept.
        stop: this.stop,
        /// An exposure can be thrown away.
        abort: this.abort,
        /// It has a cooler.
        cooler: this.cooler.is_some(),
        /// The temperatures that can be asked for, in °C; `None` when the cooler only switches.
        set_point: set_point(this),
        /// The cooler's power is known.
        cooler_power: this.cooler.as_ref().is_some_and(|cooler| cooler.power),
        /// It has a mechanical shutter.
        shutter: this.shutter,
        /// It has a guide port.
        pulse_guide: this.pulse_guide,
    }
}

record! {
    /// Everything about a camera that changes by itself, in one look; unknown is `None`.
    CameraState(device::CameraState), pickled as |this, py| {
        /// What it is doing; `IDLE` also when the picture is ready.
        status: status(&this.exposure).member(py)?,
        /// From the accepted command until the picture is there or the exposure has ended otherwise.
        busy: this.exposure.is_busy(),
        /// `image()` has the picture of the last exposure.
        image_ready: this.exposure == ExposureState::Ready,
        /// Why the last exposure failed.
        error: match &this.exposure {
            ExposureState::Failed(error) => Some(exception(py, error)?),
            _ => None,
        },
        /// Seconds left of the exposure.
        remaining: remaining(&this.exposure),
        /// Percent done of what is under way.
        percent: percent(&this.exposure),
        /// Of the sensor, °C.
        temperature: this.temperature.map(|temperature| temperature.0),
        /// Of the heat sink, °C.
        heat_sink: this.heat_sink.map(|temperature| temperature.0),
        /// The cooler is on; `None` without one.
        cooler_on: this.cooler.map(|cooler| cooler.on),
        /// The temperature to reach, °C.
        set_point: this.cooler.and_then(|cooler| cooler.set_point).map(|temperature| temperature.0),
        /// Of the cooler, percent.
        cooler_power: this.cooler.and_then(|cooler| cooler.power),
        /// A pulse of its guide port is under way.
        pulse_guiding: this.pulse_guiding,
        /// At the present gain.
        electrons_per_adu: this.electrons_per_adu,
        /// Electrons that a pixel holds.
        full_well: this.full_well,
        /// Largest pixel value.
        max_adu: this.max_adu,
        /// UTC start, and true length in seconds, of the last finished exposure.
        last_exposure: match this.last_exposure {
            Some((start, length)) => Some((datetime(py, start)?, length.as_secs_f64())),
            None => None,
        },
        /// Seconds since the device itself told this: 0 when it was asked just now. It makes no difference to `==`.
        age: this.age.seconds(),
    }
}

record! {
    /// How far an exposure is; unknown is `None`.
    Progress(ExposureState), pickled as |this, py| {
        /// What the camera is doing.
        status: status(this).member(py)?,
        /// Seconds left of the exposure.
        remaining: remaining(this),
        /// Percent done of what is under way.
        percent: percent(this),
    }
}

fn colour(colour: &device::Colour) -> String {
    match colour {
        device::Colour::Mono => "mono".into(),
        device::Colour::Planes => "planes".into(),
        device::Colour::Bayer(pattern) => pattern.to_string(),
        device::Colour::Mosaic { kind, .. } => format!("{kind:?}").to_uppercase(),
        other => format!("{other:?}"),
    }
}

fn set_point(caps: &device::CameraCaps) -> Option<(f64, f64)> {
    let range = caps.cooler.as_ref()?.set_point.as_ref()?;
    Some((range.start().0, range.end().0))
}

fn status(state: &ExposureState) -> CameraStatus {
    match state {
        ExposureState::Idle | ExposureState::Ready => CameraStatus::Idle,
        ExposureState::Waiting => CameraStatus::Waiting,
        ExposureState::Exposing { .. } => CameraStatus::Exposing,
        ExposureState::Reading { .. } => CameraStatus::Reading,
        ExposureState::Downloading { .. } => CameraStatus::Downloading,
        ExposureState::Failed(_) => CameraStatus::Error,
        _ => CameraStatus::Unknown,
    }
}

fn remaining(state: &ExposureState) -> Option<f64> {
    match state {
        ExposureState::Exposing { remaining, .. } => remaining.map(|left| left.as_secs_f64()),
        _ => None,
    }
}

fn percent(state: &ExposureState) -> Option<f64> {
    match state {
        ExposureState::Exposing { percent, .. }
        | ExposureState::Reading { percent }
        | ExposureState::Downloading { percent } => *percent,
        _ => None,
    }
}

/// A camera.
#[pyclass(extends = Device, frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct Camera(Arc<Core>);

impl Camera {
    pub(crate) fn new(core: Arc<Core>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Device(core.clone())).add_subclass(Camera(core))
    }
}

pub(crate) fn camera(device: &AnyDevice) -> Result<&dyn device::Camera> {
    match device {
        AnyDevice::Camera(camera) => Ok(&**camera),
        other => Err(other_kind(other)),
    }
}

fn frame_type(value: Option<&Bound<'_, PyAny>>) -> PyResult<FrameType> {
    value.map_or(Ok(FrameType::Light), FrameType::of)
}

/// Which filter to bring in: by name or by place.
#[derive(Debug)]
pub(crate) enum Filter {
    Place(usize),
    Name(String),
}

impl Filter {
    pub(crate) fn of(device: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(place) = value.extract() {
            return Ok(Filter::Place(place));
        }
        let name = value
            .extract()
            .map_err(|_| Invalid(format!("{device}: {value} is no filter: its name, or its place from 0")))?;
        Ok(Filter::Name(name))
    }

    pub(crate) fn select(&self, wheel: &dyn device::FilterWheel, wait: &Wait) -> Result<()> {
        match self {
            Filter::Place(place) => wheel.move_to(*place, wait),
            Filter::Name(name) => wheel.select(name, wait),
        }
    }
}

#[pymethods]
impl Camera {
    /// What it can do. No I/O once connected.
    #[pyo3(signature = (*, timeout=None))]
    fn caps(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<CameraCaps> {
        self.0
            .read(py, "caps", timeout, |device| camera(device)?.caps())
            .map(|caps| CameraCaps(Arc::unwrap_or_clone(caps)))
    }

    /// Everything that changes by itself, in one look.
    #[pyo3(signature = (*, timeout=None))]
    fn state(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<CameraState> {
        self.0.read(py, "state", timeout, |device| camera(device)?.state()).map(CameraState)
    }

    /// Region and binning of the next exposure.
    #[pyo3(signature = (*, timeout=None))]
    fn frame(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Frame> {
        self.0.read(py, "frame", timeout, |device| camera(device)?.frame()).map(Frame)
    }

    /// Sets region and binning together.
    #[pyo3(signature = (frame, *, timeout=None))]
    fn set_frame(&self, py: Python<'_>, frame: &Frame, timeout: Option<f64>) -> PyResult<()> {
        let frame = frame.0;
        self.0.ask(py, "set_frame", timeout, move |device| camera(device)?.set_frame(frame))
    }

    /// Switches the cooler on, to reach a temperature in °C, or off (`None`).
    #[pyo3(signature = (set_point, *, timeout=None))]
    fn set_cooler(&self, py: Python<'_>, set_point: Option<f64>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "set_cooler", timeout, move |device| camera(device)?.set_cooler(set_point.map(Celsius)))
    }

    /// Starts an exposure and returns at once; the state is busy from then on.
    #[pyo3(
        signature = (seconds, *, frame_type=None, timeout=None),
        text_signature = "($self, seconds, *, frame_type=FrameType.LIGHT, timeout=None)"
    )]
    fn start_exposure(
        &self,
        py: Python<'_>,
        seconds: f64,
        frame_type: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let exposure = Exposure { duration: self.0.seconds(seconds)?, frame_type: self::frame_type(frame_type)? };
        self.0.ask(py, "start_exposure", timeout, move |device| camera(device)?.start_exposure(exposure))
    }

    /// Ends the exposure now and keeps the image.
    #[pyo3(signature = (*, timeout=None))]
    fn stop_exposure(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "stop_exposure", timeout, |device| camera(device)?.stop_exposure())
    }

    /// Ends the exposure now and throws it away.
    #[pyo3(signature = (*, timeout=None))]
    fn abort_exposure(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "abort_exposure", timeout, |device| camera(device)?.abort_exposure())
    }

    /// The image of the last exposure, as often as asked for, until the next one starts.
    #[pyo3(signature = (*, timeout=None))]
    fn image(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Image> {
        self.0.ask(py, "image", timeout, |device| camera(device)?.image()).map(Image::plain)
    }

    /// Starts a pulse of the guide port and returns at once.
    #[pyo3(signature = (direction, seconds, *, timeout=None))]
    fn pulse_guide(
        &self,
        py: Python<'_>,
        direction: &Bound<'_, PyAny>,
        seconds: f64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let (direction, length) = (GuideDirection::of(direction)?, self.0.seconds(seconds)?);
        self.0.ask(py, "pulse_guide", timeout, move |device| camera(device)?.pulse_guide(direction, length))
    }

    /// Takes one picture: brings the filter in, sets the camera up, exposes, waits, and fetches the image with
    /// everything that is known about the telescope in its header.
    ///
    /// Without `frame` and `binning` the camera's present region is taken; `binning` alone means the whole sensor.
    /// `timeout` bounds the exposure with its delivery (two minutes more than its length, unless given). On timeout,
    /// Ctrl-C, `cancel`, and an exception of `on_progress` the exposure is aborted.
    #[pyo3(
        signature = (seconds, *, frame_type=None, filter=None, frame=None, binning=None, gain=None, offset=None,
            object=None, target=None, timeout=None, cancel=None, on_progress=None),
        text_signature = "($self, seconds, *, frame_type=FrameType.LIGHT, filter=None, frame=None, binning=None, \
            gain=None, offset=None, object=None, target=None, timeout=None, cancel=None, on_progress=None)"
    )]
    #[allow(clippy::too_many_arguments, reason = "each is a named argument of Python's")]
    fn expose(
        &self,
        py: Python<'_>,
        seconds: f64,
        frame_type: Option<&Bound<'_, PyAny>>,
        filter: Option<&Bound<'_, PyAny>>,
        frame: Option<&Frame>,
        #[pyo3(from_py_with = whole)] binning: Option<u8>,
        gain: Option<f64>,
        offset: Option<f64>,
        object: Option<String>,
        target: Option<&RaDec>,
        timeout: Option<f64>,
        cancel: Option<&PyCancel>,
        on_progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Image> {
        let exposure = Exposure { duration: self.0.seconds(seconds)?, frame_type: self::frame_type(frame_type)? };
        let settings = [(Control::Gain, gain), (Control::Offset, offset)];
        let controls = settings.into_iter().filter_map(|(control, value)| Some((control, value?))).collect();
        let shot =
            Shot { exposure, frame: frame.map(|frame| frame.0), controls, object, target: target.map(|place| place.0) };
        let filter = filter.map(|filter| Filter::of(self.0.name(), filter)).transpose()?;
        let wait = Limits { timeout, cancel }.wait(Wait::for_exposure(exposure.duration).timeout)?;
        let (core, cancelled_by) = (self.0.clone(), wait.cancel.clone());
        let call = crate::call::Call { cancel: cancelled_by, stops: true, ..self.0.call("expose", None) };
        let mut told = on_progress.map(|told| move |state| told.call1((Progress(state),)).map(drop));
        let picture = call.watched(
            py,
            move |report| take(&core, shot, binning, filter.as_ref(), &wait, |state| report.tell(state.clone())),
            told.as_mut().map(|told| told as &mut dyn FnMut(ExposureState) -> PyResult<()>),
        )?;
        Ok(Image::taken(picture))
    }

    /// `expose`, awaitable; when its task is cancelled the exposure is aborted.
    #[pyo3(
        signature = (*arguments, **named),
        text_signature = "($self, seconds, *, frame_type=FrameType.LIGHT, filter=None, frame=None, binning=None, \
            gain=None, offset=None, object=None, target=None, timeout=None, on_progress=None)"
    )]
    fn expose_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "expose", arguments, named)
    }
}

/// Takes a picture with everything around it.
fn take(
    core: &Core,
    mut shot: Shot,
    binning: Option<u8>,
    filter: Option<&Filter>,
    wait: &Wait,
    watch: impl FnMut(&ExposureState),
) -> Result<Picture> {
    let (device, session) = (core.get()?, core.open.session()?);
    let camera = camera(&device)?;
    if shot.frame.is_none() {
        shot.frame = Some(match binning {
            Some(0) => return Err(Error::invalid("there is no binning 0").on(core.name())),
            Some(bin) => {
                let caps = camera.caps()?;
                image::Frame::full(caps.sensor.width, caps.sensor.height, bin)
            }
            None => camera.frame()?,
        });
    } else if binning.is_some() {
        return Err(Error::invalid("a frame has its own binning: give one of frame and binning").on(core.name()));
    }
    // What cannot be done is refused before anything turns.
    shot.check(camera)?;
    if let Some(filter) = filter {
        filter.select(&*core.open.wheel()?, wait)?;
    }
    session.expose(camera, &shot, wait, watch)
}
