//! The least that any client has to do: receive and decode, or read shared memory and convert, and nothing else.

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::Value;
use std::{
    fs::File,
    io::{IoSliceMut, Read, Write},
    mem::MaybeUninit,
    net::TcpStream,
    os::{
        fd::OwnedFd,
        linux::net::SocketAddrExt,
        unix::{
            fs::FileExt,
            net::{SocketAddr, UnixStream},
        },
    },
    time::Instant,
};
use testing::{
    bench::{Result, processor_time, sample},
    bench_driver::{DEVICE, HEIGHT, WIDTH, pixel},
};

/// Frames taken; the last one counts.
pub(crate) const FRAMES: usize = 2;

const PIXELS: usize = WIDTH as usize * HEIGHT as usize;
const HEADER: usize = 2880;

fn greeting() -> String {
    format!("<getProperties version='1.7'/>\n<enableBLOB device='{DEVICE}'>Also</enableBLOB>\n")
}

fn command() -> String {
    format!(
        "<newNumberVector device='{DEVICE}' name='CCD_EXPOSURE'><oneNumber name='CCD_EXPOSURE_VALUE'>0</oneNumber>\
         </newNumberVector>\n"
    )
}

/// Receives and decodes in pieces.
pub(crate) fn tcp(address: &str) -> Result<Value> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.write_all(greeting().as_bytes())?;
    let mut input = Input { socket, buffer: vec![0; 1 << 18], start: 0, end: 0 };
    input.skip_past(b"</defBLOBVector>")?;
    let mut figures = None;
    for _ in 0..FRAMES {
        let (begin, before) = (Instant::now(), processor_time());
        input.socket.write_all(command().as_bytes())?;
        input.skip_past(b"<oneBLOB")?;
        input.skip_past(b">")?;
        let data = input.decode()?;
        figures = Some((begin.elapsed(), processor_time() - before));
        input.skip_past(b"</setNumberVector>")?;
        assert_eq!(data[HEADER..HEADER + 2], (pixel(0) ^ 0x8000).to_be_bytes());
    }
    let (wall, cpu) = figures.ok_or("no frame")?;
    sample(wall, cpu)
}

struct Input {
    socket: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// Keeps what is not used yet and reads more behind it.
    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let n = self.socket.read(&mut self.buffer[self.end..])?;
        self.end += n;
        if n == 0 { Err("the server is gone".into()) } else { Ok(()) }
    }

    fn skip_past(&mut self, text: &[u8]) -> Result<()> {
        loop {
            let there = &self.buffer[self.start..self.end];
            if let Some(at) = memchr::memmem::find(there, text) {
                self.start += at + text.len();
                return Ok(());
            }
            self.start = self.end - there.len().min(text.len() - 1);
            self.fill()?;
        }
    }

    /// Decodes up to the next tag, into a frame of its own.
    fn decode(&mut self) -> Result<Vec<u8>> {
        let mut data = Vec::with_capacity(HEADER + PIXELS * 2 + HEADER);
        while self.buffer[self.start..self.end].first().is_none_or(|byte| *byte == b'\n') {
            if self.start < self.end { self.start += 1 } else { self.fill()? }
        }
        loop {
            let there = &self.buffer[self.start..self.end];
            let tag = memchr::memchr2(b'\n', b'<', there);
            let whole = tag.unwrap_or(there.len()) / 4 * 4;
            let old = data.len();
            data.resize(old + whole / 4 * 3, 0);
            let decoder = base64_simd::STANDARD;
            decoder.decode(&there[..whole], base64_simd::Out::from_slice(&mut data[old..])).map_err(|_| "no base64")?;
            self.start += whole;
            if tag.is_some() {
                return Ok(data);
            }
            self.fill()?;
        }
    }
}

/// Reads shared memory and converts.
pub(crate) fn unix(name: &str) -> Result<Value> {
    let mut socket = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?;
    socket.write_all(greeting().as_bytes())?;
    receive(&socket, b"</defBLOBVector>")?;
    let mut figures = None;
    for _ in 0..FRAMES {
        let (begin, before) = (Instant::now(), processor_time());
        socket.write_all(command().as_bytes())?;
        let (descriptor, finished) = receive(&socket, b"</setBLOBVector>")?;
        let pixels = convert(&File::from(descriptor.ok_or("no descriptor")?))?;
        figures = Some((begin.elapsed(), processor_time() - before));
        if !finished {
            receive(&socket, b"</setNumberVector>")?;
        }
        assert_eq!((pixels[0], pixels[PIXELS - 1]), (pixel(0), pixel(PIXELS - 1)));
    }
    let (wall, cpu) = figures.ok_or("no frame")?;
    sample(wall, cpu)
}

/// Receives up to a text; tells the descriptor that came with it, and whether the end of the exposure came too.
fn receive(socket: &UnixStream, text: &[u8]) -> Result<(Option<OwnedFd>, bool)> {
    let (mut buffer, mut seen, mut descriptor) = (vec![0; 1 << 16], Vec::new(), None);
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let n = recvmsg(socket, &mut [IoSliceMut::new(&mut buffer)], &mut beside, RecvFlags::CMSG_CLOEXEC)?.bytes;
        for message in beside.drain() {
            if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
                descriptor = descriptors.next().or(descriptor);
            }
        }
        seen.extend_from_slice(&buffer[..n]);
        if let Some(at) = memchr::memmem::find(&seen, text) {
            return Ok((descriptor, memchr::memmem::find(&seen[at..], b"</setNumberVector>").is_some()));
        }
        if n == 0 {
            return Err("the server is gone".into());
        }
    }
}

/// The pixels of a FITS file in shared memory, in the processor's order. Read in pieces that stay in the
/// cache: mapping the memory takes nearly twice as long.
fn convert(file: &File) -> Result<Vec<u16>> {
    let (mut piece, mut at) = (vec![0; 1 << 18], HEADER as u64);
    let mut pixels = Vec::with_capacity(PIXELS);
    while pixels.len() < PIXELS {
        let n = file.read_at(&mut piece, at)?.min((PIXELS - pixels.len()) * 2);
        pixels.extend(piece[..n].chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]) ^ 0x8000));
        at += n as u64;
    }
    Ok(pixels)
}
