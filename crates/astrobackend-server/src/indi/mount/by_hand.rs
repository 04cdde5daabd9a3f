//! Axes driven by hand: `TELESCOPE_MOTION_NS`, `TELESCOPE_MOTION_WE`, and their speeds, `TELESCOPE_SLEW_RATE`.
//!
//! INDI has names for speeds, not numbers; the labels here are multiples of the sidereal one. A mount that takes any
//! speed gets four, as hand controllers have them.

use super::super::{
    order::Order,
    property::{MOTION, Property, With, busy_or, switch, switches},
};
use super::SIDEREAL;
use astrobackend::{
    DegreesPerSecond, Error, Result,
    device::{Axis, Mount, MountCaps},
    wire::indi::{Rule, State},
};

pub(super) const NS: &str = "TELESCOPE_MOTION_NS";
pub(super) const WE: &str = "TELESCOPE_MOTION_WE";
pub(super) const RATE: &str = "TELESCOPE_SLEW_RATE";

/// What a mount that takes any speed is offered besides its fastest, multiples of the sidereal speed.
const USUAL: [f64; 3] = [1.0, 16.0, 128.0];

const NAMES: [&str; 4] = ["SLEW_GUIDE", "SLEW_CENTERING", "SLEW_FIND", "SLEW_MAX"];

/// Where the axes are driven to: the sign of the primary one (east is positive), that of the secondary (north is).
pub(super) type Ways = [i8; 2];

/// The speeds of both axes, slowest first, degrees per second.
pub(super) fn speeds(caps: &MountCaps) -> Vec<f64> {
    let mut speeds: Vec<f64> = Vec::new();
    for range in caps.axis_rates[..2].iter().flatten() {
        let (least, most) = (range.start().0, range.end().0);
        speeds.extend(USUAL.iter().map(|multiple| multiple * SIDEREAL).filter(|speed| least < *speed && *speed < most));
        speeds.push(most);
    }
    speeds.retain(|speed| speed.is_finite() && *speed > 0.0);
    speeds.sort_by(f64::total_cmp);
    speeds.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    speeds
}

fn name(count: usize, n: usize) -> String {
    if count == NAMES.len() { NAMES[n].to_owned() } else { format!("SPEED_{}", n + 1) }
}

/// Both axes and their speeds as properties.
pub(super) fn properties(caps: &MountCaps, ways: Ways, speed: usize) -> Vec<Property> {
    let speeds = speeds(caps);
    let mut all = Vec::new();
    let axes = [
        (NS, "Motion N/S", 1, [("MOTION_NORTH", "North", 1), ("MOTION_SOUTH", "South", -1)]),
        (WE, "Motion W/E", 0, [("MOTION_WEST", "West", -1), ("MOTION_EAST", "East", 1)]),
    ];
    for (property, label, axis, elements) in axes {
        if caps.axis_rates[axis].is_empty() {
            continue;
        }
        let both = elements.map(|(element, label, way)| switch(element, label, ways[axis] == way));
        let state = busy_or(ways[axis] != 0, State::Idle);
        all.push(switches(property, label, MOTION, Rule::AtMostOne, both).writable().state(state));
    }
    if !speeds.is_empty() {
        let label = |speed: f64| format!("{}x", (speed / SIDEREAL * 1e3).round() / 1e3);
        let count = speeds.len();
        let chosen = speed.min(count - 1);
        let each = speeds.iter().enumerate().map(|(n, speed)| switch(name(count, n), label(*speed), n == chosen));
        all.push(switches(RATE, "Slew rate", MOTION, Rule::OneOfMany, each).writable());
    }
    all
}

/// The speed that is chosen, by number.
///
/// # Errors
/// `InvalidValue` when there is none of that name.
pub(super) fn choose(caps: &MountCaps, order: &Order) -> Result<usize> {
    let count = speeds(caps).len();
    let found = (0..count).find(|n| order.on() == Some(name(count, *n).as_str()));
    found.ok_or_else(|| Error::invalid("there is no such speed"))
}

/// Drives or stops an axis; where both are driven from then on.
///
/// # Errors
/// The mount's refusal.
pub(super) fn drive(mount: &dyn Mount, caps: &MountCaps, mut ways: Ways, speed: usize, order: &Order) -> Result<Ways> {
    let (axis, number) = if order.property == NS { (Axis::Secondary, 1) } else { (Axis::Primary, 0) };
    let way = match order.on() {
        Some("MOTION_NORTH" | "MOTION_EAST") => 1,
        Some(_) => -1,
        None => 0,
    };
    let speeds = speeds(caps);
    let speed = speeds.get(speed).or(speeds.last()).copied().unwrap_or(0.0);
    mount.move_axis(axis, DegreesPerSecond(f64::from(way) * speed))?;
    ways[number] = way;
    Ok(ways)
}
