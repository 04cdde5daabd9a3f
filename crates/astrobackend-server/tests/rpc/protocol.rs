//! The original's protocol, method by method.

use crate::{client::Client, observatory, serve};
use serde_json::{Value, json};
use std::{thread, time::Duration};

#[test]
fn every_getter_of_the_original_answers_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let mut client = Client::new(server.address());
    for (method, key) in [
        ("get_camera_x_pixelsize", "camera_x_pixelsize"),
        ("get_camera_y_pixelsize", "camera_y_pixelsize"),
        ("get_camera_egain", "camera_egain"),
        ("get_current_temperature", "current_temperature"),
        ("get_target_temperature", "target_temperature"),
        ("get_cooler_power", "cooler_power"),
        ("mount_get_radec", "ra"),
        ("mount_get_radec", "dec"),
        ("mount_get_altaz", "alt"),
        ("mount_get_altaz", "az"),
        ("focuser_get_current_temperature", "current_temperature"),
    ] {
        let result = client.result(method, "");
        assert!(result[key].is_f64() || result[key].is_null(), "{method}: {result}");
    }
    for (method, key) in [
        ("get_camera_max_binning", "camera_max_binning"),
        ("get_max_binning", "max_binning"),
        ("get_camera_gain", "camera_gain"),
        ("focuser_get_absolute_position", "absolute_position"),
        ("focuser_get_max_absolute_position", "max_absolute_position"),
        ("filterwheel_get_position", "filter_position"),
    ] {
        let result = client.result(method, "");
        assert!(result[key].is_i64(), "{method}: {result}");
    }
    for (method, key) in [
        ("get_cooler_state", "cooler_state"),
        ("focuser_is_moving", "is_moving"),
        ("mount_can_park", "can_park"),
        ("mount_at_park", "at_park"),
        ("mount_is_slewing", "is_slewing"),
        ("mount_get_tracking", "tracking"),
    ] {
        let result = client.result(method, "");
        assert!(result[key].is_boolean(), "{method}: {result}");
    }
    assert_eq!(client.result("filterwheel_get_filter_names", "")["filter_names"][4], "Ha");
    let info = client.result("get_camera_info", "");
    for key in [
        "binning",
        "framesize",
        "pixelsize",
        "egain",
        "camera_gain",
        "camera_offset",
        "camera_usbbandwidth",
        "camera_current_temperature",
        "camera_target_temperature",
        "cooler_state",
        "cooler_power",
        "roi",
    ] {
        assert!(info.get(key).is_some(), "{key}: {info}");
    }
    assert_eq!((&info["binning"], &info["framesize"]), (&json!([1, 1]), &json!([1280, 1024])));
}

#[test]
fn the_four_connections_of_the_original_move_everything() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let (mut camera, mut focuser, mut wheel, mut mount) = (
        Client::new(server.address()),
        Client::new(server.address()),
        Client::new(server.address()),
        Client::new(server.address()),
    );
    // The original's client looks for something to send twice a second.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(camera.result("set_target_temperature", r#"{"target_temperature": -5}"#), json!({ "complete": true }));
    assert_eq!(camera.result("get_target_temperature", "").to_string(), r#"{"target_temperature":-5.0}"#);
    assert_eq!(camera.result("set_cooler_state", r#"{"cooler_state": false}"#), json!({ "complete": true }));
    assert_eq!(camera.error("set_cooler_state", r#"{"cooler_state": 1}"#).0, -32600);
    assert_eq!(camera.error("set_target_temperature", "{}").0, -32600);
    focuser.result("focuser_move_absolute_position", r#"{"absolute_position": 20000.0}"#);
    focuser.until("focuser_is_moving", |result| result["is_moving"] == false);
    assert_eq!(focuser.result("focuser_get_absolute_position", ""), json!({ "absolute_position": 20_000 }));
    assert_eq!(focuser.result("focuser_stop", "{}"), json!({ "stop": true }));
    assert_eq!(focuser.error("focuser_move_absolute_position", r#"{"absolute_position": 1.5}"#).0, -32600);
    wheel.result("filterwheel_move_position", r#"{"filter_position": "3"}"#);
    wheel.until("filterwheel_get_position", |result| result["filter_position"] == 3);
    assert_eq!(wheel.error("filterwheel_move_position", r#"{"filter_position": 99}"#).0, -32600);
    assert_eq!(wheel.error("filterwheel_move_position", "").0, -32600);
    mount.result("mount_slew_radec", r#"{"ra": 5.5, "dec": 60}"#);
    mount.until("mount_is_slewing", |result| result["is_slewing"] == false);
    let place = mount.result("mount_get_radec", "");
    assert!((place["ra"].as_f64().unwrap() - 5.5).abs() < 0.01, "{place}");
    assert_eq!(mount.error("mount_slew_radec", r#"{"ra": 30, "dec": 0}"#).0, -32600);
    mount.result("mount_park", "{}");
    mount.until("mount_at_park", |result| result["at_park"] == true);
    assert_eq!(mount.error("mount_slew_radec", r#"{"ra": 5.5, "dec": 60}"#).0, -1);
    mount.result("mount_unpark", "{}");
    mount.until("mount_at_park", |result| result["at_park"] == false);
    mount.result("mount_set_tracking", r#"{"tracking": true}"#);
    assert_eq!(mount.result("mount_get_tracking", ""), json!({ "tracking": true }));
}

#[test]
fn lines_are_whole_however_they_are_cut_and_ids_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let mut client = Client::new(server.address());
    client.send("{\"method\": \"mount_is_sl");
    thread::sleep(Duration::from_millis(100));
    client.send("ewing\", \"id\": \"one\"}\n{\"method\": \"focuser_is_moving\", \"id\": null}\r\n\n{\"method\"");
    assert_eq!(client.line()["id"], "one");
    let null = client.line();
    assert!(null["id"].is_null() && null["result"]["is_moving"] == false, "{null}");
    client.send(": \"x\", \"id\": [1]}\n42\n[1,2]\n{\"id\":5,\"foo\":1}\n{\"method\":\"mount_at_park\"}\n{{\n");
    for (code, id) in [
        (-32601, json!([1])),
        (-32600, json!("null")),
        (-32600, json!("null")),
        (-32600, json!(5)),
        (-32600, json!("null")),
        (-32700, json!("null")),
    ] {
        let answer = client.line();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{answer}");
    }
    client.result("mount_at_park", "");
}

#[test]
fn an_exposure_is_answered_when_it_has_ended_and_saved_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let mut client = Client::new(server.address());
    let save = r#"{"filename": "m42.fits"}"#;
    assert_eq!(client.error("save_image", save), (-1, "\"No image available!\"".into()));
    let exposure = r#"{"exposure": 5, "binning": 2, "roi": [100, 100, 200, 100]}"#;
    client.result("take_image", exposure);
    client.result("save_image", save);
    let (image, header) = astrobackend::fits::read(folder.path().join("m42.fits")).unwrap();
    assert_eq!((image.width(), image.height()), (200, 100));
    assert!(header.text("FILTER").is_some() && header.real("FOCUSPOS").is_some(), "{header:?}");
    assert_eq!(client.error("save_image", save).0, -1);
    client.result("save_image", r#"{"filename": "m42.fits", "overwrite": true}"#);
    let elsewhere = tempfile::tempdir().unwrap();
    for outside in ["../m42.fits", elsewhere.path().join("x.fits").to_str().unwrap(), "a/../../b.fits"] {
        let (code, message) = client.error("save_image", &json!({ "filename": outside }).to_string());
        assert!(code == -32600 && message.contains("not below"), "{message}");
    }
    // Without a region it is all of the sensor at the binning.
    client.result("take_image", r#"{"exposure": 0.1, "binning": 2, "roi": null, "frametype": "Dark"}"#);
    client.result("save_image", r#"{"filename": "dark.fits"}"#);
    assert_eq!(astrobackend::fits::read(folder.path().join("dark.fits")).unwrap().0.width(), 640);
}

#[test]
fn a_refused_or_aborted_exposure_leaves_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    let server = observatory(folder.path());
    let (mut client, mut other) = (Client::new(server.address()), Client::new(server.address()));
    let save = r#"{"filename": "a.fits"}"#;
    client.result("take_image", r#"{"exposure": 0.1}"#);
    assert_eq!(client.error("take_image", r#"{"exposure": 1, "binning": 1.5}"#).0, -32600);
    assert_eq!(client.error("save_image", save).0, -1);
    client.result("take_image", r#"{"exposure": 0.1}"#);
    let pending = client.request("take_image", r#"{"exposure": 3000, "roi": null}"#);
    other.until("get_exposure_progress", |result| result["exposure_state"] == "exposing");
    let (code, message) = other.error("take_image", r#"{"exposure": 1}"#);
    assert!(code == -1 && message.contains("Could not lock camera"), "{message}");
    assert_eq!(other.error("save_image", save).0, -1);
    // Other devices are not waited for.
    client.request("focuser_is_moving", "");
    assert_eq!(client.line()["id"], pending + 1);
    assert_eq!(other.result("abort_image", "{}"), json!({ "complete": true }));
    let aborted = client.line();
    assert_eq!((&aborted["id"], &aborted["error"]["code"]), (&json!(pending), &json!(-1)), "{aborted}");
    assert!(aborted["error"]["message"].as_str().unwrap().contains("abort"), "{aborted}");
    assert_eq!(client.error("save_image", save).0, -1);
    assert_eq!(other.result("abort_image", "{}"), json!({ "complete": true }));
    client.result("take_image", r#"{"exposure": 0.1}"#);
    client.result("save_image", save);
}

#[test]
fn a_device_that_is_not_connected_is_said_to_be_so() {
    let server = serve("sim://?speed=100", |options| options.connect = false);
    let mut client = Client::new(server.address());
    client.result("camera_disconnect", "{}");
    assert_eq!(client.error("get_camera_info", ""), (-1, "\"Camera not connected!\"".into()));
    assert_eq!(client.result("abort_image", "{}"), json!({ "complete": true }));
    client.result("camera_connect", "{}");
    assert!(client.result("get_camera_info", "").is_object());
    let unknown: (i64, Value) = {
        let answer = client.ask("no_such_method", "{}");
        (answer["error"]["code"].as_i64().unwrap(), answer["result"].clone())
    };
    assert_eq!(unknown, (-32601, Value::Null));
}
