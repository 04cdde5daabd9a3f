//! News from devices: one stream type for every framework.
//!
//! Backends publish into a [`Hub`]; each listener holds an [`Events`] with a bounded
//! queue of its own. A listener that falls behind loses its oldest events and is told
//! how many ([`EventKind::Lagged`]); it never slows a backend or another listener.
//! Frameworks that do not push are polled by a [`Poller`], only while somebody listens.

use crate::{
    Error, Timestamp,
    device::{DeviceId, DeviceInfo, DeviceState, FrameType},
    guard::Verdict,
    sync::lock,
    wait::Deadline,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError, Weak},
    time::Duration,
};

/// How much a device's message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everyday news.
    Info,
    /// Something a person should look at.
    Warning,
    /// Something failed.
    Error,
}

/// The state of the link to a framework's server or driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Link {
    /// Alive.
    Up,
    /// Gone since a moment, for a reason.
    Lost {
        /// When it was noticed.
        since: Timestamp,
        /// Why.
        why: Error,
    },
    /// Back, and what was declared is being restored and read back, where the policy says so
    /// ([`Supervision`](crate::Supervision)).
    Restoring,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A device appeared.
    Added(DeviceInfo),
    /// A device went away.
    Removed,
    /// A device was connected (true) or disconnected (false), by us or by another client.
    Connected(bool),
    /// The device's state is now this.
    State(DeviceState),
    /// A camera's picture was judged by the [frame guard](crate::guard).
    Frame {
        /// The number of the exposure, as in [`ImageMeta::exposure_number`](crate::image::ImageMeta::exposure_number).
        number: u64,
        /// What the picture is for, if that is known.
        frame_type: Option<FrameType>,
        /// What the guard thinks of it.
        verdict: Verdict,
    },
    /// The device or the server said something.
    Message(Level, String),
    /// The link to the server or, with a device, to its driver changed: lost, restoring, up, in this order.
    Link(Link),
    /// A device that was connected here was lost and is back: told once for each, before the link is up, or before the
    /// device is told to be connected again.
    Restored {
        /// What was read back and is as it was declared: `connection` where it had to be connected again, `frame`, `cooler`,
        /// `tracking`, `guide rates`, or the name of a control.
        restored: Vec<String>,
        /// What is not, and why.
        failed: Vec<(String, Error)>,
    },
    /// This listener was too slow and lost that many events just before this one.
    Lagged(u64),
}

/// One piece of news: when, from which device (`None`: the backend itself), and what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was noticed, UTC, by the backend's clock.
    pub at: Timestamp,
    /// The device, or `None` for the backend as a whole.
    pub device: Option<DeviceId>,
    /// What happened.
    pub kind: EventKind,
}

/// Events that a listener may leave unread before the oldest are dropped.
const CAPACITY: usize = 1024;

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    lagged: u64,
    closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

/// A subscription; dropping it ends it.
///
/// ```
/// # fn main() -> astrobackend::Result<()> {
/// use std::time::Duration;
/// let observatory = astrobackend::open("sim://?speed=1000")?;
/// let events = observatory.events();
/// let focuser = observatory.focuser()?;
/// focuser.connect()?;
/// focuser.start_move(focuser.state()?.position.unwrap_or(0) + 100)?;
/// assert!(events.next(Duration::from_secs(5)).is_some());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Events(Arc<Shared>);

impl Events {
    /// The next event, waiting for it no longer than `timeout`; `None` when there is none,
    /// or when the backend is gone and the queue is empty.
    pub fn next(&self, timeout: Duration) -> Option<Event> {
        let deadline = Deadline::after(timeout);
        let mut queue = lock(&self.0.queue);
        loop {
            if queue.lagged > 0 {
                let lost = std::mem::take(&mut queue.lagged);
                let at = queue.events.front().map_or_else(Timestamp::now, |event| event.at);
                return Some(Event { at, device: None, kind: EventKind::Lagged(lost) });
            }
            if let Some(event) = queue.events.pop_front() {
                return Some(event);
            }
            let left = deadline.pause();
            if left.is_zero() || queue.closed {
                return None;
            }
            queue = self.0.ready.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The next event that is already there; never waits.
    pub fn try_next(&self) -> Option<Event> {
        self.next(Duration::ZERO)
    }

    /// True when the backend is gone: after the queue is empty nothing will come any more.
    pub fn is_closed(&self) -> bool {
        lock(&self.0.queue).closed
    }
}

/// Where a backend publishes its events.
#[derive(Debug, Default)]
pub struct Hub {
    listeners: Mutex<Vec<Weak<Shared>>>,
}

impl Hub {
    /// A new subscription that sees everything published from now on.
    pub fn subscribe(&self) -> Events {
        let shared = Arc::new(Shared::default());
        lock(&self.listeners).push(Arc::downgrade(&shared));
        Events(shared)
    }

    /// True while somebody listens.
    pub fn has_listeners(&self) -> bool {
        let mut listeners = lock(&self.listeners);
        listeners.retain(|listener| listener.strong_count() > 0);
        !listeners.is_empty()
    }

    /// Hands an event to every listener; costs a lock when nobody listens. What a person may want to know of
    /// is logged too.
    pub fn publish(&self, event: &Event) {
        report(event);
        let mut listeners = lock(&self.listeners);
        listeners.retain(|listener| {
            let Some(shared) = listener.upgrade() else { return false };
            let mut queue = lock(&shared.queue);
            if queue.events.len() >= CAPACITY {
                queue.events.pop_front();
                queue.lagged += 1;
            }
            queue.events.push_back(event.clone());
            shared.ready.notify_one();
            true
        });
    }
}

/// Logs links that come and go, devices that do, and what they say; states are too many.
fn report(event: &Event) {
    let who = event.device.as_ref().map_or("the server", |device| &device.name);
    match &event.kind {
        EventKind::Link(Link::Lost { why, .. }) => log::warn!("{who}: the link is lost: {why}"),
        EventKind::Link(Link::Restoring) => log::info!("{who}: the link is back, settings are restored"),
        EventKind::Link(Link::Up) => log::info!("{who}: the link is up"),
        EventKind::Message(Level::Error, text) => log::error!("{who}: {text}"),
        EventKind::Message(Level::Warning, text) => log::warn!("{who}: {text}"),
        EventKind::Message(Level::Info, text) => log::info!("{who}: {text}"),
        EventKind::Connected(true) => log::info!("{who}: connected"),
        EventKind::Connected(false) => log::info!("{who}: disconnected"),
        EventKind::Restored { restored, failed } => {
            log::info!("{who}: restored: {}", restored.join(", "));
            for (what, why) in failed {
                log::error!("{who}: {what} could not be restored: {why}");
            }
        }
        EventKind::Added(_) => log::debug!("{who}: appeared"),
        EventKind::Removed => log::debug!("{who}: went away"),
        EventKind::Frame { number, verdict, .. } => match verdict {
            Verdict::Ok => log::debug!("{who}: frame {number} is ok"),
            Verdict::Suspect(why) => log::warn!("{who}: frame {number} is suspect: {why}"),
            Verdict::Bad(why) => log::error!("{who}: frame {number} is bad: {why}"),
        },
        EventKind::State(_) | EventKind::Lagged(_) => {}
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        for shared in lock(&self.listeners).iter().filter_map(Weak::upgrade) {
            lock(&shared.queue).closed = true;
            shared.ready.notify_all();
        }
    }
}

/// Looks at a backend that does not push, at an interval, only while somebody listens.
///
/// Each subscription makes sure that the one polling thread runs; the thread ends by
/// itself when the last listener is gone, or when the poller is dropped.
#[derive(Debug)]
pub struct Poller {
    hub: Arc<Hub>,
    running: Arc<Mutex<bool>>,
    stop: crate::wait::Cancel,
    interval: Duration,
}

impl Poller {
    /// A poller that publishes into a hub of its own.
    pub fn new(interval: Duration) -> Self {
        Poller { hub: Arc::default(), running: Arc::default(), stop: crate::wait::Cancel::new(), interval }
    }

    /// The hub, to publish into directly.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Subscribes, and starts `look` on a thread unless it runs already.
    ///
    /// `make` builds the look: a closure that returns the events since it was last called
    /// (its first call takes the starting picture), or `None` when the backend is gone.
    pub fn subscribe<L>(&self, make: impl FnOnce() -> L) -> Events
    where
        L: FnMut() -> Option<Vec<Event>> + Send + 'static,
    {
        let events = self.hub.subscribe();
        let mut running = lock(&self.running);
        if !*running {
            // The starting picture is taken here, so that nothing done after this call is missed.
            let mut look = make();
            let first = look();
            first.iter().flatten().for_each(|event| self.hub.publish(event));
            let (hub, flag, stop, interval) =
                (self.hub.clone(), self.running.clone(), self.stop.clone(), self.interval);
            let thread = std::thread::Builder::new().name("astrobackend-poll".into());
            *running = thread.spawn(move || poll(&hub, &flag, &stop, interval, look)).is_ok();
        }
        events
    }
}

fn poll(
    hub: &Hub,
    running: &Mutex<bool>,
    stop: &crate::wait::Cancel,
    interval: Duration,
    mut look: impl FnMut() -> Option<Vec<Event>>,
) {
    loop {
        let cancelled = stop.wait(interval);
        {
            // Decided under the lock: a subscriber either finds us running, or starts another.
            let mut running = lock(running);
            if cancelled || !hub.has_listeners() {
                *running = false;
                return;
            }
        }
        match look() {
            Some(events) => events.iter().for_each(|event| hub.publish(event)),
            None => {
                *lock(running) = false;
                return;
            }
        }
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Event {
        Event { at: Timestamp::UNIX_EPOCH, device: None, kind: EventKind::Message(Level::Info, text.into()) }
    }

    #[test]
    fn a_slow_listener_is_told_what_it_lost() {
        let hub = Hub::default();
        let events = hub.subscribe();
        for n in 0..CAPACITY + 3 {
            hub.publish(&message(&n.to_string()));
        }
        assert_eq!(events.try_next().unwrap().kind, EventKind::Lagged(3));
        assert_eq!(events.try_next().unwrap(), message("3"));
    }

    #[test]
    fn a_listener_outlives_its_backend() {
        let hub = Hub::default();
        let events = hub.subscribe();
        hub.publish(&message("last words"));
        drop(hub);
        assert!(events.next(Duration::from_secs(60)).is_some());
        assert!(events.next(Duration::from_secs(60)).is_none(), "must not wait for a backend that is gone");
        assert!(events.is_closed());
    }

    #[test]
    fn the_poller_runs_only_while_somebody_listens() {
        let poller = Poller::new(Duration::from_millis(1));
        let (sender, looks) = std::sync::mpsc::channel();
        let make = |sender: std::sync::mpsc::Sender<()>| {
            move || {
                let _ = sender.send(());
                Some(vec![message("tick")])
            }
        };
        let events = poller.subscribe(|| make(sender.clone()));
        assert!(events.next(Duration::from_secs(5)).is_some());
        drop(events);
        drop(sender);
        // The look owns the last sender: the channel closes when the thread has ended.
        while looks.recv_timeout(Duration::from_secs(5)).is_ok() {}
        assert!(!*lock(&poller.running));
    }
}
