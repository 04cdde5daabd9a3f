//! Taking a picture and putting it into a file, with everything that is known about the telescope at that moment.

use super::{Member, Session, Train, usual_roles};
use crate::{
    Equinox, Error, ErrorKind, Image, RaDec, Result, Timestamp, Wait,
    device::{
        AnyDevice, Camera, CameraCaps, CameraExt, Control, DeviceInfo, DeviceKind, Exposure, ExposureState,
        FilterWheel, Focuser, Mount, find_control,
    },
    event::{EventKind, Events, Level},
    fits,
    image::Frame,
    observation::Observation,
};
use std::{io, path::Path, sync::Arc};

/// A picture to be taken.
#[derive(Clone, Debug)]
pub struct Shot {
    /// How long, and what for.
    pub exposure: Exposure,
    /// Region and binning; `None` is the whole sensor, unbinned, whatever was set before.
    pub frame: Option<Frame>,
    /// Settings of the camera to make first: gain, offset ...
    pub controls: Vec<(Control, f64)>,
    /// Name of what is observed.
    pub object: Option<String>,
    /// Where the picture is meant to be taken.
    pub target: Option<RaDec>,
}

impl Shot {
    /// The whole sensor, unbinned, with the camera's present settings.
    pub fn new(exposure: Exposure) -> Self {
        Shot { exposure, frame: None, controls: Vec::new(), object: None, target: None }
    }

    /// Refuses what the camera cannot do, without setting anything.
    ///
    /// # Errors
    /// `InvalidValue` naming the limit; `Unsupported` for a setting that the camera does not have.
    pub fn check(&self, camera: &dyn Camera) -> Result<()> {
        let check = || {
            let caps = camera.caps()?;
            let (frame, sensor) = (self.frame_on(&caps), &caps.sensor);
            frame.check(sensor.width, sensor.height)?;
            if frame.bin_x > caps.max_bin.0 || frame.bin_y > caps.max_bin.1 {
                let (x, y) = caps.max_bin;
                return Err(Error::invalid(format!("binning {}x{} is beyond {x}x{y}", frame.bin_x, frame.bin_y)));
            }
            if frame.bin_x != frame.bin_y && !caps.asymmetric_bin {
                return Err(Error::invalid("bins only by the same number across and down"));
            }
            if !caps.exposure.contains(&self.exposure.duration) {
                let (duration, range) = (self.exposure.duration, &caps.exposure);
                let (start, end) = (range.start(), range.end());
                return Err(Error::invalid(format!("an exposure of {duration:?} is not within {start:?} to {end:?}")));
            }
            if self.controls.is_empty() {
                return Ok(());
            }
            let there = camera.controls()?;
            self.controls.iter().try_for_each(|(control, value)| find_control(&there, *control)?.check(*value))
        };
        check().map_err(|error: Error| error.on(camera.info().id))
    }

    fn frame_on(&self, caps: &CameraCaps) -> Frame {
        self.frame.unwrap_or_else(|| Frame::full(caps.sensor.width, caps.sensor.height, 1))
    }

    /// Sets the camera up for the picture, after checking all of it.
    fn prepare(&self, camera: &dyn Camera) -> Result<()> {
        self.check(camera)?;
        let frame = self.frame_on(&*camera.caps()?);
        // What is set already costs a round trip to set again.
        if camera.frame()? != frame {
            camera.set_frame(frame)?;
        }
        self.controls.iter().try_for_each(|(control, value)| camera.set_control(*control, *value))
    }
}

/// A picture that was taken, not yet in a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Picture {
    /// The picture.
    pub image: Arc<Image>,
    /// The rest of the telescope when it was taken.
    pub observation: Observation,
    /// Accessories that did not answer: what they would have told is missing in the observation. And what the
    /// camera's driver complained of meanwhile, where drivers say such things.
    pub warnings: Vec<Error>,
}

impl Picture {
    /// Writes a FITS file; it appears whole or not at all.
    ///
    /// # Errors
    /// `Io` when it cannot be written, or when it exists and is not to be overwritten.
    pub fn save(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
        fits::write(path, &self.image, &fits::header(&self.image, &self.observation), overwrite)
    }
}

/// Refuses a file that could not be written, before anything is done for it: its folder must exist and
/// take files, and the file must not exist unless it is to be overwritten.
///
/// # Errors
/// `NotFound` without the folder, `Io` otherwise.
pub fn check_writable(path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
    let path = path.as_ref();
    let refused = |kind, why| Err(Error::io(format!("cannot write {}", path.display()), io::Error::new(kind, why)));
    if path.is_dir() {
        return refused(io::ErrorKind::IsADirectory, "it is a folder");
    }
    if !overwrite && path.symlink_metadata().is_ok() {
        return refused(io::ErrorKind::AlreadyExists, "it exists already");
    }
    check_folder(path.parent().unwrap_or(Path::new("")))
}

/// Refuses a folder into which no file can be written, by making one that vanishes at once; empty is the current folder.
///
/// # Errors
/// `NotFound` without the folder, `Io` otherwise.
pub fn check_folder(folder: impl AsRef<Path>) -> Result<()> {
    let folder = Some(folder.as_ref()).filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Error::not_found(format!("there is no folder {}", folder.display())));
    }
    tempfile::tempfile_in(folder)
        .map(drop)
        .map_err(|error| Error::io(format!("cannot write into the folder {}", folder.display()), error))
}

impl Session {
    /// Takes a picture and writes it to a FITS file.
    ///
    /// The file is looked at first: a picture that could not be saved is not taken.
    ///
    /// ```
    /// # fn main() -> astrobackend::Result<()> {
    /// use astrobackend::{Wait, device::Exposure, rig::{Session, Shot}};
    /// use std::time::Duration;
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("m42.fits");
    /// let session = Session::new().with_backend("sim://?speed=100");
    /// let camera = session.camera(None)?;
    /// let shot = Shot::new(Exposure::light(Duration::from_secs(2)));
    /// let picture = session.take_exposure(&*camera, &shot, &path, false, &Wait::new(Duration::from_secs(60)))?;
    /// assert_eq!(astrobackend::fits::read(&path)?.0.width(), picture.image.width());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Session::expose`] and [`Picture::save`].
    pub fn take_exposure(
        &self,
        camera: &dyn Camera,
        shot: &Shot,
        path: impl AsRef<Path>,
        overwrite: bool,
        wait: &Wait,
    ) -> Result<Picture> {
        check_writable(&path, overwrite)?;
        let picture = self.expose(camera, shot, wait, |_| {})?;
        picture.save(&path, overwrite)?;
        Ok(picture)
    }

    /// Takes a picture and gathers what is known about the telescope; shows each state of the camera it sees.
    ///
    /// # Errors
    /// `InvalidValue` for what the camera cannot do, before anything is set; `Timeout` and `Cancelled`, after
    /// aborting the exposure; what the camera reports.
    pub fn expose(
        &self,
        camera: &dyn Camera,
        shot: &Shot,
        wait: &Wait,
        watch: impl FnMut(&ExposureState),
    ) -> Result<Picture> {
        shot.prepare(camera)?;
        let (mut observation, mut warnings) = self.observe(camera);
        observation.object = shot.object.clone();
        observation.target = shot.target;
        let events = self.listen_to(camera);
        let image = camera.expose_watched(shot.exposure, wait, watch)?;
        warnings.extend(events.iter().flat_map(|events| complaints(events, &camera.info())));
        Ok(Picture { image, observation, warnings })
    }

    /// The events of a camera's backend, unless it would have to be polled for them.
    fn listen_to(&self, camera: &dyn Camera) -> Option<Events> {
        let member = self.members().into_iter().find(|member| member.info.address == camera.info().address)?;
        member.backend.answers_from_memory().then(|| member.backend.events())
    }

    /// What is known about the telescope around a camera now, and what could not be learnt.
    ///
    /// Only devices that the rig names, that this session uses, or that are connected anyway are asked. A device
    /// that does not answer leaves its values out; it never fails a picture.
    pub fn observe(&self, camera: &dyn Camera) -> (Observation, Vec<Error>) {
        let info = camera.info();
        let role = self
            .members()
            .into_iter()
            .find(|member| member.info.address == info.address)
            .and_then(|member| member.role);
        let rig = self.rig();
        let train = match &role {
            Some(role) => rig.optics.get(role),
            // Optics without devices describe the only telescope there is.
            None if rig.devices.is_empty() && rig.optics.len() == 1 => rig.optics.values().next(),
            None => None,
        };
        let mut observation = Observation {
            observer: rig.observer.clone(),
            site_name: rig.site_name.clone(),
            site: rig.site,
            telescope: train.and_then(|train| train.name.clone()),
            focal_length: train.and_then(|train| train.focal_length),
            aperture: train.and_then(|train| train.aperture),
            camera_address: Some(info.address.to_string()),
            ..Observation::default()
        };
        let mut warnings = Vec::new();
        let wheel = train.and_then(|train| train.wheel.as_deref());
        let focuser = train.and_then(|train| train.focuser.as_deref());
        for (kind, named) in
            [(DeviceKind::Mount, None), (DeviceKind::FilterWheel, wheel), (DeviceKind::Focuser, focuser)]
        {
            let told = self.accessory(kind, named, role.as_deref()).and_then(|device| match device {
                Some(AnyDevice::Mount(mount)) => ask_mount(&*mount, &mut observation),
                Some(AnyDevice::FilterWheel(wheel)) => ask_wheel(&*wheel, &mut observation),
                Some(AnyDevice::Focuser(focuser)) => ask_focuser(&*focuser, &mut observation),
                _ => Ok(()),
            });
            warnings.extend(told.err());
        }
        (observation, warnings)
    }

    /// The device of a kind that belongs to a camera's light path, if it may be asked.
    fn accessory(&self, kind: DeviceKind, named: Option<&str>, camera: Option<&str>) -> Result<Option<AnyDevice>> {
        if let Some(role) = named {
            return self.connected(kind, Some(&format!("@{role}"))).map(Some);
        }
        if kind != DeviceKind::Mount && !self.shares_light_path(camera) {
            return Ok(None);
        }
        let claimed = |member: &Member| member.role.as_deref().is_some_and(|role| self.is_claimed(role));
        let used = self.members().into_iter().find(|member| member.info.id.kind == kind && !claimed(member));
        if let Some(member) = used {
            return member.device().map(Some);
        }
        // Looked at first: the device of another camera need not even answer.
        let usual = usual_roles(kind).iter().find(|role| self.rig().devices.contains_key(**role));
        if usual.is_some_and(|role| self.is_claimed(role)) {
            return Ok(None);
        }
        let member = match self.find(kind, None) {
            Ok(member) => member,
            // None, or several of which none is named: the picture does without.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidValue) => return Ok(None),
            Err(error) => return Err(error),
        };
        if claimed(&member) {
            return Ok(None);
        }
        if member.role.is_some() {
            return self.join(member).map(Some);
        }
        let device = member.device()?;
        Ok(device.device().is_connected()?.then_some(device))
    }

    /// Without a claim only the main camera, or one without any role, looks through wheel and focuser.
    fn shares_light_path(&self, camera: Option<&str>) -> bool {
        let main = usual_roles(DeviceKind::Camera);
        let has_main = main.iter().any(|role| self.rig().devices.contains_key(*role));
        camera.is_none_or(|role| main.contains(&role) || !has_main)
    }

    /// An optical train names this role as its own.
    fn is_claimed(&self, role: &str) -> bool {
        let names = |train: &Train| [&train.wheel, &train.focuser].into_iter().flatten().any(|named| named == role);
        self.rig().optics.values().any(names)
    }
}

/// The warnings of a camera's driver among the events so far, each once.
fn complaints(events: &Events, camera: &DeviceInfo) -> Vec<Error> {
    let names = [Some(&camera.id), camera.part_of.as_ref()].map(|id| id.map(|id| id.name.clone()));
    let mut found: Vec<Error> = Vec::new();
    while let Some(event) = events.try_next() {
        let is_its = event.device.is_some_and(|id| names.contains(&Some(id.name)));
        if let (true, EventKind::Message(Level::Warning | Level::Error, text)) = (is_its, event.kind) {
            let complaint = Error::new(ErrorKind::Device(0), text).on(&camera.id);
            if !found.contains(&complaint) {
                found.push(complaint);
            }
        }
    }
    found
}

fn ask_mount(mount: &dyn Mount, observation: &mut Observation) -> Result<()> {
    let state = mount.state()?;
    let at = state.utc.unwrap_or_else(Timestamp::now);
    observation.pier_side = state.pier_side;
    if observation.site.is_none() {
        observation.site = mount.site()?;
    }
    observation.horizon = match (state.horizon, &observation.site) {
        (None, Some(site)) => Some(state.position.to_altaz(site, at)?),
        (horizon, _) => horizon,
    };
    if state.position.equinox != Equinox::Other {
        observation.pointing = Some(state.position.to(Equinox::J2000, at)?);
    }
    Ok(())
}

fn ask_wheel(wheel: &dyn FilterWheel, observation: &mut Observation) -> Result<()> {
    observation.filter_wheel = Some(wheel.info().id.name);
    if let Some(position) = wheel.state()?.position {
        observation.filter = wheel.filters()?.get(position).map(|filter| filter.name.clone());
    }
    Ok(())
}

fn ask_focuser(focuser: &dyn Focuser, observation: &mut Observation) -> Result<()> {
    let state = focuser.state()?;
    observation.focuser = Some(focuser.info().id.name);
    observation.focus_step = focuser.caps()?.step_size;
    observation.focus_position = state.position;
    observation.focus_temperature = state.temperature;
    Ok(())
}
