//! Who misbehaves costs nobody else anything.

use crate::{SOON, client::Client, observatory, serve};
use astrobackend_server::rpc::{Limits, Options, Server};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

#[test]
fn a_line_of_a_gigabyte_takes_no_memory_and_hurts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let mut greedy = Client::new(server.address());
    let mut other = Client::new(server.address());
    let piece = "x".repeat(1 << 20);
    for _ in 0..1024 {
        greedy.send(&piece);
    }
    other.result("mount_at_park", "");
    greedy.send("\n");
    let answer = greedy.line();
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!("null")));
    greedy.result("mount_at_park", "");
    #[cfg(target_os = "linux")]
    {
        let peak = testing::bench::peak_memory(std::process::id()).unwrap();
        assert!(peak < 600 << 20, "{} MB", peak >> 20);
    }
}

#[test]
fn a_browser_is_hung_up_on_before_it_is_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let mut page = TcpStream::connect(server.address()).unwrap();
    page.set_read_timeout(Some(SOON)).unwrap();
    page.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n{\"method\": \"mount_park\", \"id\": 1}\n").unwrap();
    let mut said = String::new();
    let _ = page.read_to_string(&mut said);
    assert!(said.lines().count() <= 1, "{said}");
    let mut client = Client::new(server.address());
    assert_eq!(client.result("mount_at_park", ""), json!({ "at_park": false }));
}

#[test]
fn ten_thousand_requests_in_one_piece_are_all_answered_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let mut client = Client::new(server.address());
    let mut writer = Client::silent(server.address());
    writer.line();
    let requests: String =
        (0..10_000).map(|n| format!("{{\"method\": \"focuser_is_moving\", \"id\": {n}}}\n")).collect();
    writer.send(&requests);
    for n in 0..10_000 {
        assert_eq!(writer.line()["id"], n);
    }
    client.result("focuser_is_moving", "");
}

#[test]
fn strangers_and_changes_are_refused_when_told_so() {
    let far = Options { listen: ([0, 0, 0, 0], 0).into(), ..Options::default() };
    let error = Server::start(astrobackend::open("sim://").unwrap(), far).unwrap_err();
    assert!(error.to_string().contains("no passwords"), "{error}");
    let server = serve("sim://", |options| options.networks = vec!["192.0.2.0/24".parse().unwrap()]);
    assert!(Client::silent(server.address()).text().is_none());
    let server = serve("sim://", |options| options.read_only = true);
    let mut client = Client::new(server.address());
    client.result("mount_get_radec", "");
    assert_eq!(client.error("mount_park", "{}").0, -1);
    assert_eq!(client.error("camera_start_exposure", "{}").0, -1);
}

#[test]
fn a_server_stops_while_clients_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let mut client = Client::new(server.address());
    client.request("take_image", r#"{"exposure": 3000}"#);
    let begin = Instant::now();
    server.stop();
    assert!(begin.elapsed() < SOON);
    while client.text().is_some() {}
}

#[test]
fn a_client_that_reads_nothing_is_left_and_takes_no_memory() {
    let limits = Limits { stall: Duration::from_millis(300), ..Limits::default() };
    let server = serve("sim://?speed=100", |options| options.limits = limits);
    let mut deaf = TcpStream::connect(server.address()).unwrap();
    deaf.set_write_timeout(Some(SOON)).unwrap();
    let request = "{\"method\": \"get_devices\", \"id\": 1}\n".repeat(1000);
    let begun = Instant::now();
    // Until the server has closed the connection, whose answers nobody takes.
    while deaf.write_all(request.as_bytes()).is_ok() {
        assert!(begun.elapsed() < SOON, "a client that reads nothing is served for ever");
    }
    Client::new(server.address()).result("mount_at_park", "");
    #[cfg(target_os = "linux")]
    {
        let peak = testing::bench::peak_memory(std::process::id()).unwrap();
        assert!(peak < 600 << 20, "{} MB", peak >> 20);
    }
}

#[test]
fn clients_that_say_nothing_or_a_byte_at_a_time_cost_nobody_else() {
    let server = serve("sim://?speed=100", |_| {});
    let mut slow: Vec<_> = (0..50).map(|_| Client::new(server.address())).collect();
    let mut other = Client::new(server.address());
    let request = "{\"method\": \"mount_at_park\", \"id\": 7}\n";
    for byte in request.bytes() {
        // The first half says nothing at all.
        slow[25..].iter_mut().for_each(|client| client.send(&char::from(byte).to_string()));
        other.result("focuser_is_moving", "");
    }
    for client in &mut slow[25..] {
        assert_eq!(client.line()["id"], 7);
    }
    server.stop();
    assert!(slow[0].text().is_none(), "a silent client does not keep a server from stopping");
}

#[test]
fn a_client_that_loads_a_picture_and_stops_reading_is_left() {
    let limits = Limits { stall: Duration::from_millis(300), ..Limits::default() };
    let server = serve("sim://?speed=1000&sensor=imx533", |options| options.limits = limits);
    let mut deaf = Client::new(server.address());
    deaf.result("take_image", r#"{"exposure": 0.01}"#);
    deaf.send("{\"method\": \"camera_get_image\", \"id\": 2, \"params\": {\"device\": \"Camera Simulator\"}}\n");
    thread::sleep(Duration::from_secs(1));
    let mut rest = Vec::new();
    let _ = deaf.rest(&mut rest);
    assert!(rest.len() < 2 * 3008 * 3008, "the whole picture of {} bytes came", rest.len());
    Client::new(server.address()).result("mount_at_park", "");
}
