//! A server on another machine is found by IPv6, where both have nothing but a cable between them.
#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

mod common;

use common::{bare, command};
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use testing::{Neighbour, Skip, in_private_network};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Err(why) = in_private_network() {
        return ExitCode::from(u8::from(why.report()));
    }
    let test = || match found_over_the_cable() {
        Err(why) if why.report() => Err(why.to_string().into()),
        _ => Ok(()),
    };
    libtest_mimic::run(&arguments, vec![Trial::test("a_neighbour_is_found_over_a_cable", test)]).exit_code()
}

fn found_over_the_cable() -> Result<(), Skip> {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json").display().to_string();
    let serve = ["--backend", "sim://", "serve", "alpaca", "--listen", "[::]:11122", "--open", "--state", &state];
    let mut server = Neighbour::start(&command(folder.path(), &serve))?;
    while !server.line().expect("a server").starts_with("serving") {}
    let found = bare(folder.path(), &["--json", "discover"]).ok().json();
    let servers = found["servers"].as_array().unwrap();
    let address =
        servers.iter().filter_map(|server| server["address"].as_str()).find(|address| address.contains("alpaca"));
    let address = address.unwrap_or_else(|| panic!("{found}"));
    assert!(address.starts_with("alpaca://[fe80::2%"), "{address}");
    let wheel = bare(folder.path(), &["--backend", address, "--json", "filter", "2"]).ok().json();
    assert_eq!(wheel["device"], "Filter Wheel Simulator", "{wheel}");
    Ok(())
}
