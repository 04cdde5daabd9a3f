//! The INDI client against a server that misbehaves on demand: everything is survived, every call returns
//! in time, and what could not be had is a typed error.

#![allow(clippy::unwrap_used)] // the lint knows only functions marked as tests, not their helpers

mod commands;
mod hostile;
mod images;
mod line;
mod stream;
mod supervision;

use astrobackend::{
    Backend, ErrorKind, Wait,
    device::{Camera, CameraExt, Exposure, FilterWheel, Focuser, Mount},
    event::{Event, EventKind, Events, Link},
};
use std::{
    fmt::Debug,
    sync::Arc,
    time::{Duration, Instant},
};
use testing::{
    FakeIndi,
    fake_indi::{Act, Builder, Command},
};

/// Time for what should come at once, on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// A fake server and our client of it.
struct Lab {
    server: FakeIndi,
    backend: Arc<dyn Backend>,
}

impl Lab {
    /// A server with one device of each kind.
    fn new() -> Self {
        Lab::with(FakeIndi::builder().observatory(), "timeout=2")
    }

    fn with(builder: Builder, options: &str) -> Self {
        let server = builder.start().unwrap();
        let backend = astrobackend::open(&server.url(options)).unwrap();
        assert!(server.wait_for(|command| command.tag == "getProperties", SOON).is_some());
        Lab { server, backend }
    }

    fn camera(&self) -> Arc<dyn Camera> {
        let camera = self.backend.camera().unwrap();
        camera.connect().unwrap();
        camera
    }

    fn focuser(&self) -> Arc<dyn Focuser> {
        let focuser = self.backend.focuser().unwrap();
        focuser.connect().unwrap();
        focuser
    }

    fn filter_wheel(&self) -> Arc<dyn FilterWheel> {
        let wheel = self.backend.filter_wheel().unwrap();
        wheel.connect().unwrap();
        wheel
    }

    fn mount(&self) -> Arc<dyn Mount> {
        let mount = self.backend.mount().unwrap();
        mount.connect().unwrap();
        mount
    }

    /// What the client said, in short.
    fn said(&self) -> Vec<String> {
        let short = |command: &Command| {
            let Command { client, tag, device, name, elements, .. } = command;
            format!("{client}: {tag} {device}.{name} {elements:?}")
        };
        self.server.received().iter().map(short).collect()
    }

    /// Waits for a command.
    #[track_caller]
    fn heard(&self, fits: impl Fn(&Command) -> bool) -> Command {
        match self.server.wait_for(fits, SOON) {
            Some(command) => command,
            None => panic!("not heard, only {:#?}", self.said()),
        }
    }
}

fn wait(seconds: u64) -> Wait {
    Wait::new(Duration::from_secs(seconds))
}

/// A short exposure.
fn snap() -> Exposure {
    Exposure::light(Duration::from_millis(100))
}

/// Takes a picture; the value of its pixels, which are all alike.
#[track_caller]
fn picture(camera: &dyn Camera) -> f64 {
    let image = camera.expose(snap(), &wait(20)).unwrap();
    assert_eq!((image.width(), image.height()), (32, 24));
    let first = image.pixels().get(0).unwrap();
    assert_eq!(image.pixels().get(image.pixels().len() - 1), Some(first));
    first
}

/// The result, which must come within a time.
#[track_caller]
fn within<T>(limit: Duration, what: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = what();
    assert!(start.elapsed() < limit, "took {:?}", start.elapsed());
    result
}

/// The kind of failure.
#[track_caller]
fn failure<T: Debug>(result: astrobackend::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Waits for an event.
#[track_caller]
fn event(events: &Events, fits: impl Fn(&Event) -> bool) -> Event {
    let end = Instant::now() + SOON;
    let mut seen = Vec::new();
    while let Some(event) = events.next(end.saturating_duration_since(Instant::now())) {
        if fits(&event) {
            return event;
        }
        seen.push(event);
    }
    panic!("not among {seen:#?}")
}

/// Waits for news of the link that fit.
#[track_caller]
fn link(events: &Events, fits: impl Fn(&Link) -> bool) -> Link {
    let found = event(events, |event| matches!(&event.kind, EventKind::Link(link) if fits(link)));
    match found.kind {
        EventKind::Link(link) => link,
        other => panic!("{other:?}"),
    }
}

/// Looks until it is true.
#[track_caller]
fn eventually(what: &str, look: impl Fn() -> bool) {
    let found = wait(SOON.as_secs()).until(what, || Ok(look().then_some(())), || Ok(()));
    found.unwrap();
}

/// A handler that answers with these bytes.
fn says(xml: impl Into<String>) -> impl Fn(&Command) -> Vec<Act> + Send + Sync {
    let xml = xml.into();
    move |_| vec![Act::from(xml.as_str())]
}

/// A handler that answers nothing.
fn nothing(_: &Command) -> Vec<Act> {
    Vec::new()
}
