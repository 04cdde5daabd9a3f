//! `sync`: tells the mount where it points.

use super::slew;
use crate::{context::Context, values::Place};
use astrobackend::Result;

/// Arguments of `sync`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where it points: "05:35:17.3 -05:23:28" in J2000 unless JNow follows it, or "alt 45 az 180"
    target: Place,
    /// The target is of the present equinox
    #[arg(long)]
    jnow: bool,
}

/// Synchronises, and shows where the mount believes to point then.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let mount = ctx.mount()?;
    mount.sync(args.target.target(args.jnow))?;
    slew::show(ctx, &*mount)
}
