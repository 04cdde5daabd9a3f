//! The camera: exposures that end as they should, and never somebody else's picture.

use crate::{
    Lab, Outcome, Stop, case_list, ensure, require,
    target::{connects, controls_obey_their_ranges, refused, unknown_action_is_refused},
};
use astrobackend::{
    Cancel, Celsius, ErrorKind, Image, Wait,
    device::{
        AnyDevice, Camera, CameraExt, Colour, Control, DeviceKind, DeviceState, Exposure, ExposureState, FrameType,
    },
    event::EventKind,
    image::Frame,
};
use std::{sync::Arc, time::Duration};

case_list!("camera": connects_and_disconnects, controls, unknown_action, capabilities_make_sense, a_fresh_camera_has_no_image,
    start_returns_at_once_and_busy_is_visible, the_image_has_the_frame_and_what_is_known, the_image_is_shared_not_copied,
    abort_leaves_it_idle_and_no_image_appears, abort_when_idle_is_fine, stop_keeps_the_image,
    no_image_while_exposing, a_stale_image_is_never_handed_out, a_second_start_is_refused, exposure_times_out_of_range_are_refused,
    a_region_off_the_sensor_is_refused, binning_beyond_the_maximum_is_refused, regions_have_their_size, binning_shrinks_the_image,
    a_region_is_the_cut_out_of_the_whole, a_mosaic_follows_an_odd_region, every_frame_type_is_delivered, gain_goes_into_the_image,
    the_cooler_obeys, cooling_beyond_its_range_is_refused, progress_grows, a_cancelled_exposure_is_aborted, a_timeout_aborts,
    the_last_exposure_is_remembered, an_exposure_is_an_event, two_cameras_do_not_mix_up, the_guide_port_pulses);

const SHORT: Duration = Duration::from_millis(500);

fn connects_and_disconnects(lab: &Lab) -> Outcome {
    connects(&lab.any(DeviceKind::Camera)?)
}

fn controls(lab: &Lab) -> Outcome {
    controls_obey_their_ranges(&*lab.camera()?)
}

fn unknown_action(lab: &Lab) -> Outcome {
    unknown_action_is_refused(&*lab.camera()?)
}

/// An exposure long enough to be interrupted, whatever the speed of the target's clock.
fn long(camera: &dyn Camera) -> Result<Exposure, Stop> {
    let max = *camera.caps()?.exposure.end();
    Ok(Exposure::light(max.min(Duration::from_secs(1000))))
}

fn take(lab: &Lab, camera: &dyn Camera) -> Result<Arc<Image>, Stop> {
    Ok(camera.expose(Exposure::light(SHORT), &lab.wait())?)
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

fn the_image_has_the_frame_and_what_is_known(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let image = take(lab, &*camera)?;
    let (caps, frame) = (camera.caps()?, camera.frame()?);
    ensure!(
        (image.width(), image.height()) == (frame.width, frame.height),
        "{}x{} for {frame:?}",
        image.width(),
        image.height()
    );
    let planes = if caps.sensor.colour == Colour::Planes { 3 } else { 1 };
    ensure!(image.planes() == planes, "{} planes", image.planes());
    ensure!(image.meta.exposure == Some(SHORT), "the image says it was exposed {:?}", image.meta.exposure);
    ensure!(image.meta.start.is_some(), "the image does not know when it was taken");
    ensure!(image.meta.frame == Some(frame), "the image says {:?}, the camera {frame:?}", image.meta.frame);
    ensure!(image.meta.frame_type == Some(FrameType::Light), "the image is a {:?}", image.meta.frame_type);
    ensure!(image.meta.camera == Some(camera.info().id.name), "the image is of {:?}", image.meta.camera);
    ensure!(
        image.meta.bayer.is_some() == matches!(caps.sensor.colour, Colour::Bayer(_)),
        "mosaic {:?}",
        image.meta.bayer
    );
    if let Some(max) = camera.state()?.max_adu {
        let brightest = (0..image.pixels().len()).filter_map(|n| image.pixels().get(n)).fold(0.0, f64::max);
        ensure!(brightest <= f64::from(max), "a pixel of {brightest} above the maximum {max}");
    }
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
        refused(&*camera, &what, camera.start_exposure(Exposure::light(duration)), &[ErrorKind::InvalidValue])?;
        ensure!(!camera.state()?.exposure.is_busy(), "it exposes although it refused");
    }
    Ok(())
}

fn a_region_off_the_sensor_is_refused(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let before = camera.frame()?;
    let (width, height) = (before.width, before.height);
    let full = Frame::full(width, height, 1);
    for frame in [
        Frame { width: width + 1, ..full },
        Frame { x: width, width: 1, ..full },
        Frame { y: 1, ..full },
        Frame { height: 0, ..full },
        Frame { x: u32::MAX, width: u32::MAX, ..full },
    ] {
        let what = format!("{frame:?}");
        let error = refused(&*camera, &what, camera.set_frame(frame), &[ErrorKind::InvalidValue])?;
        let limit = format!("{width}x{height}");
        ensure!(error.to_string().contains(&limit), "the refusal does not name the limit {limit}: {error}");
    }
    ensure!(camera.frame()? == before, "the refused region was taken");
    Ok(())
}

fn binning_beyond_the_maximum_is_refused(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let caps = camera.caps()?;
    let before = camera.frame()?;
    for (bin_x, bin_y) in [(0, 0), (caps.max_bin.0 + 1, caps.max_bin.1 + 1), (200, 200)] {
        let frame = Frame { x: 0, y: 0, width: 8, height: 8, bin_x, bin_y };
        let what = format!("binning {bin_x}x{bin_y}");
        refused(&*camera, &what, camera.set_frame(frame), &[ErrorKind::InvalidValue])?;
    }
    ensure!(camera.frame()? == before, "the refused binning was taken");
    Ok(())
}

fn regions_have_their_size(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    for (x, y, width, height) in [(0, 0, 64, 32), (101, 53, 200, 100), (3, 5, 32, 48)] {
        let frame = Frame { x, y, width, height, bin_x: 1, bin_y: 1 };
        camera.set_frame(frame)?;
        ensure!(camera.frame()? == frame, "set to {frame:?} it reads {:?}", camera.frame()?);
        let image = take(lab, &*camera)?;
        ensure!(
            (image.width(), image.height()) == (width, height),
            "{}x{} for {frame:?}",
            image.width(),
            image.height()
        );
        ensure!(image.meta.frame == Some(frame), "the image says {:?} for {frame:?}", image.meta.frame);
    }
    Ok(())
}

fn binning_shrinks_the_image(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let caps = camera.caps()?;
    require!(caps.max_bin.0 > 1, "it cannot bin");
    let whole = Frame::full(caps.sensor.width, caps.sensor.height, 2);
    let part = Frame { x: 11, y: 7, width: 100, height: 50, ..whole };
    for frame in [whole, part] {
        camera.set_frame(frame)?;
        ensure!(camera.frame()? == frame, "set to {frame:?} it reads {:?}", camera.frame()?);
        let image = take(lab, &*camera)?;
        ensure!(
            (image.width(), image.height()) == (frame.width, frame.height),
            "{}x{} for {frame:?}",
            image.width(),
            image.height()
        );
    }
    if !caps.asymmetric_bin {
        let frame = Frame { bin_x: 1, bin_y: 2, ..part };
        refused(&*camera, "asymmetric binning", camera.set_frame(frame), &[ErrorKind::InvalidValue])?;
    }
    Ok(())
}

/// Side of the blocks in which two pictures are compared: noise and seeing average out.
const BLOCK: u32 = 8;

/// Block means of a part of an image, row by row, with the number of blocks in a row.
fn blocks(image: &Image, x: u32, y: u32, width: u32, height: u32) -> (Vec<f64>, usize) {
    let columns = width / BLOCK;
    let mean = |n: u32| {
        let (left, top) = (x + n % columns * BLOCK, y + n / columns * BLOCK);
        let pixel = |k: u32| image.pixels().get(((top + k / BLOCK) * image.width() + left + k % BLOCK) as usize);
        (0..BLOCK * BLOCK).filter_map(pixel).sum::<f64>() / f64::from(BLOCK * BLOCK)
    };
    ((0..columns * (height / BLOCK)).map(mean).collect(), columns as usize)
}

/// Correlation of two series, -1 to 1.
fn correlation<'a>(a: &[f64], b: impl Iterator<Item = &'a f64>) -> f64 {
    let b: Vec<f64> = b.copied().collect();
    let mean = |series: &[f64]| series.iter().sum::<f64>() / series.len() as f64;
    let (ma, mb) = (mean(a), mean(&b));
    let product = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    let (aa, bb) = (product(&|n| (a[n] - ma).powi(2)), product(&|n| (b[n] - mb).powi(2)));
    product(&|n| (a[n] - ma) * (b[n] - mb)) / (aa * bb).sqrt()
}

fn a_region_is_the_cut_out_of_the_whole(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let exposure = Exposure::light(Duration::from_secs(2));
    let whole = camera.expose(exposure, &lab.wait())?;
    let (all, columns) = blocks(&whole, 0, 0, whole.width(), whole.height());
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let brightest = (0..all.len()).max_by(|a, b| all[*a].total_cmp(&all[*b])).unwrap_or(0);
    require!(all[brightest] > 1.5 * mean.max(1.0), "there is no bright star in the field");
    // Off-centre in both directions, so that a mirrored or transposed region shows.
    let (x, y) = ((brightest % columns) as u32 * BLOCK, (brightest / columns) as u32 * BLOCK);
    let frame = Frame { x: x.saturating_sub(40), y: y.saturating_sub(96), width: 160, height: 160, bin_x: 1, bin_y: 1 };
    let fits = frame.x + frame.width <= whole.width() && frame.y + frame.height <= whole.height();
    require!(fits, "the brightest star stands at the edge");
    camera.set_frame(frame)?;
    let part = camera.expose(exposure, &lab.wait())?;
    let (seen, columns) = blocks(&part, 0, 0, frame.width, frame.height);
    let (expected, _) = blocks(&whole, frame.x, frame.y, frame.width, frame.height);
    let alike = correlation(&expected, seen.iter());
    let mirrored = correlation(&expected, seen.chunks(columns).flat_map(|row| row.iter().rev()));
    let upside_down = correlation(&expected, seen.chunks(columns).rev().flatten());
    ensure!(
        alike > 0.5 && alike > mirrored && alike > upside_down,
        "{frame:?} correlates {alike:.2} with the same part of the whole, {mirrored:.2} mirrored, {upside_down:.2} upside down"
    );
    Ok(())
}

fn a_mosaic_follows_an_odd_region(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let Colour::Bayer(pattern) = camera.caps()?.sensor.colour else {
        return Err(Stop::Skip("the sensor has no Bayer mosaic".into()));
    };
    camera.set_frame(Frame { x: 3, y: 6, width: 64, height: 64, bin_x: 1, bin_y: 1 })?;
    let seen = take(lab, &*camera)?.meta.bayer;
    ensure!(seen == Some(pattern.shifted(3, 6)), "{pattern} from 3,6 on is called {seen:?}");
    Ok(())
}

fn every_frame_type_is_delivered(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    camera.set_frame(Frame { x: 0, y: 0, width: 64, height: 64, bin_x: 1, bin_y: 1 })?;
    for frame_type in [FrameType::Dark, FrameType::Flat, FrameType::Bias, FrameType::Light] {
        let duration = if frame_type == FrameType::Bias { *camera.caps()?.exposure.start() } else { SHORT };
        let image = camera.expose(Exposure { duration, frame_type }, &lab.wait())?;
        ensure!(image.meta.frame_type == Some(frame_type), "a {frame_type} came as {:?}", image.meta.frame_type);
    }
    Ok(())
}

fn gain_goes_into_the_image(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let controls = camera.controls()?;
    let gain = controls.iter().find(|info| info.control == Control::Gain && info.writable);
    let Some(gain) = gain else { return Err(Stop::Skip("its gain cannot be set".into())) };
    let before = camera.control(Control::Gain)?;
    let value = if before < gain.max { (before + gain.step.max(1.0)).min(gain.max) } else { gain.min };
    camera.set_control(Control::Gain, value)?;
    let image = take(lab, &*camera);
    camera.set_control(Control::Gain, before)?;
    let written = image?.meta.gain;
    ensure!(written.is_some_and(|written| (written - value).abs() < 1e-3), "gain {value} is {written:?} in the image");
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
        refused(&*camera, &what, camera.set_cooler(Some(Celsius(beyond))), &[ErrorKind::InvalidValue])?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use astrobackend::image::Pixels;

    #[test]
    fn a_mirrored_picture_does_not_correlate() {
        let pixels = (0..64 * 32).map(|n| if n % 64 < 16 && n / 64 < 8 { 500 } else { 10 }).collect();
        let image = Image::new(64, 32, Pixels::U16(pixels)).unwrap();
        let (means, columns) = blocks(&image, 0, 0, 64, 32);
        assert_eq!((means.len(), columns), (32, 8));
        assert_eq!((means[0], means[2]), (500.0, 10.0));
        assert!(correlation(&means, means.iter()) > 0.99);
        assert!(correlation(&means, means.chunks(columns).flat_map(|row| row.iter().rev())) < 0.1);
    }
}
