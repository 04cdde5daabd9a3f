//! How fast our Alpaca server and client are, beside the least that HTTP can cost, and beside other programs.
//!
//!     cargo bench -p astrobackend-server --bench alpaca [-- PART ...]     parts: image json small load
//!
//! Servers and clients are processes of their own, so that each one's memory is only its own; samples of the floor and
//! of ours alternate, so that what else the machine does hits all of them alike. Figures are medians of seven.
//! The crate ascom-alpaca is measured when it is installed (`benches/peers/install`), load when `wrk` is.

#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod frame;
#[cfg(target_os = "linux")]
#[path = "../../../astrobackend/benches/indi/guard.rs"]
mod guard;
#[cfg(target_os = "linux")]
mod ours;
#[cfg(target_os = "linux")]
mod stand;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: the Alpaca bench reads the memory of processes as Linux tells it");
}

#[cfg(target_os = "linux")]
fn main() -> testing::bench::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(done) = stand::role(&arguments) {
        return done;
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|wanted| wanted == part);
    let mut report = testing::bench::Report::default();
    if wanted("image") {
        stand::image(&mut report)?;
    }
    if wanted("json") {
        stand::json(&mut report)?;
    }
    if wanted("small") {
        stand::small(&mut report)?;
    }
    if wanted("load") {
        stand::load(&mut report)?;
    }
    report.print();
    Ok(())
}
