//! Ways in: a backend is a connection to a framework's server or system, and lists its devices.
//!
//! [`FRAMEWORKS`] is the one table of what there is; adding a framework is a folder here and a line there.
//!
//! # Deadlines
//! No call waits longer than its backend's limits, which are options of the address; since an address may name a device,
//! each device may have its own. A single call is bounded, or ended from another thread, by
//! [`Wait::within`](crate::Wait::within).
//!
//! | address | option | seconds | bounds |
//! |---|---|---|---|
//! | `alpaca` | `timeout` | 15 | one request: drivers of old answer when they have done what they were told |
//! | `alpaca` | `connect` | 5 | the connection to the server: a network that takes longer is broken |
//! | `alpaca` | `image` | 300 | a picture: 120 MB over a weak wireless network |
//! | `alpaca` | `stall` | 10 | a picture of which nothing comes |
//! | `alpaca` | `discovery` | 2 | the answers of servers that are sought |
//! | `ascom` | `timeout` | 30 | one call of a driver: some connect slowly |
//! | `ascom` | `image` | 300 | a picture: slow drivers read it out only then |
//! | `indi` | `timeout` | 15 | the answer of a driver: connecting to hardware takes this long |
//! | `indi` | `alive` | 20 | silence: drivers do nothing else while they read out a sensor |
//! | `rpc` | `timeout` | 15 | one request: the original server does one thing at a time, some for seconds |
//! | `rpc` | `image` | 300 | a picture: 120 MB over a weak wireless network |
//! | `rpc` | `stall` | 10 | a picture of which nothing comes |
//! | `rpc` | `alive` | 20 | silence: the server is asked, and given up when it says nothing for as long |
//!
//! The simulator waits for nothing. What is *started* (an exposure, a slew) is not bounded by these: it is observed,
//! and the helpers that wait for its end take a [`Wait`](crate::Wait).

pub mod alpaca;
pub mod ascom;
pub mod indi;
mod interfaces;
mod keeping;
pub mod rpc;
pub mod sim;
mod tcp;

use crate::{
    Address, Error, Result, Supervision,
    device::{AnyDevice, Camera, DeviceId, DeviceInfo, DeviceKind, FilterWheel, Focuser, Mount},
    event::{Events, Link},
};
use std::{any::Any, fmt, sync::Arc, time::Duration};

/// A connection to a framework; displays as its address.
pub trait Backend: Any + fmt::Debug + fmt::Display + Send + Sync {
    /// The address that opens this backend again.
    fn address(&self) -> &Address;

    /// The devices there are now, of the kinds that this library knows.
    ///
    /// # Errors
    /// `Unreachable` or `Timeout` when the server does not answer.
    fn devices(&self) -> Result<Vec<DeviceInfo>>;

    /// One of the devices; it need not be connected.
    ///
    /// # Errors
    /// `NotFound`, naming the devices of that kind that there are.
    fn device(&self, id: &DeviceId) -> Result<AnyDevice>;

    /// News from all devices from now on.
    fn events(&self) -> Events;

    /// The state of the link to the server; no I/O.
    fn link(&self) -> Link {
        Link::Up
    }

    /// What is done about a lost link, as the address said; where nothing can be lost, [`Supervision::Off`].
    fn supervision(&self) -> Supervision {
        Supervision::Off
    }

    /// True when states, capabilities and settings are read from this process's memory: nobody has to wait for them.
    fn answers_from_memory(&self) -> bool {
        false
    }

    /// True when the framework has a window in which a person picks a driver (ASCOM's chooser).
    fn has_chooser(&self) -> bool {
        false
    }

    /// Opens that window; `last` is marked in it. `None` when the person picked nothing.
    ///
    /// # Errors
    /// `Unsupported` unless [`Backend::has_chooser`].
    fn choose(&self, _kind: DeviceKind, _last: Option<&DeviceId>) -> Result<Option<DeviceId>> {
        Err(Error::unsupported(format!("{self} has no device chooser")))
    }
}

macro_rules! only_one {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $trait:ident) => {
        $(#[$doc])*
        ///
        /// The one that the backend's address names, or the only one there is.
        ///
        /// # Errors
        /// `NotFound` without one; `InvalidValue` when there are several, with their names.
        pub fn $name(&self) -> Result<Arc<dyn $trait>> {
            match self.device(&self.only(DeviceKind::$variant)?)? {
                AnyDevice::$variant(device) => Ok(device),
                other => Err(Error::protocol(format!("{self} gave {other:?} for a {}", DeviceKind::$variant))),
            }
        }
    };
}

impl dyn Backend {
    only_one!(
        /// The camera.
        camera, Camera, Camera
    );
    only_one!(
        /// The filter wheel.
        filter_wheel, FilterWheel, FilterWheel
    );
    only_one!(
        /// The focuser.
        focuser, Focuser, Focuser
    );
    only_one!(
        /// The mount.
        mount, Mount, Mount
    );

    /// The id of the device of a kind that the backend's address names, or of the only one there is.
    ///
    /// # Errors
    /// `NotFound` without one; `InvalidValue` when there are several, with their names.
    pub fn only(&self, kind: DeviceKind) -> Result<DeviceId> {
        let devices = self.devices()?;
        let of_kind: Vec<_> = devices.into_iter().filter(|info| info.id.kind == kind).collect();
        let whole: Vec<_> = of_kind.iter().filter(|info| info.part_of.is_none()).map(|info| &info.id).collect();
        let ids: Vec<_> = of_kind.iter().map(|info| &info.id).collect();
        let named = of_kind.iter().find(|info| info.is_at(self.address().path())).map(|info| &info.id);
        match (named, &ids[..]) {
            (Some(id), _) => Ok(id.clone()),
            (None, [id]) => Ok((*id).clone()),
            (None, _) if whole.len() == 1 => Ok(whole[0].clone()),
            (None, []) => Err(Error::not_found(format!("{self} has no {kind}"))),
            (None, several) => {
                let names: Vec<_> = several.iter().map(|id| format!("{:?}", id.name)).collect();
                Err(Error::invalid(format!("{self} has several {kind}s, name one of {}", names.join(", "))))
            }
        }
    }
}

/// A `NotFound` for [`Backend::device`] that lists what there is instead.
pub(crate) fn no_such_device<'a>(
    backend: impl fmt::Display,
    wanted: &DeviceId,
    there: impl IntoIterator<Item = &'a DeviceId>,
) -> Error {
    let names: Vec<_> =
        there.into_iter().filter(|id| id.kind == wanted.kind).map(|id| format!("{:?}", id.name)).collect();
    let instead = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Error::not_found(format!("{backend} has no {} {:?}; it has {instead}", wanted.kind, wanted.name))
}

/// One of the frameworks: how its addresses begin and how it is opened.
#[derive(Clone, Copy, Debug)]
pub struct Framework {
    /// The name that the original and its programs use: `INDI`, `ALPACA` ...
    pub name: &'static str,
    /// The schemes of its addresses; the first is the usual one.
    pub schemes: &'static [&'static str],
    /// One sentence for people.
    pub summary: &'static str,
    /// Whether this build can open it.
    pub built_in: bool,
    check: fn(&Address) -> Result<()>,
    open: fn(&Address) -> Result<Arc<dyn Backend>>,
    discover: fn(Duration) -> Result<Vec<Address>>,
}

impl Framework {
    /// Opens a backend of this framework.
    ///
    /// # Errors
    /// `Unsupported` when it is not built in; `Unreachable` or `Timeout` when nothing answers there.
    pub fn open(&self, address: &Address) -> Result<Arc<dyn Backend>> {
        (self.open)(address)
    }

    /// Checks the options of an address without opening anything; those of a framework that is not built in pass.
    ///
    /// # Errors
    /// `InvalidValue` for an option that there is not, or a value that it cannot have.
    pub fn check(&self, address: &Address) -> Result<()> {
        (self.check)(address)
    }

    /// Looks for servers, at most for a while; frameworks without discovery answer their default address.
    ///
    /// # Errors
    /// `Unsupported` when it is not built in.
    pub fn discover(&self, timeout: Duration) -> Result<Vec<Address>> {
        (self.discover)(timeout)
    }

    /// The framework of a name or a scheme, in any casing.
    ///
    /// # Errors
    /// `NotFound`, with the names there are.
    pub fn find(name: &str) -> Result<&'static Framework> {
        let wanted = name.to_ascii_lowercase();
        let found = FRAMEWORKS.iter().find(|framework| framework.schemes.contains(&wanted.as_str()));
        found.ok_or_else(|| {
            let names: Vec<_> = FRAMEWORKS.iter().map(|framework| framework.name).collect();
            Error::not_found(format!("there is no backend {name:?}; there are {}", names.join(", ")))
        })
    }
}

/// The frameworks, in the order of the original's `get_backend_choices()`, then ours.
pub static FRAMEWORKS: &[Framework] = &[
    Framework {
        name: "ASCOM",
        schemes: &["ascom"],
        summary: "ASCOM COM drivers on Windows",
        built_in: cfg!(windows),
        check: ascom::check,
        open: ascom::open,
        discover: ascom::discover,
    },
    Framework {
        name: "ALPACA",
        schemes: &["alpaca"],
        summary: "ASCOM Alpaca devices over HTTP",
        built_in: true,
        check: alpaca::check,
        open: alpaca::open,
        discover: alpaca::discover,
    },
    Framework {
        name: "RPC",
        schemes: &["rpc"],
        summary: "the JSON RPC of the Python Astroimaging Suite",
        built_in: true,
        check: rpc::check,
        open: rpc::open,
        discover: rpc::discover,
    },
    Framework {
        name: "INDI",
        schemes: &["indi", "indi+unix"],
        summary: "INDI drivers behind an indiserver",
        built_in: true,
        check: indi::check,
        open: indi::open,
        discover: indi::discover,
    },
    Framework {
        name: "SIM",
        schemes: &["sim"],
        summary: "the simulated observatory, built in",
        built_in: true,
        check: sim::check,
        open: sim::open,
        discover: |_| Ok(vec![Address::new("sim")]),
    },
];

/// Opens a backend by address (`indi://pi:7624`) or by name (`INDI`: its default server).
///
/// ```
/// let observatory = astrobackend::open("sim://?seed=7")?;
/// assert_eq!(observatory.devices()?.len(), 4);
/// # Ok::<(), astrobackend::Error>(())
/// ```
///
/// # Errors
/// `InvalidValue` for what is no address, `NotFound` for an unknown framework, `Unsupported` for one that
/// is not built in, `Unreachable` or `Timeout` when nothing answers.
pub fn open(address: &str) -> Result<Arc<dyn Backend>> {
    let address: Address = address.parse()?;
    Framework::find(address.scheme())?.open(&address)
}

/// The environment variable that overrides the default backend: a name or a whole address.
pub const BACKEND_VARIABLE: &str = "PYASTROBACKEND";

/// The default backend: what [`BACKEND_VARIABLE`] says, else `ASCOM` on Windows and `INDI` elsewhere.
pub fn default_backend() -> String {
    chosen_backend().unwrap_or_else(|| if cfg!(windows) { "ASCOM" } else { "INDI" }.to_owned())
}

/// What [`BACKEND_VARIABLE`] says.
pub(crate) fn chosen_backend() -> Option<String> {
    let name = std::env::var_os(BACKEND_VARIABLE)?.to_string_lossy().into_owned();
    (!name.trim().is_empty()).then_some(name)
}

/// The names of the frameworks, the original's four first.
pub fn backend_choices() -> Vec<&'static str> {
    FRAMEWORKS.iter().map(|framework| framework.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table above tells the defaults as they are.
    #[test]
    fn the_table_of_deadlines_is_true() {
        let frameworks = [
            ("alpaca", alpaca::limits()),
            ("ascom", ascom::limits()),
            ("indi", indi::limits()),
            ("rpc", rpc::limits()),
        ];
        let mut rows = 0;
        for (scheme, limits) in frameworks {
            for (option, limit) in limits {
                let row = format!("//! | `{scheme}` | `{option}` | {} | ", limit.as_secs_f64());
                assert!(include_str!("mod.rs").contains(&row), "no row {row:?}");
                let address: Address = format!("{scheme}:?{option}=1").parse().unwrap();
                Framework::find(scheme).unwrap().check(&address).unwrap();
                rows += 1;
            }
        }
        assert_eq!(include_str!("mod.rs").lines().filter(|line| line.starts_with("//! | `")).count(), rows);
    }
}
