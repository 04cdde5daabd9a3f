//! The least that any server and any client have to do: HTTP by hand over plain sockets, from and to memory.

use crate::frame::{HEIGHT, WIDTH, pixel};
use astrobackend::wire::alpaca::image_bytes::{ElementType, Header, Shape};
use serde_json::Value;
use std::{
    io::{IoSlice, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};
use testing::bench::{Result, processor_time, sample};

const SMALL: &str =
    r#"{"Value":true,"ClientTransactionID":1,"ServerTransactionID":1,"ErrorNumber":0,"ErrorMessage":""}"#;

/// Serves the frame and one small answer until its input ends; prints where it listens.
pub(crate) fn serve() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("listening {}", listener.local_addr()?.port());
    let shape =
        Shape { element: ElementType::I32, sent: ElementType::U16, width: WIDTH, height: HEIGHT, planes: 1, rank: 2 };
    let header = Header { client_transaction: 1, server_transaction: 1, data_start: 44, error: 0, shape: Some(shape) };
    let columns = (0..WIDTH).flat_map(|x| (0..HEIGHT).map(move |y| pixel(x, y)));
    let mut image = header.print().to_vec();
    image.reserve_exact(shape.bytes() as usize);
    columns.for_each(|pixel| image.extend_from_slice(&pixel.to_le_bytes()));
    let image: &'static [u8] = image.leak();
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || answer(stream, image));
    }
    Ok(())
}

fn answer(mut stream: TcpStream, image: &[u8]) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut request = [0; 4096];
    let mut filled = 0;
    loop {
        filled += Some(stream.read(&mut request[filled..]).ok()?).filter(|read| *read > 0)?;
        while let Some(end) = memchr::memmem::find(&request[..filled], b"\r\n\r\n") {
            let wants_image = memchr::memmem::find(&request[..end], b"imagearray").is_some();
            let body = if wants_image { image } else { SMALL.as_bytes() };
            let kind = if wants_image { "application/imagebytes" } else { "application/json" };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
            write_both(&mut stream, head.as_bytes(), body).ok()?;
            request.copy_within(end + 4..filled, 0);
            filled -= end + 4;
        }
    }
}

fn write_both(stream: &mut TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let sent = stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?;
    if let Some(rest) = head.get(sent..) {
        stream.write_all(rest)?;
    }
    stream.write_all(&body[sent.saturating_sub(head.len())..])
}

/// A connection and what was read from it beyond the last answer.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Client { stream, buffer: vec![0; 16 * 1024] })
    }

    /// Asks and gives the length of the body, with as much of it as came with the head.
    pub(crate) fn ask(&mut self, path: &str, accept: &str) -> Result<(usize, Vec<u8>)> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n");
        self.stream.write_all(request.as_bytes())?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            filled += read;
            if let Some(end) = memchr::memmem::find(&self.buffer[..filled], b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
                return Ok((length, self.buffer[end + 4..filled].to_vec()));
            }
        }
    }

    /// A small answer, read and thrown away.
    pub(crate) fn small(&mut self, path: &str) -> Result<()> {
        let (length, body) = self.ask(path, "application/json")?;
        let mut rest = length - body.len();
        while rest > 0 {
            let most = rest.min(self.buffer.len());
            rest -= self.stream.read(&mut self.buffer[..most])?;
        }
        Ok(())
    }

    /// The frame, into memory that is there already.
    pub(crate) fn image(&mut self, path: &str, into: &mut Vec<u8>) -> Result<()> {
        let (length, begun) = self.ask(path, "application/imagebytes")?;
        into.resize(length, 0);
        into[..begun.len()].copy_from_slice(&begun);
        self.stream.read_exact(&mut into[begun.len()..])?;
        Ok(())
    }
}

impl Client {
    /// A large answer in chunks, read and thrown away: its bytes with those of the chunks, and the time.
    pub(crate) fn chunked(&mut self, path: &str) -> Result<(usize, Duration)> {
        let begin = Instant::now();
        let (_, mut last) = self.ask(path, "application/json")?;
        let mut bytes = last.len();
        while !last.ends_with(b"0\r\n\r\n") {
            let read = self.stream.read(&mut self.buffer)?;
            if read == 0 {
                return Err("the answer was cut off".into());
            }
            bytes += read;
            let tail = last.len().saturating_sub(8);
            last.drain(..tail);
            last.extend_from_slice(&self.buffer[read.saturating_sub(8)..read]);
        }
        Ok((bytes, begin.elapsed()))
    }
}

/// Fetches the frame three times over one connection; the last one counts. Of another program's frame only the time is
/// looked at.
pub(crate) fn fetch(address: &str, known: bool) -> Result<Value> {
    let mut client = Client::connect(address.parse()?)?;
    let mut bytes = Vec::new();
    let mut figures = None;
    for _ in 0..3 {
        let (begin, before) = (Instant::now(), processor_time());
        client.image("/api/v1/camera/0/imagearray", &mut bytes)?;
        figures = Some((begin.elapsed(), processor_time() - before));
    }
    let last = u16::from_le_bytes([bytes[bytes.len() - 2], bytes[bytes.len() - 1]]);
    assert!(!known || last == pixel(WIDTH - 1, HEIGHT - 1));
    let (wall, cpu) = figures.ok_or("no frame")?;
    sample(wall, cpu)
}

/// The median time of a small answer, seconds.
pub(crate) fn small(address: &str) -> Result<Value> {
    let mut client = Client::connect(address.parse()?)?;
    crate::frame::median_time(|| client.small("/api/v1/camera/0/connected"))
}
