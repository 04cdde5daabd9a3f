//! `serve rpc`: offers the devices to programs of the Python Astroimaging Suite, until interrupted.

use super::serve::{Doors, exposed, names, until_told};
use crate::context::Context;
use astrobackend::Result;
use astrobackend_server::rpc::{Options, Server};
use std::{net::SocketAddr, path::PathBuf};

/// Arguments of `serve rpc`.
#[derive(clap::Args, Debug)]
pub(crate) struct RpcArgs {
    /// Address and port to listen on; one beyond this computer needs --open, since the protocol knows no passwords
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8800")]
    listen: SocketAddr,
    #[command(flatten)]
    doors: Doors,
    /// Folder below which clients may save pictures
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Leave the devices as they are instead of connecting them, which the original's clients cannot
    #[arg(long)]
    no_connect: bool,
}

/// Serves until Ctrl-C or SIGTERM.
pub(super) fn run(ctx: &Context, args: &RpcArgs) -> Result<()> {
    let options = Options {
        listen: args.listen,
        open: args.doors.open,
        read_only: args.doors.read_only,
        networks: args.doors.allow.clone(),
        folder: args.folder.clone(),
        connect: !args.no_connect,
        ..Options::default()
    };
    let server = Server::start_all(exposed(ctx)?, options)?;
    let (text, object) = names("rpc", server.address(), &server.devices());
    until_told(ctx, args.doors.open, &[args.listen], text, object)?;
    server.stop();
    Ok(())
}
