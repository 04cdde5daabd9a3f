//! Bad input is refused before anything moves, with a sentence that helps and the exit code of its kind.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Done, SIM, bare, command, sim};
use std::{fs, io::Read, path::Path, process::Stdio};

fn here() -> &'static Path {
    Path::new(".")
}

#[test]
fn unknown_words_are_answered_with_those_there_are() {
    bare(here(), &["exposee"]).fails(2, &["unrecognized subcommand 'exposee'", "expose"]);
    bare(here(), &["--backend", "simm://", "devices"]).fails(3, &["there is no backend \"simm\"", "INDI, SIM"]);
    bare(here(), &["--backend", "sim://?sped=3", "devices"]).fails(2, &["sped", "speed"]);
    bare(here(), &["--backend", "indi://host:99999", "devices"]).fails(2, &["\"99999\" is no port"]);
    #[cfg(not(windows))]
    bare(here(), &["--backend", "ascom://", "devices"]).fails(7, &["ASCOM COM needs Windows"]);
    let mistyped = Done::new(command(here(), &["devices"]).env("PYASTROBACKEND", "bogus").output().unwrap());
    mistyped.fails(3, &["PYASTROBACKEND=bogus: there is no backend \"bogus\""]);
    sim(here(), &["info", "CCD"]).fails(3, &["there is no device \"CCD\"", "\"Camera Simulator\""]);
    // The folder for the pictures is looked at first.
    let folder = tempfile::tempdir().unwrap();
    sim(folder.path(), &["--device", "Kamera", "expose", "--seconds", "1"]).fails(3, &["\"Kamera\""]);
    sim(folder.path(), &["--device", "sim:///Nothing", "expose", "--seconds", "1"]).fails(3, &["\"Nothing\""]);
    sim(here(), &["filter", "Hb"]).fails(3, &["no filter \"Hb\"", "Ha, OIII"]);
    sim(here(), &["filter", "0"]).fails(2, &["no slot 0; slots are 1 to"]);
}

#[test]
fn values_out_of_range_name_the_limit() {
    sim(here(), &["focus", "70000"]).fails(2, &["position 70000 is not within 0 to 60000"]);
    sim(here(), &["focus", "-70000"]).fails(2, &["is not within 0 to 60000"]);
    sim(here(), &["focus", "far"]).fails(2, &["52000"]);
    sim(here(), &["cool", "-200"]).fails(2, &["-200"]);
    sim(here(), &["track", "fast"]).fails(2, &["sidereal, lunar, solar or king"]);
    sim(here(), &["slew", "M42"]).fails(2, &["05:35:17.3 -05:23:28"]);
    sim(here(), &["slew", "05:35:17.3 -95:23:28"]).fails(2, &["declination -95"]);
    sim(here(), &["slew", "05:35:17.3 -75:00:00"]).fails(2, &["horizon"]);
    sim(here(), &["--timeout", "-1", "focus"]).fails(2, &["no length of time"]);
}

#[test]
fn pictures_that_cannot_be_taken_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let expose = |more: &[&str]| sim(folder.path(), &[&["expose", "--seconds", "1"], more].concat());
    expose(&["--roi", "1200,0,100,100"]).fails(2, &["does not lie on the sensor, which has 1280x1024 pixels"]);
    expose(&["--binning", "9"]).fails(2, &["binning 9x9 is beyond"]);
    expose(&["--gain", "99999"]).fails(2, &["gain 99999 is not within"]);
    expose(&["--target", "05:35:17.3 -75:00:00"]).fails(2, &["horizon"]);
    expose(&["--frame-type", "darkk"]).fails(2, &["light, dark, bias or flat"]);
    expose(&["--output", "{objekt}.fits"]).fails(2, &["there is no {objekt}", "{object}"]);
    expose(&["--output", "no/such/folder/a.fits"]).fails(3, &["there is no folder no/such/folder"]);
    expose(&["--output", "."]).fails(2, &["name of a file"]);
    expose(&["--focus", "99999"]).fails(2, &["99999"]);
    sim(folder.path(), &["expose"]).fails(2, &["--seconds"]);
    sim(folder.path(), &["preview", "nothing.fits"]).fails(3, &["nothing.fits"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_takes_no_files_is_noticed_before_the_exposure() {
    // /proc takes no files, not even from root.
    if Path::new("/proc/self").is_dir() {
        sim(here(), &["expose", "--seconds", "3000", "--output", "/proc/a.fits"])
            .fails(1, &["cannot write into the folder /proc"]);
        sim(here(), &["expose", "--seconds", "3000", "--output", "/proc/{n}.fits"]).fails(1, &["/proc"]);
    }
}

#[test]
fn a_typo_in_the_rig_names_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rig.toml"), "[site]\nlatitud = 37.2\nlongitude = 200\n").unwrap();
    bare(folder.path(), &["--rig", "rig.toml", "devices"])
        .fails(2, &["rig.toml:2:1: there is no key \"latitud\" in [site]; did you mean \"latitude\"?"]);
    let check = bare(folder.path(), &["rig", "check", "rig.toml"]);
    assert_eq!(check.code, Some(2));
    assert!(
        check.stdout.contains("rig.toml:2:1:") && check.stdout.contains("rig.toml:3:13: longitude 200"),
        "{}",
        check.stdout
    );
    bare(folder.path(), &["--rig", "none.toml", "devices"]).fails(3, &["there is no rig file none.toml"]);
}

#[test]
fn waiting_ends_in_time() {
    let slow = ["--backend", "sim://?sensor=generic", "--timeout", "0.2"];
    bare(here(), &[&slow[..], &["focus", "60000"]].concat()).fails(4, &["did not finish within"]);
    bare(here(), &[&slow[..], &["slew", "05:35:17.3 -05:23:28"]].concat()).fails(4, &["did not finish within"]);
}

#[test]
fn a_failure_is_an_object_on_stderr_when_asked_for_json() {
    let done = sim(here(), &["--json", "filter", "Hb"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(3), ""));
    let object: serde_json::Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(object["schema"], 1);
    assert_eq!(object["error"]["kind"], "not_found");
    assert_eq!(object["error"]["device"], "Filter Wheel Simulator");
    assert_eq!(object["error"]["exit_code"], 3);
    let wrong = bare(here(), &["--json", "expose", "--bining", "2"]);
    assert_eq!(wrong.code, Some(2));
    let object: serde_json::Value = serde_json::from_str(&wrong.stderr).unwrap();
    assert_eq!((&object["error"]["kind"], &object["error"]["exit_code"]), (&"invalid_value".into(), &2.into()));
    assert!(object["error"]["message"].as_str().unwrap().contains("'--binning'"), "{object}");
    let help = bare(here(), &["--json", "--help"]).ok();
    assert!(help.stdout.contains("Exit codes:"), "asked for by a person");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for args in [&["completions", "bash"][..], &["--backend", SIM, "info", "Camera Simulator"], &["--help"]] {
        let mut child = command(here(), args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "", "{args:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
    }
}

#[test]
fn nothing_is_coloured_into_a_pipe() {
    let done = Done::new(command(here(), &["--help"]).env("NO_COLOR", "1").output().unwrap()).ok();
    assert!(!done.stdout.contains('\u{1b}') && done.stdout.contains("Exit codes:"));
}
