//! `discover`: the servers that there are, whatever framework they speak.

use crate::context::Context;
use astrobackend::{
    FRAMEWORKS, Framework, Result,
    backend::alpaca::{self, Found},
    wire::alpaca::discovery,
};
use serde_json::json;
use std::time::Duration;

/// Which networks to search, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seconds to wait for answers
    #[arg(short, long, value_name = "SECONDS", default_value_t = 2.0)]
    wait: f64,

    /// UDP port that Alpaca servers are asked on
    #[arg(long, value_name = "PORT", default_value_t = discovery::PORT)]
    alpaca_port: u16,

    /// Alpaca server to look at besides, beyond a router for instance
    #[arg(long, value_name = "HOST:PORT", env = alpaca::SERVERS_VARIABLE, value_delimiter = ',')]
    alpaca_server: Vec<String>,
}

/// Searches, and lists what there is; of a server that does not answer, why.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let wait = Duration::try_from_secs_f64(args.wait.clamp(0.1, 60.0)).unwrap_or(Duration::from_secs(2));
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    let mut add = |framework: &str, address: String, name: Option<String>, devices: Result<Vec<String>>| {
        let text = devices.as_ref().map_or_else(|why| format!("does not answer: {why}"), |names| names.join(", "));
        rows.push(vec![framework.to_owned(), address.clone(), name.clone().unwrap_or_default(), text]);
        let (names, error) = (devices.as_ref().ok(), devices.as_ref().err().map(ToString::to_string));
        objects.push(json!({
            "framework": framework, "address": address, "name": name, "devices": names, "error": error,
        }));
    };
    for framework in FRAMEWORKS.iter().filter(|framework| framework.built_in) {
        if framework.name == "ALPACA" {
            for server in alpaca::servers(wait, args.alpaca_port, &args.alpaca_server)? {
                let Found { address, name, devices, .. } = server;
                let names = devices.map(|devices| devices.into_iter().map(|(_, name)| name).collect());
                add(framework.name, address.to_string(), name, names);
            }
        } else {
            others(framework, wait, &mut add)?;
        }
    }
    ctx.out.table(&["framework", "address", "name", "devices"], &rows, json!({ "servers": objects }))
}

/// Frameworks whose servers are only known by where they usually are.
fn others(
    framework: &Framework,
    wait: Duration,
    add: &mut impl FnMut(&str, String, Option<String>, Result<Vec<String>>),
) -> Result<()> {
    for address in framework.discover(wait)? {
        let devices = framework.open(&address).and_then(|backend| backend.devices());
        let names = devices.map(|infos| infos.into_iter().map(|info| info.id.name).collect());
        add(framework.name, address.to_string(), None, names);
    }
    Ok(())
}
