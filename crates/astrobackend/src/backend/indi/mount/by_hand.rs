//! Axes driven by hand: `TELESCOPE_MOTION_NS`, `TELESCOPE_MOTION_WE`, `TELESCOPE_SLEW_RATE`.
//!
//! INDI has no numbers for these speeds, only names from the slowest to the fastest. Where the names carry
//! figures that are more than a count (`1x 8x 64x`, not `1x 2x 3x 4x`) they are multiples of the sidereal
//! speed. Otherwise the speeds told are nominal: 1 to 800 times sidereal in equal ratios, as hand controllers
//! have it. What they stand for is in their order: the slowest is the mount's slowest.

use super::place::SIDEREAL;
use crate::{
    DegreesPerSecond, Error, Result,
    backend::indi::{
        handle::{Handle, Values},
        property::Element,
        store::Device,
    },
    device::Axis,
};

const RATE: &str = "TELESCOPE_SLEW_RATE";

/// The vectors for the two axes, with their positive and negative directions on the sky: east and north.
const PRIMARY: (&str, [&str; 2]) = ("TELESCOPE_MOTION_WE", ["MOTION_EAST", "MOTION_WEST"]);
const SECONDARY: (&str, [&str; 2]) = ("TELESCOPE_MOTION_NS", ["MOTION_NORTH", "MOTION_SOUTH"]);

/// The fastest nominal speed, in multiples of the sidereal one.
const FASTEST: f64 = 800.0;

/// As near as a speed asked for has to be to one that there is.
const TOLERANCE: f64 = 0.01;

/// A speed: the switch that selects it, if there are several, and degrees per second.
#[derive(Clone, Debug, PartialEq)]
struct Speed {
    switch: Option<String>,
    rate: f64,
}

/// True when an axis is being driven.
pub(super) fn is_driven(device: &Device) -> bool {
    [PRIMARY, SECONDARY].iter().any(|(motion, _)| device.property(motion).is_some_and(|motion| motion.on().is_some()))
}

/// The speeds of an axis, slowest first; none where it cannot be driven.
pub(super) fn rates(device: &Device, axis: Axis) -> Vec<std::ops::RangeInclusive<DegreesPerSecond>> {
    let has = vectors(axis).is_some_and(|(motion, _)| device.can_set(motion));
    let speeds = if has { speeds(device) } else { Vec::new() };
    speeds.into_iter().map(|speed| DegreesPerSecond(speed.rate)..=DegreesPerSecond(speed.rate)).collect()
}

fn vectors(axis: Axis) -> Option<(&'static str, [&'static str; 2])> {
    match axis {
        Axis::Primary => Some(PRIMARY),
        Axis::Secondary => Some(SECONDARY),
        Axis::Tertiary => None,
    }
}

fn speeds(device: &Device) -> Vec<Speed> {
    let Some(rates) = device.property(RATE).filter(|rates| rates.writable() && !rates.elements.is_empty()) else {
        return vec![Speed { switch: None, rate: FASTEST * SIDEREAL }];
    };
    let figures: Option<Vec<f64>> = rates.elements.iter().map(|rate| figure(rate.title())).collect();
    let counts = |figures: &[f64]| figures.iter().zip(1..).all(|(figure, n)| *figure == f64::from(n));
    let multiples = match figures.filter(|figures| figures.is_sorted() && !counts(figures)) {
        Some(figures) => figures,
        None => {
            let steps = (rates.elements.len() as f64 - 1.0).max(1.0);
            (0..rates.elements.len()).map(|n| FASTEST.powf(n as f64 / steps)).collect()
        }
    };
    let speed =
        |(element, multiple): (&Element, f64)| Speed { switch: Some(element.name.clone()), rate: multiple * SIDEREAL };
    rates.elements.iter().zip(multiples).map(speed).collect()
}

/// The figure of `8x` or `0.5 x`.
fn figure(name: &str) -> Option<f64> {
    let figure = name.trim().to_ascii_lowercase();
    figure.strip_suffix('x')?.trim().parse().ok().filter(|figure: &f64| *figure > 0.0 && figure.is_finite())
}

/// Drives an axis; the caller has seen that the mount may move.
///
/// # Errors
/// `Unsupported` without such an axis, `InvalidValue` for a speed that there is not, or the driver's refusal.
pub(super) fn drive(handle: &Handle, axis: Axis, rate: DegreesPerSecond) -> Result<()> {
    let (motion, [positive, negative]) = motion(handle, axis)?;
    let speed = handle.read(|device| {
        let all = speeds(device);
        let fits = |speed: &&Speed| (rate.0.abs() - speed.rate).abs() <= TOLERANCE * speed.rate;
        all.iter().find(fits).cloned().ok_or_else(|| {
            let there: Vec<_> = all.iter().map(|speed| format!("{:.4}", speed.rate)).collect();
            Error::invalid(format!("{} degrees per second is none of its speeds {}", rate.0, there.join(", ")))
        })
    })?;
    if let Some(switch) = speed.switch {
        handle.switch_on(RATE, &switch)?;
    }
    handle.switch_on(motion, if rate.0 < 0.0 { negative } else { positive })
}

/// Stops an axis; nothing when it stands.
///
/// # Errors
/// `Unsupported` without such an axis, or the driver's refusal.
pub(super) fn stop(handle: &Handle, axis: Axis) -> Result<()> {
    let (motion, directions) = motion(handle, axis)?;
    let on = |device: &Device| device.property(motion).is_some_and(|motion| motion.on().is_some());
    match handle.read(|device| Ok(on(device)))? {
        true => handle.set(motion, Values::Switches(&directions.map(|direction| (direction, false)))),
        false => Ok(()),
    }
}

fn motion(handle: &Handle, axis: Axis) -> Result<(&'static str, [&'static str; 2])> {
    handle.read(|device| {
        let found = vectors(axis).filter(|(motion, _)| device.can_set(motion));
        found.ok_or_else(|| Error::unsupported(format!("its {axis:?} axis cannot be driven by hand")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backend::indi::store::Store, wire::indi::Parser};

    /// The speeds of a mount whose switches have these names, in multiples of the sidereal one.
    fn multiples(names: &[&str]) -> Vec<f64> {
        let (mut store, mut parser) = (Store::default(), Parser::default());
        let switches: String = names.iter().map(|name| format!("<defSwitch name='{name}'>Off</defSwitch>")).collect();
        let text = format!("<defSwitchVector device='M' name='{RATE}' perm='rw'>{switches}</defSwitchVector>");
        parser.push(format!("{text}<defTextVector device='M' name='X' perm='ro'></defTextVector>").as_bytes());
        while let Some(message) = parser.next_message() {
            store.apply(message.unwrap()).unwrap();
        }
        let speeds = speeds(store.device("M").unwrap());
        speeds.iter().map(|speed| (speed.rate / SIDEREAL * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn figures_count_where_they_are_no_mere_count() {
        assert_eq!(multiples(&["1x", "8x", "64x", "800x"]), [1.0, 8.0, 64.0, 800.0]);
        assert_eq!(multiples(&["0.5x", "1x"]), [0.5, 1.0]);
        let nominal = [1.0, 9.283178, 86.177388, 800.0];
        assert_eq!(multiples(&["1x", "2x", "3x", "4x"]), nominal, "libindi's names for any four speeds");
        assert_eq!(multiples(&["SLEW_GUIDE", "SLEW_CENTERING", "SLEW_FIND", "SLEW_MAX"]), nominal);
        assert_eq!(multiples(&["8x", "Max"]), [1.0, 800.0]);
        assert_eq!(multiples(&["Only"]), [1.0]);
        assert_eq!(multiples(&[]), [800.0]);
    }
}
