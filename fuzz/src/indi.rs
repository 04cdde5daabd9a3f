//! The wire format of INDI.

use astrobackend::wire::indi::{
    BlobMode, Element, Elements, Limits, Message, Number, Parser, Vector, format_number, parse_number,
};

/// So low that inputs of usual length reach them.
const LIMITS: Limits = Limits { message: 400, blob: 400 };

/// What came out of a stream.
type Outcome = Vec<Result<Vec<u8>, String>>;

/// Any bytes, cut anywhere, give the same messages and errors, and a printed message reads as itself.
pub fn stream(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let whole = read(stream, stream.len().max(1), LIMITS);
    assert_eq!(read(stream, usize::from(*cut).max(1), LIMITS), whole, "cut into pieces of {cut}");
    // NUL is never sent, so that what has one is printed without it.
    for printed in whole.iter().flatten().filter(|_| !stream.contains(&0)) {
        // Printed it may be longer: of Latin-1 it makes UTF-8.
        assert_eq!(read(printed, usize::MAX, Limits::default()), [Ok(printed.clone())], "printed and read again");
    }
}

fn read(stream: &[u8], piece: usize, limits: Limits) -> Outcome {
    let mut parser = Parser::new(limits);
    let mut outcome = Vec::new();
    for piece in stream.chunks(piece.min(stream.len().max(1))) {
        parser.push(piece);
        while let Some(message) = parser.next_message() {
            outcome.push(message.map(|message| message.to_bytes()).map_err(|error| error.to_string()));
        }
    }
    outcome
}

/// Any base64 gives the bytes of a simple decoder, however it is cut and whoever takes them.
///
/// The first bytes are: the length that is told (0 for none), the size of the pieces, and from which on they are taken.
pub fn blob(data: &[u8]) {
    let [told, cut, take, text @ ..] = data else { return };
    let text = &text[..text.len().min(LIMITS.blob)];
    // What would end the text, and NUL, which no printer sends.
    let text: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'<' | 0)).collect();
    let length = (*told > 0).then_some(usize::from(*told));
    let told = length.map(|length| format!(" len='{length}'")).unwrap_or_default();
    let mut stream = format!("<setBLOBVector device='D' name='V'><oneBLOB name='E' format='.x'{told}>").into_bytes();
    stream.extend_from_slice(&text);
    stream.extend_from_slice(b"</oneBLOB></setBLOBVector>");

    let expected = simple_decode(&text).map(|mut bytes| {
        bytes.truncate(length.unwrap_or(usize::MAX));
        bytes
    });
    let pieces = usize::from(*cut).max(1);
    let received = receive(&stream, pieces, usize::from(*take));
    match (expected, length) {
        (Some(expected), _) => assert_eq!(received, Some(expected)),
        // What follows the told length is not looked at, so it may be anything.
        (None, Some(_)) => {}
        (None, None) => assert_eq!(received, None, "not base64"),
    }
    assert_eq!(received, receive(&stream, stream.len(), usize::MAX), "in one piece, with the message");
}

/// The bytes of the stream's BLOB; those of pieces from `take` on are taken before the message is complete.
fn receive(stream: &[u8], pieces: usize, take: usize) -> Option<Vec<u8>> {
    let (mut parser, mut bytes, mut some) = (Parser::new(LIMITS), Vec::new(), Vec::new());
    for (index, piece) in stream.chunks(pieces).enumerate() {
        parser.push(piece);
        let message = parser.next_message().map(|message| match message {
            Ok(Message::Set(Vector { elements: Elements::Blob(mut blobs), .. })) => {
                blobs.first_mut().map(|blob| std::mem::take(&mut blob.value.data))
            }
            _ => None,
        });
        if let Some(rest) = message {
            bytes.append(&mut rest?);
            return Some(bytes);
        }
        if index >= take && parser.arriving().is_some() {
            parser.take_arrived(&mut some);
            bytes.append(&mut some);
        }
    }
    None
}

/// Base64 with blanks anywhere, with or without `=` at its end; `None` for anything else.
fn simple_decode(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let characters = text.iter().position(|byte| *byte == b'=').unwrap_or(text.len());
    if text[characters..].iter().any(|byte| *byte != b'=') {
        return None;
    }
    let mut bits = Vec::new();
    for byte in &text[..characters] {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let whole = bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
    (characters % 4 != 1).then_some(whole)
}

/// Any text is a finite number or none, and any format shows any number within bounds.
///
/// The first eight bytes are a number, the rest is a text to read and a format to show with.
pub fn number(data: &[u8]) {
    let Some((bits, text)) = data.split_first_chunk::<8>() else { return };
    let (value, text) = (f64::from_le_bytes(*bits), String::from_utf8_lossy(text));
    if let Some(read) = parse_number(&text) {
        assert!(read.is_finite(), "{text:?} is read as {read}");
        assert_eq!(parse_number(&read.to_string()), Some(read), "printed and read again");
    }
    let shown = format_number(value, &text);
    assert!(shown.len() <= text.len() + 500, "{value} shown with {text:?} has {} bytes", shown.len());
    if value.is_finite() {
        assert_eq!(parse_number(&value.to_string()), Some(value));
        let message =
            Message::New(Vector::new("D", "V", Elements::Number(vec![Element::new("E", Number::from(value))])));
        let mut parser = Parser::default();
        parser.push(&message.to_bytes());
        assert!(matches!(parser.next_message(), Some(Ok(read)) if read == message), "{value} over the wire");
    }
    assert_eq!(BlobMode::parse(&text).map(BlobMode::as_str), BlobMode::parse(&text).and(Some(&*text)));
}
