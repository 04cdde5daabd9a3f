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
