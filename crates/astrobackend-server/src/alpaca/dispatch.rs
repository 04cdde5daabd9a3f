//! Which call may wait, and how long: what is read from memory is answered at once, everything else on another thread.

use super::{common, served::Served};
use astrobackend::{
    Error, Result,
    device::AnyDevice,
    wire::alpaca::{Member, Verb, reply::Value, request::Arguments},
};
use std::{sync::Arc, time::Duration};
use tokio::time;

/// Time between two looks at a mount whose arrival is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// Does what a member stands for, within the limits.
pub(super) async fn call(served: &Arc<Served>, member: &'static Member, arguments: Arguments) -> Result<Value> {
    let answer = match (member.verb, member.name) {
        (Verb::Put, "connect") => served.connection.begin(served, true).map(|()| Value::Done),
        (Verb::Put, "disconnect") => served.connection.begin(served, false).map(|()| Value::Done),
        (Verb::Put, "connected") => connected(served, arguments.bool(0)?).await.map(|()| Value::Done),
        (Verb::Put, "slewtocoordinates" | "slewtotarget" | "slewtoaltaz") => {
            blocking(served, member, arguments).await?;
            arrival(served).await.map(|()| Value::Done)
        }
        (Verb::Get, _) if served.from_memory => common::perform(served, member, &arguments),
        (Verb::Get, "connecting" | "interfaceversion" | "name") => common::perform(served, member, &arguments),
        _ => blocking(served, member, arguments).await,
    };
    answer.map_err(|error| error.on(&served.id))
}

async fn blocking(served: &Arc<Served>, member: &'static Member, arguments: Arguments) -> Result<Value> {
    let working = served.clone();
    let work = move || common::perform(&working, member, &arguments);
    served.calls.run(member.name, served.limits.call, work).await.map_err(|error| error.on(&served.id))
}

/// Reads something of a device, as [`call`] would.
pub(super) async fn read<T: Send + 'static>(
    served: &Arc<Served>,
    what: &'static str,
    look: impl FnOnce(&Served) -> Result<T> + Send + 'static,
) -> Result<T> {
    if served.from_memory {
        return look(served);
    }
    let reading = served.clone();
    served.calls.run(what, served.limits.call, move || look(&reading)).await
}

/// `Connected`, which answers when it is so.
async fn connected(served: &Arc<Served>, wanted: bool) -> Result<()> {
    served.connection.begin(served, wanted)?;
    served.connection.ended(served.limits.connected).await
}

/// The slews of old answer when the mount has arrived.
async fn arrival(served: &Arc<Served>) -> Result<()> {
    let arrived = async {
        loop {
            let slewing = read(served, "slewing", |served| match served.device()? {
                AnyDevice::Mount(mount) => mount.state().map(|state| state.slewing),
                _ => Err(Error::protocol("is no mount")),
            });
            if !slewing.await? {
                return Ok(());
            }
            time::sleep(LOOK).await;
        }
    };
    match time::timeout(served.limits.slew, arrived).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::timeout("the slew, which goes on,", served.limits.slew)),
    }
}
