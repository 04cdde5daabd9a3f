//! Keeps a connection as its user left it: after a loss or a restart connects the devices that were ours again, asks for
//! their pictures and sends their settings again, nothing else.
//!
//! Settings are what a user declared (binning, gain, set point), each read back. What moves something or
//! opens a shutter is never sent from here.

use super::{
    claims::{Setting, words},
    connection::{Connection, Shared},
    cooler,
    handle::{Handle, Values},
    mount::tracking,
    store::Store,
};
use crate::{Error, ErrorKind, Result, backend::keeping::Pause, event::Link};
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};

/// First pause between two tries to connect a device again.
const FIRST: Duration = Duration::from_millis(500);

/// Between two looks whether everything is back, and where there is nothing to do.
const MOMENT: Duration = Duration::from_millis(50);
const IDLE: Duration = Duration::from_secs(5);

/// Sends a setting and waits until the device has it, as it says itself.
fn apply(handle: &Handle, property: &'static str, setting: &Setting) -> Result<()> {
    match setting {
        Setting::On(name) => {
            handle.switch_on(property, name)?;
            handle.verify(property, Values::On(name))
        }
        Setting::Numbers(all) => {
            let values: Vec<(&str, f64)> = all.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            match (property, &values[..]) {
                // No driver tells what it is to reach: that it is at work has to do.
                (property, [(_, degrees)]) if property == cooler::TEMPERATURE.0 => cooler::aim(handle, *degrees),
                (property, values) => {
                    handle.set(property, Values::Numbers(values))?;
                    handle.verify(property, Values::Numbers(values))
                }
            }
        }
    }
}

/// What a device was brought back to.
#[derive(Debug, Default)]
struct Report {
    restored: Vec<String>,
    failed: Vec<(String, Error)>,
}

impl Report {
    /// Each thing once; a part of it that failed makes it fail.
    fn note(&mut self, what: String, done: &Result<()>) {
        match done {
            Err(error) => {
                self.restored.retain(|known| *known != what);
                self.failed.push((what, error.clone()));
            }
            Ok(()) if self.restored.contains(&what) || self.failed.iter().any(|(known, _)| *known == what) => {}
            Ok(()) => self.restored.push(what),
        }
    }
}

/// The thread's own memory.
struct Keeper {
    shared: Arc<Shared>,
    /// Devices that could not be connected again.
    troubles: BTreeMap<String, Pause>,
    /// Devices that were brought back, not to be at once again.
    back: BTreeMap<String, Pause>,
    restoring_since: Option<Instant>,
}

/// Starts the thread; it ends when the last user of the connection is gone.
///
/// # Errors
/// `Unreachable` when the system has no thread to give.
pub(super) fn start(connection: &Arc<Connection>) -> Result<()> {
    let shared = connection.shared().clone();
    let weak = Arc::downgrade(connection);
    let keeper = Keeper { shared, troubles: BTreeMap::new(), back: BTreeMap::new(), restoring_since: None };
    let thread = thread::Builder::new().name("astrobackend-indi-keep".into());
    let failed = |error| Error::new(ErrorKind::Unreachable, format!("no thread for the connection: {error}"));
    thread.spawn(move || keeper.run(&weak)).map(drop).map_err(failed)
}

impl Keeper {
    fn run(mut self, weak: &Weak<Connection>) {
        let mut pause = IDLE;
        while self.shared.await_work(pause) {
            // Held only while there is work: the last user's drop must close the connection.
            let Some(connection) = weak.upgrade() else { return };
            let busy = self.restore(&connection);
            let waiting = !connection.store().held().is_empty();
            pause = if busy || waiting { MOMENT } else { IDLE };
        }
    }

    /// Brings back what is there again; true while the link is being restored.
    fn restore(&mut self, connection: &Arc<Connection>) -> bool {
        let (held, lost, restoring) = {
            let store = connection.store();
            (store.held(), store.lost.is_some(), store.restoring)
        };
        if lost {
            self.restoring_since = None;
            return false;
        }
        if restoring {
            // What went away with the connection has not gone by itself.
            self.back.clear();
        }
        for name in held {
            let is_over = |pauses: &BTreeMap<String, Pause>| pauses.get(&name).is_none_or(Pause::is_over);
            if is_over(&self.troubles) && is_over(&self.back) {
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
            self.shared.tell_link(Link::Up);
        }
        !done
    }

    /// Connects a device again and sends its settings, in all the kinds that it is.
    fn bring_back(&mut self, connection: &Arc<Connection>, name: &str) {
        let claims = connection.store().claims.on(name);
        let (mut anew, mut reports) = (false, Vec::new());
        for (id, claim) in claims {
            let mut handle = Handle::new(connection.clone(), id.clone(), &claim.server, claim.keys);
            handle.restoring = true;
            let pictures = || claim.pictures.map_or(Ok(()), |(vector, _)| handle.want_pictures(vector));
            match handle.bring_back().and_then(|connected| pictures().map(|()| connected)) {
                // Of a driver that is several devices the first one has connected all.
                Ok(connected) => anew |= connected,
                Err(error) => {
                    self.postpone(connection, name, &error);
                    return;
                }
            }
            let mut report = Report::default();
            if anew {
                report.restored.push("connection".into());
            }
            for (property, setting) in &claim.settings {
                let done = apply(&handle, property, setting);
                words(property, setting).into_iter().for_each(|what| report.note(what, &done));
            }
            if let Some((tracking, tracked)) = claim.tracking {
                report.note("tracking".into(), &tracking::put_back(&handle, tracking, anew, tracked));
            }
            reports.push((id, report));
        }
        // One that goes away again and again is left alone for longer each time.
        let before = self.troubles.remove(name);
        let before = before.or_else(|| self.back.get(name).copied()).filter(|pause| !pause.is_long_past());
        self.back.insert(name.to_owned(), Pause::after(before, FIRST));
        if connection.store().restored(name) {
            reports.into_iter().for_each(|(id, report)| connection.restored(&id, report.restored, report.failed));
            connection.touch(name);
        }
    }

    /// It cannot be connected now: later, with more patience each time.
    fn postpone(&mut self, connection: &Connection, name: &str, error: &Error) {
        if error.kind() == ErrorKind::Unreachable {
            return;
        }
        let known = self.troubles.get(name).copied();
        if known.is_none() {
            connection.say(name, &format!("[WARNING] could not be connected again: {}", error.message()));
        }
        self.troubles.insert(name.to_owned(), Pause::after(known, FIRST));
    }
}

/// Every device of ours is there and as it was.
fn is_complete(store: &Store) -> bool {
    store.claims.names().iter().all(|name| store.device(name).is_some_and(|device| !device.held))
}
