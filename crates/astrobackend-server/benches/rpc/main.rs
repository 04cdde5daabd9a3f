//! How fast our RPC server and client are, beside the least that lines and pixels can cost over loopback.
//!
//!     cargo bench -p astrobackend-server --bench rpc [-- PART ...]     parts: small rate frame
//!
//! Servers are processes of their own; samples of the floor and of ours alternate, so that what else the machine does
//! hits both alike. Figures are medians.

#[cfg(target_os = "linux")]
mod stand;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: the bench's servers are processes as Linux has them");
}

#[cfg(target_os = "linux")]
fn main() -> testing::bench::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(done) = stand::role(&arguments) {
        return done;
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|wanted| wanted == part);
    let mut report = testing::bench::Report::default();
    if wanted("small") {
        stand::small(&mut report)?;
    }
    if wanted("rate") {
        stand::rate(&mut report)?;
    }
    if wanted("frame") {
        stand::frame(&mut report)?;
    }
    report.print();
    Ok(())
}
