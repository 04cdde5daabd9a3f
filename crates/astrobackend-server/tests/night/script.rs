//! The night: what is declared at dusk, what is lost and when, and what must be so after each loss.

use crate::{
    SOON,
    line::Mode,
    losses::{During, LOSSES, Loss, forgets},
    peers::{self, Peer},
};
use astrobackend::{
    Backend, Celsius, Degrees, ErrorKind, Events, RaDec, Result, Wait,
    device::{
        AnyDevice, Camera, Control, DeviceState, ExposureState, FilterWheel, Focuser, Mount, MountState, Tracking,
    },
    event::{Event, EventKind, Link},
    image::Frame,
};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use During::*;
use Loss::*;

pub(crate) const FRAME: Frame = Frame { x: 0, y: 0, width: 16, height: 12, bin_x: 2, bin_y: 2 };
const COLD: Celsius = Celsius(-10.0);

/// The backend under test, its devices, and what was declared for them.
struct Night<P> {
    peer: P,
    backend: Arc<dyn Backend>,
    events: Events,
    camera: Arc<dyn Camera>,
    focuser: Arc<dyn Focuser>,
    wheel: Arc<dyn FilterWheel>,
    mount: Arc<dyn Mount>,
    gain: f64,
    /// For reports.
    row: String,
}

/// What does not change by itself: focus, filter, and where the mount points as long as it does not track.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    focus: Option<i32>,
    filter: Option<usize>,
}

/// The devices of a kind behind the peer, as it has them.
struct Truth {
    camera: Arc<dyn Camera>,
    focuser: Arc<dyn Focuser>,
    wheel: Arc<dyn FilterWheel>,
    mount: Arc<dyn Mount>,
    _backend: Arc<dyn Backend>,
}

impl Truth {
    /// By name: a list of all devices would have to be waited for.
    fn of(peer: &impl Peer, devices: &[AnyDevice; 4]) -> Self {
        let backend = peer.truth();
        let ids = devices.each_ref().map(|device| device.device().info().id);
        let found = ids.map(|id| backend.device(&id).unwrap());
        let [
            AnyDevice::Camera(camera),
            AnyDevice::FilterWheel(wheel),
            AnyDevice::Focuser(focuser),
            AnyDevice::Mount(mount),
        ] = found
        else {
            panic!("the peer has other devices")
        };
        Truth { camera, focuser, wheel, mount, _backend: backend }
    }

    fn place(&self) -> Result<Place> {
        Ok(Place { focus: self.focuser.state()?.position, filter: self.wheel.state()?.position })
    }
}

/// Looks until it is so.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let found = Wait::new(SOON).every(Duration::from_millis(5)).until(what, || Ok(look()), || Ok(()));
    found.unwrap_or_else(|error| panic!("{error}"))
}

/// One night over a peer.
pub(crate) fn night(peer: impl Peer) {
    let begun = Instant::now();
    let mut night = Night::begin(peer);
    for (number, (during, loss)) in LOSSES.iter().enumerate() {
        let since = Instant::now();
        night.row = format!("loss {}: {loss:?} during {during:?}", number + 1);
        night.go_through(*during, *loss);
        println!("{} survived in {:.1?}", night.row, since.elapsed());
    }
    println!("{} losses in {:.1?}", LOSSES.len(), begun.elapsed());
}

impl<P: Peer> Night<P> {
    fn begin(peer: P) -> Self {
        let backend = astrobackend::open(&peer.address()).unwrap();
        let events = backend.events();
        for device in peers::devices(&*backend) {
            device.device().connect().unwrap();
        }
        let (camera, focuser) = (backend.camera().unwrap(), backend.focuser().unwrap());
        let (wheel, mount) = (backend.filter_wheel().unwrap(), backend.mount().unwrap());
        camera.set_frame(FRAME).unwrap();
        let gain = camera.controls().unwrap().into_iter().find(|info| info.control == Control::Gain).unwrap();
        let gain = (gain.min + 17.0).min(gain.max);
        camera.set_control(Control::Gain, gain).unwrap();
        camera.set_cooler(Some(COLD)).unwrap();
        let night = Night { peer, backend, events, camera, focuser, wheel, mount, gain, row: "dusk".into() };
        night.track();
        night
    }

    /// Unparks the mount and has it track.
    fn track(&self) {
        if self.mount.state().unwrap().parked {
            self.mount.start_unpark().unwrap();
            until("unparking", || self.mount.state().is_ok_and(|state| !state.parked && !state.slewing).then_some(()));
        }
        self.mount.set_tracking(Tracking::SIDEREAL).unwrap();
        until("tracking", || self.mount.state().is_ok_and(|state| state.tracking.on).then_some(()));
    }

    fn truth(&self) -> Truth {
        Truth::of(&self.peer, &self.devices())
    }

    fn devices(&self) -> [AnyDevice; 4] {
        [
            AnyDevice::Camera(self.camera.clone()),
            AnyDevice::FilterWheel(self.wheel.clone()),
            AnyDevice::Focuser(self.focuser.clone()),
            AnyDevice::Mount(self.mount.clone()),
        ]
    }

    fn go_through(&mut self, during: During, loss: Loss) {
        while self.events.try_next().is_some() {}
        self.start(during);
        let before = if forgets(loss) { None } else { Some(until("truth", || self.truth().place().ok())) };
        let mut told = Vec::new();
        let (place, parked) = self.lose(during, loss, before, &mut told);
        self.await_return(loss, &mut told);
        self.check_events(loss, &told);
        self.check(during, loss, place, parked, &told);
        self.tidy(during);
    }

    /// Something that is under way when it happens.
    fn start(&self, during: During) {
        self.peer.take_time(during != Nothing && during != Download);
        let state = self.mount.state().unwrap();
        match during {
            Nothing => {}
            Exposure => self.camera.start_exposure(long()).unwrap(),
            Download => {
                let length = astrobackend::device::Exposure::light(Duration::from_millis(50));
                self.camera.start_exposure(length).unwrap();
            }
            Slew => {
                let there = RaDec::new(state.position.ra, Degrees(state.position.dec.0 - 20.0), state.position.equinox);
                self.mount.start_slew(there.into()).unwrap();
            }
            Move => self.focuser.start_move(self.focuser.state().unwrap().position.unwrap() + 3000).unwrap(),
            Turn => {
                let here = self.wheel.state().unwrap().position.unwrap();
                self.wheel.start_move((here + 1) % 3).unwrap();
            }
        }
    }

    /// The loss, until its cause is over. Where the peer's devices must be afterwards, and whether the mount is parked.
    fn lose(
        &mut self,
        during: During,
        loss: Loss,
        before: Option<Place>,
        told: &mut Vec<Event>,
    ) -> (Option<Place>, Option<bool>) {
        // What is under way goes on behind a server that lives on.
        let still = if matches!(during, Move | Turn) { None } else { before };
        let mut parked = None;
        match loss {
            Killed { memory } => {
                self.peer.line().set(Mode::Refuses);
                self.await_loss(told);
                if !memory {
                    self.peer.renew(false);
                }
                self.peer.line().set(Mode::Passes);
                if !memory {
                    return self.anew();
                }
            }
            KilledAndConnected => {
                self.peer.line().set(Mode::Refuses);
                self.await_loss(told);
                self.peer.renew(true);
                self.peer.line().set(Mode::Passes);
                return self.anew();
            }
            KilledTwice => {
                self.peer.line().set(Mode::Refuses);
                self.await_loss(told);
                self.peer.renew(false);
                self.peer.line().set(Mode::Breaks(700));
                until("the second death", || {
                    self.hear(told);
                    (self.peer.line().breaks() > 0 || self.backend.link() == Link::Up).then_some(())
                });
                self.peer.line().set(Mode::Refuses);
                self.await_loss(told);
                self.peer.renew(false);
                self.peer.line().set(Mode::Passes);
                return self.anew();
            }
            Dropped => {
                self.peer.line().cut();
                if self.peer.is_connection() {
                    self.await_told(told, |event| matches!(event.kind, EventKind::Link(Link::Lost { .. })));
                }
            }
            HalfAnswer(bytes) => self.break_off(during, bytes, told),
            Hangs => {
                self.peer.line().set(Mode::Dead);
                self.await_loss(told);
                self.peer.line().set(Mode::Passes);
            }
            Refused => {
                self.peer.line().set(Mode::Refuses);
                self.await_loss(told);
                self.peer.line().set(Mode::Passes);
            }
            Slammed => {
                self.peer.line().set(Mode::Slams);
                self.peer.line().cut();
                self.await_loss(told);
                self.peer.line().set(Mode::Passes);
            }
            Disconnected(kind) => {
                self.peer.disconnect(kind);
                self.await_told(told, |event| {
                    event.kind == EventKind::Connected(false) && event.device.as_ref().is_some_and(|id| id.kind == kind)
                });
                self.peer.heal();
            }
            ParkedMeanwhile => {
                self.peer.line().set(Mode::Refuses);
                self.await_loss(told);
                let truth = self.truth();
                until("the mount", || truth.mount.state().ok());
                truth.mount.start_park().unwrap();
                let state =
                    until("parking", || truth.mount.state().ok().filter(|state| state.parked && !state.slewing));
                parked = Some(state.tracking.on);
                self.peer.line().set(Mode::Passes);
            }
        }
        (still, parked)
    }

    /// A server that begins its life: its devices are where such devices begin.
    fn anew(&self) -> (Option<Place>, Option<bool>) {
        (None, None)
    }

    /// Answers end half way.
    fn break_off(&self, during: During, bytes: usize, told: &mut Vec<Event>) {
        let before = self.peer.line().breaks();
        self.peer.line().set(Mode::Breaks(bytes));
        until("the break", || {
            self.hear(told);
            if during == Download && self.camera.state().is_ok_and(|state| state.exposure == ExposureState::Ready) {
                // Never a torn picture.
                if let Ok(image) = self.camera.image() {
                    assert_eq!((image.width(), image.height()), self.peer.picture(), "{}", self.row);
                }
            } else {
                let _ = self.camera.set_control(Control::Gain, self.gain);
            }
            (self.peer.line().breaks() > before).then_some(())
        });
        if self.peer.is_connection() {
            self.await_told(told, |event| matches!(event.kind, EventKind::Link(Link::Lost { .. })));
        }
    }

    /// Looks until it is so; false when that takes too long.
    fn look(&self, mut so: impl FnMut() -> bool) -> bool {
        let wait = Wait::new(SOON).every(Duration::from_millis(5));
        wait.until(&self.row, || Ok(so().then_some(())), || Ok(())).is_ok()
    }

    fn hear(&self, told: &mut Vec<Event>) {
        told.extend(std::iter::from_fn(|| self.events.try_next()));
    }

    fn await_told(&self, told: &mut Vec<Event>, fits: impl Fn(&Event) -> bool) {
        let found = self.look(|| {
            self.hear(told);
            told.iter().any(&fits)
        });
        assert!(found, "{}: not told: {told:#?}", self.row);
    }

    /// Waits until the loss is noticed, asking all the time: a state that is given although the link is lost is stale.
    fn await_loss(&self, told: &mut Vec<Event>) {
        until(&self.row, || {
            self.hear(told);
            self.devices().iter().for_each(|device| drop(device.state()));
            matches!(self.backend.link(), Link::Lost { .. }).then_some(())
        });
        for device in self.devices() {
            let error = device.state().expect_err(&self.row);
            assert_eq!(error.kind(), ErrorKind::Unreachable, "{}: {error}", self.row);
            let error = device.device().is_connected().expect_err(&self.row);
            assert_eq!(error.kind(), ErrorKind::Unreachable, "{}: {error}", self.row);
        }
        assert!(matches!(self.backend.link(), Link::Lost { .. }), "{}", self.row);
    }

    /// Waits until everything is as it was.
    fn await_return(&self, loss: Loss, told: &mut Vec<Event>) {
        let back = self.look(|| {
            self.hear(told);
            let all = self.backend.link() == Link::Up && self.devices().iter().all(|device| device.state().is_ok());
            let back = match loss {
                Disconnected(kind) => told.iter().any(|event| {
                    event.kind == EventKind::Connected(true) && event.device.as_ref().is_some_and(|id| id.kind == kind)
                }),
                _ => true,
            };
            all && back
        });
        let states = self.devices().map(|device| device.state().map(drop));
        assert!(back, "{}: {:?}, {states:?}: {told:#?}", self.row, self.backend.link());
        self.hear(told);
    }

    /// Lost, restoring, up; each device restored in between, once.
    fn check_events(&self, loss: Loss, told: &[Event]) {
        let mut link = "up";
        let mut restored = BTreeSet::new();
        for event in told {
            match &event.kind {
                EventKind::Link(now) => {
                    let (wanted, is): (&[&str], _) = match now {
                        Link::Lost { .. } => (&["up", "restoring"], "lost"),
                        Link::Restoring => (&["lost"], "restoring"),
                        _ => (&["restoring"], "up"),
                    };
                    assert!(wanted.contains(&link), "{}: {is} after {link}: {told:#?}", self.row);
                    if is == "up" {
                        assert_eq!(restored.len(), 4, "{}: {told:#?}", self.row);
                    }
                    if is == "lost" {
                        restored.clear();
                    }
                    link = is;
                }
                EventKind::Restored { failed, .. } => {
                    let id = event.device.clone().unwrap();
                    let of_loss = matches!(loss, Disconnected(kind) if kind == id.kind);
                    assert!(link == "restoring" || of_loss, "{}: restored while {link}", self.row);
                    assert!(restored.insert(id), "{}: restored twice: {told:#?}", self.row);
                    assert!(failed.iter().all(|(what, _)| what == "tracking"), "{}: {failed:?}", self.row);
                }
                EventKind::Lagged(_) => panic!("{}: events were lost", self.row),
                _ => {}
            }
        }
        assert_eq!(link, "up", "{}", self.row);
        if let Disconnected(kind) = loss {
            let of_kind = |event: &&Event| event.device.as_ref().is_some_and(|id| id.kind == kind);
            let steps = told.iter().filter(of_kind).filter_map(|event| match &event.kind {
                EventKind::Connected(false) => Some("off"),
                EventKind::Restored { .. } => Some("restored"),
                EventKind::Connected(true) => Some("on"),
                _ => None,
            });
            assert_eq!(steps.collect::<Vec<_>>(), ["off", "restored", "on"], "{}", self.row);
        }
    }

    /// What must be so, as the backend has it and as the peer has it.
    fn check(&self, during: During, loss: Loss, place: Option<Place>, parked: Option<bool>, told: &[Event]) {
        let row = &self.row;
        let truth = self.truth();
        let [camera, true_camera] = [self.camera.state().unwrap(), until("truth", || truth.camera.state().ok())];
        assert_eq!(self.camera.frame().unwrap(), FRAME, "{row}: {told:#?}");
        assert_eq!(self.camera.control(Control::Gain).unwrap(), self.gain, "{row}");
        let cooler = true_camera.cooler.unwrap();
        assert!(cooler.on && camera.cooler.unwrap().on, "{row}: {cooler:?}");
        if let Some(set_point) = cooler.set_point {
            assert!((set_point.0 - COLD.0).abs() < 0.1, "{row}: {cooler:?}");
        }
        if self.peer.keeps_settings() {
            assert_eq!(until("truth", || truth.camera.frame().ok()), FRAME, "{row}");
            assert_eq!(truth.camera.control(Control::Gain).unwrap(), self.gain, "{row}");
        }
        self.check_exposure(during, loss, &camera.exposure, &true_camera.exposure);
        let forgotten = forgets(loss);
        let [mount, true_mount] = [self.mount.state().unwrap(), until("truth", || truth.mount.state().ok())];
        self.check_mount(&mount, &true_mount);
        if let Some(tracked) = parked {
            assert!(true_mount.parked && true_mount.tracking.on == tracked, "{row}: a parked mount was set going");
        }
        if forgotten && during != Slew && !true_mount.parked && !true_mount.at_home {
            assert!(true_mount.tracking.on, "{row}: it tracked before: {told:#?}");
        }
        if forgotten {
            let moving = until("truth", || truth.focuser.state().ok()).moving;
            assert!(!true_mount.slewing && !moving, "{row}: something moves");
            assert!(!true_camera.exposure.is_busy(), "{row}: it exposes");
        }
        if let Some(place) = place {
            assert_eq!(until("truth", || truth.place().ok()), place, "{row}: something has moved");
        }
        let age = self.devices().map(|device| device.state().map(|state: DeviceState| state.age().duration()));
        assert!(age.iter().all(|age| age.as_ref().is_ok_and(|age| *age < Duration::from_secs(2))), "{row}: {age:?}");
    }

    fn check_mount(&self, seen: &MountState, is: &MountState) {
        assert_eq!((seen.parked, seen.tracking.on), (is.parked, is.tracking.on), "{}", self.row);
        if !seen.slewing && !is.slewing {
            assert!(seen.position.separation(is.position).0 < 0.1, "{}: {seen:?} {is:?}", self.row);
        }
    }

    /// It has failed with the reason, or is what the peer says that it is.
    fn check_exposure(&self, during: During, loss: Loss, seen: &ExposureState, is: &ExposureState) {
        let row = &self.row;
        match during {
            Exposure => match seen {
                ExposureState::Failed(why) => assert!(!why.message().is_empty(), "{row}"),
                busy => {
                    let kept = matches!(loss, Killed { memory: true } | Hangs);
                    assert!(kept && busy.is_busy() && is.is_busy(), "{row}: {seen:?}, and truly {is:?}");
                }
            },
            Download => {
                if let Ok(image) = self.camera.image() {
                    assert_eq!((image.width(), image.height()), self.peer.picture(), "{row}");
                }
            }
            _ => assert!(!seen.is_busy(), "{row}: {seen:?}"),
        }
    }

    /// Everything is quiet, and the mount tracks, before the next loss.
    fn tidy(&self, during: During) {
        self.peer.take_time(false);
        if during != Nothing {
            let _ = self.truth().camera.abort_exposure();
            self.camera.abort_exposure().unwrap();
            let _ = self.mount.abort();
            let _ = self.focuser.halt();
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

/// An exposure that is not over before the loss.
fn long() -> astrobackend::device::Exposure {
    astrobackend::device::Exposure::light(Duration::from_secs(600))
}
