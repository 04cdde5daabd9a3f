//! Debian's `indiserver` with its simulators.

use crate::{
    Skip,
    drivers::{Signal, send},
    program, search_path,
};
use std::{
    fs::File,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The longest that a server and its drivers may take to start.
const START: Duration = Duration::from_secs(20);

/// Time between two looks whether the server listens.
const PAUSE: Duration = Duration::from_millis(20);

/// A running server; it ends, with its drivers, when this is dropped.
#[derive(Debug)]
pub struct IndiServer {
    pub(crate) server: Child,
    port: u16,
    folder: TempDir,
    drivers: Vec<String>,
}

impl IndiServer {
    /// Starts a server with drivers (`indi_simulator_ccd` ..., or `DEVICE@HOST:PORT` on another server) and waits until
    /// each of them has told its name.
    ///
    /// To be called in a private network only ([`crate::in_private_network`]): it listens on all interfaces.
    ///
    /// # Errors
    /// [`Skip`] when it or a driver is not installed or does not start.
    pub fn start(drivers: &[&str]) -> Result<Self, Skip> {
        let local = drivers.iter().filter(|driver| !driver.contains('@'));
        local.into_iter().try_for_each(|driver| program(driver).map(drop))?;
        let folder = TempDir::new().map_err(Skip::new)?;
        let port = free_port().map_err(Skip::new)?;
        let drivers: Vec<String> = drivers.iter().map(|driver| (*driver).to_owned()).collect();
        let server = spawn(port, &folder, &drivers)?;
        let mut server = IndiServer { server, port, folder, drivers };
        server.wait_until_up()?;
        Ok(server)
    }

    /// Starts it again at the same port, after a [`IndiServer::kill`].
    ///
    /// # Errors
    /// [`Skip`] when it does not start.
    pub fn restart(&mut self) -> Result<(), Skip> {
        self.server = spawn(self.port, &self.folder, &self.drivers)?;
        self.wait_until_up()
    }

    fn wait_until_up(&mut self) -> Result<(), Skip> {
        self.wait_for_drivers(self.drivers.len())
            .map_err(|why| Skip::new(format_args!("indiserver does not start: {why}\n{}", self.log())))
    }

    /// Its address for `astrobackend::open`.
    pub fn address(&self) -> String {
        format!("indi://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of its unix socket for `astrobackend::open`.
    pub fn unix_address(&self) -> String {
        format!("indi+unix://{}", self.socket())
    }

    /// The name of its abstract unix socket.
    pub fn socket(&self) -> String {
        self.folder.path().join("socket").display().to_string()
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Kills it at once, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    /// Freezes it: connections stay open and nothing answers.
    pub fn freeze(&self) {
        send(self.server.id(), Signal::Stop);
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        send(self.server.id(), Signal::Continue);
    }

    /// Asks until so many drivers have told who they are.
    fn wait_for_drivers(&mut self, count: usize) -> Result<(), String> {
        let deadline = Instant::now() + START;
        let mut stream = loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > deadline => return Err(error.to_string()),
                Err(_) => thread::sleep(PAUSE),
            }
            if let Ok(Some(status)) = self.server.try_wait() {
                return Err(status.to_string());
            }
        };
        stream.set_read_timeout(Some(START)).map_err(|error| error.to_string())?;
        stream.write_all(b"<getProperties version='1.7'/>\n").map_err(|error| error.to_string())?;
        let (mut told, mut buffer) = (Vec::new(), [0; 65536]);
        let named = |told: &[u8]| String::from_utf8_lossy(told).matches("name=\"DRIVER_INFO\"").count();
        while named(&told) < count {
            match stream.read(&mut buffer) {
                Ok(0) => return Err("it closed the connection".into()),
                Ok(n) => told.extend_from_slice(&buffer[..n]),
                Err(error) => return Err(format!("{} of {count} drivers answer: {error}", named(&told))),
            }
        }
        Ok(())
    }
}

impl Drop for IndiServer {
    fn drop(&mut self) {
        // The drivers end by themselves when their input does, unless they are frozen.
        let drivers = self.processes();
        self.kill();
        drivers.into_iter().for_each(|(id, _)| send(id, Signal::Kill));
    }
}

fn spawn(port: u16, folder: &TempDir, drivers: &[String]) -> Result<Child, Skip> {
    let log = File::options().create(true).append(true).open(folder.path().join("log")).map_err(Skip::new)?;
    Command::new(program("indiserver")?)
        .args(["-p", &port.to_string(), "-m", "1000", "-u"])
        // Its unix socket is known by name in the whole network namespace.
        .arg(folder.path().join("socket"))
        .args(drivers)
        // Drivers keep their settings there.
        .env("HOME", folder.path())
        // The CCD simulator draws stars only when it finds a catalogue.
        .env("PATH", search_path()?)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(Skip::new)
}

pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
