//! Server programs that say on which port they listen, and end with their value.

use crate::{Skip, owned::Owned};
use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
};

/// A running server program whose first line of output is `listening PORT`.
#[derive(Debug)]
pub struct Listening {
    child: Owned,
    address: SocketAddr,
}

impl Listening {
    /// Starts it, with an input that is closed when this value goes.
    ///
    /// # Errors
    /// [`Skip`] when the program cannot be started.
    ///
    /// # Panics
    /// When it starts and does not listen: that is a failure, not a missing peer.
    pub fn spawn(mut command: Command) -> Result<Self, Skip> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = Owned(child.map_err(|error| Skip::new(format_args!("{command:?}: {error}")))?);
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let port = line.trim().strip_prefix("listening ").and_then(|port| port.parse().ok());
        let Some(port) = port else {
            panic!("{command:?} did not say where it listens but {line:?}");
        };
        Ok(Listening { child, address: (Ipv4Addr::LOCALHOST, port).into() })
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
