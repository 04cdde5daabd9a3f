//! ASCOM drivers on Windows, through COM.
//!
//! Addresses: `ascom:///ProgID`; without a ProgID all drivers that ASCOM's profile lists, which is where their
//! installers put them. Options, behind a `?`:
//!
//! - `timeout`: seconds that a call waits for a driver, 30 by default: some connect slowly.
//! - `image`: seconds that a picture may take, 300.
//! - `poll`: seconds between two looks at the drivers while somebody listens, 1 by default.
//! - `guard`: `on` (the default) or `off`: whether pictures are judged by the [frame guard](crate::guard).
//! - `reconnect`: what is done when a driver's process dies ([`Supervision`](crate::Supervision)): `restore`, the default,
//!   starts it anew, connects it and puts its settings back; `reopen` starts it anew with the next call; `off` leaves it.
//! - `alive`: seconds after which a driver is asked whether it still is connected, 20 by default.
//!
//! Each driver lives on a thread of its own with a single-threaded apartment that pumps messages, as drivers written
//! for programs with windows expect it. A driver that hangs costs that thread: later calls say `Busy` and why, and
//! dropping the device does not wait. A driver in a process of its own that dies is a lost link of its
//! own, as `reconnect` has it.
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

use super::{Backend, keeping::Keeping};
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
    keeping: Keeping,
}

impl Policy {
    fn of(address: &Address) -> Result<Self> {
        let seconds = |value: u64| Duration::from_secs(value);
        let keeping = Keeping::default();
        let mut policy = Policy { call: seconds(30), image: seconds(300), poll: seconds(1), guard: true, keeping };
        for (name, value) in address.options() {
            let wanted = || {
                let wanted = value.parse::<f64>().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
                let message = || Error::invalid(format!("{name} must be 0.1 to 3600 seconds"));
                wanted.map(Duration::from_secs_f64).ok_or_else(message)
            };
            let wrong = |why: Error| Error::invalid(format!("{address}: {}", why.message()));
            if policy.keeping.take(name, value, wanted).map_err(wrong)? {
                continue;
            }
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
                    let (known, more) = ("timeout, image, poll, guard", Keeping::NAMES);
                    let message = format!("{address}: there is no option {name:?}; there are {known}, {more}");
                    return Err(Error::invalid(message));
                }
            };
            *place = wanted().map_err(wrong)?;
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
