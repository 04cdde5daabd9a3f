//! Region and binning as ASCOM's clients set them: number by number, in any order, judged when the exposure starts.

use crate::lock;
use astrobackend::{
    Error, Result,
    device::{Camera, CameraCaps},
    image::Frame,
};
use std::sync::Mutex;

/// Which of the two directions of the sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Across.
    X,
    /// Down.
    Y,
}

/// One direction of the region: first pixel, number of pixels, binning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) start: i32,
    pub(super) length: i32,
    pub(super) bin: i32,
}

impl Span {
    /// Another binning for the same part of the sensor; the whole sensor stays the whole sensor.
    fn rebin(&mut self, bin: i32, sensor: u32) {
        let sensor = i64::from(sensor);
        let (start, length, from, to) =
            (i64::from(self.start), i64::from(self.length), i64::from(self.bin.max(1)), i64::from(bin.max(1)));
        let whole = start == 0 && length == sensor / from;
        let narrow = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        *self = Span {
            start: narrow(start * from / to),
            length: if whole { narrow(sensor / to) } else { narrow((length * from / to).max(1)) },
            bin,
        };
    }
}

/// What clients have set since the last exposure; nothing means that the camera's own region holds.
#[derive(Debug, Default)]
pub(super) struct Frames(Option<[Span; 2]>);

fn spans(frame: Frame) -> [Span; 2] {
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let span = |start, length, bin: u8| Span { start: number(start), length: number(length), bin: bin.into() };
    [span(frame.x, frame.width, frame.bin_x), span(frame.y, frame.height, frame.bin_y)]
}

fn frame([x, y]: [Span; 2]) -> Result<Frame> {
    let number =
        |what: &str, value: i32| u32::try_from(value).map_err(|_| Error::invalid(format!("{what} {value} is below 0")));
    let bin = |value: i32| u8::try_from(value).map_err(|_| Error::invalid(format!("there is no binning {value}")));
    Ok(Frame {
        x: number("StartX", x.start)?,
        y: number("StartY", y.start)?,
        width: number("NumX", x.length)?,
        height: number("NumY", y.length)?,
        bin_x: bin(x.bin)?,
        bin_y: bin(y.bin)?,
    })
}

/// What holds in a direction. The lock is never held while the camera is asked.
pub(super) fn get(frames: &Mutex<Frames>, camera: &dyn Camera, direction: Direction) -> Result<Span> {
    let wanted = lock(frames).0;
    let [x, y] = wanted.map_or_else(|| camera.frame().map(spans), Ok)?;
    Ok(if direction == Direction::X { x } else { y })
}

/// Changes a number; whether all of them make a region is asked when the exposure starts.
pub(super) fn set(
    frames: &Mutex<Frames>,
    camera: &dyn Camera,
    direction: Direction,
    change: impl FnOnce(&mut Span),
) -> Result<()> {
    update(frames, camera, |[x, y]| change(if direction == Direction::X { x } else { y }))
}

/// Changes the binning; a camera that can only bin squarely does it in both directions.
pub(super) fn set_bin(frames: &Mutex<Frames>, camera: &dyn Camera, direction: Direction, bin: i32) -> Result<()> {
    let caps = camera.caps()?;
    check_bin(&caps, direction, bin)?;
    let sensor = &caps.sensor;
    update(frames, camera, |[x, y]| {
        if direction == Direction::X || !caps.asymmetric_bin {
            x.rebin(bin, sensor.width);
        }
        if direction == Direction::Y || !caps.asymmetric_bin {
            y.rebin(bin, sensor.height);
        }
    })
}

fn check_bin(caps: &CameraCaps, direction: Direction, bin: i32) -> Result<()> {
    let (name, max) = match direction {
        Direction::X => ("BinX", caps.max_bin.0),
        Direction::Y => ("BinY", caps.max_bin.1),
    };
    if (1..=i32::from(max)).contains(&bin) {
        return Ok(());
    }
    Err(Error::invalid(format!("{name} {bin} is not within 1 to {max}")))
}

fn update(frames: &Mutex<Frames>, camera: &dyn Camera, change: impl FnOnce(&mut [Span; 2])) -> Result<()> {
    let known = lock(frames).0.is_some();
    let own = if known { None } else { Some(spans(camera.frame()?)) };
    let mut frames = lock(frames);
    if let Some(wanted) = frames.0.as_mut() {
        change(wanted);
    } else if let Some(mut wanted) = own {
        change(&mut wanted);
        frames.0 = Some(wanted);
    }
    Ok(())
}

/// Gives the camera what clients have set; from then on its own region is what holds.
///
/// # Errors
/// `InvalidValue` for a region off the sensor; what was set stays set.
pub(super) fn apply(frames: &Mutex<Frames>, camera: &dyn Camera) -> Result<()> {
    let Some(wanted) = lock(frames).0 else { return Ok(()) };
    let (frame, sensor) = (frame(wanted)?, &camera.caps()?.sensor);
    frame.check(sensor.width, sensor.height)?;
    camera.set_frame(frame)?;
    let mut frames = lock(frames);
    if frames.0 == Some(wanted) {
        frames.0 = None;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binning_keeps_the_part_of_the_sensor() {
        let mut whole = Span { start: 0, length: 1280, bin: 1 };
        whole.rebin(3, 1280);
        assert_eq!(whole, Span { start: 0, length: 426, bin: 3 });
        whole.rebin(1, 1280);
        assert_eq!(whole, Span { start: 0, length: 1280, bin: 1 });
        let mut part = Span { start: 100, length: 50, bin: 2 };
        part.rebin(1, 1280);
        assert_eq!(part, Span { start: 200, length: 100, bin: 1 });
        let mut wrong = Span { start: i32::MIN, length: i32::MAX, bin: 200 };
        wrong.rebin(1, u32::MAX);
        assert_eq!(wrong.length, i32::MAX);
    }
}
