//! `serve indi`: offers the devices to INDI clients, until interrupted.

use super::serve::{exposed, network};
use crate::context::Context;
use astrobackend::Result;
use astrobackend_server::indi::{Options, Running, Server};
use ipnet::IpNet;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

/// Arguments of `serve indi`.
#[derive(clap::Args, Debug)]
pub(crate) struct IndiArgs {
    /// Address and port to listen on; one beyond this computer needs --open, since the protocol knows no passwords
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7624")]
    listen: SocketAddr,
    /// Let everybody who can reach the address use the devices
    #[arg(long)]
    open: bool,
    /// Let clients look, not change anything
    #[arg(long)]
    read_only: bool,
    /// Network that clients may come from, as in 192.168.1.0/24; may be given more than once [default: all]
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    allow: Vec<IpNet>,
}

/// Serves until Ctrl-C or SIGTERM.
pub(super) fn run(ctx: &Context, args: &IndiArgs) -> Result<()> {
    let options = Options {
        listen: args.listen,
        open: args.open,
        read_only: args.read_only,
        networks: args.allow.clone(),
        ..Options::default()
    };
    let server = Server::start_all(exposed(ctx)?, options)?;
    if args.open && !args.listen.ip().is_loopback() {
        ctx.out.note("everybody who can reach this address can use the devices: move the mount, start exposures");
    }
    let (text, object) = describe(&server);
    ctx.out.data(text, object)?;
    while !ctx.cancel.wait(Duration::from_secs(3600)) {}
    ctx.out.note("stopping: what is under way is sent");
    server.stop();
    Ok(())
}

fn describe(server: &Running) -> (String, Value) {
    let (address, devices) = (server.address(), server.devices());
    let lines: Vec<_> = devices.iter().map(|info| format!("  {}: {}", info.id.kind, info.id.name)).collect();
    let text = format!("serving {} devices at indi://{address}\n{}", devices.len(), lines.join("\n"));
    let devices: Vec<_> = devices.iter().map(|info| json!({ "kind": info.id.kind, "name": info.id.name })).collect();
    (text, json!({ "listening": address.to_string(), "devices": devices }))
}
