//! `serve`: devices for programs of other frameworks.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{SIM, bare};
use std::path::Path;

#[test]
fn what_would_let_strangers_in_is_refused() {
    let here = Path::new(".");
    let serve = ["-b", SIM, "serve", "alpaca", "--discovery-port", "off"];
    let with = |more: &[&str]| bare(here, &[&serve[..], more].concat());
    with(&["--listen", "0.0.0.0:0"]).fails(2, &["can be reached from other computers", "user and a password"]);
    with(&["--user", "pier"]).fails(2, &["--password-file"]);
    with(&["--user", "pier", "--password-file", "none", "--listen", "127.0.0.1:0"]).fails(1, &["password file none"]);
    let sim = |more: &[&str]| bare(here, &[&["sim", "serve"][..], more].concat());
    sim(&["--alpaca", "nowhere"]).fails(2, &["no address with a port"]);
    sim(&["--alpaca", "off", "--rpc", "0.0.0.0:0"]).fails(2, &["can be reached from other computers"]);
    sim(&["--faults", "none.toml"]).fails(3, &["there is no file of faults none.toml"]);
    with(&["--allow", "10.0.0.0/40"]).fails(2, &["no network"]);
    with(&["--listen", "127.0.0.1:0", "--device", "Nobody"]).fails(3, &["Nobody"]);
    let indi = bare(here, &["-b", SIM, "serve", "indi", "--listen", "0.0.0.0:0"]);
    indi.fails(2, &["can be reached from other computers", "no passwords"]);
}

/// Where programs can be told to end, and not only be ended.
#[cfg(unix)]
mod until_told {
    use crate::common::{SIM, command};
    use serde_json::Value;
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::TcpStream,
        process::{Command, Stdio},
    };

    #[test]
    fn it_serves_until_it_is_told_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let args = ["-b", SIM, "--json", "serve", "alpaca", "--listen", "127.0.0.1:0", "--discovery-port", "off"];
        let args = [&args[..], &["--state", "state.json", "--device", "Camera Simulator"]].concat();
        let mut serving = command(folder.path(), &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&told["devices"][0]["type"], &told["devices"][0]["number"]), (&"camera".into(), &0.into()));
        assert_eq!(told["devices"].as_array().unwrap().len(), 1);
        let mut stream = TcpStream::connect(told["listening"].as_str().unwrap()).unwrap();
        write!(stream, "GET /api/v1/camera/0/name HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.contains("\"Value\":\"Camera Simulator\""), "{reply}");
        assert!(Command::new("kill").arg(serving.id().to_string()).status().unwrap().success());
        assert!(serving.wait().unwrap().success());
        assert!(folder.path().join("state.json").exists());
    }

    #[test]
    fn it_serves_indi() {
        let folder = tempfile::tempdir().unwrap();
        let args = ["-b", SIM, "--json", "serve", "indi", "--listen", "127.0.0.1:0", "--device", "Focuser Simulator"];
        let mut serving = command(folder.path(), &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(told["devices"], serde_json::json!([{ "kind": "focuser", "name": "Focuser Simulator" }]));
        let mut stream = TcpStream::connect(told["listening"].as_str().unwrap()).unwrap();
        stream.write_all(b"<getProperties version='1.7'/>").unwrap();
        let mut defined = BufReader::new(stream).lines().map(|line| line.unwrap());
        assert!(defined.next().unwrap().contains("device=\"Focuser Simulator\" name=\"CONNECTION\""));
        assert!(Command::new("kill").arg(serving.id().to_string()).status().unwrap().success());
        assert!(serving.wait().unwrap().success());
    }

    #[test]
    fn a_faulty_observatory_is_served_in_three_ways_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let faults = "[[fault]]\ndevice = 'camera'\nwhat = 'black-frame'\nexposure = 1\n";
        std::fs::write(folder.path().join("night.toml"), faults).unwrap();
        let here = "127.0.0.1:0";
        let args = ["--json", "sim", "serve", "--options", "sensor=generic&speed=100", "--faults", "night.toml"];
        let args = [&args[..], &["--alpaca", here, "--rpc", here, "--indi", here]].concat();
        let mut serving = command(folder.path(), &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        for way in ["alpaca", "rpc", "indi"] {
            let backend = format!("{way}://{}", told[way].as_str().unwrap());
            let listed = command(folder.path(), &["-b", &backend, "--json", "devices"]).output().unwrap();
            assert!(String::from_utf8_lossy(&listed.stdout).contains("Camera Simulator"), "{way}: {listed:?}");
        }
        // The fault is of the observatory, whichever way is taken to it.
        let backend = format!("indi://{}", told["indi"].as_str().unwrap());
        let expose = ["-b", &backend, "expose", "--seconds", "1", "--output", "black.fits"];
        let exposed = command(folder.path(), &expose).output().unwrap();
        assert_eq!(exposed.status.code(), Some(8), "{exposed:?}");
        assert!(folder.path().join("black.fits").exists());
        assert!(Command::new("kill").arg(serving.id().to_string()).status().unwrap().success());
        assert!(serving.wait().unwrap().success());
    }
}
