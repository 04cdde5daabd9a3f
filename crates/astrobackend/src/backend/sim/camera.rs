//! The simulated camera: exposures that take their time, and settings that belong to the exposure they were made for.
//!
//! A picture is rendered when it is first asked for, outside of any lock, then shared. The next exposure lets it go.

use super::{
    clock::{Now, duration},
    cooler::{Chip, SET_POINTS},
    faults::{Doing, Struck, What},
    handle::{Handle, Unit},
    scene::Band,
    sensor::SensorModel,
    weather::ambient,
};
use crate::{
    Celsius, Degrees, Error, ErrorKind, Result,
    device::{
        Age, Camera, CameraCaps, CameraState, Colour, Control, ControlInfo, Cooler, CoolerCaps, Exposure,
        ExposureState, FrameType, GuideDirection, Sensor,
    },
    guard::{Guard, Ticket},
    image::{Frame, Image},
};
use jiff::SignedDuration;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Names of the readout modes; the second resolves less and takes half the time.
const MODES: [&str; 2] = ["Normal", "High speed"];

/// Bits of the converter that each step up in speed costs.
const BITS_FOR_SPEED: u8 = 2;

/// Share of the USB bandwidth, percent, at which the chip takes its usual time.
const USUAL_BANDWIDTH: f64 = 80.0;

/// What the light went through on its way to the chip.
#[derive(Clone, Copy, Debug)]
pub(super) struct LightPath {
    pub(super) band: Band,
    /// Micrometres from the focal plane.
    pub(super) defocus: f64,
}

/// An exposure with everything that was settled when it began.
#[derive(Clone, Debug)]
pub(super) struct Shot {
    pub(super) serial: u64,
    pub(super) sensor: SensorModel,
    pub(super) frame: Frame,
    pub(super) frame_type: FrameType,
    pub(super) start: Now,
    /// Shorter than asked for once it was stopped.
    pub(super) exposure: Duration,
    pub(super) gain: f64,
    pub(super) offset: f64,
    pub(super) mode: &'static str,
    pub(super) temperature: Celsius,
    pub(super) set_point: Option<Celsius>,
    pub(super) light: LightPath,
    pub(super) ticket: Ticket,
}

/// Rendered when first asked for.
pub(super) type Picture = Arc<OnceLock<Result<Arc<Image>>>>;

#[derive(Debug)]
struct Running {
    shot: Shot,
    /// When the light ends and when the picture is there, seconds of the world.
    dark: f64,
    ready: f64,
    picture: Picture,
    /// It ended without a picture.
    failed: Option<Error>,
    /// It stands still somewhere on its way.
    stalls: bool,
}

/// The camera and its present exposure.
#[derive(Debug)]
pub(super) struct CameraUnit {
    model: SensorModel,
    caps: Arc<CameraCaps>,
    longitude: Degrees,
    guard: Guard,
    chip: Chip,
    frame: Frame,
    gain: f64,
    offset: f64,
    bandwidth: f64,
    mode: usize,
    fast: bool,
    running: Option<Running>,
    /// The exposure before, once finished.
    last: Option<(crate::Timestamp, Duration)>,
    exposures: u64,
    pulse_ends: f64,
    /// How far its clock is ahead of the world's.
    ahead: SignedDuration,
}

impl CameraUnit {
    pub(super) fn new(model: SensorModel, guide_port: bool, longitude: Degrees, guard: Guard, now: Now) -> Self {
        let chip = Chip::new(model.cooling, ambient(longitude, now.utc));
        CameraUnit {
            caps: Arc::new(caps(&model, guide_port)),
            longitude,
            guard,
            chip,
            frame: Frame::full(model.width, model.height, 1),
            gain: model.default_gain,
            offset: model.default_offset,
            bandwidth: USUAL_BANDWIDTH,
            mode: 0,
            fast: false,
            running: None,
            last: None,
            exposures: 0,
            pulse_ends: 0.0,
            ahead: SignedDuration::ZERO,
            model,
        }
    }

    /// All settings are as they were at first.
    fn forget(&mut self) {
        self.frame = Frame::full(self.model.width, self.model.height, 1);
        (self.gain, self.offset) = (self.model.default_gain, self.model.default_offset);
        (self.bandwidth, self.mode, self.fast) = (USUAL_BANDWIDTH, 0, false);
    }

    fn air(&self, now: Now) -> Celsius {
        ambient(self.longitude, now.utc)
    }

    /// How many times faster than usual the chip is read.
    fn haste(&self) -> u8 {
        u8::from(self.mode > 0) + u8::from(self.fast)
    }

    /// The sensor as the present settings make it.
    fn sensor(&self) -> SensorModel {
        let mut sensor = self.model.clone();
        sensor.adc_bits = sensor.adc_bits.saturating_sub(BITS_FOR_SPEED * self.haste()).max(8);
        sensor
    }

    fn readout(&self) -> f64 {
        let (_, _, width, height) = self.frame.unbinned();
        let part = f64::from(width) * f64::from(height) / (f64::from(self.model.width) * f64::from(self.model.height));
        let speed = self.bandwidth / USUAL_BANDWIDTH * f64::from(1 << self.haste());
        self.model.readout.as_secs_f64() * part / speed
    }

    fn progress(&self, now: Now) -> ExposureState {
        let Some(running) = &self.running else { return ExposureState::Idle };
        if let Some(error) = &running.failed {
            return ExposureState::Failed(error.clone());
        }
        let begun = running.shot.start.seconds;
        let percent = |from: f64, to: f64| Some(((now.seconds - from) / (to - from) * 100.0).clamp(0.0, 100.0));
        if now.seconds < running.dark {
            let remaining = Some(duration(running.dark - now.seconds));
            return ExposureState::Exposing { remaining, percent: percent(begun, running.dark) };
        }
        if now.seconds < running.ready {
            return ExposureState::Reading { percent: percent(running.dark, running.ready) };
        }
        ExposureState::Ready
    }

    fn last_exposure(&self, now: Now) -> Option<(crate::Timestamp, Duration)> {
        let finished = self.running.as_ref().filter(|running| running.failed.is_none() && now.seconds >= running.ready);
        finished.map(|running| (running.shot.start.utc, running.shot.exposure)).or(self.last)
    }

    fn state(&self, now: Now) -> CameraState {
        let air = self.air(now);
        let cooler =
            Cooler { on: self.chip.on, set_point: self.chip.set_point, power: Some(self.chip.power(air, now)) };
        let sensor = &self.model;
        CameraState {
            exposure: self.progress(now),
            temperature: Some(self.chip.temperature(air, now)),
            heat_sink: self.chip.heat_sink(air, now),
            cooler: self.chip.has_cooler().then_some(cooler),
            pulse_guiding: now.seconds < self.pulse_ends,
            electrons_per_adu: Some(sensor.electrons_per_adu(self.gain)),
            full_well: Some(sensor.full_well(self.gain)),
            max_adu: Some(self.sensor().max_adu()),
            last_exposure: self.last_exposure(now),
            age: Age::NOW,
        }
    }

    fn set_frame(&mut self, frame: Frame) -> Result<()> {
        let (max, _) = self.caps.max_bin;
        if frame.bin_x > max || frame.bin_y > max {
            return Err(Error::invalid(format!("binning {}x{} is beyond {max}x{max}", frame.bin_x, frame.bin_y)));
        }
        if frame.bin_x != frame.bin_y {
            return Err(Error::invalid(format!("binning {}x{} is not square", frame.bin_x, frame.bin_y)));
        }
        frame.check(self.model.width, self.model.height)?;
        self.frame = frame;
        Ok(())
    }

    /// Refuses an exposure that cannot begin now.
    fn check(&self, exposure: Exposure, now: Now) -> Result<()> {
        let (low, high) = (self.caps.exposure.start(), self.caps.exposure.end());
        if !self.caps.exposure.contains(&exposure.duration) {
            return Err(Error::invalid(format!(
                "an exposure of {:?} is not within {low:?} to {high:?}",
                exposure.duration
            )));
        }
        if self.progress(now).is_busy() {
            return Err(Error::new(ErrorKind::Busy, "another exposure is under way"));
        }
        Ok(())
    }

    fn start(&mut self, exposure: Exposure, light: LightPath, now: Now) -> Result<()> {
        self.check(exposure, now)?;
        self.last = self.last_exposure(now);
        self.exposures += 1;
        let shot = Shot {
            serial: self.exposures,
            sensor: self.sensor(),
            frame: self.frame,
            frame_type: exposure.frame_type,
            start: Now { utc: now.utc.saturating_add(self.ahead).unwrap_or(now.utc), ..now },
            exposure: exposure.duration,
            gain: self.gain,
            offset: self.offset,
            mode: MODES.get(self.mode).copied().unwrap_or_default(),
            temperature: self.chip.temperature(self.air(now), now),
            set_point: self.chip.set_point.filter(|_| self.chip.on),
            light,
            ticket: self.guard.begin(exposure, self.frame, &self.caps, now.utc),
        };
        let dark = now.seconds + exposure.duration.as_secs_f64();
        self.running = Some(Running {
            shot,
            dark,
            ready: dark + self.readout(),
            picture: Picture::default(),
            failed: None,
            stalls: false,
        });
        Ok(())
    }

    fn stop(&mut self, now: Now) {
        if let Some(running) = self.running.as_mut().filter(|running| now.seconds < running.dark) {
            running.ready += now.seconds - running.dark;
            running.dark = now.seconds;
            running.shot.ticket.stop();
            running.shot.exposure = duration(now.seconds - running.shot.start.seconds);
        }
    }

    fn abort(&mut self, now: Now) {
        if self.progress(now).is_busy() {
            self.running = None;
        }
    }

    /// Keeps of the exposure that gave this image only that it was; another may have begun meanwhile.
    fn let_go(&mut self, image: &Arc<Image>) {
        let of_this = |running: &&mut Running| {
            running.picture.get().is_some_and(|taken| taken.as_ref().is_ok_and(|taken| Arc::ptr_eq(taken, image)))
        };
        if let Some(running) = self.running.as_mut().filter(of_this) {
            running.picture = Arc::new(OnceLock::from(Err(Error::invalid_operation("the image was already taken"))));
        }
    }

    /// The finished exposure and the place for its picture.
    pub(super) fn finished(&self, now: Now) -> Result<(Shot, Picture)> {
        match (&self.running, self.progress(now)) {
            (Some(running), ExposureState::Ready) => Ok((running.shot.clone(), running.picture.clone())),
            (Some(_), ExposureState::Failed(error)) => Err(error),
            (Some(_), _) => Err(Error::invalid_operation("has no image yet: the exposure is under way")),
            (None, _) => Err(Error::invalid_operation("has no image: nothing was exposed")),
        }
    }
}

fn caps(model: &SensorModel, guide_port: bool) -> CameraCaps {
    CameraCaps {
        sensor: Sensor {
            width: model.width,
            height: model.height,
            pixel_width: Some(model.pixel),
            pixel_height: Some(model.pixel),
            name: Some(model.name.to_ascii_uppercase()),
            colour: model.colour,
            bits_per_pixel: Some(model.bits),
        },
        max_bin: (model.max_bin, model.max_bin),
        asymmetric_bin: false,
        exposure: model.exposure.clone(),
        exposure_resolution: Duration::from_micros(1),
        stop: true,
        abort: true,
        cooler: model.cooling.map(|_| CoolerCaps { set_point: Some(SET_POINTS), power: true }),
        shutter: model.shutter,
        pulse_guide: guide_port,
    }
}

impl Unit for CameraUnit {
    fn controls(&self) -> Vec<ControlInfo> {
        let range = |control, range: &std::ops::RangeInclusive<f64>| {
            ControlInfo::range(control, *range.start(), *range.end(), 1.0)
        };
        let mut controls = vec![
            range(Control::Gain, &self.model.gain),
            range(Control::Offset, &self.model.offset),
            ControlInfo::range(Control::UsbBandwidth, 40.0, 100.0, 1.0),
            ControlInfo::choice(Control::ReadoutMode, MODES),
            ControlInfo::switch(Control::FastReadout),
        ];
        // A gain of a single value is none that could be set.
        controls.retain(|info| info.max > info.min);
        controls
    }

    fn control(&self, control: Control) -> f64 {
        match control {
            Control::Gain => self.gain,
            Control::Offset => self.offset,
            Control::UsbBandwidth => self.bandwidth,
            Control::ReadoutMode => self.mode as f64,
            _ => f64::from(u8::from(self.fast)),
        }
    }

    fn set_control(&mut self, control: Control, value: f64, _now: Now) -> Result<()> {
        match control {
            Control::Gain => self.gain = value,
            Control::Offset => self.offset = value,
            Control::UsbBandwidth => self.bandwidth = value,
            Control::ReadoutMode => self.mode = value.round() as usize,
            _ => self.fast = value >= 0.5,
        }
        Ok(())
    }

    fn disconnect(&mut self, _now: Now) {
        self.running = None;
    }

    fn doing(&self, now: Now) -> Option<Doing> {
        match self.progress(now) {
            ExposureState::Exposing { .. } => Some(Doing::Exposing),
            ExposureState::Reading { .. } => Some(Doing::Reading),
            _ => (now.seconds < self.pulse_ends).then_some(Doing::Guiding),
        }
    }

    fn strike(&mut self, what: &What, at: Now) -> Struck {
        let busy = self.progress(at).is_busy();
        let air = self.air(at);
        match (what, &mut self.running) {
            (What::EndlessExposure, Some(running)) if !running.stalls && at.seconds < running.dark => {
                running.stalls = true;
                let middle = f64::midpoint(running.shot.start.seconds, running.dark);
                return Struck::Stands(middle.max(at.seconds));
            }
            (What::StallReadout, Some(running)) if !running.stalls && busy => {
                running.stalls = true;
                return Struck::Stands(f64::midpoint(running.dark, running.ready).max(at.seconds));
            }
            (What::FailExposure(message), Some(running)) if busy => {
                running.failed = Some(Error::new(ErrorKind::Device(0), message.clone()));
            }
            (What::EndlessExposure | What::StallReadout | What::FailExposure(_), _) => return Struck::NotYet,
            (What::Stick, _) => return Struck::Stands(at.seconds),
            (What::UsbReset, _) => self.forget(),
            (What::PowerCycle, _) => {
                self.forget();
                self.running = None;
                self.chip.switch_off(air, at);
            }
            (What::CoolerOff, _) => self.chip.switch_off(air, at),
            (What::ClockJump(by), _) => {
                self.ahead += SignedDuration::try_from_secs_f64(*by).unwrap_or(SignedDuration::ZERO);
            }
            _ => {}
        }
        Struck::Done
    }
}

impl Camera for Handle<CameraUnit> {
    fn caps(&self) -> Result<Arc<CameraCaps>> {
        self.look("caps", |camera, _| Ok(camera.caps.clone()))
    }

    fn state(&self) -> Result<CameraState> {
        self.look("state", |camera, now| Ok(camera.state(now)))
    }

    fn frame(&self) -> Result<Frame> {
        self.look("frame", |camera, _| Ok(camera.frame))
    }

    fn set_frame(&self, frame: Frame) -> Result<()> {
        self.order("set_frame", |camera, _| camera.set_frame(frame))
    }

    fn set_cooler(&self, set_point: Option<Celsius>) -> Result<()> {
        self.order("set_cooler", |camera, now| camera.chip.set(set_point, camera.air(now), now))
    }

    fn start_exposure(&self, exposure: Exposure) -> Result<()> {
        // Looked up before the camera's lock is taken: no two locks are held at once.
        let light = self.world.light_path(self.index);
        let number = self.order("start_exposure", |camera, now| {
            camera.start(exposure, light, now)?;
            Ok(camera.exposures)
        })?;
        self.world.exposed(self.index, number);
        Ok(())
    }

    fn stop_exposure(&self) -> Result<()> {
        self.order("stop_exposure", |camera, now| {
            camera.stop(now);
            Ok(())
        })?;
        self.world.given_up(self.index);
        Ok(())
    }

    fn abort_exposure(&self) -> Result<()> {
        self.order("abort_exposure", |camera, now| {
            camera.abort(now);
            Ok(())
        })?;
        self.world.given_up(self.index);
        Ok(())
    }

    fn image(&self) -> Result<Arc<Image>> {
        let (shot, picture) = self.look("image", |camera, now| camera.finished(now))?;
        picture.get_or_init(|| self.world.judged(self.index, &shot)).clone()
    }

    fn take_image(&self) -> Result<Arc<Image>> {
        let image = self.image()?;
        self.look("take_image", |camera, _| {
            camera.let_go(&image);
            Ok(())
        })?;
        Ok(image)
    }

    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()> {
        self.order("pulse_guide", |camera, now| {
            if !camera.caps.pulse_guide {
                return Err(Error::unsupported("has no guide port"));
            }
            camera.pulse_ends = now.seconds + duration.as_secs_f64();
            Ok(())
        })?;
        self.world.guide_port(direction, duration);
        Ok(())
    }
}

impl Shot {
    /// The colour filters of this picture, which begin anew where its region does; binning mixes them.
    pub(super) fn bayer(&self) -> Option<crate::device::BayerPattern> {
        match self.sensor.colour {
            Colour::Bayer(pattern) if (self.frame.bin_x, self.frame.bin_y) == (1, 1) => {
                Some(pattern.shifted(self.frame.x, self.frame.y))
            }
            _ => None,
        }
    }
}
