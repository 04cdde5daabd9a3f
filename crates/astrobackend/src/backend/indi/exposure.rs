//! One exposure from the command to the picture: is this the BLOB that was asked for, and what if none comes?

use super::{
    chip::Chip,
    order::Order,
    picture,
    property::{Blob, Content},
    store::Device,
};
use crate::{
    Error, ErrorKind, Image, Result, Timestamp,
    device::{Exposure, ExposureState},
    event::Level,
    guard::Ticket,
    image::Frame,
    wire::indi::State,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// An alert may come a moment before its reason.
const EXPLANATION: Duration = Duration::from_millis(200);

/// An exposure that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Taking {
    pub(super) chip: &'static Chip,
    pub(super) order: Order,
    pub(super) exposure: Exposure,
    pub(super) at: Timestamp,
    pub(super) frame: Frame,
    /// What the frame guard knows it by.
    pub(super) ticket: Ticket,
    /// The exposure before was broken off, so its picture may still come: only one that comes after the driver
    /// has begun with this exposure counts.
    pub(super) after_abort: bool,
    /// The least that was told to be left.
    pub(super) least: Duration,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Not decided yet.
    Pending(ExposureState),
    Arrived(Arc<Blob>),
    /// Somebody broke it off.
    Aborted,
    Failed(Error),
}

impl Taking {
    /// How far it is, now. `timeout` is how long the driver may take to answer, or to send the picture once it is done.
    pub(super) fn outcome(&self, device: Option<&Device>, timeout: Duration) -> Outcome {
        let device = device.filter(|device| device.born == self.order.born);
        let Some((device, vector)) = device.and_then(|device| Some((device, device.property(self.chip.exposure.0)?)))
        else {
            return failed("its driver went away during the exposure");
        };
        let begun = vector.busy > self.order.mark;
        let asked_for = |blob: &&Arc<Blob>| match self.after_abort {
            true => begun && blob.seq > vector.busy,
            false => blob.seq > self.order.mark,
        };
        if let Some(blob) = device.blob(self.chip.picture).filter(asked_for) {
            return Outcome::Arrived(blob.clone());
        }
        if let Some((_, when)) = vector.alert.filter(|(seq, _)| *seq > self.order.mark) {
            return self.refused(device, when);
        }
        match vector.state {
            State::Busy if begun => Outcome::Pending(countdown(device, self.chip, self.exposure.duration)),
            State::Idle if begun => Outcome::Aborted,
            _ if begun => finished_without_picture(device, vector.reported, timeout),
            _ if self.order.sent.elapsed() > timeout => {
                Outcome::Failed(Error::timeout("the driver's answer to the exposure", timeout))
            }
            _ => Outcome::Pending(ExposureState::Waiting),
        }
    }

    /// A state to tell: what is left never grows again, though the driver's countdown may be late.
    pub(super) fn steadied(&mut self, state: ExposureState) -> ExposureState {
        match state {
            ExposureState::Exposing { remaining: Some(left), .. } => {
                self.least = self.least.min(left);
                exposing(self.least, self.exposure.duration)
            }
            state => state,
        }
    }

    fn refused(&self, device: &Device, when: Instant) -> Outcome {
        let explained = device.worst_since(self.order.mark) == Some(Level::Error);
        if !explained && when.elapsed() < EXPLANATION {
            return Outcome::Pending(ExposureState::Waiting);
        }
        match device.reason_since(self.order.mark) {
            Some(reason) => failed(format!("the exposure failed: {reason}")),
            None => failed("the exposure failed, the driver gave no reason"),
        }
    }

    /// The picture, with what its header does not tell, and how long it was exposed as that says.
    ///
    /// # Errors
    /// `Protocol` when it is damaged, `Unsupported` for another format.
    pub(super) fn picture(&self, blob: &Blob) -> Result<(Image, Option<Duration>)> {
        let mut image = match blob.take() {
            Some(Content::Picture(picture)) => *picture?,
            Some(Content::File(file)) => *picture::read(&blob.format, &file[..], file.len() as u64)?,
            None => return Err(Error::invalid_operation("the image was already taken")),
        };
        let (width, height) = (image.width(), image.height());
        let meta = &mut image.meta;
        meta.frame_type = Some(self.exposure.frame_type);
        meta.start.get_or_insert(self.at);
        // While both chips expose, the CCD simulator writes the main chip's time into either.
        let exposed = meta.exposure.filter(|_| self.chip.is_main());
        meta.exposure = Some(self.exposure.duration);
        meta.frame = Some(Frame { width, height, ..self.frame });
        // The pattern that drivers write is that of the sensor's corner.
        if (self.frame.bin_x, self.frame.bin_y) == (1, 1) {
            meta.bayer = meta.bayer.map(|pattern| pattern.shifted(self.frame.x, self.frame.y));
        }
        Ok((image, exposed))
    }
}

fn failed(why: impl Into<std::borrow::Cow<'static, str>>) -> Outcome {
    Outcome::Failed(Error::new(ErrorKind::Device(0), why))
}

/// What the countdown says, carried on by our own clock between its reports.
pub(super) fn countdown(device: &Device, chip: &Chip, total: Duration) -> ExposureState {
    let left = device.number(chip.exposure.0, chip.exposure.1).unwrap_or(0.0).max(0.0);
    if left == 0.0 {
        return ExposureState::Reading { percent: None };
    }
    let since = device
        .property(chip.exposure.0)
        .and_then(|vector| vector.reported)
        .map_or(0.0, |at| at.elapsed().as_secs_f64());
    exposing(Duration::try_from_secs_f64((left - since).max(0.0)).unwrap_or(total), total)
}

fn exposing(left: Duration, total: Duration) -> ExposureState {
    // The whole is there only with the picture.
    let percent = |_| (100.0 * (1.0 - left.as_secs_f64() / total.as_secs_f64())).clamp(0.0, 99.9);
    ExposureState::Exposing {
        remaining: Some(left),
        percent: Some(total).filter(|total| !total.is_zero()).map(percent),
    }
}

/// Drivers send the picture before they report the end; a picture still to come would be a slow one.
fn finished_without_picture(device: &Device, reported: Option<Instant>, timeout: Duration) -> Outcome {
    if device.switch("UPLOAD_MODE", "UPLOAD_LOCAL") == Some(true) {
        return failed("the driver keeps its images to itself (UPLOAD_MODE was set to local)");
    }
    if reported.is_none_or(|at| at.elapsed() > timeout) {
        return failed("the exposure ended and the driver sent no image");
    }
    Outcome::Pending(ExposureState::Downloading { percent: None })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{chip::MAIN, store::Store},
        *,
    };
    use crate::wire::indi::Parser;

    const CAMERA: &str = "<defNumberVector device='C' name='CCD_EXPOSURE' state='Ok' perm='rw'>\
        <defNumber name='CCD_EXPOSURE_VALUE' format='%g' min='0' max='100' step='1'>0</defNumber></defNumberVector>\
        <defBLOBVector device='C' name='CCD1' state='Ok' perm='ro'><defBLOB name='CCD1'/></defBLOBVector>";
    const BLOB: &str = "<setBLOBVector device='C' name='CCD1' state='Ok'><oneBLOB name='CCD1' size='3' format='.fits'>AAAA</oneBLOB></setBLOBVector>";

    fn set(state: &str, left: f64) -> String {
        format!(
            "<setNumberVector device='C' name='CCD_EXPOSURE' state='{state}'><oneNumber name='CCD_EXPOSURE_VALUE'>{left}</oneNumber></setNumberVector>"
        )
    }

    fn taking(after_abort: bool) -> Taking {
        let order = Order { property: MAIN.exposure.0.into(), mark: 2, number: 1, born: 1, sent: Instant::now() };
        let exposure = Exposure::light(Duration::from_secs(10));
        Taking {
            chip: &MAIN,
            order,
            exposure,
            at: Timestamp::UNIX_EPOCH,
            frame: Frame::full(1, 1, 1),
            ticket: crate::guard::Guard::new(false).unasked(),
            after_abort,
            least: Duration::MAX,
        }
    }

    fn after(messages: &str, after_abort: bool) -> Outcome {
        let (mut store, mut parser) = (Store::default(), Parser::default());
        parser.push(CAMERA.as_bytes());
        while let Some(message) = parser.next_message() {
            store.apply(message.unwrap()).unwrap();
        }
        store.property_mut("C", "CCD1").unwrap().want_blobs(true);
        parser.push(messages.as_bytes());
        while let Some(message) = parser.next_message() {
            store.apply(message.unwrap()).unwrap();
        }
        taking(after_abort).outcome(store.device("C"), Duration::from_secs(5))
    }

    #[test]
    fn the_countdown_is_the_progress() {
        assert!(matches!(after("", false), Outcome::Pending(ExposureState::Waiting)));
        let Outcome::Pending(ExposureState::Exposing { remaining, percent }) = after(&set("Busy", 4.0), false) else {
            panic!()
        };
        assert!(remaining.unwrap() <= Duration::from_secs(4) && (60.0..61.0).contains(&percent.unwrap()));
        assert!(matches!(after(&set("Busy", 0.0), false), Outcome::Pending(ExposureState::Reading { .. })));
    }

    #[test]
    fn a_late_countdown_does_not_turn_progress_back() {
        let mut taking = taking(false);
        let left = |state| match state {
            ExposureState::Exposing { remaining: Some(left), percent: Some(percent) } => (left.as_secs(), percent),
            other => panic!("{other:?}"),
        };
        let state = |left| exposing(Duration::from_secs(left), taking.exposure.duration);
        let told = [4, 5, 3].map(state).map(|state| left(taking.steadied(state)));
        assert_eq!(told, [(4, 60.0), (4, 60.0), (3, 70.0)]);
    }

    #[test]
    fn the_picture_comes_before_the_end_is_reported() {
        assert!(matches!(after(&(set("Busy", 0.0) + BLOB + &set("Ok", 0.0)), false), Outcome::Arrived(_)));
        assert!(matches!(
            after(&(set("Busy", 0.0) + &set("Ok", 0.0)), false),
            Outcome::Pending(ExposureState::Downloading { .. })
        ));
        assert!(matches!(after(BLOB, false), Outcome::Arrived(_)), "a driver that never says busy");
    }

    #[test]
    fn a_picture_of_an_aborted_exposure_is_not_taken_for_the_next_one() {
        assert!(matches!(after(BLOB, true), Outcome::Pending(ExposureState::Waiting)));
        assert!(matches!(
            after(&(BLOB.to_owned() + &set("Busy", 9.0)), true),
            Outcome::Pending(ExposureState::Exposing { .. })
        ));
        assert!(matches!(after(&(BLOB.to_owned() + &set("Busy", 9.0) + BLOB), true), Outcome::Arrived(_)));
    }

    #[test]
    fn late_reports_of_an_earlier_end_are_no_end() {
        assert!(matches!(after(&set("Idle", 0.0), false), Outcome::Pending(ExposureState::Waiting)));
        assert!(matches!(after(&(set("Busy", 5.0) + &set("Idle", 0.0)), false), Outcome::Aborted));
    }

    #[test]
    fn a_failure_carries_the_drivers_words() {
        let said = "<message device='C' message='[ERROR] USB is gone'/>";
        let Outcome::Failed(error) = after(&(set("Busy", 5.0) + said + &set("Alert", 0.0)), false) else { panic!() };
        assert_eq!(error.to_string(), "the exposure failed: USB is gone");
        let Outcome::Failed(error) = after("<delProperty device='C'/>", false) else { panic!() };
        assert!(error.to_string().contains("went away"));
    }
}
