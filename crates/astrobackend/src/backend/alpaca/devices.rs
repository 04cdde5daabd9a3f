//! What devices a server has: as its management tells, or found by asking for them one by one.

use super::server::Server;
use crate::{
    Error, ErrorKind, Image, Result,
    backend::{
        interfaces::{self, Arguments, Carrier, is_transport},
        keeping::Claim,
    },
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind},
    event::Hub,
    sync::lock,
    wire::alpaca::{answer, form::Form},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// The most devices of a kind that are asked for where there is no list: some servers answer to any number.
const MOST: u32 = 8;

/// A device in the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    pub(super) kind: DeviceKind,
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) unique_id: Option<String>,
}

/// The list of a server's devices, of the kinds that there are here.
///
/// # Errors
/// `Unreachable` or `Timeout` when the server does not answer.
pub(super) fn list(server: &Server) -> Result<Vec<Listed>> {
    let (status, body) = server.page("/management/v1/configureddevices")?;
    let listed = match status {
        200 => answer::parse(&body).ok().and_then(|value| Some(value.as_array()?.iter().filter_map(entry).collect())),
        401 | 403 => return Err(answer::refusal(status, &body)),
        _ => None,
    };
    let mut listed = match listed {
        Some(listed) => listed,
        None => probe(server)?,
    };
    tell_apart(&mut listed);
    Ok(listed)
}

fn entry(value: &Value) -> Option<Listed> {
    let mut entry = value.as_object()?.clone();
    let mut take = |key| answer::take(&mut entry, key);
    let text = |value: Option<Value>| value.as_ref().and_then(answer::text).filter(|text| !text.trim().is_empty());
    let kind: DeviceKind = text(take("DeviceType"))?.parse().ok()?;
    let number = answer::integer(&take("DeviceNumber")?).and_then(|number| number.try_into().ok())?;
    let name = text(take("DeviceName")).unwrap_or_else(|| format!("{} {number}", kind.alpaca_name()));
    Some(Listed { kind, number, name: name.trim().to_owned(), unique_id: text(take("UniqueID")) })
}

/// Devices of the same kind and name get their number behind it.
fn tell_apart(listed: &mut [Listed]) {
    let mut count = BTreeMap::new();
    for device in &*listed {
        *count.entry((device.kind, device.name.clone())).or_insert(0) += 1;
    }
    for device in listed {
        if count.get(&(device.kind, device.name.clone())).is_some_and(|count| *count > 1) {
            device.name = format!("{} ({})", device.name, device.number);
        }
    }
}

/// A member that only devices of a kind have, since some servers answer to a name for anything.
fn own_member(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Camera => "cameraxsize",
        DeviceKind::FilterWheel => "focusoffsets",
        DeviceKind::Focuser => "maxstep",
        DeviceKind::Mount => "equatorialsystem",
    }
}

/// Asks for devices by kind and number, up to the first number that is missing.
fn probe(server: &Server) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for kind in DeviceKind::ALL {
        for number in 0..MOST {
            let path = |member: &str| format!("/api/v1/{}/{number}/{member}", kind.alpaca_name());
            let own = server.get(&path(own_member(kind)), &Form::new());
            match own {
                // It is there, whether it is connected or not.
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::ValueNotSet) => {}
                Err(error) if is_transport(&error) => return Err(error),
                Err(_) => break,
            }
            let name = server
                .get(&path("name"), &Form::new())
                .ok()
                .as_ref()
                .and_then(answer::text)
                .filter(|name| !name.trim().is_empty());
            let name = name.unwrap_or_else(|| format!("{} {number}", kind.alpaca_name()));
            found.push(Listed { kind, number, name, unique_id: None });
        }
    }
    match found.is_empty() {
        true => Err(Error::protocol(format!("{server} is no Alpaca server, or has no device that is known here"))),
        false => Ok(found),
    }
}

/// What carries the members of a device of a server.
#[derive(Debug)]
struct Members {
    server: Arc<Server>,
    path: String,
}

impl Members {
    fn path_of(&self, member: &str) -> String {
        format!("{}{member}", self.path)
    }
}

fn form(arguments: &Arguments) -> Form {
    let all = arguments.own.iter().chain(&arguments.beside);
    all.fold(Form::new(), |form, (name, value)| form.with(name, value))
}

impl Carrier for Members {
    fn get(&self, member: &'static str, arguments: &Arguments) -> Result<Value> {
        self.server.get(&self.path_of(member), &form(arguments))
    }

    fn get_many(&self, asked: &[(&'static str, Arguments)]) -> Vec<Result<Value>> {
        let paths: Vec<_> = asked.iter().map(|(member, given)| (self.path_of(member), form(given))).collect();
        self.server.get_many(&paths)
    }

    fn put(&self, member: &'static str, arguments: &Arguments, limit: Duration) -> Result<Value> {
        self.server.put(&self.path_of(member), &form(arguments), limit)
    }

    fn image(&self) -> Result<Image> {
        self.server.image(&self.path_of("imagearray"))
    }

    fn limit(&self) -> Duration {
        self.server.policy.call
    }

    fn losses(&self) -> u64 {
        self.server.link.losses()
    }

    fn is_guarded(&self) -> bool {
        self.server.policy.guard
    }

    fn is_shared(&self) -> bool {
        self.server.policy.shared
    }
}

/// The devices of a server that somebody has asked for: each one once, however often.
#[derive(Debug)]
pub(super) struct Devices {
    pub(super) server: Arc<Server>,
    hub: Arc<Hub>,
    options: Vec<(String, String)>,
    made: Mutex<BTreeMap<(DeviceId, u32), AnyDevice>>,
}

impl Devices {
    pub(super) fn new(server: Arc<Server>, hub: Arc<Hub>, options: &[(String, String)]) -> Self {
        Devices { server, hub, options: options.to_vec(), made: Mutex::default() }
    }

    fn info(&self, listed: &Listed) -> DeviceInfo {
        let path = format!("{}/{}", listed.kind.alpaca_name(), listed.number);
        let address = self.server.address().with_path(path);
        let address = self.options.iter().fold(address, |address, (name, value)| address.with_option(name, value));
        let id = DeviceId::new(listed.kind, listed.name.clone());
        DeviceInfo { unique_id: listed.unique_id.clone(), ..DeviceInfo::new(id, address) }
    }

    /// What is known of a device in the list; of one that was connected, more.
    pub(super) fn known(&self, listed: &Listed) -> DeviceInfo {
        let info = self.info(listed);
        let made = lock(&self.made).get(&(info.id.clone(), listed.number)).cloned();
        made.map_or(info, |made| made.device().info())
    }

    /// The device, made if need be.
    pub(super) fn make(&self, listed: &Listed) -> AnyDevice {
        let info = self.info(listed);
        let key = (info.id.clone(), listed.number);
        let mut made = lock(&self.made);
        let new = || {
            let path = format!("/api/v1/{}/{}/", listed.kind.alpaca_name(), listed.number);
            let members = Arc::new(Members { server: self.server.clone(), path });
            let claim = Claim::new(info.id.clone(), self.server.link.clone(), self.server.keeper.work());
            let claim = Arc::new(claim);
            let device = interfaces::device(members, self.hub.clone(), info, claim.clone());
            self.server.keeper.work().enlist(&device, &claim);
            device
        };
        made.entry(key).or_insert_with(new).clone()
    }

    /// All that were asked for.
    pub(super) fn all_made(&self) -> Vec<AnyDevice> {
        lock(&self.made).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_real_servers_are_read() {
        let entries = [
            json!({"DeviceName": "A", "DeviceType": "camera", "DeviceNumber": 3, "UniqueID": "x"}),
            json!({"devicename": "A", "deviceType": "Camera", "DeviceNumber": "4"}),
            json!({"DeviceName": " ", "DeviceType": "Telescope", "DeviceNumber": 0}),
            json!({"DeviceName": "B", "DeviceType": "SafetyMonitor", "DeviceNumber": 0}),
            json!({"DeviceName": "C", "DeviceType": "Focuser", "DeviceNumber": -1}),
            json!(7),
        ];
        let mut listed: Vec<_> = entries.iter().filter_map(entry).collect();
        tell_apart(&mut listed);
        let names: Vec<_> = listed.iter().map(|device| (device.kind, device.number, device.name.as_str())).collect();
        let expected =
            [(DeviceKind::Camera, 3, "A (3)"), (DeviceKind::Camera, 4, "A (4)"), (DeviceKind::Mount, 0, "telescope 0")];
        assert_eq!(names, expected);
        assert_eq!(listed[0].unique_id.as_deref(), Some("x"));
    }
}
