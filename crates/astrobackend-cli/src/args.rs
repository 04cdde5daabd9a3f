//! The command line: options of all verbs, and the verbs.

use crate::{cmd, exit, values};
use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, time::Duration};

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
    /// Print the completions for a shell
    Completions(cmd::completions::Args),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
