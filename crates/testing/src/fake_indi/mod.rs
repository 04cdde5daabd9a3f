//! An INDI server on loopback that behaves well until it is told not to.
//!
//! It serves devices that are plain data ([`Device`], [`observatory`]) and answers commands the way a
//! simple driver does. A test replaces single answers with [`FakeIndi::on`], speaks raw XML with
//! [`FakeIndi::send`], slows or cuts the line with [`Builder::pace`] and [`Builder::cut_after`], hands out
//! the endless messages of [`hostile`], and looks at what the client said with [`FakeIndi::received`].
//! It ends with its value: threads, sockets and all.
//!
//! ```
//! use std::{io::{Read, Write}, net::TcpStream};
//! use testing::fake_indi::{FakeIndi, observatory};
//! let server = FakeIndi::builder().device(observatory::focuser("Focuser")).start()?;
//! let mut client = TcpStream::connect(server.address())?;
//! client.write_all(b"<getProperties version='1.7'/>")?;
//! let mut first = [0; 20];
//! client.read_exact(&mut first)?;
//! assert!(first.starts_with(b"<def"));
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod blob;
mod client;
mod command;
mod device;
pub mod hostile;
pub mod observatory;
mod serving;
mod world;
pub mod xml;

pub use command::Command;
pub use device::{Device, Element, Kind, Property};

use client::Line;
use serving::{Handler, Listening, Shared, lock};
use std::{
    collections::HashMap,
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};
use world::World;

/// One thing that the server does towards a client.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends bytes as they are.
    Send(Vec<u8>),
    /// Does nothing for a while; what was said to it in the meantime is answered afterwards.
    Wait(Duration),
    /// Closes the connection.
    Close,
    /// Sends piece 0, 1, 2 ... until the client goes away.
    Endless(fn(u64) -> Vec<u8>),
}

impl<T: Into<Vec<u8>>> From<T> for Act {
    fn from(bytes: T) -> Self {
        Act::Send(bytes.into())
    }
}

/// What happens at the end of [`Builder::cut_after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The connection is closed.
    Close,
    /// The connection stays and nothing more comes, as with a pulled cable.
    Silence,
}

/// Describes a server before it is started.
#[derive(Default)]
pub struct Builder {
    world: World,
    handlers: HashMap<String, Handler>,
    greeting: Vec<Act>,
    line: Line,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("line", &self.line).finish_non_exhaustive()
    }
}

impl Builder {
    /// Serves a device.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.world.devices.push(device);
        self
    }

    /// Serves a camera, a focuser, a filter wheel and a mount, see [`observatory`].
    #[must_use]
    pub fn observatory(self) -> Self {
        self.device(observatory::camera("Camera"))
            .device(observatory::focuser("Focuser"))
            .device(observatory::filter_wheel("Wheel"))
            .device(observatory::mount("Mount"))
    }

    /// Answers commands to a property, or commands of a tag (`getProperties`), with these acts instead of its own answer.
    #[must_use]
    pub fn on(mut self, property_or_tag: &str, handler: impl Fn(&Command) -> Vec<Act> + Send + Sync + 'static) -> Self {
        self.handlers.insert(property_or_tag.to_owned(), Arc::new(handler));
        self
    }

    /// Does this for every client as soon as it has connected.
    #[must_use]
    pub fn greeting(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.greeting.extend(acts);
        self
    }

    /// Sends so many bytes at a time, and waits in between.
    #[must_use]
    pub fn pace(mut self, bytes: usize, interval: Duration) -> Self {
        self.line.pace = Some((bytes, interval));
        self
    }

    /// Ends each connection's output after so many bytes.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize, cut: Cut) -> Self {
        self.line.cut = Some((bytes, cut));
        self
    }

    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(self) -> io::Result<FakeIndi> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            world: Mutex::new(self.world),
            handlers: Mutex::new(self.handlers),
            greeting: self.greeting,
            line: Mutex::new(self.line),
            heard: Mutex::default(),
            news: Condvar::new(),
            clients: Mutex::default(),
        });
        let listening = Mutex::new(Some(Listening::start(listener, shared.clone())?));
        Ok(FakeIndi { address, shared, listening })
    }
}

/// A running server; see the [module](self).
pub struct FakeIndi {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Mutex<Option<Listening>>,
}

impl fmt::Debug for FakeIndi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeIndi").field("address", &self.address).finish_non_exhaustive()
    }
}

impl FakeIndi {
    /// Describes one.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as the address of a backend, with these options: `url("timeout=2")`.
    pub fn url(&self, options: &str) -> String {
        format!("indi://{}?{options}", self.address)
    }

    /// Sends bytes to every client.
    pub fn send(&self, bytes: impl Into<Vec<u8>>) {
        self.act([Act::from(bytes)]);
    }

    /// Does this towards every client.
    pub fn act(&self, acts: impl IntoIterator<Item = Act> + Clone) {
        lock(&self.shared.clients).iter().for_each(|client| client.act(acts.clone()));
    }

    /// Replaces an answer from now on, see [`Builder::on`].
    pub fn on(&self, property_or_tag: &str, handler: impl Fn(&Command) -> Vec<Act> + Send + Sync + 'static) {
        lock(&self.shared.handlers).insert(property_or_tag.to_owned(), Arc::new(handler));
    }

    /// Gives its own answer again.
    pub fn off(&self, property_or_tag: &str) {
        lock(&self.shared.handlers).remove(property_or_tag);
    }

    /// From the next connection on the line is neither slow nor cut.
    pub fn heal_line(&self) {
        *lock(&self.shared.line) = Line::default();
    }

    /// Everything that clients have said since the start or the last [`FakeIndi::forget`].
    pub fn received(&self) -> Vec<Command> {
        lock(&self.shared.heard).commands.clone()
    }

    /// Forgets what clients have said.
    pub fn forget(&self) {
        lock(&self.shared.heard).commands.clear();
    }

    /// The first command that fits, waiting for it; `None` when it does not come in time.
    pub fn wait_for(&self, fits: impl Fn(&Command) -> bool, limit: Duration) -> Option<Command> {
        self.wait(limit, |heard| heard.commands.iter().find(|command| fits(command)).cloned())
    }

    /// Waits until that many clients have connected since the start; false when they do not in time.
    pub fn wait_for_connections(&self, number: usize, limit: Duration) -> bool {
        self.wait(limit, |heard| (heard.connections >= number).then_some(())).is_some()
    }

    /// Clients that have connected since the start.
    pub fn connections(&self) -> usize {
        lock(&self.shared.heard).connections
    }

    fn wait<T>(&self, limit: Duration, look: impl Fn(&serving::Heard) -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut heard = lock(&self.shared.heard);
        loop {
            if let Some(found) = look(&heard) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            heard = self.shared.news.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The driver of a device dies: its clients are told that it is gone.
    pub fn kill_driver(&self, device: &str) {
        let taken = lock(&self.shared.world).take(device);
        if taken {
            self.send(xml::delete(device, None));
        }
    }

    /// Another client disconnects a device: all are told before anybody is answered anything else.
    pub fn let_go(&self, device: &str) {
        let mut world = lock(&self.shared.world);
        let told = world.let_go(device);
        self.send(told);
    }

    /// The driver of a device is back, not connected to its hardware: a set comes before the definitions, as indiserver does it.
    pub fn restart_driver(&self, device: Device) {
        let early = device
            .properties
            .iter()
            .find(|property| !property.after_connect)
            .map(|property| property.set_xml(&device.name));
        let definitions = device.definitions(None);
        lock(&self.shared.world).devices.push(device);
        self.send(early.unwrap_or_default() + &definitions);
    }

    /// The server dies: all connections are closed, and nobody listens.
    pub fn go_down(&self) {
        drop(lock(&self.listening).take());
        self.shared.drop_clients();
    }

    /// The server is back at the same port, its devices not connected to their hardware.
    ///
    /// # Errors
    /// When the port was taken in the meantime.
    pub fn come_back(&self) -> io::Result<()> {
        lock(&self.shared.world).reset();
        let listener = TcpListener::bind(self.address)?;
        *lock(&self.listening) = Some(Listening::start(listener, self.shared.clone())?);
        Ok(())
    }

    /// Closes all connections; the server goes on listening.
    pub fn drop_clients(&self) {
        self.shared.drop_clients();
    }
}

impl Drop for FakeIndi {
    fn drop(&mut self) {
        self.go_down();
    }
}
