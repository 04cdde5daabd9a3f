//! `completions`: for bash, zsh, fish, elvish and PowerShell.

use crate::{args::Cli, output};
use astrobackend::Result;
use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints them; made in memory first, because the generator panics on a closed pipe.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "astrobackend", &mut script);
    output::to_stdout(&String::from_utf8_lossy(&script))
}
