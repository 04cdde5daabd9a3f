use super::*;
use crate::{
    Celsius, Degrees, Hours, Metres, RaDec,
    backend::sim::{scene::Band, sensor::SensorModel},
    image::Frame,
};
use std::time::Duration;

/// The Orion nebula in hydrogen light through a telescope of 106 mm, f/5.
pub(super) fn scene(sensor: &str) -> Scene {
    let sensor = SensorModel::find(sensor).unwrap();
    Scene {
        seed: 1,
        serial: 1,
        frame_type: FrameType::Light,
        exposure: Duration::from_secs(5),
        frame: Frame::full(sensor.width, sensor.height, 1),
        gain: sensor.default_gain,
        offset: sensor.default_offset,
        sensor,
        temperature: Celsius(-10.0),
        aperture: Metres(0.106),
        focal_length: Metres(0.530),
        centre: RaDec::j2000(Hours(5.588_139), Degrees(-5.391_111)),
        rotation: Degrees(0.0),
        trail: (0.0, 0.0),
        seeing: 2.5,
        defocus: 0.0,
        band: Band::HAlpha,
        sky: 20.5,
        airmass: 1.4,
    }
}
