//! The frame guard: is a delivered picture the one that was asked for, and whole?
//!
//! Every camera has a [`Guard`]. It gives each exposure a [`Ticket`] when it is started: its number, and what was
//! asked. The ticket judges the picture that comes, before anybody gets it, and leaves a [`Verdict`] in its
//! [`meta`](crate::image::ImageMeta::verdict). Nothing else of a picture is changed, and no exposure fails because of
//! what is found: whoever takes the picture decides.
//!
//! # What is looked at
//!
//! | finding | light, flat | dark, bias |
//! |---|---|---|
//! | another size than asked for, also where the camera has lost the frame that was set | bad | bad |
//! | the same pixels as the frame before, bit for bit | bad | bad |
//! | the peer says that it is the exposure before once more | bad | bad |
//! | last rows of one value below rows that are noisy | bad | bad |
//! | all pixels are 0 | bad | suspect: an offset of 0 may do that |
//! | nearly all pixels are 0 (999 of 1000; more than 8 bits) | bad | |
//! | all pixels have one value, not 0 | bad; of 8 bits suspect | suspect; of 8 bits nothing: the noise is below a unit |
//! | all pixels are near the largest value, or nearly all have it | suspect | suspect |
//! | one plane of several has one value | suspect | suspect |
//! | pixels of another type, or another number of planes, than before or than the sensor's | suspect | suspect |
//! | exposed for another time than asked (by 0.1 s and 2 %), and nobody stopped it | suspect | suspect |
//! | it began five minutes before the command, or after it arrived | suspect | suspect |
//! | its beginning does not fit that of the frame before (by 2 s): a clock has jumped, or it is an old frame | suspect | suspect |
//!
//! A picture that is hardly noisy (8 bits of a dark sky) may well equal the one before, and its last rows may well be
//! of one value: neither is then held against it. Pictures of fewer than 64 pixels are judged by their size and times
//! alone. Pixels of 8 bits are those of `u8`, those whose largest value is 255 or less, and 16-bit ones of a converter
//! that leaves the lowest four bits 0.
//!
//! A picture that a guard has already judged nearer to the camera, which is what a bridge delivers, keeps that verdict
//! unless more is found here; its clock was judged there.
//!
//! # Cost
//! Of large pictures about a million pixels are read, in rows spread evenly and always the same; the last rows are
//! looked at until one varies.

mod rules;
mod survey;
#[cfg(test)]
mod tests;

use crate::{
    Error, Image, Result, Timestamp,
    device::{CameraCaps, Exposure, Sensor},
    event::EventKind,
    image::Frame,
    sync::lock,
};
use rules::{Before, Findings};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};
use survey::Survey;

/// What a guard thinks of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is wrong with it.
    Ok,
    /// A person should look at it, for this reason.
    Suspect(String),
    /// It is not what was asked for, or damaged, for this reason.
    Bad(String),
}

impl Verdict {
    /// True when nothing is wrong.
    pub fn is_ok(&self) -> bool {
        *self == Verdict::Ok
    }

    /// True for a picture that should not be used.
    pub fn is_bad(&self) -> bool {
        matches!(self, Verdict::Bad(_))
    }

    /// `ok`, `suspect` or `bad`.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Suspect(_) => "suspect",
            Verdict::Bad(_) => "bad",
        }
    }

    /// What is wrong; `None` when nothing is.
    pub fn why(&self) -> Option<&str> {
        match self {
            Verdict::Ok => None,
            Verdict::Suspect(why) | Verdict::Bad(why) => Some(why),
        }
    }

    /// The worse of two, with the reasons of both.
    ///
    /// ```
    /// use astrobackend::guard::Verdict;
    /// let both = Verdict::Suspect("late".into()).and(Verdict::Bad("black".into()));
    /// assert_eq!(both, Verdict::Bad("late; black".into()));
    /// ```
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        let bad = self.is_bad() || other.is_bad();
        let why = match (self, other) {
            (Verdict::Ok, other) => return other,
            (verdict, Verdict::Ok) => return verdict,
            (Verdict::Suspect(first) | Verdict::Bad(first), Verdict::Suspect(second) | Verdict::Bad(second)) => {
                match (first.contains(&second), second.contains(&first)) {
                    (true, _) => first,
                    (_, true) => second,
                    _ => format!("{first}; {second}"),
                }
            }
        };
        if bad { Verdict::Bad(why) } else { Verdict::Suspect(why) }
    }
}

/// `ok`, `suspect: why`, `bad: why`; [`Verdict::from_str`] reads it.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why() {
            None => f.write_str(self.name()),
            Some(why) => write!(f, "{}: {why}", self.name()),
        }
    }
}

impl FromStr for Verdict {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, why) = text.split_once(':').unwrap_or((text, ""));
        let why = || why.trim().to_owned();
        match name.trim().to_ascii_lowercase().as_str() {
            "ok" => Ok(Verdict::Ok),
            "suspect" => Ok(Verdict::Suspect(why())),
            "bad" => Ok(Verdict::Bad(why())),
            _ => Err(Error::invalid(format!("{text:?} is no verdict: ok, suspect: WHY, bad: WHY"))),
        }
    }
}

/// Watches over the exposures of one camera. Clones are the same guard.
#[derive(Clone, Debug)]
pub struct Guard {
    on: bool,
    state: Arc<Mutex<State>>,
}

/// What a guard remembers.
#[derive(Debug, Default)]
struct State {
    exposures: u64,
    /// The newest frame that was judged, and the one before, should the newest be judged again.
    last: Option<Before>,
    earlier: Option<Before>,
}

impl State {
    /// The frame before that of an exposure.
    fn before(&self, number: u64) -> Option<&Before> {
        [&self.last, &self.earlier].into_iter().flatten().find(|before| before.number < number)
    }

    fn remember(&mut self, now: Before) {
        match &self.last {
            Some(last) if last.number == now.number => self.last = Some(now),
            Some(last) if last.number > now.number => {}
            _ => self.earlier = self.last.replace(now),
        }
    }
}

impl Guard {
    /// A guard that judges when it is `on`, and only counts exposures when it is not.
    pub fn new(on: bool) -> Self {
        Guard { on, state: Arc::default() }
    }

    /// True when it judges.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// What the value of the option `guard` of an address says: `on` or `off`.
    pub(crate) fn option(value: &str) -> Option<bool> {
        match value {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }

    fn ticket(&self, asked: Option<Asked>) -> Ticket {
        let mut state = lock(&self.state);
        state.exposures += 1;
        Ticket { guard: self.clone(), number: state.exposures, asked: asked.map(Arc::new), stopped: false }
    }

    /// An exposure is started: with these settings, at a moment by the backend's clock.
    pub fn begin(&self, exposure: Exposure, frame: Frame, caps: &CameraCaps, at: Timestamp) -> Ticket {
        let resolution = caps.exposure_resolution;
        self.ticket(Some(Asked { exposure, frame, sensor: caps.sensor.clone(), resolution, at }))
    }

    /// A picture has come of which nobody here knows how it was asked for: another client's.
    pub fn unasked(&self) -> Ticket {
        self.ticket(None)
    }
}

/// By how many pixels a driver may round what it is told, where its sensor is read in blocks.
const ROUNDING: u32 = 64;

/// The frame that an exposure is to have: the one that was set from here, if any, though the camera may have lost it;
/// `now` is what the camera says, which may be that frame rounded.
pub(crate) fn wanted(set: Option<Frame>, now: Frame) -> Frame {
    let Some(set) = set else { return now };
    let is_rounded = (set.bin_x, set.bin_y) == (now.bin_x, now.bin_y)
        && set.width.abs_diff(now.width) <= ROUNDING
        && set.height.abs_diff(now.height) <= ROUNDING;
    if is_rounded { now } else { set }
}

/// How an exposure was asked for.
#[derive(Debug)]
struct Asked {
    exposure: Exposure,
    frame: Frame,
    sensor: Sensor,
    /// Smallest difference between two exposure times.
    resolution: Duration,
    at: Timestamp,
}

/// The identity of an exposure: its number, and what was asked.
#[derive(Clone, Debug)]
pub struct Ticket {
    guard: Guard,
    number: u64,
    asked: Option<Arc<Asked>>,
    stopped: bool,
}

impl Ticket {
    /// The number of the exposure, from 1 on since the camera was opened.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The exposure is ended early, and its picture kept.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Judges the exposure's picture, which arrives `now` by the backend's clock; `told` is how long it was exposed as
    /// the peer says. Number and verdict go into its meta. Answers the news for listeners, `None` from a guard that is
    /// off.
    ///
    /// A number that is there already is that of a guard nearer to the camera, and stays; a verdict that is there is
    /// joined with that of this guard.
    pub fn judge(&self, image: &mut Image, now: Timestamp, told: Option<Duration>) -> Option<EventKind> {
        let peer = image.meta.exposure_number;
        let number = *image.meta.exposure_number.get_or_insert(self.number);
        if !self.guard.on {
            return None;
        }
        let mut findings = Findings::default();
        let survey = Survey::of(image);
        findings.pixels(image, &survey);
        let upstream = image.meta.verdict.take();
        let this = Before::new(self, image, &survey, peer, now, self.asked.as_deref());
        if let Some(asked) = &self.asked {
            findings.as_asked(image, asked);
            findings.exposure(asked, told, self.stopped);
        }
        let mut state = lock(&self.guard.state);
        let before = state.before(self.number);
        if upstream.is_none() {
            findings.clock(&this, before);
        }
        if let Some(before) = before {
            findings.beside(&this, before, image);
        }
        state.remember(this);
        drop(state);
        let verdict = findings.0.and(upstream.unwrap_or(Verdict::Ok));
        image.meta.verdict = Some(verdict.clone());
        Some(EventKind::Frame { number, frame_type: image.meta.frame_type, verdict })
    }
}
