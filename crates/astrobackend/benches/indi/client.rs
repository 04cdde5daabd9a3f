//! Our client doing the same.

use crate::floor::FRAMES;
use astrobackend::{
    Wait,
    device::{Camera, CameraExt, Exposure, FrameType},
    image::Pixels,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testing::{
    bench::{Result, processor_time, sample},
    bench_driver::pixel,
};

/// Takes in [`bench_driver::COUNT`](testing::bench_driver::COUNT) updates; they end with an error.
pub(crate) fn updates(address: &str) -> Result<Value> {
    let camera = astrobackend::open(address)?.camera()?;
    camera.connect()?;
    let bias = Exposure { duration: Duration::ZERO, frame_type: FrameType::Bias };
    // The first run is not counted: it sets the frame type.
    let mut figures = None;
    for _ in 0..2 {
        let (begin, before) = (Instant::now(), processor_time());
        ends_as_told(camera.expose(bias, &Wait::new(Duration::from_secs(60))))?;
        figures = Some((begin.elapsed(), processor_time() - before));
    }
    let (wall, cpu) = figures.ok_or("no run")?;
    sample(wall, cpu)
}

/// Watches 1000 properties that change 1000 times a second between them.
pub(crate) fn watching(address: &str) -> Result<Value> {
    let backend = astrobackend::open(address)?;
    let camera = backend.camera()?;
    camera.connect()?;
    let events = backend.events();
    let dark = Exposure { duration: Duration::ZERO, frame_type: FrameType::Dark };
    let (begin, before) = (Instant::now(), processor_time());
    let listener = std::thread::spawn(move || while events.next(Duration::from_secs(2)).is_some() {});
    ends_as_told(camera.expose(dark, &Wait::new(Duration::from_secs(60))))?;
    let figures = (begin.elapsed(), processor_time() - before);
    drop((camera, backend));
    listener.join().map_err(|_| "the listener panicked")?;
    sample(figures.0, figures.1)
}

fn ends_as_told<T>(exposure: astrobackend::Result<T>) -> Result<()> {
    match exposure {
        Err(error) if error.message().contains("no frame after updates") => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Err("a frame came".into()),
    }
}

/// Nanoseconds that it takes to read what is known of a device: one value, and six.
pub(crate) fn reads(address: &str) -> Result<Value> {
    const READS: u32 = 200_000;
    let camera = astrobackend::open(address)?.camera()?;
    camera.connect()?;
    let reads: [fn(&dyn Camera) -> astrobackend::Result<()>; 2] =
        [|camera| camera.is_connected().map(drop), |camera| camera.frame().map(drop)];
    let mut times = [Duration::ZERO; 2];
    for (time, read) in times.iter_mut().zip(reads) {
        let begin = Instant::now();
        (0..READS).try_for_each(|_| read(std::hint::black_box(&*camera)))?;
        *time = begin.elapsed() / READS;
    }
    let [one, six] = times.map(|time| time.as_nanos() as u64);
    Ok(json!({ "one": one, "six": six }))
}

/// Takes frames.
pub(crate) fn frames(address: &str) -> Result<Value> {
    let camera = astrobackend::open(address)?.camera()?;
    camera.connect()?;
    // The default looks every 20 ms, which would be measured as well.
    let wait = Wait::new(Duration::from_secs(60)).every(Duration::from_millis(1));
    let mut figures = None;
    let mut last = None;
    for _ in 0..FRAMES {
        // One frame at a time is what is measured.
        drop(last.take());
        let (begin, before) = (Instant::now(), processor_time());
        let image = camera.expose(Exposure::light(Duration::ZERO), &wait)?;
        figures = Some((begin.elapsed(), processor_time() - before));
        let Pixels::U16(pixels) = image.pixels() else { return Err("not 16 bit".into()) };
        assert_eq!((pixels[0], pixels[pixels.len() - 1]), (pixel(0), pixel(pixels.len() - 1)));
        last = Some(image);
    }
    let ((wall, cpu), image) = figures.zip(last).ok_or("no frame")?;
    crate::guard::measure(&image, sample(wall, cpu)?)
}
