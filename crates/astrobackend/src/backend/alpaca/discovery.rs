//! Finding servers: everybody is asked by UDP, on every network that this machine is in.
//!
//! IPv4 by the broadcast address of each network, since the general one leaves by one interface only; IPv6 by its
//! group on each interface. Links from point to point (tunnels, telephones) are left out: nobody to find there, and
//! some cost money. Servers beyond routers are found only if they are named.

use super::{devices, policy::Policy, server::Server};
use crate::{
    Address, Error, Result,
    backend::tcp::{is_late, patience},
    event::Hub,
    wait::{Deadline, Wait, ended, inherit},
    wire::alpaca::{PORT, answer, discovery},
};
use if_addrs::{IfAddr, Interface};
use socket2::{Domain, Socket, Type};
use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

/// Servers to look at besides those that answer: `host:port`, several with commas between.
pub const SERVERS_VARIABLE: &str = "ASTROBACKEND_ALPACA_SERVERS";

/// How often the question is repeated: packets get lost.
const TIMES: u32 = 2;

/// The most servers that are looked at; more answers than a network has servers are somebody's joke.
const MOST_SERVERS: usize = 256;

/// The most answers that are taken in on each network, with those of servers that answer twice.
const MOST_ANSWERS: usize = 4 * MOST_SERVERS;

/// A server that answered, or that was named.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it is.
    pub address: Address,
    /// What it calls itself.
    pub name: Option<String>,
    /// The addresses and names of its devices, or why it does not tell them.
    pub devices: Result<Vec<(Address, String)>>,
    /// The identities of its devices, by which one server is known on several networks.
    identities: Vec<String>,
}

impl Found {
    /// True when one of its devices has this identity.
    pub fn has(&self, identity: &str) -> bool {
        self.identities.iter().any(|known| known.eq_ignore_ascii_case(identity))
    }
}

/// Looks for servers, for a while: those that answer on a UDP port, and those named.
///
/// Takes as long as that, and as long again for servers that answer the question and nothing else.
///
/// # Errors
/// None for a network without servers; `Unreachable` when this machine's networks cannot be read.
pub fn servers(timeout: Duration, port: u16, named: &[String]) -> Result<Vec<Found>> {
    let mut places: Vec<(String, u16)> = named.iter().filter_map(|server| place(server)).collect();
    for address in ask(timeout, port)? {
        let place = (host(&address), address.port());
        if places.len() < MOST_SERVERS && !places.contains(&place) {
            places.push(place);
        }
    }
    let limit = timeout.clamp(Duration::from_millis(500), Duration::from_secs(5));
    let looks: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            places.iter().map(|(host, port)| scope.spawn(inherit(move || look(host, *port, limit)))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    // What the caller's own limit has cut short is no list.
    if ended().is_some() { Err(Error::timeout("looking for servers", timeout)) } else { Ok(once_each(looks)) }
}

/// The servers in the environment.
pub(super) fn named_by_environment() -> Vec<String> {
    let list = std::env::var(SERVERS_VARIABLE).unwrap_or_default();
    list.split(',').map(str::trim).filter(|server| !server.is_empty()).map(str::to_owned).collect()
}

/// `host`, `host:port` or `[v6]:port`
fn place(server: &str) -> Option<(String, u16)> {
    let address: Address = format!("alpaca://{server}").parse().ok()?;
    Some((address.host()?.to_owned(), address.port().unwrap_or(PORT)))
}

/// What a server says of itself.
fn look(host: &str, port: u16, limit: Duration) -> Found {
    let policy = Policy { connect: limit, call: limit, ..Policy::default() };
    let server = Server::new(host, port, policy, Arc::new(Hub::default()));
    let address = server.address();
    let (listed, name) = Wait::new(limit)
        .within(|| {
            let listed = devices::list(&server)?;
            Ok((listed, name(&server)))
        })
        .map_or_else(|why| (Err(why), None), |(listed, name)| (Ok(listed), name));
    let identities = listed.iter().flatten().filter_map(|device| device.unique_id.clone()).collect();
    let devices = listed.map(|listed| {
        let device = |device: devices::Listed| {
            let path = format!("{}/{}", device.kind.alpaca_name(), device.number);
            (address.clone().with_path(path), device.name)
        };
        listed.into_iter().map(device).collect()
    });
    Found { address, name, devices, identities }
}

fn name(server: &Server) -> Option<String> {
    let (status, body) = server.page("/management/v1/description").ok()?;
    let mut value = answer::parse(&body).ok().filter(|_| status == 200)?;
    answer::take(value.as_object_mut()?, "ServerName").as_ref().and_then(answer::text)
}

/// One server answers on each of its networks: the first address stays, IPv4 before IPv6.
fn once_each(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|server| server.address.host().is_some_and(|host| host.contains(':')));
    let mut known = BTreeSet::new();
    found.retain(|server| {
        server.identities.is_empty() || known.insert((server.address.port(), server.identities.clone()))
    });
    found
}

/// The host of an answer, with the zone that a link-local address needs.
fn host(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 && v6.ip().is_unicast_link_local() => {
            format!("{}%{}", v6.ip(), v6.scope_id())
        }
        _ => address.ip().to_string(),
    }
}

/// Asks on every network, and collects the answers.
fn ask(timeout: Duration, port: u16) -> Result<BTreeSet<SocketAddr>> {
    let unreadable = |why: io::Error| {
        Error::new(crate::ErrorKind::Unreachable, format!("this machine's networks cannot be read: {why}"))
    };
    let questions = questions(&if_addrs::get_if_addrs().map_err(unreadable)?, port);
    let deadline = Deadline::after(timeout);
    let pause = timeout / (TIMES + 1);
    let answers = std::thread::scope(|scope| {
        let collect = |(socket, to): (UdpSocket, Vec<SocketAddr>)| move || collect(&socket, &to, deadline, pause);
        let threads: Vec<_> = questions.into_iter().map(|question| scope.spawn(inherit(collect(question)))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    Ok(answers)
}

/// For each network a socket, and where its question goes. A network that does not let us is left out.
fn questions(interfaces: &[Interface], port: u16) -> Vec<(UdpSocket, Vec<SocketAddr>)> {
    let mut groups = BTreeSet::new();
    let question = |interface: &Interface| match &interface.addr {
        IfAddr::V4(v4) => {
            let everybody = match (v4.ip.is_loopback(), v4.broadcast) {
                // The first reaches all servers that share the port, the second those on systems without the first.
                (true, _) => vec![Ipv4Addr::new(127, 255, 255, 255), Ipv4Addr::LOCALHOST],
                (false, Some(broadcast)) if v4.prefixlen < 31 => vec![broadcast],
                (false, _) => return None,
            };
            let socket = UdpSocket::bind((v4.ip, 0)).ok()?;
            socket.set_broadcast(true).ok()?;
            Some((socket, everybody.into_iter().map(|ip| (ip, port).into()).collect()))
        }
        IfAddr::V6(v6) => {
            let index = interface.index.filter(|index| groups.insert(*index))?;
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, None).ok()?;
            socket.set_only_v6(true).ok()?;
            socket.set_multicast_if_v6(index).ok()?;
            socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into()).ok()?;
            let here = v6.ip.is_loopback().then_some(IpAddr::V6(Ipv6Addr::LOCALHOST));
            let everybody = [IpAddr::V6(discovery::GROUP)].into_iter().chain(here);
            Some((socket.into(), everybody.map(|ip| (ip, port).into()).collect()))
        }
    };
    interfaces.iter().filter(|interface| !interface.is_p2p()).filter_map(question).collect()
}

fn collect(socket: &UdpSocket, to: &[SocketAddr], deadline: Deadline, pause: Duration) -> Vec<SocketAddr> {
    let mut answers = Vec::new();
    for time in 1..=TIMES {
        for everybody in to {
            // No route, a firewall: others may still answer.
            let _ = socket.send_to(discovery::QUESTION, everybody);
        }
        let until = if time == TIMES { deadline } else { Deadline::after(pause.min(deadline.remaining())) };
        receive(socket, until, &mut answers);
    }
    answers
}

fn receive(socket: &UdpSocket, deadline: Deadline, answers: &mut Vec<SocketAddr>) {
    let mut packet = [0; discovery::LONGEST];
    while answers.len() < MOST_ANSWERS {
        let left = deadline.pause();
        if left.is_zero() || socket.set_read_timeout(Some(patience(left))).is_err() {
            return;
        }
        match socket.recv_from(&mut packet) {
            Ok((length, mut from)) => {
                if let Some(port) = discovery::parse_answer(&packet[..length]) {
                    from.set_port(port);
                    answers.push(from);
                }
            }
            // Somebody refused our question: others may still answer.
            Err(why) if why.kind() == io::ErrorKind::ConnectionRefused || is_late(&why) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_by_host_and_port() {
        assert_eq!(place("pi"), Some(("pi".into(), PORT)));
        assert_eq!(place("10.0.0.5:6800"), Some(("10.0.0.5".into(), 6800)));
        assert_eq!(place("[::1]:6800"), Some(("::1".into(), 6800)));
        assert_eq!(place("a b"), None);
    }

    #[test]
    fn a_server_on_two_networks_is_one() {
        let found = |host: &str, port, identity: &str| Found {
            address: Address::new("alpaca").with_host(host, Some(port)),
            name: None,
            devices: Ok(Vec::new()),
            identities: vec![identity.to_owned()],
        };
        let found = once_each(vec![found("::1", 1, "a"), found("127.0.0.1", 1, "a"), found("127.0.0.1", 2, "a")]);
        let hosts: Vec<_> = found.iter().map(|server| server.address.to_string()).collect();
        assert_eq!(hosts, ["alpaca://127.0.0.1:1", "alpaca://127.0.0.1:2"]);
    }
}
