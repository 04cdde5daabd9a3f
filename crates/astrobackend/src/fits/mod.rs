//! FITS files that every astronomy program reads (FITS Standard 4.0).

mod header;

pub use header::{Card, Header, Value};
