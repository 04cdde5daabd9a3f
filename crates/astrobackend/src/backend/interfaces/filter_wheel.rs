//! Alpaca filter wheels: `position` from 0, −1 while it turns.

use super::{
    carrier::Arguments,
    controls::Settings,
    handle::{Handle, Remembered, impl_device},
    motion::Motion,
};
use crate::{
    Error, ErrorKind, Result,
    device::{ControlInfo, Filter, FilterWheel, FilterWheelState},
    wire::alpaca::extensions,
};
use std::sync::Arc;

/// A filter wheel, whatever carries it.
#[derive(Debug)]
pub(super) struct AscomFilterWheel {
    handle: Handle,
    settings: Settings,
    filters: Remembered<Vec<Filter>>,
    motion: Motion<usize>,
}

impl_device!(AscomFilterWheel);

impl AscomFilterWheel {
    pub(super) fn new(handle: Handle) -> Self {
        AscomFilterWheel {
            settings: Settings::default(),
            filters: Remembered::default(),
            motion: Motion::new(handle.resets()),
            handle,
        }
    }

    fn prepare(&self) -> Result<()> {
        self.known().map(drop)
    }

    fn ascom_settings(&self) -> Result<Vec<ControlInfo>> {
        Ok(Vec::new())
    }

    fn known(&self) -> Result<Arc<Vec<Filter>>> {
        self.filters.get(&self.handle, || {
            self.handle.common()?;
            let values = self.handle.values(&["names", "focusoffsets"])?;
            let names: Vec<String> = values.need("names")?;
            let offsets: Vec<i32> = values.maybe("focusoffsets")?.unwrap_or_default();
            let filter = |(place, name): (usize, String)| Filter {
                name: if name.trim().is_empty() { format!("Filter {}", place + 1) } else { name },
                focus_offset: offsets.get(place).copied().unwrap_or(0),
            };
            Ok(names.into_iter().enumerate().map(filter).collect())
        })
    }
}

impl FilterWheel for AscomFilterWheel {
    fn filters(&self) -> Result<Vec<Filter>> {
        Ok(self.known()?.to_vec())
    }

    fn state(&self) -> Result<FilterWheelState> {
        if self.handle.deaf().is_some() {
            return Ok(FilterWheelState { position: None, age: self.handle.since_told() });
        }
        let at_work = self.handle.work().inspect_err(|_| self.motion.forget())?.is_some();
        let values = self.handle.look(&["position"], &[])?;
        let position = values.need::<i64>("position")?;
        let position = usize::try_from(position).ok();
        let turns = self.motion.is_moving(at_work || position.is_none(), |goal| position == Some(*goal));
        Ok(FilterWheelState { position: position.filter(|_| !turns), age: values.age() })
    }

    fn start_move(&self, position: usize) -> Result<()> {
        let places = self.known()?.len();
        if position >= places {
            let message = format!("place {position} is not within 0 to {}", places.saturating_sub(1));
            return self.handle.fail(Error::invalid(message));
        }
        self.handle.start("position", Arguments::new().with("Position", position))?;
        self.motion.started(position);
        Ok(())
    }

    fn set_names(&self, names: &[String]) -> Result<()> {
        const CANNOT: &str = "cannot rename filters";
        if !self.handle.common()?.extras.has(extensions::SET_NAMES) {
            return self.handle.fail(Error::unsupported(CANNOT));
        }
        let list = serde_json::Value::from(names).to_string();
        let renamed = self.handle.action(extensions::SET_NAMES, &list).map(drop);
        self.filters.forget();
        match renamed {
            // Our server has the action for all wheels, and this one cannot.
            Err(error) if error.kind() == ErrorKind::UnknownAction => self.handle.fail(Error::unsupported(CANNOT)),
            renamed => renamed,
        }
    }
}
