//! `cool`: the sensor's temperature, and the cooler.

use crate::{context::Context, json, progress::Progress, values::Cooling};
use astrobackend::{Celsius, Error, Result, device::Camera};
use serde_json::json;

/// Degrees from the set point at which the sensor counts as there.
const NEAR: f64 = 0.5;

/// Arguments of `cool`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The temperature to reach, or off
    #[arg(value_name = "CELSIUS|off", allow_negative_numbers = true)]
    cooling: Option<Cooling>,
}

/// Shows the temperature, after the change that was asked for.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let camera = ctx.camera()?;
    match args.cooling {
        None => {}
        Some(Cooling::Off) => camera.set_cooler(None)?,
        Some(Cooling::To(celsius)) => {
            check(&*camera, celsius)?;
            camera.set_cooler(Some(Celsius(celsius)))?;
            if !ctx.no_wait {
                until_cold(ctx, &*camera, celsius)?;
            }
        }
    }
    show(ctx, &*camera)
}

/// Refuses a temperature that the cooler does not reach, or any without a cooler.
pub(crate) fn check(camera: &dyn Camera, celsius: f64) -> Result<()> {
    let caps = camera.caps()?;
    let refused = match caps.cooler.as_ref().map(|cooler| &cooler.set_point) {
        None => Error::unsupported("has no cooler"),
        Some(None) => Error::unsupported("has a cooler without temperature control"),
        Some(Some(range)) if range.contains(&Celsius(celsius)) => return Ok(()),
        Some(Some(range)) => Error::invalid(format!("{celsius} °C is not within {} to {}", range.start(), range.end())),
    };
    Err(refused.on(camera.info().id))
}

/// Waits until the sensor is as cold as the cooler was told; the cooler stays on whatever happens.
pub(crate) fn until_cold(ctx: &Context, camera: &dyn Camera, celsius: f64) -> Result<()> {
    let progress = Progress::step(ctx.out, &format!("cool to {celsius:.1} °C"));
    let look = || {
        let Some(Celsius(now)) = camera.state()?.temperature else {
            return Err(Error::unsupported("does not tell its temperature; use --no-wait"));
        };
        progress.say(format!("{now:.1} °C"));
        Ok(((now - celsius).abs() <= NEAR).then_some(()))
    };
    let cold = ctx.cooling().until(format!("cooling to {celsius:.1} °C"), look, || Ok(()));
    drop(progress);
    ctx.interruptible("the cooler stays on", cold).map_err(|error| error.on(camera.info().id))
}

fn show(ctx: &Context, camera: &dyn Camera) -> Result<()> {
    let state = camera.state()?;
    let name = camera.info().id.name;
    let mut text = match state.temperature {
        Some(temperature) => format!("{name}: {temperature}"),
        None => format!("{name}: temperature unknown"),
    };
    match state.cooler {
        None => text += ", no cooler",
        Some(cooler) if !cooler.on => text += ", cooler off",
        Some(cooler) => {
            text += ", cooler on";
            text += &cooler.set_point.map(|set_point| format!(", set to {set_point}")).unwrap_or_default();
            text += &cooler.power.map(|power| format!(", {power:.0} % power")).unwrap_or_default();
        }
    }
    ctx.out.data(text, json::merged(json!({ "device": name }), json::cooler(&state)))
}
