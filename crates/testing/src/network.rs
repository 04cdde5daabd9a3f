//! A network of the test's own: servers without an option to stay on loopback reach nobody, and any port is free.

use crate::{Skip, program};
use std::process::{Command, Stdio};

/// Marks the process that already lives in its own network.
const INSIDE: &str = "ASTROBACKEND_PRIVATE_NETWORK";

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

fn run(command: &mut Command) -> Result<(), Skip> {
    let output = command.stdin(Stdio::null()).output().map_err(Skip::new)?;
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
