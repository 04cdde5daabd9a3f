//! Which devices are offered, under which numbers; devices may come and go.

use super::{
    identities::Identities,
    options::{Exposed, Options},
    served::Served,
};
use crate::lock;
use astrobackend::{
    Error, Result,
    device::{DeviceId, DeviceKind},
    event::{EventKind, Link},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// How long a listener to a backend's news sleeps before it looks whether the server still runs.
const LOOK: Duration = Duration::from_secs(1);

/// The devices that are offered.
#[derive(Debug)]
pub(super) struct Registry {
    exposed: Vec<Exposed>,
    options: Options,
    identities: Mutex<Identities>,
    /// All that were there since the server started, by kind and number.
    served: RwLock<Vec<Arc<Served>>>,
    closed: AtomicBool,
}

impl Registry {
    /// Lists the devices of the backends.
    ///
    /// # Errors
    /// `NotFound` for a device that is wanted by name and not there; what listing fails with.
    pub(super) fn new(exposed: Vec<Exposed>, options: &Options) -> Result<Self> {
        let identities = Mutex::new(Identities::load(options.state_file.as_deref())?);
        let options = options.clone();
        let registry =
            Registry { exposed, options, identities, served: RwLock::default(), closed: AtomicBool::default() };
        registry.refresh()?;
        registry.check_names()?;
        Ok(registry)
    }

    fn check_names(&self) -> Result<()> {
        let there = self.present();
        for wanted in &self.options.devices {
            if !there.iter().any(|served| super::options::is_named(wanted, &served.id)) {
                return Err(Error::not_found(format!("there is no device {wanted:?} to be served")));
            }
        }
        Ok(())
    }

    /// Asks the backends again. May wait for them.
    ///
    /// # Errors
    /// What listing or keeping the identities fails with; the other backends were asked nevertheless.
    pub(super) fn refresh(&self) -> Result<()> {
        let outcomes: Vec<_> = self.exposed.iter().map(|exposed| self.refresh_one(exposed)).collect();
        outcomes.into_iter().collect()
    }

    fn refresh_one(&self, exposed: &Exposed) -> Result<()> {
        let ids: Vec<DeviceId> = exposed.devices(&self.options)?.into_iter().map(|info| info.id).collect();
        // One at a time: two looks must not give one device two entries.
        let mut identities = lock(&self.identities);
        let identities = identities.of(exposed.backend.address(), &ids)?;
        let of_backend = |served: &&Arc<Served>| Arc::ptr_eq(&served.backend, &exposed.backend);
        let before = self.all();
        for gone in before.iter().filter(of_backend).filter(|served| !ids.contains(&served.id)) {
            gone.set_device(None);
        }
        let mut new = Vec::new();
        for (id, identity) in ids.into_iter().zip(identities) {
            let device = exposed.backend.device(&id).ok();
            match before.iter().filter(of_backend).find(|served| served.id == id) {
                Some(known) => known.set_device(device),
                None => {
                    let served = Served::new(id, identity, exposed.backend.clone(), self.options.limits);
                    served.set_device(device);
                    new.push(Arc::new(served));
                }
            }
        }
        let mut served = self.served.write().unwrap_or_else(PoisonError::into_inner);
        served.extend(new);
        served.sort_by_key(|served| (served.id.kind, served.identity.number));
        Ok(())
    }

    fn all(&self) -> Vec<Arc<Served>> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those that are there now.
    pub(super) fn present(&self) -> Vec<Arc<Served>> {
        self.all().into_iter().filter(|served| served.is_present()).collect()
    }

    /// The device of a number, there or away.
    ///
    /// # Errors
    /// `NotFound` for a number that no device has.
    pub(super) fn find(&self, kind: DeviceKind, number: u32) -> Result<Arc<Served>> {
        let all = self.served.read().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|served| served.id.kind == kind && served.identity.number == number);
        found.cloned().ok_or_else(|| Error::not_found(format!("there is no {} {number}", kind.alpaca_name())))
    }

    /// Ends the listeners of [`follow`].
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}

/// Follows devices that come and go, with backends that tell by themselves.
///
/// Those that would have to be polled for it are only asked when a client wants the list.
pub(super) fn follow(registry: &Arc<Registry>) {
    for exposed in registry.exposed.iter().filter(|exposed| exposed.backend.answers_from_memory()) {
        let (events, registry) = (exposed.backend.events(), Arc::downgrade(registry));
        let listener = thread::Builder::new().name("alpaca-devices".into());
        let follow = move || {
            loop {
                let event = events.next(LOOK);
                let Some(registry) = open(&registry) else { return };
                match event.map(|event| event.kind) {
                    Some(
                        EventKind::Added(_) | EventKind::Removed | EventKind::Link(Link::Up) | EventKind::Lagged(_),
                    ) => {
                        if let Err(error) = registry.refresh() {
                            log::warn!("the devices cannot be listed: {error}");
                        }
                    }
                    None if events.is_closed() => return,
                    _ => {}
                }
            }
        };
        if let Err(error) = listener.spawn(follow) {
            log::warn!("devices that come and go are not followed: {error}");
        }
    }
}

fn open(registry: &Weak<Registry>) -> Option<Arc<Registry>> {
    registry.upgrade().filter(|registry| !registry.closed.load(Ordering::Acquire))
}
