//! The simulated focuser: a motor that needs its time, play in its gears, and a tube that shrinks in the cold.

use super::{
    clock::Now,
    faults::{Doing, Struck, What},
    handle::{Handle, Unit},
    options::Options,
    weather::ambient,
};
use crate::{
    Celsius, Degrees, Error, Microns, Result,
    device::{Age, Control, ControlInfo, Focuser, FocuserCaps, FocuserState},
};

/// Length of a step.
const STEP: Microns = Microns(0.2);

/// Where the drawtube stands at the beginning: stars are seen, but can be sharper.
const START: i32 = 24_500;

/// Steps by which the best focus moves when it gets one degree warmer.
const DRIFT: f64 = -50.0;

/// Steps per second, unless told otherwise.
const SPEED: f64 = 2000.0;

/// The motor and the drawtube behind it.
#[derive(Debug)]
pub(super) struct Drawtube {
    longitude: Degrees,
    /// Best position with a filter of no offset, at `reference`.
    best: f64,
    reference: Celsius,
    /// Farthest position that the mechanics allow.
    travel: i32,
    /// Farthest position that is allowed now.
    max: i32,
    /// Steps per second.
    speed: f64,
    /// A move in reported steps, and when it began.
    from: f64,
    to: f64,
    began: f64,
    /// Temperature when that move began, while the motor follows the temperature.
    follows: Option<Celsius>,
    /// Steps of the mechanics are `datum + sign * reported`.
    datum: f64,
    sign: f64,
    /// Steps of play in the gears, and how many of them the driver takes up.
    play: f64,
    taken_up: f64,
    /// Where the tube stood in steps of the mechanics when the move began.
    tube: f64,
}

impl Drawtube {
    pub(super) fn new(options: &Options, now: Now) -> Self {
        let start = f64::from(START.min(options.focuser_steps));
        Drawtube {
            longitude: options.site.longitude,
            best: f64::from(options.best_focus),
            reference: ambient(options.site.longitude, now.utc),
            travel: options.focuser_steps,
            max: options.focuser_steps,
            speed: SPEED,
            from: start,
            to: start,
            began: 0.0,
            follows: None,
            datum: 0.0,
            sign: 1.0,
            play: f64::from(options.backlash),
            taken_up: 0.0,
            tube: start,
        }
    }

    /// Distance of the chip from the focal plane in micrometres, with a filter's offset in steps.
    pub(super) fn defocus(&self, filter_offset: i32, now: Now) -> f64 {
        let warmer = ambient(self.longitude, now.utc) - self.reference;
        (self.tube_at(now) - self.best - DRIFT * warmer.0 - f64::from(filter_offset)) * STEP.0
    }

    /// Reported steps that the move has made, whole or in part.
    fn made(&self, now: Now) -> f64 {
        let way = self.to - self.from;
        ((now.seconds - self.began) * self.speed).min(way.abs()).copysign(way)
    }

    fn is_moving(&self, now: Now) -> bool {
        self.made(now) != self.to - self.from
    }

    /// Steps that the motor made on its own to follow the temperature.
    fn followed(&self, now: Now) -> f64 {
        let warmer = |since: Celsius| ambient(self.longitude, now.utc) - since;
        self.follows.map_or(0.0, |since| DRIFT * self.sign * warmer(since).0)
    }

    fn position(&self, now: Now) -> i32 {
        let steps = self.from + self.made(now) + self.followed(now);
        (steps.round() as i32).clamp(0, self.max)
    }

    /// Where the tube stands in steps of the mechanics: play leaves it behind when the direction turns.
    fn tube_at(&self, now: Now) -> f64 {
        let motor = self.datum + self.sign * (self.from + self.made(now));
        let outward = (self.to - self.from) * self.sign;
        let pushed = if outward > 0.0 {
            self.tube.max(motor + self.taken_up - self.play)
        } else if outward < 0.0 {
            self.tube.min(motor)
        } else {
            self.tube
        };
        pushed + self.sign * self.followed(now)
    }

    /// Ends the move where it is now and begins another.
    fn go(&mut self, to: f64, now: Now) {
        let (position, tube) = (self.from + self.made(now) + self.followed(now), self.tube_at(now));
        (self.from, self.tube, self.to, self.began) = (position, tube, to, now.seconds);
        self.follows = self.follows.map(|_| ambient(self.longitude, now.utc));
    }

    /// Goes on as before, with what is set from now on.
    fn resume(&mut self, now: Now) {
        let moving = self.is_moving(now);
        self.go(self.to + self.followed(now), now);
        if !moving {
            self.from = self.to;
        }
    }

    /// Stands still from now on.
    fn stand(&mut self, now: Now) {
        self.go(f64::from(self.position(now)), now);
        self.from = self.to;
    }

    fn check(&self, position: i64) -> Result<f64> {
        if position < 0 {
            return Err(Error::invalid(format!("position {position} is below 0")));
        }
        if position > i64::from(self.max) {
            return Err(Error::invalid(format!("position {position} is beyond {}", self.max)));
        }
        Ok(position as f64)
    }

    fn move_to(&mut self, position: i64, now: Now) -> Result<()> {
        let position = self.check(position)?;
        self.go(position, now);
        Ok(())
    }

    /// Counts from another position or the other way round; nothing moves.
    fn recount(&mut self, position: f64, sign: f64, now: Now) -> Result<()> {
        if self.is_moving(now) {
            return Err(Error::invalid_operation("cannot count anew while it moves"));
        }
        self.stand(now);
        self.datum += self.sign * self.from - sign * position;
        (self.sign, self.from, self.to) = (sign, position, position);
        Ok(())
    }

    fn limit(&mut self, max: i32, now: Now) -> Result<()> {
        let reaches = self.position(now).max(self.to.round() as i32);
        if reaches > max {
            return Err(Error::invalid(format!("the largest position cannot be {max}: it stands at {reaches}")));
        }
        self.max = max;
        Ok(())
    }

    fn caps(&self) -> FocuserCaps {
        FocuserCaps {
            max_position: self.max,
            max_move: self.max,
            absolute: true,
            step_size: Some(STEP),
            halt: true,
            sync: true,
            temperature: true,
        }
    }
}

impl Unit for Drawtube {
    fn controls(&self) -> Vec<ControlInfo> {
        vec![
            ControlInfo::switch(Control::TemperatureCompensation),
            ControlInfo::switch(Control::Reversed),
            ControlInfo::range(Control::Backlash, 0.0, 10_000.0, 1.0),
            ControlInfo::range(Control::Speed, 100.0, 5000.0, 1.0),
            // The place where it stands stays within reach.
            ControlInfo::range(
                Control::MaxPosition,
                self.from.max(self.to).max(1.0).ceil(),
                f64::from(self.travel),
                1.0,
            ),
        ]
    }

    fn control(&self, control: Control) -> f64 {
        match control {
            Control::TemperatureCompensation => f64::from(u8::from(self.follows.is_some())),
            Control::Reversed => f64::from(u8::from(self.sign < 0.0)),
            Control::Backlash => self.taken_up,
            Control::Speed => self.speed,
            _ => f64::from(self.max),
        }
    }

    fn set_control(&mut self, control: Control, value: f64, now: Now) -> Result<()> {
        match control {
            Control::TemperatureCompensation => {
                self.resume(now);
                self.follows = (value >= 0.5).then(|| ambient(self.longitude, now.utc));
            }
            Control::Reversed => {
                let sign = if value >= 0.5 { -1.0 } else { 1.0 };
                self.recount(f64::from(self.position(now)), sign, now)?;
            }
            Control::Backlash => {
                self.resume(now);
                self.taken_up = value.round();
            }
            Control::Speed => {
                self.resume(now);
                self.speed = value;
            }
            _ => self.limit(value as i32, now)?,
        }
        Ok(())
    }

    fn disconnect(&mut self, now: Now) {
        self.stand(now);
    }

    fn doing(&self, now: Now) -> Option<Doing> {
        self.is_moving(now).then_some(Doing::Moving)
    }

    fn strike(&mut self, what: &What, at: Now) -> Struck {
        match what {
            What::Stick => return Struck::Stands(at.seconds),
            What::PowerCycle => {
                self.stand(at);
                (self.follows, self.taken_up, self.speed) = (None, 0.0, SPEED);
            }
            _ => {}
        }
        Struck::Done
    }
}

impl Focuser for Handle<Drawtube> {
    fn caps(&self) -> Result<FocuserCaps> {
        self.look("caps", |tube, _| Ok(tube.caps()))
    }

    fn state(&self) -> Result<FocuserState> {
        self.look("state", |tube, now| {
            Ok(FocuserState {
                position: Some(tube.position(now)),
                moving: tube.is_moving(now),
                temperature: Some(ambient(tube.longitude, now.utc).rounded()),
                age: Age::NOW,
            })
        })
    }

    fn start_move(&self, position: i32) -> Result<()> {
        self.order("start_move", |tube, now| tube.move_to(i64::from(position), now))
    }

    fn start_move_by(&self, steps: i32) -> Result<()> {
        self.order("start_move_by", |tube, now| tube.move_to(i64::from(tube.position(now)) + i64::from(steps), now))
    }

    fn halt(&self) -> Result<()> {
        self.order("halt", |tube, now| {
            tube.stand(now);
            Ok(())
        })
    }

    fn sync(&self, position: i32) -> Result<()> {
        self.order("sync", |tube, now| {
            let position = tube.check(i64::from(position))?;
            tube.recount(position, tube.sign, now)
        })
    }
}
