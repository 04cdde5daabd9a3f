//! Peers for the tests: real servers that are started, waited for, and ended with the test, and a fake one
//! that misbehaves ([`FakeIndi`]).
//!
//! The real ones run in a network of the test's own (see [`in_private_network`]), since some of them listen on all
//! interfaces, and with a home directory of their own. Where a peer cannot run there is a [`Skip`] with the
//! reason; with `ASTROBACKEND_REQUIRE_PEERS=1` in the environment that is a failure.

pub mod alpaca;
mod alpaca_simulators;
#[cfg(target_os = "linux")]
pub mod bench;
#[cfg(target_os = "linux")]
pub mod bench_driver;
mod census;
mod drivers;
pub mod fake_alpaca;
pub mod fake_indi;
pub mod fake_rpc;
mod indipy;
mod indiserver;
mod listening;
mod network;
mod owned;
mod stalling;

pub use alpaca_simulators::AlpacaSimulators;
pub use census::Census;
pub use fake_alpaca::FakeAlpaca;
pub use fake_indi::FakeIndi;
pub use fake_rpc::FakeRpc;
pub use indipy::IndipyServer;
pub use indiserver::IndiServer;
pub use listening::Listening;
pub use network::{Neighbour, in_private_network};
pub use stalling::{Line, StallingLine};

use std::{
    ffi::{OsStr, OsString},
    fmt,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Set to `1` where the peers must be there.
pub const REQUIRE: &str = "ASTROBACKEND_REQUIRE_PEERS";

/// Why a peer cannot run here.
#[derive(Clone, Debug)]
pub struct Skip(String);

impl Skip {
    fn new(why: impl fmt::Display) -> Self {
        Skip(why.to_string())
    }

    /// Reports that tests were skipped; true when that is a failure because the peers are required.
    pub fn report(&self) -> bool {
        let required = std::env::var_os(REQUIRE).is_some_and(|value| value == "1");
        say(&format!("{}: {self}", if required { "a peer is required and missing" } else { "skipped" }));
        required
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skip {}

/// Says something that is seen even when the test passes: the test runner catches only what `println!` writes.
fn say(text: &str) {
    // Without anybody to read it there is nobody to tell.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Where a program is, by the search path.
fn program(name: impl AsRef<OsStr>) -> Result<PathBuf, Skip> {
    let name = name.as_ref();
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Tools of the administrator are not on everybody's search path.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.ok_or_else(|| Skip::new(format_args!("there is no {} on this machine", name.display())))
}

/// The search path with the programs of `testing/bin` before all others.
fn search_path() -> Result<OsString, Skip> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([script("bin")].into_iter().chain(std::env::split_paths(&path))).map_err(Skip::new)
}

/// A program by its name, to be run.
///
/// # Errors
/// [`Skip`] when it is not on this machine.
pub fn command(name: &str) -> Result<Command, Skip> {
    program(name).map(Command::new)
}

/// The Python of the tests (`ASTROBACKEND_PYTHON`, else `python3`), if it has these modules.
///
/// # Errors
/// [`Skip`] when it does not run or lacks a module.
pub fn python(modules: &[&str]) -> Result<Command, Skip> {
    let python = std::env::var("ASTROBACKEND_PYTHON").unwrap_or_else(|_| "python3".into());
    let imports = format!("import {}", modules.join(", "));
    let tried = Command::new(&python).args(["-c", &imports]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match tried {
        Ok(status) if status.success() => Ok(Command::new(python)),
        _ => Err(Skip::new(format_args!("{python} has no {}", modules.join(", ")))),
    }
}

/// The path of a script in `testing/`.
pub fn script(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testing")).join(name)
}
