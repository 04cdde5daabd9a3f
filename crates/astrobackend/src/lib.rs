//! One API for the devices of an observatory, whatever framework drives them.
//!
//! Five nouns: a **backend** (a way in: INDI, Alpaca, ASCOM, RPC, or the simulator) has **devices**
//! (camera, filter wheel, focuser, mount), which take **images**, report **events**, and refuse with an **error**.
//!
//! ```
//! # fn main() -> astrobackend::Result<()> {
//! use astrobackend::{Degrees, Hours, RaDec, Wait, device::{CameraExt, Exposure, FilterWheelExt, FocuserExt, MountExt}};
//! use std::time::Duration;
//!
//! let observatory = astrobackend::open("sim://?speed=1000")?;
//! let (mount, wheel, focuser, camera) =
//!     (observatory.mount()?, observatory.filter_wheel()?, observatory.focuser()?, observatory.camera()?);
//! for device in observatory.devices()? {
//!     observatory.device(&device.id)?.device().connect()?;
//! }
//! let wait = Wait::new(Duration::from_secs(60));
//! mount.slew(RaDec::j2000(Hours(5.588), Degrees(-5.391)), &wait)?;
//! wheel.select("Ha", &wait)?;
//! focuser.move_to(25_000, &wait)?;
//! let image = camera.expose(Exposure::light(Duration::from_secs(5)), &wait)?;
//! println!("{} x {} {}", image.width(), image.height(), image.pixels().type_name());
//! # Ok(()) }
//! ```
//!
//! The core is synchronous. No call blocks longer than its deadline: long work is started, then observed,
//! and the waiting helpers take a [`Wait`] that ends them in time or when cancelled.

mod address;
mod atomic;
pub mod backend;
mod coords;
pub mod device;
mod error;
pub mod event;
pub mod fits;
pub mod guard;
pub mod image;
mod memory;
pub mod naming;
pub mod observation;
pub mod preview;
pub mod rig;
mod serial;
mod supervision;
mod sync;
mod units;
pub mod wait;
pub mod wire;

pub use address::Address;
pub use backend::{Backend, FRAMEWORKS, Framework, backend_choices, default_backend, open};
pub use coords::{AltAz, Equinox, RaDec, Site};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, Events};
pub use image::Image;
pub use supervision::Supervision;
pub use units::{Celsius, Degrees, DegreesPerSecond, Hours, Metres, Microns};
pub use wait::{Cancel, Wait};

/// A moment in UTC, to the nanosecond; displays as ISO 8601 with `Z`.
pub use jiff::Timestamp;
