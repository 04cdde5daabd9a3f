use super::{Night, at_hour_angle, night};
use crate::{
    Celsius, ErrorKind,
    device::{BayerPattern, Control, Exposure, ExposureState, FrameType, GuideDirection},
    image::Frame,
};
use std::{sync::Arc, time::Duration};

fn light(seconds: f64) -> Exposure {
    Exposure::light(Duration::from_secs_f64(seconds))
}

fn state(night: &Night) -> ExposureState {
    night.camera().state().unwrap().exposure
}

#[test]
fn an_exposure_goes_through_its_phases() {
    let night = night("sensor=generic");
    let camera = night.camera();
    assert_eq!(state(&night), ExposureState::Idle);
    camera.start_exposure(light(10.0)).unwrap();
    let begun = camera.state().unwrap().exposure;
    assert_eq!(begun, ExposureState::Exposing { remaining: Some(Duration::from_secs(10)), percent: Some(0.0) });
    night.pass(2.5);
    let seen = state(&night);
    assert_eq!(seen, ExposureState::Exposing { remaining: Some(Duration::from_millis(7500)), percent: Some(25.0) });
    assert_eq!(camera.start_exposure(light(1.0)).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(camera.image().unwrap_err().kind(), ErrorKind::InvalidOperation);
    night.pass(7.6);
    assert!(matches!(state(&night), ExposureState::Reading { percent: Some(percent) } if percent > 40.0));
    assert_eq!(camera.state().unwrap().last_exposure, None);
    night.pass(0.2);
    assert_eq!(state(&night), ExposureState::Ready);
    let image = camera.image().unwrap();
    assert!(Arc::ptr_eq(&image, &camera.image().unwrap()), "shared, not rendered twice");
    assert_eq!((image.width(), image.height(), image.meta.exposure), (1280, 1024, Some(Duration::from_secs(10))));
    assert_eq!(image.meta.start.unwrap().to_string(), "2026-01-15T21:30:00Z");
    let last = camera.state().unwrap().last_exposure.unwrap();
    assert_eq!(last, (image.meta.start.unwrap(), Duration::from_secs(10)));
}

#[test]
fn stop_keeps_what_was_collected_and_abort_does_not() {
    let night = night("sensor=generic");
    let camera = night.camera();
    camera.start_exposure(light(100.0)).unwrap();
    night.pass(3.0);
    camera.stop_exposure().unwrap();
    night.pass(1.0);
    let image = camera.image().unwrap();
    assert_eq!(image.meta.exposure, Some(Duration::from_secs(3)));
    let weak = Arc::downgrade(&image);
    drop(image);
    camera.abort_exposure().unwrap();
    assert_eq!(state(&night), ExposureState::Ready, "nothing was under way");
    camera.start_exposure(light(5.0)).unwrap();
    assert!(weak.upgrade().is_none(), "the picture before is gone");
    camera.abort_exposure().unwrap();
    night.pass(60.0);
    assert_eq!(state(&night), ExposureState::Idle);
    assert_eq!(camera.image().unwrap_err().kind(), ErrorKind::InvalidOperation);
}

#[test]
fn settings_belong_to_the_exposure_that_began_with_them() {
    let night = night("sensor=imx533&camera=osc");
    let camera = night.camera();
    let frame = Frame { x: 11, y: 20, width: 64, height: 32, bin_x: 1, bin_y: 1 };
    camera.set_frame(frame).unwrap();
    camera.set_control(Control::Gain, 120.0).unwrap();
    camera.start_exposure(Exposure { frame_type: FrameType::Dark, ..light(1.0) }).unwrap();
    camera.set_frame(Frame::full(3008, 3008, 4)).unwrap();
    camera.set_control(Control::Gain, 0.0).unwrap();
    night.pass(2.0);
    let meta = camera.image().unwrap().meta.clone();
    assert_eq!((meta.frame, meta.gain, meta.frame_type), (Some(frame), Some(120.0), Some(FrameType::Dark)));
    assert_eq!((meta.bayer, meta.pixel_size), (Some(BayerPattern::Grbg), Some((3.76, 3.76))));
    camera.start_exposure(light(1.0)).unwrap();
    night.pass(2.0);
    let image = camera.image().unwrap();
    assert_eq!((image.width(), image.meta.bayer, image.meta.gain), (752, None, Some(0.0)));
}

#[test]
fn what_the_sensor_cannot_do_is_refused() {
    let night = night("sensor=generic");
    let camera = night.camera();
    let error = camera.start_exposure(light(1e6)).unwrap_err();
    assert!(error.to_string().contains("3600s"), "{error}");
    assert!(camera.start_exposure(light(0.0)).is_err());
    assert_eq!(state(&night), ExposureState::Idle);
    let error = camera.set_frame(Frame::full(1280, 1024, 5)).unwrap_err();
    assert_eq!(error.to_string(), "Camera Simulator: binning 5x5 is beyond 4x4");
    assert!(camera.set_frame(Frame { bin_y: 2, ..Frame::full(1280, 1024, 1) }).is_err());
    assert!(camera.set_frame(Frame { x: 1, ..Frame::full(1280, 1024, 2) }).is_err());
    assert_eq!(camera.frame().unwrap(), Frame::full(1280, 1024, 1));
    let error = camera.set_control(Control::Gain, 501.0).unwrap_err();
    assert_eq!(error.to_string(), "Camera Simulator: gain 501 is not within 0 to 500");
    assert_eq!(camera.pulse_guide(GuideDirection::East, Duration::ZERO).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn faster_modes_resolve_less() {
    let night = night("sensor=imx571");
    let camera = night.camera();
    let usual = camera.state().unwrap().max_adu.unwrap();
    camera.set_control(Control::ReadoutMode, 1.0).unwrap();
    camera.set_control(Control::FastReadout, 1.0).unwrap();
    assert!(camera.state().unwrap().max_adu.unwrap() < usual);
    camera.start_exposure(light(1.0)).unwrap();
    night.pass(1.13);
    assert_eq!(state(&night), ExposureState::Ready, "half a second of reading became an eighth");
    assert_eq!(night.shot(0).mode, "High speed");
}

#[test]
fn the_cooler_is_in_the_state_and_in_the_picture() {
    let night = night("sensor=generic");
    let camera = night.camera();
    camera.set_cooler(Some(Celsius(-10.0))).unwrap();
    let cooler = camera.state().unwrap().cooler.unwrap();
    assert_eq!((cooler.on, cooler.set_point, cooler.power), (true, Some(Celsius(-10.0)), Some(100.0)));
    night.pass(600.0);
    camera.start_exposure(light(1.0)).unwrap();
    night.pass(2.0);
    let shot = night.shot(0);
    assert_eq!((shot.temperature, shot.set_point), (Celsius(-10.0), Some(Celsius(-10.0))));
    let without = super::night("cooler=off").camera();
    assert_eq!(without.set_cooler(None).unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(without.caps().unwrap().cooler.is_none() && without.state().unwrap().cooler.is_none());
}

#[test]
fn two_cameras_have_their_own_pictures_and_one_a_guide_port() {
    let night = night("cameras=2&sensor=generic");
    night.point(at_hour_angle(&night, 1.0, 0.0));
    let guide = night.nth_camera(1);
    guide.start_exposure(light(1.0)).unwrap();
    assert_eq!(state(&night), ExposureState::Idle);
    let before = night.mount().state().unwrap().position;
    guide.pulse_guide(GuideDirection::North, Duration::from_secs(2)).unwrap();
    assert!(guide.state().unwrap().pulse_guiding);
    night.pass(2.1);
    assert!(!guide.state().unwrap().pulse_guiding);
    assert_eq!(guide.image().unwrap().meta.camera.as_deref(), Some("Guide Camera Simulator"));
    let moved = (night.mount().state().unwrap().position.dec - before.dec).0 * 3600.0;
    assert!((moved - 15.04).abs() < 0.1, "{moved}");
}

#[test]
fn disconnecting_ends_the_exposure() {
    let night = night("sensor=generic");
    let camera = night.camera();
    camera.start_exposure(light(1.0)).unwrap();
    night.pass(5.0);
    camera.disconnect().unwrap();
    for error in [camera.state().err(), camera.image().err(), camera.caps().err(), camera.set_cooler(None).err()] {
        assert_eq!(error.unwrap().kind(), ErrorKind::NotConnected);
    }
    assert!(camera.controls().unwrap().is_empty());
    camera.connect().unwrap();
    camera.connect().unwrap();
    assert_eq!(state(&night), ExposureState::Idle);
}
