//! The command on Debian's `indiserver` with its simulators, where one invocation finds what another has done.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Done, bare, command};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{ExitCode, Stdio},
};
use testing::{IndiServer, in_private_network};

const DRIVERS: [&str; 4] =
    ["indi_simulator_telescope", "indi_simulator_ccd", "indi_simulator_focus", "indi_simulator_wheel"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Err(why) = in_private_network().and_then(|()| IndiServer::start(&DRIVERS[..1]).map(drop)) {
        return ExitCode::from(u8::from(why.report()));
    }
    let tests: [(&str, Test); 8] = [
        ("each_verb_works_on_what_the_one_before_left", each_verb_works_on_what_the_one_before_left),
        ("a_parked_mount_refuses", a_parked_mount_refuses),
        ("stop_ends_the_exposure_of_another", stop_ends_the_exposure_of_another),
        ("a_server_that_dies_ends_the_command", a_server_that_dies_ends_the_command),
        ("complaints_of_the_driver_are_warnings", complaints_of_the_driver_are_warnings),
        ("props_show_what_indi_getprop_shows", props_show_what_indi_getprop_shows),
        ("props_are_set_and_found_by_pattern", props_are_set_and_found_by_pattern),
        ("props_are_watched", props_are_watched),
    ];
    let run = |test: Test| -> Result<(), Failed> {
        test(&Night { server: IndiServer::start(&DRIVERS)?.into(), folder: tempfile::tempdir()? });
        Ok(())
    };
    let trials = tests.map(|(name, test)| Trial::test(name, move || run(test)));
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

type Test = fn(&Night);

/// A server, and a folder for pictures.
struct Night {
    server: std::cell::RefCell<IndiServer>,
    folder: tempfile::TempDir,
}

impl Night {
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn backend(&self) -> String {
        self.server.borrow().address()
    }

    fn run(&self, args: &[&str]) -> Done {
        bare(self.folder(), &[&["--backend", &self.backend(), "--device", "Filter Simulator"], args].concat())
    }

    /// Starts a long exposure; returns when the camera exposes.
    fn exposing(&self) -> std::process::Child {
        let backend = self.backend();
        let args = ["--backend", &backend, "expose", "--seconds", "300", "--output", "long.fits"];
        let mut exposing = command(self.folder(), &args);
        let child = exposing.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut watch = command(self.folder(), &["--backend", &backend, "--json", "watch", "--for", "20"]);
        let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        let exposes = |line: std::io::Result<String>| line.is_ok_and(|line| line.contains(r#""state":"exposing""#));
        assert!(lines.into_iter().any(exposes), "it does not expose");
        watch.kill().unwrap();
        watch.wait().unwrap();
        child
    }
}

fn ended(mut child: std::process::Child) -> Done {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    Done { code: child.wait().unwrap().code(), stdout, stderr }
}

fn each_verb_works_on_what_the_one_before_left(night: &Night) {
    assert!(night.run(&["devices"]).ok().stdout.contains("Filter Simulator\tnot connected"));
    assert_eq!(night.run(&["--json", "filter", "2"]).json()["slot"], 2);
    assert_eq!(night.run(&["--json", "focus", "50500"]).json()["position_steps"], 50_500);
    assert_eq!(night.run(&["--json", "focus", "-500"]).json()["position_steps"], 50_000);
    let there = night.run(&["--json", "slew", "05:35:17.3 +25:23:28"]).json();
    assert_eq!((&there["slewing"], &there["tracking"]), (&false.into(), &true.into()));
    let answer =
        night.run(&["--json", "expose", "--seconds", "1", "--binning", "2", "--output", "a.fits", "--preview"]);
    let picture = &answer.json()["pictures"][0];
    assert_eq!((&picture["width_px"], &picture["preview"]), (&640.into(), &"a.png".into()));
    assert_eq!(picture["focus_position_steps"], 50_000);
    assert_eq!(picture["filter"], night.run(&["--json", "filter"]).json()["filter"]);
    let dec = picture["pointing"]["dec_degrees"].as_f64().unwrap();
    assert!((dec - 25.391).abs() < 0.01, "{dec}");
}

fn complaints_of_the_driver_are_warnings(night: &Night) {
    // Without a telescope this camera knows no focal length, and finds no stars.
    let server = IndiServer::start(&["indi_simulator_ccd"]).unwrap();
    let expose = ["--backend", &server.address(), "expose", "--seconds", "0.1", "--output", "{n}.fits"];
    let done = bare(night.folder(), &expose).ok();
    assert!(done.stderr.contains("warning: CCD Simulator: ") && done.stderr.contains("no stars"), "{}", done.stderr);
    let quiet = bare(night.folder(), &[&["--quiet"], &expose[..]].concat()).ok();
    assert_eq!(quiet.stderr, "");
}

fn a_parked_mount_refuses(night: &Night) {
    assert_eq!(night.run(&["--json", "park"]).json()["parked"], true);
    let target = ["--target", "05:35:17.3 +25:23:28", "--seconds", "1", "--output", "a.fits"];
    night.run(&[&["expose"], &target[..]].concat()).fails(6, &["Telescope Simulator: is parked; unpark it first"]);
    night.run(&["slew", "05:35:17.3 +25:23:28"]).fails(6, &["parked"]);
    assert_eq!(night.run(&["--json", "unpark"]).json()["parked"], false);
}

fn stop_ends_the_exposure_of_another(night: &Night) {
    let exposing = night.exposing();
    let stopped = night.run(&["--json", "--device", "CCD Simulator", "stop"]).json();
    assert_eq!(stopped["devices"][0]["stopped"], true, "{stopped}");
    ended(exposing).fails(1, &["aborted"]);
    assert_eq!(std::fs::read_dir(night.folder()).unwrap().count(), 0);
}

fn a_server_that_dies_ends_the_command(night: &Night) {
    let exposing = night.exposing();
    night.server.borrow_mut().kill();
    let done = ended(exposing);
    assert_eq!((done.code, done.stdout.as_str()), (Some(5), ""), "{}", done.stderr);
    night.run(&["devices"]).fails(5, &["127.0.0.1"]);
    assert_eq!(std::fs::read_dir(night.folder()).unwrap().count(), 0);
}

/// `name=value` by name; of what was told twice the last.
fn pairs(text: &str) -> std::collections::BTreeMap<String, String> {
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines().filter_map(pair).collect()
}

/// All properties of four connected simulators, and their attributes, as libindi's own client sees them.
fn props_show_what_indi_getprop_shows(night: &Night) {
    for device in ["Telescope", "CCD", "Focuser", "Filter"] {
        night.run(&["props", "set", &format!("{device} Simulator.CONNECTION.CONNECT=On"), "--timeout", "10"]).ok();
    }
    let port = night.server.borrow().port().to_string();
    let is_file = |name: &str| name.contains(".CCD1.") || name.contains(".CCD2.");
    let mut compared = 0;
    for pattern in ["*.*.*", "*.*._LABEL", "*.*._GROUP", "*.*._STATE", "*.*._PERM", "*.*._TO"] {
        let mut peer = std::process::Command::new("indi_getprop");
        let peer = peer.args(["-p", &port, "-t", "2", "-w", pattern]).output().unwrap();
        let peer = pairs(std::str::from_utf8(&peer.stdout).unwrap());
        let ours = pairs(&night.run(&["props", "get", pattern]).ok().stdout);
        for (name, value) in &peer {
            // It knows BLOBs as files; clocks and untracked coordinates do not stand still, and with them the side
            // of the pier changes.
            let moving = ["TIME_LST.", "EQUATORIAL_EOD_COORD.", "MOUNT_AXES.", "TELESCOPE_PIER_SIDE."];
            let moving = moving.iter().any(|moving| name.contains(moving));
            let (Some(mine), false) = (ours.get(name), moving) else {
                assert!(moving || is_file(name), "no {name}");
                continue;
            };
            let number = |text: &str| text.parse::<f64>().ok();
            match (number(value), number(mine)) {
                (Some(theirs), Some(mine)) => assert!((theirs - mine).abs() < 1e-4, "{name}: {theirs}, not {mine}"),
                _ => assert_eq!(value, mine, "{name}"),
            }
            compared += 1;
        }
        let unknown: Vec<_> = ours.keys().filter(|name| !peer.contains_key(*name) && !is_file(name)).collect();
        assert!(unknown.is_empty(), "{pattern}: indi_getprop does not show {unknown:?}");
    }
    assert!(compared > 800, "only {compared} values were compared");
}

fn props_are_set_and_found_by_pattern(night: &Night) {
    let get = |pattern: &str| night.run(&["props", "get", "-1", pattern]).ok().stdout.trim_end().to_owned();
    night.run(&["props", "get", "CCD Simulator.CCD_GAIN.GAIN"]).fails(3, &["CCD Simulator.CCD_GAIN.GAIN"]);
    let connected = night.run(&["--json", "props", "set", "CCD Simulator.CONNECTION.CONNECT=On"]).json();
    assert_eq!(connected["properties"][0]["state"], "Ok");
    night
        .run(&["props", "set", "CCD Simulator.CCD_GAIN.GAIN=77", "CCD Simulator.CCD_BINNING.HOR_BIN;VER_BIN=2;2"])
        .ok();
    assert_eq!(get("CCD Simulator.CCD_GAIN.GAIN"), "77");
    assert_eq!(get("CCD*.CCD_GAIN._STATE"), "Ok");
    assert_eq!(night.run(&["props", "get", "*.CCD_BINNING"]).ok().stdout.lines().count(), 2);
    let gain = &night.run(&["--json", "props", "get", "*.CCD_GAIN.GAIN"]).json()["properties"][0];
    assert_eq!((&gain["elements"][0]["value"], &gain["elements"][0]["max"]), (&77.0.into(), &100.0.into()));
    assert_eq!((&gain["kind"], &gain["perm"], &gain["rule"]), (&"number".into(), &"rw".into(), &().into()));
    let some = night.run(&["props", "get", "CCD Simulator.CCD_GAIN.GAIN", "No.Such.Thing", "--timeout", "0.5"]);
    assert_eq!((some.code, some.stdout.as_str()), (Some(3), "CCD Simulator.CCD_GAIN.GAIN=77\n"), "{}", some.stderr);

    let fails = |what: &str, code, words: &[&str]| night.run(&["props", "set", what]).fails(code, words);
    fails("CCD Simulator.CCD_GAIN.GAIN=5000", 2, &["5000 is not within 0 to 100"]);
    fails("CCD Simulator.CCD_GAIN.GAIN", 2, &["DEVICE.PROPERTY.ELEMENT=VALUE"]);
    fails("CCD Simulator.CCD_INFO.CCD_MAX_X=1", 7, &["can only be read"]);
    fails("CCD Simulator.CCD_GAIN.X=1", 3, &["no element"]);
    fails("Telescope Simulator.CONNECTION.CONNECT=maybe", 2, &["maybe"]);
    night.run(&["props", "set", "Telescope Simulator.CONNECTION.CONNECT=On"]).ok();
    night.run(&["--timeout", "60", "park"]).ok();
    // The driver's own words, from a message.
    fails("Telescope Simulator.EQUATORIAL_EOD_COORD.RA;DEC=5;40", 1, &["unpark the mount"]);
    bare(night.folder(), &["--backend", "sim://", "props", "get"]).fails(7, &["no INDI properties"]);
}

fn props_are_watched(night: &Night) {
    let backend = night.backend();
    night.run(&["props", "set", "Filter Simulator.CONNECTION.CONNECT=On"]).ok();
    let args = ["--backend", &backend, "--json", "props", "watch", "Filter Simulator.FILTER_SLOT", "--for", "60"];
    let mut watch = command(night.folder(), &args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || -> (String, f64) {
        let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let property = &line["property"];
        (property["state"].as_str().unwrap().to_owned(), property["elements"][0]["value"].as_f64().unwrap())
    };
    while next().1 != 1.0 {}
    night.run(&["props", "set", "Filter Simulator.FILTER_SLOT.FILTER_SLOT_VALUE=3"]).ok();
    while next().0 != "Busy" {}
    while next() != ("Ok".to_owned(), 3.0) {}
    watch.kill().unwrap();
    watch.wait().unwrap();
}
