//! Linux's abstract unix sockets, on which `indiserver` passes BLOBs as descriptors of shared memory.

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, recv,
    recvmsg, socket_with,
};
use std::{
    collections::VecDeque,
    fs::File,
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::unix::net::UnixStream,
};

/// The most descriptors that a peer may leave unused.
const MAX_MEMORY: usize = 64;

/// Connects at once or not at all: a server that has stopped lets others wait without end.
pub(super) fn connect(name: &str) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Waits for bytes and leaves them where they are.
pub(super) fn peek(stream: &UnixStream) -> io::Result<usize> {
    Ok(recv(stream, &mut [0u8], RecvFlags::PEEK)?.0)
}

/// Reads bytes; the descriptors that come beside them queue up in `memory`, in their order.
pub(super) fn receive(stream: &UnixStream, buffer: &mut [u8], memory: &mut VecDeque<File>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let bytes = recvmsg(stream, &mut [IoSliceMut::new(buffer)], &mut beside, RecvFlags::CMSG_CLOEXEC)?.bytes;
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            memory.extend(descriptors.map(File::from));
        }
    }
    if memory.len() > MAX_MEMORY {
        return Err(io::Error::other("the server sends shared memory that belongs to no message"));
    }
    Ok(bytes)
}
