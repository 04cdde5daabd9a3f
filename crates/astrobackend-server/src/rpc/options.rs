//! How a server is to be: where it listens, whom it lets in, where it saves, and its limits.

use astrobackend::wire::rpc;
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// How a server is to be; the default listens on this computer only and saves below the working directory.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address and port; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Everybody who can reach the server may use it: said explicitly, for an address beyond this computer. The
    /// protocol knows no passwords.
    pub open: bool,
    /// Nothing can be changed.
    pub read_only: bool,
    /// The networks that clients may come from; empty for all.
    pub networks: Vec<IpNet>,
    /// `save_image` writes below this folder only.
    pub folder: PathBuf,
    /// Connect the devices at the start: the original's clients cannot.
    pub connect: bool,
    /// The limits.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: ([127, 0, 0, 1], rpc::PORT).into(),
            open: false,
            read_only: false,
            networks: Vec::new(),
            folder: PathBuf::from("."),
            connect: true,
            limits: Limits::default(),
        }
    }
}

/// How long things may take, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A device's answer; then the client is told so, while the call goes on.
    pub call: Duration,
    /// Connecting a device.
    pub connect: Duration,
    /// Fetching or saving a picture.
    pub image: Duration,
    /// An exposure beyond its own time.
    pub readout: Duration,
    /// Calls to one device that have not come back.
    pub calls: usize,
    /// Requests of one connection that wait for devices.
    pub waiting: usize,
    /// Bytes of a request.
    pub line: usize,
    /// A client that takes nothing of what it is sent.
    pub stall: Duration,
    /// Connections.
    pub connections: usize,
    /// Finishing answers when the server stops.
    pub stop: Duration,
    /// Threads that serve requests.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Limits {
            call: Duration::from_secs(30),
            connect: Duration::from_secs(120),
            image: Duration::from_secs(300),
            readout: Duration::from_secs(120),
            calls: 32,
            waiting: 256,
            line: 1 << 20,
            stall: Duration::from_secs(30),
            connections: 64,
            stop: Duration::from_secs(5),
            threads: cores.clamp(1, 4),
        }
    }
}
