//! A real Alpaca server that shares no code with ours: `alpaca-simulators` from PyPI.

use crate::{Skip, owned::Owned, python};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

/// How long it may take to start: it imports astropy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `alpaca-simulators` on a free port of 127.0.0.1; ends with its value.
#[derive(Debug)]
pub struct AlpacaSimulators {
    child: Owned,
    address: SocketAddr,
    _home: tempfile::TempDir,
}

impl AlpacaSimulators {
    /// Starts it.
    ///
    /// # Errors
    /// [`Skip`] when Python or the package is not there.
    ///
    /// # Panics
    /// When it is there and does not start: that is a failure, not a missing peer.
    pub fn start() -> Result<Self, Skip> {
        let mut command = python(&["alpaca_simulators"])?;
        let home = tempfile::tempdir().map_err(Skip::new)?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = free.map_err(Skip::new)?;
        let port = address.port().to_string();
        command.args(["-m", "alpaca_simulators.run_simulator", "--host", "127.0.0.1", "--port", &port]);
        command.current_dir(home.path()).env("HOME", home.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| Skip::new(format_args!("{command:?}: {error}")))?;
        let mut server = AlpacaSimulators { child: Owned(child), address, _home: home };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = server.child.try_wait().is_ok_and(|status| status.is_some());
            assert!(!ended && begun.elapsed() < PATIENCE, "{command:?} does not listen on {address}");
            thread::sleep(Duration::from_millis(100));
        }
        Ok(server)
    }

    /// `alpaca://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("alpaca://{}", self.address)
    }
}
