//! Where a mount points and is told to go: `EQUATORIAL_EOD_COORD` (or `EQUATORIAL_COORD`), `HORIZONTAL_COORD`, and
//! `ON_COORD_SET`, which says what is done with coordinates that are written.

use super::super::{
    order::Order,
    property::{MAIN, MOTION, Property, With, busy_or, button, number, numbers, switch, switches},
};
use super::{Errand, Seen};
use astrobackend::{
    AltAz, Degrees, Equinox, Error, Hours, RaDec, Result, Timestamp,
    device::{Mount, MountCaps, PierSide, Tracking},
    wire::indi::{Rule, State},
};

pub(super) const OF_DATE: &str = "EQUATORIAL_EOD_COORD";
pub(super) const J2000: &str = "EQUATORIAL_COORD";
pub(super) const HORIZONTAL: &str = "HORIZONTAL_COORD";
pub(super) const ON_COORD_SET: &str = "ON_COORD_SET";
pub(super) const ABORT: &str = "TELESCOPE_ABORT_MOTION";

/// What is done with coordinates that are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Goes there and tracks.
    #[default]
    Track,
    /// Goes there.
    Slew,
    /// Is there.
    Sync,
    /// Goes there on the other side of the pier.
    Flip,
}

const MODES: [(Mode, &str, &str); 4] = [
    (Mode::Track, "TRACK", "Track"),
    (Mode::Slew, "SLEW", "Slew"),
    (Mode::Sync, "SYNC", "Sync"),
    (Mode::Flip, "FLIP", "Flip"),
];

impl Mode {
    /// From the name of its switch.
    pub(super) fn named(name: Option<&str>) -> Self {
        MODES.iter().find(|(_, element, _)| Some(*element) == name).map_or(Mode::Track, |(mode, ..)| *mode)
    }

    fn fits(self, caps: &MountCaps) -> bool {
        match self {
            Mode::Track | Mode::Slew => caps.slew,
            Mode::Sync => caps.sync,
            Mode::Flip => caps.set_pier_side,
        }
    }
}

/// The vector of the mount's own coordinates, and what they refer to: INDI knows two.
pub(super) fn equatorial(caps: &MountCaps) -> (&'static str, Equinox) {
    match caps.equinox {
        Equinox::J2000 => (J2000, Equinox::J2000),
        _ => (OF_DATE, Equinox::OfDate),
    }
}

/// Where it points and what it can be told about that.
pub(super) fn properties(seen: &Seen, errand: Option<Errand>, mode: Mode) -> Vec<Property> {
    let Seen { caps, state, .. } = seen;
    let (name, equinox) = equatorial(caps);
    let by_hand = errand == Some(Errand::Hand);
    let rest = if state.parked || !state.tracking.on { State::Idle } else { State::Ok };
    let place = state.position.to(equinox, Timestamp::now()).unwrap_or(state.position);
    let coordinates = [
        number("RA", "RA (hh:mm:ss)", place.ra.0, "%010.6m", (0.0, 24.0, 0.0)),
        number("DEC", "DEC (dd:mm:ss)", place.dec.0, "%010.6m", (-90.0, 90.0, 0.0)),
    ];
    let mut all = vec![
        numbers(name, "Eq. coordinates", MAIN, coordinates)
            .writable_if(caps.slew || caps.sync)
            .state(busy_or(state.slewing && !by_hand, rest)),
    ];
    let modes: Vec<_> = MODES.iter().filter(|(mode, ..)| mode.fits(caps)).collect();
    if !modes.is_empty() {
        let on = if mode.fits(caps) { mode } else { modes[0].0 };
        let modes = modes.into_iter().map(|(one, element, label)| switch(*element, *label, *one == on));
        all.push(switches(ON_COORD_SET, "On set", MAIN, Rule::OneOfMany, modes).writable());
    }
    if let Some(AltAz { alt, az }) = state.horizon {
        let direction = [
            number("ALT", "Altitude (dd:mm:ss)", alt.0, "%010.6m", (-90.0, 90.0, 0.0)),
            number("AZ", "Azimuth (dd:mm:ss)", az.0, "%010.6m", (0.0, 360.0, 0.0)),
        ];
        let under_way = state.slewing && errand == Some(Errand::Direction);
        let property = numbers(HORIZONTAL, "Hor. coordinates", MAIN, direction).writable_if(caps.slew_altaz);
        all.push(property.state(busy_or(under_way, State::Ok)));
    }
    all.push(button(ABORT, "Abort motion", MAIN, "ABORT", "Abort"));
    if caps.pier_side {
        let side = state.pier_side;
        let sides = [
            switch("PIER_WEST", "West (pointing east)", side == PierSide::West),
            switch("PIER_EAST", "East (pointing west)", side == PierSide::East),
        ];
        all.push(switches("TELESCOPE_PIER_SIDE", "Pier side", MOTION, Rule::AtMostOne, sides));
    }
    all
}

/// Both coordinates of an order: half a place is none.
fn both(order: &Order, [first, second]: [&str; 2]) -> Result<(f64, f64)> {
    let found = order.number(first).zip(order.number(second));
    found.ok_or_else(|| Error::invalid(format!("{} needs both {first} and {second}", order.property)))
}

/// Goes to, or is at, the place that was written; what it does from then on.
///
/// # Errors
/// The mount's refusal.
pub(super) fn go(mount: &dyn Mount, seen: &Seen, mode: Mode, order: &Order) -> Result<Option<Errand>> {
    let (ra, dec) = both(order, ["RA", "DEC"])?;
    let (_, equinox) = equatorial(&seen.caps);
    // The limits of the property include what is the same as zero hours.
    let place = RaDec::new(Hours(ra).normalized(), Degrees(dec), equinox);
    match mode {
        Mode::Sync => return mount.sync(place.into()).map(|()| None),
        Mode::Flip => {
            let other = match seen.state.pier_side {
                PierSide::East => PierSide::West,
                PierSide::West => PierSide::East,
                PierSide::Unknown => return Err(Error::invalid_operation("its side of the pier is not known")),
            };
            mount.start_flip(other)?;
        }
        Mode::Track => {
            let tracking = seen.state.tracking;
            if !tracking.on && seen.caps.set_tracking && !seen.state.parked {
                mount.set_tracking(Tracking { on: true, ..tracking })?;
            }
            mount.start_slew(place.into())?;
        }
        Mode::Slew => mount.start_slew(place.into())?,
    }
    Ok(Some(Errand::Place))
}

/// Goes to a direction from the ground.
///
/// # Errors
/// The mount's refusal.
pub(super) fn turn(mount: &dyn Mount, order: &Order) -> Result<Option<Errand>> {
    let (alt, az) = both(order, ["ALT", "AZ"])?;
    mount.start_slew(AltAz { alt: Degrees(alt), az: Degrees(az) }.into()).map(|()| Some(Errand::Direction))
}
