//! One simulated observatory: the clock, the sky and the devices under it, and how they make a picture together.

use super::{
    camera::{CameraUnit, LightPath, Shot},
    clock::{Clock, Now, duration},
    faults::{Engine, Fault, What},
    filter_wheel::Wheel,
    focuser::Drawtube,
    handle::{Handle, Unit},
    motion::{Axes, SIDEREAL, horizontal},
    mount::MountUnit,
    options::Options,
    render::render,
    scene::{Band, Scene},
    sensor::SensorModel,
};
use crate::{
    Address, Degrees, Equinox, Error, Hours, Metres, RaDec, Result, Timestamp,
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind, DeviceState, GuideDirection, PierSide},
    event::Poller,
    guard::Guard,
    image::{Image, ImageMeta},
    sync::lock,
    wait::Deadline,
};
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Time between two looks for news.
const POLL: Duration = Duration::from_millis(50);

/// Longest trail of the stars, arcseconds: what is longer leaves the picture anyway.
const TRAIL: f64 = 10_000.0;

/// The calls that a fault may wait for, by the names of the contract.
const CALLS: &[&str] = &[
    "connect",
    "disconnect",
    "is_connected",
    "controls",
    "control",
    "set_control",
    "caps",
    "state",
    "frame",
    "set_frame",
    "set_cooler",
    "start_exposure",
    "stop_exposure",
    "abort_exposure",
    "image",
    "take_image",
    "pulse_guide",
    "filters",
    "start_move",
    "set_names",
    "start_move_by",
    "halt",
    "sync",
    "start_slew",
    "abort",
    "start_park",
    "start_unpark",
    "set_park",
    "start_home",
    "set_tracking",
    "start_flip",
    "destination_side",
    "guide_rates",
    "set_guide_rates",
    "move_axis",
    "site",
    "set_site",
    "set_time",
];

/// Optics of the guide camera.
const GUIDE_APERTURE: Metres = Metres(0.060);
const GUIDE_FOCAL_LENGTH: Metres = Metres(0.240);

/// A device as the outside knows it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) info: DeviceInfo,
    pub(super) connected: AtomicBool,
}

/// The observatory.
#[derive(Debug)]
pub(super) struct World {
    pub(super) address: Address,
    options: Options,
    pub(super) clock: Clock,
    /// Cameras first, so that an entry's index is also the camera's.
    entries: Vec<Entry>,
    cameras: Vec<Mutex<CameraUnit>>,
    wheel: Mutex<Wheel>,
    focuser: Mutex<Drawtube>,
    mount: Mutex<MountUnit>,
    pub(super) poller: Poller,
    /// What the listeners were last told about each device.
    pub(super) told: Mutex<Vec<Option<DeviceState>>>,
    pub(super) faults: Mutex<Engine>,
    /// There are faults to ask for.
    failing: AtomicBool,
    /// A call that waits has to look again.
    released: Condvar,
    /// Which links the listeners believe to be down: that of the whole, and of each device.
    pub(super) told_lost: Mutex<Vec<bool>>,
}

impl World {
    /// A world as an address describes it; nothing is shared with any other.
    ///
    /// # Errors
    /// `InvalidValue` for options that it does not have.
    pub(super) fn new(address: &Address) -> Result<Arc<World>> {
        let options = Options::read(address)?;
        let clock = Clock::new(options.start.unwrap_or_else(Timestamp::now), options.speed);
        World::with_clock(address, options, clock)
    }

    /// The same with a clock of one's own.
    pub(super) fn with_clock(address: &Address, options: Options, clock: Clock) -> Result<Arc<World>> {
        let now = clock.now();
        // Refuses a night for which no star's place can be computed.
        RaDec::j2000(Hours(0.0), Degrees(0.0)).to(Equinox::OfDate, now.utc)?;
        let camera = |model: SensorModel, guide_port| {
            Mutex::new(CameraUnit::new(model, guide_port, options.site.longitude, Guard::new(options.guard), now))
        };
        let mut cameras = vec![camera(options.sensor.clone(), false)];
        if options.guide_camera {
            cameras.push(camera(SensorModel::find("imx290")?, true));
        }
        let entries = entries(address, &options);
        let mut faults = Engine::new(entries.iter().map(|entry| entry.info.id.clone()).collect(), options.seed);
        options.faults.iter().try_for_each(|fault| faults.arm(fault.clone(), CALLS, 0.0))?;
        Ok(Arc::new(World {
            failing: AtomicBool::new(!faults.is_idle()),
            faults: Mutex::new(faults),
            released: Condvar::new(),
            told_lost: Mutex::new(vec![false; entries.len() + 1]),
            address: address.clone(),
            wheel: Mutex::new(Wheel::new(options.filters.clone())),
            focuser: Mutex::new(Drawtube::new(&options, now)),
            mount: Mutex::new(MountUnit::new(&options)),
            told: Mutex::new(entries.iter().map(|_| None).collect()),
            poller: Poller::new(POLL),
            options,
            clock,
            entries,
            cameras,
        }))
    }

    pub(super) fn entry(&self, index: usize) -> &Entry {
        &self.entries[index]
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn camera(&self, index: usize) -> &Mutex<CameraUnit> {
        &self.cameras[index]
    }

    /// A handle on one of the devices.
    pub(super) fn device(self: &Arc<World>, index: usize) -> AnyDevice {
        self.handle(index, false)
    }

    /// A handle through which nobody calls: for news.
    pub(super) fn silent_device(self: &Arc<World>, index: usize) -> AnyDevice {
        self.handle(index, true)
    }

    fn handle(self: &Arc<World>, index: usize, silent: bool) -> AnyDevice {
        match self.entry(index).info.id.kind {
            DeviceKind::Camera => AnyDevice::Camera(Handle::new(self, index, World::camera, silent)),
            DeviceKind::FilterWheel => {
                AnyDevice::FilterWheel(Handle::new(self, index, |world, _| &world.wheel, silent))
            }
            DeviceKind::Focuser => AnyDevice::Focuser(Handle::new(self, index, |world, _| &world.focuser, silent)),
            DeviceKind::Mount => AnyDevice::Mount(Handle::new(self, index, |world, _| &world.mount, silent)),
        }
    }

    /// The present moment of a device.
    pub(super) fn now(&self, index: usize) -> Now {
        let now = self.clock.now();
        Now { seconds: self.local(index, now.seconds), ..now }
    }

    /// The time of a device at a second of the world.
    fn local(&self, index: usize, at: f64) -> f64 {
        if self.may_fail() { lock(&self.faults).local(index, at) } else { at }
    }

    fn place_of(&self, kind: DeviceKind) -> usize {
        self.entries.iter().position(|entry| entry.info.id.kind == kind).unwrap_or_default()
    }

    /// True when there are faults to ask for.
    pub(super) fn may_fail(&self) -> bool {
        self.failing.load(Ordering::SeqCst)
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// As [`Engine::arm`].
    pub(super) fn inject(&self, fault: Fault) -> Result<()> {
        let mut faults = lock(&self.faults);
        faults.arm(fault, CALLS, self.clock.now().world)?;
        let connected = |entry: &Entry| entry.connected.load(Ordering::SeqCst);
        let places = self.entries.iter().enumerate().filter(|(_, entry)| connected(entry));
        places.for_each(|(place, _)| faults.met(place));
        drop(faults);
        self.failing.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Ends all faults.
    pub(super) fn heal(&self) {
        lock(&self.faults).clear(self.clock.now().world);
        self.released.notify_all();
        self.tell_links();
    }

    /// Lets the faults happen that were to happen by now.
    pub(super) fn let_happen(&self) {
        lock(&self.faults).advance(self.clock.now().world);
    }

    /// Keeps a call waiting until a second of the world, for the simulator's timeout at most.
    ///
    /// # Errors
    /// `Timeout`.
    pub(super) fn hold(&self, index: usize, call: &str, until: f64, released: u64) -> Result<()> {
        let deadline = Deadline::after(self.options.timeout);
        let mut faults = lock(&self.faults);
        loop {
            let left = until - self.clock.now().world;
            if left <= 0.0 || faults.released(index) != released {
                return Ok(());
            }
            let (here, limit) = (duration(left / self.options.speed), deadline.remaining());
            if limit.is_zero() {
                return Err(Error::timeout(call, self.options.timeout));
            }
            // A clock of a test is moved by hand, and tells nobody.
            let wait = here.min(limit).clamp(Duration::from_millis(1), POLL);
            faults = self.released.wait_timeout(faults, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets a unit learn what happened to it by now.
    pub(super) fn learn<U: Unit>(&self, index: usize, unit: &mut U) {
        let mut unplugged = false;
        {
            let mut faults = lock(&self.faults);
            faults.advance(self.clock.now().world);
            faults.tell(index, |what, at| {
                let at = Now { seconds: at, ..self.clock.now() };
                unit.catch_up(at);
                unplugged |= *what == What::PowerCycle;
                unit.strike(what, at)
            });
        }
        if unplugged {
            self.set_connected(index, false);
        }
    }

    /// A device that others look through, as it is now.
    fn unit<'a, U: Unit>(&self, kind: DeviceKind, unit: &'a Mutex<U>) -> (MutexGuard<'a, U>, Now) {
        let index = self.place_of(kind);
        let mut unit = lock(unit);
        if self.may_fail() {
            self.learn(index, &mut *unit);
        }
        let now = self.now(index);
        unit.catch_up(now);
        (unit, now)
    }

    /// An exposure was ended before its time.
    pub(super) fn given_up(&self, index: usize) {
        if self.may_fail() {
            lock(&self.faults).given_up(index, self.clock.now().world);
        }
    }

    /// An exposure was accepted.
    pub(super) fn exposed(&self, index: usize, number: u64) {
        if self.may_fail() {
            lock(&self.faults).exposed(index, number, self.clock.now().world);
        }
    }

    /// A device was disconnected and is connected anew.
    pub(super) fn reconnected(&self, index: usize) {
        if self.may_fail() {
            lock(&self.faults).reconnected(index, self.clock.now().world);
            self.released.notify_all();
        }
    }

    /// What is in front of a camera now; the guide camera has a small telescope of its own, always in focus.
    pub(super) fn light_path(&self, camera: usize) -> LightPath {
        if camera > 0 {
            return LightPath { band: Band::Luminance, defocus: 0.0 };
        }
        let (band, offset) = {
            let (wheel, now) = self.unit(DeviceKind::FilterWheel, &self.wheel);
            wheel.in_path(now)
        };
        let (focuser, now) = self.unit(DeviceKind::Focuser, &self.focuser);
        LightPath { band, defocus: focuser.defocus(offset, now) }
    }

    /// A pulse on the cable from a guide port: a mount that cannot follow it now just does not.
    pub(super) fn guide_port(&self, direction: GuideDirection, duration: Duration) {
        let (mut mount, now) = self.unit(DeviceKind::Mount, &self.mount);
        let _ = mount.pulse(direction, duration, now);
    }

    /// The picture of a finished exposure, seen by the frame guard.
    pub(super) fn judged(&self, camera: usize, shot: &Shot) -> Result<Arc<Image>> {
        let mut image = self.picture(camera, shot)?;
        let exposed = image.meta.exposure;
        if let Some(news) = shot.ticket.judge(&mut image, self.clock.now().utc, exposed) {
            self.publish(camera, news);
        }
        Ok(Arc::new(image))
    }

    /// Renders a finished exposure.
    pub(super) fn picture(&self, camera: usize, shot: &Shot) -> Result<Image> {
        let info = &self.entry(camera).info;
        let pixels = render(&self.scene(camera, shot)?);
        let mut image = Image::new(shot.frame.width, shot.frame.height, pixels)?;
        let pixel = shot.sensor.pixel.0;
        image.meta = ImageMeta {
            camera: Some(info.id.name.clone()),
            camera_id: info.unique_id.clone(),
            frame_type: Some(shot.frame_type),
            start: Some(shot.start.utc),
            exposure: Some(shot.exposure),
            frame: Some(shot.frame),
            pixel_size: Some((pixel, pixel)),
            bayer: shot.bayer(),
            gain: Some(shot.gain),
            offset: Some(shot.offset),
            electrons_per_adu: Some(shot.sensor.electrons_per_adu(shot.gain)),
            max_adu: Some(shot.sensor.max_adu()),
            readout_mode: Some(shot.mode.to_owned()),
            temperature: Some(shot.temperature),
            set_point: shot.set_point,
            ..ImageMeta::default()
        };
        if !self.may_fail() {
            return Ok(image);
        }
        let mut spoil = lock(&self.faults).spoiling(camera, shot.serial);
        let image = spoil.apply(image)?;
        if spoil.kept {
            lock(&self.faults).keep(camera, image.clone());
        }
        Ok(image)
    }

    /// Everything that a finished exposure's picture depends on.
    pub(super) fn scene(&self, camera: usize, shot: &Shot) -> Result<Scene> {
        let half = shot.exposure.as_secs_f64() / 2.0;
        let middle = shot.start.world + half;
        let of_mount = self.place_of(DeviceKind::Mount);
        let ([before, axes, after], side) = {
            let (mount, _) = self.unit(DeviceKind::Mount, &self.mount);
            let axes = [middle - half, middle, middle + half].map(|at| mount.drive.truth(self.local(of_mount, at)));
            (axes, mount.drive.side(axes[1]))
        };
        let options = &self.options;
        let (hour_angle, dec) = axes.place();
        let middle = Now { seconds: middle, world: middle, utc: self.clock.utc(middle) };
        let ra = (options.site.sidereal_time(middle.utc) - hour_angle).normalized();
        let airmass = horizontal(hour_angle, dec, options.site.latitude).airmass().unwrap_or(40.0);
        // Upright before the meridian, where a night's targets are met first; upside down after the flip.
        let flipped = if side == PierSide::East { 180.0 } else { 0.0 };
        let (aperture, focal_length, angle) = match camera {
            0 => (options.aperture, options.focal_length, options.rotation),
            _ => (GUIDE_APERTURE, GUIDE_FOCAL_LENGTH, Degrees(0.0)),
        };
        Ok(Scene {
            seed: options.seed.wrapping_add(camera as u64),
            serial: shot.serial,
            frame_type: shot.frame_type,
            exposure: shot.exposure,
            sensor: shot.sensor.clone(),
            frame: shot.frame,
            gain: shot.gain,
            offset: shot.offset,
            temperature: shot.temperature,
            aperture,
            focal_length,
            centre: RaDec::new(ra, dec, Equinox::OfDate).to(Equinox::J2000, middle.utc)?,
            rotation: (angle + Degrees(flipped)).normalized(),
            trail: trail(before, after, 2.0 * half),
            seeing: options.seeing * airmass.powf(0.6),
            defocus: shot.light.defocus,
            band: shot.light.band,
            sky: options.sky,
            airmass,
        })
    }
}

/// Motion over the sky between two places of the axes, some seconds apart: arcseconds towards east and north.
fn trail(before: Axes, after: Axes, seconds: f64) -> (f64, f64) {
    let ((from, dec), (to, north)) = (before.place(), after.place());
    // The hour angle of a star grows by itself.
    let east = Hours(from.0 - to.0 + seconds * SIDEREAL / 15.0).signed().degrees().0 * dec.radians().cos();
    let arcseconds = |degrees: f64| (degrees * 3600.0).clamp(-TRAIL, TRAIL);
    (arcseconds(east), arcseconds((north - dec).0))
}

fn entries(address: &Address, options: &Options) -> Vec<Entry> {
    let entry = |kind, name: &str, description: String| {
        let address = address.clone().with_path(name);
        let mut info = DeviceInfo::new(DeviceId::new(kind, name), address);
        info.description = Some(description);
        info.driver = Some("astrobackend simulator".into());
        info.driver_version = Some(env!("CARGO_PKG_VERSION").into());
        info.unique_id = Some(format!("sim-{}-{}", options.seed, name.to_ascii_lowercase().replace(' ', "-")));
        Entry { info, connected: AtomicBool::new(false) }
    };
    let sensor = options.sensor.name;
    let mut entries = vec![entry(DeviceKind::Camera, "Camera Simulator", format!("Simulated camera, {sensor}"))];
    if options.guide_camera {
        entries.push(entry(DeviceKind::Camera, "Guide Camera Simulator", "Simulated guide camera".into()));
    }
    let places = options.filters.len();
    let wheel = format!("Simulated filter wheel with {places} places");
    entries.push(entry(DeviceKind::FilterWheel, "Filter Wheel Simulator", wheel));
    entries.push(entry(DeviceKind::Focuser, "Focuser Simulator", "Simulated focuser".into()));
    entries.push(entry(DeviceKind::Mount, "Mount Simulator", "Simulated equatorial mount".into()));
    entries
}
