//! What a server has told so far: devices, their properties, their messages. No I/O, no waiting.
//!
//! One reader thread fills it; everybody else reads it in memory. Each message counts up one sequence
//! number, and properties remember the numbers of their last news, so that a command can tell its
//! answer from what was already there when it was sent.

use super::{
    claims::Claims,
    incoming::Incoming,
    mount::tracking,
    properties::{Change as News, Watchers},
    property::{Blob, ELEMENT_WEIGHT, Property, Value},
};
use crate::{
    Error, Result,
    backend::keeping::unreachable,
    device::DeviceId,
    event::Level,
    wire::indi::{Elements, Message, Vector},
};
use std::{
    borrow::BorrowMut,
    collections::BTreeMap,
    time::{Duration, Instant},
};

pub(super) use super::device::Device;

/// Bytes that all definitions and values together may take, BLOBs not counted.
const MAX_WEIGHT: usize = 64 << 20;

/// Letters of a message to people; INDI's own limit is 255.
const MAX_NOTE: usize = 4096;

/// Everything known about a server's devices.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Number of the last message taken in.
    pub(super) seq: u64,
    /// Number of the last command or question sent.
    pub(super) sent: u64,
    /// When and under which number the last definition came.
    pub(super) last_definition: Option<(Instant, u64)>,
    /// When the last bytes came.
    pub(super) last_bytes: Option<Instant>,
    /// Why the connection is gone, while it is.
    pub(super) lost: Option<Error>,
    /// When (by number) and why it was lost last; it may be back since.
    last_loss: Option<(u64, Error)>,
    /// It is back, and not everything is as it was yet.
    pub(super) restoring: bool,
    /// A device of ours appeared, or everything has to: there is work for the keeper.
    pub(super) work: bool,
    /// The server answers pings.
    pub(super) pings: bool,
    /// The devices that are ours.
    pub(super) claims: Claims,
    /// Devices of ours that went away are brought back.
    pub(super) restores: bool,
    /// Somebody listens, so `changes` is kept.
    pub(super) watched: bool,
    /// What changed since it was last taken.
    pub(super) changes: Vec<Change>,
    /// Who watches single properties.
    pub(super) watchers: Watchers,
    devices: BTreeMap<String, Device>,
    weight: usize,
}

/// News for listeners.
#[derive(Debug)]
pub(super) enum Change {
    /// Something about a device changed.
    Device(String),
    /// A device, or the server, said something.
    Said(Option<String>, Level, String),
    /// A device of ours is back, with what is as it was declared, and what is not.
    Restored(DeviceId, Vec<String>, Vec<(String, Error)>),
}

impl Store {
    /// The devices by name.
    pub(super) fn devices(&self) -> impl Iterator<Item = (&str, &Device)> {
        self.devices.iter().map(|(name, device)| (name.as_str(), device))
    }

    /// A device.
    pub(super) fn device(&self, name: &str) -> Option<&Device> {
        self.devices.get(name)
    }

    /// A property of a device, to be changed.
    pub(super) fn property_mut(&mut self, device: &str, name: &str) -> Option<&mut Property> {
        self.devices.get_mut(device)?.properties.get_mut(name)
    }

    /// True when the drivers made a pause in their definitions; on a slow line a definition takes its time.
    pub(super) fn has_defined_nothing_for(&self, pause: Duration) -> bool {
        let line_rests = self.last_bytes.is_none_or(|last| last.elapsed() >= pause);
        match self.last_definition {
            Some((when, seq)) => when.elapsed() >= pause && (line_rests || self.seq > seq),
            None => line_rests,
        }
    }

    /// Notes that the connection is gone; false when that is known already.
    pub(super) fn lose(&mut self, why: &Error) -> bool {
        if self.lost.is_some() {
            return false;
        }
        self.seq += 1;
        let error = unreachable(why);
        self.last_loss = Some((self.seq, error.clone()));
        self.watchers.tell_lost(&error);
        self.lost = Some(error);
        true
    }

    /// Why the connection was lost since a message, also when it is back; or why it is gone now.
    pub(super) fn lost_since(&self, seq: u64) -> Option<&Error> {
        let since = self.last_loss.as_ref().filter(|(when, _)| *when > seq).map(|(_, why)| why);
        since.or(self.lost.as_ref())
    }

    /// The connection is back: everything will be told again.
    pub(super) fn start_anew(&mut self) {
        self.lost = None;
        self.restoring = true;
        self.work = true;
        self.last_bytes = Some(Instant::now());
        self.last_definition = None;
        self.changes.clear();
        self.devices.clear();
        self.weight = 0;
    }

    /// Devices of ours that are not as they were yet.
    pub(super) fn held(&self) -> Vec<String> {
        self.devices.iter().filter(|(_, device)| device.held).map(|(name, _)| name.clone()).collect()
    }

    /// A device may be used as it is.
    pub(super) fn release(&mut self, device: &str) {
        if let Some(device) = self.devices.get_mut(device) {
            device.held = false;
        }
    }

    /// True when nothing was heard of a device of ours for so long that what it told last may not be true any more. While a
    /// long BLOB comes, nobody else can be heard.
    pub(super) fn is_stale(&self, name: &str, device: &Device, limit: Duration) -> bool {
        let line_is_free = || self.seq > device.heard || self.last_bytes.is_none_or(|last| last.elapsed() > limit / 2);
        device.age().duration() > limit && line_is_free() && self.claims.has(name)
    }

    /// A device is as it was, and may be used; false when it was disconnected again meanwhile.
    pub(super) fn restored(&mut self, device: &str) -> bool {
        let Some(device) = self.devices.get_mut(device) else { return false };
        device.held = device.is_off();
        self.work |= device.held;
        !device.held
    }

    /// A count that grows with everything a device says; `None` when it is not there.
    pub(super) fn heard(&self, device: &str) -> Option<u64> {
        self.devices.get(device).map(|device| device.heard)
    }

    /// Notes that a driver does not answer any more; false when that is known already.
    pub(super) fn mute(&mut self, device: &str) -> bool {
        let Some(found) = self.devices.get_mut(device).filter(|device| !device.mute) else { return false };
        found.mute = true;
        self.touch(device);
        true
    }

    /// Notes a message of our own about a device.
    pub(super) fn note(&mut self, device: &str, text: &str) {
        self.say(Some(device), Some(text));
    }

    /// Notes that something about a device changed.
    pub(super) fn touch(&mut self, device: &str) {
        if self.watched {
            changed(&mut self.changes, device);
        }
    }

    /// Takes in a message; what is large is moved out of it.
    ///
    /// # Errors
    /// `Protocol` when the server defines more than can be kept.
    pub(super) fn apply<'a>(&mut self, mut message: impl BorrowMut<Message<'a>>) -> Result<()> {
        self.seq += 1;
        let now = self.now();
        match message.borrow_mut() {
            Message::Def(vector) => self.define(vector),
            Message::Set(vector) => self.report(vector),
            Message::New(vector) => self.requested(vector),
            Message::DelProperty { device, name, message } => {
                self.say(Some(device), message.as_deref());
                self.delete(device, name.as_deref());
                self.touch(device);
            }
            Message::Message { device, text, .. } => {
                if let Some(device) = device.as_deref().and_then(|name| self.devices.get_mut(name)) {
                    device.hear(self.seq, now);
                }
                self.say(device.as_deref(), Some(text));
            }
            Message::PingReply { .. } => self.pings = true,
            _ => {}
        }
        if self.weight > MAX_WEIGHT {
            return Err(Error::protocol(format!(
                "the server defines more than {} MiB of properties",
                MAX_WEIGHT >> 20
            )));
        }
        Ok(())
    }

    /// Notes that the server said something that could not be understood.
    pub(super) fn complain(&mut self, error: &Error) {
        self.say(None, Some(&format!("[WARNING] the server sent nonsense: {error}")));
    }

    /// True when somebody waits for the BLOBs of a vector.
    pub(super) fn wants_blobs(&self, device: &str, vector: &str) -> bool {
        self.device(device).and_then(|device| device.property(vector)).is_some_and(|property| property.wanted)
    }

    /// Takes in a picture that came with the last message.
    pub(super) fn deliver(&mut self, incoming: Incoming) {
        let seq = self.seq;
        let property = self.property_mut(&incoming.device, &incoming.vector).filter(|property| property.wanted);
        if let Some(Value::Blob(blob)) = property.and_then(|property| property.value_mut(&incoming.element)) {
            *blob = Some(Blob::new(seq, incoming.format, incoming.content));
        }
    }

    /// When the message that is taken in came.
    fn now(&self) -> Instant {
        self.last_bytes.unwrap_or_else(Instant::now)
    }

    fn define(&mut self, vector: &Vector<'_>) {
        let (seq, now) = (self.seq, self.now());
        self.last_definition = Some((Instant::now(), seq));
        self.say(Some(&vector.device), vector.message.as_deref());
        let device = match self.devices.get_mut(vector.device.as_ref()) {
            Some(device) => device,
            None => {
                self.weight += ELEMENT_WEIGHT + vector.device.len();
                let held = self.restores && self.claims.has(&vector.device);
                self.work |= held;
                self.devices.entry(vector.device.to_string()).or_insert_with(|| Device::new(seq, held))
            }
        };
        device.hear(seq, now);
        let old = device.properties.remove(vector.name.as_ref());
        self.weight -= old.as_ref().map_or(0, Property::weight);
        let mut property = Property::define(vector, seq);
        if let Some(old) = old {
            property.inherit(old, now);
        }
        self.weight += property.weight();
        self.watchers.tell(&vector.device, &vector.name, &property, News::Defined);
        device.properties.insert(vector.name.to_string(), property);
        self.miss(&vector.device, &vector.name);
        self.touch(&vector.device);
    }

    fn report(&mut self, vector: &mut Vector<'_>) {
        let (seq, now) = (self.seq, self.now());
        self.say(Some(&vector.device), vector.message.as_deref());
        // What was never defined cannot be understood; its definition will bring the values.
        let Some(device) = self.devices.get_mut(vector.device.as_ref()) else { return };
        device.hear(seq, now);
        let Some(property) = device.properties.get_mut(vector.name.as_ref()) else { return };
        let (ours, held) = (self.restores && self.claims.has(&vector.device), device.held);
        if self.watched {
            changed(&mut self.changes, &vector.device);
        }
        // Only texts change what a property takes.
        let text = matches!(vector.elements, Elements::Text(_));
        let before = if text { property.weight() } else { 0 };
        property.report(vector, seq, now);
        self.weight = self.weight - before + if text { property.weight() } else { 0 };
        self.watchers.tell(&vector.device, &vector.name, property, News::Updated);
        if ours && !held && vector.name == tracking::TRACK {
            let on = property.switch("TRACK_ON") == Some(true);
            self.claims.see_tracking(&vector.device, on);
        }
        self.miss(&vector.device, &vector.name);
    }

    /// Notes that a device of ours is not connected any more, when its switch was told: its driver has lost the hardware, or
    /// another client let it go. A new life, as after a restart.
    fn miss(&mut self, name: &str, property: &str) {
        if property != "CONNECTION" || !self.restores || !self.claims.has(name) {
            return;
        }
        let seq = self.seq;
        if let Some(device) = self.devices.get_mut(name).filter(|device| !device.held && device.is_off()) {
            (device.held, device.born) = (true, seq);
            self.work = true;
        }
    }

    /// Remembers what a client asked for: for some values, such as a set point, nothing else tells it.
    fn requested(&mut self, vector: &Vector<'_>) {
        if let (Elements::Number(wanted), Some(property)) =
            (&vector.elements, self.property_mut(&vector.device, &vector.name))
        {
            wanted.iter().for_each(|one| property.request(&one.name, one.value.value));
        }
    }

    fn delete(&mut self, device: &str, name: Option<&str>) {
        let Some(found) = self.devices.get_mut(device) else { return };
        self.watchers.tell_deleted(device, name);
        if let Some(name) = name {
            let gone = found.properties.remove(name);
            self.weight -= gone.as_ref().map_or(0, Property::weight);
        }
        if name.is_none() || found.properties.is_empty() {
            let weight: usize = found.properties.values().map(Property::weight).sum();
            self.weight -= weight + ELEMENT_WEIGHT + device.len();
            self.devices.remove(device);
        }
    }

    fn say(&mut self, device: Option<&str>, text: Option<&str>) {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return };
        let end = text.char_indices().nth(MAX_NOTE).map_or(text.len(), |(at, _)| at);
        let (level, text) = level_of(&text[..end]);
        if let Some(device) = device.and_then(|name| self.devices.get_mut(name)) {
            device.note(self.seq, level, text);
        }
        if self.watched {
            self.changes.push(Change::Said(device.map(str::to_owned), level, text.to_owned()));
        }
    }
}

fn changed(changes: &mut Vec<Change>, device: &str) {
    let again = matches!(changes.last(), Some(Change::Device(last)) if last == device);
    if !again {
        changes.push(Change::Device(device.to_owned()));
    }
}

/// The level that a message begins with, by the convention of `libindi`, and the rest.
fn level_of(text: &str) -> (Level, &str) {
    let words =
        [("[ERROR]", Level::Error), ("[WARNING]", Level::Warning), ("[INFO]", Level::Info), ("[DEBUG]", Level::Info)];
    let found = words.iter().find_map(|(word, level)| Some((*level, text.strip_prefix(word)?.trim_start())));
    let (level, text) = found.unwrap_or((if text.starts_with("Error:") { Level::Error } else { Level::Info }, text));
    (level, text.strip_prefix("Error: ").unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::indi::{Parser, State};

    fn store(text: &str) -> Store {
        let (mut store, mut parser) = (Store::default(), Parser::default());
        parser.push(text.as_bytes());
        while let Some(message) = parser.next_message() {
            store.apply(message.unwrap()).unwrap();
        }
        store
    }

    const FOCUSER: &str = "<defNumberVector device='F' name='ABS' state='Ok' perm='rw'>\
        <defNumber name='P' format='%g' min='0' max='100' step='1'>50</defNumber></defNumberVector>";

    #[test]
    fn reports_before_definitions_and_of_unknown_elements_are_left_out() {
        let early =
            "<setNumberVector device='F' name='ABS' state='Busy'><oneNumber name='P'>7</oneNumber></setNumberVector>";
        let odd = "<setNumberVector device='F' name='ABS'><oneNumber name='Q'>7</oneNumber><oneNumber name='P' max='90'>8</oneNumber></setNumberVector>";
        let store = store(&format!("{early}{FOCUSER}{odd}"));
        let device = store.device("F").unwrap();
        assert_eq!(device.state("ABS"), Some(State::Ok), "a missing state keeps the last");
        let number = device.limits("ABS", "P").unwrap();
        assert_eq!((number.value, number.min, number.max), (8.0, 0.0, 90.0));
    }

    #[test]
    fn a_redefinition_keeps_what_was_asked_for() {
        let asked = "<newNumberVector device='F' name='ABS'><oneNumber name='P'>70</oneNumber></newNumberVector>";
        let store = store(&format!("{FOCUSER}{asked}{FOCUSER}"));
        assert_eq!(store.device("F").unwrap().limits("ABS", "P").unwrap().requested, Some(70.0));
    }

    #[test]
    fn a_device_is_gone_with_its_last_property() {
        let one = store(&format!("{FOCUSER}<delProperty device='F' name='ABS'/>"));
        let all = store(&format!("{FOCUSER}<delProperty device='F'/><delProperty device='G' name='x'/>"));
        for store in [one, all] {
            assert!(store.device("F").is_none());
            assert_eq!(store.weight, 0);
        }
    }

    #[test]
    fn the_worst_message_since_a_moment_is_the_reason() {
        let store = store(&format!(
            "{FOCUSER}<message device='F' message='[ERROR] old'/><message device='F' message='[WARNING] hot'/>\
             <message device='F' message='[INFO] fine'/>"
        ));
        let device = store.device("F").unwrap();
        assert_eq!(device.reason_since(0), Some("old"));
        assert_eq!(device.reason_since(2), Some("hot"));
        assert_eq!(device.worst_since(3), Some(Level::Info));
        assert_eq!(device.reason_since(4), None);
    }

    #[test]
    fn a_server_that_never_stops_defining_is_refused() {
        let mut store = Store::default();
        let text = "x".repeat(1 << 20);
        let failed = (0..100).map(|n| {
            let element = crate::wire::indi::Element::new("t", text.clone().into());
            let vector = Vector::new("D", format!("P{n}"), Elements::Text(vec![element]));
            store.apply(Message::Def(vector))
        });
        assert!(failed.into_iter().any(|result| result.is_err()));
    }
}
