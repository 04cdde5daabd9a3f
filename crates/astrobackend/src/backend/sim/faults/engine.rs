//! Which faults strike when: counts calls, watches the clock, and remembers what is going on.
//!
//! Nothing runs in between: whoever calls a device brings this up to the present moment first. A unit learns of what
//! happens to it in [`Unit::strike`](super::super::handle::Unit::strike), at the moment at which it happened.

use super::{Doing, Fault, What, When};
use crate::{Error, ErrorKind, device::DeviceId};

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
    /// It goes on at this second of the world, which may be never.
    Waits(f64),
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
    /// Beginnings and ends, seconds of the world, of the times for which it stood still.
    stills: Vec<(f64, f64)>,
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

    /// Adds a fault.
    ///
    /// # Errors
    /// `InvalidValue` for what it cannot be, `NotFound` for a device that there is not.
    pub(in super::super) fn arm(&mut self, fault: Fault, calls: &[&str]) -> Result<(), Error> {
        fault.check().map_err(Error::invalid)?;
        if let When::Call { name: Some(name), .. } = &fault.when
            && !calls.contains(&name.as_str())
        {
            return Err(Error::invalid(format!("there is no call {name:?}; there are {}", calls.join(", "))));
        }
        let on = self.places(&fault.device)?;
        let next = if let When::At(at) = fault.when { at } else { f64::INFINITY };
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
            patient.move_on(now);
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
            if let Some(fault) = self.armed[armed].called(place, name, doing) {
                self.strike(armed, &fault, now);
            }
        }
        let patient = &mut self.patients[place];
        if name == "connect" {
            // Somebody has put the cable in again.
            patient.end(now, |strike| strike.what == What::LoseLink && strike.until.is_infinite());
        }
        patient.verdict(name, now)
    }

    /// What becomes of a look that nobody made by a call: only a lost link is in its way.
    pub(in super::super) fn look(&mut self, place: usize, now: f64) -> Verdict {
        self.advance(now);
        self.patients[place].lost().map_or(Verdict::Goes, |strike| Verdict::Fails(why_lost(strike)))
    }

    /// An exposure was accepted.
    pub(in super::super) fn exposed(&mut self, place: usize, number: u64, now: f64) {
        for armed in 0..self.armed.len() {
            if let Some(fault) = self.armed[armed].exposed(place, number) {
                self.strike_one(&fault, place, now);
            }
        }
    }

    /// The device was disconnected and is connected anew.
    pub(in super::super) fn reconnected(&mut self, place: usize, now: f64) {
        let patient = &mut self.patients[place];
        patient.cool_off(now);
        let lasts = |what: &Strike| what.until.is_infinite() && !what.what.is_of_calls() && !what.what.is_of_frames();
        patient.end(now, |strike| lasts(strike) && strike.what != What::CoolerOff);
        patient.move_on(now);
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

    /// True while a call that waits has reason to.
    pub(in super::super) fn holds(&self, place: usize) -> bool {
        self.patients[place].strikes.iter().any(|strike| matches!(strike.what, What::Hang | What::Late(_)))
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
            places.into_iter().for_each(|place| self.begin(fault, place, at));
        }
    }

    fn strike_one(&mut self, fault: &Fault, place: usize, at: f64) {
        if self.happens(fault) {
            self.begin(fault, place, at);
        }
    }

    fn begin(&mut self, fault: &Fault, place: usize, at: f64) {
        self.patients[place].begin(fault, at);
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
    fn begin(&mut self, fault: &Fault, at: f64) {
        let what = fault.what.clone();
        let lasts = fault.lasts.map_or(f64::INFINITY, |time| time.as_secs_f64());
        let single = what.is_of_calls() || what.is_of_frames();
        let left = match (fault.times, fault.lasts) {
            (Some(times), _) => times,
            (None, Some(_)) => u32::MAX,
            (None, None) => 1,
        };
        if what.is_of_exposures() {
            // Each is told of when it can happen: one exposure after the other.
            let pending = Pending { what, at, lasts };
            let times = if fault.times.is_some() { left } else { 1 };
            self.pending.extend(std::iter::repeat_n(pending, times.min(1000) as usize));
            return;
        }
        let is_told = matches!(what, What::PowerCycle | What::UsbReset | What::Stick | What::ClockJump(_));
        if is_told {
            self.pending.push(Pending { what: what.clone(), at, lasts });
        }
        let goes_on = single || matches!(what, What::LoseLink | What::UsbReset | What::CoolerOff);
        if goes_on {
            let whole = fault.device == "all";
            self.strikes.push(Strike { what, since: at, until: at + lasts, left, whole });
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
        let Some(strike) = self.strikes.iter_mut().find(|strike| strike.what.is_of_calls() && strike.left > 0) else {
            return Verdict::Goes;
        };
        strike.left = strike.left.saturating_sub(1);
        match &strike.what {
            What::Late(by) => Verdict::Waits(now + by.as_secs_f64()),
            What::Throw(message) => {
                Verdict::Fails(Error::new(ErrorKind::Device(0), format!("{name} failed: {message}")))
            }
            _ => Verdict::Waits(strike.until),
        }
    }

    /// True when a frame suffers this; it counts as one of its times.
    pub(super) fn spoils(&mut self, what: &What) -> bool {
        let strike = self.strikes.iter_mut().find(|strike| strike.what == *what && strike.left > 0);
        strike.is_some_and(|strike| {
            if what.is_of_frames() {
                strike.left -= 1;
            }
            true
        })
    }

    /// Its own time at a second of the world.
    fn local(&self, at: f64) -> f64 {
        let stood = self.stills.iter().map(|(from, to)| (at.min(*to) - from).max(0.0));
        at - stood.sum::<f64>()
    }

    /// Stands still from a second of its own time on.
    fn stand(&mut self, local: f64, lasts: f64) {
        if self.stills.iter().any(|(_, to)| to.is_infinite()) {
            return;
        }
        let from = local + self.stills.iter().map(|(from, to)| to - from).sum::<f64>();
        self.stills.push((from, from + lasts));
    }

    /// Whatever stands still moves on.
    fn move_on(&mut self, now: f64) {
        self.stills.retain(|(from, _)| *from < now);
        self.stills.iter_mut().for_each(|(_, to)| *to = to.min(now));
    }
}

fn why_lost(strike: &Strike) -> Error {
    let whose = if strike.whole { "the link to the observatory" } else { "its link" };
    Error::new(ErrorKind::Unreachable, format!("{whose} is down"))
}
