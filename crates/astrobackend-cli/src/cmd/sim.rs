//! `sim serve`: one simulated observatory, in which things may go wrong, for the tests of programs of other frameworks.

use crate::context::Context;
use astrobackend::{Address, Backend, Result};
use astrobackend_server::{alpaca, indi, rpc};
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf, str::FromStr, sync::Arc};

/// What is done with the simulated observatory.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Verb {
    /// Offer one observatory as Alpaca, RPC and INDI devices at once, with faults if wanted
    Serve(ServeArgs),
}

/// Arguments of `sim serve`.
#[derive(clap::Args, Debug)]
pub(crate) struct ServeArgs {
    /// Options of the simulator, as in "sensor=imx455&speed=10"
    #[arg(long, value_name = "OPTIONS", default_value = "")]
    options: String,
    /// File that says what goes wrong, and when
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Where the ASCOM Alpaca server listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT|off", default_value = "127.0.0.1:11111")]
    alpaca: Door,
    /// Where the RPC server listens
    #[arg(long, value_name = "ADDRESS:PORT|off", default_value = "127.0.0.1:8800")]
    rpc: Door,
    /// Where the INDI server listens
    #[arg(long, value_name = "ADDRESS:PORT|off", default_value = "127.0.0.1:7624")]
    indi: Door,
    /// UDP port on which Alpaca programs ask for servers
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    discovery_port: Option<u16>,
    /// Let everybody who can reach the addresses use the devices
    #[arg(long)]
    open: bool,
}

/// An address to listen on, or none.
#[derive(Clone, Copy, Debug)]
struct Door(Option<SocketAddr>);

impl FromStr for Door {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Door(None)),
            _ => text
                .parse()
                .map(|at| Door(Some(at)))
                .map_err(|_| format!("{text:?} is no address with a port, nor off")),
        }
    }
}

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn run(ctx: &Context, verb: &Verb) -> Result<()> {
    let Verb::Serve(args) = verb;
    super::serve::log_to(ctx.out);
    let observatory = astrobackend::open(&address(args)?.to_string())?;
    let servers = Servers::start(&observatory, args)?;
    let lines: Vec<_> = servers.addresses().iter().map(|(name, address)| format!("  {name}: {address}")).collect();
    let text = format!("serving {observatory}\n{}", lines.join("\n"));
    let object = json!({
        "observatory": observatory.to_string(),
        "alpaca": servers.alpaca.as_ref().map(|server| server.address().to_string()),
        "rpc": servers.rpc.as_ref().map(|server| server.address().to_string()),
        "indi": servers.indi.as_ref().map(|server| server.address().to_string()),
    });
    let doors: Vec<_> = [args.alpaca, args.rpc, args.indi].iter().filter_map(|door| door.0).collect();
    super::serve::until_told(ctx, args.open, &doors, text, object)?;
    servers.stop();
    Ok(())
}

/// The observatory's address.
fn address(args: &ServeArgs) -> Result<Address> {
    let address: Address = format!("sim://?{}", args.options).parse()?;
    Ok(match &args.faults {
        Some(faults) => address.with_option("faults", faults.to_string_lossy()),
        None => address,
    })
}

/// The servers over one observatory.
struct Servers {
    alpaca: Option<alpaca::Running>,
    rpc: Option<rpc::Running>,
    indi: Option<indi::Running>,
}

impl Servers {
    fn start(observatory: &Arc<dyn Backend>, args: &ServeArgs) -> Result<Self> {
        let alpaca = |listen| {
            let access = alpaca::Access { open: args.open, ..Default::default() };
            // Identities come with the observatory: nothing has to be kept for the next time.
            let options = alpaca::Options {
                listen,
                discovery: args.discovery_port,
                access,
                state_file: None,
                ..Default::default()
            };
            alpaca::Server::start(observatory.clone(), options)
        };
        let rpc = |listen| {
            let options = rpc::Options { listen, open: args.open, ..Default::default() };
            rpc::Server::start(observatory.clone(), options)
        };
        let indi = |listen| {
            let options = indi::Options { listen, open: args.open, ..Default::default() };
            indi::Server::start(observatory.clone(), options)
        };
        Ok(Servers {
            alpaca: args.alpaca.0.map(alpaca).transpose()?,
            rpc: args.rpc.0.map(rpc).transpose()?,
            indi: args.indi.0.map(indi).transpose()?,
        })
    }

    fn addresses(&self) -> Vec<(&'static str, String)> {
        let alpaca = self.alpaca.as_ref().map(|server| ("Alpaca", format!("http://{}", server.address())));
        let rpc = self.rpc.as_ref().map(|server| ("RPC", format!("rpc://{}", server.address())));
        let indi = self.indi.as_ref().map(|server| ("INDI", format!("indi://{}", server.address())));
        [alpaca, rpc, indi].into_iter().flatten().collect()
    }

    fn stop(self) {
        if let Some(server) = self.alpaca {
            server.stop();
        }
        if let Some(server) = self.rpc {
            server.stop();
        }
        if let Some(server) = self.indi {
            server.stop();
        }
    }
}
