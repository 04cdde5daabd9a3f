//! Headers: what the camera, the observatory and the user know, in the words of FITS.

use super::*;
use crate::{Degrees, Hours, Metres, Microns, RaDec, Site, device::PierSide, observation::Observation};

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
