//! Cameras of ASCOM's kind: the exposure and the session around it. What a camera can do is read in [`chip`], the
//! picture is completed in [`picture`], [`exposure`] judges when it is there, and [`session`] remembers what was judged.
//!
//! [`chip`]: super::chip
//! [`picture`]: super::picture
//! [`exposure`]: super::exposure
//! [`session`]: super::session

use super::{
    carrier::{Arguments, is_transport},
    chip,
    command::Work,
    controls::Settings,
    exposure::{Notes, Outcome, Report, Taking, busy},
    handle::{Handle, Remembered, impl_device},
    milliseconds,
    motion::Motion,
    picture,
    session::{Facts, Last, Session},
    values::Values,
};
use crate::{
    Celsius, Error, ErrorKind, Image, Result, Timestamp,
    backend::keeping::Declared,
    device::{
        Camera, CameraCaps, CameraState, Control, ControlInfo, Cooler, Exposure, ExposureState, FrameType,
        GuideDirection,
    },
    guard::{self, Guard},
    image::Frame,
    sync::{Turn, lock},
    wire::alpaca::{
        codes,
        extensions::{self, PictureMeta},
    },
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// A camera, whatever carries it.
#[derive(Debug)]
pub(super) struct AscomCamera {
    pub(super) handle: Handle,
    settings: Settings,
    caps: Remembered<CameraCaps>,
    session: Mutex<Session>,
    /// Held while an exposure is started, and while a picture is loaded.
    starting: Mutex<()>,
    /// The cooler as it was seen last.
    cooler: Mutex<Option<Cooler>>,
    loading: Turn,
    pulses: Motion<()>,
    guard: Guard,
}

impl_device!(AscomCamera);

/// The commands that take their time.
const EXPOSE: &str = "startexposure";
const PULSE: &str = "pulseguide";

/// Why an exposure is over that nobody has ended.
const LOST: &str = "the exposure was lost with the connection";

/// A moment as a server has it that tells whole seconds.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// What a server says of an exposure that has ended.
#[derive(Debug, Default)]
struct Said {
    began: Option<Timestamp>,
    length: Option<Duration>,
    failure: Option<Error>,
}

/// Notes when the exposure really began, and how long it was.
fn arrived(session: &mut Session, said: Said) {
    let Last::UnderWay(taking) = &session.last else { return };
    // Some servers tell whole seconds.
    let began = said.began.filter(|began| *began != whole_second(taking.at)).unwrap_or(taking.at);
    session.finished = Some((began, said.length.unwrap_or(taking.exposure.duration)));
    session.last = Last::Arrived(taking.clone());
}

impl AscomCamera {
    pub(super) fn new(handle: Handle) -> Self {
        AscomCamera {
            guard: Guard::new(handle.carrier.is_guarded()),
            settings: Settings::default(),
            caps: Remembered::default(),
            session: Mutex::default(),
            starting: Mutex::default(),
            cooler: Mutex::default(),
            loading: Turn::default(),
            pulses: Motion::new(handle.resets()),
            handle,
        }
    }

    fn prepare(&self) -> Result<()> {
        self.caps().map(drop)
    }

    fn ascom_settings(&self) -> Result<Vec<ControlInfo>> {
        chip::settings(&self.handle)
    }

    /// Reads what the camera does, and brings the exposure up to date by it.
    fn observe(&self, others: &[&'static str]) -> Result<(Values, ExposureState)> {
        let caps = self.caps()?;
        let mut members =
            vec!["camerastate", "imageready", "percentcompleted", "ccdtemperature", "heatsinktemperature"];
        if caps.cooler.as_ref().is_some_and(|cooler| cooler.power) {
            members.push("coolerpower");
        }
        if caps.pulse_guide {
            members.push("ispulseguiding");
        }
        let question = lock(&self.session).ask();
        // A command that failed says so once.
        let at_work = match self.handle.work_or_failure() {
            Work::Idle => false,
            Work::Doing(member) => member == EXPOSE,
            Work::Failed(EXPOSE, error) => {
                let mut session = lock(&self.session);
                if session.is_under_way() {
                    session.decide(Last::Failed(error));
                }
                false
            }
            Work::Failed(_, error) => return Err(error),
        };
        self.notice_a_loss();
        let values = self.handle.look(&members, others)?;
        let report = Report {
            state: values.need("camerastate")?,
            ready: values.flag("imageready")?,
            percent: values.maybe("percentcompleted")?,
        };
        // Asked before the session is locked: a server that stalls now shall not keep others from what is known.
        let said = if at_work { Said::default() } else { self.said_at_the_end(report) };
        let mut session = lock(&self.session);
        if question > session.counts {
            session.counts = question;
            let before = session.is_under_way();
            session.shown = self.judge(&mut session, at_work, report, said);
            if before && !session.is_under_way() {
                // What was asked before this was known says nothing of it, whenever its answer comes.
                session.counts = session.asked;
            }
        }
        Ok((values, session.shown.clone()))
    }

    /// What the server has to say of an exposure that may have ended with this report.
    fn said_at_the_end(&self, report: Report) -> Said {
        if busy(report, None).is_some() || !lock(&self.session).is_under_way() {
            return Said::default();
        }
        match report {
            Report { state: 5, .. } => Said { failure: Some(self.why_it_failed()), ..Said::default() },
            Report { ready: true, .. } => {
                let Ok(values) = self.handle.values(&["lastexposurestarttime", "lastexposureduration"]) else {
                    return Said::default();
                };
                let length = values.maybe::<f64>("lastexposureduration").ok().flatten();
                Said {
                    began: values.maybe("lastexposurestarttime").ok().flatten(),
                    length: length.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
                    failure: None,
                }
            }
            _ => Said::default(),
        }
    }

    fn judge(&self, session: &mut Session, at_work: bool, report: Report, said: Said) -> ExposureState {
        let others = busy(report, None);
        let outcome = match (&mut session.last, at_work) {
            // The driver has not even answered the command.
            (Last::UnderWay(_), true) if others.is_none() => {
                return ExposureState::Exposing { remaining: None, percent: None };
            }
            (Last::UnderWay(taking), _) => taking.judge(report, said.began),
            // Another client exposes: what lies on the server will not be our picture. To read or to download is no
            // sign of that: some cameras say so while a picture is loaded.
            (last @ Last::Arrived(_), _) if matches!(report.state, 1 | 2) => {
                let message = "another client has started an exposure, the picture of this one is gone";
                *last = Last::Failed(self.handle.name(Error::new(ErrorKind::Cancelled, message)));
                return session.told(others);
            }
            _ => return session.told(others),
        };
        let losses = self.handle.carrier.losses();
        let lost = matches!(&session.last, Last::UnderWay(taking) if taking.losses != losses);
        match outcome {
            Outcome::Pending(state) => return state,
            Outcome::Arrived => arrived(session, said),
            Outcome::Aborted => {
                session.last = match lost {
                    true => Last::Failed(self.handle.name(Error::new(ErrorKind::Unreachable, LOST))),
                    false => Last::None,
                };
            }
            Outcome::Failed => session.last = Last::Failed(said.failure.unwrap_or_else(|| self.unknown_failure())),
            Outcome::Empty => {
                let error = Error::new(ErrorKind::Device(0), "the exposure ended without a picture");
                session.last = Last::Failed(self.handle.name(error));
            }
        }
        session.told(None)
    }

    /// The camera's error state says nothing; asking for the picture does.
    fn why_it_failed(&self) -> Error {
        let asked = self.handle.get::<serde_json::Value>("imagearray").err();
        let told = asked.filter(|error| !is_transport(error) && error.kind() != ErrorKind::Protocol);
        told.map_or_else(|| self.unknown_failure(), |error| self.handle.name(error))
    }

    fn unknown_failure(&self) -> Error {
        self.handle.name(Error::new(ErrorKind::Device(0), "the camera reports an error"))
    }

    /// The settings that the next exposure is taken with, and when the one before began.
    fn notes(&self) -> Result<(Notes, Option<Timestamp>)> {
        let mut members = chip::FRAME.to_vec();
        members.push("lastexposurestarttime");
        if !self.handle.common()?.extras.has(extensions::PICTURE_META) {
            members.extend(["gain", "offset", "readoutmode"]);
        }
        let values = self.handle.values(&members)?;
        let readout_mode = values.maybe::<u32>("readoutmode")?.map(|mode| mode as usize);
        let notes = Notes {
            frame: chip::frame(&values)?,
            gain: values.maybe("gain")?,
            offset: values.maybe("offset")?,
            readout_mode,
        };
        Ok((notes, values.maybe("lastexposurestarttime")?))
    }

    /// Loads the picture of an exposure that has ended.
    fn load(&self, taking: &Taking) -> Result<Arc<Image>> {
        // First, for it costs little: without it the picture would not be whole.
        let told = picture::told(&self.handle)?;
        let mut image = self.handle.carrier.image().map_err(|error| self.handle.name(error))?;
        let told = self.of_one_picture(told)?;
        let (finished, facts) = {
            let session = lock(&self.session);
            (session.finished, session.facts)
        };
        let settings = self.settings.get(&self.handle, || self.ascom_settings()).ok();
        let modes = settings.as_ref().and_then(|list| list.iter().find(|info| info.control == Control::ReadoutMode));
        let mode = modes.zip(taking.notes.readout_mode).and_then(|(modes, mode)| modes.choices.get(mode).cloned());
        let caps = self.caps()?;
        picture::complete(
            &mut image,
            &picture::Known { handle: &self.handle, caps: &caps, taking, finished, facts, mode },
            told,
        );
        let exposed = image.meta.exposure;
        if let Some(news) = taking.ticket.judge(&mut image, Timestamp::now(), exposed) {
            self.handle.publish(news);
        }
        Ok(Arc::new(image))
    }

    /// What is told of the picture, which was loaded after `before` was told.
    fn of_one_picture(&self, before: Option<PictureMeta>) -> Result<Option<PictureMeta>> {
        let Some(before) = before else { return picture::told(&self.handle) };
        match picture::told(&self.handle) {
            Ok(Some(after)) if (&after.exposure_number, &after.start) != (&before.exposure_number, &before.start) => {
                let message = "another client has exposed, and its picture came";
                self.handle.fail(Error::new(ErrorKind::Cancelled, message))
            }
            _ => Ok(Some(before)),
        }
    }

    /// The picture; `keep`: for the next one who asks.
    fn deliver(&self, keep: bool) -> Result<Arc<Image>> {
        let _loading = self.loading.after_others("the picture").map_err(|error| self.handle.name(error))?;
        self.notice_a_loss();
        if matches!(lock(&self.session).last, Last::UnderWay(_)) {
            self.observe(&[])?;
        }
        let taking = match &mut lock(&self.session).last {
            Last::Arrived(taking) => taking.clone(),
            last @ Last::Ready(_) if !keep => match std::mem::replace(last, Last::Taken) {
                Last::Ready(image) => return Ok(image),
                _ => return self.handle.fail(Error::invalid_operation("there is no image")),
            },
            Last::Ready(image) => return Ok(image.clone()),
            Last::Failed(error) => return Err(error.clone()),
            Last::UnderWay(_) => return self.handle.fail(Error::invalid_operation("the exposure has not finished")),
            Last::Taken => return self.handle.fail(Error::invalid_operation("the image was taken and is not kept")),
            Last::None => return self.handle.fail(Error::invalid_operation("there is no image")),
        };
        let loaded = self.load(&taking);
        let mut session = lock(&self.session);
        // Another exposure may have begun meanwhile.
        if matches!(&session.last, Last::Arrived(current) if current.at == taking.at) {
            match &loaded {
                Ok(image) => session.decide(if keep { Last::Ready(image.clone()) } else { Last::Taken }),
                // It may come the next time.
                Err(error) if is_transport(error) => {}
                Err(error) if matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::Busy) => {}
                Err(error) => session.decide(Last::Failed(error.clone())),
            }
        }
        loaded
    }

    /// Some cameras stay in their error state until they are told to abort.
    fn leave_error_state(&self, caps: &CameraCaps) -> Result<()> {
        if matches!(lock(&self.session).last, Last::Failed(_))
            && caps.abort
            && self.handle.get::<i64>("camerastate")? == 5
        {
            return self.handle.put("abortexposure", Arguments::new());
        }
        Ok(())
    }

    /// A device that had to be connected again has lost its exposure, or the picture of it, and so has a driver that died.
    fn notice_a_loss(&self) {
        let (losses, rebirths) = (self.handle.carrier.losses(), self.handle.claim.rebirths());
        let died = self.handle.carrier.is_serial();
        let mut session = lock(&self.session);
        let (Last::UnderWay(taking) | Last::Arrived(taking)) = &session.last else { return };
        let why = match taking {
            taking if taking.rebirths != rebirths => self.handle.claim.why_lost(),
            taking if died && taking.losses != losses => {
                Error::new(ErrorKind::Unreachable, "the driver has died, and the exposure with it")
            }
            _ => return,
        };
        session.decide(Last::Failed(self.handle.name(why)));
    }

    /// The state of a camera whose driver answers nothing until this command is over.
    fn unheard(&self, member: &'static str) -> CameraState {
        let cooler = lock(&self.cooler).map(|seen| Cooler { power: None, ..seen });
        let session = lock(&self.session);
        let Facts { electrons_per_adu, full_well, max_adu } = session.facts;
        CameraState {
            exposure: match member {
                EXPOSE => ExposureState::Exposing { remaining: None, percent: None },
                _ => session.shown.clone(),
            },
            temperature: None,
            heat_sink: None,
            cooler,
            pulse_guiding: member == PULSE,
            electrons_per_adu,
            full_well,
            max_adu,
            last_exposure: session.finished,
            age: self.handle.since_told(),
        }
    }

    fn refuse_when_busy(&self, why: &'static str) -> Result<()> {
        let (_, state) = self.observe(&[])?;
        if state.is_busy() { self.handle.fail(Error::new(ErrorKind::Busy, why)) } else { Ok(()) }
    }
}

impl Camera for AscomCamera {
    fn caps(&self) -> Result<Arc<CameraCaps>> {
        self.caps.get(&self.handle, || chip::caps(&self.handle))
    }

    fn state(&self) -> Result<CameraState> {
        const FACTS: [&str; 3] = ["electronsperadu", "fullwellcapacity", "maxadu"];
        if let Some(member) = self.handle.deaf() {
            return Ok(self.unheard(member));
        }
        let caps = self.caps()?;
        let under_way = matches!(lock(&self.session).last, Last::UnderWay(_));
        let mut others: Vec<&'static str> = if under_way { Vec::new() } else { FACTS.to_vec() };
        if caps.cooler.is_some() {
            others.extend(["cooleron", "setccdtemperature"]);
        }
        let (values, exposure) = self.observe(&others)?;
        let mut session = lock(&self.session);
        if !under_way {
            session.facts = Facts {
                electrons_per_adu: values.maybe("electronsperadu")?,
                full_well: values.maybe("fullwellcapacity")?,
                max_adu: values.maybe("maxadu")?,
            };
        }
        let cooler = match &caps.cooler {
            None => None,
            Some(cooler) => Some(Cooler {
                on: values.flag("cooleron")?,
                set_point: values.maybe("setccdtemperature")?.map(Celsius),
                power: if cooler.power { values.maybe("coolerpower")? } else { None },
            }),
        };
        *lock(&self.cooler) = cooler;
        Ok(CameraState {
            exposure,
            temperature: values.maybe("ccdtemperature")?.map(Celsius),
            heat_sink: values.maybe("heatsinktemperature")?.map(Celsius),
            cooler,
            pulse_guiding: caps.pulse_guide && self.pulses.is_moving(values.flag("ispulseguiding")?, |()| false),
            electrons_per_adu: session.facts.electrons_per_adu,
            full_well: session.facts.full_well,
            max_adu: session.facts.max_adu,
            last_exposure: session.finished,
            age: values.age(),
        })
    }

    fn frame(&self) -> Result<Frame> {
        self.caps()?;
        chip::frame(&self.handle.values(&chip::FRAME)?)
    }

    fn set_frame(&self, wanted: Frame) -> Result<()> {
        let caps = self.caps()?;
        chip::check_frame(&caps, wanted).map_err(|error| self.handle.name(error))?;
        self.refuse_when_busy("is exposing, its frame cannot change")?;
        self.handle.claim.forget_frame();
        chip::set_frame(&self.handle, wanted)?;
        self.handle.claim.declare(Declared::Frame(wanted));
        Ok(())
    }

    fn set_cooler(&self, set_point: Option<Celsius>) -> Result<()> {
        let caps = self.caps()?;
        chip::set_cooler(&self.handle, caps.cooler.as_ref(), set_point)?;
        self.handle.claim.declare(Declared::Cooler(set_point));
        Ok(())
    }

    fn start_exposure(&self, exposure: Exposure) -> Result<()> {
        let caps = self.caps()?;
        let limits = &caps.exposure;
        if !limits.contains(&exposure.duration) {
            let (shortest, longest) = (limits.start(), limits.end());
            let message = format!("an exposure of {:?} is not within {shortest:?} to {longest:?}", exposure.duration);
            return self.handle.fail(Error::invalid(message));
        }
        const BUSY: &str = "another exposure is under way";
        let Ok(_starting) = self.starting.try_lock() else {
            return self.handle.fail(Error::new(ErrorKind::Busy, BUSY));
        };
        self.refuse_when_busy(BUSY)?;
        self.leave_error_state(&caps)?;
        let (notes, before) = self.notes()?;
        // The image of an earlier exposure is gone with this call.
        lock(&self.session).decide(Last::None);
        let light = exposure.frame_type.is_light();
        let mut arguments = Arguments::new().with("Duration", exposure.duration.as_secs_f64()).with("Light", light);
        if exposure.frame_type != FrameType::Light {
            arguments = arguments.beside(extensions::FRAME_TYPE, exposure.frame_type.to_string());
        }
        let wanted = |now| guard::wanted(self.handle.claim.frame(), now);
        let ticket = |notes: &Notes, at| self.guard.begin(exposure, wanted(notes.frame), &caps, at);
        let (losses, rebirths) = (self.handle.carrier.losses(), self.handle.claim.rebirths());
        let taking = Taking::new(exposure, before, notes, ticket, (losses, rebirths));
        match self.handle.start(EXPOSE, arguments) {
            Ok(()) => {
                lock(&self.session).decide(Last::UnderWay(taking));
                Ok(())
            }
            // Another client was faster.
            Err(error) if error.kind() == ErrorKind::InvalidOperation => {
                self.refuse_when_busy(BUSY)?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    fn stop_exposure(&self) -> Result<()> {
        if !self.caps()?.stop {
            let message = "cannot keep the image of an exposure that is ended early";
            return self.handle.fail(Error::unsupported(message));
        }
        if !self.observe(&[])?.1.is_busy() {
            return Ok(());
        }
        self.handle.put("stopexposure", Arguments::new())?;
        if let Last::UnderWay(taking) = &mut lock(&self.session).last {
            taking.stop();
        }
        Ok(())
    }

    fn abort_exposure(&self) -> Result<()> {
        if !self.observe(&[])?.1.is_busy() {
            return Ok(());
        }
        if !self.caps()?.abort {
            return self.handle.fail(Error::unsupported("cannot abort an exposure"));
        }
        self.handle.put("abortexposure", Arguments::new())?;
        lock(&self.session).decide(Last::None);
        Ok(())
    }

    fn image(&self) -> Result<Arc<Image>> {
        self.deliver(true)
    }

    fn take_image(&self) -> Result<Arc<Image>> {
        self.deliver(false)
    }

    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()> {
        if !self.caps()?.pulse_guide {
            return self.handle.fail(Error::unsupported("has no guide port"));
        }
        let arguments = Arguments::new().with("Direction", codes::from_guide_direction(direction));
        self.handle.start(PULSE, arguments.with("Duration", milliseconds(duration)))?;
        self.pulses.started_for((), duration);
        Ok(())
    }
}
