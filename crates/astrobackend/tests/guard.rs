//! The frame guard on the simulated observatory: no false alarm, and the news of every frame.
//!
//! `ASTROBACKEND_GUARD_FRAMES` is the number of good frames that are looked at, 1000 unless it says otherwise.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use astrobackend::{
    Image, Wait,
    device::{Camera, CameraExt, Control, Exposure, FrameType},
    each_pixel_type,
    event::EventKind,
    guard::Verdict,
    image::Frame,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const WAIT: Duration = Duration::from_secs(60);
const TYPES: [FrameType; 4] = [FrameType::Light, FrameType::Dark, FrameType::Bias, FrameType::Flat];
const SENSORS: [&str; 10] =
    ["generic", "imx455", "imx571", "imx533", "imx294", "imx178", "imx462", "imx290", "imx174", "kaf8300"];

/// Random numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(limit.max(1))) as u32
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * f64::from(self.below(1001)) / 1000.0
    }
}

/// A camera with some of its options.
fn camera(dice: &mut Dice, round: usize) -> (String, Arc<dyn Camera>) {
    let sensor = SENSORS[round % SENSORS.len()];
    let (bits, colour, seed) = (dice.of(&["8", "16", "16"]), dice.of(&["mono", "osc"]), dice.below(1000));
    let address = format!("sim://?sensor={sensor}&bits={bits}&camera={colour}&seed={seed}&speed=100000");
    let camera = astrobackend::open(&address).unwrap().camera().unwrap();
    camera.connect().unwrap();
    (address, camera)
}

/// Settings, region and exposure by chance.
fn prepare(camera: &dyn Camera, dice: &mut Dice) -> Exposure {
    let caps = camera.caps().unwrap();
    for info in camera.controls().unwrap() {
        let value = match info.control {
            Control::Gain => dice.between(info.min, info.max).round(),
            Control::Offset => dice.between(10.0, info.max).round(),
            Control::ReadoutMode | Control::FastReadout => f64::from(dice.below(8) / 7),
            _ => continue,
        };
        camera.set_control(info.control, value).unwrap();
    }
    let bin = 1 + dice.below(u32::from(caps.max_bin.0)) as u8;
    let (width, height) = (caps.sensor.width / u32::from(bin), caps.sensor.height / u32::from(bin));
    let (w, h) = (8 + dice.below(90), 8 + dice.below(90));
    let (x, y) = (dice.below(width - w), dice.below(height - h));
    camera.set_frame(Frame { x, y, width: w, height: h, bin_x: bin, bin_y: bin }).unwrap();
    let frame_type = dice.of(&TYPES);
    let shortest = caps.exposure.start().as_secs_f64();
    let seconds = match frame_type {
        FrameType::Light => 10f64.powf(dice.between(0.0, 2.8)),
        FrameType::Dark => 10f64.powf(dice.between(-3.0, 2.8)),
        FrameType::Bias => shortest,
        FrameType::Flat => 10f64.powf(dice.between(-4.0, -1.0)),
    };
    Exposure { duration: Duration::from_secs_f64(seconds.max(shortest)), frame_type }
}

/// The value that all pixels have, and the share of those that are saturated, by looking at each.
fn really(image: &Image) -> (Option<f64>, f64) {
    let count = image.pixels().len();
    let first = image.pixels().get(0).unwrap();
    let constant = (0..count).all(|n| image.pixels().get(n) == Some(first));
    let max = f64::from(image.meta.max_adu.unwrap());
    let full = (0..count).filter(|n| image.pixels().get(*n).unwrap() >= max).count();
    (constant.then_some(first), full as f64 / count as f64)
}

#[test]
fn good_frames_are_no_false_alarm() {
    let wanted: usize = std::env::var("ASTROBACKEND_GUARD_FRAMES").map_or(1000, |text| text.parse().unwrap());
    let mut dice = Dice(0x5EED_CAFE);
    let (mut frames, mut round) = (0, 0);
    let mut seen = BTreeMap::<(String, &str), usize>::new();
    while frames < wanted {
        let (address, camera) = camera(&mut dice, round);
        round += 1;
        for _ in 0..(wanted / 50).min(wanted - frames) {
            let exposure = prepare(&*camera, &mut dice);
            let image = camera.expose(exposure, &Wait::new(WAIT).every(Duration::from_micros(200))).unwrap();
            frames += 1;
            let verdict = image.meta.verdict.clone().unwrap();
            // A picture without any noise or light above the smallest step, or all saturated, is not a good one.
            let what = match really(&image) {
                (Some(0.0), _) => "is black",
                (Some(_), share) if share < 1.0 => "is of one value",
                (_, 0.999..) => "is saturated",
                _ => {
                    let meta = &image.meta;
                    assert_eq!(
                        verdict,
                        Verdict::Ok,
                        "{address} {exposure:?} {:?} gain {:?} offset {:?} max {:?}: {:?}",
                        meta.frame,
                        meta.gain,
                        meta.offset,
                        meta.max_adu,
                        image.pixels()
                    );
                    "is good"
                }
            };
            let is_lit = matches!(exposure.frame_type, FrameType::Light | FrameType::Flat);
            assert!(is_lit || !verdict.is_bad(), "{address} {exposure:?}: {verdict}");
            *seen.entry((exposure.frame_type.to_string(), what)).or_default() += 1;
        }
    }
    let good: usize = seen.iter().filter(|((_, what), _)| *what == "is good").map(|(_, count)| count).sum();
    println!("{frames} frames of {round} cameras, {good} of them good: {seen:?}");
    assert!(good * 10 > frames * 8, "{seen:?}");
}

#[test]
fn an_event_tells_of_every_frame_and_none_when_it_is_off() {
    for (option, judged) in [("on", true), ("off", false)] {
        let backend = astrobackend::open(&format!("sim://?speed=1000&guard={option}")).unwrap();
        let camera = backend.camera().unwrap();
        camera.connect().unwrap();
        let events = backend.events();
        let mut last = None;
        for number in 1..=2 {
            let image = camera.expose(Exposure::dark(Duration::from_millis(100)), &Wait::new(WAIT)).unwrap();
            assert_eq!(image.meta.exposure_number, Some(number));
            assert_eq!(image.meta.verdict, judged.then_some(Verdict::Ok));
            assert!(each_pixel_type!(image.pixels(), pixels => !pixels.is_empty()));
            last = Some(image);
        }
        // Asked for again it is the same picture, and no news.
        assert!(Arc::ptr_eq(&camera.image().unwrap(), &last.unwrap()));
        camera.disconnect().unwrap();
        let mut told = Vec::new();
        while let Some(event) = events.next(WAIT) {
            match event.kind {
                EventKind::Frame { number, frame_type, verdict } => told.push((number, frame_type, verdict)),
                EventKind::Connected(false) => break,
                _ => {}
            }
        }
        let dark = |number| (number, Some(FrameType::Dark), Verdict::Ok);
        assert_eq!(told, if judged { vec![dark(1), dark(2)] } else { vec![] });
    }
}

#[test]
fn a_stopped_exposure_is_as_long_as_it_was() {
    let camera = astrobackend::open("sim://?speed=100").unwrap().camera().unwrap();
    camera.connect().unwrap();
    camera.start_exposure(Exposure::light(Duration::from_secs(3000))).unwrap();
    camera.stop_exposure().unwrap();
    let wait = Wait::new(WAIT);
    let ready = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
    wait.until("the read-out", ready, || Ok(())).unwrap();
    let image = camera.image().unwrap();
    assert!(image.meta.exposure.unwrap() < Duration::from_secs(3000));
    assert_eq!(image.meta.verdict, Some(Verdict::Ok));
}
