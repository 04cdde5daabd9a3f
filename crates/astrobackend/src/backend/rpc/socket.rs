//! Finding a server, connecting to it, and hearing its greeting, all within a time.

use crate::{
    Error, ErrorKind, Result,
    wait::Deadline,
    wire::rpc::{Greeting, Incoming, Line, Lines},
};
use std::{
    fmt,
    io::{self, ErrorKind as IoKind, Read},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::mpsc,
    thread,
    time::Duration,
};

/// The longest line that a server may send: names and states are short. Its values may take forty times as much memory.
const LINE: usize = 4 << 20;

/// Where a server listens.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
}

/// `host:port`
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A connection whose server has said who it is.
#[derive(Debug)]
pub(super) struct Greeted {
    pub(super) stream: TcpStream,
    pub(super) lines: Lines,
    pub(super) greeting: Greeting,
}

impl Server {
    /// Connects and waits for the greeting.
    ///
    /// # Errors
    /// `Unreachable`, `Timeout`, or `Protocol` for a server of another kind.
    pub(super) fn greet(&self, timeout: Duration) -> Result<Greeted> {
        let deadline = Deadline::after(timeout);
        let stream = self.connect(timeout)?;
        let mut greeted = Greeted { stream, lines: Lines::new(LINE), greeting: Greeting::default() };
        loop {
            let greeting = match greeted.lines.next_line() {
                Some(Line::Whole(line)) => match Incoming::parse(line) {
                    Incoming::Greeting(greeting) => Some(greeting),
                    _ => return Err(Error::protocol(format!("{self} is no server of this kind: it says no greeting"))),
                },
                Some(Line::TooLong) => return Err(too_long()),
                None => None,
            };
            if let Some(greeting) = greeting {
                greeted.greeting = greeting;
                return Ok(greeted);
            }
            greeted.receive(&deadline, timeout).map_err(|error| self.unreachable(&error))?;
        }
    }

    /// Connects to the first address that answers.
    fn connect(&self, timeout: Duration) -> Result<TcpStream> {
        let deadline = Deadline::after(timeout);
        let mut failure = io::Error::new(IoKind::NotFound, "the name has no address");
        for address in self.resolve(timeout)? {
            let left = deadline.remaining();
            if left.is_zero() {
                break;
            }
            match connect(&address, left, timeout) {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(self.unreachable(&failure))
    }

    /// The addresses of the host. Asking a name server has no deadline of its own, so it happens on a thread.
    fn resolve(&self, timeout: Duration) -> Result<Vec<SocketAddr>> {
        if let Ok(ip) = self.host.parse() {
            return Ok(vec![SocketAddr::new(ip, self.port)]);
        }
        let (sender, receiver) = mpsc::channel();
        let (name, port) = (self.host.clone(), self.port);
        let ask = move || drop(sender.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter)));
        let thread = thread::Builder::new().name("astrobackend-resolve".into());
        thread.spawn(ask).map_err(|error| self.unreachable(&error))?;
        match receiver.recv_timeout(timeout) {
            Ok(addresses) => addresses.map_err(|error| self.unreachable(&error)),
            Err(_) => Err(Error::timeout(format!("finding the address of {}", self.host), timeout)),
        }
    }

    /// `Unreachable`, or `Timeout` when that is why.
    pub(super) fn unreachable(&self, error: &io::Error) -> Error {
        let late = matches!(error.kind(), IoKind::TimedOut | IoKind::WouldBlock);
        let kind = if late { ErrorKind::Timeout } else { ErrorKind::Unreachable };
        Error::new(kind, format!("no RPC server answers at {self}: {error}"))
    }
}

fn connect(address: &SocketAddr, left: Duration, timeout: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(address, left)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(timeout))?;
    Ok(stream)
}

/// What a line beyond all measure is.
pub(super) fn too_long() -> Error {
    Error::protocol("the server sends a line without end")
}

impl Greeted {
    /// Takes in what comes next; an error when nothing does before the deadline, or within the pause.
    pub(super) fn receive(&mut self, deadline: &Deadline, pause: Duration) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let bytes = receive(&self.stream, &mut buffer, deadline, pause)?;
        self.lines.push(&buffer[..bytes]);
        Ok(())
    }
}

/// Reads something.
pub(super) fn receive(
    mut stream: &TcpStream,
    buffer: &mut [u8],
    deadline: &Deadline,
    pause: Duration,
) -> io::Result<usize> {
    loop {
        let left = deadline.remaining().min(pause);
        if left.is_zero() {
            return Err(IoKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(buffer) {
            Ok(0) => return Err(io::Error::new(IoKind::UnexpectedEof, "the server closed the connection")),
            Err(error) if error.kind() == IoKind::Interrupted => {}
            other => return other,
        }
    }
}
