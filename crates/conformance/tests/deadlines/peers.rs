//! The real servers and the fakes that the calls go to, each behind a line that stalls.

use crate::calls::Open;
use astrobackend::{Result, device::DeviceKind};
use astrobackend_server::{alpaca, rpc};
use std::{any::Any, net::SocketAddr, time::Duration};
use testing::{FakeIndi, FakeRpc, IndiServer, Skip, StallingLine};

/// A server that runs as long as this, and where it listens.
type Started = std::result::Result<(Box<dyn Any>, SocketAddr), Skip>;

/// A kind of server.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    scheme: &'static str,
    start: fn() -> Started,
    /// The devices, where there are several of a kind.
    devices: &'static [(DeviceKind, &'static str)],
    /// The options for all limits, but for `{}` seconds.
    limits: &'static str,
    /// What its devices are is known without asking, and a command that nobody objects to is taken for begun.
    pub(crate) answers_from_memory: bool,
}

/// The simulated observatory, quick and with little to send.
const WORLD: &str = "sim://?speed=1000&sensor=generic&settle=0&cameras=1";

fn alpaca_over_sim() -> Started {
    let options = alpaca::Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..Default::default() };
    let server = astrobackend::open(WORLD).and_then(|sim| alpaca::Server::start(sim, options));
    let server = server.expect("our Alpaca server starts");
    let address = server.address();
    Ok((Box::new(server), address))
}

fn rpc_over_sim() -> Started {
    let options = rpc::Options { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
    let server = astrobackend::open(WORLD).and_then(|sim| rpc::Server::start(sim, options));
    let server = server.expect("our RPC server starts");
    let address = server.address();
    Ok((Box::new(server), address))
}

fn original_rpc() -> Started {
    let server = FakeRpc::start().expect("a free port");
    let address = server.address();
    Ok((Box::new(server), address))
}

fn fake_indi() -> Started {
    let server = FakeIndi::builder().observatory().start().expect("a free port");
    let address = server.address();
    Ok((Box::new(server), address))
}

fn indiserver() -> Started {
    let drivers = ["indi_simulator_ccd", "indi_simulator_telescope", "indi_simulator_focus", "indi_simulator_wheel"];
    let server = IndiServer::start(&drivers)?;
    let address = ([127, 0, 0, 1], server.port()).into();
    Ok((Box::new(server), address))
}

pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "alpaca",
        scheme: "alpaca",
        start: alpaca_over_sim,
        devices: &[],
        limits: "timeout={}&connect={}&image={}&stall={}",
        answers_from_memory: false,
    },
    Peer {
        name: "rpc",
        scheme: "rpc",
        start: rpc_over_sim,
        devices: &[],
        limits: "timeout={}&image={}&stall={}",
        answers_from_memory: false,
    },
    Peer {
        name: "original-rpc",
        scheme: "rpc",
        start: original_rpc,
        devices: &[],
        limits: "timeout={}&image={}&stall={}",
        answers_from_memory: false,
    },
    Peer {
        name: "indi",
        scheme: "indi",
        start: fake_indi,
        devices: &[],
        limits: "timeout={}",
        answers_from_memory: true,
    },
    Peer {
        name: "indiserver",
        scheme: "indi",
        start: indiserver,
        // The CCD simulator is a wheel too.
        devices: &[(DeviceKind::FilterWheel, "Filter Simulator")],
        limits: "timeout={}",
        answers_from_memory: true,
    },
];

/// A server that runs, and the line to it.
pub(crate) struct Running {
    pub(crate) peer: Peer,
    pub(crate) line: StallingLine,
    _server: Box<dyn Any>,
}

impl Peer {
    /// It needs a network of its own.
    pub(crate) fn is_real(&self) -> bool {
        self.name == "indiserver"
    }

    /// # Errors
    /// [`Skip`] where it is not on this machine.
    pub(crate) fn start(self) -> std::result::Result<Running, Skip> {
        let (server, address) = (self.start)()?;
        let line = StallingLine::to(address).expect("a free port");
        Ok(Running { peer: self, line, _server: server })
    }
}

impl Running {
    /// The address of the server behind the line, with this limit for everything.
    pub(crate) fn address(&self, limit: Duration) -> String {
        let limits = self.peer.limits.replace("{}", &limit.as_secs_f64().to_string());
        format!("{}://{}?{limits}", self.peer.scheme, self.line.address())
    }

    /// # Errors
    /// As [`astrobackend::open`].
    pub(crate) fn open(&self, limit: Duration) -> Result<Open> {
        Open::new(astrobackend::open(&self.address(limit))?, self.peer.devices)
    }
}
