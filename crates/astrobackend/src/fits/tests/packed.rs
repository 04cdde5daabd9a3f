//! Images that `fpack` has compressed.

use super::*;
use proptest::prelude::*;

/// The same image, packed by `fpack -r` and by `fpack -g2 -t 10,7`.
const PACKED: [&[u8]; 2] = [
    include_bytes!("../../../tests/data/tiles-rice.fits.fz"),
    include_bytes!("../../../tests/data/tiles-gzip2.fits.fz"),
];

#[test]
fn compressed_images_are_read() {
    for packed in PACKED {
        let (image, header) = parse(packed).unwrap();
        let value = |n: u32| ((n % 97) + (n.wrapping_mul(2_654_435_761) >> 28)) as u16;
        let mut expected: Vec<u16> = (0..37 * 23).map(value).collect();
        (expected[5], expected[6]) = (65_535, 0);
        assert_eq!((image.width(), image.height(), image.pixels()), (37, 23, &Pixels::U16(expected)));
        assert_eq!(
            (header.text("OBJECT"), header.integer("NAXIS1"), header.get("ZIMAGE")),
            (Some("M 42"), Some(37), None)
        );
    }
}

#[test]
fn a_compressed_image_that_promises_more_than_it_has_is_refused() {
    for packed in PACKED {
        let find = |text: &[u8]| packed.windows(text.len()).position(|window| window == text).unwrap();
        for (card, value) in [("ZNAXIS1 =", "2000000000"), ("ZNAXIS2 =", "      5000"), ("ZTILE1  =", "         1")] {
            let mut bytes = packed.to_vec();
            let at = find(card.as_bytes()) + 20;
            bytes[at..at + 10].copy_from_slice(value.as_bytes());
            assert_eq!(parse(&bytes).unwrap_err().kind(), ErrorKind::Protocol, "{card} {value}");
        }
        assert_eq!(parse(&packed[..6000]).unwrap_err().kind(), ErrorKind::Protocol);
    }
}

/// A file with a tile of one byte for each of so many columns and rows, packed by deflate.
fn deflated((columns, rows): (u64, u64), packed: &[u8]) -> Vec<u8> {
    let primary = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0"].map(str::to_owned);
    let table = [
        "XTENSION= 'BINTABLE'".to_owned(),
        "BITPIX  = 8\nNAXIS   = 2\nNAXIS1  = 8\nNAXIS2  = 1\nGCOUNT  = 1\nTFIELDS = 1".to_owned(),
        format!("PCOUNT  = {}", packed.len()),
        "TFORM1  = '1PB'\nTTYPE1  = 'COMPRESSED_DATA'\nZIMAGE  = T\nZCMPTYPE= 'GZIP_1'\nZBITPIX = 8\nZNAXIS  = 2"
            .to_owned(),
        format!("ZNAXIS1 = {columns}\nZTILE1  = {columns}\nZNAXIS2 = {rows}\nZTILE2  = {rows}"),
    ];
    let unit = |cards: &[String]| {
        let lines: String = cards.join("\n").lines().chain(["END"]).map(|line| format!("{line:80}")).collect();
        format!("{lines:width$}", width = lines.len().next_multiple_of(BLOCK)).into_bytes()
    };
    let descriptor = [(packed.len() as u32).to_be_bytes(), [0; 4]].concat();
    [unit(&primary), unit(&table), descriptor, packed.to_vec()].concat()
}

#[test]
fn a_tile_that_unpacks_to_more_than_its_pixels_is_refused() {
    let zlib = |bytes: usize| {
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &vec![7; bytes]).unwrap();
        packed.finish().unwrap()
    };
    assert_eq!(parse(&deflated((3, 2), &zlib(6))).unwrap().0.pixels(), &Pixels::U8(vec![7; 6]));
    for bytes in [5, 7, 48, 1 << 26] {
        assert_eq!(parse(&deflated((3, 2), &zlib(bytes))).unwrap_err().kind(), ErrorKind::Protocol, "{bytes}");
    }
}

#[test]
fn an_image_beyond_the_limit_is_refused_before_it_has_memory() {
    let error = parse(&deflated((70_000, 70_000), &vec![0; 5_000_000])).unwrap_err();
    assert!(error.to_string().contains("absurdly large"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_damage_to_a_compressed_image_breaks_the_reader(
        which in 0usize..2,
        damages in proptest::collection::vec((2880usize..8640, any::<u8>()), 1..20),
        length in 2880usize..=8640,
    ) {
        let mut bytes = PACKED[which].to_vec();
        damages.iter().for_each(|(at, byte)| bytes[*at] = *byte);
        let _ = parse(&bytes[..length]);
    }

    #[test]
    fn no_damage_to_its_header_breaks_the_reader(
        which in 0usize..2,
        card in 0usize..36,
        value in prop_oneof![
            (-5i64..70_000).prop_map(|n| n.to_string()),
            any::<i64>().prop_map(|n| n.to_string()),
            "'[A-Z0-9_ ()]{0,18}'",
        ],
    ) {
        let mut bytes = PACKED[which].to_vec();
        let at = 2880 + card * 80 + 10;
        bytes[at..at + 20].copy_from_slice(format!("{value:>20}").as_bytes().get(..20).unwrap());
        let _ = parse(&bytes);
    }
}
