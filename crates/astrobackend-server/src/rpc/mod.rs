//! The JSON RPC of the Python Astroimaging Suite: the devices of any backend for its programs, and for our own client.
//!
//! `docs/rpc.md` describes the wire and what is exposed, for users. Here, a request passes `connections` of the crate,
//! `client` (lines, order, what may wait), `dispatch`, and the file of its device kind: the original's
//! methods there, ours in `contract`.

mod camera;
mod client;
mod contract;
mod devices;
mod dispatch;
mod exposure;
mod filter_wheel;
mod focuser;
mod mount;
mod news;
mod options;
mod picture;
mod save;
mod values;

pub use crate::alpaca::Exposed;
pub use options::{Limits, Options};

use crate::{
    connections::{self, Doors},
    life::Life,
};
use astrobackend::{
    Backend, Error, Result,
    device::DeviceInfo,
    wire::rpc::{EXTENSIONS, Greeting},
};
use devices::Devices;
use news::News;
use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};

/// Starts RPC servers; any number of them may run in a process.
#[derive(Clone, Copy, Debug)]
pub struct Server;

/// What all connections share.
#[derive(Debug)]
struct Service {
    devices: Devices,
    news: News,
    greeting: Vec<u8>,
    /// Where pictures are saved.
    folder: PathBuf,
    read_only: bool,
    limits: Limits,
}

impl Server {
    /// Offers the devices of a backend; returns once clients can connect.
    ///
    /// # Errors
    /// `InvalidValue` for an address beyond this computer without a word that this is meant; `Io` when the address or
    /// the folder cannot be used; what listing the devices fails with.
    pub fn start(backend: Arc<dyn Backend>, options: Options) -> Result<Running> {
        Server::start_all(vec![Exposed::all(backend)], options)
    }

    /// Offers devices of several backends as one server.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_all(exposed: Vec<Exposed>, options: Options) -> Result<Running> {
        connections::refuse_strangers(options.listen, options.open)?;
        let folder = options.folder.canonicalize();
        let folder =
            folder.map_err(|error| Error::io(format_args!("no folder {}", options.folder.display()), error))?;
        let mut life = Life::new("rpc-server", options.limits.threads, options.limits.stop)?;
        let (listener, address) = life.listen(options.listen)?;
        let news = News::new(exposed.iter().map(|exposed| exposed.backend.clone()).collect());
        let devices = Devices::new(exposed, options.limits)?;
        let greeting = Greeting {
            server: "astrobackend".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            extensions: vec![EXTENSIONS.to_owned()],
            instance: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, instance(address).as_bytes()).to_string(),
        };
        let service = Arc::new(Service {
            devices,
            news,
            greeting: greeting.line(),
            folder,
            read_only: options.read_only,
            limits: options.limits,
        });
        if options.connect {
            devices::connect_all(&service, life.handle());
        }
        let (connections, stop) = (options.limits.connections, options.limits.stop);
        let doors = Doors { networks: options.networks, connections, stop };
        let serving = service.clone();
        let each = move |stream, stopped| client::serve(stream, serving.clone(), stopped);
        life.begin(connections::serve(listener, doors, life.stopped(), each));
        Ok(Running { address, service, life })
    }
}

/// Another text for each server that is started.
fn instance(address: SocketAddr) -> String {
    format!("{address} {} {}", std::process::id(), astrobackend::Timestamp::now())
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
        self.service.devices.known()
    }

    /// Ends it: no new clients, while pictures under way have a while to finish ([`Limits::stop`]).
    pub fn stop(mut self) {
        self.life.end();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}
