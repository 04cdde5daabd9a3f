//! A minimal client of the tests' own: it sends what it is told to, right or wrong.

use astrobackend::Backend;
use astrobackend_server::alpaca::{Options, Running, Server};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

/// A reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Options of a server of a test's own.
pub(crate) fn options() -> Options {
    Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..Options::default() }
}

/// A server over a fast simulator whose devices are connected.
pub(crate) fn simulator() -> Running {
    served("sim://?speed=100&sensor=generic", options())
}

pub(crate) fn served(address: &str, options: Options) -> Running {
    let backend = astrobackend::open(address).unwrap();
    connect_all(&backend);
    Server::start(backend, options).unwrap()
}

pub(crate) fn connect_all(backend: &Arc<dyn Backend>) {
    for info in backend.devices().unwrap() {
        backend.device(&info.id).unwrap().device().connect().unwrap();
    }
}

pub(crate) fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Sends bytes and reads one reply.
pub(crate) fn exchange(to: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = connect(to);
    stream.write_all(request).unwrap();
    read_reply(&mut stream)
}

pub(crate) fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "the connection ended after {head:?}");
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut reply = Reply { status, head, body: Vec::new() };
    match reply.header("content-length").map(|length| length.parse().unwrap()) {
        Some(length) => {
            reply.body = vec![0; length];
            reader.read_exact(&mut reply.body).unwrap();
        }
        None => loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let length = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = vec![0; length + 2];
            reader.read_exact(&mut chunk).unwrap();
            reply.body.extend_from_slice(&chunk[..length]);
            if length == 0 {
                break;
            }
        },
    }
    reply
}

pub(crate) fn get_with(to: SocketAddr, path: &str, headers: &str) -> Reply {
    exchange(to, format!("GET {path} HTTP/1.1\r\nHost: {to}\r\n{headers}\r\n").as_bytes())
}

pub(crate) fn get(to: SocketAddr, path: &str) -> Reply {
    get_with(to, path, "")
}

pub(crate) fn put_with(to: SocketAddr, path: &str, form: &str, headers: &str) -> Reply {
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let length = form.len();
    let request =
        format!("PUT {path} HTTP/1.1\r\nHost: {to}\r\n{kind}\r\n{headers}Content-Length: {length}\r\n\r\n{form}");
    exchange(to, request.as_bytes())
}

pub(crate) fn put(to: SocketAddr, path: &str, form: &str) -> Reply {
    put_with(to, path, form, "")
}

/// One device of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device {
    pub(crate) at: SocketAddr,
    pub(crate) kind: &'static str,
}

pub(crate) fn device(server: &Running, kind: &'static str) -> Device {
    Device { at: server.address(), kind }
}

impl Device {
    pub(crate) fn path(&self, member: &str) -> String {
        format!("/api/v1/{}/0/{member}", self.kind)
    }

    /// The value, or the number of the error.
    pub(crate) fn ask(&self, member: &str) -> Result<Value, u64> {
        outcome(&get(self.at, &self.path(member)))
    }

    pub(crate) fn value(&self, member: &str) -> Value {
        self.ask(member).unwrap_or_else(|error| panic!("{member}: {error:#x}"))
    }

    pub(crate) fn number(&self, member: &str) -> f64 {
        self.value(member).as_f64().unwrap()
    }

    pub(crate) fn is(&self, member: &str) -> bool {
        self.value(member).as_bool().unwrap()
    }

    pub(crate) fn tell(&self, member: &str, form: &str) -> Result<Value, u64> {
        outcome(&put(self.at, &self.path(member), form))
    }

    pub(crate) fn done(&self, member: &str, form: &str) {
        let reply = put(self.at, &self.path(member), form);
        assert!(outcome(&reply).is_ok(), "{member} {form}: {}", reply.text());
    }

    /// Waits until a truth value is so.
    pub(crate) fn until(&self, member: &str, wanted: bool) {
        let begun = Instant::now();
        while self.is(member) != wanted {
            assert!(begun.elapsed() < Duration::from_secs(60), "{member} never becomes {wanted}");
        }
    }
}

fn outcome(reply: &Reply) -> Result<Value, u64> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let json = reply.json();
    match json["ErrorNumber"].as_u64().unwrap() {
        0 => Ok(json["Value"].clone()),
        error => Err(error),
    }
}
