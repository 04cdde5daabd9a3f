//! Finding a server, connecting to it, and hearing its greeting, all within a time.

use crate::{
    Error, ErrorKind, Result,
    backend::tcp::{self, is_late, patience},
    wait::Deadline,
    wire::rpc::{Greeting, Incoming, Line, Lines},
};
use std::{
    fmt,
    io::{self, ErrorKind as IoKind, Read},
    net::TcpStream,
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
        let failed = |error: io::Error| self.unreachable(&error, timeout);
        let stream = tcp::connect_to(&self.host, self.port, &deadline).map_err(failed)?;
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
            greeted.receive(&deadline, timeout).map_err(failed)?;
        }
    }

    /// `Unreachable`, or `Timeout` when that is why.
    pub(super) fn unreachable(&self, error: &io::Error, limit: Duration) -> Error {
        match is_late(error) {
            true => Error::timeout(format_args!("reaching the RPC server at {self}"), limit),
            false => Error::new(ErrorKind::Unreachable, format!("no RPC server answers at {self}: {error}")),
        }
    }
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
    let silence = Deadline::after(pause.min(deadline.remaining()));
    loop {
        let left = silence.pause();
        if left.is_zero() {
            return Err(IoKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(patience(left)))?;
        match stream.read(buffer) {
            Ok(0) => return Err(io::Error::new(IoKind::UnexpectedEof, "the server closed the connection")),
            Err(error) if error.kind() == IoKind::Interrupted || is_late(&error) => {}
            other => return other,
        }
    }
}
