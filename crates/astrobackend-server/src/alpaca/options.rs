//! How a server is to be: where it listens, what it offers, whom it lets in, and its limits.

use astrobackend::{
    Backend, Error, Result,
    device::{DeviceId, DeviceInfo, DeviceKind},
    wire::alpaca,
};
use ipnet::IpNet;
use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

/// How a server is to be; the default listens on this computer only and offers every device.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address and port; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// UDP port on which programs ask for servers; `None` answers nobody.
    pub discovery: Option<u16>,
    /// Names of devices, or `kind:name`; empty offers all.
    pub devices: Vec<String>,
    /// Who may do what.
    pub access: Access,
    /// Where numbers and identities are kept; `None` only remembers them while it runs.
    pub state_file: Option<PathBuf>,
    /// Where the server stands, for the management API.
    pub location: String,
    /// The limits.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: ([127, 0, 0, 1], alpaca::PORT).into(),
            discovery: Some(alpaca::discovery::PORT),
            devices: Vec::new(),
            access: Access::default(),
            state_file: None,
            location: String::new(),
            limits: Limits::default(),
        }
    }
}

impl Options {
    /// Refuses what would let strangers in by mistake.
    pub(super) fn check(&self) -> Result<()> {
        let protected = self.access.login.is_some() || self.access.open;
        if self.listen.ip().is_loopback() || protected {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{} can be reached from other computers, and Alpaca protects nothing by itself: give a user and a password \
             for clients that can log in, or say that the server shall be open to everybody on the network",
            self.listen
        )))
    }

    /// True for a device that is to be offered.
    pub(super) fn wants(&self, id: &DeviceId) -> bool {
        self.devices.is_empty() || self.devices.iter().any(|wanted| is_named(wanted, id))
    }
}

/// `name`, or `kind:name`; names may have colons.
pub(super) fn is_named(wanted: &str, id: &DeviceId) -> bool {
    let by_kind = || {
        let (kind, name) = wanted.split_once(':')?;
        Some(kind.parse::<DeviceKind>().ok()? == id.kind && name == id.name)
    };
    wanted == id.name || by_kind().unwrap_or(false)
}

/// Who may do what.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// User and password that every request must bring.
    pub login: Option<Login>,
    /// Everybody who can reach the server may use it: said explicitly, for an address beyond this computer.
    pub open: bool,
    /// Nothing can be changed.
    pub read_only: bool,
    /// The networks that clients may come from; empty for all.
    pub networks: Vec<IpNet>,
}

/// User and password (HTTP Basic).
#[derive(Clone)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Never the password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// How long things may take, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A device's answer; then the client is told so, while the call goes on.
    pub call: Duration,
    /// `PUT Connected`, which waits until the device is connected.
    pub connected: Duration,
    /// Connecting in the background, after which it counts as failed.
    pub connect: Duration,
    /// The slews that answer when the mount has arrived.
    pub slew: Duration,
    /// Fetching and preparing a picture.
    pub image: Duration,
    /// Calls to one device that have not come back.
    pub calls: usize,
    /// A request's head, and idling between two requests.
    pub header: Duration,
    /// A request's body.
    pub body: Duration,
    /// A client that takes nothing of its reply.
    pub stall: Duration,
    /// Connections.
    pub connections: usize,
    /// Finishing replies when the server stops.
    pub stop: Duration,
    /// Threads that serve requests.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Limits {
            call: Duration::from_millis(950),
            connected: Duration::from_millis(4500),
            connect: Duration::from_secs(120),
            slew: Duration::from_secs(120),
            image: Duration::from_secs(120),
            calls: 16,
            header: Duration::from_secs(30),
            body: Duration::from_secs(10),
            stall: Duration::from_secs(20),
            connections: 512,
            stop: Duration::from_secs(30),
            threads: cores.clamp(2, 4),
        }
    }
}

/// A backend, and which of its devices are offered.
#[derive(Clone, Debug)]
pub struct Exposed {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) only: Option<Vec<DeviceId>>,
}

impl Exposed {
    /// All its devices, also those that appear later.
    pub fn all(backend: Arc<dyn Backend>) -> Self {
        Exposed { backend, only: None }
    }

    /// These of its devices.
    pub fn only(backend: Arc<dyn Backend>, devices: Vec<DeviceId>) -> Self {
        Exposed { backend, only: Some(devices) }
    }

    /// The devices that are there now and offered.
    pub(super) fn devices(&self, options: &Options) -> Result<Vec<DeviceInfo>> {
        let mut devices = self.backend.devices()?;
        let offered = |id: &DeviceId| self.only.as_ref().is_none_or(|only| only.contains(id)) && options.wants(id);
        devices.retain(|info| offered(&info.id));
        Ok(devices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_beyond_this_computer_needs_a_word() {
        let mut options = Options { listen: ([0, 0, 0, 0], 11111).into(), ..Options::default() };
        let refused = options.check().unwrap_err().to_string();
        assert!(refused.contains("user and a password"), "{refused}");
        options.access.open = true;
        assert!(options.check().is_ok());
        options.access = Access { login: Some(Login { user: "a".into(), password: "b".into() }), ..Access::default() };
        assert!(options.check().is_ok() && !format!("{options:?}").contains("\"b\""));
    }

    #[test]
    fn devices_are_named_with_or_without_their_kind() {
        let id = DeviceId::new(DeviceKind::FilterWheel, "Wheel: one");
        assert!(is_named("Wheel: one", &id) && is_named("filterwheel:Wheel: one", &id));
        assert!(!is_named("camera:Wheel: one", &id) && !is_named("Wheel", &id));
    }
}
