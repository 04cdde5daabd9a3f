//! Which devices are offered, under which names, and what their backends tell of them.

use super::{
    Service,
    device::{self, Lane, Task},
    part::{Companions, Part, part},
};
use crate::alpaca::Exposed;
use astrobackend::{
    Backend, Event, Result,
    device::{DeviceId, DeviceInfo, DeviceKind},
    event::{EventKind, Level, Link},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

/// The devices that are offered.
#[derive(Debug)]
pub(super) struct Devices {
    exposed: Vec<Exposed>,
    known: RwLock<BTreeMap<String, Entry>>,
    companions: Arc<Companions>,
    /// Held while the backends are asked, so that the last to ask is the last to tell.
    listing: Mutex<()>,
}

/// A device of INDI: all devices of a backend that have the same name.
#[derive(Debug)]
struct Entry {
    backend: usize,
    infos: Vec<DeviceInfo>,
    parts: Vec<Arc<dyn Part>>,
    lane: Lane,
}

impl Devices {
    pub(super) fn new(exposed: Vec<Exposed>) -> Self {
        Devices { exposed, known: RwLock::default(), companions: Arc::default(), listing: Mutex::default() }
    }

    /// The backends.
    pub(super) fn backends(&self) -> impl Iterator<Item = &Arc<dyn Backend>> {
        self.exposed.iter().map(|exposed| &exposed.backend)
    }

    /// Asks the backends which devices there are: serves those that are new, ends those that are gone. May wait.
    ///
    /// # Errors
    /// What listing fails with.
    pub(super) fn list(&self, service: &Arc<Service>) -> Result<()> {
        let _listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.found()?;
        self.accompany(&found)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|name, entry| {
            let stays = found.contains_key(name);
            if !stays {
                entry.lane.give(Task::Gone);
            }
            stays
        });
        for (name, (backend, infos)) in found {
            let before = known.get(&name);
            if before.is_some_and(|entry| entry.infos.iter().map(|info| &info.id).eq(infos.iter().map(|info| &info.id)))
            {
                continue;
            }
            let parts = self.parts(backend, &infos, before)?;
            let lane = match before {
                Some(entry) => entry.lane.clone(),
                None => device::begin(service, name.clone(), parts.clone()),
            };
            if before.is_some() {
                lane.give(Task::Parts(parts.clone()));
            }
            known.insert(name, Entry { backend, infos, parts, lane });
        }
        Ok(())
    }

    /// What there is, by the name that it has here.
    fn found(&self) -> Result<BTreeMap<String, (usize, Vec<DeviceInfo>)>> {
        let mut found: BTreeMap<String, (usize, Vec<DeviceInfo>)> = BTreeMap::new();
        for (backend, exposed) in self.exposed.iter().enumerate() {
            for info in exposed.backend.devices()? {
                if exposed.only.as_ref().is_some_and(|only| !only.contains(&info.id)) {
                    continue;
                }
                let mut name = info.id.name.clone();
                let mut count = 1;
                while found.get(&name).is_some_and(|(other, _)| *other != backend) {
                    count += 1;
                    name = format!("{} {count}", info.id.name);
                }
                found.entry(name).or_insert_with(|| (backend, Vec::new())).1.push(info);
            }
        }
        Ok(found)
    }

    fn parts(&self, backend: usize, infos: &[DeviceInfo], before: Option<&Entry>) -> Result<Vec<Arc<dyn Part>>> {
        let mut parts = Vec::new();
        for info in infos {
            let same = before.and_then(|entry| entry.parts.iter().find(|part| *part.id() == info.id));
            match same {
                Some(same) => parts.push(same.clone()),
                None => {
                    let device = self.exposed[backend].backend.device(&info.id)?;
                    parts.extend(part(info.id.clone(), device, &self.companions));
                }
            }
        }
        Ok(parts)
    }

    /// The first wheel, focuser and mount go into the headers of pictures.
    fn accompany(&self, found: &BTreeMap<String, (usize, Vec<DeviceInfo>)>) -> Result<()> {
        let mut companions = Vec::new();
        for kind in [DeviceKind::FilterWheel, DeviceKind::Focuser, DeviceKind::Mount] {
            let mut all = found.values().flat_map(|(backend, infos)| infos.iter().map(|info| (*backend, info)));
            if let Some((backend, info)) = all.find(|(_, info)| info.id.kind == kind && info.part_of.is_none()) {
                companions.push((info.id.clone(), self.exposed[backend].backend.device(&info.id)?));
            }
        }
        self.companions.set(companions);
        Ok(())
    }

    /// What is offered, as it was when it was last looked.
    pub(super) fn infos(&self) -> Vec<DeviceInfo> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().flat_map(|entry| entry.infos.clone()).collect()
    }

    /// The names here.
    pub(super) fn names(&self) -> Vec<String> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// True when there is one of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Gives a device something to deal with; nobody answers for one that is not there.
    pub(super) fn give(&self, name: &str, task: Task) {
        if let Some(entry) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            entry.lane.give(task);
        }
    }

    /// Lets all devices of a backend look at all there is.
    pub(super) fn wake_all(&self, backend: usize) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().filter(|entry| entry.backend == backend).for_each(|entry| entry.lane.wake(true));
    }

    fn of(&self, backend: usize, id: &DeviceId) -> Option<(String, Lane)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_it = |entry: &Entry| entry.backend == backend && entry.infos.iter().any(|info| info.id == *id);
        known.iter().find(|(_, entry)| is_it(entry)).map(|(name, entry)| (name.clone(), entry.lane.clone()))
    }

    /// Passes on what a backend tells. May wait for it.
    pub(super) fn hear(&self, service: &Arc<Service>, backend: usize, event: Event) {
        let device = event.device.as_ref().and_then(|id| self.of(backend, id));
        match (event.kind, device) {
            (EventKind::Added(_) | EventKind::Removed, _) => {
                if let Err(error) = self.list(service) {
                    log::warn!("the devices cannot be listed: {error}");
                }
            }
            (EventKind::State(_), Some((_, lane))) => lane.wake(false),
            (EventKind::Connected(_), Some((_, lane))) => lane.wake(true),
            (EventKind::Frame { number, verdict, .. }, Some((name, _))) if !verdict.is_ok() => {
                self.say(service, &name, Level::Warning, &format!("frame {number} is {verdict}"));
            }
            (EventKind::Message(level, text), Some((name, _))) => self.say(service, &name, level, &text),
            (EventKind::Message(level, text), None) => self.say_all(service, backend, level, &text),
            (EventKind::Link(link), _) => {
                match link {
                    Link::Lost { why, .. } => {
                        self.say_all(service, backend, Level::Error, &format!("the link is lost: {why}"));
                    }
                    Link::Up => self.say_all(service, backend, Level::Info, "the link is up"),
                    _ => {}
                }
                self.wake_all(backend);
            }
            (EventKind::Lagged(_), _) => self.wake_all(backend),
            _ => {}
        }
    }

    fn say(&self, service: &Service, name: &str, level: Level, text: &str) {
        let word = match level {
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        };
        device::say(&service.audience, name, &format!("[{word}] {text}"));
    }

    fn say_all(&self, service: &Service, backend: usize, level: Level, text: &str) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        for (name, _) in known.iter().filter(|(_, entry)| entry.backend == backend) {
            self.say(service, name, level, text);
        }
    }
}
