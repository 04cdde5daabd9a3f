//! Pixels on the wire: their bytes as they lie in memory, little end first, after the line that announces them.

use crate::{
    Error, Image, Result, each_pixel_type,
    image::{ImageMeta, Pixels},
};
use serde::{Deserialize, Serialize};

/// What is announced: the result of `camera_get_image`, whose bytes follow the line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PictureHead {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1, or 3 for red, green and blue, one after the other.
    pub planes: u8,
    /// `u8`, `i16`, `u16`, `i32`, `u32`, `i64`, `u64`, `f32`, `f64`.
    #[serde(rename = "type")]
    pub pixel_type: String,
    /// Bytes that follow.
    pub bytes: u64,
    /// Of the picture; another picture has another one.
    pub tag: String,
    /// What is known about it.
    pub meta: ImageMeta,
}

impl PictureHead {
    /// Of a picture.
    pub fn of(image: &Image, tag: String) -> Self {
        let pixels = image.pixels();
        PictureHead {
            width: image.width(),
            height: image.height(),
            planes: image.planes(),
            pixel_type: pixels.type_name().to_owned(),
            bytes: (pixels.len() * pixels.bytes_per_pixel()) as u64,
            tag,
            meta: image.meta.clone(),
        }
    }

    /// The picture, from the pixels that [`room`] made and the wire filled.
    ///
    /// # Errors
    /// `Protocol` when they do not fit the size.
    pub fn picture(self, pixels: Pixels) -> Result<Image> {
        let mut image = Image::with_planes(self.width, self.height, self.planes, pixels)?;
        image.meta = self.meta;
        Ok(image)
    }
}

/// Room for the pixels that are announced, at most so many bytes.
///
/// # Errors
/// `Protocol` for a type that there is not, or a size that contradicts itself or is beyond the limit.
pub fn room(head: &PictureHead, limit: u64) -> Result<Pixels> {
    let count = u64::from(head.width) * u64::from(head.height);
    let count = count.checked_mul(head.planes.into()).filter(|count| *count <= limit);
    let count = count.and_then(|count| usize::try_from(count).ok());
    let wrong = || Error::protocol(format!("a picture of {}x{}x{}", head.width, head.height, head.planes));
    let count = count.ok_or_else(wrong)?;
    let size = match head.pixel_type.as_str() {
        "u8" => 1,
        "i16" | "u16" => 2,
        "i32" | "u32" | "f32" => 4,
        _ => 8,
    };
    if head.bytes != count as u64 * size || head.bytes > limit {
        return Err(Error::protocol(format!("{} bytes for {count} pixels of {size} bytes", head.bytes)));
    }
    // Asked for in a way that can fail, before it is asked for in the way that is quick.
    let reserved = usize::try_from(head.bytes).ok().and_then(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).ok());
    reserved.ok_or_else(|| Error::protocol("the picture does not fit into memory"))?;
    Ok(match head.pixel_type.as_str() {
        "u8" => Pixels::U8(vec![0; count]),
        "i16" => Pixels::I16(vec![0; count]),
        "u16" => Pixels::U16(vec![0; count]),
        "i32" => Pixels::I32(vec![0; count]),
        "u32" => Pixels::U32(vec![0; count]),
        "i64" => Pixels::I64(vec![0; count]),
        "u64" => Pixels::U64(vec![0; count]),
        "f32" => Pixels::F32(vec![0.0; count]),
        "f64" => Pixels::F64(vec![0.0; count]),
        other => return Err(Error::protocol(format!("pixels of the unknown type {other:?}"))),
    })
}

// The bytes of a pixel are sent as they lie in memory.
#[cfg(target_endian = "big")]
compile_error!("pixels on the RPC's wire have their little end first: swap them here");

/// The bytes of pixels, without a copy.
pub fn bytes_of(pixels: &Pixels) -> &[u8] {
    each_pixel_type!(pixels, p => bytemuck::cast_slice(p))
}

/// The same, to be filled.
pub fn bytes_of_mut(pixels: &mut Pixels) -> &mut [u8] {
    each_pixel_type!(pixels, p => bytemuck::cast_slice_mut(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_of_each_type_are_themselves_after_the_trip() {
        for pixels in [
            Pixels::U8(vec![0, 255]),
            Pixels::I16(vec![-1, 300]),
            Pixels::U16(vec![0, 65535]),
            Pixels::I64(vec![i64::MIN, 1]),
            Pixels::F32(vec![-0.5, 1e30]),
            Pixels::F64(vec![0.1, -7.0]),
        ] {
            let image = Image::new(2, 1, pixels).unwrap();
            let head = PictureHead::of(&image, "a".into());
            let head: PictureHead = serde_json::from_str(&serde_json::to_string(&head).unwrap()).unwrap();
            let mut pixels = room(&head, 1000).unwrap();
            bytes_of_mut(&mut pixels).copy_from_slice(bytes_of(image.pixels()));
            assert_eq!(head.picture(pixels).unwrap().pixels(), image.pixels());
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let image = Image::new(2, 1, Pixels::U16(vec![0, 1])).unwrap();
        let head = PictureHead::of(&image, String::new());
        assert!(room(&PictureHead { bytes: 5, ..head.clone() }, 1000).is_err());
        assert!(room(&PictureHead { pixel_type: "u128".into(), ..head.clone() }, 1000).is_err());
        assert!(room(&PictureHead { width: u32::MAX, height: u32::MAX, ..head.clone() }, 1000).is_err());
        assert!(room(&head, 3).is_err());
    }
}
