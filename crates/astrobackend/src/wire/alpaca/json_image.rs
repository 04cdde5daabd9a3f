//! A picture as JSON, printed piece by piece: the text is several times larger than the picture.

use super::reply::{Transaction, print_error, print_ids};
use crate::{each_pixel_type, image::Pixels};

/// Bytes of text that a piece has, more or less.
const PIECE: usize = 64 * 1024;

/// The most characters that a number and what stands around it take.
const LONGEST: usize = 32;

/// Prints a picture that stands column after column ([`transpose`](super::transpose)) as
/// `{"Type":..,"Rank":..,"Value":[[..],..], ids and no error}`.
#[derive(Debug)]
pub struct JsonImage {
    height: usize,
    planes: usize,
    ids: Transaction,
    /// The next pixel's value; past the last one when only the end is missing, `None` when all is printed.
    at: Option<usize>,
}

/// ASCOM's number for the type that a client's array should have: 2, 32-bit integers, where they hold every value, else
/// 3, doubles.
pub fn array_type(pixels: &Pixels) -> i32 {
    let fits = match pixels {
        Pixels::U8(_) | Pixels::I16(_) | Pixels::U16(_) | Pixels::I32(_) => true,
        Pixels::U32(values) => values.iter().all(|value| i32::try_from(*value).is_ok()),
        Pixels::I64(values) => values.iter().all(|value| i32::try_from(*value).is_ok()),
        Pixels::U64(values) => values.iter().all(|value| i32::try_from(*value).is_ok()),
        Pixels::F32(_) | Pixels::F64(_) => false,
    };
    if fits { 2 } else { 3 }
}

impl JsonImage {
    /// A picture of columns of `height` pixels, of `planes` values each.
    pub fn new(height: usize, planes: usize, ids: Transaction) -> Self {
        JsonImage { height: height.max(1), planes: planes.max(1), ids, at: Some(0) }
    }

    /// Appends the next piece of text; false when there is none any more.
    ///
    /// `pixels` and `array_type` are the same each time.
    pub fn piece(&mut self, pixels: &Pixels, array_type: i32, out: &mut Vec<u8>) -> bool {
        let Some(begin) = self.at else { return false };
        let enough = out.len() + PIECE;
        out.reserve(PIECE + LONGEST);
        if begin == 0 {
            let rank = if self.planes > 1 { 3 } else { 2 };
            out.extend_from_slice(format!("{{\"Type\":{array_type},\"Rank\":{rank},\"Value\":[").as_bytes());
        }
        let total = pixels.len();
        let column = self.height * self.planes;
        let (mut at, mut within) = (begin, begin % column);
        each_pixel_type!(pixels, values => {
            while at < total && out.len() < enough {
                if at > 0 {
                    out.push(b',');
                }
                self.open(within, out);
                values[at].print(out);
                at += 1;
                within += 1;
                self.close(within, out);
                if within == column {
                    within = 0;
                }
            }
        });
        self.at = Some(at);
        if at >= total && out.len() < enough {
            out.extend_from_slice(b"],");
            print_ids(out, self.ids);
            print_error(out, None);
            out.push(b'}');
            self.at = None;
        }
        true
    }

    /// What stands before the value at a place in its column.
    fn open(&self, within: usize, out: &mut Vec<u8>) {
        if within == 0 {
            out.push(b'[');
        }
        if self.planes > 1 && within.is_multiple_of(self.planes) {
            out.push(b'[');
        }
    }

    /// What stands after the value before a place in its column.
    fn close(&self, within: usize, out: &mut Vec<u8>) {
        if self.planes > 1 && within.is_multiple_of(self.planes) {
            out.push(b']');
        }
        if within == self.height * self.planes {
            out.push(b']');
        }
    }
}

/// A value of a pixel.
trait Sample: Copy {
    fn print(self, out: &mut Vec<u8>);
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            fn print(self, out: &mut Vec<u8>) {
                #[allow(unused_comparisons)]
                if self < 0 {
                    out.push(b'-');
                }
                print_digits(u64::from(self.abs_diff(0)), out);
            }
        }
    )*};
}

integers!(u8, i16, u16, i32, u32, i64, u64);

/// Prints a whole number: there is one for each pixel, so it does not pass through a general serializer.
fn print_digits(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut begin = digits.len();
    loop {
        begin -= 1;
        digits[begin] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[begin..]);
}

macro_rules! floats {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            /// JSON has no infinities and no NaN; a dead pixel is 0.
            fn print(self, out: &mut Vec<u8>) {
                let value = if self.is_finite() { self } else { 0.0 };
                let written = serde_json::to_writer(out, &value);
                debug_assert!(written.is_ok());
            }
        }
    )*};
}

floats!(f32, f64);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IDS: Transaction = Transaction { client: 5, server: 6 };

    fn printed(pixels: &Pixels, height: usize, planes: usize) -> String {
        let mut image = JsonImage::new(height, planes, IDS);
        let mut all = Vec::new();
        let mut piece = Vec::new();
        while image.piece(pixels, array_type(pixels), &mut piece) {
            assert!(piece.len() <= PIECE + 256, "{}", piece.len());
            all.append(&mut piece);
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn type_and_rank_come_first() {
        let text = printed(&Pixels::U16(vec![1, 4, 2, 5, 3, 65535]), 2, 1);
        assert!(
            text.starts_with(r#"{"Type":2,"Rank":2,"Value":[[1,4],[2,5],[3,65535]],"ClientTransactionID":5,"#),
            "{text}"
        );
        let text = printed(&Pixels::I16(vec![1, 3, 5, 2, -4, 6]), 1, 3);
        assert!(text.starts_with(r#"{"Type":2,"Rank":3,"Value":[[[1,3,5]],[[2,-4,6]]],"#), "{text}");
        let text = printed(&Pixels::F32(vec![0.5, f32::NAN]), 2, 1);
        assert!(text.starts_with(r#"{"Type":3,"Rank":2,"Value":[[0.5,0.0]],"#), "{text}");
        assert!(printed(&Pixels::U32(vec![u32::MAX]), 1, 1).starts_with(r#"{"Type":3"#));
    }

    #[test]
    fn the_ends_of_each_type_are_printed_whole() {
        for (pixels, expected) in [
            (Pixels::U8(vec![0, 255]), "0,255".to_owned()),
            (Pixels::I16(vec![i16::MIN, -1]), "-32768,-1".to_owned()),
            (Pixels::I32(vec![i32::MIN, i32::MAX]), format!("{},{}", i32::MIN, i32::MAX)),
            (Pixels::U32(vec![10, u32::MAX]), format!("10,{}", u32::MAX)),
            (Pixels::I64(vec![i64::MIN, i64::MAX]), format!("{},{}", i64::MIN, i64::MAX)),
            (Pixels::U64(vec![100, u64::MAX]), format!("100,{}", u64::MAX)),
        ] {
            let text = printed(&pixels, 2, 1);
            assert!(text.contains(&format!("\"Value\":[[{expected}]],")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_pixel_is_where_it_belongs(width in 1..40_usize, height in 1..900_usize) {
            let values: Vec<i32> = (0..(width * height) as i32).map(|n| n - 1000).collect();
            let text = printed(&Pixels::I32(values.clone()), height, 1);
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            let columns: Vec<Vec<i32>> = serde_json::from_value(json["Value"].clone()).unwrap();
            prop_assert_eq!(columns.len(), width);
            prop_assert_eq!(columns.concat(), values);
            prop_assert_eq!(&json["ErrorNumber"], 0);
        }
    }
}
