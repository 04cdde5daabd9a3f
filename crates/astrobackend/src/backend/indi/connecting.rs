//! Connecting a driver to its hardware: a switch that is answered at once, and properties that come after it.

use super::{
    QUIET,
    handle::{Handle, Values},
    store::Device,
};
use crate::{Error, ErrorKind, Result, wait::Deadline, wire::indi::State};
use std::time::Instant;

impl Handle {
    /// Connects the device and makes it ours: it will be connected again after a loss, until it is disconnected.
    pub(super) fn connect(&self) -> Result<()> {
        self.bring_up(Self::usable)?;
        self.connection.store().claims.add(&self.id, &self.address.clone().with_path(""), self.keys);
        Ok(())
    }

    /// Connects the device again after a loss, before its settings are back; true if it was not connected.
    pub(super) fn bring_back(&self) -> Result<bool> {
        self.bring_up(Self::ready)
    }

    /// Connects the driver to its hardware and waits until its properties are there, all of them.
    fn bring_up(&self, enough: fn(&Self, &Device) -> bool) -> Result<bool> {
        let deadline = self.connection.deadline();
        self.wait_for_switch(deadline)?;
        let (connected, born) = self.read_any(|device| Ok((is_connected(device), device.born)))?;
        if !connected {
            self.set("CONNECTION", Values::On("CONNECT"))?;
        }
        self.wait_for_properties(deadline, born, enough)?;
        if !connected {
            self.wait_until_complete(deadline)?;
        }
        Ok(!connected)
    }

    /// The first definitions seen may be the end of an answer to somebody else: no switch yet is not no switch.
    fn wait_for_switch(&self, deadline: Deadline) -> Result<()> {
        let shown = self.connection.wait(deadline, |store| {
            let shown = store.device(&self.device).is_none_or(|device| device.has("CONNECTION"));
            (shown || store.has_defined_nothing_for(QUIET)).then_some(())
        });
        shown.map(drop).map_err(|error| self.name(error))
    }

    /// Most drivers define their properties right after they have said that they are connected: before the answer to
    /// a question asked then.
    fn wait_for_properties(&self, deadline: Deadline, born: u64, enough: fn(&Self, &Device) -> bool) -> Result<()> {
        let question = self.ask("CONNECTION")?;
        let told = |device: &Device| device.property("CONNECTION").is_none_or(|it| it.answered >= question);
        let there = self.connection.wait(deadline, |store| {
            match store.device(&self.device).filter(|device| device.born == born) {
                None => Some(Err(Error::new(ErrorKind::Device(0), "its driver went away while it connected"))),
                Some(device) if told(device) && !is_connected(device) && !device.is_busy("CONNECTION") => {
                    Some(Err(Error::new(ErrorKind::Device(0), "the driver disconnected again")))
                }
                Some(device) => (told(device) && enough(self, device)).then_some(Ok(())),
            }
        });
        match there.map_err(|error| self.name(error))? {
            Some(result) => result.map_err(|error| self.name(error)),
            None => {
                let silent = !self.read_any(|device| Ok(told(device)))?;
                let why =
                    if silent { "does not answer".into() } else { format!("shows no {}", self.keys.join(" or ")) };
                let limit = self.connection.timeout;
                let message = format!("connecting did not finish within {limit:.1?}: the driver {why}");
                self.fail(Error::new(ErrorKind::Timeout, message))
            }
        }
    }

    /// Some drivers answer while they are still asking their hardware for one property after the other.
    fn wait_until_complete(&self, deadline: Deadline) -> Result<()> {
        let (mut known, mut since) = (0, Instant::now());
        let complete = self.connection.wait(deadline, |store| {
            let count = store.device(&self.device).map_or(0, |device| device.properties().count());
            if count != known {
                (known, since) = (count, Instant::now());
            }
            (since.elapsed() >= QUIET).then_some(())
        });
        complete.map(drop).map_err(|error| self.name(error))
    }

    /// Disconnects the driver from its hardware.
    pub(super) fn disconnect(&self) -> Result<()> {
        {
            let mut store = self.connection.store();
            store.claims.remove(&self.device);
            store.release(&self.device);
        }
        match self.read_any(|device| Ok(is_connected(device)))? {
            true => self.set("CONNECTION", Values::On("DISCONNECT")),
            false => Ok(()),
        }
    }

    pub(super) fn is_connected(&self) -> Result<bool> {
        self.read_any(|device| Ok(self.usable(device)))
    }
}

/// The driver is connected to its hardware; a driver without the switch always is.
pub(super) fn is_connected(device: &Device) -> bool {
    let Some(connection) = device.property("CONNECTION") else { return true };
    connection.switch("CONNECT") == Some(true) && connection.state != State::Busy
}
