//! INDI: drivers behind an `indiserver`, over TCP or its unix socket.
//!
//! One reading thread per connection fills a `store` of everything the drivers tell, so reading a state
//! costs no I/O. Commands are `order`s: sent, and finished when the device says so. `connection` holds
//! socket and thread, `handle` is what all devices have in common, the rest is a file for each kind.
//!
//! Addresses: `indi://host:7624/Device`; host, port and device may be left out (`localhost`, 7624, the only
//! one of its kind). On Linux `indi+unix:///tmp/indiserver?device=Device` is a server's unix socket (an abstract
//! name), over which images come as shared memory. `indi://localhost`, without a port, tries the socket of that name
//! first; a port that is named is the one that is used, since a socket may be another server's. Options, behind a
//! `?`:
//!
//! - `unix`: the name of the socket that a server on this machine is sought on before its port, or `off`.
//! - `timeout`: seconds that a call waits for the server or a driver, 15 by default.
//! - `reconnect`: what is done when the connection, a driver or a device is lost ([`Supervision`]):
//!   `restore`, the default, `reopen` or `off`. A lost connection is made again, with longer and longer pauses; a device
//!   that was connected here, and disconnects by itself or through another client, is connected again.
//! - `alive`: seconds after which a silent server or driver is asked whether it is there, 20 by default. One
//!   that does not answer for as long is given up: the connection is lost, or the device's state unknown.
//! - `guard`: `on` (the default) or `off`: whether pictures are judged by the [frame guard](crate::guard).
//!
//! Pictures are taken as `.fits`, `.fits.fz` (see [`fits`](crate::fits)), and either of them packed by zlib (`.z`) or
//! gzip; whether a driver compresses (`CCD_COMPRESSION`) is left as it is set. Of several BLOBs in one vector the first
//! that is a picture counts. A camera with a guide chip is two cameras, the second one named `Device (guide chip)`:
//! it has its own exposures, regions and pictures, while cooling and settings belong to the first.
//!
//! What INDI does not tell is not invented, with two exceptions that are computed:
//!
//! - Speeds of axes driven by hand have names only. Where the names of `TELESCOPE_SLEW_RATE` carry figures that are
//!   more than a count (`1x 8x 64x`), they are multiples of the sidereal speed. Otherwise the capabilities list
//!   nominal speeds, 1 to 800 times sidereal in equal ratios: their order is true, their values are not.
//! - Sidereal time, and the direction from the ground where the driver has none, are computed from the mount's site
//!   and this machine's clock. The mount's own clock is told only when its driver told it to this client
//!   (`TIME_UTC` is often empty for clients that come later): otherwise the state has no time.
//!
//! What the traits of the devices do not cover is reached through the raw [`properties`], and through three
//! actions of each device: `indi:list` (`PROPERTY.ELEMENT` with `*`, or nothing) answers lines
//! `PROPERTY.ELEMENT=VALUE`; `indi:get` (`PROPERTY.ELEMENT`, or an attribute such as `PROPERTY._STATE`) answers
//! a value; `indi:set` (`PROPERTY.ELEMENT=VALUE`, several as `PROPERTY.A;B=1;2`) answers the state then.

mod actions;
mod announcer;
mod attached;
mod camera;
mod chip;
mod claims;
mod connecting;
mod connection;
mod controls;
mod cooler;
mod device;
#[cfg(test)]
mod differential;
mod exposure;
mod filter_wheel;
mod focuser;
mod handle;
mod incoming;
mod keeper;
mod kinds;
mod motion;
mod mount;
mod order;
mod picture;
pub mod properties;
mod property;
mod pulse;
mod reading;
mod socket;
mod store;
#[cfg(target_os = "linux")]
mod unix;
mod watch;

use super::{Backend, keeping::Keeping, no_such_device, tcp};
use crate::{
    Address, Error, Result, Supervision,
    device::{AnyDevice, DeviceId, DeviceInfo},
    event::{Events, Link},
    guard::Guard,
    wait::Deadline,
};
use announcer::Announcer;
use connection::{Connection, Policy};
use kinds::Registry;
use properties::Properties;
use socket::{PORT, Server};
use std::{
    any::Any,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Weak},
    time::Duration,
};
use store::Store;

/// The longest that a call waits unless the address says otherwise: real hardware may take this long to connect.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How long a server may say nothing before it has defined anything, and how long then.
const FIRST_DEFINITION: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_millis(250);

/// Checks the options of an address; no I/O.
///
/// # Errors
/// `InvalidValue` for a malformed option.
pub fn check(address: &Address) -> Result<()> {
    server(address).and_then(|_| policy(address)).map(drop)
}

/// The limits that an address sets, by default.
#[cfg(test)]
pub(super) fn limits() -> Vec<(&'static str, Duration)> {
    vec![("timeout", TIMEOUT), ("alive", Keeping::default().alive)]
}

/// Connects to a server.
///
/// # Errors
/// `InvalidValue` for a malformed option, `Unreachable` or `Timeout` when no server answers.
pub fn open(address: &Address) -> Result<Arc<dyn Backend>> {
    Ok(connect(address)?)
}

/// The same, for a program that also wants the server's raw [`properties`].
///
/// # Errors
/// As [`open`].
pub fn connect(address: &Address) -> Result<Arc<Indi>> {
    let connection = Connection::open(server(address)?, policy(address)?)?;
    let registry = Arc::new(Registry::new(connection.clone(), &address.clone().with_path("")));
    let announcer = Arc::new(Announcer::new(registry.clone()));
    let listener: Weak<dyn connection::Listener> = Arc::<Announcer>::downgrade(&announcer);
    connection.tell(listener);
    keeper::start(&connection)?;
    watch::start(&connection)?;
    Ok(Arc::new(Indi { address: address.clone(), connection, registry, announcer }))
}

/// Where an address says that the server is.
fn server(address: &Address) -> Result<Server> {
    let server = match address.scheme() {
        "indi+unix" => Server::on(address.host()),
        _ => Server::at(address.host(), address.port()),
    };
    match address.option("unix") {
        Some(socket) => server.with_socket(socket).map_err(|why| Error::invalid(format!("{address}: {why}"))),
        None => Ok(server),
    }
}

/// The other options of an address.
fn policy(address: &Address) -> Result<Policy> {
    let wrong = |why: String| Error::invalid(format!("{address}: {why}"));
    let seconds = |name: &str, value: &str| {
        let seconds = value.parse::<f64>().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
        let why = || Error::invalid(format!("{name} must be 0.1 to 3600 seconds"));
        seconds.map(Duration::from_secs_f64).ok_or_else(why)
    };
    let wrong_value = |why: Error| wrong(why.message().to_owned());
    let mut policy = Policy { timeout: TIMEOUT, keeping: Keeping::default(), guard: true };
    for (name, value) in address.options() {
        if policy.keeping.take(name, value, || seconds(name, value)).map_err(wrong_value)? {
            continue;
        }
        match name.as_str() {
            "timeout" => policy.timeout = seconds(name, value).map_err(wrong_value)?,
            "guard" => policy.guard = Guard::option(value).ok_or_else(|| wrong("guard must be on or off".into()))?,
            // It belongs to where the server is.
            "unix" => {}
            _ => {
                let known = Keeping::NAMES;
                return Err(wrong(format!("there is no option {name:?}; there are timeout, guard, unix, {known}")));
            }
        }
    }
    Ok(policy)
}

/// The default server, if one listens on this machine.
///
/// # Errors
/// None: no server is no failure.
pub fn discover(timeout: Duration) -> Result<Vec<Address>> {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let answers = tcp::connect(&here, &Deadline::after(timeout.min(TIMEOUT))).is_ok();
    Ok(if answers { vec![Address::new("indi").with_host("localhost", None)] } else { Vec::new() })
}

/// A connection to a server: a [`Backend`], and the way to the raw [`properties`] of all its devices.
#[derive(Debug)]
pub struct Indi {
    address: Address,
    connection: Arc<Connection>,
    registry: Arc<Registry>,
    announcer: Arc<Announcer>,
}

impl Indi {
    /// The INDI server behind a backend that was opened by address or name.
    ///
    /// # Errors
    /// `Unsupported` for a backend of another framework.
    pub fn of(backend: &dyn Backend) -> Result<&Indi> {
        let found = (backend as &dyn Any).downcast_ref();
        found.ok_or_else(|| Error::unsupported(format!("{backend} has no INDI properties")))
    }

    /// The properties of all the server's devices, through this connection.
    pub fn properties(&self) -> Properties {
        Properties::new(self.connection.clone())
    }

    fn settle(&self, complete: impl Fn(&Registry, &Store) -> bool) -> Result<()> {
        settle(&self.connection, self.connection.deadline(), |store| complete(&self.registry, store))
    }
}

/// Waits until the drivers have told what there is: nothing says that the last one is through, so a pause
/// in the definitions has to.
fn settle(connection: &Connection, deadline: Deadline, complete: impl Fn(&Store) -> bool) -> Result<()> {
    let settled = connection.wait(deadline, |store| {
        let pause = if store.last_definition.is_some() { QUIET } else { FIRST_DEFINITION };
        (store.has_defined_nothing_for(pause) || complete(store)).then_some(())
    });
    settled.map(drop)
}

impl fmt::Display for Indi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Backend for Indi {
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

    fn answers_from_memory(&self) -> bool {
        true
    }

    fn events(&self) -> Events {
        self.announcer.subscribe()
    }

    fn link(&self) -> Link {
        self.announcer.link()
    }

    fn supervision(&self) -> Supervision {
        self.connection.shared().policy.keeping.policy
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
        assert_eq!(kind_of("indi://localhost?alive=0"), ErrorKind::InvalidValue);
        assert_eq!(kind_of("indi://localhost?reconnect=perhaps"), ErrorKind::InvalidValue);
        assert_eq!(kind_of("indi://localhost?unix=on"), ErrorKind::InvalidValue);
        assert_eq!(kind_of("indi://pi.local?unix=/tmp/indiserver"), ErrorKind::InvalidValue);
        assert_eq!(kind_of("indi+unix:///no/such/socket"), ErrorKind::Unreachable);
        // Port 1 is reserved and nothing listens there.
        assert_eq!(kind_of("indi://127.0.0.1:1?timeout=2"), ErrorKind::Unreachable);
    }
}
