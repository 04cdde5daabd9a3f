//! The INDI backend against Debian's `indiserver` with its simulators.

use astrobackend::{
    Backend, Celsius, Degrees, Equinox, ErrorKind, Events, Hours, RaDec, Wait,
    device::{
        Camera, CameraExt, Control, DeviceKind, DeviceState, Exposure, ExposureState, FilterWheelExt, FocuserExt,
        FrameType, Mount, MountExt, PierSide, Tracking, TrackingRate,
    },
    event::{EventKind, Level, Link},
    image::{Frame, Pixels},
};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    cell::Cell,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use testing::{IndiServer, in_private_network};

type Outcome = Result<(), Failed>;
type Test = fn() -> Outcome;

const TELESCOPE: &str = "indi_simulator_telescope";
const CCD: &str = "indi_simulator_ccd";
const FOCUSER: &str = "indi_simulator_focus";
const WHEEL: &str = "indi_simulator_wheel";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Err(why) = in_private_network().and_then(|()| IndiServer::start(&[WHEEL]).map(drop)) {
        return ExitCode::from(u8::from(why.report()));
    }
    let tests: [(&str, Test); 14] = [
        ("devices_are_listed_by_kind", devices_are_listed_by_kind),
        ("an_exposure_gives_the_picture", an_exposure_gives_the_picture),
        ("regions_and_binning_are_obeyed", regions_and_binning_are_obeyed),
        ("compressed_pictures_are_read", compressed_pictures_are_read),
        ("the_guide_chip_is_a_camera_of_its_own", the_guide_chip_is_a_camera_of_its_own),
        ("an_abort_leaves_the_camera_idle", an_abort_leaves_the_camera_idle),
        ("controls_and_cooler_are_set", controls_and_cooler_are_set),
        ("the_wheel_turns", the_wheel_turns),
        ("the_focuser_moves_as_far_as_it_says", the_focuser_moves_as_far_as_it_says),
        ("the_mount_slews_tracks_and_syncs", the_mount_slews_tracks_and_syncs),
        ("the_mount_parks_and_refuses_when_parked", the_mount_parks_and_refuses_when_parked),
        ("another_clients_changes_are_events", another_clients_changes_are_events),
        ("a_killed_server_fails_the_exposure_at_once", a_killed_server_fails_the_exposure_at_once),
        ("a_frozen_server_costs_no_more_than_the_deadline", a_frozen_server_costs_no_more_than_the_deadline),
    ];
    let mut trials: Vec<Trial> = tests.iter().map(|(name, test)| Trial::test(*name, *test)).collect();
    // What concerns pictures and a lost server again, over the unix socket.
    if cfg!(target_os = "linux") {
        trials.extend(tests.into_iter().filter(|(name, _)| OVER_UNIX.contains(name)).map(|(name, test)| {
            Trial::test(format!("unix::{name}"), move || {
                UNIX.set(true);
                test()
            })
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

const OVER_UNIX: &[&str] = &[
    "devices_are_listed_by_kind",
    "an_exposure_gives_the_picture",
    "regions_and_binning_are_obeyed",
    "compressed_pictures_are_read",
    "the_guide_chip_is_a_camera_of_its_own",
    "an_abort_leaves_the_camera_idle",
    "a_killed_server_fails_the_exposure_at_once",
    "a_frozen_server_costs_no_more_than_the_deadline",
];

thread_local! {
    /// The test that runs on this thread goes over the unix socket.
    static UNIX: Cell<bool> = const { Cell::new(false) };
}

/// The address of a server, or of one of its devices.
fn address(server: &IndiServer, device: &str) -> String {
    match (UNIX.get(), device) {
        (true, "") => server.unix_address(),
        (true, device) => format!("{}?device={device}", server.unix_address()),
        (false, device) => format!("{}/{device}", server.address()),
    }
}

fn open(server: &IndiServer) -> Result<Arc<dyn Backend>, Failed> {
    Ok(astrobackend::open(&address(server, ""))?)
}

fn wait() -> Wait {
    Wait::new(Duration::from_secs(60))
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn here(ra: f64, dec: f64) -> RaDec {
    RaDec::new(Hours(ra), Degrees(dec), Equinox::OfDate)
}

/// The error that something must end with.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: astrobackend::Result<T>, kind: ErrorKind, text: &str) {
    let error = result.expect_err("a refusal");
    assert!(error.kind() == kind && error.to_string().contains(text), "{error:?} is no {kind:?} with {text:?}");
    assert!(error.device().is_some(), "{error:?} names no device");
}

fn devices_are_listed_by_kind() -> Outcome {
    let server = IndiServer::start(&[TELESCOPE, CCD, FOCUSER, WHEEL])?;
    let backend = open(&server)?;
    let names = |kind| -> Result<Vec<String>, Failed> {
        Ok(backend.devices()?.into_iter().map(|info| info.id).filter(|id| id.kind == kind).map(|id| id.name).collect())
    };
    assert_eq!(names(DeviceKind::Camera)?, ["CCD Simulator"]);
    assert_eq!(names(DeviceKind::FilterWheel)?, ["CCD Simulator", "Filter Simulator"], "a camera may have a wheel");
    assert_eq!(names(DeviceKind::Focuser)?, ["Focuser Simulator"]);
    assert_eq!(names(DeviceKind::Mount)?, ["Telescope Simulator"]);
    refused(backend.camera()?.caps().map(drop), ErrorKind::NotConnected, "CCD Simulator");
    let several = backend.filter_wheel().expect_err("two wheels");
    assert!(several.kind() == ErrorKind::InvalidValue && several.to_string().contains("Filter Simulator"), "{several}");
    let named = astrobackend::open(&address(&server, "Filter Simulator"))?;
    let wheel = named.filter_wheel()?;
    wheel.connect()?;
    wheel.connect()?;
    assert_eq!(wheel.filters()?.len(), 8);
    assert_eq!(wheel.info().driver.as_deref(), Some("Filter Simulator (indi_simulator_wheel)"));
    wheel.disconnect()?;
    assert!(!wheel.is_connected()?);
    refused(wheel.state(), ErrorKind::NotConnected, "Filter Simulator");
    Ok(())
}

fn camera(server: &IndiServer) -> Result<Arc<dyn Camera>, Failed> {
    let camera = open(server)?.camera()?;
    camera.connect()?;
    Ok(camera)
}

fn an_exposure_gives_the_picture() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let camera = camera(&server)?;
    let caps = camera.caps()?;
    assert_eq!((caps.sensor.width, caps.sensor.height, caps.sensor.bits_per_pixel), (1280, 1024, Some(16)));
    assert_eq!(caps.sensor.pixel_width.map(|size| size.0), Some(5.2));
    refused(camera.image().map(drop), ErrorKind::InvalidOperation, "no image");
    let mut percents = Vec::new();
    let watch = |state: &ExposureState| {
        assert!(state.is_busy() || *state == ExposureState::Ready, "{state:?}");
        if let ExposureState::Exposing { percent: Some(percent), .. } = state {
            percents.push(*percent);
        }
    };
    let image = camera.expose_watched(Exposure::light(seconds(2.0)), &wait(), watch)?;
    assert_eq!((image.width(), image.height(), image.planes()), (1280, 1024, 1));
    assert!(matches!(image.pixels(), Pixels::U16(_)), "{}", image.pixels().type_name());
    assert!(percents.is_sorted() && percents.len() > 20, "the countdown is interpolated: {percents:?}");
    assert_eq!(image.meta.exposure, Some(seconds(2.0)));
    assert_eq!(image.meta.camera.as_deref(), Some("CCD Simulator"));
    assert!(Arc::ptr_eq(&image, &camera.image()?), "decoded once, shared");
    refused(camera.start_exposure(Exposure::light(seconds(5000.0))), ErrorKind::InvalidValue, "3600");
    let dark = Exposure { duration: seconds(0.01), frame_type: FrameType::Dark };
    let image = camera.expose(dark, &wait())?;
    assert_eq!(image.meta.frame_type, Some(FrameType::Dark));
    assert_eq!(image.meta.header.text("FRAME").or(Some("Dark")), Some("Dark"));
    Ok(())
}

fn regions_and_binning_are_obeyed() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let camera = camera(&server)?;
    assert_eq!(camera.frame()?, Frame::full(1280, 1024, 1));
    let region = Frame { x: 100, y: 50, width: 200, height: 150, bin_x: 2, bin_y: 2 };
    camera.set_frame(region)?;
    assert_eq!(camera.frame()?, region);
    let image = camera.expose(Exposure::light(seconds(0.1)), &wait())?;
    assert_eq!((image.width(), image.height(), image.meta.frame), (200, 150, Some(region)));
    refused(camera.set_frame(Frame { width: 600, ..region }), ErrorKind::InvalidValue, "640x512");
    refused(camera.set_frame(Frame::full(1280, 1024, 9)), ErrorKind::InvalidValue, "4x4");
    assert_eq!(camera.frame()?, region, "a refused frame changes nothing");
    camera.set_frame(Frame::full(1280, 1024, 1))?;
    let image = camera.expose(Exposure::light(seconds(0.1)), &wait())?;
    assert_eq!((image.width(), image.height()), (1280, 1024));
    Ok(())
}

/// The driver sends `.fits.fz` then, in memory that is larger than the file.
fn compressed_pictures_are_read() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let camera = camera(&server)?;
    camera.action("indi:set", "CCD_COMPRESSION.INDI_ENABLED=On")?;
    for frame in [Frame::full(1280, 1024, 1), Frame { x: 7, y: 5, width: 123, height: 77, bin_x: 2, bin_y: 2 }] {
        camera.set_frame(frame)?;
        let image = camera.expose(Exposure::light(seconds(0.1)), &wait())?;
        assert_eq!((image.width(), image.height(), image.pixels().type_name()), (frame.width, frame.height, "u16"));
        assert_eq!(image.meta.exposure, Some(seconds(0.1)));
        assert_eq!(image.meta.header.get("ZIMAGE"), None);
    }
    assert!(camera.action("indi:get", "CCD_COMPRESSION.INDI_ENABLED")?.contains("On"), "left as it was set");
    Ok(())
}

fn the_guide_chip_is_a_camera_of_its_own() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server)?;
    let main = backend.camera()?;
    main.connect()?;
    let info = backend.devices()?.into_iter().find(|info| info.part_of.is_some()).expect("a guide chip");
    assert_eq!((info.id.name.as_str(), info.part_of.as_ref()), ("CCD Simulator (guide chip)", Some(&main.info().id)));
    assert_eq!(backend.camera()?.info().id, main.info().id, "the main chip is the camera that is meant");
    let guide = astrobackend::open(&address(&server, &info.id.name))?.camera()?;
    guide.connect()?;
    let sensor = guide.caps()?.sensor.clone();
    assert_eq!((sensor.width, sensor.height), (500, 290));
    assert!(
        guide.caps()?.cooler.is_none() && guide.controls()?.is_empty(),
        "the driver's settings are the main chip's"
    );
    refused(guide.set_cooler(None), ErrorKind::Unsupported, "cooler");
    let (here, there) = (backend.device(&info.id)?, backend.camera()?);
    let astrobackend::device::AnyDevice::Camera(here) = here else { return Err("no camera".into()) };
    // Both at once, on one connection: each gets its own picture.
    for seconds_of_guiding in [0.3, 0.1, 0.2] {
        there.start_exposure(Exposure::light(seconds(0.2)))?;
        let guided = here.expose(Exposure::light(seconds(seconds_of_guiding)), &wait())?;
        wait().until("the picture", || Ok((!there.state()?.exposure.is_busy()).then_some(())), || Ok(()))?;
        let image = there.image()?;
        assert_eq!((guided.width(), guided.height()), (500, 290));
        assert_eq!((image.width(), image.height()), (1280, 1024));
        assert_eq!(guided.meta.exposure, Some(seconds(seconds_of_guiding)));
    }
    let frame = Frame { x: 10, y: 20, width: 100, height: 50, bin_x: 2, bin_y: 2 };
    guide.set_frame(frame)?;
    assert_eq!(main.frame()?, Frame::full(1280, 1024, 1));
    let image = guide.expose(Exposure::light(seconds(0.1)), &wait())?;
    assert_eq!((image.width(), image.height(), image.meta.frame), (100, 50, Some(frame)));
    guide.start_exposure(Exposure::light(seconds(30.0)))?;
    guide.abort_exposure()?;
    assert_eq!(guide.state()?.exposure, ExposureState::Idle);
    Ok(())
}

fn an_abort_leaves_the_camera_idle() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let camera = camera(&server)?;
    camera.abort_exposure()?;
    camera.start_exposure(Exposure::light(seconds(30.0)))?;
    assert!(camera.state()?.exposure.is_busy(), "busy from the command on");
    refused(camera.start_exposure(Exposure::light(seconds(1.0))), ErrorKind::Busy, "under way");
    refused(camera.set_frame(Frame::full(1280, 1024, 2)), ErrorKind::Busy, "exposing");
    refused(camera.stop_exposure(), ErrorKind::Unsupported, "early");
    camera.abort_exposure()?;
    assert_eq!(camera.state()?.exposure, ExposureState::Idle);
    refused(camera.image().map(drop), ErrorKind::InvalidOperation, "no image");
    // The next one is not confused by what was broken off, however early.
    for _ in 0..5 {
        camera.start_exposure(Exposure::light(seconds(0.5)))?;
        camera.abort_exposure()?;
        assert_eq!(camera.state()?.exposure, ExposureState::Idle);
    }
    let begun = Instant::now();
    camera.expose(Exposure::light(seconds(1.0)), &wait())?;
    assert!(begun.elapsed() >= seconds(1.0), "that was an earlier picture");
    // Somebody else breaks it off.
    let other = open(&server)?.camera()?;
    other.connect()?;
    camera.start_exposure(Exposure::light(seconds(30.0)))?;
    wait().until("the other client's view", || Ok(other.state()?.exposure.is_busy().then_some(())), || Ok(()))?;
    refused(other.start_exposure(Exposure::light(seconds(1.0))), ErrorKind::Busy, "under way");
    other.abort_exposure()?;
    wait().until("the end", || Ok((camera.state()?.exposure == ExposureState::Idle).then_some(())), || Ok(()))?;
    Ok(())
}

fn controls_and_cooler_are_set() -> Outcome {
    let server = IndiServer::start(&[CCD, FOCUSER])?;
    let camera = camera(&server)?;
    camera.set_control(Control::Gain, 50.0)?;
    assert_eq!(camera.control(Control::Gain)?, 50.0);
    refused(camera.set_control(Control::Gain, 5000.0), ErrorKind::InvalidValue, "0 to 100");
    camera.set_control(Control::Offset, 500.0)?;
    assert_eq!(camera.control(Control::Offset)?, 500.0);
    refused(camera.control(Control::Fan), ErrorKind::Unsupported, "fan");
    camera.set_cooler(Some(Celsius(-2.0)))?;
    let cooler = camera.state()?.cooler.expect("a cooler");
    assert_eq!((cooler.on, cooler.set_point), (true, Some(Celsius(-2.0))));
    refused(camera.set_cooler(Some(Celsius(-300.0))), ErrorKind::InvalidValue, "-50");
    let colder = || Ok(camera.state()?.temperature.filter(|is| is.0 < 0.0));
    wait().until("cooling", colder, || Ok(()))?;
    camera.set_cooler(None)?;
    assert_eq!(camera.state()?.cooler.map(|cooler| cooler.on), Some(false));
    let focuser = open(&server)?.focuser()?;
    focuser.connect()?;
    focuser.set_control(Control::Backlash, 100.0)?;
    assert_eq!(focuser.control(Control::Backlash)?, 100.0);
    focuser.set_control(Control::Backlash, 0.0)?;
    assert_eq!(focuser.control(Control::Backlash)?, 0.0);
    refused(focuser.control(Control::Gain), ErrorKind::Unsupported, "gain");
    Ok(())
}

fn the_wheel_turns() -> Outcome {
    let server = IndiServer::start(&[WHEEL])?;
    let wheel = open(&server)?.filter_wheel()?;
    wheel.connect()?;
    let filters = wheel.filters()?;
    assert_eq!((filters.len(), filters[0].name.as_str(), filters[3].name.as_str()), (8, "Red", "H_Alpha"));
    wheel.start_move(4)?;
    assert_eq!(wheel.state()?.position, None, "it turns");
    wheel.move_to(4, &wait())?;
    assert_eq!(wheel.state()?.position, Some(4));
    wheel.select("green", &wait())?;
    assert_eq!(wheel.state()?.position, Some(1));
    refused(wheel.start_move(8), ErrorKind::InvalidValue, "0 to 7");
    let names: Vec<String> = (1..=8).map(|n| format!("F{n}")).collect();
    wheel.set_names(&names)?;
    assert_eq!(wheel.filters()?.into_iter().map(|filter| filter.name).collect::<Vec<_>>(), names);
    refused(wheel.set_names(&names[1..]), ErrorKind::InvalidValue, "7 names");
    Ok(())
}

fn the_focuser_moves_as_far_as_it_says() -> Outcome {
    let server = IndiServer::start(&[FOCUSER])?;
    let focuser = open(&server)?.focuser()?;
    focuser.connect()?;
    let caps = focuser.caps()?;
    assert!(caps.absolute && caps.max_position == 100_000 && !caps.halt, "{caps:?}");
    assert_eq!(focuser.state()?.position, Some(50_000));
    // This driver blocks while it moves and never says busy: 100 microseconds for each step.
    let begun = Instant::now();
    focuser.start_move(65_000)?;
    assert!(begun.elapsed() < seconds(1.0), "started, not waited for");
    assert!(focuser.state()?.moving);
    focuser.move_to(65_000, &wait())?;
    assert!(begun.elapsed() >= seconds(1.4), "the target was taken for the position");
    assert_eq!(focuser.state()?.position, Some(65_000));
    focuser.move_by(-1000, &wait())?;
    assert_eq!(focuser.state()?.position, Some(64_000));
    refused(focuser.start_move(100_001), ErrorKind::InvalidValue, "100000");
    refused(focuser.start_move(-1), ErrorKind::InvalidValue, "0");
    refused(focuser.halt(), ErrorKind::Unsupported, "stopped");
    Ok(())
}

fn mount(server: &IndiServer) -> Result<Arc<dyn Mount>, Failed> {
    let mount = open(server)?.mount()?;
    mount.connect()?;
    Ok(mount)
}

fn the_mount_slews_tracks_and_syncs() -> Outcome {
    let server = IndiServer::start(&[TELESCOPE])?;
    let mount = mount(&server)?;
    let caps = mount.caps()?;
    assert!(caps.slew && caps.sync && caps.park && caps.set_tracking && caps.pulse_guide, "{caps:?}");
    assert_eq!(caps.equinox, Equinox::OfDate);
    assert_eq!(mount.site()?, None, "nobody has told it where it stands");
    let site = astrobackend::Site::new(Degrees(50.0), Degrees(-7.5), astrobackend::Metres(100.0))?;
    mount.set_site(site)?;
    assert_eq!(mount.site()?, Some(site));
    let lst = mount.state()?.sidereal_time.expect("a site");
    mount.set_tracking(Tracking::SIDEREAL)?;
    assert!(mount.state()?.tracking.on);

    let start = here((lst + Hours(1.0)).normalized().0, 60.0);
    mount.sync(start.into())?;
    assert!(mount.state()?.position.separation(start).0 < 0.1);
    let target = here((lst + Hours(1.3)).normalized().0, 66.0);
    let begun = Instant::now();
    mount.start_slew(target.into())?;
    assert!(mount.state()?.slewing, "busy from the command on");
    mount.slew(target, &wait())?;
    assert!(begun.elapsed() >= seconds(0.7), "it cannot be there yet");
    let state = mount.state()?;
    assert!(state.position.separation(target).0 < 0.1 && state.tracking.on && !state.slewing, "{state:?}");
    assert_ne!(state.pier_side, PierSide::Unknown);
    let horizon = state.horizon.expect("a site");
    assert!(horizon.alt.0 > 60.0 && horizon.az.0 < 180.0, "{horizon}");

    refused(mount.start_slew(here(25.0, 0.0).into()), ErrorKind::InvalidValue, "25");
    mount.start_slew(here((lst + Hours(6.0)).normalized().0, 10.0).into())?;
    refused(mount.set_tracking(Tracking::OFF), ErrorKind::InvalidOperation, "moving");
    mount.abort()?;
    assert!(!mount.state()?.slewing);
    mount.abort()?;
    mount.set_tracking(Tracking { rate: TrackingRate::Lunar, ..Tracking::SIDEREAL })?;
    assert_eq!(mount.state()?.tracking.rate, TrackingRate::Lunar);
    refused(
        mount.set_tracking(Tracking { rate: TrackingRate::King, ..Tracking::SIDEREAL }),
        ErrorKind::Unsupported,
        "king",
    );
    mount.pulse_guide(astrobackend::device::GuideDirection::North, seconds(0.5))?;
    assert!(mount.state()?.pulse_guiding);
    wait().until("the pulse", || Ok((!mount.state()?.pulse_guiding).then_some(())), || Ok(()))?;
    Ok(())
}

fn the_mount_parks_and_refuses_when_parked() -> Outcome {
    let server = IndiServer::start(&[TELESCOPE])?;
    let mount = mount(&server)?;
    mount.start_park()?;
    assert!(mount.state()?.slewing && !mount.state()?.parked);
    refused(mount.start_slew(here(3.0, 40.0).into()), ErrorKind::Busy, "parking");
    mount.park(&wait())?;
    assert!(mount.state()?.parked);
    mount.park(&wait())?;
    refused(mount.start_slew(here(3.0, 40.0).into()), ErrorKind::Parked, "parked");
    refused(mount.sync(here(3.0, 40.0).into()), ErrorKind::Parked, "parked");
    refused(mount.set_tracking(Tracking::SIDEREAL), ErrorKind::Parked, "parked");
    mount.unpark(&wait())?;
    mount.unpark(&wait())?;
    let state = mount.state()?;
    assert!(!state.parked && !state.slewing && !state.tracking.on, "{state:?}");
    Ok(())
}

/// The first event that is wanted, within some time.
fn expect(events: &Events, what: &str, wanted: impl Fn(&EventKind) -> bool) -> Outcome {
    let deadline = Instant::now() + seconds(10.0);
    while Instant::now() < deadline {
        match events.next(seconds(1.0)) {
            Some(event) if wanted(&event.kind) => return Ok(()),
            _ => {}
        }
    }
    Err(format!("no event: {what}").into())
}

fn another_clients_changes_are_events() -> Outcome {
    let server = IndiServer::start(&[WHEEL, CCD])?;
    let (one, other) = (open(&server)?, open(&server)?);
    let events = one.events();
    let wheel = other.device(&astrobackend::device::DeviceId::new(DeviceKind::FilterWheel, "Filter Simulator"))?;
    wheel.device().connect()?;
    expect(&events, "connected", |kind| *kind == EventKind::Connected(true))?;
    let astrobackend::device::AnyDevice::FilterWheel(wheel) = wheel else { return Err("no wheel".into()) };
    wheel.start_move(2)?;
    let state = |position| move |kind: &EventKind| matches!(kind, EventKind::State(DeviceState::FilterWheel(state)) if state.position == position);
    expect(&events, "turning", state(None))?;
    expect(&events, "there", state(Some(2)))?;
    let camera = other.camera()?;
    camera.connect()?;
    camera.start_exposure(Exposure::light(seconds(0.2)))?;
    // What its driver says to people.
    expect(
        &events,
        "a message",
        |kind| matches!(kind, EventKind::Message(Level::Info, text) if text.contains("frame")),
    )?;
    wheel.disconnect()?;
    expect(&events, "disconnected", |kind| *kind == EventKind::Connected(false))?;
    drop(server);
    expect(&events, "lost", |kind| matches!(kind, EventKind::Link(Link::Lost { .. })))?;
    Ok(())
}

fn a_killed_server_fails_the_exposure_at_once() -> Outcome {
    let mut server = IndiServer::start(&[CCD])?;
    let backend = open(&server)?;
    let camera = backend.camera()?;
    camera.connect()?;
    camera.start_exposure(Exposure::light(seconds(60.0)))?;
    let killed = Instant::now();
    server.kill();
    let failed = wait().until(
        "the failure",
        || match camera.state() {
            Err(error) => Ok(Some(error)),
            Ok(_) => Ok(None),
        },
        || Ok(()),
    )?;
    assert!(failed.kind() == ErrorKind::Unreachable && killed.elapsed() < seconds(2.0), "{failed}");
    refused(camera.image().map(drop), ErrorKind::Unreachable, "connection");
    assert!(matches!(backend.link(), Link::Lost { .. }));
    assert_eq!(backend.devices().expect_err("no server").kind(), ErrorKind::Unreachable);
    Ok(())
}

fn a_frozen_server_costs_no_more_than_the_deadline() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = astrobackend::open(&format!("{}?timeout=2", address(&server, "")))?;
    let camera = backend.camera()?;
    camera.connect()?;
    server.freeze();
    let begun = Instant::now();
    refused(camera.set_control(Control::Gain, 30.0), ErrorKind::Timeout, "2.0s");
    assert!((seconds(1.9)..seconds(3.0)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let error = camera.expose(Exposure::light(seconds(0.1)), &wait()).expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    server.thaw();
    wait().until("recovery", || Ok((!camera.state()?.exposure.is_busy()).then_some(())), || Ok(()))?;
    Ok(())
}
