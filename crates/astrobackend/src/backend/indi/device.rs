//! What a driver has told of one device: its properties, and what it said to people.

use super::{
    picture,
    property::{Blob, Number, Property, Value},
};
use crate::{device::Age, event::Level, wire::indi::State};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Instant,
};

/// Messages kept for each device.
const MAX_NOTES: usize = 32;

/// A device: its properties and what it said lately.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// Number of the message that first defined it; another one after a restart of its driver, or after it was
    /// disconnected by others.
    pub(super) born: u64,
    /// Number of the last message from it.
    pub(super) heard: u64,
    /// When that came.
    heard_at: Option<Instant>,
    /// It is ours and was connected before it went away: not to be used until it is as it was.
    pub(super) held: bool,
    /// Its driver does not answer any more: what it told last is not true any more either.
    pub(super) mute: bool,
    pub(super) properties: BTreeMap<String, Property>,
    notes: VecDeque<Note>,
}

/// Something that a device said.
#[derive(Debug)]
struct Note {
    seq: u64,
    level: Level,
    text: String,
}

impl Device {
    /// One that a message of a number tells of for the first time; held when it is ours.
    pub(super) fn new(born: u64, held: bool) -> Self {
        Device { born, held, ..Device::default() }
    }

    /// It has said something: it lives.
    pub(super) fn hear(&mut self, seq: u64, at: Instant) {
        self.heard = seq;
        self.heard_at = Some(at);
        self.mute = false;
    }

    /// How long ago it said something last.
    pub(super) fn age(&self) -> Age {
        self.heard_at.map_or(Age::NOW, |at| at.elapsed().into())
    }

    /// Keeps what it said, and forgets what it said long ago.
    pub(super) fn note(&mut self, seq: u64, level: Level, text: &str) {
        if self.notes.len() >= MAX_NOTES {
            self.notes.pop_front();
        }
        self.notes.push_back(Note { seq, level, text: text.to_owned() });
    }

    /// A property.
    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.get(name)
    }

    /// All properties, by name.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&str, &Property)> {
        self.properties.iter().map(|(name, property)| (name.as_str(), property))
    }

    /// True when the property is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    /// True when the property is there and clients may change it.
    pub(super) fn can_set(&self, name: &str) -> bool {
        self.property(name).is_some_and(Property::writable)
    }

    /// True when clients may change this switch.
    pub(super) fn has_switch(&self, property: &str, element: &str) -> bool {
        self.can_set(property) && self.switch(property, element).is_some()
    }

    /// Its driver says that it is not connected to its hardware.
    pub(super) fn is_off(&self) -> bool {
        self.switch("CONNECTION", "CONNECT") == Some(false) && !self.is_busy("CONNECTION")
    }

    /// A property's state.
    pub(super) fn state(&self, property: &str) -> Option<State> {
        self.property(property).map(|property| property.state)
    }

    /// True when the property is there and busy.
    pub(super) fn is_busy(&self, property: &str) -> bool {
        self.state(property) == Some(State::Busy)
    }

    /// A number's value.
    pub(super) fn number(&self, property: &str, element: &str) -> Option<f64> {
        self.limits(property, element).map(|number| number.value)
    }

    /// A number with its limits.
    pub(super) fn limits(&self, property: &str, element: &str) -> Option<Number> {
        self.property(property)?.number(element)
    }

    /// A switch.
    pub(super) fn switch(&self, property: &str, element: &str) -> Option<bool> {
        self.property(property)?.switch(element)
    }

    /// A text.
    pub(super) fn text(&self, property: &str, element: &str) -> Option<&str> {
        match &self.property(property)?.element(element)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The last BLOB of a vector, if it was wanted: of several that came together the first picture.
    pub(super) fn blob(&self, property: &str) -> Option<&Arc<Blob>> {
        let blobs = self.property(property)?.elements.iter().filter_map(|element| match &element.value {
            Value::Blob(Some(blob)) => Some(blob),
            _ => None,
        });
        blobs.min_by_key(|blob| (Reverse(blob.seq), !picture::is_readable(&blob.format)))
    }

    /// What it said since a moment that sounds most like a reason.
    pub(super) fn reason_since(&self, seq: u64) -> Option<&str> {
        let since = || self.notes.iter().filter(move |note| note.seq > seq);
        let worst = since().map(|note| note.level).max()?;
        since().rfind(|note| note.level == worst).map(|note| note.text.as_str())
    }

    /// The level of the worst thing it said since a moment.
    pub(super) fn worst_since(&self, seq: u64) -> Option<Level> {
        self.notes.iter().filter(|note| note.seq > seq).map(|note| note.level).max()
    }
}
