//! The thread that looks after a link: it asks a quiet peer, tries to reach a lost one, and brings devices back.

use super::{BACK_OFF, Claim, Keeping, LinkState, Pause};
use crate::{
    Error, ErrorKind, Result, Supervision,
    device::{AnyDevice, Camera, DeviceId, FilterWheel, Focuser, Mount},
    event::{EventKind, Level, Link},
    sync::lock,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

/// What is kept.
pub(in crate::backend) trait Kept: Send + Sync {
    fn link(&self) -> &Arc<LinkState>;

    fn keeping(&self) -> Keeping;

    /// Asks the peer whether it is there. `None` where somebody else finds that out and says so in the link.
    fn probe(&self) -> Option<Result<()>>;

    /// The peer is there again; called before its devices are brought back.
    fn reopened(&self) {}
}

/// A device that its users hold, not the keeper.
#[derive(Debug)]
enum Faint {
    Camera(Weak<dyn Camera>),
    FilterWheel(Weak<dyn FilterWheel>),
    Focuser(Weak<dyn Focuser>),
    Mount(Weak<dyn Mount>),
}

impl Faint {
    fn of(device: &AnyDevice) -> Self {
        match device {
            AnyDevice::Camera(device) => Faint::Camera(Arc::downgrade(device)),
            AnyDevice::FilterWheel(device) => Faint::FilterWheel(Arc::downgrade(device)),
            AnyDevice::Focuser(device) => Faint::Focuser(Arc::downgrade(device)),
            AnyDevice::Mount(device) => Faint::Mount(Arc::downgrade(device)),
        }
    }

    fn device(&self) -> Option<AnyDevice> {
        Some(match self {
            Faint::Camera(device) => AnyDevice::Camera(device.upgrade()?),
            Faint::FilterWheel(device) => AnyDevice::FilterWheel(device.upgrade()?),
            Faint::Focuser(device) => AnyDevice::Focuser(device.upgrade()?),
            Faint::Mount(device) => AnyDevice::Mount(device.upgrade()?),
        })
    }
}

/// What the keeper is told by others.
#[derive(Debug, Default)]
struct Orders {
    /// Something may be wrong.
    doubts: bool,
    /// Somebody waits: no more pauses.
    hurries: bool,
    closed: bool,
}

/// Where the keeper waits for work.
#[derive(Default)]
pub(in crate::backend) struct Work {
    orders: Mutex<Orders>,
    woken: Condvar,
    /// What is looked after, until the thread is needed, which is with the first device that is connected.
    kept: Mutex<Option<Weak<dyn Kept>>>,
    /// The devices that were asked for. Each holds what is looked after, so that it is looked after as long as one is in use.
    devices: Mutex<Vec<(Faint, Weak<Claim>)>>,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work").finish_non_exhaustive()
    }
}

impl Work {
    /// Starts the thread, if it does not run yet.
    pub(super) fn start(self: &Arc<Self>) {
        let Some(kept) = lock(&self.kept).take() else { return };
        let work = self.clone();
        let thread = std::thread::Builder::new().name("astrobackend-keep".into());
        if let Err(error) = thread.spawn(move || run(&kept, &work)) {
            log::warn!("nobody looks after a link: no thread: {error}");
        }
    }

    /// A device that is to be brought back when it is lost.
    pub(in crate::backend) fn enlist(&self, device: &AnyDevice, claim: &Arc<Claim>) {
        lock(&self.devices).push((Faint::of(device), Arc::downgrade(claim)));
    }

    /// The devices that are in use.
    fn devices(&self) -> Vec<(AnyDevice, Arc<Claim>)> {
        let mut devices = lock(&self.devices);
        devices.retain(|(_, claim)| claim.strong_count() > 0);
        devices.iter().filter_map(|(device, claim)| Some((device.device()?, claim.upgrade()?))).collect()
    }

    /// Has everything looked at soon.
    pub(in crate::backend) fn wake(self: &Arc<Self>) {
        self.start();
        lock(&self.orders).doubts = true;
        self.woken.notify_all();
    }

    /// Has it looked at now, whatever failed before.
    pub(super) fn hurry(&self) {
        let mut orders = lock(&self.orders);
        (orders.doubts, orders.hurries) = (true, true);
        self.woken.notify_all();
    }

    /// Waits for work; what it is, or `None` when nobody needs it any more.
    fn wait(&self, pause: Duration) -> Option<Orders> {
        let idle = |orders: &mut Orders| !orders.doubts && !orders.closed;
        let waited = self.woken.wait_timeout_while(lock(&self.orders), pause, idle);
        let orders = std::mem::take(&mut *waited.unwrap_or_else(PoisonError::into_inner).0);
        (!orders.closed).then_some(orders)
    }
}

/// The keeper's place in a backend; dropping it ends the thread.
#[derive(Debug, Default)]
pub(in crate::backend) struct Keeper(Arc<Work>);

impl Keeper {
    /// What claims wake.
    pub(in crate::backend) fn work(&self) -> Arc<Work> {
        self.0.clone()
    }

    /// Names what is looked after: by a thread, from the first device on that is connected.
    pub(in crate::backend) fn look_after(&self, kept: Weak<dyn Kept>) {
        *lock(&self.0.kept) = Some(kept);
    }

    /// Something may be wrong: it is looked at soon.
    pub(in crate::backend) fn wake(&self) {
        self.0.wake();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        lock(&self.0.orders).closed = true;
        self.0.woken.notify_all();
    }
}

fn run(kept: &Weak<dyn Kept>, work: &Arc<Work>) {
    let Some(first) = kept.upgrade() else { return };
    first.link().keep_here();
    let (mut watch, mut pause) = (Watch::new(first.keeping(), work), first.keeping().alive);
    drop(first);
    while let Some(orders) = work.wait(pause) {
        // Held only while there is work.
        let Some(kept) = kept.upgrade() else { return };
        pause = watch.turn(&*kept, &orders);
    }
}

/// The thread's own memory.
struct Watch<'a> {
    keeping: Keeping,
    work: &'a Work,
    /// Of the peer.
    tries: Option<Pause>,
    /// Of bringing its devices back: a peer that is lost whenever that is tried is not reached for all the time.
    rounds: Option<Pause>,
    /// Of devices that were brought back, or could not be.
    troubles: BTreeMap<DeviceId, Pause>,
    /// When all are looked at next.
    look: Instant,
}

impl<'a> Watch<'a> {
    fn new(keeping: Keeping, work: &'a Work) -> Self {
        Watch {
            keeping,
            work,
            tries: None,
            rounds: None,
            troubles: BTreeMap::new(),
            look: Instant::now() + keeping.alive,
        }
    }

    /// Does what there is to do; how long there will be nothing.
    fn turn(&mut self, kept: &dyn Kept, orders: &Orders) -> Duration {
        if orders.hurries {
            self.troubles.values_mut().chain(&mut self.rounds).chain(&mut self.tries).for_each(Pause::end);
        }
        if let Link::Lost { why, .. } = kept.link().get() {
            if let Some(pause) = self.reopen(kept) {
                return pause;
            }
            self.restore(kept, &why);
        } else if kept.link().get() == Link::Restoring {
            let why = Error::new(ErrorKind::Unreachable, "the connection was lost");
            self.restore(kept, &why);
        } else if orders.doubts || self.look <= Instant::now() {
            self.look(kept);
        } else {
            self.retry(kept);
        }
        let next = self.troubles.values().map(Pause::left).filter(|left| !left.is_zero()).min();
        let look = self.look.saturating_duration_since(Instant::now());
        next.map_or(look, |next| next.min(look)).max(Duration::from_millis(1))
    }

    /// Tries to reach a lost peer; how long to wait when it is not there.
    fn reopen(&mut self, kept: &dyn Kept) -> Option<Duration> {
        if self.keeping.policy == Supervision::Off {
            return Some(BACK_OFF.1);
        }
        let pauses = self.tries.iter().chain(&self.rounds).map(Pause::left);
        if let Some(left) = pauses.max().filter(|left| !left.is_zero()) {
            return Some(left);
        }
        match kept.probe() {
            // Somebody else does it.
            None => Some(BACK_OFF.1),
            Some(Ok(())) => {
                self.tries = None;
                kept.link().set(Link::Restoring);
                None
            }
            Some(Err(_)) => {
                self.tries = Some(Pause::after(self.tries, BACK_OFF.0));
                self.tries.map(|tries| tries.left())
            }
        }
    }

    /// The peer is there again: has all devices brought back.
    fn restore(&mut self, kept: &dyn Kept, why: &Error) {
        kept.reopened();
        if self.keeping.restores() {
            self.bring_all_back(kept, why);
        }
        let back = kept.link().set(Link::Up);
        self.rounds = Some(Pause::after(self.rounds.filter(|_| !back), BACK_OFF.0));
        self.look = Instant::now() + self.keeping.alive;
    }

    /// As long as the link lasts.
    fn bring_all_back(&mut self, kept: &dyn Kept, why: &Error) {
        for (device, claim) in self.work.devices().into_iter().filter(|(_, claim)| claim.is_ours()) {
            claim.hold();
            self.troubles.remove(claim.id());
            self.bring_back(kept, &device, &claim, why);
            if matches!(kept.link().get(), Link::Lost { .. }) {
                return;
            }
        }
    }

    /// Looks whether the peer and all devices of ours are there.
    fn look(&mut self, kept: &dyn Kept) {
        self.look = Instant::now() + self.keeping.alive;
        if let Some(Err(error)) = kept.probe() {
            if kept.link().lose(&error) {
                self.tries = Some(Pause::after(None, BACK_OFF.0));
                self.look = Instant::now() + BACK_OFF.0;
            }
            return;
        }
        for (device, claim) in self.work.devices().into_iter().filter(|(_, claim)| claim.is_ours()) {
            if !claim.is_waiting() {
                match device.device().is_connected() {
                    // Lost meanwhile: that is looked after as a loss.
                    Ok(false) if kept.link().get() != Link::Up => return,
                    Ok(false) => {}
                    _ => continue,
                }
                self.miss(kept, &claim);
            }
        }
        self.retry(kept);
    }

    /// A device was disconnected, and not from here.
    fn miss(&mut self, kept: &dyn Kept, claim: &Claim) {
        let id = claim.id().clone();
        if claim.note_connected(false) {
            kept.link().publish(Some(id.clone()), EventKind::Connected(false));
        }
        match self.keeping.restores() {
            true => claim.hold(),
            false => claim.let_go(),
        }
    }

    /// Tries to bring devices back that are away.
    fn retry(&mut self, kept: &dyn Kept) {
        let why = Error::new(
            ErrorKind::NotConnected,
            "the device was disconnected by somebody else, or has lost its hardware",
        );
        for (device, claim) in self.work.devices() {
            let due = self.troubles.get(claim.id()).is_none_or(Pause::is_over);
            if claim.is_waiting() && due {
                self.bring_back(kept, &device, &claim, &why);
            }
        }
    }

    fn bring_back(&mut self, kept: &dyn Kept, device: &AnyDevice, claim: &Claim, why: &Error) {
        let id = claim.id().clone();
        let before = self.troubles.get(&id).copied();
        let Err(error) = claim.bring_back(device, why) else {
            // One that goes away again and again is left alone for longer each time.
            let before = before.filter(|pause| !pause.is_long_past());
            self.troubles.insert(id, Pause::after(before, BACK_OFF.0));
            return;
        };
        self.troubles.insert(id.clone(), Pause::after(before, BACK_OFF.0));
        if matches!(kept.link().get(), Link::Lost { .. }) {
            return;
        }
        if error.kind() == ErrorKind::Unreachable && matches!(kept.probe(), Some(Err(_))) {
            kept.link().lose(&error);
        } else if before.is_none() {
            let text = format!("could not be connected again: {}", error.message());
            kept.link().publish(Some(id), EventKind::Message(Level::Warning, text));
        }
    }
}
