//! FITS files: plain ones, tables of compressed tiles, and either of them packed.

use astrobackend::{
    Image, each_pixel_type,
    fits::{self, Header, Value},
    image::Pixels,
};
use flate2::{Compression, bufread::ZlibDecoder, write::ZlibEncoder};
use std::io::{BufReader, Write};

const BLOCK: usize = 2880;
const RECORD: usize = 80;

/// Bytes of the largest picture that is made to be compared with a simple decoder.
const PIXELS: usize = 5000;

/// A file: headers whose records are lines, each ended by an empty line, then the data.
///
/// So short inputs are whole files; what is not a line of 80 characters is made one.
fn file(mut text: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    while text.starts_with(b"SIMPLE") || text.starts_with(b"XTENSION") {
        let end = text.windows(2).position(|two| two == b"\n\n").unwrap_or(text.len());
        for line in text[..end].split(|byte| *byte == b'\n').chain([&b"END"[..]]) {
            let mut record = line.to_vec();
            record.resize(RECORD, b' ');
            file.extend(record);
        }
        file.resize(file.len().next_multiple_of(BLOCK), b' ');
        text = text.get(end + 2..).unwrap_or_default();
    }
    file.extend_from_slice(text);
    file
}

/// Any file is an image or refused: no larger than what it is made of, the same from its pieces, and the same when it is
/// written and read again.
pub fn image(data: &[u8]) {
    let Some((cut, text)) = data.split_first() else { return };
    let file = file(text);
    let read = fits::parse(&file);
    let in_pieces = BufReader::with_capacity(usize::from(*cut).max(1), &file[..]);
    let in_pieces = fits::read_from(in_pieces, file.len() as u64);
    assert_eq!(shown(&in_pieces), shown(&read), "in pieces of {cut}");
    let torn = &file[..file.len() - usize::from(*cut).min(file.len())];
    if let Ok(torn) = fits::parse(torn) {
        assert_eq!(shown(&Ok(torn)), shown(&read), "{cut} bytes are missing");
    }
    match read {
        Ok((image, header)) => {
            // What a byte of a tile can stand for at most, and 8 bits with a scale become 32.
            assert!(bytes_of(&image) <= 4 * 1100 * file.len(), "{} bytes of {}", bytes_of(&image), file.len());
            again(&image, &header);
        }
        Err(error) => assert!(error.message().len() < 1000, "{error}"),
    }
}

/// Any records are a header, whose values are the same when it is written and read again.
pub fn header(data: &[u8]) {
    let mut text = b"SIMPLE  =                    T\nBITPIX  =                    8\nNAXIS   =                    2\n\
        NAXIS1  =                    2\nNAXIS2  =                    1\n"
        .to_vec();
    // As many as make one block with those.
    let lines = data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).take(20);
    text.extend(lines.collect::<Vec<_>>().join(&b'\n'));
    text.extend(b"\n\n\x01\x02");
    if let Ok((image, header)) = fits::parse(&file(&text)) {
        again(&image, &header);
    }
}

/// Any bytes unpack to a file or are refused; a file that is packed is the same as it was.
pub fn packed(data: &[u8]) {
    /// As much as all of an input can be, and more than a thousand times it.
    const MOST: u64 = 1 << 20;
    let Some((kind, text)) = data.split_first() else { return };
    let unpacked = |bytes: &[u8]| fits::read_from(BufReader::new(ZlibDecoder::new(bytes)), MOST);
    if *kind & 1 == 0 {
        let _ = unpacked(text);
        return;
    }
    let file = file(text);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&file).expect("into memory");
    let packed = packed.finish().expect("into memory");
    if let Ok(read) = fits::parse(&file) {
        assert_eq!(shown(&unpacked(&packed)), shown(&Ok(read)), "packed");
    }
    let torn = &packed[..packed.len().saturating_sub(usize::from(*kind))];
    if let Ok(torn) = unpacked(torn) {
        assert_eq!(shown(&Ok(torn)), shown(&fits::parse(&file)), "{kind} packed bytes are missing");
    }
}

/// A tile of any bytes is what a simple decoder makes of it, or refused by both.
///
/// The first bytes are: the kind of the numbers, columns and rows, the block of Rice's code, bits per pixel and how the
/// tile is packed.
pub fn tiles(data: &[u8]) {
    let Some(([width, columns, rows, block, kind], packed)) = data.split_first_chunk() else { return };
    let size = (u64::from(*columns % 20) + 1, u64::from(*rows % 4) + 1);
    let tile = (size.0 * size.1) as usize;
    let bits = [8, 16, 32, 64][usize::from(*kind % 4)];
    match kind / 4 % 4 {
        0 => {
            let (width, block) = ([1, 2, 4][usize::from(*width % 3)], usize::from(*block % 64) + 1);
            let parameters =
                format!("ZNAME1  = 'BLOCKSIZE'\nZVAL1   = {block}\nZNAME2  = 'BYTEPIX'\nZVAL2   = {width}");
            let numbers = rice(packed, tile, block, width);
            let expected = numbers.map(|numbers| numbers.iter().map(|n| widened(*n, width, bits)).collect());
            check(&table(&format!("ZCMPTYPE= 'RICE_1'\n{parameters}"), size, bits, packed), expected);
        }
        1 => check(&table("ZCMPTYPE= 'GZIP_1'", size, bits, &stored(packed)), bytes(packed, tile, bits, false)),
        2 => check(&table("ZCMPTYPE= 'GZIP_2'", size, bits, &stored(packed)), bytes(packed, tile, bits, true)),
        // Deflate of any kind, nearly always damaged.
        _ => drop(fits::parse(&table("ZCMPTYPE= 'GZIP_1'", size, bits, packed))),
    }
}

/// Deflate that stores bytes as they are (RFC 1950, 1951).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().min(0xFFFF) as u16;
    let sums = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    let mut zlib = vec![0x78, 0x01, 0x01];
    zlib.extend(length.to_le_bytes());
    zlib.extend((!length).to_le_bytes());
    zlib.extend_from_slice(bytes);
    zlib.extend((sums.1 << 16 | sums.0).to_be_bytes());
    zlib
}

/// The pixels of a tile of bytes, which may be of any width, and sorted by their significance.
fn bytes(plain: &[u8], tile: usize, bits: usize, sorted: bool) -> Option<Vec<i64>> {
    let size = plain.len() / tile;
    let whole = matches!(size, 1 | 2 | 4 | 8) && size * tile == plain.len() && size <= (bits / 8).max(4);
    let byte =
        |n: usize, significance: usize| plain[if sorted { significance * tile + n } else { n * size + significance }];
    let number = |n: usize| (0..size).fold(0u64, |number, place| number << 8 | u64::from(byte(n, place)));
    whole.then(|| (0..tile).map(|n| widened(number(n), size, bits)).collect())
}

/// A file with one tile, that is all of the image.
fn table(cards: &str, (columns, rows): (u64, u64), bits: usize, packed: &[u8]) -> Vec<u8> {
    let heap = packed.len();
    let text = format!(
        "SIMPLE  = T\nBITPIX  = 8\nNAXIS   = 0\n\nXTENSION= 'BINTABLE'\nBITPIX  = 8\nNAXIS   = 2\nNAXIS1  = 8\nNAXIS2  = 1\n\
         PCOUNT  = {heap}\nGCOUNT  = 1\nTFIELDS = 1\nTFORM1  = '1PB'\nTTYPE1  = 'COMPRESSED_DATA'\nZIMAGE  = T\n\
         ZBITPIX = {bits}\nZNAXIS  = 2\nZNAXIS1 = {columns}\nZNAXIS2 = {rows}\nZTILE1  = {columns}\nZTILE2  = {rows}\n{cards}\n\n"
    );
    let mut file = file(text.as_bytes());
    file.extend((heap as u32).to_be_bytes());
    file.extend([0; 4]);
    file.extend_from_slice(packed);
    file
}

fn check(file: &[u8], expected: Option<Vec<i64>>) {
    let found = fits::parse(file).ok().map(|(image, _)| match image.pixels() {
        Pixels::U8(pixels) => pixels.iter().map(|pixel| (*pixel).into()).collect(),
        Pixels::I16(pixels) => pixels.iter().map(|pixel| (*pixel).into()).collect(),
        Pixels::I32(pixels) => pixels.iter().map(|pixel| (*pixel).into()).collect(),
        Pixels::I64(pixels) => pixels.clone(),
        other => panic!("{other:?}"),
    });
    assert_eq!(found, expected);
}

/// A number of some bytes as a pixel: single bytes are unsigned, what is too wide loses its upper bits.
fn widened(number: u64, bytes: usize, bits: usize) -> i64 {
    let number = match bytes {
        1 => i64::from(number as u8),
        2 => i64::from(number as i16),
        4 => i64::from(number as i32),
        _ => number as i64,
    };
    match bits {
        8 => i64::from(number as u8),
        16 => i64::from(number as i16),
        32 => i64::from(number as i32),
        _ => number,
    }
}

/// Rice's code (FITS 4.0, section 10.4.1), bit by bit.
fn rice(packed: &[u8], count: usize, block: usize, width: usize) -> Option<Vec<u64>> {
    let (told, plain) = [(3, 6), (4, 14), (5, 25)][width / 2];
    let mut bits = packed.iter().flat_map(|byte| (0..8).rev().map(move |n| u32::from(byte >> n & 1)));
    let mut take = |count: u32| (0..count).try_fold(0u32, |number, _| Some(number << 1 | bits.next()?));
    let mut last = take(width as u32 * 8)?;
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let low = take(told)?;
        for _ in 0..block.min(count - numbers.len()) {
            let coded = match low {
                0 => 0,
                low if low == plain + 1 => take(width as u32 * 8)?,
                low => {
                    let mut high = 0u32;
                    while take(1)? == 0 {
                        high += 1;
                    }
                    high.wrapping_shl(low - 1) | take(low - 1)?
                }
            };
            let difference = if coded & 1 == 1 { !(coded >> 1) } else { coded >> 1 };
            last = last.wrapping_add(difference);
            numbers.push(u64::from(last));
        }
    }
    Some(numbers)
}

/// Written and read again, a picture is the same, and so is what is written then.
fn again(image: &Image, header: &Header) {
    let first = fits::to_vec(image, header);
    assert_eq!(first.len() % BLOCK, 0);
    assert_eq!(sum(&first), u32::MAX, "the checksum");
    let (copy, read) = fits::parse(&first).expect("what was written");
    assert_eq!((copy.width(), copy.height(), copy.planes()), (image.width(), image.height(), image.planes()));
    let numbers = |image: &Image| each_pixel_type!(image.pixels(), pixels => pixels.iter().map(|pixel| format!("{pixel}")).collect::<Vec<_>>());
    assert_eq!(numbers(&copy), numbers(image));
    for card in read.cards().iter().filter(|card| card.value != Value::None) {
        if let Some(before) = header.get(&card.keyword).filter(|_| !is_of_the_file(&card.keyword)) {
            assert_eq!(&card.value, before, "{card:?}");
        }
    }
    let second = fits::to_vec(&copy, &read);
    assert!(
        second == first,
        "{} is written again as {}",
        String::from_utf8_lossy(&first),
        String::from_utf8_lossy(&second)
    );
}

/// Keywords that the writer computes.
fn is_of_the_file(keyword: &str) -> bool {
    const FIXED: [&str; 12] = [
        "SIMPLE", "XTENSION", "BITPIX", "EXTEND", "PCOUNT", "GCOUNT", "GROUPS", "BZERO", "BSCALE", "BLANK", "CHECKSUM",
        "DATASUM",
    ];
    keyword.starts_with("NAXIS") || keyword == "LONGSTRN" || FIXED.contains(&keyword)
}

/// The sum of 32-bit words in ones' complement.
fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks_exact(4).map(|word| u64::from(u32::from_be_bytes([word[0], word[1], word[2], word[3]])));
    let mut sum = words.sum::<u64>();
    while sum > u64::from(u32::MAX) {
        sum = (sum >> 32) + (sum & u64::from(u32::MAX));
    }
    sum as u32
}

fn bytes_of(image: &Image) -> usize {
    image.pixels().len() * image.pixels().bytes_per_pixel()
}

/// As text: floats that are no numbers differ from themselves.
fn shown(read: &astrobackend::Result<(Image, Header)>) -> Option<String> {
    let (image, header) = read.as_ref().ok()?;
    let pixels = each_pixel_type!(image.pixels(), pixels => format!("{:?}", &pixels[..pixels.len().min(PIXELS)]));
    Some(format!("{}x{}x{} {pixels} {header}", image.width(), image.height(), image.planes()))
}
