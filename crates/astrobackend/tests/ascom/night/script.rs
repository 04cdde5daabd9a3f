//! The night: what is declared at dusk, how each loss comes about, and what must be so after it.

use super::{
    drivers::{DRIVERS, Doom, Uninstalled, id},
    losses::{
        During::{self, *},
        Loss::{self, *},
        forgets,
    },
};
use crate::{PATIENCE, faults::kill, open, tell};
use astrobackend::{
    Backend, Celsius, Degrees, ErrorKind, Events, RaDec, Result, Wait,
    device::{
        AnyDevice, Camera, Control, DeviceKind, DeviceState, Exposure, ExposureState, FilterWheel, Focuser, Mount,
        Tracking,
    },
    event::{Event, EventKind, Link},
    image::Frame,
};
use std::{sync::Arc, time::Duration};

use DeviceKind::{Camera as CAMERA, FilterWheel as WHEEL, Focuser as FOCUSER, Mount as MOUNT};

const FRAME: Frame = Frame { x: 8, y: 4, width: 32, height: 24, bin_x: 2, bin_y: 2 };
const GAIN: f64 = 42.0;
const COLD: Celsius = Celsius(-20.0);

/// The backend under test, its devices, each with a process of its own, and what was declared for them.
pub(super) struct Night {
    backend: Arc<dyn Backend>,
    events: Events,
    camera: Arc<dyn Camera>,
    wheel: Arc<dyn FilterWheel>,
    focuser: Arc<dyn Focuser>,
    mount: Arc<dyn Mount>,
    /// For reports.
    pub(super) row: String,
}

/// Looks until it is so.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    match Wait::new(PATIENCE).every(Duration::from_millis(5)).until(what, || Ok(look()), || Ok(())) {
        Ok(found) => found,
        Err(error) => panic!("{error}"),
    }
}

impl Night {
    pub(super) fn begin() -> Self {
        let backend = open("", "?timeout=10&poll=0.1&alive=0.5");
        let events = backend.events();
        let found = DRIVERS.map(|(kind, ..)| backend.device(&id(kind)).unwrap());
        // On a loaded machine a driver's program may come too late for Wine.
        found.iter().for_each(|device| until("dusk", || device.device().connect().ok()));
        let [
            AnyDevice::Camera(camera),
            AnyDevice::FilterWheel(wheel),
            AnyDevice::Focuser(focuser),
            AnyDevice::Mount(mount),
        ] = found
        else {
            panic!("a driver is of another kind")
        };
        camera.set_frame(FRAME).unwrap();
        camera.set_control(Control::Gain, GAIN).unwrap();
        camera.set_cooler(Some(COLD)).unwrap();
        let night = Night { backend, events, camera, wheel, focuser, mount, row: "dusk".into() };
        night.track();
        night
    }

    fn devices(&self) -> [AnyDevice; 4] {
        [
            AnyDevice::Camera(self.camera.clone()),
            AnyDevice::FilterWheel(self.wheel.clone()),
            AnyDevice::Focuser(self.focuser.clone()),
            AnyDevice::Mount(self.mount.clone()),
        ]
    }

    fn device(&self, kind: DeviceKind) -> AnyDevice {
        self.devices().into_iter().find(|device| device.device().info().id.kind == kind).unwrap()
    }

    /// What a driver itself has.
    fn truth(&self, kind: DeviceKind, member: &str) -> String {
        tell(self.device(kind).device(), "read", member)
    }

    /// Unparks the mount and has it track.
    fn track(&self) {
        if self.mount.state().unwrap().parked {
            self.mount.start_unpark().unwrap();
        }
        self.mount.set_tracking(Tracking::SIDEREAL).unwrap();
        until("tracking", || self.mount.state().is_ok_and(|state| state.tracking.on && !state.slewing).then_some(()));
    }

    fn places(&self) -> (String, String) {
        (self.truth(FOCUSER, "Position"), self.truth(WHEEL, "Position"))
    }

    pub(super) fn go_through(&mut self, during: During, kind: DeviceKind, loss: Loss) {
        while self.events.try_next().is_some() {}
        let before = self.places();
        self.start(during);
        let mut told = Vec::new();
        match loss {
            Hangs(member) => self.hang(kind, member),
            _ => self.lose(during, kind, loss, &mut told),
        }
        self.await_return(kind, loss, &mut told);
        self.check_events(kind, loss, &told);
        self.check(during, kind, loss, &before, &told);
        self.tidy(during);
    }

    /// Something that is under way when it happens.
    fn start(&self, during: During) {
        match during {
            Nothing => {}
            Exposing => self.camera.start_exposure(Exposure::light(Duration::from_secs(600))).unwrap(),
            Reading => {
                self.camera.start_exposure(Exposure::light(Duration::from_millis(20))).unwrap();
                until("the picture", || {
                    self.camera.state().is_ok_and(|state| state.exposure == ExposureState::Ready).then_some(())
                });
            }
            Slewing => self.slew().unwrap(),
            Moving => self.focuser.start_move(10_000).unwrap(),
            Turning => self.wheel.start_move(4).unwrap(),
        }
        // A command that takes long goes on by itself, and its driver answers nothing.
        until("the drivers", || {
            let mut devices = self.devices().into_iter();
            devices.all(|device| device.device().is_connected().is_ok()).then_some(())
        });
    }

    fn slew(&self) -> Result<()> {
        let here = self.mount.state()?.position;
        self.mount.start_slew(RaDec::new(here.ra, Degrees(here.dec.0 - 40.0), here.equinox).into())
    }

    /// The loss, until its cause is over.
    fn lose(&self, during: During, kind: DeviceKind, loss: Loss, told: &mut Vec<Event>) {
        let device = self.device(kind);
        let tell = |what: &str, parameters: &str| tell(device.device(), what, parameters);
        match loss {
            Dies => {
                kill(&tell("process", ""));
                self.use_until_lost(kind, loss, "", told);
            }
            DiesIn(member, times) => {
                let _doom = Doom::of(kind, member, times);
                self.use_until_lost(kind, loss, member, told);
                self.await_losses(told, times);
            }
            LosesObject(member, number) => {
                tell("throw", &format!("{member} bare {number}"));
                self.use_until_lost(kind, loss, member, told);
            }
            Away => {
                let process = tell("process", "");
                let _uninstalled = Uninstalled::of(kind);
                kill(&process);
                self.use_until_lost(kind, loss, "", told);
                self.check_lost(kind, during);
                // It was tried in vain.
                self.await_losses(told, 2);
            }
            Disconnected | Parked => {
                if kind == CAMERA {
                    for setting in ["Gain 7", "BinX 1", "CoolerOn False"] {
                        tell("write", setting);
                    }
                }
                if loss == Parked {
                    tell("write", "Park");
                    until("parking", || (tell("read", "AtPark") == "True").then_some(()));
                }
                tell("write", "Connected False");
                self.use_until_lost(kind, loss, "", told);
            }
            Hangs(_) => unreachable!("that is no loss"),
        }
    }

    /// Uses a device, in the way that calls a member, until listeners are told of its loss: as lost, or as disconnected.
    fn use_until_lost(&self, kind: DeviceKind, loss: Loss, member: &str, told: &mut Vec<Event>) {
        let by_others = matches!(loss, Disconnected | Parked);
        // Busy: on a loaded machine a command takes so long that it goes on by itself, until the driver has died of it.
        let known: &[_] =
            if by_others { &[ErrorKind::NotConnected] } else { &[ErrorKind::Unreachable, ErrorKind::Busy] };
        let is_it = |event: &EventKind| match event {
            EventKind::Connected(false) => by_others,
            EventKind::Link(Link::Lost { .. }) => !by_others,
            _ => false,
        };
        until(&self.row, || {
            let used = match (kind, member) {
                (CAMERA, "Gain") => self.camera.control(Control::Gain).map(drop),
                (CAMERA, "StartExposure") => self.camera.start_exposure(Exposure::light(Duration::from_secs(1))),
                (CAMERA, "ImageArray") => self.camera.image().map(drop),
                (MOUNT, "SlewToCoordinatesAsync") => self.slew(),
                (FOCUSER, "Move") => self.focuser.start_move(20_000),
                _ => self.device(kind).state().map(drop),
            };
            if let Err(error) = used {
                assert!(known.contains(&error.kind()), "{}: {error}", self.row);
                assert!(error.to_string().contains(&id(kind).name), "{}: {error}", self.row);
            }
            self.hear(told);
            told.iter().any(|event| event.device == Some(id(kind)) && is_it(&event.kind)).then_some(())
        });
    }

    /// Waits until it was lost so many times.
    fn await_losses(&self, told: &mut Vec<Event>, times: i32) {
        let wait = Wait::new(PATIENCE).every(Duration::from_millis(5));
        let look = || {
            self.hear(told);
            let lost = |event: &&Event| matches!(event.kind, EventKind::Link(Link::Lost { .. }));
            Ok((told.iter().filter(lost).count() as i32 >= times).then_some(()))
        };
        let found = wait.until("a loss", look, || Ok(()));
        assert!(found.is_ok(), "{}: {:?}, {told:#?}", self.row, self.backend.link());
    }

    /// A lost device says so, whatever it is asked; all others answer.
    fn check_lost(&self, kind: DeviceKind, during: During) {
        for device in self.devices() {
            let (state, connected) = (device.state().map(drop), device.device().is_connected());
            if device.device().info().id.kind == kind {
                let errors = [state.expect_err(&self.row), connected.expect_err(&self.row)];
                assert!(errors.iter().all(|error| error.kind() == ErrorKind::Unreachable), "{}: {errors:?}", self.row);
            } else {
                state.unwrap();
                assert!(connected.unwrap(), "{}", self.row);
            }
        }
        if during == Exposing && kind == CAMERA {
            assert_eq!(self.camera.image().unwrap_err().kind(), ErrorKind::Unreachable, "{}", self.row);
        }
    }

    /// A call that does not return: it ends when it is to, and nothing that is asked meanwhile is told from memory.
    fn hang(&self, kind: DeviceKind, member: &'static str) {
        let device = self.device(kind);
        tell(device.device(), "hang", member);
        let call = || match kind {
            CAMERA => self.camera.control(Control::Gain).map(drop),
            _ => device.state().map(drop),
        };
        let shortly = Wait::new(Duration::from_millis(500));
        for error in [shortly.within(call).unwrap_err(), shortly.within(|| device.state()).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Timeout, "{}: {error}", self.row);
        }
        let other = if kind == WHEEL { FOCUSER } else { WHEEL };
        tell(self.device(other).device(), "release", "");
    }

    fn hear(&self, told: &mut Vec<Event>) {
        told.extend(std::iter::from_fn(|| self.events.try_next()));
    }

    /// Waits until everything answers, and those who listen know.
    fn await_return(&self, kind: DeviceKind, loss: Loss, told: &mut Vec<Event>) {
        let mut states = Vec::new();
        let wait = Wait::new(PATIENCE).every(Duration::from_millis(5));
        let back = wait.until(
            &self.row,
            || {
                self.hear(told);
                states = self.devices().iter().map(|device| device.state().map(drop)).collect();
                let of_it = |event: &&Event| event.device == Some(id(kind));
                let last = told.iter().filter(of_it).rfind(|event| is_step(event)).map(|event| &event.kind);
                let known = match loss {
                    Hangs(_) => true,
                    Disconnected | Parked => last == Some(&EventKind::Connected(true)),
                    _ => last == Some(&EventKind::Link(Link::Up)),
                };
                let all = self.backend.link() == Link::Up && states.iter().all(Result::is_ok);
                Ok((all && known).then_some(()))
            },
            || Ok(()),
        );
        assert!(back.is_ok(), "{}: {:?}, {states:?}: {told:#?}", self.row, self.backend.link());
    }

    /// Lost, restoring, restored, up, in this order, and of this device alone.
    fn check_events(&self, kind: DeviceKind, loss: Loss, told: &[Event]) {
        let steps: Vec<_> = told.iter().filter(|event| is_step(event)).collect();
        let others = steps.iter().filter(|event| event.device != Some(id(kind))).count();
        assert_eq!(others, 0, "{}: others noticed it: {told:#?}", self.row);
        let mut words: Vec<_> = steps.iter().map(|event| word(event)).collect();
        match loss {
            Hangs(_) => assert!(words.is_empty(), "{}: {words:?}", self.row),
            Disconnected | Parked => assert_eq!(words, ["off", "restored", "on"], "{}: {told:#?}", self.row),
            _ => {
                // Lost again on the way, as often as that happened.
                let mut rounds = 1;
                while words.starts_with(&["lost", "restoring", "lost"]) {
                    words.drain(..2);
                    rounds += 1;
                }
                let wanted = if let DiesIn(_, times) = loss { times } else { 1 };
                assert!(rounds == wanted || (loss == Away && rounds > 1), "{}: {rounds}: {told:#?}", self.row);
                assert_eq!(words, ["lost", "restoring", "restored", "up"], "{}: {told:#?}", self.row);
            }
        }
        self.check_pauses(told);
        for event in told {
            if let EventKind::Restored { failed, .. } = &event.kind {
                assert!(failed.iter().all(|(what, _)| what == "tracking"), "{}: {failed:?}", self.row);
            }
        }
    }

    /// A driver that dies whenever it is brought back is left alone for a while, for longer each time.
    fn check_pauses(&self, told: &[Event]) {
        let tries = told.iter().filter(|event| event.kind == EventKind::Link(Link::Restoring)).map(|event| event.at);
        let tries: Vec<_> = tries.collect();
        let mut pause = 0.24;
        for pair in tries.windows(2) {
            let passed = pair[1].duration_since(pair[0]).as_secs_f64();
            assert!(passed >= pause, "{}: tried again after {passed} s: {told:#?}", self.row);
            pause *= 2.0;
        }
    }

    /// What must be so, as the backend has it and as the drivers have it.
    fn check(&self, during: During, kind: DeviceKind, loss: Loss, before: &(String, String), told: &[Event]) {
        let row = &self.row;
        let forgets = forgets(loss);
        self.check_camera(during, kind == CAMERA && forgets);
        let mount = self.mount.state().unwrap();
        let there = [("AtPark", mount.parked), ("Tracking", mount.tracking.on), ("Slewing", mount.slewing)];
        for (member, seen) in there {
            assert_eq!(self.truth(MOUNT, member) == "True", seen, "{row}: {member}");
        }
        let dec: f64 = self.truth(MOUNT, "Declination").parse().unwrap();
        assert!(mount.slewing || (mount.position.dec.0 - dec).abs() < 0.01, "{row}: {mount:?}, {dec}");
        if loss == Parked {
            assert!(mount.parked && !mount.tracking.on, "{row}: a parked mount was set going");
        } else if during != Slewing {
            assert!(mount.tracking.on, "{row}: it tracked before: {told:#?}");
        }
        if kind == MOUNT && forgets {
            assert!(!mount.slewing, "{row}: it moves");
        }
        let focuser = self.focuser.state().unwrap();
        if kind == FOCUSER && forgets {
            assert!(!focuser.moving, "{row}: it moves");
        }
        let (focus, filter) = self.places();
        assert!(focuser.moving || focuser.position == focus.parse().ok(), "{row}: {focuser:?}, {focus}");
        if during != Moving {
            let stays = if kind == FOCUSER && forgets { "30000" } else { &before.0 };
            assert_eq!(focus, stays, "{row}: the focuser has moved");
        }
        if during != Turning {
            let stays = if kind == WHEEL && forgets { "0" } else { &before.1 };
            assert_eq!(filter, stays, "{row}: the wheel has turned");
        }
        let ages = self.devices().map(|device| device.state().map(|state: DeviceState| state.age().duration()));
        assert!(ages.iter().all(|age| age.as_ref().is_ok_and(|age| *age < Duration::from_secs(2))), "{row}: {ages:?}");
    }

    fn check_camera(&self, during: During, forgot: bool) {
        let row = &self.row;
        assert_eq!(self.camera.frame().unwrap(), FRAME, "{row}");
        assert_eq!(self.camera.control(Control::Gain).unwrap(), GAIN, "{row}");
        let cooler = self.camera.state().unwrap().cooler.unwrap();
        assert!(cooler.on && cooler.set_point == Some(COLD), "{row}: {cooler:?}");
        let there = [
            ("Gain", GAIN),
            ("BinX", 2.0),
            ("BinY", 2.0),
            ("StartX", 8.0),
            ("StartY", 4.0),
            ("NumX", 32.0),
            ("NumY", 24.0),
            ("SetCCDTemperature", COLD.0),
        ];
        for (member, value) in there {
            assert_eq!(self.truth(CAMERA, member).parse::<f64>().unwrap(), value, "{row}: {member}");
        }
        assert_eq!(self.truth(CAMERA, "CoolerOn"), "True", "{row}");
        let (exposure, truly) = (self.camera.state().unwrap().exposure, self.truth(CAMERA, "CameraState") != "0");
        match during {
            Exposing if forgot => {
                assert!(
                    matches!(&exposure, ExposureState::Failed(why) if !why.message().is_empty()),
                    "{row}: {exposure:?}"
                );
                assert!(!truly, "{row}: it exposes by itself");
            }
            Exposing => assert!(exposure.is_busy() && truly, "{row}: {exposure:?}"),
            // Whole, or not at all.
            Reading => assert!(self.camera.image().is_err() == forgot, "{row}: {exposure:?}"),
            _ => assert!(!exposure.is_busy() && !truly, "{row}: {exposure:?}"),
        }
    }

    /// Everything is quiet, and the mount tracks, before the next loss.
    fn tidy(&self, during: During) {
        if during != Nothing {
            self.camera.abort_exposure().unwrap();
            self.mount.abort().unwrap();
            self.focuser.halt().unwrap();
        }
        until("quiet", || {
            let wheel = self.wheel.state().is_ok_and(|state| state.position.is_some());
            let focuser = self.focuser.state().is_ok_and(|state| !state.moving);
            let mount = self.mount.state().is_ok_and(|state| !state.slewing);
            (wheel && focuser && mount).then_some(())
        });
        self.track();
    }
}

fn is_link(event: &Event) -> bool {
    matches!(event.kind, EventKind::Link(_))
}

/// It tells of a loss or of its end.
fn is_step(event: &Event) -> bool {
    is_link(event) || matches!(event.kind, EventKind::Restored { .. } | EventKind::Connected(_))
}

fn word(event: &Event) -> &'static str {
    match &event.kind {
        EventKind::Link(Link::Lost { .. }) => "lost",
        EventKind::Link(Link::Restoring) => "restoring",
        EventKind::Link(_) => "up",
        EventKind::Restored { .. } => "restored",
        EventKind::Connected(true) => "on",
        _ => "off",
    }
}
