//! Wire formats: bytes to messages and back, in both directions, without any I/O.
//!
//! Clients (the backends) and servers share these, and they are what the fuzz targets feed.

pub mod alpaca;
pub mod indi;
pub mod rpc;
