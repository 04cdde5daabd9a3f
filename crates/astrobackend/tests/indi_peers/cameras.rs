//! Pictures, and what a camera can be set to.

use super::*;

pub(crate) fn camera(server: &IndiServer) -> Result<Arc<dyn Camera>, Failed> {
    let camera = open(server)?.camera()?;
    camera.connect()?;
    Ok(camera)
}

pub(crate) fn an_exposure_gives_the_picture() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let camera = camera(&server)?;
    let caps = camera.caps()?;
    assert_eq!((caps.sensor.width, caps.sensor.height, caps.sensor.bits_per_pixel), (1280, 1024, Some(16)));
    assert_eq!(caps.sensor.pixel_width.map(|size| size.0), Some(5.2));
    refused(camera.image().map(drop), ErrorKind::InvalidOperation, "no image");
    let mut percents = Vec::new();
    let watch = |state: &ExposureState| {
        assert!(state.is_busy() || *state == ExposureState::Ready, "{state:?}");
        if let ExposureState::Exposing { percent: Some(percent), .. } = state {
            percents.push(*percent);
        }
    };
    let image = camera.expose_watched(Exposure::light(seconds(2.0)), &wait(), watch)?;
    assert_eq!((image.width(), image.height(), image.planes()), (1280, 1024, 1));
    assert!(matches!(image.pixels(), Pixels::U16(_)), "{}", image.pixels().type_name());
    assert!(percents.is_sorted() && percents.len() > 20, "the countdown is interpolated: {percents:?}");
    assert_eq!(image.meta.exposure, Some(seconds(2.0)));
    assert_eq!(image.meta.camera.as_deref(), Some("CCD Simulator"));
    assert!(Arc::ptr_eq(&image, &camera.image()?), "decoded once, shared");
    refused(camera.start_exposure(Exposure::light(seconds(5000.0))), ErrorKind::InvalidValue, "3600");
    let dark = Exposure { duration: seconds(0.01), frame_type: FrameType::Dark };
    let image = camera.expose(dark, &wait())?;
    assert_eq!(image.meta.frame_type, Some(FrameType::Dark));
    assert_eq!(image.meta.header.text("FRAME").or(Some("Dark")), Some("Dark"));
    Ok(())
}

pub(crate) fn regions_and_binning_are_obeyed() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let camera = camera(&server)?;
    assert_eq!(camera.frame()?, Frame::full(1280, 1024, 1));
    let region = Frame { x: 100, y: 50, width: 200, height: 150, bin_x: 2, bin_y: 2 };
    camera.set_frame(region)?;
    assert_eq!(camera.frame()?, region);
    let image = camera.expose(Exposure::light(seconds(0.1)), &wait())?;
    assert_eq!((image.width(), image.height(), image.meta.frame), (200, 150, Some(region)));
    refused(camera.set_frame(Frame { width: 600, ..region }), ErrorKind::InvalidValue, "640x512");
    refused(camera.set_frame(Frame::full(1280, 1024, 9)), ErrorKind::InvalidValue, "4x4");
    assert_eq!(camera.frame()?, region, "a refused frame changes nothing");
    camera.set_frame(Frame::full(1280, 1024, 1))?;
    let image = camera.expose(Exposure::light(seconds(0.1)), &wait())?;
    assert_eq!((image.width(), image.height()), (1280, 1024));
    Ok(())
}

/// The driver sends `.fits.fz` then, in memory that is larger than the file.
pub(crate) fn compressed_pictures_are_read() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let camera = camera(&server)?;
    camera.action("indi:set", "CCD_COMPRESSION.INDI_ENABLED=On")?;
    for frame in [Frame::full(1280, 1024, 1), Frame { x: 7, y: 5, width: 123, height: 77, bin_x: 2, bin_y: 2 }] {
        camera.set_frame(frame)?;
        let image = camera.expose(Exposure::light(seconds(0.1)), &wait())?;
        assert_eq!((image.width(), image.height(), image.pixels().type_name()), (frame.width, frame.height, "u16"));
        assert_eq!(image.meta.exposure, Some(seconds(0.1)));
        assert_eq!(image.meta.header.get("ZIMAGE"), None);
    }
    assert!(camera.action("indi:get", "CCD_COMPRESSION.INDI_ENABLED")?.contains("On"), "left as it was set");
    Ok(())
}

pub(crate) fn the_guide_chip_is_a_camera_of_its_own() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server)?;
    let main = backend.camera()?;
    main.connect()?;
    let info = backend.devices()?.into_iter().find(|info| info.part_of.is_some()).expect("a guide chip");
    assert_eq!((info.id.name.as_str(), info.part_of.as_ref()), ("CCD Simulator (guide chip)", Some(&main.info().id)));
    assert_eq!(backend.camera()?.info().id, main.info().id, "the main chip is the camera that is meant");
    let guide = astrobackend::open(&address(&server, &info.id.name))?.camera()?;
    guide.connect()?;
    let sensor = guide.caps()?.sensor.clone();
    assert_eq!((sensor.width, sensor.height), (500, 290));
    assert!(
        guide.caps()?.cooler.is_none() && guide.controls()?.is_empty(),
        "the driver's settings are the main chip's"
    );
    refused(guide.set_cooler(None), ErrorKind::Unsupported, "cooler");
    let (here, there) = (backend.device(&info.id)?, backend.camera()?);
    let astrobackend::device::AnyDevice::Camera(here) = here else { return Err("no camera".into()) };
    // Both at once, on one connection: each gets its own picture.
    for seconds_of_guiding in [0.3, 0.1, 0.2] {
        there.start_exposure(Exposure::light(seconds(0.2)))?;
        let guided = here.expose(Exposure::light(seconds(seconds_of_guiding)), &wait())?;
        wait().until("the picture", || Ok((!there.state()?.exposure.is_busy()).then_some(())), || Ok(()))?;
        let image = there.image()?;
        assert_eq!((guided.width(), guided.height()), (500, 290));
        assert_eq!((image.width(), image.height()), (1280, 1024));
        assert_eq!(guided.meta.exposure, Some(seconds(seconds_of_guiding)));
    }
    let frame = Frame { x: 10, y: 20, width: 100, height: 50, bin_x: 2, bin_y: 2 };
    guide.set_frame(frame)?;
    assert_eq!(main.frame()?, Frame::full(1280, 1024, 1));
    let image = guide.expose(Exposure::light(seconds(0.1)), &wait())?;
    assert_eq!((image.width(), image.height(), image.meta.frame), (100, 50, Some(frame)));
    guide.start_exposure(Exposure::light(seconds(30.0)))?;
    guide.abort_exposure()?;
    assert_eq!(guide.state()?.exposure, ExposureState::Idle);
    Ok(())
}

pub(crate) fn an_abort_leaves_the_camera_idle() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let camera = camera(&server)?;
    camera.abort_exposure()?;
    camera.start_exposure(Exposure::light(seconds(30.0)))?;
    assert!(camera.state()?.exposure.is_busy(), "busy from the command on");
    refused(camera.start_exposure(Exposure::light(seconds(1.0))), ErrorKind::Busy, "under way");
    refused(camera.set_frame(Frame::full(1280, 1024, 2)), ErrorKind::Busy, "exposing");
    refused(camera.stop_exposure(), ErrorKind::Unsupported, "early");
    camera.abort_exposure()?;
    assert_eq!(camera.state()?.exposure, ExposureState::Idle);
    refused(camera.image().map(drop), ErrorKind::InvalidOperation, "no image");
    // The next one is not confused by what was broken off, however early.
    for _ in 0..5 {
        camera.start_exposure(Exposure::light(seconds(0.5)))?;
        camera.abort_exposure()?;
        assert_eq!(camera.state()?.exposure, ExposureState::Idle);
    }
    let begun = Instant::now();
    camera.expose(Exposure::light(seconds(1.0)), &wait())?;
    assert!(begun.elapsed() >= seconds(1.0), "that was an earlier picture");
    // Somebody else breaks it off.
    let other = open(&server)?.camera()?;
    other.connect()?;
    camera.start_exposure(Exposure::light(seconds(30.0)))?;
    wait().until("the other client's view", || Ok(other.state()?.exposure.is_busy().then_some(())), || Ok(()))?;
    refused(other.start_exposure(Exposure::light(seconds(1.0))), ErrorKind::Busy, "under way");
    other.abort_exposure()?;
    wait().until("the end", || Ok((camera.state()?.exposure == ExposureState::Idle).then_some(())), || Ok(()))?;
    Ok(())
}

pub(crate) fn controls_and_cooler_are_set() -> Outcome {
    let server = IndiServer::start(&[CCD, FOCUSER])?;
    let camera = camera(&server)?;
    camera.set_control(Control::Gain, 50.0)?;
    assert_eq!(camera.control(Control::Gain)?, 50.0);
    refused(camera.set_control(Control::Gain, 5000.0), ErrorKind::InvalidValue, "0 to 100");
    camera.set_control(Control::Offset, 500.0)?;
    assert_eq!(camera.control(Control::Offset)?, 500.0);
    refused(camera.control(Control::Fan), ErrorKind::Unsupported, "fan");
    camera.set_cooler(Some(Celsius(-2.0)))?;
    let cooler = camera.state()?.cooler.expect("a cooler");
    assert_eq!((cooler.on, cooler.set_point), (true, Some(Celsius(-2.0))));
    refused(camera.set_cooler(Some(Celsius(-300.0))), ErrorKind::InvalidValue, "-50");
    let colder = || Ok(camera.state()?.temperature.filter(|is| is.0 < 0.0));
    wait().until("cooling", colder, || Ok(()))?;
    camera.set_cooler(None)?;
    assert_eq!(camera.state()?.cooler.map(|cooler| cooler.on), Some(false));
    let focuser = open(&server)?.focuser()?;
    focuser.connect()?;
    focuser.set_control(Control::Backlash, 100.0)?;
    assert_eq!(focuser.control(Control::Backlash)?, 100.0);
    focuser.set_control(Control::Backlash, 0.0)?;
    assert_eq!(focuser.control(Control::Backlash)?, 0.0);
    refused(focuser.control(Control::Gain), ErrorKind::Unsupported, "gain");
    Ok(())
}
