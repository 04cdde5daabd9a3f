//! The RPC server as the original's clients see it, and as those who misbehave.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod client;
mod limits;
mod ours;
mod protocol;

use astrobackend_server::rpc::{Options, Running, Server};
use std::{path::Path, time::Duration};

/// Time for what should come at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A server on a free port.
fn serve(backend: &str, change: impl FnOnce(&mut Options)) -> Running {
    let mut options = Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() };
    change(&mut options);
    let backend = astrobackend::open(backend).unwrap();
    for info in backend.devices().unwrap() {
        backend.device(&info.id).unwrap().device().connect().unwrap();
    }
    Server::start(backend, options).unwrap()
}

/// The simulated observatory, saving below a folder.
fn observatory(folder: &Path) -> Running {
    serve("sim://?speed=100&sensor=generic&settle=0", |options| options.folder = folder.to_owned())
}
