//! The simulated observatory: camera, filter wheel, focuser and mount under one artificial sky, in this process.
//!
//! Every [`open`] makes a world of its own: any number may run side by side, none touches a file or another.
//! It is deterministic: the same options give the same sky, the same chip and the same night. Everything that takes
//! time takes it on the world's own clock, and nothing runs in between: a state is computed when it is asked for.
//!
//! # Options
//! All are optional: `sim://?seed=7&speed=100&sensor=imx455&camera=osc`.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `seed` | faint stars, hot pixels, noise | `1` |
//! | `speed` | how much faster than ours the clock runs, 0.1 to 100000 | `1` |
//! | `clock` | UTC at the beginning, or `now` | `2026-01-15T21:30:00Z` |
//! | `site` | latitude, longitude (east positive), elevation in metres | Calar Alto, `37.2236,-2.5463,2168` |
//! | `aperture`, `focal` | of the telescope, millimetres | `106`, `530` |
//! | `seeing` | at the zenith, arcseconds | `2.5` |
//! | `sky` | brightness, magnitudes per square arcsecond | `20.5` |
//! | `sensor` | `generic` (1280x1024), `imx455` (9576x6388), `imx571`, `imx533`, `imx294` ... | `imx533` |
//! | `camera` | `mono`, or `osc` for a Bayer mosaic | `mono` |
//! | `bits` | of a pixel: 8 or 16 | `16` |
//! | `cooler` | `on` or `off`: whether the camera has one | as the sensor |
//! | `rotation` | position angle of the picture's upper edge before the meridian, degrees | `0` |
//! | `cameras` | `2` adds a guide camera with a guide port | `1` |
//! | `filters` | names from `L R G B Ha OIII SII Dark`, with commas | all of them |
//! | `focus` | best position of the focuser at the beginning, steps | `25000` |
//! | `steps` | travel of the focuser | `60000` |
//! | `backlash` | play in the focuser's gears, steps | `0` |
//! | `mount` | `german` or `fork` | `german` |
//! | `equinox` | that the mount speaks: `jnow` or `j2000` | `jnow` |
//! | `slew` | fastest speed of the mount, degrees per second | `8` |
//! | `settle` | seconds after a slew until the mount is ready | `1` |
//! | `horizon` | lowest altitude that the mount goes to, degrees | `0` |
//! | `faults` | a file that says what goes wrong, see [`Fault`] and `docs/faults.md` | nothing |
//! | `timeout` | seconds after which a call that hangs is given up | `15` |
//! | `guard` | `on` or `off`: pictures are judged by the [frame guard](crate::guard) | `on` |
//!
//! # Behaviour
//! The mount begins at its home, looking at the pole, unparked and tracking; tracking ends at the horizon limit. A
//! German mount goes to targets east of the meridian beyond the pole (pier side west) and to the others this side of
//! it, where the picture is turned by 180 degrees. It may track on for three hours past the meridian, and flips with
//! the next slew or when told. Parking and homing end tracking. The focuser begins a little out of focus; its best
//! position moves by 50 steps outward for each degree that it gets colder, and with the filter. While the wheel
//! turns no light passes. Settings hold for the exposures that begin after them.

mod camera;
mod catalogue;
mod chip;
mod clock;
mod cooler;
mod drive;
mod failing;
mod faults;
mod field;
mod filter_wheel;
mod focuser;
mod glow;
mod handle;
mod motion;
mod mount;
mod nebulae;
mod news;
mod noise;
mod options;
mod photometry;
mod projection;
mod psf;
mod render;
mod scene;
mod sensor;
mod shade;
#[cfg(test)]
mod tests;
mod turbulence;
mod weather;
mod world;

use crate::{
    Address, Error, Result,
    backend::{Backend, no_such_device},
    device::{AnyDevice, DeviceId, DeviceInfo},
    event::{Events, Link},
};
pub use faults::{Doing, Fault, What};
use std::{any::Any, fmt, sync::Arc};
use world::World;

/// Checks the options of an address without making a world of it.
///
/// # Errors
/// `InvalidValue` for an option that it does not have, or a value that it cannot have.
pub fn check(address: &Address) -> Result<()> {
    options::Options::read(address).map(drop)
}

/// Opens a simulated observatory, a new one each time.
///
/// # Errors
/// `InvalidValue` for an unknown option or a value that it cannot take, `NotFound` for a path that names no device.
///
/// ```
/// let error = astrobackend::open("sim://?sped=100").unwrap_err();
/// assert!(error.to_string().contains("no option \"sped\"; it has seed, speed"));
/// ```
pub fn open(address: &Address) -> Result<Arc<dyn Backend>> {
    let world = World::new(address)?;
    let path = address.path();
    if !path.is_empty() && !world.entries().iter().any(|entry| entry.info.id.name == path) {
        let names: Vec<_> = world.entries().iter().map(|entry| format!("{:?}", entry.info.id.name)).collect();
        return Err(Error::not_found(format!("the simulator has no device {path:?}; it has {}", names.join(", "))));
    }
    Ok(Arc::new(Sim(world)))
}

/// A simulated observatory: a [`Backend`], and the way to its faults.
#[derive(Debug)]
pub struct Sim(Arc<World>);

impl Sim {
    /// The simulator behind a backend that was opened by address or name.
    ///
    /// # Errors
    /// `Unsupported` for a backend of another framework.
    pub fn of(backend: &dyn Backend) -> Result<&Sim> {
        let found = (backend as &dyn Any).downcast_ref();
        found.ok_or_else(|| Error::unsupported(format!("{backend} is no simulator")))
    }

    /// Lets something go wrong, when the fault says so.
    ///
    /// # Errors
    /// `InvalidValue` for a fault that cannot be, `NotFound` for one of a device that there is not.
    pub fn inject(&self, fault: Fault) -> Result<()> {
        self.0.inject(fault)
    }

    /// Ends all faults, those to come and those going on; what was lost by them stays lost.
    pub fn heal(&self) {
        self.0.heal();
    }
}

/// The address that opens another one like it.
impl fmt::Display for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.address.fmt(f)
    }
}

impl Backend for Sim {
    fn address(&self) -> &Address {
        &self.0.address
    }

    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        if let Link::Lost { why, .. } = self.0.link() {
            return Err(why);
        }
        Ok(self.0.entries().iter().map(|entry| entry.info.clone()).collect())
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        let index = self.0.entries().iter().position(|entry| entry.info.id == *id);
        let index = index.ok_or_else(|| no_such_device(self, id, self.0.entries().iter().map(|e| &e.info.id)))?;
        Ok(self.0.device(index))
    }

    fn answers_from_memory(&self) -> bool {
        true
    }

    fn events(&self) -> Events {
        self.0.events()
    }

    fn link(&self) -> Link {
        self.0.link()
    }
}
