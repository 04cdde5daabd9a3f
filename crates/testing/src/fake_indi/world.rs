//! What the server serves, and the answers of a simple, well-behaved driver.

use super::{Command, Device, Kind, blob, observatory, xml};
use std::collections::HashSet;

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) devices: Vec<Device>,
    /// Exposures taken so far; the pixels of the n-th picture are n.
    exposures: u16,
    /// Client and device whose BLOBs were asked for.
    blobs: HashSet<(usize, String)>,
}

impl World {
    /// Removes a device; false when there is none of that name.
    pub(super) fn take(&mut self, name: &str) -> bool {
        let before = self.devices.len();
        self.devices.retain(|device| device.name != name);
        self.devices.len() < before
    }

    /// Disconnects a device; what its driver tells of it.
    pub(super) fn let_go(&mut self, name: &str) -> String {
        let device = self.devices.iter_mut().find(|device| device.name == name);
        device.map(|device| switch_connection(device, false)).unwrap_or_default()
    }

    /// All devices are as after their drivers' start.
    pub(super) fn reset(&mut self) {
        for device in &mut self.devices {
            device.connect(false);
        }
        self.blobs.clear();
    }

    /// The answer to a command.
    pub(super) fn answer(&mut self, command: &Command) -> Vec<u8> {
        match command.tag.as_str() {
            "getProperties" => self.definitions(command),
            "enableBLOB" => {
                self.blobs.insert((command.client, command.device.clone()));
                String::new()
            }
            "pingRequest" => {
                let uid = command.attributes.iter().find(|(name, _)| name == "uid").map_or("", |(_, uid)| uid);
                format!("<pingReply uid='{}'/>\n", xml::escape(uid))
            }
            _ => self.change(command),
        }
        .into_bytes()
    }

    fn definitions(&self, command: &Command) -> String {
        let name = Some(command.name.as_str()).filter(|name| !name.is_empty());
        let asked = |device: &&Device| command.device.is_empty() || command.device == device.name;
        self.devices.iter().filter(asked).map(|device| device.definitions(name)).collect()
    }

    fn change(&mut self, command: &Command) -> String {
        let Some(device) = self.devices.iter_mut().find(|device| device.name == command.device) else {
            return String::new();
        };
        match command.name.as_str() {
            "CONNECTION" => switch_connection(device, command.switched_on() == Some("CONNECT")),
            "CCD_EXPOSURE" if device.connected => {
                self.exposures += 1;
                let wanted = self.blobs.iter().any(|(_, name)| *name == device.name);
                expose(device, self.exposures, wanted)
            }
            "CCD_ABORT_EXPOSURE" | "FOCUS_ABORT_MOTION" | "TELESCOPE_ABORT_MOTION" => {
                xml::set(Kind::Switch, &device.name, &command.name, "Ok", &[("ABORT", "Off")])
            }
            _ => take_values(device, command),
        }
    }
}

fn switch_connection(device: &mut Device, on: bool) -> String {
    let was = device.connected;
    device.connect(on);
    let name = device.name.clone();
    let mut answer = device.property("CONNECTION").map(|connection| connection.set_xml(&name)).unwrap_or_default();
    for property in device.properties.iter().filter(|property| property.after_connect && was != on) {
        answer += &if on { property.def_xml(&name) } else { xml::delete(&name, Some(&property.name)) };
    }
    answer
}

fn expose(device: &Device, serial: u16, picture_wanted: bool) -> String {
    let state = |state| xml::numbers(&device.name, "CCD_EXPOSURE", state, &[("CCD_EXPOSURE_VALUE", 0.0)]);
    let file = || blob::fits(observatory::WIDTH, observatory::HEIGHT, serial);
    let picture = if picture_wanted { blob::picture(&device.name, "CCD1", file()) } else { String::new() };
    state("Busy") + &picture + &state("Ok")
}

/// Takes the values over and says so; an unknown property gets no answer, as with real drivers.
fn take_values(device: &mut Device, command: &Command) -> String {
    let name = device.name.clone();
    let connected = device.connected;
    let Some(property) = device.property(&command.name).filter(|property| connected || !property.after_connect) else {
        return String::new();
    };
    if property.kind == Kind::Switch && property.rule != "AnyOfMany" && command.switched_on().is_some() {
        property.elements.iter_mut().for_each(|element| element.value = "Off".into());
    }
    command.elements.iter().for_each(|(element, value)| property.put(element, value));
    property.state = "Ok";
    property.set_xml(&name)
}
