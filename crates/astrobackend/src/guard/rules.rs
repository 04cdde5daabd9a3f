//! What is held against a picture.

use super::{Asked, Survey, Ticket, Verdict};
use crate::{
    Image, Timestamp,
    device::{Colour, FrameType},
    image::Pixels,
};
use std::time::Duration;

/// Pictures with fewer pixels say too little by them.
const FEWEST: usize = 64;

/// Exposure times may differ by so much, and by this share of them.
const ROUNDING: Duration = Duration::from_millis(100);
const SHARE: f64 = 0.02;

/// Clocks of two computers may differ by so many seconds without anybody having cared.
const CLOCKS: f64 = 300.0;

/// A clock drifts by no more than so many seconds from one frame to the next.
const DRIFT: f64 = 2.0;

/// Where at least this share of neighbours differs, no two frames are equal by chance.
const NOISY: f64 = 1.0 / 16.0;

/// So few in a thousand are nearly none.
const NEARLY_ALL: f64 = 0.999;

/// Cameras are saturated somewhat below the largest value, and those that do not tell theirs at that of their converter.
const FULL: f64 = 0.9;
const FULL_SCALES: [f64; 3] = [1023.0, 4095.0, 16_383.0];

/// What a frame is remembered by.
#[derive(Clone, Debug)]
pub(super) struct Before {
    /// The number of its ticket, and the one that it came with.
    pub(super) number: u64,
    peer: Option<u64>,
    size: (u32, u32, u8),
    pixel_type: &'static str,
    /// The peer tells how many bits its pixels have, so it knows their type.
    typed: bool,
    fingerprint: Option<u64>,
    start: Option<Timestamp>,
    /// By how many seconds the camera's clock is ahead of ours, at least and at most.
    ahead: Option<(f64, f64)>,
}

impl Before {
    pub(super) fn new(
        ticket: &Ticket,
        image: &Image,
        survey: &Survey,
        peer: Option<u64>,
        now: Timestamp,
        asked: Option<&Asked>,
    ) -> Self {
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
        let start = image.meta.start;
        let ahead = start.zip(asked).map(|(start, asked)| (seconds(now, start), seconds(asked.at, start)));
        let noisy = survey.differing >= FEWEST && survey.differing as f64 >= NOISY * survey.pixels as f64;
        Before {
            number: ticket.number,
            peer,
            size: (image.width(), image.height(), image.planes()),
            pixel_type: image.pixels().type_name(),
            typed: asked.is_some_and(|asked| asked.sensor.bits_per_pixel.is_some()),
            fingerprint: noisy.then_some(survey.fingerprint),
            start,
            ahead,
        }
    }
}

/// What was found so far.
#[derive(Debug)]
pub(super) struct Findings(pub(super) Verdict);

impl Default for Findings {
    fn default() -> Self {
        Findings(Verdict::Ok)
    }
}

impl Findings {
    fn add(&mut self, verdict: Verdict) {
        self.0 = std::mem::replace(&mut self.0, Verdict::Ok).and(verdict);
    }

    fn bad(&mut self, why: impl Into<String>) {
        self.add(Verdict::Bad(why.into()));
    }

    fn suspect(&mut self, why: impl Into<String>) {
        self.add(Verdict::Suspect(why.into()));
    }

    /// What the pixels alone say.
    pub(super) fn pixels(&mut self, image: &Image, survey: &Survey) {
        if image.pixels().len() < FEWEST {
            return;
        }
        // A picture of which nobody knows what it is for is taken for one that shows something.
        let lit = !matches!(image.meta.frame_type, Some(FrameType::Dark | FrameType::Bias));
        if let Some(value) = survey.constant {
            return self.constant(image, value, lit);
        }
        let share = |count: usize| count as f64 / survey.pixels.max(1) as f64;
        let percent = |count: usize| format!("{:.2} %", (share(count) * 100.0).min(99.99));
        if lit && share(survey.zeros) >= NEARLY_ALL && !has_few_bits(image, 1.0) {
            self.bad(format!("{} of its pixels are 0", percent(survey.zeros)));
        }
        if share(survey.saturated) >= NEARLY_ALL {
            self.suspect(format!("{} of its pixels are saturated", percent(survey.saturated)));
        }
        if let Some(tail) = survey.tail {
            let plane = if image.planes() > 1 { format!(" of plane {}", tail.plane + 1) } else { String::new() };
            let rows = match (tail.row + 1, image.height()) {
                (from, to) if from as u64 == u64::from(to) => format!("row {to}{plane} is"),
                (from, to) => format!("rows {from} to {to}{plane} are"),
            };
            self.bad(format!("{rows} all {}", tail.value));
        }
        for (plane, value) in &survey.constant_planes {
            self.suspect(format!("plane {} is all {value}", plane + 1));
        }
    }

    /// All pixels have this value.
    fn constant(&mut self, image: &Image, value: f64, lit: bool) {
        let largest = match image.pixels() {
            Pixels::U8(_) => f64::from(u8::MAX),
            Pixels::U16(_) => f64::from(u16::MAX),
            _ => f64::INFINITY,
        };
        let max = image.meta.max_adu.filter(|max| *max > 0).map_or(largest, |max| f64::from(max).min(largest));
        let is_full = value >= FULL * max || FULL_SCALES.contains(&value);
        let few_bits = has_few_bits(image, value);
        let why = format!("all its pixels are {value}");
        match (value == 0.0, lit) {
            _ if is_full => self.suspect(format!("all its pixels are saturated, {value}")),
            (true, true) => self.bad(why),
            (true, false) => self.suspect(format!("{why}: the offset may be too small")),
            (false, true) if few_bits => self.suspect(why),
            (false, true) => self.bad(why),
            (false, false) if few_bits => {}
            (false, false) => self.suspect(why),
        }
    }

    /// Whether it is what was asked for.
    pub(super) fn as_asked(&mut self, image: &Image, asked: &Asked) {
        let (width, height) = (asked.frame.width, asked.frame.height);
        if (image.width(), image.height()) != (width, height) {
            self.bad(format!("it has {}x{} pixels, not {width}x{height}", image.width(), image.height()));
        }
        if let (Pixels::U8(_), Some(bits @ 9..)) = (image.pixels(), asked.sensor.bits_per_pixel) {
            self.suspect(format!("its pixels are u8, the sensor's have {bits} bits"));
        }
        if asked.sensor.colour == Colour::Planes && image.planes() == 1 {
            self.suspect("it has one plane, not three");
        }
    }

    /// Whether it was exposed as long as it should.
    pub(super) fn exposure(&mut self, asked: &Asked, told: Option<Duration>, stopped: bool) {
        let (Some(told), wanted) = (told, asked.exposure.duration) else { return };
        let slack = ROUNDING
            .max(asked.resolution)
            .max(Duration::try_from_secs_f64(wanted.as_secs_f64() * SHARE).unwrap_or_default());
        let shorter = told.saturating_add(slack) < wanted && !stopped;
        if shorter || told > wanted.saturating_add(slack) {
            self.suspect(format!("it was exposed for {} s, not {} s", told.as_secs_f64(), wanted.as_secs_f64()));
        }
    }

    /// Whether it began when it should.
    pub(super) fn clock(&mut self, this: &Before, before: Option<&Before>) {
        let (Some(start), Some((least, most))) = (this.start, this.ahead) else { return };
        if most < -CLOCKS {
            self.suspect(format!("it began at {start}, {} before the command", span(-most)));
        } else if least > CLOCKS {
            self.suspect(format!("it began at {start}, {} after it came", span(least)));
        }
        let Some((earliest, latest)) = before.and_then(|before| before.ahead) else { return };
        if most < earliest - DRIFT {
            let by = span(earliest - most);
            self.suspect(format!("by the frame before it began {by} too early: an old frame, or a clock was set"));
        } else if least > latest + DRIFT {
            let by = span(least - latest);
            self.suspect(format!("by the frame before it began {by} too late: a clock was set"));
        }
    }

    /// What it has in common with the frame before, and should not, and the other way round.
    pub(super) fn beside(&mut self, this: &Before, before: &Before, image: &Image) {
        // A peer that was started anew counts anew, but its exposures begin later.
        if let (Some(number), true) = (this.peer, this.peer == before.peer && this.start == before.start) {
            self.bad(format!("it is exposure {number} of the camera once more"));
        }
        if this.size == before.size
            && this.pixel_type == before.pixel_type
            && this.fingerprint.is_some()
            && this.fingerprint == before.fingerprint
        {
            self.bad("its pixels are those of the frame before");
        }
        if this.typed && before.typed && this.pixel_type != before.pixel_type {
            self.suspect(format!(
                "its pixels are {}, those of the frame before {}",
                this.pixel_type, before.pixel_type
            ));
        }
        if image.planes() != before.size.2 {
            self.suspect(format!("it has {} planes, the frame before {}", image.planes(), before.size.2));
        }
    }
}

/// True where noise may be smaller than the difference between two values, by the type and by one of the values.
fn has_few_bits(image: &Image, value: f64) -> bool {
    const LOWEST_BITS: f64 = 16.0;
    let eight = matches!(image.pixels(), Pixels::U8(_)) || image.meta.max_adu.is_some_and(|max| max <= 255);
    eight || (matches!(image.pixels(), Pixels::U16(_)) && value % LOWEST_BITS == 0.0)
}

/// Seconds as people read them.
fn span(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.1} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}
