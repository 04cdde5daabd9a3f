//! The JSON RPC of the Python Astroimaging Suite: its own server (pyastroimageview), and ours, which says more.
//!
//! One connection for everything: requests go out as they come and answers are matched by their number, so nobody waits
//! for somebody else's. Only pictures have a connection of their own. The wire is described in `docs/rpc.md`.
//!
//! Addresses: `rpc://host:port/Device`; host, port and device may be left out (`127.0.0.1`, 8800, the only one of its
//! kind). Options, behind a `?`:
//!
//! - `timeout`: seconds that a call waits for the server, 15 by default.
//! - `image`, `stall`: seconds that a picture may take, 300, and after which one that does not move is given up, 10.
//! - `reconnect`: what is done when the connection or a device is lost ([`Supervision`]): `restore`,
//!   the default, `reopen` or `off`. A lost connection is made again with longer and longer pauses.
//! - `alive`: seconds after which a silent server is asked whether it is there, 20 by default. One that does not answer
//!   for as long is given up. As often the devices that were connected here are asked whether they still are.
//! - `poll`: seconds between two looks at the original server while somebody listens, 1 by default; ours tells by itself.
//! - `guard`: `on` (the default) or `off`: whether pictures are judged by the [frame guard](crate::guard).
//!
//! # Our server
//! It says in its greeting that it has methods for all of the contract; everything is asked of it, nothing guessed.
//!
//! # The original server
//! It has one device of each kind, which its user connects in its window: here, connecting asks whether that was done. What
//! its protocol cannot say is not there: pulses, driver information, sites, progress, limits. Binning, region and gain
//! are kept here and sent with each exposure. It keeps the picture and saves it to a file on its side; it always runs on
//! this machine (or behind a tunnel), so [`image`](crate::device::Camera::image) lets it save into a temporary file here
//! and reads that. With either server the action `rpc:save-image` (parameter: the name, or JSON
//! `{"filename": "...", "overwrite": true}`) saves on the server's side.

mod camera;
mod connection;
mod devices;
mod fetch;
mod filter_wheel;
mod focuser;
mod handle;
mod mount;
mod original;
mod policy;
mod reading;
mod socket;
mod turns;

use super::{Backend, no_such_device, tcp};
use crate::{
    Address, Error, Result, Supervision,
    device::{AnyDevice, DeviceId, DeviceInfo},
    event::{Events, Link, Poller},
    wait::Deadline,
    wire::rpc::PORT,
};
use connection::Connection;
use devices::Devices;
use policy::Policy;
use serde_json::Value;
use socket::Server;
use std::{
    any::Any,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Weak},
    time::Duration,
};

/// The host of an address that names none: the original server listens nowhere else.
const HOST: &str = "127.0.0.1";

/// Checks the options of an address; no I/O.
///
/// # Errors
/// `InvalidValue` for a malformed option.
pub fn check(address: &Address) -> Result<()> {
    Policy::of(address).map(drop)
}

/// The limits that an address sets, by default.
#[cfg(test)]
pub(super) fn limits() -> Vec<(&'static str, Duration)> {
    let policy = Policy::default();
    vec![("timeout", policy.timeout), ("image", policy.image), ("stall", policy.stall), ("alive", policy.keeping.alive)]
}

/// Connects to a server.
///
/// # Errors
/// `InvalidValue` for a malformed option; `Unreachable`, `Timeout` or `Protocol` when no such server answers.
pub fn open(address: &Address) -> Result<Arc<dyn Backend>> {
    let policy = Policy::of(address)?;
    let server = Server { host: address.host().unwrap_or(HOST).to_owned(), port: address.port().unwrap_or(PORT) };
    let poller = Poller::new(policy.poll);
    let connection = Connection::open(server, policy, poller.hub().clone())?;
    let devices = Devices::new(connection.clone(), address.clone().with_path(""), poller);
    let listener: Weak<dyn connection::Listener> = Arc::<Devices>::downgrade(&devices);
    connection.tell(listener);
    Ok(Arc::new(Rpc { address: address.clone(), devices }))
}

/// The default server, if one listens on this machine.
///
/// # Errors
/// None: no server is no failure.
pub fn discover(timeout: Duration) -> Result<Vec<Address>> {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let timeout = timeout.clamp(Duration::from_millis(1), Policy::default().timeout);
    let answers = tcp::connect(&here, &Deadline::after(timeout)).is_ok();
    Ok(if answers { vec![Address::new("rpc").with_host(HOST, None)] } else { Vec::new() })
}

/// A server: a [`Backend`], and the way to methods that the device traits do not cover.
#[derive(Debug)]
pub struct Rpc {
    address: Address,
    devices: Arc<Devices>,
}

impl Rpc {
    /// The RPC server behind a backend that was opened by address or name.
    ///
    /// # Errors
    /// `Unsupported` for a backend of another framework.
    pub fn of(backend: &dyn Backend) -> Result<&Rpc> {
        let found = (backend as &dyn Any).downcast_ref();
        found.ok_or_else(|| Error::unsupported(format!("{backend} is no RPC server")))
    }

    /// Calls a method as it is on the wire and waits for the answer: its `result`. One round trip.
    ///
    /// # Errors
    /// `Unreachable`, `Timeout`, or what the server answers.
    pub fn call(&self, method: &str, params: Option<&Value>) -> Result<Value> {
        self.devices.call(method, params)
    }
}

impl fmt::Display for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Backend for Rpc {
    fn address(&self) -> &Address {
        &self.address
    }

    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.devices.list()
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        if let Some(made) = self.devices.made(id) {
            return Ok(made);
        }
        let infos = self.devices.list()?;
        match infos.iter().find(|info| info.id == *id) {
            Some(info) => Ok(self.devices.make(info.clone())),
            None => Err(no_such_device(self, id, infos.iter().map(|info| &info.id))),
        }
    }

    fn events(&self) -> Events {
        self.devices.events()
    }

    fn link(&self) -> Link {
        self.devices.link()
    }

    fn supervision(&self) -> Supervision {
        self.devices.supervision()
    }
}

#[cfg(test)]
mod tests {
    use crate::ErrorKind;

    #[test]
    fn bad_options_and_dead_ports_are_refused() {
        let kind_of = |address: &str| crate::open(address).map(|_| ()).unwrap_err().kind();
        for option in ["time=3", "timeout=never", "alive=0", "reconnect=perhaps", "poll=-1"] {
            assert_eq!(kind_of(&format!("rpc://localhost?{option}")), ErrorKind::InvalidValue, "{option}");
        }
        // Port 1 is reserved and nothing listens there.
        assert_eq!(kind_of("rpc://127.0.0.1:1?timeout=2"), ErrorKind::Unreachable);
    }
}
