//! The simulated filter wheel: it turns the shorter way, and needs its time for each place.

use super::{
    clock::Now,
    faults::{Doing, Struck, What},
    handle::{Handle, Unit},
    options::Glass,
    scene::Band,
};
use crate::{
    Error, Result,
    device::{Age, Filter, FilterWheel, FilterWheelState},
};

/// Places passed in a second.
const SPEED: f64 = 1.25;

/// The wheel: where it was sent from, whereto and when.
#[derive(Debug)]
pub(super) struct Wheel {
    glasses: Vec<Glass>,
    /// Places from the first, also between two of them.
    from: f64,
    to: usize,
    /// Places to turn, backwards negative.
    way: f64,
    began: f64,
}

impl Wheel {
    pub(super) fn new(glasses: Vec<Glass>) -> Self {
        Wheel { glasses, from: 0.0, to: 0, way: 0.0, began: 0.0 }
    }

    fn position(&self, now: Now) -> Option<usize> {
        (now.seconds - self.began >= self.way.abs() / SPEED).then_some(self.to)
    }

    /// What is in the light path: nothing passes a wheel that turns.
    pub(super) fn in_path(&self, now: Now) -> (Band, i32) {
        let glass = self.position(now).and_then(|place| self.glasses.get(place));
        glass.map_or((Band::Opaque, 0), |glass| (glass.band, glass.filter.focus_offset))
    }

    fn turn(&mut self, to: usize, now: Now) -> Result<()> {
        let places = self.glasses.len();
        if to >= places {
            return Err(Error::invalid(format!("place {to} is not within 0 to {}", places.saturating_sub(1))));
        }
        let places = places as f64;
        let made = ((now.seconds - self.began) * SPEED).min(self.way.abs()).copysign(self.way);
        self.from = (self.from + made).rem_euclid(places);
        let ahead = (to as f64 - self.from).rem_euclid(places);
        self.way = if ahead > places / 2.0 { ahead - places } else { ahead };
        self.to = to;
        self.began = now.seconds;
        Ok(())
    }

    fn rename(&mut self, names: &[String]) -> Result<()> {
        if names.len() != self.glasses.len() {
            return Err(Error::invalid(format!(
                "{} names are not one for each of {}",
                names.len(),
                self.glasses.len()
            )));
        }
        if let Some(place) = names.iter().position(|name| name.trim().is_empty()) {
            return Err(Error::invalid(format!("the name for place {place} is empty")));
        }
        for (glass, name) in self.glasses.iter_mut().zip(names) {
            glass.filter.name.clone_from(name);
        }
        Ok(())
    }
}

impl Unit for Wheel {
    fn doing(&self, now: Now) -> Option<Doing> {
        self.position(now).is_none().then_some(Doing::Moving)
    }

    fn strike(&mut self, what: &What, at: Now) -> Struck {
        match what {
            // Half way: between two places, if it goes by one.
            What::Stick if self.position(at).is_some() => Struck::NotYet,
            What::Stick => Struck::Stands(at.seconds.max(self.began + self.way.abs() / SPEED / 2.0)),
            _ => Struck::Done,
        }
    }
}

impl FilterWheel for Handle<Wheel> {
    fn filters(&self) -> Result<Vec<Filter>> {
        self.look("filters", |wheel, _| Ok(wheel.glasses.iter().map(|glass| glass.filter.clone()).collect()))
    }

    fn state(&self) -> Result<FilterWheelState> {
        self.look("state", |wheel, now| Ok(FilterWheelState { position: wheel.position(now), age: Age::NOW }))
    }

    fn start_move(&self, position: usize) -> Result<()> {
        self.order("start_move", |wheel, now| wheel.turn(position, now))
    }

    fn set_names(&self, names: &[String]) -> Result<()> {
        self.order("set_names", |wheel, _| wheel.rename(names))
    }
}
