//! `watch`: what happens, as it happens.

use crate::{context::Context, json, values};
use astrobackend::{
    Error, ErrorKind, Event, Result,
    device::{DeviceState, ExposureState},
    event::{EventKind, Events, Link},
    wait::Deadline,
};
use std::{sync::mpsc, thread, time::Duration};

/// Time between two looks at Ctrl-C.
const LOOK: Duration = Duration::from_millis(100);

/// Arguments of `watch`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// End after this time instead of at Ctrl-C
    #[arg(long = "for", value_name = "SECONDS", value_parser = values::seconds, allow_negative_numbers = true)]
    duration: Option<Duration>,
    /// End after this many events
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

/// Prints events; devices named with --device are connected first, and only theirs are shown.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let backends = ctx.session.backends()?;
    let (sender, events) = mpsc::channel();
    for backend in &backends {
        forward(backend.events(), sender.clone());
    }
    drop(sender);
    let wanted = ctx.chosen()?;
    let named = !ctx.named.is_empty();
    if named {
        for member in &wanted {
            member.device()?.device().connect()?;
        }
    }
    let is_wanted =
        |event: &Event| !named || event.device.as_ref().is_none_or(|id| wanted.iter().any(|m| m.info.id == *id));
    let deadline = Deadline::after(args.duration.unwrap_or(Duration::MAX));
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 && !deadline.has_passed() {
        ctx.go_on()?;
        match events.recv_timeout(LOOK.min(deadline.remaining())) {
            Ok(event) if is_wanted(&event) => {
                ctx.out.data(line(&event), json::event(&event))?;
                left -= 1;
            }
            Ok(_) | Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Error::new(ErrorKind::Unreachable, "every backend is gone"));
            }
        }
    }
    Ok(())
}

/// Brings the events of several backends together; the thread ends with its backend or with the receiver.
fn forward(events: Events, sender: mpsc::Sender<Event>) {
    thread::spawn(move || {
        loop {
            let open = match events.next(Duration::from_secs(1)) {
                Some(event) => sender.send(event).is_ok(),
                None => !events.is_closed(),
            };
            if !open {
                return;
            }
        }
    });
}

/// An event in a line for people.
fn line(event: &Event) -> String {
    let who = event.device.as_ref().map_or("backend", |id| id.name.as_str());
    let what = match &event.kind {
        EventKind::Added(info) => format!("appeared ({})", info.id.kind),
        EventKind::Removed => "went away".to_owned(),
        EventKind::Connected(true) => "connected".to_owned(),
        EventKind::Connected(false) => "disconnected".to_owned(),
        EventKind::State(state) => state_line(state),
        EventKind::Message(level, text) => format!("{}: {text}", json::level_name(*level)),
        EventKind::Link(Link::Up) => "link is up".to_owned(),
        EventKind::Link(Link::Lost { why, .. }) => format!("link is lost: {why}"),
        EventKind::Link(_) => "link is being restored".to_owned(),
        EventKind::Frame { number, verdict, .. } => format!("frame {number} is {verdict}"),
        EventKind::Restored { restored, failed } => {
            let failed = failed.iter().map(|(what, why)| format!("; {what} could not be: {why}"));
            format!("restored: {}{}", restored.join(", "), failed.collect::<String>())
        }
        EventKind::Lagged(lost) => format!("{lost} events were lost"),
        other => format!("{other:?}"),
    };
    format!("{}  {who}: {what}", event.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

fn state_line(state: &DeviceState) -> String {
    match state {
        DeviceState::Camera(camera) => {
            let exposure = match &camera.exposure {
                ExposureState::Exposing { remaining: Some(left), .. } => {
                    format!("exposing, {:.1} s left", left.as_secs_f64())
                }
                ExposureState::Exposing { .. } => "exposing".to_owned(),
                ExposureState::Failed(error) => format!("failed: {error}"),
                other => format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_lowercase(),
            };
            camera.temperature.map_or(exposure.clone(), |temperature| format!("{exposure}, {temperature}"))
        }
        DeviceState::FilterWheel(wheel) => {
            wheel.position.map_or("turning".to_owned(), |position| format!("slot {}", position + 1))
        }
        DeviceState::Focuser(focuser) => {
            let place = focuser.position.map_or("position unknown".to_owned(), |position| position.to_string());
            if focuser.moving { format!("{place}, moving") } else { place }
        }
        DeviceState::Mount(mount) => {
            let doing = match (mount.slewing, mount.parked, mount.tracking.on) {
                (true, ..) => "slewing",
                (_, true, _) => "parked",
                (_, _, true) => "tracking",
                _ => "not tracking",
            };
            format!("{}, {doing}", mount.position)
        }
        other => format!("{other:?}"),
    }
}
