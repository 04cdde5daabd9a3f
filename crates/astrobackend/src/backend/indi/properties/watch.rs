//! Changes as they come, each of them, for whoever watches: a queue per watcher, filled under the store's lock.

use super::{model::Property, pattern::Pattern};
use crate::{Error, backend::indi::property as kept, sync::lock, wait::Deadline};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

/// Changes kept for a watcher that does not look; older ones are lost, and their number told.
const CAPACITY: usize = 4096;

/// News about properties.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Defined, or defined again.
    Defined(Property),
    /// The driver told a state or values, the same or others.
    Updated(Property),
    /// Gone.
    Deleted {
        /// The device.
        device: String,
        /// The property; `None` when the device is gone with all it had.
        property: Option<String>,
    },
    /// The connection is lost. When it is back, everything is defined again.
    Lost(Error),
    /// So many changes were lost because nobody looked in time.
    Lagged(u64),
}

/// A stream of changes, from [`Properties::watch`](super::Properties::watch); dropping it ends the watch.
#[derive(Debug)]
pub struct Changes(pub(super) Arc<Queue>);

#[derive(Debug)]
pub(in crate::backend::indi) struct Queue {
    pattern: Pattern,
    waiting: Mutex<Waiting>,
    ready: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    changes: VecDeque<Change>,
    lagged: u64,
}

impl Queue {
    pub(super) fn new(pattern: Pattern) -> Self {
        Queue { pattern, waiting: Mutex::default(), ready: Condvar::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }

    pub(super) fn push(&self, change: Change) {
        let mut waiting = self.waiting();
        if waiting.changes.len() >= CAPACITY {
            waiting.changes.pop_front();
            waiting.lagged += 1;
        }
        waiting.changes.push_back(change);
        self.ready.notify_one();
    }
}

impl Changes {
    /// The next change, waiting for it no longer than `timeout`; `None` when there is none.
    pub fn next(&self, timeout: Duration) -> Option<Change> {
        let deadline = Deadline::after(timeout);
        let mut waiting = self.0.waiting();
        loop {
            if waiting.lagged > 0 {
                return Some(Change::Lagged(std::mem::take(&mut waiting.lagged)));
            }
            if let Some(change) = waiting.changes.pop_front() {
                return Some(change);
            }
            let left = deadline.pause();
            if left.is_zero() {
                return None;
            }
            waiting = self.0.ready.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Those who watch.
#[derive(Debug, Default)]
pub(in crate::backend::indi) struct Watchers(Vec<Weak<Queue>>);

impl Watchers {
    /// One more.
    pub(super) fn add(&mut self, queue: &Arc<Queue>) {
        self.0.push(Arc::downgrade(queue));
    }

    /// A property was defined, or its driver told something about it.
    pub(in crate::backend::indi) fn tell(
        &mut self,
        device: &str,
        name: &str,
        property: &kept::Property,
        change: fn(Property) -> Change,
    ) {
        self.each(|pattern| pattern.fits(device, name), || change(Property::of(device, name, property)));
    }

    /// A property, or all of a device, is gone.
    pub(in crate::backend::indi) fn tell_deleted(&mut self, device: &str, name: Option<&str>) {
        let gone = || Change::Deleted { device: device.to_owned(), property: name.map(str::to_owned) };
        self.each(|pattern| pattern.fits(device, name.unwrap_or(&pattern.property)), gone);
    }

    /// The connection is lost.
    pub(in crate::backend::indi) fn tell_lost(&mut self, why: &Error) {
        self.each(|_| true, || Change::Lost(why.clone()));
    }

    fn each(&mut self, concerns: impl Fn(&Pattern) -> bool, change: impl Fn() -> Change) {
        self.0.retain(|watcher| {
            let Some(queue) = watcher.upgrade() else { return false };
            if concerns(&queue.pattern) {
                queue.push(change());
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_look_is_told_what_was_lost() {
        let changes = Changes(Arc::new(Queue::new(Pattern::all())));
        let mut watchers = Watchers::default();
        watchers.add(&changes.0);
        for n in 0..CAPACITY + 2 {
            watchers.tell_deleted(&n.to_string(), None);
        }
        assert_eq!(changes.next(Duration::ZERO), Some(Change::Lagged(2)));
        assert_eq!(changes.next(Duration::ZERO), Some(Change::Deleted { device: "2".into(), property: None }));
        drop(changes);
        watchers.tell_deleted("x", None);
        assert!(watchers.0.is_empty());
    }
}
