//! A network of the test's own: servers without an option to stay on loopback reach nobody, and any port is free.

use crate::{Skip, owned::Owned, program};
use std::{
    io::{self, BufRead, BufReader, Write},
    process::{ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Marks the process that already lives in its own network.
const INSIDE: &str = "ASTROBACKEND_PRIVATE_NETWORK";

/// The longest that a cable between two networks may take to come up.
const PLUGGED: Duration = Duration::from_secs(10);

/// Starts the present program again in a network namespace of its own, with nothing but loopback.
///
/// To be called first in `main`, while there is one thread: it does not return then, the program begins anew.
/// It returns when the program runs in its own network.
///
/// # Errors
/// [`Skip`] where the system has no such thing or does not allow it.
pub fn in_private_network() -> Result<(), Skip> {
    if std::env::var_os(INSIDE).is_some() {
        return run(Command::new(program("ip")?).args(["link", "set", "lo", "up"]));
    }
    let (unshare, _) = (program("unshare")?, program("ip")?);
    let working = ["-n", "-Urn"].into_iter().find(|how| run(Command::new(&unshare).args([how, "true"])).is_ok());
    let how = working.ok_or_else(|| Skip::new("this system gives no network namespace to this user"))?;
    let this = std::env::current_exe().map_err(Skip::new)?;
    let mut command = Command::new(unshare);
    command.arg(how).arg(this).args(std::env::args_os().skip(1)).env(INSIDE, "1");
    Err(replace(command))
}

/// A program in another network, with a cable from this one. It ends with its value.
#[derive(Debug)]
pub struct Neighbour {
    child: Owned,
    output: BufReader<ChildStdout>,
}

impl Neighbour {
    /// Starts a program there. Both ends of the cable have nothing but a link-local address, as two machines have that
    /// were just plugged together: `fe80::1` here, `fe80::2` there.
    ///
    /// To be called in a private network.
    ///
    /// # Errors
    /// [`Skip`] where the system has no cables for networks.
    pub fn start(command: &Command) -> Result<Self, Skip> {
        let (ip, nsenter) = (program("ip")?, program("nsenter")?);
        let mut shell = Command::new(program("unshare")?);
        shell.args(["-n", "sh", "-c", "echo there; read -r go; exec \"$@\"", "sh"]);
        shell.arg(command.get_program()).args(command.get_args());
        let mut child = Owned(shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(Skip::new)?);
        let output = child.stdout.take().ok_or_else(|| Skip::new("the neighbour has no output"))?;
        let mut neighbour = Neighbour { child, output: BufReader::new(output) };
        neighbour.line().ok_or_else(|| Skip::new("the neighbour has ended"))?;
        let there = neighbour.child.id().to_string();
        let cable = ["link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", &there];
        run(Command::new(&ip).args(cable))?;
        let at_home = |words: &[&str]| Command::new(&ip).args(words).output();
        let there = |words: &[&str]| Command::new(&nsenter).args(["-t", &there, "-n", "ip"]).args(words).output();
        let ends: [(&str, &Ip<'_>); 2] = [("fe80::1/64", &at_home), ("fe80::2/64", &there)];
        for (address, ip) in ends {
            succeeded(ip(&["addr", "add", address, "dev", "cable", "nodad"]))?;
            succeeded(ip(&["link", "set", "cable", "up"]))?;
        }
        for (_, ip) in ends {
            until_up(ip)?;
        }
        let input = neighbour.child.stdin.as_mut().ok_or_else(|| Skip::new("the neighbour has no input"))?;
        input.write_all(b"\n").map_err(Skip::new)?;
        Ok(neighbour)
    }

    /// The next line that it prints; `None` when it has ended.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).ok().filter(|bytes| *bytes > 0).map(|_| line)
    }
}

/// Runs `ip` in some network.
type Ip<'a> = dyn Fn(&[&str]) -> io::Result<Output> + 'a;

/// Nothing goes over a cable in the moment after it was plugged in.
fn until_up(ip: &Ip<'_>) -> Result<(), Skip> {
    let deadline = Instant::now() + PLUGGED;
    while Instant::now() < deadline {
        let said = ip(&["link", "show", "cable"]).map_err(Skip::new)?;
        if String::from_utf8_lossy(&said.stdout).contains("state UP") {
            return Ok(());
        }
    }
    Err(Skip::new("the cable between two networks does not come up"))
}

fn run(command: &mut Command) -> Result<(), Skip> {
    succeeded(command.stdin(Stdio::null()).output())
}

fn succeeded(output: io::Result<Output>) -> Result<(), Skip> {
    let output = output.map_err(Skip::new)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Skip::new(String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// Becomes another program; returns only when that fails.
#[cfg(unix)]
fn replace(mut command: Command) -> Skip {
    use std::os::unix::process::CommandExt;
    Skip::new(command.exec())
}

#[cfg(not(unix))]
fn replace(_command: Command) -> Skip {
    Skip::new("this system has no network namespaces")
}
