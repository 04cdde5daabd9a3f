//! Pictures as they arrive: orientation, types, JSON, compression, and many clients at once.

use crate::client::{Device, device, get, get_with, options, simulator};
use astrobackend::{
    Backend,
    backend::sim::{Fault, Sim, What},
    device::{AnyDevice, DeviceKind, DeviceState},
    image::{Image, Pixels},
    wire::alpaca::image_bytes::{ElementType, HEADER, Header},
};
use astrobackend_server::alpaca::Server;
use std::{io::Read, sync::Arc, time::Duration};

const BINARY: &str = "Accept: application/imagebytes, application/json;q=0.5\r\n";

fn exposed(camera: &Device) {
    camera.done("startexposure", "Duration=0.1&Light=True");
    camera.until("imageready", true);
}

fn header(body: &[u8]) -> Header {
    Header::parse(body[..HEADER].try_into().unwrap()).unwrap()
}

#[test]
fn the_picture_is_that_of_the_camera_column_by_column() {
    // Two simulators of one seed take the same picture.
    let own = astrobackend::open("sim://?speed=100&sensor=generic").unwrap();
    crate::client::connect_all(&own);
    let server = Server::start(astrobackend::open("sim://?speed=100&sensor=generic").unwrap(), options()).unwrap();
    let camera = device(&server, "camera");
    camera.done("connected", "Connected=true");
    camera.done("numx", "NumX=60");
    camera.done("numy", "NumY=41");
    camera.done("startx", "StartX=500");
    exposed(&camera);
    let reply = get_with(camera.at, &camera.path("imagearray?ClientTransactionID=77"), BINARY);
    assert_eq!(reply.header("content-type"), Some("application/imagebytes"));
    let header = header(&reply.body);
    let shape = header.shape.unwrap();
    assert_eq!((header.client_transaction, header.data_start, header.error), (77, HEADER, 0));
    assert!(header.server_transaction >= 1);
    assert_eq!((shape.width, shape.height, shape.rank), (60, 41, 2));
    assert_eq!((shape.sent, shape.element), (ElementType::U16, ElementType::I32));
    assert_eq!(reply.body.len(), HEADER + 60 * 41 * 2);
    let json = get(camera.at, &camera.path("imagearray")).json();
    assert_eq!((&json["Type"], &json["Rank"]), (&2.into(), &2.into()));
    assert_eq!(json["Value"].as_array().unwrap().len(), 60);
    for (x, column) in json["Value"].as_array().unwrap().iter().enumerate() {
        assert_eq!(column.as_array().unwrap().len(), 41);
        for (y, pixel) in column.as_array().unwrap().iter().enumerate() {
            let at = HEADER + (x * 41 + y) * 2;
            assert_eq!(pixel.as_u64().unwrap(), u64::from(u16::from_le_bytes([reply.body[at], reply.body[at + 1]])));
        }
    }
    let text = get(camera.at, &camera.path("imagearray")).text();
    assert!(text.starts_with("{\"Type\":2,\"Rank\":2,\"Value\":[["), "{}", &text[..60]);
    server.stop();
}

/// A camera that gives pictures of the test's own.
mod pictures {
    use super::*;
    use crate::wrapped::Wrapped;

    fn sent(image: Image) -> (crate::client::Reply, serde_json::Value) {
        let backend = astrobackend::open("sim://?speed=100&sensor=generic").unwrap();
        crate::client::connect_all(&backend);
        let wrapped: Arc<dyn Backend> = Arc::new(Wrapped::over(backend).giving(image));
        let server = Server::start(wrapped, options()).unwrap();
        let camera = device(&server, "camera");
        exposed(&camera);
        let binary = get_with(camera.at, &camera.path("imagearray"), BINARY);
        let json = get(camera.at, &camera.path("imagearrayvariant")).json();
        server.stop();
        (binary, json)
    }

    #[test]
    fn orientation_and_extremes_survive() {
        let image = Image::new(3, 2, Pixels::U16(vec![0, 65535, 2, 3, 4, 5])).unwrap();
        let (binary, json) = sent(image);
        assert_eq!(json["Value"], serde_json::json!([[0, 3], [65535, 4], [2, 5]]));
        let pixels: Vec<u16> =
            binary.body[HEADER..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        assert_eq!(pixels, [0, 3, 65535, 4, 2, 5]);
    }

    #[test]
    fn three_planes_are_three_values_of_a_pixel() {
        let image = Image::with_planes(2, 1, 3, Pixels::U8(vec![1, 2, 3, 4, 5, 6])).unwrap();
        let (binary, json) = sent(image);
        assert_eq!(json["Value"], serde_json::json!([[[1, 3, 5]], [[2, 4, 6]]]));
        assert_eq!((&json["Rank"], &binary.body[HEADER..]), (&3.into(), &[1, 3, 5, 2, 4, 6][..]));
        let shape = header(&binary.body).shape.unwrap();
        assert_eq!((shape.planes, shape.rank, shape.sent), (3, 3, ElementType::U8));
    }

    #[test]
    fn floats_are_sent_as_they_are() {
        let (binary, json) = sent(Image::new(1, 2, Pixels::F32(vec![0.5, -1.0])).unwrap());
        assert_eq!((&json["Type"], &json["Value"]), (&3.into(), &serde_json::json!([[0.5, -1.0]])));
        assert_eq!(header(&binary.body).shape.unwrap().element, ElementType::F32);
    }
}

#[test]
fn json_is_compressed_for_those_who_ask() {
    let server = simulator();
    let camera = device(&server, "camera");
    exposed(&camera);
    let plain = get(camera.at, &camera.path("imagearray"));
    assert_eq!(plain.header("content-encoding"), None);
    let packed = get_with(camera.at, &camera.path("imagearray"), "Accept-Encoding: br, gzip\r\n");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut text).unwrap();
    let unpacked: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(unpacked["Value"], plain.json()["Value"]);
    assert!(packed.body.len() < plain.body.len());
    let none = get_with(camera.at, &camera.path("imagearray"), "Accept-Encoding: gzip;q=0\r\n");
    assert_eq!(none.header("content-encoding"), None);
    server.stop();
}

#[test]
fn many_clients_load_one_picture() {
    let server = simulator();
    let camera = device(&server, "camera");
    exposed(&camera);
    let load = || get_with(camera.at, &camera.path("imagearray"), BINARY).body[HEADER..].to_vec();
    let first = load();
    std::thread::scope(|scope| {
        let loads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
        assert!(loads.into_iter().all(|load| load.join().unwrap() == first));
    });
    server.stop();
}

#[test]
fn without_a_picture_the_error_is_json() {
    let server = simulator();
    let camera = device(&server, "camera");
    let reply = get_with(camera.at, &camera.path("imagearray"), BINARY);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.json()["ErrorNumber"], 0x40B);
    server.stop();
}

#[test]
fn a_picture_whose_way_failed_is_fetched_again() {
    let sim = astrobackend::open("sim://?speed=100&sensor=generic&timeout=0.2").unwrap();
    let hangs = Fault::new("camera", What::Hang).on_call("take_image", 1).times(1).lasting(Duration::from_secs(60));
    Sim::of(&*sim).unwrap().inject(hangs).unwrap();
    let server = Server::start(sim, options()).unwrap();
    let camera = device(&server, "camera");
    camera.done("connected", "Connected=true");
    exposed(&camera);
    assert_eq!(get(camera.at, &camera.path("imagearray")).json()["ErrorNumber"], 0);
    server.stop();
}

#[test]
fn somebody_elses_picture_is_offered_too() {
    let backend = astrobackend::open("sim://?speed=100&sensor=generic").unwrap();
    crate::client::connect_all(&backend);
    let server = Server::start(backend.clone(), options()).unwrap();
    let camera = device(&server, "camera");
    exposed(&camera);
    let first = camera.value("lastexposurestarttime");
    let its = backend.camera().unwrap();
    its.start_exposure(astrobackend::device::Exposure::light(Duration::from_millis(1))).unwrap();
    let ready = |backend: &Arc<dyn Backend>| {
        let id = backend.only(DeviceKind::Camera).unwrap();
        let AnyDevice::Camera(camera) = backend.device(&id).unwrap() else { panic!("{id}") };
        let DeviceState::Camera(state) = AnyDevice::Camera(camera).state().unwrap() else { panic!("{id}") };
        !state.exposure.is_busy()
    };
    while !ready(&backend) {
        std::thread::yield_now();
    }
    camera.until("imageready", true);
    assert_ne!(camera.value("lastexposurestarttime"), first);
    assert!(get_with(camera.at, &camera.path("imagearray"), BINARY).body.len() > HEADER);
    server.stop();
}
