//! A real INDI server that shares no code with libindi: indipyserver, with drivers in Python or with libindi's.

use crate::{Listening, Skip, program, python, script, search_path};
use std::{fs::File, net::SocketAddr, process::Command};
use tempfile::TempDir;

/// A running `testing/indipy_server` on a free port of 127.0.0.1; ends with its value.
#[derive(Debug)]
pub struct IndipyServer {
    server: Listening,
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
        let log = File::create(home.path().join("log")).map_err(Skip::new)?;
        command.env("HOME", home.path()).env("PATH", search_path()?).stderr(log);
        Ok(IndipyServer { server: Listening::spawn(command)?, _home: home })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.server.process()
    }
}
