//! The weather of a world: dry, calm, and coldest before sunrise.

use crate::{Celsius, Degrees, Timestamp};

/// Mean of the day, and how far afternoon and night are from it.
const MEAN: f64 = 4.0;
const SWING: f64 = 5.0;

/// Hour of local solar time at which it is warmest.
const WARMEST: f64 = 15.0;

/// Temperature of the air.
pub(super) fn ambient(longitude: Degrees, utc: Timestamp) -> Celsius {
    let hour = utc.as_second().rem_euclid(86_400) as f64 / 3600.0 + longitude.hours().0;
    // Between two seconds it does not change.
    Celsius(MEAN + SWING * ((hour - WARMEST) / 24.0 * std::f64::consts::TAU).cos())
}

impl Celsius {
    /// As a thermometer shows it, in tenths of a degree.
    pub(super) fn rounded(self) -> Celsius {
        Celsius((self.0 * 10.0).round() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_are_colder_than_afternoons() {
        let at = |utc: &str| ambient(Degrees(-2.5463), utc.parse().unwrap()).0;
        assert!(at("2026-01-15T15:10:00Z") > 8.9);
        assert!(at("2026-01-16T03:10:00Z") < -0.9);
        assert!(at("2026-01-15T21:30:00Z") > at("2026-01-15T22:30:00Z"));
    }
}
