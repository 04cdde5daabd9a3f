//! What a device is made of: a camera, a wheel, a focuser, a mount, or several of them under one name, as INDI has it.

use super::{camera, filter_wheel::Wheel, focuser::FocuserPart, mount::MountPart, order::Order, property::Property};
use astrobackend::{
    Result,
    device::{AnyDevice, Device, DeviceId},
    observation::Observation,
    wire::indi::State,
};
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// One device of the contract as properties of INDI. What it knows it has from its last look.
pub(super) trait Part: fmt::Debug + Send + Sync {
    /// Which device it is.
    fn id(&self) -> &DeviceId;

    /// The device.
    fn device(&self) -> &dyn Device;

    /// The bits of `DRIVER_INTERFACE`.
    fn interface(&self) -> u32;

    /// The property that shows when what the device was doing has failed.
    fn main(&self) -> &'static str;

    /// What it tells changes all the time, and no event says so: a clock, the sky that turns.
    fn turns(&self) -> bool {
        false
    }

    /// Looks at its state, or at all there is. May wait.
    ///
    /// # Errors
    /// What the device reports; a failure of what it was doing among others.
    fn look(&self, all: bool) -> Result<()>;

    /// All properties, as of the last look.
    fn properties(&self) -> Vec<Property>;

    /// Does what is asked of one of its properties; the order was checked. May wait.
    ///
    /// # Errors
    /// Why it is refused.
    fn obey(&self, order: &Order, now: &[Property]) -> Result<Done>;

    /// A picture is there to be fetched with [`Part::fetch`]; said once. `wanted` tells whether anybody does.
    fn is_due(&self, _wanted: bool) -> bool {
        false
    }

    /// The property of its pictures.
    fn main_picture(&self) -> &'static str {
        "CCD1"
    }

    /// The picture as a file; `None` when it is not there after all. May wait.
    ///
    /// # Errors
    /// What the device reports.
    fn fetch(&self) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// What was fetched was delivered, or could not be.
    fn fetched(&self) {}

    /// It is not connected any more: forgets what it knew.
    fn forget(&self);
}

/// What came of an order.
#[derive(Debug)]
pub(super) enum Done {
    /// It was done: settings are to be looked at.
    Set,
    /// It was begun: the states that properties have from now on, until the device says otherwise.
    Begun(Vec<(&'static str, State)>),
}

/// The wheel, the focuser and the mount whose state goes into the headers of pictures.
#[derive(Debug, Default)]
pub(super) struct Companions(RwLock<Vec<(DeviceId, AnyDevice)>>);

impl Companions {
    /// These from now on.
    pub(super) fn set(&self, devices: Vec<(DeviceId, AnyDevice)>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = devices;
    }

    /// What they say now. May wait.
    pub(super) fn observe(&self) -> Observation {
        let devices = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        crate::observe::observe(devices.iter().map(|(id, device)| (id, device)))
    }
}

/// A device as a part; `None` for a kind that INDI has no properties for here.
pub(super) fn part(id: DeviceId, device: AnyDevice, companions: &Arc<Companions>) -> Option<Arc<dyn Part>> {
    Some(match device {
        AnyDevice::Camera(device) => Arc::new(camera::CameraPart::new(id, device, companions.clone())),
        AnyDevice::FilterWheel(device) => Arc::new(Wheel::new(id, device)),
        AnyDevice::Focuser(device) => Arc::new(FocuserPart::new(id, device)),
        AnyDevice::Mount(device) => Arc::new(MountPart::new(id, device)),
        _ => return None,
    })
}
