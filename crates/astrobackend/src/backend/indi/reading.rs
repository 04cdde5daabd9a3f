//! The thread that reads a connection into its store, and makes it again when it is lost: more and more patiently.

use super::{
    attached,
    connection::{EVERYTHING, Shared},
    incoming::{Incoming, receive},
    socket::{Socket, connect},
    store::Store,
};
use crate::{
    Error, ErrorKind, Result, Supervision,
    backend::{keeping::BACK_OFF, tcp},
    event::Link,
    sync::lock,
    wait::Deadline,
    wire::indi::{Message, Parser},
};
use std::{
    collections::VecDeque,
    fs::File,
    io::{ErrorKind as IoKind, Read},
    sync::{Arc, MutexGuard},
};

impl Shared {
    /// Reads, and connects again, until the last user is gone.
    pub(super) fn run(&self, stream: Socket) {
        let mut next = Some(stream);
        let mut pause = BACK_OFF.0;
        while let Some(stream) = next.take() {
            let why = self.read(&stream);
            // One that is lost while it is restored is tried again more patiently.
            let was_up = !self.store().restoring;
            stream.hang_up();
            self.lose(&why);
            if self.policy.keeping.policy == Supervision::Off {
                return;
            }
            if was_up {
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

    /// A new socket to a server that answers; the old picture of its devices is gone.
    fn reopen(&self) -> Result<Socket> {
        let failed = |error| self.server.unreachable(&error, self.policy.timeout);
        let stream = connect(&self.server, self.policy.timeout)?;
        let deadline = Deadline::after(self.policy.timeout);
        tcp::write_all(&stream, &EVERYTHING.to_bytes(), &deadline).map_err(failed)?;
        // A stopped server accepts connections and says nothing on them.
        stream.await_bytes(self.policy.timeout).map_err(failed)?;
        *lock(&self.socket) = Arc::new(stream.try_clone().map_err(failed)?);
        self.store().start_anew();
        if self.closed.is_cancelled() {
            // It was closed while the old socket was still in its place.
            self.hang_up();
        }
        self.tell_link(Link::Restoring);
        Ok(stream)
    }

    /// Reads until the connection ends; why it did.
    fn read(&self, stream: &Socket) -> Error {
        let (mut parser, mut pictures) = (Parser::default(), Vec::new());
        let mut source = Source { shared: self, stream, memory: VecDeque::new() };
        loop {
            match source.read(parser.room()) {
                Ok(0) => return Error::new(ErrorKind::Unreachable, "the server closed the connection"),
                Ok(bytes) => {
                    parser.filled(bytes);
                    if let Err(error) = self.take_in(&mut parser, &mut source, &mut pictures) {
                        return error;
                    }
                }
                Err(error) if error.kind() == IoKind::Interrupted => {}
                Err(error) => return broken(&error),
            }
        }
    }

    /// Parses what came, and receives the rest of a BLOB that has begun.
    fn take_in(&self, parser: &mut Parser, source: &mut Source<'_>, pictures: &mut Vec<Incoming>) -> Result<()> {
        let wanted = |device: &str, vector: &str| self.store().wants_blobs(device, vector);
        loop {
            self.take_messages(parser, source, pictures)?;
            if !receive(parser, &mut *source, wanted, pictures).map_err(|error| broken(&error))? {
                return Ok(());
            }
        }
    }

    /// Puts what came into the store, under one lock for all the messages of a read.
    fn take_messages(&self, parser: &mut Parser, source: &mut Source<'_>, pictures: &mut Vec<Incoming>) -> Result<()> {
        let mut store: Option<MutexGuard<'_, Store>> = None;
        while let Some(message) = &mut parser.next_message() {
            match message {
                Ok(Message::PingRequest { uid }) => {
                    // Never both locks: whoever sends takes them in the other order.
                    if let Some(store) = store.take() {
                        self.spread(store);
                    }
                    self.reply(uid, source.stream)?;
                }
                Ok(message) => {
                    if let Message::Set(vector) = message
                        && attached::has_attached(vector)
                    {
                        // Not under the lock: a frame takes a while.
                        drop(store.take());
                        let wanted = self.store().wants_blobs(&vector.device, &vector.name);
                        attached::take(vector, &mut source.memory, wanted, pictures);
                    }
                    let store = store.get_or_insert_with(|| self.store());
                    store.apply(message)?;
                    pictures.drain(..).for_each(|picture| store.deliver(picture));
                }
                // It costs only itself; what waits for it has a deadline.
                Err(error) => {
                    pictures.clear();
                    source.memory.clear();
                    store.get_or_insert_with(|| self.store()).complain(error);
                }
            }
        }
        if parser.is_between_messages() {
            // What came with messages that are through belongs to none that follows.
            source.memory.clear();
        }
        if let Some(store) = store {
            self.spread(store);
        }
        Ok(())
    }

    /// Answers a ping: all that came before it is in the store.
    fn reply(&self, uid: &str, stream: &Socket) -> Result<()> {
        let reply = Message::PingReply { uid: uid.into() }.to_bytes();
        let failed = |why| Error::new(ErrorKind::Unreachable, format!("the server does not take a ping reply: {why}"));
        let deadline = Deadline::after(self.policy.timeout);
        let _writing = self.writing.take(&deadline).ok_or_else(|| failed("another is not taken".to_owned()))?;
        tcp::write_all(stream, &reply, &deadline).map_err(|error| failed(error.to_string()))
    }
}

fn broken(error: &std::io::Error) -> Error {
    match error.kind() {
        IoKind::UnexpectedEof => Error::new(ErrorKind::Unreachable, "the server closed the connection"),
        _ => Error::new(ErrorKind::Unreachable, format!("the connection broke: {error}")),
    }
}

/// What is read, with note taken that the server is alive.
struct Source<'a> {
    shared: &'a Shared,
    stream: &'a Socket,
    /// Shared memory whose message has not come yet.
    memory: VecDeque<File>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.stream.receive(buffer, &mut self.memory)?;
        self.shared.hear(bytes);
        Ok(bytes)
    }
}
