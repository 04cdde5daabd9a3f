//! Asks whether server and drivers are alive, when they have been quiet for a while; gives up those that do not answer.
//!
//! On a thread of its own: while the [`keeper`](super::keeper) waits for one device, the others are asked.

use super::connection::{Connection, Shared};
use crate::{Error, ErrorKind, Result, wire::indi::Message};
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};

/// Devices that are asked in place of a server that knows no pings.
const MANY: usize = 16;

/// The shortest and the longest time between two looks.
const INTERVAL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

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

/// The thread's own memory.
struct Watcher {
    shared: Arc<Shared>,
    server: Watch,
    drivers: BTreeMap<String, Watch>,
}

/// Starts the thread; it ends when the last user of the connection is gone.
///
/// # Errors
/// `Unreachable` when the system has no thread to give.
pub(super) fn start(connection: &Arc<Connection>) -> Result<()> {
    let weak = Arc::downgrade(connection);
    let watcher = Watcher { shared: connection.shared().clone(), server: Watch::new(0), drivers: BTreeMap::new() };
    let thread = thread::Builder::new().name("astrobackend-indi-watch".into());
    let failed = |error| Error::new(ErrorKind::Unreachable, format!("no thread for the connection: {error}"));
    thread.spawn(move || watcher.run(&weak)).map(drop).map_err(failed)
}

impl Watcher {
    fn run(mut self, weak: &Weak<Connection>) {
        let interval = (self.shared.policy.keeping.alive / 4).clamp(INTERVAL.0, INTERVAL.1);
        while !self.shared.closed.wait(interval) {
            // Held only while there is work: the last user's drop must close the connection.
            let Some(connection) = weak.upgrade() else { return };
            let rests = {
                let store = self.shared.store();
                store.lost.is_some() || store.restoring
            };
            if rests {
                self.server = Watch::new(self.shared.received());
                self.drivers.clear();
                continue;
            }
            self.check_server();
            self.check_drivers(&connection);
        }
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
        match self.server.look(self.shared.received(), self.shared.policy.keeping.alive) {
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
                let alive = self.shared.policy.keeping.alive;
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
            match watch.look(heard, self.shared.policy.keeping.alive) {
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
