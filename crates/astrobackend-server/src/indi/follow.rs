//! Following what the backends tell, while there are clients to tell it to.

use super::Service;
use crate::lock;
use std::{
    sync::{Arc, Mutex, Weak},
    thread,
    time::Duration,
};

/// How long a thread waits before it looks whether anybody is still there.
const LOOK: Duration = Duration::from_millis(500);

/// Which backends are followed, by number.
#[derive(Debug, Default)]
pub(super) struct Following(Mutex<Vec<usize>>);

impl Service {
    /// Follows all backends, unless they are followed already.
    pub(super) fn follow(self: &Arc<Self>) {
        let mut followed = lock(&self.following.0);
        for number in 0..self.devices.backends().count() {
            if followed.contains(&number) {
                continue;
            }
            let service = Arc::downgrade(self);
            let begun = thread::Builder::new().name("indi-news".into()).spawn(move || follow(&service, number));
            match begun {
                Ok(_) => followed.push(number),
                Err(error) => log::warn!("no thread for the news: {error}"),
            }
        }
    }
}

fn follow(service: &Weak<Service>, number: usize) {
    let events = {
        let Some(service) = service.upgrade() else { return };
        let Some(events) = service.devices.backends().nth(number).map(|backend| backend.events()) else { return };
        // Nobody was told what happened before.
        if let Err(error) = service.devices.list(&service) {
            log::warn!("the devices cannot be listed: {error}");
        }
        service.devices.wake_all(number);
        events
    };
    loop {
        let event = events.next(LOOK);
        let Some(service) = service.upgrade() else { return };
        match event {
            Some(event) => service.devices.hear(&service, number, event),
            None => {
                let mut followed = lock(&service.following.0);
                if events.is_closed() || service.audience.is_empty() {
                    followed.retain(|one| *one != number);
                    return;
                }
            }
        }
    }
}
