//! The INDI server as clients see it: by the bytes, through clients that share no code with us, and as those who
//! misbehave.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod hostile;
mod protocol;

use astrobackend::wire::indi::{BlobMode, Elements, Limits, Message, Parser, State, Vector};
use astrobackend_server::indi::{Options, Running, Server};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Time for what should come at once, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A server on a free port.
fn serve(backend: &str, change: impl FnOnce(&mut Options)) -> Running {
    let mut options = Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() };
    change(&mut options);
    Server::start(astrobackend::open(backend).unwrap(), options).unwrap()
}

/// The simulated observatory.
fn observatory() -> Running {
    serve("sim://?speed=20&sensor=generic&settle=0", |_| {})
}

const CAMERA: &str = "Camera Simulator";
const FOCUSER: &str = "Focuser Simulator";
const MOUNT: &str = "Mount Simulator";

/// What was told, with everything that tests look at.
#[derive(Clone, Debug, Default)]
struct Told {
    /// `def`, `set`, `new`, `del`, `message` or `ping`.
    verb: &'static str,
    device: String,
    name: String,
    state: Option<State>,
    writable: Option<bool>,
    /// Elements by name, all as texts.
    values: Vec<(String, String)>,
    text: String,
    file: Vec<u8>,
}

impl Told {
    fn of(message: &Message<'_>) -> Self {
        let vector = |verb, vector: &Vector<'_>| Told {
            verb,
            device: vector.device.to_string(),
            name: vector.name.to_string(),
            state: vector.state,
            writable: vector.perm.map(|perm| perm.as_str() == "rw"),
            values: values(&vector.elements),
            text: vector.message.as_deref().unwrap_or_default().to_owned(),
            file: match &vector.elements {
                Elements::Blob(all) => all.first().map(|blob| blob.value.data.clone()).unwrap_or_default(),
                _ => Vec::new(),
            },
        };
        let said = |verb, device: Option<&str>, name: Option<&str>, text: Option<&str>| {
            let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
            Told { verb, device: own(device), name: own(name), text: own(text), ..Told::default() }
        };
        match message {
            Message::Def(it) => vector("def", it),
            Message::Set(it) => vector("set", it),
            Message::New(it) => vector("new", it),
            Message::DelProperty { device, name, message } => {
                said("del", Some(device), name.as_deref(), message.as_deref())
            }
            Message::Message { device, text, .. } => said("message", device.as_deref(), None, Some(text)),
            Message::PingReply { uid } => said("ping", None, None, Some(uid)),
            other => panic!("a server sent {other:?}"),
        }
    }

    fn is(&self, verb: &str, device: &str, name: &str) -> bool {
        (self.verb, self.device.as_str(), self.name.as_str()) == (verb, device, name)
    }

    fn value(&self, element: &str) -> &str {
        self.values.iter().find(|(name, _)| name == element).map(|(_, value)| value.as_str()).unwrap()
    }
}

fn values(elements: &Elements<'_>) -> Vec<(String, String)> {
    match elements {
        Elements::Text(all) => all.iter().map(|one| (one.name.to_string(), one.value.to_string())).collect(),
        Elements::Number(all) => {
            all.iter().map(|one| (one.name.to_string(), one.value.value.unwrap().to_string())).collect()
        }
        Elements::Switch(all) => all.iter().map(|one| (one.name.to_string(), one.value.to_string())).collect(),
        _ => Vec::new(),
    }
}

/// A client that writes its messages by hand.
struct Peer {
    stream: TcpStream,
    parser: Parser,
}

impl Peer {
    fn new(server: &Running) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        Peer { stream, parser: Parser::new(Limits::default()) }
    }

    /// One that has asked for everything.
    fn asking(server: &Running) -> Self {
        let mut peer = Peer::new(server);
        peer.send("<getProperties version='1.7'/>");
        peer
    }

    /// One that has connected a device.
    fn with(server: &Running, device: &str, key: &str) -> Self {
        let mut peer = Peer::asking(server);
        peer.switch(device, "CONNECTION", "CONNECT");
        peer.until(|told| told.is("def", device, key));
        peer.until(|told| told.is("set", device, "CONNECTION") && told.state == Some(State::Ok));
        peer
    }

    fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    fn switch(&mut self, device: &str, name: &str, on: &str) {
        self.send(&format!(
            "<newSwitchVector device='{device}' name='{name}'><oneSwitch name='{on}'>On</oneSwitch></newSwitchVector>"
        ));
    }

    fn numbers(&mut self, device: &str, name: &str, values: &[(&str, f64)]) {
        let elements: String =
            values.iter().map(|(name, value)| format!("<oneNumber name='{name}'>{value}</oneNumber>")).collect();
        self.send(&format!("<newNumberVector device='{device}' name='{name}'>{elements}</newNumberVector>"));
    }

    fn enable(&mut self, mode: BlobMode) {
        self.send(&format!("<enableBLOB device='{CAMERA}'>{}</enableBLOB>", mode.as_str()));
    }

    /// The next message; `None` when the server hangs up.
    fn next(&mut self) -> Option<Told> {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(message) = self.parser.next_message() {
                return Some(Told::of(&message.unwrap()));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nothing came");
            self.stream.set_read_timeout(Some(left)).unwrap();
            match self.stream.read(self.parser.room()) {
                Ok(0) => return None,
                Ok(bytes) => self.parser.filled(bytes),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// All messages up to one, that one the last.
    fn until(&mut self, wanted: impl Fn(&Told) -> bool) -> Vec<Told> {
        let mut all = Vec::new();
        let deadline = Instant::now() + SOON;
        loop {
            let Some(told) = self.next() else { panic!("the server hung up after {all:?}") };
            let found = wanted(&told);
            all.push(told);
            if found {
                return all;
            }
            let last = &all[all.len().saturating_sub(5)..];
            assert!(Instant::now() < deadline, "what was wanted did not come, but {last:?}");
        }
    }

    /// All that was told before the answer to a ping.
    fn told_by_now(&mut self) -> Vec<Told> {
        self.send("<pingRequest uid='now'/>");
        let mut all = self.until(|told| told.verb == "ping" && told.text == "now");
        all.pop();
        all
    }

    /// Waits until a property of a device is in a state.
    fn until_state(&mut self, device: &str, name: &str, state: State) -> Vec<Told> {
        self.until(|told| told.is("set", device, name) && told.state == Some(state))
    }

    /// Reads until the server hangs up.
    fn until_hung_up(&mut self) {
        let deadline = Instant::now() + SOON;
        while self.next().is_some() {
            assert!(Instant::now() < deadline, "the server does not hang up");
        }
    }
}
