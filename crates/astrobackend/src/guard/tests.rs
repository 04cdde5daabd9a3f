//! Each fault is caught in pictures of every type, and good pictures are left in peace.

use super::*;
use crate::{
    device::{BayerPattern, Colour, FrameType},
    image::Pixels,
};
use proptest::prelude::*;

const WIDTH: u32 = 80;
const HEIGHT: u32 = 60;
const TYPES: [&str; 9] = ["u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"];

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_768_512_600 + seconds, 0).unwrap()
}

fn caps(bits: Option<u8>, colour: Colour) -> CameraCaps {
    CameraCaps {
        sensor: Sensor { width: WIDTH, height: HEIGHT, bits_per_pixel: bits, colour, ..Sensor::default() },
        max_bin: (1, 1),
        asymmetric_bin: false,
        exposure: Duration::ZERO..=Duration::MAX,
        exposure_resolution: Duration::ZERO,
        stop: true,
        abort: true,
        cooler: None,
        shutter: false,
        pulse_guide: false,
    }
}

/// Whole numbers from 0 to 15 on top of a level, others for each seed.
fn noise(seed: u64, count: usize, level: u32) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as u32 % 16
    };
    (0..count).map(|_| level + next()).collect()
}

fn pixels(name: &str, values: &[u32]) -> Pixels {
    macro_rules! of {
        ($variant:ident) => {
            Pixels::$variant(values.iter().map(|value| *value as _).collect())
        };
    }
    match name {
        "u8" => of!(U8),
        "i16" => of!(I16),
        "u16" => of!(U16),
        "i32" => of!(I32),
        "u32" => of!(U32),
        "i64" => of!(I64),
        "u64" => of!(U64),
        "f32" => of!(F32),
        _ => of!(F64),
    }
}

fn image(name: &str, values: &[u32], planes: u8) -> Image {
    Image::with_planes(WIDTH, HEIGHT, planes, pixels(name, values)).unwrap()
}

fn good(name: &str, seed: u64) -> Image {
    image(name, &noise(seed, (WIDTH * HEIGHT) as usize, 100), 1)
}

/// A camera and its clock.
struct Scene {
    guard: Guard,
    caps: CameraCaps,
    clock: i64,
}

impl Scene {
    fn new() -> Self {
        Scene { guard: Guard::new(true), caps: caps(None, Colour::Mono), clock: 0 }
    }

    /// Ten seconds of a type, and the picture that comes; `change` is what the peer makes of it.
    fn take(&mut self, frame_type: FrameType, mut image: Image, change: impl FnOnce(&mut Image)) -> Image {
        let exposure = Exposure { duration: seconds(10.0), frame_type };
        let ticket = self.guard.begin(exposure, Frame::full(WIDTH, HEIGHT, 1), &self.caps, at(self.clock));
        image.meta.frame_type = Some(frame_type);
        image.meta.start = Some(at(self.clock));
        image.meta.exposure = Some(exposure.duration);
        change(&mut image);
        self.clock += 12;
        let told = image.meta.exposure;
        ticket.judge(&mut image, at(self.clock), told);
        image
    }

    fn verdict(&mut self, frame_type: FrameType, image: Image) -> Verdict {
        self.take(frame_type, image, |_| {}).meta.verdict.unwrap()
    }

    fn light(&mut self, image: Image) -> Verdict {
        self.verdict(FrameType::Light, image)
    }
}

fn bad(why: &str) -> Verdict {
    Verdict::Bad(why.into())
}

fn suspect(why: &str) -> Verdict {
    Verdict::Suspect(why.into())
}

const ALL: [FrameType; 4] = [FrameType::Light, FrameType::Dark, FrameType::Bias, FrameType::Flat];

#[test]
fn good_frames_of_every_type_are_ok_and_stay_as_they_are() {
    for name in TYPES {
        let mut scene = Scene::new();
        for (n, frame_type) in ALL.into_iter().cycle().take(8).enumerate() {
            let image = good(name, n as u64 + 1);
            let (before, level) = (image.clone(), image.meta.gain);
            let after = scene.take(frame_type, image, |_| {});
            assert_eq!(after.meta.verdict, Some(Verdict::Ok), "{name} {frame_type}");
            assert_eq!(after.meta.exposure_number, Some(n as u64 + 1));
            assert_eq!((after.pixels(), after.meta.gain), (before.pixels(), level));
        }
    }
}

#[test]
fn a_frame_twice_is_bad_in_every_type() {
    for name in TYPES {
        for frame_type in ALL {
            let mut scene = Scene::new();
            assert_eq!(scene.verdict(frame_type, good(name, 1)), Verdict::Ok);
            let again = bad("its pixels are those of the frame before");
            assert_eq!(scene.verdict(frame_type, good(name, 1)), again, "{name}");
            assert_eq!(scene.verdict(frame_type, good(name, 2)), Verdict::Ok, "{name}");
        }
    }
}

#[test]
fn a_large_frame_is_known_by_a_part_of_its_rows() {
    let (width, height) = (2000u32, 3000u32);
    let values = noise(1, (width * height) as usize, 500);
    let image = |values: &[u32]| Image::new(width, height, pixels("u16", values)).unwrap();
    let survey = Survey::of(&image(&values));
    assert!((1 << 20..2 << 20).contains(&survey.pixels), "{}", survey.pixels);
    assert_eq!(survey, Survey::of(&image(&values)));
    assert_ne!(survey.fingerprint, Survey::of(&image(&noise(2, values.len(), 500))).fingerprint);
    // The last row of all is looked at even where it is not in the sample.
    let mut cut = values.clone();
    cut[(width * (height - 1)) as usize..].fill(0);
    assert_eq!(Survey::of(&image(&cut)).tail, Some(survey::Tail { plane: 0, row: height as usize - 1, value: 0.0 }));
}

#[test]
fn black_and_constant_frames_by_the_rules_of_their_type() {
    let count = (WIDTH * HEIGHT) as usize;
    for name in TYPES {
        let verdict = |frame_type, value: u32| Scene::new().verdict(frame_type, image(name, &vec![value; count], 1));
        for lit in [FrameType::Light, FrameType::Flat] {
            assert_eq!(verdict(lit, 0), bad("all its pixels are 0"), "{name}");
            let seven = if name == "u8" { suspect("all its pixels are 7") } else { bad("all its pixels are 7") };
            assert_eq!(verdict(lit, 7), seven, "{name}");
        }
        for dark in [FrameType::Dark, FrameType::Bias] {
            assert_eq!(verdict(dark, 0), suspect("all its pixels are 0: the offset may be too small"), "{name}");
            let seven = if name == "u8" { Verdict::Ok } else { suspect("all its pixels are 7") };
            assert_eq!(verdict(dark, 7), seven, "{name}");
        }
    }
}

#[test]
fn nearly_black_is_bad_unless_eight_bits_may_be() {
    let mut values = vec![0; (WIDTH * HEIGHT) as usize];
    values[3000] = 200;
    for name in TYPES {
        let expected = if name == "u8" { Verdict::Ok } else { bad("99.98 % of its pixels are 0") };
        assert_eq!(Scene::new().light(image(name, &values, 1)), expected, "{name}");
        assert_eq!(Scene::new().verdict(FrameType::Dark, image(name, &values, 1)), Verdict::Ok, "{name}");
    }
}

#[test]
fn a_missing_end_is_bad_in_every_type() {
    for name in TYPES {
        for (from, why) in
            [(30u32, "rows 31 to 60 are all 0"), (59, "row 60 is all 0"), (45, "rows 46 to 60 are all 0")]
        {
            let mut values = noise(1, (WIDTH * HEIGHT) as usize, 100);
            // It ends within a row.
            values[(WIDTH * from) as usize - 11..].fill(0);
            for frame_type in ALL {
                assert_eq!(Scene::new().verdict(frame_type, image(name, &values, 1)), bad(why), "{name}");
            }
        }
    }
}

#[test]
fn the_end_of_each_plane_counts() {
    let plane = (WIDTH * HEIGHT) as usize;
    for name in TYPES {
        let whole = noise(1, 3 * plane, 100);
        assert_eq!(Scene::new().light(image(name, &whole, 3)), Verdict::Ok);
        let mut cut = whole.clone();
        cut[2 * plane - 160..2 * plane].fill(3);
        assert_eq!(Scene::new().light(image(name, &cut, 3)), bad("rows 59 to 60 of plane 2 are all 3"), "{name}");
        let mut missing = whole.clone();
        missing[2 * plane..].fill(0);
        assert_eq!(Scene::new().light(image(name, &missing, 3)), suspect("plane 3 is all 0"), "{name}");
    }
}

#[test]
fn an_end_without_noise_is_no_missing_end_where_there_is_none_above() {
    let count = (WIDTH * HEIGHT) as usize;
    // A planet on a black sky of eight bits.
    let mut planet = vec![0; count];
    for row in 5..30 {
        let values = noise(row as u64, 20, 100);
        planet[row * 80 + 30..row * 80 + 50].copy_from_slice(&values);
    }
    assert_eq!(Scene::new().light(image("u8", &planet, 1)), Verdict::Ok);
    // A limb that saturates from a row on.
    let mut limb = noise(1, count, 60_000);
    limb[40 * 80..].fill(65_535);
    assert_eq!(Scene::new().light(image("u16", &limb, 1)), Verdict::Ok);
    // An even sky of 2, which ends.
    let mut sky = vec![2; count];
    sky[100] = 50;
    sky[50 * 80..].fill(0);
    assert_eq!(Scene::new().light(image("u8", &sky, 1)), bad("rows 51 to 60 are all 0"));
    // Floats that are none.
    let mut values: Vec<f32> = noise(1, count, 100).iter().map(|value| *value as f32).collect();
    values[50 * 80..].fill(f32::NAN);
    let image = Image::new(WIDTH, HEIGHT, Pixels::F32(values)).unwrap();
    assert_eq!(Scene::new().light(image), bad("rows 51 to 60 are all NaN"));
}

#[test]
fn saturation_is_suspect_by_the_type_and_by_what_the_camera_says() {
    let count = (WIDTH * HEIGHT) as usize;
    let all = |value: u32| suspect(&format!("all its pixels are saturated, {value}"));
    assert_eq!(Scene::new().light(image("u16", &vec![65_535; count], 1)), all(65_535));
    assert_eq!(Scene::new().verdict(FrameType::Flat, image("u8", &vec![255; count], 1)), all(255));
    for value in [65_000, 4095] {
        assert_eq!(Scene::new().verdict(FrameType::Flat, image("u16", &vec![value; count], 1)), all(value));
    }
    let told = |values: &[u32]| {
        let change = |image: &mut Image| image.meta.max_adu = Some(4095);
        Scene::new().take(FrameType::Light, image("i32", values, 1), change).meta.verdict.unwrap()
    };
    assert_eq!(told(&vec![4095; count]), all(4095));
    let mut nearly = vec![4095; count];
    nearly[7] = 4000;
    assert_eq!(told(&nearly), suspect("99.98 % of its pixels are saturated"));
}

#[test]
fn another_size_type_or_number_of_planes_is_told() {
    let mut scene = Scene::new();
    let smaller = Image::new(40, 60, pixels("u16", &noise(1, 2400, 100))).unwrap();
    assert_eq!(scene.light(smaller), bad("it has 40x60 pixels, not 80x60"));
    let mut scene = Scene { caps: caps(Some(16), Colour::Bayer(BayerPattern::Rggb)), ..Scene::new() };
    assert_eq!(scene.light(good("u16", 1)), Verdict::Ok);
    assert_eq!(scene.light(good("u8", 2)).why().unwrap().split(';').count(), 2);
    assert_eq!(scene.light(good("i32", 3)), suspect("its pixels are i32, those of the frame before u8"));
    let planes = image("i32", &noise(4, 3 * 4800, 100), 3);
    assert_eq!(scene.light(planes), suspect("it has 3 planes, the frame before 1"));
    let mut colour = Scene { caps: caps(None, Colour::Planes), ..Scene::new() };
    assert_eq!(colour.light(good("u16", 1)), suspect("it has one plane, not three"));
    // A server that sends what fits: nobody said that the type stays.
    let mut fitting = Scene::new();
    assert_eq!((fitting.light(good("u8", 1)), fitting.light(good("u16", 2))), (Verdict::Ok, Verdict::Ok));
}

#[test]
fn the_exposure_time_may_be_rounded_and_no_more() {
    let told = |told: f64| {
        let change = |image: &mut Image| image.meta.exposure = Some(seconds(told));
        Scene::new().take(FrameType::Dark, good("u16", 1), change).meta.verdict.unwrap()
    };
    for good in [10.0, 10.19, 9.81] {
        assert_eq!(told(good), Verdict::Ok);
    }
    assert_eq!(told(7.5), suspect("it was exposed for 7.5 s, not 10 s"));
    assert_eq!(told(12.0), suspect("it was exposed for 12 s, not 10 s"));
    let guard = Guard::new(true);
    let mut ticket =
        guard.begin(Exposure::light(seconds(10.0)), Frame::full(WIDTH, HEIGHT, 1), &caps(None, Colour::Mono), at(0));
    ticket.stop();
    let mut image = good("u16", 1);
    ticket.judge(&mut image, at(5), Some(seconds(4.0)));
    assert_eq!(image.meta.verdict, Some(Verdict::Ok), "it was stopped");
}

#[test]
fn a_start_at_another_time_is_suspect() {
    let shifted = |scene: &mut Scene, seed, by: i64| {
        let change = |image: &mut Image| {
            image.meta.start = Some(at(by + image.meta.start.unwrap().as_second() - at(0).as_second()))
        };
        scene.take(FrameType::Light, good("u16", seed), change).meta.verdict.unwrap()
    };
    // Clocks that differ by as much in each frame.
    for by in [0, -200, 250] {
        let mut scene = Scene::new();
        for seed in 1..4 {
            assert_eq!(shifted(&mut scene, seed, by), Verdict::Ok, "{by}");
        }
    }
    let text = |verdict: Verdict| verdict.why().unwrap_or_default().to_owned();
    assert!(text(shifted(&mut Scene::new(), 1, -7200)).contains("2.0 h before the command"));
    assert!(text(shifted(&mut Scene::new(), 1, 90_012)).contains("25.0 h after it came"));
    let mut jump = Scene::new();
    assert_eq!(shifted(&mut jump, 1, 0), Verdict::Ok);
    assert!(text(shifted(&mut jump, 2, -60)).contains("48.0 s too early"));
    assert_eq!(shifted(&mut jump, 3, -60), Verdict::Ok, "the new time is as good");
    assert!(text(shifted(&mut jump, 4, 60)).contains("108.0 s too late"));
}

#[test]
fn what_a_guard_nearer_to_the_camera_said_stays() {
    let take = |scene: &mut Scene, image, number, upstream: Verdict| {
        let change = |image: &mut Image| {
            // Of another time, which that guard has seen to.
            image.meta.start = Some(at(-100_000));
            image.meta.exposure_number = Some(number);
            image.meta.verdict = Some(upstream);
        };
        let image = scene.take(FrameType::Light, image, change);
        (image.meta.exposure_number.unwrap(), image.meta.verdict.unwrap())
    };
    let mut scene = Scene::new();
    assert_eq!(take(&mut scene, good("u16", 1), 7, Verdict::Ok), (7, Verdict::Ok));
    assert_eq!(take(&mut scene, good("u16", 2), 8, bad("it smells")), (8, bad("it smells")));
    let both = bad("its pixels are those of the frame before; it looks odd");
    assert_eq!(take(&mut scene, good("u16", 2), 9, suspect("it looks odd")), (9, both));
    let again = bad("it is exposure 9 of the camera once more");
    assert_eq!(take(&mut scene, good("u16", 3), 9, Verdict::Ok), (9, again));
}

#[test]
fn an_exposure_may_be_judged_again() {
    let guard = Guard::new(true);
    let begin = || {
        let exposure = Exposure::light(seconds(1.0));
        guard.begin(exposure, Frame::full(WIDTH, HEIGHT, 1), &caps(None, Colour::Mono), at(0))
    };
    let judge = |ticket: &Ticket, seed| {
        let mut image = good("u16", seed);
        ticket.judge(&mut image, at(2), None);
        image.meta.verdict.unwrap()
    };
    let (first, second) = (begin(), begin());
    assert!(judge(&first, 1).is_ok() && judge(&first, 1).is_ok() && judge(&second, 2).is_ok());
    assert!(judge(&second, 2).is_ok() && judge(&second, 1).is_bad());
}

#[test]
fn off_is_off() {
    let mut image = image("u16", &[0; 4800], 1);
    let ticket = Guard::new(false).unasked();
    assert_eq!(ticket.judge(&mut image, at(0), None), None);
    assert_eq!((image.meta.verdict, image.meta.exposure_number), (None, Some(1)));
}

#[test]
fn verdicts_are_read_as_they_are_written() {
    for verdict in [Verdict::Ok, suspect("rows 2 to 3: odd"), bad("black")] {
        assert_eq!(verdict.to_string().parse::<Verdict>().unwrap(), verdict);
        let json = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
    }
    assert!("fine".parse::<Verdict>().is_err());
}

proptest! {
    #[test]
    fn judging_neither_panics_nor_changes_a_picture(
        kind in 0..TYPES.len(),
        size in (1u32..70, 1u32..70, prop_oneof![Just(1u8), Just(3)]),
        asked in (0u32..70, 0u32..70),
        bytes in proptest::collection::vec(any::<u8>(), 1..64),
        fill in (any::<prop::sample::Index>(), any::<u8>()),
        times in (any::<i32>(), any::<i32>(), any::<u64>()),
        max in proptest::option::of(any::<u32>()),
        frame_type in proptest::option::of(prop::sample::select(ALL.to_vec())),
    ) {
        let (width, height, planes) = size;
        let count = (width * height * u32::from(planes)) as usize;
        let each = |n: usize| bytes[n % bytes.len()];
        let cut = fill.0.index(count + 1);
        // Any bits at all, also those of floats that are no numbers.
        let raw = |size: usize| -> Vec<u8> {
            (0..count * size).map(|n| if n < cut * size { each(n) } else { fill.1 }).collect()
        };
        macro_rules! of {
            ($variant:ident, $type:ty) => {
                Pixels::$variant(raw(size_of::<$type>()).chunks_exact(size_of::<$type>()).map(bytemuck::pod_read_unaligned::<$type>).collect())
            };
        }
        let pixels = match TYPES[kind] {
            "u8" => of!(U8, u8),
            "i16" => of!(I16, i16),
            "u16" => of!(U16, u16),
            "i32" => of!(I32, i32),
            "u32" => of!(U32, u32),
            "i64" => of!(I64, i64),
            "u64" => of!(U64, u64),
            "f32" => of!(F32, f32),
            _ => of!(F64, f64),
        };
        let guard = Guard::new(true);
        for start in [times.0, times.1] {
            let mut image = Image::with_planes(width, height, planes, pixels.clone()).unwrap();
            image.meta.max_adu = max;
            image.meta.frame_type = frame_type;
            image.meta.start = Timestamp::new(i64::from(start), 0).ok();
            let frame = Frame { x: 0, y: 0, width: asked.0, height: asked.1, bin_x: 1, bin_y: 1 };
            let exposure = Exposure::light(Duration::from_micros(times.2));
            let ticket = guard.begin(exposure, frame, &caps(Some(times.1 as u8), Colour::Mono), at(i64::from(times.1)));
            let news = ticket.judge(&mut image, at(i64::from(times.0)), Some(Duration::from_micros(times.2 / 2)));
            prop_assert!(news.is_some() && image.meta.verdict.is_some());
            prop_assert_eq!(format!("{:?}", image.pixels()), format!("{:?}", &pixels));
        }
    }
}
