//! INDI: drivers behind an `indiserver`, over TCP.
//!
//! One reading thread per connection fills a [`store`] of everything the drivers tell, so reading a state
//! costs no I/O. Commands are [`order`]s: sent, and finished when the device says so. `connection` holds
//! socket and thread, `handle` is what all devices have in common, the rest is a file for each kind.
//!
//! Addresses: `indi://host:7624/Device`; host, port and device may be left out (`localhost`, 7624, the only
//! one of its kind). Option: `timeout`, seconds that a call waits for the server or a driver, 15 by default.

mod announcer;
mod camera;
mod connection;
mod controls;
mod cooler;
mod exposure;
mod filter_wheel;
mod focuser;
mod handle;
mod incoming;
mod kinds;
mod motion;
mod mount;
mod order;
mod place;
mod pulse;
mod store;

use super::{Backend, no_such_device};
use crate::{
    Address, Error, Result,
    device::{AnyDevice, DeviceId, DeviceInfo},
    event::{Events, Link},
    wait::Deadline,
    wire::indi::Message,
};
use announcer::Announcer;
use connection::Connection;
use kinds::Registry;
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{Arc, Weak},
    time::Duration,
};

/// INDI's port, registered with IANA.
const PORT: u16 = 7624;

/// The longest that a call waits unless the address says otherwise: real hardware may take this long to connect.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How long a server that answered at all may take to define its first device, and then to pause between two.
const FIRST_DEFINITION: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_millis(250);

/// Connects to a server.
///
/// # Errors
/// `InvalidValue` for a malformed option, `Unsupported` for unix sockets, `Unreachable` or `Timeout` when no
/// server answers.
pub fn open(address: &Address) -> Result<Arc<dyn Backend>> {
    if address.scheme() != "indi" {
        return Err(Error::unsupported(format!("{} is not supported yet; use indi://host:port", address.scheme())));
    }
    let timeout = timeout(address)?;
    let connection = Connection::open(address.host().unwrap_or("localhost"), address.port().unwrap_or(PORT), timeout)?;
    let registry = Arc::new(Registry::new(connection.clone(), &address.clone().with_path("")));
    let announcer = Arc::new(Announcer::new(registry.clone()));
    let listener: Weak<dyn connection::Listener> = Arc::<Announcer>::downgrade(&announcer);
    connection.tell(listener);
    connection.send(&[Message::GetProperties { device: None, name: None }])?;
    Ok(Arc::new(IndiBackend { address: address.clone(), connection, registry, announcer }))
}

fn timeout(address: &Address) -> Result<Duration> {
    let Some((name, value)) = address.options().first() else { return Ok(TIMEOUT) };
    if let Some((unknown, _)) = address.options().iter().find(|(name, _)| name != "timeout") {
        return Err(Error::invalid(format!("{address}: there is no option {unknown:?}, only timeout")));
    }
    let seconds = value.parse::<f64>().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    let seconds = seconds.ok_or_else(|| Error::invalid(format!("{address}: {name} must be 0.1 to 3600 seconds")))?;
    Ok(Duration::from_secs_f64(seconds))
}

/// The default server, if one listens on this machine.
///
/// # Errors
/// None: no server is no failure.
pub fn discover(timeout: Duration) -> Result<Vec<Address>> {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let answers = TcpStream::connect_timeout(&here, timeout.clamp(Duration::from_millis(1), TIMEOUT)).is_ok();
    Ok(if answers { vec![Address::new("indi").with_host("localhost", Some(PORT))] } else { Vec::new() })
}

/// A connection to a server.
#[derive(Debug)]
struct IndiBackend {
    address: Address,
    connection: Arc<Connection>,
    registry: Arc<Registry>,
    announcer: Arc<Announcer>,
}

impl fmt::Display for IndiBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl IndiBackend {
    /// Waits until the drivers have told what there is: nothing says that the last one is through, so a pause
    /// in the definitions has to.
    fn settle(&self, complete: impl Fn(&Registry, &store::Store) -> bool) -> Result<()> {
        let timeout = self.connection.timeout;
        let settled = self.connection.wait(Deadline::after(timeout.min(FIRST_DEFINITION)), |store| {
            let quiet = store.last_definition.is_some_and(|last| last.elapsed() >= QUIET);
            (quiet || complete(&self.registry, store)).then_some(())
        });
        settled.map(drop)
    }
}

impl Backend for IndiBackend {
    fn address(&self) -> &Address {
        &self.address
    }

    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.settle(|_, _| false)?;
        Ok(self.registry.infos())
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        self.settle(|registry, store| registry.has(store, id))?;
        self.registry.device(id).ok_or_else(|| no_such_device(self, id, &self.registry.ids()))
    }

    fn events(&self) -> Events {
        self.announcer.subscribe()
    }

    fn link(&self) -> Link {
        self.announcer.link()
    }
}

#[cfg(test)]
mod tests {
    use crate::ErrorKind;

    fn kind_of(address: &str) -> ErrorKind {
        crate::open(address).map(|_| ()).unwrap_err().kind()
    }

    #[test]
    fn bad_options_and_dead_ports_are_refused() {
        assert_eq!(kind_of("indi://localhost?time=3"), ErrorKind::InvalidValue);
        assert_eq!(kind_of("indi://localhost?timeout=never"), ErrorKind::InvalidValue);
        assert_eq!(kind_of("indi+unix:///tmp/indiserver"), ErrorKind::Unsupported);
        // Port 1 is reserved and nothing listens there.
        assert_eq!(kind_of("indi://127.0.0.1:1?timeout=2"), ErrorKind::Unreachable);
    }
}
