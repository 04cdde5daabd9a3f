//! What goes in comes out, and nothing that comes in can break the reader.

use super::{read::PixelSource, *};
use crate::{
    Celsius, Degrees, Error, ErrorKind, Hours, Image, Metres, Microns, RaDec, Site,
    device::{BayerPattern, FrameType, PierSide},
    image::{Frame, ImageMeta, Pixels},
    observation::Observation,
};
use proptest::prelude::*;
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
fn what_the_camera_knew_comes_back() {
    let mut image = Image::new(3, 2, Pixels::U16(vec![7; 6])).unwrap();
    image.meta = known(3, 2);
    let header = header(&image, &Observation::default());
    let (copy, _) = parse(&file(&image, &header)).unwrap();
    assert_eq!(format!("{:?}", ImageMeta { header: Header::new(), ..copy.meta }), format!("{:?}", image.meta));
}

#[test]
fn keywords_of_a_complete_observation() {
    let mut image = Image::new(3, 2, Pixels::U16(vec![7; 6])).unwrap();
    image.meta = known(3, 2);
    let observation = Observation {
        object: Some("M 42".into()),
        target: Some(RaDec::j2000(Hours(23.999_999_99), Degrees(-0.5))),
        site: Some(Site { latitude: Degrees(28.3), longitude: Degrees(-16.5), elevation: Metres(2390.0) }),
        focal_length: Some(Metres(0.53)),
        aperture: Some(Metres(0.106)),
        pointing: Some(RaDec::j2000(Hours(5.588), Degrees(-5.391))),
        pier_side: PierSide::West,
        focus_position: Some(25_000),
        focus_step: Some(Microns(0.2)),
        focus_temperature: Some(Celsius(f64::NAN)),
        site_name: Some("Teide".into()),
        camera_address: Some("sim:///Camera".into()),
        ..Observation::default()
    };
    let header = header(&image, &observation);
    let text = |keyword| header.text(keyword).unwrap_or_default();
    assert_eq!(text("IMAGETYP"), "Flat Frame");
    assert_eq!(text("DATE-OBS"), "2026-01-15T22:59:59.250");
    assert_eq!(text("DATE-AVG"), "2026-01-15T23:00:00.500");
    assert_eq!(text("DATE-END"), "2026-01-15T23:00:01.750");
    assert_eq!(text("OBJCTRA"), "00 00 00.00");
    assert_eq!(text("OBJCTDEC"), "-00 30 00.0");
    assert_eq!(text("PIERSIDE"), "WEST");
    assert_eq!(header.real("MJD-AVG"), Some(61_055.958_339_120_37));
    assert_eq!((header.real("XPIXSZ"), header.integer("XORGSUBF")), (Some(7.52), Some(3)));
    assert_eq!((header.real("RA"), header.real("DEC")), (Some(83.82), Some(-5.391)));
    assert_eq!((header.real("FOCALLEN"), header.real("FOCRATIO")), (Some(530.0), Some(5.0)));
    assert_eq!((header.integer("FOCUSPOS"), header.integer("FOCPOS")), (Some(25_000), Some(25_000)));
    assert_eq!(header.get("FOCTEMP"), None);
    assert_eq!(header.real("FOCUSSZ"), Some(0.2));
    assert_eq!((text("SITENAME"), text("OBSERVAT")), ("Teide", "Teide"));
    assert_eq!((text("BAYERPAT"), text("COLORTYP")), ("GBRG", "GBRG"));
    assert_eq!(header.get("DARKTIME"), None, "of a flat");
    assert!(header.real("CENTALT").is_some_and(|alt| (30.0..65.0).contains(&alt)));
    assert!(header.real("AIRMASS").is_some_and(|airmass| (1.0..2.0).contains(&airmass)));
    for card in header.cards() {
        assert!(print::lines(card).concat().contains(&card.comment), "cut off: {card:?}");
    }
    assert!(header.cards().iter().any(|card| card.keyword == "HISTORY" && card.comment.contains("sim:///Camera")));
}

#[test]
fn a_mounts_coordinates_of_date_become_those_of_2000() {
    let mut image = small();
    let place = RaDec::j2000(Hours(5.588), Degrees(-5.391));
    let observation = |at: &str| {
        let pointing = place.to(crate::Equinox::OfDate, at.parse().unwrap()).unwrap();
        Observation { pointing: Some(pointing), ..Observation::default() }
    };
    let unknown = header(&image, &observation("2026-01-15T23:00:00Z"));
    assert_eq!(unknown.real("RA"), None, "without a time nothing is known");
    image.meta = known(3, 2);
    let header = header(&image, &observation("2026-01-15T23:00:00.5Z"));
    assert!((header.real("RA").unwrap() - 83.82).abs() < 1e-6);
    assert!((header.real("DEC").unwrap() + 5.391).abs() < 1e-6);
}

#[test]
fn nothing_known_is_nothing_written() {
    let header = header(&small(), &Observation::default());
    let written: Vec<&str> = header.cards().iter().map(|card| card.keyword.as_str()).collect();
    assert_eq!(written, ["DATE", "BUNIT", "ROWORDER", "SWCREATE"]);
}

#[test]
fn the_user_wins_over_us_and_we_over_the_driver() {
    let mut image = small();
    image.meta = known(3, 2);
    image.meta.header.set("GAIN", 7, "of the driver").unwrap();
    image.meta.header.set("MPSAS", 21.2, "of the driver").unwrap();
    image.meta.header.set("NAXIS1", 99, "of the driver").unwrap();
    let mut user = Header::new();
    user.set("OBJECT", "mine", "").unwrap();
    user.set("BITPIX", 8, "").unwrap();
    user.set("NAXIS1", 99, "").unwrap();
    let observation = Observation { object: Some("ours".into()), user, ..Observation::default() };
    let composed = header(&image, &observation);
    let (copy, written) = parse(&file(&image, &composed)).unwrap();
    assert_eq!(written.text("OBJECT"), Some("mine"));
    assert_eq!((written.integer("GAIN"), written.real("MPSAS")), (Some(100), Some(21.2)));
    assert_eq!((written.integer("BITPIX"), written.integer("NAXIS1")), (Some(16), Some(3)));
    assert_eq!(copy.pixels(), image.pixels());
}

#[test]
fn texts_are_made_of_what_fits_allows() {
    let mut header = Header::new();
    header.set("OBSERVER", "Jürgen Dvořák\u{1b}[2J\n\u{1F6F0}", "20 °C").unwrap();
    let text = header.text("OBSERVER").unwrap();
    assert!(text.starts_with("Jurgen Dvorak?[2J "), "{text}");
    assert!(text.bytes().all(|b| (0x20..0x7F).contains(&b)));
    let refused = header.set("GAIN", f64::NAN, "").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidValue);
    for keyword in ["TOO-LONG-ONE", "a b", "Ä", "END", "CONTINUE", "X=1"] {
        assert!(header.set(keyword, 1, "").is_err(), "{keyword}");
    }
    assert!(header.set("HISTORY", 1, "").is_err());
}

#[test]
fn long_lines_go_on() {
    let mut header = Header::new();
    let long = "it's ".repeat(60);
    header.set("LONG", long.as_str(), "a comment").unwrap();
    header.set("LONG2", "x".repeat(130), "a comment that does not fit beside the end of the text").unwrap();
    header.comment(&"word ".repeat(40));
    header.history("");
    let parsed = parse::header(&records(&header)).unwrap();
    assert_eq!(parsed.text("LONG"), Some(long.trim_end()));
    assert_eq!(parsed, header);
    assert_eq!(header.cards().iter().filter(|card| card.keyword == "COMMENT").count(), 3);
}

#[test]
fn what_other_programs_write_is_understood() {
    let line = |text: &str| format!("{text:80}");
    let text = [
        "SIMPLE  =                    T",
        "EXPTIME =               1.5D+1 / exposure",
        "CCD-TEMP=                  nan",
        "gain    = 139",
        "OBJECT  = 'O''Neill''s star'/name",
        "HIERARCH ESO DET CHIP1 ID = 'ccd-44'     / chip",
        "GAIN    = 1 / again",
        "BAD.KEY = 3 / kept as a comment",
        "BIG     = 99999999999999999999",
        "OPEN    = 'no end of it",
        "CONTINUE  'an orphan'",
        "END",
    ];
    let parsed = parse::header(text.map(line).concat().as_bytes()).unwrap();
    assert_eq!(parsed.real("EXPTIME"), Some(15.0));
    assert_eq!(parsed.get("CCD-TEMP"), Some(&Value::None));
    assert_eq!(parsed.integer("GAIN"), Some(139));
    assert_eq!(parsed.text("OBJECT"), Some("O'Neill's star"));
    assert_eq!(parsed.card("OBJECT").unwrap().comment, "name");
    assert_eq!(parsed.text("HIERARCH ESO DET CHIP1 ID"), Some("ccd-44"));
    assert_eq!(parsed.real("BIG"), Some(1e20));
    assert_eq!(parsed.text("OPEN"), Some("no end of it"));
    assert!(parsed.cards().iter().any(|card| card.keyword == "COMMENT" && card.comment.starts_with("BAD.KEY 3")));
    assert_eq!(parse::header(&records(&parsed)).unwrap(), parsed);
}

/// A file made by hand: its cards, then its data.
fn by_hand(cards: &[&str], data: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = cards.iter().flat_map(|card| format!("{card:80}").into_bytes()).collect();
    bytes.extend(format!("{:80}", "END").into_bytes());
    bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

#[test]
fn an_upside_down_bayer_picture_is_turned_over_with_its_pattern() {
    let cards = |rows: &str| {
        let rows = format!("NAXIS2  = {rows}");
        let cards = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 2", rows.as_str()];
        let more = ["ROWORDER= 'BOTTOM-UP'", "BAYERPAT= 'RGGB'", "XBAYROFF= 1", "CRPIX2  = 1.0"];
        by_hand(&[&cards[..], &more[..]].concat(), &[1, 2, 3, 4, 5, 6])
    };
    let (odd, header) = parse(&cards("3")).unwrap();
    assert_eq!(odd.pixels(), &Pixels::U8(vec![5, 6, 3, 4, 1, 2]));
    assert_eq!(odd.meta.bayer, Some(BayerPattern::Grbg));
    assert_eq!((header.text("ROWORDER"), header.get("CRPIX2")), (Some("TOP-DOWN"), None));
    let (even, _) = parse(&cards("2")).unwrap();
    assert_eq!(even.pixels(), &Pixels::U8(vec![3, 4, 1, 2]));
    assert_eq!(even.meta.bayer, Some(BayerPattern::Bggr));
}

#[test]
fn scaled_integers_become_floats() {
    let scaled = ["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 3", "NAXIS2  = 1"];
    let more = ["BSCALE  = 0.5", "BZERO   = 10", "BLANK   = -1"];
    let (image, _) = parse(&by_hand(&[&scaled[..], &more[..]].concat(), &[0, 4, 0xFF, 0xFF, 0, 0])).unwrap();
    let Pixels::F32(pixels) = image.pixels() else { panic!("{image:?}") };
    assert_eq!((pixels[0], pixels[2]), (12.0, 10.0));
    assert!(pixels[1].is_nan());
}

#[test]
fn an_image_in_an_extension_inherits() {
    let mut bytes = by_hand(&["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0", "EXPTIME = 3.0", "GAIN    = 1"], &[]);
    bytes.extend(by_hand(
        &["XTENSION= 'BINTABLE'", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 5", "NAXIS2  = 1"],
        &[0; 5],
    ));
    let image = ["XTENSION= 'IMAGE'", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 2", "NAXIS2  = 1", "GAIN    = 2"];
    bytes.extend(by_hand(&image, &[8, 9]));
    let (image, header) = parse(&bytes).unwrap();
    assert_eq!(image.pixels(), &Pixels::U8(vec![8, 9]));
    assert_eq!((image.meta.exposure, image.meta.gain), (Some(Duration::from_secs(3)), Some(2.0)));
    assert_eq!(header.text("XTENSION"), Some("IMAGE"));
}

fn refusal(bytes: &[u8]) -> Error {
    parse(bytes).unwrap_err()
}

#[test]
fn damaged_files_are_refused_without_a_large_allocation() {
    let whole = file(&small(), &Header::new());
    let kinds: Vec<ErrorKind> = [0, 1, 79, BLOCK - 1, BLOCK, BLOCK + 11].map(|n| refusal(&whole[..n]).kind()).into();
    assert_eq!(kinds, [ErrorKind::Protocol; 6]);
    assert!(parse(&whole[..BLOCK + 12]).is_ok(), "only the fill of the last block is missing");
    let sized = |columns: &str, rows: &str| {
        let (columns, rows) = (format!("NAXIS1  = {columns}"), format!("NAXIS2  = {rows}"));
        by_hand(&["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", &columns, &rows], &[0; 8])
    };
    for (columns, rows) in [("1000000000000", "1"), ("4000000000", "4000000000"), ("-1", "1"), ("0", "1"), ("2", "''")]
    {
        let error = refusal(&sized(columns, rows));
        assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Unsupported), "{columns}x{rows}: {error}");
    }
    assert!(refusal(&sized("100000", "100000")).to_string().contains("cut off"));
    assert!(refusal(&vec![b' '; 4 * BLOCK]).to_string().contains("no FITS file"));
    let mut endless = b"SIMPLE  =                    T".to_vec();
    endless.resize(400 * BLOCK, b' ');
    assert!(refusal(&endless).to_string().contains("no END"));
    let cube = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 3", "NAXIS1  = 1", "NAXIS2  = 1", "NAXIS3  = 4"];
    assert_eq!(refusal(&by_hand(&cube, &[0; 4])).kind(), ErrorKind::Unsupported);
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

fn value() -> impl Strategy<Value = super::Value> {
    prop_oneof![
        any::<bool>().prop_map(super::Value::Logical),
        any::<i64>().prop_map(super::Value::Integer),
        any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(super::Value::Real),
        "[ -~]{0,200}".prop_map(super::Value::Text),
        "\\PC{0,30}".prop_map(super::Value::Text),
        Just(super::Value::None),
    ]
}

fn keyword() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[A-Z0-9_-]{1,8}", 1 => Just(String::from("COMMENT")), 1 => "HIERARCH [A-Z]{1,8} [A-Z]{1,8}"]
}

/// With comments that no value pushes off the record, if `short`.
fn any_header(comment: &'static str, short: bool) -> impl Strategy<Value = Header> {
    proptest::collection::vec((keyword(), value(), comment), 0..20).prop_map(move |cards| {
        let mut header = Header::new();
        for (keyword, value, comment) in cards {
            let comment = if short && value.as_text().is_some() { String::new() } else { comment };
            header.push(Card { keyword, value, comment }).ok();
        }
        header
    })
}

proptest! {
    #[test]
    fn a_header_printed_and_read_is_the_same(header in any_header("[ -~]{0,18}", true)) {
        prop_assert_eq!(parse::header(&records(&header)).unwrap(), header);
    }

    #[test]
    fn records_are_80_printable_characters(header in any_header("\\PC{0,90}", false)) {
        let bytes = records(&header);
        prop_assert_eq!(bytes.len() % 80, 0);
        prop_assert!(bytes.iter().all(|b| (0x20..0x7F).contains(b)));
        // Comments may lose their end, once.
        let once = parse::header(&bytes).unwrap();
        prop_assert_eq!(parse::header(&records(&once)).unwrap(), once);
    }

    #[test]
    fn any_records_are_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..800)) {
        bytes.resize(bytes.len() / 80 * 80, 0);
        bytes.extend(format!("{:80}", "END").into_bytes());
        let once = parse::header(&bytes).unwrap();
        prop_assert_eq!(parse::header(&records(&once)).unwrap(), once);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..6000)) {
        let mut begun = b"SIMPLE  =                    T".to_vec();
        begun.extend(&bytes);
        prop_assert!(parse(&bytes).is_err());
        let _ = parse(&begun);
    }

    #[test]
    fn a_mutated_file_is_read_or_refused(
        changes in proptest::collection::vec((0..3 * BLOCK, any::<u8>()), 1..30),
        digits in proptest::collection::vec((0..600usize, b'0'..=b'9'), 0..6),
        length in 0..=3 * BLOCK,
    ) {
        let mut image = Image::new(40, 30, Pixels::U16(vec![7; 1200])).unwrap();
        image.meta = known(40, 30);
        let mut bytes = file(&image, &header(&image, &Observation::default()));
        for (place, byte) in changes.into_iter().chain(digits) {
            if let Some(old) = bytes.get_mut(place) {
                *old = byte;
            }
        }
        bytes.truncate(length);
        if let Ok((image, _)) = parse(&bytes) {
            prop_assert!(image.pixels().len() * image.pixels().bytes_per_pixel() <= 8 * bytes.len());
        }
    }

    #[test]
    fn images_of_any_size_come_back(columns in 1u32..40, rows in 1u32..40, seed in any::<u16>()) {
        let pixels = (0..columns * rows).map(|n| (n as u16).wrapping_mul(seed)).collect();
        let image = Image::new(columns, rows, Pixels::U16(pixels)).unwrap();
        let bytes = file(&image, &Header::new());
        prop_assert_eq!(checksum::of_bytes(&bytes), u32::MAX);
        let (copy, _) = parse(&bytes).unwrap();
        prop_assert_eq!(copy.pixels(), image.pixels());
    }
}

/// The same image, packed by `fpack -r` and by `fpack -g2 -t 10,7`.
const PACKED: [&[u8]; 2] =
    [include_bytes!("../../tests/data/tiles-rice.fits.fz"), include_bytes!("../../tests/data/tiles-gzip2.fits.fz")];

#[test]
fn compressed_images_are_read() {
    for packed in PACKED {
        let (image, header) = parse(packed).unwrap();
        let value = |n: u32| ((n % 97) + (n.wrapping_mul(2_654_435_761) >> 28)) as u16;
        let mut expected: Vec<u16> = (0..37 * 23).map(value).collect();
        (expected[5], expected[6]) = (65_535, 0);
        assert_eq!((image.width(), image.height(), image.pixels()), (37, 23, &Pixels::U16(expected)));
        assert_eq!(
            (header.text("OBJECT"), header.integer("NAXIS1"), header.get("ZIMAGE")),
            (Some("M 42"), Some(37), None)
        );
    }
}

#[test]
fn a_compressed_image_that_promises_more_than_it_has_is_refused() {
    for packed in PACKED {
        let find = |text: &[u8]| packed.windows(text.len()).position(|window| window == text).unwrap();
        for (card, value) in [("ZNAXIS1 =", "2000000000"), ("ZNAXIS2 =", "      5000"), ("ZTILE1  =", "         1")] {
            let mut bytes = packed.to_vec();
            let at = find(card.as_bytes()) + 20;
            bytes[at..at + 10].copy_from_slice(value.as_bytes());
            assert_eq!(parse(&bytes).unwrap_err().kind(), ErrorKind::Protocol, "{card} {value}");
        }
        assert_eq!(parse(&packed[..6000]).unwrap_err().kind(), ErrorKind::Protocol);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_damage_to_a_compressed_image_breaks_the_reader(
        which in 0usize..2,
        damages in proptest::collection::vec((2880usize..8640, any::<u8>()), 1..20),
        length in 2880usize..=8640,
    ) {
        let mut bytes = PACKED[which].to_vec();
        damages.iter().for_each(|(at, byte)| bytes[*at] = *byte);
        let _ = parse(&bytes[..length]);
    }

    #[test]
    fn no_damage_to_its_header_breaks_the_reader(
        which in 0usize..2,
        card in 0usize..36,
        value in prop_oneof![
            (-5i64..70_000).prop_map(|n| n.to_string()),
            any::<i64>().prop_map(|n| n.to_string()),
            "'[A-Z0-9_ ()]{0,18}'",
        ],
    ) {
        let mut bytes = PACKED[which].to_vec();
        let at = 2880 + card * 80 + 10;
        bytes[at..at + 20].copy_from_slice(format!("{value:>20}").as_bytes().get(..20).unwrap());
        let _ = parse(&bytes);
    }
}
