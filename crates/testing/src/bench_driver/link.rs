//! The ways out of the driver; a unix socket can carry descriptors beside the bytes.

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::{
    io::{self, IoSlice, Write},
    mem::MaybeUninit,
    net::TcpStream,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
};

/// Where the driver's bytes go.
#[derive(Debug)]
pub(super) enum Link {
    Stdout(io::Stdout),
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Link {
    /// Standard output as the unix socket that `indiserver` made of it.
    pub(super) fn attached_stdout() -> io::Result<Self> {
        Ok(Link::Unix(UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }

    /// Writes bytes, with a descriptor beside the first of them.
    pub(super) fn write_with(&mut self, bytes: &[u8], descriptor: BorrowedFd<'_>) -> io::Result<()> {
        let Link::Unix(socket) = self else {
            return Err(io::Error::other("only a unix socket carries descriptors"));
        };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor];
        beside.push(SendAncillaryMessage::ScmRights(&descriptors));
        let sent = sendmsg(&socket, &[IoSlice::new(bytes)], &mut beside, SendFlags::NOSIGNAL)?;
        socket.write_all(&bytes[sent..])
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            // Past the line buffer, which would look for line ends in a whole frame.
            Link::Stdout(stdout) => Ok(rustix::io::write(stdout.as_fd(), bytes)?),
            Link::Tcp(socket) => socket.write(bytes),
            Link::Unix(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
