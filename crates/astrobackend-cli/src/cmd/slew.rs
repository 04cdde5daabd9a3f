//! `slew`: where the mount points, and moving it.

use crate::{context::Context, json, progress::Progress, values::Place};
use astrobackend::{
    Result,
    device::{Mount, MountExt, Target},
};
use serde_json::json;

/// Arguments of `slew`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where to point: "05:35:17.3 -05:23:28" in J2000 unless JNow follows it, or "alt 45 az 180"
    target: Option<Place>,
    /// The target is of the present equinox
    #[arg(long)]
    jnow: bool,
}

/// Shows where the mount points, after the slew that was asked for.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let mount = ctx.mount()?;
    if let Some(place) = args.target {
        let target = place.target(args.jnow);
        match ctx.no_wait {
            true => mount.start_slew(target)?,
            false => slew(ctx, &*mount, target)?,
        }
    }
    show(ctx, &*mount)
}

/// Moves the mount and waits.
pub(crate) fn slew(ctx: &Context, mount: &dyn Mount, target: Target) -> Result<()> {
    let progress = Progress::step(ctx.out, &format!("slew to {target}"));
    let moved = ctx.interruptible("the mount was stopped", mount.slew(target, &ctx.motion()));
    drop(progress);
    moved
}

/// Shows the mount's state; other verbs of the mount end with it too.
pub(crate) fn show(ctx: &Context, mount: &dyn Mount) -> Result<()> {
    let state = mount.state()?;
    let name = mount.info().id.name;
    let mut text = format!("{name}: {}", state.position);
    if let Some(horizon) = state.horizon {
        text += &format!(", {horizon}");
    }
    text += match (state.slewing, state.parked, state.tracking.on) {
        (true, ..) => ", slewing",
        (_, true, _) => ", parked",
        (_, _, true) => ", tracking ",
        _ => ", not tracking",
    };
    if text.ends_with(' ') {
        text += &state.tracking.rate.to_string();
    }
    if state.pier_side != Default::default() {
        text += &format!(", pier side {}", state.pier_side);
    }
    ctx.out.data(text, json::merged(json!({ "device": name }), json::mount(&state)))
}
