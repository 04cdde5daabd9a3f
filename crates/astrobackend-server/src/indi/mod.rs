//! INDI: the devices of any backend for KStars, PHD2, CCDciel, `indi_getprop` and every other INDI client.
//!
//! `docs/indi-server.md` describes what is offered, for users. Here, a message passes `connections` of the crate and
//! `client`, and goes to the `device` it is for, which works through its orders one after the other, in the file of its
//! kind. What is told goes the other way: the parts of a device build their properties, `published` finds out what is
//! new, the `audience` who wants to hear it, and each client's `outbox` keeps it until it is taken.

mod audience;
mod camera;
mod client;
mod controls;
mod cooler;
mod device;
mod devices;
mod exposure;
mod filter_wheel;
mod focuser;
mod follow;
mod guide;
mod interest;
mod mount;
mod options;
mod order;
mod outbox;
mod part;
mod picture;
mod property;
mod published;

pub use crate::alpaca::Exposed;
pub use options::{Limits, Options, PORT};

use crate::{
    connections::{self, Doors},
    life::Life,
};
use astrobackend::{Backend, Result, device::DeviceInfo};
use audience::Audience;
use devices::Devices;
use follow::Following;
use std::{fmt, net::SocketAddr, sync::Arc};
use tokio::runtime::Handle;

/// Starts INDI servers; any number of them may run in a process.
#[derive(Clone, Copy, Debug)]
pub struct Server;

/// What all connections share.
#[derive(Debug)]
struct Service {
    devices: Devices,
    audience: Arc<Audience>,
    following: Following,
    runtime: Handle,
    read_only: bool,
    limits: Limits,
}

impl Server {
    /// Offers the devices of a backend; returns once clients can connect.
    ///
    /// Devices are left as they are: clients connect them with `CONNECTION`.
    ///
    /// # Errors
    /// `InvalidValue` for an address beyond this computer without a word that this is meant; `Io` when the address
    /// cannot be used; what listing the devices fails with.
    pub fn start(backend: Arc<dyn Backend>, options: Options) -> Result<Running> {
        Server::start_all(vec![Exposed::all(backend)], options)
    }

    /// Offers devices of several backends as one server.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_all(exposed: Vec<Exposed>, options: Options) -> Result<Running> {
        connections::refuse_strangers(options.listen, options.open)?;
        let limits = options.limits;
        let mut life = Life::new("indi-server", limits.threads, limits.stop)?;
        let (listener, address) = life.listen(options.listen)?;
        let service = Arc::new(Service {
            devices: Devices::new(exposed),
            audience: Arc::default(),
            following: Following::default(),
            runtime: life.handle().clone(),
            read_only: options.read_only,
            limits,
        });
        service.devices.list(&service)?;
        let doors = Doors { networks: options.networks, connections: limits.connections, stop: limits.stop };
        let serving = service.clone();
        let each = move |stream, stopped| client::serve(stream, serving.clone(), stopped);
        life.begin(connections::serve(listener, doors, life.stopped(), each));
        Ok(Running { address, service, life })
    }
}

/// A server that runs; dropping it ends it at once.
pub struct Running {
    address: SocketAddr,
    service: Arc<Service>,
    life: Life,
}

impl Running {
    /// Where it listens, the port chosen by the system included.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The devices that were offered when it was last looked; no I/O.
    pub fn devices(&self) -> Vec<DeviceInfo> {
        self.service.devices.infos()
    }

    /// Ends it: no new clients, while what waits for them has a while to leave ([`Limits::stop`]).
    pub fn stop(mut self) {
        self.life.end();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}
