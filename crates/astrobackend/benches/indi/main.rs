//! How fast the INDI client is, beside the fastest that any client can be, and beside other clients.
//!
//!     cargo bench -p astrobackend --bench indi [-- PART ...]     parts: frames messages watching peers
//!
//! It runs in a network of its own. The driver is `testing::bench_driver`, behind `indiserver` or listening
//! itself. Each sample is a process of its own, so that its memory is only its own; samples of the floor
//! and of the clients alternate, so that what else the machine does hits all of them alike.
//! Figures are medians of seven. Other clients are measured when they are installed: `benches/peers/install`.

#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod guard;
#[cfg(target_os = "linux")]
mod messages;
#[cfg(target_os = "linux")]
mod peers;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod stand;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: the INDI bench needs the network namespaces and sockets of Linux");
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use stand::Role;
    use testing::bench_driver::{self, ATTACHING, NAME};

    let program = std::env::args().next().unwrap_or_default();
    if program.ends_with(NAME) || program.ends_with(ATTACHING) {
        return Ok(bench_driver::run(&bench_driver::Options::from_args()?)?);
    }
    if let Some((role, address)) = Role::from_args() {
        println!("{}", role.sample(&address)?);
        return Ok(());
    }
    if let Err(why) = testing::in_private_network() {
        why.report();
        return Ok(());
    }
    let parts: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let mut report = report::Report::default();
    if wanted("frames") {
        stand::frames(&mut report, wanted("peers"))?;
    }
    if wanted("messages") {
        messages::parse(&mut report)?;
        stand::updates(&mut report, wanted("peers"))?;
    }
    if wanted("watching") {
        stand::watching_and_reading(&mut report)?;
    }
    report.print();
    Ok(())
}
