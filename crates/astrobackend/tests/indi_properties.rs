//! Raw INDI properties: found, set and watched, on a server that answers as it is told.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use astrobackend::{
    Backend, ErrorKind,
    backend::indi::{
        self, Indi,
        properties::{Change, Interface, Interfaces, Kind, Pattern, Perm, Properties, Rule, State},
    },
    device::{AnyDevice, DeviceId, DeviceKind},
};
use std::{sync::Arc, time::Duration};
use testing::fake_indi::{Act, Device, FakeIndi, Property, observatory, xml};

const LIMIT: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(100);

fn odd() -> Device {
    Device::new("Odd 1.5", 1 << 20 | 1 << 15)
        .with(Property::text("NAMES", [("A", "one"), ("B", "two")]).always())
        .with(Property { rule: "AnyOfMany", ..Property::at_most_one("FLAGS", ["X", "Y"]) }.always())
        .with(Property::at_most_one("BUTTON", ["PRESS", "OTHER"]).always())
        .with(Property { perm: "wo", ..Property::number("ORDER", [("N", 0.0, 0.0..=0.0)]) }.always())
        .with(light())
}

fn light() -> Property {
    let mut light = Property::text("LAMPS", [("RED", "Alert")]).always();
    light.kind = testing::fake_indi::Kind::Light;
    light
}

fn start() -> (FakeIndi, Arc<Indi>, Properties) {
    let server = FakeIndi::builder().observatory().device(odd()).start().unwrap();
    let indi = indi::connect(&server.url("timeout=5&alive=60").parse().unwrap()).unwrap();
    let properties = indi.properties();
    properties.connect("Camera", LIMIT).unwrap();
    (server, indi, properties)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: astrobackend::Result<T>, kind: ErrorKind, words: &str) {
    let error = result.unwrap_err();
    assert!(error.kind() == kind && error.to_string().contains(words), "{error:?}");
}

#[test]
fn devices_are_found_by_name_and_class() {
    let (_server, indi, properties) = start();
    let names = |devices: Vec<indi::properties::Device>| devices.into_iter().map(|one| one.name).collect::<Vec<_>>();
    assert_eq!(names(properties.devices().unwrap()), ["Camera", "Focuser", "Mount", "Odd 1.5", "Wheel"]);
    assert_eq!(names(properties.devices_of(Interface::Pac).unwrap()), ["Odd 1.5"]);
    let some: Interfaces = [Interface::Focuser, Interface::Ccd].into_iter().collect();
    assert_eq!(names(properties.devices_of(some).unwrap()), ["Camera", "Focuser"]);
    let camera = properties.device("Camera", SHORT).unwrap();
    assert!(camera.connected && camera.executable.as_deref() == Some("fake_driver"));
    assert!(camera.to_string().starts_with("Camera (ccd), connected, "), "{camera}");
    refused(properties.device("Kamera", SHORT), ErrorKind::NotFound, "\"Odd 1.5\"");
    let opened: Arc<dyn Backend> = indi;
    assert!(Indi::of(&*opened).is_ok());
    refused(Indi::of(&*astrobackend::open("sim://").unwrap()), ErrorKind::Unsupported, "sim:");
}

#[test]
fn values_are_read_with_all_that_the_driver_says_about_them() {
    let (server, _indi, properties) = start();
    let gain = properties.number("Camera", "CCD_GAIN", "GAIN", LIMIT).unwrap();
    assert_eq!((gain.value, gain.range(), gain.step, gain.format.as_str()), (100.0, Some((0.0, 600.0)), 1.0, "%g"));
    assert_eq!(properties.text("Odd 1.5", "NAMES", "B", LIMIT).unwrap(), "two");
    assert!(properties.switch("Camera", "CCD_FRAME_TYPE", "FRAME_LIGHT", LIMIT).unwrap());
    assert_eq!(properties.light("Odd 1.5", "LAMPS", "RED", LIMIT).unwrap(), State::Alert);
    let lamps = properties.property("Odd 1.5", "LAMPS", LIMIT).unwrap();
    assert_eq!((lamps.kind, lamps.perm, lamps.rule), (Kind::Light, Perm::ReadOnly, None));
    let types = properties.property("Camera", "CCD_FRAME_TYPE", LIMIT).unwrap();
    assert_eq!((types.rule, types.group.as_str()), (Some(Rule::OneOfMany), "Main"));
    assert_eq!((types.timeout, types.on().unwrap().name.as_str()), (Some(Duration::from_secs(60)), "FRAME_LIGHT"));
    server.send(
        "<setNumberVector device='Camera' name='CCD_GAIN' state='Busy' timestamp='2026-01-02T03:04:05'>\
        <oneNumber name='GAIN' max='50'>7.5</oneNumber></setNumberVector>",
    );
    let changes = properties.watch(&Pattern::all());
    server.send(xml::message("Camera", "x") + &xml::numbers("Camera", "CCD_GAIN", "Busy", &[]));
    while !matches!(changes.next(LIMIT), Some(Change::Updated(_))) {}
    let gain = properties.property("Camera", "CCD_GAIN", LIMIT).unwrap();
    assert_eq!(gain.timestamp, "2026-01-02T03:04:05");
    assert_eq!(
        gain.to_string(),
        "Camera.CCD_GAIN \"CCD_GAIN\" (number, rw, Busy)\n  GAIN \"GAIN\" = 7.5 (0 to 50 by 1)"
    );
    assert!(properties.dump(&Pattern::of_device("Odd 1.5")).contains("\n  RED \"RED\" = Alert"));
    refused(properties.text("Camera", "CCD_GAIN", "GAIN", SHORT), ErrorKind::InvalidValue, "no text");
    refused(properties.number("Camera", "CCD_GAIN", "Gain", SHORT), ErrorKind::NotFound, "Camera: CCD_GAIN has no");
    refused(properties.number("Camera", "CCD_GIAN", "GAIN", SHORT), ErrorKind::NotFound, "CCD_GIAN");
}

#[test]
fn what_is_defined_later_is_waited_for() {
    let (server, _indi, properties) = start();
    let other = properties.clone();
    let waiting = std::thread::spawn(move || other.number("Wheel", "FILTER_SLOT", "FILTER_SLOT_VALUE", LIMIT));
    server.wait_for(|_| false, SHORT);
    properties.connect("Wheel", LIMIT).unwrap();
    assert_eq!(waiting.join().unwrap().unwrap().value, 1.0);
    let pattern: Pattern = "Wheel.FILTER_*.*_1".parse().unwrap();
    let found = properties.find(&pattern, LIMIT).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(pattern.select(&found[0]), [("FILTER_SLOT_NAME_1".to_owned(), "L".to_owned())]);
    refused(properties.find(&"Wheel.X*".parse().unwrap(), LIMIT), ErrorKind::NotFound, "Wheel.X*.*");
    refused(properties.find(&"Wheel.FILTER_SLOT.X".parse().unwrap(), SHORT), ErrorKind::NotFound, "SLOT.X");
}

#[test]
fn values_are_set_and_answered() {
    let (server, _indi, properties) = start();
    let sent = |name: &str, wanted: &str| {
        let all = |command: &testing::fake_indi::Command| {
            let each = command.elements.iter().map(|(element, value)| format!("{element}={value}"));
            each.collect::<Vec<_>>().join(" ")
        };
        let found = server.wait_for(|command| command.sets("Odd 1.5", name) && all(command) == wanted, LIMIT);
        assert!(found.is_some(), "{wanted} is not in {:?}", server.received());
    };
    let set = |name: &str, values: &[(&str, &str)]| properties.set("Odd 1.5", name, values, LIMIT);
    assert_eq!(properties.set_number("Camera", "CCD_GAIN", &[("GAIN", 50.0)], LIMIT).unwrap().state, State::Ok);
    assert_eq!(properties.number("Camera", "CCD_GAIN", "GAIN", SHORT).unwrap().value, 50.0);
    properties.set_text("Odd 1.5", "NAMES", &[("A", "eins")], LIMIT).unwrap();
    // All or nothing is what drivers want.
    sent("NAMES", "A=eins B=two");
    set("FLAGS", &[("X", "On")]).unwrap();
    set("FLAGS", &[("Y", "on")]).unwrap();
    sent("FLAGS", "X=On Y=On");
    set("BUTTON", &[("OTHER", "On")]).unwrap();
    properties.set_switch("Odd 1.5", "BUTTON", &[("PRESS", true)], LIMIT).unwrap();
    // One puts the other out.
    sent("BUTTON", "PRESS=On OTHER=Off");
    set("ORDER", &[("N", "1:30:00")]).unwrap();
    sent("ORDER", "N=1.5");

    server.forget();
    let camera = |name: &str, element: &str, value: &str| properties.set("Camera", name, &[(element, value)], SHORT);
    refused(camera("CCD_GAIN", "GAIN", "601"), ErrorKind::InvalidValue, "601 is not within 0 to 600");
    refused(camera("CCD_GAIN", "GAIN", "NaN"), ErrorKind::InvalidValue, "NaN");
    refused(camera("CCD_GAIN", "HAIN", "1"), ErrorKind::NotFound, "HAIN");
    refused(camera("CCD_INFO", "CCD_MAX_X", "1"), ErrorKind::Unsupported, "read");
    refused(camera("CCD_FRAME_TYPE", "FRAME_DARK", "maybe"), ErrorKind::InvalidValue, "maybe");
    refused(camera("CCD_FRAME_TYPE", "FRAME_LIGHT", "Off"), ErrorKind::InvalidValue, "must be on");
    refused(properties.set_text("Camera", "CCD_GAIN", &[("GAIN", "1")], SHORT), ErrorKind::InvalidValue, "numbers");
    refused(set("BUTTON", &[("PRESS", "On"), ("OTHER", "On")]), ErrorKind::InvalidValue, "only one");
    refused(set("LAMPS", &[("RED", "Ok")]), ErrorKind::Unsupported, "light");
    assert!(!server.received().iter().any(|command| command.tag.starts_with("new")), "refused before it was sent");
}

#[test]
fn refusals_carry_the_drivers_words_and_silence_has_an_end() {
    let (server, _indi, properties) = start();
    let gain = |limit| properties.set_number("Camera", "CCD_GAIN", &[("GAIN", 70.0)], limit);
    let alert = xml::message("Camera", "[ERROR] the knob is stuck") + &xml::numbers("Camera", "CCD_GAIN", "Alert", &[]);
    server.on("CCD_GAIN", move |_| vec![Act::from(alert.clone())]);
    refused(gain(LIMIT), ErrorKind::Device(0), "Camera: CCD_GAIN: the knob is stuck");
    server.on("CCD_GAIN", |_| vec![Act::from(xml::message("Camera", "[WARNING] not now"))]);
    refused(gain(LIMIT), ErrorKind::Device(0), "not now");
    server.on("CCD_GAIN", |_| Vec::new());
    refused(gain(LIMIT), ErrorKind::Device(0), "ignored");
    server.on("CCD_GAIN", |_| vec![Act::from(xml::numbers("Camera", "CCD_GAIN", "Ok", &[("GAIN", 64.0)]))]);
    // Taken in the driver's own way.
    gain(LIMIT).unwrap();
    server.on("CCD_GAIN", |_| vec![Act::from(xml::numbers("Camera", "CCD_GAIN", "Busy", &[("GAIN", 64.0)]))]);
    assert_eq!(gain(LIMIT).unwrap().state, State::Busy);
    server.on("CCD_GAIN", |_| Vec::new());
    server.on("getProperties", |_| Vec::new());
    refused(gain(Duration::from_millis(300)), ErrorKind::Timeout, "CCD_GAIN");
}

#[test]
fn each_change_is_told_to_who_watches_it() {
    let (server, _indi, properties) = start();
    let gains = properties.watch(&"*.CCD_GAIN".parse().unwrap());
    let states: Vec<String> =
        ["Busy", "Alert", "Ok"].map(|state| xml::numbers("Camera", "CCD_GAIN", state, &[])).into();
    server.send(states.concat() + &xml::numbers("Camera", "CCD_OFFSET", "Ok", &[]) + &xml::delete("Camera", None));
    for wanted in [State::Busy, State::Alert, State::Ok] {
        assert!(matches!(gains.next(LIMIT), Some(Change::Updated(property)) if property.state == wanted));
    }
    assert_eq!(gains.next(LIMIT), Some(Change::Deleted { device: "Camera".into(), property: None }));
    server.restart_driver(observatory::camera("Camera").connected());
    assert!(matches!(gains.next(LIMIT), Some(Change::Defined(property)) if property.name == "CCD_GAIN"));
    server.drop_clients();
    assert!(matches!(gains.next(LIMIT), Some(Change::Lost(why)) if why.kind() == ErrorKind::Unreachable));
    assert!(matches!(gains.next(LIMIT), Some(Change::Defined(_))), "everything is told again");
}

#[test]
fn every_property_is_an_action_away() {
    let (_server, indi, _properties) = start();
    let camera = indi.device(&DeviceId::new(DeviceKind::Camera, "Camera")).unwrap();
    let AnyDevice::Camera(camera) = camera else { panic!("no camera") };
    let act = |name: &str, parameters: &str| camera.action(name, parameters);
    assert_eq!(camera.actions().unwrap(), ["indi:list", "indi:get", "indi:set"]);
    assert_eq!(act("indi:get", "CCD_GAIN.GAIN").unwrap(), "100");
    assert_eq!(act("indi:get", "CCD_GAIN._PERM").unwrap(), "rw");
    assert_eq!(act("INDI:Set", "CCD_GAIN.GAIN=55.5").unwrap(), "Ok");
    assert_eq!(act("indi:list", "CCD_GAIN").unwrap(), "CCD_GAIN.GAIN=55.5");
    assert_eq!(act("indi:set", "CCD_BINNING.HOR_BIN;VER_BIN=2;3").unwrap(), "Ok");
    assert!(act("indi:list", "").unwrap().contains("\nCCD_BINNING.VER_BIN=3\n"));
    refused(act("indi:get", "CCD_GAIN"), ErrorKind::InvalidValue, "PROPERTY.ELEMENT");
    refused(act("indi:get", "CCD_GAIN.X"), ErrorKind::NotFound, "Camera: CCD_GAIN has no element");
    refused(act("indi:set", "CCD_GAIN.GAIN"), ErrorKind::InvalidValue, "VALUE");
    refused(act("indi:set", "CCD_GAIN.GAIN=1e9"), ErrorKind::InvalidValue, "600");
    refused(act("indi:got", ""), ErrorKind::UnknownAction, "indi:got");
}
