//! Each verb does what it says, and answers in text and in JSON.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Done, SIM, bare, command, sim};
use std::{fs, path::Path};

fn here() -> &'static Path {
    Path::new(".")
}

#[test]
fn backends_are_listed_without_opening_any() {
    let list = bare(here(), &["--json", "backends"]).json();
    let names: Vec<_> =
        list["backends"].as_array().unwrap().iter().map(|backend| backend["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ASCOM", "ALPACA", "RPC", "INDI", "SIM"]);
    assert_eq!(list["backends"][4]["built_in"], true);
    let default = Done::new(command(here(), &["--json", "backends"]).env("PYASTROBACKEND", SIM).output().unwrap());
    assert_eq!(default.json()["default"], SIM);
    // For programs: tabs, no heading.
    let text = bare(here(), &["backends"]).ok().stdout;
    assert!(text.starts_with("ASCOM\tascom://\t"), "{text}");
}

#[test]
fn devices_are_those_of_the_default_backend() {
    let done = Done::new(command(here(), &["--json", "devices"]).env("PYASTROBACKEND", SIM).output().unwrap());
    let list = done.json();
    let kinds: Vec<_> =
        list["devices"].as_array().unwrap().iter().map(|device| device["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["camera", "filter_wheel", "focuser", "mount"]);
    assert_eq!(list["devices"][0]["connected"], false);
    let text = sim(here(), &["devices"]).ok().stdout;
    assert!(
        text.lines().any(|line| line.starts_with("mount\tMount Simulator\tnot connected\tsim:///Mount Simulator?")),
        "{text}"
    );
}

#[test]
fn info_tells_what_a_device_can_do() {
    let info = sim(here(), &["--json", "info", "Camera Simulator"]).json();
    let camera = &info["devices"][0];
    assert_eq!(camera["capabilities"]["sensor"]["width_px"], 1280);
    assert_eq!(camera["state"]["exposure"]["state"], "idle");
    assert!(camera["controls"].as_array().unwrap().iter().any(|control| control["name"] == "gain"));
    let text = sim(here(), &["info", "focuser simulator"]).ok().stdout;
    assert!(text.contains("max position steps: 60000"), "{text}");
}

#[test]
fn a_filter_is_found_by_name_and_by_the_number_of_its_slot() {
    let by_name = sim(here(), &["--json", "filter", "ha"]).json();
    assert_eq!((&by_name["filter"], &by_name["moving"]), (&"Ha".into(), &false.into()));
    let slot = by_name["slot"].as_u64().unwrap();
    assert_eq!(by_name["position"], slot - 1);
    let by_number = sim(here(), &["--json", "filter", &slot.to_string()]).json();
    assert_eq!(by_number["filter"], "Ha");
    assert_eq!(by_name["filters"][0]["slot"], 1);
    let moving = sim(here(), &["--json", "--no-wait", "filter", "OIII"]).json();
    assert_eq!((&moving["moving"], &moving["filter"]), (&true.into(), &serde_json::Value::Null));
    assert!(sim(here(), &["filter"]).ok().stdout.contains("\n* 1 "));
}

#[test]
fn the_focuser_moves_to_and_by() {
    let there = sim(here(), &["--json", "focus", "24000"]).json();
    assert_eq!((&there["position_steps"], &there["moving"]), (&24_000.into(), &false.into()));
    let before = sim(here(), &["--json", "focus"]).json()["position_steps"].as_i64().unwrap();
    for (steps, expected) in [("-500", before - 500), ("+500", before + 500)] {
        assert_eq!(sim(here(), &["--json", "focus", steps]).json()["position_steps"], expected);
    }
}

#[test]
fn the_mount_slews_and_says_where_it_points() {
    let there = sim(here(), &["--json", "slew", "05:35:17.3 -05:23:28"]).json();
    assert_eq!(there["slewing"], false);
    assert_eq!(there["tracking"], true);
    // In the mount's own equinox: some minutes of precession away from J2000.
    assert_eq!(there["equinox"], "JNow");
    let ra = there["ra_hours"].as_f64().unwrap();
    assert!((5.588..5.62).contains(&ra), "{ra}");
    let now = sim(here(), &["--json", "slew", "--jnow", "05:35:17.3 -05:23:28"]).json();
    assert!((now["ra_hours"].as_f64().unwrap() - 5.588_14).abs() < 0.001, "{now}");
    let low = sim(here(), &["--json", "slew", "alt 40 az 200"]).json();
    assert!((low["alt_degrees"].as_f64().unwrap() - 40.0).abs() < 0.5, "{low}");
    assert!(sim(here(), &["slew"]).ok().stdout.starts_with("Mount Simulator: "));
}

#[test]
fn the_mount_parks_syncs_and_tracks() {
    let parked = sim(here(), &["--json", "park"]).json();
    assert_eq!((&parked["parked"], &parked["tracking"]), (&true.into(), &false.into()));
    assert_eq!(sim(here(), &["--json", "unpark"]).json()["parked"], false);
    assert_eq!(sim(here(), &["--json", "track", "off"]).json()["tracking"], false);
    let lunar = sim(here(), &["--json", "track", "lunar"]).json();
    assert_eq!((&lunar["tracking"], &lunar["tracking_rate"]), (&true.into(), &"lunar".into()));
    assert_eq!(sim(here(), &["--json", "track"]).json()["tracking_rate"], "sidereal");
    let synced = sim(here(), &["--json", "sync", "05:35:17.3 +45:00:00"]).json();
    assert!((synced["dec_degrees"].as_f64().unwrap() - 45.0).abs() < 0.1, "{synced}");
}

#[test]
fn the_sensor_is_cooled_below_zero() {
    let warm = sim(here(), &["--backend", "sim://?speed=1000", "--json", "cool"]);
    assert_eq!(warm.code, Some(2), "one backend at a time");
    let cooled = bare(here(), &["--backend", "sim://?speed=1000", "--json", "cool", "-10"]).json();
    assert!((cooled["temperature_c"].as_f64().unwrap() + 10.0).abs() <= 0.5, "{cooled}");
    assert_eq!((&cooled["cooler_on"], &cooled["set_point_c"]), (&true.into(), &(-10.0).into()));
    assert_eq!(bare(here(), &["--backend", "sim://", "--json", "cool", "off"]).json()["cooler_on"], false);
}

#[test]
fn stop_stops_only_what_is_connected() {
    assert_eq!(sim(here(), &["--json", "stop"]).json()["devices"], serde_json::json!([]));
}

#[test]
fn watch_prints_events_of_the_named_device() {
    let done = sim(here(), &["--json", "--device", "Focuser Simulator", "watch", "--count", "1", "--for", "20"]).ok();
    let event: serde_json::Value = serde_json::from_str(done.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&event["schema"], &event["device"]), (&1.into(), &"Focuser Simulator".into()));
    assert_eq!(sim(here(), &["watch", "--for", "0.1"]).ok().stdout, "");
}

#[test]
fn completions_are_made_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(bare(here(), &["completions", shell]).ok().stdout.contains("expose"), "{shell}");
    }
}

#[test]
fn a_rig_gives_roles_site_and_optics() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("rig.toml"),
        "observer = 'C. Messier'\n[site]\nname = 'Cluny'\nlatitude = 48.85\nlongitude = 2.34\n\
         [devices]\nmain = 'sim:///Camera Simulator?speed=1000&sensor=generic'\n\
         wheel = 'sim:///Filter Wheel Simulator?speed=1000&sensor=generic'\n\
         mount = 'sim:///Mount Simulator?speed=1000&sensor=generic'\n\
         [optics.main]\nname = 'Newtonian'\nfocal_length_mm = 800\naperture_mm = 200\n",
    )
    .unwrap();
    let rig = |args: &[&str]| bare(folder.path(), &[&["--rig", "rig.toml"], args].concat());
    assert!(
        rig(&["rig", "check", "rig.toml", "--connect"])
            .ok()
            .stdout
            .contains("@main: camera \"Camera Simulator\" is connected")
    );
    fs::write(folder.path().join("typo.toml"), "[devices]\nmain = 'sim:///Camera Simulator?sped=3'\n").unwrap();
    // Seen without connecting, with its place.
    for arguments in [&["rig", "check", "typo.toml"][..], &["rig", "check", "typo.toml", "--connect"]] {
        let typo = bare(folder.path(), arguments);
        assert_eq!(typo.code, Some(2));
        let told = typo.stdout.contains("typo.toml:2:8: main: the simulator has no option \"sped\"");
        assert!(told && !typo.stdout.contains("good"), "{}", typo.stdout);
    }
    let list = rig(&["--json", "devices"]).json();
    assert_eq!(list["devices"].as_array().unwrap().len(), 3);
    assert_eq!(list["devices"][0]["role"], "main");
    assert_eq!(rig(&["--json", "info", "@wheel"]).json()["devices"][0]["kind"], "filter_wheel");
    rig(&["focus"]).fails(3, &["the rig has no focuser"]);
    rig(&["info", "@guide"]).fails(3, &["there is no role @guide", "@main, @mount, @wheel"]);

    rig(&["--device", "@main", "expose", "--seconds", "1", "--filter", "R", "--output", "a.fits"]).ok();
    let header = fs::read(folder.path().join("a.fits")).unwrap();
    let header = String::from_utf8_lossy(&header[..2880 * 3]).into_owned();
    for card in [
        "OBSERVER= 'C. Messier'",
        "TELESCOP= 'Newtonian",
        "FOCALLEN=",
        "SITENAME= 'Cluny",
        "FILTER  = 'R",
        "RA      =",
        "AIRMASS",
    ] {
        assert!(header.contains(card), "no {card} in {header}");
    }
}
