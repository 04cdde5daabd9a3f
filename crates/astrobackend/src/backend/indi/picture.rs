//! From the bytes of a BLOB to a picture, by its format: FITS, tile-compressed FITS, and either of them packed.

use crate::{Error, Image, Result, fits};
use flate2::bufread::{GzDecoder, ZlibDecoder};
use std::io::{BufRead, BufReader};

/// Bytes that a file may have that does not tell, packed or unpacked: as many as a BLOB may have.
pub(super) const MOST: u64 = 1 << 30;

/// Deflate packs a thousand zeros into a byte, and no more.
const BEST_RATIO: u64 = 1032;

/// Bytes unpacked at a time.
const PIECE: usize = 1 << 18;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    /// `.z`, as INDI packs.
    Zlib,
    Gzip,
}

/// The packing of a format that can be read; `None` for other formats.
fn packing(format: &str) -> Option<Packing> {
    let format = format.trim().to_ascii_lowercase();
    let (name, packing) = match format.rsplit_once('.') {
        Some((name, "z")) => (name, Packing::Zlib),
        Some((name, "gz")) => (name, Packing::Gzip),
        _ => (format.as_str(), Packing::None),
    };
    let plain = name.strip_suffix(".fz").unwrap_or(name);
    [".fits", ".fit", ".fts"].contains(&plain).then_some(packing)
}

/// True for formats that a picture can be made of.
pub(super) fn is_readable(format: &str) -> bool {
    packing(format).is_some()
}

/// Makes a picture of a file of a length, reading no more of it than needed.
///
/// # Errors
/// `Protocol` when it is damaged, `Unsupported` for other formats.
pub(super) fn read(format: &str, file: impl BufRead, length: u64) -> Result<Box<Image>> {
    let unpacked = length.saturating_mul(BEST_RATIO).min(MOST);
    let file = file.take(length);
    let read = match packing(format) {
        Some(Packing::None) => fits::read_from(file, length),
        Some(Packing::Zlib) => fits::read_from(BufReader::with_capacity(PIECE, ZlibDecoder::new(file)), unpacked),
        Some(Packing::Gzip) => fits::read_from(BufReader::with_capacity(PIECE, GzDecoder::new(file)), unpacked),
        None => {
            let message = format!("sends the image as {format:?}, which cannot be read; set it to FITS");
            return Err(Error::unsupported(message));
        }
    };
    read.map(|(image, _)| Box::new(image))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, image::Pixels};
    use flate2::{Compression, write};
    use std::io::Write;

    fn fits() -> Vec<u8> {
        let image = Image::new(50, 40, Pixels::U16((0..2000).collect())).unwrap();
        fits::to_vec(&image, &fits::Header::new())
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut packed = write::ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn packed_files_are_unpacked() {
        let mut gzip = write::GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&fits()).unwrap();
        for (format, file) in [
            (".fits", fits()),
            (".FIT", fits()),
            (".fits.z", zlib(&fits())),
            (".fits.gz", gzip.finish().unwrap()),
            // Some drivers give a plain file this name when they were told to compress and did not.
            (".fits.fz", fits()),
        ] {
            let image = read(format, &file[..], file.len() as u64).unwrap();
            assert_eq!(image.pixels(), &Pixels::U16((0..2000).collect()), "{format}");
        }
    }

    #[test]
    fn what_is_cut_off_damaged_or_of_another_kind() {
        let packed = zlib(&fits());
        let cut = packed.len() as u64 / 2;
        assert_eq!(read(".fits.z", &packed[..], cut).unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(read(".fits.z", &fits()[..], 2880).unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(read(".xisf", &packed[..], 10).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn a_small_file_does_not_unpack_to_a_huge_one() {
        let mut header = String::new();
        for card in ["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 1000000", "NAXIS2  = 1000000", "END"] {
            header += &format!("{card:80}");
        }
        let packed = zlib(format!("{header:2880}").as_bytes());
        let error = read(".fits.z", &packed[..], packed.len() as u64).unwrap_err();
        assert!(error.kind() == ErrorKind::Protocol && error.to_string().contains("cut off"), "{error}");
    }
}
