//! A real INDI server that shares no code with libindi: indipyserver, with drivers in Python or with libindi's.

use crate::{Skip, program, python, script, search_path};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// A running `testing/indipy_server` on a free port of 127.0.0.1; ends with its value.
#[derive(Debug)]
pub struct IndipyServer {
    child: Child,
    address: SocketAddr,
    /// The home of the drivers, and the log.
    _home: TempDir,
}

impl IndipyServer {
    /// Starts it with its own observatory; each move takes so many seconds.
    ///
    /// # Errors
    /// [`Skip`] when Python or the packages `indipyserver` and `indipydriver` are not there.
    ///
    /// # Panics
    /// When it is there and does not start: that is a failure, not a missing peer.
    pub fn start(seconds: f64) -> Result<Self, Skip> {
        let mut command = python(&["indipyserver", "indipydriver"])?;
        command.arg(script("indipy_server")).arg(seconds.to_string());
        Self::spawn(command)
    }

    /// Starts it with drivers of libindi (`indi_simulator_ccd` ...).
    ///
    /// # Errors
    /// As [`IndipyServer::start`], and when a driver is not installed.
    ///
    /// # Panics
    /// As [`IndipyServer::start`].
    pub fn with_libindi(drivers: &[&str]) -> Result<Self, Skip> {
        let mut command = python(&["indipyserver", "indipydriver"])?;
        command.arg(script("indipy_server")).arg("--");
        for driver in drivers {
            command.arg(program(driver)?);
        }
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Result<Self, Skip> {
        let home = TempDir::new().map_err(Skip::new)?;
        let log = home.path().join("log");
        command.env("HOME", home.path()).env("PATH", search_path()?).stderr(File::create(&log).map_err(Skip::new)?);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| Skip::new(format_args!("{command:?}: {error}")))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let port = line.trim().strip_prefix("listening ").and_then(|port| port.parse().ok());
        let Some(port) = port else {
            let _ = child.kill();
            let said = std::fs::read_to_string(log).unwrap_or_default();
            panic!("{command:?} did not say where it listens but {line:?}\n{said}");
        };
        Ok(IndipyServer { child, address: (Ipv4Addr::LOCALHOST, port).into(), _home: home })
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
