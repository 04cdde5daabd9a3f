//! How old what a state says is.

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The time since the device itself told what a state says: zero when it was asked just now.
///
/// Two states that say the same are the same news, however old either is: all ages are equal, so that states can be
/// compared as a whole. Compare [`Age::duration`] where the age itself matters.
///
/// Written as seconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Age(#[serde(with = "crate::serial::seconds")] Duration);

impl Age {
    /// Asked just now.
    pub const NOW: Age = Age(Duration::ZERO);

    /// The age.
    pub fn duration(self) -> Duration {
        self.0
    }

    /// The age in seconds.
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// The age after so much more time.
    #[must_use]
    pub fn later(self, by: Duration) -> Self {
        Age(self.0.saturating_add(by))
    }
}

impl From<Duration> for Age {
    fn from(age: Duration) -> Self {
        Age(age)
    }
}

/// All ages are equal; see [`Age`].
impl PartialEq for Age {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Age {}

/// `3.2 s`
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_makes_no_state_another_and_goes_over_the_wire_as_seconds() {
        let old = Age::from(Duration::from_millis(2500));
        assert_eq!(old, Age::NOW);
        assert_eq!(serde_json::to_string(&old).unwrap(), "2.5");
        let read: Age = serde_json::from_str("2.5").unwrap();
        assert_eq!(read.duration(), old.duration());
        assert!(serde_json::from_str::<Age>("\"soon\"").is_err());
    }
}
