//! One connection: a thread that reads commands, and one that writes at the pace of the line.

use super::{Act, Command, Cut, command::Splitter, lock};
use std::{
    fmt,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

/// How bytes travel to the client.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    /// Bytes at a time, and the time between them.
    pub(super) pace: Option<(usize, Duration)>,
    /// Bytes until the end, and what it is.
    pub(super) cut: Option<(usize, Cut)>,
}

/// A connected client; clones are the same one.
#[derive(Clone)]
pub(super) struct Client {
    number: usize,
    acts: Sender<Act>,
    gone: Arc<Gone>,
    stream: Arc<TcpStream>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.number)
    }
}

/// Set once the connection has ended; wakes whoever waits for time to pass.
#[derive(Debug, Default)]
struct Gone {
    flag: AtomicBool,
    lock: Mutex<()>,
    ended: Condvar,
}

impl Gone {
    fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    fn set(&self) {
        let _guard = lock(&self.lock);
        self.flag.store(true, Ordering::SeqCst);
        self.ended.notify_all();
    }

    /// Lets time pass; true when the connection has ended.
    fn wait(&self, time: Duration) -> bool {
        let _ = self.ended.wait_timeout_while(lock(&self.lock), time, |()| !self.is_set());
        self.is_set()
    }
}

impl Client {
    /// Writes to a connection, on a thread that ends with it.
    pub(super) fn start(stream: TcpStream, line: Line, number: usize) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (acts, queue) = channel();
        let client = Client { number, acts, gone: Arc::default(), stream: Arc::new(stream) };
        let writer = Writer { gone: client.gone.clone(), stream: client.stream.clone(), line, sent: 0 };
        std::thread::Builder::new().name("fake-indi-write".into()).spawn(move || writer.run(&queue))?;
        Ok(client)
    }

    /// Reads from it too, on another thread.
    pub(super) fn listen(&self, hear: impl Fn(Command) + Send + 'static) -> io::Result<()> {
        let (gone, stream, number) = (self.gone.clone(), self.stream.clone(), self.number);
        let read = move || {
            read_commands(&stream, number, hear);
            gone.set();
        };
        std::thread::Builder::new().name("fake-indi-read".into()).spawn(read).map(drop)
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_set()
    }

    /// Does these things after all that was asked before.
    pub(super) fn act(&self, acts: impl IntoIterator<Item = Act>) {
        for act in acts {
            let _ = self.acts.send(act);
        }
    }

    /// Ends the connection now.
    pub(super) fn close(&self) {
        self.gone.set();
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn read_commands(mut stream: &TcpStream, client: usize, hear: impl Fn(Command)) {
    let mut splitter = Splitter::default();
    let mut buffer = [0; 1 << 16];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        splitter.push(&buffer[..length]);
        while let Some(command) = splitter.next_command(client) {
            hear(command);
        }
    }
}

struct Writer {
    gone: Arc<Gone>,
    stream: Arc<TcpStream>,
    line: Line,
    sent: usize,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Act>) {
        // A short wait instead of an endless one: the reader may notice the end first.
        while !self.gone.is_set() {
            match queue.recv_timeout(Duration::from_millis(100)) {
                Ok(act) => {
                    if self.act(act).is_err() {
                        break;
                    }
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        self.gone.set();
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn act(&mut self, act: Act) -> io::Result<()> {
        match act {
            Act::Send(bytes) => self.send(&bytes),
            Act::Wait(time) if self.gone.wait(time) => Err(io::ErrorKind::NotConnected.into()),
            Act::Wait(_) => Ok(()),
            Act::Close => Err(io::ErrorKind::NotConnected.into()),
            Act::Endless(piece) => (0..).try_for_each(|number| self.send(&piece(number))),
        }
    }

    /// Sends bytes as the line allows.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut bytes = bytes;
        let mut cut = None;
        if let Some((limit, kind)) = self.line.cut {
            let left = limit.saturating_sub(self.sent);
            if bytes.len() >= left {
                (bytes, cut) = (&bytes[..left], Some(kind));
            }
        }
        self.sent += bytes.len();
        match self.line.pace {
            None => (&*self.stream).write_all(bytes)?,
            Some((size, interval)) => {
                for chunk in bytes.chunks(size) {
                    (&*self.stream).write_all(chunk)?;
                    if self.gone.wait(interval) {
                        return Err(io::ErrorKind::NotConnected.into());
                    }
                }
            }
        }
        match cut {
            Some(Cut::Close) => Err(io::ErrorKind::NotConnected.into()),
            Some(Cut::Silence) => {
                while !self.gone.wait(Duration::from_secs(3600)) {}
                Err(io::ErrorKind::NotConnected.into())
            }
            None => Ok(()),
        }
    }
}
