//! HTTP/1.1 as Alpaca needs it: one request, one reply, each read and write under a deadline.
//!
//! A general client would bring redirects, compression, cookies and TLS, none of which Alpaca has, and would hide
//! what matters here: how far a request got when it failed, and pixels read straight to where they belong.

use super::pool::{Pool, Turn};
use crate::{
    Error, ErrorKind,
    backend::tcp::{self, is_late, patience},
    wait::{Deadline, ended},
    wire::alpaca::head::{self, Framing, MOST_LINES},
};
use std::{
    io::{self, ErrorKind as IoKind, Read},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// The longest line before or behind a chunk.
const LONGEST_LINE: usize = 4096;

/// Bytes read from the network at once into a connection's own memory.
const BUFFER: usize = 16 << 10;

/// The slowest that a picture may arrive, bytes per second, averaged over [`Limit`]'s window.
const SLOWEST: u64 = 256;

/// A server that says nothing for so long, or for a part of all the time it has, may be waiting for a connection to be
/// closed.
const SILENCE: Duration = Duration::from_secs(1);
const PART: u32 = 4;

/// So much longer than it should a read may wait, when that spares setting its timeout anew.
const EARLY: Duration = Duration::from_millis(25);

/// How a request failed before its reply was complete.
#[derive(Debug)]
pub(super) enum Fault {
    /// No connection was made: nothing was sent.
    Refused(io::Error),
    /// The connection ended before a byte of the reply. What was asked may have been done.
    HungUp(io::Error),
    /// It ended within the reply.
    Broken(io::Error),
    /// A deadline passed; the sentence says which.
    Late(String),
    /// The caller's own limit has ended it: that says nothing about the server.
    Ended,
    /// This is not HTTP.
    Garbled(String),
}

impl Fault {
    /// Too late; `why` unless it is the caller who wants no more.
    pub(super) fn late(why: impl Into<String>) -> Self {
        if ended().is_some() { Fault::Ended } else { Fault::Late(why.into()) }
    }

    /// The error for a caller; `server` is where the request went, `asked` what it was.
    pub(super) fn at(self, server: impl std::fmt::Display, asked: &str) -> Error {
        match self {
            Fault::Refused(why) => {
                Error::new(ErrorKind::Unreachable, format!("no Alpaca server answers at {server}: {why}"))
            }
            Fault::HungUp(why) | Fault::Broken(why) => {
                Error::new(ErrorKind::Unreachable, format!("the connection to {server} broke at {asked}: {why}"))
            }
            Fault::Late(why) => Error::new(ErrorKind::Timeout, format!("{server} {why}, asked for {asked}")),
            Fault::Ended => Error::timeout(format_args!("{asked} at {server}"), Duration::ZERO),
            Fault::Garbled(why) => Error::protocol(format!("{server} {why}, asked for {asked}")),
        }
    }
}

/// How long an exchange may take: all of it, and optionally the slowest that its body may come.
#[derive(Debug)]
pub(super) struct Limit<'a> {
    deadline: Deadline,
    total: Duration,
    turn: Option<Turn<'a>>,
    /// When something came last.
    heard: Instant,
    window: Option<Window>,
}

#[derive(Debug)]
struct Window {
    length: Duration,
    since: Instant,
    bytes: u64,
}

impl<'a> Limit<'a> {
    /// For a reply that may have to wait for a connection of this pool to be closed; `quick`: the answer to a question
    /// that takes a server no time.
    pub(super) fn of(total: Duration, pool: &'a Pool, quick: bool) -> Self {
        let (deadline, turn) = (Deadline::after(total), Some(Turn::of(pool, quick)));
        Limit { deadline, total, turn, heard: Instant::now(), window: None }
    }

    /// From now on, less than 256 bytes per second over such a time is too slow.
    pub(super) fn watch(&mut self, total: Duration, stall: Duration) {
        let now = Instant::now();
        let window = Some(Window { length: stall, since: now, bytes: 0 });
        *self = Limit { deadline: Deadline::after(total), total, turn: None, heard: now, window };
    }

    /// When all must be there.
    pub(super) fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// How long the next read may wait.
    fn left(&self) -> Result<Duration, Fault> {
        let left = self.deadline.pause();
        if left.is_zero() {
            return Err(Fault::late(format!("did not answer completely within {:.1?}", self.total)));
        }
        let left = if self.turn.is_some() { left.min(self.silence()) } else { left };
        Ok(self.window.as_ref().map_or(left, |window| left.min(window.length.saturating_sub(window.since.elapsed()))))
    }

    /// After how long without a byte the server may be waiting for a connection to be closed.
    fn silence(&self) -> Duration {
        SILENCE.min(self.total / PART)
    }

    /// Bytes have arrived, or none within [`Limit::left`].
    fn arrived(&mut self, bytes: usize) -> Result<(), Fault> {
        let silence = self.silence();
        match &mut self.turn {
            Some(turn) if bytes > 0 => turn.comes(),
            Some(turn) if self.heard.elapsed() >= silence => turn.passes(),
            _ => {}
        }
        if bytes > 0 {
            self.heard = Instant::now();
        }
        let Some(window) = &mut self.window else { return Ok(()) };
        window.bytes += bytes as u64;
        if window.since.elapsed() >= window.length {
            if window.bytes < (SLOWEST as f64 * window.length.as_secs_f64()) as u64 {
                let (bytes, length) = (window.bytes, window.length);
                return Err(Fault::Late(format!("sent only {bytes} bytes of the picture in {length:.1?}")));
            }
            (window.since, window.bytes) = (Instant::now(), 0);
        }
        Ok(())
    }
}

/// A connection that is kept from one request to the next.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    /// The read timeout that the socket has now.
    patience: Duration,
    buffer: Vec<u8>,
    /// What of the buffer is still to be taken.
    unread: std::ops::Range<usize>,
    last_used: Instant,
    /// It has had a request before this one.
    pub(super) reused: bool,
}

impl Connection {
    /// Connects, within a time of its own and that of the request.
    pub(super) fn open(address: &SocketAddr, deadline: &Deadline, timeout: Duration) -> Result<Self, Fault> {
        let stream = tcp::connect(address, deadline).map_err(|why| match is_late(&why) {
            true => Fault::late(format!("accepted no connection within {timeout:.1?}")),
            false => Fault::Refused(why),
        })?;
        Ok(Connection {
            stream,
            patience: Duration::ZERO,
            buffer: vec![0; BUFFER],
            unread: 0..0,
            last_used: Instant::now(),
            reused: false,
        })
    }

    /// How long it has not been used.
    pub(super) fn idle(&self) -> Duration {
        self.last_used.elapsed()
    }

    /// False when the server has closed it, or has sent what nobody asked for.
    pub(super) fn is_alive(&self) -> bool {
        let peek = || {
            self.stream.set_nonblocking(true)?;
            let peeked = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            peeked
        };
        self.unread.is_empty() && peek().is_err_and(|why| why.kind() == IoKind::WouldBlock)
    }

    /// Sends a request in one write.
    pub(super) fn send(&mut self, request: &[u8], limit: &Limit<'_>) -> Result<(), Fault> {
        self.unread = 0..0;
        tcp::write_all(&self.stream, request, &limit.deadline).map_err(|why| match is_late(&why) {
            true => Fault::late("takes no request"),
            false => Fault::HungUp(why),
        })
    }

    /// Reads the head of the reply.
    pub(super) fn reply(mut self, limit: &mut Limit<'_>) -> Result<Reply, Fault> {
        loop {
            if let Some((length, head)) = head::parse(&self.buffer[self.unread.clone()]).map_err(garbled)? {
                self.unread.start += length;
                // 100 and its like announce another head.
                if !(100..200).contains(&head.status) {
                    return Ok(Reply {
                        connection: self,
                        status: head.status,
                        media: head.media,
                        body: head.framing.into(),
                        keep: head.keep,
                    });
                }
                continue;
            }
            let before = self.unread.len();
            match self.fill(limit) {
                Ok(0) if before == 0 => return Err(Fault::HungUp(IoKind::UnexpectedEof.into())),
                Ok(0) => return Err(Fault::Broken(IoKind::UnexpectedEof.into())),
                Err(Fault::Broken(why)) if before == 0 => return Err(Fault::HungUp(why)),
                filled => filled?,
            };
        }
    }

    /// Reads more into the buffer, behind what is still to be taken.
    fn fill(&mut self, limit: &mut Limit<'_>) -> Result<usize, Fault> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        if self.unread.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let bytes = receive(&self.stream, &mut self.patience, &mut self.buffer[self.unread.end..], limit)?;
        self.unread.end += bytes;
        Ok(bytes)
    }

    /// Bytes of the body: those that came with the head, then straight from the network.
    fn take(&mut self, into: &mut [u8], limit: &mut Limit<'_>) -> Result<usize, Fault> {
        if self.unread.is_empty() {
            return receive(&self.stream, &mut self.patience, into, limit);
        }
        let count = self.unread.len().min(into.len());
        into[..count].copy_from_slice(&self.buffer[self.unread.start..][..count]);
        self.unread.start += count;
        Ok(count)
    }

    /// A line of the chunked coding, without its end.
    fn line(&mut self, limit: &mut Limit<'_>) -> Result<String, Fault> {
        loop {
            let unread = &self.buffer[self.unread.clone()];
            if let Some(end) = memchr::memchr(b'\n', unread) {
                let line = String::from_utf8_lossy(&unread[..end]).trim().to_owned();
                self.unread.start += end + 1;
                return Ok(line);
            }
            if unread.len() > LONGEST_LINE {
                return Err(Fault::Garbled("sent a chunk of no length".into()));
            }
            if self.fill(limit)? == 0 {
                return Err(Fault::Broken(IoKind::UnexpectedEof.into()));
            }
        }
    }
}

/// One read from the network, within the limit. 0 when the server has closed the connection.
fn receive(stream: &TcpStream, timeout: &mut Duration, into: &mut [u8], limit: &mut Limit<'_>) -> Result<usize, Fault> {
    let mut stream = stream;
    loop {
        let left = limit.left()?;
        // The system call is spared when the timeout is about right: what is early is looked at again.
        if *timeout > left + EARLY || *timeout < left / 2 {
            *timeout = patience(left);
            stream.set_read_timeout(Some(*timeout)).map_err(Fault::Broken)?;
        }
        match stream.read(into) {
            // An end is no silence.
            Ok(0) => return Ok(0),
            Ok(bytes) => {
                limit.arrived(bytes)?;
                return Ok(bytes);
            }
            Err(why) if why.kind() == IoKind::Interrupted => {}
            Err(why) if is_late(&why) => limit.arrived(0)?,
            Err(why) => return Err(Fault::Broken(why)),
        }
    }
}

/// How the end of a body is found.
#[derive(Debug, PartialEq)]
enum Body {
    /// So many bytes are still to come.
    Length(u64),
    /// In chunks; so much of the present one is still to come.
    Chunks(u64),
    /// Until the server closes the connection.
    Open,
    /// It is complete.
    Done,
}

impl From<Framing> for Body {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Body::Length(length),
            Framing::Chunks => Body::Chunks(0),
            Framing::Close => Body::Open,
        }
    }
}

fn garbled(error: Error) -> Fault {
    Fault::Garbled(error.message().to_owned())
}

/// A reply whose body is still to be read.
#[derive(Debug)]
pub(super) struct Reply {
    connection: Connection,
    pub(super) status: u16,
    /// The media type, lower case, without parameters.
    pub(super) media: String,
    body: Body,
    keep: bool,
}

impl Reply {
    /// How long the body is, if that is known.
    pub(super) fn length(&self) -> Option<u64> {
        if let Body::Length(length) = self.body { Some(length) } else { None }
    }

    /// Some bytes of the body; 0 at its end.
    pub(super) fn read(&mut self, into: &mut [u8], limit: &mut Limit<'_>) -> Result<usize, Fault> {
        if self.body == Body::Chunks(0) {
            self.next_chunk(limit)?;
        }
        let most = match self.body {
            Body::Length(left) | Body::Chunks(left) => usize::try_from(left).unwrap_or(usize::MAX).min(into.len()),
            Body::Open => into.len(),
            Body::Done => 0,
        };
        if most == 0 {
            return Ok(0);
        }
        let bytes = self.connection.take(&mut into[..most], limit)?;
        match &mut self.body {
            Body::Length(_) | Body::Chunks(_) if bytes == 0 => return Err(Fault::Broken(IoKind::UnexpectedEof.into())),
            Body::Length(left) => *left -= bytes as u64,
            Body::Chunks(left) => {
                *left -= bytes as u64;
                if *left == 0 {
                    self.connection.line(limit)?;
                }
            }
            Body::Open if bytes == 0 => self.body = Body::Done,
            Body::Open | Body::Done => {}
        }
        Ok(bytes)
    }

    /// The length of the next chunk; behind the last one stand lines that nobody needs.
    fn next_chunk(&mut self, limit: &mut Limit<'_>) -> Result<(), Fault> {
        let length = head::chunk(&self.connection.line(limit)?).map_err(garbled)?;
        self.body = Body::Chunks(length);
        if length == 0 {
            for _ in 0..MOST_LINES {
                if self.connection.line(limit)?.is_empty() {
                    self.body = Body::Done;
                    return Ok(());
                }
            }
            return Err(Fault::Garbled("sent chunks without an end".into()));
        }
        Ok(())
    }

    /// The rest of the body, not longer than `most` bytes.
    pub(super) fn all(&mut self, most: usize, limit: &mut Limit<'_>) -> Result<Vec<u8>, Fault> {
        let announced = self.length().and_then(|length| usize::try_from(length).ok()).unwrap_or(1024);
        let mut body = vec![0; announced.min(most).max(1)];
        let mut filled = 0;
        loop {
            if filled == body.len() {
                if self.length() == Some(0) {
                    break;
                }
                if filled >= most {
                    return Err(Fault::Garbled(format!("sent more than {most} bytes")));
                }
                body.resize((filled * 2).min(most), 0);
            }
            match self.read(&mut body[filled..], limit)? {
                0 => break,
                bytes => filled += bytes,
            }
        }
        body.truncate(filled);
        Ok(body)
    }

    /// The connection, for the next request; `None` when the body was not read to its end, or the server closes it.
    pub(super) fn into_connection(self) -> Option<Connection> {
        let complete = matches!(self.body, Body::Length(0) | Body::Done);
        (complete && self.keep && self.connection.unread.is_empty()).then(|| Connection {
            reused: true,
            last_used: Instant::now(),
            ..self.connection
        })
    }
}
