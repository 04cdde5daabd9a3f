use super::*;
use crate::{
    Celsius, Degrees, Hours, Metres, RaDec,
    backend::sim::{
        field::stars_in,
        projection::{Projection, project},
        scene::Band,
        sensor::SensorModel,
    },
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

/// A field with bright stars and no nebula.
fn stars(sensor: &str) -> Scene {
    Scene { band: Band::Luminance, centre: RaDec::j2000(Hours(4.48), Degrees(16.5)), ..scene(sensor) }
}

fn take(scene: &Scene) -> Vec<f64> {
    let pixels = render(scene);
    assert_eq!(pixels.len(), scene.frame.pixels());
    (0..pixels.len()).map(|i| pixels.get(i).unwrap()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Half of the variance of the difference: what is random in each of two pictures.
fn variance(a: &[f64], b: &[f64]) -> f64 {
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let mean = mean(&difference);
    difference.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / difference.len() as f64 / 2.0
}

fn pair(scene: &Scene) -> (Vec<f64>, Vec<f64>) {
    (take(scene), take(&Scene { serial: scene.serial + 1, ..scene.clone() }))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Centre of light and half-flux diameter around a place, above the picture's median.
fn measure(picture: &[f64], scene: &Scene, (x, y): (f64, f64), radius: f64) -> (f64, f64, f64) {
    let width = scene.frame.width as usize;
    let sky = median(picture);
    let (mut sum, mut sx, mut sy, mut moment) = (0.0, 0.0, 0.0, 0.0);
    for row in (y - radius).ceil() as usize..=(y + radius) as usize {
        for column in (x - radius).ceil() as usize..=(x + radius) as usize {
            let (dx, dy) = (column as f64 - x, row as f64 - y);
            if dx.hypot(dy) <= radius {
                let value = picture[row * width + column] - sky;
                (sum, sx, sy) = (sum + value, sx + value * dx, sy + value * dy);
                moment += value * dx.hypot(dy);
            }
        }
    }
    (sx / sum, sy / sum, 2.0 * moment / sum)
}

/// Stars bright enough to measure, not saturated, away from the edge and from brighter neighbours.
fn lonely(scene: &Scene, mags: std::ops::Range<f64>, distance: f64) -> Vec<(f64, f64)> {
    let all = stars_in(scene, 14.0);
    let (width, height) = (f64::from(scene.frame.width), f64::from(scene.frame.height));
    let lonely = |(i, &(x, y, mag)): (usize, &(f64, f64, f64))| {
        let inside = x > distance && y > distance && x < width - distance && y < height - distance;
        let near = |(j, other): (usize, &(f64, f64, f64))| {
            j != i && other.2 < mag + 3.0 && (other.0 - x).hypot(other.1 - y) < 1.5 * distance
        };
        (inside && mags.contains(&mag) && !all.iter().enumerate().any(near)).then_some((x, y))
    };
    all.iter().enumerate().filter_map(lonely).collect()
}

#[test]
fn bias_and_dark_have_the_mean_and_the_noise_of_the_sensor() {
    for name in ["generic", "imx455", "imx462", "kaf8300"] {
        let mut scene = Scene { frame_type: FrameType::Bias, ..scene(name) };
        let sensor = scene.sensor.clone();
        scene.frame = Frame { x: 24, y: 8, width: 1000, height: 800, bin_x: 1, bin_y: 1 };
        let (a, b) = pair(&scene);
        let adu = sensor.electrons_per_adu(scene.gain);
        assert!((mean(&a) - 500.0).abs() < 0.5, "{name}: {}", mean(&a));
        // Twelve-bit steps add their own rounding.
        let rounding = f64::from(1u32 << (16 - sensor.adc_bits)).powi(2) / 12.0;
        let expected = sensor.read_noise(scene.gain).powi(2) / (adu * adu) + rounding;
        assert!((variance(&a, &b) / expected - 1.0).abs() < 0.03, "{name}: {} {expected}", variance(&a, &b));

        scene.frame_type = FrameType::Dark;
        scene.exposure = Duration::from_secs(600);
        scene.temperature = Celsius(6.0);
        let dark = take(&scene);
        let current = sensor.dark_current(Celsius(0.0)) * 2.0 * 600.0;
        // The median, as hot pixels pull the mean.
        assert!(((median(&dark) - 500.0) * adu / current - 1.0).abs() < 0.2, "{name}: {} {current}", median(&dark));
        assert!(mean(&dark) > mean(&a));
    }
}

#[test]
fn faint_light_has_the_noise_of_its_photons() {
    // A few photons per pixel: the case in which Poisson's and Gauss's distributions differ most.
    let mut scene = Scene { frame_type: FrameType::Flat, ..scene("imx462") };
    scene.gain = 350.0;
    for electrons in [0.3, 3.0, 30.0] {
        scene.exposure =
            Duration::from_secs_f64(electrons / panel(&Scene { exposure: Duration::from_secs(1), ..scene.clone() })[0]);
        let (a, b) = pair(&scene);
        let adu = scene.sensor.electrons_per_adu(scene.gain);
        let light = (mean(&a) - 500.0) * adu;
        assert!((light / electrons - 1.0).abs() < 0.06, "{electrons}: {light}");
        let read = scene.sensor.read_noise(scene.gain).powi(2);
        let noise = variance(&a, &b) * adu * adu - read;
        assert!((noise - light).abs() < 0.03 * (light + read), "{electrons}: {light} {noise}");
    }
}

#[test]
fn flats_obey_the_photon_transfer_curve() {
    let mut scene = Scene { frame_type: FrameType::Flat, band: Band::Luminance, ..scene("generic") };
    scene.frame = Frame { x: 480, y: 352, width: 320, height: 320, bin_x: 1, bin_y: 1 };
    for (seconds, gain) in [(0.2, 0.0), (1.0, 0.0), (0.2, 100.0)] {
        scene.exposure = Duration::from_secs_f64(seconds);
        scene.gain = gain;
        let (a, b) = pair(&scene);
        let adu = scene.sensor.electrons_per_adu(gain);
        let read = (scene.sensor.read_noise(gain) / adu).powi(2);
        let measured = (mean(&a) - 500.0) / (variance(&a, &b) - read);
        assert!((measured / adu - 1.0).abs() < 0.03, "{seconds} s, gain {gain}: {measured} {adu}");
    }
    scene.exposure = Duration::from_secs(1);
    scene.gain = 0.0;
    assert!((mean(&take(&scene)) / 32_768.0 - 1.0).abs() < 0.1);
    scene.exposure = Duration::from_secs(10);
    assert!(take(&scene).iter().all(|value| *value == 65_535.0));
    scene.band = Band::Opaque;
    assert!((mean(&take(&scene)) - 500.0).abs() < 1.0);
}

#[test]
fn stars_are_found_where_the_pointing_puts_them() {
    for (rotation, trail) in [(0.0, (0.0, 0.0)), (33.0, (0.0, 0.0)), (180.0, (12.0, 5.0))] {
        let scene = Scene { rotation: Degrees(rotation), trail, ..stars("generic") };
        let picture = take(&scene);
        let places = lonely(&scene, 6.5..11.0, 20.0);
        assert!(places.len() >= 5, "{}", places.len());
        for place in places {
            let (dx, dy, _) = measure(&picture, &scene, place, 9.0);
            assert!(dx.hypot(dy) < 0.3, "{rotation}: {place:?} is off by {dx}, {dy}");
        }
    }
}

#[test]
fn north_is_where_the_rotation_says_and_east_is_left_of_it() {
    let mut scene = stars("generic");
    let middle = (639.5, 511.5);
    let step = |scene: &Scene, ra: f64, dec: f64| {
        let mut place = scene.centre;
        place.ra = place.ra + Hours(ra / 15.0 / place.dec.radians().cos() / 3600.0);
        place.dec = place.dec + Degrees(dec / 3600.0);
        let (x, y) = project(scene, place).unwrap();
        ((x - middle.0).round(), (y - middle.1).round())
    };
    let scale = Projection::new(&scene).arcsec_per_pixel();
    let hundred = 100.0 * scale;
    assert_eq!(step(&scene, 0.0, hundred), (0.0, -100.0));
    assert_eq!(step(&scene, hundred, 0.0), (-100.0, 0.0));
    scene.rotation = Degrees(90.0);
    assert_eq!(step(&scene, hundred, 0.0), (0.0, -100.0));
    assert_eq!(step(&scene, 0.0, hundred), (100.0, 0.0));
    scene.rotation = Degrees(180.0);
    assert_eq!(step(&scene, 0.0, hundred), (0.0, 100.0));
}

#[test]
fn half_flux_diameters_make_a_v_curve() {
    let scene = stars("generic");
    let places = lonely(&scene, 7.0..11.0, 30.0);
    assert!(!places.is_empty());
    let diameter = |defocus: f64| {
        let scene = Scene { defocus, ..scene.clone() };
        let picture = take(&scene);
        let diameters: Vec<f64> = places.iter().map(|place| measure(&picture, &scene, *place, 28.0).2).collect();
        median(&diameters)
    };
    let right: Vec<f64> = (0..6).map(|i| diameter(f64::from(i) * 90.0)).collect();
    let left: Vec<f64> = (0..6).map(|i| diameter(f64::from(i) * -90.0)).collect();
    for side in [&right, &left] {
        assert!(side.windows(2).all(|pair| pair[1] > pair[0] * 1.02), "{side:?}");
        let slopes: Vec<f64> = side[2..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(slopes.iter().all(|slope| (slope / slopes[0] - 1.0).abs() < 0.35), "{side:?}");
    }
}

#[test]
fn a_region_is_the_crop_of_the_whole() {
    let mut scene = Scene { sensor: SensorModel::find("imx290").unwrap().with_colour(true), ..scene("imx290") };
    scene.band = Band::Luminance;
    let whole = take(&scene);
    let region = Frame { x: 701, y: 333, width: 115, height: 77, bin_x: 1, bin_y: 1 };
    let part = take(&Scene { frame: region, ..scene.clone() });
    for row in 0..77 {
        let start = (333 + row) * 1936 + 701;
        assert_eq!(part[row * 115..(row + 1) * 115], whole[start..start + 115], "row {row}");
    }
}

#[test]
fn binned_pixels_are_sums_up_to_full_scale() {
    let scene = scene("imx290");
    let whole = take(&scene);
    let frame = Frame { x: 100, y: 50, width: 300, height: 200, bin_x: 2, bin_y: 2 };
    let binned = take(&Scene { frame, ..scene.clone() });
    for (i, value) in binned.iter().enumerate() {
        let (x, y) = (2 * (100 + i % 300), 2 * (50 + i / 300));
        let sum: f64 = [0, 1].iter().flat_map(|dy| [0, 1].map(|dx| whole[(y + dy) * 1936 + x + dx])).sum();
        assert_eq!(*value, sum.min(f64::from(scene.sensor.max_adu())), "pixel {i}");
    }
    let (x, y) = project(&Scene { frame, ..scene.clone() }, scene.centre).unwrap();
    assert_eq!((x, y), (967.5f64.midpoint(0.0) - 0.25 - 100.0, 547.5f64.midpoint(0.0) - 0.25 - 50.0));
}

#[test]
fn hot_pixels_are_at_the_same_places_in_darks_and_lights_and_grow() {
    let mut scene = Scene { exposure: Duration::from_secs(60), temperature: Celsius(0.0), ..scene("imx290") };
    scene.band = Band::Opaque;
    let hot = |scene: &Scene| -> Vec<usize> {
        take(scene).iter().enumerate().filter(|(_, value)| **value > 3000.0).map(|(i, _)| i).collect()
    };
    let light = hot(&scene);
    scene.frame_type = FrameType::Dark;
    scene.serial = 9;
    let dark = hot(&scene);
    let both = light.iter().filter(|place| dark.contains(place)).count();
    assert!(dark.len() > 100 && both as f64 > 0.95 * dark.len() as f64, "{} {both}", dark.len());
    scene.temperature = Celsius(-20.0);
    assert!(hot(&scene).len() < dark.len() * 3 / 4);
    scene.frame_type = FrameType::Bias;
    assert!(hot(&scene).is_empty());
    scene = Scene { frame_type: FrameType::Dark, temperature: Celsius(0.0), seed: 2, ..scene };
    assert!(hot(&scene).iter().filter(|place| dark.contains(place)).count() < 5);
}

#[test]
fn the_same_scene_is_the_same_picture_and_another_serial_another_noise() {
    let scene = scene("generic");
    let first = take(&scene);
    assert!(first == take(&scene));
    let second = take(&Scene { serial: 2, ..scene.clone() });
    let same = first.iter().zip(&second).filter(|(a, b)| a == b).count();
    assert!(same < first.len() / 5, "{same}");
}

#[test]
fn without_tracking_stars_become_trails_as_long_as_the_motion() {
    let tracked = stars("generic");
    let scale = Projection::new(&tracked).arcsec_per_pixel();
    let trailed = Scene { trail: (60.0 * scale, 0.0), ..tracked.clone() };
    let picture = take(&trailed);
    let sky = median(&picture);
    let (x, y) = lonely(&tracked, 6.0..10.5, 40.0)[0];
    let bright: Vec<usize> = (x as usize - 60..x as usize + 60)
        .filter(|column| picture[y.round() as usize * 1280 + column] > sky + 60.0)
        .collect();
    let length = bright.last().unwrap() - bright.first().unwrap() + 1;
    assert!((55..=75).contains(&length) && bright.len() >= length - 2, "{length}");
    assert!((mean(&bright.iter().map(|x| *x as f64).collect::<Vec<_>>()) - x).abs() < 3.0);
}

#[test]
fn filters_dim_and_colour() {
    let scene = stars("generic");
    let sky = |band| median(&take(&Scene { band, exposure: Duration::from_secs(30), ..scene.clone() })) - 500.0;
    let luminance = sky(Band::Luminance);
    for (band, low, high) in [
        (Band::Red, 0.2, 0.5),
        (Band::Green, 0.2, 0.5),
        (Band::Blue, 0.1, 0.4),
        (Band::HAlpha, 0.005, 0.05),
        (Band::OIII, 0.005, 0.05),
        (Band::SII, 0.005, 0.05),
        (Band::Opaque, -0.002, 0.003),
    ] {
        let share = sky(band) / luminance;
        assert!((low..high).contains(&share), "{band:?}: {share}");
    }
}

#[test]
fn a_colour_sensor_sees_hydrogen_in_its_red_pixels() {
    let mut scene = scene("imx533");
    scene.sensor = scene.sensor.with_colour(true);
    scene.frame = Frame { x: 1400, y: 1401, width: 200, height: 200, bin_x: 1, bin_y: 1 };
    let picture = take(&scene);
    let kind = |x: usize, y: usize| {
        let of_kind = |(i, value): (usize, &f64)| (i % 2 == x && i / 200 % 2 == y).then_some(*value);
        mean(&picture.iter().enumerate().filter_map(of_kind).collect::<Vec<_>>()) - 500.0
    };
    // The region begins one row down: green blue, red green.
    let (green, blue, red) = (kind(0, 0), kind(1, 0), kind(0, 1));
    assert!(red > 5.0 * green && green > blue, "{red} {green} {blue}");
    assert!((kind(1, 1) / green - 1.0).abs() < 0.1);
}

#[test]
fn eight_bits_are_the_upper_eight_of_sixteen() {
    let sixteen = stars("generic");
    let eight = Scene { sensor: sixteen.sensor.clone().with_bits(8).unwrap(), ..sixteen.clone() };
    let (Pixels::U16(wide), Pixels::U8(narrow)) = (render(&sixteen), render(&eight)) else {
        panic!("wrong pixel types");
    };
    assert!(wide.iter().zip(&narrow).all(|(wide, narrow)| wide >> 8 == u16::from(*narrow)));
    assert!(narrow.contains(&255));
}

#[test]
fn a_flat_divides_the_corners_and_the_dust_out() {
    let base = Scene { gain: 0.0, sky: 15.0, ..stars("imx571") };
    let light =
        Scene { exposure: Duration::from_secs(20), centre: RaDec::j2000(Hours(12.8), Degrees(27.0)), ..base.clone() };
    let flat = take(&Scene { frame_type: FrameType::Flat, exposure: Duration::from_secs(2), ..base });
    let picture = take(&light);
    // Medians of blocks, against stars and noise.
    let block = |picture: &[f64], x: usize, y: usize| {
        let rows = (y..y + 60).flat_map(|row| &picture[row * 6248 + x..][..60]);
        median(&rows.copied().collect::<Vec<_>>()) - 500.0
    };
    let centre = block(&picture, 3100, 2060) / block(&flat, 3100, 2060);
    assert!(block(&flat, 0, 0) < 0.95 * block(&flat, 3100, 2060));
    for (x, y) in [(0, 0), (6180, 0), (100, 4100), (5000, 1000)] {
        let ratio = block(&picture, x, y) / block(&flat, x, y) / centre;
        assert!((ratio - 1.0).abs() < 0.006, "{x},{y}: {ratio}");
    }
}

#[test]
fn the_orion_nebula_stands_out_in_five_seconds() {
    let scene =
        Scene { frame: Frame { x: 2500, y: 1500, width: 1248, height: 1176, bin_x: 1, bin_y: 1 }, ..scene("imx571") };
    let picture = take(&scene);
    let around =
        |x: usize, y: usize| median(&(0..900).map(|i| picture[(y + i / 30) * 1248 + x + i % 30]).collect::<Vec<_>>());
    assert!(around(610, 575) > 1500.0 && around(700, 1000) > 530.0, "{} {}", around(610, 575), around(700, 1000));
}
