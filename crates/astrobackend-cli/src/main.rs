//! The `astrobackend` command: point, focus and expose through any astronomy framework.
//!
//! Each verb is a file in `cmd`; what they share is opening devices and Ctrl-C ([`context`]), what goes
//! to stdout and stderr ([`output`], [`progress`]), device state as JSON ([`json`]), the forms of
//! arguments ([`values`]), and exit codes ([`exit`]).

mod args;
mod cmd;
mod context;
mod exit;
mod json;
mod output;
mod progress;
mod values;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let output = output::Output::new(&cli.global);
    let cancel = context::cancel_on_interrupt();
    let done = context::Context::new(&cli.global, output, cancel.clone()).and_then(|ctx| cmd::run(cli.verb, &ctx));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let code = if cancel.is_cancelled() { exit::INTERRUPTED } else { exit::code(error.kind()) };
            output.error(&error, code);
            ExitCode::from(code)
        }
    }
}
