//! What a client wants to hear: which devices and properties it asked for, and whether it wants pictures.

use astrobackend::wire::indi::BlobMode;
use std::collections::{HashMap, HashSet};

/// Names that are kept of what a client asked for; one that asks for more gets everything.
const MOST: usize = 4096;

/// The longest name that is kept, bytes: no device or property has such a one.
const LONGEST: usize = 1024;

/// Of whom or of what; `None` for all.
type Topic = (Option<String>, Option<String>);

/// What one client asked for.
#[derive(Debug, Default)]
pub(super) struct Interest {
    everything: bool,
    topics: HashSet<Topic>,
    modes: HashMap<Topic, BlobMode>,
}

impl Interest {
    /// It asked for the properties of all devices, of one, or for one property.
    pub(super) fn ask(&mut self, device: Option<&str>, name: Option<&str>) {
        let Some(device) = device.filter(|device| *device != "*") else {
            self.everything = true;
            return;
        };
        if is_absurd(Some(device)) || is_absurd(name) {
            return;
        }
        self.everything |= self.topics.len() >= MOST;
        if !self.everything {
            self.topics.insert((Some(device.to_owned()), name.map(str::to_owned)));
        }
    }

    /// It said whether it wants the BLOBs of a property, of a device, or all.
    pub(super) fn enable(&mut self, device: Option<&str>, name: Option<&str>, mode: BlobMode) {
        if is_absurd(device) || is_absurd(name) {
            return;
        }
        let topic = (device.map(str::to_owned), name.map(str::to_owned));
        if self.modes.len() < MOST || self.modes.contains_key(&topic) {
            self.modes.insert(topic, mode);
        }
    }

    /// It wants to hear of a property, or of a device as a whole.
    pub(super) fn hears(&self, device: &str, name: Option<&str>) -> bool {
        self.asked(device, name) && self.mode(device, None) != BlobMode::Only
    }

    /// It wants the BLOBs of a property.
    pub(super) fn sees(&self, device: &str, name: &str) -> bool {
        self.asked(device, Some(name)) && self.mode(device, Some(name)) != BlobMode::Never
    }

    fn asked(&self, device: &str, name: Option<&str>) -> bool {
        if self.everything {
            return true;
        }
        let has = |name: Option<&str>| self.topics.contains(&(Some(device.to_owned()), name.map(str::to_owned)));
        match name {
            Some(_) => has(None) || has(name),
            // What concerns the whole device concerns whoever asked for a part of it.
            None => self.topics.iter().any(|(there, _)| there.as_deref() == Some(device)),
        }
    }

    /// The rule that is the most precise.
    fn mode(&self, device: &str, name: Option<&str>) -> BlobMode {
        let device = Some(device.to_owned());
        let mut rules = Vec::new();
        if let Some(name) = name {
            rules.push((device.clone(), Some(name.to_owned())));
        }
        rules.extend([(device, None), (None, None)]);
        rules.iter().find_map(|rule| self.modes.get(rule).copied()).unwrap_or(BlobMode::Never)
    }
}

fn is_absurd(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.len() > LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_hears_what_was_not_asked_for() {
        let mut interest = Interest::default();
        assert!(!interest.hears("A", None) && !interest.hears("A", Some("X")));
        interest.ask(Some("A"), Some("X"));
        assert!(interest.hears("A", Some("X")) && !interest.hears("A", Some("Y")));
        assert!(interest.hears("A", None) && !interest.hears("B", None), "that it is gone concerns it too");
        interest.ask(Some("A"), None);
        assert!(interest.hears("A", Some("Y")) && !interest.hears("B", Some("X")));
        interest.ask(Some("*"), None);
        assert!(interest.hears("B", Some("X")));
    }

    #[test]
    fn pictures_are_never_sent_unless_they_are_wanted() {
        let mut interest = Interest::default();
        interest.ask(None, None);
        assert!(!interest.sees("A", "CCD1") && interest.hears("A", Some("CCD1")));
        interest.enable(Some("A"), Some("CCD1"), BlobMode::Also);
        assert!(interest.sees("A", "CCD1") && !interest.sees("A", "CCD2") && !interest.sees("B", "CCD1"));
        interest.enable(Some("B"), None, BlobMode::Only);
        assert!(interest.sees("B", "CCD1") && !interest.hears("B", Some("CCD_EXPOSURE")));
        assert!(interest.hears("A", Some("CCD_EXPOSURE")));
        interest.enable(None, None, BlobMode::Also);
        assert!(interest.sees("C", "CCD1"));
        interest.enable(Some("A"), Some("CCD1"), BlobMode::Never);
        assert!(!interest.sees("A", "CCD1") && interest.sees("A", "CCD2"));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut interest = Interest::default();
        for n in 0..2 * MOST {
            interest.ask(Some(&n.to_string()), None);
            interest.enable(Some(&n.to_string()), None, BlobMode::Also);
        }
        assert!(interest.topics.len() <= MOST && interest.modes.len() <= MOST && interest.hears("any", None));
    }
}
