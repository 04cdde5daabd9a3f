//! INDI filter wheels: `FILTER_SLOT`, counted from 1, and `FILTER_NAME`; often part of a camera's driver.

use super::{
    handle::{Handle, Values, impl_device},
    motion::Motion,
    property::Value,
    store::Device,
};
use crate::{
    Error, Result,
    device::{Filter, FilterWheel, FilterWheelState},
};

const SLOT: (&str, &str) = ("FILTER_SLOT", "FILTER_SLOT_VALUE");
const NAMES: &str = "FILTER_NAME";

/// The property that is there when a wheel can be used.
pub(super) const KEYS: &[&str] = &[SLOT.0];

/// A filter wheel behind a server.
#[derive(Debug)]
pub(super) struct IndiFilterWheel {
    handle: Handle,
    motion: Motion<usize>,
}

impl_device!(IndiFilterWheel, |_| &[]);

impl IndiFilterWheel {
    pub(super) fn new(handle: Handle) -> Self {
        IndiFilterWheel { handle, motion: Motion::default() }
    }

    /// The state as listeners see it.
    pub(super) fn look(&self) -> Result<FilterWheelState> {
        self.state_with(self.motion.is_moving(&self.handle, reached))
    }

    fn state_with(&self, ordered: bool) -> Result<FilterWheelState> {
        self.handle.read(|device| {
            let position = if ordered || device.is_busy(SLOT.0) { None } else { position(device) };
            Ok(FilterWheelState { position, age: device.age() })
        })
    }
}

/// The place in the light path, from 0.
fn position(device: &Device) -> Option<usize> {
    let slot = device.number(SLOT.0, SLOT.1)?.round();
    (1.0..=MOST).contains(&slot).then(|| slot as usize - 1)
}

fn reached(device: &Device, goal: &usize) -> bool {
    position(device) == Some(*goal)
}

/// No real wheel has more places.
const MOST: f64 = 255.0;

/// Places of the wheel: the names may be more or fewer.
fn places(device: &Device) -> usize {
    let max = device.limits(SLOT.0, SLOT.1).and_then(|slot| slot.range()).map(|(_, max)| max);
    max.unwrap_or(1.0).clamp(1.0, MOST) as usize
}

/// The elements with the names in order of the number at their ends: `_10` comes after `_9`.
fn names(device: &Device) -> Vec<(String, String)> {
    let Some(vector) = device.property(NAMES) else { return Vec::new() };
    let number = |name: &str| {
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        name[name.len() - digits..].parse::<u32>().unwrap_or(u32::MAX)
    };
    let mut names: Vec<(String, String)> = Vec::new();
    for element in &vector.elements {
        if let Value::Text(text) = &element.value {
            names.push((element.name.clone(), text.clone()));
        }
    }
    names.sort_by_key(|(element, _)| number(element));
    names
}

impl FilterWheel for IndiFilterWheel {
    fn filters(&self) -> Result<Vec<Filter>> {
        self.handle.read(|device| {
            let mut names = names(device).into_iter().map(|(_, name)| name);
            let name = |place: usize| {
                let name = names.next().filter(|name| !name.is_empty());
                Filter { name: name.unwrap_or_else(|| format!("Filter {}", place + 1)), focus_offset: 0 }
            };
            Ok((0..places(device)).map(name).collect())
        })
    }

    fn state(&self) -> Result<FilterWheelState> {
        self.handle.read(|_| Ok(()))?;
        let ordered = self.motion.check(&self.handle, reached)?;
        self.state_with(ordered)
    }

    fn start_move(&self, position: usize) -> Result<()> {
        let places = self.handle.read(|device| Ok(places(device)))?;
        if position >= places {
            return self.handle.fail(Error::invalid(format!("place {position} is not within 0 to {}", places - 1)));
        }
        let slot = [(SLOT.1, (position + 1) as f64)];
        self.motion.start(&self.handle, SLOT.0, Values::Numbers(&slot), position, reached)
    }

    fn set_names(&self, wanted: &[String]) -> Result<()> {
        let (places, elements) = self.handle.read(|device| Ok((places(device), names(device))))?;
        if wanted.len() != places {
            return self.handle.fail(Error::invalid(format!("{} names do not name {places} filters", wanted.len())));
        }
        if wanted.iter().any(|name| name.trim().is_empty()) {
            return self.handle.fail(Error::invalid("a filter cannot have an empty name"));
        }
        let pairs = elements.iter().zip(wanted).map(|((element, _), name)| (element.as_str(), name.as_str()));
        self.handle.set(NAMES, Values::Texts(&pairs.collect::<Vec<_>>()))
    }
}
