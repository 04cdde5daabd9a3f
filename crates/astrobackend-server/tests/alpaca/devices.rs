//! ASCOM's rules for each kind of device, over the simulator (what ConformU checks).

use crate::client::{Device, device, options, served, simulator};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const UNSUPPORTED: u64 = 0x400;
const INVALID: u64 = 0x401;
const NOT_SET: u64 = 0x402;
const NOT_CONNECTED: u64 = 0x407;
const PARKED: u64 = 0x408;
const INVALID_OPERATION: u64 = 0x40B;
const UNKNOWN_ACTION: u64 = 0x40C;

fn state_names(device: &Device) -> Vec<String> {
    let states = device.value("devicestate");
    states.as_array().unwrap().iter().map(|state| state["Name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn connecting_is_seen_by_everybody() {
    let server = simulator();
    for kind in ["camera", "filterwheel", "focuser", "telescope"] {
        let device = device(&server, kind);
        assert_eq!(device.value("interfaceversion"), if kind == "filterwheel" { 3 } else { 4 });
        device.done("connected", "Connected=False");
        assert!(!device.is("connected"));
        assert_eq!(device.ask("devicestate"), Err(NOT_CONNECTED));
        assert!(device.value("description").as_str().unwrap().len() <= 68);
        device.done("connect", "");
        device.until("connecting", false);
        assert!(device.is("connected"));
        device.done("disconnect", "");
        device.until("connecting", false);
        assert!(!device.is("connected"));
        device.done("connected", "Connected=True");
        assert!(device.is("connected"));
        for text in ["name", "driverinfo", "driverversion"] {
            assert!(!device.value(text).as_str().unwrap().is_empty());
        }
    }
    server.stop();
}

#[test]
fn a_camera_exposes_as_ascom_has_it() {
    let server = simulator();
    let camera = device(&server, "camera");
    for before in ["lastexposureduration", "lastexposurestarttime", "imagearray", "imagearrayvariant"] {
        assert_eq!(camera.ask(before), Err(INVALID_OPERATION), "{before}");
    }
    assert!(!camera.is("imageready"));
    for wrong in ["Duration=-1&Light=True", "Duration=1e9&Light=True", "Duration=1&Light=True&FrameType=flut"] {
        assert_eq!(camera.tell("startexposure", wrong), Err(INVALID), "{wrong}");
    }
    camera.done("startexposure", "Duration=20&Light=True");
    assert_eq!(camera.value("camerastate"), 2);
    assert!(!camera.is("imageready"));
    assert_eq!(camera.ask("imagearray"), Err(INVALID_OPERATION));
    assert_eq!(camera.tell("startexposure", "Duration=1&Light=True"), Err(INVALID_OPERATION));
    let percent = camera.number("percentcompleted");
    assert!((0.0..=100.0).contains(&percent), "{percent}");
    camera.until("imageready", true);
    assert_eq!(camera.value("camerastate"), 0);
    assert!((camera.number("lastexposureduration") - 20.0).abs() < 0.4);
    let start = camera.value("lastexposurestarttime");
    assert!(start.as_str().unwrap().len() == 23 && start.as_str().unwrap().starts_with("2026-01-15T"), "{start}");
    camera.done("startexposure", "Duration=1000&Light=False");
    assert!(!camera.is("imageready"), "the picture before is gone");
    camera.done("abortexposure", "");
    assert_eq!(camera.value("camerastate"), 0);
    assert!(!camera.is("imageready"));
    camera.done("abortexposure", "");
    camera.done("stopexposure", "");
    camera.done("startexposure", "Duration=1000&Light=False");
    camera.done("stopexposure", "");
    camera.until("imageready", true);
    assert!(camera.number("lastexposureduration") < 1000.0);
    server.stop();
}

#[test]
fn a_region_is_set_in_any_order_and_judged_at_the_start() {
    let server = simulator();
    let camera = device(&server, "camera");
    let frame = || ["startx", "starty", "numx", "numy", "binx", "biny"].map(|name| camera.number(name));
    assert_eq!(frame(), [0.0, 0.0, 1280.0, 1024.0, 1.0, 1.0]);
    for wrong in ["BinX=0", "BinX=-1", "BinX=99"] {
        assert_eq!(camera.tell("binx", wrong), Err(INVALID), "{wrong}");
    }
    assert!(!camera.is("canasymmetricbin"));
    camera.done("binx", "BinX=2");
    assert_eq!(frame(), [0.0, 0.0, 640.0, 512.0, 2.0, 2.0], "binning keeps the part of the sensor");
    camera.done("binx", "BinX=1");
    assert_eq!(frame(), [0.0, 0.0, 1280.0, 1024.0, 1.0, 1.0]);
    camera.done("startx", "StartX=1200");
    camera.done("numx", "NumX=70");
    camera.done("numy", "NumY=-5");
    assert_eq!(camera.tell("startexposure", "Duration=0.1&Light=True"), Err(INVALID));
    camera.done("numy", "NumY=100");
    camera.done("startexposure", "Duration=0.1&Light=True");
    assert_eq!(frame(), [1200.0, 0.0, 70.0, 100.0, 1.0, 1.0]);
    camera.until("imageready", true);
    camera.done("startx", "StartX=1211");
    assert_eq!(camera.tell("startexposure", "Duration=0.1&Light=True"), Err(INVALID));
    server.stop();
}

#[test]
fn a_camera_has_settings_of_one_mode_each() {
    let server = simulator();
    let camera = device(&server, "camera");
    for (name, key) in [("gain", "Gain"), ("offset", "Offset")] {
        let (min, max) = (camera.number(&format!("{name}min")), camera.number(&format!("{name}max")));
        assert_eq!(camera.ask(&format!("{name}s")), Err(UNSUPPORTED));
        camera.done(name, &format!("{key}={max}"));
        assert_eq!(camera.number(name), max);
        for wrong in [min - 1.0, max + 1.0] {
            assert_eq!(camera.tell(name, &format!("{key}={wrong}")), Err(INVALID));
        }
    }
    assert!(camera.is("canfastreadout"));
    camera.done("fastreadout", "FastReadout=true");
    assert!(camera.is("fastreadout"));
    assert_eq!(camera.value("readoutmodes").as_array().unwrap().len(), 2);
    camera.done("readoutmode", "ReadoutMode=1");
    assert_eq!(camera.value("readoutmode"), 1);
    assert_eq!(camera.tell("readoutmode", "ReadoutMode=2"), Err(INVALID));
    assert_eq!(camera.ask("subexposureduration"), Err(UNSUPPORTED));
    assert_eq!(camera.ask("bayeroffsetx"), Err(UNSUPPORTED), "a monochrome camera");
    assert_eq!(camera.tell("pulseguide", "Direction=0&Duration=10"), Err(UNSUPPORTED));
    assert!(!camera.is("canpulseguide") && camera.ask("ispulseguiding") == Err(UNSUPPORTED));
    assert!(camera.number("maxadu") > 0.0 && camera.number("exposureresolution") > 0.0);
    server.stop();
    let colour = served("sim://?camera=osc&sensor=imx533", options());
    let camera = device(&colour, "camera");
    assert_eq!(camera.value("sensortype"), 2);
    assert!(camera.ask("bayeroffsetx").is_ok() && camera.ask("bayeroffsety").is_ok());
    colour.stop();
}

#[test]
fn a_cooler_remembers_what_it_is_to_reach() {
    let server = served("sim://?speed=100&sensor=imx533", options());
    let camera = device(&server, "camera");
    assert!(camera.is("cansetccdtemperature"));
    for wrong in ["-273.25", "100", "-300", "1000"] {
        assert_eq!(camera.tell("setccdtemperature", &format!("SetCCDTemperature={wrong}")), Err(INVALID));
    }
    camera.done("setccdtemperature", "SetCCDTemperature=-7.5");
    assert!(!camera.is("cooleron"), "setting the temperature does not switch it on");
    assert_eq!(camera.number("setccdtemperature"), -7.5);
    camera.done("cooleron", "CoolerOn=True");
    assert!(camera.is("cooleron"));
    assert_eq!(camera.number("setccdtemperature"), -7.5);
    camera.done("setccdtemperature", "SetCCDTemperature=-5");
    camera.done("cooleron", "CoolerOn=False");
    camera.done("cooleron", "CoolerOn=True");
    assert_eq!(camera.number("setccdtemperature"), -5.0);
    assert!((0.0..=100.0).contains(&camera.number("coolerpower")));
    let names = state_names(&camera);
    for name in ["CameraState", "CCDTemperature", "CoolerPower", "ImageReady", "PercentCompleted", "TimeStamp"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    server.stop();
}

#[test]
fn a_filter_wheel_turns_and_says_so() {
    let server = served("sim://?speed=3", options());
    let wheel = device(&server, "filterwheel");
    let names = wheel.value("names");
    let places = names.as_array().unwrap().len();
    assert_eq!(wheel.value("focusoffsets").as_array().unwrap().len(), places);
    assert!(names.as_array().unwrap().iter().all(|name| !name.as_str().unwrap().is_empty()));
    for wrong in [-1, places as i64] {
        assert_eq!(wheel.tell("position", &format!("Position={wrong}")), Err(INVALID));
    }
    wheel.done("position", "Position=3");
    assert_eq!(wheel.value("position"), -1);
    let begun = Instant::now();
    while wheel.value("position") != 3 {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    assert_eq!(state_names(&wheel), ["Position", "TimeStamp"]);
    server.stop();
}

#[test]
fn a_focuser_moves_within_its_range() {
    let server = served("sim://?speed=20", options());
    let focuser = device(&server, "focuser");
    let max = focuser.number("maxstep");
    assert!(focuser.is("absolute") && !focuser.is("ismoving"));
    assert!((1.0..=max).contains(&focuser.number("maxincrement")));
    for wrong in [-10.0, max + 10.0] {
        assert_eq!(focuser.tell("move", &format!("Position={wrong}")), Err(INVALID));
    }
    focuser.done("move", &format!("Position={max}"));
    assert!(focuser.is("ismoving"), "seen before the call returns");
    focuser.done("halt", "");
    assert!(!focuser.is("ismoving"));
    focuser.done("tempcomp", "TempComp=True");
    assert!(focuser.is("tempcompavailable") && focuser.is("tempcomp"));
    focuser.done("tempcomp", "TempComp=False");
    focuser.done("move", "Position=100");
    focuser.until("ismoving", false);
    assert_eq!(focuser.number("position"), 100.0);
    assert!(focuser.number("stepsize") > 0.0);
    assert_eq!(state_names(&focuser), ["IsMoving", "Position", "Temperature", "TimeStamp"]);
    server.stop();
}

/// A place a bit east of the meridian.
fn place(mount: &Device) -> (f64, f64) {
    ((mount.number("siderealtime") + 1.0) % 24.0, 20.0)
}

#[test]
fn a_mount_slews_and_knows_its_target() {
    let server = simulator();
    let mount = device(&server, "telescope");
    assert_eq!(mount.ask("targetdeclination"), Err(NOT_SET));
    assert_eq!(mount.ask("targetrightascension"), Err(NOT_SET));
    assert_eq!(mount.tell("slewtotargetasync", ""), Err(NOT_SET));
    for wrong in
        ["RightAscension=24&Declination=0", "RightAscension=-1&Declination=0", "RightAscension=1&Declination=91"]
    {
        for member in ["slewtocoordinatesasync", "slewtocoordinates", "synctocoordinates"] {
            assert_eq!(mount.tell(member, wrong), Err(INVALID), "{member} {wrong}");
        }
    }
    assert_eq!(mount.tell("targetdeclination", "TargetDeclination=-91"), Err(INVALID));
    assert_eq!(mount.tell("targetrightascension", "TargetRightAscension=25"), Err(INVALID));
    assert_eq!(mount.value("canslew"), mount.value("canslewasync"));
    mount.done("tracking", "Tracking=False");
    let (ra, dec) = place(&mount);
    let form = format!("RightAscension={ra}&Declination={dec}");
    assert_eq!(mount.tell("slewtocoordinatesasync", &form), Err(INVALID_OPERATION));
    mount.done("tracking", "Tracking=True");
    mount.done("slewtocoordinatesasync", &form);
    assert!(mount.is("slewing"));
    assert_eq!((mount.number("targetrightascension"), mount.number("targetdeclination")), (ra, dec));
    mount.until("slewing", false);
    assert!((mount.number("rightascension") - ra).abs() < 0.001 && (mount.number("declination") - dec).abs() < 0.003);
    assert_eq!(mount.value("sideofpier"), 1, "east of the meridian it looks from the west side");
    let west = format!("?RightAscension={}&Declination=20", (ra + 22.0) % 24.0);
    assert_eq!(mount.value(&format!("destinationsideofpier{west}")), 0);
    // The slews of old answer when the mount is there.
    mount.done("targetdeclination", "TargetDeclination=30");
    mount.done("slewtotarget", "");
    assert!(!mount.is("slewing"));
    mount.done("slewtoaltazasync", "Azimuth=120&Altitude=50");
    mount.done("abortslew", "");
    assert!(!mount.is("slewing"));
    mount.done("synctocoordinates", &form);
    assert_eq!(mount.number("targetrightascension"), ra);
    server.stop();
}

#[test]
fn a_parked_mount_stays_where_it_is() {
    let server = simulator();
    let mount = device(&server, "telescope");
    mount.done("targetdeclination", "TargetDeclination=30");
    mount.done("targetrightascension", "TargetRightAscension=5");
    mount.done("park", "");
    mount.until("atpark", true);
    mount.done("park", "");
    let place = "RightAscension=5&Declination=20";
    for (member, form) in [
        ("abortslew", ""),
        ("findhome", ""),
        ("moveaxis", "Axis=0&Rate=1"),
        ("pulseguide", "Direction=0&Duration=10"),
        ("slewtocoordinates", place),
        ("slewtocoordinatesasync", place),
        ("slewtotarget", ""),
        ("slewtotargetasync", ""),
        ("slewtoaltaz", "Azimuth=120&Altitude=50"),
        ("slewtoaltazasync", "Azimuth=120&Altitude=50"),
        ("synctocoordinates", place),
        ("synctotarget", ""),
        ("synctoaltaz", "Azimuth=120&Altitude=50"),
        ("sideofpier", "SideOfPier=1"),
        ("tracking", "Tracking=True"),
    ] {
        assert_eq!(mount.tell(member, form), Err(PARKED), "{member}");
    }
    mount.done("unpark", "");
    mount.done("unpark", "");
    mount.until("atpark", false);
    mount.done("findhome", "");
    mount.until("slewing", false);
    assert!(mount.is("athome"));
    server.stop();
}

#[test]
fn a_mount_follows_the_sky_as_told() {
    let server = simulator();
    let mount = device(&server, "telescope");
    assert_eq!(mount.value("trackingrates"), json!([0, 1, 2, 3]));
    for wrong in [-1, 5] {
        assert_eq!(mount.tell("trackingrate", &format!("TrackingRate={wrong}")), Err(INVALID));
    }
    mount.done("rightascensionrate", "RightAscensionRate=0.5");
    assert_eq!(mount.number("rightascensionrate"), 0.5);
    mount.done("declinationrate", "DeclinationRate=-1.25");
    assert_eq!(mount.number("declinationrate"), -1.25);
    mount.done("trackingrate", "TrackingRate=1");
    assert_eq!(mount.value("trackingrate"), 1);
    assert_eq!(mount.number("rightascensionrate"), 0.0);
    assert_eq!(mount.tell("rightascensionrate", "RightAscensionRate=1"), Err(INVALID_OPERATION));
    mount.done("trackingrate", "TrackingRate=0");
    let rates = mount.value("axisrates?Axis=0");
    assert_eq!(rates[0]["Maximum"], 8.0);
    assert_eq!(mount.ask("axisrates?Axis=3"), Err(INVALID));
    assert_eq!(mount.value("canmoveaxis?Axis=2"), false);
    assert_eq!(mount.tell("moveaxis", "Axis=2&Rate=1"), Err(UNSUPPORTED));
    assert_eq!(mount.tell("moveaxis", "Axis=-1&Rate=1"), Err(INVALID));
    assert_eq!(mount.tell("moveaxis", "Axis=0&Rate=-8.1"), Err(INVALID));
    mount.done("moveaxis", "Axis=0&Rate=-2");
    assert!(mount.is("slewing"));
    mount.done("moveaxis", "Axis=0&Rate=0");
    assert!(!mount.is("slewing") && mount.is("tracking"));
    assert_eq!(mount.tell("pulseguide", "Direction=4&Duration=10"), Err(INVALID));
    assert_eq!(mount.tell("pulseguide", "Direction=0&Duration=-1"), Err(INVALID));
    mount.done("pulseguide", "Direction=0&Duration=5000");
    assert!(mount.is("ispulseguiding"));
    assert_eq!(mount.tell("guideratedeclination", "GuideRateDeclination=-1"), Err(INVALID));
    mount.done("guideratedeclination", "GuideRateDeclination=0.003");
    assert_eq!(mount.number("guideratedeclination"), 0.003);
    server.stop();
}

#[test]
fn a_mount_is_told_place_and_time() {
    let server = simulator();
    let mount = device(&server, "telescope");
    for (member, key, wrong, right) in [
        ("sitelatitude", "SiteLatitude", [-91.0, 91.0], 48.25),
        ("sitelongitude", "SiteLongitude", [-181.0, 181.0], -16.5),
        ("siteelevation", "SiteElevation", [-301.0, 10_001.0], 2168.5),
    ] {
        for wrong in wrong {
            assert_eq!(mount.tell(member, &format!("{key}={wrong}")), Err(INVALID), "{member} {wrong}");
        }
        mount.done(member, &format!("{key}={right}"));
        assert_eq!(mount.number(member), right);
    }
    let utc = mount.value("utcdate");
    let utc = utc.as_str().unwrap();
    assert!(utc.len() == 28 && utc.ends_with('Z'), "{utc}");
    mount.done("utcdate", "UTCDate=2027-02-03T04%3A05%3A06.5");
    assert!(mount.value("utcdate").as_str().unwrap().starts_with("2027-02-03T04:0"));
    mount.done("slewsettletime", "SlewSettleTime=2");
    assert_eq!(mount.value("slewsettletime"), 2);
    assert_eq!(mount.tell("slewsettletime", "SlewSettleTime=-1"), Err(INVALID));
    assert_eq!(mount.ask("doesrefraction"), Err(UNSUPPORTED));
    assert_eq!(mount.value("equatorialsystem"), 1);
    let names = state_names(&mount);
    assert_eq!(names.len(), 13, "{names:?}");
    server.stop();
}

#[test]
fn actions_carry_what_ascom_does_not() {
    let server = simulator();
    let (camera, focuser, wheel) =
        (device(&server, "camera"), device(&server, "focuser"), device(&server, "filterwheel"));
    let act = |device: &Device, action: &str, parameters: &str| {
        device.tell("action", &format!("Action={action}&Parameters={parameters}"))
    };
    let told =
        |answer: Result<Value, u64>| -> Value { serde_json::from_str(answer.unwrap().as_str().unwrap()).unwrap() };
    let actions = camera.value("supportedactions");
    assert!(actions.as_array().unwrap().contains(&"astrobackend:picture-meta".into()));
    assert_eq!(act(&camera, "no:such", ""), Err(UNKNOWN_ACTION));
    assert_eq!(act(&focuser, "astrobackend:picture-meta", ""), Err(UNKNOWN_ACTION));
    assert_eq!(told(act(&camera, "ASTROBACKEND:Describe", ""))["bits_per_pixel"], 16);
    let settings = told(act(&camera, "astrobackend:settings", ""));
    assert!(settings.as_array().unwrap().iter().any(|setting| setting["name"] == "usb-bandwidth"), "{settings}");
    assert!(act(&camera, "astrobackend:set-setting", "usb-bandwidth%3D60").is_ok());
    assert_eq!(told(act(&camera, "astrobackend:setting", "usb-bandwidth")), 60.0);
    assert_eq!(act(&camera, "astrobackend:set-setting", "usb-bandwidth"), Err(INVALID));
    assert_eq!(act(&camera, "astrobackend:picture-meta", ""), Err(INVALID_OPERATION));
    camera.done("startexposure", "Duration=0.5&Light=True&FrameType=flat");
    camera.until("imageready", true);
    let meta = told(act(&camera, "astrobackend:picture-meta", ""));
    assert_eq!((&meta["frame_type"], &meta["exposure"]), (&"flat".into(), &0.5.into()));
    assert!(act(&focuser, "astrobackend:sync-position", "1234").is_ok());
    assert_eq!(focuser.value("position"), 1234);
    assert_eq!(act(&wheel, "astrobackend:set-names", "nonsense"), Err(INVALID));
    for command in ["commandblind", "commandbool", "commandstring"] {
        assert_eq!(camera.tell(command, "Command=x&Raw=false"), Err(UNSUPPORTED));
    }
    server.stop();
}
