//! What a device can do, whatever framework drives it: traits, capabilities, states. No I/O here.
//!
//! Rules that every backend keeps, checked by the conformance suite:
//!
//! - What a device can do is in its capabilities; a request beyond them is refused before
//!   anything moves, with the limit in the error.
//! - Long work is *started* and then observed in the state. A command just accepted counts
//!   as busy at once, and it is finished when the device says so, never because the target was echoed.
//! - No call blocks longer than the backend's I/O deadline.

mod age;
mod camera;
mod control;
mod filter_wheel;
mod focuser;
mod mount;

pub use age::Age;
pub use camera::*;
pub use control::*;
pub use filter_wheel::*;
pub use focuser::*;
pub use mount::*;

use crate::{Address, Error, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// The kinds of device that the contract covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeviceKind {
    /// Takes pictures.
    Camera,
    /// Puts one of several filters into the light path.
    FilterWheel,
    /// Moves the focal plane.
    Focuser,
    /// Points the telescope.
    Mount,
}

impl DeviceKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [DeviceKind; 4] =
        [DeviceKind::Camera, DeviceKind::FilterWheel, DeviceKind::Focuser, DeviceKind::Mount];

    /// Alpaca's name for the kind, as in its paths: `camera`, `filterwheel`, `focuser`, `telescope`.
    pub fn alpaca_name(self) -> &'static str {
        match self {
            DeviceKind::Camera => "camera",
            DeviceKind::FilterWheel => "filterwheel",
            DeviceKind::Focuser => "focuser",
            DeviceKind::Mount => "telescope",
        }
    }
}

/// `camera`, `filter wheel`, `focuser`, `mount`
impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DeviceKind::Camera => "camera",
            DeviceKind::FilterWheel => "filter wheel",
            DeviceKind::Focuser => "focuser",
            DeviceKind::Mount => "mount",
        })
    }
}

impl FromStr for DeviceKind {
    type Err = Error;

    /// Reads our names and those of ASCOM, INDI and the seed: `ccd`, `telescope`, `filter`, `FilterWheel` ...
    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().replace([' ', '_', '-'], "").as_str() {
            "camera" | "ccd" => Ok(DeviceKind::Camera),
            "filterwheel" | "filter" | "wheel" => Ok(DeviceKind::FilterWheel),
            "focuser" => Ok(DeviceKind::Focuser),
            "mount" | "telescope" => Ok(DeviceKind::Mount),
            _ => Err(Error::invalid(format!("{text:?} is no device kind: camera, filter wheel, focuser or mount"))),
        }
    }
}

/// What names a device within its backend: its kind and its name.
///
/// One INDI driver can be several devices (a camera with a wheel), so the kind belongs to the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceId {
    /// The kind.
    pub kind: DeviceKind,
    /// The name that the framework gives the device; stable, not for people only.
    pub name: String,
}

impl DeviceId {
    /// From kind and name.
    pub fn new(kind: DeviceKind, name: impl Into<String>) -> Self {
        DeviceId { kind, name: name.into() }
    }
}

/// The name.
impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// What a device is: names, driver, identity. Unknown is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Kind and name within the backend.
    pub id: DeviceId,
    /// The address that opens just this device.
    pub address: Address,
    /// A sentence about the device (ASCOM `Description`).
    pub description: Option<String>,
    /// The driver (ASCOM `DriverInfo`, INDI `DRIVER_NAME` and `DRIVER_EXEC`).
    pub driver: Option<String>,
    /// The driver's version (ASCOM `DriverVersion`, INDI `DRIVER_VERSION`).
    pub driver_version: Option<String>,
    /// ASCOM `InterfaceVersion`, for frameworks that have it.
    pub interface_version: Option<u16>,
    /// An identity that stays when the name or the address changes (Alpaca `UniqueID`).
    pub unique_id: Option<String>,
    /// The device that it is a lesser part of: the camera of a guide chip. Such a device is taken when it is named, or
    /// when there is no other of its kind.
    pub part_of: Option<DeviceId>,
}

impl DeviceInfo {
    /// Only kind, name and address known.
    pub fn new(id: DeviceId, address: Address) -> Self {
        DeviceInfo {
            id,
            address,
            description: None,
            driver: None,
            driver_version: None,
            interface_version: None,
            unique_id: None,
            part_of: None,
        }
    }

    /// True when the path of an address means this device: its name, its place on its server (`camera/0`), or `uid=`
    /// and its identity.
    pub fn is_at(&self, path: &str) -> bool {
        let identity = path.strip_prefix("uid=").zip(self.unique_id.as_deref());
        self.id.name == path
            || !path.is_empty() && self.address.path() == path
            || identity.is_some_and(|(wanted, own)| own.eq_ignore_ascii_case(wanted))
    }
}

/// The answer to [`Device::command`], as wide as ASCOM's three command members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Nothing was asked for (ASCOM `CommandBlind`).
    None,
    /// `CommandBool`.
    Bool(bool),
    /// `CommandString`.
    Text(String),
}

/// The kind of answer wanted from [`Device::command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyKind {
    /// None (ASCOM `CommandBlind`).
    None,
    /// A truth value (`CommandBool`).
    Bool,
    /// A text (`CommandString`).
    Text,
}

/// What all devices have in common.
///
/// # For implementers
/// Every error names the device ([`Error::on`]). All methods may be called from any thread at any time.
pub trait Device: fmt::Debug + Send + Sync {
    /// What the device is. No I/O; more may be known after connecting.
    fn info(&self) -> DeviceInfo;

    /// Connects the driver to the hardware; a connected device stays so and answers `Ok`.
    ///
    /// Returns when the device can be used, within the backend's deadline.
    ///
    /// # Errors
    /// `Device` or `Timeout` when the driver cannot connect, `Unreachable` when it is gone.
    fn connect(&self) -> Result<()>;

    /// Disconnects the driver from the hardware, for all its users.
    fn disconnect(&self) -> Result<()>;

    /// Asks whether the driver is connected to the hardware.
    fn is_connected(&self) -> Result<bool>;

    /// Settings of the device that are plain numbers or choices; see [`Control`].
    ///
    /// Empty while the device is not connected and nothing is known.
    fn controls(&self) -> Result<Vec<ControlInfo>>;

    /// The value of a setting.
    ///
    /// # Errors
    /// `Unsupported` when the device has no such control.
    fn control(&self, control: Control) -> Result<f64>;

    /// Changes a setting; returns when the device has taken it.
    ///
    /// # Errors
    /// `Unsupported` without such a control, or if it can only be read; `InvalidValue` out of its range.
    fn set_control(&self, control: Control, value: f64) -> Result<()>;

    /// Names of the extra things that the framework lets this device do (ASCOM `SupportedActions`).
    fn actions(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Does one of [`Device::actions`] (ASCOM `Action`).
    ///
    /// # Errors
    /// `UnknownAction` for any other name.
    fn action(&self, name: &str, _parameters: &str) -> Result<String> {
        Err(Error::new(crate::ErrorKind::UnknownAction, format!("has no action {name:?}")).on(self.info().id))
    }

    /// Sends a command in the driver's own language (ASCOM `CommandBlind`, `CommandBool`, `CommandString`).
    ///
    /// `raw`: send as it is, without the framing that the driver would add.
    ///
    /// # Errors
    /// `Unsupported` for most devices; ASCOM deprecates these members in favour of actions.
    fn command(&self, _command: &str, _raw: bool, _reply: ReplyKind) -> Result<Reply> {
        Err(Error::unsupported("takes no driver commands").on(self.info().id))
    }
}

/// A device of any kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnyDevice {
    /// A camera.
    Camera(Arc<dyn Camera>),
    /// A filter wheel.
    FilterWheel(Arc<dyn FilterWheel>),
    /// A focuser.
    Focuser(Arc<dyn Focuser>),
    /// A mount.
    Mount(Arc<dyn Mount>),
}

impl AnyDevice {
    /// What it has in common with the others.
    pub fn device(&self) -> &dyn Device {
        match self {
            AnyDevice::Camera(device) => &**device,
            AnyDevice::FilterWheel(device) => &**device,
            AnyDevice::Focuser(device) => &**device,
            AnyDevice::Mount(device) => &**device,
        }
    }

    /// Everything that changes by itself, in one look.
    ///
    /// # Errors
    /// As the `state` of the kind's trait.
    pub fn state(&self) -> Result<DeviceState> {
        Ok(match self {
            AnyDevice::Camera(device) => DeviceState::Camera(device.state()?),
            AnyDevice::FilterWheel(device) => DeviceState::FilterWheel(device.state()?),
            AnyDevice::Focuser(device) => DeviceState::Focuser(device.state()?),
            AnyDevice::Mount(device) => DeviceState::Mount(device.state()?),
        })
    }
}

/// The state of a device of any kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeviceState {
    /// Of a camera.
    Camera(CameraState),
    /// Of a filter wheel.
    FilterWheel(FilterWheelState),
    /// Of a focuser.
    Focuser(FocuserState),
    /// Of a mount.
    Mount(MountState),
}

impl DeviceState {
    /// How old it is.
    pub fn age(&self) -> Age {
        match self {
            DeviceState::Camera(state) => state.age,
            DeviceState::FilterWheel(state) => state.age,
            DeviceState::Focuser(state) => state.age,
            DeviceState::Mount(state) => state.age,
        }
    }
}

/// The sides of a guiding correction, as seen on the sky.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuideDirection {
    /// Towards the north pole, declination grows.
    North,
    /// Away from it.
    South,
    /// Right ascension grows.
    East,
    /// Right ascension shrinks.
    West,
}
