//! How a mount follows the sky: `TELESCOPE_TRACK_STATE`, `TELESCOPE_TRACK_MODE`, `TELESCOPE_TRACK_RATE`.
//!
//! INDI's rates are speeds in arcseconds per second, of the hour angle and of the declination, in effect in the mode
//! `TRACK_CUSTOM`; the contract's are offsets to the sidereal speed. Mode and rates can be chosen before it tracks.

use super::super::{
    order::Order,
    property::{MAIN, MOTION, Property, With, number, numbers, switch, switches},
};
use super::SIDEREAL;
use astrobackend::{
    Error, Result,
    device::{Mount, MountCaps, Tracking, TrackingRate},
    wire::indi::{Rule, State},
};

pub(super) const TRACK: &str = "TELESCOPE_TRACK_STATE";
pub(super) const MODE: &str = "TELESCOPE_TRACK_MODE";
pub(super) const RATE: &str = "TELESCOPE_TRACK_RATE";

/// The sidereal speed in arcseconds per second: also what a second of right ascension per sidereal second is.
const ARCSECONDS: f64 = SIDEREAL * 3600.0;

/// As near as two speeds have to be to be the same, arcseconds per second.
const NEAR: f64 = 1e-6;

const MODES: [(Option<TrackingRate>, &str, &str); 5] = [
    (Some(TrackingRate::Sidereal), "TRACK_SIDEREAL", "Sidereal"),
    (Some(TrackingRate::Solar), "TRACK_SOLAR", "Solar"),
    (Some(TrackingRate::Lunar), "TRACK_LUNAR", "Lunar"),
    (Some(TrackingRate::King), "TRACK_KING", "King"),
    (None, "TRACK_CUSTOM", "Custom"),
];

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice {
    /// A named speed, or `None` for the rates.
    mode: Option<TrackingRate>,
    /// Of the hour angle and of the declination, arcseconds per second.
    rates: (f64, f64),
}

impl Default for Choice {
    fn default() -> Self {
        Choice { mode: Some(TrackingRate::Sidereal), rates: (ARCSECONDS, 0.0) }
    }
}

impl Choice {
    fn tracking(self, on: bool) -> Tracking {
        match self.mode {
            Some(rate) => Tracking { on, rate, ra_offset: 0.0, dec_offset: 0.0 },
            None => Tracking {
                on,
                rate: TrackingRate::Sidereal,
                // To nine decimals: the sidereal speed differs in the tenth among programs.
                ra_offset: ((1.0 - self.rates.0 / ARCSECONDS) * 1e9).round() / 1e9,
                dec_offset: self.rates.1,
            },
        }
    }

    /// Follows what the mount does, unless that is what was chosen.
    pub(super) fn follow(&mut self, tracking: Tracking) {
        let own = self.tracking(tracking.on);
        let near = |a: f64, b: f64| (a - b).abs() <= NEAR;
        let same = own.rate == tracking.rate
            && near(own.ra_offset, tracking.ra_offset)
            && near(own.dec_offset, tracking.dec_offset);
        if !tracking.on || same {
            return;
        }
        let offset = (tracking.ra_offset, tracking.dec_offset) != (0.0, 0.0);
        self.mode = Some(tracking.rate).filter(|_| !offset);
        if offset {
            self.rates = ((1.0 - tracking.ra_offset) * ARCSECONDS, tracking.dec_offset);
        }
    }
}

/// Tracking as properties; the switch can only be read where it cannot be set.
pub(super) fn properties(caps: &MountCaps, tracking: Tracking, choice: Choice) -> Vec<Property> {
    let both = [switch("TRACK_ON", "On", tracking.on), switch("TRACK_OFF", "Off", !tracking.on)];
    let state = if tracking.on { State::Busy } else { State::Idle };
    let track = switches(TRACK, "Tracking", MAIN, Rule::OneOfMany, both).writable_if(caps.set_tracking);
    let mut all = vec![track.state(state)];
    if !caps.set_tracking {
        return all;
    }
    let offsets = caps.rate_offsets == (true, true);
    let there = |mode: &Option<TrackingRate>| mode.map_or(offsets, |rate| caps.tracking_rates.contains(&rate));
    let modes: Vec<_> = MODES.iter().filter(|(mode, ..)| there(mode)).collect();
    if modes.len() > 1 {
        let modes = modes.into_iter().map(|(mode, element, label)| switch(*element, *label, *mode == choice.mode));
        all.push(switches(MODE, "Track mode", MAIN, Rule::OneOfMany, modes).writable());
    }
    if offsets {
        let rates = [
            number("TRACK_RATE_RA", "RA (arcsecs/s)", choice.rates.0, "%.6f", (-16384.0, 16384.0, 0.0)),
            number("TRACK_RATE_DE", "DE (arcsecs/s)", choice.rates.1, "%.6f", (-16384.0, 16384.0, 0.0)),
        ];
        all.push(numbers(RATE, "Track rates", MOTION, rates).writable());
    }
    all
}

/// Tracks as is asked, and remembers what is chosen.
///
/// # Errors
/// The mount's refusal.
pub(super) fn obey(mount: &dyn Mount, now: Tracking, choice: Choice, order: &Order) -> Result<Choice> {
    let mut wanted = choice;
    let mut on = now.on;
    match order.property.as_str() {
        TRACK => on = order.on() == Some("TRACK_ON"),
        MODE => {
            let mode = MODES.iter().find(|(_, element, _)| Some(*element) == order.on());
            wanted.mode = mode.ok_or_else(|| Error::invalid("there is no such track mode"))?.0;
        }
        _ => {
            let given = (order.number("TRACK_RATE_RA"), order.number("TRACK_RATE_DE"));
            wanted.rates = (given.0.unwrap_or(choice.rates.0), given.1.unwrap_or(choice.rates.1));
        }
    }
    let in_effect = order.property != RATE || wanted.mode.is_none();
    if order.property == TRACK || on && in_effect {
        mount.set_tracking(wanted.tracking(on))?;
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_the_contracts_offsets() {
        let mut choice = Choice { mode: None, rates: (ARCSECONDS * 0.99, -0.5) };
        let tracking = choice.tracking(true);
        assert_eq!((tracking.ra_offset, tracking.dec_offset), (0.01, -0.5));
        let before = choice;
        choice.follow(tracking);
        assert_eq!(choice, before, "it does what was chosen");
        choice.follow(Tracking { on: true, rate: TrackingRate::Lunar, ..Tracking::SIDEREAL });
        assert_eq!((choice.mode, choice.rates), (Some(TrackingRate::Lunar), before.rates));
        choice.follow(Tracking { ra_offset: 0.5, ..Tracking::SIDEREAL });
        assert_eq!((choice.mode, choice.rates.0), (None, ARCSECONDS / 2.0));
        choice.follow(Tracking::OFF);
        assert_eq!(choice.mode, None, "what it does not do says nothing");
    }
}
