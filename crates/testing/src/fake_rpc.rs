//! A server on loopback that behaves like the original RPC server, its oddities included, until it is told not to.
//!
//! It reads pieces of at most 2048 bytes and takes what comes in a packet for whole lines, wants whole numbers without a
//! point for binning and positions, says positions and temperatures as floats, answers the text `"null"` where it knows no
//! id, grants any place of the wheel, calls an aborted exposure complete, keeps a stale picture, and dies of a line that is
//! no object. A test replaces single answers with [`FakeRpc::on`], and looks at what the client said with
//! [`FakeRpc::received`].

mod answers;

use answers::{World, answer};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// What the original says first.
pub const GREETING: &str = "{\"Event\": \"Connection\", \"Server\": \"pyastroimageview\", \"Version\": \"1.0\"}\n";

/// The most that the original reads of a line.
const PIECE: usize = 2048;

/// What the server does instead of its own answer.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends this as it is.
    Send(Vec<u8>),
    /// Says nothing.
    Silence,
    /// Closes the connection.
    Close,
    /// Sends bytes without an end of line until the client goes away, or so many.
    Endless(u64),
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    acts: Mutex<HashMap<String, Act>>,
    received: Mutex<Vec<String>>,
    news: Condvar,
    clients: Mutex<Vec<TcpStream>>,
}

/// The server; it ends with its value.
#[derive(Debug)]
pub struct FakeRpc {
    address: SocketAddr,
    shared: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeRpc {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            world: Mutex::default(),
            acts: Mutex::default(),
            received: Mutex::default(),
            news: Condvar::new(),
            clients: Mutex::default(),
        });
        let serving = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if lock(&serving.world).dead {
                    return;
                }
                let serving = serving.clone();
                thread::spawn(move || serve(&serving, stream));
            }
        });
        Ok(FakeRpc { address, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does this instead of answering a method; `greeting` stands for the first line.
    pub fn on(&self, method: &str, act: Act) {
        lock(&self.shared.acts).insert(method.to_owned(), act);
    }

    /// Answers a method again as the original does.
    pub fn behave(&self, method: &str) {
        lock(&self.shared.acts).remove(method);
    }

    /// The window's connect button: a device by its name there, `Camera`, `Focuser`, `Filter wheel`, `Mount`.
    pub fn connect(&self, device: &'static str, connected: bool) {
        let mut world = lock(&self.shared.world);
        world.away.retain(|away| *away != device);
        if !connected {
            world.away.push(device);
        }
    }

    /// All that clients sent, packet by packet.
    pub fn received(&self) -> Vec<String> {
        lock(&self.shared.received).clone()
    }

    /// Waits until a packet has a text.
    pub fn wait_for(&self, text: &str, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut received = lock(&self.shared.received);
        loop {
            if received.iter().any(|packet| packet.contains(text)) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            received = self.shared.news.wait_timeout(received, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The window's abort button.
    pub fn abort(&self) {
        drop(answer(&mut lock(&self.shared.world), "abort_image", &Value::Null));
    }

    /// Closes all connections.
    pub fn drop_clients(&self) {
        for client in lock(&self.shared.clients).drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// True when a line has killed it.
    pub fn is_dead(&self) -> bool {
        lock(&self.shared.world).dead
    }
}

impl Drop for FakeRpc {
    fn drop(&mut self) {
        lock(&self.shared.world).dead = true;
        // Wakes the thread that waits for clients.
        let _ = TcpStream::connect(self.address);
        self.drop_clients();
    }
}

fn act(stream: &mut TcpStream, act: &Act) -> io::Result<()> {
    match act {
        Act::Send(bytes) => stream.write_all(bytes),
        Act::Silence => Ok(()),
        Act::Close => stream.shutdown(Shutdown::Both),
        Act::Endless(bytes) => {
            let piece = [b'x'; 1 << 16];
            (0..bytes / piece.len() as u64).try_for_each(|_| stream.write_all(&piece))
        }
    }
}

fn serve(shared: &Arc<Shared>, mut stream: TcpStream) -> Option<()> {
    lock(&shared.clients).push(stream.try_clone().ok()?);
    let greeting = lock(&shared.acts).get("greeting").cloned().unwrap_or_else(|| Act::Send(GREETING.into()));
    act(&mut stream, &greeting).ok()?;
    let mut packet = vec![0; 1 << 16];
    loop {
        let bytes = stream.read(&mut packet).ok().filter(|bytes| *bytes > 0)?;
        let text = String::from_utf8_lossy(&packet[..bytes]).into_owned();
        lock(&shared.received).push(text.clone());
        shared.news.notify_all();
        // A packet is lines, and a line beyond the limit is several.
        for line in text.split_inclusive('\n').flat_map(|line| line.as_bytes().chunks(PIECE)) {
            request(shared, &mut stream, line)?;
        }
    }
}

/// Answers a line; `None` ends the connection.
fn request(shared: &Arc<Shared>, stream: &mut TcpStream, line: &[u8]) -> Option<()> {
    let Ok(request) = serde_json::from_slice::<Value>(line) else {
        let error = json!({ "jsonrpc": "2.0", "error": { "code": -32700, "message": "Parse error" }, "id": "null" });
        return stream.write_all(format!("{error}\n").as_bytes()).ok();
    };
    if !request.is_object() && !request.is_array() {
        lock(&shared.world).dead = true;
        lock(&shared.clients).drain(..).for_each(|client| drop(client.shutdown(Shutdown::Both)));
        return None;
    }
    let Some(method) = request["method"].as_str() else { return Some(()) };
    let instead = lock(&shared.acts).get(method).cloned();
    if let Some(instead) = instead {
        return act(stream, &instead).ok();
    }
    if request["id"].is_null() {
        let error = json!({ "code": -32600, "message": "Invalid request - no ID" });
        let answer = json!({ "jsonrpc": "2.0", "error": error, "id": "null" });
        return stream.write_all(format!("{answer}\n").as_bytes()).ok();
    }
    let reply = move |outcome: Result<Value, (i64, String)>, id: &Value, stream: &mut TcpStream| {
        let answer = match outcome {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err((code, message)) => {
                json!({ "jsonrpc": "2.0", "error": { "code": code, "message": message }, "id": id })
            }
        };
        stream.write_all(format!("{answer}\n").as_bytes()).ok()
    };
    let id = request["id"].clone();
    match answer(&mut lock(&shared.world), method, &request["params"]) {
        answers::Answer::Now(outcome) => reply(outcome, &id, stream),
        answers::Answer::After(length, number) => {
            // Its end is told when it comes.
            let (shared, mut stream) = (shared.clone(), stream.try_clone().ok()?);
            thread::spawn(move || {
                let end = Instant::now() + length;
                let outcome = loop {
                    let mut world = lock(&shared.world);
                    if let Some(outcome) = world.outcome(number, Instant::now() >= end) {
                        break outcome;
                    }
                    drop(world);
                    thread::sleep(Duration::from_millis(5));
                };
                reply(outcome, &id, &mut stream)
            });
            Some(())
        }
    }
}
