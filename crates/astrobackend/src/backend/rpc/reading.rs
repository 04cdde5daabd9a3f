//! Reading a connection, by turns, and making it again.

use super::{
    connection::{Shared, Ticket, try_lock},
    policy::Policy,
    socket::{Greeted, too_long},
};
use crate::{
    Error, ErrorKind, Result, Supervision,
    backend::keeping::BACK_OFF,
    event::Link,
    sync::lock,
    wait::Deadline,
    wire::rpc::{Incoming, Line},
};
use std::{
    io::{self, ErrorKind as IoKind, Read},
    net::{Shutdown, TcpStream},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;

/// The shortest and the longest time for which somebody reads before he looks at the clock, and whether his call was
/// cancelled.
const TICK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// What is read from; held by whoever reads.
pub(super) struct Reader {
    greeted: Greeted,
    buffer: Vec<u8>,
    /// When something came last.
    heard: Instant,
    /// Why nothing will come any more.
    broken: Option<Error>,
}

impl Reader {
    /// Reads a connection in ticks: a socket has one timeout for all who read it.
    pub(super) fn new(greeted: Greeted, policy: &Policy) -> io::Result<Self> {
        let tick = (policy.timeout.min(policy.keeping.alive) / 10).clamp(TICK.0, TICK.1);
        greeted.stream.set_read_timeout(Some(tick))?;
        Ok(Reader { greeted, buffer: vec![0; PIECE], heard: Instant::now(), broken: None })
    }
}

impl Shared {
    /// Reads while nobody else does, and connects again, until the last user is gone.
    pub(super) fn run(self: &Arc<Self>, stream: TcpStream) {
        let mut next = Some(stream);
        let mut pause = BACK_OFF.0;
        while let Some(stream) = next.take() {
            self.watch(&stream);
            if self.closed.is_cancelled() || self.policy.keeping.policy == Supervision::Off {
                return;
            }
            if self.link.was_up() {
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

    /// A new connection to a server that greets; the socket to be watched.
    fn reopen(self: &Arc<Self>) -> Result<TcpStream> {
        let greeted = self.server.greet(self.policy.timeout)?;
        let failed = |error| self.server.unreachable(&error, self.policy.timeout);
        let clone = || greeted.stream.try_clone().map_err(failed);
        let (writer, watched) = (clone()?, clone()?);
        let greeting = greeted.greeting.clone();
        let reader = Reader::new(greeted, &self.policy).map_err(failed)?;
        *lock(&self.reader) = reader;
        *lock(&self.writer) = Arc::new(writer);
        {
            let mut state = lock(&self.state);
            state.greeting = greeting;
            state.lost = None;
        }
        if self.closed.is_cancelled() {
            // It was closed while the old socket was still in its place.
            self.hang_up();
        }
        self.link.set(Link::Restoring);
        // The keeper asks, and this thread must watch.
        self.work.wake();
        Ok(watched)
    }

    /// Reads what comes while nobody waits for an answer, and asks a silent server, until the connection ends.
    fn watch(self: &Arc<Self>, stream: &TcpStream) {
        let mut question: Option<(Ticket, Instant)> = None;
        loop {
            self.turns.await_quiet();
            // Looked at only: a caller may come first and read it.
            let looked = stream.peek(&mut [0]);
            // Held by a caller who reads: there is nothing to do here.
            let Some(mut reader) = try_lock(&self.reader) else { continue };
            if reader.broken.is_some() {
                return;
            }
            if looked.is_ok() {
                self.read_some(&mut reader);
                drop(reader);
                self.hand_over();
                continue;
            }
            let alive = self.policy.keeping.alive;
            match &question {
                _ if reader.heard.elapsed() < alive => question = None,
                None => {
                    drop(reader);
                    // Any answer will do.
                    let asked = self.send("focuser_is_moving", None, &Deadline::after(alive)).ok();
                    question = asked.map(|ticket| (ticket, Instant::now()));
                }
                Some((_, asked)) if asked.elapsed() < alive => {}
                Some(_) => {
                    self.give_up(&mut reader, &self.silent());
                    return;
                }
            }
        }
    }

    /// Reads once, for a tick at most, and hands out what came.
    pub(super) fn read_some(&self, reader: &mut Reader) {
        if reader.broken.is_some() {
            return;
        }
        let stream = &reader.greeted.stream;
        let why = match (&*stream).read(&mut reader.buffer) {
            Ok(0) => Error::new(ErrorKind::Unreachable, "the server closed the connection"),
            Ok(bytes) => {
                reader.heard = Instant::now();
                reader.greeted.lines.push(&reader.buffer[..bytes]);
                loop {
                    match reader.greeted.lines.next_line() {
                        Some(Line::Whole(line)) => self.take(Incoming::parse(line)),
                        Some(Line::TooLong) => break too_long(),
                        None => return,
                    }
                }
            }
            Err(error) => match error.kind() {
                IoKind::WouldBlock | IoKind::TimedOut | IoKind::Interrupted if !self.is_silent(reader) => return,
                IoKind::WouldBlock | IoKind::TimedOut | IoKind::Interrupted => self.silent(),
                _ => Error::new(ErrorKind::Unreachable, format!("the connection broke: {error}")),
            },
        };
        self.give_up(reader, &why);
    }

    /// Nothing came for long, though something was asked: while callers wait all the time, nobody else would notice.
    fn is_silent(&self, reader: &Reader) -> bool {
        let alive = self.policy.keeping.alive;
        let asked = || lock(&self.state).pending.values().any(|slot| slot.sent.elapsed() >= alive);
        reader.heard.elapsed() >= alive * 2 && asked()
    }

    fn silent(&self) -> Error {
        let alive = self.policy.keeping.alive;
        Error::new(ErrorKind::Unreachable, format!("the server has not answered for {alive:.1?}"))
    }

    /// The connection is of no use any more.
    fn give_up(&self, reader: &mut Reader, why: &Error) {
        reader.broken = Some(why.clone());
        let _ = reader.greeted.stream.shutdown(Shutdown::Both);
        if !self.closed.is_cancelled() {
            self.lose(why);
        }
        self.turns.wake();
    }

    /// Wakes those who wait for answers: one of them reads from now on.
    pub(super) fn hand_over(&self) {
        let waiting: Vec<_> = lock(&self.state).pending.values().cloned().collect();
        for slot in waiting {
            // Under its lock, lest it goes to sleep between its look and this.
            let _answer = lock(&slot.answer);
            slot.ready.notify_all();
        }
    }

    fn take(&self, incoming: Incoming) {
        match incoming {
            Incoming::Answer(id, outcome) => {
                if let Some(slot) = lock(&self.state).pending.remove(&id) {
                    slot.fill(outcome);
                }
            }
            Incoming::Unknown(error) => {
                let mut state = lock(&self.state);
                if let Some(slot) = state.only_pending().and_then(|id| state.pending.remove(&id)) {
                    slot.fill(Err(error));
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

    /// The connection is gone: whoever waits is told.
    fn lose(&self, why: &Error) {
        let pending = {
            let mut state = lock(&self.state);
            self.link.lose(why);
            state.lost = self.link.check().err().or_else(|| Some(why.clone()));
            state.losses += 1;
            std::mem::take(&mut state.pending)
        };
        pending.into_values().for_each(|slot| slot.fill(Err(why.clone())));
        if let Some(listener) = self.listener.get().and_then(Weak::upgrade) {
            listener.lost();
        }
    }
}
