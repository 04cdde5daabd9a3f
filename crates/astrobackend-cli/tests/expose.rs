//! `expose` and `preview`: files whole or not at all, data on stdout, everything else on stderr.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::sim;
use std::{fs, path::Path};

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_first_command_of_the_readme() {
    let folder = tempfile::tempdir().unwrap();
    let args = "expose --filter Ha --focus 25000 --seconds 5 --output m42.fits --preview --target";
    let args: Vec<_> = args.split(' ').chain(["05:35:17.3 -05:23:28"]).collect();
    let done = sim(folder.path(), &args).ok();
    assert_eq!(done.stdout, "m42.fits\nm42.png\n");
    assert!(
        done.stderr.contains("slew to 05:35:17.30 -05:23:28.0 J2000\nfilter Ha\nfocus to 25000\nlight 5 s\n"),
        "{}",
        done.stderr
    );
    assert_eq!(files(folder.path()), ["m42.fits", "m42.png"]);
    let (image, header) = astrobackend::fits::read(folder.path().join("m42.fits")).unwrap();
    assert_eq!((image.width(), image.height()), (1280, 1024));
    assert_eq!(header.text("FILTER"), Some("Ha"));
    assert_eq!(header.integer("FOCUSPOS"), Some(25_000));
    let dec = header.real("DEC").unwrap();
    assert!((dec + 5.391).abs() < 0.01, "{dec}");
}

#[test]
fn several_pictures_are_numbered_and_described() {
    let folder = tempfile::tempdir().unwrap();
    let args = "--json expose --seconds 0.5 --count 2 --binning 2 --roi 10,20,100,50 --gain 100 --frame-type dark --object M42 --preview";
    let args: Vec<_> = args.split(' ').collect();
    let answer = sim(folder.path(), &args).json();
    let pictures = answer["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 2);
    assert_eq!(pictures[1]["file"], "M42_dark_nofilter_0.5s_0002.fits");
    assert_eq!(pictures[1]["preview"], "M42_dark_nofilter_0.5s_0002.png");
    assert_eq!((&pictures[0]["width_px"], &pictures[0]["height_px"]), (&100.into(), &50.into()));
    assert!(pictures[0]["statistics"][0]["median"].as_f64().unwrap() > 0.0);
    // Again: the numbers go on, nothing is overwritten.
    let again = sim(folder.path(), &args).json();
    assert_eq!(again["pictures"][0]["file"], "M42_dark_nofilter_0.5s_0003.fits");
}

#[test]
fn folders_of_tokens_are_made_and_the_preview_goes_where_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["expose", "--frame-type", "bias", "--output", "{type}/{n:03}.fits", "--preview=look.png"];
    assert_eq!(sim(folder.path(), &args).ok().stdout, "bias/001.fits\nlook.png\n");
    let answer = sim(folder.path(), &["--json", "preview", "bias/001.fits", "--output", "bias.png", "--linear"]).json();
    assert_eq!(
        (&answer["preview"], &answer["width_px"], &answer["pixel_type"]),
        (&"bias.png".into(), &1280.into(), &"u16".into())
    );
    assert!(sim(folder.path(), &["preview", "bias/001.fits"]).ok().stdout.contains("1280 x 1024 pixels, u16\nmin "));
}

#[test]
fn an_existing_file_is_kept_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fits");
    fs::write(&path, "precious").unwrap();
    let refused = sim(folder.path(), &["expose", "--seconds", "3000", "--output", "a.fits"]);
    assert!(!refused.stderr.contains("light 3000 s"), "refused before the exposure: {}", refused.stderr);
    refused.fails(1, &["a.fits", "exists"]);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    fs::write(folder.path().join("b.png"), "precious").unwrap();
    sim(folder.path(), &["expose", "--seconds", "1", "--output", "b.fits", "--preview"]).fails(1, &["b.png", "exists"]);
    sim(folder.path(), &["expose", "--seconds", "1", "--output", "a.fits", "--overwrite"]).ok();
    assert_eq!(&fs::read(&path).unwrap()[..6], b"SIMPLE");
    assert_eq!(files(folder.path()), ["a.fits", "b.png"]);
}

#[cfg(unix)]
mod interrupt {
    use super::*;
    use common::{Done, command};
    use std::{
        io::{BufRead, BufReader, Read},
        process::{Child, Command, Stdio},
    };

    /// Sends Ctrl-C when the command says what it does; what it did then.
    fn interrupted(mut child: Child, when: &str) -> Done {
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(when) {
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "ended before {when:?}: {said}");
        }
        assert!(Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap().success());
        stderr.read_to_string(&mut said).unwrap();
        let mut stdout = String::new();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        Done { code: child.wait().unwrap().code(), stdout, stderr: said }
    }

    fn start(folder: &Path, args: &[&str]) -> Child {
        let mut all = vec!["--backend", "sim://?sensor=generic"];
        all.extend(args);
        command(folder, &all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    #[test]
    fn ctrl_c_aborts_an_exposure_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let child = start(folder.path(), &["expose", "--seconds", "600", "--output", "a.fits"]);
        interrupted(child, "light 600 s").fails(130, &["interrupted: the exposure was aborted"]);
        assert_eq!(files(folder.path()), [""; 0]);
    }

    #[test]
    fn ctrl_c_stops_the_mount_and_the_focuser() {
        let folder = tempfile::tempdir().unwrap();
        let child = start(folder.path(), &["slew", "05:35:17.3 -05:23:28"]);
        interrupted(child, "slew to").fails(130, &["interrupted: the mount was stopped"]);
        let child = start(folder.path(), &["focus", "60000"]);
        interrupted(child, "focus to").fails(130, &["interrupted: the focuser was halted"]);
    }
}

/// A camera of eight bits behind an opaque filter, whose noise is below a unit: without an offset all is 0.
fn black(folder: &Path, args: &str) -> common::Done {
    let address = "sim://?speed=1000&sensor=generic&bits=8";
    let args: Vec<_> = ["--backend", address].into_iter().chain(args.split(' ')).collect();
    common::bare(folder, &args)
}

#[test]
fn a_bad_picture_is_written_and_ends_with_a_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let done = black(folder.path(), "expose --filter Dark --gain 0 --offset 0 --seconds 0.01 --count 2");
    assert_eq!(done.code, Some(8), "{}", done.stderr);
    let names = ["light_Dark_0.01s_0001.fits", "light_Dark_0.01s_0002.fits"];
    assert_eq!(done.stdout, names.map(|name| format!("{name}\n")).concat(), "both are taken and written");
    assert_eq!(files(folder.path()), names);
    let words = "light_Dark_0.01s_0002.fits is bad: all its pixels are 0";
    assert!(done.stderr.contains(words), "{}", done.stderr);
    let (image, header) = astrobackend::fits::read(folder.path().join(names[1])).unwrap();
    assert!(image.meta.verdict.unwrap().is_bad() && image.meta.exposure_number == Some(2));
    assert_eq!(header.text("FRAMEMSG"), Some("bad: all its pixels are 0"));
}

#[test]
fn a_suspect_picture_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let args = "--json expose --frame-type dark --gain 0 --offset 0 --seconds 0.01";
    let done = black(folder.path(), args);
    assert!(
        done.stderr.contains("\"warning\"") && done.stderr.contains("is suspect: all its pixels are 0"),
        "{}",
        done.stderr
    );
    let picture = &done.json()["pictures"][0];
    assert_eq!((&picture["verdict"], &picture["exposure_number"]), (&"suspect".into(), &1.into()));
    assert!(picture["verdict_reason"].as_str().unwrap().starts_with("all its pixels are 0"));
}

#[test]
fn a_good_picture_says_so_and_an_unguarded_one_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let picture = sim(folder.path(), &["--json", "expose", "--seconds", "1"]).json()["pictures"][0].clone();
    assert_eq!((&picture["verdict"], &picture["verdict_reason"]), (&"ok".into(), &serde_json::Value::Null));
    let unguarded = ["--backend", "sim://?speed=1000&sensor=generic&guard=off", "--json", "expose", "--seconds", "1"];
    let picture = common::bare(folder.path(), &unguarded).json()["pictures"][0].clone();
    assert_eq!(picture["verdict"], serde_json::Value::Null);
}
