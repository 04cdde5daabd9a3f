//! What the suite runs on: a name, a way to open it, and what is known to deviate.

use crate::{Outcome, Stop, require};
use astrobackend::{
    Backend, Degrees, Error, ErrorKind, Metres, Result, Site, Timestamp, Wait,
    device::{AnyDevice, Camera, CameraState, Device, DeviceKind, FilterWheel, Focuser, Mount, MountExt},
};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A case in which a named real server is known to do otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    /// The case's name; with a `*` at its end, those that begin so and may fail or not.
    pub case: &'static str,
    /// What it does instead, and where that was seen.
    pub reason: &'static str,
}

impl Deviation {
    fn concerns(&self, case: &str) -> bool {
        self.case.strip_suffix('*').map_or(self.case == case, |beginning| case.starts_with(beginning))
    }
}

/// A backend to run the suite on.
pub struct Target {
    /// `sim`, `indiserver`, `alpaca(sim)` ...
    pub name: String,
    /// The known deviations.
    pub deviations: &'static [Deviation],
    /// The longest that any single motion or exposure of a case may take.
    pub patience: Duration,
    /// Names of the devices to try, where there are several of a kind.
    pub preferred: &'static [&'static str],
    /// True when every opening gives a world of its own, so that cases can run side by side.
    pub isolated: bool,
    open: Box<dyn Fn() -> Result<Arc<dyn Backend>> + Send + Sync>,
    turn: Mutex<()>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Target {
    /// A target whose every opening is a world of its own.
    pub fn isolated(name: &str, open: impl Fn() -> Result<Arc<dyn Backend>> + Send + Sync + 'static) -> Self {
        Target {
            name: name.to_owned(),
            deviations: &[],
            preferred: &[],
            patience: Duration::from_secs(30),
            isolated: true,
            open: Box::new(open),
            turn: Mutex::default(),
        }
    }

    /// A server that all cases share: they take turns.
    pub fn shared(name: &str, open: impl Fn() -> Result<Arc<dyn Backend>> + Send + Sync + 'static) -> Self {
        Target { isolated: false, patience: Duration::from_secs(90), ..Target::isolated(name, open) }
    }

    /// With known deviations.
    #[must_use]
    pub fn deviating(mut self, deviations: &'static [Deviation]) -> Self {
        self.deviations = deviations;
        self
    }

    /// With the devices to try, where there are several of a kind.
    #[must_use]
    pub fn preferring(mut self, names: &'static [&'static str]) -> Self {
        self.preferred = names;
        self
    }

    /// With the longest time that a single motion or exposure may take.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs a case on a fresh laboratory.
    ///
    /// # Errors
    /// [`Stop::Skip`] or [`Stop::Fail`], with the reason.
    pub fn run(&self, case: &crate::Case) -> Outcome {
        let _turn = (!self.isolated).then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        let lab = Lab {
            backend: (self.open)()?,
            patience: self.patience,
            preferred: self.preferred,
            isolated: self.isolated,
        };
        let outcome = (case.run)(&lab);
        if !self.isolated {
            lab.leave_tidy();
        }
        let deviation = self.deviations.iter().find(|deviation| deviation.concerns(case.name));
        match (outcome, deviation) {
            (Err(Stop::Fail(why)), Some(known)) => {
                Err(Stop::Skip(format!("known deviation: {} ({why})", known.reason)))
            }
            (Ok(()), Some(known)) if !known.case.ends_with('*') => {
                Err(Stop::Fail(format!("passes although it is listed as deviating: {}", known.reason)))
            }
            (outcome, _) => outcome,
        }
    }
}

/// An opened target, as a case sees it.
#[derive(Debug)]
pub struct Lab {
    /// The backend.
    pub backend: Arc<dyn Backend>,
    patience: Duration,
    preferred: &'static [&'static str],
    isolated: bool,
}

impl Lab {
    /// True when nobody else uses these devices, so that a case need not put everything back.
    pub fn is_isolated(&self) -> bool {
        self.isolated
    }

    /// Waits as long as the target may need.
    pub fn wait(&self) -> Wait {
        Wait::new(self.patience)
    }

    /// The device of a kind to try, not yet connected by us.
    ///
    /// # Errors
    /// [`Stop::Skip`] without one.
    pub fn any(&self, kind: DeviceKind) -> std::result::Result<AnyDevice, Stop> {
        let mut infos: Vec<_> = self.backend.devices()?.into_iter().filter(|info| info.id.kind == kind).collect();
        infos.sort_by_key(|info| !self.preferred.contains(&info.id.name.as_str()));
        let Some(info) = infos.first() else { return Err(Stop::Skip(format!("there is no {kind}"))) };
        Ok(self.backend.device(&info.id)?)
    }

    /// The first camera, connected and idle.
    ///
    /// # Errors
    /// [`Stop::Skip`] without one.
    pub fn camera(&self) -> std::result::Result<Arc<dyn Camera>, Stop> {
        let AnyDevice::Camera(camera) = self.any(DeviceKind::Camera)? else { unreachable!("asked for a camera") };
        camera.connect()?;
        let caps = camera.caps()?;
        camera.set_frame(astrobackend::image::Frame::full(caps.sensor.width, caps.sensor.height, 1))?;
        Ok(camera)
    }

    /// The first filter wheel, connected.
    ///
    /// # Errors
    /// [`Stop::Skip`] without one.
    pub fn filter_wheel(&self) -> std::result::Result<Arc<dyn FilterWheel>, Stop> {
        let AnyDevice::FilterWheel(wheel) = self.any(DeviceKind::FilterWheel)? else {
            unreachable!("asked for a wheel")
        };
        wheel.connect()?;
        Ok(wheel)
    }

    /// The first focuser, connected.
    ///
    /// # Errors
    /// [`Stop::Skip`] without one.
    pub fn focuser(&self) -> std::result::Result<Arc<dyn Focuser>, Stop> {
        let AnyDevice::Focuser(focuser) = self.any(DeviceKind::Focuser)? else { unreachable!("asked for a focuser") };
        focuser.connect()?;
        Ok(focuser)
    }

    /// The first mount, connected, unparked, standing.
    ///
    /// # Errors
    /// [`Stop::Skip`] without one.
    pub fn mount(&self) -> std::result::Result<Arc<dyn Mount>, Stop> {
        let AnyDevice::Mount(mount) = self.any(DeviceKind::Mount)? else { unreachable!("asked for a mount") };
        mount.connect()?;
        let caps = mount.caps()?;
        // A mount that was never told where it stands cannot say where it points.
        if caps.set_site && mount.site()?.is_none() {
            mount.set_site(Site::new(Degrees(37.2236), Degrees(-2.5463), Metres(2168.0))?)?;
        }
        if caps.set_time && mount.state()?.utc.is_none() {
            mount.set_time(Timestamp::now())?;
        }
        let state = mount.state()?;
        if state.slewing {
            mount.abort()?;
            let look = || Ok((!mount.state()?.slewing).then_some(()));
            self.wait().until("stopping the mount", look, || Ok(()))?;
        }
        if state.parked && caps.unpark {
            mount.unpark(&self.wait())?;
        }
        if caps.set_tracking && !mount.state()?.tracking.on {
            mount.set_tracking(astrobackend::device::Tracking::SIDEREAL)?;
        }
        Ok(mount)
    }

    /// The state of a camera once its exposure is over.
    ///
    /// # Errors
    /// The camera's own, or a timeout.
    pub fn exposure_over(&self, camera: &dyn Camera) -> Result<CameraState> {
        let look = || {
            let state = camera.state()?;
            Ok((!state.exposure.is_busy()).then_some(state))
        };
        self.wait().until("the exposure", look, || camera.abort_exposure())
    }

    /// Leaves a shared server without anything under way.
    fn leave_tidy(&self) {
        for kind in [DeviceKind::Camera, DeviceKind::Mount] {
            match self.any(kind) {
                Ok(AnyDevice::Camera(camera)) if camera.is_connected() == Ok(true) => {
                    let _ = camera.abort_exposure();
                }
                Ok(AnyDevice::Mount(mount)) if mount.is_connected() == Ok(true) => {
                    let _ = mount.abort();
                }
                _ => {}
            }
        }
    }
}

/// Fails unless `result` is an error of one of these kinds that names the device; the error otherwise.
///
/// # Errors
/// [`Stop::Fail`].
pub(crate) fn refused<T: fmt::Debug>(
    device: &dyn Device,
    what: &str,
    result: Result<T>,
    kinds: &[ErrorKind],
) -> std::result::Result<Error, Stop> {
    let error = match result {
        Err(error) => error,
        Ok(value) => return Err(Stop::Fail(format!("{what} was not refused but answered {value:?}"))),
    };
    if !kinds.contains(&error.kind()) {
        return Err(Stop::Fail(format!("{what} was refused as {error:?}, expected one of {kinds:?}")));
    }
    let name = device.info().id.name;
    if !error.to_string().contains(&name) {
        return Err(Stop::Fail(format!("the refusal of {what} does not name the device {name:?}: {error}")));
    }
    Ok(error)
}

/// Connecting twice is fine, disconnecting shows, and a disconnected device refuses with `NotConnected`.
pub(crate) fn connects(device: &AnyDevice) -> Outcome {
    let common = device.device();
    common.connect()?;
    common.connect()?;
    crate::ensure!(common.is_connected()?, "is not connected after connect()");
    device.state()?;
    common.disconnect()?;
    common.disconnect()?;
    require!(!common.is_connected()?, "the driver stays connected for other devices or clients");
    refused(common, "the state of a disconnected device", device.state(), &[ErrorKind::NotConnected])?;
    common.connect()?;
    device.state()?;
    Ok(())
}

/// Every control reads within its range, takes its limits and values between, and refuses what is beyond.
pub(crate) fn controls_obey_their_ranges(device: &dyn Device) -> Outcome {
    let controls = device.controls()?;
    for info in &controls {
        let before = device.control(info.control)?;
        crate::ensure!(
            (info.min..=info.max).contains(&before),
            "{} reads {before}, outside {} to {}",
            info.control,
            info.min,
            info.max
        );
        if !info.choices.is_empty() {
            let places = (info.max - info.min) as usize + 1;
            crate::ensure!(
                info.choices.len() == places,
                "{} has {} names for {places} values",
                info.control,
                info.choices.len()
            );
        }
        if !info.writable {
            refused(
                device,
                "writing a read-only control",
                device.set_control(info.control, before),
                &[ErrorKind::Unsupported],
            )?;
            continue;
        }
        for beyond in [info.min - 1.0, info.max + 1.0, f64::NAN] {
            let what = format!("{} {beyond}", info.control);
            let error = refused(device, &what, device.set_control(info.control, beyond), &[ErrorKind::InvalidValue])?;
            let limits = [info.min, info.max].map(|limit| limit.to_string());
            let named = limits.iter().all(|limit| error.to_string().contains(limit));
            crate::ensure!(named, "the refusal of {what} does not name the limits {limits:?}: {error}");
        }
        // Where the range of a focuser ends cannot be set to less than where it stands.
        let lowest = if info.control == astrobackend::device::Control::MaxPosition { before } else { info.min };
        for value in [info.max, lowest, before] {
            device.set_control(info.control, value)?;
            let read = device.control(info.control)?;
            let slack = info.step.max(1e-6 * value.abs()).max(1e-9);
            crate::ensure!((read - value).abs() <= slack, "{} set to {value} reads {read}", info.control);
        }
    }
    let unknown = if controls.iter().any(|info| info.control == astrobackend::device::Control::DewHeater) {
        return Ok(());
    } else {
        astrobackend::device::Control::DewHeater
    };
    refused(device, "a control it does not have", device.control(unknown), &[ErrorKind::Unsupported])?;
    refused(device, "setting a control it does not have", device.set_control(unknown, 0.0), &[ErrorKind::Unsupported])?;
    Ok(())
}

/// Unknown actions are refused as such.
pub(crate) fn unknown_action_is_refused(device: &dyn Device) -> Outcome {
    let result = device.action("no such action", "");
    refused(device, "an unknown action", result, &[ErrorKind::UnknownAction])?;
    Ok(())
}
