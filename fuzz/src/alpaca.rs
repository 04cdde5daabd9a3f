//! The wire format of Alpaca: what a server is asked, and what a client is answered.

use astrobackend::{
    device::DeviceKind,
    wire::alpaca::{
        Verb, answer,
        array::Array,
        columns::Columns,
        discovery,
        form::Form,
        head,
        image_bytes::{HEADER, Header},
        member, members, members_of,
        request::{Argument, Parameters, Path, parse_path},
    },
};

/// Pixels of the largest picture that is taken in.
const PIXELS: u64 = 10_000;

/// Any header is one that prints as itself, or is refused; pixels that follow are taken however they are cut.
pub fn image(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let Some((header, pixels)) = data.split_first_chunk::<HEADER>() else { return };
    let Ok(header) = Header::parse(header) else { return };
    let again = Header::parse(&header.print()).expect("what was printed");
    assert_eq!((again.error, again.shape), (header.error, header.shape));
    assert!(answer::image_error(&header, pixels).message().len() < pixels.len() * 3 + 200);
    let Some(shape) = header.shape.filter(|shape| shape.bytes() / shape.sent.size() as u64 <= PIXELS) else { return };
    let take = |piece: usize| {
        let mut columns = Columns::new(&shape).ok()?;
        let taken: usize = pixels.chunks(piece.max(1)).map(|piece| columns.push(piece)).sum();
        assert_eq!(taken as u64, shape.bytes().min(pixels.len() as u64));
        assert_eq!(columns.is_complete(), taken as u64 == shape.bytes());
        columns.finish().ok()
    };
    let (whole, pieces) = (take(usize::MAX), take(usize::from(*cut)));
    // As text: floats that are no numbers differ from themselves.
    let shown = |image: Option<astrobackend::Image>| image.map(|image| format!("{:?}", image.pixels()));
    assert_eq!(shown(whole), shown(pieces), "cut into pieces of {cut}");
}

/// Any reply is read or refused; a picture in JSON gives the same picture however it is cut.
pub fn reply(data: &[u8]) {
    let Some((cut, body)) = data.split_first() else { return };
    if let Ok(value) = answer::parse(body) {
        let _ = (answer::boolean(&value), answer::integer(&value), answer::moment(&value));
        let _ = (answer::list(&value, answer::text), answer::text(&value));
        assert!(answer::real(&value).is_none_or(f64::is_finite));
    }
    let _ = answer::refusal(u16::from(*cut) + 300, body);
    let take = |piece: usize| {
        let mut array = Array::new();
        let refused = body.chunks(piece.max(1)).find_map(|piece| array.push(piece).err());
        refused.map_or_else(|| array.finish(), Err).ok().map(|image| format!("{:?}", image.pixels()))
    };
    assert_eq!(take(usize::MAX), take(usize::from(*cut)), "cut into pieces of {cut}");
}

/// Any packet is a question, an answer with a port that can be, or neither.
pub fn packet(data: &[u8]) {
    let _ = discovery::is_question(data);
    if let Some(port) = discovery::parse_answer(data) {
        assert_eq!(discovery::parse_answer(discovery::print_answer(port).as_bytes()), Some(port));
    }
}

/// Any body or query gives arguments of the types that were asked for, or says what is wrong; ours is read as it was meant.
pub fn form(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    let all: Vec<_> = DeviceKind::ALL.into_iter().flat_map(members_of).chain(members()).collect();
    let member = all[usize::from(*which) % all.len()];
    let text = String::from_utf8_lossy(body);
    for parameters in [Parameters::of_form(body), Parameters::of_query(&text)] {
        let _ = parameters.ids();
        match parameters.arguments(member) {
            Ok(arguments) => assert_eq!(arguments.0.len(), member.parameters().count()),
            Err(error) => assert!(error.message().len() < 1000, "{error}"),
        }
    }
    let sent = Form::new().with("ClientID", u32::from(*which)).with("Action", &text).with("Parameters", "");
    let action = astrobackend::wire::alpaca::member(DeviceKind::Camera, Verb::Put, "action").expect("there is one");
    let read = Parameters::of_form(sent.as_str().as_bytes());
    assert_eq!(read.arguments(action).expect("ours").0[0], Argument::Text(text.into_owned()));
    assert_eq!(read.ids().expect("ours").client, u32::from(*which));
}

/// Any path leads somewhere or is refused.
pub fn path(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match parse_path(&text) {
        Ok(Path::Member { kind, number, name }) => {
            let there = [Verb::Get, Verb::Put].map(|verb| member(kind, verb, name));
            assert!(there.into_iter().flatten().all(|member| member.name == name));
            assert_eq!(text.trim_start_matches('/'), format!("api/v1/{}/{number}/{name}", kind.alpaca_name()));
        }
        Ok(_) => assert!(text.len() < 60, "{text}"),
        // A control character is quoted with six letters.
        Err(error) => assert!(error.message().len() < 6 * text.len() + 400),
    }
}

/// Any bytes are the head of a reply, the beginning of one, or neither; what follows a head does not change it.
pub fn head(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else { return };
    if let Ok(Some((length, found))) = head::parse(bytes) {
        assert!(length <= bytes.len() && found.media.len() <= length * 3);
        assert_eq!(head::parse(&bytes[..length]), Ok(Some((length, found))), "without what follows");
        let cut = usize::from(*cut) % length;
        assert_eq!(head::parse(&bytes[..cut]), Ok(None), "cut off at {cut}");
    }
    let line = String::from_utf8_lossy(bytes);
    if let Ok(length) = head::chunk(&line) {
        assert_eq!(head::chunk(&format!("{length:X};{line}")), Ok(length));
    }
}
