//! Lines that are dead, slow or cut.

use super::*;
use testing::fake_indi::{Cut, observatory};

#[test]
fn nobody_listens() {
    let server = FakeIndi::builder().start().unwrap();
    let url = server.url("timeout=2");
    drop(server);
    let error = within(SOON, || astrobackend::open(&url).and_then(|backend| backend.devices())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}

#[test]
fn a_server_that_says_nothing_is_a_timeout() {
    let server = FakeIndi::builder().on("getProperties", nothing).on("pingRequest", nothing).start().unwrap();
    let error =
        within(SOON, || astrobackend::open(&server.url("timeout=1")).and_then(|backend| backend.camera())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::NotFound), "{error:?}");
}

#[test]
fn one_byte_at_a_time() {
    let builder = FakeIndi::builder().device(observatory::filter_wheel("Wheel")).pace(1, Duration::from_micros(200));
    let lab = Lab::with(builder, "timeout=20");
    let wheel = lab.filter_wheel();
    let names: Vec<_> = wheel.filters().unwrap().into_iter().map(|filter| filter.name).collect();
    assert_eq!(names, ["L", "Ha", "OIII"]);
    wheel.start_move(2).unwrap();
    eventually("the move", || wheel.state().unwrap().position == Some(2));
}

#[test]
fn a_kilobyte_a_second_is_slow_but_works() {
    let builder = FakeIndi::builder().device(observatory::camera("Camera")).pace(50, Duration::from_millis(50));
    let lab = Lab::with(builder, "timeout=30");
    assert_eq!(picture(&*lab.camera()), 1.0);
}

#[test]
fn a_slow_line_does_not_break_deadlines() {
    let builder = FakeIndi::builder().device(observatory::camera("Camera")).pace(100, Duration::from_millis(100));
    let lab = Lab::with(builder, "timeout=1");
    let camera = lab.backend.device(&lab.backend.devices().unwrap()[0].id).unwrap();
    assert_eq!(failure(within(SOON, || camera.device().connect())), ErrorKind::Timeout);
}

#[test]
fn cut_at_any_place_it_comes_back() {
    for bytes in [0, 1, 17, 100, 333, 1000, 2000, 2500] {
        let server = FakeIndi::builder().observatory().cut_after(bytes, Cut::Close).start().unwrap();
        let opened = within(SOON, || astrobackend::open(&server.url("timeout=1")));
        server.heal_line();
        let backend = match opened {
            Ok(backend) => backend,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Timeout), "{error:?}");
                astrobackend::open(&server.url("timeout=1")).unwrap()
            }
        };
        eventually("all devices", || backend.devices().is_ok_and(|devices| devices.len() == 4));
    }
}

#[test]
fn a_line_that_goes_dead_is_noticed() {
    // Long enough for the definitions and the connect, then nothing more.
    let builder = FakeIndi::builder().device(observatory::focuser("Focuser")).cut_after(3_700, Cut::Silence);
    let lab = Lab::with(builder, "timeout=1&alive=1");
    let events = lab.backend.events();
    let _ = lab.backend.focuser().unwrap().connect();
    lab.server.heal_line();
    link(&events, |link| matches!(link, Link::Lost { .. }));
    link(&events, |link| *link == Link::Up);
    lab.focuser().start_move(31_000).unwrap();
}

#[test]
fn a_picture_cut_in_the_middle_fails_at_once() {
    let lab = Lab::new();
    let camera = lab.camera();
    lab.server.on("CCD_EXPOSURE", |_| {
        let file = testing::fake_indi::blob::fits(32, 24, 1);
        let mut xml = testing::fake_indi::blob::picture("Camera", "CCD1", file);
        xml.truncate(xml.len() / 2);
        let busy = testing::fake_indi::xml::numbers("Camera", "CCD_EXPOSURE", "Busy", &[("CCD_EXPOSURE_VALUE", 0.0)]);
        vec![(busy + &xml).into(), Act::Close]
    });
    let error = within(SOON, || camera.expose(snap(), &wait(60))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    lab.server.off("CCD_EXPOSURE");
    eventually("the camera is back", || camera.is_connected().unwrap_or(false));
    assert_eq!(picture(&*camera), 1.0);
}
