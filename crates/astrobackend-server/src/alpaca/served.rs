//! A device that is offered: the backend's device, and what is kept here on behalf of its clients.

use super::{
    Offered, connection::Connection, frame::Frames, identities::Identity, kept::Kept, options::Limits,
    pictures::Pictures,
};
use crate::{calls::Calls, lock};
use astrobackend::{
    Address, Backend, Error, ErrorKind, Result,
    device::{AnyDevice, Camera, DeviceId},
};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A device that is offered.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) id: DeviceId,
    pub(super) identity: Identity,
    pub(super) backend: Arc<dyn Backend>,
    /// Reads need not leave the thread that serves the request.
    pub(super) from_memory: bool,
    /// `None` while it is away.
    device: RwLock<Option<AnyDevice>>,
    pub(super) calls: Arc<Calls>,
    pub(super) limits: Limits,
    pub(super) connection: Connection,
    pub(super) frames: Mutex<Frames>,
    pub(super) pictures: Pictures,
    pub(super) kept: Mutex<Kept>,
}

impl Served {
    pub(super) fn new(id: DeviceId, identity: Identity, backend: Arc<dyn Backend>, limits: Limits) -> Self {
        Served {
            id,
            identity,
            from_memory: backend.answers_from_memory(),
            backend,
            device: RwLock::default(),
            calls: Calls::new(limits.calls),
            limits,
            connection: Connection::default(),
            frames: Mutex::default(),
            pictures: Pictures::default(),
            kept: Mutex::default(),
        }
    }

    /// Where the backend is, for everybody's eyes.
    pub(super) fn backend_address(&self) -> Address {
        self.backend.address().clone().without_secrets()
    }

    /// The backend's device.
    ///
    /// # Errors
    /// `NotConnected` while the device is away.
    pub(super) fn device(&self) -> Result<AnyDevice> {
        let device = self.device.read().unwrap_or_else(PoisonError::into_inner).clone();
        let away =
            || Error::new(ErrorKind::NotConnected, format!("is not there now; {} does not list it", self.backend));
        device.ok_or_else(|| away().on(&self.id))
    }

    /// The backend's device, which is a camera.
    ///
    /// # Errors
    /// `NotConnected` while the device is away.
    pub(super) fn camera(&self) -> Result<Arc<dyn Camera>> {
        match self.device()? {
            AnyDevice::Camera(camera) => Ok(camera),
            _ => Err(Error::protocol("is no camera").on(&self.id)),
        }
    }

    pub(super) fn is_present(&self) -> bool {
        self.device.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The device has come (a handle that is held already stays) or gone.
    pub(super) fn set_device(&self, device: Option<AnyDevice>) {
        let mut held = self.device.write().unwrap_or_else(PoisonError::into_inner);
        match device {
            Some(_) if held.is_some() => {}
            device => *held = device,
        }
    }

    /// Forgets what clients set here: the device was disconnected.
    pub(super) fn forget(&self) {
        *lock(&self.frames) = Frames::default();
        *lock(&self.kept) = Kept::default();
        self.pictures.forget();
    }

    pub(super) fn offered(&self) -> Offered {
        Offered {
            kind: self.id.kind,
            number: self.identity.number,
            name: self.id.name.clone(),
            unique_id: self.identity.unique_id.clone(),
            backend: self.backend_address().to_string(),
        }
    }
}
