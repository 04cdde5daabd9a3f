//! The filter wheel of the original server, which grants any place and says −1 while it turns.

use super::{Peer, impl_original, motion::Motion, whole};
use crate::{
    Error, Result,
    device::{Age, Filter, FilterWheel, FilterWheelState},
};
use serde_json::json;

/// The filter wheel.
#[derive(Debug)]
pub(super) struct OriginalWheel {
    peer: Peer,
    motion: Motion<usize>,
}

impl_original!(OriginalWheel);

impl OriginalWheel {
    pub(super) fn new(peer: Peer) -> Self {
        OriginalWheel { peer, motion: Motion::default() }
    }
}

impl FilterWheel for OriginalWheel {
    fn filters(&self) -> Result<Vec<Filter>> {
        let answer = self.peer.read("filterwheel_get_filter_names")?;
        let names = answer["filter_names"]
            .as_array()
            .ok_or_else(|| self.peer.name(Error::protocol("answers no list of filters")))?;
        let filter = |(place, name): (usize, &serde_json::Value)| Filter {
            name: name.as_str().map_or_else(|| format!("Filter {}", place + 1), str::to_owned),
            focus_offset: 0,
        };
        Ok(names.iter().enumerate().map(filter).collect())
    }

    fn state(&self) -> Result<FilterWheelState> {
        let says = self.peer.number("filterwheel_get_position", "filter_position")?.and_then(whole);
        let says = says.and_then(|place| usize::try_from(place).ok());
        let moving = self.motion.is_moving(says.is_none(), |goal| says == Some(*goal));
        Ok(FilterWheelState { position: says.filter(|_| !moving), age: Age::NOW })
    }

    fn start_move(&self, position: usize) -> Result<()> {
        let places = self.filters()?.len();
        if position >= places {
            let message = format!("place {position} is not within 0 to {}", places.saturating_sub(1));
            return self.peer.fail(Error::invalid(message));
        }
        self.peer.order("filterwheel_move_position", json!({ "filter_position": position }))?;
        self.motion.started(position);
        Ok(())
    }
}
