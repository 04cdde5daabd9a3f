//! Any header and any bytes, made up at random.

use super::*;
use crate::observation::Observation;
use proptest::prelude::*;

fn value() -> impl Strategy<Value = super::Value> {
    prop_oneof![
        any::<bool>().prop_map(super::Value::Logical),
        any::<i64>().prop_map(super::Value::Integer),
        any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(super::Value::Real),
        "[ -~]{0,200}".prop_map(super::Value::Text),
        "\\PC{0,30}".prop_map(super::Value::Text),
        Just(super::Value::None),
    ]
}

fn keyword() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[A-Z0-9_-]{1,8}", 1 => Just(String::from("COMMENT")), 1 => "HIERARCH [A-Z]{1,8} [A-Z]{1,8}"]
}

/// With comments that no value pushes off the record, if `short`.
fn any_header(comment: &'static str, short: bool) -> impl Strategy<Value = Header> {
    proptest::collection::vec((keyword(), value(), comment), 0..20).prop_map(move |cards| {
        let mut header = Header::new();
        for (keyword, value, comment) in cards {
            let comment = if short && value.as_text().is_some() { String::new() } else { comment };
            header.push(Card { keyword, value, comment }).ok();
        }
        header
    })
}

proptest! {
    #[test]
    fn a_header_printed_and_read_is_the_same(header in any_header("[ -~]{0,18}", true)) {
        prop_assert_eq!(parse::header(&records(&header)).unwrap(), header);
    }

    #[test]
    fn records_are_80_printable_characters(header in any_header("\\PC{0,90}", false)) {
        let bytes = records(&header);
        prop_assert_eq!(bytes.len() % 80, 0);
        prop_assert!(bytes.iter().all(|b| (0x20..0x7F).contains(b)));
        // Comments may lose their end, once.
        let once = parse::header(&bytes).unwrap();
        prop_assert_eq!(parse::header(&records(&once)).unwrap(), once);
    }

    #[test]
    fn any_records_are_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..800)) {
        bytes.resize(bytes.len() / 80 * 80, 0);
        bytes.extend(format!("{:80}", "END").into_bytes());
        let once = parse::header(&bytes).unwrap();
        prop_assert_eq!(parse::header(&records(&once)).unwrap(), once);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..6000)) {
        let mut begun = b"SIMPLE  =                    T".to_vec();
        begun.extend(&bytes);
        prop_assert!(parse(&bytes).is_err());
        let _ = parse(&begun);
    }

    #[test]
    fn a_mutated_file_is_read_or_refused(
        changes in proptest::collection::vec((0..3 * BLOCK, any::<u8>()), 1..30),
        digits in proptest::collection::vec((0..600usize, b'0'..=b'9'), 0..6),
        length in 0..=3 * BLOCK,
    ) {
        let mut image = Image::new(40, 30, Pixels::U16(vec![7; 1200])).unwrap();
        image.meta = known(40, 30);
        let mut bytes = file(&image, &header(&image, &Observation::default()));
        for (place, byte) in changes.into_iter().chain(digits) {
            if let Some(old) = bytes.get_mut(place) {
                *old = byte;
            }
        }
        bytes.truncate(length);
        if let Ok((image, _)) = parse(&bytes) {
            prop_assert!(image.pixels().len() * image.pixels().bytes_per_pixel() <= 8 * bytes.len());
        }
    }

    #[test]
    fn images_of_any_size_come_back(columns in 1u32..40, rows in 1u32..40, seed in any::<u16>()) {
        let pixels = (0..columns * rows).map(|n| (n as u16).wrapping_mul(seed)).collect();
        let image = Image::new(columns, rows, Pixels::U16(pixels)).unwrap();
        let bytes = file(&image, &Header::new());
        prop_assert_eq!(checksum::of_bytes(&bytes), u32::MAX);
        let (copy, _) = parse(&bytes).unwrap();
        prop_assert_eq!(copy.pixels(), image.pixels());
    }
}
