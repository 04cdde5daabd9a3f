//! The camera: exposures that end as they should, and never somebody else's picture.

use crate::{
    Lab, Outcome, Stop, case_list, ensure, require,
    target::{connects, controls_obey_their_ranges, refused, unknown_action_is_refused},
};
use astrobackend::{
    Celsius, ErrorKind, Image,
    device::{AnyDevice, Camera, CameraExt, DeviceKind, Exposure},
    image::Frame,
};
use std::{sync::Arc, time::Duration};

pub(crate) mod exposure;
pub(crate) mod picture;

case_list!("camera": connects_and_disconnects, controls, unknown_action, capabilities_make_sense, the_cooler_obeys, cooling_beyond_its_range_is_refused, two_cameras_do_not_mix_up, the_guide_port_pulses);

const SHORT: Duration = Duration::from_millis(500);

/// An exposure long enough to be interrupted, whatever the speed of the target's clock.
fn long(camera: &dyn Camera) -> Result<Exposure, Stop> {
    let max = *camera.caps()?.exposure.end();
    Ok(Exposure::light(max.min(Duration::from_secs(1000))))
}

fn take(lab: &Lab, camera: &dyn Camera) -> Result<Arc<Image>, Stop> {
    Ok(camera.expose(Exposure::light(SHORT), &lab.wait())?)
}

fn connected_cameras(lab: &Lab) -> Result<Vec<Arc<dyn Camera>>, Stop> {
    let mut cameras = Vec::new();
    for info in lab.backend.devices()?.into_iter().filter(|info| info.id.kind == DeviceKind::Camera) {
        if let AnyDevice::Camera(camera) = lab.backend.device(&info.id)? {
            camera.connect()?;
            cameras.push(camera);
        }
    }
    Ok(cameras)
}

fn connects_and_disconnects(lab: &Lab) -> Outcome {
    connects(&lab.any(DeviceKind::Camera)?)
}

fn controls(lab: &Lab) -> Outcome {
    controls_obey_their_ranges(&*lab.camera()?)
}

fn unknown_action(lab: &Lab) -> Outcome {
    unknown_action_is_refused(&*lab.camera()?)
}

fn capabilities_make_sense(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let caps = camera.caps()?;
    ensure!(caps.sensor.width > 0 && caps.sensor.height > 0, "a sensor of no size: {:?}", caps.sensor);
    ensure!(caps.max_bin.0 >= 1 && caps.max_bin.1 >= 1, "a maximum binning of {:?}", caps.max_bin);
    ensure!(caps.asymmetric_bin || caps.max_bin.0 == caps.max_bin.1, "symmetric binning up to {:?}", caps.max_bin);
    ensure!(caps.exposure.start() < caps.exposure.end(), "exposures of {:?}", caps.exposure);
    for size in [caps.sensor.pixel_width, caps.sensor.pixel_height].into_iter().flatten() {
        ensure!(size.0 > 0.1 && size.0 < 1000.0, "a pixel of {size}");
    }
    let state = camera.state()?;
    ensure!(state.cooler.is_some() == caps.cooler.is_some(), "cooler {:?} but {:?}", caps.cooler, state.cooler);
    ensure!(!state.pulse_guiding, "it guides although nobody told it to");
    Ok(())
}

fn the_cooler_obeys(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let caps = camera.caps()?;
    let Some(cooler) = &caps.cooler else {
        refused(&*camera, "cooling", camera.set_cooler(Some(Celsius(0.0))), &[ErrorKind::Unsupported])?;
        return Err(Stop::Skip("it has no cooler".into()));
    };
    require!(cooler.set_point.is_some(), "its cooler only switches");
    let Some(start) = camera.state()?.temperature else { return Err(Stop::Fail("a cooler but no temperature".into())) };
    let target = Celsius((start.0 - 3.0).round());
    camera.set_cooler(Some(target))?;
    let state = camera.state()?;
    let seen = state.cooler.is_some_and(|cooler| cooler.on && cooler.set_point == Some(target));
    ensure!(seen, "told to reach {target} it says {:?}", state.cooler);
    let look = || Ok(camera.state()?.temperature.filter(|now| (now.0 - target.0).abs() < 0.6));
    lab.wait().until(format!("cooling from {start} to {target}"), look, || Ok(()))?;
    camera.set_cooler(None)?;
    ensure!(
        camera.state()?.cooler.is_some_and(|cooler| !cooler.on),
        "switched off it says {:?}",
        camera.state()?.cooler
    );
    Ok(())
}

fn cooling_beyond_its_range_is_refused(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let caps = camera.caps()?;
    let range = caps.cooler.as_ref().and_then(|cooler| cooler.set_point.clone());
    let Some(range) = range else { return Err(Stop::Skip("it has no set point".into())) };
    for beyond in [range.start().0 - 1.0, range.end().0 + 1.0, -300.0, f64::NAN] {
        let what = format!("cooling to {beyond}");
        let error = refused(&*camera, &what, camera.set_cooler(Some(Celsius(beyond))), &[ErrorKind::InvalidValue])?;
        let limits = [range.start(), range.end()].map(|limit| limit.0.to_string());
        ensure!(limits.iter().all(|limit| error.to_string().contains(limit)), "it does not name {limits:?}: {error}");
    }
    Ok(())
}

fn two_cameras_do_not_mix_up(lab: &Lab) -> Outcome {
    let cameras = connected_cameras(lab)?;
    let [one, two, ..] = &cameras[..] else { return Err(Stop::Skip("there is one camera".into())) };
    let small = |width| Frame { x: 0, y: 0, width, height: 40, bin_x: 1, bin_y: 1 };
    one.set_frame(small(64))?;
    two.set_frame(small(96))?;
    one.start_exposure(Exposure::light(SHORT))?;
    two.start_exposure(Exposure::light(SHORT * 2))?;
    for (camera, width) in [(two, 96), (one, 64)] {
        lab.exposure_over(&**camera)?;
        let image = camera.image()?;
        ensure!(image.width() == width, "{} delivered an image {} wide", camera.info().id, image.width());
        ensure!(
            image.meta.camera == Some(camera.info().id.name),
            "{} delivered {:?}",
            camera.info().id,
            image.meta.camera
        );
    }
    Ok(())
}

fn the_guide_port_pulses(lab: &Lab) -> Outcome {
    use astrobackend::device::GuideDirection::{East, North};
    let pulse = Duration::from_secs(2);
    let mut with_port = None;
    for camera in connected_cameras(lab)? {
        if camera.caps()?.pulse_guide {
            with_port = Some(camera);
        } else {
            refused(&*camera, "a pulse", camera.pulse_guide(North, pulse), &[ErrorKind::Unsupported])?;
        }
    }
    let Some(camera) = with_port else { return Err(Stop::Skip("no camera has a guide port".into())) };
    for direction in [North, East] {
        camera.pulse_guide(direction, pulse)?;
        ensure!(camera.state()?.pulse_guiding, "right after a pulse {direction:?} it does not guide");
        let look = || Ok((!camera.state()?.pulse_guiding).then_some(()));
        lab.wait().until("the pulse", look, || Ok(()))?;
    }
    Ok(())
}
