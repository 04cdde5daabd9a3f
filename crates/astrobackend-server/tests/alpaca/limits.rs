//! What costs too much is refused, and what does not come is not waited for.

use crate::client::{connect, device, exchange, get, options, put, read_reply, served, simulator};
use astrobackend_server::alpaca::{Limits, Options};
use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let server = simulator();
    let path = "/api/v1/camera/0/connected";
    let form = |length: usize| format!("Connected=true&Extra={}", "x".repeat(length));
    assert_eq!(put(server.address(), path, &form(60_000)).status, 200);
    assert_eq!(put(server.address(), path, &form(70_000)).status, 413);
    server.stop();
}

#[test]
fn a_head_beyond_the_limit_is_refused() {
    let server = simulator();
    let many = "A: b\r\n".repeat(100);
    let request = format!("GET /setup HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    assert_eq!(exchange(server.address(), request.as_bytes()).status, 431);
    assert_eq!(exchange(server.address(), b"nonsense\r\n\r\n").status, 400);
    server.stop();
}

#[test]
fn heads_and_bodies_that_do_not_come_end_the_connection() {
    let limits = Limits { header: Duration::from_millis(200), body: Duration::from_millis(200), ..Limits::default() };
    let server = served("sim://", Options { limits, ..options() });
    let begun = Instant::now();
    for beginning in ["", "GET /setup HT"] {
        let mut stream = connect(server.address());
        stream.write_all(beginning.as_bytes()).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    let path = device(&server, "camera").path("connected");
    let mut stream = connect(server.address());
    write!(stream, "PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\nConn").unwrap();
    assert_eq!(read_reply(&mut stream).status, 408);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    server.stop();
}

#[test]
fn heads_and_bodies_of_a_byte_at_a_time_end_the_connection() {
    let limits = Limits { header: Duration::from_millis(300), body: Duration::from_millis(300), ..Limits::default() };
    let server = served("sim://", Options { limits, ..options() });
    let path = device(&server, "camera").path("connected");
    let request = format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n");
    for at_once in [0, request.len()] {
        let mut stream = connect(server.address());
        let (head, drip) = request.as_bytes().split_at(at_once);
        stream.write_all(head).unwrap();
        let begun = Instant::now();
        let mut bytes = drip.iter().chain(std::iter::repeat(&b'x'));
        // Each byte comes in time, and yet they are too late together.
        while stream.write_all(&[*bytes.next().unwrap()]).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(10), "a byte at a time is waited for");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(get(server.address(), "/management/apiversions").status, 200);
    server.stop();
}

#[test]
fn clients_beyond_the_limit_are_told_so() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let server = served("sim://", Options { limits, ..options() });
    let ask = b"GET /management/apiversions HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut held = [connect(server.address()), connect(server.address())];
    for stream in &mut held {
        stream.write_all(ask).unwrap();
        assert_eq!(read_reply(stream).status, 200);
    }
    let refused = exchange(server.address(), ask);
    assert_eq!((refused.status, refused.text().as_str()), (503, "too many clients are connected"));
    drop(held);
    let begun = Instant::now();
    while get(server.address(), "/management/apiversions").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    server.stop();
}

#[test]
fn two_hundred_clients_are_served_at_once() {
    let server = simulator();
    let camera = device(&server, "camera");
    // More than goes into a socket, and not so much that reading twenty takes longer than the server waits for a client.
    camera.done("numx", "NumX=400");
    camera.done("numy", "NumY=300");
    camera.done("startexposure", "Duration=0.1&Light=True");
    camera.until("imageready", true);
    let mut clients: Vec<_> = (0..200).map(|_| connect(server.address())).collect();
    // Every tenth wants the picture, as text; all have asked before anybody is listened to.
    for round in 1..=2 {
        for (n, stream) in clients.iter_mut().enumerate() {
            let member = if n % 10 == 0 { "imagearray" } else { "camerastate" };
            let path = format!("{}?ClientTransactionID={}", camera.path(member), round * 1000 + n);
            write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        }
        for (n, stream) in clients.iter_mut().enumerate() {
            let json = read_reply(stream).json();
            assert_eq!((&json["ClientTransactionID"], &json["ErrorNumber"]), (&(round * 1000 + n).into(), &0.into()));
        }
    }
    server.stop();
}

#[test]
fn one_connection_serves_many_requests() {
    let server = simulator();
    let mut stream = connect(server.address());
    for n in 1..50 {
        write!(stream, "GET /api/v1/focuser/0/position?ClientTransactionID={n} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        assert_eq!(read_reply(&mut stream).json()["ClientTransactionID"], n);
    }
    server.stop();
}
