//! Filter wheels: `FILTER_SLOT`, counted from 1, and `FILTER_NAME`.

use super::{
    controls::{self, Settings},
    order::Order,
    part::{Done, Part},
    property::{MAIN, Property, With, busy_or, number, numbers, text, texts},
};
use crate::lock;
use astrobackend::{
    Error, Result,
    device::{Device, DeviceId, Filter, FilterWheel},
    wire::indi::State,
};
use std::sync::{Arc, Mutex};

const SLOT: &str = "FILTER_SLOT";
const NAME: &str = "FILTER_NAME";

/// A filter wheel.
#[derive(Debug)]
pub(super) struct Wheel {
    id: DeviceId,
    wheel: Arc<dyn FilterWheel>,
    seen: Mutex<Option<Seen>>,
}

/// What was seen of it.
#[derive(Clone, Debug)]
struct Seen {
    filters: Vec<Filter>,
    settings: Settings,
    /// `None` while it turns.
    position: Option<usize>,
    /// Where it was before.
    last: Option<usize>,
}

impl Wheel {
    pub(super) fn new(id: DeviceId, wheel: Arc<dyn FilterWheel>) -> Self {
        Wheel { id, wheel, seen: Mutex::default() }
    }
}

impl Part for Wheel {
    fn id(&self) -> &DeviceId {
        &self.id
    }

    fn device(&self) -> &dyn Device {
        &*self.wheel
    }

    fn interface(&self) -> u32 {
        1 << 4
    }

    fn main(&self) -> &'static str {
        SLOT
    }

    fn look(&self, all: bool) -> Result<()> {
        let before = lock(&self.seen).clone();
        let (filters, settings, last) = match before {
            Some(seen) if !all => (seen.filters, seen.settings, seen.position.or(seen.last)),
            before => {
                let last = before.and_then(|seen| seen.position.or(seen.last));
                (self.wheel.filters()?, controls::read(&*self.wheel)?, last)
            }
        };
        let position = self.wheel.state()?.position;
        *lock(&self.seen) = Some(Seen { filters, settings, position, last });
        Ok(())
    }

    fn properties(&self) -> Vec<Property> {
        let Some(seen) = &*lock(&self.seen) else { return Vec::new() };
        let places = seen.filters.len().max(1) as f64;
        // Zero is no place: nobody knows it yet.
        let slot = seen.position.or(seen.last).map_or(0.0, |position| position as f64 + 1.0);
        let slot = number("FILTER_SLOT_VALUE", "Filter", slot, "%.f", (1.0, places, 1.0));
        let slot = numbers(SLOT, "Filter slot", MAIN, [slot]).writable();
        let name = |(n, filter): (usize, &Filter)| {
            text(format!("FILTER_SLOT_NAME_{}", n + 1), format!("Filter #{}", n + 1), filter.name.clone())
        };
        let names = texts(NAME, "Filter names", MAIN, seen.filters.iter().enumerate().map(name)).writable();
        let mut all = vec![slot.state(busy_or(seen.position.is_none(), State::Ok)), names];
        all.extend(controls::properties(&seen.settings));
        all
    }

    fn obey(&self, order: &Order, _now: &[Property]) -> Result<Done> {
        let Some(seen) = lock(&self.seen).clone() else { return Err(Error::not_connected()) };
        match order.property.as_str() {
            SLOT => {
                let slot = order.number("FILTER_SLOT_VALUE").map(f64::round).filter(|slot| *slot >= 1.0);
                let slot = slot.ok_or_else(|| Error::invalid("filter slots are counted from 1"))?;
                self.wheel.start_move(slot as usize - 1)?;
                Ok(Done::Begun(vec![(SLOT, State::Busy)]))
            }
            NAME => {
                let name = |(n, filter): (usize, &Filter)| {
                    order.text(&format!("FILTER_SLOT_NAME_{}", n + 1)).unwrap_or(&filter.name).to_owned()
                };
                let names: Vec<String> = seen.filters.iter().enumerate().map(name).collect();
                self.wheel.set_names(&names).map(|()| Done::Set)
            }
            _ => controls::obey(&*self.wheel, &seen.settings, order),
        }
    }

    fn forget(&self) {
        *lock(&self.seen) = None;
    }
}
