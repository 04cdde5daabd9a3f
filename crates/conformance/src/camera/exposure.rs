//! Exposures that end as they should, and pictures that are always those of the last one.

use super::{SHORT, long, take};
use crate::{Lab, Outcome, Stop, case_list, ensure, require, target::refused};
use astrobackend::{
    Cancel, ErrorKind, Wait,
    device::{CameraExt, DeviceState, Exposure, ExposureState},
    event::EventKind,
};
use std::{sync::Arc, time::Duration};

case_list!("camera": a_fresh_camera_has_no_image, start_returns_at_once_and_busy_is_visible, the_image_is_shared_not_copied, abort_leaves_it_idle_and_no_image_appears, abort_when_idle_is_fine, stop_keeps_the_image, no_image_while_exposing, a_stale_image_is_never_handed_out, a_second_start_is_refused, exposure_times_out_of_range_are_refused, progress_grows, a_cancelled_exposure_is_aborted, a_timeout_aborts, the_last_exposure_is_remembered, an_exposure_is_an_event);

fn a_fresh_camera_has_no_image(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    require!(camera.state()?.exposure == ExposureState::Idle, "another user has exposed already");
    refused(&*camera, "an image before the first exposure", camera.image(), &[ErrorKind::InvalidOperation])?;
    Ok(())
}

fn start_returns_at_once_and_busy_is_visible(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    camera.start_exposure(long(&*camera)?)?;
    let state = camera.state()?.exposure;
    camera.abort_exposure()?;
    ensure!(state.is_busy(), "right after the start it is {state:?}");
    Ok(())
}

fn the_image_is_shared_not_copied(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let image = take(lab, &*camera)?;
    ensure!(
        camera.state()?.exposure == ExposureState::Ready,
        "after the exposure it is {:?}",
        camera.state()?.exposure
    );
    ensure!(Arc::ptr_eq(&image, &camera.image()?), "asking again made a copy");
    Ok(())
}

fn abort_leaves_it_idle_and_no_image_appears(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    require!(camera.caps()?.abort, "it cannot abort");
    take(lab, &*camera)?;
    let events = lab.backend.events();
    camera.start_exposure(long(&*camera)?)?;
    camera.abort_exposure()?;
    let state = lab.exposure_over(&*camera)?.exposure;
    ensure!(state == ExposureState::Idle, "after the abort it is {state:?}");
    refused(&*camera, "an image after an abort", camera.image(), &[ErrorKind::InvalidOperation])?;
    // A late picture would show itself as an event or in the state.
    while let Some(event) = events.next(Duration::from_millis(300)) {
        let ready = matches!(&event.kind, EventKind::State(DeviceState::Camera(state)) if state.exposure == ExposureState::Ready);
        ensure!(!ready || event.device != Some(camera.info().id), "an image appeared after the abort");
    }
    ensure!(camera.state()?.exposure == ExposureState::Idle, "an image appeared after the abort");
    Ok(())
}

fn abort_when_idle_is_fine(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    require!(camera.caps()?.abort, "it cannot abort");
    camera.abort_exposure()?;
    camera.abort_exposure()?;
    Ok(())
}

fn stop_keeps_the_image(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    if !camera.caps()?.stop {
        refused(&*camera, "stop", camera.stop_exposure(), &[ErrorKind::Unsupported])?;
        require!(false, "it cannot stop and keep the image");
    }
    camera.stop_exposure()?;
    let exposure = long(&*camera)?;
    camera.start_exposure(exposure)?;
    camera.stop_exposure()?;
    let state = lab.exposure_over(&*camera)?.exposure;
    ensure!(state == ExposureState::Ready, "after the stop it is {state:?}");
    let taken = camera.image()?.meta.exposure;
    ensure!(taken.is_some_and(|taken| taken < exposure.duration), "stopped early, it says {taken:?}");
    Ok(())
}

fn no_image_while_exposing(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    camera.start_exposure(long(&*camera)?)?;
    let result = camera.image();
    camera.abort_exposure()?;
    refused(&*camera, "an image in mid-exposure", result, &[ErrorKind::InvalidOperation, ErrorKind::Busy])?;
    Ok(())
}

fn a_stale_image_is_never_handed_out(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let first = take(lab, &*camera)?;
    camera.start_exposure(Exposure::light(SHORT))?;
    if camera.state()?.exposure.is_busy() {
        let early = camera.image();
        ensure!(early.is_err() || !camera.state()?.exposure.is_busy(), "the old image was handed out in mid-exposure");
    }
    let state = lab.exposure_over(&*camera)?.exposure;
    ensure!(state == ExposureState::Ready, "after the exposure it is {state:?}");
    let second = camera.image()?;
    ensure!(!Arc::ptr_eq(&first, &second), "the old image was handed out for the new one");
    ensure!(second.meta.start > first.meta.start, "the new image is not newer");
    Ok(())
}

fn a_second_start_is_refused(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    camera.start_exposure(long(&*camera)?)?;
    let result = camera.start_exposure(Exposure::light(SHORT));
    let still_busy = camera.state()?.exposure.is_busy();
    camera.abort_exposure()?;
    refused(&*camera, "a second exposure", result, &[ErrorKind::Busy])?;
    ensure!(still_busy, "the refused start ended the first exposure");
    Ok(())
}

fn exposure_times_out_of_range_are_refused(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let range = camera.caps()?.exposure.clone();
    let mut beyond = vec![*range.end() + Duration::from_secs(1), Duration::MAX];
    if *range.start() > Duration::ZERO {
        beyond.push(*range.start() / 2);
    }
    for duration in beyond {
        let what = format!("an exposure of {duration:?}");
        let error =
            refused(&*camera, &what, camera.start_exposure(Exposure::light(duration)), &[ErrorKind::InvalidValue])?;
        let limit = format!("{:?}", if duration > *range.end() { range.end() } else { range.start() });
        ensure!(error.to_string().contains(&limit), "the refusal does not name the limit {limit}: {error}");
        ensure!(!camera.state()?.exposure.is_busy(), "it exposes although it refused");
    }
    Ok(())
}

fn progress_grows(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let mut seen = Vec::new();
    let wait = lab.wait().every(Duration::from_millis(5));
    let duration = Duration::from_secs(3);
    camera.expose_watched(Exposure::light(duration), &wait, |state| {
        if let ExposureState::Exposing { percent: Some(percent), remaining } = state {
            seen.push((*percent, *remaining));
        }
    })?;
    require!(!seen.is_empty(), "it does not tell its progress");
    ensure!(seen.iter().all(|(percent, _)| (0.0..=100.0).contains(percent)), "progress beyond 0 to 100: {seen:?}");
    ensure!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0), "progress goes back: {seen:?}");
    ensure!(
        seen.iter().all(|(_, left)| left.is_none_or(|left| left <= duration)),
        "more left than asked for: {seen:?}"
    );
    Ok(())
}

fn a_cancelled_exposure_is_aborted(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let cancel = Cancel::new();
    let exposure = long(&*camera)?;
    let wait = Wait::new(Duration::from_secs(3600)).cancelled_by(&cancel);
    let result = camera.expose_watched(exposure, &wait, |_| cancel.cancel());
    refused(&*camera, "a cancelled exposure", result.map(drop), &[ErrorKind::Cancelled])?;
    let state = lab.exposure_over(&*camera)?.exposure;
    ensure!(state == ExposureState::Idle, "after the cancel it is {state:?}");
    Ok(())
}

fn a_timeout_aborts(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let result = camera.expose(long(&*camera)?, &Wait::new(Duration::from_millis(50)));
    refused(&*camera, "an exposure beyond its time", result.map(drop), &[ErrorKind::Timeout])?;
    let state = lab.exposure_over(&*camera)?.exposure;
    ensure!(state == ExposureState::Idle, "after the timeout it is {state:?}");
    Ok(())
}

fn the_last_exposure_is_remembered(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let image = take(lab, &*camera)?;
    let Some((start, duration)) = camera.state()?.last_exposure else {
        return Err(Stop::Fail("it does not remember its last exposure".into()));
    };
    ensure!(duration == SHORT, "it remembers {duration:?}");
    let apart = image.meta.start.map(|taken| taken.duration_since(start).as_secs_f64().abs());
    // FITS headers know milliseconds.
    ensure!(apart.is_some_and(|apart| apart < 0.002), "it remembers {start}, the image says {:?}", image.meta.start);
    Ok(())
}

fn an_exposure_is_an_event(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let events = lab.backend.events();
    take(lab, &*camera)?;
    while let Some(event) = events.next(Duration::from_secs(10)) {
        let ready = matches!(&event.kind, EventKind::State(DeviceState::Camera(state)) if state.exposure == ExposureState::Ready);
        if ready && event.device == Some(camera.info().id) {
            return Ok(());
        }
    }
    Err(Stop::Fail("no event told that the image is ready".into()))
}
