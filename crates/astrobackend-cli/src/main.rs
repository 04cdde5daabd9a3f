//! The command as a program; everything is in the library beside it, which the Python package runs too.

use std::process::ExitCode;

fn main() -> ExitCode {
    astrobackend_cli::run(std::env::args_os().collect()).into()
}
