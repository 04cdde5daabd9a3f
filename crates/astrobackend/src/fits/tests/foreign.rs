//! Files of other programs, and damaged ones.

use super::*;
use crate::Error;

#[test]
fn what_other_programs_write_is_understood() {
    let line = |text: &str| format!("{text:80}");
    let text = [
        "SIMPLE  =                    T",
        "EXPTIME =               1.5D+1 / exposure",
        "CCD-TEMP=                  nan",
        "gain    = 139",
        "OBJECT  = 'O''Neill''s star'/name",
        "HIERARCH ESO DET CHIP1 ID = 'ccd-44'     / chip",
        "GAIN    = 1 / again",
        "BAD.KEY = 3 / kept as a comment",
        "BIG     = 99999999999999999999",
        "OPEN    = 'no end of it",
        "CONTINUE  'an orphan'",
        "END",
    ];
    let parsed = parse::header(text.map(line).concat().as_bytes()).unwrap();
    assert_eq!(parsed.real("EXPTIME"), Some(15.0));
    assert_eq!(parsed.get("CCD-TEMP"), Some(&Value::None));
    assert_eq!(parsed.integer("GAIN"), Some(139));
    assert_eq!(parsed.text("OBJECT"), Some("O'Neill's star"));
    assert_eq!(parsed.card("OBJECT").unwrap().comment, "name");
    assert_eq!(parsed.text("HIERARCH ESO DET CHIP1 ID"), Some("ccd-44"));
    assert_eq!(parsed.real("BIG"), Some(1e20));
    assert_eq!(parsed.text("OPEN"), Some("no end of it"));
    assert!(parsed.cards().iter().any(|card| card.keyword == "COMMENT" && card.comment.starts_with("BAD.KEY 3")));
    assert_eq!(parse::header(&records(&parsed)).unwrap(), parsed);
}

/// A file made by hand: its cards, then its data.
fn by_hand(cards: &[&str], data: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = cards.iter().flat_map(|card| format!("{card:80}").into_bytes()).collect();
    bytes.extend(format!("{:80}", "END").into_bytes());
    bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

#[test]
fn an_upside_down_bayer_picture_is_turned_over_with_its_pattern() {
    let cards = |rows: &str| {
        let rows = format!("NAXIS2  = {rows}");
        let cards = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 2", rows.as_str()];
        let more = ["ROWORDER= 'BOTTOM-UP'", "BAYERPAT= 'RGGB'", "XBAYROFF= 1", "CRPIX2  = 1.0"];
        by_hand(&[&cards[..], &more[..]].concat(), &[1, 2, 3, 4, 5, 6])
    };
    let (odd, header) = parse(&cards("3")).unwrap();
    assert_eq!(odd.pixels(), &Pixels::U8(vec![5, 6, 3, 4, 1, 2]));
    assert_eq!(odd.meta.bayer, Some(BayerPattern::Grbg));
    assert_eq!((header.text("ROWORDER"), header.get("CRPIX2")), (Some("TOP-DOWN"), None));
    let (even, _) = parse(&cards("2")).unwrap();
    assert_eq!(even.pixels(), &Pixels::U8(vec![3, 4, 1, 2]));
    assert_eq!(even.meta.bayer, Some(BayerPattern::Bggr));
}

#[test]
fn a_text_without_a_value_keeps_its_end() {
    let text = "x".repeat(72);
    let record = format!("STRANGE {text}{:80}", "END");
    let read = parse::header(record.as_bytes()).unwrap();
    assert_eq!(read.cards()[0].comment, text);
    assert_eq!(parse::header(&records(&read)).unwrap(), read);
}

#[test]
fn a_comment_without_room_leaves_no_slash() {
    let value = Value::Text("x".repeat(66));
    let card = Card { keyword: "LONG".into(), value, comment: "  of the image".into() };
    let line = print::lines(&card).concat();
    assert_eq!(line.trim_end(), format!("LONG    = '{}'", "x".repeat(66)));
}

#[test]
fn scaled_integers_become_floats() {
    let scaled = ["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 3", "NAXIS2  = 1"];
    let more = ["BSCALE  = 0.5", "BZERO   = 10", "BLANK   = -1"];
    let (image, _) = parse(&by_hand(&[&scaled[..], &more[..]].concat(), &[0, 4, 0xFF, 0xFF, 0, 0])).unwrap();
    let Pixels::F32(pixels) = image.pixels() else { panic!("{image:?}") };
    assert_eq!((pixels[0], pixels[2]), (12.0, 10.0));
    assert!(pixels[1].is_nan());
}

#[test]
fn an_image_in_an_extension_inherits() {
    let mut bytes = by_hand(&["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0", "EXPTIME = 3.0", "GAIN    = 1"], &[]);
    bytes.extend(by_hand(
        &["XTENSION= 'BINTABLE'", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 5", "NAXIS2  = 1"],
        &[0; 5],
    ));
    let image = ["XTENSION= 'IMAGE'", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 2", "NAXIS2  = 1", "GAIN    = 2"];
    bytes.extend(by_hand(&image, &[8, 9]));
    let (image, header) = parse(&bytes).unwrap();
    assert_eq!(image.pixels(), &Pixels::U8(vec![8, 9]));
    assert_eq!((image.meta.exposure, image.meta.gain), (Some(Duration::from_secs(3)), Some(2.0)));
    assert_eq!(header.text("XTENSION"), Some("IMAGE"));
}

fn refusal(bytes: &[u8]) -> Error {
    parse(bytes).unwrap_err()
}

#[test]
fn damaged_files_are_refused_without_a_large_allocation() {
    let whole = file(&small(), &Header::new());
    let kinds: Vec<ErrorKind> = [0, 1, 79, BLOCK - 1, BLOCK, BLOCK + 11].map(|n| refusal(&whole[..n]).kind()).into();
    assert_eq!(kinds, [ErrorKind::Protocol; 6]);
    assert!(parse(&whole[..BLOCK + 12]).is_ok(), "only the fill of the last block is missing");
    let sized = |columns: &str, rows: &str| {
        let (columns, rows) = (format!("NAXIS1  = {columns}"), format!("NAXIS2  = {rows}"));
        by_hand(&["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", &columns, &rows], &[0; 8])
    };
    for (columns, rows) in [("1000000000000", "1"), ("4000000000", "4000000000"), ("-1", "1"), ("0", "1"), ("2", "''")]
    {
        let error = refusal(&sized(columns, rows));
        assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Unsupported), "{columns}x{rows}: {error}");
    }
    assert!(refusal(&sized("100000", "100000")).to_string().contains("cut off"));
    assert!(refusal(&vec![b' '; 4 * BLOCK]).to_string().contains("no FITS file"));
    let mut endless = b"SIMPLE  =                    T".to_vec();
    endless.resize(400 * BLOCK, b' ');
    assert!(refusal(&endless).to_string().contains("no END"));
    let cube = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 3", "NAXIS1  = 1", "NAXIS2  = 1", "NAXIS3  = 4"];
    assert_eq!(refusal(&by_hand(&cube, &[0; 4])).kind(), ErrorKind::Unsupported);
}
