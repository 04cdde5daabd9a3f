//! The command line: options of all verbs, and the verbs.

use crate::{cmd, exit, output::Output, values};
use astrobackend::{Error, ErrorKind};
use clap::{Args, Parser, Subcommand};
use std::{ffi::OsString, path::PathBuf, time::Duration};

const EXAMPLES: &str = "\
Examples:
  astrobackend -b sim:// expose --target \"05:35:17.3 -05:23:28\" --filter Ha --seconds 5 --preview
  astrobackend --backend indi://pi.local devices
  astrobackend --rig rig.toml --device @guide expose --seconds 2 --count 10
  PYASTROBACKEND=sim:// astrobackend filter Ha

";

/// Point, focus and expose through any astronomy framework: INDI, ASCOM, Alpaca, RPC, or a simulated observatory.
#[derive(Debug, Parser)]
#[command(name = "astrobackend", version, max_term_width = 110)]
#[command(after_help = after_help())]
pub(crate) struct Cli {
    /// Options of all verbs.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Reads the command line; says what is wrong with it, as JSON if it asks for that, and gives the exit code.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Cli, u8> {
    Cli::try_parse_from(&arguments).map_err(|wrong| {
        let json = arguments.iter().take_while(|word| *word != "--").any(|word| word == "--json");
        // Help and the version are asked for, not wrong.
        if !json || !wrong.use_stderr() {
            wrong.exit();
        }
        let code = exit::code(ErrorKind::InvalidValue);
        Output::of_json().error(&Error::invalid(in_a_line(&wrong.render().to_string())), code);
        code
    })
}

/// What clap says in paragraphs, without its references to the help.
fn in_a_line(text: &str) -> String {
    let text = text.trim_start().trim_start_matches("error: ");
    let what = text.split("\n\nUsage:").next().unwrap_or(text).split("\n\nFor more information").next().unwrap_or(text);
    let paragraphs = what.split("\n\n").map(|lines| lines.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("; ")
}

fn after_help() -> String {
    format!("{EXAMPLES}{}", exit::HELP)
}

/// Options that come before or after any verb.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options of all verbs")]
pub(crate) struct Global {
    /// Backend to use: an address such as sim:// or indi://pi:7624, or a name such as INDI
    /// [default: the rig's devices, else PYASTROBACKEND, else ASCOM on Windows and INDI elsewhere]
    #[arg(long, short, global = true, value_name = "ADDRESS|NAME")]
    pub(crate) backend: Option<String>,
    /// Rig file: roles of devices, site, optics, observer
    #[arg(long, global = true, value_name = "FILE", env = "ASTROBACKEND_RIG")]
    pub(crate) rig: Option<PathBuf>,
    /// Device to use instead of the only one of its kind; give it once for each kind
    #[arg(long, short, global = true, value_name = "NAME|ADDRESS|@ROLE")]
    pub(crate) device: Vec<String>,
    /// Answer with JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Longest wait for a motion [default: 300], for cooling [default: 1800], and for a picture after
    /// its exposure [default: 120], and for a raw property or its answer [default: 2]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = values::seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Option<Duration>,
    /// Return as soon as a motion or cooling has started; `expose` always waits
    #[arg(long, global = true)]
    pub(crate) no_wait: bool,
    /// No progress and no warnings
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about each step
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// What to do. A verb without its argument shows the state.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List the frameworks that can be opened
    Backends,
    /// Look for servers on all networks
    Discover(cmd::discover::Args),
    /// List the devices
    Devices,
    /// Show all that is known about a device
    Info(cmd::info::Args),
    /// Take pictures
    Expose(Box<cmd::expose::Args>),
    /// Make a stretched PNG of a FITS file, and show its statistics
    Preview(cmd::preview::Args),
    /// Show or change the filter
    Filter(cmd::filter::Args),
    /// Show or change the focuser's position
    Focus(cmd::focus::Args),
    /// Show where the mount points, or move it
    Slew(cmd::slew::Args),
    /// Tell the mount where it points
    Sync(cmd::sync::Args),
    /// Park the mount
    Park,
    /// Unpark the mount
    Unpark,
    /// Show or change how the mount follows the sky
    Track(cmd::track::Args),
    /// Stop everything that moves, and exposures
    Stop,
    /// Show the sensor's temperature, or cool it
    Cool(cmd::cool::Args),
    /// Show what happens, until interrupted
    Watch(cmd::watch::Args),
    /// Read, change and watch raw INDI properties
    #[command(subcommand)]
    Props(cmd::props::Verb),
    /// Look after rig files
    #[command(subcommand)]
    Rig(cmd::rig::Verb),
    /// Offer the devices to programs of other frameworks
    #[command(subcommand)]
    Serve(Box<cmd::serve::Verb>),
    /// A simulated observatory for the tests of other programs
    #[command(subcommand)]
    Sim(Box<cmd::sim::Verb>),
    /// Print the completions for a shell
    Completions(cmd::completions::Args),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn wrong_usage_is_said_in_a_line() {
        let said = |args: &[&str]| in_a_line(&Cli::try_parse_from(args).unwrap_err().render().to_string());
        assert_eq!(
            said(&["astrobackend", "expose", "--bining", "2"]),
            "unexpected argument '--bining' found; tip: a similar argument exists: '--binning'"
        );
        assert!(said(&["astrobackend", "slew", "25:00:00 10:00:00"]).ends_with("is not within 0 to 24 hours"));
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
