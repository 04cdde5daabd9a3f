//! A night with Debian's `indiserver`: servers and drivers crash, freeze and come back, and work goes on.

mod frozen;
mod killed;
mod together;

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
    ("a_driver_killed_mid_exposure", killed::a_driver_killed_mid_exposure),
    ("a_driver_killed_while_idle_gets_its_settings_again", killed::a_driver_killed_while_idle_gets_its_settings_again),
    ("a_driver_killed_mid_slew", killed::a_driver_killed_mid_slew),
    ("a_server_killed_mid_exposure", killed::a_server_killed_mid_exposure),
    ("a_server_killed_mid_slew", killed::a_server_killed_mid_slew),
    ("a_server_killed_while_idle", killed::a_server_killed_while_idle),
    ("a_frozen_driver", frozen::a_frozen_driver),
    ("a_driver_frozen_mid_exposure", frozen::a_driver_frozen_mid_exposure),
    ("a_frozen_server", frozen::a_frozen_server),
    ("two_cameras_at_once", together::two_cameras_at_once),
    ("ten_clients", together::ten_clients),
    ("a_large_frame", together::a_large_frame),
    ("compression_is_switched_off_or_decoded", together::compression_is_switched_off_or_decoded),
    ("another_client_takes_the_camera_away", together::another_client_takes_the_camera_away),
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
