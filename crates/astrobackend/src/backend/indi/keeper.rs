//! Keeps a connection as its user left it: asks whether server and drivers are alive, and after a loss or a
//! restart connects the devices that were ours again and sends their settings again, nothing else.
//!
//! Settings are what a user declared (binning, gain, set point), each read back. What moves something or
//! opens a shutter is never sent from here.

use super::{
    connection::{Connection, Shared},
    cooler,
    handle::{Handle, Values},
    store::Store,
};
use crate::{Address, Error, ErrorKind, Result, device::DeviceId, event::Link, wire::indi::Message};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};

/// Properties that are settings: they change how a device works and move nothing.
const SETTINGS: &[&str] = &[
    "CCD_BINNING",
    "CCD_FRAME",
    "CCD_GAIN",
    "CCD_OFFSET",
    "CCD_CONTROLS",
    "READOUT_MODE",
    cooler::SWITCH,
    cooler::TEMPERATURE.0,
    "FOCUS_REVERSE_MOTION",
    "FOCUS_BACKLASH_STEPS",
    "FOCUS_SPEED",
    "FOCUS_MAX",
    "TELESCOPE_SLEW_RATE",
    "GUIDE_RATE",
];

/// Longest pause between two tries to connect a device again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Devices that are asked in place of a server that knows no pings.
const MANY: usize = 16;

/// Between two looks whether everything is back.
const MOMENT: Duration = Duration::from_millis(50);

/// Values that a user declared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Setting {
    Numbers(Vec<(String, f64)>),
    On(String),
}

/// A device that the user connected, with what was declared for it, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    server: Address,
    keys: &'static [&'static str],
    settings: Vec<(&'static str, Setting)>,
}

/// The devices that are ours.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<DeviceId, Claim>);

impl Claims {
    /// The user has connected it.
    pub(super) fn add(&mut self, id: &DeviceId, server: &Address, keys: &'static [&'static str]) {
        let claim = || Claim { server: server.clone(), keys, settings: Vec::new() };
        self.0.entry(id.clone()).or_insert_with(claim);
    }

    /// The user has disconnected the driver, as whatever kind.
    pub(super) fn remove(&mut self, device: &str) {
        self.0.retain(|id, _| id.name != device);
    }

    /// True when the device of that name is ours.
    pub(super) fn has(&self, device: &str) -> bool {
        self.0.keys().any(|id| id.name == device)
    }

    /// The names of our devices, each once.
    fn names(&self) -> Vec<String> {
        let names: BTreeSet<_> = self.0.keys().map(|id| id.name.clone()).collect();
        names.into_iter().collect()
    }

    /// Remembers values that the user declared, if they are settings.
    pub(super) fn declare(&mut self, id: &DeviceId, property: &'static str, values: Values<'_>) {
        let Some(claim) = self.0.get_mut(id).filter(|_| SETTINGS.contains(&property)) else { return };
        let setting = match values {
            Values::Numbers(all) => {
                Setting::Numbers(all.iter().map(|(name, value)| ((*name).into(), *value)).collect())
            }
            Values::On(name) => Setting::On(name.into()),
            Values::Texts(_) | Values::Switches(_) => return,
        };
        if setting == Setting::On(cooler::OFF.into()) {
            // The temperature asked for before would switch it on again.
            claim.settings.retain(|(known, _)| *known != cooler::TEMPERATURE.0);
        }
        claim.declare(property, setting);
    }
}

impl Claim {
    /// The newest comes last; numbers of one vector that were set one by one are all kept.
    fn declare(&mut self, property: &'static str, setting: Setting) {
        let known = self.settings.iter().position(|(known, _)| *known == property);
        let before = known.map(|at| self.settings.remove(at).1);
        let setting = match (before, setting) {
            (Some(Setting::Numbers(mut all)), Setting::Numbers(new)) => {
                all.retain(|(name, _)| new.iter().all(|(newer, _)| newer != name));
                all.extend(new);
                Setting::Numbers(all)
            }
            (_, setting) => setting,
        };
        self.settings.push((property, setting));
    }
}

/// Sends a setting and waits until the device has it.
fn apply(handle: &Handle, property: &'static str, setting: &Setting) -> Result<()> {
    match setting {
        Setting::On(name) => handle.switch_on(property, name),
        Setting::Numbers(all) => {
            let values: Vec<(&str, f64)> = all.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            match (property, &values[..]) {
                (property, [(_, degrees)]) if property == cooler::TEMPERATURE.0 => cooler::aim(handle, *degrees),
                (property, values) => handle.set(property, Values::Numbers(values)),
            }
        }
    }
}

/// Whether something still lives, from a count that grows with all that it says.
#[derive(Clone, Copy, Debug)]
struct Watch {
    seen: u64,
    since: Instant,
    asked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Alive,
    /// It has been quiet: time to ask.
    Quiet,
    /// It was asked and has not answered.
    Silent,
}

impl Watch {
    fn new(seen: u64) -> Self {
        Watch { seen, since: Instant::now(), asked: false }
    }

    fn look(&mut self, count: u64, alive: Duration) -> Verdict {
        if count != self.seen {
            *self = Watch::new(count);
            return Verdict::Alive;
        }
        match (self.since.elapsed() >= alive, self.asked) {
            (false, _) => Verdict::Alive,
            (true, false) => {
                (self.asked, self.since) = (true, Instant::now());
                Verdict::Quiet
            }
            (true, true) => {
                // Asked again before long: the answer may have been lost, not the one who was asked.
                (self.asked, self.since) = (false, Instant::now());
                Verdict::Silent
            }
        }
    }
}

/// A device that could not be connected again: how often it was tried, and when next.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    pause: Duration,
    next: Instant,
}

/// The thread's own memory.
struct Keeper {
    shared: Arc<Shared>,
    server: Watch,
    drivers: BTreeMap<String, Watch>,
    troubles: BTreeMap<String, Trouble>,
    restoring_since: Option<Instant>,
}

/// Starts the thread; it ends when the last user of the connection is gone.
///
/// # Errors
/// `Unreachable` when the system has no thread to give.
pub(super) fn start(connection: &Arc<Connection>) -> Result<()> {
    let shared = connection.shared().clone();
    let weak = Arc::downgrade(connection);
    let keeper = Keeper {
        server: Watch::new(0),
        shared,
        drivers: BTreeMap::new(),
        troubles: BTreeMap::new(),
        restoring_since: None,
    };
    let thread = thread::Builder::new().name("astrobackend-indi-keep".into());
    let failed = |error| Error::new(ErrorKind::Unreachable, format!("no thread for the connection: {error}"));
    thread.spawn(move || keeper.run(&weak)).map(drop).map_err(failed)
}

impl Keeper {
    fn run(mut self, weak: &Weak<Connection>) {
        let interval = (self.shared.policy.alive / 4).clamp(MOMENT, Duration::from_secs(5));
        let mut pause = interval;
        while self.shared.await_work(pause) {
            // Held only while there is work: the last user's drop must close the connection.
            let Some(connection) = weak.upgrade() else { return };
            let busy = self.restore(&connection);
            if !busy {
                self.check_server();
                self.check_drivers(&connection);
            }
            pause = if busy { MOMENT } else { interval };
        }
    }

    /// Brings back what is there again; true while the link is being restored or devices are still to be tried.
    fn restore(&mut self, connection: &Arc<Connection>) -> bool {
        let (held, lost) = {
            let store = connection.store();
            (store.held(), store.lost.is_some())
        };
        if lost {
            self.restoring_since = None;
            return false;
        }
        for name in held {
            let due = self.troubles.get(&name).is_none_or(|trouble| trouble.next <= Instant::now());
            if due {
                self.bring_back(connection, &name);
            }
        }
        let done = {
            let mut store = connection.store();
            if !store.restoring {
                return !store.held().is_empty();
            }
            let since = *self.restoring_since.get_or_insert_with(Instant::now);
            let complete = is_complete(&store) || since.elapsed() >= self.shared.policy.timeout;
            store.restoring = !complete;
            complete
        };
        if done {
            self.restoring_since = None;
            self.server = Watch::new(self.shared.received());
            self.drivers.clear();
            self.shared.tell_link(Link::Up);
        }
        !done
    }

    /// Connects a device again and sends its settings, in all the kinds that it is.
    fn bring_back(&mut self, connection: &Arc<Connection>, name: &str) {
        let claims: Vec<(DeviceId, Claim)> = {
            let store = connection.store();
            store
                .claims
                .0
                .iter()
                .filter(|(id, _)| id.name == name)
                .map(|(id, claim)| (id.clone(), claim.clone()))
                .collect()
        };
        for (id, claim) in claims {
            let handle = Handle::new(connection.clone(), id, &claim.server, claim.keys);
            if let Err(error) = handle.bring_back() {
                self.postpone(connection, name, &error);
                return;
            }
            for (property, setting) in &claim.settings {
                if let Err(error) = apply(&handle, property, setting) {
                    connection.say(name, &format!("[ERROR] {property} could not be restored: {}", error.message()));
                }
            }
        }
        self.troubles.remove(name);
        connection.store().release(name);
        connection.touch(name);
    }

    /// It cannot be connected now: later, with more patience each time.
    fn postpone(&mut self, connection: &Connection, name: &str, error: &Error) {
        if error.kind() == ErrorKind::Unreachable {
            return;
        }
        let known = self.troubles.get(name);
        let pause = known.map_or(Duration::from_secs(1), |trouble| (trouble.pause * 2).min(PATIENCE));
        if known.is_none() {
            connection.say(name, &format!("[WARNING] could not be connected again: {}", error.message()));
        }
        self.troubles.insert(name.to_owned(), Trouble { pause, next: Instant::now() + pause });
    }

    /// Asks a quiet server whether it is there; gives a silent one up.
    fn check_server(&mut self) {
        let (names, pings) = {
            let store = self.shared.store();
            if store.lost.is_some() {
                return;
            }
            let names: Vec<String> = store.devices().take(MANY).map(|(name, _)| name.to_owned()).collect();
            (names, store.pings)
        };
        match self.server.look(self.shared.received(), self.shared.policy.alive) {
            Verdict::Alive => {}
            Verdict::Quiet => {
                // A failure shows as a lost connection.
                let _ = self.shared.send(&[ping()]);
                if !pings {
                    // It may know no pings; its drivers answer.
                    names.iter().for_each(|name| drop(self.shared.ask(name, "CONNECTION")));
                }
            }
            Verdict::Silent => {
                let alive = self.shared.policy.alive;
                let why = format!("the server has not answered for {alive:.1?}");
                self.shared.give_up(&Error::new(ErrorKind::Unreachable, why));
                self.server = Watch::new(self.shared.received());
            }
        }
    }

    /// Asks quiet drivers of ours; what a silent one told last is not believed any more.
    fn check_drivers(&mut self, connection: &Connection) {
        let (ours, seq) = {
            let store = connection.store();
            if store.lost.is_some() {
                return;
            }
            let ours: Vec<_> = store
                .claims
                .names()
                .into_iter()
                .filter_map(|name| store.heard(&name).map(|heard| (name, heard)))
                .collect();
            (ours, store.seq)
        };
        self.drivers.retain(|name, _| ours.iter().any(|(known, _)| known == name));
        for (name, heard) in ours {
            let watch = self.drivers.entry(name.clone()).or_insert_with(|| Watch::new(heard));
            match watch.look(heard, self.shared.policy.alive) {
                Verdict::Alive => {}
                Verdict::Quiet => {
                    // The server's own answer shows that the line is free: a long BLOB delays both.
                    let _ = self.shared.ask(&name, "CONNECTION").and_then(|_| self.shared.send(&[ping()]));
                }
                Verdict::Silent => {
                    let line_is_free = seq > heard;
                    if line_is_free && connection.store().mute(&name) {
                        connection.say(&name, "[ERROR] the driver has stopped answering");
                    }
                }
            }
        }
    }
}

fn ping() -> Message<'static> {
    Message::PingRequest { uid: "astrobackend".into() }
}

/// Every device of ours is there and as it was.
fn is_complete(store: &Store) -> bool {
    store.claims.names().iter().all(|name| store.device(name).is_some_and(|device| !device.held))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_quiet_is_asked_and_then_given_up() {
        let mut watch = Watch::new(1);
        let (never, at_once) = (Duration::from_secs(3600), Duration::ZERO);
        assert_eq!(watch.look(1, never), Verdict::Alive);
        assert_eq!(watch.look(2, at_once), Verdict::Alive);
        assert_eq!(watch.look(2, at_once), Verdict::Quiet);
        assert_eq!(watch.look(2, never), Verdict::Alive, "it has its time to answer");
        assert_eq!(watch.look(2, at_once), Verdict::Silent);
        assert_eq!(watch.look(2, at_once), Verdict::Quiet);
        assert_eq!(watch.look(3, at_once), Verdict::Alive);
    }

    fn declared(steps: &[(&'static str, Values<'_>)]) -> Vec<(&'static str, Setting)> {
        let id = DeviceId::new(crate::device::DeviceKind::Camera, "C");
        let mut claims = Claims::default();
        claims.add(&id, &Address::new("indi"), &[]);
        steps.iter().for_each(|(property, values)| claims.declare(&id, property, *values));
        claims.0.remove(&id).unwrap().settings
    }

    #[test]
    fn settings_are_kept_in_order_and_motions_are_not() {
        let numbers = |all: &[(&str, f64)]| {
            Setting::Numbers(all.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect())
        };
        let kept = declared(&[
            ("CCD_CONTROLS", Values::Numbers(&[("Gain", 1.0)])),
            ("CCD_BINNING", Values::Numbers(&[("HOR_BIN", 2.0)])),
            ("ABS_FOCUS_POSITION", Values::Numbers(&[("FOCUS_ABSOLUTE_POSITION", 2.0)])),
            ("TELESCOPE_PARK", Values::On("PARK")),
            ("CCD_CONTROLS", Values::Numbers(&[("Offset", 5.0)])),
            ("CCD_CONTROLS", Values::Numbers(&[("Gain", 3.0)])),
        ]);
        assert_eq!(
            kept,
            [
                ("CCD_BINNING", numbers(&[("HOR_BIN", 2.0)])),
                ("CCD_CONTROLS", numbers(&[("Offset", 5.0), ("Gain", 3.0)])),
            ]
        );
    }

    #[test]
    fn a_cooler_that_was_switched_off_stays_off() {
        let kept = declared(&[
            (cooler::SWITCH, Values::On("COOLER_ON")),
            (cooler::TEMPERATURE.0, Values::Numbers(&[(cooler::TEMPERATURE.1, -10.0)])),
            (cooler::SWITCH, Values::On(cooler::OFF)),
        ]);
        assert_eq!(kept, [(cooler::SWITCH, Setting::On(cooler::OFF.into()))]);
    }
}
