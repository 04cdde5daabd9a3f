//! All clients, as the devices see them: who wants to hear of something hears it, and nobody is waited for.

use super::{interest::Interest, outbox::Outbox, picture::Picture};
use crate::lock;
use astrobackend::wire::indi::Message;
use bytes::Bytes;
use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Semaphore;

/// A client, as the devices see it.
#[derive(Debug)]
pub(super) struct Listener {
    number: u64,
    pub(super) outbox: Outbox,
    pub(super) interest: Mutex<Interest>,
    /// Places for its commands and questions that wait for devices.
    pub(super) places: Arc<Semaphore>,
}

/// Those who are connected.
#[derive(Debug, Default)]
pub(super) struct Audience {
    listeners: RwLock<Vec<Arc<Listener>>>,
    count: AtomicU64,
}

impl Audience {
    /// One more, who wants nothing yet.
    pub(super) fn join(&self, queue: usize, waiting: usize) -> Arc<Listener> {
        let listener = Arc::new(Listener {
            number: self.count.fetch_add(1, Ordering::Relaxed),
            outbox: Outbox::new(queue),
            interest: Mutex::default(),
            places: Arc::new(Semaphore::new(waiting)),
        });
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener.clone());
        listener
    }

    /// One less.
    pub(super) fn leave(&self, listener: &Listener) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).retain(|one| one.number != listener.number);
    }

    /// True when nobody is there.
    pub(super) fn is_empty(&self) -> bool {
        self.listeners.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// True when somebody wants the BLOBs of a property.
    pub(super) fn sees(&self, device: &str, name: &str) -> bool {
        let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().any(|one| lock(&one.interest).sees(device, name))
    }

    /// Tells of a property, or of a device as a whole.
    pub(super) fn tell(&self, device: &str, name: Option<&str>, message: &Message<'_>) {
        self.tell_but(None, device, name, message);
    }

    /// What one client told a device, for the others: for some values, such as a set point, nothing else tells it.
    pub(super) fn echo(&self, from: &Listener, device: &str, name: &str, message: &Message<'_>) {
        self.tell_but(Some(from.number), device, Some(name), message);
    }

    fn tell_but(&self, not: Option<u64>, device: &str, name: Option<&str>, message: &Message<'_>) {
        let mut bytes = None;
        for one in self.listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if Some(one.number) != not && lock(&one.interest).hears(device, name) {
                let bytes = bytes.get_or_insert_with(|| Bytes::from(message.to_bytes()));
                one.outbox.put(bytes.clone());
            }
        }
    }

    /// Sends a picture to those who want it.
    pub(super) fn show(&self, picture: &Arc<Picture>) {
        for one in self.listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if lock(&one.interest).sees(&picture.device, picture.vector()) {
                one.outbox.show(picture.clone());
            }
        }
    }
}
