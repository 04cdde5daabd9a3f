//! What is ours: the choice of a device, pixels, events, and a client that outlives its server.

use crate::{SOON, client::Client, observatory, serve};
use astrobackend::{
    ErrorKind, Wait,
    device::{CameraExt, Exposure, ExposureState},
    event::{EventKind, Link},
    image::Frame,
};
use std::time::Duration;
use testing::{Line, StallingLine};

#[test]
fn a_device_is_chosen_by_its_name() {
    let server = serve("sim://?speed=100&cameras=2", |_| {});
    let mut client = Client::new(server.address());
    let devices = client.result("get_devices", "");
    let names: Vec<_> = devices["devices"].as_array().unwrap().iter().map(|info| info["id"]["name"].clone()).collect();
    let cameras: Vec<_> = server.devices().into_iter().filter(|info| info.id.kind.to_string() == "camera").collect();
    assert!(names.len() == 5 && cameras.len() == 2, "{names:?}");
    for info in &cameras {
        let params = serde_json::json!({ "device": info.id.name }).to_string();
        assert_eq!(client.result("get_camera_info", &params)["name"], info.id.name.as_str());
    }
    assert_eq!(client.error("get_camera_info", r#"{"device": "None"}"#).0, -1);
}

#[test]
fn pixels_come_through_our_client_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let camera = astrobackend::open(&format!("rpc://{}", server.address())).unwrap().camera().unwrap();
    camera.connect().unwrap();
    let frame = Frame { x: 11, y: 7, width: 301, height: 203, bin_x: 1, bin_y: 1 };
    camera.set_frame(frame).unwrap();
    let image = camera.expose(Exposure::light(Duration::from_secs(1)), &Wait::new(SOON)).unwrap();
    let mut saving = Client::new(server.address());
    saving.result("save_image", r#"{"filename": "same.fits"}"#);
    let (saved, _) = astrobackend::fits::read(folder.path().join("same.fits")).unwrap();
    assert_eq!(saved.pixels(), image.pixels());
    assert_eq!(image.meta.frame, Some(frame));
}

#[test]
fn a_picture_that_was_cut_off_is_not_gone_though_it_was_to_be_taken() {
    let server = serve("sim://?speed=100", |_| {});
    let line = StallingLine::to(server.address()).unwrap();
    let backend = astrobackend::open(&format!("rpc://{}?stall=0.3&image=5", line.address())).unwrap();
    let camera = backend.camera().unwrap();
    camera.connect().unwrap();
    camera.start_exposure(Exposure::light(Duration::from_millis(100))).unwrap();
    let ready = || Ok((camera.state()?.exposure == ExposureState::Ready).then_some(()));
    Wait::new(SOON).until("the picture", ready, || Ok(())).unwrap();
    line.set(Line::After(200_000));
    assert_eq!(camera.take_image().unwrap_err().kind(), ErrorKind::Timeout);
    line.set(Line::Whole);
    let again = || Ok(camera.take_image().ok());
    let image = Wait::new(SOON).until("the picture once more", again, || Ok(())).unwrap();
    assert_eq!(image.meta.exposure_number, Some(1));
    assert!(camera.take_image().is_err(), "it is kept nowhere");
}

#[test]
fn a_server_that_was_started_anew_gets_its_settings_back_and_no_stale_picture() {
    // On an address of its own nobody takes the port in between: no other test, and no attempt to connect again.
    let own = if cfg!(target_os = "linux") { [127, 0, 4, 1] } else { [127, 0, 0, 1] };
    let server = serve("sim://?speed=100", |options| options.listen = (own, 0).into());
    let address = server.address();
    let backend = astrobackend::open(&format!("rpc://{address}")).unwrap();
    let (camera, events) = (backend.camera().unwrap(), backend.events());
    camera.connect().unwrap();
    let frame = Frame { x: 0, y: 0, width: 64, height: 48, bin_x: 2, bin_y: 2 };
    camera.set_frame(frame).unwrap();
    camera.expose(Exposure::light(Duration::from_millis(100)), &Wait::new(SOON)).unwrap();
    drop(server);
    let lost = |kind: &EventKind| matches!(kind, EventKind::Link(Link::Lost { .. }));
    assert!(std::iter::from_fn(|| events.next(SOON)).any(|event| lost(&event.kind)));
    assert_eq!(camera.state().unwrap_err().kind(), ErrorKind::Unreachable);
    let _again = serve("sim://?speed=100", |options| options.listen = address);
    let up = |kind: &EventKind| *kind == EventKind::Link(Link::Up);
    assert!(std::iter::from_fn(|| events.next(SOON)).any(|event| up(&event.kind)));
    assert_eq!(camera.frame().unwrap(), frame);
    assert!(matches!(camera.state().unwrap().exposure, ExposureState::Failed(_)));
    assert_eq!(camera.image().unwrap_err().kind(), ErrorKind::Unreachable);
    camera.expose(Exposure::light(Duration::from_millis(100)), &Wait::new(SOON)).unwrap();
}
