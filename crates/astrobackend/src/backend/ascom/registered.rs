//! The drivers of this computer as a backend.

use super::{
    Policy, chooser,
    driver::Driver,
    profile::{self, Installed},
};
use crate::{
    Address, Error, Result,
    backend::{
        Backend,
        interfaces::{self, Told},
        no_such_device,
    },
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind},
    event::{Events, Poller},
    sync::lock,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

/// The devices that were asked for: each one once.
type Made = Arc<Mutex<BTreeMap<DeviceId, AnyDevice>>>;

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
        let known = |info: DeviceInfo| made.get(&info.id).map_or(info, |device| device.device().info());
        Ok(self.drivers().iter().map(|driver| known(self.info(driver))).collect())
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        if let Some(made) = lock(&self.made).get(id) {
            return Ok(made.clone());
        }
        let drivers = self.drivers();
        let is_it = |driver: &&Installed| driver.kind == id.kind && driver.prog_id.eq_ignore_ascii_case(&id.name);
        let Some(driver) = drivers.iter().find(is_it) else {
            let there: Vec<_> = drivers.iter().map(|driver| self.info(driver).id).collect();
            return Err(no_such_device(self, id, &there));
        };
        let carrier = Arc::new(Driver::new(&driver.prog_id, self.policy.clone()));
        let device = interfaces::device(carrier, self.poller.hub().clone(), self.info(driver));
        Ok(lock(&self.made).entry(id.clone()).or_insert(device).clone())
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
                let devices = lock(&*made.upgrade()?).values().cloned().collect();
                Some(told.look(devices, false))
            }
        })
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
