//! What our store knows of a server is what an independent client, indipyclient, sees on the same server.

use super::{
    connection::{Connection, Policy},
    property::{Element, Property, Value},
    socket::Server,
    store::Store,
};
use crate::{
    Supervision,
    backend::keeping::Keeping,
    wire::indi::{self, Elements, Message, Vector},
};
use serde_json::{Map, Value as Json, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use testing::{FakeIndi, IndipyServer, Skip, fake_indi::Act, python, script};

/// Debian's simulators, connected one after the other, one of them disconnected again.
const SIMULATORS: &[u8] = include_bytes!("../../../tests/data/indi_simulators.xml");

fn value(element: &Element) -> Json {
    match &element.value {
        Value::Text(text) => json!(text),
        Value::Number(number) => json!(number.value),
        Value::Switch(on) => json!(on),
        Value::Light(state) => json!(format!("{state:?}")),
        Value::Blob(_) => Json::Null,
    }
}

fn property(property: &Property) -> Json {
    let kind = match property.elements.first().map(|element| &element.value) {
        Some(Value::Text(_)) | None => "Text",
        Some(Value::Number(_)) => "Number",
        Some(Value::Switch(_)) => "Switch",
        Some(Value::Light(_)) => "Light",
        Some(Value::Blob(_)) => "BLOB",
    };
    let elements: Map<String, Json> =
        property.elements.iter().map(|element| (element.name.clone(), value(element))).collect();
    json!({ "type": kind, "state": format!("{:?}", property.state), "elements": elements })
}

/// In the form of `testing/indi_view.py`.
fn ours(store: &Store) -> Json {
    let of_device = |device: &super::store::Device| -> Json {
        device.properties().map(|(name, it)| (name.to_owned(), property(it))).collect::<Map<_, _>>().into()
    };
    store.devices().map(|(name, device)| (name.to_owned(), of_device(device))).collect::<Map<_, _>>().into()
}

fn theirs(address: SocketAddr) -> Result<Json, Skip> {
    let mut command = python(&["indipyclient"])?;
    let output = command.arg(script("indi_view.py")).args([&address.port().to_string(), "3"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    Ok(serde_json::from_str(line.unwrap_or_else(|| panic!("{text} {}", String::from_utf8_lossy(&output.stderr))))
        .unwrap())
}

fn open(address: SocketAddr) -> Arc<Connection> {
    let server = Server::at(Some(&address.ip().to_string()), Some(address.port()));
    let keeping = Keeping { policy: Supervision::Off, alive: Duration::from_secs(60) };
    let policy = Policy { timeout: Duration::from_secs(10), keeping, guard: true };
    Connection::open(server, policy).unwrap()
}

fn settle(connection: &Connection) {
    let quiet = |store: &Store| store.has_defined_nothing_for(Duration::from_millis(500)).then_some(());
    connection.wait(connection.deadline(), quiet).unwrap().unwrap();
}

/// Numbers are alike within the last digit, which the JSON reader rounds its own way.
fn alike(one: &Json, other: Option<&Json>) -> bool {
    match (one.as_f64(), other.and_then(Json::as_f64)) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-15 * one.abs(),
        _ => Some(one) == other,
    }
}

/// Fails with what differs between the two views, other than in properties that change by themselves.
#[track_caller]
fn compare(ours: &Json, theirs: &Json, moving: &[&str]) {
    let still = |view: &Json| -> Map<String, Json> {
        flat("", view).into_iter().filter(|(path, _)| !moving.iter().any(|moving| path.contains(moving))).collect()
    };
    let (ours, theirs) = (still(ours), still(theirs));
    let differing: Vec<_> = ours.iter().filter(|(path, value)| !alike(value, theirs.get(*path))).collect();
    let missing: Vec<_> = theirs.keys().filter(|path| !ours.contains_key(*path)).collect();
    assert!(differing.is_empty() && missing.is_empty(), "only ours: {differing:#?}, only theirs: {missing:#?}");
    assert!(ours.len() > 50, "only {} values", ours.len());
}

fn flat(path: &str, value: &Json) -> Map<String, Json> {
    match value {
        Json::Object(all) => all.iter().flat_map(|(name, value)| flat(&format!("{path}/{name}"), value)).collect(),
        value => Map::from_iter([(path.to_owned(), value.clone())]),
    }
}

#[test]
fn on_debians_simulators() {
    let server = FakeIndi::builder().on("getProperties", |command| match command.device.as_str() {
        "" => vec![Act::from(SIMULATORS)],
        _ => Vec::new(),
    });
    let server = server.start().unwrap();
    let connection = open(server.address());
    settle(&connection);
    match theirs(server.address()) {
        Ok(theirs) => compare(&ours(&connection.store()), &theirs, &[]),
        Err(why) => assert!(!why.report()),
    }
}

#[test]
fn on_indipyserver() {
    let server = match IndipyServer::start(0.1) {
        Ok(server) => server,
        Err(why) => return assert!(!why.report()),
    };
    let connection = open(server.address());
    settle(&connection);
    for device in ["Camera", "Guide Camera", "Focuser", "Wheel", "Mount"] {
        let on = Elements::Switch(vec![indi::Element::new("CONNECT", true)]);
        connection.send(&[Message::New(Vector::new(device, "CONNECTION", on))]).unwrap();
    }
    // What each driver defines last.
    let last = [
        ("Camera", "CCD_INFO"),
        ("Guide Camera", "CCD_INFO"),
        ("Focuser", "FOCUS_TEMPERATURE"),
        ("Wheel", "FILTER_NAME"),
        ("Mount", "TELESCOPE_TIMED_GUIDE_WE"),
    ];
    let defined = |store: &Store| {
        let all = last.iter().all(|(device, property)| store.device(device).is_some_and(|it| it.has(property)));
        all.then_some(())
    };
    connection.wait(connection.deadline(), defined).unwrap().unwrap();
    let slot = Elements::Number(vec![indi::Element::new("FILTER_SLOT_VALUE", indi::Number::from(3.0))]);
    connection.send(&[Message::New(Vector::new("Wheel", "FILTER_SLOT", slot))]).unwrap();
    let turned =
        |store: &Store| (store.device("Wheel")?.number("FILTER_SLOT", "FILTER_SLOT_VALUE") == Some(3.0)).then_some(());
    connection.wait(connection.deadline(), turned).unwrap().unwrap();
    match theirs(server.address()) {
        // The sky and the clock go on.
        Ok(theirs) => compare(
            &ours(&connection.store()),
            &theirs,
            &["/EQUATORIAL_EOD_COORD/elements/", "/HORIZONTAL_COORD/elements/", "/TIME_UTC/elements/UTC"],
        ),
        Err(why) => assert!(!why.report()),
    }
}
