//! `focus`: where the focuser stands, and moving it.

use crate::{context::Context, json, progress::Progress, values::FocusMove};
use astrobackend::{
    Error, Result,
    device::{Focuser, FocuserExt},
};
use serde_json::json;

/// Arguments of `focus`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where to move: a position such as 52000, or steps such as +500 and -500 from where it is
    #[arg(value_name = "POSITION|+STEPS|-STEPS", allow_negative_numbers = true)]
    position: Option<FocusMove>,
}

/// Shows the position, after the move that was asked for.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let focuser = ctx.focuser()?;
    match args.position {
        None => {}
        Some(FocusMove::To(position)) if ctx.no_wait => focuser.start_move(position)?,
        Some(FocusMove::By(steps)) if ctx.no_wait => focuser.start_move_by(steps)?,
        Some(change) => {
            check(&*focuser, change)?;
            move_it(ctx, &*focuser, change)?;
        }
    }
    show(ctx, &*focuser)
}

/// Refuses a move beyond the range, before anything else moves.
pub(crate) fn check(focuser: &dyn Focuser, change: FocusMove) -> Result<()> {
    let max = focuser.caps()?.max_position;
    let position = match (change, focuser.state()?.position) {
        (FocusMove::To(position), _) => position,
        (FocusMove::By(steps), Some(here)) => here.saturating_add(steps),
        (FocusMove::By(_), None) => return Ok(()),
    };
    if (0..=max).contains(&position) {
        return Ok(());
    }
    Err(Error::invalid(format!("position {position} is not within 0 to {max}")).on(focuser.info().id))
}

/// Moves the focuser and waits.
pub(crate) fn move_it(ctx: &Context, focuser: &dyn Focuser, change: FocusMove) -> Result<()> {
    let wait = ctx.motion();
    let stopped =
        if focuser.caps()?.halt { "the focuser was halted" } else { "the focuser goes on, it cannot be halted" };
    let text = match change {
        FocusMove::To(position) => format!("focus to {position}"),
        FocusMove::By(steps) => format!("focus by {steps:+}"),
    };
    let progress = Progress::step(ctx.out, &text);
    let moved = ctx.interruptible(
        stopped,
        match change {
            FocusMove::To(position) => focuser.move_to(position, &wait),
            FocusMove::By(steps) => focuser.move_by(steps, &wait),
        },
    );
    drop(progress);
    moved
}

fn show(ctx: &Context, focuser: &dyn Focuser) -> Result<()> {
    let state = focuser.state()?;
    let name = focuser.info().id.name;
    let mut text = match state.position {
        Some(position) => format!("{name}: {position}"),
        None => format!("{name}: position unknown"),
    };
    if state.moving {
        text += ", moving";
    }
    if let Some(temperature) = state.temperature {
        text += &format!(", {temperature}");
    }
    let object = json!({ "device": name, "max_position_steps": focuser.caps()?.max_position });
    ctx.out.data(text, json::merged(object, json::focuser(&state)))
}
