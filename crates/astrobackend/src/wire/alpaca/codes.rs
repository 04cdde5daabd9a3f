//! The numbers of ASCOM's enumerations, and our types for them.
//!
//! A number from outside that has no meaning is `None`: the caller knows which device sent it.

use crate::{
    Equinox,
    device::{Alignment, Axis, BayerPattern, Colour, ExposureState, GuideDirection, Mosaic, PierSide, TrackingRate},
};

/// Two directions between numbers and values of a type.
macro_rules! codes {
    ($(#[$doc:meta])* $to:ident, $from:ident, $type:ty: $($code:literal = $value:expr),+ $(,)?) => {
        $(#[$doc])*
        pub fn $to(value: $type) -> i32 {
            const CODES: &[(i32, $type)] = &[$(($code, $value)),+];
            CODES.iter().find(|(_, known)| *known == value).map_or(-1, |(code, _)| *code)
        }

        /// The other direction.
        pub fn $from(code: i32) -> Option<$type> {
            match code {
                $($code => Some($value),)+
                _ => None,
            }
        }
    };
}

codes!(
    /// `GuideDirections`.
    from_guide_direction, guide_direction, GuideDirection:
    0 = GuideDirection::North, 1 = GuideDirection::South, 2 = GuideDirection::East, 3 = GuideDirection::West
);
codes!(
    /// `DriveRates`.
    from_tracking_rate, tracking_rate, TrackingRate:
    0 = TrackingRate::Sidereal, 1 = TrackingRate::Lunar, 2 = TrackingRate::Solar, 3 = TrackingRate::King
);
codes!(
    /// `AlignmentModes`.
    from_alignment, alignment, Alignment:
    0 = Alignment::AltAz, 1 = Alignment::Polar, 2 = Alignment::GermanPolar
);
codes!(
    /// `PierSide`.
    from_pier_side, pier_side, PierSide:
    0 = PierSide::East, 1 = PierSide::West, -1 = PierSide::Unknown
);
codes!(
    /// `TelescopeAxes`.
    from_axis, axis, Axis: 0 = Axis::Primary, 1 = Axis::Secondary, 2 = Axis::Tertiary
);
codes!(
    /// `EquatorialCoordinateType`.
    from_equinox, equinox, Equinox:
    0 = Equinox::Other, 1 = Equinox::OfDate, 2 = Equinox::J2000, 3 = Equinox::J2050, 4 = Equinox::B1950
);

/// `CameraStates`: 0 idle, 1 waiting, 2 exposing, 3 reading, 4 download, 5 error.
pub fn camera_state(state: &ExposureState) -> i32 {
    match state {
        ExposureState::Idle | ExposureState::Ready => 0,
        ExposureState::Waiting => 1,
        ExposureState::Exposing { .. } => 2,
        ExposureState::Reading { .. } => 3,
        ExposureState::Downloading { .. } => 4,
        ExposureState::Failed(_) => 5,
    }
}

/// `SensorType`, `BayerOffsetX`, `BayerOffsetY`; a monochrome camera and one with planes have no offsets.
pub fn sensor_type(colour: Colour) -> (i32, Option<(i32, i32)>) {
    match colour {
        Colour::Mono => (0, None),
        Colour::Planes => (1, None),
        Colour::Bayer(pattern) => {
            let offset = match pattern {
                BayerPattern::Rggb => (0, 0),
                BayerPattern::Grbg => (1, 0),
                BayerPattern::Gbrg => (0, 1),
                BayerPattern::Bggr => (1, 1),
            };
            (2, Some(offset))
        }
        Colour::Mosaic { kind, offset_x, offset_y } => {
            let code = match kind {
                Mosaic::Cmyg => 3,
                Mosaic::Cmyg2 => 4,
                Mosaic::Lrgb => 5,
            };
            (code, Some((offset_x.into(), offset_y.into())))
        }
    }
}

/// The other direction; a camera that does not tell its offsets has them at 0.
pub fn colour(sensor_type: i32, offset_x: i32, offset_y: i32) -> Option<Colour> {
    let offset = |value: i32| u8::try_from(value.rem_euclid(256)).unwrap_or_default();
    let (offset_x, offset_y) = (offset(offset_x), offset(offset_y));
    let kind = match sensor_type {
        0 => return Some(Colour::Mono),
        1 => return Some(Colour::Planes),
        2 => return Some(Colour::Bayer(BayerPattern::Rggb.shifted(offset_x.into(), offset_y.into()))),
        3 => Mosaic::Cmyg,
        4 => Mosaic::Cmyg2,
        5 => Mosaic::Lrgb,
        _ => return None,
    };
    Some(Colour::Mosaic { kind, offset_x, offset_y })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_values_agree_both_ways() {
        for code in -1..8 {
            let same = |back: Option<i32>| assert!(back.is_none_or(|back| back == code), "{code} {back:?}");
            same(guide_direction(code).map(from_guide_direction));
            same(tracking_rate(code).map(from_tracking_rate));
            same(alignment(code).map(from_alignment));
            same(pier_side(code).map(from_pier_side));
            same(axis(code).map(from_axis));
            same(equinox(code).map(from_equinox));
        }
        assert_eq!(from_pier_side(PierSide::Unknown), -1);
        assert_eq!(equinox(2), Some(Equinox::J2000));
    }

    #[test]
    fn each_sensor_is_itself_after_the_trip() {
        for (code, x, y) in [(0, 0, 0), (1, 0, 0), (2, 0, 0), (2, 1, 0), (2, 0, 1), (2, 1, 1), (4, 1, 3), (5, 0, 1)] {
            let there = colour(code, x, y).unwrap();
            let (back, offset) = sensor_type(there);
            assert_eq!((back, offset.unwrap_or((0, 0))), (code, (x, y)));
        }
        assert_eq!(colour(2, 3, 2), colour(2, 1, 0));
        assert_eq!(colour(6, 0, 0), None);
    }
}
