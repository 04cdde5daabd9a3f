//! The stand: starts servers and drivers, and runs each client in a process of its own.

use crate::{
    client, floor,
    peers::{Peer, Reach, installed},
    report::Report,
};
use serde_json::Value;
use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use testing::{
    IndiServer,
    bench::{Result, SAMPLES, run},
    bench_driver::{ATTACHING, HEIGHT, NAME, WIDTH},
};

/// Bytes of the decoded frame.
pub(crate) const FRAME_BYTES: u64 = WIDTH as u64 * HEIGHT as u64 * 2;

/// What a process of its own does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    FloorTcp,
    FloorUnix,
    Client,
    Updates,
    Watching,
    Reads,
}

impl Role {
    const ALL: [(&str, Role); 6] = [
        ("floor-tcp", Role::FloorTcp),
        ("floor-unix", Role::FloorUnix),
        ("client", Role::Client),
        ("updates", Role::Updates),
        ("watching", Role::Watching),
        ("reads", Role::Reads),
    ];

    /// The role and its address, when this process was started for one.
    pub(crate) fn from_args() -> Option<(Role, String)> {
        let mut args = std::env::args().skip(1);
        let name = args.next()?;
        let role = Self::ALL.iter().find(|(known, _)| *known == name)?.1;
        Some((role, args.next()?))
    }

    /// Takes frames from an address and tells how long the last one took and what it cost.
    pub(crate) fn sample(self, address: &str) -> Result<Value> {
        match self {
            Role::FloorTcp => floor::tcp(address),
            Role::FloorUnix => floor::unix(address),
            Role::Client => client::frames(address),
            Role::Updates => client::updates(address),
            Role::Watching => client::watching(address),
            Role::Reads => client::reads(address),
        }
    }

    /// Runs it in a process of its own.
    fn run(self, address: &str) -> Result<Value> {
        let name = Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| *name);
        run(Command::new(std::env::current_exe()?).args([name, address]))
    }
}

/// The driver as programs of its names.
pub(crate) struct Drivers(TempDir);

impl Drivers {
    pub(crate) fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        for name in [NAME, ATTACHING] {
            symlink(std::env::current_exe()?, folder.path().join(name))?;
        }
        Ok(Drivers(folder))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A driver that listens itself; it ends when this is dropped.
pub(crate) struct Direct(Child);

impl Direct {
    pub(crate) fn start(driver: &Path, port: u16) -> Result<Self> {
        let child = Command::new(driver).args(["--listen", &format!("127.0.0.1:{port}")]).spawn()?;
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                return Err("the driver does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Direct(child))
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One way to the frame, the floor there, and the clients that go it.
struct Way {
    name: &'static str,
    floor: (Role, String),
    client: String,
    peers: Vec<Peer>,
}

/// The port of the driver that listens itself.
const PORT: u16 = 7700;

/// Number updates, from a driver that listens itself.
pub(crate) fn updates(report: &mut Report, with_peers: bool) -> Result<()> {
    let _direct = Direct::start(&Drivers::new()?.path(NAME), PORT)?;
    let runs: Result<Vec<Value>> =
        (0..SAMPLES).map(|_| Role::Updates.run(&format!("indi://127.0.0.1:{PORT}"))).collect();
    report.rate("received, parsed, and in the store", &runs?, Some(1.5));
    let peers = if with_peers { installed(Reach::Tcp(PORT), "updates") } else { Vec::new() };
    for mut peer in peers {
        // They take many seconds: three have to do.
        let runs: Vec<Value> = (0..3).filter_map(|_| peer.run()).collect();
        report.rate(peer.name, &runs, None);
    }
    Ok(())
}

/// What it costs to watch, and to read what is known.
pub(crate) fn watching_and_reading(report: &mut Report) -> Result<()> {
    let _direct = Direct::start(&Drivers::new()?.path(NAME), PORT)?;
    let address = format!("indi://127.0.0.1:{PORT}");
    report.share(&Role::Watching.run(&address)?);
    let runs: Result<Vec<Value>> = (0..SAMPLES).map(|_| Role::Reads.run(&address)).collect();
    report.reads(&runs?);
    Ok(())
}

/// The frame over each way, for the floor, for us, and for others.
pub(crate) fn frames(report: &mut Report, with_peers: bool) -> Result<()> {
    let drivers = Drivers::new()?;
    let attaching = drivers.path(ATTACHING);
    let server =
        IndiServer::start(&[attaching.to_str().ok_or("a path that is no text")?]).map_err(|why| why.to_string())?;
    let direct = Direct::start(&drivers.path(NAME), PORT)?;
    let through = format!("127.0.0.1:{}", server.port());
    let socket = server.socket();
    let peers = |reach| if with_peers { installed(reach, "frame") } else { Vec::new() };
    let ways = [
        Way {
            name: "TCP through indiserver",
            floor: (Role::FloorTcp, through.clone()),
            client: format!("indi://{through}"),
            peers: peers(Reach::Tcp(server.port())),
        },
        Way {
            name: "TCP direct",
            floor: (Role::FloorTcp, format!("127.0.0.1:{PORT}")),
            client: format!("indi://127.0.0.1:{PORT}"),
            peers: Vec::new(),
        },
        Way {
            name: "unix socket",
            floor: (Role::FloorUnix, socket.clone()),
            client: format!("indi+unix://{socket}"),
            peers: peers(Reach::Unix(&socket)),
        },
    ];
    for way in ways {
        measure(report, way)?;
    }
    drop(direct);
    Ok(())
}

fn measure(report: &mut Report, mut way: Way) -> Result<()> {
    let mut floor = Vec::new();
    let mut ours = Vec::new();
    let mut others: Vec<Vec<Value>> = vec![Vec::new(); way.peers.len()];
    for _ in 0..SAMPLES {
        floor.push(way.floor.0.run(&way.floor.1)?);
        ours.push(Role::Client.run(&way.client)?);
        for (samples, peer) in others.iter_mut().zip(&mut way.peers) {
            samples.extend(peer.run());
        }
    }
    report.frame(way.name, &floor, &ours);
    for (peer, samples) in way.peers.iter().zip(&others) {
        report.peer_frame(way.name, peer.name, &floor, samples);
    }
    Ok(())
}
