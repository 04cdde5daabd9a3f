//! Linux's abstract unix sockets, on which `indiserver` passes BLOBs as descriptors of shared memory.

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SocketAddrUnix, SocketFlags,
    SocketType, recv, recvmsg, socket_with,
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
    let received = recvmsg(stream, &mut [IoSliceMut::new(buffer)], &mut beside, RecvFlags::CMSG_CLOEXEC)?;
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            memory.extend(descriptors.map(File::from));
        }
    }
    // Whose BLOB the lost ones were cannot be told: images would be mixed up.
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::other("more shared memory came with a message than can be taken"));
    }
    if memory.len() > MAX_MEMORY {
        return Err(io::Error::other("the server sends shared memory that belongs to no message"));
    }
    Ok(received.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::{io::IoSlice, os::fd::AsFd};

    fn send(socket: &UnixStream, bytes: &[u8], count: usize) {
        let file = tempfile::tempfile().unwrap();
        let all = vec![file.as_fd(); count];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(20))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        assert!(beside.push(SendAncillaryMessage::ScmRights(&all)));
        sendmsg(socket, &[IoSlice::new(bytes)], &mut beside, SendFlags::empty()).unwrap();
    }

    #[test]
    fn descriptors_come_beside_the_bytes() {
        let ((server, client), mut memory, mut buffer) = (UnixStream::pair().unwrap(), VecDeque::new(), [0; 100]);
        send(&server, b"two", 2);
        send(&server, b"sixteen", 16);
        assert_eq!(peek(&client).unwrap(), 1);
        assert_eq!((receive(&client, &mut buffer, &mut memory).unwrap(), memory.len()), (3, 2));
        assert_eq!((receive(&client, &mut buffer, &mut memory).unwrap(), memory.len()), (7, 18));
    }

    #[test]
    fn what_would_pile_up_is_refused() {
        let ((server, client), mut memory, mut buffer) = (UnixStream::pair().unwrap(), VecDeque::new(), [0; 100]);
        send(&server, b"x", 20);
        assert!(receive(&client, &mut buffer, &mut memory).is_err(), "too many at once");
        memory.clear();
        let mut results = (0..6).map(|_| {
            send(&server, b"x", 15);
            receive(&client, &mut buffer, &mut memory)
        });
        assert!(results.any(|result| result.is_err()), "too many waiting");
    }
}
