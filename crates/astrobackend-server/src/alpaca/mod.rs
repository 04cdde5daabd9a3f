//! ASCOM Alpaca: the devices of any backend for N.I.N.A., SharpCap, PHD2 and every other Alpaca program.
//!
//! `docs/alpaca.md` says what is exposed and how, for users. Here, a request passes
//! `listener` (connections and their limits), `http` (paths, access, replies), `dispatch` (which call may wait, and how
//! long), and the file of its device kind, which knows ASCOM's rules and the device contract and nothing of HTTP.

mod access;
mod actions;
mod body;
mod camera;
mod common;
mod connection;
mod discovery;
mod dispatch;
mod filter_wheel;
mod focuser;
mod frame;
mod http;
mod identities;
mod io;
mod kept;
mod listener;
mod management;
mod options;
mod picture;
mod pictures;
mod registry;
mod served;
mod setup;
mod telescope;
mod telescope_orders;

pub use identities::default_state_file;
pub use options::{Access, Exposed, Limits, Login, Options};

use crate::life::Life;
use astrobackend::{Backend, Error, Result, device::DeviceKind};
use registry::Registry;
use std::{fmt, net::SocketAddr, sync::Arc};

/// Starts Alpaca servers; any number of them may run in a process.
#[derive(Clone, Copy, Debug)]
pub struct Server;

impl Server {
    /// Offers the devices of a backend; returns once clients can connect.
    ///
    /// # Errors
    /// `InvalidValue` for options that contradict each other, an address beyond this computer without protection, or
    /// devices that there are not; `Io` when the address cannot be used or the state file not be read; what listing
    /// the devices fails with.
    pub fn start(backend: Arc<dyn Backend>, options: Options) -> Result<Running> {
        Server::start_all(vec![Exposed::all(backend)], options)
    }

    /// Offers devices of several backends as one server.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_all(exposed: Vec<Exposed>, options: Options) -> Result<Running> {
        options.check()?;
        let mut life = Life::new("alpaca-server", options.limits.threads, options.limits.stop)?;
        let (listener, address) = life.listen(options.listen)?;
        let registry = Registry::new(exposed, &options)?;
        let service = Arc::new(http::Service::new(registry, &options, address));
        let discovery = {
            let _within = life.handle().enter();
            options.discovery.map(|port| discovery::start(port, address, &options.access, life.stopped()))
        };
        registry::follow(&service.registry);
        life.begin(listener::serve(listener, service.clone(), options.limits, life.stopped()));
        Ok(Running { address, discovery, service, life })
    }
}

/// A server that runs; dropping it ends it at once.
pub struct Running {
    address: SocketAddr,
    discovery: Option<Result<()>>,
    service: Arc<http::Service>,
    life: Life,
}

/// A device that is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// The kind.
    pub kind: DeviceKind,
    /// The number within its kind, as in the path.
    pub number: u32,
    /// The name.
    pub name: String,
    /// The identity that never changes.
    pub unique_id: String,
    /// The address of the backend that it belongs to.
    pub backend: String,
}

impl Running {
    /// Where it listens, the port chosen by the system included.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The devices that are offered and there now, in order of kind and number; no I/O.
    pub fn devices(&self) -> Vec<Offered> {
        self.service.registry.present().iter().map(|served| served.offered()).collect()
    }

    /// Why programs cannot discover the server, if they cannot although they should; the server works without.
    pub fn discovery_problem(&self) -> Option<&Error> {
        self.discovery.as_ref().and_then(|discovery| discovery.as_ref().err())
    }

    /// Ends it: no new clients, while replies under way, an image perhaps, have a while to finish ([`Limits::stop`]).
    pub fn stop(mut self) {
        self.life.end();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.service.registry.close();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}
