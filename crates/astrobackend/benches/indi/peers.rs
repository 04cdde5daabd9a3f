//! Other clients, those of them that are installed (`benches/peers/install`).

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// How a peer reaches the driver.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach<'a> {
    Tcp(u16),
    /// The name of a unix socket.
    Unix(&'a str),
}

/// Another client: its name and the command that takes frames or updates.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    command: Command,
}

impl Peer {
    /// What it measured; `None` when it failed.
    pub(crate) fn run(&mut self) -> Option<Value> {
        testing::bench::run(&mut self.command).ok()
    }
}

/// The peers that are installed and go this way, to take `frame` or `updates`.
pub(crate) fn installed(reach: Reach<'_>, what: &str) -> Vec<Peer> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/peers/bin/python");
    let script = |name: &str| root.join("benches/peers").join(name);
    let peer = |name, program: PathBuf, arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments);
        program.is_file().then_some(Peer { name, command })
    };
    let scripted = |name, file: &str, host: &str, port: u16| {
        let path = script(file);
        peer(name, python.clone(), &[&path.to_string_lossy(), host, &port.to_string(), what])
    };
    let found = match reach {
        Reach::Tcp(port) => vec![
            scripted("pyindi-client 2.3.0", "pyindi_client.py", "127.0.0.1", port),
            scripted("indipyclient 0.9.4", "indipyclient_peer.py", "127.0.0.1", port),
            peer(
                "crate indi 5.1.1 (reader only)",
                root.join("target/peers/cargo/release/indi-crate-peer"),
                &[&format!("127.0.0.1:{port}"), what],
            ),
        ],
        // The others know no unix sockets.
        Reach::Unix(name) => {
            vec![scripted("pyindi-client 2.3.0", "pyindi_client.py", &format!("localhost:{name}"), 7624)]
        }
    };
    found.into_iter().flatten().collect()
}
