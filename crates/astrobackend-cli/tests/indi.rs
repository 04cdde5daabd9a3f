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
    let tests: [(&str, Test); 4] = [
        ("each_verb_works_on_what_the_one_before_left", each_verb_works_on_what_the_one_before_left),
        ("a_parked_mount_refuses", a_parked_mount_refuses),
        ("stop_ends_the_exposure_of_another", stop_ends_the_exposure_of_another),
        ("a_server_that_dies_ends_the_command", a_server_that_dies_ends_the_command),
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
