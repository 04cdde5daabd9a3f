//! Servers: ways out, through which programs of other frameworks use the devices of any backend.
//!
//! ```
//! # fn main() -> astrobackend::Result<()> {
//! use astrobackend_server::alpaca::{Options, Server};
//! let backend = astrobackend::open("sim://")?;
//! let options = Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..Options::default() };
//! let server = Server::start(backend, options)?;
//! println!("http://{}/setup", server.address());
//! server.stop();
//! # Ok(()) }
//! ```
//!
//! The only crate that knows async: each server brings threads of its own, so that it can be started from anywhere.

pub mod alpaca;
mod calls;
mod connections;
pub mod indi;
mod life;
mod observe;
pub mod rpc;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock of data that a panic elsewhere leaves whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
