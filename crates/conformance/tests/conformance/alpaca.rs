//! Alpaca as a target: our client over our server over anything, and over servers that share no code with us.

use crate::{INDI_SIMULATORS, Started};
use astrobackend::{
    Address, Backend, Events, Result,
    device::{AnyDevice, DeviceId, DeviceInfo},
    event::Link,
};
use astrobackend_server::alpaca::{Options, Server};
use conformance::Target;
use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex},
};
use testing::IndiServer;

/// Our client, and our server that lives as long.
#[derive(Debug)]
struct Bridged {
    client: Arc<dyn Backend>,
    _server: Mutex<Box<dyn Any + Send>>,
}

impl fmt::Display for Bridged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.fmt(f)
    }
}

impl Backend for Bridged {
    fn address(&self) -> &Address {
        self.client.address()
    }

    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.client.devices()
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        self.client.device(id)
    }

    fn events(&self) -> Events {
        self.client.events()
    }

    fn link(&self) -> Link {
        self.client.link()
    }
}

/// A backend through our server and our client.
pub(crate) fn bridged(backend: Arc<dyn Backend>) -> Result<Arc<dyn Backend>> {
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..Options::default() };
    let server = Server::start(backend, options)?;
    let client = astrobackend::open(&format!("alpaca://{}", server.address()))?;
    Ok(kept(client, server))
}

/// A client that keeps its server.
pub(crate) fn kept(client: Arc<dyn Backend>, server: impl Any + Send) -> Arc<dyn Backend> {
    Arc::new(Bridged { client, _server: Mutex::new(Box::new(server)) })
}

/// The simulator behind one bridge, behind two, and as the world that has what the first has not.
pub(crate) fn over_the_simulator() -> Vec<Target> {
    // Slower than without a bridge: what a case sees of a motion comes by way of several servers.
    const WORLD: &str = "sim://?speed=30&cameras=2";
    const FARTHER: &str = "sim://?speed=10&cameras=2";
    const OTHER: &str = "sim://?speed=30&seed=2&camera=osc&bits=8&equinox=j2000&backlash=200";
    vec![
        Target::isolated("alpaca(sim)", || bridged(astrobackend::open(WORLD)?)),
        Target::isolated("alpaca(sim(osc))", || bridged(astrobackend::open(OTHER)?)),
        Target::isolated("alpaca(alpaca(sim))", || bridged(bridged(astrobackend::open(FARTHER)?)?)),
    ]
}

/// Debian's simulators behind our bridge.
///
/// # Panics
/// When the bridge does not start: that is a failure, not a missing peer.
pub(crate) fn over_indiserver() -> Started {
    let indi = IndiServer::start(&INDI_SIMULATORS)?;
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..Options::default() };
    let bridge = astrobackend::open(&indi.address()).and_then(|backend| Server::start(backend, options));
    let bridge = bridge.expect("the bridge to start");
    let address = format!("alpaca://{}", bridge.address());
    Ok((Box::new((bridge, indi)), address))
}
