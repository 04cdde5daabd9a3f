//! How a server is found, keeps its devices apart, and ends.

use crate::{
    client::{Device, connect, connect_all, device, exchange, get, options, read_reply, served},
    wrapped::Wrapped,
};
use astrobackend::{
    Cancel, ErrorKind,
    device::{DeviceId, DeviceKind},
};
use astrobackend_server::alpaca::{Exposed, Limits, Options, Server};
use std::{
    io::{Read, Write},
    net::{TcpStream, UdpSocket},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const TIMEOUT: u64 = 0xFF0;
const BUSY: u64 = 0xFF3;
const NOT_CONNECTED: u64 = 0x407;

#[test]
fn a_camera_that_hangs_costs_nobody_else() {
    let backend = astrobackend::open("sim://?speed=100&sensor=generic").unwrap();
    connect_all(&backend);
    let release = Cancel::new();
    let wrapped = Arc::new(Wrapped::over(backend).hanging(&release));
    let server = Server::start(wrapped, options()).unwrap();
    let (camera, focuser) = (device(&server, "camera"), device(&server, "focuser"));
    let begun = Instant::now();
    let answers: Vec<_> = thread::scope(|scope| {
        let asking: Vec<_> = (0..20).map(|_| scope.spawn(|| camera.ask("camerastate"))).collect();
        for _ in 0..20 {
            let asked = Instant::now();
            assert!(focuser.ask("position").is_ok());
            assert!(asked.elapsed() < Duration::from_millis(500), "the focuser waited {:?}", asked.elapsed());
        }
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let count = |error| answers.iter().filter(|answer| **answer == Err(error)).count();
    assert_eq!((count(TIMEOUT), count(BUSY)), (16, 4), "{answers:?}");
    assert_eq!(camera.ask("binx"), Err(BUSY), "at once");
    assert!(camera.ask("name").is_ok(), "what needs no device is still answered");
    release.cancel();
    let begun = Instant::now();
    while camera.ask("camerastate").is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    server.stop();
}

#[test]
fn a_device_that_goes_away_keeps_its_number() {
    let backend = astrobackend::open("sim://").unwrap();
    connect_all(&backend);
    let wrapped = Wrapped::over(backend);
    let hidden = wrapped.hidden();
    let server = Server::start(Arc::new(wrapped), options()).unwrap();
    let focuser = device(&server, "focuser");
    let listed = || get(focuser.at, "/management/v1/configureddevices").json()["Value"].as_array().unwrap().clone();
    let all = listed();
    hidden.lock().unwrap().push(DeviceId::new(DeviceKind::Focuser, "Focuser Simulator"));
    assert_eq!(listed().len(), all.len() - 1);
    assert_eq!(focuser.ask("position"), Err(NOT_CONNECTED));
    assert!(!focuser.is("connected") && focuser.value("name") == "Focuser Simulator");
    assert_eq!(focuser.tell("connected", "Connected=true"), Err(NOT_CONNECTED));
    hidden.lock().unwrap().clear();
    assert_eq!(listed(), all);
    assert!(focuser.ask("position").is_ok());
    server.stop();
}

#[test]
fn identities_survive_another_order_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let with = |file: &str| Options { state_file: Some(folder.path().join(file)), ..options() };
    let open = |address: &str| Exposed::all(astrobackend::open(address).unwrap());
    let start = |exposed, options| {
        let server = Server::start_all(exposed, options).unwrap();
        let devices = server.devices();
        server.stop();
        devices
    };
    let (one, two) = ("sim://?seed=1", "sim://?seed=2");
    let before = start(vec![open(one), open(two)], with("state.json"));
    let after = start(vec![open(two), open(one)], with("state.json"));
    assert_eq!(before, after);
    assert_eq!(before.len(), 8);
    let only = start(vec![open(two)], with("state.json"));
    assert!(only.iter().all(|offered| offered.number == 1), "{only:?}");
    // The identity itself needs no file.
    let elsewhere = start(vec![open(two)], with("other.json"));
    assert_eq!((elsewhere[0].number, &elsewhere[0].unique_id), (0, &only[0].unique_id));
}

#[test]
fn only_what_is_named_is_offered() {
    let start = |devices: &[&str]| {
        let devices = devices.iter().map(|name| (*name).to_owned()).collect();
        Server::start(astrobackend::open("sim://").unwrap(), Options { devices, ..options() })
    };
    let server = start(&["camera:Camera Simulator", "Mount Simulator"]).unwrap();
    let kinds: Vec<_> = server.devices().iter().map(|offered| offered.kind).collect();
    assert_eq!(kinds, [DeviceKind::Camera, DeviceKind::Mount]);
    assert_eq!(get(server.address(), "/api/v1/focuser/0/name").status, 400);
    server.stop();
    assert_eq!(start(&["Nobody"]).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn all_servers_of_a_computer_are_discovered() {
    let port = UdpSocket::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
    let start = || served("sim://", Options { discovery: Some(port), ..options() });
    let servers = [start(), start()];
    servers.iter().for_each(|server| assert_eq!(server.discovery_problem(), None));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_broadcast(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.send_to(b"alpacadiscovery0", ("127.255.255.255", port)).unwrap();
    socket.send_to(b"alpacadiscovery1", ("127.255.255.255", port)).unwrap();
    let mut found: Vec<u16> = (0..2)
        .map(|_| {
            let mut answer = [0; 64];
            let (length, _) = socket.recv_from(&mut answer).unwrap();
            astrobackend::wire::alpaca::discovery::parse_answer(&answer[..length]).unwrap()
        })
        .collect();
    let mut expected = servers.each_ref().map(|server| server.address().port()).to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    servers.into_iter().for_each(|server| server.stop());
}

/// A client that has begun to load a picture larger than all buffers.
fn loading(server: &astrobackend_server::alpaca::Running) -> (TcpStream, usize) {
    let camera = device(server, "camera");
    camera.done("startexposure", "Duration=0.1&Light=True");
    camera.until("imageready", true);
    loading_again(&camera)
}

/// The same of the picture that is there.
fn loading_again(camera: &Device) -> (TcpStream, usize) {
    let mut stream = connect(camera.at);
    let path = camera.path("imagearray");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x.localhost\r\nAccept: application/imagebytes\r\n\r\n").unwrap();
    let mut beginning = [0; 1000];
    stream.read_exact(&mut beginning).unwrap();
    let head = String::from_utf8_lossy(&beginning).to_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse::<usize>().unwrap();
    let whole = length + head.find("\r\n\r\n").unwrap() + 4;
    (stream, whole - beginning.len())
}

#[test]
fn a_picture_under_way_is_finished_when_the_server_stops() {
    let server = served("sim://?speed=100&sensor=imx533", options());
    let at = server.address();
    let (mut stream, left) = loading(&server);
    let stopping = thread::spawn(move || server.stop());
    // Nobody else is served any more.
    let begun = Instant::now();
    while TcpStream::connect(at).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), left);
    stopping.join().unwrap();
}

#[test]
fn a_client_that_vanishes_amid_a_picture_costs_nobody_else() {
    let server = served("sim://?speed=100&sensor=imx533", options());
    let (mut other, left) = loading(&server);
    let camera = device(&server, "camera");
    for _ in 0..20 {
        drop(loading_again(&camera));
    }
    let mut rest = vec![0; left];
    other.read_exact(&mut rest).unwrap();
    assert!(camera.is("imageready"));
    server.stop();
}

#[test]
fn a_client_that_takes_nothing_is_left() {
    let limits = Limits { stall: Duration::from_millis(200), ..Limits::default() };
    let server = served("sim://?speed=100&sensor=imx533", Options { limits, ..options() });
    let (mut stream, left) = loading(&server);
    thread::sleep(Duration::from_millis(1000));
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < left, "{} of {left}", rest.len());
    assert!(device(&server, "camera").is("imageready"), "the others are served");
    server.stop();
}

#[test]
fn an_idle_client_does_not_keep_a_server_from_stopping() {
    let server = served("sim://", options());
    let mut stream = connect(server.address());
    stream.write_all(b"GET /management/apiversions HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(read_reply(&mut stream).status, 200);
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn setup_pages_say_what_there_is() {
    let server = served("sim://", options());
    let list = get(server.address(), "/setup");
    assert_eq!(list.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(list.text().contains("/setup/v1/telescope/0/setup") && list.text().contains("Mount Simulator"));
    let page = get(server.address(), "/setup/v1/telescope/0/setup").text();
    for word in ["Mount Simulator", "sim://", "Declination", "Connected", "yes"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert_eq!(exchange(server.address(), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    server.stop();
}
