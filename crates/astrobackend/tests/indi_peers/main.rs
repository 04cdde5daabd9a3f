//! The INDI backend against Debian's `indiserver` with its simulators.

mod cameras;
mod mounts;
mod servers;
mod wheel_and_focuser;

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
        ("devices_are_listed_by_kind", servers::devices_are_listed_by_kind),
        ("an_exposure_gives_the_picture", cameras::an_exposure_gives_the_picture),
        ("regions_and_binning_are_obeyed", cameras::regions_and_binning_are_obeyed),
        ("compressed_pictures_are_read", cameras::compressed_pictures_are_read),
        ("the_guide_chip_is_a_camera_of_its_own", cameras::the_guide_chip_is_a_camera_of_its_own),
        ("an_abort_leaves_the_camera_idle", cameras::an_abort_leaves_the_camera_idle),
        ("controls_and_cooler_are_set", cameras::controls_and_cooler_are_set),
        ("the_wheel_turns", wheel_and_focuser::the_wheel_turns),
        ("the_focuser_moves_as_far_as_it_says", wheel_and_focuser::the_focuser_moves_as_far_as_it_says),
        ("the_mount_slews_tracks_and_syncs", mounts::the_mount_slews_tracks_and_syncs),
        ("the_mount_parks_and_refuses_when_parked", mounts::the_mount_parks_and_refuses_when_parked),
        ("another_clients_changes_are_events", servers::another_clients_changes_are_events),
        ("a_killed_server_fails_the_exposure_at_once", servers::a_killed_server_fails_the_exposure_at_once),
        ("a_frozen_server_costs_no_more_than_the_deadline", servers::a_frozen_server_costs_no_more_than_the_deadline),
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
