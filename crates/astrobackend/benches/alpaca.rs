//! What Alpaca costs beside the bare network: a large picture, a small call, and memory.
//!
//! The server here sends bytes that are in memory already, so that the client alone is measured. Each figure is
//! the best of several, in one run with its floor.

use astrobackend::{
    device::{Camera, Exposure},
    wire::alpaca::image_bytes::{ElementType, HEADER, Header, Shape},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

const WIDTH: u32 = 9576;
const HEIGHT: u32 = 6388;
const TIMES: usize = 7;

fn main() {
    let shape =
        Shape { element: ElementType::I32, sent: ElementType::U16, width: WIDTH, height: HEIGHT, planes: 1, rank: 2 };
    let header =
        Header { client_transaction: 0, server_transaction: 1, data_start: HEADER, error: 0, shape: Some(shape) };
    let mut body = header.print().to_vec();
    body.extend((0..WIDTH * HEIGHT).flat_map(|pixel| (pixel as u16).to_le_bytes()));
    let address = serve(Arc::new(body));
    let floor = best(|| raw(address, "/api/v1/camera/0/imagearray"));
    let call_floor = calls(address);

    let camera =
        astrobackend::open(&format!("alpaca://{address}")).and_then(|server| server.camera()).expect("the server");
    camera.connect().expect("the camera");
    let before = peak();
    let mut ours = f64::MAX;
    for _ in 0..TIMES {
        camera.start_exposure(Exposure::light(Duration::ZERO)).expect("an exposure");
        let _ = camera.state();
        let begun = Instant::now();
        let image = camera.take_image().expect("the picture");
        ours = ours.min(begun.elapsed().as_secs_f64());
        assert_eq!(image.pixels().get(WIDTH as usize), Some(1.0));
    }
    let frame = f64::from(WIDTH * HEIGHT) * 2.0 / 1e6;
    println!("picture of 61 megapixels: {ours:.3} s, the network alone {floor:.3} s: {:.2} times", ours / floor);
    println!("memory beyond before: {:.0} MB for a frame of {frame:.0} MB", peak() - before);
    let call = small(&*camera);
    println!(
        "small call: {:.0} µs, the network alone {:.0} µs: {:.2} times",
        call * 1e6,
        call_floor * 1e6,
        call / call_floor
    );
}

fn best(mut measure: impl FnMut() -> f64) -> f64 {
    (0..TIMES).map(|_| measure()).fold(f64::MAX, f64::min)
}

/// Reads a reply and throws it away.
fn raw(address: SocketAddr, path: &str) -> f64 {
    let mut stream = TcpStream::connect(address).expect("the server");
    let begun = Instant::now();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).expect("a request");
    let (mut buffer, mut left) = (vec![0; 1 << 20], u64::from(WIDTH * HEIGHT) * 2 + HEADER as u64);
    while left > 0 {
        let bytes = stream.read(&mut buffer).expect("the picture");
        assert!(bytes > 0, "the picture broke off");
        left = left.saturating_sub(bytes as u64);
    }
    begun.elapsed().as_secs_f64()
}

/// The median of small calls on one connection, as small as they can be made.
fn calls(address: SocketAddr) -> f64 {
    let mut stream = TcpStream::connect(address).expect("the server");
    stream.set_nodelay(true).expect("a socket");
    let request = b"GET /api/v1/camera/0/connected?ClientID=1&ClientTransactionID=1 HTTP/1.1\r\nHost: a\r\n\r\n";
    median(|| {
        stream.write_all(request).expect("a request");
        let _ = stream.read(&mut [0; 4096]).expect("a reply");
    })
}

fn small(camera: &dyn Camera) -> f64 {
    median(|| {
        camera.is_connected().expect("a reply");
    })
}

fn median(mut call: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..5000)
        .map(|_| {
            let begun = Instant::now();
            call();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The most memory that this process ever had, in MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

fn serve(picture: Arc<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let picture = picture.clone();
            std::thread::spawn(move || connection(stream, &picture));
        }
    });
    address
}

fn connection(mut stream: TcpStream, picture: &[u8]) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        let request = String::from_utf8_lossy(&buffer[..length]);
        let member = request.split([' ', '?']).nth(1)?.rsplit('/').next()?.to_owned();
        let value = match member.as_str() {
            "imagearray" => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/imagebytes\r\nContent-Length: {}\r\n\r\n",
                    picture.len()
                );
                stream.write_all(head.as_bytes()).ok()?;
                stream.write_all(picture).ok()?;
                continue;
            }
            "configureddevices" => r#"[{"DeviceName":"C","DeviceType":"Camera","DeviceNumber":0}]"#.to_owned(),
            "connected" | "imageready" => "true".to_owned(),
            "cameraxsize" | "numx" => WIDTH.to_string(),
            "cameraysize" | "numy" => HEIGHT.to_string(),
            "camerastate" | "startx" | "starty" => "0".to_owned(),
            "binx" | "biny" | "maxbinx" | "maxbiny" => "1".to_owned(),
            "exposuremax" => "100".to_owned(),
            _ => "null".to_owned(),
        };
        let body = format!(
            "{{\"Value\":{value},\"ClientTransactionID\":1,\"ServerTransactionID\":1,\"ErrorNumber\":0,\"ErrorMessage\":\"\"}}"
        );
        let reply = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(reply.as_bytes()).ok()?;
    }
}
