//! The drivers of this computer as a backend.

use super::{
    Policy, chooser,
    driver::{Driver, Way},
    profile::{self, Installed},
};
use crate::{
    Address, Error, Result, Supervision,
    backend::{
        Backend,
        interfaces::{self, Told},
        keeping::{Claim, LinkState},
        no_such_device,
    },
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind},
    event::{Events, Link, Poller},
    sync::lock,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

/// The devices that were asked for: each one once.
type Made = Arc<Mutex<BTreeMap<DeviceId, Reached>>>;

/// A device, and the way to its driver.
#[derive(Debug)]
struct Reached {
    device: AnyDevice,
    way: Arc<Way>,
}

/// The drivers of this computer; a device's name is its ProgID.
#[derive(Debug)]
pub(super) struct Ascom {
    address: Address,
    policy: Policy,
    made: Made,
    poller: Poller,
}

impl Ascom {
    pub(super) fn new(address: Address, policy: Policy) -> Self {
        let poller = Poller::new(policy.poll);
        Ascom { address, policy, made: Made::default(), poller }
    }

    /// The drivers in ASCOM's profile, and the one of the address, which need not be there.
    fn drivers(&self) -> Vec<Installed> {
        let mut drivers = profile::installed();
        let named = self.address.path();
        let known = drivers.iter().any(|driver| driver.prog_id.eq_ignore_ascii_case(named));
        if let (false, Some(kind)) = (known, profile::kind_of(named)) {
            drivers.push(Installed { kind, prog_id: named.to_owned(), name: None });
        }
        drivers
    }

    /// The device of a driver, which is not started before it is used.
    fn make(&self, driver: &Installed) -> Reached {
        let (info, hub) = (self.info(driver), self.poller.hub().clone());
        let way = Way::new(LinkState::new(hub.clone(), Some(info.id.clone())), self.policy.keeping);
        let claim = Arc::new(Claim::new(info.id.clone(), way.link.clone(), way.keeper.work()));
        let carrier = Arc::new(Driver::new(&driver.prog_id, self.policy.clone(), way.clone()));
        let device = interfaces::device(carrier, hub, info, claim.clone());
        way.keeper.work().enlist(&device, &claim);
        Reached { device, way }
    }

    fn info(&self, driver: &Installed) -> DeviceInfo {
        let id = DeviceId::new(driver.kind, driver.prog_id.clone());
        let address = self.address.clone().with_path(driver.prog_id.clone());
        DeviceInfo { description: driver.name.clone(), ..DeviceInfo::new(id, address) }
    }
}

impl fmt::Display for Ascom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Backend for Ascom {
    fn address(&self) -> &Address {
        &self.address
    }

    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        let made = lock(&self.made);
        let known = |info: DeviceInfo| made.get(&info.id).map_or(info, |made| made.device.device().info());
        Ok(self.drivers().iter().map(|driver| known(self.info(driver))).collect())
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        if let Some(made) = lock(&self.made).get(id) {
            return Ok(made.device.clone());
        }
        let drivers = self.drivers();
        let is_it = |driver: &&Installed| driver.kind == id.kind && driver.prog_id.eq_ignore_ascii_case(&id.name);
        let Some(driver) = drivers.iter().find(is_it) else {
            let there: Vec<_> = drivers.iter().map(|driver| self.info(driver).id).collect();
            return Err(no_such_device(self, id, &there));
        };
        Ok(lock(&self.made).entry(id.clone()).or_insert_with(|| self.make(driver)).device.clone())
    }

    fn events(&self) -> Events {
        let made = Arc::downgrade(&self.made);
        self.poller.subscribe(|| {
            let (mut told, mut first) = (Told::default(), true);
            move || {
                // The first look is the caller's, who shall not wait for drivers.
                if std::mem::take(&mut first) {
                    return Some(Vec::new());
                }
                let devices = lock(&*made.upgrade()?).values().map(|made| made.device.clone()).collect();
                Some(told.look(devices, false))
            }
        })
    }

    /// That of the driver that was lost, if one was.
    fn link(&self) -> Link {
        let links: Vec<_> = lock(&self.made).values().map(|made| made.way.link.get()).collect();
        links.into_iter().find(|link| *link != Link::Up).unwrap_or(Link::Up)
    }

    fn supervision(&self) -> Supervision {
        self.policy.keeping.policy
    }

    fn has_chooser(&self) -> bool {
        chooser::is_there()
    }

    fn choose(&self, kind: DeviceKind, last: Option<&DeviceId>) -> Result<Option<DeviceId>> {
        if !self.has_chooser() {
            return Err(Error::unsupported("ASCOM's platform with its chooser is not installed"));
        }
        let picked = chooser::choose(kind, last.map(|id| id.name.clone()))?;
        Ok(picked.map(|prog_id| DeviceId::new(kind, prog_id)))
    }
}
