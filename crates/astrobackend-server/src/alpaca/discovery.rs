//! Answers the question for Alpaca servers, on a port that all servers of a computer share.

use super::{access, options::Access};
use astrobackend::{
    Error, Result,
    wire::alpaca::discovery::{GROUP, LONGEST, is_question, print_answer},
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};
use tokio::{net::UdpSocket, sync::watch};

/// Interfaces whose IPv6 group is joined: their numbers are small, and a number without an interface is refused.
const INTERFACES: u32 = 64;

/// Whom to answer, and what.
#[derive(Clone, Debug)]
struct Answering {
    port: u16,
    /// The server can be reached from this computer only.
    loopback: bool,
    access: Access,
}

/// Begins to answer with the port of a server; within a runtime.
///
/// # Errors
/// `Io` when the port cannot be shared.
pub(super) fn start(port: u16, server: SocketAddr, access: &Access, stopped: watch::Receiver<bool>) -> Result<()> {
    let ip = server.ip().to_canonical();
    let answering = Answering { port: server.port(), loopback: ip.is_loopback(), access: access.clone() };
    let cannot = |error| Error::io(format_args!("cannot answer to discovery on UDP port {port}"), error);
    // Who is told of a server must be able to reach it by the same protocol.
    if ip.is_ipv4() || ip.is_unspecified() {
        let socket = open(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port).map_err(cannot)?;
        tokio::spawn(answer(socket, answering.clone(), stopped.clone()));
    }
    if ip.is_ipv6() {
        let socket = open(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port).map_err(cannot)?;
        tokio::spawn(answer(socket, answering, stopped));
    }
    Ok(())
}

fn open(on: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let domain = if on.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    if on.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(on, port).into())?;
    if on.is_ipv6() {
        // Not in the line that logs: its arguments are looked at only when it is logged.
        let joined = (0..INTERFACES).filter(|interface| socket.join_multicast_v6(&GROUP, *interface).is_ok()).count();
        log::debug!("discovery: the IPv6 group is joined on {joined} interfaces");
    }
    UdpSocket::from_std(socket.into())
}

async fn answer(socket: UdpSocket, answering: Answering, mut stopped: watch::Receiver<bool>) {
    let text = print_answer(answering.port);
    let mut packet = [0; LONGEST];
    loop {
        let received = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            received = socket.recv_from(&mut packet) => received,
        };
        match received {
            Ok((length, asking)) if is_question(&packet[..length]) && answering.answers(asking.ip()) => {
                if let Err(error) = socket.send_to(text.as_bytes(), asking).await {
                    log::debug!("discovery: {asking} cannot be answered: {error}");
                }
            }
            Ok(_) => {}
            // That an earlier answer could not be delivered is told here.
            Err(error) => log::debug!("discovery: {error}"),
        }
    }
}

impl Answering {
    fn answers(&self, asking: IpAddr) -> bool {
        let reaches = !self.loopback || asking.to_canonical().is_loopback();
        reaches && access::is_allowed(&self.access, asking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_server_is_not_told_to_others() {
        let mut answering = Answering { port: 1, loopback: true, access: Access::default() };
        assert!(answering.answers([127, 0, 0, 1].into()) && !answering.answers([192, 168, 1, 5].into()));
        answering.loopback = false;
        assert!(answering.answers([192, 168, 1, 5].into()));
        answering.access.networks = vec!["10.0.0.0/8".parse().unwrap()];
        assert!(!answering.answers([192, 168, 1, 5].into()));
    }
}
