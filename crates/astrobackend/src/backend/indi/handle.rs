//! What all INDI devices have in common: reading their properties and changing them.

use super::{
    chip,
    connecting::is_connected,
    connection::{Connection, Sent},
    order::{self, Order, Progress},
    store::Device,
};
use crate::{
    Address, Error, ErrorKind, Result,
    device::{DeviceId, DeviceInfo},
    wait::Deadline,
    wire::indi::{BlobMode, Element, Elements, Message, Number, Vector},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a command that starts something waits for a refusal, so that it can be returned at once.
const OBJECTION: Duration = Duration::from_millis(300);

/// New values for the elements of a vector.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values<'a> {
    Numbers(&'a [(&'a str, f64)]),
    Texts(&'a [(&'a str, &'a str)]),
    /// Turns one switch on.
    On(&'a str),
    Switches(&'a [(&'a str, bool)]),
}

impl Values<'_> {
    fn elements(self) -> Elements<'static> {
        let own = str::to_owned;
        match self {
            Values::Numbers(all) => Elements::Number(
                all.iter().map(|(name, value)| Element::new(own(name), Number::from(*value))).collect(),
            ),
            Values::Texts(all) => {
                Elements::Text(all.iter().map(|(name, text)| Element::new(own(name), own(text).into())).collect())
            }
            Values::On(name) => Elements::Switch(vec![Element::new(own(name), true)]),
            Values::Switches(all) => {
                Elements::Switch(all.iter().map(|(name, on)| Element::new(own(name), *on)).collect())
            }
        }
    }

    fn names(self) -> Vec<String> {
        match self {
            Values::Numbers(all) => all.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Values::Texts(all) => all.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Values::On(name) => vec![name.to_owned()],
            Values::Switches(all) => all.iter().map(|(name, _)| (*name).to_owned()).collect(),
        }
    }

    /// True when the device has these values; some drivers keep numbers as 32-bit floats.
    fn reached(self, device: &Device, property: &str) -> bool {
        match self {
            Values::Numbers(all) => all.iter().all(|(name, wanted)| {
                device.number(property, name).is_some_and(|is| (is - wanted).abs() <= 1e-6 * wanted.abs().max(1.0))
            }),
            // Drivers write texts their own way: `0` becomes `0.00`. That it answers must do.
            Values::Texts(_) => true,
            Values::On(name) => device.switch(property, name) == Some(true),
            Values::Switches(all) => all.iter().all(|(name, wanted)| device.switch(property, name) == Some(*wanted)),
        }
    }
}

/// A device of a server.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) connection: Arc<Connection>,
    pub(super) id: DeviceId,
    /// The driver's name for it.
    pub(super) device: String,
    pub(super) address: Address,
    /// Properties of which one is there when the device can be used.
    pub(super) keys: &'static [&'static str],
    /// It is used to bring the device back, before anybody else may.
    pub(super) restoring: bool,
}

impl Handle {
    pub(super) fn new(
        connection: Arc<Connection>,
        id: DeviceId,
        server: &Address,
        keys: &'static [&'static str],
    ) -> Self {
        let address = server.clone().with_path(id.name.clone());
        Handle { device: chip::driver(&id).to_owned(), connection, id, address, keys, restoring: false }
    }

    /// Names the device in an error.
    pub(super) fn name(&self, error: Error) -> Error {
        error.on(&self.id)
    }

    pub(super) fn fail<T>(&self, error: Error) -> Result<T> {
        Err(self.name(error))
    }

    /// What the device is, from `DRIVER_INFO`.
    pub(super) fn info(&self) -> DeviceInfo {
        let mut info = DeviceInfo::new(self.id.clone(), self.address.clone());
        info.part_of = chip::camera_of(&self.id);
        let store = self.connection.store();
        let Some(device) = store.device(&self.device) else { return info };
        let text = |element| device.text("DRIVER_INFO", element).filter(|text| !text.is_empty()).map(str::to_owned);
        let (name, program) = (text("DRIVER_NAME"), text("DRIVER_EXEC"));
        info.driver = match (name.clone(), program) {
            (Some(name), Some(program)) => Some(format!("{name} ({program})")),
            (name, program) => name.or(program),
        };
        info.description = name.map(|name| format!("INDI {name}"));
        info.driver_version = text("DRIVER_VERSION");
        info
    }

    /// Reads the device's properties; no I/O.
    ///
    /// # Errors
    /// `Unreachable` when the server is gone, `NotConnected` when the device is gone or not connected.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Device) -> Result<T>) -> Result<T> {
        self.read_any(|device| match self.usable(device) || (self.restoring && self.ready(device)) {
            true => look(device),
            false if device.held => Err(Error::new(ErrorKind::NotConnected, "is being connected again")),
            false => Err(Error::not_connected()),
        })
    }

    /// The same for a device that need not be connected.
    pub(super) fn read_any<T>(&self, look: impl FnOnce(&Device) -> Result<T>) -> Result<T> {
        let store = self.connection.store();
        let limit = self.connection.shared().policy.keeping.alive * 2;
        let found = match (&store.lost, store.device(&self.device)) {
            (Some(why), _) => Err(why.clone()),
            (None, Some(device)) if device.mute => {
                Err(Error::new(ErrorKind::Unreachable, "its driver has stopped answering"))
            }
            (None, Some(device)) if !self.restoring && device.held && store.restoring => Err(being_restored()),
            (None, Some(device)) if store.is_stale(&self.device, device, limit) => {
                let why = format!("its driver has told nothing for {}", device.age());
                Err(Error::new(ErrorKind::Unreachable, why))
            }
            (None, Some(device)) => look(device),
            (None, None) if store.restoring => Err(being_restored()),
            (None, None) => Err(Error::new(ErrorKind::NotConnected, "its driver is not running")),
        };
        found.map_err(|error| self.name(error))
    }

    /// Connected, its properties are there, and its settings are as they were before a restart.
    pub(super) fn usable(&self, device: &Device) -> bool {
        self.ready(device) && !device.held
    }

    /// Connected, and its properties are there.
    pub(super) fn ready(&self, device: &Device) -> bool {
        is_connected(device) && self.keys.iter().any(|key| device.has(key))
    }

    /// Remembers a setting, to be sent again after a restart of the driver.
    pub(super) fn declare(&self, property: &'static str, values: Values<'_>) {
        self.connection.store().claims.declare(&self.id, property, values);
    }

    /// Sends new values for a vector, all or some of its elements.
    ///
    /// # Errors
    /// `Unsupported` when the vector or an element is missing or can only be read.
    pub(super) fn send(&self, property: &'static str, values: Values<'_>) -> Result<Order> {
        let born = self.read_any(|device| {
            let found = device.property(property);
            let found = found.ok_or_else(|| Error::unsupported(format!("has no {property}")))?;
            if !found.writable() {
                return Err(Error::unsupported(format!("{property} can only be read")));
            }
            match values.names().iter().find(|name| found.element(name).is_none()) {
                Some(missing) => Err(Error::unsupported(format!("{property} has no {missing}"))),
                None => Ok(device.born),
            }
        })?;
        let vector = Vector::new(self.device.as_str(), property, values.elements());
        let Sent { number, mark } = self.connection.send(&[Message::New(vector)]).map_err(|error| self.name(error))?;
        if let Values::Numbers(all) = values
            && let Some(property) = self.connection.store().property_mut(&self.device, property)
        {
            all.iter().for_each(|(name, value)| property.request(name, Some(*value)));
        }
        Ok(Order { property: property.into(), mark, number, born, sent: Instant::now() })
    }

    /// Asks the driver to define a vector again: it does so after everything that was sent before.
    pub(super) fn ask(&self, property: &str) -> Result<u64> {
        self.connection.ask(&self.device, property).map_err(|error| self.name(error))
    }

    /// Looks until there is an answer to an order, asking the driver when none comes by itself.
    fn answer<T>(
        &self,
        order: &Order,
        deadline: Deadline,
        reached: impl Fn(&Device) -> bool,
        settled: impl Fn(Progress, Option<&Device>) -> Option<T>,
    ) -> Result<Option<T>> {
        let answer = order::answer(&self.connection, &self.device, order, deadline, reached, settled);
        answer.map_err(|error| self.name(error))
    }

    /// Changes a vector and waits until the device has the new values.
    ///
    /// # Errors
    /// As [`Handle::send`]; `Device` with the driver's reason when it refuses; `Timeout`.
    pub(super) fn set(&self, property: &'static str, values: Values<'_>) -> Result<()> {
        let order = self.send(property, values)?;
        self.finish(&order, |device| values.reached(device, property))?;
        self.declare(property, values);
        Ok(())
    }

    /// Looks whether the device says that it has these values.
    ///
    /// # Errors
    /// `Device` when it has others.
    pub(super) fn verify(&self, property: &str, values: Values<'_>) -> Result<()> {
        match self.read_any(|device| Ok(values.reached(device, property)))? {
            true => Ok(()),
            false => self.fail(Error::new(ErrorKind::Device(0), "was accepted, and reads back as something else")),
        }
    }

    /// Waits until an order has come to its end.
    ///
    /// # Errors
    /// `Device` with the driver's reason when it refuses; `Timeout`.
    pub(super) fn finish(&self, order: &Order, reached: impl Fn(&Device) -> bool) -> Result<()> {
        let settled = |progress, device: Option<&Device>| match progress {
            Progress::Done => Some(Ok(())),
            Progress::Failed(error) => Some(Err(error)),
            // Some vectors stay busy for as long as they are in effect: a cooler, tracking. The values tell.
            Progress::Busy => device.is_some_and(&reached).then_some(Ok(())),
            Progress::Unanswered | Progress::Alert => None,
        };
        match self.answer(order, self.connection.deadline(), &reached, settled)? {
            Some(result) => result.map_err(|error| self.name(error)),
            None => self.fail(Error::timeout(format!("{}: an answer", order.property), self.connection.timeout)),
        }
    }

    /// Turns one switch on, unless it is already.
    pub(super) fn switch_on(&self, property: &'static str, element: &str) -> Result<()> {
        match self.read_any(|device| Ok(device.switch(property, element)))? {
            Some(true) => {
                self.declare(property, Values::On(element));
                Ok(())
            }
            _ => self.set(property, Values::On(element)),
        }
    }

    /// Lets the server send us the pictures of a vector, unless it does already; after a restart the keeper asks again.
    pub(super) fn want_pictures(&self, vector: &'static str) -> Result<()> {
        let told = Some((vector, self.read_any(|device| Ok(device.born))?));
        if self.connection.store().claims.get_mut(&self.id).is_some_and(|claim| claim.pictures == told) {
            return Ok(());
        }
        let (device, name) = (Some(self.device.as_str().into()), Some(vector.into()));
        let enable = Message::EnableBlob { device, name, mode: BlobMode::Also };
        self.connection.send(&[enable]).map_err(|error| self.name(error))?;
        if let Some(claim) = self.connection.store().claims.get_mut(&self.id) {
            claim.pictures = told;
        }
        Ok(())
    }

    /// Waits a moment for a refusal of something that was just started.
    ///
    /// # Errors
    /// `Device` with the driver's reason.
    pub(super) fn objection(&self, order: &Order, reached: impl Fn(&Device) -> bool) -> Result<()> {
        let settled = |progress, _: Option<&Device>| match progress {
            Progress::Unanswered | Progress::Alert => None,
            Progress::Failed(error) => Some(Err(error)),
            Progress::Busy | Progress::Done => Some(Ok(())),
        };
        let answer = self.answer(order, Deadline::after(OBJECTION.min(self.connection.timeout)), reached, settled)?;
        answer.unwrap_or(Ok(())).map_err(|error| self.name(error))
    }

    /// How far an order is, from memory.
    pub(super) fn progress(&self, order: &Order, reached: impl Fn(&Device) -> bool) -> Result<Progress> {
        let store = self.connection.store();
        let progress = order.progress(store.device(&self.device), reached);
        match (&store.lost, store.lost_since(order.mark)) {
            _ if progress == Progress::Done => Ok(progress),
            (Some(why), _) => Err(self.name(why.clone())),
            // The connection is back, and nobody knows what became of it.
            (None, Some(why)) => Ok(Progress::Failed(why.clone())),
            (None, None) => Ok(progress),
        }
    }

    /// Tells listeners that a command changed the state.
    pub(super) fn touch(&self) {
        self.connection.touch(&self.device);
    }
}

fn being_restored() -> Error {
    Error::new(ErrorKind::Unreachable, "the connection was lost and is being restored")
}

/// Implements [`Device`](crate::device::Device) for a type that has a `handle` and a table of controls.
macro_rules! impl_device {
    ($type:ident, $controls:expr) => {
        impl $type {
            fn places(&self) -> &'static [crate::backend::indi::controls::Place] {
                let places: fn(&Self) -> &'static [crate::backend::indi::controls::Place] = $controls;
                places(self)
            }
        }

        impl crate::device::Device for $type {
            fn info(&self) -> crate::device::DeviceInfo {
                self.handle.info()
            }
            fn connect(&self) -> crate::Result<()> {
                self.handle.connect()
            }
            fn disconnect(&self) -> crate::Result<()> {
                self.handle.disconnect()
            }
            fn is_connected(&self) -> crate::Result<bool> {
                self.handle.is_connected()
            }
            fn actions(&self) -> crate::Result<Vec<String>> {
                Ok(crate::backend::indi::actions::names())
            }
            fn action(&self, name: &str, parameters: &str) -> crate::Result<String> {
                crate::backend::indi::actions::act(&self.handle, name, parameters)
            }
            fn controls(&self) -> crate::Result<Vec<crate::device::ControlInfo>> {
                crate::backend::indi::controls::list(&self.handle, Self::places(self))
            }
            fn control(&self, control: crate::device::Control) -> crate::Result<f64> {
                crate::backend::indi::controls::get(&self.handle, Self::places(self), control)
            }
            fn set_control(&self, control: crate::device::Control, value: f64) -> crate::Result<()> {
                crate::backend::indi::controls::set(&self.handle, Self::places(self), control, value)
            }
        }
    };
}

pub(super) use impl_device;
