//! INDI as a target: our client over our server over anything.

use crate::alpaca::kept;
use astrobackend::{Backend, Result};
use astrobackend_server::indi::{Options, Server};
use conformance::Target;
use std::sync::Arc;

/// A backend through our server and our client.
fn bridged(backend: Arc<dyn Backend>) -> Result<Arc<dyn Backend>> {
    let server = Server::start(backend, Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() })?;
    let client = astrobackend::open(&format!("indi://{}", server.address()))?;
    Ok(kept(client, server))
}

/// The simulator behind this bridge.
pub(crate) fn over_the_simulator() -> Vec<Target> {
    // Slower than without a bridge: what a case sees of a motion comes by way of a server.
    const WORLD: &str = "sim://?speed=30&cameras=2";
    const OTHER: &str = "sim://?speed=30&seed=2&camera=osc&bits=8&equinox=j2000&backlash=200";
    vec![
        Target::isolated("indi(sim)", || bridged(astrobackend::open(WORLD)?)),
        Target::isolated("indi(sim(osc))", || bridged(astrobackend::open(OTHER)?)),
    ]
}
