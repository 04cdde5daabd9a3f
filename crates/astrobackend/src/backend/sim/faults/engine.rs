//! Which faults strike when: counts calls, watches the clock, and remembers what is going on.
//!
//! Nothing runs in between: whoever calls a device brings this up to the present moment first. A unit learns of what
//! happens to it in [`Unit::strike`](super::super::handle::Unit::strike), at the moment at which it happened.

use super::{super::noise::Stream, Doing, Fault, What, When, patient::Patient};
use crate::{Error, device::DeviceId};

/// Sets these dice apart from the noise of pictures.
const FAULTS: u64 = 0xFA17;

/// What a unit says to what happens to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Struck {
    /// It has happened.
    Done,
    /// It stands still from this second of its own time on.
    Stands(f64),
    /// It cannot happen now; perhaps later.
    NotYet,
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Verdict {
    /// It goes on.
    Goes,
    /// It goes on at this second of the world, which may be never, or when the device is released once more.
    Waits { until: f64, released: u64 },
    /// It fails.
    Fails(Error),
}

/// A fault that waits for its moment.
#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// The places of its devices.
    on: Vec<usize>,
    /// The next time at which it strikes.
    next: f64,
    calls: u64,
    spent: bool,
}

/// All faults of a world.
#[derive(Debug)]
pub(in super::super) struct Engine {
    ids: Vec<DeviceId>,
    pub(super) patients: Vec<Patient>,
    armed: Vec<Armed>,
    dice: Stream,
}

impl Engine {
    /// Without faults.
    pub(in super::super) fn new(ids: Vec<DeviceId>, seed: u64) -> Self {
        let patients = ids.iter().map(|_| Patient::default()).collect();
        Engine { ids, patients, armed: Vec::new(), dice: Stream::new(&[seed, FAULTS]) }
    }

    /// True when nothing has to be asked.
    pub(in super::super) fn is_idle(&self) -> bool {
        self.armed.is_empty() && self.patients.iter().all(Patient::is_well)
    }

    /// Adds a fault; what was to happen in the past happens now.
    ///
    /// # Errors
    /// `InvalidValue` for what it cannot be, `NotFound` for a device that there is not.
    pub(in super::super) fn arm(&mut self, fault: Fault, calls: &[&str], now: f64) -> Result<(), Error> {
        fault.check().map_err(Error::invalid)?;
        if let When::Call { name: Some(name), .. } = &fault.when
            && !calls.contains(&name.as_str())
        {
            return Err(Error::invalid(format!("there is no call {name:?}; there are {}", calls.join(", "))));
        }
        let on = self.places(&fault.device)?;
        let next = match (&fault.when, fault.every) {
            (When::At(at), Some(step)) if *at < now => at + ((now - at) / step).ceil() * step,
            (When::At(at), _) => at.max(now),
            _ => f64::INFINITY,
        };
        self.armed.push(Armed { fault, on, next, calls: 0, spent: false });
        Ok(())
    }

    /// The devices that are meant.
    fn places(&self, device: &str) -> Result<Vec<usize>, Error> {
        let kind = device.parse().ok();
        let meant = |id: &DeviceId| device == "all" || kind == Some(id.kind) || id.name == device;
        let places: Vec<_> = self.ids.iter().enumerate().filter(|(_, id)| meant(id)).map(|(place, _)| place).collect();
        match places.first() {
            None => {
                let names: Vec<_> = self.ids.iter().map(|id| format!("{:?}", id.name)).collect();
                let names = names.join(", ");
                Err(Error::not_found(format!("no device {device:?} can fail; there are \"all\", kinds, and {names}")))
            }
            // Of two cameras a kind means the first.
            Some(first) if kind.is_some() => Ok(vec![*first]),
            Some(_) => Ok(places),
        }
    }

    /// Ends all that goes on and forgets all that was to come; what stood still moves on.
    pub(in super::super) fn clear(&mut self, now: f64) {
        self.armed.clear();
        self.patients.iter_mut().for_each(|patient| patient.heal(now));
    }

    /// Lets happen what was to happen by now.
    pub(in super::super) fn advance(&mut self, now: f64) {
        for armed in 0..self.armed.len() {
            let Some((at, fault)) = self.armed[armed].due(now) else { continue };
            self.strike(armed, &fault, at);
        }
        self.patients.iter_mut().for_each(|patient| patient.expire(now));
        self.armed.retain(|armed| !armed.spent);
    }

    /// Counts a call, and says what becomes of it.
    pub(in super::super) fn call(&mut self, place: usize, name: &str, doing: Option<Doing>, now: f64) -> Verdict {
        self.advance(now);
        for armed in 0..self.armed.len() {
            match self.armed[armed].called(place, name, doing) {
                // What happens to calls happens to the one that it waited for.
                Some(fault) if fault.what.is_of_calls() => self.strike_one(&fault, place, now),
                Some(fault) => self.strike(armed, &fault, now),
                None => {}
            }
        }
        if name == "connect" && self.patients[place].plug_in(now) {
            // It was the cable of all.
            self.patients.iter_mut().for_each(|patient| patient.end_whole(now));
        }
        self.patients[place].verdict(name, now)
    }

    /// What becomes of a look that nobody made by a call: only a lost link is in its way.
    pub(in super::super) fn look(&mut self, place: usize, now: f64) -> Verdict {
        self.advance(now);
        self.patients[place].lost().map_or(Verdict::Goes, |(_, why)| Verdict::Fails(why))
    }

    /// An exposure was accepted.
    pub(in super::super) fn exposed(&mut self, place: usize, number: u64, now: f64) {
        self.patients[place].forget_frames(number);
        for armed in 0..self.armed.len() {
            let Some(fault) = self.armed[armed].exposed(place, number) else { continue };
            if self.happens(&fault) {
                self.patients[place].begin(&fault, now, number);
            }
        }
    }

    /// The device was disconnected and is connected anew.
    pub(in super::super) fn reconnected(&mut self, place: usize, now: f64) {
        self.patients[place].reconnected(now);
    }

    /// The device is connected already, whoever did it.
    pub(in super::super) fn met(&mut self, place: usize) {
        self.patients[place].met();
    }

    /// The exposure that was to stand still later is over.
    pub(in super::super) fn given_up(&mut self, place: usize, now: f64) {
        self.patients[place].given_up(now);
    }

    /// Tells a unit what it has still to learn.
    pub(in super::super) fn tell(&mut self, place: usize, strike: impl FnMut(&What, f64) -> Struck) {
        self.patients[place].tell(strike);
    }

    /// The time of a device at a second of the world.
    pub(in super::super) fn local(&self, place: usize, at: f64) -> f64 {
        self.patients[place].local(at)
    }

    /// How often calls of a device that wait were let go.
    pub(in super::super) fn released(&self, place: usize) -> u64 {
        self.patients[place].released()
    }

    /// Why the link to a device is down, and since when; `None` for that of the whole observatory.
    pub(in super::super) fn lost(&self, place: Option<usize>) -> Option<(f64, Error)> {
        match place {
            Some(place) => self.patients[place].lost(),
            None => self.patients.iter().find_map(Patient::lost_with_all),
        }
    }

    /// True when a frame of a camera may come once more.
    pub(super) fn may_repeat(&self, place: usize) -> bool {
        let repeats = |armed: &Armed| armed.fault.what == What::DuplicateFrame && armed.on.contains(&place);
        self.patients[place].may_repeat() || self.armed.iter().any(repeats)
    }

    fn strike(&mut self, armed: usize, fault: &Fault, at: f64) {
        let places = self.armed[armed].on.clone();
        if self.happens(fault) {
            places.into_iter().for_each(|place| self.patients[place].begin(fault, at, 0));
        }
    }

    fn strike_one(&mut self, fault: &Fault, place: usize, at: f64) {
        if self.happens(fault) {
            self.patients[place].begin(fault, at, 0);
        }
    }

    /// Throws the dice.
    fn happens(&mut self, fault: &Fault) -> bool {
        self.dice.unit() < fault.chance
    }
}

impl Armed {
    /// When it was to strike by now, the last time if it was several times.
    fn due(&mut self, now: f64) -> Option<(f64, Fault)> {
        if self.next > now {
            return None;
        }
        let (mut at, every) = (self.next, self.fault.every);
        match every {
            Some(step) => {
                at += ((now - at) / step).floor() * step;
                self.next = at + step;
            }
            None => (self.next, self.spent) = (f64::INFINITY, true),
        }
        Some((at, self.fault.clone()))
    }

    /// Counts a call, or looks at what the device does.
    fn called(&mut self, place: usize, name: &str, doing: Option<Doing>) -> Option<Fault> {
        if self.spent || !self.on.contains(&place) {
            return None;
        }
        let strikes = match &self.fault.when {
            When::During(wanted) => {
                self.spent = doing == Some(*wanted);
                self.spent
            }
            When::Call { name: wanted, nth } if wanted.as_ref().is_none_or(|wanted| wanted == name) => {
                self.calls += 1;
                let (strikes, spent) = is_turn(self.calls, *nth, self.fault.every);
                self.spent = spent;
                strikes
            }
            _ => false,
        };
        strikes.then(|| self.fault.clone())
    }

    fn exposed(&mut self, place: usize, number: u64) -> Option<Fault> {
        let When::Exposure(nth) = self.fault.when else { return None };
        if self.spent || !self.on.contains(&place) {
            return None;
        }
        let (strikes, spent) = is_turn(number, nth, self.fault.every);
        self.spent = spent;
        strikes.then(|| self.fault.clone())
    }
}

/// Whether a count strikes, and whether it was the last to do so.
fn is_turn(count: u64, nth: u64, every: Option<f64>) -> (bool, bool) {
    match every {
        Some(step) => (count >= nth && (count - nth).is_multiple_of(step as u64), false),
        None => (count == nth, count >= nth),
    }
}
