//! A real INDI server that shares no code with libindi: indipyserver with a small observatory.

use crate::{Skip, python, script};
use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Stdio},
};

/// A running `testing/indipy_server.py` on a free port of 127.0.0.1; ends with its value.
#[derive(Debug)]
pub struct IndipyServer {
    child: Child,
    address: SocketAddr,
}

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
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| Skip::new(format_args!("{command:?}: {error}")))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let port = line.trim().strip_prefix("listening ").and_then(|port| port.parse().ok());
        let Some(port) = port else {
            let _ = child.kill();
            panic!("{command:?} did not say where it listens but {line:?}");
        };
        Ok(IndipyServer { child, address: (Ipv4Addr::LOCALHOST, port).into() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for IndipyServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
