//! An Alpaca server for tests that misbehaves as it is told: each request goes to a closure, which may answer,
//! answer nonsense, or not at all.

mod members;

pub use members::Members;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The longest that a connection is held without an answer.
const HELD: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` or `PUT`.
    pub verb: String,
    /// Without the query: `/api/v1/camera/0/binx`.
    pub path: String,
    /// Query or form, as it came.
    pub form: String,
    /// `Accept`.
    pub accept: String,
    /// `Authorization`.
    pub authorization: String,
    /// `Connection`.
    pub connection: String,
}

impl Request {
    /// The path within a device: `camera/0/binx`.
    pub fn member(&self) -> &str {
        self.path.strip_prefix("/api/v1/").unwrap_or_default()
    }

    /// A parameter, as it came.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.form.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A reply with this `Value`, as JSON.
    Value(String),
    /// A reply with an error.
    Error(i32, String),
    /// A body of a media type, with a status.
    Body(u16, &'static str, Vec<u8>),
    /// The same in chunks of so many bytes.
    Chunks(&'static str, Vec<u8>, usize),
    /// These bytes, and then nothing more, with the connection open.
    Part(Vec<u8>),
    /// These bytes at once, then a byte of the others each time.
    Drip(Vec<u8>, Vec<u8>, Duration),
    /// The first bytes, and then the others over and over, until the client has had enough.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, and then the connection is closed; without any, it is closed at once.
    Close(Vec<u8>),
}

impl Answer {
    /// A reply to a PUT.
    pub fn done() -> Self {
        Answer::Value("null".into())
    }
}

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

/// A running server on a free port of 127.0.0.1; ends with its value.
pub struct FakeAlpaca {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    log: Arc<Mutex<Vec<Request>>>,
}

impl std::fmt::Debug for FakeAlpaca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeAlpaca").field("address", &self.address).finish_non_exhaustive()
    }
}

impl FakeAlpaca {
    /// Starts it.
    ///
    /// # Panics
    /// When this machine has no free port.
    pub fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        FakeAlpaca::start_on(0, script).expect("a free port of 127.0.0.1")
    }

    /// Starts it on a port.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start_on(port: u16, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> std::io::Result<Self> {
        FakeAlpaca::with_threads(port, script, |serve| drop(thread::spawn(serve)))
    }

    /// Starts it with a single thread: a connection is served until it ends, and only then the next one.
    ///
    /// # Panics
    /// When this machine has no free port.
    pub fn one_by_one(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        FakeAlpaca::with_threads(0, script, |serve| serve()).expect("a free port of 127.0.0.1")
    }

    fn with_threads(
        port: u16,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
        run: fn(Box<dyn FnOnce() + Send>),
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let (stop, log) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<Request>>>::default());
        let script: Arc<Script> = Arc::new(script);
        let (stopped, kept) = (stop.clone(), log.clone());
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (script, log, stop) = (script.clone(), kept.clone(), stopped.clone());
                run(Box::new(move || serve(stream, &*script, &log, &stop)));
            }
        });
        Ok(FakeAlpaca { address, stop, log })
    }

    /// `alpaca://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("alpaca://{}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests with this verb and member there were.
    pub fn count(&self, verb: &str, member: &str) -> usize {
        self.requests().iter().filter(|request| request.verb == verb && request.member() == member).count()
    }
}

impl Drop for FakeAlpaca {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, script: &Script, log: &Mutex<Vec<Request>>, stop: &AtomicBool) {
    let _ = stream.set_nodelay(true);
    let Ok(clone) = stream.try_clone() else { return };
    let (mut reader, mut writer) = (BufReader::new(clone), stream);
    while let Some(request) = read(&mut reader) {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        log.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        if !answer(&mut writer, script(&request)) {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let mut words = line.split(' ');
    let (verb, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, mut form) =
        target.split_once('?').map_or((target.clone(), String::new()), |(p, q)| (p.into(), q.into()));
    let (mut length, mut accept, mut authorization, mut connection) = (0, String::new(), String::new(), String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "accept" => accept = value.trim().to_owned(),
            "connection" => connection = value.trim().to_owned(),
            "authorization" => authorization = value.trim().to_owned(),
            _ => {}
        }
    }
    if length > 0 {
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        form = String::from_utf8_lossy(&body).into_owned();
    }
    Some(Request { verb, path, form, accept, authorization, connection })
}

/// Answers; true when the connection goes on.
fn answer(writer: &mut TcpStream, answer: Answer) -> bool {
    let reply = |value: &str, number: i32, text: &str| {
        let body = format!(
            "{{\"Value\":{value},\"ClientTransactionID\":0,\"ServerTransactionID\":1,\"ErrorNumber\":{number},\
             \"ErrorMessage\":{text:?}}}"
        );
        whole(200, "application/json", body.as_bytes())
    };
    match answer {
        Answer::Value(value) => writer.write_all(&reply(&value, 0, "")).is_ok(),
        Answer::Error(number, text) => writer.write_all(&reply("null", number, &text)).is_ok(),
        Answer::Body(status, media, body) => writer.write_all(&whole(status, media, &body)).is_ok(),
        Answer::Chunks(media, body, size) => writer.write_all(&chunked(media, &body, size)).is_ok(),
        Answer::Part(bytes) => {
            let _ = writer.write_all(&bytes);
            let _ = writer.set_read_timeout(Some(HELD));
            let _ = writer.read(&mut [0]);
            false
        }
        Answer::Drip(at_once, bytes, pause) => {
            let _ = writer.write_all(&at_once);
            for byte in bytes {
                if writer.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(pause);
            }
            false
        }
        Answer::Endless(first, again) => {
            let mut sent = writer.write_all(&first);
            let many = again.repeat((64 << 10) / again.len().max(1) + 1);
            while sent.is_ok() {
                sent = writer.write_all(&many);
            }
            false
        }
        Answer::Close(bytes) => {
            let _ = writer.write_all(&bytes);
            false
        }
    }
}

/// A whole reply, as it goes over the network.
pub fn whole(status: u16, media: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = head(status, media, body.len());
    bytes.extend_from_slice(body);
    bytes
}

/// The head of a reply.
pub fn head(status: u16, media: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status} Any\r\ncontent-type: {media}\r\nContent-Length: {length}\r\n\r\n").into_bytes()
}

fn chunked(media: &str, body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:x};a=b\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
    bytes
}
