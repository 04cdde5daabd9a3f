//! What goes wrong when it is told to, and nothing else.

use super::{Night, night};
use crate::{
    Celsius, Degrees, DegreesPerSecond, ErrorKind, Hours, RaDec, Wait,
    backend::sim::{Doing, Fault, What, faults::parse},
    device::{Axis, CameraExt, Control, Exposure, ExposureState, FocuserExt},
    event::{EventKind, Link},
    image::Image,
};
use std::{sync::Arc, time::Duration};

const SMALL: &str = "sensor=generic";

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

impl Night {
    fn inject(&self, fault: Fault) {
        self.world.inject(fault).unwrap();
    }

    /// A frame of a second, after all the time that it may need.
    fn take(&self) -> crate::Result<Arc<Image>> {
        self.camera().start_exposure(Exposure::light(seconds(1.0)))?;
        self.pass(10.0);
        self.camera().image()
    }

    fn exposure(&self) -> ExposureState {
        self.camera().state().unwrap().exposure
    }
}

#[test]
fn a_call_throws_once_and_by_count() {
    let night = night(SMALL);
    night.inject(Fault::new("focuser", What::Throw("no".into())).on_call("start_move", 2));
    night.focuser().start_move(100).unwrap();
    assert!(night.focuser().state().is_ok(), "other calls do not count");
    let error = night.focuser().start_move(200).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Device(0));
    assert_eq!(error.to_string(), "Focuser Simulator: start_move failed: no");
    night.focuser().start_move(300).unwrap();
    night.inject(Fault::new("wheel", What::Throw("no".into())).on_call("any", 1).every(3.0));
    let fails: Vec<_> = (0..7).map(|_| night.wheel().state().is_err()).collect();
    assert_eq!(fails, [true, false, false, true, false, false, true]);
}

#[test]
fn a_call_hangs_until_its_deadline_and_is_late_until_its_time() {
    let night = night("sensor=generic&timeout=0.05");
    night.inject(Fault::new("mount", What::Hang).on_call("state", 1));
    assert_eq!(night.mount().state().unwrap_err().kind(), ErrorKind::Timeout);
    assert!(night.mount().state().is_ok());
    let night = super::night("sensor=generic&timeout=600");
    night.inject(Fault::new("mount", What::Late(seconds(30.0))).on_call("state", 1));
    let mount = night.mount();
    std::thread::scope(|scope| {
        let late = scope.spawn(|| mount.state());
        // Its wait began at some moment of ours; whatever it is, these are 30 seconds later.
        while !late.is_finished() {
            night.pass(1.0);
            std::thread::yield_now();
        }
        assert!(late.join().unwrap().is_ok());
    });
}

#[test]
fn a_call_hangs_whoever_looks_meanwhile() {
    let night = night("sensor=generic&timeout=0.3");
    let events = night.backend.events();
    night.inject(Fault::new("mount", What::Hang).on_call("state", 1));
    let mount = night.mount();
    std::thread::scope(|scope| {
        let hangs = scope.spawn(|| mount.state());
        while !hangs.is_finished() {
            let _ = night.backend.link();
            night.focuser().state().unwrap();
        }
        assert_eq!(hangs.join().unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    });
    drop(events);
}

#[test]
fn what_happens_to_a_call_happens_to_no_other() {
    let night = night(SMALL);
    night.inject(Fault::new("all", What::Throw("no".into())).on_call("state", 1));
    assert!(night.mount().state().is_err());
    assert!(night.focuser().state().is_ok());
    night.inject(Fault::new("focuser", What::Throw("no".into())).on_call("start_move", 1).times(2));
    assert!(night.focuser().start_move(100).is_err());
    assert!(night.focuser().state().is_ok());
    assert!(night.focuser().start_move(100).is_err());
    night.focuser().start_move(100).unwrap();
}

#[test]
fn nothing_happens_in_the_past() {
    let night = night("sensor=imx533");
    night.camera().set_cooler(Some(Celsius(-10.0))).unwrap();
    night.focuser().start_move(30_000).unwrap();
    night.pass(1000.0);
    night.inject(Fault::new("focuser", What::Stick).lasting(seconds(5.0)));
    night.inject(Fault::new("camera", What::PowerCycle));
    assert_eq!(night.focuser().state().unwrap().position, Some(30_000));
    assert!(night.camera().state().is_err());
    night.camera().connect().unwrap();
    assert_eq!(night.camera().state().unwrap().temperature, Some(Celsius(-10.0)));
    night.inject(Fault::new("all", What::LoseLink).lasting(seconds(30.0)));
    assert_ne!(night.backend.link(), Link::Up);
}

#[test]
fn the_first_connection_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.toml");
    std::fs::write(&file, "[[fault]]\ndevice = 'focuser'\nwhat = 'stick'\n").unwrap();
    let observatory = crate::open(&format!("sim://?speed=1000&faults={}", file.display())).unwrap();
    let focuser = observatory.focuser().unwrap();
    focuser.connect().unwrap();
    let error = focuser.move_to(100, &Wait::new(seconds(0.3))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(focuser.state().unwrap().position.unwrap() > 1000);
    focuser.disconnect().unwrap();
    focuser.connect().unwrap();
    focuser.move_to(100, &Wait::new(seconds(20.0))).unwrap();
}

#[test]
fn two_exposures_stall_one_after_the_other() {
    let night = night(SMALL);
    night.inject(Fault::new("camera", What::EndlessExposure).times(2).lasting(seconds(50.0)));
    for _ in 0..2 {
        night.camera().start_exposure(Exposure::light(seconds(10.0))).unwrap();
        night.exposure();
        night.pass(40.0);
        assert!(matches!(night.exposure(), ExposureState::Exposing { .. }));
        night.pass(30.0);
        assert_eq!(night.exposure(), ExposureState::Ready);
    }
    night.take().unwrap();
}

#[test]
fn a_stall_goes_with_its_exposure_and_time_never_goes_back() {
    let night = night(SMALL);
    night.inject(Fault::new("camera", What::StallReadout).on_exposure(1));
    night.inject(Fault::new("camera", What::EndlessExposure).on_exposure(1).lasting(seconds(5.0)));
    night.camera().start_exposure(Exposure::light(seconds(10.0))).unwrap();
    night.pass(1.0);
    night.exposure();
    night.camera().abort_exposure().unwrap();
    let mut before = 0.0;
    for _ in 0..100 {
        night.pass(0.5);
        let now = night.world.now(0).seconds;
        assert!(now >= before, "{now} after {before}");
        before = now;
    }
    night.take().unwrap();
}

#[test]
fn what_has_its_time_does_not_end_with_a_connection() {
    let night = night(SMALL);
    night.focuser().start_move(30_000).unwrap();
    night.inject(Fault::new("focuser", What::Stick).lasting(seconds(60.0)));
    night.pass(1.0);
    night.focuser().state().unwrap();
    night.focuser().disconnect().unwrap();
    night.focuser().connect().unwrap();
    night.focuser().start_move(30_000).unwrap();
    night.pass(20.0);
    assert!(night.focuser().state().unwrap().moving);
    night.pass(60.0);
    assert!(!night.focuser().state().unwrap().moving);
}

#[test]
fn a_mount_that_nobody_asks_leaves_its_trail() {
    let trails = |stuck: bool| {
        let night = night(SMALL);
        night.mount().start_slew(RaDec::j2000(Hours(5.588), Degrees(-5.391)).into()).unwrap();
        night.pass(100.0);
        night.mount().state().unwrap();
        if stuck {
            night.inject(Fault::new("mount", What::Stick));
        }
        night.camera().start_exposure(Exposure::light(seconds(60.0))).unwrap();
        night.pass(100.0);
        night.camera().image().unwrap()
    };
    assert_ne!(trails(true).pixels(), trails(false).pixels());
}

#[test]
fn a_hanging_call_comes_back_when_all_is_healed() {
    let night = night("sensor=generic&timeout=60");
    night.inject(Fault::new("mount", What::Hang));
    let mount = night.mount();
    std::thread::scope(|scope| {
        let hangs = scope.spawn(|| mount.state());
        while !hangs.is_finished() {
            night.world.heal();
            std::thread::yield_now();
        }
        assert!(hangs.join().unwrap().is_ok());
    });
}

#[test]
fn a_lost_link_is_told_and_comes_back() {
    let night = night(SMALL);
    let events = night.backend.events();
    night.inject(Fault::new("all", What::LoseLink).at(seconds(60.0)).lasting(seconds(30.0)));
    night.pass(59.0);
    assert!(night.camera().state().is_ok());
    night.pass(2.0);
    let error = night.camera().state().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(night.backend.devices().unwrap_err().kind(), ErrorKind::Unreachable);
    let Link::Lost { since, .. } = night.backend.link() else { panic!("it is lost") };
    assert_eq!(since, night.world.clock.utc(60.0));
    night.pass(30.0);
    assert!(night.camera().state().is_ok(), "still connected");
    assert_eq!(night.backend.link(), Link::Up);
    let links: Vec<_> = std::iter::from_fn(|| events.try_next())
        .filter_map(|event| match event.kind {
            EventKind::Link(link) => Some((event.device, link == Link::Up)),
            _ => None,
        })
        .collect();
    assert_eq!(links, [(None, false), (None, true)]);
}

#[test]
fn a_link_of_one_device_breaks_alone_and_a_new_connection_mends_it() {
    let night = night(SMALL);
    night.inject(Fault::new("Camera Simulator", What::LoseLink));
    assert_eq!(night.camera().state().unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(night.mount().state().is_ok());
    assert_eq!(night.backend.link(), Link::Up);
    assert_eq!(night.camera().is_connected().unwrap_err().kind(), ErrorKind::Unreachable);
    night.camera().connect().unwrap();
    assert!(night.camera().state().is_ok());
}

#[test]
fn without_power_nothing_is_remembered() {
    let night = night("sensor=imx533");
    night.camera().set_control(Control::Gain, 7.0).unwrap();
    night.camera().set_cooler(Some(Celsius(-10.0))).unwrap();
    night.camera().start_exposure(Exposure::light(seconds(100.0))).unwrap();
    night.inject(Fault::new("camera", What::PowerCycle).at(seconds(10.0)));
    night.pass(11.0);
    assert_eq!(night.camera().state().unwrap_err().kind(), ErrorKind::NotConnected);
    night.camera().connect().unwrap();
    let state = night.camera().state().unwrap();
    assert_eq!(state.exposure, ExposureState::Idle);
    assert!(!state.cooler.unwrap().on);
    assert_ne!(night.camera().control(Control::Gain).unwrap(), 7.0);
}

#[test]
fn after_a_usb_reset_frames_are_black_until_a_new_connection() {
    let night = night(SMALL);
    night.camera().set_control(Control::Offset, 33.0).unwrap();
    night.inject(Fault::new("camera", What::UsbReset).on_exposure(2));
    assert!(!is_black(&night.take().unwrap()));
    for _ in 0..2 {
        let black = night.take().unwrap();
        assert!(is_black(&black) && black.meta.verdict.as_ref().unwrap().is_bad());
    }
    assert_ne!(night.camera().control(Control::Offset).unwrap(), 33.0, "settings are lost");
    night.camera().disconnect().unwrap();
    night.camera().connect().unwrap();
    assert!(!is_black(&night.take().unwrap()));
}

#[test]
fn an_exposure_does_not_end_and_can_be_aborted() {
    let night = night(SMALL);
    night.inject(Fault::new("camera", What::EndlessExposure).on_exposure(1));
    night.camera().start_exposure(Exposure::light(seconds(10.0))).unwrap();
    night.pass(3.0);
    assert!(matches!(night.exposure(), ExposureState::Exposing { .. }));
    night.pass(1e6);
    let ExposureState::Exposing { percent, .. } = night.exposure() else { panic!("{:?}", night.exposure()) };
    assert_eq!(percent, Some(50.0));
    night.camera().abort_exposure().unwrap();
    assert_eq!(night.exposure(), ExposureState::Idle);
    night.camera().disconnect().unwrap();
    night.camera().connect().unwrap();
    night.take().unwrap();
}

#[test]
fn a_read_out_stalls_half_way_and_goes_on() {
    let night = night("sensor=imx455");
    night.inject(Fault::new("camera", What::StallReadout).lasting(seconds(100.0)));
    night.camera().start_exposure(Exposure::light(seconds(1.0))).unwrap();
    assert!(matches!(night.exposure(), ExposureState::Exposing { .. }));
    night.pass(60.0);
    let ExposureState::Reading { percent: Some(percent) } = night.exposure() else { panic!("{:?}", night.exposure()) };
    assert_eq!(percent.round(), 50.0);
    night.pass(60.0);
    assert_eq!(night.exposure(), ExposureState::Ready);
}

#[test]
fn an_exposure_fails_with_its_reason() {
    let night = night(SMALL);
    night.inject(Fault::new("camera", What::FailExposure("out of memory".into())).during(Doing::Exposing));
    night.camera().start_exposure(Exposure::light(seconds(10.0))).unwrap();
    night.pass(3.0);
    night.camera().state().unwrap();
    let ExposureState::Failed(error) = night.exposure() else { panic!("{:?}", night.exposure()) };
    assert_eq!(error.message(), "out of memory");
    assert_eq!(night.camera().image().unwrap_err().kind(), ErrorKind::Device(0));
    night.take().unwrap();
}

fn is_black(image: &Image) -> bool {
    (0..image.pixels().len()).all(|pixel| image.pixels().get(pixel) == Some(0.0))
}

#[test]
fn frames_are_spoilt_as_told_and_the_next_one_is_good() {
    let night = night(SMALL);
    for (n, what) in
        [What::BlackFrame, What::DuplicateFrame, What::WrongSize, What::MissingTail].into_iter().enumerate()
    {
        night.inject(Fault::new("camera", what).on_exposure(2 * n as u64 + 2));
    }
    let frames: Vec<_> = (0..9).map(|_| night.take().unwrap()).collect();
    let half = frames[0].pixels().len() / 2;
    assert!(is_black(&frames[1]));
    assert_eq!(frames[3].pixels(), frames[2].pixels());
    assert_ne!(frames[3].meta.start, frames[2].meta.start, "it says that it is new");
    assert_eq!((frames[5].height(), frames[5].pixels().len()), (frames[0].height() / 2, half));
    assert!((half..2 * half).all(|pixel| frames[7].pixels().get(pixel) == Some(0.0)));
    assert_ne!(frames[7].pixels().get(half / 2), Some(0.0));
    let verdicts: Vec<_> = frames.iter().map(|frame| frame.meta.verdict.as_ref().unwrap().name()).collect();
    assert_eq!(verdicts, ["ok", "bad", "ok", "bad", "ok", "bad", "ok", "bad", "ok"]);
    for good in [0, 2, 4, 6, 8] {
        assert!(!is_black(&frames[good]) && frames[good].pixels().len() == 2 * half, "{good}");
        assert_ne!(frames[good].pixels().get(2 * half - 1), Some(0.0), "{good}");
    }
}

#[test]
fn a_focuser_sticks_and_says_that_it_moves() {
    let night = night(SMALL);
    night.focuser().start_move(30_000).unwrap();
    night.inject(Fault::new("focuser", What::Stick).at(seconds(1.0)).lasting(seconds(60.0)));
    night.pass(30.0);
    let state = night.focuser().state().unwrap();
    assert_eq!((state.position, state.moving), (Some(26_500), true));
    night.pass(40.0);
    let state = night.focuser().state().unwrap();
    assert_eq!((state.position, state.moving), (Some(30_000), false));
}

#[test]
fn a_wheel_stops_between_two_places() {
    let night = night(SMALL);
    night.inject(Fault::new("wheel", What::Stick));
    assert_eq!(night.wheel().state().unwrap().position, Some(0), "it has not been told to move");
    night.wheel().start_move(1).unwrap();
    night.pass(1e4);
    assert_eq!(night.wheel().state().unwrap().position, None);
    night.wheel().disconnect().unwrap();
    night.wheel().connect().unwrap();
    night.pass(10.0);
    assert_eq!(night.wheel().state().unwrap().position, Some(1));
}

#[test]
fn a_mount_stalls_and_the_sky_goes_on() {
    let night = night(SMALL);
    let target = RaDec::j2000(Hours(5.588), Degrees(-5.391));
    night.mount().start_slew(target.into()).unwrap();
    night.inject(Fault::new("mount", What::Stick).at(seconds(3.0)).lasting(seconds(600.0)));
    night.pass(5.0);
    let (before, horizon) = {
        let state = night.mount().state().unwrap();
        assert!(state.slewing);
        (state.position, state.horizon.unwrap())
    };
    night.pass(100.0);
    let state = night.mount().state().unwrap();
    assert!(state.slewing);
    assert_eq!(state.horizon.unwrap().alt, horizon.alt, "it stands");
    let moved = (state.position.ra - before.ra).signed().degrees().0;
    assert!((moved - 100.0 * 15.041 / 3600.0).abs() < 0.01, "the sky turned over it: {moved}");
    night.pass(600.0);
    assert!(!night.mount().state().unwrap().slewing);
    night.mount().move_axis(Axis::Primary, DegreesPerSecond(0.0)).unwrap();
}

#[test]
fn clocks_jump_where_they_can_be_seen() {
    let night = night(SMALL);
    night.inject(Fault::new("mount", What::ClockJump(3600.0)).at(seconds(10.0)));
    night.inject(Fault::new("camera", What::ClockJump(-60.0)).at(seconds(10.0)));
    night.pass(20.0);
    let ahead = night.mount().state().unwrap().utc.unwrap().duration_since(night.world.clock.utc(20.0));
    assert_eq!(ahead.as_secs(), 3600);
    let image = night.take().unwrap();
    assert_eq!(image.meta.start, Some(night.world.clock.utc(20.0 - 60.0)));
    night.inject(Fault::new("camera", What::ClockJump(-3600.0)));
    assert_eq!(night.take().unwrap().meta.verdict.as_ref().unwrap().name(), "suspect");
}

#[test]
fn a_cooler_is_off_after_the_link_came_back() {
    let night = night("sensor=imx533");
    night.camera().set_cooler(Some(Celsius(-10.0))).unwrap();
    night.inject(Fault::new("camera", What::CoolerOff).at(seconds(5.0)));
    night.inject(Fault::new("camera", What::LoseLink).at(seconds(10.0)).lasting(seconds(5.0)));
    night.pass(9.0);
    assert!(night.camera().state().unwrap().cooler.unwrap().on);
    night.pass(10.0);
    assert!(!night.camera().state().unwrap().cooler.unwrap().on);
}

#[test]
fn chances_are_those_of_the_seed() {
    let fails = |seed: u32| {
        let night = night(&format!("sensor=generic&seed={seed}"));
        night.inject(Fault::new("wheel", What::Throw("no".into())).on_call("any", 1).every(1.0).chance(0.25));
        (0..400).map(|_| night.wheel().state().is_err()).collect::<Vec<_>>()
    };
    assert_eq!(fails(1), fails(1));
    assert_ne!(fails(1), fails(2));
    let share = fails(1).iter().filter(|failed| **failed).count();
    assert!((70..130).contains(&share), "{share} of 400");
}

#[test]
fn news_are_nobodys_calls() {
    let night = night(SMALL);
    night.inject(Fault::new("all", What::Throw("no".into())).on_call("state", 1).every(1.0));
    let events = night.backend.events();
    night.inject(Fault::new("focuser", What::Throw("no".into())).on_call("start_move", 99));
    night.focuser().start_move(30_000).unwrap();
    assert!(matches!(events.try_next().unwrap().kind, EventKind::State(_)));
}

#[test]
fn the_files_examples_are_read_and_errors_name_their_line() {
    let page = include_str!("../../../../../../docs/faults.md");
    let mut examples = 0;
    for example in page.split("```toml\n").skip(1) {
        let text = example.split("```").next().unwrap();
        let night = night(SMALL);
        for fault in parse(text).unwrap() {
            night.world.inject(fault).unwrap();
            examples += 1;
        }
    }
    assert!(examples > 10, "{examples}");
    for (text, why) in [
        (
            "[[fault]]\ndevice = 'camera'\nwhat = 'blackframe'",
            "line 1: \"blackframe\" is no fault; there are hang, late",
        ),
        ("\n[[fault]]\ndevice = 'camera'\nwhat = 'hang'\nwhen = 3", "line 5: unknown field `when`"),
        ("[[fault]]\ndevice = 'camera'\nwhat = 'late'", "late wants seconds"),
        ("[[fault]]\ndevice = 'camera'\nwhat = 'hang'\nseconds = 3", "hang takes no seconds"),
        ("[[fault]]\ndevice = 'camera'\nwhat = 'hang'\nat = 3\nexposure = 2", "only one of"),
        ("[[fault]]\ndevice = 'camera'\nwhat = 'hang'\nat = nan", "a time is 0 or more"),
        ("[[fault]]\ndevice = 'camera'\nwhat = 'hang'\nfor = -1", "for is no time"),
        ("[[fault]]\ndevice = 'camera'\nwhat = 'hang'\nevery = 0", "every is a positive time"),
        ("[[fault]]\ndevice = 'camera'\nwhat = 'hang'\nexposure = 0", "counts begin with 1"),
        ("[[fault]]\ndevice = 'mount'\nwhat = 'black-frame'", "happens to cameras only"),
        ("[[fault]]\ndevice = 'mount'\nwhat = 'stick'\ntimes = 2", "does not happen to single"),
        ("[[fault]]\ndevice = 'mount'\nwhat = 'clock-jump'\nseconds = inf", "a clock jumps"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(error.to_string().contains(why), "{text}: {error}");
    }
    let night = night(SMALL);
    let wrong = |fault: Fault| night.world.inject(fault).unwrap_err();
    assert_eq!(wrong(Fault::new("telescoop", What::Hang)).kind(), ErrorKind::NotFound);
    assert!(wrong(Fault::new("camera", What::Hang).on_call("imag", 1)).to_string().contains("there are connect"));
    let error = crate::open("sim://?faults=/no/such/file").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_night_of_faults_runs_fast() {
    let observatory = crate::open("sim://?sensor=generic&speed=1000").unwrap();
    let sim = crate::backend::sim::Sim::of(&*observatory).unwrap();
    sim.inject(Fault::new("camera", What::FailExposure("no".into())).on_exposure(1).every(2.0)).unwrap();
    let camera = observatory.camera().unwrap();
    camera.connect().unwrap();
    let exposure = Exposure::bias(*camera.caps().unwrap().exposure.start());
    let taken = (0..6).map(|_| camera.expose(exposure, &Wait::new(seconds(20.0))).is_ok()).collect::<Vec<_>>();
    assert_eq!(taken, [false, true, false, true, false, true]);
}
