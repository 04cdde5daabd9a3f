//! `ImageArray`: an array of COM as a picture.
//!
//! Its first index is the column and runs fastest in memory, so that a row of pixels lies in one piece: the pixels are
//! only made narrower on their way, row after row. A third index counts the planes.

use super::variant;
use crate::{Error, Image, Result, image::Pixels};
use windows::Win32::System::{
    Com::SAFEARRAY,
    Ole::{
        SafeArrayAccessData, SafeArrayGetDim, SafeArrayGetLBound, SafeArrayGetUBound, SafeArrayGetVartype,
        SafeArrayUnaccessData,
    },
    Variant::{
        VARIANT, VT_I1, VT_I2, VT_I4, VT_I8, VT_INT, VT_R4, VT_R8, VT_UI1, VT_UI2, VT_UI4, VT_UI8, VT_UINT, VT_VARIANT,
    },
};

/// The most columns or rows of a picture.
const LARGEST: u32 = 1 << 17;

/// ASCOM speaks of 32 bits when it does not know better: what fits 16 is kept so.
macro_rules! narrowed {
    ($values:expr, $otherwise:path) => {{
        let values = $values;
        // No pixel has a bit above the sixteenth, or a sign.
        match u16::try_from(values.iter().fold(0, |bits, value| bits | *value)) {
            Ok(_) => Pixels::U16(values.iter().map(|value| *value as u16).collect()),
            Err(_) => $otherwise(values.to_vec()),
        }
    }};
}

/// The picture in what `ImageArray` answered.
///
/// # Errors
/// `Protocol` for what is no picture.
pub(super) fn image(answer: &VARIANT) -> Result<Image> {
    let array = variant::array(answer)?;
    let (width, height, planes) = size(array)?;
    let count = width as usize * height as usize * usize::from(planes);
    let broken = |why: windows::core::Error| Error::protocol(format!("ImageArray cannot be read: {why}"));
    // SAFETY: the array is whole; it is held while its memory is read, as many elements of its kind as it says it has.
    let pixels = unsafe {
        let kind = SafeArrayGetVartype(array).map_err(broken)?;
        let mut data = std::ptr::null_mut();
        SafeArrayAccessData(array, &mut data).map_err(broken)?;
        let _held = Held(array);
        macro_rules! elements {
            ($type:ty) => {
                std::slice::from_raw_parts(data.cast::<$type>(), count)
            };
        }
        match kind {
            VT_UI1 => Pixels::U8(elements!(u8).to_vec()),
            VT_UI2 => Pixels::U16(elements!(u16).to_vec()),
            VT_I1 => Pixels::I16(elements!(i8).iter().map(|value| i16::from(*value)).collect()),
            VT_I2 => Pixels::I16(elements!(i16).to_vec()),
            VT_I4 | VT_INT => narrowed!(elements!(i32), Pixels::I32),
            VT_UI4 | VT_UINT => narrowed!(elements!(u32), Pixels::U32),
            VT_I8 => narrowed!(elements!(i64), Pixels::I64),
            VT_UI8 => narrowed!(elements!(u64), Pixels::U64),
            VT_R4 => Pixels::F32(elements!(f32).to_vec()),
            VT_R8 => Pixels::F64(elements!(f64).to_vec()),
            VT_VARIANT => variants(elements!(VARIANT))?,
            other => return Err(Error::protocol(format!("ImageArray has elements of the kind {}", other.0))),
        }
    };
    Image::with_planes(width, height, planes, pixels)
}

/// An array whose memory is being read.
struct Held<'a>(&'a SAFEARRAY);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // SAFETY: it is let go once, as often as it was held.
        unsafe {
            let _ = SafeArrayUnaccessData(self.0);
        }
    }
}

/// Columns, rows and planes.
fn size(array: &SAFEARRAY) -> Result<(u32, u32, u8)> {
    // SAFETY: the array is whole.
    let dimensions = unsafe { SafeArrayGetDim(array) };
    let length = |dimension: u32| {
        // SAFETY: as above.
        let bounds = unsafe {
            SafeArrayGetLBound(array, dimension).and_then(|low| Ok((low, SafeArrayGetUBound(array, dimension)?)))
        };
        let (low, high) = bounds.map_err(|why| Error::protocol(format!("ImageArray cannot be read: {why}")))?;
        let length = i64::from(high) - i64::from(low) + 1;
        u32::try_from(length)
            .ok()
            .filter(|length| (1..=LARGEST).contains(length))
            .ok_or_else(|| Error::protocol(format!("ImageArray has {length} elements in dimension {dimension}")))
    };
    let planes = match dimensions {
        2 => 1,
        3 => length(3)?,
        _ => return Err(Error::protocol(format!("ImageArray has {dimensions} dimensions"))),
    };
    let planes = u8::try_from(planes).map_err(|_| Error::protocol(format!("ImageArray has {planes} planes")))?;
    Ok((length(1)?, length(2)?, planes))
}

/// What scripts answer: each pixel a value of its own.
fn variants(values: &[VARIANT]) -> Result<Pixels> {
    let read = |value: &VARIANT| {
        variant::value(value)?.as_f64().ok_or_else(|| Error::protocol("ImageArray has a pixel that is no number"))
    };
    let numbers: Vec<f64> = values.iter().map(read).collect::<Result<_>>()?;
    let whole: Option<Vec<i32>> = numbers
        .iter()
        .map(|value| {
            (value.fract() == 0.0 && i32::MIN as f64 <= *value && *value <= i32::MAX as f64).then_some(*value as i32)
        })
        .collect();
    Ok(whole.map_or(Pixels::F64(numbers), |whole| narrowed!(whole.as_slice(), Pixels::I32)))
}
