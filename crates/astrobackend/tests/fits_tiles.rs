//! Tile-compressed images as others write them: Debian's `fpack`, and astropy.
//!
//! Missing peers skip a test and say so; with `ASTROBACKEND_REQUIRE_PEERS=1` they fail it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use astrobackend::{
    Image, each_pixel_type,
    fits::{self, Header},
    image::Pixels,
};
use std::{path::Path, process::Command};

/// Pixels with noise on a slope, and the ends of the type, where rounding or signs would show.
fn pixels(kind: &str, count: usize) -> Pixels {
    let noise = |n: usize| (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 59;
    let value = |n: usize| n % 97 + noise(n) as usize;
    fn with_ends<T: Copy>(mut all: Vec<T>, ends: [T; 2]) -> Vec<T> {
        all.iter_mut().skip(7).zip(ends).for_each(|(pixel, end)| *pixel = end);
        all
    }
    match kind {
        "u8" => Pixels::U8(with_ends((0..count).map(|n| value(n) as u8).collect(), [u8::MIN, u8::MAX])),
        "i16" => Pixels::I16(with_ends((0..count).map(|n| value(n) as i16 - 50).collect(), [i16::MIN, i16::MAX])),
        "u16" => Pixels::U16(with_ends((0..count).map(|n| value(n) as u16).collect(), [u16::MIN, u16::MAX])),
        "i32" => Pixels::I32(with_ends((0..count).map(|n| value(n) as i32 - 50).collect(), [i32::MIN, i32::MAX])),
        "u32" => Pixels::U32(with_ends((0..count).map(|n| value(n) as u32).collect(), [u32::MIN, u32::MAX])),
        "f32" => Pixels::F32((0..count).map(|n| value(n) as f32 / 3.0).collect()),
        other => panic!("{other}"),
    }
}

fn missing(why: impl std::fmt::Display) {
    let required = std::env::var(testing::REQUIRE).is_ok_and(|value| value == "1");
    assert!(!required, "{why}");
    println!("skipped: {why}");
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn write(path: &Path, image: &Image) {
    let mut header = Header::new();
    header.set("OBJECT", "M 42", "").unwrap();
    header.set("EXPTIME", 2.5, "").unwrap();
    fits::write(path, image, &header, true).unwrap();
}

#[test]
fn what_fpack_packs_is_read() {
    if Command::new("fpack").arg("-V").output().is_err() {
        return missing("there is no fpack on this machine");
    }
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed) = (folder.path().join("plain.fits"), folder.path().join("packed.fits.fz"));
    let ways: [&[&str]; 6] =
        [&["-r"], &["-r", "-w"], &["-r", "-t", "10,7"], &["-g1"], &["-g2"], &["-g2", "-t", "100,3"]];
    for kind in ["u8", "i16", "u16", "i32", "u32", "f32"] {
        for (columns, rows) in [(1, 1), (37, 23), (640, 33)] {
            let image = Image::new(columns, rows, pixels(kind, (columns * rows) as usize)).unwrap();
            write(&plain, &image);
            for way in ways {
                let what = format!("{kind} {columns}x{rows} {way:?}");
                let _ = std::fs::remove_file(&packed);
                // Real numbers would be rounded.
                let exact: &[&str] = if kind == "f32" { &["-q", "0"] } else { &[] };
                if kind == "f32" && way[0] == "-r" {
                    continue;
                }
                run(Command::new("fpack").args(way).args(exact).arg("-O").arg(&packed).arg(&plain));
                let (copy, header) = fits::read(&packed).map_err(|error| format!("{what}: {error}")).unwrap();
                // Small values may have been written as a smaller type.
                let (original, _) = fits::read(&plain).unwrap();
                assert!(copy.pixels() == original.pixels(), "{what}");
                assert_eq!((header.text("OBJECT"), copy.meta.exposure), (Some("M 42"), original.meta.exposure));
                assert_eq!((header.get("ZIMAGE"), header.get("TFORM1"), header.get("EXTNAME")), (None, None, None));
            }
        }
    }
}

#[test]
fn rounded_numbers_are_those_of_funpack() {
    if Command::new("funpack").arg("-V").output().is_err() {
        return missing("there is no funpack on this machine");
    }
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed) = (folder.path().join("plain.fits"), folder.path().join("packed.fits.fz"));
    let unpacked = folder.path().join("unpacked.fits");
    write(&plain, &Image::new(640, 333, pixels("f32", 640 * 333)).unwrap());
    for quantized in ["4", "qz4", "-0.1"] {
        for file in [&packed, &unpacked] {
            let _ = std::fs::remove_file(file);
        }
        let q = if let Some(level) = quantized.strip_prefix("qz") { ["-qz", level] } else { ["-q", quantized] };
        run(Command::new("fpack").arg("-r").args(q).arg("-O").arg(&packed).arg(&plain));
        run(Command::new("funpack").arg("-O").arg(&unpacked).arg(&packed));
        let ((ours, _), (theirs, _)) = (fits::read(&packed).unwrap(), fits::read(&unpacked).unwrap());
        assert!(ours.pixels() == theirs.pixels(), "{quantized}");
    }
}

#[test]
fn another_algorithm_is_named() {
    if Command::new("fpack").arg("-V").output().is_err() {
        return missing("there is no fpack on this machine");
    }
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed) = (folder.path().join("plain.fits"), folder.path().join("packed.fits.fz"));
    write(&plain, &Image::new(64, 64, pixels("u16", 64 * 64)).unwrap());
    run(Command::new("fpack").arg("-h").arg("-O").arg(&packed).arg(&plain));
    let error = fits::read(&packed).unwrap_err();
    assert!(error.kind() == astrobackend::ErrorKind::Unsupported && error.to_string().contains("HCOMPRESS"), "{error}");
}

#[test]
fn what_astropy_packs_is_read() {
    let mut python = match testing::python(&["astropy"]) {
        Ok(python) => python,
        Err(why) => return missing(why),
    };
    let folder = tempfile::tempdir().unwrap();
    run(python.arg(testing::script("fits_tiles.py")).arg(folder.path()));
    let mut count = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "fits") {
            continue;
        }
        let (image, header) = fits::read(&path).unwrap();
        assert_eq!(header.text("OBJECT"), Some("M 42"));
        let dtype = std::fs::read_to_string(path.with_extension("dtype")).unwrap();
        let name = dtype.replace("uint", "u").replace("int", "i").replace("float", "f");
        assert_eq!(image.pixels().type_name(), name, "{}", path.display());
        let raw: Vec<u8> = each_pixel_type!(image.pixels(), p => p.iter().flat_map(|v| v.to_le_bytes()).collect());
        let expected = std::fs::read(path.with_extension("raw")).unwrap();
        assert_eq!(raw.len(), expected.len(), "{}", path.display());
        let width = expected.len() / image.pixels().len();
        let differing = raw.chunks(width).zip(expected.chunks(width)).filter(|(a, b)| !same(a, b)).count();
        assert_eq!(differing, 0, "{}", path.display());
        count += 1;
    }
    assert!(count > 100, "{count}");
}

/// The same bytes, or two numbers that are none.
fn same(a: &[u8], b: &[u8]) -> bool {
    let is_nan = |bytes: &[u8]| match bytes {
        [a, b, c, d] => f32::from_le_bytes([*a, *b, *c, *d]).is_nan(),
        _ => bytes.first_chunk().is_some_and(|bytes| f64::from_le_bytes(*bytes).is_nan()),
    };
    a == b || a.len() >= 4 && is_nan(a) && is_nan(b)
}
