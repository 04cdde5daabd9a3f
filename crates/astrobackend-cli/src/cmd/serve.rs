//! `serve`: offers the devices to programs of other frameworks, until interrupted.

use super::{
    serve_indi::{self, IndiArgs},
    serve_rpc::{self, RpcArgs},
};
use crate::{context::Context, output::Output};
use astrobackend::{
    Backend, Error, Result,
    device::{DeviceId, DeviceInfo},
};
use astrobackend_server::alpaca::{Access, Exposed, Login, Offered, Options, Running, Server, default_state_file};
use ipnet::IpNet;
use serde_json::{Value, json};
use std::{fs, net::SocketAddr, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

/// What the devices are offered as.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Verb {
    /// As ASCOM Alpaca devices, for N.I.N.A., SharpCap, PHD2 and other Alpaca programs
    Alpaca(AlpacaArgs),
    /// As the JSON RPC of the Python Astroimaging Suite, for programs on pyastrobackend's RPC
    Rpc(RpcArgs),
    /// As INDI devices, for KStars, PHD2, CCDciel and other INDI clients
    Indi(IndiArgs),
}

/// Arguments of `serve alpaca`.
#[derive(clap::Args, Debug)]
pub(crate) struct AlpacaArgs {
    /// Address and port to listen on; one beyond this computer needs --user or --open
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:11111")]
    listen: SocketAddr,
    /// UDP port on which programs ask for servers
    #[arg(long, value_name = "PORT|off", default_value = "32227")]
    discovery_port: Discovery,
    /// User that clients must name (HTTP Basic; few Alpaca programs can)
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,
    /// File with the password of that user
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// Let everybody who can reach the address use the devices
    #[arg(long, conflicts_with = "user")]
    open: bool,
    /// Let clients look, not change anything
    #[arg(long)]
    read_only: bool,
    /// Network that clients may come from, as in 192.168.1.0/24; may be given more than once [default: all]
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    allow: Vec<IpNet>,
    /// File that keeps the numbers and identities of the devices [default: in the user's folder for state]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// A port, or none.
#[derive(Clone, Copy, Debug)]
struct Discovery(Option<u16>);

impl FromStr for Discovery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Discovery(None)),
            _ => {
                text.parse().map(|port| Discovery(Some(port))).map_err(|_| format!("{text:?} is no port, and not off"))
            }
        }
    }
}

/// A network, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let single = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| single()).map_err(|_| format!("{text:?} is no network such as 192.168.1.0/24"))
}

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn run(ctx: &Context, verb: &Verb) -> Result<()> {
    log_to(ctx.out);
    match verb {
        Verb::Alpaca(args) => alpaca(ctx, args),
        Verb::Rpc(args) => serve_rpc::run(ctx, args),
        Verb::Indi(args) => serve_indi::run(ctx, args),
    }
}

fn alpaca(ctx: &Context, args: &AlpacaArgs) -> Result<()> {
    let server = Server::start_all(exposed(ctx)?, options(args)?)?;
    if let Some(problem) = server.discovery_problem() {
        ctx.out.warn(problem);
    }
    let (text, object) = describe(&server, args);
    until_told(ctx, args.open, &[args.listen], text, object)?;
    server.stop();
    Ok(())
}

/// What servers of protocols without passwords take from the command line.
#[derive(clap::Args, Debug)]
pub(super) struct Doors {
    /// Let everybody who can reach the address use the devices
    #[arg(long)]
    pub(super) open: bool,
    /// Let clients look, not change anything
    #[arg(long)]
    pub(super) read_only: bool,
    /// Network that clients may come from, as in 192.168.1.0/24; may be given more than once [default: all]
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(super) allow: Vec<IpNet>,
}

/// Says what is served, and waits until Ctrl-C or SIGTERM.
pub(super) fn until_told(ctx: &Context, open: bool, listen: &[SocketAddr], text: String, object: Value) -> Result<()> {
    if open && listen.iter().any(|address| !address.ip().is_loopback()) {
        ctx.out.note("everybody who can reach this address can use the devices: move the mount, start exposures");
    }
    ctx.out.data(text, object)?;
    while !ctx.cancel.wait(Duration::from_secs(3600)) {}
    ctx.out.note("stopping: what is under way is finished");
    Ok(())
}

/// What a server whose devices have names alone tells of itself.
pub(super) fn names(scheme: &str, address: SocketAddr, devices: &[DeviceInfo]) -> (String, Value) {
    let lines: Vec<_> = devices.iter().map(|info| format!("  {}: {}", info.id.kind, info.id.name)).collect();
    let text = format!("serving {} devices at {scheme}://{address}\n{}", devices.len(), lines.join("\n"));
    let devices: Vec<_> = devices.iter().map(|info| json!({ "kind": info.id.kind, "name": info.id.name })).collect();
    (text, json!({ "listening": address.to_string(), "devices": devices }))
}

fn options(args: &AlpacaArgs) -> Result<Options> {
    let login = match (&args.user, &args.password_file) {
        (Some(user), Some(file)) => Some(Login { user: user.clone(), password: password(file)? }),
        _ => None,
    };
    Ok(Options {
        listen: args.listen,
        discovery: args.discovery_port.0,
        access: Access { login, open: args.open, read_only: args.read_only, networks: args.allow.clone() },
        state_file: args.state.clone().or_else(default_state_file),
        ..Options::default()
    })
}

/// The first line of the file.
fn password(file: &PathBuf) -> Result<String> {
    let text = fs::read_to_string(file)
        .map_err(|error| Error::io(format_args!("the password file {} cannot be read", file.display()), error))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(password) => Ok(password.to_owned()),
        None => Err(Error::invalid(format!("the password file {} has no password", file.display()))),
    }
}

/// All devices of the backend, also those that appear later; or those that are named, or that the rig has.
pub(super) fn exposed(ctx: &Context) -> Result<Vec<Exposed>> {
    let members = ctx.chosen()?;
    if ctx.named.is_empty() && members.iter().all(|member| member.role.is_none()) {
        return Ok(ctx.session.backends()?.into_iter().map(Exposed::all).collect());
    }
    let mut chosen: Vec<(Arc<dyn Backend>, Vec<DeviceId>)> = Vec::new();
    for member in members {
        let backend = member.backend();
        match chosen.iter_mut().find(|(known, _)| Arc::ptr_eq(known, backend)) {
            Some((_, ids)) if ids.contains(&member.info.id) => {}
            Some((_, ids)) => ids.push(member.info.id),
            None => chosen.push((backend.clone(), vec![member.info.id])),
        }
    }
    Ok(chosen.into_iter().map(|(backend, ids)| Exposed::only(backend, ids)).collect())
}

fn describe(server: &Running, args: &AlpacaArgs) -> (String, Value) {
    let (address, devices) = (server.address(), server.devices());
    let line = |offered: &Offered| format!("  {} {}: {}", offered.kind.alpaca_name(), offered.number, offered.name);
    let lines: Vec<_> = devices.iter().map(line).collect();
    let text = format!("serving {} devices at http://{address}\n{}", devices.len(), lines.join("\n"));
    let device = |offered: &Offered| {
        json!({
            "type": offered.kind.alpaca_name(),
            "number": offered.number,
            "name": offered.name,
            "unique_id": offered.unique_id,
            "backend": offered.backend,
        })
    };
    let devices: Vec<_> = devices.iter().map(device).collect();
    let discovery = args.discovery_port.0.filter(|_| server.discovery_problem().is_none());
    (text, json!({ "listening": address.to_string(), "discovery_port": discovery, "devices": devices }))
}

/// Shows what the server logs: warnings always, requests with --verbose.
pub(super) fn log_to(out: Output) {
    if log::set_boxed_logger(Box::new(Logger(out))).is_ok() {
        log::set_max_level(if out.is_verbose() { log::LevelFilter::Debug } else { log::LevelFilter::Warn });
    }
}

struct Logger(Output);

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("astrobackend")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.note(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_ports_are_read_or_refused() {
        assert_eq!(network("192.168.1.0/24").unwrap().to_string(), "192.168.1.0/24");
        assert_eq!(network("::1").unwrap().to_string(), "::1/128");
        assert!(network("192.168.1.0/33").unwrap_err().contains("no network"));
        assert_eq!("off".parse::<Discovery>().unwrap().0, None);
        assert_eq!("32228".parse::<Discovery>().unwrap().0, Some(32228));
        assert!("no".parse::<Discovery>().is_err());
    }
}
