//! The `astrobackend` command: point, focus and expose through any astronomy framework.
//!
//! Each verb is a file in `cmd`; what they share is opening devices and Ctrl-C (`context`), what goes
//! to stdout and stderr (`output`, `progress`), device state as JSON (`json`), the forms of
//! arguments (`values`), and exit codes (`exit`).

mod args;
mod cmd;
mod context;
mod exit;
mod json;
mod output;
mod progress;
mod values;

use std::ffi::OsString;

/// Runs the command with its arguments, the program's name first, and gives its exit code; see the table in
/// `astrobackend --help`.
///
/// It is for a process of its own: it takes Ctrl-C for itself, writes to stdout and stderr, and may end the process.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let cli = match args::parse(arguments) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let output = output::Output::new(&cli.global);
    let cancel = context::cancel_on_interrupt();
    let done = context::Context::new(&cli.global, output, cancel.clone()).and_then(|ctx| cmd::run(cli.verb, &ctx));
    match done {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => exit::DONE,
        Err(error) => {
            let code = if cancel.is_cancelled() { exit::INTERRUPTED } else { exit::code(error.kind()) };
            output.error(&error, code);
            code
        }
    }
}
