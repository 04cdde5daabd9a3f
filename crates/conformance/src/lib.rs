//! One behaviour suite, run over every framework: what the contract promises is a case here.
//!
//! Cases are multiplied by targets. A case that a device cannot serve is skipped with the reason,
//! read from its capabilities; where a named real server is known to deviate, that is data in its
//! [`Target`] with a reason, printed with the result. No case is ever silently absent.

mod backend;
mod camera;
pub mod canned;
mod filter_wheel;
mod focuser;
mod mount;
mod target;

pub use target::{Deviation, Lab, Target};

use astrobackend::Error;

/// Why a case did not pass.
#[derive(Debug)]
pub enum Stop {
    /// It does not apply here.
    Skip(String),
    /// A promise is broken.
    Fail(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Fail(format!("unexpected error {error:?}"))
    }
}

/// The outcome of a case.
pub type Outcome = Result<(), Stop>;

/// One promise of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// `camera::abort_leaves_it_idle`
    pub name: &'static str,
    /// Tries it on a fresh laboratory.
    pub run: fn(&Lab) -> Outcome,
}

/// Lists functions of a module as cases under the module's name.
macro_rules! case_list {
    ($module:literal: $($case:ident),* $(,)?) => {
        pub(crate) const CASES: &[crate::Case] =
            &[$(crate::Case { name: concat!($module, "::", stringify!($case)), run: $case }),*];
    };
}
pub(crate) use case_list;

/// Fails the case with a sentence unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {{
        // Bound first: a comparison of floats must not be negated, NaN fails both ways.
        let holds: bool = $condition;
        if !holds {
            return Err(crate::Stop::Fail(format!($($why)+)));
        }
    }};
}
pub(crate) use ensure;

/// Skips the case with the reason unless the device can.
macro_rules! require {
    ($condition:expr, $($why:tt)+) => {{
        let holds: bool = $condition;
        if !holds {
            return Err(crate::Stop::Skip(format!($($why)+)));
        }
    }};
}
pub(crate) use require;

/// Every case there is.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    let camera = [camera::CASES, camera::exposure::CASES, camera::picture::CASES];
    let mount = [mount::CASES, mount::pointing::CASES, mount::tracking::CASES, mount::parking::CASES];
    let others = [backend::CASES, filter_wheel::CASES, focuser::CASES];
    others.into_iter().chain(camera).chain(mount).flatten()
}
