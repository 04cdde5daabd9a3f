//! INDI cameras: the `CCD_*` standard properties, pictures as FITS BLOBs.

use super::{
    chip::{self, Chip, MAIN},
    cooler,
    exposure::{Outcome, Taking, countdown},
    handle::{Handle, Values, impl_device},
    property::Blob,
    pulse::{self, Pulses},
};
use crate::{
    Celsius, Error, ErrorKind, Image, Result, Timestamp,
    device::{Camera, CameraCaps, CameraState, Colour, Control, Exposure, ExposureState, FrameType, GuideDirection},
    guard::{self, Guard},
    image::Frame,
    sync::lock,
};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// The property that is there when a camera can be used.
pub(super) const KEYS: &[&str] = MAIN.keys;

/// A camera behind a server.
#[derive(Debug)]
pub(super) struct IndiCamera {
    handle: Handle,
    chip: &'static Chip,
    session: Mutex<Session>,
    /// Held while a picture is decoded, so that it is decoded once.
    decoding: Mutex<()>,
    pulses: Pulses,
    guard: Guard,
}

/// The exposures so far.
#[derive(Debug, Default)]
struct Session {
    last: Last,
    /// It failed, and nobody who asked was told.
    untold: bool,
    /// The last one was broken off, its picture may still be on its way.
    aborted: bool,
    finished: Option<(Timestamp, Duration)>,
}

/// The last exposure.
#[derive(Debug, Default)]
enum Last {
    #[default]
    None,
    UnderWay(Taking),
    Arrived(Taking, Arc<Blob>),
    Ready(Arc<Image>),
    /// Ready, and handed out for good.
    Taken,
    Failed(Error),
}

impl_device!(IndiCamera, |camera| camera.chip.controls);

impl IndiCamera {
    pub(super) fn new(handle: Handle) -> Self {
        IndiCamera {
            chip: chip::of(&handle.id),
            guard: Guard::new(handle.connection.guard),
            handle,
            session: Mutex::default(),
            decoding: Mutex::default(),
            pulses: Pulses::default(),
        }
    }

    /// The session with the exposure under way brought up to date; no I/O.
    fn session(&self) -> MutexGuard<'_, Session> {
        let mut session = lock(&self.session);
        let Last::UnderWay(taking) = &session.last else { return session };
        let taking = taking.clone();
        let mut store = self.handle.connection.store();
        let outcome = taking.outcome(store.device(&self.handle.device), self.handle.connection.timeout);
        let last = match (outcome, store.lost_since(taking.order.mark)) {
            (Outcome::Arrived(blob), _) => {
                session.finished = Some((taking.at, taking.exposure.duration));
                Last::Arrived(taking, blob)
            }
            (Outcome::Pending(_), None) => return session,
            (Outcome::Pending(_), Some(why)) => Last::Failed(self.handle.name(why.clone())),
            (Outcome::Failed(_), Some(why)) => Last::Failed(self.handle.name(why.clone())),
            (Outcome::Failed(error), None) => Last::Failed(self.handle.name(error)),
            (Outcome::Aborted, _) => Last::None,
        };
        if let Some(picture) = store.property_mut(&self.handle.device, self.chip.picture) {
            picture.want_blobs(false);
        }
        drop(store);
        session.aborted = !matches!(last, Last::Arrived(..));
        session.untold = matches!(last, Last::Failed(_));
        session.last = last;
        session
    }

    /// The frame that was set from here, whatever the driver has by now.
    fn frame_set(&self) -> Option<Frame> {
        let mut store = self.handle.connection.store();
        let claim = store.claims.get_mut(&self.handle.id)?;
        let number = |property, element| Some(claim.number(property, element)? as u32);
        let (bin_x, bin_y) =
            (number(self.chip.binning, "HOR_BIN")?.max(1), number(self.chip.binning, "VER_BIN")?.max(1));
        Some(Frame {
            x: number(self.chip.frame, "X")? / bin_x,
            y: number(self.chip.frame, "Y")? / bin_y,
            width: number(self.chip.frame, "WIDTH")? / bin_x,
            height: number(self.chip.frame, "HEIGHT")? / bin_y,
            bin_x: bin_x.try_into().ok()?,
            bin_y: bin_y.try_into().ok()?,
        })
    }

    /// How far the exposure is: ours, or one that another client has under way.
    fn exposure_state(&self) -> ExposureState {
        let mut session = self.session();
        let store = self.handle.connection.store();
        let device = store.device(&self.handle.device);
        match &mut session.last {
            Last::UnderWay(taking) => match taking.outcome(device, self.handle.connection.timeout) {
                Outcome::Pending(state) => taking.steadied(state),
                _ => ExposureState::Waiting,
            },
            _ if device.is_some_and(|device| device.is_busy(self.chip.exposure.0)) => {
                let total =
                    device.and_then(|device| device.limits(self.chip.exposure.0, self.chip.exposure.1)?.requested);
                let total = total.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default();
                device.map_or(ExposureState::Idle, |device| countdown(device, self.chip, total))
            }
            Last::Arrived(..) | Last::Ready(_) | Last::Taken => ExposureState::Ready,
            Last::Failed(error) => ExposureState::Failed(error.clone()),
            Last::None => ExposureState::Idle,
        }
    }

    /// Makes the driver send this camera's pictures to us, as FITS.
    fn prepare(&self, frame_type: FrameType) -> Result<()> {
        let (has, on) = self.handle.read(|device| {
            let has = |property: &str, element: &str| device.switch(property, element).is_some();
            let on = |property: &str, element: &str| device.switch(property, element) == Some(true);
            let wanted = [(self.chip.frame_type, frame_switch(frame_type)), ("CCD_TRANSFER_FORMAT", "FORMAT_FITS")];
            Ok((wanted.map(|(p, e)| (p, e, has(p, e))), on("UPLOAD_MODE", "UPLOAD_LOCAL")))
        })?;
        for (property, element, _) in has.into_iter().filter(|(_, _, there)| *there) {
            self.handle.switch_on(property, element)?;
        }
        if on {
            self.handle.set("UPLOAD_MODE", Values::On("UPLOAD_CLIENT"))?;
        }
        self.handle.want_pictures(self.chip.picture)
    }

    /// Refuses what a guide chip leaves to the main one.
    fn only_main(&self, why: &'static str) -> Result<()> {
        if self.chip.is_main() { Ok(()) } else { self.handle.fail(Error::unsupported(why)) }
    }

    /// The state as listeners see it.
    pub(super) fn look(&self) -> Result<CameraState> {
        let exposure = self.exposure_state();
        let last_exposure = lock(&self.session).finished;
        let of_main = self.chip.is_main();
        self.handle.read(|device| {
            let bits = device.number(self.chip.info, "CCD_BITSPERPIXEL").filter(|bits| (1.0..=32.0).contains(bits));
            Ok(CameraState {
                exposure,
                temperature: of_main
                    .then(|| device.number(cooler::TEMPERATURE.0, cooler::TEMPERATURE.1))
                    .flatten()
                    .map(Celsius),
                heat_sink: None,
                cooler: of_main.then(|| cooler::state(device)).flatten(),
                pulse_guiding: of_main && self.pulses.under_way(device),
                electrons_per_adu: None,
                full_well: None,
                max_adu: bits.map(|bits| ((1u64 << bits as u32) - 1) as u32),
                last_exposure,
                age: device.age(),
            })
        })
    }

    /// What the header of a picture may lack.
    fn complete(&self, image: &mut Image) {
        let control = |control| crate::device::Device::control(self, control).ok();
        let meta = &mut image.meta;
        // Not the header's: it names the driver, which is the main chip's name for its guide chip too.
        meta.camera = Some(self.handle.id.name.clone());
        meta.gain = meta.gain.or_else(|| control(Control::Gain));
        meta.offset = meta.offset.or_else(|| control(Control::Offset));
        let known = self.handle.read(|device| {
            let sensor = self.chip.sensor(device);
            let cooler = cooler::state(device).filter(|_| self.chip.is_main());
            Ok((sensor.pixel_width.zip(sensor.pixel_height), sensor.colour, cooler))
        });
        let Ok((size, colour, cooler)) = known else { return };
        if let (Colour::Bayer(pattern), Some(Frame { x, y, bin_x: 1, bin_y: 1, .. }), None) =
            (colour, meta.frame, meta.bayer)
        {
            meta.bayer = Some(pattern.shifted(x, y));
        }
        meta.pixel_size = meta.pixel_size.or(size.map(|(width, height)| (width.0, height.0)));
        meta.set_point = meta.set_point.or(cooler.filter(|cooler| cooler.on).and_then(|cooler| cooler.set_point));
    }
}

fn frame_switch(frame_type: FrameType) -> &'static str {
    match frame_type {
        FrameType::Light => "FRAME_LIGHT",
        FrameType::Dark => "FRAME_DARK",
        FrameType::Bias => "FRAME_BIAS",
        FrameType::Flat => "FRAME_FLAT",
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or(if value > 0.0 { Duration::MAX } else { Duration::ZERO })
}

impl Camera for IndiCamera {
    fn caps(&self) -> Result<Arc<CameraCaps>> {
        self.handle.read(|device| {
            let limits = device.limits(self.chip.exposure.0, self.chip.exposure.1).and_then(|number| number.range());
            let (shortest, longest) = limits.unwrap_or((0.0, f64::MAX));
            Ok(Arc::new(CameraCaps {
                sensor: self.chip.sensor(device),
                max_bin: self.chip.max_bin(device),
                asymmetric_bin: device.number(self.chip.binning, "VER_BIN").is_some(),
                exposure: seconds(shortest)..=seconds(longest),
                exposure_resolution: Duration::ZERO,
                stop: false,
                abort: device.can_set(self.chip.abort),
                cooler: self.chip.is_main().then(|| cooler::caps(device)).flatten(),
                shutter: false,
                pulse_guide: self.chip.is_main() && pulse::can_pulse(device),
            }))
        })
    }

    fn state(&self) -> Result<CameraState> {
        let state = self.look();
        let mut session = self.session();
        let untold = std::mem::take(&mut session.untold);
        match (&state, &session.last) {
            // Why the exposure ended says more than that the device is not there.
            (Err(_), Last::Failed(why)) if untold => Err(why.clone()),
            _ => state,
        }
    }

    fn frame(&self) -> Result<Frame> {
        self.handle.read(|device| Ok(self.chip.frame(device)))
    }

    fn set_frame(&self, wanted: Frame) -> Result<()> {
        let (sensor, max_bin, bin, frame_writable) = self.handle.read(|device| {
            Ok((
                self.chip.sensor(device),
                self.chip.max_bin(device),
                self.chip.binning(device),
                device.can_set(self.chip.frame),
            ))
        })?;
        if wanted.bin_x > max_bin.0 || wanted.bin_y > max_bin.1 {
            let (x, y) = (wanted.bin_x, wanted.bin_y);
            let message = format!("binning {x}x{y} is beyond {}x{}", max_bin.0, max_bin.1);
            return self.handle.fail(Error::invalid(message));
        }
        wanted.check(sensor.width, sensor.height).map_err(|error| self.handle.name(error))?;
        if self.exposure_state().is_busy() {
            return self.handle.fail(Error::new(ErrorKind::Busy, "is exposing, its frame cannot change"));
        }
        // Until all of it is set, nobody knows what frame it has.
        self.handle.connection.store().claims.forget(&self.handle.id, self.chip.frame);
        // Binning first: some drivers reset the frame with it.
        let bins = [("HOR_BIN", f64::from(wanted.bin_x)), ("VER_BIN", f64::from(wanted.bin_y))];
        if (wanted.bin_x, wanted.bin_y) != bin {
            self.handle.set(self.chip.binning, Values::Numbers(&bins))?;
        } else {
            self.handle.declare(self.chip.binning, Values::Numbers(&bins));
        }
        if self.frame()? == wanted && !frame_writable {
            return Ok(());
        }
        let (x, y, width, height) = wanted.unbinned();
        let parts = [("X", x), ("Y", y), ("WIDTH", width), ("HEIGHT", height)].map(|(name, n)| (name, f64::from(n)));
        self.handle.set(self.chip.frame, Values::Numbers(&parts))
    }

    fn set_cooler(&self, set_point: Option<Celsius>) -> Result<()> {
        self.only_main("has no cooler")?;
        cooler::set(&self.handle, set_point)
    }

    fn start_exposure(&self, exposure: Exposure) -> Result<()> {
        let caps = self.caps()?;
        let limits = &caps.exposure;
        if !limits.contains(&exposure.duration) {
            let message = format!(
                "an exposure of {:?} is not within {:?} to {:?}",
                exposure.duration,
                limits.start(),
                limits.end()
            );
            return self.handle.fail(Error::invalid(message));
        }
        if self.exposure_state().is_busy() {
            return self.handle.fail(Error::new(ErrorKind::Busy, "another exposure is under way"));
        }
        self.prepare(exposure.frame_type)?;
        let frame = self.frame()?;
        let wanted = guard::wanted(self.frame_set(), frame);
        {
            let mut session = self.session();
            if matches!(session.last, Last::UnderWay(_)) {
                return self.handle.fail(Error::new(ErrorKind::Busy, "another exposure is under way"));
            }
            if let Some(picture) = self.handle.connection.store().property_mut(&self.handle.device, self.chip.picture) {
                picture.want_blobs(true);
            }
            let value = [(self.chip.exposure.1, exposure.duration.as_secs_f64())];
            let at = Timestamp::now();
            let order = self.handle.send(self.chip.exposure.0, Values::Numbers(&value))?;
            let after_abort = session.aborted;
            session.last = Last::UnderWay(Taking {
                chip: self.chip,
                order,
                exposure,
                at,
                frame,
                ticket: self.guard.begin(exposure, wanted, &caps, at),
                after_abort,
                least: exposure.duration,
            });
        }
        self.handle.touch();
        Ok(())
    }

    fn stop_exposure(&self) -> Result<()> {
        self.handle.read(|_| Err(Error::unsupported("cannot keep the image of an exposure that is ended early")))
    }

    fn abort_exposure(&self) -> Result<()> {
        if !self.exposure_state().is_busy() {
            return Ok(());
        }
        let order = self.handle.send(self.chip.abort, Values::On("ABORT"))?;
        self.handle.finish(&order, |device| !device.is_busy(self.chip.exposure.0))?;
        let mut session = self.session();
        session.last = Last::None;
        session.aborted = true;
        drop(session);
        if let Some(picture) = self.handle.connection.store().property_mut(&self.handle.device, self.chip.picture) {
            picture.want_blobs(false);
        }
        self.handle.touch();
        Ok(())
    }

    fn image(&self) -> Result<Arc<Image>> {
        let _decoding = lock(&self.decoding);
        let (taking, blob) = match &self.session().last {
            Last::Arrived(taking, blob) => (taking.clone(), blob.clone()),
            Last::Ready(image) => return Ok(image.clone()),
            Last::Failed(error) => return Err(error.clone()),
            Last::UnderWay(_) => return self.handle.fail(Error::invalid_operation("the exposure has not finished")),
            Last::Taken => return self.handle.fail(Error::invalid_operation("the image was already taken")),
            Last::None => return self.handle.fail(Error::invalid_operation("there is no image")),
        };
        let decoded = taking.picture(&blob).map(|(mut image, exposed)| {
            self.complete(&mut image);
            if let Some(news) = taking.ticket.judge(&mut image, Timestamp::now(), exposed) {
                self.handle.connection.judged(&self.handle.id, news);
            }
            Arc::new(image)
        });
        let mut session = self.session();
        // Another exposure may have begun meanwhile.
        if matches!(&session.last, Last::Arrived(_, current) if Arc::ptr_eq(current, &blob)) {
            session.last = match &decoded {
                Ok(image) => {
                    // The driver knows better than we when it began.
                    session.finished = image.meta.start.zip(image.meta.exposure);
                    Last::Ready(image.clone())
                }
                Err(error) => Last::Failed(self.handle.name(error.clone())),
            };
        }
        decoded.map_err(|error| self.handle.name(error))
    }

    fn take_image(&self) -> Result<Arc<Image>> {
        let image = self.image()?;
        let mut session = self.session();
        if matches!(&session.last, Last::Ready(kept) if Arc::ptr_eq(kept, &image)) {
            session.last = Last::Taken;
        }
        Ok(image)
    }

    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()> {
        self.only_main("takes no guide pulses")?;
        self.pulses.start(&self.handle, direction, duration)
    }
}
