//! One simulated observatory: the clock, the sky and the devices under it, and how they make a picture together.

use super::{
    camera::{CameraUnit, LightPath, Shot},
    clock::{Clock, Now},
    failing::CALLS,
    faults::Engine,
    filter_wheel::Wheel,
    focuser::Drawtube,
    handle::Handle,
    motion::{Axes, SIDEREAL, horizontal},
    mount::MountUnit,
    options::Options,
    render::render,
    scene::{Band, Scene},
    sensor::SensorModel,
};
use crate::{
    Address, Degrees, Equinox, Hours, Metres, RaDec, Result, Timestamp,
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind, DeviceState, GuideDirection, PierSide},
    event::Poller,
    guard::Guard,
    image::{Image, ImageMeta},
    sync::lock,
};
use std::{
    sync::{Arc, Condvar, Mutex, atomic::AtomicBool},
    time::Duration,
};

/// Time between two looks for news.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// Longest trail of the stars, arcseconds: what is longer leaves the picture anyway.
const TRAIL: f64 = 10_000.0;

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
    pub(super) options: Options,
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
    pub(super) failing: AtomicBool,
    /// A call that waits has to look again.
    pub(super) released: Condvar,
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
