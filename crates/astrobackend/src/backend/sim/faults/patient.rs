//! What happens to one device: what goes on, what its unit has still to learn, and when it stands still.

use super::{Fault, Struck, Verdict, What, When};
use crate::{Error, ErrorKind, image::Image};
use std::ops::Range;

/// Exposures after which a frame that was to be spoilt is not expected any more.
const KEPT: u64 = 16;

/// Exposures that one fault happens to at most.
const MOST: u32 = 1000;

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
    pub(super) last: Option<Image>,
}

impl Patient {
    /// Nothing goes on, and nothing has left a trace.
    pub(super) fn is_well(&self) -> bool {
        self.strikes.is_empty() && self.pending.is_empty() && self.stills.is_empty()
    }

    /// Ends all that goes on.
    pub(super) fn heal(&mut self, now: f64) {
        self.strikes.clear();
        self.pending.clear();
        self.move_on(now, true);
        self.released += 1;
    }

    /// How often calls that wait were let go.
    pub(super) fn released(&self) -> u64 {
        self.released
    }

    /// Somebody tries to connect it, which puts a cable in again; true when that was the cable of all devices.
    pub(super) fn plug_in(&mut self, now: f64) -> bool {
        if !std::mem::replace(&mut self.tried, true) {
            return false;
        }
        let whole = self.strikes.iter().any(|strike| strike.is_unplugged() && strike.whole);
        self.end(now, Strike::is_unplugged);
        whole
    }

    /// The cable of all devices is in again.
    pub(super) fn end_whole(&mut self, now: f64) {
        self.end(now, |strike| strike.is_unplugged() && strike.whole);
    }

    /// Frames that were to be spoilt and did not come by now will not come.
    pub(super) fn forget_frames(&mut self, exposure: u64) {
        self.strikes.retain(|strike| strike.exposures.end.saturating_add(KEPT) > exposure);
    }

    /// It was disconnected and is connected anew; the first time it was not.
    pub(super) fn reconnected(&mut self, now: f64) {
        if !std::mem::replace(&mut self.known, true) {
            return;
        }
        self.cool_off(now);
        let lasts = |strike: &Strike| {
            let single = strike.what.is_of_calls() || strike.what.is_of_frames();
            strike.until.is_infinite() && !single && strike.what != What::CoolerOff
        };
        self.end(now, lasts);
        self.move_on(now, false);
    }

    /// It is connected already.
    pub(super) fn met(&mut self) {
        (self.tried, self.known) = (true, true);
    }

    /// What it was to stand still for later is over.
    pub(super) fn given_up(&mut self, now: f64) {
        let local = self.local(now);
        self.stills.retain(|(from, _)| *from <= local);
    }

    /// Tells its unit what that has still to learn.
    pub(super) fn tell(&mut self, mut strike: impl FnMut(&What, f64) -> Struck) {
        for pending in std::mem::take(&mut self.pending) {
            match strike(&pending.what, self.local(pending.at)) {
                Struck::Done => {}
                Struck::NotYet => self.pending.push(pending),
                Struck::Stands(at) => self.stand(at, pending.lasts),
            }
        }
    }

    /// True while a frame may come once more.
    pub(super) fn may_repeat(&self) -> bool {
        self.strikes.iter().any(|strike| strike.what == What::DuplicateFrame)
    }

    /// Since when its link is down, and why.
    pub(super) fn lost(&self) -> Option<(f64, Error)> {
        self.strikes.iter().find(|strike| strike.what == What::LoseLink).map(Strike::loss)
    }

    /// The same of the link of the whole observatory.
    pub(super) fn lost_with_all(&self) -> Option<(f64, Error)> {
        self.strikes.iter().find(|strike| strike.what == What::LoseLink && strike.whole).map(Strike::loss)
    }

    /// It goes wrong from now on; with an exposure of this number, if it is not 0.
    pub(super) fn begin(&mut self, fault: &Fault, at: f64, exposure: u64) {
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
    pub(super) fn expire(&mut self, now: f64) {
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

    pub(super) fn verdict(&mut self, name: &str, now: f64) -> Verdict {
        if let Some((_, why)) = self.lost() {
            return Verdict::Fails(why);
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
    pub(super) fn local(&self, at: f64) -> f64 {
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

impl Strike {
    /// A link that is down until somebody puts the cable in again.
    fn is_unplugged(&self) -> bool {
        self.what == What::LoseLink && self.until.is_infinite()
    }

    fn loss(&self) -> (f64, Error) {
        let whose = if self.whole { "the link to the observatory" } else { "its link" };
        (self.since, Error::new(ErrorKind::Unreachable, format!("{whose} is down")))
    }
}
