//! Keeping links as their user left them, the same in all frameworks: the options of the policy, the one state machine of a
//! link, what was declared for a device and how it is put back, and the thread that does so.
//!
//! INDI, whose drivers tell by themselves, has a keeper of its own; policy, states, events and words are these.

mod claim;
mod keeper;
mod link;
mod pause;

pub(super) use claim::{Claim, Declared, may_track};
pub(super) use keeper::{Keeper, Kept, Work};
pub(super) use link::{LinkState, unreachable};
pub(super) use pause::Pause;

use crate::{Result, Supervision};
use std::time::Duration;

/// When a silent peer is asked. Some drivers do nothing else while they read out a sensor.
const ALIVE: Duration = Duration::from_secs(20);

/// Pause before the first try to reach a lost peer again, and the longest; each try doubles it.
pub(super) const BACK_OFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// The options of an address that all frameworks have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Keeping {
    /// What is done about a loss.
    pub(super) policy: Supervision,
    /// A silent peer is asked after so long, and is given up when it does not answer for as long.
    pub(super) alive: Duration,
}

impl Default for Keeping {
    fn default() -> Self {
        Keeping { policy: Supervision::default(), alive: ALIVE }
    }
}

impl Keeping {
    /// The names of these options, for the refusal of others.
    pub(super) const NAMES: &str = "reconnect and alive";

    /// Reads an option; false when it is none of these. `seconds` is the value as a time.
    ///
    /// # Errors
    /// `InvalidValue` for a malformed value.
    pub(super) fn take(&mut self, name: &str, value: &str, seconds: impl FnOnce() -> Result<Duration>) -> Result<bool> {
        match name {
            "reconnect" => self.policy = value.parse()?,
            "alive" => self.alive = seconds()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether devices are brought back to where they were.
    pub(super) fn restores(&self) -> bool {
        self.policy == Supervision::ReopenAndRestore
    }
}
