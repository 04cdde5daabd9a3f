//! The list of all public calls; `complete` holds it against the traits' definitions.

use astrobackend::{
    AltAz, Backend, Celsius, Degrees, DegreesPerSecond, Equinox, Hours, Metres, RaDec, Result, Site, Timestamp, Wait,
    device::{
        AnyDevice, Axis, Camera, CameraExt, Control, Device, DeviceId, DeviceKind, Exposure, FilterWheel,
        FilterWheelExt, Focuser, FocuserExt, GuideDirection, GuideRates, Mount, MountExt, PierSide, ReplyKind, Target,
        Tracking,
    },
    image::Frame,
};
use std::{sync::Arc, time::Duration};

/// A backend that was opened, and its devices.
pub(crate) struct Open {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) camera: Arc<dyn Camera>,
    wheel: Arc<dyn FilterWheel>,
    focuser: Arc<dyn Focuser>,
    mount: Arc<dyn Mount>,
}

/// A public call.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// The trait that has it.
    pub(crate) of: &'static str,
    pub(crate) name: &'static str,
    /// The kind of device that it is tried on.
    pub(crate) kind: Option<DeviceKind>,
    run: Run,
    /// It needs a picture that is ready.
    with_picture: bool,
}

#[derive(Clone, Copy)]
enum Run {
    Any(fn(&Open, &Wait) -> Result<()>),
    Device(fn(&dyn Device) -> Result<()>),
}

/// Camera settings for small pictures, and somewhere else for everything that moves.
const SIDE: u32 = 16;
const SOON: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(10);

/// Above the horizon at any time.
const SOMEWHERE: RaDec = RaDec { ra: Hours(3.0), dec: Degrees(80.0), equinox: Equinox::J2000 };

impl Open {
    pub(crate) fn new(backend: Arc<dyn Backend>, named: &[(DeviceKind, &str)]) -> Result<Self> {
        let device = |kind: DeviceKind| {
            let name = named.iter().find(|(of, _)| *of == kind).map(|(_, name)| *name);
            let id = name.map_or_else(|| backend.only(kind), |name| Ok(DeviceId::new(kind, name)))?;
            backend.device(&id)
        };
        let (
            AnyDevice::Camera(camera),
            AnyDevice::FilterWheel(wheel),
            AnyDevice::Focuser(focuser),
            AnyDevice::Mount(mount),
        ) = (
            device(DeviceKind::Camera)?,
            device(DeviceKind::FilterWheel)?,
            device(DeviceKind::Focuser)?,
            device(DeviceKind::Mount)?,
        )
        else {
            unreachable!("each kind was asked for")
        };
        Ok(Open { backend, camera, wheel, focuser, mount })
    }

    pub(crate) fn device(&self, kind: DeviceKind) -> &dyn Device {
        match kind {
            DeviceKind::Camera => &*self.camera,
            DeviceKind::FilterWheel => &*self.wheel,
            DeviceKind::Focuser => &*self.focuser,
            DeviceKind::Mount => &*self.mount,
            _ => unreachable!("there are four kinds"),
        }
    }

    /// Connects the device of a call, with nothing under way.
    pub(crate) fn prepare(&self, call: &Call) -> Result<()> {
        let Some(kind) = call.kind else { return Ok(()) };
        let device = self.device(kind);
        if !device.is_connected()? {
            device.connect()?;
        }
        match kind {
            DeviceKind::Camera => self.prepare_camera(call.with_picture),
            DeviceKind::Mount => self.prepare_mount(),
            _ => Ok(()),
        }
    }

    fn prepare_camera(&self, with_picture: bool) -> Result<()> {
        if self.camera.state()?.exposure.is_busy() {
            self.camera.abort_exposure()?;
        }
        let caps = self.camera.caps()?;
        let mut frame = Frame::full(caps.sensor.width, caps.sensor.height, 1);
        (frame.width, frame.height) = (SIDE, SIDE);
        if self.camera.frame()? != frame {
            self.camera.set_frame(frame)?;
        }
        if with_picture {
            let shortest = (*caps.exposure.start()).max(SOON);
            self.camera.expose(Exposure::light(shortest), &Wait::new(PATIENCE))?;
        }
        Ok(())
    }

    fn prepare_mount(&self) -> Result<()> {
        let mut state = self.mount.state()?;
        if state.slewing {
            self.mount.abort()?;
            let stands = || Ok(Some(self.mount.state()?).filter(|state| !state.slewing));
            state = Wait::new(PATIENCE).until("stopping the mount", stands, || Ok(()))?;
        }
        if state.parked && self.mount.caps()?.unpark {
            self.mount.unpark(&Wait::new(PATIENCE))?;
        }
        Ok(())
    }
}

impl Call {
    /// `Camera::state`, with the kind for a call that all have.
    pub(crate) fn title(&self) -> String {
        match (self.of, self.kind) {
            ("Device", Some(kind)) => format!("Device::{} of the {kind}", self.name),
            _ => format!("{}::{}", self.of, self.name),
        }
    }

    pub(crate) fn make(&self, open: &Open, wait: &Wait) -> Result<()> {
        match (self.run, self.kind) {
            (Run::Device(run), Some(kind)) => run(open.device(kind)),
            (Run::Any(run), _) => run(open, wait),
            (Run::Device(_), None) => unreachable!("calls of all devices are listed for each kind"),
        }
    }

    /// True for those that wait for the end of what they start, and stop it.
    pub(crate) fn stops(&self) -> bool {
        self.of.ends_with("Ext")
    }
}

/// All calls; those that all devices have, for each kind.
pub(crate) fn all() -> Vec<Call> {
    let each = |call: Call| match call.run {
        Run::Device(_) => DeviceKind::ALL.map(|kind| Call { kind: Some(kind), ..call }).to_vec(),
        Run::Any(_) => vec![call],
    };
    CALLS.iter().copied().flat_map(each).collect()
}

macro_rules! call {
    ($of:ident, $kind:expr, $name:ident, $picture:expr, $run:expr) => {
        Call { of: stringify!($of), name: stringify!($name), kind: $kind, run: $run, with_picture: $picture }
    };
}

macro_rules! backend {
    ($name:ident, $run:expr) => {
        call!(Backend, None, $name, false, Run::Any($run))
    };
}
macro_rules! device {
    ($name:ident, $run:expr) => {
        call!(Device, None, $name, false, Run::Device($run))
    };
}
macro_rules! camera {
    ($name:ident, $run:expr) => {
        call!(Camera, Some(DeviceKind::Camera), $name, false, Run::Any($run))
    };
    ($name:ident with picture, $run:expr) => {
        call!(Camera, Some(DeviceKind::Camera), $name, true, Run::Any($run))
    };
}
macro_rules! wheel {
    ($of:ident $name:ident, $run:expr) => {
        call!($of, Some(DeviceKind::FilterWheel), $name, false, Run::Any($run))
    };
}
macro_rules! focuser {
    ($of:ident $name:ident, $run:expr) => {
        call!($of, Some(DeviceKind::Focuser), $name, false, Run::Any($run))
    };
}
macro_rules! mount {
    ($of:ident $name:ident, $run:expr) => {
        call!($of, Some(DeviceKind::Mount), $name, false, Run::Any($run))
    };
}

const CALLS: &[Call] = &[
    backend!(address, |open, _| {
        open.backend.address();
        Ok(())
    }),
    backend!(devices, |open, _| open.backend.devices().map(drop)),
    backend!(device, |open, _| open.backend.device(&open.camera.info().id).map(drop)),
    backend!(events, |open, _| {
        open.backend.events().try_next();
        Ok(())
    }),
    backend!(link, |open, _| {
        open.backend.link();
        Ok(())
    }),
    backend!(supervision, |open, _| {
        open.backend.supervision();
        Ok(())
    }),
    backend!(answers_from_memory, |open, _| {
        open.backend.answers_from_memory();
        Ok(())
    }),
    backend!(has_chooser, |open, _| {
        open.backend.has_chooser();
        Ok(())
    }),
    // A person at a window has all the time in the world: only that there is none is tried.
    backend!(choose, |open, _| open.backend.choose(DeviceKind::Camera, None).map(drop)),
    device!(info, |device| {
        device.info();
        Ok(())
    }),
    device!(connect, |device| {
        device.disconnect()?;
        device.connect()
    }),
    device!(disconnect, |device| device.disconnect()),
    device!(is_connected, |device| device.is_connected().map(drop)),
    device!(controls, |device| device.controls().map(drop)),
    device!(control, |device| some_control(device).and_then(|control| device.control(control)).map(drop)),
    device!(set_control, |device| {
        let control = some_control(device)?;
        device.set_control(control, device.control(control)?)
    }),
    device!(actions, |device| device.actions().map(drop)),
    device!(action, |device| device.action("nothing", "").map(drop)),
    device!(command, |device| device.command("nothing", false, ReplyKind::Text).map(drop)),
    camera!(caps, |open, _| open.camera.caps().map(drop)),
    camera!(state, |open, _| open.camera.state().map(drop)),
    camera!(frame, |open, _| open.camera.frame().map(drop)),
    camera!(set_frame, |open, _| open.camera.set_frame(Frame::full(SIDE, SIDE, 1))),
    camera!(set_cooler, |open, _| open.camera.set_cooler(Some(Celsius(-5.0)))),
    camera!(start_exposure, |open, _| open.camera.start_exposure(Exposure::light(PATIENCE))),
    camera!(stop_exposure, |open, _| open.camera.stop_exposure()),
    camera!(abort_exposure, |open, _| open.camera.abort_exposure()),
    camera!(image with picture, |open, _| open.camera.image().map(drop)),
    camera!(take_image with picture, |open, _| open.camera.take_image().map(drop)),
    camera!(pulse_guide, |open, _| open.camera.pulse_guide(GuideDirection::North, SOON)),
    call!(
        CameraExt,
        Some(DeviceKind::Camera),
        expose,
        false,
        Run::Any(|open, wait| { open.camera.expose(Exposure::light(Duration::from_millis(100)), wait).map(drop) })
    ),
    call!(
        CameraExt,
        Some(DeviceKind::Camera),
        expose_watched,
        false,
        Run::Any(|open, wait| {
            open.camera.expose_watched(Exposure::light(Duration::from_millis(100)), wait, |_| {}).map(drop)
        })
    ),
    wheel!(FilterWheel filters, |open, _| open.wheel.filters().map(drop)),
    wheel!(FilterWheel state, |open, _| open.wheel.state().map(drop)),
    wheel!(FilterWheel start_move, |open, _| open.wheel.start_move(1)),
    wheel!(FilterWheel set_names, |open, _| {
        let names: Vec<_> = open.wheel.filters()?.into_iter().map(|filter| filter.name).collect();
        open.wheel.set_names(&names)
    }),
    wheel!(FilterWheelExt find, |open, _| open.wheel.find("Ha").map(drop)),
    wheel!(FilterWheelExt select, |open, wait| open.wheel.select("Ha", wait)),
    wheel!(FilterWheelExt move_to, |open, wait| open.wheel.move_to(2, wait)),
    focuser!(Focuser caps, |open, _| open.focuser.caps().map(drop)),
    focuser!(Focuser state, |open, _| open.focuser.state().map(drop)),
    focuser!(Focuser start_move, |open, _| open.focuser.start_move(20_000)),
    focuser!(Focuser start_move_by, |open, _| open.focuser.start_move_by(-10)),
    focuser!(Focuser halt, |open, _| open.focuser.halt()),
    focuser!(Focuser sync, |open, _| open.focuser.sync(20_000)),
    focuser!(FocuserExt move_to, |open, wait| open.focuser.move_to(20_100, wait)),
    focuser!(FocuserExt move_by, |open, wait| open.focuser.move_by(10, wait)),
    mount!(Mount caps, |open, _| open.mount.caps().map(drop)),
    mount!(Mount state, |open, _| open.mount.state().map(drop)),
    mount!(Mount start_slew, |open, _| open.mount.start_slew(Target::RaDec(SOMEWHERE))),
    mount!(Mount abort, |open, _| open.mount.abort()),
    mount!(Mount sync, |open, _| open.mount.sync(Target::RaDec(SOMEWHERE))),
    mount!(Mount start_park, |open, _| open.mount.start_park()),
    mount!(Mount start_unpark, |open, _| open.mount.start_unpark()),
    mount!(Mount set_park, |open, _| open.mount.set_park()),
    mount!(Mount start_home, |open, _| open.mount.start_home()),
    mount!(Mount set_tracking, |open, _| open.mount.set_tracking(Tracking::SIDEREAL)),
    mount!(Mount start_flip, |open, _| open.mount.start_flip(PierSide::East)),
    mount!(Mount destination_side, |open, _| open.mount.destination_side(SOMEWHERE).map(drop)),
    mount!(Mount guide_rates, |open, _| open.mount.guide_rates().map(drop)),
    mount!(Mount set_guide_rates, |open, _| {
        let rate = DegreesPerSecond(0.002);
        open.mount.set_guide_rates(GuideRates { ra: rate, dec: rate })
    }),
    mount!(Mount pulse_guide, |open, _| open.mount.pulse_guide(GuideDirection::North, SOON)),
    mount!(Mount move_axis, |open, _| open.mount.move_axis(Axis::Primary, DegreesPerSecond(0.0))),
    mount!(Mount site, |open, _| open.mount.site().map(drop)),
    mount!(Mount set_site, |open, _| {
        open.mount.set_site(Site::new(Degrees(37.2236), Degrees(-2.5463), Metres(2168.0))?)
    }),
    mount!(Mount set_time, |open, _| open.mount.set_time(Timestamp::now())),
    mount!(MountExt slew, |open, wait| {
        open.mount.slew(AltAz { alt: Degrees(70.0), az: Degrees(100.0) }, wait)
    }),
    mount!(MountExt park, |open, wait| open.mount.park(wait)),
    mount!(MountExt unpark, |open, wait| open.mount.unpark(wait)),
    mount!(MountExt home, |open, wait| open.mount.home(wait)),
    mount!(MountExt flip, |open, wait| open.mount.flip(PierSide::East, wait)),
    mount!(MountExt hour_angle, |open, _| open.mount.hour_angle().map(drop)),
];

/// A setting that the device has, and can change where it can.
fn some_control(device: &dyn Device) -> Result<Control> {
    let controls = device.controls()?;
    let writable = controls.iter().find(|info| info.writable).or(controls.first());
    Ok(writable.map_or(Control::Gain, |info| info.control))
}
