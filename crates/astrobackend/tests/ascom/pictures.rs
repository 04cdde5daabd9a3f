//! `ImageArray` as every kind of array that drivers answer, each pixel where it belongs.

use crate::{patiently, small_camera, tell, turn};
use astrobackend::{
    ErrorKind, Image,
    device::{CameraExt, Exposure},
};
use std::{sync::Arc, time::Duration};

const WIDTH: usize = 30;
const HEIGHT: usize = 20;

/// What the driver puts there.
fn value(x: usize, y: usize, plane: usize, factor: i64) -> i64 {
    ((x + 3 * y + 7 * plane) % 100) as i64 * factor
}

fn take(kind: u32, planes: u32, factor: i64) -> astrobackend::Result<Arc<Image>> {
    let camera = small_camera("Test.Camera", "");
    tell(&*camera, "pattern", &format!("{kind} {planes} {factor}"));
    let taken = camera.expose(Exposure::light(Duration::from_millis(1)), &patiently());
    tell(&*camera, "pattern", "0 1 1");
    taken
}

/// The picture's pixels as whole numbers.
#[allow(clippy::unnecessary_cast, reason = "one of the types is i64 itself")]
fn pixels(image: &Image) -> Vec<i64> {
    astrobackend::each_pixel_type!(image.pixels(), values => values.iter().map(|value| *value as i64).collect())
}

#[test]
fn every_kind_of_array_is_a_picture() {
    let _turn = turn();
    // VARENUM, a factor, and what the pixels are kept as: 16 bits where they fit.
    let kinds = [
        (16, 1, "i16"),      // VT_I1
        (17, 2, "u8"),       // VT_UI1
        (2, -300, "i16"),    // VT_I2
        (18, 600, "u16"),    // VT_UI2
        (3, 600, "u16"),     // VT_I4
        (3, 1000, "i32"),    // VT_I4 beyond 16 bits
        (3, -1, "i32"),      // VT_I4 below zero
        (22, 1, "u16"),      // VT_INT
        (19, 600, "u16"),    // VT_UI4
        (19, 1000, "u32"),   // VT_UI4 beyond 16 bits
        (23, 1, "u16"),      // VT_UINT
        (20, 600, "u16"),    // VT_I8
        (20, -70000, "i64"), // VT_I8
        (21, 70000, "u64"),  // VT_UI8
        (4, -3, "f32"),      // VT_R4
        (5, 70000, "f64"),   // VT_R8
        (12, 600, "u16"),    // VT_VARIANT
        (12, -70000, "i32"), // VT_VARIANT
    ];
    for (kind, factor, kept) in kinds {
        for planes in [1, 3] {
            let image = take(kind, planes, factor).unwrap();
            let what = format!("kind {kind} times {factor} in {planes} planes");
            assert_eq!((image.width(), image.height(), u32::from(image.planes())), (30, 20, planes), "{what}");
            assert_eq!(image.pixels().type_name(), kept, "{what}");
            let places = (0..planes as usize)
                .flat_map(|plane| (0..HEIGHT).flat_map(move |y| (0..WIDTH).map(move |x| value(x, y, plane, factor))));
            assert!(pixels(&image).into_iter().eq(places), "{what}: a pixel is not where it belongs");
        }
    }
}

#[test]
fn what_is_no_picture_is_refused() {
    let _turn = turn();
    // VT_BSTR, VT_DATE: no pixels.
    for kind in [8, 7] {
        let error = take(kind, 1, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        let text = error.to_string();
        assert!(text.contains("Test.Camera") && text.contains(&format!("kind {kind}")), "{text}");
    }
    // More planes than a picture has.
    let error = take(3, 256, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}
