//! Our client doing the same.

use crate::{
    floor::FRAMES,
    stand::{Result, processor_time, sample},
};
use astrobackend::{
    Wait,
    device::{CameraExt, Exposure},
    image::Pixels,
};
use serde_json::Value;
use std::time::{Duration, Instant};
use testing::bench_driver::pixel;

/// Takes frames.
pub(crate) fn frames(address: &str) -> Result<Value> {
    let camera = astrobackend::open(address)?.camera()?;
    camera.connect()?;
    // The default looks every 20 ms, which would be measured as well.
    let wait = Wait::new(Duration::from_secs(60)).every(Duration::from_millis(1));
    let mut figures = None;
    for _ in 0..FRAMES {
        let (begin, before) = (Instant::now(), processor_time());
        let image = camera.expose(Exposure::light(Duration::ZERO), &wait)?;
        figures = Some((begin.elapsed(), processor_time() - before));
        let Pixels::U16(pixels) = image.pixels() else { return Err("not 16 bit".into()) };
        assert_eq!((pixels[0], pixels[pixels.len() - 1]), (pixel(0), pixel(pixels.len() - 1)));
    }
    let (wall, cpu) = figures.ok_or("no frame")?;
    sample(wall, cpu)
}
