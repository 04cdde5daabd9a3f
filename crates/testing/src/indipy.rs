//! A real INDI server that shares no code with libindi: indipyserver with a small observatory.

use crate::{Listening, Skip, python, script};
use std::net::SocketAddr;

/// A running `testing/indipy_server.py` on a free port of 127.0.0.1; ends with its value.
#[derive(Debug)]
pub struct IndipyServer(Listening);

impl IndipyServer {
    /// Starts it; each move takes so many seconds.
    ///
    /// # Errors
    /// [`Skip`] when Python or the packages `indipyserver` and `indipydriver` are not there.
    ///
    /// # Panics
    /// When it is there and does not start: that is a failure, not a missing peer.
    pub fn start(seconds: f64) -> Result<Self, Skip> {
        let mut command = python(&["indipyserver", "indipydriver"])?;
        command.arg(script("indipy_server.py")).arg(seconds.to_string());
        Listening::spawn(command).map(IndipyServer)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.0.process()
    }
}
