//! `filter`: what is in the light path, and bringing something else in.

use crate::{context::Context, json, progress::Progress};
use astrobackend::{
    Error, ErrorKind, Result,
    device::{FilterWheel, FilterWheelExt},
};
use serde_json::json;

/// Arguments of `filter`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The filter to bring in: its name, or the number of its slot. Slots count from 1, as on the wheel;
    /// a filter whose name is a number is found by that name
    #[arg(value_name = "NAME|NUMBER")]
    filter: Option<String>,
}

/// Shows the filter, after bringing the one in that was asked for.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let wheel = ctx.filter_wheel()?;
    if let Some(wanted) = &args.filter {
        let place = find(&*wheel, wanted)?;
        match ctx.no_wait {
            true => wheel.start_move(place)?,
            false => select(ctx, &*wheel, place)?,
        }
    }
    show(ctx, &*wheel)
}

/// The place of a filter by name or by the number of its slot; names win.
pub(crate) fn find(wheel: &dyn FilterWheel, wanted: &str) -> Result<usize> {
    let unknown = match wheel.find(wanted) {
        Err(error) if error.kind() == ErrorKind::NotFound => error,
        found => return found,
    };
    let Ok(slot) = wanted.parse::<usize>() else { return Err(unknown) };
    let slots = wheel.filters()?.len();
    if (1..=slots).contains(&slot) {
        return Ok(slot - 1);
    }
    Err(Error::invalid(format!("has no slot {slot}; slots are 1 to {slots}")).on(wheel.info().id))
}

/// Turns the wheel and waits.
pub(crate) fn select(ctx: &Context, wheel: &dyn FilterWheel, place: usize) -> Result<()> {
    let name = wheel.filters()?.get(place).map(|filter| filter.name.clone()).unwrap_or_default();
    let progress = Progress::step(ctx.out, &format!("filter {name}"));
    let moved =
        ctx.interruptible("the wheel goes on turning, it cannot be stopped", wheel.move_to(place, &ctx.motion()));
    drop(progress);
    moved
}

fn show(ctx: &Context, wheel: &dyn FilterWheel) -> Result<()> {
    let state = wheel.state()?;
    let filters = wheel.filters()?;
    let now = state.position.and_then(|position| filters.get(position)).map(|filter| filter.name.as_str());
    let name = wheel.info().id.name;
    let mut text = format!("{name}: {}", now.unwrap_or("moving"));
    for (place, filter) in filters.iter().enumerate() {
        let mark = if state.position == Some(place) { '*' } else { ' ' };
        text += &format!("\n{mark} {} {}", place + 1, filter.name);
    }
    let list = |(place, filter): (usize, &astrobackend::device::Filter)| json!({ "slot": place + 1, "name": filter.name, "focus_offset_steps": filter.focus_offset });
    let all: Vec<_> = filters.iter().enumerate().map(list).collect();
    let object = json!({ "device": name, "filter": now, "filters": all });
    ctx.out.data(text, json::merged(object, json::filter_wheel(&state)))
}
