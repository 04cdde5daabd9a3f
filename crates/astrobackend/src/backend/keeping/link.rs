//! The state of a link, and the only order in which it changes: up, lost, restoring, up, or lost again on the way.

use crate::{
    Error, ErrorKind, Timestamp,
    device::DeviceId,
    event::{Event, EventKind, Hub, Link},
    sync::lock,
};
use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::ThreadId,
};

/// A link, to a server or to one driver; listeners hear of its changes in their order.
#[derive(Debug)]
pub(in crate::backend) struct LinkState {
    hub: Arc<Hub>,
    /// The device whose driver it leads to; `None` for a server.
    device: Option<DeviceId>,
    link: Mutex<Link>,
    losses: AtomicU64,
    /// How often it changed.
    era: AtomicU64,
    /// It was up before it was lost last.
    was_up: AtomicBool,
    /// The thread that restores, which may talk to the peer before the others.
    keeper: OnceLock<ThreadId>,
}

fn may_follow(before: &Link, now: &Link) -> bool {
    matches!(
        (before, now),
        (Link::Up | Link::Restoring, Link::Lost { .. })
            | (Link::Lost { .. }, Link::Restoring)
            | (Link::Restoring, Link::Up)
    )
}

impl LinkState {
    pub(in crate::backend) fn new(hub: Arc<Hub>, device: Option<DeviceId>) -> Self {
        LinkState {
            hub,
            device,
            link: Mutex::new(Link::Up),
            losses: AtomicU64::new(0),
            era: AtomicU64::new(0),
            was_up: AtomicBool::new(true),
            keeper: OnceLock::new(),
        }
    }

    pub(in crate::backend) fn get(&self) -> Link {
        lock(&self.link).clone()
    }

    /// How often it was lost.
    pub(in crate::backend) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Acquire)
    }

    /// Whether it was up before it was lost last: one that is lost while it is restored is tried again more patiently.
    pub(in crate::backend) fn was_up(&self) -> bool {
        self.was_up.load(Ordering::Acquire)
    }

    /// Changes the state, if it may follow the present one; true if so.
    pub(in crate::backend) fn set(&self, now: Link) -> bool {
        let mut link = lock(&self.link);
        if !may_follow(&link, &now) {
            return false;
        }
        if matches!(now, Link::Lost { .. }) {
            self.losses.fetch_add(1, Ordering::AcqRel);
            self.was_up.store(*link == Link::Up, Ordering::Release);
        }
        self.era.fetch_add(1, Ordering::AcqRel);
        *link = now.clone();
        // Told under the lock, so that listeners hear it in the order in which it happened.
        self.publish(self.device.clone(), EventKind::Link(now));
        true
    }

    /// It is lost, for a reason; true if that is news.
    pub(in crate::backend) fn lose(&self, why: &Error) -> bool {
        self.set(Link::Lost { since: Timestamp::now(), why: unreachable(why) })
    }

    /// The number of the present state; see [`LinkState::lose_in`].
    pub(in crate::backend) fn era(&self) -> u64 {
        self.era.load(Ordering::Acquire)
    }

    /// It is lost, as somebody finds who began to ask in an era: if that is over, he speaks of the past.
    pub(in crate::backend) fn lose_in(&self, era: u64, why: &Error) -> bool {
        self.era() == era && self.lose(why)
    }

    /// Why nothing can be asked now, except by the thread that restores.
    pub(in crate::backend) fn check(&self) -> Result<(), Error> {
        match &*lock(&self.link) {
            Link::Lost { why, .. } if !self.is_keeper() => Err(why.clone()),
            _ => Ok(()),
        }
    }

    /// The present thread is the one that restores.
    pub(super) fn keep_here(&self) {
        let _ = self.keeper.set(std::thread::current().id());
    }

    pub(in crate::backend) fn is_keeper(&self) -> bool {
        self.keeper.get() == Some(&std::thread::current().id())
    }

    pub(in crate::backend) fn publish(&self, device: Option<DeviceId>, kind: EventKind) {
        self.hub.publish(&Event { at: Timestamp::now(), device, kind });
    }
}

/// The reason of a loss, as those who ask meanwhile are told it.
pub(in crate::backend) fn unreachable(why: &Error) -> Error {
    match why.kind() {
        ErrorKind::Unreachable => why.clone(),
        _ => Error::new(ErrorKind::Unreachable, why.message().to_owned()).caused_by(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_changes_in_one_order_only_and_tells_each_change_once() {
        let hub = Arc::new(Hub::default());
        let events = hub.subscribe();
        let link = LinkState::new(hub, None);
        let why = Error::new(ErrorKind::Timeout, "gone");
        assert!(!link.set(Link::Restoring) && !link.set(Link::Up), "it is up");
        assert!(link.lose(&why) && !link.lose(&why), "lost once");
        assert_eq!(link.check().unwrap_err().kind(), ErrorKind::Unreachable);
        assert!(!link.set(Link::Up), "not without restoring");
        assert!(link.set(Link::Restoring) && link.lose(&why) && link.set(Link::Restoring) && link.set(Link::Up));
        assert!(link.check().is_ok());
        assert_eq!(link.losses(), 2);
        let told = std::iter::from_fn(|| events.try_next()).count();
        assert_eq!(told, 5);
    }
}
