//! Guide pulses, which mounts and cameras with a guide port take in the same way.

use super::{
    handle::{Handle, Values},
    store::Device,
};
use crate::{Error, Result, device::GuideDirection, sync::lock};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// The vectors for the two axes.
const AXES: [&str; 2] = ["TELESCOPE_TIMED_GUIDE_NS", "TELESCOPE_TIMED_GUIDE_WE"];

/// When the pulses that were started last will have ended, by our own clock: some drivers answer at once.
#[derive(Debug, Default)]
pub(super) struct Pulses(Mutex<Option<Instant>>);

/// True when the device takes pulses.
pub(super) fn can_pulse(device: &Device) -> bool {
    AXES.iter().all(|axis| device.can_set(axis))
}

impl Pulses {
    /// A pulse is under way.
    pub(super) fn under_way(&self, device: &Device) -> bool {
        let until = *lock(&self.0);
        until.is_some_and(|until| Instant::now() < until) || AXES.iter().any(|axis| device.is_busy(axis))
    }

    /// Starts a pulse.
    ///
    /// # Errors
    /// `Unsupported`, `InvalidValue` for a pulse that is too long, or the driver's refusal.
    pub(super) fn start(&self, handle: &Handle, direction: GuideDirection, duration: Duration) -> Result<()> {
        let (axis, element, opposite) = match direction {
            GuideDirection::North => (AXES[0], "TIMED_GUIDE_N", "TIMED_GUIDE_S"),
            GuideDirection::South => (AXES[0], "TIMED_GUIDE_S", "TIMED_GUIDE_N"),
            GuideDirection::East => (AXES[1], "TIMED_GUIDE_E", "TIMED_GUIDE_W"),
            GuideDirection::West => (AXES[1], "TIMED_GUIDE_W", "TIMED_GUIDE_E"),
        };
        let milliseconds = duration.as_secs_f64() * 1000.0;
        handle.read(|device| {
            if !can_pulse(device) {
                return Err(Error::unsupported("takes no guide pulses"));
            }
            match device.limits(axis, element).and_then(|number| number.range()) {
                Some((_, max)) if milliseconds > max => {
                    Err(Error::invalid(format!("a pulse of {duration:?} is longer than {max} ms")))
                }
                _ => Ok(()),
            }
        })?;
        let order = handle.send(axis, Values::Numbers(&[(element, milliseconds), (opposite, 0.0)]))?;
        *lock(&self.0) = Instant::now().checked_add(duration);
        handle.touch();
        handle.objection(&order, |_| true)
    }
}
