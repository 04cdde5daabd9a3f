//! RPC as a target: our client over our server over anything, and Alpaca over both.

use crate::alpaca::{bridged as over_alpaca, kept};
use astrobackend::{Backend, Result};
use astrobackend_server::{
    alpaca,
    rpc::{Options, Running, Server},
};
use conformance::Target;
use std::{any::Any, sync::Arc};
use testing::Skip;

/// A server that is running, and its address.
type Started = (Box<dyn Any>, String);

fn serve(backend: Arc<dyn Backend>) -> Result<Running> {
    // The cases look at devices that nobody has connected.
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), connect: false, ..Options::default() };
    Server::start(backend, options)
}

/// A backend through our server and our client.
fn bridged(backend: Arc<dyn Backend>) -> Result<Arc<dyn Backend>> {
    let server = serve(backend)?;
    let client = astrobackend::open(&format!("rpc://{}", server.address()))?;
    Ok(kept(client, server))
}

/// The simulator behind this bridge, and behind two.
pub(crate) fn over_the_simulator() -> Vec<Target> {
    const WORLD: &str = "sim://?speed=100&cameras=2";
    const OTHER: &str = "sim://?speed=100&seed=2&camera=osc&bits=8&equinox=j2000&backlash=200";
    vec![
        Target::isolated("rpc(sim)", || bridged(astrobackend::open(WORLD)?)),
        Target::isolated("rpc(sim(osc))", || bridged(astrobackend::open(OTHER)?)),
        Target::isolated("alpaca(rpc(sim))", || over_alpaca(bridged(astrobackend::open(WORLD)?)?)),
    ]
}

fn started<T>(result: Result<T>) -> T {
    result.expect("the servers start")
}

/// Our RPC server over a real server.
pub(crate) fn over((server, address): Started) -> std::result::Result<Started, Skip> {
    let rpc = started(astrobackend::open(&address).and_then(serve));
    let address = format!("rpc://{}", rpc.address());
    Ok((Box::new((rpc, server)), address))
}

/// Our Alpaca server over our RPC client and server over a real server.
pub(crate) fn behind_alpaca(started_server: Started) -> std::result::Result<Started, Skip> {
    let (rpc, address) = over(started_server)?;
    let options = alpaca::Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..alpaca::Options::default() };
    let server = started(astrobackend::open(&address).and_then(|client| alpaca::Server::start(client, options)));
    let address = format!("alpaca://{}", server.address());
    Ok((Box::new((server, rpc)), address))
}
