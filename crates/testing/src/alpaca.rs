//! Alpaca peers that share no code with us: servers for our client, and a client for our server.
//!
//! `./check peers` builds them into `target/peers` (`ASTROBACKEND_PEERS` names another folder).

use crate::{Listening, Skip, indiserver::free_port, owned::Owned, program};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The longest that a server may take to start.
const START: Duration = Duration::from_secs(20);

/// Time between two looks whether the server listens.
const PAUSE: Duration = Duration::from_millis(20);

/// The crate `ascom-alpaca` as a server, with a device of each kind (`testing/alpaca-crates`).
///
/// # Errors
/// [`Skip`] when it is not built.
pub fn ascom_alpaca_server(width: u32, height: u32) -> Result<Listening, Skip> {
    let mut command = peer("ascom-alpaca-server")?;
    command.args([width, height].map(|size| size.to_string()));
    Listening::spawn(command)
}

/// The crate `ascom-alpaca` as a client, to be run with an address and `tour` or `image`.
///
/// # Errors
/// [`Skip`] when it is not built.
pub fn ascom_alpaca_client() -> Result<Command, Skip> {
    peer("ascom-alpaca-client")
}

/// The harness of the crate `ascom-alpaca-core`: a server with devices of each kind that keep their state.
#[derive(Debug)]
pub struct Harness {
    _child: Owned,
    address: SocketAddr,
}

impl Harness {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// [`Skip`] when it is not built or does not start.
    pub fn start() -> Result<Self, Skip> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().map_err(Skip::new)?));
        let mut command = peer("conformu_harness")?;
        command.env("ALPACA_PORT", address.port().to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let harness = Harness { _child: Owned(child.map_err(Skip::new)?), address };
        let deadline = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err(Skip::new("conformu_harness does not start"));
            }
            thread::sleep(PAUSE);
        }
        Ok(harness)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A program in the folder of peers.
fn peer(name: &str) -> Result<Command, Skip> {
    let here = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers"));
    let folder = std::env::var_os("ASTROBACKEND_PEERS").map_or_else(here, PathBuf::from);
    program(folder.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))).map(Command::new)
}
