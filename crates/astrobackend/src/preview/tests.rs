use super::*;
use crate::{ErrorKind, device::BayerPattern};
use proptest::prelude::*;

const FULL: Options = Options { max_edge: None, stretch: Stretch::Linear };
const PATTERNS: [BayerPattern; 4] = [BayerPattern::Rggb, BayerPattern::Grbg, BayerPattern::Gbrg, BayerPattern::Bggr];

/// A sky of 1000 with a noise of about 20, the same on every run, and a star of 60000 in the middle.
fn field(width: u32, height: u32) -> Image {
    let mut state = 12345_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as u16 % 21
    };
    let mut pixels: Vec<u16> =
        (0..width * height).map(|_| 950 + noise() + noise() + noise() + noise() + noise()).collect();
    pixels[(height / 2 * width + width / 2) as usize] = 60_000;
    Image::new(width, height, Pixels::U16(pixels)).unwrap()
}

fn auto(linked: bool) -> Options {
    Options { max_edge: None, stretch: Stretch::Auto { background: 0.25, linked } }
}

#[test]
fn the_sky_gets_the_wanted_brightness_and_the_star_stays_white() {
    for background in [0.1, 0.25, 0.5] {
        let options = Options { max_edge: None, stretch: Stretch::Auto { background, linked: false } };
        let preview = render(&field(101, 99), &options).unwrap();
        let mut sorted = preview.data.clone();
        sorted.sort_unstable();
        let median = f64::from(sorted[sorted.len() / 2]) / 255.0;
        assert!((median - background).abs() < 0.02, "{median}");
        assert!(preview.data[49 * 101 + 50] > 250);
        assert!(sorted[sorted.len() / 500] < 20, "the darkest of the sky is nearly black");
    }
}

#[test]
fn statistics_are_those_of_the_pixels() {
    let image = Image::new(5, 1, Pixels::I32(vec![-4, 0, 1, 2, 101])).unwrap();
    let expected = Stats { min: -4.0, max: 101.0, mean: 20.0, median: 1.0, mad: 1.0, mean_deviation: 21.4 };
    assert_eq!(statistics(&image), [expected]);
    let large = field(3000, 2000);
    let [stats] = statistics(&large)[..] else { panic!("one channel") };
    assert!((stats.median - 1000.0).abs() <= 1.0 && (stats.mad - 9.0).abs() <= 1.0, "{stats:?}");
}

#[test]
fn a_bright_picture_is_stretched_in_mirror_image() {
    let dark = field(101, 99);
    let Pixels::U16(pixels) = dark.pixels() else { panic!("u16") };
    let bright = Image::new(101, 99, Pixels::U16(pixels.iter().map(|p| 65_535 - p).collect())).unwrap();
    let (dark, bright) = (render(&dark, &auto(false)).unwrap(), render(&bright, &auto(false)).unwrap());
    for (a, b) in dark.data.iter().zip(&bright.data) {
        assert!((i16::from(*a) + i16::from(*b) - 255).abs() <= 1, "{a} {b}");
    }
}

#[test]
fn blocks_are_averaged_in_place() {
    let image =
        Image::new(5, 4, Pixels::U8(vec![10, 20, 50, 50, 9, 30, 40, 50, 50, 9, 0, 0, 4, 4, 9, 0, 0, 8, 8, 9])).unwrap();
    let preview = render(&image, &Options { max_edge: Some(3), ..FULL }).unwrap();
    assert_eq!((preview.width, preview.height), (2, 2));
    assert_eq!(preview.data, [25, 50, 0, 6]);
}

#[test]
fn colours_are_right_for_every_pattern_and_scale() {
    let (red, green, blue) = (200_u8, 120, 40);
    for pattern in PATTERNS {
        let colour = |x, y| match pattern.shifted(x, y) {
            BayerPattern::Rggb => red,
            BayerPattern::Bggr => blue,
            _ => green,
        };
        let pixels = (0..60).flat_map(|y| (0..80).map(move |x| colour(x, y))).collect();
        let mut image = Image::new(80, 60, Pixels::U8(pixels)).unwrap();
        image.meta.bayer = Some(pattern);
        for (max_edge, size) in [(None, (80, 60)), (Some(40), (40, 30)), (Some(30), (20, 15)), (Some(1), (1, 1))] {
            let preview = render(&image, &Options { max_edge, ..FULL }).unwrap();
            assert_eq!((preview.width, preview.height, preview.channels), (size.0, size.1, 3), "{pattern}");
            assert!(preview.data.chunks(3).all(|pixel| pixel == [red, green, blue]), "{pattern} {max_edge:?}");
        }
        let means: Vec<f64> = statistics(&image).iter().map(|stats| stats.mean).collect();
        assert_eq!(means, [200.0, 120.0, 40.0], "{pattern}");
    }
}

#[test]
fn three_planes_are_red_green_and_blue() {
    let image = Image::with_planes(2, 1, 3, Pixels::U8(vec![1, 2, 3, 4, 5, 6])).unwrap();
    let preview = render(&image, &FULL).unwrap();
    assert_eq!((preview.channels, preview.data), (3, vec![1, 3, 5, 2, 4, 6]));
}

#[test]
fn linked_keeps_the_colour_of_the_sky_and_unlinked_makes_it_grey() {
    let mono = field(100, 100);
    let Pixels::U16(sky) = mono.pixels() else { panic!("u16") };
    let planes = [1, 2, 3].iter().flat_map(|factor| sky.iter().map(move |p| (p / 4) * factor)).collect();
    let image = Image::with_planes(100, 100, 3, Pixels::U16(planes)).unwrap();
    let mean = |preview: &Preview, channel| {
        preview.data.iter().skip(channel).step_by(3).map(|v| f64::from(*v)).sum::<f64>() / 10_000.0
    };
    let unlinked = render(&image, &auto(false)).unwrap();
    assert!((mean(&unlinked, 0) - mean(&unlinked, 2)).abs() < 3.0);
    let linked = render(&image, &auto(true)).unwrap();
    assert!(mean(&linked, 0) + 50.0 < mean(&linked, 2), "{} {}", mean(&linked, 0), mean(&linked, 2));
}

#[test]
fn white_is_the_cameras_limit_when_nothing_is_stretched() {
    let mut image = Image::new(2, 1, Pixels::I32(vec![0, 4095])).unwrap();
    assert_eq!(render(&image, &FULL).unwrap().data, [0, 16]);
    image.meta.max_adu = Some(4095);
    assert_eq!(render(&image, &FULL).unwrap().data, [0, 255]);
    image.meta.max_adu = Some(255);
    assert_eq!(render(&image, &FULL).unwrap().data, [0, 255], "the pixels disprove the limit");
    let image = Image::new(3, 1, Pixels::F32(vec![-1.0, 0.0, 1.0])).unwrap();
    assert_eq!(render(&image, &FULL).unwrap().data, [0, 128, 255]);
}

#[test]
fn a_coarsely_digitised_sky_is_not_torn_into_black_and_white() {
    let mut pixels = vec![100_u8; 1000];
    pixels.iter_mut().step_by(4).for_each(|p| *p = 101);
    pixels[500] = 255;
    let preview = render(&Image::new(50, 20, Pixels::U8(pixels)).unwrap(), &auto(false)).unwrap();
    assert!((40..90).contains(&preview.data[1]), "{}", preview.data[1]);
    assert!((40..250).contains(&preview.data[0]), "{}", preview.data[0]);
}

#[test]
fn odd_pictures_do_not_upset_it() {
    let nothing = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].repeat(4);
    let preview = render(&Image::new(4, 3, Pixels::F32(nothing)).unwrap(), &auto(false)).unwrap();
    assert_eq!((preview.data, preview.stats), (vec![0; 12], vec![Stats::default()]));
    for value in [0, 7, u64::MAX] {
        let preview = render(&Image::new(3, 2, Pixels::U64(vec![value; 6])).unwrap(), &auto(false)).unwrap();
        assert!(preview.data.iter().all(|p| *p == preview.data[0]));
    }
    let wide = Image::new(10_000, 1, Pixels::U8(vec![3; 10_000])).unwrap();
    assert_eq!(render(&wide, &Options::default()).unwrap().height, 1);
}

#[test]
fn nonsense_options_are_refused() {
    let image = field(10, 10);
    for background in [0.0, 1.0, -0.1, f64::NAN] {
        let options = Options { max_edge: None, stretch: Stretch::Auto { background, linked: true } };
        assert_eq!(render(&image, &options).unwrap_err().kind(), ErrorKind::InvalidValue);
    }
    assert_eq!(render(&image, &Options { max_edge: Some(0), ..FULL }).unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[test]
fn the_png_holds_the_picture_and_is_not_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m42.png");
    let mut image = field(64, 48);
    for bayer in [None, Some(BayerPattern::Grbg)] {
        image.meta.bayer = bayer;
        let preview = render(&image, &Options::default()).unwrap();
        preview.write_png(&path, true).unwrap();
        let file = io::BufReader::new(std::fs::File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut data).unwrap();
        assert_eq!((info.width, info.height), (64, 48));
        assert_eq!(data, preview.data);
        assert_eq!(preview.write_png(&path, false).unwrap_err().kind(), ErrorKind::Io);
    }
}

fn any_image() -> impl Strategy<Value = Image> {
    let bayer = prop::option::of(prop::sample::select(&PATTERNS[..]));
    let planes = prop::sample::select(&[1_u8, 3][..]);
    (1..12_u32, 1..12_u32, planes, bayer, prop::option::of(any::<u32>())).prop_flat_map(
        |(width, height, planes, bayer, max_adu)| {
            let count = (width * height) as usize * usize::from(planes);
            let pixels = prop_oneof![
                prop::collection::vec(any::<f64>(), count).prop_map(Pixels::F64),
                prop::collection::vec(prop::num::f32::ANY, count).prop_map(Pixels::F32),
                prop::collection::vec(any::<i16>(), count).prop_map(Pixels::I16),
                prop::collection::vec(any::<i64>(), count).prop_map(Pixels::I64),
                prop::collection::vec(any::<u64>(), count).prop_map(Pixels::U64),
                prop::collection::vec(prop::sample::select(&[-1.0, 0.0, f32::NAN, 5e-39][..]), count)
                    .prop_map(Pixels::F32),
            ];
            pixels.prop_map(move |pixels| {
                let mut image = Image::with_planes(width, height, planes, pixels).unwrap();
                (image.meta.bayer, image.meta.max_adu) = (bayer, max_adu);
                image
            })
        },
    )
}

proptest! {
    #[test]
    fn any_picture_can_be_looked_at(
        image in any_image(), edge in prop::option::of(1..15_u32), linked: bool, background in 0.01..0.99,
    ) {
        for stretch in [Stretch::Linear, Stretch::Auto { background, linked }] {
            let preview = render(&image, &Options { max_edge: edge, stretch }).unwrap();
            prop_assert!(preview.width.max(preview.height) <= edge.unwrap_or(15));
            let expected = preview.width as usize * preview.height as usize * usize::from(preview.channels);
            prop_assert_eq!(preview.data.len(), expected);
            for s in &preview.stats {
                prop_assert!([s.min, s.max, s.mean, s.median, s.mad, s.mean_deviation].iter().all(|v| v.is_finite()));
                prop_assert!(s.min <= s.median && s.median <= s.max);
            }
        }
    }

    #[test]
    fn brighter_never_looks_darker(mut values in prop::collection::vec(-1e6_f32..1e6, 2..50)) {
        values.sort_by(f32::total_cmp);
        let image = Image::new(values.len() as u32, 1, Pixels::F32(values)).unwrap();
        prop_assert!(render(&image, &auto(false)).unwrap().data.is_sorted());
    }
}
