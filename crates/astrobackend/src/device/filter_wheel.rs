//! The filter wheel: positions from 0, names, and a move that takes its time; see [`FilterWheel`].

use super::{Age, Device};
use crate::{Error, ErrorKind, Result, Wait};
use serde::{Deserialize, Serialize};

/// One place of the wheel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// What people call it: `L`, `Ha` ...
    pub name: String,
    /// Focuser steps to move when this filter comes in, relative to the others (ASCOM `FocusOffsets`).
    pub focus_offset: i32,
}

/// What is in the wheel now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterWheelState {
    /// The place in the light path, from 0; `None` while the wheel turns.
    pub position: Option<usize>,
    /// How old all of this is.
    #[serde(default)]
    pub age: Age,
}

/// A filter wheel.
///
/// # Frameworks
/// ASCOM `IFilterWheelV3` (positions from 0, −1 while moving); INDI `FILTER_SLOT` (from 1) and `FILTER_NAME`,
/// which may sit on the camera's driver.
pub trait FilterWheel: Device {
    /// The filters, one for each place. No I/O once connected.
    fn filters(&self) -> Result<Vec<Filter>>;

    /// What is in the light path.
    fn state(&self) -> Result<FilterWheelState>;

    /// Starts to turn to a place (from 0) and returns at once; the position is `None` until it is there.
    ///
    /// # Errors
    /// `InvalidValue` for a place the wheel does not have.
    fn start_move(&self, position: usize) -> Result<()>;

    /// Names the filters, one for each place (INDI `FILTER_NAME`).
    ///
    /// # Errors
    /// `Unsupported` where the names are fixed, `InvalidValue` for a wrong number of names or an empty one.
    fn set_names(&self, _names: &[String]) -> Result<()> {
        Err(Error::unsupported("cannot rename filters").on(self.info().id))
    }
}

/// Conveniences over any filter wheel.
pub trait FilterWheelExt: FilterWheel {
    /// The place of a filter by its name; upper and lower case are told apart only if they must be.
    ///
    /// # Errors
    /// `NotFound`, with the names there are.
    fn find(&self, name: &str) -> Result<usize> {
        let filters = self.filters()?;
        let exact = filters.iter().position(|filter| filter.name == name);
        let loose = || filters.iter().position(|filter| filter.name.eq_ignore_ascii_case(name));
        exact.or_else(loose).ok_or_else(|| {
            let names: Vec<_> = filters.iter().map(|filter| filter.name.as_str()).collect();
            Error::not_found(format!("has no filter {name:?}; it has {}", names.join(", "))).on(self.info().id)
        })
    }

    /// Brings a filter in by name and waits until it is there.
    ///
    /// # Errors
    /// `NotFound`, `Timeout`, `Cancelled`, or what the wheel reports.
    fn select(&self, name: &str, wait: &Wait) -> Result<()> {
        wait.within(|| self.move_to(self.find(name)?, wait)).map_err(|error| error.on(self.info().id))
    }

    /// Turns to a place and waits until it is there. A wheel cannot be stopped half way.
    ///
    /// # Errors
    /// `Timeout`, `Cancelled`, or what the wheel reports; `Device` if it ends at another place.
    fn move_to(&self, position: usize, wait: &Wait) -> Result<()> {
        let look = || match self.state()?.position {
            None => Ok(None),
            Some(place) if place == position => Ok(Some(())),
            Some(place) => {
                let message = format!("stopped at place {place} instead of {position}");
                Err(Error::new(ErrorKind::Device(0), message))
            }
        };
        let moved = wait.run(format!("the move to place {position}"), || self.start_move(position), look, || Ok(()));
        moved.map_err(|error| error.on(self.info().id))
    }
}

impl<W: FilterWheel + ?Sized> FilterWheelExt for W {}
