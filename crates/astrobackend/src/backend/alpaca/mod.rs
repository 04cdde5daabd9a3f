//! ASCOM Alpaca: devices of servers in the network, over HTTP.
//!
//! `http` is one request under its deadline, `server` the connections to a server and what is tried again, `handle` what
//! all devices have in common, the rest is a file for each kind and what belongs to it.
//!
//! Addresses: `alpaca://host:port/camera/0`, or `/` and the device's name, or neither; `http://host:port/api/v1/camera/0`
//! and `ALPACA:camera:0`, which other programs use; `alpaca:uid=IDENTITY` for a device wherever it is now. The port is
//! 11111 if it is left out. Without a host it is `localhost:11111`, or else the server that discovery finds. A
//! link-local address carries its zone: `alpaca://[fe80::1%25eth0]`. Options, behind a `?`:
//!
//! - `timeout`: seconds that a call may take, 15 by default: drivers of old answer when they have done what they were
//!   told. `connect`: seconds for the connection to the server, 5. All calls end by then.
//! - `image`: seconds that a picture may take, 300, of which at most four times `timeout` until it begins. `stall`: a
//!   picture that comes with less than 256 bytes per second for so many seconds (10) is given up.
//! - `reconnect`: what is done when the server or a device is lost ([`Supervision`]): `restore`, the
//!   default, `reopen` or `off`. Each call has a connection of its own, so a lost server is one that cannot be connected
//!   to, or that does not answer when it is asked after a call went wrong. From then on calls fail at once: with `off`
//!   until the backend is opened again, otherwise until a request in the background, with growing pauses, is answered.
//! - `alive`: seconds after which the server is asked whether it is there, and whether the devices that were connected
//!   here still are, 20 by default.
//! - `poll`: seconds between two looks at the devices while somebody listens to events, 1.
//! - `shared`: `on` leaves a device connected for others when it is disconnected here; `off` is the default.
//! - `guard`: `on` (the default) or `off`: whether pictures are judged by the [frame guard](crate::guard).
//! - `user`, `password`: for servers that want to know who asks.
//! - `discovery`: seconds that discovery waits for answers, 2; `port`: the UDP port that it asks on, 32227; `servers`:
//!   servers that are looked at besides, `host:port` with commas between. The environment variable
//!   [`SERVERS_VARIABLE`] names such servers for all.
//!
//! Servers from before Platform 7 are used as they are: `Connected` for `Connect`, single members for `DeviceState`,
//! and commands that their drivers answer only when they are done are waited for on a thread. Our own server tells
//! more than ASCOM has ([`extensions`](crate::wire::alpaca::extensions)): settings, the type of a frame, all that is
//! known of a picture.
//!
//! What ASCOM does not tell is not invented: it has no flag for a focuser's brake, for a clock or site that can be set,
//! nor limits for a cooler, so these are taken to be there and the driver refuses what it cannot.

mod arriving;
mod devices;
mod discovery;
mod http;
mod policy;
mod pool;
mod server;

pub use discovery::{Found, SERVERS_VARIABLE, servers};

use super::{Backend, interfaces::Told, keeping::Kept, no_such_device};
use crate::{
    Address, Error, ErrorKind, Result, Supervision,
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind},
    event::{Events, Link, Poller},
    sync::lock,
    wire::alpaca::{PORT, form::Form},
};
use devices::{Devices, Listed};
use policy::Policy;
use serde_json::Value;
use server::Server;
use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

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
    vec![
        ("timeout", policy.call),
        ("connect", policy.connect),
        ("image", policy.image),
        ("stall", policy.stall),
        ("discovery", policy.discovery),
    ]
}

/// Opens a server, or the server of a device.
///
/// # Errors
/// `InvalidValue` for a malformed option, or when discovery finds several servers; `Unreachable` or `Timeout` when
/// none answers; `NotFound` for an identity that nobody has; `Protocol` when it is no Alpaca server.
pub fn open(address: &Address) -> Result<Arc<dyn Backend>> {
    let policy = Policy::of(address)?;
    let address = address.clone().with_path(normal_path(address.path()));
    let alpaca = match (address.host(), address.path().strip_prefix("uid=")) {
        (Some(host), _) => Alpaca::at(&address, host, address.port().unwrap_or(PORT), policy)?,
        (None, Some(identity)) => Alpaca::with_device(&address, identity, policy)?,
        (None, None) => match Alpaca::at(&address, "localhost", PORT, policy.clone()) {
            Err(error) if error.kind() == ErrorKind::Unreachable => Alpaca::anywhere(&address, policy, error)?,
            here => here?,
        },
    };
    Ok(Arc::new(alpaca))
}

/// Looks for servers on all networks, and those that [`SERVERS_VARIABLE`] names; the addresses of those that answer.
///
/// # Errors
/// `Unreachable` when this machine's networks cannot be read.
pub fn discover(timeout: Duration) -> Result<Vec<Address>> {
    let port = crate::wire::alpaca::discovery::PORT;
    let found = servers(timeout, port, &discovery::named_by_environment())?;
    Ok(found.into_iter().filter(|server| server.devices.is_ok()).map(|server| server.address).collect())
}

/// `Telescope/0` and `mount/0` as `telescope/0`; anything else as it is.
fn normal_path(path: &str) -> String {
    let place = path
        .split_once('/')
        .and_then(|(kind, number)| Some((kind.parse::<DeviceKind>().ok()?, number.parse::<u32>().ok()?)));
    place.map_or_else(|| path.to_owned(), |(kind, number)| format!("{}/{number}", kind.alpaca_name()))
}

/// The members of devices are below `/api/v1/`.
fn full_path(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") }
}

/// A server: a [`Backend`], and the way to members that the device traits do not cover.
#[derive(Debug)]
pub struct Alpaca {
    address: Address,
    devices: Arc<Devices>,
    listed: Mutex<Vec<Listed>>,
    poller: Poller,
}

impl Alpaca {
    /// The Alpaca server behind a backend that was opened by address or name.
    ///
    /// # Errors
    /// `Unsupported` for a backend of another framework.
    pub fn of(backend: &dyn Backend) -> Result<&Alpaca> {
        let found = (backend as &dyn Any).downcast_ref();
        found.ok_or_else(|| Error::unsupported(format!("{backend} is no Alpaca server")))
    }

    /// Reads a member as it is on the wire (`camera/0/gain`, or from the root `/management/apiversions`): the
    /// server's whole reply. One round trip.
    ///
    /// # Errors
    /// `Unreachable`, `Timeout`, `Protocol` for what is no Alpaca reply, or the error that the reply tells.
    pub fn get(&self, path: &str, parameters: &Form) -> Result<Value> {
        self.devices.server.whole(false, &full_path(path), parameters)
    }

    /// Changes a member as it is on the wire; the server's whole reply. One round trip.
    ///
    /// # Errors
    /// As [`Alpaca::get`].
    pub fn put(&self, path: &str, parameters: &Form) -> Result<Value> {
        self.devices.server.whole(true, &full_path(path), parameters)
    }

    /// The server at a place, which must answer.
    fn at(address: &Address, host: &str, port: u16, policy: Policy) -> Result<Self> {
        let poller = Poller::new(policy.poll);
        let server = Arc::new(Server::new(host, port, policy, poller.hub().clone()));
        let devices = Arc::new(Devices::new(server, poller.hub().clone(), address.options()));
        let listed = Mutex::new(devices::list(&devices.server)?);
        let kept: Weak<dyn Kept> = Arc::<Server>::downgrade(&devices.server);
        devices.server.keeper.look_after(kept);
        Ok(Alpaca { address: address.clone(), devices, listed, poller })
    }

    /// The servers that discovery finds, and those that are named.
    fn found(policy: &Policy) -> Result<Vec<Found>> {
        let named: Vec<_> = policy.servers.iter().cloned().chain(discovery::named_by_environment()).collect();
        servers(policy.discovery, policy.port, &named)
    }

    /// The server that has a device of an identity.
    fn with_device(address: &Address, identity: &str, policy: Policy) -> Result<Self> {
        let found = Alpaca::found(&policy)?;
        let server = found.iter().find(|server| server.has(identity));
        let Some(server) = server else {
            return Err(Error::not_found(format!(
                "{address}: no device has this identity; there are {}",
                list(&found)
            )));
        };
        Alpaca::at_found(address, server, policy)
    }

    /// The only server there is.
    fn anywhere(address: &Address, policy: Policy, not_here: Error) -> Result<Self> {
        let found = Alpaca::found(&policy)?;
        let answering: Vec<_> = found.iter().filter(|server| server.devices.is_ok()).collect();
        match answering[..] {
            [server] => Alpaca::at_found(address, server, policy),
            [] if found.is_empty() => {
                let message = format!("{}, and discovery found none", not_here.message());
                Err(Error::new(ErrorKind::Unreachable, message).caused_by(not_here))
            }
            [] => Err(Error::new(ErrorKind::Unreachable, format!("no server answers: {}", list(&found)))),
            _ => Err(Error::invalid(format!("there are several servers, name one of {}", list(&found)))),
        }
    }

    fn at_found(address: &Address, server: &Found, policy: Policy) -> Result<Self> {
        let port = server.address.port().unwrap_or(PORT);
        Alpaca::at(address, server.address.host().unwrap_or("localhost"), port, policy)
    }
}

/// The servers, and why one does not answer.
fn list(found: &[Found]) -> String {
    let each = found.iter().map(|server| match &server.devices {
        Ok(_) => server.address.to_string(),
        Err(why) => format!("{} ({why})", server.address),
    });
    let list: Vec<_> = each.collect();
    if list.is_empty() { "no servers".into() } else { list.join(", ") }
}

impl fmt::Display for Alpaca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Backend for Alpaca {
    fn address(&self) -> &Address {
        &self.address
    }

    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        let listed = devices::list(&self.devices.server)?;
        let infos = listed.iter().map(|device| self.devices.known(device)).collect();
        *lock(&self.listed) = listed;
        Ok(infos)
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        let find = || {
            let listed = lock(&self.listed);
            listed.iter().find(|device| device.kind == id.kind && device.name == id.name).cloned()
        };
        if find().is_none() {
            *lock(&self.listed) = devices::list(&self.devices.server)?;
        }
        match find() {
            Some(device) => Ok(self.devices.make(&device)),
            None => {
                let there: Vec<_> =
                    lock(&self.listed).iter().map(|device| DeviceId::new(device.kind, &device.name)).collect();
                Err(no_such_device(self, id, &there))
            }
        }
    }

    fn events(&self) -> Events {
        let devices = Arc::downgrade(&self.devices);
        self.poller.subscribe(|| {
            let (mut told, mut first) = (Told::default(), true);
            move || {
                // The first look is the caller's, who shall not wait for the network: what was, is told with the next.
                if std::mem::take(&mut first) {
                    return Some(Vec::new());
                }
                Some(told.look(devices.upgrade()?.all_made(), true))
            }
        })
    }

    fn link(&self) -> Link {
        self.devices.server.link.get()
    }

    fn supervision(&self) -> Supervision {
        self.devices.server.policy.keeping.policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_other_programs_mean_the_same() {
        assert_eq!(normal_path("Mount/0"), "telescope/0");
        assert_eq!(normal_path("FilterWheel/12"), "filterwheel/12");
        assert_eq!(normal_path("My camera / 2"), "My camera / 2");
    }

    #[test]
    fn bad_options_and_dead_ports_are_refused() {
        let kind_of = |address: &str| crate::open(address).map(drop).unwrap_err().kind();
        assert_eq!(kind_of("alpaca://127.0.0.1?time=3"), ErrorKind::InvalidValue);
        // Port 1 is reserved and nothing listens there.
        assert_eq!(kind_of("alpaca://127.0.0.1:1?timeout=2"), ErrorKind::Unreachable);
    }
}
