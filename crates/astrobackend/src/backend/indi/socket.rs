//! Finding a server and connecting to it, within a time.

use crate::{Error, ErrorKind, Result, wait::Deadline};
use std::{
    fmt,
    io::ErrorKind as IoKind,
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Where a server listens.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Server {
    /// `Unreachable`, or `Timeout` when that is why.
    pub(super) fn unreachable(&self, error: &std::io::Error) -> Error {
        let late = matches!(error.kind(), IoKind::TimedOut | IoKind::WouldBlock);
        let kind = if late { ErrorKind::Timeout } else { ErrorKind::Unreachable };
        Error::new(kind, format!("no INDI server answers at {self}: {error}"))
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
}

/// Connects to the first address of a server that answers.
///
/// # Errors
/// `Unreachable` or `Timeout`.
pub(super) fn connect(server: &Server, timeout: Duration) -> Result<TcpStream> {
    let deadline = Deadline::after(timeout);
    let mut failure = std::io::Error::new(IoKind::NotFound, "the name has no address");
    for address in server.resolve(timeout)? {
        let left = deadline.remaining();
        if left.is_zero() {
            break;
        }
        match open(&address, left, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(server.unreachable(&failure))
}

fn open(address: &SocketAddr, left: Duration, timeout: Duration) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(address, left)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(timeout))?;
    Ok(stream)
}
