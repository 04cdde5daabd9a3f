//! Pictures that come late, wrongly, oddly packed, or not at all.

use super::*;
use astrobackend::device::ExposureState;
use testing::fake_indi::{
    blob::{Blob, fits, picture as blob, vector},
    xml,
};

fn exposing(state: &str) -> String {
    xml::numbers("Camera", "CCD_EXPOSURE", state, &[("CCD_EXPOSURE_VALUE", 0.0)])
}

/// A camera whose exposures are answered with this between busy and ok.
fn answering(middle: String) -> (Lab, Arc<dyn Camera>) {
    let lab = Lab::new();
    let camera = lab.camera();
    lab.server.on("CCD_EXPOSURE", says(exposing("Busy") + &middle + &exposing("Ok")));
    (lab, camera)
}

#[test]
fn ok_without_a_picture_is_a_failure() {
    let (_lab, camera) = answering(String::new());
    let error = within(SOON, || camera.expose(snap(), &wait(60))).unwrap_err();
    assert_ne!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

#[test]
fn an_alert_ends_the_exposure() {
    let (lab, camera) = answering(String::new());
    let message = xml::message("Camera", "[ERROR] the shutter is stuck");
    lab.server.on("CCD_EXPOSURE", says(exposing("Busy") + &message + &exposing("Alert")));
    let error = within(SOON, || camera.expose(snap(), &wait(60))).unwrap_err();
    assert!(error.message().contains("shutter is stuck"), "{error:?}");
}

#[test]
fn a_picture_after_an_abort_is_not_given_out() {
    let (lab, camera) = answering(String::new());
    lab.server.on("CCD_EXPOSURE", says(exposing("Busy")));
    camera.start_exposure(snap()).unwrap();
    lab.server.on(
        "CCD_ABORT_EXPOSURE",
        says(
            xml::set(testing::fake_indi::Kind::Switch, "Camera", "CCD_ABORT_EXPOSURE", "Ok", &[("ABORT", "Off")])
                + &exposing("Idle"),
        ),
    );
    camera.abort_exposure().unwrap();
    lab.server.send(blob("Camera", "CCD1", fits(32, 24, 1)) + &exposing("Ok") + &xml::message("Camera", "[INFO] late"));
    let events = lab.backend.events();
    lab.server.send(xml::message("Camera", "[INFO] after it"));
    event(&events, |event| matches!(&event.kind, EventKind::Message(_, text) if text == "after it"));
    assert_eq!(camera.state().unwrap().exposure, ExposureState::Idle);
    assert_eq!(failure(camera.image()), ErrorKind::InvalidOperation);
}

#[test]
fn a_picture_of_an_earlier_exposure_is_not_given_out() {
    let (lab, camera) = answering(String::new());
    let (old, new) = (blob("Camera", "CCD1", fits(32, 24, 1)), blob("Camera", "CCD1", fits(32, 24, 2)));
    lab.server.on("CCD_EXPOSURE", says(old + &exposing("Busy") + &new + &exposing("Ok")));
    assert_eq!(picture(&*camera), 2.0);
}

#[test]
fn the_guide_chip_and_other_cameras_are_told_apart() {
    let (guide, other) = (blob("Camera", "CCD2", fits(32, 24, 7)), blob("Other", "CCD1", fits(32, 24, 8)));
    let (_lab, camera) = answering(guide.clone() + &other + &blob("Camera", "CCD1", fits(32, 24, 3)) + &guide);
    assert_eq!(picture(&*camera), 3.0);
}

#[test]
fn the_first_of_several_pictures_in_a_vector_counts() {
    let raw = Blob { format: ".jpg".into(), ..Blob::new("PREVIEW", vec![0xFF, 0xD8]) };
    let (_lab, camera) = answering(vector("Camera", "CCD1", "Ok", &[Blob::new("CCD1", fits(32, 24, 4)), raw]));
    assert_eq!(picture(&*camera), 4.0);
}

#[test]
fn every_packing_gives_the_same_picture() {
    let file = || fits(32, 24, 5);
    let inline = Blob::new("CCD1", file());
    for packed in [
        inline.clone(),
        inline.clone().encoded_by_driver(),
        inline.clone().padded(1000),
        inline.clone().encoded_by_driver().padded(77),
        Blob { len: None, ..inline.clone() },
        // indipydriver leaves the size of the first picture in all that follow.
        Blob { len: None, size: 3000, ..inline.clone() },
        Blob { columns: Some(1), ..inline.clone() },
    ] {
        let what =
            format!("size {} len {:?} enclen {} columns {:?}", packed.size, packed.len, packed.enclen, packed.columns);
        let (_lab, camera) = answering(vector("Camera", "CCD1", "Ok", &[packed]));
        let image = camera.expose(snap(), &wait(20)).map_err(|error| format!("{what}: {error}")).unwrap();
        assert_eq!((image.width(), image.pixels().get(0)), (32, Some(5.0)), "{what}");
    }
}

#[test]
fn what_is_no_picture_is_a_typed_error() {
    let mut torn = fits(32, 24, 1);
    torn.truncate(2880 + 100);
    for (what, data) in [("empty", Vec::new()), ("noise", vec![7; 5000]), ("torn", torn)] {
        let (lab, camera) = answering(blob("Camera", "CCD1", data));
        let error = within(SOON, || camera.expose(snap(), &wait(20))).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Device(_)), "{what}: {error:?}");
        lab.server.off("CCD_EXPOSURE");
        assert_eq!(picture(&*camera), 1.0, "after {what}");
    }
}

#[test]
fn text_that_is_no_base64_is_a_typed_error() {
    let bad = "<setBLOBVector device='Camera' name='CCD1' state='Ok'><oneBLOB name='CCD1' size='9' format='.fits' len='9'>\
               %%%% no base64 %%%%</oneBLOB></setBLOBVector>";
    let (_lab, camera) = answering(bad.into());
    let error = within(SOON, || camera.expose(snap(), &wait(20))).unwrap_err();
    assert_ne!(error.kind(), ErrorKind::Timeout, "{error:?}");
}
