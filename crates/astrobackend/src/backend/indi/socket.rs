//! Finding a server and connecting to it within a time, over TCP or, on Linux, a unix socket.
//!
//! A server on this machine is tried over its unix socket first: images come as shared memory there.

use crate::{
    Error, ErrorKind, Result,
    backend::tcp::{self, is_late},
    wait::Deadline,
};
use std::{
    collections::VecDeque,
    fmt,
    fs::File,
    io::{self, ErrorKind as IoKind, Read, Write},
    net::{IpAddr, Shutdown, TcpStream},
    time::Duration,
};

#[cfg(target_os = "linux")]
use super::unix;
#[cfg(target_os = "linux")]
use crate::wait::TICK;
#[cfg(target_os = "linux")]
use std::os::unix::net::UnixStream;

/// INDI's port, registered with IANA.
pub(super) const PORT: u16 = 7624;

/// The name of the unix socket of an `indiserver` that was not told another.
const SOCKET: &str = "/tmp/indiserver";

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// The name of its unix socket; tried first.
    unix: Option<String>,
    tcp: Option<(String, u16)>,
}

impl Server {
    /// The server of an `indi` address. One on this machine, whose port is not named, is sought on its unix socket
    /// too; behind a port that is named there may be another server.
    pub(super) fn at(host: Option<&str>, port: Option<u16>) -> Self {
        let host = host.unwrap_or("localhost");
        let unix = (is_here(host) && port.is_none() && cfg!(target_os = "linux")).then(|| SOCKET.to_owned());
        Server { unix, tcp: Some((host.to_owned(), port.unwrap_or(PORT))) }
    }

    /// The same with the socket that the user names, or without when that is `off`.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub(super) fn with_socket(self, socket: &str) -> std::result::Result<Self, String> {
        let unix = match (&self.tcp, socket) {
            (_, "off") => None,
            (Some((host, _)), _) if !is_here(host) => return Err(format!("{host} is not this machine")),
            (_, name) if !name.starts_with('/') => return Err(format!("unix must be off or a name such as {SOCKET}")),
            (_, name) => Some(name.to_owned()),
        };
        Ok(Server { unix: unix.filter(|_| cfg!(target_os = "linux")), ..self })
    }

    /// The server of an `indi+unix` address.
    pub(super) fn on(socket: Option<&str>) -> Self {
        Server { unix: Some(socket.unwrap_or(SOCKET).to_owned()), tcp: None }
    }

    /// `Unreachable`, or `Timeout` when that is why.
    pub(super) fn unreachable(&self, error: &io::Error, limit: Duration) -> Error {
        match is_late(error) {
            true => Error::timeout(format_args!("reaching the INDI server at {self}"), limit),
            false => Error::new(ErrorKind::Unreachable, format!("no INDI server answers at {self}: {error}")),
        }
    }
}

/// True for the names and addresses that always mean this machine.
fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.tcp, &self.unix) {
            (Some((host, port)), _) => write!(f, "{host}:{port}"),
            (None, socket) => f.write_str(socket.as_deref().unwrap_or_default()),
        }
    }
}

/// A socket to a server.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(target_os = "linux")]
    Unix(UnixStream),
}

/// The same for each kind of socket.
macro_rules! each {
    ($socket:expr, $stream:ident => $body:expr) => {
        match $socket {
            Socket::Tcp($stream) => $body,
            #[cfg(target_os = "linux")]
            Socket::Unix($stream) => $body,
        }
    };
}

impl Socket {
    /// Another handle to the same socket.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Socket::Tcp(stream) => Socket::Tcp(stream.try_clone()?),
            #[cfg(target_os = "linux")]
            Socket::Unix(stream) => Socket::Unix(stream.try_clone()?),
        })
    }

    /// Ends the connection; whoever reads notices.
    pub(super) fn hang_up(&self) {
        let _ = each!(self, stream => stream.shutdown(Shutdown::Both));
    }

    /// Waits until there is something to read: an error when the server closes the connection or says nothing.
    pub(super) fn await_bytes(&self, timeout: Duration) -> io::Result<()> {
        each!(self, stream => stream.set_read_timeout(Some(timeout)))?;
        let bytes = match self {
            Socket::Tcp(stream) => stream.peek(&mut [0])?,
            #[cfg(target_os = "linux")]
            Socket::Unix(stream) => unix::peek(stream)?,
        };
        each!(self, stream => stream.set_read_timeout(None))?;
        if bytes == 0 { Err(IoKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Reads bytes, and what comes beside them as shared memory.
    pub(super) fn receive(&self, buffer: &mut [u8], memory: &mut VecDeque<File>) -> io::Result<usize> {
        #[cfg(not(target_os = "linux"))]
        let _ = memory;
        match self {
            Socket::Tcp(stream) => {
                let mut stream = stream;
                stream.read(buffer)
            }
            #[cfg(target_os = "linux")]
            Socket::Unix(stream) => unix::receive(stream, buffer, memory),
        }
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        each!(self, stream => { let mut stream = stream; stream.write(bytes) })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Connects to a server: over its unix socket, else to the first address that answers.
///
/// # Errors
/// `Unreachable` or `Timeout`.
pub(super) fn connect(server: &Server, timeout: Duration) -> Result<Socket> {
    let failed = |error: &io::Error| server.unreachable(error, timeout);
    let failure = match &server.unix {
        Some(name) => match connect_unix(name) {
            Ok(socket) => return Ok(socket),
            Err(error) => error,
        },
        None => IoKind::NotFound.into(),
    };
    let Some((host, port)) = &server.tcp else { return Err(failed(&failure)) };
    tcp::connect_to(host, *port, &Deadline::after(timeout)).map(Socket::Tcp).map_err(|error| failed(&error))
}

#[cfg(target_os = "linux")]
fn connect_unix(name: &str) -> io::Result<Socket> {
    let stream = unix::connect(name)?;
    stream.set_write_timeout(Some(TICK))?;
    Ok(Socket::Unix(stream))
}

#[cfg(not(target_os = "linux"))]
fn connect_unix(_name: &str) -> io::Result<Socket> {
    Err(io::Error::new(IoKind::Unsupported, "unix sockets are used on Linux only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_here_without_a_port_is_sought_on_its_unix_socket() {
        let local = cfg!(target_os = "linux").then_some("/tmp/indiserver");
        assert_eq!(Server::at(None, None).unix.as_deref(), local);
        assert_eq!(Server::at(Some("127.0.0.1"), None).unix.as_deref(), local);
        assert_eq!(Server::at(Some("localhost"), Some(7624)).unix, None);
        assert_eq!(Server::at(Some("pi.local"), None).unix, None);
        assert_eq!(Server::at(Some("pi.local"), None).to_string(), "pi.local:7624");
        let named = Server::at(None, Some(7625)).with_socket("/tmp/second").unwrap();
        assert_eq!(named.unix.is_some(), local.is_some());
        assert_eq!(Server::at(None, None).with_socket("off").unwrap().unix, None);
        assert_eq!(Server::on(None).to_string(), "/tmp/indiserver");
    }
}
