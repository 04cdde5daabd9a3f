//! `serve indi`: offers the devices to INDI clients, until interrupted.

use super::serve::{Doors, exposed, names, until_told};
use crate::context::Context;
use astrobackend::Result;
use astrobackend_server::indi::{Options, Server};
use std::net::SocketAddr;

/// Arguments of `serve indi`.
#[derive(clap::Args, Debug)]
pub(crate) struct IndiArgs {
    /// Address and port to listen on; one beyond this computer needs --open, since the protocol knows no passwords
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7624")]
    listen: SocketAddr,
    #[command(flatten)]
    doors: Doors,
}

/// Serves until Ctrl-C or SIGTERM.
pub(super) fn run(ctx: &Context, args: &IndiArgs) -> Result<()> {
    let options = Options {
        listen: args.listen,
        open: args.doors.open,
        read_only: args.doors.read_only,
        networks: args.doors.allow.clone(),
        ..Options::default()
    };
    let server = Server::start_all(exposed(ctx)?, options)?;
    let (text, object) = names("indi", server.address(), &server.devices());
    until_told(ctx, args.doors.open, &[args.listen], text, object)?;
    server.stop();
    Ok(())
}
