//! What a user has made of a device through this library, and putting it back to that: connected, and with the settings
//! that were declared. What moves something or opens a shutter is never kept here, so it is never sent again.

use super::{LinkState, keeper::Work};
use crate::{
    Celsius, Error, ErrorKind, Result, Wait,
    device::{AnyDevice, Control, DeviceId, GuideRates, MountState, Tracking},
    event::{EventKind, Link},
    image::Frame,
    sync::lock,
    wait::Deadline,
};
use std::{
    mem::{Discriminant, discriminant},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// The longest that a device may take to show a setting that it has accepted.
const READ_BACK: Duration = Duration::from_secs(3);

/// Cameras round the temperature that they are to reach, degrees.
const SET_POINT: f64 = 0.1;

/// Something that a user declared for a device; it moves nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::backend) enum Declared {
    Frame(Frame),
    Cooler(Option<Celsius>),
    Control(Control, f64),
    GuideRates(GuideRates),
    Tracking(Tracking),
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(1.0)
}

impl Declared {
    /// What a later declaration of the same replaces.
    fn slot(&self) -> (Discriminant<Declared>, Option<Control>) {
        let control = if let Declared::Control(control, _) = self { Some(*control) } else { None };
        (discriminant(self), control)
    }

    /// The word for it in reports.
    fn name(&self) -> String {
        match self {
            Declared::Frame(_) => "frame".into(),
            Declared::Cooler(_) => "cooler".into(),
            Declared::Control(control, _) => control.to_string(),
            Declared::GuideRates(_) => "guide rates".into(),
            Declared::Tracking(_) => "tracking".into(),
        }
    }

    /// Whether the device has it, asked now.
    fn is_in_place(&self, device: &AnyDevice) -> Result<bool> {
        Ok(match (self, device) {
            (Declared::Frame(wanted), AnyDevice::Camera(camera)) => camera.frame()? == *wanted,
            (Declared::Cooler(wanted), AnyDevice::Camera(camera)) => camera.state()?.cooler.is_some_and(|cooler| {
                let aims =
                    wanted.zip(cooler.set_point).is_none_or(|(wanted, aim)| (wanted.0 - aim.0).abs() <= SET_POINT);
                cooler.on == wanted.is_some() && aims
            }),
            (Declared::Control(control, wanted), device) => is_near(device.device().control(*control)?, *wanted),
            (Declared::GuideRates(wanted), AnyDevice::Mount(mount)) => mount
                .guide_rates()?
                .is_some_and(|rates| is_near(rates.ra.0, wanted.ra.0) && is_near(rates.dec.0, wanted.dec.0)),
            (Declared::Tracking(wanted), AnyDevice::Mount(mount)) => {
                let tracking = mount.state()?.tracking;
                tracking == *wanted || (!wanted.on && !tracking.on)
            }
            _ => true,
        })
    }

    fn send(&self, device: &AnyDevice) -> Result<()> {
        match (self, device) {
            (Declared::Frame(frame), AnyDevice::Camera(camera)) => camera.set_frame(*frame),
            (Declared::Cooler(set_point), AnyDevice::Camera(camera)) => camera.set_cooler(*set_point),
            (Declared::Control(control, value), device) => device.device().set_control(*control, *value),
            (Declared::GuideRates(rates), AnyDevice::Mount(mount)) => mount.set_guide_rates(*rates),
            (Declared::Tracking(tracking), AnyDevice::Mount(mount)) => {
                if tracking.on {
                    refuse_to_start(&mount.state()?)?;
                }
                mount.set_tracking(*tracking)
            }
            _ => Ok(()),
        }
    }

    /// Sends it, unless the device has it, and reads it back. `anew`: the device had to be connected again.
    fn put_back(&self, device: &AnyDevice, anew: bool, tracked: bool) -> Result<()> {
        if self.is_in_place(device)? {
            return Ok(());
        }
        if let Declared::Tracking(wanted) = self {
            may_track(*wanted, anew, tracked)?;
        }
        self.send(device)?;
        let look = || Ok(self.is_in_place(device)?.then_some(()));
        Wait::new(READ_BACK).until(self.name(), look, || Ok(())).map_err(|error| match error.kind() {
            ErrorKind::Timeout => Error::new(ErrorKind::Device(0), "was accepted, and reads back as something else"),
            _ => error,
        })
    }
}

/// Whether tracking may be put back: not where the mount or somebody else decided otherwise, a limit or a safety monitor.
pub(in crate::backend) fn may_track(wanted: Tracking, anew: bool, tracked: bool) -> Result<()> {
    let why = match (anew, wanted.on && !tracked) {
        (false, _) => "was changed while the link was lost, and is left so",
        (true, true) => "is not started: the mount did not track, or was on its way, when it was seen last",
        (true, false) => return Ok(()),
    };
    Err(Error::invalid_operation(why))
}

/// A mount that is where it rests, or is told to move by somebody else, is not set going.
fn refuse_to_start(state: &MountState) -> Result<()> {
    let why = match state {
        state if state.parked => "the mount is parked",
        state if state.at_home => "the mount is at home",
        state if state.slewing => "the mount moves",
        _ => return Ok(()),
    };
    Err(Error::invalid_operation(format!("is not started: {why}")))
}

#[derive(Debug, Default)]
struct State {
    /// Connected here, and not disconnected since.
    ours: bool,
    /// To be connected here, and not disconnected since.
    wanted: bool,
    /// It went away, and is not as it was yet.
    held: bool,
    /// What listeners were told last.
    connected: bool,
    /// Oldest first.
    declared: Vec<Declared>,
    /// Of a mount: it tracked when it was seen last.
    tracked: bool,
    /// How often it had to be connected again, and why the last time.
    rebirths: u64,
    why: Option<Error>,
}

/// What was done to a device from here.
#[derive(Debug)]
pub(in crate::backend) struct Claim {
    id: DeviceId,
    link: Arc<LinkState>,
    work: Arc<Work>,
    state: Mutex<State>,
    released: Condvar,
}

impl Claim {
    pub(in crate::backend) fn new(id: DeviceId, link: Arc<LinkState>, work: Arc<Work>) -> Self {
        Claim { id, link, work, state: Mutex::default(), released: Condvar::new() }
    }

    /// The present thread is the one that brings devices back.
    pub(in crate::backend) fn is_keeper(&self) -> bool {
        self.link.is_keeper()
    }

    /// Why the device cannot be asked now.
    ///
    /// # Errors
    /// `Unreachable` with the reason while the link is lost or is being restored; `NotConnected` while only the device is.
    pub(in crate::backend) fn check(&self) -> Result<()> {
        if self.is_keeper() {
            return Ok(());
        }
        let state = lock(&self.state);
        let why = match self.link.get() {
            Link::Lost { why, .. } => why,
            Link::Restoring if state.ours => {
                Error::new(ErrorKind::Unreachable, "the connection was lost and is being restored")
            }
            _ if state.held => Error::new(ErrorKind::NotConnected, "is being connected again"),
            _ => return Ok(()),
        };
        Err(why.on(&self.id))
    }

    /// Whether only the device is away: it is not connected, whatever its driver says.
    ///
    /// # Errors
    /// `Unreachable`, as [`Claim::check`].
    pub(in crate::backend) fn is_away(&self) -> Result<bool> {
        match self.check() {
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(true),
            there => there.map(|()| false),
        }
    }

    /// It went away and is not as it was yet.
    fn is_held(&self) -> bool {
        !self.is_keeper() && lock(&self.state).held
    }

    pub(super) fn id(&self) -> &DeviceId {
        &self.id
    }

    /// The keeper has it in hand.
    pub(in crate::backend) fn is_waiting(&self) -> bool {
        lock(&self.state).held
    }

    pub(super) fn is_ours(&self) -> bool {
        lock(&self.state).ours
    }

    /// It was connected here, or is about to be.
    fn is_wanted(&self) -> bool {
        let state = lock(&self.state);
        state.ours || state.wanted
    }

    /// The user has connected it; when the keeper does, it stays whose it is.
    pub(in crate::backend) fn take(&self) {
        if !self.is_keeper() {
            lock(&self.state).ours = true;
            self.work.start();
        }
    }

    /// The user has disconnected it.
    pub(in crate::backend) fn let_go(&self) {
        let mut state = lock(&self.state);
        (state.ours, state.wanted, state.held) = (false, false, false);
        state.declared.clear();
        drop(state);
        self.released.notify_all();
        // There may be nothing left that is worth a pause.
        self.work.hurry();
    }

    /// Something showed that the device, or the way to it, may not be as it was: it is looked at soon.
    pub(in crate::backend) fn doubt(&self) {
        if !self.is_keeper() {
            self.work.wake();
        }
    }

    /// The user is about to connect it. Waits until it is as it was, and has that tried at once; no longer than a while.
    pub(in crate::backend) fn await_release(&self, limit: Duration) {
        if !self.is_keeper() {
            lock(&self.state).wanted = true;
        }
        if !self.is_held() {
            return;
        }
        self.work.hurry();
        let deadline = Deadline::after(limit);
        let mut state = lock(&self.state);
        while state.held && !deadline.has_passed() {
            let waited = self.released.wait_timeout(state, deadline.pause());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Remembers what the user declared.
    pub(in crate::backend) fn declare(&self, declared: Declared) {
        let mut state = lock(&self.state);
        if state.ours && !self.is_keeper() {
            if let Declared::Tracking(tracking) = &declared {
                state.tracked = tracking.on;
            }
            state.declared.retain(|known| known.slot() != declared.slot());
            state.declared.push(declared);
        }
    }

    /// The frame that the user declared; none where a readout mode came after it, which may have its own size.
    pub(in crate::backend) fn frame(&self) -> Option<Frame> {
        let state = lock(&self.state);
        let decides = |one: &&Declared| matches!(one, Declared::Frame(_) | Declared::Control(Control::ReadoutMode, _));
        match state.declared.iter().rfind(decides)? {
            Declared::Frame(frame) => Some(*frame),
            _ => None,
        }
    }

    /// Nobody knows what frame it has: it was not set altogether.
    pub(in crate::backend) fn forget_frame(&self) {
        if self.is_keeper() {
            return;
        }
        lock(&self.state).declared.retain(|known| !matches!(known, Declared::Frame(_)));
    }

    /// The mount rests, by a command from here: it is not to be set going again.
    pub(in crate::backend) fn forget_tracking(&self) {
        lock(&self.state).declared.retain(|known| !matches!(known, Declared::Tracking(_)));
    }

    /// Notes whether a mount tracks: one that was seen last to stand, or on its way, is not set going after a loss.
    pub(in crate::backend) fn see(&self, seen: &MountState) {
        if !self.is_keeper() {
            lock(&self.state).tracked = seen.tracking.on && !seen.slewing;
        }
    }

    /// Whether this is news for listeners.
    pub(in crate::backend) fn note_connected(&self, connected: bool) -> bool {
        std::mem::replace(&mut lock(&self.state).connected, connected) != connected
    }

    /// How often the device had to be connected again: what was under way in it before is gone.
    pub(in crate::backend) fn rebirths(&self) -> u64 {
        lock(&self.state).rebirths
    }

    /// The failure of something that was under way when the device was lost.
    pub(in crate::backend) fn why_lost(&self) -> Error {
        let why = lock(&self.state).why.clone();
        let why = why.unwrap_or_else(|| Error::new(ErrorKind::Unreachable, "the device was lost meanwhile"));
        why.on(&self.id)
    }

    /// It was found to be away: nobody uses it before it is as it was.
    pub(super) fn hold(&self) {
        let mut state = lock(&self.state);
        state.held = state.ours;
    }

    /// Connects it again, if it is not, and puts everything that was declared back.
    ///
    /// # Errors
    /// Why it cannot be connected, or that the link was lost again.
    pub(super) fn bring_back(&self, device: &AnyDevice, why: &Error) -> Result<()> {
        let anew = !device.device().is_connected()?;
        let (mut restored, mut failed) = (Vec::new(), Vec::new());
        if anew {
            {
                let mut state = lock(&self.state);
                (state.rebirths, state.why) = (state.rebirths + 1, Some(why.clone()));
            }
            let connected = device.device().connect();
            // The user may have let it go meanwhile, and means it.
            if !self.is_wanted() {
                return device.device().disconnect();
            }
            connected?;
            restored.push("connection".to_owned());
        }
        let (declared, tracked) = {
            let state = lock(&self.state);
            (state.declared.clone(), state.tracked)
        };
        for one in declared {
            match one.put_back(device, anew, tracked) {
                Ok(()) => restored.push(one.name()),
                Err(error) if error.kind() == ErrorKind::Unreachable => return Err(error),
                Err(error) => failed.push((one.name(), error)),
            }
        }
        if let Link::Lost { why, .. } = self.link.get() {
            return Err(why);
        }
        if !self.is_wanted() {
            return Ok(());
        }
        self.link.publish(Some(self.id.clone()), EventKind::Restored { restored, failed });
        lock(&self.state).held = false;
        self.released.notify_all();
        if self.note_connected(true) {
            self.link.publish(Some(self.id.clone()), EventKind::Connected(true));
        }
        Ok(())
    }
}
