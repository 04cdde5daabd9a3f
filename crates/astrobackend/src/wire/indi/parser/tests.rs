use super::*;
use crate::wire::indi::{Blob, Element, Elements, Number, Perm, Rule, State, Vector};
use proptest::prelude::*;

/// What comes out when the bytes arrive in pieces of a size: messages printed again, or their errors.
fn read(bytes: &[u8], piece: usize) -> Vec<Result<Vec<u8>, String>> {
    let mut parser = Parser::new(Limits { message: 2000, blob: 1 << 20 });
    let mut out = Vec::new();
    for chunk in bytes.chunks(piece) {
        parser.push(chunk);
        while let Some(message) = parser.next_message() {
            out.push(message.map(|message| message.to_bytes()).map_err(|error| error.to_string()));
        }
    }
    out
}

fn one(text: &str) -> Message<'static> {
    let parser = Box::leak(Box::new(Parser::default()));
    parser.push(text.as_bytes());
    parser.next_message().expect("a message").expect("a good one")
}

#[test]
fn a_definition_as_indiserver_writes_it() {
    let Message::Def(vector) = one(
        "\n<defNumberVector device=\"CCD Simulator\" name=\"CCD_TEMPERATURE\" label=\"Temp &amp; more\" group=\"Main\" \
         state=\"Idle\" perm=\"rw\" timeout=\"60\" timestamp=\"2026-11-23T16:00:46\">\n    <defNumber \
         name=\"CCD_TEMPERATURE_VALUE\" label=\"Temperature (C)\" format=\"%5.2f\" min=\"-50\" max=\"50\" step=\"0\">\n\
         -12.5\n    </defNumber>\n</defNumberVector>",
    ) else {
        panic!()
    };
    assert_eq!((vector.device.as_ref(), vector.label.as_deref()), ("CCD Simulator", Some("Temp & more")));
    assert_eq!((vector.state, vector.perm, vector.timeout), (Some(State::Idle), Some(Perm::ReadWrite), Some(60.0)));
    let Elements::Number(numbers) = vector.elements else { panic!() };
    assert_eq!(numbers[0].value.value, Some(-12.5));
    assert_eq!((numbers[0].value.min, numbers[0].value.max), (Some(-50.0), Some(50.0)));
}

#[test]
fn a_command_as_libindi_drivers_write_it() {
    let Message::New(vector) = one(
        "<newSwitchVector\n  device='a&apos;b'\n  name = 'X'>\n<oneSwitch\n    name='ON'>\n      On\n  </oneSwitch><oneSwitch name='OFF'/></newSwitchVector>",
    ) else {
        panic!()
    };
    assert_eq!(vector.device, "a'b");
    let Elements::Switch(switches) = vector.elements else { panic!() };
    assert_eq!(switches.iter().map(|s| (s.name.as_ref(), s.value)).collect::<Vec<_>>(), [("ON", true), ("OFF", false)]);
}

#[test]
fn a_padded_blob_is_cut_to_its_length() {
    let Message::Set(vector) = one(
        "<setBLOBVector device='C' name='CCD1' state='Ok'><oneBLOB name='CCD1' size='600' format='.fits.z' len='4'>\nZm9v\nYmFy\n </oneBLOB></setBLOBVector>",
    ) else {
        panic!()
    };
    let Elements::Blob(blobs) = vector.elements else { panic!() };
    assert_eq!((blobs[0].value.data.as_slice(), blobs[0].value.size), (&b"foob"[..], Some(600)));
}

#[test]
fn garbage_and_torn_messages_cost_only_themselves() {
    let good = "<message message='x'/>";
    for (garbage, errors) in [
        ("<?xml version='1.0'?><!-- don't > stumble -->", 0),
        ("<unknown a='1'><nested/>text</unknown>", 0),
        ("</setNumberVector> < > <> & \0 \u{B0}", 0),
        ("<setNumberVector device='a' name='b'><oneNumber name='c'>5", 1),
        ("<setNumberVector device='a' na", 0),
        ("<setNumberVector name='no device'></setNumberVector>", 1),
        (
            "<setBLOBVector device='a' name='b'><oneBLOB name='c' size='9' len='99999999999'>AAAA</oneBLOB></setBLOBVector>",
            1,
        ),
        ("<setBLOBVector device='a' name='b'><oneBLOB name='c' size='9'>A*AA</oneBLOB></setBLOBVector>", 1),
    ] {
        let text = format!("{good}{garbage}{good}");
        for piece in [1, 7, 4096] {
            let messages = read(text.as_bytes(), piece);
            let failed = messages.iter().filter(|message| message.is_err()).count();
            assert_eq!((messages.len() - failed, failed), (2, errors), "{garbage} in pieces of {piece}: {messages:?}");
        }
    }
}

#[test]
fn an_endless_message_is_given_up_and_the_next_one_read() {
    let mut text = b"<setTextVector device='a' name='b'><oneText name='c'>".to_vec();
    text.extend(std::iter::repeat_n(b'x', 5000));
    text.extend_from_slice(b"</oneText></setTextVector><message message='");
    text.extend(std::iter::repeat_n(b'x', MAX_TAG + 10));
    let length = text.len();
    text.extend_from_slice(b"<message message='y'/>");
    for piece in [100, length] {
        let messages = read(&text, piece);
        assert!(messages.iter().any(|message| message.is_err()));
        assert!(messages.last().is_some_and(|last| last.is_ok()), "{messages:?}");
    }
}

#[test]
fn a_large_blob_leaves_the_buffer_small() {
    let mut parser = Parser::default();
    parser.push(
        b"<setBLOBVector device='C' name='CCD1'><oneBLOB name='CCD1' size='3000000' format='.fits' len='3000000'>",
    );
    for _ in 0..1000 {
        parser.push(&[b'A'; 4000]);
        assert!(parser.next_message().is_none());
    }
    assert!(parser.buffer.len() <= 2 * ROOM, "{}", parser.buffer.len());
    parser.push(b"</oneBLOB></setBLOBVector>");
    let Some(Ok(Message::Set(Vector { elements: Elements::Blob(blobs), .. }))) = parser.next_message() else {
        panic!()
    };
    assert_eq!(blobs[0].value.data.len(), 3_000_000);
}

#[test]
fn the_blobs_of_a_message_share_a_limit() {
    let one = |bytes: usize| format!("<oneBLOB name='E' format='.x'>{}</oneBLOB>", "AAAA".repeat(bytes / 3));
    let message = |blobs: &[usize]| {
        let blobs: String = blobs.iter().map(|bytes| one(*bytes)).collect();
        format!("<setBLOBVector device='D' name='V'>{blobs}</setBLOBVector>").into_bytes()
    };
    for take in [false, true] {
        let mut parser = Parser::new(Limits { message: 400, blob: 900 });
        let (mut some, mut outcomes) = (Vec::new(), Vec::new());
        for bytes in [message(&[600, 300]), message(&[600, 303]), message(&[300, 300, 300, 300]), message(&[900])] {
            for piece in bytes.chunks(50) {
                parser.push(piece);
                while let Some(message) = parser.next_message() {
                    outcomes.push(message.is_ok());
                }
                if take && parser.arriving().is_some() {
                    parser.take_arrived(&mut some);
                }
            }
        }
        assert_eq!(outcomes, [true, false, false, true], "taken: {take}");
    }
}

#[test]
fn a_blob_is_taken_while_it_arrives() {
    let text = "<setBLOBVector device='C' name='V'><oneBLOB name='E' size='9' format='.fits' len='4'>Zm9vYmFy</oneBLOB></setBLOBVector>";
    let mut parser = Parser::default();
    parser.push(&text.as_bytes()[..90]);
    assert!(parser.next_message().is_none());
    let arriving = parser.arriving().expect("a BLOB");
    assert_eq!((arriving.device.as_ref(), arriving.vector.as_ref(), arriving.element.as_ref()), ("C", "V", "E"));
    assert_eq!((arriving.format.as_ref(), arriving.length), (".fits", Some(4)));
    let mut bytes = Vec::new();
    assert!(parser.take_arrived(&mut bytes));
    assert_eq!(bytes, b"foo");
    parser.push(&text.as_bytes()[90..]);
    assert!(!parser.take_arrived(&mut bytes), "its end is there");
    assert_eq!(bytes, b"b");
    assert!(parser.arriving().is_none());
    let Some(Ok(Message::Set(Vector { elements: Elements::Blob(blobs), .. }))) = parser.next_message() else {
        panic!()
    };
    assert!(blobs[0].value.data.is_empty(), "nothing was left");
    assert!(!parser.take_arrived(&mut bytes) && bytes.is_empty());
}

fn text() -> impl Strategy<Value = String> {
    "[ -~\u{B0}é]{1,12}".prop_map(|text| format!("x{}", text.trim_end())).boxed()
}

fn vector() -> impl Strategy<Value = Message<'static>> {
    let elements = prop_oneof![
        proptest::collection::vec((text(), text()), 0..4)
            .prop_map(|all| Elements::Text(all.into_iter().map(|(n, v)| Element::new(n, v.into())).collect())),
        proptest::collection::vec((text(), -1e6f64..1e6), 0..4)
            .prop_map(|all| Elements::Number(all.into_iter().map(|(n, v)| Element::new(n, Number::from(v))).collect())),
        proptest::collection::vec((text(), any::<bool>()), 0..4)
            .prop_map(|all| Elements::Switch(all.into_iter().map(|(n, v)| Element::new(n, v)).collect())),
        proptest::collection::vec((text(), proptest::collection::vec(any::<u8>(), 1..300)), 0..3).prop_map(|all| {
            let blob =
                |data: Vec<u8>| Blob { format: ".fits".into(), size: Some(9), length: None, data, attached: false };
            Elements::Blob(all.into_iter().map(|(n, v)| Element::new(n, blob(v))).collect())
        }),
    ];
    (text(), text(), elements, proptest::option::of(text())).prop_map(|(device, name, elements, message)| {
        Message::Set(Vector {
            state: Some(State::Busy),
            rule: Some(Rule::AtMostOne),
            timeout: Some(1.5),
            message: message.map(Into::into),
            ..Vector::new(device, name, elements)
        })
    })
}

proptest! {
    #[test]
    fn printing_and_reading_agree_however_it_is_cut(messages in proptest::collection::vec(vector(), 1..5), piece in 1usize..400) {
        let sent: Vec<Result<Vec<u8>, String>> = messages.iter().map(|message| Ok(message.to_bytes())).collect();
        let stream = sent.iter().flatten().flatten().copied().collect::<Vec<u8>>();
        prop_assert_eq!(read(&stream, piece), sent);
    }

    #[test]
    fn what_is_taken_and_what_is_left_are_the_blob(
        data in proptest::collection::vec(any::<u8>(), 1..3000), padding in 0usize..9, line in 1usize..90,
        piece in 1usize..900, take in proptest::collection::vec(any::<bool>(), 40),
    ) {
        let mut base64 = Vec::new();
        crate::wire::indi::base64::encode(&[&data[..], &vec![0; padding]].concat(), &mut base64);
        let mut stream = format!("<setBLOBVector device='C' name='V'><oneBLOB name='E' size='9' len='{}'>", data.len()).into_bytes();
        base64.chunks(line).for_each(|line| stream.extend([line, b"\n"].concat()));
        stream.extend_from_slice(b"</oneBLOB></setBLOBVector>");
        let (mut parser, mut taken, mut some) = (Parser::default(), Vec::new(), Vec::new());
        for (index, piece) in stream.chunks(piece).enumerate() {
            parser.push(piece);
            let message = parser.next_message();
            if let Some(message) = message {
                let Message::Set(Vector { elements: Elements::Blob(blobs), .. }) = message.unwrap() else { panic!() };
                taken.extend_from_slice(&blobs[0].value.data);
            } else if parser.arriving().is_some() && take[index % take.len()] {
                parser.take_arrived(&mut some);
                taken.extend_from_slice(&some);
            }
        }
        prop_assert_eq!(taken, data);
    }

    #[test]
    fn any_bytes_are_survived_however_they_are_cut(
        soup in proptest::collection::vec(prop_oneof![
            Just(b"<setBLOBVector device='a' name='b'>".to_vec()), Just(b"<oneBLOB name='c' size='4' len='3'>".to_vec()),
            Just(b"AAAA".to_vec()), Just(b"</oneBLOB>".to_vec()), Just(b"</setBLOBVector>".to_vec()), Just(b"<".to_vec()),
            Just(b">".to_vec()), Just(b"'".to_vec()), Just(b"/>".to_vec()), Just(b"<message message='m'/>".to_vec()),
            Just(b"<!--".to_vec()), proptest::collection::vec(any::<u8>(), 0..20),
        ], 0..30),
        piece in 1usize..50,
    ) {
        let stream = soup.concat();
        let whole = read(&stream, stream.len().max(1));
        prop_assert_eq!(read(&stream, piece), whole);
    }
}
