//! The real servers and the fakes that the calls go to, each behind a line that stalls, and drivers that hang.

use crate::{Way, calls::Open};
#[cfg(windows)]
use astrobackend::device::{AnyDevice, DeviceId};
use astrobackend::{Result, device::DeviceKind};
use astrobackend_server::{alpaca, rpc};
#[cfg(windows)]
use std::sync::{Mutex, PoisonError};
use std::{any::Any, net::SocketAddr, time::Duration};
use testing::{FakeIndi, FakeRpc, IndiServer, Line, Skip, StallingLine};

/// A server that runs as long as this, and what makes it stall.
type Started = std::result::Result<(Box<dyn Any>, Stall), Skip>;

/// What stands between a server or a driver and its caller.
pub(crate) enum Stall {
    Line(StallingLine),
    #[cfg(windows)]
    Drivers(Vec<AnyDevice>),
}

impl Stall {
    /// From now on. Drivers only hang, or do not.
    pub(crate) fn set(&self, line: Line) {
        match self {
            Stall::Line(stalling) => stalling.set(line),
            #[cfg(windows)]
            Stall::Drivers(drivers) => {
                let (action, what) = if line == Line::Whole { ("release", "") } else { ("hang", "any") };
                for driver in drivers {
                    driver.device().action(action, what).expect("a test driver can be told");
                }
            }
        }
    }

    /// Bytes that came through since the line was set; none from drivers.
    pub(crate) fn passed(&self) -> u64 {
        match self {
            Stall::Line(stalling) => stalling.passed(),
            #[cfg(windows)]
            Stall::Drivers(_) => 0,
        }
    }

    /// True while a line that stops after some bytes has not come so far.
    pub(crate) fn has_more(&self) -> bool {
        match self {
            Stall::Line(stalling) => stalling.has_more(),
            #[cfg(windows)]
            Stall::Drivers(_) => false,
        }
    }
}

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

fn behind_a_line(server: SocketAddr) -> Stall {
    Stall::Line(StallingLine::to(server).expect("a free port"))
}

fn alpaca_over_sim() -> Started {
    let options = alpaca::Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..Default::default() };
    let server = astrobackend::open(WORLD).and_then(|sim| alpaca::Server::start(sim, options));
    let server = server.expect("our Alpaca server starts");
    let line = behind_a_line(server.address());
    Ok((Box::new(server), line))
}

fn rpc_over_sim() -> Started {
    let options = rpc::Options { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
    let server = astrobackend::open(WORLD).and_then(|sim| rpc::Server::start(sim, options));
    let server = server.expect("our RPC server starts");
    let line = behind_a_line(server.address());
    Ok((Box::new(server), line))
}

fn original_rpc() -> Started {
    let server = FakeRpc::start().expect("a free port");
    let line = behind_a_line(server.address());
    Ok((Box::new(server), line))
}

fn fake_indi() -> Started {
    let server = FakeIndi::builder().observatory().start().expect("a free port");
    let line = behind_a_line(server.address());
    Ok((Box::new(server), line))
}

fn indiserver() -> Started {
    let drivers = ["indi_simulator_ccd", "indi_simulator_telescope", "indi_simulator_focus", "indi_simulator_wheel"];
    let server = IndiServer::start(&drivers)?;
    let line = behind_a_line(([127, 0, 0, 1], server.port()).into());
    Ok((Box::new(server), line))
}

/// The test drivers, which are told through objects of their own. They have one state in a process: one at a time.
#[cfg(windows)]
fn com_drivers() -> Started {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let driver = |(kind, name): &(DeviceKind, &str)| {
        let backend = astrobackend::open(&format!("ascom:///{name}")).expect("COM");
        backend.device(&DeviceId::new(*kind, *name)).expect("a test driver: see ./check windows")
    };
    Ok((Box::new(turn), Stall::Drivers(COM_DRIVERS.iter().map(driver).collect())))
}

#[cfg(windows)]
const COM_DRIVERS: &[(DeviceKind, &str)] = &[
    (DeviceKind::Camera, "Test.Camera"),
    (DeviceKind::FilterWheel, "Test.FilterWheel"),
    (DeviceKind::Focuser, "Test.Focuser"),
    (DeviceKind::Mount, "Test.Telescope"),
];

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
    #[cfg(windows)]
    Peer {
        name: "ascom",
        scheme: "ascom",
        start: com_drivers,
        devices: COM_DRIVERS,
        limits: "timeout={}",
        answers_from_memory: false,
    },
];

/// A server that runs, and the line to it.
pub(crate) struct Running {
    pub(crate) peer: Peer,
    pub(crate) line: Stall,
    _server: Box<dyn Any>,
}

impl Peer {
    /// It needs a network of its own.
    pub(crate) fn is_real(&self) -> bool {
        self.name == "indiserver"
    }

    /// It can be made to stall so.
    pub(crate) fn stalls(&self, way: Way) -> bool {
        match self.name {
            "indiserver" | "ascom" => matches!(way, Way::Silent),
            _ => true,
        }
    }

    /// # Errors
    /// [`Skip`] where it is not on this machine.
    pub(crate) fn start(self) -> std::result::Result<Running, Skip> {
        let (server, line) = (self.start)()?;
        Ok(Running { peer: self, line, _server: server })
    }
}

impl Running {
    /// The address of the server behind the line, with this limit for everything.
    pub(crate) fn address(&self, limit: Duration) -> String {
        let limits = self.peer.limits.replace("{}", &limit.as_secs_f64().to_string());
        match &self.line {
            Stall::Line(line) => format!("{}://{}?{limits}", self.peer.scheme, line.address()),
            #[cfg(windows)]
            Stall::Drivers(_) => format!("{}://?{limits}", self.peer.scheme),
        }
    }

    /// # Errors
    /// As [`astrobackend::open`].
    pub(crate) fn open(&self, limit: Duration) -> Result<Open> {
        Open::new(astrobackend::open(&self.address(limit))?, self.peer.devices)
    }
}
