//! The INDI driver of the benches: on standard input and output for `indiserver`, or listening itself.

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    testing::bench_driver::run(&testing::bench_driver::Options::from_args()?)
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::io::Result<()> {
    Err(std::io::Error::other("the bench driver needs the sockets of Linux"))
}
