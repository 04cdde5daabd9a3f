//! TCP within the deadline of a call: what the system waits for by itself has none, or one that cannot be cut short.

use crate::wait::{Deadline, TICK, rest};
use socket2::{Domain, Socket, Type};
use std::{
    io::{self, ErrorKind as IoKind, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

/// True for what a socket says when its time is over.
pub(super) fn is_late(why: &io::Error) -> bool {
    matches!(why.kind(), IoKind::TimedOut | IoKind::WouldBlock)
}

/// Connects to the first address of a host that answers.
///
/// # Errors
/// `TimedOut`, or why the last one did not.
pub(super) fn connect_to(host: &str, port: u16, deadline: &Deadline) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(IoKind::NotFound, "the name has no address");
    for address in resolve(host, port, deadline)? {
        match connect(&address, deadline) {
            Ok(stream) => return Ok(stream),
            Err(why) => failure = why,
        }
        if deadline.has_passed() {
            break;
        }
    }
    Err(failure)
}

/// The addresses of a host. Asking a name server has no deadline of its own, so it happens on a thread.
///
/// # Errors
/// `TimedOut`, or that there are none.
pub(super) fn resolve(host: &str, port: u16, deadline: &Deadline) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    let ask = move || drop(sender.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter)));
    thread::Builder::new().name("astrobackend-resolve".into()).spawn(ask)?;
    loop {
        match receiver.recv_timeout(deadline.pause()) {
            Ok(addresses) => return addresses,
            Err(RecvTimeoutError::Timeout) if !deadline.has_passed() => {}
            Err(_) => {
                let why = format!("the address of {host} was not found in time");
                return Err(io::Error::new(IoKind::TimedOut, why));
            }
        }
    }
}

/// Connects; what is written then waits as [`write_all`] does.
///
/// # Errors
/// `TimedOut`, or why there is no connection.
pub(super) fn connect(address: &SocketAddr, deadline: &Deadline) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
    let left = deadline.pause();
    if left.is_zero() {
        return Err(IoKind::TimedOut.into());
    }
    match socket.connect_timeout(&(*address).into(), left) {
        Err(why) if why.kind() == IoKind::TimedOut => until_connected(&socket, deadline)?,
        connected => connected?,
    }
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(TICK))?;
    Ok(stream)
}

/// The attempt goes on by itself; nearly all are through before this is needed.
fn until_connected(socket: &Socket, deadline: &Deadline) -> io::Result<()> {
    while !deadline.has_passed() {
        rest(TICK);
        if let Some(why) = socket.take_error()? {
            return Err(why);
        }
        if socket.peer_addr().is_ok() {
            return Ok(());
        }
    }
    Err(IoKind::TimedOut.into())
}

/// Writes all, to a socket whose writes time out after a tick.
///
/// # Errors
/// `TimedOut`: some of it may have been written. Or why the connection broke.
pub(super) fn write_all(mut stream: impl Write, mut bytes: &[u8], deadline: &Deadline) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(IoKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(why) if why.kind() == IoKind::Interrupted => {}
            Err(why) if is_late(&why) && !deadline.has_passed() => {}
            Err(why) if is_late(&why) => return Err(IoKind::TimedOut.into()),
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

/// How long a read of a socket may wait, of what a call has left; a socket takes no zero and no century.
pub(super) fn patience(left: Duration) -> Duration {
    left.clamp(Duration::from_millis(1), Duration::from_secs(3600))
}
