//! An observatory on the traits of the crate ascom-alpaca, as simple as one can be.
//!
//! Camera: WIDTH x HEIGHT pixels of 16 bit; pixel (x, y) of the n-th exposure is `(x + 256 * y + n) % 65536`.
//! Focuser and wheel take 0.3 s for a move, the mount 0.5 s.

mod camera;
mod focuser;
mod mount;
mod wheel;

pub use camera::Camera;
pub use focuser::Focuser;
pub use mount::Mount;
pub use wheel::Wheel;

use std::time::{Duration, Instant};

/// Something that goes from one value to another and takes a while.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Motion<T> {
    from: T,
    to: T,
    ends: Instant,
}

impl<T: Copy> Motion<T> {
    pub(crate) fn at(place: T) -> Self {
        Motion { from: place, to: place, ends: Instant::now() }
    }

    pub(crate) fn go(&mut self, to: T, takes: Duration) {
        *self = Motion { from: self.now(), to, ends: Instant::now() + takes };
    }

    pub(crate) fn moving(&self) -> bool {
        Instant::now() < self.ends
    }

    /// Jumps from one to the other at the end.
    pub(crate) fn now(&self) -> T {
        if self.moving() { self.from } else { self.to }
    }

    pub(crate) fn stop(&mut self) {
        *self = Motion::at(self.now());
    }
}

/// The members that every device has.
macro_rules! common {
    ($type:ty, $name:literal) => {
        #[async_trait::async_trait]
        impl ascom_alpaca::api::Device for $type {
            fn static_name(&self) -> &str {
                $name
            }

            fn unique_id(&self) -> &str {
                concat!("peer-", $name)
            }

            async fn connected(&self) -> ascom_alpaca::ASCOMResult<bool> {
                Ok(self.connected.load(std::sync::atomic::Ordering::SeqCst))
            }

            async fn set_connected(&self, connected: bool) -> ascom_alpaca::ASCOMResult<()> {
                self.connected.store(connected, std::sync::atomic::Ordering::SeqCst);
                Ok(())
            }

            async fn description(&self) -> ascom_alpaca::ASCOMResult<String> {
                Ok(concat!("A simple ", $name).into())
            }

            async fn driver_info(&self) -> ascom_alpaca::ASCOMResult<String> {
                Ok("a peer of the tests".into())
            }

            async fn driver_version(&self) -> ascom_alpaca::ASCOMResult<String> {
                Ok("1.0".into())
            }
        }
    };
}
pub(crate) use common;

/// Fails unless connected.
pub(crate) fn used(connected: &std::sync::atomic::AtomicBool) -> ascom_alpaca::ASCOMResult<()> {
    match connected.load(std::sync::atomic::Ordering::SeqCst) {
        true => Ok(()),
        false => Err(ascom_alpaca::ASCOMError::NOT_CONNECTED),
    }
}
