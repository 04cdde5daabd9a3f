//! What is handed out: devices and properties as they were at one moment, free of any lock.

use super::interface::Interfaces;
use crate::{
    backend::indi::{connecting, property as kept, store},
    wire::indi::{Perm, Rule, State, format_number},
};
use std::{fmt, time::Duration};

/// A device: what its driver says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its name, which commands need.
    pub name: String,
    /// `DRIVER_INFO.DRIVER_NAME`.
    pub driver: Option<String>,
    /// `DRIVER_INFO.DRIVER_EXEC`: the program.
    pub executable: Option<String>,
    /// `DRIVER_INFO.DRIVER_VERSION`.
    pub version: Option<String>,
    /// `DRIVER_INFO.DRIVER_INTERFACE`: what it is; empty for a driver that does not say.
    pub interfaces: Interfaces,
    /// The driver is connected to its hardware; a driver without `CONNECTION` always is.
    pub connected: bool,
    /// The names of its properties, sorted.
    pub properties: Vec<String>,
}

impl Device {
    pub(super) fn of(name: &str, device: &store::Device) -> Self {
        let text = |element| device.text("DRIVER_INFO", element).filter(|text| !text.is_empty());
        let bits = text("DRIVER_INTERFACE").and_then(|text| text.trim().parse().ok());
        Device {
            name: name.to_owned(),
            driver: text("DRIVER_NAME").map(str::to_owned),
            executable: text("DRIVER_EXEC").map(str::to_owned),
            version: text("DRIVER_VERSION").map(str::to_owned),
            interfaces: Interfaces::from_bits(bits.unwrap_or(0)),
            connected: connecting::is_connected(device),
            properties: device.properties().map(|(name, _)| name.to_owned()).collect(),
        }
    }
}

/// `CCD Simulator (ccd, guider, filter), connected, 80 properties`
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = if self.connected { "connected" } else { "not connected" };
        let Device { name, interfaces, properties, .. } = self;
        write!(f, "{name} ({interfaces}), {connected}, {} properties", properties.len())
    }
}

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Texts.
    Text,
    /// Numbers.
    Number,
    /// Switches.
    Switch,
    /// Lights.
    Light,
    /// Files.
    Blob,
}

/// `text`, `number`, `switch`, `light`, `BLOB`
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Switch => "switch",
            Kind::Light => "light",
            Kind::Blob => "BLOB",
        })
    }
}

/// A property (INDI: a vector) as it was at one moment; displays as a few lines that a person can read.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The device it belongs to.
    pub device: String,
    /// Its name.
    pub name: String,
    /// What people call it; may be empty.
    pub label: String,
    /// The page it is shown on; may be empty.
    pub group: String,
    /// The type of all its elements.
    pub kind: Kind,
    /// Its state.
    pub state: State,
    /// Who may change it; lights are always read only.
    pub perm: Perm,
    /// How many switches can be on; `None` for other kinds.
    pub rule: Option<Rule>,
    /// The driver's guess at the longest that a change takes; `None` when it makes none.
    pub timeout: Option<Duration>,
    /// When the driver says that it told the values: UTC, `YYYY-MM-DDTHH:MM:SS`; empty when it does not.
    pub timestamp: String,
    /// Its elements, in the driver's order.
    pub elements: Vec<Element>,
}

/// An element of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// What people call it; may be empty.
    pub label: String,
    /// Its value.
    pub value: Value,
}

/// The value of an element.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A text.
    Text(String),
    /// A number with its limits.
    Number(Number),
    /// A switch: on is true.
    Switch(bool),
    /// A light.
    Light(State),
    /// A file; its content is a matter of the device that sends it, see [`Camera::image`](crate::device::Camera::image).
    Blob,
}

/// A number and what the driver says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// The value.
    pub value: f64,
    /// Smallest value; see [`Number::range`].
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Smallest change; 0 for any.
    pub step: f64,
    /// How to show it: printf style, or INDI's `m` for sexagesimal.
    pub format: String,
}

impl Number {
    /// The limits; `None` when the driver gives none (the largest is not above the smallest).
    pub fn range(&self) -> Option<(f64, f64)> {
        (self.max > self.min).then_some((self.min, self.max))
    }

    /// The value as the driver wants it shown: `12:34:57`.
    pub fn shown(&self) -> String {
        format_number(self.value, &self.format).trim().to_owned()
    }
}

/// The value alone, in full: `On`, `5.25`, `Ok`; nothing for a file.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.pad(text),
            Value::Number(number) => fmt::Display::fmt(&number.value, f),
            Value::Switch(on) => f.pad(if *on { "On" } else { "Off" }),
            Value::Light(state) => f.pad(state.as_str()),
            Value::Blob => f.pad(""),
        }
    }
}

impl Element {
    fn of(element: &kept::Element) -> Self {
        let value = match &element.value {
            kept::Value::Text(text) => Value::Text(text.clone()),
            kept::Value::Number(kept::Number { value, min, max, step, .. }) => {
                let format = element.format.clone();
                Value::Number(Number { value: *value, min: *min, max: *max, step: *step, format })
            }
            kept::Value::Switch(on) => Value::Switch(*on),
            kept::Value::Light(state) => Value::Light(*state),
            kept::Value::Blob(_) => Value::Blob,
        };
        Element { name: element.name.clone(), label: element.label.clone(), value }
    }
}

impl Property {
    pub(super) fn of(device: &str, name: &str, property: &kept::Property) -> Self {
        let kind = match property.elements.first().map(|element| &element.value) {
            Some(kept::Value::Number(_)) => Kind::Number,
            Some(kept::Value::Switch(_)) => Kind::Switch,
            Some(kept::Value::Light(_)) => Kind::Light,
            Some(kept::Value::Blob(_)) => Kind::Blob,
            Some(kept::Value::Text(_)) | None => Kind::Text,
        };
        Property {
            device: device.to_owned(),
            name: name.to_owned(),
            label: property.label.clone(),
            group: property.group.clone(),
            kind,
            state: property.state,
            perm: if kind == Kind::Light { Perm::ReadOnly } else { property.perm },
            rule: property.rule,
            timeout: Duration::try_from_secs_f64(property.timeout).ok().filter(|timeout| !timeout.is_zero()),
            timestamp: property.timestamp.clone(),
            elements: property.elements.iter().map(Element::of).collect(),
        }
    }

    /// An element.
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// The first element that is on, of switches.
    pub fn on(&self) -> Option<&Element> {
        self.elements.iter().find(|element| element.value == Value::Switch(true))
    }

    /// An attribute by the name that `indi_getprop` has for it: `_LABEL`, `_GROUP`, `_STATE`, `_PERM`, `_TO`
    /// (the timeout in seconds), `_TS` (the timestamp); and `_RULE` and `_TYPE`.
    ///
    /// `None` for any other name, and for the rule of what is no switch.
    pub fn attribute(&self, name: &str) -> Option<String> {
        Some(match name {
            "_LABEL" => self.label.clone(),
            "_GROUP" => self.group.clone(),
            "_STATE" => self.state.as_str().to_owned(),
            "_PERM" => self.perm.as_str().to_owned(),
            "_TO" => self.timeout.map_or(0.0, |timeout| timeout.as_secs_f64()).to_string(),
            "_TS" => self.timestamp.clone(),
            "_RULE" => self.rule?.as_str().to_owned(),
            "_TYPE" => self.kind.to_string(),
            _ => return None,
        })
    }
}

/// ```text
/// CCD Simulator.CCD_GAIN "Gain" (number, rw, Ok)
///   GAIN "Gain" = 90 (0 to 100 by 1)
/// ```
impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Property { device, name, label, kind, perm, state, .. } = self;
        let (perm, state) = (perm.as_str(), state.as_str());
        write!(f, "{device}.{name} {label:?} ({kind}, {perm}, {state})")?;
        for Element { name, label, value } in &self.elements {
            write!(f, "\n  {name} {label:?} = ")?;
            match value {
                Value::Number(number) => {
                    write!(f, "{}", number.shown())?;
                    if let Some((min, max)) = number.range() {
                        write!(f, " ({min} to {max}")?;
                        if number.step > 0.0 {
                            write!(f, " by {}", number.step)?;
                        }
                        write!(f, ")")?;
                    }
                }
                Value::Blob => write!(f, "a file")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}
