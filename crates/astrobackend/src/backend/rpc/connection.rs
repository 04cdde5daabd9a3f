//! The connection to a server: requests go out as they come, answers are matched by their number.
//!
//! Whoever waits for an answer reads the socket himself, for all who wait, so that no answer has to change threads; a thread
//! of the connection reads while nobody waits. When the socket breaks, whoever waits is told at once; that thread then
//! connects again, more and more patiently. Nothing that was told before a loss counts after it.

use super::{policy::Policy, reading::Reader, socket::Server, turns::Turns};
use crate::{
    Error, ErrorKind, Result,
    backend::{
        keeping::{Claim, Keeper, Keeping, Kept, LinkState, Work},
        tcp,
    },
    device::{AnyDevice, DeviceId},
    event::Hub,
    sync::{Turn, lock},
    wait::{Cancel, Deadline},
    wire::rpc::{EXTENSIONS, Greeting, Method, ORIGINAL_LINE, request_line},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt,
    net::{Shutdown, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, TryLockError, Weak},
    thread,
    time::{Duration, Instant},
};

/// The longest that a thread sleeps at a time.
const LONGEST: Duration = Duration::from_secs(3600);

/// Who is told what happens; called on the reading thread, so it must be quick.
pub(super) trait Listener: Send + Sync {
    /// The server tells something.
    fn event(&self, name: &str, event: Value);

    /// The connection is lost.
    fn lost(&self);

    /// It was made again. Not called on the reading thread: it may ask.
    fn reopened(&self);
}

/// The lock, unless somebody holds it.
pub(super) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Where an answer arrives.
#[derive(Debug)]
pub(super) struct Slot {
    /// When the request was sent.
    pub(super) sent: Instant,
    pub(super) answer: Mutex<Option<(Instant, Result<Value>)>>,
    pub(super) ready: Condvar,
}

impl Slot {
    pub(super) fn fill(&self, answer: Result<Value>) {
        *lock(&self.answer) = Some((Instant::now(), answer));
        self.ready.notify_all();
    }
}

/// A request on its way; dropping it lets its answer go.
#[derive(Debug)]
pub(super) struct Ticket {
    id: u64,
    slot: Arc<Slot>,
    shared: Arc<Shared>,
}

impl Ticket {
    /// The answer, if it is there, and when it came.
    pub(super) fn answer(&self) -> Option<(Instant, Result<Value>)> {
        lock(&self.slot.answer).clone()
    }

    /// Waits for the answer; `None` when it does not come in time.
    pub(super) fn wait(&self, deadline: &Deadline) -> Option<Result<Value>> {
        let _call = self.shared.turns.call();
        loop {
            let answer = lock(&self.slot.answer);
            if let Some((_, outcome)) = answer.as_ref() {
                return Some(outcome.clone());
            }
            let left = deadline.pause().min(LONGEST);
            if left.is_zero() {
                return None;
            }
            // Tried under the slot's lock: whoever reads now will wake this slot, with its answer or to take over.
            match try_lock(&self.shared.reader) {
                Some(mut reader) => {
                    drop(answer);
                    // It may have come meanwhile.
                    if lock(&self.slot.answer).is_none() {
                        self.shared.read_some(&mut reader);
                    }
                    drop(reader);
                    self.shared.hand_over();
                }
                None => drop(self.slot.ready.wait_timeout(answer, left)),
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.shared.state).pending.remove(&self.id);
    }
}

pub(super) struct State {
    pub(super) greeting: Greeting,
    pub(super) lost: Option<Error>,
    /// How often the connection was lost.
    pub(super) losses: u64,
    pub(super) last_id: u64,
    pub(super) pending: HashMap<u64, Arc<Slot>>,
}

impl State {
    /// The one request that waits for an answer: with several it is not clear whose an answer without a number is, and
    /// they run into their deadlines.
    pub(super) fn only_pending(&self) -> Option<u64> {
        let mut all = self.pending.keys();
        all.next().filter(|_| all.next().is_none()).copied()
    }
}

/// What the threads and the users of a connection share.
pub(super) struct Shared {
    pub(super) server: Server,
    pub(super) policy: Policy,
    pub(super) state: Mutex<State>,
    pub(super) reader: Mutex<Reader>,
    pub(super) turns: Turns,
    pub(super) writer: Mutex<Arc<TcpStream>>,
    /// Held while a request is written.
    pub(super) writing: Turn,
    pub(super) listener: OnceLock<Weak<dyn Listener>>,
    pub(super) link: Arc<LinkState>,
    /// Wakes the keeper.
    pub(super) work: Arc<Work>,
    /// The last user is gone.
    pub(super) closed: Cancel,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("server", &self.server).finish_non_exhaustive()
    }
}

/// A connection; dropping it closes the socket, which ends its thread.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
    keeper: Keeper,
}

impl Connection {
    /// Connects, hears the greeting, and starts to read.
    ///
    /// # Errors
    /// `Unreachable`, `Timeout`, or `Protocol` for a server of another kind.
    pub(super) fn open(server: Server, policy: Policy, hub: Arc<Hub>) -> Result<Arc<Self>> {
        let greeted = server.greet(policy.timeout)?;
        let failed = |error| server.unreachable(&error, policy.timeout);
        let writer = greeted.stream.try_clone().map_err(failed)?;
        let watched = greeted.stream.try_clone().map_err(failed)?;
        let greeting = greeted.greeting.clone();
        let reader = Reader::new(greeted, &policy).map_err(failed)?;
        let state = State { greeting, lost: None, losses: 0, last_id: 0, pending: HashMap::new() };
        let keeper = Keeper::default();
        let shared = Arc::new(Shared {
            server: server.clone(),
            policy,
            state: Mutex::new(state),
            reader: Mutex::new(reader),
            turns: Turns::default(),
            writer: Mutex::new(Arc::new(writer)),
            writing: Turn::default(),
            listener: OnceLock::new(),
            link: Arc::new(LinkState::new(hub, None)),
            work: keeper.work(),
            closed: Cancel::new(),
        });
        let for_thread = shared.clone();
        let thread = thread::Builder::new().name("astrobackend-rpc".into());
        thread.spawn(move || for_thread.run(watched)).map_err(failed)?;
        let connection = Arc::new(Connection { shared, keeper });
        let kept: Weak<dyn Kept> = Arc::<Connection>::downgrade(&connection);
        connection.keeper.look_after(kept);
        Ok(connection)
    }

    /// Names who is told what happens; the first one named stays.
    pub(super) fn tell(&self, listener: Weak<dyn Listener>) {
        let _ = self.shared.listener.set(listener);
    }

    pub(super) fn link(&self) -> &Arc<LinkState> {
        &self.shared.link
    }

    /// A device that is brought back when it is lost.
    pub(super) fn enlist(&self, device: &AnyDevice, claim: &Arc<Claim>) {
        self.keeper.work().enlist(device, claim);
    }

    /// What is known of a device here.
    pub(super) fn claim(&self, id: DeviceId) -> Arc<Claim> {
        Arc::new(Claim::new(id, self.shared.link.clone(), self.keeper.work()))
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.shared.policy
    }

    pub(super) fn server(&self) -> &Server {
        &self.shared.server
    }

    /// What the server said first.
    pub(super) fn greeting(&self) -> Greeting {
        lock(&self.shared.state).greeting.clone()
    }

    /// How often the connection was lost: what was learned before the last time does not count.
    pub(super) fn losses(&self) -> u64 {
        lock(&self.shared.state).losses
    }

    /// Why there is no connection now.
    pub(super) fn lost(&self) -> Option<Error> {
        lock(&self.shared.state).lost.clone()
    }

    /// Asks and waits for the answer, as long as the policy allows.
    ///
    /// # Errors
    /// `Unreachable`, `Timeout`, or what the server answers.
    pub(super) fn call(&self, method: &str, params: Option<&Value>) -> Result<Value> {
        let limit = self.shared.policy.timeout;
        let deadline = Deadline::after(limit);
        let ticket = self.shared.send(method, params, &deadline)?;
        ticket.wait(&deadline).unwrap_or_else(|| Err(Error::timeout(method, limit)))
    }

    /// Asks for something whose answer comes when it has ended.
    ///
    /// # Errors
    /// `Unreachable`, or `Timeout` when the server takes no requests.
    pub(super) fn start(&self, method: &str, params: &Value) -> Result<Ticket> {
        self.shared.send(method, Some(params), &Deadline::after(self.shared.policy.timeout))
    }
}

impl Kept for Connection {
    fn link(&self) -> &Arc<LinkState> {
        &self.shared.link
    }

    fn keeping(&self) -> Keeping {
        self.shared.policy.keeping
    }

    /// The reading thread finds that out.
    fn probe(&self) -> Option<Result<()>> {
        None
    }

    fn reopened(&self) {
        if let Some(listener) = self.shared.listener.get().and_then(Weak::upgrade) {
            listener.reopened();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.closed.cancel();
        self.shared.hang_up();
        self.shared.turns.wake();
    }
}

/// Whether a server says that it has what is ours.
pub(super) fn is_extended(greeting: &Greeting) -> bool {
    greeting.extensions.iter().any(|name| name == EXTENSIONS)
}

impl Shared {
    pub(super) fn send(self: &Arc<Self>, method: &str, params: Option<&Value>, deadline: &Deadline) -> Result<Ticket> {
        let slot = Arc::new(Slot { sent: Instant::now(), answer: Mutex::default(), ready: Condvar::new() });
        let (id, extended) = {
            let mut state = lock(&self.state);
            if let Some(why) = &state.lost {
                return Err(why.clone());
            }
            state.last_id += 1;
            let id = state.last_id;
            // Before it is written: the answer may come before this thread goes on.
            state.pending.insert(id, slot.clone());
            (id, is_extended(&state.greeting))
        };
        let ticket = Ticket { id, slot, shared: self.clone() };
        let line = request_line(method, id, params)?;
        if line.len() > ORIGINAL_LINE && !extended {
            let limit = ORIGINAL_LINE;
            return Err(Error::invalid(format!("{method} is too long: the server reads {limit} bytes at most")));
        }
        let late = || Error::timeout("sending a request to the server", self.policy.timeout);
        let _writing = self.writing.take(deadline).ok_or_else(late)?;
        let writer = lock(&self.writer).clone();
        // In one piece: the original server takes a packet for a request.
        tcp::write_all(&*writer, &line, deadline).map_err(|error| {
            // Half a request cannot be taken back. The reading thread notices.
            let _ = writer.shutdown(Shutdown::Both);
            let failed = || Error::new(ErrorKind::Unreachable, format!("the server takes no requests: {error}"));
            if tcp::is_late(&error) { late() } else { failed() }
        })?;
        Ok(ticket)
    }

    /// Closes the socket; the reading thread notices.
    pub(super) fn hang_up(&self) {
        let _ = lock(&self.writer).shutdown(Shutdown::Both);
    }
}

/// The name of a method that each kind of device has.
pub(super) fn common(kind: crate::device::DeviceKind, name: &str) -> String {
    Method::common_name(kind, name)
}
