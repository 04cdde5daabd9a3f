//! Our FITS files in the hands of others: `fitsverify` finds nothing, astropy reads the same pixels and
//! keywords, and what astropy writes we read.
//!
//! Missing peers skip a test and say so; with `ASTROBACKEND_REQUIRE_PEERS=1` they fail it.

// For the long list of keywords in json!().
#![recursion_limit = "512"]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use astrobackend::{
    AltAz, Celsius, Degrees, Hours, Image, Metres, Microns, RaDec, Site,
    device::{BayerPattern, FrameType, PierSide},
    each_pixel_type,
    fits::{self, Header, Value},
    guard::Verdict,
    image::{Frame, ImageMeta, Pixels},
    observation::Observation,
};
use serde_json::{Map, json};
use std::{path::Path, process::Command, time::Duration};
use testing::Skip;

/// The peer, when it is there; otherwise the test is skipped, or fails where peers are required.
fn there(peer: Result<Command, Skip>) -> Option<Command> {
    peer.map_err(|skip| assert!(!skip.report(), "{skip}")).ok()
}

/// Runs the peer and returns what it said; it must succeed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    said
}

/// Values all over the type, its ends first.
fn pixels(kind: &str, count: usize) -> Pixels {
    fn spread<T>(count: usize, ends: [T; 2], make: impl Fn(u64) -> T) -> Vec<T> {
        let body = (0..count as u64).map(|n| make(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        ends.into_iter().chain(body).take(count).collect()
    }
    match kind {
        "uint8" => Pixels::U8(spread(count, [0, u8::MAX], |n| (n >> 56) as u8)),
        "int16" => Pixels::I16(spread(count, [i16::MIN, i16::MAX], |n| (n >> 48) as i16)),
        "uint16" => Pixels::U16(spread(count, [0, u16::MAX], |n| (n >> 48) as u16)),
        "int32" => Pixels::I32(spread(count, [i32::MIN, i32::MAX], |n| (n >> 32) as i32)),
        "uint32" => Pixels::U32(spread(count, [0, u32::MAX], |n| (n >> 32) as u32)),
        "int64" => Pixels::I64(spread(count, [i64::MIN, i64::MAX], |n| n as i64)),
        "uint64" => Pixels::U64(spread(count, [0, u64::MAX], |n| n)),
        "float32" => Pixels::F32(spread(count, [f32::MIN, f32::MAX], |n| n as f32 / 1e9)),
        "float64" => Pixels::F64(spread(count, [f64::MIN, f64::MAX], |n| n as f64 / 1e9)),
        other => panic!("{other}"),
    }
}

fn camera(width: u32, height: u32) -> ImageMeta {
    let mut header = Header::new();
    header.set("MPSAS", 21.25, "sky quality, a card of the driver").unwrap();
    header.set("RADECSYS", "FK5", "an old name").unwrap();
    header.set("HIERARCH ESO DET NAME", "chip", "").unwrap();
    header.comment("of the driver");
    ImageMeta {
        camera: Some("Kamera Süd".into()),
        camera_id: Some("0123456789".repeat(12)),
        frame_type: Some(FrameType::Light),
        start: Some("2026-01-15T22:59:59.25Z".parse().unwrap()),
        exposure: Some(Duration::from_millis(2500)),
        frame: Some(Frame { x: 3, y: 5, width, height, bin_x: 1, bin_y: 1 }),
        pixel_size: Some((3.76, 3.76)),
        bayer: Some(BayerPattern::Rggb.shifted(3, 5)),
        gain: Some(100.0),
        offset: Some(12.5),
        electrons_per_adu: Some(0.78),
        max_adu: Some(65_535),
        readout_mode: Some("High gain".into()),
        temperature: Some(Celsius(-9.97)),
        set_point: Some(Celsius(-10.0)),
        exposure_number: Some(7),
        verdict: Some(Verdict::Suspect("it's one of those with 'quotes', ".to_owned() + &"and long, ".repeat(12))),
        header,
    }
}

fn observation() -> Observation {
    let mut user = Header::new();
    user.set("PROJECT", "it's 'quoted' & ends with an ampersand &", "of the user").unwrap();
    user.set("LONGTEXT", "It's a long text. ".repeat(15), "[none] comment after a long text").unwrap();
    user.set("EMPTY", "", "").unwrap();
    user.set("UNDEF", Value::None, "no value").unwrap();
    user.set("TINY", -2.225_073_858_507_201_4e-308, "").unwrap();
    user.set("BITPIX", 7, "must not count").unwrap();
    user.comment(&"A long comment of the user. ".repeat(10));
    Observation {
        object: Some("M 42".into()),
        target: Some(RaDec::j2000(Hours(5.588_138_9), Degrees(-5.391_111))),
        observer: Some("Jürgen".into()),
        site_name: Some("Teide".into()),
        site: Some(Site { latitude: Degrees(28.3), longitude: Degrees(-16.5), elevation: Metres(2390.0) }),
        telescope: Some("106 mm refractor".into()),
        focal_length: Some(Metres(0.53)),
        aperture: Some(Metres(0.106)),
        pointing: Some(RaDec::j2000(Hours(5.588), Degrees(-5.391))),
        horizon: Some(AltAz { alt: Degrees(50.0), az: Degrees(170.0) }),
        pier_side: PierSide::East,
        filter: Some("Ha".into()),
        filter_wheel: Some("Wheel".into()),
        focuser: Some("Focuser".into()),
        focus_position: Some(25_000),
        focus_step: Some(Microns(0.2)),
        focus_temperature: Some(Celsius(4.5)),
        camera_address: Some("sim:///Camera".into()),
        user,
    }
}

/// The file, its pixels as they are, and what a reader must find.
fn put(folder: &Path, name: &str, image: &Image, observation: &Observation, dtype: &str, keywords: serde_json::Value) {
    let header = fits::header(image, observation);
    fits::write(folder.join(format!("{name}.fits")), image, &header, false).unwrap();
    let raw: Vec<u8> = each_pixel_type!(image.pixels(), p => p.iter().flat_map(|v| v.to_le_bytes()).collect());
    std::fs::write(folder.join(format!("{name}.raw")), raw).unwrap();
    let mut shape = vec![image.height(), image.width()];
    if image.planes() > 1 {
        shape.insert(0, image.planes().into());
    }
    let sidecar = json!({"dtype": dtype, "shape": shape, "keywords": keywords, "absent": ["FRAME", "RADECSYS"]});
    std::fs::write(folder.join(format!("{name}.json")), sidecar.to_string()).unwrap();
}

/// One file of every kind.
fn write_all(folder: &Path) {
    let none = Observation::default();
    for kind in ["uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"] {
        for (columns, rows) in [(1, 1), (37, 23), (640, 481)] {
            let image = Image::new(columns, rows, pixels(kind, (columns * rows) as usize)).unwrap();
            put(folder, &format!("{kind}-{columns}x{rows}"), &image, &none, kind, json!({"BUNIT": "adu"}));
        }
        let planes = Image::with_planes(33, 21, 3, pixels(kind, 33 * 21 * 3)).unwrap();
        put(folder, &format!("{kind}-planes"), &planes, &none, kind, json!({"NAXIS3": 3}));
    }
    let narrow = Image::new(4, 1, Pixels::I32(vec![0, 1, 2, 65_535])).unwrap();
    let header = fits::header(&narrow, &none);
    let small = Image::new(4, 1, Pixels::U16(vec![0, 1, 2, 65_535])).unwrap();
    put(folder, "narrowed", &small, &none, "uint16", json!({"BITPIX": 16}));
    fits::write(folder.join("narrowed.fits"), &narrow, &header, true).unwrap();

    let mut image = Image::new(37, 23, pixels("uint16", 37 * 23)).unwrap();
    image.meta = camera(37, 23);
    let keywords = json!({
        "INSTRUME": "Kamera Sud", "CAMERAID": "0123456789".repeat(12), "IMAGETYP": "Light Frame",
        "EXPTIME": 2.5, "EXPOSURE": 2.5, "DATE-OBS": "2026-01-15T22:59:59.250", "TIMESYS": "UTC",
        "DATE-AVG": "2026-01-15T23:00:00.500", "DATE-END": "2026-01-15T23:00:01.750",
        "XBINNING": 1, "XORGSUBF": 3, "YORGSUBF": 5, "XPIXSZ": 3.76, "GAIN": 100, "OFFSET": 12.5, "EGAIN": 0.78,
        "READOUTM": "High gain", "CCD-TEMP": -9.97, "SET-TEMP": -10.0,
        "BAYERPAT": "BGGR", "XBAYROFF": 0, "YBAYROFF": 0, "ROWORDER": "TOP-DOWN",
        "OBJECT": "M 42", "OBSERVER": "Jurgen", "OBJCTRA": "05 35 17.30", "OBJCTDEC": "-05 23 28.0",
        "RA": 83.82, "DEC": -5.391, "EQUINOX": 2000.0, "RADESYS": "ICRS", "PIERSIDE": "EAST",
        "SITELAT": 28.3, "SITELONG": -16.5, "SITEELEV": 2390.0, "TELESCOP": "106 mm refractor",
        "FOCALLEN": 530.0, "APTDIA": 106.0, "FOCRATIO": 5.0, "FILTER": "Ha", "FWHEEL": "Wheel",
        "FOCNAME": "Focuser", "FOCUSPOS": 25_000, "FOCPOS": 25_000, "FOCUSTEM": 4.5, "FOCTEMP": 4.5,
        "PROJECT": "it's 'quoted' & ends with an ampersand &", "LONGTEXT": "It's a long text. ".repeat(15).trim_end(),
        "EMPTY": "", "TINY": -2.225_073_858_507_201_4e-308, "MPSAS": 21.25, "BITPIX": 16, "ESO DET NAME": "chip",
    });
    put(folder, "complete", &image, &observation(), "uint16", keywords);
}

#[test]
fn fitsverify_finds_nothing() {
    if there(testing::command("fitsverify")).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "fits")).collect();
    for file in &files {
        let said = run(Command::new("fitsverify").arg("-H").arg(file));
        assert!(said.contains("0 warning(s) and 0 error(s)"), "{said}");
    }
    assert!(files.len() > 30);
}

#[test]
fn astropy_reads_the_same() {
    let Some(mut python) = there(testing::python(&["astropy", "numpy"])) else { return };
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    let said = run(python.arg(testing::script("fits_check.py")).arg("check").arg(folder.path()));
    assert!(said.contains("files are equal"), "{said}");
}

fn expected(value: &serde_json::Value, header: &Header, keyword: &str) {
    match value {
        serde_json::Value::Bool(value) => assert_eq!(header.logical(keyword), Some(*value)),
        serde_json::Value::String(value) => assert_eq!(header.text(keyword), Some(value.as_str())),
        number => assert_eq!(header.real(keyword), number.as_f64(), "{keyword}"),
    }
}

#[test]
fn what_astropy_writes_is_read() {
    let Some(mut python) = there(testing::python(&["astropy", "numpy"])) else { return };
    let folder = tempfile::tempdir().unwrap();
    run(python.arg(testing::script("fits_check.py")).arg("make").arg(folder.path()));
    let mut count = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "fits") {
            continue;
        }
        let sidecar = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let sidecar: Map<String, serde_json::Value> = serde_json::from_str(&sidecar).unwrap();
        let (image, header) = fits::read(&path).unwrap();
        let raw: Vec<u8> = each_pixel_type!(image.pixels(), p => p.iter().flat_map(|v| v.to_le_bytes()).collect());
        assert!(raw == std::fs::read(path.with_extension("raw")).unwrap(), "{}", path.display());
        let name = sidecar["dtype"].as_str().unwrap().replace("uint", "u").replace("int", "i").replace("float", "f");
        assert_eq!(image.pixels().type_name(), name);
        for (keyword, value) in sidecar["keywords"].as_object().unwrap() {
            expected(value, &header, keyword);
        }
        count += 1;
    }
    assert_eq!(count, 11);
}
