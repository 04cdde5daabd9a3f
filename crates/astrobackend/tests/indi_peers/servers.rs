//! What a server has, what other clients do, and servers that end or freeze.

use super::*;

pub(crate) fn devices_are_listed_by_kind() -> Outcome {
    let server = IndiServer::start(&[TELESCOPE, CCD, FOCUSER, WHEEL])?;
    let backend = open(&server)?;
    let names = |kind| -> Result<Vec<String>, Failed> {
        Ok(backend.devices()?.into_iter().map(|info| info.id).filter(|id| id.kind == kind).map(|id| id.name).collect())
    };
    assert_eq!(names(DeviceKind::Camera)?, ["CCD Simulator"]);
    assert_eq!(names(DeviceKind::FilterWheel)?, ["CCD Simulator", "Filter Simulator"], "a camera may have a wheel");
    assert_eq!(names(DeviceKind::Focuser)?, ["Focuser Simulator"]);
    assert_eq!(names(DeviceKind::Mount)?, ["Telescope Simulator"]);
    refused(backend.camera()?.caps().map(drop), ErrorKind::NotConnected, "CCD Simulator");
    let several = backend.filter_wheel().expect_err("two wheels");
    assert!(several.kind() == ErrorKind::InvalidValue && several.to_string().contains("Filter Simulator"), "{several}");
    let named = astrobackend::open(&address(&server, "Filter Simulator"))?;
    let wheel = named.filter_wheel()?;
    wheel.connect()?;
    wheel.connect()?;
    assert_eq!(wheel.filters()?.len(), 8);
    assert_eq!(wheel.info().driver.as_deref(), Some("Filter Simulator (indi_simulator_wheel)"));
    wheel.disconnect()?;
    assert!(!wheel.is_connected()?);
    refused(wheel.state(), ErrorKind::NotConnected, "Filter Simulator");
    Ok(())
}

/// The first event that is wanted, within some time.
fn expect(events: &Events, what: &str, wanted: impl Fn(&EventKind) -> bool) -> Outcome {
    let deadline = Instant::now() + seconds(10.0);
    while Instant::now() < deadline {
        match events.next(seconds(1.0)) {
            Some(event) if wanted(&event.kind) => return Ok(()),
            _ => {}
        }
    }
    Err(format!("no event: {what}").into())
}

pub(crate) fn another_clients_changes_are_events() -> Outcome {
    let server = IndiServer::start(&[WHEEL, CCD])?;
    let (one, other) = (open(&server)?, open(&server)?);
    let events = one.events();
    let wheel = other.device(&astrobackend::device::DeviceId::new(DeviceKind::FilterWheel, "Filter Simulator"))?;
    wheel.device().connect()?;
    expect(&events, "connected", |kind| *kind == EventKind::Connected(true))?;
    let astrobackend::device::AnyDevice::FilterWheel(wheel) = wheel else { return Err("no wheel".into()) };
    wheel.start_move(2)?;
    let state = |position| move |kind: &EventKind| matches!(kind, EventKind::State(DeviceState::FilterWheel(state)) if state.position == position);
    expect(&events, "turning", state(None))?;
    expect(&events, "there", state(Some(2)))?;
    let camera = other.camera()?;
    camera.connect()?;
    camera.start_exposure(Exposure::light(seconds(0.2)))?;
    // Without optics this simulator finds no stars, and complains at every exposure of the sky.
    expect(
        &events,
        "complaint",
        |kind| matches!(kind, EventKind::Message(Level::Error, text) if text.contains("gsc")),
    )?;
    wheel.disconnect()?;
    expect(&events, "disconnected", |kind| *kind == EventKind::Connected(false))?;
    drop(server);
    expect(&events, "lost", |kind| matches!(kind, EventKind::Link(Link::Lost { .. })))?;
    Ok(())
}

pub(crate) fn a_killed_server_fails_the_exposure_at_once() -> Outcome {
    let mut server = IndiServer::start(&[CCD])?;
    let backend = open(&server)?;
    let camera = backend.camera()?;
    camera.connect()?;
    camera.start_exposure(Exposure::light(seconds(60.0)))?;
    let killed = Instant::now();
    server.kill();
    let failed = wait().until(
        "the failure",
        || match camera.state() {
            Err(error) => Ok(Some(error)),
            Ok(_) => Ok(None),
        },
        || Ok(()),
    )?;
    assert!(failed.kind() == ErrorKind::Unreachable && killed.elapsed() < seconds(2.0), "{failed}");
    refused(camera.image().map(drop), ErrorKind::Unreachable, "connection");
    assert!(matches!(backend.link(), Link::Lost { .. }));
    assert_eq!(backend.devices().expect_err("no server").kind(), ErrorKind::Unreachable);
    Ok(())
}

pub(crate) fn a_frozen_server_costs_no_more_than_the_deadline() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = astrobackend::open(&format!("{}?timeout=2", address(&server, "")))?;
    let camera = backend.camera()?;
    camera.connect()?;
    server.freeze();
    let begun = Instant::now();
    refused(camera.set_control(Control::Gain, 30.0), ErrorKind::Timeout, "2.0s");
    assert!((seconds(1.9)..seconds(3.0)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let error = camera.expose(Exposure::light(seconds(0.1)), &wait()).expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    server.thaw();
    wait().until("recovery", || Ok((!camera.state()?.exposure.is_busy()).then_some(())), || Ok(()))?;
    Ok(())
}
