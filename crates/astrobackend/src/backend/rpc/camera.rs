//! Cameras of our server.

use super::{
    fetch::{Fetched, fetch},
    handle::{Handle, Known, impl_device},
};
use crate::{
    Celsius, Error, ErrorKind, Image, Result, Timestamp,
    backend::{interfaces::is_transport, keeping::Declared},
    device::{Camera, CameraCaps, CameraState, Exposure, ExposureState, GuideDirection},
    event::{Event, Hub},
    guard::{self, Guard, Ticket},
    image::Frame,
    sync::{Turn, lock},
};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// A camera.
#[derive(Debug)]
pub(super) struct RpcCamera {
    handle: Arc<Handle>,
    caps: Known<Arc<CameraCaps>>,
    /// The last picture that was fetched, its tag, and the run of the server whose tag it is.
    picture: Mutex<Option<(Arc<Image>, String, String)>>,
    fetching: Turn,
    /// The run of the server in which the last exposure was started here, and how often the camera had to be connected
    /// again before.
    started_in: Mutex<Option<(String, u64)>>,
    guard: Guard,
    /// The exposure that was started here, until its picture has come.
    started: Mutex<Option<Ticket>>,
    hub: Arc<Hub>,
}

impl_device!(RpcCamera, |camera| camera.caps.forget());

impl RpcCamera {
    pub(super) fn new(handle: Arc<Handle>, hub: Arc<Hub>) -> Self {
        RpcCamera {
            guard: Guard::new(handle.connection.policy().guard),
            handle,
            caps: Known::default(),
            picture: Mutex::default(),
            fetching: Turn::default(),
            started_in: Mutex::default(),
            started: Mutex::default(),
            hub,
        }
    }

    /// Judges a picture. The server tells of its own verdict by itself, so only another one is news.
    fn judge(&self, ticket: Option<Ticket>, image: &mut Image) {
        let ticket = ticket.unwrap_or_else(|| self.guard.unasked());
        let (told, exposed, at) = (image.meta.verdict.clone(), image.meta.exposure, Timestamp::now());
        if let Some(kind) = ticket.judge(image, at, exposed)
            && image.meta.verdict != told
        {
            self.hub.publish(&Event { at, device: Some(self.handle.id.clone()), kind });
        }
    }

    /// The last picture; `take` keeps it neither here nor there.
    fn fetch(&self, take: bool) -> Result<Arc<Image>> {
        // Whoever asks at the same time gets the same picture.
        let _fetching = self.fetching.after_others("the picture").map_err(|error| error.on(&self.handle.id))?;
        let run = self.handle.connection.greeting().instance;
        let known = lock(&self.picture).clone().filter(|(.., of)| *of == run).map(|(image, tag, _)| (image, tag));
        // Before it is fetched: an exposure that begins meanwhile has a ticket of its own.
        let ticket = lock(&self.started).take();
        let fetched = fetch(&self.handle, known.as_ref().map(|(_, tag)| tag.as_str()), take);
        let (image, tag) = match (fetched.map_err(|error| error.on(&self.handle.id)), known) {
            (Ok(Fetched::New(mut image, tag)), _) => {
                self.judge(ticket, &mut image);
                (Arc::new(*image), tag)
            }
            (other, known) => {
                if let Some(ticket) = ticket {
                    lock(&self.started).get_or_insert(ticket);
                }
                match (other?, known) {
                    (Fetched::Same, Some(known)) => known,
                    _ => return self.handle.fail(Error::protocol("sent no picture")),
                }
            }
        };
        *lock(&self.picture) = (!take).then(|| (image.clone(), tag, run));
        Ok(image)
    }

    /// The server that was exposing for us is not there any more.
    fn was_lost(&self) -> Option<Error> {
        let (instance, rebirths) = lock(&self.started_in).clone()?;
        if rebirths != self.handle.claim.rebirths() {
            return Some(self.handle.claim.why_lost());
        }
        let lost = instance != self.handle.connection.greeting().instance;
        lost.then(|| Error::new(ErrorKind::Unreachable, "the exposure was lost with its server").on(&self.handle.id))
    }
}

impl Camera for RpcCamera {
    fn caps(&self) -> Result<Arc<CameraCaps>> {
        self.caps.or_ask(&self.handle, || self.handle.get_common("get_caps").map(Arc::new))
    }

    fn state(&self) -> Result<CameraState> {
        let mut state: CameraState = self.handle.get_common("get_state")?;
        if state.exposure == ExposureState::Idle
            && let Some(error) = self.was_lost()
        {
            state.exposure = ExposureState::Failed(error);
        }
        Ok(state)
    }

    fn frame(&self) -> Result<Frame> {
        self.handle.get("camera_get_frame", json!({}))
    }

    fn set_frame(&self, frame: Frame) -> Result<()> {
        self.handle.claim.forget_frame();
        self.handle.set(Declared::Frame(frame), "camera_set_frame", json!({ "frame": frame }))
    }

    fn set_cooler(&self, set_point: Option<Celsius>) -> Result<()> {
        let Some(caps) = &self.caps()?.cooler else { return self.handle.fail(Error::unsupported("has no cooler")) };
        if let (Some(Celsius(wanted)), Some(range)) = (set_point, &caps.set_point)
            && !(range.start().0..=range.end().0).contains(&wanted)
        {
            let (lowest, highest) = (range.start().0, range.end().0);
            let message = format!("set point {wanted} is not within {lowest} to {highest}");
            return self.handle.fail(Error::invalid(message));
        }
        if let Some(Celsius(wanted)) = set_point {
            self.handle.check_finite("set point", wanted)?;
        }
        self.handle.set(Declared::Cooler(set_point), "camera_set_cooler", json!({ "set_point": set_point }))
    }

    fn start_exposure(&self, exposure: Exposure) -> Result<()> {
        let run = (self.handle.connection.greeting().instance, self.handle.claim.rebirths());
        // What cannot be read is no reason not to expose, unless the server does not answer: it is not asked again.
        let asked = match self.guard.is_on().then(|| Ok((self.frame()?, self.caps()?))) {
            Some(Err(error)) if is_transport(&error) => return Err(error),
            asked => asked.and_then(Result::ok),
        };
        let at = Timestamp::now();
        self.handle.order("camera_start_exposure", json!({ "exposure": exposure }))?;
        *lock(&self.picture) = None;
        let wanted = |now| guard::wanted(self.handle.claim.frame(), now);
        *lock(&self.started) = asked.map(|(frame, caps)| self.guard.begin(exposure, wanted(frame), &caps, at));
        *lock(&self.started_in) = Some(run);
        Ok(())
    }

    fn stop_exposure(&self) -> Result<()> {
        self.handle.order("camera_stop_exposure", json!({}))?;
        if let Some(ticket) = lock(&self.started).as_mut() {
            ticket.stop();
        }
        Ok(())
    }

    fn abort_exposure(&self) -> Result<()> {
        *lock(&self.started_in) = None;
        *lock(&self.started) = None;
        self.handle.order("camera_abort_exposure", json!({}))
    }

    fn image(&self) -> Result<Arc<Image>> {
        match self.was_lost() {
            Some(error) => Err(error),
            None => self.fetch(false),
        }
    }

    fn take_image(&self) -> Result<Arc<Image>> {
        match self.was_lost() {
            Some(error) => Err(error),
            None => self.fetch(true),
        }
    }

    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()> {
        let params = json!({ "direction": direction, "seconds": duration.as_secs_f64() });
        self.handle.order("camera_pulse_guide", params)
    }
}
