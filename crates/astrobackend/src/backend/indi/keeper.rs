//! Keeps a connection as its user left it: asks whether server and drivers are alive, and after a loss or a
//! restart connects the devices that were ours again, asks for their pictures and sends their settings again,
//! nothing else.
//!
//! Settings are what a user declared (binning, gain, set point), each read back. What moves something or
//! opens a shutter is never sent from here.

use super::{
    claims::Setting,
    connection::{Connection, Shared},
    cooler,
    handle::{Handle, Values},
    store::Store,
};
use crate::{Error, ErrorKind, Result, event::Link, wire::indi::Message};
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};

/// Longest pause between two tries to connect a device again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Devices that are asked in place of a server that knows no pings.
const MANY: usize = 16;

/// Between two looks whether everything is back.
const MOMENT: Duration = Duration::from_millis(50);

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

    /// Brings back what is there again; true while the link is being restored.
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
                return false;
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
        let claims = connection.store().claims.on(name);
        for (id, claim) in claims {
            let handle = Handle::new(connection.clone(), id, &claim.server, claim.keys);
            let pictures = || claim.pictures.map_or(Ok(()), |(vector, _)| handle.want_pictures(vector));
            if let Err(error) = handle.bring_back().and_then(|()| pictures()) {
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
}
