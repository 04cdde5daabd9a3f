//! Guide pulses, the same for mounts and for cameras with a guide port.

use super::{
    order::Order,
    part::Done,
    property::{GUIDE, Property, With, busy_or, number, numbers},
};
use crate::lock;
use astrobackend::{Error, Result, device::GuideDirection, wire::indi::State};
use std::{sync::Mutex, time::Duration};

const NS: &str = "TELESCOPE_TIMED_GUIDE_NS";
const WE: &str = "TELESCOPE_TIMED_GUIDE_WE";

/// The longest pulse, milliseconds.
const LONGEST: f64 = 60_000.0;

/// The axes on which a pulse was begun and has not ended.
#[derive(Debug, Default)]
pub(super) struct Pulses(Mutex<[bool; 2]>);

impl Pulses {
    /// The two vectors, given whether a pulse is under way at all.
    pub(super) fn properties(&self, guiding: bool) -> [Property; 2] {
        let mut axes = lock(&self.0);
        if !guiding {
            *axes = [false; 2];
        }
        // One that somebody else began may be on either axis.
        let busy = axes.map(|busy| busy || guiding && !axes[0] && !axes[1]);
        let limits = (0.0, LONGEST, 0.0);
        let ns = [
            number("TIMED_GUIDE_N", "North (ms)", 0.0, "%.f", limits),
            number("TIMED_GUIDE_S", "South (ms)", 0.0, "%.f", limits),
        ];
        let we = [
            number("TIMED_GUIDE_W", "West (ms)", 0.0, "%.f", limits),
            number("TIMED_GUIDE_E", "East (ms)", 0.0, "%.f", limits),
        ];
        [
            numbers(NS, "Guide N/S", GUIDE, ns).writable().state(busy_or(busy[0], State::Idle)),
            numbers(WE, "Guide E/W", GUIDE, we).writable().state(busy_or(busy[1], State::Idle)),
        ]
    }

    /// Begins the pulse that is asked for; `None` when the order is for another property.
    pub(super) fn obey(
        &self,
        order: &Order,
        pulse: impl Fn(GuideDirection, Duration) -> Result<()>,
    ) -> Option<Result<Done>> {
        let (axis, name, directions) = match order.property.as_str() {
            NS => (0, NS, [("TIMED_GUIDE_N", GuideDirection::North), ("TIMED_GUIDE_S", GuideDirection::South)]),
            WE => (1, WE, [("TIMED_GUIDE_W", GuideDirection::West), ("TIMED_GUIDE_E", GuideDirection::East)]),
            _ => return None,
        };
        let wanted = directions.into_iter().filter_map(|(element, direction)| {
            order.number(element).filter(|milliseconds| *milliseconds > 0.0).map(|length| (direction, length))
        });
        Some(match wanted.collect::<Vec<_>>()[..] {
            [] => Ok(Done::Begun(Vec::new())),
            [(direction, milliseconds)] => {
                // A short pulse may have ended when the device is looked at.
                lock(&self.0)[axis] = true;
                pulse(direction, Duration::from_secs_f64(milliseconds / 1000.0))
                    .map(|()| Done::Begun(vec![(name, State::Busy)]))
            }
            _ => Err(Error::invalid("a pulse goes one way, not both")),
        })
    }
}
