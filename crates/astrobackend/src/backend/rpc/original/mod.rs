//! The devices of the original server: one of each kind, as far as its protocol goes.

mod camera;
mod exposure;
mod filter_wheel;
mod focuser;
mod motion;
mod mount;

use super::connection::Connection;
use crate::{
    Address, Error, ErrorKind, Result,
    backend::keeping::Claim,
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind},
    event::Hub,
    wire::rpc::Greeting,
};
use serde_json::Value;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What is known of a device before it is asked anything.
pub(super) fn info(kind: DeviceKind, greeting: &Greeting, address: &Address) -> DeviceInfo {
    let name = match kind {
        DeviceKind::Camera => "Camera",
        DeviceKind::FilterWheel => "Filter Wheel",
        DeviceKind::Focuser => "Focuser",
        DeviceKind::Mount => "Mount",
    };
    let version = Some(greeting.version.clone()).filter(|version| !version.is_empty());
    DeviceInfo {
        description: Some(format!("the {kind} of {}", greeting.server)),
        driver: Some(greeting.server.clone()),
        driver_version: version,
        ..DeviceInfo::new(DeviceId::new(kind, name), address.clone().with_path(name))
    }
}

/// A device to be used.
pub(super) fn device(connection: Arc<Connection>, hub: Arc<Hub>, info: DeviceInfo, claim: Arc<Claim>) -> AnyDevice {
    let kind = info.id.kind;
    let peer = Peer { connection, info, connected: AtomicBool::new(false), claim };
    match kind {
        DeviceKind::Camera => AnyDevice::Camera(Arc::new(camera::OriginalCamera::new(peer, hub))),
        DeviceKind::FilterWheel => AnyDevice::FilterWheel(Arc::new(filter_wheel::OriginalWheel::new(peer))),
        DeviceKind::Focuser => AnyDevice::Focuser(Arc::new(focuser::OriginalFocuser::new(peer))),
        DeviceKind::Mount => AnyDevice::Mount(Arc::new(mount::OriginalMount::new(peer))),
    }
}

/// What the devices have in common.
struct Peer {
    connection: Arc<Connection>,
    info: DeviceInfo,
    /// Whether it is used from here: the protocol can neither connect nor disconnect.
    connected: AtomicBool,
    /// What was done to it from here.
    claim: Arc<Claim>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.info.id)
    }
}

impl Peer {
    fn name(&self, error: Error) -> Error {
        error.on(&self.info.id)
    }

    fn fail<T>(&self, error: Error) -> Result<T> {
        Err(self.name(error))
    }

    /// A method that tells whether its user has connected the device, and takes no time.
    fn probe(&self) -> &'static str {
        match self.info.id.kind {
            DeviceKind::Camera => "get_cooler_state",
            DeviceKind::FilterWheel => "filterwheel_get_position",
            DeviceKind::Focuser => "focuser_is_moving",
            DeviceKind::Mount => "mount_is_slewing",
        }
    }

    fn connect(&self) -> Result<()> {
        self.claim.await_release(self.connection.policy().timeout);
        self.connection.call(self.probe(), None).map_err(|error| match error.kind() {
            ErrorKind::NotConnected => self
                .name(Error::new(ErrorKind::NotConnected, "is not connected at the server, whose window connects it")),
            _ => self.name(error),
        })?;
        self.connected.store(true, Ordering::SeqCst);
        self.claim.take();
        if !self.claim.is_keeper() {
            self.claim.note_connected(true);
        }
        Ok(())
    }

    fn is_connected(&self) -> Result<bool> {
        if !self.connected.load(Ordering::SeqCst) || self.claim.is_away()? {
            return Ok(false);
        }
        match self.connection.call(self.probe(), None) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
            Err(error) => self.fail(error),
        }
    }

    fn disconnect(&self) {
        self.claim.let_go();
        self.claim.note_connected(false);
        self.connected.store(false, Ordering::SeqCst);
    }

    fn check(&self) -> Result<()> {
        if !self.connected.load(Ordering::SeqCst) {
            return self.fail(Error::not_connected());
        }
        self.claim.check()
    }

    /// Asks without parameters; the whole result.
    fn read(&self, method: &str) -> Result<Value> {
        self.check()?;
        self.connection.call(method, None).map_err(|error| self.doubt(error))
    }

    /// A device that is not connected any more is looked after.
    fn doubt(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::NotConnected {
            self.claim.doubt();
        }
        self.name(error)
    }

    /// Reads a number that may be unknown.
    fn number(&self, method: &str, key: &str) -> Result<Option<f64>> {
        Ok(number(&self.read(method)?[key]))
    }

    /// Reads a truth value that may be unknown.
    fn truth(&self, method: &str, key: &str) -> Result<Option<bool>> {
        Ok(self.read(method)?[key].as_bool())
    }

    /// Has something done. The original wants an object, also an empty one.
    fn order(&self, method: &str, params: Value) -> Result<()> {
        self.check()?;
        self.connection.call(method, Some(&params)).map(drop).map_err(|error| self.doubt(error))
    }

    fn unsupported<T>(&self) -> Result<T> {
        self.fail(Error::unsupported("cannot do that over the original RPC"))
    }
}

/// A finite number, whole or not.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|value| value.is_finite())
}

/// A whole number that fits, also as `10000.0`.
fn whole(value: f64) -> Option<i32> {
    let value = value.round();
    (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value).then_some(value as i32)
}

/// What every device does alike, through its `peer`.
macro_rules! impl_original {
    ($type:ty, $controls:expr, $control:expr, $set:expr $(, $extra:item)*) => {
        impl crate::device::Device for $type {
            fn info(&self) -> crate::device::DeviceInfo {
                self.peer.info.clone()
            }
            fn connect(&self) -> crate::Result<()> {
                self.peer.connect()
            }
            fn disconnect(&self) -> crate::Result<()> {
                self.peer.disconnect();
                Ok(())
            }
            fn is_connected(&self) -> crate::Result<bool> {
                self.peer.is_connected()
            }
            fn controls(&self) -> crate::Result<Vec<crate::device::ControlInfo>> {
                let controls: fn(&Self) -> crate::Result<Vec<crate::device::ControlInfo>> = $controls;
                controls(self)
            }
            fn control(&self, control: crate::device::Control) -> crate::Result<f64> {
                let read: fn(&Self, crate::device::Control) -> crate::Result<f64> = $control;
                crate::device::find_control(&self.controls()?, control).map_err(|error| self.peer.name(error))?;
                read(self, control)
            }
            fn set_control(&self, control: crate::device::Control, value: f64) -> crate::Result<()> {
                let set: fn(&Self, crate::device::Control, f64) -> crate::Result<()> = $set;
                let controls = self.controls()?;
                let checked = crate::device::find_control(&controls, control).and_then(|info| info.check(value));
                checked.map_err(|error| self.peer.name(error))?;
                set(self, control, value)
            }
            $($extra)*
        }
    };
    ($type:ty) => {
        impl_original!(
            $type,
            |_| Ok(Vec::new()),
            |device, _| device.peer.unsupported(),
            |device, _, _| device.peer.unsupported()
        );
    };
}
use impl_original;
