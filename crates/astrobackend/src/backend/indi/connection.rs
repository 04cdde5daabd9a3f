//! The connection to a server: a socket, what came from it in the [`Store`], commands, and waiting for news.
//!
//! When the socket breaks, whoever waits is told at once; the thread that [reads](super::reading) it then connects
//! again, and the [`keeper`](super::keeper) puts things back to where they were.

use super::{
    socket::{Server, Socket, connect},
    store::{Change, Store},
};
use crate::{
    Error, ErrorKind, Result, Timestamp,
    backend::{keeping::Keeping, tcp},
    device::DeviceId,
    event::{EventKind, Link},
    sync::{Turn, lock},
    wait::{Cancel, Deadline, ended},
    wire::indi::Message,
};
use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Longest pause between two looks of a wait whose answer may also come from the clock.
const TICK: Duration = Duration::from_millis(50);

/// Who is told what changed; called on the reading thread, so it must be quick.
pub(super) trait Listener: Send + Sync {
    /// These things changed.
    fn changed(&self, changes: Vec<Change>);

    /// The connection is lost, being restored, or as it was.
    fn link(&self, link: Link);

    /// A camera's picture was judged.
    fn judged(&self, camera: &DeviceId, news: EventKind);
}

/// How a connection is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    /// The longest that a call waits for the server or a driver.
    pub(super) timeout: Duration,
    /// What is done about a loss.
    pub(super) keeping: Keeping,
    /// Pictures are judged.
    pub(super) guard: bool,
}

/// What was sent: its own number, and that of the last message received before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) number: u64,
    pub(super) mark: u64,
}

/// What the threads and the users of a connection share.
pub(super) struct Shared {
    pub(super) policy: Policy,
    pub(super) server: Server,
    store: Mutex<Store>,
    news: Condvar,
    waiting: AtomicUsize,
    /// Wakes the keeper.
    work: Condvar,
    pub(super) socket: Mutex<Arc<Socket>>,
    /// Held while a message is written: the reading thread answers pings.
    pub(super) writing: Turn,
    /// Bytes that came so far.
    received: AtomicU64,
    listener: OnceLock<Weak<dyn Listener>>,
    /// The last user is gone.
    pub(super) closed: Cancel,
}

/// A connection; dropping it closes the socket, which ends its threads.
pub(super) struct Connection {
    shared: Arc<Shared>,
    /// The longest that a call waits for the server or a driver.
    pub(super) timeout: Duration,
    /// Pictures are judged.
    pub(super) guard: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("server", &self.shared.server).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects, asks for everything, and starts to read.
    ///
    /// # Errors
    /// `Unreachable` or `Timeout`.
    pub(super) fn open(server: Server, policy: Policy) -> Result<Arc<Self>> {
        let stream = connect(&server, policy.timeout)?;
        let failed = |error| server.unreachable(&error, policy.timeout);
        let reader = stream.try_clone().map_err(failed)?;
        let shared = Arc::new(Shared {
            policy,
            server: server.clone(),
            store: Mutex::default(),
            news: Condvar::new(),
            work: Condvar::new(),
            waiting: AtomicUsize::new(0),
            socket: Mutex::new(Arc::new(stream)),
            writing: Turn::default(),
            received: AtomicU64::new(0),
            listener: OnceLock::new(),
            closed: Cancel::new(),
        });
        let for_thread = shared.clone();
        let thread = thread::Builder::new().name("astrobackend-indi".into());
        thread.spawn(move || for_thread.run(reader)).map_err(failed)?;
        let connection = Arc::new(Connection { shared, timeout: policy.timeout, guard: policy.guard });
        {
            let mut store = connection.store();
            store.last_bytes = Some(Instant::now());
            store.restores = policy.keeping.restores();
        }
        connection.send(&[EVERYTHING])?;
        Ok(connection)
    }

    /// What the threads of this connection share.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Names who is told of changes; the first one named stays.
    pub(super) fn tell(&self, listener: Weak<dyn Listener>) {
        let _ = self.shared.listener.set(listener);
    }

    /// Tells listeners what was thought of a picture.
    pub(super) fn judged(&self, camera: &DeviceId, news: EventKind) {
        if let Some(listener) = self.shared.listener.get().and_then(Weak::upgrade) {
            listener.judged(camera, news);
        }
    }

    /// The store, locked: hold it briefly.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store()
    }

    /// A deadline for one request.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }

    /// Sends messages in one piece.
    ///
    /// # Errors
    /// `Unreachable` when the connection is gone, or breaks while it is written to.
    pub(super) fn send(&self, messages: &[Message<'_>]) -> Result<Sent> {
        self.shared.send(messages)
    }

    /// Asks a driver to define a vector again; returns the number of the question.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(super) fn ask(&self, device: &str, property: &str) -> Result<u64> {
        self.shared.ask(device, property)
    }

    /// Looks at the store, again at every news, until `look` has an answer; `None` when the deadline passes first.
    ///
    /// # Errors
    /// Why the connection was lost, also when it is back already; `Timeout` or `Cancelled` by the caller's own limit.
    pub(super) fn wait<T>(&self, deadline: Deadline, mut look: impl FnMut(&Store) -> Option<T>) -> Result<Option<T>> {
        let mut store = self.store();
        let began = store.seq;
        loop {
            if let Some(why) = store.lost_since(began) {
                return Err(why.clone());
            }
            if let Some(answer) = look(&store) {
                return Ok(Some(answer));
            }
            let left = deadline.pause();
            if left.is_zero() {
                // What is not known by now would have been, had the caller waited.
                return if ended().is_some() { Err(Error::timeout("the call", self.timeout)) } else { Ok(None) };
            }
            self.shared.waiting.fetch_add(1, Ordering::Relaxed);
            let waited = self.shared.news.wait_timeout(store, left.min(TICK));
            store = waited.unwrap_or_else(PoisonError::into_inner).0;
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Tells the listener that a command changed a device's state.
    pub(super) fn touch(&self, device: &str) {
        self.change(|store| store.touch(device));
    }

    /// Tells the listener something about a device that its driver cannot say itself.
    pub(super) fn say(&self, device: &str, text: &str) {
        self.change(|store| store.note(device, text));
    }

    /// Tells the listener what a device of ours was brought back to.
    pub(super) fn restored(&self, id: &DeviceId, restored: Vec<String>, failed: Vec<(String, Error)>) {
        let change = Change::Restored(id.clone(), restored, failed);
        self.change(|store| store.changes.extend(store.watched.then_some(change)));
    }

    fn change(&self, make: impl FnOnce(&mut Store)) {
        let changes = {
            let mut store = self.store();
            make(&mut store);
            std::mem::take(&mut store.changes)
        };
        self.shared.tell(changes);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.closed.cancel();
        // Under the lock, lest the keeper goes to sleep between its look and this.
        let store = self.store();
        self.shared.work.notify_all();
        drop(store);
        self.shared.hang_up();
    }
}

/// The question for all definitions.
pub(super) const EVERYTHING: Message<'static> = Message::GetProperties { device: None, name: None };

impl Shared {
    /// The store, locked: hold it briefly.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Bytes that came so far.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Notes that bytes came: the server is alive.
    pub(super) fn hear(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.store().last_bytes = Some(Instant::now());
    }

    /// As [`Connection::send`].
    pub(super) fn send(&self, messages: &[Message<'_>]) -> Result<Sent> {
        self.send_noting(messages, |_, _| {})
    }

    /// As [`Connection::ask`].
    pub(super) fn ask(&self, device: &str, property: &str) -> Result<u64> {
        let question = Message::GetProperties { device: Some(device.into()), name: Some(property.into()) };
        let sent = self.send_noting(&[question], |store, number| {
            if let Some(property) = store.property_mut(device, property) {
                property.ask(number, Instant::now());
            }
        })?;
        Ok(sent.number)
    }

    fn send_noting(&self, messages: &[Message<'_>], note: impl FnOnce(&mut Store, u64)) -> Result<Sent> {
        let mut bytes = Vec::new();
        messages.iter().for_each(|message| message.write(&mut bytes));
        let deadline = Deadline::after(self.policy.timeout);
        let late = || Error::timeout("sending a command to the server", self.policy.timeout);
        let _writing = self.writing.take(&deadline).ok_or_else(late)?;
        let socket = lock(&self.socket).clone();
        // Before it is written: the answer may come before this thread goes on.
        let sent = {
            let mut store = self.store();
            if let Some(why) = &store.lost {
                return Err(why.clone());
            }
            store.sent += 1;
            let number = store.sent;
            note(&mut store, number);
            Sent { number, mark: store.seq }
        };
        tcp::write_all(&*socket, &bytes, &deadline).map_err(|error| {
            // A half message cannot be taken back: nothing more can be said on this socket. The reading thread
            // notices.
            socket.hang_up();
            let failed = || Error::new(ErrorKind::Unreachable, format!("the server does not take commands: {error}"));
            if tcp::is_late(&error) { late() } else { failed() }
        })?;
        Ok(sent)
    }

    /// Closes the socket; the reading thread notices.
    pub(super) fn hang_up(&self) {
        lock(&self.socket).hang_up();
    }

    /// Gives the connection up.
    pub(super) fn give_up(&self, why: &Error) {
        self.lose(why);
        self.hang_up();
    }

    /// Waits until there is work for the keeper, or for a while; false when the last user is gone.
    pub(super) fn await_work(&self, pause: Duration) -> bool {
        let idle = |store: &mut Store| !store.work && !self.closed.is_cancelled();
        let waited = self.work.wait_timeout_while(self.store(), pause, idle);
        waited.unwrap_or_else(PoisonError::into_inner).0.work = false;
        !self.closed.is_cancelled()
    }

    /// Lets the store go and tells everybody who waits for something in it.
    pub(super) fn spread(&self, mut store: MutexGuard<'_, Store>) {
        let (changes, work) = (std::mem::take(&mut store.changes), store.work);
        drop(store);
        if work {
            self.work.notify_all();
        }
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.news.notify_all();
        }
        self.tell(changes);
    }

    fn tell(&self, changes: Vec<Change>) {
        if let Some(listener) = self.listener.get().and_then(Weak::upgrade).filter(|_| !changes.is_empty()) {
            listener.changed(changes);
        }
    }

    /// Tells the listener of the link.
    pub(super) fn tell_link(&self, link: Link) {
        if let Some(listener) = self.listener.get().and_then(Weak::upgrade) {
            listener.link(link);
        }
    }

    /// The connection is gone: nothing that is known counts any more.
    pub(super) fn lose(&self, why: &Error) {
        if self.store().lose(why) {
            self.news.notify_all();
            self.tell_link(Link::Lost { since: Timestamp::now(), why: why.clone() });
        }
    }
}
