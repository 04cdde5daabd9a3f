//! ImageBytes: the binary form of a picture, a header of 44 bytes and the pixels, little endian.
//!
//! The pixels stand column after column ([`transpose`](super::transpose)), the three planes of a colour picture
//! side by side for each pixel.

use crate::{Error, ErrorKind, Result, image::Pixels};

/// The media type, in `Accept` and `Content-Type`.
pub const MEDIA_TYPE: &str = "application/imagebytes";

/// Bytes of the header.
pub const HEADER: usize = 44;

/// The type of a pixel; the number is its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ElementType {
    /// Signed 16 bit.
    I16 = 1,
    /// Signed 32 bit: what an ASCOM `ImageArray` consists of.
    I32 = 2,
    /// 64-bit float.
    F64 = 3,
    /// 32-bit float.
    F32 = 4,
    /// Unsigned 64 bit.
    U64 = 5,
    /// Unsigned 8 bit.
    U8 = 6,
    /// Signed 64 bit.
    I64 = 7,
    /// Unsigned 16 bit.
    U16 = 8,
    /// Unsigned 32 bit.
    U32 = 9,
}

impl ElementType {
    /// All of them.
    pub const ALL: [ElementType; 9] = {
        use ElementType::*;
        [I16, I32, F64, F32, U64, U8, I64, U16, U32]
    };

    /// The type of a code; `None` for 0, "unknown", and for what is none.
    pub fn from_code(code: i32) -> Option<Self> {
        ElementType::ALL.into_iter().find(|element| *element as i32 == code)
    }

    /// The type of these pixels.
    pub fn of(pixels: &Pixels) -> Self {
        match pixels {
            Pixels::U8(_) => ElementType::U8,
            Pixels::I16(_) => ElementType::I16,
            Pixels::U16(_) => ElementType::U16,
            Pixels::I32(_) => ElementType::I32,
            Pixels::U32(_) => ElementType::U32,
            Pixels::I64(_) => ElementType::I64,
            Pixels::U64(_) => ElementType::U64,
            Pixels::F32(_) => ElementType::F32,
            Pixels::F64(_) => ElementType::F64,
        }
    }

    /// Bytes of one pixel.
    pub fn size(self) -> usize {
        match self {
            ElementType::U8 => 1,
            ElementType::I16 | ElementType::U16 => 2,
            ElementType::I32 | ElementType::U32 | ElementType::F32 => 4,
            ElementType::I64 | ElementType::U64 | ElementType::F64 => 8,
        }
    }

    /// True for floats.
    pub fn is_float(self) -> bool {
        matches!(self, ElementType::F32 | ElementType::F64)
    }
}

/// What the header says of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What the client's array should consist of.
    pub element: ElementType,
    /// What is sent.
    pub sent: ElementType,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 for a picture of two dimensions, else as many as the third has.
    pub planes: u32,
    /// How many dimensions: 2 or 3.
    pub rank: u32,
}

impl Shape {
    /// Bytes of all pixels, as they are sent.
    pub fn bytes(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * u64::from(self.planes) * self.sent.size() as u64
    }
}

/// A header: the ids, and a picture or an error whose text follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The client's number of this request, 0 when it gave none.
    pub client_transaction: u32,
    /// The server's number of this request.
    pub server_transaction: u32,
    /// Where the pixels, or the error's text, begin.
    pub data_start: usize,
    /// The ASCOM number of an error, 0 for none.
    pub error: i32,
    /// The picture's shape; `None` with an error.
    pub shape: Option<Shape>,
}

impl Header {
    /// The 44 bytes.
    pub fn print(&self) -> [u8; HEADER] {
        let shape = self.shape.map_or([0; 6], |shape| {
            let third = if shape.rank == 3 { shape.planes } else { 0 };
            let number = |value: u32| value.cast_signed();
            let (element, sent) = (shape.element as i32, shape.sent as i32);
            [element, sent, number(shape.rank), number(shape.width), number(shape.height), number(third)]
        });
        let ids = [self.client_transaction.cast_signed(), self.server_transaction.cast_signed()];
        let fields = [1, self.error].into_iter().chain(ids).chain([HEADER as i32]).chain(shape);
        let mut bytes = [0; HEADER];
        for (place, field) in bytes.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// `Protocol` for another version, a type or a rank that there is not, or dimensions that cannot be.
    pub fn parse(bytes: &[u8; HEADER]) -> Result<Self> {
        let mut fields = [0_i32; HEADER / 4];
        for (field, place) in fields.iter_mut().zip(bytes.chunks_exact(4)) {
            *field = i32::from_le_bytes([place[0], place[1], place[2], place[3]]);
        }
        let [version, error, client, server, start, element, sent, rank, x, y, z] = fields;
        if version != 1 {
            return Err(wrong(format_args!("is of version {version}")));
        }
        let data_start = usize::try_from(start).ok().filter(|start| (HEADER..=1 << 20).contains(start));
        let data_start = data_start.ok_or_else(|| wrong(format_args!("has its pixels at {start}")))?;
        let shape = if error == 0 { Some(parse_shape([element, sent, rank, x, y, z])?) } else { None };
        Ok(Header {
            client_transaction: client.cast_unsigned(),
            server_transaction: server.cast_unsigned(),
            data_start,
            error,
            shape,
        })
    }
}

fn parse_shape([element, sent, rank, x, y, z]: [i32; 6]) -> Result<Shape> {
    let of = |code| ElementType::from_code(code);
    let sent = of(sent).ok_or_else(|| wrong(format_args!("sends pixels of type {sent}")))?;
    let planes = match (rank, z) {
        (2, _) => 1,
        (3, 1..=4) => z,
        (3, _) => return Err(wrong(format_args!("has {z} planes"))),
        _ => return Err(wrong(format_args!("has {rank} dimensions"))),
    };
    // Some servers leave the type of the array unknown.
    let shape = Shape {
        element: of(element).unwrap_or(sent),
        sent,
        width: x.cast_unsigned(),
        height: y.cast_unsigned(),
        planes: planes.cast_unsigned(),
        rank: rank.cast_unsigned(),
    };
    let sizes_fit = (1..1 << 20).contains(&x) && (1..1 << 20).contains(&y);
    if !sizes_fit || usize::try_from(shape.bytes()).is_err() {
        return Err(wrong(format_args!("is {x}x{y} pixels large")));
    }
    Ok(shape)
}

fn wrong(what: std::fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::Protocol, format!("the ImageBytes picture {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture() -> Header {
        let shape =
            Shape { element: ElementType::I32, sent: ElementType::U16, width: 9576, height: 6388, planes: 1, rank: 2 };
        Header { client_transaction: u32::MAX, server_transaction: 7, data_start: HEADER, error: 0, shape: Some(shape) }
    }

    #[test]
    fn the_header_has_its_fields_where_the_specification_says() {
        let bytes = picture().print();
        assert_eq!(bytes[..4], [1, 0, 0, 0]);
        assert_eq!(bytes[8..12], [0xff; 4]);
        assert_eq!(bytes[16], 44);
        assert_eq!((bytes[20], bytes[24], bytes[28]), (2, 8, 2));
        assert_eq!(bytes[32..36], 9576_u32.to_le_bytes());
        assert_eq!(bytes[40..44], [0; 4]);
        assert_eq!(Header::parse(&bytes).unwrap(), picture());
    }

    #[test]
    fn colour_and_errors_survive_the_trip() {
        let mut colour = picture();
        let shape = colour.shape.as_mut().unwrap();
        (shape.rank, shape.planes) = (3, 3);
        assert_eq!(Header::parse(&colour.print()).unwrap(), colour);
        let error = Header { error: 0x40B, shape: None, ..picture() };
        assert_eq!(Header::parse(&error.print()).unwrap(), error);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (at, value, why) in [
            (0, 2, "version 2"),
            (16, 3, "at 3"),
            (24, 0, "type 0"),
            (28, 4, "4 dimensions"),
            (32, -1, "-1x6388"),
            (36, 0, "9576x0"),
        ] {
            let mut bytes = picture().print();
            bytes[at..at + 4].copy_from_slice(&i32::to_le_bytes(value));
            let error = Header::parse(&bytes).unwrap_err().to_string();
            assert!(error.contains(why), "{why}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::array::uniform32(any::<u8>()), version in 0..3_u8) {
            let mut header = [0; HEADER];
            header[12..].copy_from_slice(&bytes);
            (header[0], header[16], header[17]) = (version, 44, 0);
            if let Ok(parsed) = Header::parse(&header) {
                let again = Header::parse(&parsed.print()).unwrap();
                prop_assert_eq!(again.shape, parsed.shape);
            }
        }
    }
}
