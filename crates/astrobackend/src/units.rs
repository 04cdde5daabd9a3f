//! Quantities with their unit in the type, so that hours are never read as degrees.
//!
//! Each is a plain `f64` inside (`.0`), compares and serialises as one.
//! Angles print and parse in sexagesimal form, the way observers write them.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, ops, str::FromStr};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self { Self(self.0 + other.0) }
        }
        impl ops::Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self { Self(self.0 - other.0) }
        }
        impl ops::Neg for $name {
            type Output = Self;
            fn neg(self) -> Self { Self(-self.0) }
        }
        impl ops::Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self { Self(self.0 * factor) }
        }
    };
}

unit!(
    /// Right ascension, hour angle or sidereal time, in hours (one hour is 15 degrees).
    Hours
);
unit!(
    /// An angle in degrees.
    Degrees
);
unit!(
    /// An angular speed in degrees per second.
    DegreesPerSecond
);
unit!(
    /// A temperature in degrees Celsius.
    Celsius
);
unit!(
    /// A length in micrometres: pixels and focuser steps.
    Microns
);
unit!(
    /// A length in metres: elevation, aperture, focal length.
    Metres
);

impl Hours {
    /// The same angle in degrees.
    pub fn degrees(self) -> Degrees {
        Degrees(self.0 * 15.0)
    }

    /// The same angle in radians.
    pub fn radians(self) -> f64 {
        self.degrees().radians()
    }

    /// From radians.
    pub fn from_radians(radians: f64) -> Self {
        Degrees::from_radians(radians).hours()
    }

    /// Folded into 0 ≤ h < 24, as right ascension and sidereal time are given.
    #[must_use]
    pub fn normalized(self) -> Self {
        Hours(fold(self.0, 24.0))
    }

    /// Folded into −12 ≤ h < 12, as hour angles are given.
    #[must_use]
    pub fn signed(self) -> Self {
        Hours(fold(self.0 + 12.0, 24.0) - 12.0)
    }
}

impl Degrees {
    /// The same angle in hours.
    pub fn hours(self) -> Hours {
        Hours(self.0 / 15.0)
    }

    /// The same angle in radians.
    pub fn radians(self) -> f64 {
        self.0.to_radians()
    }

    /// From radians.
    pub fn from_radians(radians: f64) -> Self {
        Degrees(radians.to_degrees())
    }

    /// Folded into 0 ≤ a < 360, as azimuths are given.
    #[must_use]
    pub fn normalized(self) -> Self {
        Degrees(fold(self.0, 360.0))
    }

    /// Folded into −180 ≤ a < 180, as longitudes are given (east positive).
    #[must_use]
    pub fn signed(self) -> Self {
        Degrees(fold(self.0 + 180.0, 360.0) - 180.0)
    }
}

/// `rem_euclid` that never returns `turn` itself for tiny negative values.
fn fold(value: f64, turn: f64) -> f64 {
    let folded = value.rem_euclid(turn);
    if folded >= turn { 0.0 } else { folded }
}

/// `05:35:17.30`
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sexagesimal(f, self.0, 2, "")
    }
}

/// `-05:23:28.0`
impl fmt::Display for Degrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sexagesimal(f, self.0, 1, "+")
    }
}

/// What would print as a whole turn although it lies below it is the next turn's 0: `23:59:59.999` is not `24:00:00.00`.
pub(crate) fn rounded_within(turn: f64, value: f64, digits: i32) -> f64 {
    let units = |angle: f64| (angle * 3600.0 * 10f64.powi(digits)).round();
    if value < turn && units(value) >= units(turn) { 0.0 } else { value }
}

/// Prints an angle with a number of digits after the seconds, unless the format has its own; `plus` is the sign of
/// those that are not negative.
pub(crate) fn write_sexagesimal(
    f: &mut fmt::Formatter<'_>,
    value: f64,
    default_digits: usize,
    plus: &str,
) -> fmt::Result {
    if !value.is_finite() {
        return write!(f, "{value}");
    }
    if value.abs() >= 1e15 {
        // Beyond the precision of a second, and soon beyond what counts minutes.
        return write!(f, "{}{value}", if value < 0.0 { "" } else { plus });
    }
    let digits = f.precision().unwrap_or(default_digits).min(9);
    let scale = 10f64.powi(digits as i32);
    // Rounded as a whole, so that 59.999 carries into minutes and hours.
    let units = (value.abs() * 3600.0 * scale).round();
    let seconds = (units / scale) % 60.0;
    let minutes = (units / scale / 60.0).floor() as u64;
    let sign = if value < 0.0 && units > 0.0 { "-" } else { plus };
    let width = if digits == 0 { 2 } else { digits + 3 };
    write!(f, "{sign}{:02}:{:02}:{seconds:0width$.digits$}", minutes / 60, minutes % 60)
}

impl FromStr for Hours {
    type Err = Error;

    /// Reads `05:35:17.3`, `05h35m17.3s`, `5 35 17.3` or decimal hours `5.588`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for anything else, for a
    /// negative angle and for 24 hours or more.
    fn from_str(text: &str) -> Result<Self> {
        let hours = parse_sexagesimal(text)?;
        if !(0.0..24.0).contains(&hours) || text.trim_start().starts_with('-') {
            return Err(Error::invalid(format!("right ascension {text:?} is not within 0 to 24 hours")));
        }
        Ok(Hours(hours))
    }
}

impl FromStr for Degrees {
    type Err = Error;

    /// Reads `-05:23:28`, `-05d23m28s`, `-5°23'28"` or decimal degrees `-5.391`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for anything else.
    fn from_str(text: &str) -> Result<Self> {
        parse_sexagesimal(text).map(Degrees)
    }
}

fn parse_sexagesimal(text: &str) -> Result<f64> {
    let malformed = || Error::invalid(format!("{text:?} is not an angle such as 05:35:17.3 or 5.588"));
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let separators = |c: char| ":hHdDmMsS°'\"′″ \t".contains(c);
    let mut parts = digits.split(separators).filter(|part| !part.is_empty());
    let mut value = 0.0;
    let mut any = false;
    for scale in [1.0, 60.0, 3600.0] {
        let Some(part) = parts.next() else { break };
        if !part.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(malformed());
        }
        let number: f64 = part.parse().map_err(|_| malformed())?;
        if scale > 1.0 && number >= 60.0 {
            return Err(malformed());
        }
        value += number / scale;
        any = true;
    }
    if !any || parts.next().is_some() || !value.is_finite() {
        return Err(malformed());
    }
    Ok(if negative { -value } else { value })
}

macro_rules! display_with_unit {
    ($name:ident, $digits:literal, $unit:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:.*}", $unit), f.precision().unwrap_or($digits), self.0)
            }
        }
    };
}

display_with_unit!(DegreesPerSecond, 4, "°/s");
display_with_unit!(Celsius, 1, " °C");
display_with_unit!(Microns, 2, " µm");
display_with_unit!(Metres, 3, " m");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounding_carries_over() {
        assert_eq!(Hours(23.999_999_99).to_string(), "24:00:00.00");
        assert_eq!(Degrees(-5.391_111_11).to_string(), "-05:23:28.0");
        assert_eq!(Degrees(-0.000_001).to_string(), "+00:00:00.0");
        assert_eq!(format!("{:.0}", Hours(5.5)), "05:30:00");
        assert_eq!(Degrees(-1e20).to_string(), "-100000000000000000000");
    }

    #[test]
    fn a_negative_zero_degree_keeps_its_sign() {
        assert_eq!("-00:30:00".parse::<Degrees>().unwrap(), Degrees(-0.5));
        assert_eq!("5h 35m 17.3s".parse::<Hours>().unwrap(), "05:35:17.3".parse().unwrap());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "-", "abc", "1:2:3:4", "5:60:00", "5:-3:0", "1e5", "nan", "inf"] {
            assert!(text.parse::<Degrees>().is_err(), "{text}");
        }
        assert!("24:00:00".parse::<Hours>().is_err());
        assert!("-0:30:00".parse::<Hours>().is_err());
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(value in -89.9f64..89.9) {
            let read: Degrees = format!("{:.6}", Degrees(value)).parse().unwrap();
            prop_assert!((read.0 - value).abs() < 1e-9);
        }

        #[test]
        fn folding_stays_inside(value in -1e6f64..1e6) {
            prop_assert!((0.0..24.0).contains(&Hours(value).normalized().0));
            prop_assert!((-180.0..180.0).contains(&Degrees(value).signed().0));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            let _ = text.parse::<Degrees>();
        }
    }
}
