//! How a server is to be: where it listens, whom it lets in, and its limits.

use ipnet::IpNet;
use std::{net::SocketAddr, time::Duration};

/// The port that INDI servers listen on.
pub const PORT: u16 = 7624;

/// How a server is to be; the default listens on this computer only.
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
    /// The limits.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: ([127, 0, 0, 1], PORT).into(),
            open: false,
            read_only: false,
            networks: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// How long things may take, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A device's answer; then clients are told so, while the call goes on.
    pub call: Duration,
    /// Connecting a device.
    pub connect: Duration,
    /// Fetching a picture and making a file of it.
    pub image: Duration,
    /// Settings that no event tells of are read again after this.
    pub refresh: Duration,
    /// Calls to one device that have not come back.
    pub calls: usize,
    /// Commands and questions of one client that wait for devices; then no more of its bytes are read.
    pub waiting: usize,
    /// Bytes of a message from a client.
    pub message: usize,
    /// Bytes that wait to be sent to a client, without pictures; one that lets more wait is given up.
    pub queue: usize,
    /// A client that takes nothing of what it is sent.
    pub stall: Duration,
    /// Malformed messages until a client is given up.
    pub mistakes: usize,
    /// Connections.
    pub connections: usize,
    /// Sending what waits when the server stops.
    pub stop: Duration,
    /// Threads that serve clients.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Limits {
            call: Duration::from_secs(30),
            connect: Duration::from_secs(120),
            image: Duration::from_secs(300),
            refresh: Duration::from_secs(10),
            calls: 16,
            waiting: 64,
            message: 256 << 10,
            queue: 8 << 20,
            stall: Duration::from_secs(30),
            mistakes: 16,
            connections: 64,
            stop: Duration::from_secs(5),
            threads: cores.clamp(1, 4),
        }
    }
}
