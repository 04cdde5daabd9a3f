//! The drivers of an `indiserver`: processes that a test kills and freezes one by one.

use crate::IndiServer;

/// What a process is made to do.
#[derive(Clone, Copy)]
pub(crate) enum Signal {
    Kill,
    Stop,
    Continue,
}

impl IndiServer {
    /// Kills a driver (`indi_simulator_ccd`) at once, as a crash would; the server starts it again.
    ///
    /// # Panics
    /// When there is no such process: that is an error of the test.
    pub fn kill_driver(&self, driver: &str) {
        send(self.driver(driver), Signal::Kill);
    }

    /// Freezes a driver.
    ///
    /// # Panics
    /// As [`IndiServer::kill_driver`].
    pub fn freeze_driver(&self, driver: &str) {
        send(self.driver(driver), Signal::Stop);
    }

    /// Lets a frozen driver go on.
    ///
    /// # Panics
    /// As [`IndiServer::kill_driver`].
    pub fn thaw_driver(&self, driver: &str) {
        send(self.driver(driver), Signal::Continue);
    }

    fn driver(&self, name: &str) -> u32 {
        let processes = self.processes();
        let found = processes.iter().find(|(_, command)| command.contains(name));
        found.map_or_else(|| panic!("{name} is not among {processes:?}"), |(id, _)| *id)
    }

    /// The drivers' processes: numbers and command lines.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        let id = self.server.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let numbers = children.split_whitespace().filter_map(|number| number.parse().ok());
        let command =
            |id| std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default().replace('\0', " ");
        numbers.map(|id: u32| (id, command(id))).collect()
    }
}

#[cfg(unix)]
pub(crate) fn send(process: u32, signal: Signal) {
    use rustix::process::{Pid, Signal as Unix, kill_process};
    let signal = match signal {
        Signal::Kill => Unix::KILL,
        Signal::Stop => Unix::STOP,
        Signal::Continue => Unix::CONT,
    };
    if let Some(id) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _ = kill_process(id, signal);
    }
}

#[cfg(not(unix))]
pub(crate) fn send(_process: u32, _signal: Signal) {}
