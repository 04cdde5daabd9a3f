//! Odd messages in an order that nobody expects.

use super::*;
use astrobackend::event::Level;
use testing::fake_indi::{Device, Property, hostile, observatory, xml};

#[test]
fn sets_before_definitions_are_survived() {
    let early = xml::numbers("Focuser", "ABS_FOCUS_POSITION", "Busy", &[("FOCUS_ABSOLUTE_POSITION", 7.0)]);
    let lab =
        Lab::with(FakeIndi::builder().device(observatory::focuser("Focuser")).greeting([early.into()]), "timeout=2");
    let state = lab.focuser().state().unwrap();
    assert_eq!((state.position, state.moving), (Some(30_000), false));
}

#[test]
fn a_device_that_is_defined_late_appears() {
    let lab = Lab::new();
    let events = lab.backend.events();
    lab.server.restart_driver(observatory::focuser("Second"));
    event(&events, |event| matches!(&event.kind, EventKind::Added(info) if info.id.name == "Second"));
    assert_eq!(lab.backend.devices().unwrap().len(), 5);
}

#[test]
fn connect_waits_for_what_is_defined_later() {
    let lab = Lab::new();
    let definition = observatory::camera("Camera").connected().definitions(None);
    let answer = |command: &Command| {
        let name = Some(command.name.as_str()).filter(|name| !name.is_empty());
        vec![observatory::camera("Camera").connected().definitions(name).into()]
    };
    assert_eq!(lab.backend.devices().unwrap().len(), 4);
    lab.server.on("getProperties", answer);
    lab.server.on("CONNECTION", move |_| {
        let on = [("CONNECT", "On"), ("DISCONNECT", "Off")];
        let connected = xml::set(testing::fake_indi::Kind::Switch, "Camera", "CONNECTION", "Ok", &on);
        vec![connected.into(), Act::Wait(Duration::from_millis(500)), definition.as_str().into()]
    });
    let camera = lab.camera();
    assert_eq!(camera.caps().unwrap().sensor.width, 32);
}

#[test]
fn the_end_of_an_answer_to_somebody_else_is_not_the_whole_device() {
    let focuser = observatory::focuser("Focuser");
    let end: String = focuser.properties[1..2].iter().map(|property| property.def_xml("Focuser")).collect();
    let whole = focuser.definitions(None);
    let lab = Lab::with(
        FakeIndi::builder().device(focuser).on("getProperties", move |command| match command.device.as_str() {
            "" => vec![end.as_str().into(), Act::Wait(Duration::from_millis(100)), whole.as_str().into()],
            _ => vec![observatory::focuser("Focuser").connected().definitions(Some(&command.name)).into()],
        }),
        "timeout=2",
    );
    let id = astrobackend::device::DeviceId::new(astrobackend::device::DeviceKind::Focuser, "Focuser");
    lab.backend.device(&id).unwrap().device().connect().unwrap();
    assert_eq!(lab.heard(|command| command.sets("Focuser", "CONNECTION")).switched_on(), Some("CONNECT"));
}

#[test]
fn a_redefinition_counts() {
    let lab = Lab::with(FakeIndi::builder().device(observatory::focuser("Focuser").without("FOCUS_MAX")), "timeout=2");
    let focuser = lab.focuser();
    let range = [("FOCUS_ABSOLUTE_POSITION", 100.0, 0.0..=200.0)];
    lab.server.send(Property::number("ABS_FOCUS_POSITION", range).def_xml("Focuser"));
    eventually("the new definition", || focuser.state().unwrap().position == Some(100));
    assert_eq!(failure(focuser.start_move(201)), ErrorKind::InvalidValue);
}

#[test]
fn limits_in_a_report_count() {
    let lab = Lab::with(FakeIndi::builder().device(observatory::focuser("Focuser").without("FOCUS_MAX")), "timeout=2");
    let focuser = lab.focuser();
    lab.server.send(
        "<setNumberVector device='Focuser' name='ABS_FOCUS_POSITION' state='Ok'>\
         <oneNumber name='FOCUS_ABSOLUTE_POSITION' min='0' max='200' step='2'>100</oneNumber></setNumberVector>",
    );
    eventually("the report", || focuser.state().unwrap().position == Some(100));
    assert_eq!(failure(focuser.start_move(201)), ErrorKind::InvalidValue);
}

#[test]
fn deleted_properties_and_devices_are_gone() {
    let lab = Lab::new();
    let (focuser, wheel) = (lab.focuser(), lab.filter_wheel());
    lab.server.send(xml::delete("Wheel", Some("FILTER_NAME")));
    eventually("the names are gone", || wheel.filters().is_ok_and(|filters| filters.iter().all(|f| f.name != "Ha")));
    assert_eq!(wheel.filters().unwrap().len(), 3);
    lab.server.send(xml::delete("Focuser", Some("ABS_FOCUS_POSITION")));
    eventually("its position is unknown", || focuser.state().unwrap().position.is_none());
    lab.server.send(xml::delete("Focuser", Some("REL_FOCUS_POSITION")));
    eventually("the focuser cannot be used", || focuser.state().is_err());
    lab.server.send(xml::delete("Focuser", None));
    eventually("the focuser is gone", || lab.backend.devices().unwrap().len() == 3);
}

#[test]
fn strange_bytes_are_survived() {
    let lab = Lab::new();
    let events = lab.backend.events();
    let focuser = lab.focuser();
    lab.server.send(b"<message device='Focuser' message='[WARNING] 12 \xB0C und Gr\xF6\xDFe'/>".as_slice());
    let said = event(&events, |event| matches!(&event.kind, EventKind::Message(Level::Warning, _)));
    let EventKind::Message(_, text) = said.kind else { unreachable!() };
    assert!(text.starts_with("12 ") && text.contains("und Gr"), "{text:?}");
    lab.server.send("<message device='Focuser' message='[WARNING] a &#228; &unknown; &lt;b&gt; &'/>");
    event(&events, |event| matches!(&event.kind, EventKind::Message(_, text) if text.contains("<b>")));
    lab.server
        .send(b"\0\0<setNumberVector device='Focuser' \0 name='ABS_FOCUS_POSITION'>\0</setNumberVector>\0".as_slice());
    lab.server.send(hostile::garbage(100_000));
    // A quote that the garbage left open swallows some of what follows, but not for long.
    eventually("what follows is understood", || {
        lab.server.send(xml::numbers("Focuser", "ABS_FOCUS_POSITION", "Ok", &[("FOCUS_ABSOLUTE_POSITION", 1234.0)]));
        focuser.state().is_ok_and(|state| state.position == Some(1234))
    });
    assert_eq!(lab.server.connections(), 1, "garbage costs no connection");
}

#[test]
fn attributes_may_be_missing() {
    let lab = Lab::new();
    let focuser = lab.focuser();
    lab.server.send(
        "<defNumberVector device='Bare' name='ABS_FOCUS_POSITION'><defNumber name='FOCUS_ABSOLUTE_POSITION'/></defNumberVector>\
         <defNumberVector><defNumber/></defNumberVector><setTextVector/><message/><delProperty/>\
         <unknownVector device='x'><one/></unknownVector><oneNumber name='x'>1</oneNumber>\
         <setNumberVector device='Focuser' name='ABS_FOCUS_POSITION'><oneNumber>5</oneNumber></setNumberVector>\
         <setNumberVector device='Focuser' name='ABS_FOCUS_POSITION'><oneNumber name='FOCUS_ABSOLUTE_POSITION'>x</oneNumber></setNumberVector>",
    );
    eventually("the new device", || lab.backend.devices().unwrap().len() == 5);
    assert_eq!(focuser.state().unwrap().position, Some(30_000));
    lab.server.send(xml::numbers("Focuser", "ABS_FOCUS_POSITION", "Ok", &[("FOCUS_ABSOLUTE_POSITION", 5.0)]));
    eventually("what follows", || focuser.state().unwrap().position == Some(5));
}

#[test]
fn a_message_without_a_device_is_of_the_server() {
    let lab = Lab::new();
    let events = lab.backend.events();
    lab.server.send("<message message='[ERROR] the server is tired'/>");
    let said = event(&events, |event| matches!(&event.kind, EventKind::Message(Level::Error, _)));
    assert_eq!(said.device, None);
    assert!(matches!(said.kind, EventKind::Message(_, text) if text == "the server is tired"));
}

#[test]
fn a_message_may_be_cut_off_and_another_follow() {
    let lab = Lab::new();
    let focuser = lab.focuser();
    let at = |place: i32| {
        xml::numbers("Focuser", "ABS_FOCUS_POSITION", "Ok", &[("FOCUS_ABSOLUTE_POSITION", f64::from(place))])
    };
    let whole = at(1);
    for (cut, expected) in (0..whole.len()).zip(1000..) {
        let torn = &whole[..cut];
        lab.server.send(torn);
        // Cut within quotes it takes others with it, but not for long.
        eventually(torn, || {
            lab.server.send(at(expected).repeat(100));
            focuser.state().unwrap().position == Some(expected)
        });
    }
}

#[test]
fn names_with_every_special_character() {
    let name = "It's a <\"camera\"> & more";
    let device = Device { name: name.into(), ..observatory::filter_wheel(name) };
    let lab = Lab::with(FakeIndi::builder().device(device), "timeout=2");
    let wheel = lab.filter_wheel();
    assert_eq!(wheel.info().id.name, name);
    wheel.start_move(1).unwrap();
    assert_eq!(lab.heard(|command| command.name == "FILTER_SLOT").device, name);
}
