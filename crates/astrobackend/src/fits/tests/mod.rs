//! What goes in comes out, and nothing that comes in can break the reader.

mod any;
mod foreign;
mod keywords;
mod packed;

use super::{read::PixelSource, *};
use crate::{
    Celsius, ErrorKind, Image,
    device::{BayerPattern, FrameType},
    guard::Verdict,
    image::{Frame, ImageMeta, Pixels},
};
use std::time::Duration;

fn records(header: &Header) -> Vec<u8> {
    let mut bytes: Vec<u8> = header.cards().iter().flat_map(print::lines).flat_map(String::into_bytes).collect();
    bytes.extend(format!("{:80}", "END").into_bytes());
    bytes
}

fn file(image: &Image, header: &Header) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    write_to(&mut bytes, image, header).unwrap();
    assert!(*bytes.get_ref() == to_vec(image, header));
    bytes.into_inner()
}

fn small() -> Image {
    Image::new(3, 2, Pixels::U16(vec![0, 1, 2, 40_000, 65_534, 65_535])).unwrap()
}

fn all_types() -> Vec<Pixels> {
    vec![
        Pixels::U8(vec![0, 1, 2, 127, 128, 255]),
        Pixels::I16(vec![i16::MIN, -1, 0, 1, 2, i16::MAX]),
        Pixels::U16(vec![0, 1, 2, 32_767, 32_768, u16::MAX]),
        Pixels::I32(vec![i32::MIN, -1, 0, 1, 70_000, i32::MAX]),
        Pixels::U32(vec![0, 1, 2, 1 << 31, 3, u32::MAX]),
        Pixels::I64(vec![i64::MIN, -1, 0, 1, 2, i64::MAX]),
        Pixels::U64(vec![0, 1, 2, 1 << 63, 3, u64::MAX]),
        Pixels::F32(vec![0.0, -1.5, f32::MAX, f32::MIN_POSITIVE, 1e-7, f32::INFINITY]),
        Pixels::F64(vec![0.0, -1.5, f64::MAX, f64::MIN_POSITIVE, 1e-7, f64::NEG_INFINITY]),
    ]
}

/// A camera's word on a picture, everything known.
fn known(width: u32, height: u32) -> ImageMeta {
    ImageMeta {
        camera: Some("Simulated camera".into()),
        camera_id: Some("sim-1".into()),
        frame_type: Some(FrameType::Flat),
        start: Some("2026-01-15T22:59:59.25Z".parse().unwrap()),
        exposure: Some(Duration::from_millis(2500)),
        frame: Some(Frame { x: 3, y: 5, width, height, bin_x: 2, bin_y: 2 }),
        pixel_size: Some((3.76, 3.76)),
        bayer: Some(BayerPattern::Gbrg),
        gain: Some(100.0),
        offset: Some(12.5),
        electrons_per_adu: Some(0.78),
        max_adu: Some(65_535),
        readout_mode: Some("High gain".into()),
        temperature: Some(Celsius(-9.97)),
        set_point: Some(Celsius(-10.0)),
        exposure_number: Some(7),
        verdict: Some(Verdict::Suspect("rows 2 to 3 are 'odd': ".to_owned() + &"and long, ".repeat(20) + "too")),
        header: Header::new(),
    }
}

#[test]
fn every_pixel_type_comes_back_equal() {
    for pixels in all_types() {
        let image = Image::new(2, 3, pixels).unwrap();
        let bytes = file(&image, &Header::new());
        assert_eq!(bytes.len() % BLOCK, 0);
        assert_eq!(checksum::of_bytes(&bytes), u32::MAX, "{}", image.pixels().type_name());
        let (copy, _) = parse(&bytes).unwrap();
        assert_eq!(copy.pixels(), image.pixels());
        assert_eq!((copy.width(), copy.height(), copy.planes()), (2, 3, 1));
    }
}

#[test]
fn planes_and_more_pixels_than_a_buffer_holds_come_back() {
    let pixels: Vec<u16> = (0..3 * 501 * 333u32).map(|n| (n * 31) as u16).collect();
    let image = Image::with_planes(501, 333, 3, Pixels::U16(pixels)).unwrap();
    let bytes = file(&image, &Header::new());
    assert_eq!(checksum::of_bytes(&bytes), u32::MAX);
    let (copy, header) = parse(&bytes).unwrap();
    assert_eq!((copy.planes(), copy.pixels()), (3, image.pixels()));
    assert_eq!(header.integer("NAXIS3"), Some(3));
}

#[test]
fn pixels_across_the_readers_buffer_come_back() {
    let image = Image::new(5, 7, Pixels::U32((0..35).collect())).unwrap();
    let bytes = file(&image, &Header::new());
    let small_steps = std::io::BufReader::with_capacity(3, &bytes[..]);
    let mut input = input::Input::new(small_steps, bytes.len() as u64);
    input.header().unwrap();
    assert_eq!(input.pixels(35, |p: u32| p).unwrap(), (0..35).collect::<Vec<u32>>());
}

#[test]
fn ascoms_integers_are_written_as_small_as_they_are() {
    let written = |pixels: Vec<i32>, max_adu| {
        let mut image = Image::new(2, 1, Pixels::I32(pixels)).unwrap();
        image.meta.max_adu = max_adu;
        let (copy, _) = parse(&file(&image, &Header::new())).unwrap();
        copy.into_pixels()
    };
    assert_eq!(written(vec![0, 65_535], None), Pixels::U16(vec![0, 65_535]));
    assert_eq!(written(vec![-32_768, 32_767], None), Pixels::I16(vec![-32_768, 32_767]));
    assert_eq!(written(vec![-1, 65_535], None), Pixels::I32(vec![-1, 65_535]));
    assert_eq!(written(vec![0, 65_536], Some(65_535)), Pixels::I32(vec![0, 65_536]));
    assert_eq!(written(vec![0, 1], Some(1 << 20)), Pixels::I32(vec![0, 1]));
}

#[test]
fn files_are_read_back_and_errors_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fits");
    write(&path, &small(), &Header::new(), false).unwrap();
    assert_eq!(read(&path).unwrap().0.pixels(), small().pixels());
    assert_eq!(write(&path, &small(), &Header::new(), false).unwrap_err().kind(), ErrorKind::Io);
    let missing = read(folder.path().join("b.fits")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    std::fs::write(&path, "not at all").unwrap();
    let error = read(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("a.fits"), "{error}");
    assert!(read(folder.path()).is_err());
}
