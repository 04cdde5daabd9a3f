//! The camera's last picture: fetched and prepared in the background as soon as there is one.
//!
//! An exposure that was started here is watched; one that somebody else started is noticed at the first look after it.

use super::{dispatch, picture::Picture, served::Served};
use astrobackend::{
    Error, ErrorKind, Result, Timestamp, Wait,
    device::{Camera, CameraState, Exposure, ExposureState},
};
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::watch, time};

/// Time between two looks at a camera that is read from memory, and at one that is asked over a line.
const LOOK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));
/// The same while much of the exposure is left.
const LONG_LOOK: Duration = Duration::from_millis(200);

/// How long a camera that has given its picture is asked when it was taken.
const LAST_LOOK: Duration = Duration::from_secs(2);
/// How often a picture is fetched anew that is still there, where the way to it failed.
const AGAIN: u32 = 3;

/// How far the picture is.
#[derive(Clone, Debug, Default)]
enum Stage {
    #[default]
    Nothing,
    /// The exposure is under way.
    Watched,
    /// The exposure is over; the picture is being fetched.
    Fetching,
    Ready(Arc<Picture>),
    Failed(Error),
}

#[derive(Clone, Debug, Default)]
struct Held {
    /// Counts everything that becomes of pictures here.
    version: u64,
    /// Of the exposure; what belongs to another is of no interest any more.
    serial: u64,
    stage: Stage,
    /// Of the exposure started here.
    duration: Option<Duration>,
    /// How often it was fetched anew.
    again: u32,
    /// The next exposure is being started: what the camera says belongs to neither.
    starting: bool,
}

/// The camera's last picture.
#[derive(Debug, Default)]
pub(super) struct Pictures(watch::Sender<Held>);

/// What a camera said of itself, and how far its picture was when it was asked.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) state: CameraState,
    version: u64,
}

/// What a look at the camera says about its picture.
#[derive(Debug)]
pub(super) enum Look {
    /// There is none, and none is on its way.
    Nothing,
    /// The exposure is over, its picture not ready yet.
    Coming,
    /// Here it is.
    Ready(Arc<Picture>),
    /// There will be none.
    Failed(Error),
}

impl Pictures {
    /// Starts an exposure, and watches it until its picture is ready. The picture before is let go.
    ///
    /// # Errors
    /// `InvalidOperation` while another is being started; what the camera refuses it with, and then the picture
    /// before stays.
    pub(super) fn start(&self, served: &Arc<Served>, camera: &dyn Camera, exposure: Exposure) -> Result<()> {
        let first = |held: &mut Held| {
            held.version += 1;
            !std::mem::replace(&mut held.starting, true)
        };
        if !self.0.send_if_modified(first) {
            return Err(Error::invalid_operation("is starting another exposure"));
        }
        let started = camera.start_exposure(exposure);
        let mut serial = 0;
        self.0.send_modify(|held| {
            held.starting = false;
            held.version += 1;
            if started.is_ok() {
                held.renew(Stage::Watched);
                held.duration = Some(exposure.duration);
                serial = held.serial;
            }
        });
        started.map(|()| drop(Handle::current().spawn(watch(served.clone(), serial))))
    }

    /// Asks a camera for its state.
    ///
    /// # Errors
    /// The camera's.
    pub(super) fn see(&self, camera: &dyn Camera) -> Result<Seen> {
        let version = self.0.borrow().version;
        Ok(Seen { version, state: camera.state()? })
    }

    /// Where the picture is, given the camera's state; begins to fetch one that nobody watched.
    pub(super) fn look(&self, served: &Arc<Served>, seen: &Seen) -> Look {
        let mut look = Look::Nothing;
        let mut fetch = None;
        self.0.send_if_modified(|held| {
            // What the camera said has been overtaken: it may be of the exposure before.
            if held.starting || seen.version != held.version {
                look = held.look();
                return false;
            }
            let before = held.serial;
            look = match (&seen.state.exposure, &held.stage) {
                (ExposureState::Ready, Stage::Watched) => Look::Coming,
                (ExposureState::Ready, Stage::Ready(picture)) if !is_of(picture, &seen.state) => held.fetch(),
                (ExposureState::Ready, Stage::Nothing) => held.fetch(),
                // The link was lost, and the picture not.
                (ExposureState::Ready, Stage::Failed(error)) if is_passing(error) && held.again < AGAIN => {
                    held.fetch_again()
                }
                (ExposureState::Ready, _) | (_, Stage::Watched) => held.look(),
                (ExposureState::Failed(error), _) => Look::Failed(error.clone()),
                // Some cameras say so while their picture is loaded.
                (ExposureState::Reading { .. } | ExposureState::Downloading { .. }, Stage::Fetching) => held.look(),
                (ExposureState::Reading { .. } | ExposureState::Downloading { .. }, Stage::Ready(picture))
                    if is_of(picture, &seen.state) =>
                {
                    held.look()
                }
                (_, Stage::Nothing) => Look::Nothing,
                // Somebody else's exposure is under way, or was aborted: the picture before is gone.
                _ => {
                    held.enter(Stage::Nothing);
                    Look::Nothing
                }
            };
            fetch = Some(held.serial).filter(|serial| *serial != before);
            fetch.is_some()
        });
        if let Some(serial) = fetch {
            Handle::current().spawn(fetch_picture(served.clone(), serial));
        }
        look
    }

    /// The picture that is ready, if one is.
    pub(super) fn ready(&self) -> Option<Arc<Picture>> {
        match &self.0.borrow().stage {
            Stage::Ready(picture) => Some(picture.clone()),
            _ => None,
        }
    }

    /// The length of the exposure that was started here.
    pub(super) fn duration(&self) -> Option<Duration> {
        self.0.borrow().duration
    }

    /// The device was disconnected.
    pub(super) fn forget(&self) {
        self.0.send_modify(|held| held.renew(Stage::Nothing));
    }

    fn settle(&self, serial: u64, stage: Stage) {
        self.0.send_if_modified(|held| {
            let same = held.serial == serial;
            if same {
                held.enter(stage);
            }
            same
        });
    }

    fn is_at(&self, serial: u64) -> bool {
        self.0.borrow().serial == serial
    }
}

impl Held {
    /// What is known of the picture without a look at the camera.
    fn look(&self) -> Look {
        match &self.stage {
            _ if self.starting => Look::Nothing,
            Stage::Nothing | Stage::Watched => Look::Nothing,
            Stage::Fetching => Look::Coming,
            Stage::Ready(picture) => Look::Ready(picture.clone()),
            // The next look begins anew.
            Stage::Failed(error) if is_passing(error) && self.again < AGAIN => Look::Coming,
            Stage::Failed(error) => Look::Failed(error.clone()),
        }
    }

    /// Begins with the picture of an exposure that was not started here.
    fn fetch(&mut self) -> Look {
        self.renew(Stage::Fetching);
        Look::Coming
    }

    /// Begins anew with a picture that is still there.
    fn fetch_again(&mut self) -> Look {
        self.serial += 1;
        self.again += 1;
        self.enter(Stage::Fetching);
        Look::Coming
    }

    /// Leaves the exposure for another.
    fn renew(&mut self, stage: Stage) {
        self.serial += 1;
        (self.duration, self.again) = (None, 0);
        self.enter(stage);
    }

    fn enter(&mut self, stage: Stage) {
        self.version += 1;
        self.stage = stage;
    }
}

/// False when the camera's last exposure is certainly another one.
fn is_of(picture: &Picture, state: &CameraState) -> bool {
    picture.of.is_none() || state.last_exposure.is_none() || picture.of == state.last_exposure
}

/// It says nothing of the picture: the way to it failed.
fn is_passing(error: &Error) -> bool {
    use ErrorKind::{Busy, NotConnected, Timeout, Unreachable};
    matches!(error.kind(), Busy | NotConnected | Timeout | Unreachable)
}

/// The picture, for a client that loads it; one that is on its way is waited for.
///
/// # Errors
/// `InvalidOperation` without one, the exposure's own error, or `Timeout`.
pub(super) async fn load(served: &Arc<Served>) -> Result<Arc<Picture>> {
    let seen = see(served).await?;
    match served.pictures.look(served, &seen) {
        Look::Ready(picture) => return Ok(picture),
        Look::Failed(error) => return Err(error),
        Look::Coming => {}
        Look::Nothing if seen.state.exposure.is_busy() => {
            return Err(Error::invalid_operation("has no image yet: the exposure is under way"));
        }
        Look::Nothing => return Err(Error::invalid_operation("has no image: nothing was exposed")),
    }
    let mut held = served.pictures.0.subscribe();
    let settled = held.wait_for(|held| !matches!(held.stage, Stage::Watched | Stage::Fetching));
    match time::timeout(served.limits.image, settled).await {
        Ok(Ok(held)) => match &held.stage {
            Stage::Ready(picture) => Ok(picture.clone()),
            Stage::Failed(error) => Err(error.clone()),
            _ => Err(Error::new(ErrorKind::Cancelled, "the image was given up")),
        },
        _ => Err(Error::timeout("fetching the image", served.limits.image)),
    }
}

async fn see(served: &Arc<Served>) -> Result<Seen> {
    dispatch::read(served, "the camera's state", |served| served.pictures.see(&*served.camera()?)).await
}

/// Follows the exposure until its picture is ready.
async fn watch(served: Arc<Served>, serial: u64) {
    let (least, most) = if served.from_memory { (LOOK.0, LONG_LOOK) } else { (LOOK.1, LONG_LOOK) };
    while served.pictures.is_at(serial) {
        let look = match see(&served).await.map(|seen| seen.state.exposure) {
            Ok(ExposureState::Ready) => return fetch_picture(served, serial).await,
            Ok(ExposureState::Failed(error)) => {
                return served.pictures.settle(serial, Stage::Failed(error));
            }
            Ok(ExposureState::Idle) => {
                return served.pictures.settle(serial, Stage::Nothing);
            }
            Ok(ExposureState::Exposing { remaining: Some(left), .. }) => left.clamp(least, most),
            Ok(_) => least,
            Err(error) if error.kind() == ErrorKind::NotConnected => {
                return served.pictures.settle(serial, Stage::Failed(error));
            }
            // It may answer again.
            Err(_) => most,
        };
        time::sleep(look).await;
    }
}

async fn fetch_picture(served: Arc<Served>, serial: u64) {
    served.pictures.settle(serial, Stage::Fetching);
    let fetched = match served.camera() {
        Ok(camera) => {
            // Ended before it would be given up: what nobody waits for any more shall not take the picture away.
            let wait = Wait::new(served.limits.image.mul_f64(0.95));
            let work = move || {
                let image = wait.within(|| camera.take_image())?;
                // Not before: from the picture's header some cameras learn when its exposure began.
                let of = Wait::new(LAST_LOOK).within(|| camera.state()).ok().and_then(|state| state.last_exposure);
                Picture::prepare(image, of)
            };
            served.calls.run("fetching the image", served.limits.image, work).await
        }
        Err(error) => Err(error),
    };
    let stage = match fetched {
        Ok(picture) => Stage::Ready(Arc::new(picture)),
        Err(error) => Stage::Failed(error.on(&served.id)),
    };
    served.pictures.settle(serial, stage);
}

/// What the camera is doing, as ASCOM's `PercentCompleted` says it; `None` when that cannot be known.
pub(super) fn percent(state: &ExposureState, duration: Option<Duration>) -> Option<i32> {
    let of = |percent: f64| percent.clamp(0.0, 100.0) as i32;
    match state {
        ExposureState::Idle | ExposureState::Waiting | ExposureState::Failed(_) => Some(0),
        ExposureState::Ready => Some(100),
        ExposureState::Exposing { percent: Some(percent), .. } => Some(of(*percent)),
        ExposureState::Exposing { remaining: Some(left), .. } => {
            let whole = duration.filter(|whole| !whole.is_zero())?;
            Some(of(100.0 - left.as_secs_f64() / whole.as_secs_f64() * 100.0))
        }
        ExposureState::Exposing { .. } => None,
        _ => Some(100),
    }
}

/// The beginning of an exposure as FITS has it: UTC without an offset.
pub(super) fn fits_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}
