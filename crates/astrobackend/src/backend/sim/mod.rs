//! The simulated observatory.

mod scene;
mod sensor;

use crate::{Address, Error, Result, backend::Backend};
use std::sync::Arc;

/// Opens a simulated observatory.
///
/// # Errors
/// `InvalidValue` for an unknown option.
pub fn open(_address: &Address) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("not yet"))
}
