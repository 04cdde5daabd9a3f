//! `park` and `unpark`.

use super::slew;
use crate::{context::Context, progress::Progress};
use astrobackend::{Result, device::MountExt};

/// Parks the mount.
pub(crate) fn park(ctx: &Context) -> Result<()> {
    let mount = ctx.mount()?;
    if ctx.no_wait {
        mount.start_park()?;
    } else {
        let progress = Progress::step(ctx.out, "park");
        let parked = ctx.interruptible("the mount was stopped; it is not parked", mount.park(&ctx.motion()));
        drop(progress);
        parked?;
    }
    slew::show(ctx, &*mount)
}

/// Unparks the mount.
pub(crate) fn unpark(ctx: &Context) -> Result<()> {
    let mount = ctx.mount()?;
    if ctx.no_wait {
        mount.start_unpark()?;
    } else {
        let progress = Progress::step(ctx.out, "unpark");
        let unparked = ctx.interruptible("the mount was stopped", mount.unpark(&ctx.motion()));
        drop(progress);
        unparked?;
    }
    slew::show(ctx, &*mount)
}
