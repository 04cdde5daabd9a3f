//! ASCOM's device interfaces (`ICameraV4`, `IFilterWheelV3`, `IFocuserV4`, `ITelescopeV4`, and those before) as devices
//! of this library, whatever carries their members: Alpaca's HTTP, or COM.
//!
//! A `carrier` reads and changes members by name; what is here knows what they mean. `handle` has what all kinds have in
//! common, then there is a file for each kind and for what is large about it.

mod abilities;
mod camera;
mod carrier;
mod chip;
mod command;
mod controls;
mod exposure;
mod extras;
mod filter_wheel;
mod focuser;
mod handle;
mod motion;
mod mount;
mod picture;
mod poll;
mod session;
mod values;

#[cfg(windows)]
pub(super) use carrier::Argument;
pub(super) use carrier::{Arguments, Carrier, is_transport};
pub(super) use poll::Told;

use crate::{
    backend::keeping::Claim,
    device::{AnyDevice, DeviceInfo, DeviceKind},
    event::Hub,
};
use camera::AscomCamera;
use filter_wheel::AscomFilterWheel;
use focuser::AscomFocuser;
use handle::Handle;
use mount::AscomMount;
use std::{sync::Arc, time::Duration};

/// A device over a carrier; its news go to the hub, and what is done to it into the claim.
pub(super) fn device(carrier: Arc<dyn Carrier>, hub: Arc<Hub>, info: DeviceInfo, claim: Arc<Claim>) -> AnyDevice {
    let kind = info.id.kind;
    let handle = Handle::new(carrier, hub, info, claim);
    match kind {
        DeviceKind::Camera => AnyDevice::Camera(Arc::new(AscomCamera::new(handle))),
        DeviceKind::FilterWheel => AnyDevice::FilterWheel(Arc::new(AscomFilterWheel::new(handle))),
        DeviceKind::Focuser => AnyDevice::Focuser(Arc::new(AscomFocuser::new(handle))),
        DeviceKind::Mount => AnyDevice::Mount(Arc::new(AscomMount::new(handle))),
    }
}

/// A time in whole milliseconds, as guide pulses have it.
fn milliseconds(time: Duration) -> i64 {
    time.as_millis().try_into().unwrap_or(i64::MAX)
}
