//! The connection to a server: requests go out as they come, answers are matched by their number.
//!
//! One thread reads. When the socket breaks, whoever waits is told at once; the same thread then connects again, more
//! and more patiently. Nothing that was told before a loss counts after it.

use super::{
    policy::Policy,
    socket::{Greeted, Server, too_long},
};
use crate::{
    Error, ErrorKind, Result, Timestamp,
    event::Link,
    wait::{Cancel, Deadline},
    wire::rpc::{EXTENSIONS, Greeting, Incoming, Line, Method, ORIGINAL_LINE, request_line},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt,
    io::{ErrorKind as IoKind, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

/// Pause before the first try to connect again, and the longest; each try doubles it.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// A connection that lasted so long was a good one: after it the tries begin anew.
const STEADY: Duration = Duration::from_secs(60);

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;

/// Who is told what happens; called on the reading thread, so it must be quick.
pub(super) trait Listener: Send + Sync {
    /// The server tells something.
    fn event(&self, name: &str, event: Value);

    /// The connection is lost, being restored, or as it was.
    fn link(&self, link: Link);

    /// It was made again: puts things back to where they were. On a thread of its own.
    fn restore(&self);
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where an answer arrives.
#[derive(Debug, Default)]
struct Slot {
    answer: Mutex<Option<(Instant, Result<Value>)>>,
    ready: Condvar,
}

impl Slot {
    fn fill(&self, answer: Result<Value>) {
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
        let mut answer = lock(&self.slot.answer);
        loop {
            if let Some((_, outcome)) = answer.as_ref() {
                return Some(outcome.clone());
            }
            let left = deadline.remaining();
            if left.is_zero() {
                return None;
            }
            let left = left.min(Duration::from_secs(3600));
            answer = self.slot.ready.wait_timeout(answer, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.shared.state).pending.remove(&self.id);
    }
}

struct Pending {
    slot: Arc<Slot>,
    /// Its answer comes when what it started has ended.
    late: bool,
}

struct State {
    greeting: Greeting,
    lost: Option<Error>,
    /// How often the connection was lost.
    losses: u64,
    last_id: u64,
    pending: HashMap<u64, Pending>,
}

impl State {
    /// The one request that waits for an answer, not counting exposures unless there is nothing else: with several, it is
    /// not clear whose an answer without a number is, and they run into their deadlines.
    fn only_pending(&self) -> Option<u64> {
        let of = |late: bool| self.pending.iter().filter(move |(_, pending)| pending.late == late).map(|(id, _)| *id);
        let late = of(false).next().is_none();
        let mut candidates = of(late);
        candidates.next().filter(|_| candidates.next().is_none())
    }
}

/// What the threads and the users of a connection share.
struct Shared {
    server: Server,
    policy: Policy,
    state: Mutex<State>,
    /// Held while a request is written.
    writer: Mutex<TcpStream>,
    listener: OnceLock<Weak<dyn Listener>>,
    /// The last user is gone.
    closed: Cancel,
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
}

impl Connection {
    /// Connects, hears the greeting, and starts to read.
    ///
    /// # Errors
    /// `Unreachable`, `Timeout`, or `Protocol` for a server of another kind.
    pub(super) fn open(server: Server, policy: Policy) -> Result<Arc<Self>> {
        let greeted = server.greet(policy.timeout)?;
        let failed = |error| server.unreachable(&error);
        let writer = greeted.stream.try_clone().map_err(failed)?;
        let greeting = greeted.greeting.clone();
        let state = State { greeting, lost: None, losses: 0, last_id: 0, pending: HashMap::new() };
        let shared = Arc::new(Shared {
            server: server.clone(),
            policy,
            state: Mutex::new(state),
            writer: Mutex::new(writer),
            listener: OnceLock::new(),
            closed: Cancel::new(),
        });
        let for_thread = shared.clone();
        let thread = thread::Builder::new().name("astrobackend-rpc".into());
        thread.spawn(move || for_thread.run(greeted)).map_err(failed)?;
        Ok(Arc::new(Connection { shared }))
    }

    /// Names who is told what happens; the first one named stays.
    pub(super) fn tell(&self, listener: Weak<dyn Listener>) {
        let _ = self.shared.listener.set(listener);
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
        let ticket = self.shared.send(method, params, false)?;
        ticket.wait(&deadline).unwrap_or_else(|| Err(Error::timeout(method, limit)))
    }

    /// Asks for something whose answer comes when it has ended.
    ///
    /// # Errors
    /// `Unreachable`.
    pub(super) fn start(&self, method: &str, params: &Value) -> Result<Ticket> {
        self.shared.send(method, Some(params), true)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.closed.cancel();
        self.shared.hang_up();
    }
}

/// Whether a server says that it has what is ours.
pub(super) fn is_extended(greeting: &Greeting) -> bool {
    greeting.extensions.iter().any(|name| name == EXTENSIONS)
}

impl Shared {
    fn send(self: &Arc<Self>, method: &str, params: Option<&Value>, late: bool) -> Result<Ticket> {
        let slot = Arc::new(Slot::default());
        let (id, extended) = {
            let mut state = lock(&self.state);
            if let Some(why) = &state.lost {
                return Err(why.clone());
            }
            state.last_id += 1;
            let id = state.last_id;
            // Before it is written: the answer may come before this thread goes on.
            state.pending.insert(id, Pending { slot: slot.clone(), late });
            (id, is_extended(&state.greeting))
        };
        let ticket = Ticket { id, slot, shared: self.clone() };
        let line = request_line(method, id, params)?;
        if line.len() > ORIGINAL_LINE && !extended {
            let limit = ORIGINAL_LINE;
            return Err(Error::invalid(format!("{method} is too long: the server reads {limit} bytes at most")));
        }
        let mut writer = lock(&self.writer);
        // In one piece: the original server takes a packet for a request.
        if let Err(error) = writer.write_all(&line) {
            // Half a request cannot be taken back. The reading thread notices.
            let _ = writer.shutdown(Shutdown::Both);
            return Err(Error::new(ErrorKind::Unreachable, format!("the server takes no requests: {error}")));
        }
        Ok(ticket)
    }

    /// Closes the socket; the reading thread notices.
    fn hang_up(&self) {
        let _ = lock(&self.writer).shutdown(Shutdown::Both);
    }

    /// Reads, and connects again, until the last user is gone.
    fn run(self: &Arc<Self>, greeted: Greeted) {
        let mut next = Some(greeted);
        let mut pause = BACK_OFF.0;
        while let Some(mut greeted) = next.take() {
            let since = Instant::now();
            let why = self.read(&mut greeted);
            let _ = greeted.stream.shutdown(Shutdown::Both);
            if self.closed.is_cancelled() {
                return;
            }
            self.lose(&why);
            if !self.policy.reconnect {
                return;
            }
            if since.elapsed() > STEADY {
                pause = BACK_OFF.0;
            }
            while next.is_none() {
                if self.closed.wait(pause) {
                    return;
                }
                pause = (pause * 2).min(BACK_OFF.1);
                next = self.reopen().ok();
            }
        }
    }

    /// A new connection to a server that greets.
    fn reopen(self: &Arc<Self>) -> Result<Greeted> {
        let greeted = self.server.greet(self.policy.timeout)?;
        let writer = greeted.stream.try_clone().map_err(|error| self.server.unreachable(&error))?;
        *lock(&self.writer) = writer;
        {
            let mut state = lock(&self.state);
            state.greeting = greeted.greeting.clone();
            state.lost = None;
        }
        if self.closed.is_cancelled() {
            // It was closed while the old socket was still in its place.
            self.hang_up();
        }
        self.tell_link(Link::Restoring);
        let listener = self.listener.get().cloned();
        let restore = move || {
            if let Some(listener) = listener.and_then(|listener| listener.upgrade()) {
                listener.restore();
            }
        };
        // It asks, and this thread must read the answers.
        let thread = thread::Builder::new().name("astrobackend-rpc-restore".into());
        thread.spawn(restore).map_err(|error| self.server.unreachable(&error))?;
        Ok(greeted)
    }

    /// Reads until the connection ends; why it did.
    fn read(self: &Arc<Self>, greeted: &mut Greeted) -> Error {
        let mut buffer = vec![0; PIECE];
        let mut question: Option<Ticket> = None;
        if let Err(error) = greeted.stream.set_read_timeout(Some(self.policy.alive)) {
            return self.server.unreachable(&error);
        }
        loop {
            while let Some(line) = greeted.lines.next_line() {
                match line {
                    Line::Whole(line) => self.take(Incoming::parse(line)),
                    Line::TooLong => return too_long(),
                }
            }
            match greeted.stream.read(&mut buffer) {
                Ok(0) => return Error::new(ErrorKind::Unreachable, "the server closed the connection"),
                Ok(bytes) => {
                    question = None;
                    greeted.lines.push(&buffer[..bytes]);
                }
                Err(error) if error.kind() == IoKind::Interrupted => {}
                Err(error) if matches!(error.kind(), IoKind::WouldBlock | IoKind::TimedOut) => {
                    if question.is_some() {
                        let alive = self.policy.alive;
                        let why = format!("the server has not answered for {alive:.1?}");
                        return Error::new(ErrorKind::Unreachable, why);
                    }
                    // Any answer will do.
                    question = self.send("focuser_is_moving", None, false).ok();
                }
                Err(error) => return Error::new(ErrorKind::Unreachable, format!("the connection broke: {error}")),
            }
        }
    }

    fn take(&self, incoming: Incoming) {
        match incoming {
            Incoming::Answer(id, outcome) => {
                if let Some(pending) = lock(&self.state).pending.remove(&id) {
                    pending.slot.fill(outcome);
                }
            }
            Incoming::Unknown(error) => {
                let mut state = lock(&self.state);
                if let Some(pending) = state.only_pending().and_then(|id| state.pending.remove(&id)) {
                    pending.slot.fill(Err(error));
                }
            }
            Incoming::Event(name, event) => {
                if let Some(listener) = self.listener.get().and_then(Weak::upgrade) {
                    listener.event(&name, event);
                }
            }
            Incoming::Greeting(_) | Incoming::Nothing => {}
        }
    }

    fn tell_link(&self, link: Link) {
        if let Some(listener) = self.listener.get().and_then(Weak::upgrade) {
            listener.link(link);
        }
    }

    /// The connection is gone: whoever waits is told.
    fn lose(&self, why: &Error) {
        let pending = {
            let mut state = lock(&self.state);
            state.lost = Some(why.clone());
            state.losses += 1;
            std::mem::take(&mut state.pending)
        };
        pending.into_values().for_each(|pending| pending.slot.fill(Err(why.clone())));
        self.tell_link(Link::Lost { since: Timestamp::now(), why: why.clone() });
    }
}

/// The name of a method that each kind of device has.
pub(super) fn common(kind: crate::device::DeviceKind, name: &str) -> String {
    Method::common_name(kind, name)
}
