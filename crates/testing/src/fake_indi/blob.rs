//! Pictures in the many ways in which servers and drivers send them.

use super::xml::escape;
use base64::{Engine, engine::general_purpose::STANDARD};

/// A FITS file of 16-bit pixels that all have one value: a picture that can be told from others.
pub fn fits(width: usize, height: usize, value: u16) -> Vec<u8> {
    let cards = [
        "SIMPLE  =                    T".to_owned(),
        "BITPIX  =                   16".to_owned(),
        "NAXIS   =                    2".to_owned(),
        format!("NAXIS1  = {width:>20}"),
        format!("NAXIS2  = {height:>20}"),
        "BZERO   =                32768".to_owned(),
        "BSCALE  =                    1".to_owned(),
        "END".to_owned(),
    ];
    let mut file: Vec<u8> = cards.iter().flat_map(|card| format!("{card:<80}").into_bytes()).collect();
    file.resize(2880, b' ');
    let stored = (i32::from(value) - 32768) as i16;
    file.extend(std::iter::repeat_n(stored.to_be_bytes(), width * height).flatten());
    file.resize(file.len().next_multiple_of(2880), 0);
    file
}

/// One element of a BLOB vector.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its name.
    pub name: String,
    /// The attribute `format`.
    pub format: String,
    /// The attribute `size`.
    pub size: u64,
    /// The attribute `len`, if it is sent.
    pub len: Option<u64>,
    /// The attribute `enclen`, if it is sent.
    pub enclen: bool,
    /// Columns of the base64 text; `None`: one line.
    pub columns: Option<usize>,
    /// What is sent.
    pub data: Vec<u8>,
}

impl Blob {
    /// As indiserver sends it: one line, `size` and `len`.
    pub fn new(name: &str, data: Vec<u8>) -> Self {
        let size = data.len() as u64;
        Blob { name: name.into(), format: ".fits".into(), size, len: Some(size), enclen: false, columns: None, data }
    }

    /// As a driver sends it that encodes for itself: lines of 72 characters, `enclen`, no `len`.
    #[must_use]
    pub fn encoded_by_driver(self) -> Self {
        Blob { columns: Some(72), enclen: true, len: None, ..self }
    }

    /// With padding behind the valid bytes, as indiserver does with compressed pictures.
    #[must_use]
    pub fn padded(mut self, bytes: usize) -> Self {
        self.len = Some(self.data.len() as u64);
        self.data.resize(self.data.len() + bytes, 0xAA);
        self.size = self.data.len() as u64 * 2;
        self
    }

    fn xml(&self) -> String {
        let text = STANDARD.encode(&self.data);
        let enclen = if self.enclen { format!(" enclen='{}'", text.len()) } else { String::new() };
        let len = self.len.map(|len| format!(" len='{len}'")).unwrap_or_default();
        let text = match self.columns {
            Some(columns) => {
                let lines: Vec<_> =
                    text.as_bytes().chunks(columns).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
                lines.join("\n")
            }
            None => text,
        };
        let (name, size, format) = (escape(&self.name), self.size, escape(&self.format));
        format!("<oneBLOB name='{name}' size='{size}' format='{format}'{len}{enclen}>\n{text}\n</oneBLOB>\n")
    }
}

/// A `setBLOBVector` with these BLOBs.
pub fn vector(device: &str, property: &str, state: &str, blobs: &[Blob]) -> String {
    let (device, property) = (escape(device), escape(property));
    let blobs: String = blobs.iter().map(Blob::xml).collect();
    format!(
        "<setBLOBVector device='{device}' name='{property}' state='{state}' timeout='60'>\n{blobs}</setBLOBVector>\n"
    )
}

/// The usual: one FITS file in the element of the property's own name.
pub fn picture(device: &str, property: &str, file: Vec<u8>) -> String {
    vector(device, property, "Ok", &[Blob::new(property, file)])
}
