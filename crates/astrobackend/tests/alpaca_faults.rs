//! The Alpaca client against a server that does not keep to the rules, or not to anything.

#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

use astrobackend::{
    Backend, ErrorKind, Wait,
    device::{Camera, CameraExt, Exposure, ExposureState, Focuser, FocuserExt},
    event::{EventKind, Link},
    image::Pixels,
    wire::alpaca::image_bytes::{ElementType, HEADER, Header, Shape},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use testing::{
    Census, FakeAlpaca,
    fake_alpaca::{Answer, Members, Request, head, whole},
};

const JSON: &str = "application/json";
const IMAGE: &str = "application/ImageBytes; charset=binary";

/// A server whose answers a closure may replace.
fn server(
    special: impl Fn(&Request, &Members) -> Option<Answer> + Send + Sync + 'static,
) -> (FakeAlpaca, Arc<Members>) {
    let members = Arc::new(Members::new());
    let table = members.clone();
    let script = move |request: &Request| special(request, &table).unwrap_or_else(|| table.answer(request));
    (FakeAlpaca::start(script), members)
}

fn open(server: &FakeAlpaca, options: &str) -> Arc<dyn Backend> {
    astrobackend::open(&format!("{}?connect=1&timeout=1{options}", server.url())).unwrap()
}

fn focuser(server: &FakeAlpaca) -> Arc<dyn Focuser> {
    let focuser = open(server, "").focuser().unwrap();
    focuser.connect().unwrap();
    focuser
}

fn camera(server: &FakeAlpaca, options: &str) -> Arc<dyn Camera> {
    let camera = open(server, options).camera().unwrap();
    camera.connect().unwrap();
    camera
}

/// Runs something that must fail in time; how it failed.
fn fails_within<T: std::fmt::Debug>(
    seconds: f64,
    call: impl FnOnce() -> astrobackend::Result<T>,
) -> astrobackend::Error {
    let begun = Instant::now();
    let error = call().unwrap_err();
    let took = begun.elapsed().as_secs_f64();
    assert!(took < seconds, "{error:?} came after {took} s");
    error
}

/// A reply of ImageBytes.
fn image_bytes(sent: ElementType, width: u32, height: u32, planes: u32, pixels: &[u8]) -> Vec<u8> {
    let rank = if planes == 1 { 2 } else { 3 };
    let shape = Shape { element: ElementType::I32, sent, width, height, planes, rank };
    let header =
        Header { client_transaction: 0, server_transaction: 0, data_start: HEADER, error: 0, shape: Some(shape) };
    [&header.print()[..], pixels].concat()
}

/// Answers an exposure at once: the picture is there, with a new start each time.
fn exposes(request: &Request, members: &Members) -> Option<Answer> {
    (request.verb == "PUT" && request.member() == "camera/0/startexposure").then(|| {
        members.set("camera/0/imageready", "true");
        let count = members.get("count").map_or(0, |count| count.parse::<u32>().unwrap_or(0)) + 1;
        members.set("count", &count.to_string());
        members.set("camera/0/lastexposurestarttime", &format!("\"2026-01-01T00:00:{count:02}\""));
        members.set("camera/0/lastexposureduration", "\"0.25\"");
        Answer::done()
    })
}

#[test]
fn replies_of_any_shape_are_read() {
    let (server, _) = server(|request, _| match request.member() {
        "focuser/0/position" => Some(Answer::Body(
            200,
            "text/json",
            br#"{"errormessage":null,"value":500.0,"SERVERTRANSACTIONID":-1}"#.to_vec(),
        )),
        "focuser/0/ismoving" => Some(Answer::Chunks(JSON, br#"{"Value":"False","ErrorNumber":0}"#.to_vec(), 3)),
        "focuser/0/maxstep" => Some(Answer::Close(b"HTTP/1.0 200 OK\r\n\r\n{\"Value\":\"1000\"}".to_vec())),
        "focuser/0/temperature" => Some(Answer::Error(-2147220479 + 0xE, "no thermometer".into())),
        _ => None,
    });
    let focuser = focuser(&server);
    let state = focuser.state().unwrap();
    assert_eq!((state.position, state.moving, state.temperature), (Some(500), false, None));
    assert_eq!(focuser.caps().unwrap().max_position, 1000);
    let info = focuser.info();
    assert_eq!((info.id.name.as_str(), info.interface_version), ("focuser 0", Some(4)));
}

#[test]
fn a_list_of_any_casing_is_read_and_identities_are_kept() {
    let list = r#"[{"devicename":"F","DeviceType":"FOCUSER","DeviceNumber":0,"UniqueID":"abc"},
        {"DeviceName":"F","DeviceType":"focuser","DeviceNumber":7},{"DeviceName":"W","DeviceType":"Dome","DeviceNumber":0}]"#;
    let (server, _) = server(move |request, _| {
        (request.path == "/management/v1/configureddevices").then(|| Answer::Value(list.into()))
    });
    let backend = open(&server, "");
    let names: Vec<_> = backend.devices().unwrap().into_iter().map(|info| info.id.name).collect();
    assert_eq!(names, ["F (0)", "F (7)"]);
    for path in ["focuser/0", "Focuser/0", "F (0)", "uid=ABC"] {
        let backend = astrobackend::open(&format!("{}/{path}", server.url())).unwrap();
        assert_eq!(backend.focuser().unwrap().info().unique_id.as_deref(), Some("abc"), "{path}");
    }
    let http = format!("http://127.0.0.1:{}/api/v1/focuser/7", server.port());
    assert_eq!(astrobackend::open(&http).unwrap().focuser().unwrap().info().id.name, "F (7)");
}

#[test]
fn a_server_with_a_single_thread_is_asked_one_thing_after_another() {
    let members = Members::new();
    let server = FakeAlpaca::one_by_one(move |request| members.answer(request));
    let backend = astrobackend::open(&format!("{}?timeout=4", server.url())).unwrap();
    let camera = backend.camera().unwrap();
    camera.connect().unwrap();
    camera.state().unwrap();
    // What it is like has been learnt by now, whoever asks, and of whatever device.
    let focuser = backend.focuser().unwrap();
    focuser.connect().unwrap();
    let before = server.requests().len();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| camera.state().unwrap());
            scope.spawn(|| focuser.state().unwrap());
        }
    });
    let since = server.requests().split_off(before);
    assert!(since.len() > 8 && since.iter().all(|request| request.connection == "close"), "{since:?}");
}

#[test]
fn a_stall_at_any_step_ends_in_time() {
    let reply = |body: &[u8]| whole(200, JSON, body);
    let cases: Vec<(&str, Answer)> = vec![
        ("no answer", Answer::Part(Vec::new())),
        ("half a head", Answer::Part(b"HTTP/1.1 200 OK\r\nContent-".to_vec())),
        ("half a body", Answer::Part(reply(br#"{"Value":5}"#)[..80].to_vec())),
        ("a byte at a time", Answer::Drip(head(200, JSON, 1000), vec![b' '; 1000], Duration::from_millis(100))),
        ("half a chunk", Answer::Part(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"V".to_vec())),
    ];
    for (what, answer) in cases {
        let (server, _) = server(move |request, _| (request.member() == "focuser/0/position").then(|| answer.clone()));
        let focuser = focuser(&server);
        let before = server.count("GET", "focuser/0/position");
        let error = fails_within(1.8, || focuser.state());
        assert_eq!((error.kind(), error.device()), (ErrorKind::Timeout, Some("focuser 0")), "{what}: {error}");
        assert_eq!(server.count("GET", "focuser/0/position"), before + 1, "{what}: tried again after a timeout");
    }
}

#[test]
fn nonsense_is_an_error_and_costs_little() {
    let cases: Vec<(&str, Answer, ErrorKind)> = vec![
        ("no HTTP", Answer::Close(b"SSH-2.0-OpenSSH\r\n".to_vec()), ErrorKind::Protocol),
        ("no JSON", Answer::Body(200, "text/html", b"<html>".to_vec()), ErrorKind::Protocol),
        ("not a number", Answer::Value("{}".into()), ErrorKind::Protocol),
        ("a huge length", Answer::Close(head(200, JSON, usize::MAX)), ErrorKind::Unreachable),
        (
            "a length of no sense",
            Answer::Close(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n".to_vec()),
            ErrorKind::Protocol,
        ),
        (
            "a chunk of no sense",
            Answer::Close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec()),
            ErrorKind::Protocol,
        ),
        (
            "an endless head",
            Answer::Close([b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'a'; 200_000]].concat()),
            ErrorKind::Protocol,
        ),
        ("500", Answer::Body(500, "text/plain", b"motor on fire".to_vec()), ErrorKind::Device(0)),
        ("closed", Answer::Close(Vec::new()), ErrorKind::Unreachable),
    ];
    for (what, answer, kind) in cases {
        let (_server, focuser, bad) = focuser_that_answers(answer);
        bad.store(true, Ordering::SeqCst);
        let error = fails_within(1.8, || focuser.state());
        assert_eq!((error.kind(), error.device()), (kind, Some("focuser 0")), "{what}: {error}");
        bad.store(false, Ordering::SeqCst);
        assert_eq!(focuser.state().unwrap().position, Some(500), "after {what}");
    }
}

/// A focuser whose position is answered like this while the switch is on.
fn focuser_that_answers(answer: Answer) -> (FakeAlpaca, Arc<dyn Focuser>, Arc<AtomicBool>) {
    let bad = Arc::new(AtomicBool::new(false));
    let now = bad.clone();
    let (server, _) = server(move |request, _| {
        (now.load(Ordering::SeqCst) && request.member() == "focuser/0/position").then(|| answer.clone())
    });
    let focuser = focuser(&server);
    (server, focuser, bad)
}

/// More than any of these needs, with the other tests of this file at the same time.
const BOUND: usize = 400 << 20;

/// One flood at a time: each takes all the processor there is.
static FLOOD: Mutex<()> = Mutex::new(());

#[test]
fn replies_without_an_end_are_refused_and_cost_little_memory() {
    let _turn = FLOOD.lock().unwrap_or_else(PoisonError::into_inner);
    let chunked = |rest: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}").into_bytes();
    let cases: Vec<(&str, Answer, ErrorKind)> = vec![
        ("a head", Answer::Endless(b"HTTP/1.1 200 OK\r\nA: ".to_vec(), b"a".to_vec()), ErrorKind::Protocol),
        (
            "lines of a head",
            Answer::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".to_vec()),
            ErrorKind::Protocol,
        ),
        ("heads", Answer::Endless(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()), ErrorKind::Timeout),
        ("a body", Answer::Endless(head(200, JSON, usize::MAX), b"[".to_vec()), ErrorKind::Protocol),
        (
            "a body until the end",
            Answer::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b" ".to_vec()),
            ErrorKind::Protocol,
        ),
        ("a chunk", Answer::Endless(chunked("ffffffffffffffff\r\n"), b"x".to_vec()), ErrorKind::Protocol),
        ("chunks", Answer::Endless(chunked(""), format!("400\r\n{:1024}\r\n", "").into_bytes()), ErrorKind::Protocol),
        ("the length of a chunk", Answer::Endless(chunked(""), b"0".to_vec()), ErrorKind::Protocol),
        ("a chunk's extension", Answer::Endless(chunked("1;"), b"x".to_vec()), ErrorKind::Protocol),
        ("lines behind the chunks", Answer::Endless(chunked("0\r\n"), b"A: b\r\n".to_vec()), ErrorKind::Protocol),
    ];
    for (what, answer, kind) in cases {
        let (_server, focuser, bad) = focuser_that_answers(answer);
        bad.store(true, Ordering::SeqCst);
        let before = Census::take().memory;
        let error = fails_within(1.8, || focuser.state());
        assert_eq!((error.kind(), error.device()), (kind, Some("focuser 0")), "{what}: {error}");
        assert!(Census::take().memory.saturating_sub(before) < BOUND, "{what}: {} MiB", Census::take().memory >> 20);
        bad.store(false, Ordering::SeqCst);
        assert_eq!(focuser.state().unwrap().position, Some(500), "after {what}");
    }
}

#[test]
fn pictures_without_an_end_are_refused_and_cost_little_memory() {
    let _turn = FLOOD.lock().unwrap_or_else(PoisonError::into_inner);
    let json = |rest: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\n\r\n{rest}").into_bytes();
    let shape = image_bytes(ElementType::U16, 40_000, 40_000, 1, &[]);
    let cases: Vec<(&str, Answer, ErrorKind)> = vec![
        // The memory that it promises comes as it is written to.
        ("a promise", Answer::Part([head(200, IMAGE, 3_200_000_044), shape].concat()), ErrorKind::Timeout),
        ("a text", Answer::Endless(json("{\"ErrorMessage\":\""), b"x".to_vec()), ErrorKind::Protocol),
        ("depth", Answer::Endless(json("{\"Value\":"), b"[".to_vec()), ErrorKind::Protocol),
        ("a number", Answer::Endless(json("{\"Value\":[["), b"1".to_vec()), ErrorKind::Protocol),
        ("keys", Answer::Endless(json("{"), b"\"a\":1,".to_vec()), ErrorKind::Protocol),
        ("blanks", Answer::Endless(json("{"), b" ".to_vec()), ErrorKind::Protocol),
    ];
    for (what, answer, kind) in cases {
        let (server, _) = server(move |request, members| match request.member() {
            "camera/0/imagearray" => Some(answer.clone()),
            _ => exposes(request, members),
        });
        let camera = camera(&server, "&stall=1&image=3");
        camera.start_exposure(Exposure::light(Duration::ZERO)).unwrap();
        let before = Census::take().memory;
        let error = fails_within(3.8, || camera.image());
        assert_eq!((error.kind(), error.device()), (kind, Some("Fake Camera")), "{what}: {error}");
        assert!(Census::take().memory.saturating_sub(before) < BOUND, "{what}: {} MiB", Census::take().memory >> 20);
    }
}

#[test]
fn only_what_is_safe_is_sent_again() {
    let broken = Arc::new(AtomicUsize::new(0));
    let left = broken.clone();
    let (server, _) = server(move |request, _| {
        let concerned = ["focuser/0/move", "focuser/0/position"].contains(&request.member());
        let breaks = concerned && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        breaks.then(|| Answer::Close(Vec::new()))
    });
    let focuser = focuser(&server);
    focuser.state().unwrap();
    broken.store(1, Ordering::SeqCst);
    assert_eq!(focuser.state().unwrap().position, Some(500), "a GET is sent again");
    broken.store(1, Ordering::SeqCst);
    let error = focuser.start_move(600).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert_eq!(server.count("PUT", "focuser/0/move"), 1, "a PUT may have been done");
}

#[test]
fn the_link_is_lost_and_comes_back() {
    let (server, members) = server(|_, _| None);
    let port = server.port();
    let backend = open(&server, "");
    let focuser = backend.focuser().unwrap();
    focuser.connect().unwrap();
    let events = backend.events();
    drop(server);
    let error = fails_within(1.8, || {
        // A connection that is still open may get one more answer.
        let _ = focuser.state();
        focuser.state()
    });
    assert_eq!((error.kind(), error.device()), (ErrorKind::Unreachable, Some("focuser 0")), "{error}");
    assert!(matches!(backend.link(), Link::Lost { .. }));
    members.set("focuser/0/connected", "false");
    members.set("focuser/0/position", "1");
    let again = FakeAlpaca::start_on(port, move |request| members.answer(request)).unwrap();
    // The server has forgotten the device: it is connected again before anybody sees its new place.
    let found = Wait::new(Duration::from_secs(10)).until("the return", || Ok(focuser.state().ok()), || Ok(()));
    assert_eq!(found.unwrap().position, Some(1), "nothing stale after a restart");
    assert_eq!(backend.link(), Link::Up);
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        match event.kind {
            EventKind::Link(Link::Lost { .. }) => told.push("lost".to_owned()),
            EventKind::Link(Link::Restoring) => told.push("restoring".to_owned()),
            EventKind::Link(Link::Up) => told.push("up".to_owned()),
            EventKind::Restored { restored, failed } => told.push(format!("{restored:?} {failed:?}")),
            _ => {}
        }
    }
    assert_eq!(told, ["lost", "restoring", "[\"connection\"] []", "up"]);
    drop(again);
}

#[test]
fn every_type_of_picture_arrives() {
    let columns: [i32; 6] = [1, 4, 2, 5, 3, 6];
    macro_rules! bytes {
        ($($type:ty),*) => { [$(columns.iter().flat_map(|value| (*value as $type).to_le_bytes()).collect::<Vec<u8>>()),*] };
    }
    let types = [
        ElementType::U8,
        ElementType::I16,
        ElementType::U16,
        ElementType::I32,
        ElementType::U32,
        ElementType::I64,
        ElementType::U64,
        ElementType::F32,
        ElementType::F64,
    ];
    let mut pictures: Vec<(Answer, &str)> = types
        .into_iter()
        .zip(bytes!(u8, i16, u16, i32, u32, i64, u64, f32, f64))
        .zip(["u8", "i16", "u16", "u16", "u16", "u16", "u16", "f32", "f64"])
        .map(|((sent, pixels), expected)| (Answer::Body(200, IMAGE, image_bytes(sent, 3, 2, 1, &pixels)), expected))
        .collect();
    let pixels: Vec<u8> = columns.iter().flat_map(|value| (*value as u16).to_le_bytes()).collect();
    pictures
        .push((Answer::Chunks("Application/ImageBytes", image_bytes(ElementType::U16, 3, 2, 1, &pixels), 7), "u16"));
    let json = br#"{"Value":[[1,4],[2,5],[3,6]],"Rank":2,"Type":2,"ErrorNumber":0}"#;
    pictures.push((Answer::Body(200, "application/json; charset=utf-8", json.to_vec()), "u16"));
    pictures.push((Answer::Chunks(JSON, json.to_vec(), 5), "u16"));
    let all = pictures.clone();
    let (server, _) = server(move |request, members| match request.member() {
        "camera/0/imagearray" => {
            let count: usize = members.get("count")?.parse().ok()?;
            Some(all[count - 1].0.clone())
        }
        _ => exposes(request, members),
    });
    let camera = camera(&server, "");
    let before = astrobackend::Timestamp::UNIX_EPOCH;
    for (n, (_, expected)) in pictures.iter().enumerate() {
        let image =
            camera.expose(Exposure::light(Duration::from_millis(250)), &Wait::new(Duration::from_secs(5))).unwrap();
        assert_eq!((image.width(), image.height(), image.pixels().type_name()), (3, 2, *expected), "picture {n}");
        let values: Vec<_> = (0..6).filter_map(|at| image.pixels().get(at)).collect();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "picture {n}");
        assert!(image.meta.start.is_some_and(|start| start > before));
        assert_eq!(image.meta.exposure, Some(Duration::from_millis(250)));
        assert!(Arc::ptr_eq(&image, &camera.image().unwrap()));
    }
    assert_eq!(server.count("GET", "camera/0/imagearray"), pictures.len(), "a picture is loaded once");
}

#[test]
fn colour_is_put_into_planes() {
    let pixels: Vec<u8> = (1..=6_u8).collect();
    let (server, _) = server(move |request, members| match request.member() {
        "camera/0/imagearray" => Some(Answer::Body(200, IMAGE, image_bytes(ElementType::U8, 2, 1, 3, &pixels))),
        _ => exposes(request, members),
    });
    let image =
        camera(&server, "").expose(Exposure::light(Duration::ZERO), &Wait::new(Duration::from_secs(5))).unwrap();
    assert_eq!((image.width(), image.height(), image.planes()), (2, 1, 3));
    assert_eq!(image.pixels(), &Pixels::U8(vec![1, 4, 2, 5, 3, 6]));
}

#[test]
fn a_broken_picture_is_an_error_in_time() {
    let shape = || image_bytes(ElementType::U16, 1000, 1000, 1, &[]);
    let error = {
        let header =
            Header { client_transaction: 0, server_transaction: 0, data_start: HEADER, error: 0x40B, shape: None };
        [&header.print()[..], b"no picture yet"].concat()
    };
    let mut absurd = image_bytes(ElementType::F64, 1 << 19, 1 << 19, 1, &[0; 100]);
    let drip = |body: Vec<u8>| {
        let at_once = [head(200, IMAGE, 2_000_044), body].concat();
        Answer::Drip(at_once, vec![0; 200], Duration::from_millis(50))
    };
    absurd.truncate(100);
    let cases: Vec<(&str, Answer, ErrorKind)> = vec![
        ("an error in ImageBytes", Answer::Body(200, IMAGE, error), ErrorKind::InvalidOperation),
        ("an error in JSON", Answer::Error(0x40B, "no picture yet".into()), ErrorKind::InvalidOperation),
        ("a status", Answer::Body(500, "text/plain", b"out of film".to_vec()), ErrorKind::Device(0)),
        ("too short", Answer::Body(200, IMAGE, shape()), ErrorKind::Protocol),
        ("absurdly large", Answer::Chunks(IMAGE, absurd, 100), ErrorKind::Protocol),
        (
            "cut off",
            Answer::Close([head(200, IMAGE, 2_000_044), shape(), vec![0; 5000]].concat()),
            ErrorKind::Unreachable,
        ),
        ("a byte at a time", drip(shape()), ErrorKind::Timeout),
        ("never begun", Answer::Part(Vec::new()), ErrorKind::Timeout),
        (
            "JSON without an end",
            Answer::Part([head(200, JSON, 9999), b"{\"Value\":[[1,2".to_vec()].concat()),
            ErrorKind::Timeout,
        ),
    ];
    for (what, answer, kind) in cases {
        let (server, _) = server(move |request, members| match request.member() {
            "camera/0/imagearray" => Some(answer.clone()),
            _ => exposes(request, members),
        });
        let camera = camera(&server, "&stall=1&image=3");
        camera.start_exposure(Exposure::light(Duration::ZERO)).unwrap();
        assert_eq!(camera.state().unwrap().exposure, ExposureState::Ready);
        let error = fails_within(3.8, || camera.image());
        assert_eq!((error.kind(), error.device()), (kind, Some("Fake Camera")), "{what}: {error}");
    }
}

#[test]
fn a_picture_of_before_is_never_handed_out() {
    // Always ready, and never says when an exposure began.
    let (server, members) =
        server(|request, _| (request.verb == "PUT" && request.member() == "camera/0/startexposure").then(Answer::done));
    members.set("camera/0/imageready", "true");
    let camera = camera(&server, "");
    assert_eq!(camera.state().unwrap().exposure, ExposureState::Idle);
    assert_eq!(camera.image().unwrap_err().kind(), ErrorKind::InvalidOperation);
    camera.start_exposure(Exposure::light(Duration::from_secs(60))).unwrap();
    assert!(camera.state().unwrap().exposure.is_busy(), "ready from before");
    assert_eq!(camera.image().unwrap_err().kind(), ErrorKind::InvalidOperation);
    members.set("camera/0/camerastate", "2");
    assert!(matches!(camera.state().unwrap().exposure, ExposureState::Exposing { .. }));
    members.set("camera/0/camerastate", "5");
    members.set("camera/0/imagearray", "null");
    assert!(matches!(camera.state().unwrap().exposure, ExposureState::Failed(_)));
}

#[test]
fn a_driver_that_answers_when_it_is_done_does_not_hold_the_caller() {
    let (server, members) = server(|request, members| match (request.verb.as_str(), request.member()) {
        ("PUT", "focuser/0/move") => {
            std::thread::sleep(Duration::from_millis(1800));
            members.set("focuser/0/position", request.parameter("Position")?);
            Some(Answer::done())
        }
        _ => None,
    });
    members.set("focuser/0/interfaceversion", "2");
    let focuser = focuser(&server);
    let begun = Instant::now();
    focuser.start_move(700).unwrap();
    assert!(begun.elapsed() < Duration::from_millis(1500), "the caller waited {:?}", begun.elapsed());
    assert!(focuser.state().unwrap().moving);
    assert_eq!(focuser.start_move(1).unwrap_err().kind(), ErrorKind::Busy);
    let wait = Wait::new(Duration::from_secs(5));
    wait.until("the move", || Ok((!focuser.state()?.moving).then_some(())), || Ok(())).unwrap();
    assert_eq!(focuser.state().unwrap().position, Some(700));
}

#[test]
fn what_is_said_to_stand_is_where_it_has_come_to() {
    // It arrives within the second look: its place is told while it is still on the way, that it stands a moment later.
    let (looks, places) = (Mutex::new(vec!["false", "true"]), Mutex::new(vec!["700", "690", "600"]));
    let (server, _) = server(move |request, _| match (request.verb.as_str(), request.member()) {
        ("PUT", "focuser/0/move") => Some(Answer::done()),
        ("GET", "focuser/0/ismoving") => Some(Answer::Value(looks.lock().ok()?.pop().unwrap_or("false").into())),
        ("GET", "focuser/0/position") => Some(Answer::Value(places.lock().ok()?.pop().unwrap_or("700").into())),
        _ => None,
    });
    let focuser = focuser(&server);
    focuser.start_move(700).unwrap();
    let wait = Wait::new(Duration::from_secs(5));
    let look = || {
        let state = focuser.state()?;
        Ok((!state.moving).then_some(state.position))
    };
    assert_eq!(wait.until("the move", look, || Ok(())).unwrap(), Some(700));
}

#[test]
fn a_relative_focuser_moves_by_steps() {
    let (server, members) = server(|request, _| (request.member() == "focuser/0/move").then(Answer::done));
    members.set("focuser/0/absolute", "false");
    members.set("focuser/0/maxincrement", "50");
    let focuser = focuser(&server);
    assert_eq!(focuser.state().unwrap().position, None);
    assert_eq!(focuser.start_move(10).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(focuser.start_move_by(51).unwrap_err().kind(), ErrorKind::InvalidValue);
    focuser.move_by(-20, &Wait::new(Duration::from_secs(5))).unwrap();
    let moves: Vec<_> = server.requests().into_iter().filter(|request| request.member() == "focuser/0/move").collect();
    assert_eq!(moves.iter().map(|request| request.parameter("Position")).collect::<Vec<_>>(), [Some("-20")]);
}

#[test]
fn a_platform_7_device_connects_by_and_by_and_tells_its_state_in_one_go() {
    let (server, members) = server(|_, _| None);
    members.set("focuser/0/connecting", "false");
    members.set("focuser/0/connect", "null");
    members.set(
        "focuser/0/devicestate",
        r#"[{"Name":"Position","Value":7},{"name":"IsMoving","value":false},{"Name":"TimeStamp","Value":""}]"#,
    );
    let focuser = focuser(&server);
    assert_eq!(server.count("PUT", "focuser/0/connect"), 1);
    assert_eq!(server.count("PUT", "focuser/0/connected"), 0);
    for _ in 0..3 {
        assert_eq!(focuser.state().unwrap().position, Some(7));
    }
    assert_eq!(server.count("GET", "focuser/0/devicestate"), 3);
    assert_eq!(server.count("GET", "focuser/0/position"), 0);
    assert_eq!(server.count("GET", "focuser/0/temperature"), 1, "what is not there is asked for once");
}

#[test]
fn a_shared_device_stays_connected_for_others() {
    let (server, members) = server(|_, _| None);
    let focuser = open(&server, "&shared=on&user=me&password=secret").focuser().unwrap();
    focuser.connect().unwrap();
    focuser.disconnect().unwrap();
    assert!(!focuser.is_connected().unwrap());
    assert_eq!(focuser.state().unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(members.get("focuser/0/connected").as_deref(), Some("true"));
    assert!(server.requests().iter().all(|request| request.authorization == "Basic bWU6c2VjcmV0"));
}

/// Answers questions on a UDP port with the port of a server.
fn responder(answer: u16) -> u16 {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut packet = [0; 64];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            assert_eq!(&packet[..length], b"alpacadiscovery1");
            let _ = socket.send_to(b"nonsense", from);
            let _ = socket.send_to(format!("{{\"AlpacaPort\":{answer}}}").as_bytes(), from);
        }
    });
    port
}

#[test]
fn servers_are_found_and_those_that_do_not_answer_say_why() {
    let list = r#"[{"DeviceName":"F","DeviceType":"Focuser","DeviceNumber":0,"UniqueID":"abc"}]"#;
    let (server, _) = server(move |request, _| match request.path.as_str() {
        "/management/v1/configureddevices" => Some(Answer::Value(list.into())),
        "/management/v1/description" => Some(Answer::Value(r#"{"ServerName":"A fake"}"#.into())),
        _ => None,
    });
    let port = responder(server.port());
    // Port 1 is reserved and nothing listens there.
    let named = ["127.0.0.1:1".to_owned()];
    let found = astrobackend::backend::alpaca::servers(Duration::from_millis(600), port, &named).unwrap();
    let dead = found.iter().find(|server| server.address.port() == Some(1)).unwrap();
    assert!(dead.devices.as_ref().unwrap_err().to_string().contains("no Alpaca server answers"), "{dead:?}");
    // The responder answers on all networks, the server listens on one: on the others it is there without answering.
    let alive: Vec<_> = found.iter().filter(|found| found.devices.is_ok()).collect();
    let [alive] = alive[..] else { panic!("{found:?}") };
    assert_eq!((alive.address.port(), alive.name.as_deref()), (Some(server.port()), Some("A fake")));
    assert_eq!(alive.devices.as_ref().unwrap()[0].1, "F");
    let address = format!("alpaca:uid=ABC?discovery=0.6&port={port}");
    assert_eq!(astrobackend::open(&address).unwrap().focuser().unwrap().info().id.name, "F");
    let error = astrobackend::open(&address.replace("ABC", "other")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}
