//! FITS files that every astronomy program reads (FITS Standard 4.0).
//!
//! [`header()`] composes the keywords of a picture, [`write()`] puts both on the disk, [`read`] brings them back.
//! Pixels keep their type both ways: unsigned integers are written with the `BZERO` that the standard
//! provides for them (section 5.2.5), and read as unsigned integers again.
//!
//! ```
//! use astrobackend::{Image, fits, image::Pixels, observation::Observation};
//! let image = Image::new(3, 2, Pixels::U16(vec![0, 1, 2, 3, 4, 65535]))?;
//! let observation = Observation { object: Some("M 42".into()), ..Observation::default() };
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("m42.fits");
//! fits::write(&path, &image, &fits::header(&image, &observation), false)?;
//! let (copy, header) = fits::read(&path)?;
//! assert_eq!(copy.pixels(), image.pixels());
//! assert_eq!(header.text("OBJECT"), Some("M 42"));
//! # Ok::<(), astrobackend::Error>(())
//! ```

mod checksum;
mod header;
mod input;
mod keywords;
mod meta;
mod parse;
mod print;
mod read;
mod sample;
mod tiles;
mod write;

#[cfg(test)]
mod tests;

pub use header::{Card, Header, Value};
pub use keywords::header;
pub use read::{parse, read, read_from};
pub use write::{to_vec, write, write_to};

/// Files consist of blocks of this many bytes.
const BLOCK: usize = 2880;

/// Keywords that describe the file, not the observation: only the writer knows their values.
fn structural(keyword: &str) -> bool {
    const FIXED: [&str; 15] = [
        "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "GROUPS", "BZERO", "BSCALE", "BLANK",
        "CHECKSUM", "DATASUM", "LONGSTRN", "END",
    ];
    let axis = keyword.strip_prefix("NAXIS").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    axis || FIXED.contains(&keyword)
}
