//! The connection to a server: a socket, the thread that reads it into the [`Store`], and waiting for news.

use super::{
    incoming::{Incoming, receive},
    store::{Change, Store},
};
use crate::{
    Error, ErrorKind, Result,
    wait::Deadline,
    wire::indi::{Message, Parser},
};
use std::{
    fmt,
    io::{ErrorKind as IoKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// Longest pause between two looks of a wait whose answer may also come from the clock.
const TICK: Duration = Duration::from_millis(50);

/// Who is told what changed; called on the reading thread, so it must be quick.
pub(super) trait Listener: Send + Sync {
    /// These things changed.
    fn changed(&self, changes: Vec<Change>);

    /// The connection is gone.
    fn lost(&self, why: &Error);
}

/// What was sent: its own number, and that of the last message received before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) number: u64,
    pub(super) mark: u64,
}

struct Shared {
    store: Mutex<Store>,
    news: Condvar,
    waiting: AtomicUsize,
    /// Held while a message is written: the reading thread answers pings.
    writing: Mutex<()>,
    listener: OnceLock<Weak<dyn Listener>>,
}

/// A connection; dropping it closes the socket, which ends the reading thread.
pub(super) struct Connection {
    shared: Arc<Shared>,
    stream: TcpStream,
    /// The longest that a call waits for the server or a driver.
    pub(super) timeout: Duration,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("stream", &self.stream).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    /// Connects and starts to read.
    ///
    /// # Errors
    /// `Unreachable` or `Timeout`.
    pub(super) fn open(host: &str, port: u16, timeout: Duration) -> Result<Arc<Self>> {
        let stream = connect(host, port, timeout)?;
        let failed = |error| unreachable(host, port, &error);
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_write_timeout(Some(timeout)).map_err(failed)?;
        let reader = stream.try_clone().map_err(failed)?;
        let shared = Arc::new(Shared {
            store: Mutex::default(),
            news: Condvar::new(),
            waiting: AtomicUsize::new(0),
            writing: Mutex::default(),
            listener: OnceLock::new(),
        });
        let for_thread = shared.clone();
        let thread = thread::Builder::new().name("astrobackend-indi".into());
        thread.spawn(move || for_thread.read(reader)).map_err(failed)?;
        Ok(Arc::new(Connection { shared, stream, timeout }))
    }

    /// Names who is told of changes; the first one named stays.
    pub(super) fn tell(&self, listener: Weak<dyn Listener>) {
        let _ = self.shared.listener.set(listener);
    }

    /// The store, locked: hold it briefly.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.shared.store)
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
        self.send_noting(messages, |_, _| {})
    }

    /// Asks a driver to define a vector again; returns the number of the question.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(super) fn ask(&self, device: &str, property: &str) -> Result<u64> {
        let question = Message::GetProperties { device: Some(device.into()), name: Some(property.into()) };
        let sent = self.send_noting(&[question], |store, number| {
            if let Some(property) = store.property_mut(device, property) {
                property.ask(number);
            }
        })?;
        Ok(sent.number)
    }

    fn send_noting(&self, messages: &[Message<'_>], note: impl FnOnce(&mut Store, u64)) -> Result<Sent> {
        let mut bytes = Vec::new();
        messages.iter().for_each(|message| message.write(&mut bytes));
        let _writing = lock(&self.shared.writing);
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
        (&self.stream).write_all(&bytes).map_err(|error| {
            let error = Error::new(ErrorKind::Unreachable, format!("the server does not take commands: {error}"));
            self.shared.lose(error.clone());
            // A half message cannot be taken back: nothing more can be said on this socket.
            let _ = self.stream.shutdown(Shutdown::Both);
            error
        })?;
        Ok(sent)
    }

    /// Looks at the store, again at every news, until `look` has an answer; `None` when the deadline passes first.
    ///
    /// # Errors
    /// Why the connection was lost.
    pub(super) fn wait<T>(&self, deadline: Deadline, mut look: impl FnMut(&Store) -> Option<T>) -> Result<Option<T>> {
        let mut store = self.store();
        loop {
            if let Some(answer) = look(&store) {
                return Ok(Some(answer));
            }
            if let Some(why) = &store.lost {
                return Err(why.clone());
            }
            let left = deadline.remaining();
            if left.is_zero() {
                return Ok(None);
            }
            self.shared.waiting.fetch_add(1, Ordering::Relaxed);
            let waited = self.shared.news.wait_timeout(store, left.min(TICK));
            store = waited.unwrap_or_else(PoisonError::into_inner).0;
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Tells the listener that a command changed a device's state.
    pub(super) fn touch(&self, device: &str) {
        let changes = {
            let mut store = self.store();
            store.touch(device);
            std::mem::take(&mut store.changes)
        };
        self.shared.tell(changes);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Shared {
    /// Reads until the connection ends.
    fn read(&self, mut stream: TcpStream) {
        let (mut parser, mut pictures) = (Parser::default(), Vec::new());
        loop {
            let gone = match stream.read(parser.room()) {
                Ok(0) => "the server closed the connection".to_owned(),
                Ok(n) => {
                    parser.filled(n);
                    match self.take_in(&mut parser, &stream, &mut pictures) {
                        Ok(()) => continue,
                        Err(error) => error.message().to_owned(),
                    }
                }
                Err(error) if error.kind() == IoKind::Interrupted => continue,
                Err(error) => format!("the connection broke: {error}"),
            };
            let _ = stream.shutdown(Shutdown::Both);
            return self.lose(Error::new(ErrorKind::Unreachable, gone));
        }
    }

    /// Parses what came, and receives the rest of a BLOB that has begun.
    fn take_in(&self, parser: &mut Parser, stream: &TcpStream, pictures: &mut Vec<Incoming>) -> Result<()> {
        let wanted = |device: &str, vector: &str| lock(&self.store).wants_blobs(device, vector);
        loop {
            self.take_messages(parser, stream, pictures)?;
            let broke = |error| Error::protocol(format!("the connection broke: {error}"));
            if !receive(parser, stream, wanted, pictures).map_err(broke)? {
                return Ok(());
            }
        }
    }

    /// Puts what came into the store, under one lock for all the messages of a read.
    fn take_messages(&self, parser: &mut Parser, mut stream: &TcpStream, pictures: &mut Vec<Incoming>) -> Result<()> {
        let mut store: Option<MutexGuard<'_, Store>> = None;
        while let Some(message) = parser.next_message() {
            match message {
                Ok(Message::PingRequest { uid }) => {
                    let reply = Message::PingReply { uid }.to_bytes();
                    let _writing = lock(&self.writing);
                    stream.write_all(&reply).map_err(|error| Error::protocol(format!("no ping reply: {error}")))?;
                }
                Ok(message) => {
                    let store = store.get_or_insert_with(|| lock(&self.store));
                    store.apply(message)?;
                    pictures.drain(..).for_each(|picture| store.deliver(picture));
                }
                // It costs only itself; what waits for it has a deadline.
                Err(error) => {
                    pictures.clear();
                    store.get_or_insert_with(|| lock(&self.store)).complain(&error);
                }
            }
        }
        let Some(mut store) = store else { return Ok(()) };
        let changes = std::mem::take(&mut store.changes);
        drop(store);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.news.notify_all();
        }
        self.tell(changes);
        Ok(())
    }

    fn tell(&self, changes: Vec<Change>) {
        if let Some(listener) = self.listener.get().and_then(Weak::upgrade).filter(|_| !changes.is_empty()) {
            listener.changed(changes);
        }
    }

    fn lose(&self, why: Error) {
        let first = {
            let mut store = lock(&self.store);
            let first = store.lost.is_none();
            store.lost.get_or_insert(why.clone());
            first
        };
        self.news.notify_all();
        if let Some(listener) = self.listener.get().and_then(Weak::upgrade).filter(|_| first) {
            listener.lost(&why);
        }
    }
}

/// Connects to the first address of a host that answers.
fn connect(host: &str, port: u16, timeout: Duration) -> Result<TcpStream> {
    let deadline = Deadline::after(timeout);
    let mut failure = std::io::Error::new(IoKind::NotFound, "the name has no address");
    for address in resolve(host, port, timeout)? {
        let left = deadline.remaining();
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(unreachable(host, port, &failure))
}

/// The addresses of a host. Asking a name server has no deadline of its own, so it happens on a thread.
fn resolve(host: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    let failed = |error| unreachable(host, port, &error);
    let ask = move || drop(sender.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter)));
    thread::Builder::new().name("astrobackend-resolve".into()).spawn(ask).map_err(failed)?;
    match receiver.recv_timeout(timeout) {
        Ok(addresses) => addresses.map_err(failed),
        Err(_) => Err(Error::timeout(format!("finding the address of {host}"), timeout)),
    }
}

fn unreachable(host: &str, port: u16, error: &std::io::Error) -> Error {
    let kind = if error.kind() == IoKind::TimedOut { ErrorKind::Timeout } else { ErrorKind::Unreachable };
    Error::new(kind, format!("no INDI server answers at {host}:{port}: {error}"))
}
