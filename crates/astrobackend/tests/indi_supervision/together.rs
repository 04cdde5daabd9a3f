//! Several cameras and clients, and pictures that are large or packed.

use super::*;

fn named_camera(backend: &Arc<dyn Backend>, name: &str) -> Result<Arc<dyn Camera>, Failed> {
    let AnyDevice::Camera(camera) = backend.device(&DeviceId::new(DeviceKind::Camera, name))? else {
        return Err("no camera".into());
    };
    camera.connect()?;
    Ok(camera)
}

pub(crate) fn two_cameras_at_once() -> Outcome {
    let server = IndiServer::start(&[CCD, GUIDE])?;
    let backend = open(&server, "timeout=10")?;
    let (main, guide) = (named_camera(&backend, "CCD Simulator")?, named_camera(&backend, "Guide Simulator")?);
    main.set_frame(Frame::full(1280, 1024, 2))?;
    guide.set_frame(Frame { x: 0, y: 0, width: 100, height: 80, bin_x: 1, bin_y: 1 })?;
    std::thread::scope(|scope| {
        let long = scope.spawn(|| main.expose(dark(2.0), &wait(30)));
        for _ in 0..5 {
            let image = guide.expose(dark(0.2), &wait(30))?;
            assert_eq!((image.width(), image.height()), (100, 80));
            assert_eq!(image.meta.camera.as_deref(), Some("Guide Simulator"));
        }
        let image = long.join().map_err(|_| "the exposure panicked")??;
        assert_eq!((image.width(), image.height()), (640, 512));
        Ok(())
    })
}

pub(crate) fn ten_clients() -> Outcome {
    let server = IndiServer::start(&[CCD, WHEEL])?;
    let clients: Vec<_> = (0..10).map(|_| open(&server, "timeout=10")).collect::<Result<_, _>>()?;
    let cameras: Vec<_> = clients.iter().map(camera).collect::<Result<_, _>>()?;
    for (n, camera) in cameras.iter().enumerate() {
        let frame = Frame { x: 0, y: 0, width: 100 + n as u32, height: 50, bin_x: 1, bin_y: 1 };
        camera.set_frame(frame)?;
        for other in &cameras {
            eventually("all see the new frame", || other.frame().is_ok_and(|seen| seen == frame))?;
        }
        let image = camera.expose(dark(0.1), &wait(20))?;
        assert_eq!(image.width(), 100 + n as u32);
        let without = cameras.iter().filter(|other| !Arc::ptr_eq(other, camera));
        assert!(without.clone().skip(n).all(|other| other.image().is_err()), "not their picture");
    }
    Ok(())
}

/// Says something as another client would, and waits for an answer that contains a text.
fn tell(server: &IndiServer, xml: &str, answer: &str) -> Outcome {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port()))?;
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(format!("<getProperties version='1.7'/>{xml}").as_bytes())?;
    let (mut said, mut buffer) = (String::new(), [0; 65536]);
    while !said.contains(answer) {
        match stream.read(&mut buffer)? {
            0 => return Err(format!("closed before {answer}").into()),
            length => said.push_str(&String::from_utf8_lossy(&buffer[..length])),
        }
    }
    Ok(())
}

pub(crate) fn a_large_frame() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=30")?;
    let camera = camera(&backend)?;
    let size = "<newNumberVector device='CCD Simulator' name='SIMULATOR_SETTINGS'>\
                <oneNumber name='SIM_XRES'>8000</oneNumber><oneNumber name='SIM_YRES'>6000</oneNumber></newNumberVector>";
    tell(&server, size, "setNumberVector device=\"CCD Simulator\" name=\"SIMULATOR_SETTINGS\"")?;
    eventually("the new size", || camera.caps().is_ok_and(|caps| caps.sensor.width == 8000))?;
    camera.set_frame(Frame::full(8000, 6000, 1))?;
    for _ in 0..2 {
        let image = camera.expose(dark(0.1), &wait(120))?;
        assert_eq!((image.width(), image.height(), image.pixels().len()), (8000, 6000, 48_000_000));
    }
    Ok(())
}

pub(crate) fn compression_is_switched_off_or_decoded() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let backend = open(&server, "timeout=10")?;
    let camera = camera(&backend)?;
    let on = "<newSwitchVector device='CCD Simulator' name='CCD_COMPRESSION'>\
              <oneSwitch name='INDI_ENABLED'>On</oneSwitch></newSwitchVector>";
    tell(&server, on, "setSwitchVector device=\"CCD Simulator\" name=\"CCD_COMPRESSION\"")?;
    let image = camera.expose(dark(0.1), &wait(30))?;
    assert_eq!((image.width(), image.height()), (1280, 1024));
    Ok(())
}

pub(crate) fn another_client_takes_the_camera_away() -> Outcome {
    let server = IndiServer::start(&[CCD])?;
    let (ours, other) = (open(&server, "timeout=5")?, open(&server, "timeout=5")?);
    let camera = camera(&ours)?;
    let theirs = other.camera()?;
    let error = interrupted(&*camera, || drop(theirs.disconnect()))?;
    assert!(matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::Device(_)), "{error:?}");
    assert_eq!(failure(camera.state()), Some(ErrorKind::NotConnected));
    camera.connect()?;
    // This driver goes on saying that it exposes.
    camera.abort_exposure()?;
    camera.expose(dark(0.1), &wait(20))?;
    Ok(())
}
