//! Drivers and servers that stop without a word.

use super::*;

pub(crate) fn a_frozen_driver() -> Outcome {
    let server = IndiServer::start(&[WHEEL, FOCUSER])?;
    let backend = open(&server, "timeout=2&alive=1")?;
    let (wheel, focuser) = (backend.filter_wheel()?, backend.focuser()?);
    wheel.connect()?;
    focuser.connect()?;
    server.freeze_driver(WHEEL);
    eventually("the wheel's state is unknown", || wheel.state().is_err())?;
    let since = Instant::now();
    assert!(wheel.start_move(3).is_err() && wheel.disconnect().is_err());
    assert!(since.elapsed() < seconds(6.0), "{:?}", since.elapsed());
    focuser.move_by(100, &wait(20))?;
    server.thaw_driver(WHEEL);
    eventually("the wheel is back", || wheel.state().is_ok())?;
    Ok(())
}

pub(crate) fn a_driver_frozen_mid_exposure() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=2&alive=1")?;
    let camera = camera(&backend)?;
    let error = interrupted(&*camera, || server.freeze_driver(CCD))?;
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    server.thaw_driver(CCD);
    eventually("the camera is back", || camera.state().is_ok())?;
    camera.abort_exposure()?;
    camera.expose(dark(0.2), &wait(20))?;
    Ok(())
}

pub(crate) fn a_frozen_server() -> Outcome {
    let server = IndiServer::start(&[WHEEL])?;
    let backend = open(&server, "timeout=2&alive=1")?;
    let events = backend.events();
    let wheel = backend.filter_wheel()?;
    wheel.connect()?;
    server.freeze();
    let since = Instant::now();
    assert!(wheel.move_to(3, &wait(1)).is_err());
    assert!(since.elapsed() < seconds(5.0), "{:?}", since.elapsed());
    link(&events, lost)?;
    assert_eq!(failure(wheel.state()), Some(ErrorKind::Unreachable));
    server.thaw();
    link(&events, up)?;
    wheel.move_to(3, &wait(20))?;
    Ok(())
}
