//! Our server over a camera whose frame is given, and our client.

use crate::frame::{HEIGHT, WIDTH, median_time, pixel};
use astrobackend::{
    Image, Wait,
    device::{Colour, Device, Exposure},
    image::Pixels,
};
use astrobackend_server::alpaca::{Options, Server};
use conformance::canned::Canned;
use serde_json::Value;
use std::{
    io::Read,
    time::{Duration, Instant},
};
use testing::bench::{Result, processor_time, sample};

/// Serves the frame until its input ends; prints where it listens.
pub(crate) fn serve() -> Result<()> {
    let backend = Canned::new((WIDTH, HEIGHT), Colour::Mono, |_| {
        let rows = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| pixel(x, y)));
        let mut pixels = Vec::with_capacity(WIDTH as usize * HEIGHT as usize);
        pixels.extend(rows);
        Image::new(WIDTH, HEIGHT, Pixels::U16(pixels)).expect("the frame")
    });
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..Options::default() };
    let server = Server::start(backend, options)?;
    println!("listening {}", server.address().port());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    server.stop();
    Ok(())
}

/// Takes the frame three times, the time of the last fetch counts: from the ready exposure to pixels in rows.
pub(crate) fn fetch(address: &str) -> Result<Value> {
    let camera = astrobackend::open(&format!("alpaca://{address}/camera/0"))?.camera()?;
    camera.connect()?;
    let (mut figures, mut last) = (None, None);
    for _ in 0..3 {
        // One frame at a time is what is measured.
        drop(last.take());
        camera.start_exposure(Exposure::light(Duration::ZERO))?;
        let look = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
        Wait::new(Duration::from_secs(60)).every(Duration::from_millis(2)).until("the exposure", look, || Ok(()))?;
        let (begin, before) = (Instant::now(), processor_time());
        let image = camera.take_image()?;
        figures = Some((begin.elapsed(), processor_time() - before));
        let Pixels::U16(pixels) = image.pixels() else { return Err("not 16 bit".into()) };
        let (x, y) = (WIDTH - 2, HEIGHT / 3);
        assert_eq!(pixels[(y * WIDTH + x) as usize], pixel(x, y));
        last = Some(image);
    }
    let ((wall, cpu), image) = figures.zip(last).ok_or("no frame")?;
    crate::guard::measure(&image, sample(wall, cpu)?)
}

/// Connects and exposes once, so that the server has the frame ready.
pub(crate) fn expose(address: &str) -> Result<()> {
    let camera = astrobackend::open(&format!("alpaca://{address}/camera/0"))?.camera()?;
    camera.connect()?;
    camera.start_exposure(Exposure::light(Duration::ZERO))?;
    let look = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
    Wait::new(Duration::from_secs(60)).until("the exposure", look, || Ok(()))?;
    Ok(())
}

/// The median time of one question, seconds.
pub(crate) fn small(address: &str) -> Result<Value> {
    let camera = astrobackend::open(&format!("alpaca://{address}/camera/0"))?.camera()?;
    let device: &dyn Device = &*camera;
    device.connect()?;
    median_time(|| Ok(device.is_connected().map(drop)?))
}
