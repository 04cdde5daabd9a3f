//! Which devices are offered, and which one a request means.

use super::{Service, options::Limits};
use crate::{alpaca::Exposed, calls::Calls, lock};
use astrobackend::{
    Backend, Error, Image, Result,
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind},
    observation::Observation,
    wire::rpc::Params,
};
use std::sync::{
    Arc, Mutex, PoisonError, RwLock, Weak,
    atomic::{AtomicBool, AtomicU64},
};
use tokio::{runtime::Handle, sync::Notify};

/// A device that is offered.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) id: DeviceId,
    pub(super) device: AnyDevice,
    /// Reads need not leave the thread that serves the request.
    pub(super) from_memory: bool,
    pub(super) calls: Arc<Calls>,
    pub(super) session: Session,
}

/// What is kept of a camera for the original's clients.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// A `take_image` has not been answered.
    pub(super) exposing: AtomicBool,
    /// Grows with every exposure that begins, and with every abort.
    pub(super) serial: AtomicU64,
    /// Something ended an exposure.
    pub(super) ended: Notify,
    /// The last `take_image` failed: the picture from before it is not given out as its own.
    pub(super) failed: AtomicBool,
    /// The rest of the telescope when the exposure began.
    pub(super) observation: Mutex<Observation>,
    /// The picture that was last given out, and its tag.
    pub(super) picture: Mutex<(Weak<Image>, u64)>,
}

/// The devices that are offered.
#[derive(Debug)]
pub(super) struct Devices {
    exposed: Vec<Exposed>,
    limits: Limits,
    known: RwLock<Known>,
    /// Those that ask for the list of devices.
    pub(super) calls: Arc<Calls>,
}

#[derive(Debug, Default)]
struct Known {
    infos: Vec<DeviceInfo>,
    served: Vec<Arc<Served>>,
}

impl Devices {
    /// Lists the devices of the backends.
    ///
    /// # Errors
    /// What listing fails with.
    pub(super) fn new(exposed: Vec<Exposed>, limits: Limits) -> Result<Self> {
        let calls = Calls::new(limits.calls);
        let devices = Devices { exposed, limits, known: RwLock::default(), calls };
        devices.list()?;
        Ok(devices)
    }

    /// Asks the backends. May wait for them.
    ///
    /// # Errors
    /// What listing fails with.
    pub(super) fn list(&self) -> Result<Vec<DeviceInfo>> {
        let mut infos = Vec::new();
        let mut present = Vec::new();
        for exposed in &self.exposed {
            for info in exposed.backend.devices()? {
                if exposed.only.as_ref().is_none_or(|only| only.contains(&info.id)) {
                    present.push((exposed.backend.clone(), info.id.clone()));
                    infos.push(info);
                }
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut served = Vec::with_capacity(present.len());
        for (backend, id) in present {
            match known.served.iter().find(|served| served.id == id) {
                Some(before) => served.push(before.clone()),
                None => served.push(self.serve(&*backend, id)?),
            }
        }
        *known = Known { infos: infos.clone(), served };
        Ok(infos)
    }

    fn serve(&self, backend: &dyn Backend, id: DeviceId) -> Result<Arc<Served>> {
        Ok(Arc::new(Served {
            device: backend.device(&id)?,
            id,
            from_memory: backend.answers_from_memory(),
            calls: Calls::new(self.limits.calls),
            session: Session::default(),
        }))
    }

    /// Those that were there at the last look.
    pub(super) fn known(&self) -> Vec<DeviceInfo> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).infos.clone()
    }

    /// All that are known.
    pub(super) fn served(&self) -> Vec<Arc<Served>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).served.clone()
    }

    /// The device that a request means: the one it names, or the first of its kind; those that are parts come last.
    pub(super) fn find(&self, kind: DeviceKind, params: &Params) -> Option<Arc<Served>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let of_kind = || known.served.iter().filter(|served| served.id.kind == kind);
        match params.get("device").map(|name| name.as_str()) {
            Some(name) => of_kind().find(|served| Some(served.id.name.as_str()) == name).cloned(),
            None => {
                let is_part = |id: &DeviceId| known.infos.iter().any(|info| info.id == *id && info.part_of.is_some());
                of_kind().find(|served| !is_part(&served.id)).or_else(|| of_kind().next()).cloned()
            }
        }
    }

    /// The first wheel, focuser and mount.
    pub(super) fn companions(&self) -> Vec<Arc<Served>> {
        let kinds = [DeviceKind::FilterWheel, DeviceKind::Focuser, DeviceKind::Mount];
        kinds.into_iter().filter_map(|kind| self.find(kind, &Params::default())).collect()
    }

    /// [`Devices::find`] after a new look at what there is.
    ///
    /// # Errors
    /// `NotFound`.
    pub(super) fn search(&self, kind: DeviceKind, params: &Params) -> Result<Arc<Served>> {
        self.list()?;
        self.find(kind, params).ok_or_else(|| match params.get("device") {
            Some(name) => Error::not_found(format!("there is no {kind} {name}")),
            None => Error::not_found(format!("there is no {kind}")),
        })
    }
}

impl Session {
    /// The tag of a picture: the one it has already, or a new one.
    pub(super) fn tag(&self, image: &Arc<Image>) -> String {
        let mut picture = lock(&self.picture);
        if picture.0.as_ptr() != Arc::as_ptr(image) {
            *picture = (Arc::downgrade(image), picture.1 + 1);
        }
        picture.1.to_string()
    }
}

/// Connects the devices in the background, each for itself.
pub(super) fn connect_all(service: &Arc<Service>, runtime: &Handle) {
    for served in service.devices.served() {
        let limit = service.limits.connect;
        runtime.spawn(async move {
            let device = served.device.clone();
            let connected = served.calls.run("connecting", limit, move || device.device().connect()).await;
            if let Err(error) = connected {
                log::warn!("{} is not connected: {error}", served.id);
            }
        });
    }
}
