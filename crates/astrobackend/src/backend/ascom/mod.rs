//! ASCOM drivers on Windows, through COM.
//!
//! Addresses: `ascom:///ProgID`; without a ProgID all drivers that ASCOM's profile lists, which is where their
//! installers put them. Options, behind a `?`:
//!
//! - `timeout`: seconds that a call waits for a driver, 30 by default: some connect slowly.
//! - `image`: seconds that a picture may take, 300.
//! - `poll`: seconds between two looks at the drivers while somebody listens, 1 by default.
//! - `guard`: `on` (the default) or `off`: whether pictures are judged by the [frame guard](crate::guard).
//!
//! Each driver lives on a thread of its own with a single-threaded apartment that pumps messages, as drivers written
//! for programs with windows expect it. A driver that hangs costs that thread: later calls say `Busy` and why, and
//! dropping the device does not wait. A driver in a process of its own that dies is started anew by the next call.
//!
//! A 64-bit program reaches 32-bit drivers only where they run in a process of their own; others are not registered for
//! it, which is what the error says.

#[cfg(windows)]
#[allow(unsafe_code, reason = "the system's own interface")]
mod apartment;
#[cfg(windows)]
#[allow(unsafe_code, reason = "the system's own interface")]
mod chooser;
#[cfg(windows)]
#[allow(unsafe_code, reason = "the system's own interface")]
mod dispatch;
#[cfg(windows)]
mod driver;
#[cfg(windows)]
mod failure;
#[cfg(windows)]
mod names;
#[cfg(windows)]
#[allow(unsafe_code, reason = "the system's own interface")]
mod picture;
#[cfg(windows)]
#[allow(unsafe_code, reason = "the system's own interface")]
mod profile;
#[cfg(windows)]
mod registered;
#[cfg(windows)]
#[allow(unsafe_code, reason = "the system's own interface")]
mod variant;

use super::Backend;
use crate::{Address, Error, Result, guard::Guard};
use std::{sync::Arc, time::Duration};

/// How long calls may take.
#[derive(Clone, Debug)]
#[cfg_attr(not(windows), allow(dead_code, reason = "checked everywhere, used where there are drivers"))]
struct Policy {
    call: Duration,
    image: Duration,
    poll: Duration,
    guard: bool,
}

impl Policy {
    fn of(address: &Address) -> Result<Self> {
        let seconds = |value: u64| Duration::from_secs(value);
        let mut policy = Policy { call: seconds(30), image: seconds(300), poll: seconds(1), guard: true };
        for (name, value) in address.options() {
            let place = match name.as_str() {
                "timeout" => &mut policy.call,
                "image" => &mut policy.image,
                "poll" => &mut policy.poll,
                "guard" => {
                    let guard = Guard::option(value);
                    policy.guard =
                        guard.ok_or_else(|| Error::invalid(format!("{address}: guard must be on or off")))?;
                    continue;
                }
                _ => {
                    let message =
                        format!("{address}: there is no option {name:?}; there are timeout, image, poll and guard");
                    return Err(Error::invalid(message));
                }
            };
            let wanted = value.parse::<f64>().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
            *place = wanted
                .map(Duration::from_secs_f64)
                .ok_or_else(|| Error::invalid(format!("{address}: {name} must be 0.1 to 3600 seconds")))?;
        }
        Ok(policy)
    }
}

/// The limits that an address sets, by default.
#[cfg(test)]
pub(super) fn limits() -> Vec<(&'static str, Duration)> {
    let policy = Policy::of(&Address::new("ascom")).expect("an address without options");
    vec![("timeout", policy.call), ("image", policy.image)]
}

/// Checks the options of an address; no I/O.
///
/// # Errors
/// `InvalidValue` for a malformed option.
pub fn check(address: &Address) -> Result<()> {
    Policy::of(address).map(drop)
}

/// Opens the drivers that ASCOM's profile lists, and the one that the address names.
///
/// # Errors
/// `InvalidValue` for a malformed option, `Unsupported` on other systems than Windows.
pub fn open(address: &Address) -> Result<Arc<dyn Backend>> {
    let policy = Policy::of(address)?;
    open_here(address, policy)
}

#[cfg(windows)]
fn open_here(address: &Address, policy: Policy) -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(registered::Ascom::new(address.clone(), policy)))
}

#[cfg(not(windows))]
fn open_here(_: &Address, _: Policy) -> Result<Arc<dyn Backend>> {
    Err(needs_windows())
}

/// The drivers of this computer.
///
/// # Errors
/// `Unsupported` on other systems than Windows.
pub fn discover(_: Duration) -> Result<Vec<Address>> {
    if cfg!(windows) { Ok(vec![Address::new("ascom")]) } else { Err(needs_windows()) }
}

fn needs_windows() -> Error {
    Error::unsupported("ASCOM COM needs Windows; use ALPACA to reach the drivers of a Windows computer")
}
