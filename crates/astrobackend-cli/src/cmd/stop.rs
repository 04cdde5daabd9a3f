//! `stop`: everything that moves, and exposures, all at once.

use crate::context::Context;
use astrobackend::{Error, ErrorKind, Result, device::AnyDevice, rig::Member};
use serde_json::json;
use std::thread;

/// Stops every connected device at the same time: one that does not answer must not delay the others.
///
/// Tracking goes on, the cooler stays on, and a filter wheel cannot be stopped.
pub(crate) fn run(ctx: &Context) -> Result<()> {
    let members = ctx.chosen()?;
    let stopped: Vec<Result<bool>> = thread::scope(|scope| {
        let threads: Vec<_> = members.iter().map(|member| scope.spawn(|| stop(member))).collect();
        let died = || Err(Error::protocol("stopping it failed unexpectedly"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| died())).collect()
    });
    let mut lines = Vec::new();
    let mut objects = Vec::new();
    let mut failures = Vec::new();
    for (member, result) in members.iter().zip(stopped) {
        let id = &member.info.id;
        match &result {
            Ok(true) => lines.push(format!("{id}: stopped")),
            Ok(false) => continue,
            Err(error) => failures.push(error.clone().on(id)),
        }
        let error = result.as_ref().err().map(|error| error.kind().name());
        objects.push(json!({ "kind": id.kind, "device": id.name, "stopped": result.is_ok(), "error": error }));
    }
    ctx.out.table(
        &["stopped"],
        &lines.into_iter().map(|line| vec![line]).collect::<Vec<_>>(),
        json!({ "devices": objects }),
    )?;
    let Some(last) = failures.pop() else { return Ok(()) };
    failures.iter().for_each(|error| ctx.out.warn(error));
    Err(last)
}

/// Stops a device; false when there was nothing to stop because it is not connected or never moves.
fn stop(member: &Member) -> Result<bool> {
    let device = member.device()?;
    if matches!(device, AnyDevice::FilterWheel(_)) || !device.device().is_connected()? {
        return Ok(false);
    }
    match device {
        AnyDevice::Camera(camera) => camera.abort_exposure()?,
        AnyDevice::Mount(mount) => mount.abort()?,
        AnyDevice::Focuser(focuser) => match focuser.halt() {
            // One that stands needs no brake.
            Err(error) if error.kind() == ErrorKind::Unsupported && !focuser.state()?.moving => {}
            halted => halted?,
        },
        _ => return Ok(false),
    }
    Ok(true)
}
