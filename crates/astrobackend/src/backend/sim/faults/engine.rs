//! Which faults strike when: counts calls, watches the clock, and remembers what is going on.
//!
//! Nothing runs in between: whoever calls a device brings this up to the present moment first. A unit learns of what
//! happens to it in [`Unit::strike`](super::super::handle::Unit::strike), at the moment at which it happened.

use super::{Doing, Fault, What, When};
use crate::{Error, ErrorKind, device::DeviceId};
use std::ops::Range;

/// Exposures after which a frame that was to be spoilt is not expected any more.
const KEPT: u64 = 16;

/// Exposures that one fault happens to at most.
const MOST: u32 = 1000;

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

/// What is going on.
#[derive(Clone, Debug)]
struct Strike {
    what: What,
    since: f64,
    /// When it is over by itself.
    until: f64,
    /// Calls, frames or exposures that it may still happen to.
    left: u32,
    /// The link of the whole observatory, not of one device.
    whole: bool,
    /// The method that it happens to; all if none is named.
    call: Option<String>,
    /// The exposures whose frames it happens to; all if it came at a time.
    exposures: Range<u64>,
}

/// What a unit has still to learn.
#[derive(Clone, Debug)]
struct Pending {
    what: What,
    at: f64,
    lasts: f64,
}

/// What happens to one device.
#[derive(Debug, Default)]
pub(super) struct Patient {
    strikes: Vec<Strike>,
    pending: Vec<Pending>,
    /// When it stands still, in its own time, and for how long; the earliest first.
    stills: Vec<(f64, f64)>,
    /// Somebody has tried to connect it.
    tried: bool,
    /// It was connected once.
    known: bool,
    /// How often calls that wait were let go.
    released: u64,
    /// The picture before, kept only where it may come again.
    pub(super) last: Option<crate::image::Image>,
}

/// All faults of a world.
#[derive(Debug)]
pub(in super::super) struct Engine {
    ids: Vec<DeviceId>,
    pub(super) patients: Vec<Patient>,
    armed: Vec<Armed>,
    dice: u64,
}

impl Engine {
    /// Without faults.
    pub(in super::super) fn new(ids: Vec<DeviceId>, seed: u64) -> Self {
        let patients = ids.iter().map(|_| Patient::default()).collect();
        Engine { ids, patients, armed: Vec::new(), dice: seed ^ 0x9E37_79B9_7F4A_7C15 }
    }

    /// True when nothing has to be asked.
    pub(in super::super) fn is_idle(&self) -> bool {
        let quiet = |patient: &Patient| patient.strikes.is_empty() && patient.pending.is_empty();
        self.armed.is_empty() && self.patients.iter().all(|patient| quiet(patient) && patient.stills.is_empty())
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
        for patient in &mut self.patients {
            patient.strikes.clear();
            patient.pending.clear();
            patient.move_on(now, true);
            patient.released += 1;
        }
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
        if name == "connect" && std::mem::replace(&mut self.patients[place].tried, true) {
            self.plug_in(place, now);
        }
        self.patients[place].verdict(name, now)
    }

    /// Somebody has put the cable in again.
    fn plug_in(&mut self, place: usize, now: f64) {
        let lasts = |strike: &Strike| strike.what == What::LoseLink && strike.until.is_infinite();
        let whole = self.patients[place].strikes.iter().any(|strike| lasts(strike) && strike.whole);
        self.patients[place].end(now, lasts);
        if whole {
            self.patients.iter_mut().for_each(|patient| patient.end(now, |strike| lasts(strike) && strike.whole));
        }
    }

    /// What becomes of a look that nobody made by a call: only a lost link is in its way.
    pub(in super::super) fn look(&mut self, place: usize, now: f64) -> Verdict {
        self.advance(now);
        self.patients[place].lost().map_or(Verdict::Goes, |strike| Verdict::Fails(why_lost(strike)))
    }

    /// An exposure was accepted.
    pub(in super::super) fn exposed(&mut self, place: usize, number: u64, now: f64) {
        self.patients[place].strikes.retain(|strike| strike.exposures.end.saturating_add(KEPT) > number);
        for armed in 0..self.armed.len() {
            let Some(fault) = self.armed[armed].exposed(place, number) else { continue };
            if self.happens(&fault) {
                self.patients[place].begin(&fault, now, number);
            }
        }
    }

    /// The device was disconnected and is connected anew.
    pub(in super::super) fn reconnected(&mut self, place: usize, now: f64) {
        let patient = &mut self.patients[place];
        if !std::mem::replace(&mut patient.known, true) {
            return;
        }
        patient.cool_off(now);
        let lasts = |what: &Strike| what.until.is_infinite() && !what.what.is_of_calls() && !what.what.is_of_frames();
        patient.end(now, |strike| lasts(strike) && strike.what != What::CoolerOff);
        patient.move_on(now, false);
    }

    /// The device is connected already, whoever did it.
    pub(in super::super) fn met(&mut self, place: usize) {
        (self.patients[place].tried, self.patients[place].known) = (true, true);
    }

    /// The exposure that was to stand still later is over.
    pub(in super::super) fn given_up(&mut self, place: usize, now: f64) {
        let patient = &mut self.patients[place];
        let local = patient.local(now);
        patient.stills.retain(|(from, _)| *from <= local);
    }

    /// Tells a unit what it has still to learn.
    pub(in super::super) fn tell(&mut self, place: usize, mut strike: impl FnMut(&What, f64) -> Struck) {
        let pending = std::mem::take(&mut self.patients[place].pending);
        for pending in pending {
            let patient = &mut self.patients[place];
            match strike(&pending.what, patient.local(pending.at)) {
                Struck::Done => {}
                Struck::NotYet => patient.pending.push(pending),
                Struck::Stands(at) => patient.stand(at, pending.lasts),
            }
        }
    }

    /// The time of a device at a second of the world.
    pub(in super::super) fn local(&self, place: usize, at: f64) -> f64 {
        self.patients[place].local(at)
    }

    /// How often calls of a device that wait were let go.
    pub(in super::super) fn released(&self, place: usize) -> u64 {
        self.patients[place].released
    }

    /// Why the link to a device is down, and since when; `None` for that of the whole observatory.
    pub(in super::super) fn lost(&self, place: Option<usize>) -> Option<(f64, Error)> {
        let lost = match place {
            Some(place) => self.patients[place].lost(),
            None => self.patients.iter().find_map(|patient| patient.lost().filter(|strike| strike.whole)),
        };
        lost.map(|strike| (strike.since, why_lost(strike)))
    }

    /// True when a frame of a camera may come once more.
    pub(super) fn may_repeat(&self, place: usize) -> bool {
        let repeats = |what: &What| *what == What::DuplicateFrame;
        self.patients[place].strikes.iter().any(|strike| repeats(&strike.what))
            || self.armed.iter().any(|armed| repeats(&armed.fault.what) && armed.on.contains(&place))
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

    /// Throws the dice: SplitMix64.
    fn happens(&mut self, fault: &Fault) -> bool {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.dice;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let chance = ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        chance < fault.chance
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

impl Patient {
    /// It goes wrong from now on; with an exposure of this number, if it is not 0.
    fn begin(&mut self, fault: &Fault, at: f64, exposure: u64) {
        let what = fault.what.clone();
        let lasts = fault.lasts.map_or(f64::INFINITY, |time| time.as_secs_f64());
        let left = match (fault.times, fault.lasts) {
            (Some(times), _) => times,
            (None, Some(_)) => u32::MAX,
            (None, None) => 1,
        };
        let is_told = matches!(what, What::PowerCycle | What::UsbReset | What::Stick | What::ClockJump(_));
        if is_told || what.is_of_exposures() {
            // Exposures are told one after the other.
            let times = if what.is_of_exposures() { fault.times.unwrap_or(1).min(MOST) } else { 1 };
            let waiting = self.pending.iter().filter(|pending| pending.what == what).count();
            let pending = Pending { what: what.clone(), at, lasts };
            self.pending.extend(std::iter::repeat_n(pending, (times as usize).saturating_sub(waiting)));
        }
        let single = what.is_of_calls() || what.is_of_frames();
        if single || matches!(what, What::LoseLink | What::UsbReset | What::CoolerOff) {
            let call = if let When::Call { name, .. } = &fault.when { name.clone() } else { None };
            let last = exposure.saturating_add(u64::from(left));
            let counted = exposure > 0 && what.is_of_frames() && left < u32::MAX;
            let exposures = if counted { exposure..last } else { 0..u64::MAX };
            let whole = fault.device == "all";
            self.add(Strike { what, since: at, until: at + lasts, left, whole, call, exposures });
        }
    }

    /// One that has not been used up is renewed: nothing piles up while nobody looks.
    fn add(&mut self, new: Strike) {
        let same = |old: &&mut Strike| (&old.what, &old.call, &old.exposures) == (&new.what, &new.call, &new.exposures);
        match self.strikes.iter_mut().find(same) {
            Some(old) => (old.until, old.left) = (old.until.max(new.until), old.left.max(new.left)),
            None => self.strikes.push(new),
        }
    }

    /// Ends what is over.
    fn expire(&mut self, now: f64) {
        self.end(now, |strike| strike.until <= now || strike.left == 0);
    }

    fn end(&mut self, now: f64, over: impl Fn(&Strike) -> bool) {
        let back = self.strikes.iter().filter(|strike| strike.what == What::LoseLink && over(strike));
        let back = back
            .map(|strike| strike.until.min(now))
            .fold(None, |last: Option<f64>, at| Some(last.unwrap_or(at).max(at)));
        self.strikes.retain(|strike| !over(strike));
        if let Some(at) = back.filter(|_| self.lost().is_none()) {
            self.cool_off(at);
        }
    }

    fn cool_off(&mut self, at: f64) {
        if self.strikes.iter().any(|strike| strike.what == What::CoolerOff) {
            self.pending.push(Pending { what: What::CoolerOff, at, lasts: 0.0 });
        }
    }

    fn lost(&self) -> Option<&Strike> {
        self.strikes.iter().find(|strike| strike.what == What::LoseLink)
    }

    fn verdict(&mut self, name: &str, now: f64) -> Verdict {
        if let Some(strike) = self.lost() {
            return Verdict::Fails(why_lost(strike));
        }
        let released = self.released;
        let happens = |strike: &&mut Strike| {
            let called = strike.call.as_ref().is_none_or(|call| call == name);
            strike.what.is_of_calls() && strike.left > 0 && called
        };
        let Some(strike) = self.strikes.iter_mut().find(happens) else { return Verdict::Goes };
        strike.left = strike.left.saturating_sub(1);
        match &strike.what {
            What::Late(by) => Verdict::Waits { until: now + by.as_secs_f64(), released },
            What::Throw(message) => {
                Verdict::Fails(Error::new(ErrorKind::Device(0), format!("{name} failed: {message}")))
            }
            _ => Verdict::Waits { until: strike.until, released },
        }
    }

    /// True when the frame of an exposure suffers this; it counts as one of its times.
    pub(super) fn spoils(&mut self, what: &What, exposure: u64) -> bool {
        let happens =
            |strike: &&mut Strike| strike.what == *what && strike.left > 0 && strike.exposures.contains(&exposure);
        let Some(strike) = self.strikes.iter_mut().find(happens) else { return false };
        if what.is_of_frames() {
            strike.left -= 1;
        }
        true
    }

    /// Its own time at a second of the world.
    fn local(&self, at: f64) -> f64 {
        let mut stood = 0.0;
        for (from, lasts) in &self.stills {
            match at - stood - from {
                before if before <= 0.0 => break,
                within if within < *lasts => return *from,
                _ => stood += lasts,
            }
        }
        at - stood
    }

    /// Stands still from a second of its own time on.
    fn stand(&mut self, from: f64, lasts: f64) {
        match self.stills.iter_mut().find(|(known, _)| *known == from) {
            Some((_, known)) => *known = known.max(lasts),
            None => self.stills.push((from, lasts)),
        }
        self.stills.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    }

    /// What stands still for ever, or in whatever way, moves on.
    fn move_on(&mut self, now: f64, all: bool) {
        let mut stood = 0.0;
        self.stills.retain_mut(|(from, lasts)| {
            let made = now - stood - *from;
            if all || lasts.is_infinite() {
                *lasts = lasts.min(made.max(0.0));
            }
            stood += *lasts;
            *lasts > 0.0
        });
    }
}

fn why_lost(strike: &Strike) -> Error {
    let whose = if strike.whole { "the link to the observatory" } else { "its link" };
    Error::new(ErrorKind::Unreachable, format!("{whose} is down"))
}
