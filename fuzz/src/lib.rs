//! What must hold for any input; the fuzz targets and the test that replays the corpus call the same functions.

pub mod alpaca;
pub mod fits;
pub mod indi;
pub mod rpc;
pub mod texts;
