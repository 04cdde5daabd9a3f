//! A picture in JSON, read as it arrives: `{"Type":2,"Rank":2,"Value":[[..],..],...}`, keys in any order.
//!
//! The numbers go straight into the picture, in the narrowest type that holds them; only what stands around them is
//! kept as text, and read like any other reply. So there is never a tree of millions of values.

use super::{
    answer,
    columns::{LARGEST, widened},
    transpose::{into_columns, place_columns},
};
use crate::{
    Error, Result,
    image::{Image, Pixels},
};
use bytemuck::Pod;

/// The longest that everything but the numbers may be.
const LONGEST_REST: usize = 64 << 10;

/// The longest number.
const LONGEST_NUMBER: usize = 48;

/// A reply with a picture, taken in pieces of any size.
#[derive(Debug, Default)]
pub struct Array {
    /// The reply, with `null` for the numbers.
    rest: Vec<u8>,
    place: Place,
    /// Depth of the objects and lists around.
    depth: u32,
    in_text: bool,
    escaped: bool,
    /// Where in `rest` the last text began, and ended.
    text: (usize, usize),
    /// The last key of the outermost object was `Value`.
    at_value: bool,
    numbers: Numbers,
}

#[derive(Debug, Default, PartialEq)]
enum Place {
    #[default]
    Around,
    Within,
    Behind,
}

impl Array {
    /// Ready for the first byte.
    pub fn new() -> Self {
        Array::default()
    }

    /// Takes bytes as they come.
    ///
    /// # Errors
    /// `Protocol` for what is no picture, or larger than any.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while let Some((byte, after)) = bytes.split_first() {
            if self.place == Place::Within {
                bytes = self.numbers.push(bytes)?;
                if self.numbers.depth == 0 {
                    self.place = Place::Behind;
                }
            } else {
                self.around(*byte)?;
                bytes = after;
            }
        }
        Ok(())
    }

    /// The picture.
    ///
    /// # Errors
    /// The device's own error if that was the reply; `Protocol` for anything but a whole picture.
    pub fn finish(self) -> Result<Image> {
        answer::parse(&self.rest)?;
        if self.place != Place::Behind {
            return Err(Error::protocol("answered no picture"));
        }
        self.numbers.finish()
    }

    /// A byte of what stands around the numbers.
    fn around(&mut self, byte: u8) -> Result<()> {
        if self.rest.len() >= LONGEST_REST {
            return Err(Error::protocol("answered much else than a picture"));
        }
        if self.in_text {
            self.in_text = self.escaped || byte != b'"';
            self.escaped = byte == b'\\' && !self.escaped;
            self.text.1 = self.rest.len();
            self.rest.push(byte);
            return Ok(());
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.text = (self.rest.len() + 1, self.rest.len() + 1);
            }
            b':' if self.depth == 1 => {
                let key = self.rest.get(self.text.0..self.text.1).unwrap_or_default();
                self.at_value = key.eq_ignore_ascii_case(b"Value") && self.place == Place::Around;
            }
            b'[' if self.at_value && self.depth == 1 => {
                self.place = Place::Within;
                self.at_value = false;
                self.numbers.depth = 1;
                self.rest.extend_from_slice(b"null");
                return Ok(());
            }
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b',' => self.at_value = false,
            _ => {}
        }
        self.rest.push(byte);
        Ok(())
    }
}

/// The numbers of the picture, column after column.
#[derive(Debug)]
struct Numbers {
    depth: u32,
    /// How deep the numbers stand: 2, or 3 with planes; 0 as long as none was seen.
    rank: u32,
    pixels: Growing,
    token: Vec<u8>,
    /// Numbers since each list was opened, from the outermost on.
    counts: [usize; 4],
    /// What each list of a depth must hold: as many as the first one.
    sizes: [Option<usize>; 4],
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers {
            depth: 0,
            rank: 0,
            pixels: Growing::U16(Vec::new()),
            token: Vec::new(),
            counts: [0; 4],
            sizes: [None; 4],
        }
    }
}

impl Numbers {
    /// Takes bytes up to the end of the outermost list; those behind it.
    fn push<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' => {
                    if self.token.len() >= LONGEST_NUMBER {
                        return Err(wrong("has a number too long"));
                    }
                    self.token.push(*byte);
                }
                b',' => self.end_number()?,
                b'[' if self.token.is_empty() && self.depth < 3 => {
                    self.depth += 1;
                    self.counts[self.depth as usize] = 0;
                }
                b']' => {
                    self.end_number()?;
                    self.close()?;
                    if self.depth == 0 {
                        return Ok(&bytes[at + 1..]);
                    }
                }
                b' ' | b'\t' | b'\r' | b'\n' => self.end_number()?,
                _ => return Err(wrong("holds what is no number")),
            }
        }
        Ok(&[])
    }

    /// A list has ended: it must be as long as its sisters.
    fn close(&mut self) -> Result<()> {
        let depth = self.depth as usize;
        let count = self.counts[depth];
        let size = self.sizes[depth].get_or_insert(count);
        if depth > 1 && *size != count {
            return Err(wrong("has columns of different lengths"));
        }
        self.depth -= 1;
        self.counts[depth - 1] += 1;
        Ok(())
    }

    fn end_number(&mut self) -> Result<()> {
        if self.token.is_empty() {
            return Ok(());
        }
        if self.rank == 0 {
            self.rank = self.depth;
        }
        if self.rank != self.depth || self.pixels.len() as u64 >= LARGEST / 8 {
            return Err(wrong("has numbers at different depths, or too many"));
        }
        self.counts[self.depth as usize] += 1;
        self.pixels.push(&self.token)?;
        self.token.clear();
        Ok(())
    }

    fn finish(self) -> Result<Image> {
        let size = |depth: usize| self.sizes[depth].unwrap_or(0);
        let (width, height) = (size(1), size(2));
        let planes = if self.rank == 3 { size(3) } else { 1 };
        let fits = (1..1 << 20).contains(&width) && (1..1 << 20).contains(&height) && (planes == 1 || planes == 3);
        if !(2..=3).contains(&self.rank) || !fits || width * height * planes != self.pixels.len() {
            return Err(wrong("is no picture"));
        }
        let pixels = match self.pixels {
            Growing::U16(pixels) => Pixels::U16(in_rows(pixels, width, height, planes)),
            Growing::I32(pixels) => Pixels::I32(in_rows(pixels, width, height, planes)),
            Growing::I64(pixels) => Pixels::I64(in_rows(pixels, width, height, planes)),
            Growing::F64(pixels) => Pixels::F64(in_rows(pixels, width, height, planes)),
        };
        Image::with_planes(width as u32, height as u32, planes as u8, pixels)
    }
}

/// Columns into rows; for one plane within the same memory.
fn in_rows<T: Pod>(columns: Vec<T>, width: usize, height: usize, planes: usize) -> Vec<T> {
    if planes == 1 {
        // What turns rows into columns turns columns into rows.
        return into_columns(columns, height, width);
    }
    let mut rows = vec![T::zeroed(); columns.len()];
    place_columns(&columns, 0, &mut rows, (width, height, planes));
    rows
}

/// Values in the narrowest type that holds all of them so far.
#[derive(Debug)]
enum Growing {
    U16(Vec<u16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F64(Vec<f64>),
}

impl Growing {
    fn len(&self) -> usize {
        match self {
            Growing::U16(values) => values.len(),
            Growing::I32(values) => values.len(),
            Growing::I64(values) => values.len(),
            Growing::F64(values) => values.len(),
        }
    }

    fn push(&mut self, token: &[u8]) -> Result<()> {
        match whole(token) {
            Some(value) => self.push_whole(value),
            None => {
                let value = std::str::from_utf8(token).ok().and_then(|text| text.parse::<f64>().ok());
                self.push_real(
                    value.filter(|value| value.is_finite()).ok_or_else(|| wrong("has a number that is none"))?,
                );
            }
        }
        Ok(())
    }

    fn push_whole(&mut self, value: i64) {
        loop {
            match self {
                Growing::U16(values) => match u16::try_from(value) {
                    Ok(value) => return values.push(value),
                    Err(_) => *self = Growing::I32(widened(std::mem::take(values))),
                },
                Growing::I32(values) => match i32::try_from(value) {
                    Ok(value) => return values.push(value),
                    Err(_) => *self = Growing::I64(widened(std::mem::take(values))),
                },
                Growing::I64(values) => return values.push(value),
                Growing::F64(values) => return values.push(value as f64),
            }
        }
    }

    fn push_real(&mut self, value: f64) {
        loop {
            match self {
                Growing::U16(values) => *self = Growing::F64(widened(std::mem::take(values))),
                Growing::I32(values) => *self = Growing::F64(widened(std::mem::take(values))),
                Growing::I64(values) => *self = Growing::F64(values.iter().map(|value| *value as f64).collect()),
                Growing::F64(values) => return values.push(value),
            }
        }
    }
}

/// A plain whole number.
fn whole(token: &[u8]) -> Option<i64> {
    let (digits, negative) = token.strip_prefix(b"-").map_or((token, false), |digits| (digits, true));
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

fn wrong(what: &str) -> Error {
    Error::protocol(format!("the JSON picture {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use proptest::prelude::*;

    fn read(text: &str, chunk: usize) -> Result<Image> {
        let mut array = Array::new();
        for part in text.as_bytes().chunks(chunk) {
            array.push(part)?;
        }
        array.finish()
    }

    #[test]
    fn keys_in_any_order_and_any_numbers() {
        for (text, expected) in [
            (r#"{"Type":2,"Rank":2,"Value":[[1,4],[2,5],[3,6]],"ErrorNumber":0}"#, Pixels::U16(vec![1, 2, 3, 4, 5, 6])),
            (r#"{"value": [ [1, -4],[2,5],[3,6] ] }"#, Pixels::I32(vec![1, 2, 3, -4, 5, 6])),
            (r#"{"A":{"Value":[1]},"Value":[[1,4],[2,5],[3,6e0]]}"#, Pixels::F64(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
            (r#"{"Value":[[1,4],[2,5],[3,5000000000]]}"#, Pixels::I64(vec![1, 2, 3, 4, 5, 5_000_000_000])),
        ] {
            for chunk in [1, 7, 1000] {
                let image = read(text, chunk).unwrap();
                assert_eq!((image.width(), image.height(), image.pixels()), (3, 2, &expected), "{text}");
            }
        }
        let colour = read(r#"{"Rank":3,"Value":[[[1,2,3]],[[4,5,6]]]}"#, 3).unwrap();
        assert_eq!((colour.width(), colour.height(), colour.planes()), (2, 1, 3));
        assert_eq!(colour.pixels(), &Pixels::U16(vec![1, 4, 2, 5, 3, 6]));
    }

    #[test]
    fn errors_and_nonsense_are_told_apart() {
        let error = read(r#"{"ErrorNumber":1035,"ErrorMessage":"no image","Value":null}"#, 5).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidOperation, "no image"));
        for text in [
            r#"{"Value":[[1,2],[3]]}"#,
            r#"{"Value":[1,2]}"#,
            r#"{"Value":[[1],2]}"#,
            r#"{"Value":[[1,"2"]]}"#,
            r#"{"Value":[[[[1]]]]}"#,
            r#"{"Value":[]}"#,
            r#"{"Value":[[1,2"#,
            r#"{"Value":[[1-2]]}"#,
            r#"{"Value":[[[1,2]]]}"#,
            r#"{"Value":7}"#,
            "",
        ] {
            assert_eq!(read(text, 2).unwrap_err().kind(), ErrorKind::Protocol, "{text}");
        }
        assert!(read(&format!("{{\"A\":\"{}\"", "x".repeat(100_000)), 999).is_err());
    }

    proptest! {
        #[test]
        fn pictures_survive(width in 1..40_usize, height in 1..40_usize, chunk in 1..50_usize, seed: u16) {
            let value = |x: usize, y: usize| (x * 7 + y * 31) as u16 ^ seed;
            let columns: Vec<Vec<u16>> = (0..width).map(|x| (0..height).map(|y| value(x, y)).collect()).collect();
            let text = format!("{{\"Type\":2,\"Rank\":2,\"Value\":{}}}", serde_json::to_string(&columns).unwrap());
            let rows = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y))).collect();
            prop_assert_eq!(read(&text, chunk).unwrap().into_pixels(), Pixels::U16(rows));
        }

        #[test]
        fn any_bytes_are_read_or_refused(text in "[\\[\\]{}\":,0-9Vvalue.eE -]{0,60}", chunk in 1..9_usize) {
            let _ = read(&text, chunk);
            let _ = read(&format!("{{\"Value\":[{text}"), chunk);
        }
    }
}
