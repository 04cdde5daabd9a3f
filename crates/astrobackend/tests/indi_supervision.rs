//! A night with Debian's `indiserver`: servers and drivers crash, freeze and come back, and work goes on.

use astrobackend::{
    Backend, Celsius, Degrees, Equinox, ErrorKind, Events, Hours, RaDec, Wait,
    device::{
        AnyDevice, Camera, CameraExt, Control, DeviceId, DeviceKind, Exposure, ExposureState, FilterWheelExt,
        FocuserExt, FrameType, MountExt,
    },
    event::{EventKind, Link},
    image::Frame,
};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use testing::{IndiServer, in_private_network};

type Outcome = Result<(), Failed>;
type Test = (&'static str, fn() -> Outcome);

const TELESCOPE: &str = "indi_simulator_telescope";
const CCD: &str = "indi_simulator_ccd";
const GUIDE: &str = "indi_simulator_guide";
const FOCUSER: &str = "indi_simulator_focus";
const WHEEL: &str = "indi_simulator_wheel";

/// Time for what should come at once, on a busy machine.
const SOON: Duration = Duration::from_secs(15);

const TESTS: [Test; 14] = [
    ("a_driver_killed_mid_exposure", a_driver_killed_mid_exposure),
    ("a_driver_killed_while_idle_gets_its_settings_again", a_driver_killed_while_idle_gets_its_settings_again),
    ("a_driver_killed_mid_slew", a_driver_killed_mid_slew),
    ("a_server_killed_mid_exposure", a_server_killed_mid_exposure),
    ("a_server_killed_mid_slew", a_server_killed_mid_slew),
    ("a_server_killed_while_idle", a_server_killed_while_idle),
    ("a_frozen_driver", a_frozen_driver),
    ("a_driver_frozen_mid_exposure", a_driver_frozen_mid_exposure),
    ("a_frozen_server", a_frozen_server),
    ("two_cameras_at_once", two_cameras_at_once),
    ("ten_clients", ten_clients),
    ("a_large_frame", a_large_frame),
    ("compression_is_switched_off_or_decoded", compression_is_switched_off_or_decoded),
    ("another_client_takes_the_camera_away", another_client_takes_the_camera_away),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Err(why) = in_private_network().and_then(|()| IndiServer::start(&[WHEEL]).map(drop)) {
        return ExitCode::from(u8::from(why.report()));
    }
    let trials = TESTS.map(|(name, test)| Trial::test(name, test));
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn open(server: &IndiServer, options: &str) -> Result<Arc<dyn Backend>, Failed> {
    Ok(astrobackend::open(&format!("{}?{options}", server.address()))?)
}

fn wait(seconds: u64) -> Wait {
    Wait::new(Duration::from_secs(seconds))
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn dark(time: f64) -> Exposure {
    Exposure { duration: seconds(time), frame_type: FrameType::Dark }
}

fn camera(backend: &Arc<dyn Backend>) -> Result<Arc<dyn Camera>, Failed> {
    let camera = backend.camera()?;
    camera.connect()?;
    Ok(camera)
}

/// The kind of failure, if it failed.
fn failure<T>(result: astrobackend::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Looks until it is so.
fn eventually(what: &str, look: impl Fn() -> bool) -> Outcome {
    Ok(Wait::new(SOON).until(what, || Ok(look().then_some(())), || Ok(()))?)
}

/// Waits for news of the link.
fn link(events: &Events, wanted: impl Fn(&Link) -> bool) -> Outcome {
    let end = Instant::now() + SOON + SOON;
    while let Some(event) = events.next(end.saturating_duration_since(Instant::now())) {
        match &event.kind {
            EventKind::Link(link) if wanted(link) => return Ok(()),
            _ => {}
        }
    }
    Err("no such news of the link".into())
}

fn lost(link: &Link) -> bool {
    matches!(link, Link::Lost { .. })
}

fn up(link: &Link) -> bool {
    *link == Link::Up
}

/// How an exposure of a minute ends when this happens in its middle; it must end at once.
fn interrupted(camera: &dyn Camera, happens: impl FnOnce()) -> Result<astrobackend::Error, Failed> {
    std::thread::scope(|scope| {
        let exposing = scope.spawn(|| camera.expose(dark(60.0), &wait(120)));
        let begun = || Ok(matches!(camera.state()?.exposure, ExposureState::Exposing { .. }).then_some(()));
        wait(20).until("the beginning", begun, || Ok(()))?;
        let since = Instant::now();
        happens();
        match exposing.join() {
            Ok(Err(error)) if since.elapsed() < SOON => Ok(error),
            other => Err(format!("{other:?} after {:?}", since.elapsed()).into()),
        }
    })
}

fn a_driver_killed_mid_exposure() -> Outcome {
    let server = IndiServer::start(&[CCD, WHEEL])?;
    let backend = open(&server, "timeout=5")?;
    let camera = camera(&backend)?;
    let error = interrupted(&*camera, || server.kill_driver(CCD))?;
    assert!(error.message().contains("driver"), "{error:?}");
    assert_eq!(error.device(), Some("CCD Simulator"));
    assert_eq!(backend.link(), Link::Up, "the server lives");
    eventually("the camera is back", || camera.is_connected().unwrap_or(false))?;
    camera.expose(dark(0.2), &wait(20))?;
    Ok(())
}

/// Declares settings that the driver does not have after its start.
fn declare(camera: &dyn Camera) -> Result<Frame, Failed> {
    let frame = Frame { x: 10, y: 20, width: 300, height: 200, bin_x: 2, bin_y: 2 };
    camera.set_frame(frame)?;
    camera.set_control(Control::Gain, 55.0)?;
    camera.set_cooler(Some(Celsius(-5.0)))?;
    Ok(frame)
}

/// The same settings, after all that happened.
fn declared(camera: &dyn Camera, frame: Frame) -> Outcome {
    assert_eq!(camera.frame()?, frame);
    assert_eq!(camera.control(Control::Gain)?, 55.0);
    let state = camera.state()?;
    let cooler = state.cooler.ok_or("no cooler")?;
    assert_eq!((cooler.on, cooler.set_point), (true, Some(Celsius(-5.0))));
    assert!(!state.exposure.is_busy());
    let image = camera.expose(dark(0.2), &wait(20))?;
    assert_eq!((image.width(), image.height()), (300, 200));
    Ok(())
}

fn a_driver_killed_while_idle_gets_its_settings_again() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=5")?;
    let camera = camera(&backend)?;
    let frame = declare(&*camera)?;
    server.kill_driver(CCD);
    eventually("the camera is gone", || camera.state().is_err())?;
    eventually("the camera is back", || camera.state().is_ok())?;
    declared(&*camera, frame)
}

fn somewhere(hours: f64) -> RaDec {
    RaDec::new(Hours(hours), Degrees(20.0), Equinox::OfDate)
}

fn a_driver_killed_mid_slew() -> Outcome {
    let server = IndiServer::start(&[TELESCOPE])?;
    let backend = open(&server, "timeout=5")?;
    let mount = backend.mount()?;
    mount.connect()?;
    mount.start_slew(somewhere((mount.state()?.position.ra.0 + 10.0) % 24.0).into())?;
    assert!(mount.state()?.slewing);
    server.kill_driver(TELESCOPE);
    eventually("the slew has failed", || mount.state().is_err())?;
    eventually("the mount is back", || mount.state().is_ok())?;
    assert!(!mount.state()?.slewing, "nothing is moved by itself");
    let near = somewhere((mount.state()?.position.ra.0 + 0.2) % 24.0);
    if mount.state()?.parked {
        mount.unpark(&wait(30))?;
    }
    mount.start_slew(near.into())?;
    mount.abort()?;
    Ok(())
}

fn a_server_killed_mid_exposure() -> Outcome {
    let mut server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=5")?;
    let events = backend.events();
    let camera = camera(&backend)?;
    let frame = declare(&*camera)?;
    let error = interrupted(&*camera, || server.kill())?;
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    link(&events, lost)?;
    assert!(matches!(backend.link(), Link::Lost { .. }));
    assert_eq!(failure(backend.devices()), Some(ErrorKind::Unreachable));
    server.restart()?;
    link(&events, up)?;
    assert!(matches!(camera.state()?.exposure, ExposureState::Failed(_)), "nobody knows what became of it");
    declared(&*camera, frame)
}

fn a_server_killed_mid_slew() -> Outcome {
    let mut server = IndiServer::start(&[TELESCOPE, FOCUSER])?;
    let backend = open(&server, "timeout=5")?;
    let events = backend.events();
    let (mount, focuser) = (backend.mount()?, backend.focuser()?);
    mount.connect()?;
    focuser.connect()?;
    mount.start_slew(somewhere((mount.state()?.position.ra.0 + 10.0) % 24.0).into())?;
    server.kill();
    link(&events, lost)?;
    assert_eq!(failure(mount.state()), Some(ErrorKind::Unreachable));
    assert_eq!(failure(mount.abort()), Some(ErrorKind::Unreachable));
    server.restart()?;
    link(&events, up)?;
    // The slew that failed is told once to the one who asks, then the mount is as its driver says.
    eventually("the mount stands", || mount.state().is_ok_and(|state| !state.slewing))?;
    focuser.move_by(100, &wait(20))?;
    Ok(())
}

fn a_server_killed_while_idle() -> Outcome {
    let mut server = IndiServer::start(&[WHEEL, CCD])?;
    let backend = open(&server, "timeout=5")?;
    let events = backend.events();
    let AnyDevice::FilterWheel(wheel) = backend.device(&DeviceId::new(DeviceKind::FilterWheel, "Filter Simulator"))?
    else {
        return Err("no wheel".into());
    };
    wheel.connect()?;
    for _ in 0..2 {
        server.kill();
        link(&events, lost)?;
        assert_eq!(failure(wheel.state()), Some(ErrorKind::Unreachable));
        server.restart()?;
        link(&events, up)?;
        wheel.move_to(2, &wait(20))?;
        wheel.move_to(0, &wait(20))?;
    }
    let camera = backend.camera()?;
    assert!(!camera.is_connected()?, "it was not ours");
    Ok(())
}

fn a_frozen_driver() -> Outcome {
    let server = IndiServer::start(&[WHEEL, FOCUSER])?;
    let backend = open(&server, "timeout=2&alive=1")?;
    let (wheel, focuser) = (backend.filter_wheel()?, backend.focuser()?);
    wheel.connect()?;
    focuser.connect()?;
    server.freeze_driver(WHEEL);
    eventually("the wheel's state is unknown", || wheel.state().is_err())?;
    let since = Instant::now();
    assert!(wheel.start_move(3).is_err() && wheel.disconnect().is_err());
    assert!(since.elapsed() < seconds(6.0), "{:?}", since.elapsed());
    focuser.move_by(100, &wait(20))?;
    server.thaw_driver(WHEEL);
    eventually("the wheel is back", || wheel.state().is_ok())?;
    Ok(())
}

fn a_driver_frozen_mid_exposure() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=2&alive=1")?;
    let camera = camera(&backend)?;
    let error = interrupted(&*camera, || server.freeze_driver(CCD))?;
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    server.thaw_driver(CCD);
    eventually("the camera is back", || camera.state().is_ok())?;
    camera.abort_exposure()?;
    camera.expose(dark(0.2), &wait(20))?;
    Ok(())
}

fn a_frozen_server() -> Outcome {
    let server = IndiServer::start(&[WHEEL])?;
    let backend = open(&server, "timeout=2&alive=1")?;
    let events = backend.events();
    let wheel = backend.filter_wheel()?;
    wheel.connect()?;
    server.freeze();
    let since = Instant::now();
    assert!(wheel.move_to(3, &wait(1)).is_err());
    assert!(since.elapsed() < seconds(5.0), "{:?}", since.elapsed());
    link(&events, lost)?;
    assert_eq!(failure(wheel.state()), Some(ErrorKind::Unreachable));
    server.thaw();
    link(&events, up)?;
    wheel.move_to(3, &wait(20))?;
    Ok(())
}

fn named_camera(backend: &Arc<dyn Backend>, name: &str) -> Result<Arc<dyn Camera>, Failed> {
    let AnyDevice::Camera(camera) = backend.device(&DeviceId::new(DeviceKind::Camera, name))? else {
        return Err("no camera".into());
    };
    camera.connect()?;
    Ok(camera)
}

fn two_cameras_at_once() -> Outcome {
    let server = IndiServer::start(&[CCD, GUIDE])?;
    let backend = open(&server, "timeout=10")?;
    let (main, guide) = (named_camera(&backend, "CCD Simulator")?, named_camera(&backend, "Guide Simulator")?);
    main.set_frame(Frame::full(1280, 1024, 2))?;
    guide.set_frame(Frame { x: 0, y: 0, width: 100, height: 80, bin_x: 1, bin_y: 1 })?;
    std::thread::scope(|scope| {
        let long = scope.spawn(|| main.expose(dark(2.0), &wait(30)));
        for _ in 0..5 {
            let image = guide.expose(dark(0.2), &wait(30))?;
            assert_eq!((image.width(), image.height()), (100, 80));
            assert_eq!(image.meta.camera.as_deref(), Some("Guide Simulator"));
        }
        let image = long.join().map_err(|_| "the exposure panicked")??;
        assert_eq!((image.width(), image.height()), (640, 512));
        Ok(())
    })
}

fn ten_clients() -> Outcome {
    let server = IndiServer::start(&[CCD, WHEEL])?;
    let clients: Vec<_> = (0..10).map(|_| open(&server, "timeout=10")).collect::<Result<_, _>>()?;
    let cameras: Vec<_> = clients.iter().map(camera).collect::<Result<_, _>>()?;
    for (n, camera) in cameras.iter().enumerate() {
        let frame = Frame { x: 0, y: 0, width: 100 + n as u32, height: 50, bin_x: 1, bin_y: 1 };
        camera.set_frame(frame)?;
        for other in &cameras {
            eventually("all see the new frame", || other.frame().is_ok_and(|seen| seen == frame))?;
        }
        let image = camera.expose(dark(0.1), &wait(20))?;
        assert_eq!(image.width(), 100 + n as u32);
        let without = cameras.iter().filter(|other| !Arc::ptr_eq(other, camera));
        assert!(without.clone().skip(n).all(|other| other.image().is_err()), "not their picture");
    }
    Ok(())
}

/// Says something as another client would, and waits for an answer that contains a text.
fn tell(server: &IndiServer, xml: &str, answer: &str) -> Outcome {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port()))?;
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(format!("<getProperties version='1.7'/>{xml}").as_bytes())?;
    let (mut said, mut buffer) = (String::new(), [0; 65536]);
    while !said.contains(answer) {
        match stream.read(&mut buffer)? {
            0 => return Err(format!("closed before {answer}").into()),
            length => said.push_str(&String::from_utf8_lossy(&buffer[..length])),
        }
    }
    Ok(())
}

fn a_large_frame() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=30")?;
    let camera = camera(&backend)?;
    let size = "<newNumberVector device='CCD Simulator' name='SIMULATOR_SETTINGS'>\
                <oneNumber name='SIM_XRES'>8000</oneNumber><oneNumber name='SIM_YRES'>6000</oneNumber></newNumberVector>";
    tell(&server, size, "setNumberVector device=\"CCD Simulator\" name=\"SIMULATOR_SETTINGS\"")?;
    eventually("the new size", || camera.caps().is_ok_and(|caps| caps.sensor.width == 8000))?;
    camera.set_frame(Frame::full(8000, 6000, 1))?;
    for _ in 0..2 {
        let image = camera.expose(dark(0.1), &wait(120))?;
        assert_eq!((image.width(), image.height(), image.pixels().len()), (8000, 6000, 48_000_000));
    }
    Ok(())
}

fn compression_is_switched_off_or_decoded() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=10")?;
    let camera = camera(&backend)?;
    let on = "<newSwitchVector device='CCD Simulator' name='CCD_COMPRESSION'>\
              <oneSwitch name='INDI_ENABLED'>On</oneSwitch></newSwitchVector>";
    tell(&server, on, "setSwitchVector device=\"CCD Simulator\" name=\"CCD_COMPRESSION\"")?;
    let image = camera.expose(dark(0.1), &wait(30))?;
    assert_eq!((image.width(), image.height()), (1280, 1024));
    Ok(())
}

fn another_client_takes_the_camera_away() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let (ours, other) = (open(&server, "timeout=5")?, open(&server, "timeout=5")?);
    let camera = camera(&ours)?;
    let theirs = other.camera()?;
    let error = interrupted(&*camera, || drop(theirs.disconnect()))?;
    assert!(matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::Device(_)), "{error:?}");
    assert_eq!(failure(camera.state()), Some(ErrorKind::NotConnected));
    camera.connect()?;
    // This driver goes on saying that it exposes.
    camera.abort_exposure()?;
    camera.expose(dark(0.1), &wait(20))?;
    Ok(())
}
