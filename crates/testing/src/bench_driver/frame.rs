//! The large frame: a 16-bit FITS file as camera drivers send it, made once.

use super::{DEVICE, link::Link};
use rustix::fs::{MemfdFlags, memfd_create};
use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
};

/// Columns of the frame: the largest sensor that amateurs use.
pub const WIDTH: u32 = 9576;
/// Rows of the frame.
pub const HEIGHT: u32 = 6388;

/// FITS files come in blocks of this size.
const BLOCK: usize = 2880;

/// The message that carries the frame, ready to send.
#[derive(Debug)]
pub(super) enum Frame {
    Inline(Vec<u8>),
    Attached { message: String, memory: File },
}

impl Frame {
    pub(super) fn new(attach: bool) -> io::Result<Self> {
        let fits = fits();
        let size = fits.len();
        let head = format!(
            "<setBLOBVector device='{DEVICE}' name='CCD1' state='Ok' timeout='60'>\n\
             <oneBLOB name='CCD1' size='{size}' format='.fits' len='{size}'"
        );
        if attach {
            let mut memory = File::from(memfd_create("indi-bench-frame", MemfdFlags::CLOEXEC)?);
            memory.write_all(&fits)?;
            return Ok(Frame::Attached { message: format!("{head} attached='true'/>\n</setBLOBVector>\n"), memory });
        }
        let mut message = Vec::with_capacity(fits.len() / 3 * 4 + 1000);
        message.extend_from_slice(format!("{head}>\n").as_bytes());
        encode_base64(&fits, &mut message);
        message.extend_from_slice(b"\n</oneBLOB>\n</setBLOBVector>\n");
        Ok(Frame::Inline(message))
    }

    pub(super) fn send(&self, link: &mut Link) -> io::Result<()> {
        match self {
            Frame::Inline(message) => link.write_all(message),
            Frame::Attached { message, memory } => link.write_with(message.as_bytes(), memory.as_fd()),
        }
    }
}

/// Pixel of the frame at an index, as the camera counted it: noise, so that nothing can be guessed.
pub fn pixel(index: usize) -> u16 {
    let mixed = (index as u64 ^ 0x5eed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 48) as u16
}

fn fits() -> Vec<u8> {
    let cards = [
        "SIMPLE  =                    T".to_owned(),
        "BITPIX  =                   16".to_owned(),
        "NAXIS   =                    2".to_owned(),
        format!("NAXIS1  = {WIDTH:>20}"),
        format!("NAXIS2  = {HEIGHT:>20}"),
        "BZERO   =                32768".to_owned(),
        "BSCALE  =                    1".to_owned(),
        "ROWORDER= 'TOP-DOWN'".to_owned(),
        "END".to_owned(),
    ];
    let pixels = WIDTH as usize * HEIGHT as usize;
    let mut file = Vec::with_capacity(BLOCK + pixels * 2 + BLOCK);
    for card in cards {
        file.extend_from_slice(format!("{card:<80}").as_bytes());
    }
    file.resize(BLOCK, b' ');
    for index in 0..pixels {
        // An unsigned value less BZERO is the same value with its highest bit turned.
        file.extend_from_slice(&(pixel(index) ^ 0x8000).to_be_bytes());
    }
    file.resize(file.len().next_multiple_of(BLOCK), 0);
    file
}

fn encode_base64(data: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32, place: u32| ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
    // The file's length is a multiple of three: whole blocks.
    for three in data.chunks_exact(3) {
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        out.extend_from_slice(&[letter(bits, 0), letter(bits, 1), letter(bits, 2), letter(bits, 3)]);
    }
}
