//! Drivers and servers that crash.

use super::*;

pub(crate) fn a_driver_killed_mid_exposure() -> Outcome {
    let server = IndiServer::start(&[CCD, WHEEL])?;
    let backend = open(&server, "timeout=5")?;
    let camera = camera(&backend)?;
    let error = interrupted(&*camera, || server.kill_driver(CCD))?;
    assert!(error.message().contains("driver"), "{error:?}");
    assert_eq!(error.device(), Some("CCD Simulator"));
    assert_eq!(backend.link(), Link::Up, "the server lives");
    eventually("the camera is back", || camera.is_connected().unwrap_or(false))?;
    camera.expose(dark(0.2), &wait(20))?;
    Ok(())
}

/// Declares settings that the driver does not have after its start.
fn declare(camera: &dyn Camera) -> Result<Frame, Failed> {
    let frame = Frame { x: 10, y: 20, width: 300, height: 200, bin_x: 2, bin_y: 2 };
    camera.set_frame(frame)?;
    camera.set_control(Control::Gain, 55.0)?;
    camera.set_cooler(Some(Celsius(-5.0)))?;
    Ok(frame)
}

/// The same settings, after all that happened.
fn declared(camera: &dyn Camera, frame: Frame) -> Outcome {
    assert_eq!(camera.frame()?, frame);
    assert_eq!(camera.control(Control::Gain)?, 55.0);
    let state = camera.state()?;
    let cooler = state.cooler.ok_or("no cooler")?;
    assert_eq!((cooler.on, cooler.set_point), (true, Some(Celsius(-5.0))));
    assert!(!state.exposure.is_busy());
    let image = camera.expose(dark(0.2), &wait(20))?;
    assert_eq!((image.width(), image.height()), (300, 200));
    Ok(())
}

pub(crate) fn a_driver_killed_while_idle_gets_its_settings_again() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=5")?;
    let camera = camera(&backend)?;
    let frame = declare(&*camera)?;
    server.kill_driver(CCD);
    eventually("the camera is gone", || camera.state().is_err())?;
    eventually("the camera is back", || camera.state().is_ok())?;
    declared(&*camera, frame)
}

fn somewhere(hours: f64) -> RaDec {
    RaDec::new(Hours(hours), Degrees(20.0), Equinox::OfDate)
}

pub(crate) fn a_driver_killed_mid_slew() -> Outcome {
    let server = IndiServer::start(&[TELESCOPE])?;
    let backend = open(&server, "timeout=5")?;
    let mount = backend.mount()?;
    mount.connect()?;
    mount.start_slew(somewhere((mount.state()?.position.ra.0 + 10.0) % 24.0).into())?;
    assert!(mount.state()?.slewing);
    server.kill_driver(TELESCOPE);
    eventually("the slew has failed", || mount.state().is_err())?;
    eventually("the mount is back", || mount.state().is_ok())?;
    assert!(!mount.state()?.slewing, "nothing is moved by itself");
    let near = somewhere((mount.state()?.position.ra.0 + 0.2) % 24.0);
    if mount.state()?.parked {
        mount.unpark(&wait(30))?;
    }
    mount.start_slew(near.into())?;
    mount.abort()?;
    Ok(())
}

pub(crate) fn a_server_killed_mid_exposure() -> Outcome {
    let mut server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=5")?;
    let events = backend.events();
    let camera = camera(&backend)?;
    let frame = declare(&*camera)?;
    let error = interrupted(&*camera, || server.kill())?;
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    link(&events, lost)?;
    assert!(matches!(backend.link(), Link::Lost { .. }));
    assert_eq!(failure(backend.devices()), Some(ErrorKind::Unreachable));
    server.restart()?;
    link(&events, up)?;
    assert!(matches!(camera.state()?.exposure, ExposureState::Failed(_)), "nobody knows what became of it");
    declared(&*camera, frame)
}

pub(crate) fn a_server_killed_mid_slew() -> Outcome {
    let mut server = IndiServer::start(&[TELESCOPE, FOCUSER])?;
    let backend = open(&server, "timeout=5")?;
    let events = backend.events();
    let (mount, focuser) = (backend.mount()?, backend.focuser()?);
    mount.connect()?;
    focuser.connect()?;
    mount.start_slew(somewhere((mount.state()?.position.ra.0 + 10.0) % 24.0).into())?;
    server.kill();
    link(&events, lost)?;
    assert_eq!(failure(mount.state()), Some(ErrorKind::Unreachable));
    assert_eq!(failure(mount.abort()), Some(ErrorKind::Unreachable));
    server.restart()?;
    link(&events, up)?;
    // The slew that failed is told once to the one who asks, then the mount is as its driver says.
    eventually("the mount stands", || mount.state().is_ok_and(|state| !state.slewing))?;
    focuser.move_by(100, &wait(20))?;
    Ok(())
}

pub(crate) fn a_server_killed_while_idle() -> Outcome {
    let mut server = IndiServer::start(&[WHEEL, CCD])?;
    let backend = open(&server, "timeout=5")?;
    let events = backend.events();
    let AnyDevice::FilterWheel(wheel) = backend.device(&DeviceId::new(DeviceKind::FilterWheel, "Filter Simulator"))?
    else {
        return Err("no wheel".into());
    };
    wheel.connect()?;
    for _ in 0..2 {
        server.kill();
        link(&events, lost)?;
        assert_eq!(failure(wheel.state()), Some(ErrorKind::Unreachable));
        server.restart()?;
        link(&events, up)?;
        wheel.move_to(2, &wait(20))?;
        wheel.move_to(0, &wait(20))?;
    }
    let camera = backend.camera()?;
    assert!(!camera.is_connected()?, "it was not ours");
    Ok(())
}
