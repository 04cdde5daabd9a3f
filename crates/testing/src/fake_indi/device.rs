//! Devices as data: properties with elements, and how they are said in INDI.

use super::xml::escape;
use std::{fmt, ops::RangeInclusive};

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Number.
    Number,
    /// Switch.
    Switch,
    /// Light.
    Light,
    /// BLOB.
    Blob,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Text => "Text",
            Kind::Number => "Number",
            Kind::Switch => "Switch",
            Kind::Light => "Light",
            Kind::Blob => "BLOB",
        })
    }
}

/// An element of a property.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its value as it is sent.
    pub value: String,
    /// Limits of a number.
    pub range: RangeInclusive<f64>,
}

/// A property of a device.
#[derive(Clone, Debug)]
pub struct Property {
    /// Its type.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// `Idle`, `Ok`, `Busy` or `Alert`.
    pub state: &'static str,
    /// `ro`, `wo` or `rw`.
    pub perm: &'static str,
    /// Of a switch: `OneOfMany`, `AtMostOne` or `AnyOfMany`.
    pub rule: &'static str,
    /// Its elements.
    pub elements: Vec<Element>,
    /// It is there only while the device is connected.
    pub after_connect: bool,
}

impl Property {
    fn new(kind: Kind, name: &str, elements: impl IntoIterator<Item = Element>) -> Self {
        Property {
            kind,
            name: name.to_owned(),
            state: "Idle",
            perm: "rw",
            rule: "OneOfMany",
            elements: elements.into_iter().collect(),
            after_connect: true,
        }
    }

    /// Numbers with their limits.
    pub fn number<const N: usize>(name: &str, elements: [(&str, f64, RangeInclusive<f64>); N]) -> Self {
        let element =
            |(name, value, range): (&str, f64, _)| Element { name: name.into(), value: value.to_string(), range };
        Property::new(Kind::Number, name, elements.map(element))
    }

    /// Texts.
    pub fn text<const N: usize>(name: &str, elements: [(&str, &str); N]) -> Self {
        Property::new(Kind::Text, name, elements.map(|(name, value)| plain(name, value)))
    }

    /// Switches of which one is on: the first.
    pub fn one_of<const N: usize>(name: &str, elements: [&str; N]) -> Self {
        let mut property = Property::new(Kind::Switch, name, elements.map(|name| plain(name, "Off")));
        property.elements[0].value = "On".into();
        property
    }

    /// Switches of which none is on.
    pub fn at_most_one<const N: usize>(name: &str, elements: [&str; N]) -> Self {
        let property = Property::new(Kind::Switch, name, elements.map(|name| plain(name, "Off")));
        Property { rule: "AtMostOne", ..property }
    }

    /// A BLOB with one element of the same name.
    pub fn blob(name: &str) -> Self {
        Property { perm: "ro", ..Property::new(Kind::Blob, name, [plain(name, "")]) }
    }

    /// The same, but never written by clients.
    #[must_use]
    pub fn read_only(self) -> Self {
        Property { perm: "ro", ..self }
    }

    /// The same, but there from the start.
    #[must_use]
    pub fn always(self) -> Self {
        Property { after_connect: false, ..self }
    }

    /// The value of an element.
    pub fn value(&self, element: &str) -> Option<&str> {
        self.elements.iter().find(|candidate| candidate.name == element).map(|found| found.value.as_str())
    }

    /// Changes an element if it is there.
    pub fn put(&mut self, element: &str, value: impl fmt::Display) {
        if let Some(found) = self.elements.iter_mut().find(|candidate| candidate.name == element) {
            found.value = value.to_string();
        }
    }

    /// `defNumberVector` and so on.
    pub fn def_xml(&self, device: &str) -> String {
        let (kind, device, name) = (self.kind, escape(device), escape(&self.name));
        let (state, perm) = (self.state, self.perm);
        let rule = if kind == Kind::Switch { format!(" rule='{}'", self.rule) } else { String::new() };
        let perm = if kind == Kind::Light { String::new() } else { format!(" perm='{perm}' timeout='60'") };
        let mut xml = format!(
            "<def{kind}Vector device='{device}' name='{name}' label='{name}' group='Main' state='{state}'{perm}{rule}>\n"
        );
        for Element { name, value, range } in &self.elements {
            let (name, value) = (escape(name), escape(value));
            let limits = match kind {
                Kind::Number => format!(" format='%g' min='{}' max='{}' step='1'", range.start(), range.end()),
                _ => String::new(),
            };
            xml += &format!("<def{kind} name='{name}' label='{name}'{limits}>\n{value}\n</def{kind}>\n");
        }
        xml + &format!("</def{kind}Vector>\n")
    }

    /// `setNumberVector` and so on, with all elements.
    pub fn set_xml(&self, device: &str) -> String {
        let elements: Vec<_> = self.elements.iter().map(|e| (e.name.as_str(), e.value.as_str())).collect();
        super::xml::set(self.kind, device, &self.name, self.state, &elements)
    }
}

fn plain(name: &str, value: &str) -> Element {
    Element { name: name.into(), value: value.into(), range: 0.0..=0.0 }
}

/// A device of the server.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Its properties.
    pub properties: Vec<Property>,
    /// Whether it is connected to its hardware.
    pub connected: bool,
}

impl Device {
    /// A device with `CONNECTION` and `DRIVER_INFO`, whose interface bits these are.
    pub fn new(name: &str, interface: u32) -> Self {
        let interface = interface.to_string();
        let info = [
            ("DRIVER_NAME", name),
            ("DRIVER_EXEC", "fake_driver"),
            ("DRIVER_VERSION", "1.0"),
            ("DRIVER_INTERFACE", &interface),
        ];
        let mut connection = Property::one_of("CONNECTION", ["DISCONNECT", "CONNECT"]).always();
        connection.elements.reverse();
        let properties = vec![connection, Property::text("DRIVER_INFO", info).read_only().always()];
        Device { name: name.to_owned(), properties, connected: false }
    }

    /// With one more property.
    #[must_use]
    pub fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    /// Without a property.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.properties.retain(|property| property.name != name);
        self
    }

    /// The same, connected to its hardware.
    #[must_use]
    pub fn connected(mut self) -> Self {
        self.connect(true);
        self
    }

    /// Connects it to its hardware, or disconnects it.
    pub fn connect(&mut self, on: bool) {
        self.connected = on;
        if let Some(connection) = self.property("CONNECTION") {
            connection.put("CONNECT", if on { "On" } else { "Off" });
            connection.put("DISCONNECT", if on { "Off" } else { "On" });
            connection.state = if on { "Ok" } else { "Idle" };
        }
    }

    /// A property.
    pub fn property(&mut self, name: &str) -> Option<&mut Property> {
        self.properties.iter_mut().find(|property| property.name == name)
    }

    /// Definitions of what is there now, or of one of it.
    pub fn definitions(&self, name: Option<&str>) -> String {
        let there = |property: &&Property| {
            (self.connected || !property.after_connect) && name.is_none_or(|name| name == property.name)
        };
        self.properties.iter().filter(there).map(|property| property.def_xml(&self.name)).collect()
    }
}
