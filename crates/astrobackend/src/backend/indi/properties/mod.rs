//! Raw INDI properties, for what the device traits do not cover: read, set and watched by name.
//!
//! [`Properties`] comes from an opened backend ([`Indi::properties`](super::Indi::properties)) and shares its
//! connection. Reading costs no I/O: a reader thread keeps everything that the drivers tell, and what is
//! handed out is a copy of that moment. Calls that wait take the longest that they may.
//!
//! ```no_run
//! # fn main() -> astrobackend::Result<()> {
//! use astrobackend::backend::indi;
//! use std::time::Duration;
//! let properties = indi::connect(&"indi://localhost".parse()?)?.properties();
//! let limit = Duration::from_secs(5);
//! for camera in properties.devices_of(indi::properties::Interface::Ccd)? {
//!     properties.connect(&camera.name, limit)?;
//!     let gain = properties.number(&camera.name, "CCD_GAIN", "GAIN", limit)?;
//!     println!("{camera}: gain {} of {:?}", gain.value, gain.range());
//!     properties.set_number(&camera.name, "CCD_GAIN", &[("GAIN", 50.0)], limit)?;
//! }
//! # Ok(()) }
//! ```
//!
//! # For users of pyastrobackend's `IndiHelper`
//!
//! Each of its functions has a counterpart. `find…` returned what was there, `getfind…` waited for it (0.5
//! seconds by default; [`DEFAULT_LIMIT`]), and both answered `None` for everything that went wrong; here
//! the error says what. With a limit of zero nothing is waited for.
//!
//! | `IndiHelper` | here |
//! |---|---|
//! | `findDevices` | [`Properties::devices`] |
//! | `findDevicesByClass`, `findDeviceInterfaces` | [`Properties::devices_of`], [`Device::interfaces`] |
//! | `findDeviceName` | [`Properties::device`] |
//! | `connectDevice` | [`Properties::connect`] |
//! | `getText`, `findText`, `getfindText` | [`Properties::property`] |
//! | `getfindTextText` | [`Properties::text`] |
//! | `setfindTextText` | [`Properties::set_text`] |
//! | `getNumber`, `findNumber`, `getfindNumber` | [`Properties::property`], or [`Properties::number`] with its limits |
//! | `getfindNumberValue` | [`Properties::number`] |
//! | `getNumberState` | [`Properties::state`], [`Property::state`] |
//! | `setfindNumberValue` | [`Properties::set_number`] |
//! | `getSwitch`, `findSwitch`, `getfindSwitch` | [`Properties::property`] |
//! | `getfindSwitchState` | [`Properties::switch`] |
//! | `setfindSwitchState` | [`Properties::set_switch`] |
//! | `getLight`, `findLight`, `getfindLight` | [`Properties::property`] |
//! | `getfindLightState` | [`Properties::light`] |
//! | `setfindLightState` | none: lights are the driver's to set, and it never had an effect |
//! | `strISState` | [`Value`]'s display: `On`, `Off` |
//! | `strIPState` | [`State::as_str`]: `Idle`, `Ok`, `Busy`, `Alert` |
//! | `strGetType` | [`Kind`]'s display |
//! | `dump_INumberVectorProperty`, `dump_ITextVectorProperty`, `dump_ISwitchVectorProperty`, `dump_PropertyVector`, `dump_Property`, `dump_Number` | [`Property`]'s display |
//! | `dump_Device` | [`Device`]'s display, [`Properties::dump`] |
//! | `DEFAULT_TIMEOUT` | [`DEFAULT_LIMIT`] |

mod assignment;
mod interface;
mod model;
mod pattern;
mod set;
mod watch;

pub use crate::wire::indi::{Perm, Rule, State};
pub use assignment::Assignment;
pub use interface::{Interface, Interfaces};
pub use model::{Device, Element, Kind, Number, Property, Value};
pub use pattern::Pattern;
pub use watch::{Change, Changes};

pub(super) use watch::Watchers;

use super::{connection::Connection, settle, store::Store};
use crate::{Error, ErrorKind, Result, wait::Deadline};
use set::Wanted;
use std::{sync::Arc, time::Duration};

/// The time that the original waited for a property: enough on a local server with definitions already told.
pub const DEFAULT_LIMIT: Duration = Duration::from_millis(500);

/// The properties of a server's devices; cheap to clone, and it keeps the connection open.
#[derive(Clone, Debug)]
pub struct Properties {
    connection: Arc<Connection>,
}

macro_rules! typed {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// As [`Properties::value`]; `InvalidValue` when the property is of another kind.
        pub fn $name(&self, device: &str, property: &str, element: &str, limit: Duration) -> Result<$type> {
            match self.value(device, property, element, limit)? {
                Value::$variant(value) => Ok(value),
                _ => {
                    let message = format!("{property} is no {}", Kind::$variant);
                    Err(Error::invalid(message).on(device))
                }
            }
        }
    };
}

macro_rules! typed_set {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// As [`Properties::set`].
        pub fn $name(
            &self,
            device: &str,
            property: &str,
            values: &[(&str, $type)],
            limit: Duration,
        ) -> Result<Property> {
            let wanted: Vec<_> = values.iter().map(|(element, value)| (*element, Wanted::$variant(*value))).collect();
            self.write(device, property, limit, |_| Ok(wanted.clone()))
        }
    };
}

impl Properties {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Properties { connection }
    }

    /// All devices of the server, connected to their hardware or not, of any class; waits until the drivers have
    /// told what there is.
    ///
    /// # Errors
    /// `Unreachable` when the server is gone.
    pub fn devices(&self) -> Result<Vec<Device>> {
        self.settle(self.connection.deadline())?;
        Ok(self.connection.store().devices().map(|(name, device)| Device::of(name, device)).collect())
    }

    /// The devices of a class, or of any of several classes.
    ///
    /// # Errors
    /// As [`Properties::devices`].
    pub fn devices_of(&self, classes: impl Into<Interfaces>) -> Result<Vec<Device>> {
        let classes = classes.into();
        let all = self.devices()?;
        Ok(all.into_iter().filter(|device| device.interfaces.has_any(classes)).collect())
    }

    /// A device, waiting until it is there.
    ///
    /// # Errors
    /// `NotFound` when it is not in time, with the names there are; `Unreachable` when the server is gone.
    pub fn device(&self, name: &str, limit: Duration) -> Result<Device> {
        let look = |store: &Store| store.device(name).map(|device| Device::of(name, device));
        match self.connection.wait(Deadline::after(limit), look)? {
            Some(device) => Ok(device),
            None => Err(self.missing(name, "")),
        }
    }

    /// A property, waiting until it is defined.
    ///
    /// # Errors
    /// `NotFound` when it is not in time, `Unreachable` when the server is gone.
    pub fn property(&self, device: &str, name: &str, limit: Duration) -> Result<Property> {
        let look = |store: &Store| look_up(store, device, name);
        match self.connection.wait(Deadline::after(limit), look)? {
            Some(property) => Ok(property),
            None => Err(self.missing(device, name)),
        }
    }

    /// The properties that a pattern means, as they are now: nothing is waited for, and there may be none.
    pub fn list(&self, pattern: &Pattern) -> Vec<Property> {
        let store = self.connection.store();
        let mut found = Vec::new();
        for (device, kept) in store.devices() {
            let fitting = kept.properties().filter(|(name, _)| pattern.fits(device, name));
            found.extend(fitting.map(|(name, property)| Property::of(device, name, property)));
        }
        found
    }

    /// The properties that a pattern means and that have what it asks for, waiting for them: a pattern without
    /// wildcards until it is defined, another one until the drivers have told what there is.
    ///
    /// # Errors
    /// `NotFound` when there is none in time, `Unreachable` when the server is gone.
    pub fn find(&self, pattern: &Pattern, limit: Duration) -> Result<Vec<Property>> {
        let deadline = Deadline::after(limit);
        let found = match pattern.one() {
            Some((device, name)) => {
                let cut = |store: &Store| look_up(store, device, name).and_then(|property| pattern.cut(&property));
                self.connection.wait(deadline, cut)?.into_iter().collect()
            }
            None => {
                self.settle(deadline)?;
                self.list(pattern).iter().filter_map(|property| pattern.cut(property)).collect::<Vec<_>>()
            }
        };
        match found.is_empty() {
            true => Err(Error::not_found(format!("there is no {pattern}"))),
            false => Ok(found),
        }
    }

    /// A value, waiting until it is defined.
    ///
    /// # Errors
    /// `NotFound` when it is not in time, `Unreachable` when the server is gone.
    pub fn value(&self, device: &str, property: &str, element: &str, limit: Duration) -> Result<Value> {
        let found = self.property(device, property, limit)?;
        let value = found.elements.into_iter().find(|one| one.name == element).map(|one| one.value);
        value.ok_or_else(|| Error::not_found(format!("{property} has no element {element:?}")).on(device))
    }

    typed!(
        /// A text, waiting until it is defined.
        text,
        Text,
        String
    );
    typed!(
        /// A number with its limits, waiting until it is defined.
        number,
        Number,
        Number
    );
    typed!(
        /// A switch, waiting until it is defined.
        switch,
        Switch,
        bool
    );
    typed!(
        /// A light, waiting until it is defined.
        light,
        Light,
        State
    );

    /// The state of a property, waiting until it is defined.
    ///
    /// # Errors
    /// As [`Properties::property`].
    pub fn state(&self, device: &str, property: &str, limit: Duration) -> Result<State> {
        self.property(device, property, limit).map(|property| property.state)
    }

    typed_set!(
        /// Sets texts; see [`Properties::set`].
        set_text,
        Text,
        &str
    );
    typed_set!(
        /// Sets numbers; see [`Properties::set`].
        set_number,
        Number,
        f64
    );
    typed_set!(
        /// Sets switches; see [`Properties::set`].
        set_switch,
        Switch,
        bool
    );

    /// Sets elements of a property from texts (`On` and `Off` for switches, `12.5` or `12:30:00` for numbers) and
    /// waits for the driver's answer; the property as it is then.
    ///
    /// The driver has answered when it has taken the values or is at work on them: the state is `Busy` then, and
    /// [`Properties::watch`] tells the end. Elements that are not given keep their values, as they are sent
    /// along: half a coordinate is never sent.
    ///
    /// # Errors
    /// Before anything is sent: `NotFound` for a property that is not defined in time or an unknown element,
    /// `InvalidValue` for a value of another kind or beyond its limits, and for switches against their rule,
    /// `Unsupported` for what can only be read. After that: `Device` with the driver's reason when it refuses,
    /// `Timeout` when it does not answer.
    pub fn set(&self, device: &str, property: &str, values: &[(&str, &str)], limit: Duration) -> Result<Property> {
        self.write(device, property, limit, |property| {
            values.iter().map(|(element, text)| Ok((*element, Wanted::parse(text, property.kind)?))).collect()
        })
    }

    fn write<'a>(
        &self,
        device: &str,
        name: &str,
        limit: Duration,
        wanted: impl FnOnce(&Property) -> Result<Vec<(&'a str, Wanted<'a>)>>,
    ) -> Result<Property> {
        let deadline = Deadline::after(limit);
        let property = self.property(device, name, limit)?;
        let set = |wanted: Vec<_>| set::set(&self.connection, &property, &wanted, deadline.remaining());
        wanted(&property).and_then(set).map_err(|error| error.on(device))?;
        self.property(device, name, Duration::ZERO)
    }

    /// Connects a driver to its hardware and waits until it is; a connected one stays so.
    ///
    /// # Errors
    /// As [`Properties::set`].
    pub fn connect(&self, device: &str, limit: Duration) -> Result<()> {
        self.switch_connection(device, "CONNECT", limit)
    }

    /// Disconnects a driver from its hardware, for all its users, and waits until it is.
    ///
    /// # Errors
    /// As [`Properties::set`].
    pub fn disconnect(&self, device: &str, limit: Duration) -> Result<()> {
        self.switch_connection(device, "DISCONNECT", limit)
    }

    fn switch_connection(&self, device: &str, element: &str, limit: Duration) -> Result<()> {
        let deadline = Deadline::after(limit);
        if self.switch(device, "CONNECTION", element, limit)? {
            return Ok(());
        }
        self.set_switch(device, "CONNECTION", &[(element, true)], deadline.remaining())?;
        let done = self.connection.wait(deadline, |store| {
            let connection = store.device(device)?.property("CONNECTION")?;
            (connection.state != State::Busy).then(|| connection.switch(element) == Some(true))
        })?;
        let fail = |kind, message: String| Err(Error::new(kind, message).on(device));
        match done {
            Some(true) => Ok(()),
            Some(false) => fail(ErrorKind::Device(0), format!("CONNECTION.{element} did not stay on")),
            None => fail(ErrorKind::Timeout, format!("CONNECTION.{element} did not finish within {limit:.1?}")),
        }
    }

    /// The properties that a pattern means in lines that a person can read, after a line for each device.
    pub fn dump(&self, pattern: &Pattern) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut last = None;
        for property in self.list(pattern) {
            if last.as_ref() != Some(&property.device) {
                let store = self.connection.store();
                lines.extend(store.device(&property.device).map(|kept| Device::of(&property.device, kept).to_string()));
            }
            lines.push(property.to_string());
            last = Some(property.device);
        }
        lines.join("\n")
    }

    /// All changes of the properties that a pattern means, from now on.
    pub fn watch(&self, pattern: &Pattern) -> Changes {
        let queue = Arc::new(watch::Queue::new(pattern.clone()));
        self.connection.store().watchers.add(&queue);
        Changes(queue)
    }

    fn settle(&self, deadline: Deadline) -> Result<()> {
        settle(&self.connection, deadline, |_| false)
    }

    /// Why a device or one of its properties was not found.
    fn missing(&self, device: &str, property: &str) -> Error {
        let store = self.connection.store();
        match store.device(device) {
            Some(_) => Error::not_found(format!("has no property {property:?}")).on(device),
            None => {
                let names: Vec<_> = store.devices().map(|(name, _)| format!("{name:?}")).collect();
                let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                Error::not_found(format!("there is no device {device:?}; there are {there}"))
            }
        }
    }
}

fn look_up(store: &Store, device: &str, name: &str) -> Option<Property> {
    let property = store.device(device)?.property(name)?;
    Some(Property::of(device, name, property))
}
