//! `take_image`: started, watched, and answered when it has ended, by an error unless it ended well.

use super::{Service, devices::Served, dispatch, values::complete};
use crate::{lock, observe::observe};
use astrobackend::{
    Error, ErrorKind,
    device::{AnyDevice, Camera, CameraCaps, Control, Exposure, ExposureState},
    image::Frame,
    wire::rpc::{Params, Refusal},
};
use serde_json::Value;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{self, Instant};

/// Time between two looks at a camera that is read from memory, and at one that is asked over a line.
const LOOK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));
/// The same while much of the exposure is left.
const LONG_LOOK: Duration = Duration::from_millis(200);

/// An exposure whose end is awaited.
pub(super) struct Watched {
    served: Arc<Served>,
    serial: u64,
    duration: Duration,
    limit: Duration,
    readout: Duration,
    /// The camera is free for the next when this goes.
    _turn: Turn,
}

/// The one exposure of a camera.
struct Turn(Arc<Served>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.session.exposing.store(false, Ordering::Release);
    }
}

/// What the parameters ask for.
#[derive(Debug, PartialEq)]
struct Wanted {
    exposure: Exposure,
    binning: u8,
    roi: Option<[u32; 4]>,
    gain: Option<f64>,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, Refusal> {
        let seconds = params.number("exposure")?;
        let duration = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Refusal::invalid(format!("exposure {seconds} is out of range")))?;
        let binning = if params.get("binning").is_some() { params.whole("binning")? } else { 1 };
        let frame_type = match params.get("frametype") {
            None => Ok(Default::default()),
            Some(_) => params.text("frametype")?.parse(),
        };
        let frame_type = frame_type.map_err(|_| Refusal::invalid("frametype must be Light, Bias, Dark or Flat"))?;
        Ok(Wanted {
            exposure: Exposure { duration, frame_type },
            binning: u8::try_from(binning)
                .ok()
                .filter(|binning| *binning > 0)
                .ok_or_else(|| Refusal::invalid(format!("binning {binning} is out of range")))?,
            roi: params.get("roi").map(roi).transpose()?,
            gain: params.get("camera_gain").map(|_| params.number("camera_gain")).transpose()?,
        })
    }

    /// The region in binned pixels; without one, all of the sensor at the binning.
    fn frame(&self, caps: &CameraCaps) -> Result<Frame, Refusal> {
        let (width, height) = (caps.sensor.width, caps.sensor.height);
        let whole = Frame::full(width, height, self.binning);
        let frame = match self.roi {
            Some([x, y, width, height]) => Frame { x, y, width, height, ..whole },
            None => whole,
        };
        match frame.check(width, height) {
            Ok(()) => Ok(frame),
            Err(error) => Err(Refusal::invalid(format!("roi too large for binning: {}", error.message()))),
        }
    }
}

/// Four numbers; the original's client sends floats after a change of its binning.
fn roi(value: &Value) -> Result<[u32; 4], Refusal> {
    let number = |value: &Value| {
        let number = value.as_f64().filter(|number| (0.0..=f64::from(u32::MAX)).contains(number))?;
        Some(number as u32)
    };
    let numbers: Option<Vec<u32>> = value.as_array().and_then(|all| all.iter().map(number).collect());
    let four = numbers.and_then(|numbers| <[u32; 4]>::try_from(numbers).ok());
    four.ok_or_else(|| Refusal::invalid("roi not valid"))
}

/// Starts it.
///
/// # Errors
/// What is wrong with it; from then on the picture before it is not saved any more.
pub(super) async fn start(service: &Arc<Service>, served: &Arc<Served>, params: Params) -> Result<Watched, Refusal> {
    let session = &served.session;
    if session.exposing.swap(true, Ordering::AcqRel) {
        let error = Error::new(ErrorKind::Busy, "Could not lock camera: an exposure is under way");
        return Err(Refusal { message: error.message().to_owned(), ..Refusal::from(error.clone()) });
    }
    let turn = Turn(served.clone());
    // Whatever comes of it: nobody is to take the picture before for this one.
    session.failed.store(true, Ordering::Release);
    let wanted = Wanted::read(&params)?;
    let (duration, limit) = (wanted.exposure.duration, service.limits.call);
    let (working, devices) = (served.clone(), service.clone());
    let work = move || Ok(begin(&devices, &working, &wanted));
    let begun = served.calls.run("take_image", limit, work).await.map_err(|error| error.on(&served.id))?;
    let serial = begun.map_err(|refusal| dispatch::in_the_originals_words(refusal, served))?;
    let readout = service.limits.readout;
    Ok(Watched { served: served.clone(), serial, duration, limit, readout, _turn: turn })
}

fn begin(service: &Service, served: &Served, wanted: &Wanted) -> Result<u64, Refusal> {
    let AnyDevice::Camera(camera) = &served.device else { return Err(Refusal::application("that is no camera")) };
    let busy = |error: Error| match error.kind() {
        ErrorKind::Busy => Refusal { message: format!("Could not lock camera: {error}"), ..error.into() },
        _ => error.into(),
    };
    camera.set_frame(wanted.frame(&*camera.caps()?)?).map_err(busy)?;
    if let Some(gain) = wanted.gain {
        camera.set_control(Control::Gain, gain)?;
    }
    let companions = service.devices.companions();
    *lock(&served.session.observation) = observe(companions.iter().map(|served| (&served.id, &served.device)));
    camera.start_exposure(wanted.exposure).map_err(busy)?;
    Ok(served.session.serial.fetch_add(1, Ordering::AcqRel) + 1)
}

/// Waits for the end of an exposure; what to answer.
pub(super) async fn ended(watched: Watched) -> Result<Value, Refusal> {
    let session = &watched.served.session;
    let deadline = Instant::now().checked_add(watched.duration.saturating_add(watched.readout));
    let outcome = loop {
        let aborted = session.ended.notified();
        if session.serial.load(Ordering::Acquire) != watched.serial {
            break Err(Error::new(ErrorKind::Cancelled, "Exposure aborted"));
        }
        let pause = match state(&watched).await {
            Ok(ExposureState::Ready) => break Ok(()),
            Ok(ExposureState::Failed(error)) => break Err(error),
            Ok(ExposureState::Idle) => break Err(Error::new(ErrorKind::Cancelled, "Exposure aborted")),
            Ok(state) => pause(&state, watched.served.from_memory),
            Err(error) if error.kind() == ErrorKind::NotConnected => break Err(error),
            // It may answer again.
            Err(_) => LONG_LOOK,
        };
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            break Err(Error::timeout("the exposure", watched.duration.saturating_add(watched.readout)));
        }
        let _ = time::timeout(pause, aborted).await;
    };
    // It may have been aborted, and another one begun, between the last two looks.
    if outcome.is_ok() && session.serial.load(Ordering::Acquire) != watched.serial {
        return Err(Error::new(ErrorKind::Cancelled, "Exposure aborted").into());
    }
    outcome.map_err(|error| Refusal { message: error.message().to_owned(), ..Refusal::from(error.clone()) })?;
    session.failed.store(false, Ordering::Release);
    Ok(complete())
}

async fn state(watched: &Watched) -> astrobackend::Result<ExposureState> {
    let look = |camera: &dyn Camera| camera.state().map(|state| state.exposure);
    let AnyDevice::Camera(camera) = &watched.served.device else { return Err(Error::not_connected()) };
    if watched.served.from_memory {
        return look(&**camera);
    }
    let camera = camera.clone();
    watched.served.calls.run("the camera's state", watched.limit, move || look(&*camera)).await
}

fn pause(state: &ExposureState, from_memory: bool) -> Duration {
    let least = if from_memory { LOOK.0 } else { LOOK.1 };
    match state {
        ExposureState::Exposing { remaining: Some(left), .. } => (*left).clamp(least, LONG_LOOK),
        _ => least,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(params: Value) -> Result<Wanted, String> {
        let params = params.as_object().cloned().unwrap_or_default().into();
        Wanted::read(&params).map_err(|refusal| refusal.message)
    }

    #[test]
    fn parameters_are_read_as_the_original_client_sends_them() {
        let wanted = read(json!({ "exposure": 5, "binning": 2.0, "roi": [0.0, 0.0, 640.0, 512.0] })).unwrap();
        assert_eq!((wanted.exposure.duration, wanted.binning), (Duration::from_secs(5), 2));
        assert_eq!(wanted.roi, Some([0, 0, 640, 512]));
        assert_eq!(read(json!({ "exposure": 0.5, "roi": null })).unwrap().roi, None);
        for (params, why) in [
            (json!({}), "missing exposure"),
            (json!({ "exposure": "5" }), "must be float or int"),
            (json!({ "exposure": -1 }), "out of range"),
            (json!({ "exposure": 1, "binning": 1.5 }), "must be int"),
            (json!({ "exposure": 1, "binning": 0 }), "out of range"),
            (json!({ "exposure": 1, "roi": [1, 2, 3] }), "roi not valid"),
            (json!({ "exposure": 1, "roi": [-1, 0, 5, 5] }), "roi not valid"),
            (json!({ "exposure": 1, "frametype": "Moon" }), "frametype must be"),
        ] {
            let error = read(params.clone()).unwrap_err();
            assert!(error.contains(why), "{params}: {error}");
        }
    }
}
