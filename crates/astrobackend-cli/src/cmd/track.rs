//! `track`: how the mount follows the sky.

use super::slew;
use crate::{context::Context, values::TrackChange};
use astrobackend::{Result, device::Tracking};

/// Arguments of `track`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// on, off, or the speed: sidereal, lunar, solar, king
    #[arg(value_name = "on|off|RATE")]
    change: Option<TrackChange>,
}

/// Shows how it tracks, after the change that was asked for.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let mount = ctx.mount()?;
    if let Some(change) = args.change {
        let now = mount.state()?.tracking;
        mount.set_tracking(match change {
            TrackChange::On => Tracking { on: true, ..now },
            TrackChange::Off => Tracking { on: false, ..now },
            TrackChange::At(rate) => Tracking { rate, ..Tracking::SIDEREAL },
        })?;
    }
    slew::show(ctx, &*mount)
}
