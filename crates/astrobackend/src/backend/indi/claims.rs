//! The devices that a user connected, and the settings that the user declared for them.

use super::{chip, cooler, handle::Values};
use crate::{
    Address,
    device::{DeviceId, Tracking},
};
use std::collections::{BTreeMap, BTreeSet};

/// Properties that are settings: they change how a device works and move nothing. Each with the word for it in reports.
const SETTINGS: &[(&str, &str)] = &[
    ("CCD_BINNING", "frame"),
    ("CCD_FRAME", "frame"),
    ("GUIDER_BINNING", "frame"),
    ("GUIDER_FRAME", "frame"),
    ("CCD_GAIN", "gain"),
    ("CCD_OFFSET", "offset"),
    ("CCD_CONTROLS", "controls"),
    ("READOUT_MODE", "readout-mode"),
    (cooler::SWITCH, "cooler"),
    (cooler::TEMPERATURE.0, "cooler"),
    ("FOCUS_REVERSE_MOTION", "reversed"),
    ("FOCUS_BACKLASH_STEPS", "backlash"),
    ("FOCUS_SPEED", "speed"),
    ("FOCUS_MAX", "max-position"),
    ("TELESCOPE_SLEW_RATE", "slew-rate"),
    ("GUIDE_RATE", "guide rates"),
];

/// The word for a setting; `None` for what is none.
fn word(property: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(name, _)| *name == property).map(|(_, word)| *word)
}

/// What a setting is called in reports: what is in a vector of many is called by its own name.
pub(super) fn words(property: &str, setting: &Setting) -> Vec<String> {
    match (property, setting) {
        ("CCD_CONTROLS", Setting::Numbers(all)) => all.iter().map(|(name, _)| name.to_lowercase()).collect(),
        _ => vec![word(property).unwrap_or(property).to_owned()],
    }
}

/// Values that a user declared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Setting {
    Numbers(Vec<(String, f64)>),
    On(String),
}

/// A device that the user connected, with what was declared for it, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) server: Address,
    pub(super) keys: &'static [&'static str],
    pub(super) settings: Vec<(&'static str, Setting)>,
    /// How a mount was told to track, and whether it did when its driver told last.
    pub(super) tracking: Option<(Tracking, bool)>,
    /// The vector of its pictures once they were asked for, and the driver (by its number) that was told.
    pub(super) pictures: Option<(&'static str, u64)>,
}

/// The devices that are ours.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<DeviceId, Claim>);

impl Claims {
    /// The user has connected it.
    pub(super) fn add(&mut self, id: &DeviceId, server: &Address, keys: &'static [&'static str]) {
        let claim = || Claim { server: server.clone(), keys, settings: Vec::new(), tracking: None, pictures: None };
        self.0.entry(id.clone()).or_insert_with(claim);
    }

    /// The user has disconnected the driver, as whatever kind.
    pub(super) fn remove(&mut self, device: &str) {
        self.0.retain(|id, _| chip::driver(id) != device);
    }

    /// True when the device of that name is ours.
    pub(super) fn has(&self, device: &str) -> bool {
        self.0.keys().any(|id| chip::driver(id) == device)
    }

    /// The names of our devices, each once.
    pub(super) fn names(&self) -> Vec<String> {
        let names: BTreeSet<_> = self.0.keys().map(|id| chip::driver(id).to_owned()).collect();
        names.into_iter().collect()
    }

    /// The claims on the device of that name, one for each kind that it is.
    pub(super) fn on(&self, device: &str) -> Vec<(DeviceId, Claim)> {
        let of_device = self.0.iter().filter(|(id, _)| chip::driver(id) == device);
        of_device.map(|(id, claim)| (id.clone(), claim.clone())).collect()
    }

    /// The claim on a device.
    pub(super) fn get_mut(&mut self, id: &DeviceId) -> Option<&mut Claim> {
        self.0.get_mut(id)
    }

    /// Remembers how the user told a mount to track; `None`: it was told to rest.
    pub(super) fn declare_tracking(&mut self, id: &DeviceId, tracking: Option<Tracking>) {
        if let Some(claim) = self.0.get_mut(id) {
            claim.tracking = tracking.map(|tracking| (tracking, tracking.on));
        }
    }

    /// Notes what a driver tells of its tracking.
    pub(super) fn see_tracking(&mut self, device: &str, on: bool) {
        let mounts = self.0.iter_mut().filter(|(id, _)| chip::driver(id) == device);
        mounts.filter_map(|(_, claim)| claim.tracking.as_mut()).for_each(|(_, tracked)| *tracked = on);
    }

    /// What was declared of a property does not count any more.
    pub(super) fn forget(&mut self, id: &DeviceId, property: &str) {
        if let Some(claim) = self.0.get_mut(id) {
            claim.settings.retain(|(known, _)| *known != property);
        }
    }

    /// Remembers values that the user declared, if they are settings.
    pub(super) fn declare(&mut self, id: &DeviceId, property: &'static str, values: Values<'_>) {
        let Some(claim) = self.0.get_mut(id).filter(|_| word(property).is_some()) else { return };
        let setting = match values {
            Values::Numbers(all) => {
                Setting::Numbers(all.iter().map(|(name, value)| ((*name).into(), *value)).collect())
            }
            Values::On(name) => Setting::On(name.into()),
            Values::Texts(_) | Values::Switches(_) => return,
        };
        if setting == Setting::On(cooler::OFF.into()) {
            // The temperature asked for before would switch it on again.
            claim.settings.retain(|(known, _)| *known != cooler::TEMPERATURE.0);
        }
        claim.declare(property, setting);
    }
}

impl Claim {
    /// A number that was set.
    pub(super) fn number(&self, property: &str, element: &str) -> Option<f64> {
        let setting = self.settings.iter().find(|(known, _)| *known == property);
        let Some((_, Setting::Numbers(all))) = setting else { return None };
        all.iter().find(|(name, _)| name == element).map(|(_, value)| *value)
    }

    /// The newest comes last; numbers of one vector that were set one by one are all kept.
    fn declare(&mut self, property: &'static str, setting: Setting) {
        let known = self.settings.iter().position(|(known, _)| *known == property);
        let before = known.map(|at| self.settings.remove(at).1);
        let setting = match (before, setting) {
            (Some(Setting::Numbers(mut all)), Setting::Numbers(new)) => {
                all.retain(|(name, _)| new.iter().all(|(newer, _)| newer != name));
                all.extend(new);
                Setting::Numbers(all)
            }
            (_, setting) => setting,
        };
        self.settings.push((property, setting));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(steps: &[(&'static str, Values<'_>)]) -> Vec<(&'static str, Setting)> {
        let id = DeviceId::new(crate::device::DeviceKind::Camera, "C");
        let mut claims = Claims::default();
        claims.add(&id, &Address::new("indi"), &[]);
        steps.iter().for_each(|(property, values)| claims.declare(&id, property, *values));
        claims.0.remove(&id).unwrap().settings
    }

    #[test]
    fn settings_are_kept_in_order_and_motions_are_not() {
        let numbers = |all: &[(&str, f64)]| {
            Setting::Numbers(all.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect())
        };
        let kept = declared(&[
            ("CCD_CONTROLS", Values::Numbers(&[("Gain", 1.0)])),
            ("CCD_BINNING", Values::Numbers(&[("HOR_BIN", 2.0)])),
            ("ABS_FOCUS_POSITION", Values::Numbers(&[("FOCUS_ABSOLUTE_POSITION", 2.0)])),
            ("TELESCOPE_PARK", Values::On("PARK")),
            ("CCD_CONTROLS", Values::Numbers(&[("Offset", 5.0)])),
            ("CCD_CONTROLS", Values::Numbers(&[("Gain", 3.0)])),
        ]);
        assert_eq!(
            kept,
            [
                ("CCD_BINNING", numbers(&[("HOR_BIN", 2.0)])),
                ("CCD_CONTROLS", numbers(&[("Offset", 5.0), ("Gain", 3.0)])),
            ]
        );
    }

    #[test]
    fn a_cooler_that_was_switched_off_stays_off() {
        let kept = declared(&[
            (cooler::SWITCH, Values::On("COOLER_ON")),
            (cooler::TEMPERATURE.0, Values::Numbers(&[(cooler::TEMPERATURE.1, -10.0)])),
            (cooler::SWITCH, Values::On(cooler::OFF)),
        ]);
        assert_eq!(kept, [(cooler::SWITCH, Setting::On(cooler::OFF.into()))]);
    }
}
