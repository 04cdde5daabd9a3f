//! The crate ascom-alpaca as a server: `ascom-alpaca-server [WIDTH HEIGHT]`.
//!
//! Prints `listening PORT` and ends when its standard input is closed.

use alpaca_crates::{Camera, Focuser, Mount, Wheel};
use ascom_alpaca::{Server, api::CargoServerInfo};
use std::io::Read;

#[tokio::main]
async fn main() -> eyre::Result<()> {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse());
    let (width, height) = (sizes.next().unwrap_or(Ok(640))?, sizes.next().unwrap_or(Ok(480))?);
    let mut server = Server::new(CargoServerInfo!());
    server.listen_addr = ([127, 0, 0, 1], 0).into();
    // The one of this test machine is for the tests of discovery.
    server.discovery_port = 0;
    server.devices.register(Camera::new(width, height));
    server.devices.register(Focuser::default());
    server.devices.register(Wheel::default());
    server.devices.register(Mount::default());
    let bound = server.bind().await?;
    println!("listening {}", bound.listen_addr().port());
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    match bound.start().await? {}
}
