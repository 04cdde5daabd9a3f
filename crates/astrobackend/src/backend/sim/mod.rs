//! The simulated observatory.

mod catalogue;
mod chip;
mod field;
mod glow;
mod nebulae;
mod noise;
mod photometry;
mod projection;
mod psf;
mod render;
mod scene;
mod sensor;
mod shade;
mod turbulence;

use crate::{Address, Error, Result, backend::Backend};
use std::sync::Arc;

/// Opens a simulated observatory.
///
/// # Errors
/// `InvalidValue` for an unknown option.
pub fn open(_address: &Address) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("not yet"))
}
