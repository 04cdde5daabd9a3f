//! What tests and benches need to meet real peers: servers, drivers, and networks of their own.

#[cfg(target_os = "linux")]
pub mod bench_driver;
