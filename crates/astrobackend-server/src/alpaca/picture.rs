//! A picture made ready to be sent: once per exposure, in wire order, in memory once, whoever loads it.

use astrobackend::{
    Result, Timestamp, each_pixel_type,
    fits::{self, Header},
    guard::Verdict,
    image::{Image, ImageMeta, Pixels},
    wire::alpaca::{
        extensions::PictureMeta,
        image_bytes::{ElementType, Shape},
        json_image, transpose,
    },
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

// The pixels are sent as they stand in memory.
const _: () = assert!(cfg!(target_endian = "little"), "Alpaca's pixels are little endian");

/// A picture column after column, and what is known about it.
#[derive(Debug)]
pub(super) struct Picture {
    pixels: Pixels,
    shape: Shape,
    /// What a client's array should consist of: 2 for `i32`, 3 for doubles.
    array_type: i32,
    pub(super) meta: PictureMeta,
    /// Start and length of its exposure, to tell it from the next.
    pub(super) of: Option<(Timestamp, Duration)>,
}

impl Picture {
    /// Turns rows into columns, in the same memory where nobody else holds the image.
    pub(super) fn prepare(image: Arc<Image>, of: Option<(Timestamp, Duration)>) -> Result<Self> {
        let (width, height, planes) = (image.width(), image.height(), image.planes());
        let (meta, pixels) = match Arc::try_unwrap(image) {
            Ok(mut image) => (std::mem::take(&mut image.meta), image.into_pixels()),
            Err(shared) => (shared.meta.clone(), shared.pixels().clone()),
        };
        let pixels = columns(narrow(pixels), width as usize, height as usize, planes.into());
        let array_type = json_image::array_type(&pixels);
        let sent = ElementType::of(&pixels);
        let element = if array_type == 2 { ElementType::I32 } else { sent };
        let rank = if planes > 1 { 3 } else { 2 };
        let shape = Shape { element, sent, width, height, planes: planes.into(), rank };
        Ok(Picture { pixels, shape, array_type, meta: describe(meta), of })
    }

    pub(super) fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn array_type(&self) -> i32 {
        self.array_type
    }
}

/// The pixels as they are sent; they live as long as somebody sends them.
pub(super) fn bytes(picture: &Arc<Picture>) -> Bytes {
    struct Held(Arc<Picture>);
    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            each_pixel_type!(&self.0.pixels, pixels => bytemuck::cast_slice(pixels))
        }
    }
    Bytes::from_owner(Held(picture.clone()))
}

/// The smallest type that says the same: clients, of whom many know 8, 16 and signed 32 bits only, are sent what is
/// wider as 16 bits if it fits, or else as signed 32 bits if it fits.
fn narrow(pixels: Pixels) -> Pixels {
    fn fit<T: Copy, U: TryFrom<T>>(values: &[T]) -> Option<Vec<U>> {
        // Asked before any memory is taken.
        if values.iter().all(|value| U::try_from(*value).is_ok()) {
            return Some(values.iter().filter_map(|value| U::try_from(*value).ok()).collect());
        }
        None
    }
    macro_rules! narrowed {
        ($values:expr) => {
            fit(&$values).map(Pixels::U16).or_else(|| fit(&$values).map(Pixels::I32))
        };
    }
    let narrowed = match &pixels {
        Pixels::I32(values) => fit(values).map(Pixels::U16),
        Pixels::U32(values) => narrowed!(*values),
        Pixels::I64(values) => narrowed!(*values),
        Pixels::U64(values) => narrowed!(*values),
        _ => None,
    };
    narrowed.unwrap_or(pixels)
}

fn columns(pixels: Pixels, width: usize, height: usize, planes: usize) -> Pixels {
    fn turn<T: bytemuck::Pod>(rows: Vec<T>, width: usize, height: usize, planes: usize) -> Vec<T> {
        match planes {
            1 => transpose::into_columns(rows, width, height),
            _ => transpose::to_columns(&rows, width, height, planes),
        }
    }
    macro_rules! each {
        ($($variant:ident),*) => {
            match pixels { $(Pixels::$variant(rows) => Pixels::$variant(turn(rows, width, height, planes)),)* }
        };
    }
    each!(U8, I16, U16, I32, U32, I64, U64, F32, F64)
}

fn describe(meta: ImageMeta) -> PictureMeta {
    PictureMeta {
        frame_type: meta.frame_type.map(|frame_type| frame_type.to_string()),
        start: meta.start.map(|start| start.to_string()),
        exposure: meta.exposure.map(|exposure| exposure.as_secs_f64()),
        frame: meta.frame.map(|f| [f.x, f.y, f.width, f.height, f.bin_x.into(), f.bin_y.into()]),
        pixel_size: meta.pixel_size,
        bayer: meta.bayer.map(|bayer| bayer.to_string()),
        gain: meta.gain,
        offset: meta.offset,
        electrons_per_adu: meta.electrons_per_adu,
        max_adu: meta.max_adu,
        readout_mode: meta.readout_mode,
        temperature: meta.temperature.map(|temperature| temperature.0),
        set_point: meta.set_point.map(|set_point| set_point.0),
        exposure_number: meta.exposure_number,
        verdict: meta.verdict.as_ref().map(Verdict::to_string),
        header: cards(&meta.header),
    }
}

fn cards(header: &Header) -> Vec<(String, serde_json::Value, String)> {
    let value = |value: &fits::Value| match value {
        fits::Value::Logical(value) => (*value).into(),
        fits::Value::Integer(value) => (*value).into(),
        fits::Value::Real(value) => (*value).into(),
        fits::Value::Text(value) => value.clone().into(),
        _ => serde_json::Value::Null,
    };
    header.cards().iter().map(|card| (card.keyword.clone(), value(&card.value), card.comment.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(pixels: Pixels) -> Picture {
        Picture::prepare(Arc::new(Image::new(2, 1, pixels).unwrap()), None).unwrap()
    }

    #[test]
    fn the_type_is_the_smallest_that_clients_know() {
        use ElementType::*;
        for (pixels, sent, element) in [
            (Pixels::U8(vec![0, 255]), U8, I32),
            (Pixels::I16(vec![-1, 5]), I16, I32),
            (Pixels::I32(vec![0, 65535]), U16, I32),
            (Pixels::I32(vec![-1, 65535]), I32, I32),
            (Pixels::U32(vec![0, 65536]), I32, I32),
            (Pixels::U32(vec![0, u32::MAX]), U32, U32),
            (Pixels::I64(vec![0, 7]), U16, I32),
            (Pixels::U64(vec![0, u64::MAX]), U64, U64),
            (Pixels::F32(vec![0.0, 1.0]), F32, F32),
        ] {
            let shape = prepared(pixels).shape();
            assert_eq!((shape.sent, shape.element), (sent, element));
        }
    }

    #[test]
    fn a_picture_that_nobody_else_holds_is_not_copied() {
        let rows = vec![7_u16; 64 * 64];
        let image = Arc::new(Image::new(64, 64, Pixels::U16(rows)).unwrap());
        let picture = Arc::new(Picture::prepare(image, None).unwrap());
        let Pixels::U16(pixels) = picture.pixels() else { panic!("{picture:?}") };
        let (first, second) = (bytes(&picture), bytes(&picture));
        assert_eq!(first.as_ptr(), second.as_ptr());
        assert_eq!(first.as_ptr(), pixels.as_ptr().cast());
    }
}
