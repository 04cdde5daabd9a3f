//! A server: its connections, its requests, and whether it is there.
//!
//! Connections are kept and used again; each request in flight has one of its own, so that a device that does not
//! answer holds up nobody else.
//!
//! What is tried again, and what is not: a GET changes nothing, so it is sent once more when the connection could not
//! be made or ended before the reply began, which is what a server does that restarts or that closes idle
//! connections. A PUT is sent once more only when no connection was made, for then nothing can have happened; so that
//! an idle connection that the server has just closed does not get in its way, a PUT takes only connections
//! that were used a moment ago and still are open. After a timeout nothing is tried again: a server that hangs would
//! only hang twice as long.

use super::{
    arriving,
    http::{Connection, Fault, Limit, Reply},
    policy::Policy,
    pool::Pool,
};
use crate::{
    Address, Error, Image, Result,
    backend::{
        interfaces::is_transport,
        keeping::{Keeper, Keeping, Kept, LinkState},
        tcp::{self, is_late},
    },
    event::Hub,
    sync::lock,
    wait::{Deadline, rest},
    wire::alpaca::{answer, form::Form, image_bytes::MEDIA_TYPE},
};
use serde_json::Value;
use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Requests of one state that are under way at the same time.
const LANES: usize = 6;

/// How long ago a connection may have been used to be good for a PUT.
const FRESH: Duration = Duration::from_secs(2);

/// The pause before a request is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// How many times a call's limit a server may take to begin sending a picture: some work on it for long.
const IMAGE_HEAD: u32 = 4;

/// The longest reply that is no picture. Its values may take forty times as much memory.
pub(super) const LONGEST_BODY: usize = 4 << 20;

/// A server.
#[derive(Debug)]
pub(super) struct Server {
    host: String,
    port: u16,
    pub(super) policy: Policy,
    /// The lines of the head that are always the same.
    lines: String,
    client: u32,
    transactions: AtomicU32,
    pool: Pool,
    /// The address that answered last.
    found: Mutex<Option<SocketAddr>>,
    pub(super) link: Arc<LinkState>,
    pub(super) keeper: Keeper,
}

/// `host:port`
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Server {
    pub(super) fn new(host: &str, port: u16, policy: Policy, hub: Arc<Hub>) -> Self {
        // The zone of a link-local address is this machine's own business.
        let name = host.split('%').next().unwrap_or_default();
        let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
        let mut lines = format!("Host: {name}:{port}\r\nUser-Agent: astrobackend/{}\r\n", env!("CARGO_PKG_VERSION"));
        if let Some((user, password)) = &policy.user {
            let secret = base64_simd::STANDARD.encode_to_string(format!("{user}:{password}"));
            lines.push_str(&format!("Authorization: Basic {secret}\r\n"));
        }
        Server {
            host: host.to_owned(),
            port,
            policy,
            lines,
            client: client_id(),
            transactions: AtomicU32::new(1),
            pool: Pool::default(),
            found: Mutex::default(),
            link: Arc::new(LinkState::new(hub, None)),
            keeper: Keeper::default(),
        }
    }

    /// The address of the server, without a device.
    pub(super) fn address(&self) -> Address {
        Address::new("alpaca").with_host(self.host.clone(), Some(self.port))
    }

    /// Reads a member: its value.
    pub(super) fn get(&self, path: &str, form: &Form) -> Result<Value> {
        read_value(self.exchange(Verb::Get, path, form, self.policy.call))
    }

    /// Changes something; the value of the few members that answer one.
    pub(super) fn put(&self, path: &str, form: &Form, limit: Duration) -> Result<Value> {
        read_value(self.exchange(Verb::Put, path, form, limit))
    }

    /// The whole reply of a request that went well.
    pub(super) fn whole(&self, put: bool, path: &str, form: &Form) -> Result<Value> {
        let verb = if put { Verb::Put } else { Verb::Get };
        let (status, body) = self.exchange(verb, path, form, self.policy.call)?;
        let whole = serde_json::from_slice(&body);
        // Looks for the error that the reply may tell, and at replies that are none.
        let value = read_value(Ok((status, body)));
        match whole {
            Ok(whole) => value.map(|_| whole),
            Err(error) => value.and(Err(Error::protocol(format!("{path} answers what is no JSON: {error}")))),
        }
    }

    /// Reads a page that need not be a reply of Alpaca's: status and body.
    pub(super) fn page(&self, path: &str) -> Result<(u16, Vec<u8>)> {
        self.exchange(Verb::Get, path, &Form::new(), self.policy.call)
    }

    /// Reads several members, some at the same time.
    pub(super) fn get_many(&self, paths: &[(String, Form)]) -> Vec<Result<Value>> {
        let mut left = paths;
        let mut values = Vec::with_capacity(paths.len());
        while !left.is_empty() {
            let lanes = if self.pool.is_crowded() { 1 } else { LANES.min(left.len()) };
            let (now, later) = left.split_at(lanes);
            let told = self.get_lanes(now);
            let failed = told.iter().filter_map(|value| value.as_ref().err()).find(|error| is_transport(error));
            let failed = failed.cloned();
            values.extend(told);
            left = later;
            // One that is not answered stands for all that would be asked after it.
            if let Some(error) = failed {
                values.resize_with(paths.len(), || Err(error.clone()));
                break;
            }
        }
        values
    }

    fn get_lanes(&self, paths: &[(String, Form)]) -> Vec<Result<Value>> {
        if let [(path, form)] = paths {
            return vec![self.get(path, form)];
        }
        let mut limit = Limit::of(self.policy.call, &self.pool, true);
        let era = self.link.era();
        let mut failure = self.link.check().err();
        let asked: Vec<_> = paths
            .iter()
            .map(|(path, form)| {
                // One connection that cannot be made stands for all.
                if let Some(failure) = &failure {
                    return Err(Error::clone(failure));
                }
                let sent = self.connection(Verb::Get, limit.deadline()).and_then(|mut connection| {
                    connection.send(&self.request(Verb::Get, path, form, "application/json"), &limit)?;
                    Ok(connection)
                });
                match sent {
                    Ok(connection) => Ok(Some(connection)),
                    Err(Fault::Refused(_) | Fault::HungUp(_)) => Ok(None),
                    Err(fault) => Err(failure.insert(self.lost(fault, path, era)).clone()),
                }
            })
            .collect();
        let mut again = |path: &str, form: &Form| match &failure {
            Some(failure) => Err(failure.clone()),
            None => {
                let value = self.get(path, form);
                failure = value.as_ref().err().filter(|error| is_transport(error)).cloned();
                value
            }
        };
        let replies = asked.into_iter().zip(paths).map(|(asked, (path, form))| {
            let Some(connection) = asked? else { return again(path, form) };
            match self.receive(connection, &mut limit) {
                Ok(reply) => read_value(Ok(reply)),
                Err(Fault::HungUp(_)) => again(path, form),
                Err(fault) => Err(self.lost(fault, path, era)),
            }
        });
        replies.collect()
    }

    /// One request and its reply: status and body.
    fn exchange(&self, verb: Verb, path: &str, form: &Form, limit: Duration) -> Result<(u16, Vec<u8>)> {
        let era = self.link.era();
        let mut limit = Limit::of(limit, &self.pool, verb == Verb::Get);
        let reply = self.answered(verb, path, form, "application/json", &mut limit)?;
        self.rest_of(reply, &mut limit).map_err(|fault| self.lost(fault, path, era))
    }

    /// Sends a request, again if that is safe, until a reply begins.
    fn answered(&self, verb: Verb, path: &str, form: &Form, accept: &str, limit: &mut Limit<'_>) -> Result<Reply> {
        let era = self.link.era();
        self.link.check()?;
        let request = self.request(verb, path, form, accept);
        let mut tried = false;
        loop {
            let mut reused = false;
            let reply = self.connection(verb, limit.deadline()).and_then(|mut connection| {
                reused = connection.reused;
                connection.send(&request, limit)?;
                connection.reply(limit)
            });
            let fault = match reply {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault,
            };
            let safe = matches!((&fault, verb), (Fault::Refused(_), _) | (Fault::HungUp(_), Verb::Get));
            if !safe || tried {
                return Err(self.lost(fault, path, era));
            }
            if !reused {
                tried = true;
                rest(PAUSE);
            }
            // What has been idle for as long as that one is closed as well.
            self.pool.clear();
        }
    }

    fn receive(&self, connection: Connection, limit: &mut Limit<'_>) -> Result<(u16, Vec<u8>), Fault> {
        let reply = connection.reply(limit)?;
        self.rest_of(reply, limit)
    }

    fn rest_of(&self, mut reply: Reply, limit: &mut Limit<'_>) -> Result<(u16, Vec<u8>), Fault> {
        let body = reply.all(LONGEST_BODY, limit)?;
        let status = reply.status;
        self.pool.keep(reply);
        Ok((status, body))
    }

    fn request(&self, verb: Verb, path: &str, form: &Form, accept: &str) -> Vec<u8> {
        let transaction = self.transactions.fetch_add(1, Ordering::Relaxed);
        let form = form.clone().with("ClientID", self.client).with("ClientTransactionID", transaction.max(1));
        let form = form.as_str();
        let lines = &self.lines;
        let end = if self.pool.is_crowded() { "Connection: close\r\n" } else { "" };
        match verb {
            Verb::Get => format!("GET {path}?{form} HTTP/1.1\r\n{lines}{end}Accept: {accept}\r\n\r\n"),
            Verb::Put => format!(
                "PUT {path} HTTP/1.1\r\n{lines}{end}Accept: {accept}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            ),
        }
        .into_bytes()
    }

    /// A connection that is kept, or a new one.
    fn connection(&self, verb: Verb, deadline: &Deadline) -> Result<Connection, Fault> {
        match self.pool.take() {
            Some(kept) if verb == Verb::Get || kept.idle() < FRESH && kept.is_alive() => Ok(kept),
            _ => self.connect(deadline),
        }
    }

    /// Connects to the address that answered last, else to the first one that does.
    fn connect(&self, deadline: &Deadline) -> Result<Connection, Fault> {
        let timeout = self.policy.connect;
        let deadline = Deadline::after(timeout.min(deadline.remaining()));
        let known = *lock(&self.found);
        if let Some(address) = known
            && let Ok(connection) = Connection::open(&address, &deadline, timeout)
        {
            return Ok(connection);
        }
        let mut fault = Fault::Refused(std::io::Error::new(std::io::ErrorKind::NotFound, "its name has no address"));
        let late = || Fault::late(format!("has a name whose address was not found within {timeout:.1?}"));
        let addresses = tcp::resolve(&self.host, self.port, &deadline);
        for address in addresses.map_err(|why| if is_late(&why) { late() } else { Fault::Refused(why) })? {
            match Connection::open(&address, &deadline, timeout) {
                Ok(connection) => {
                    *lock(&self.found) = Some(address);
                    return Ok(connection);
                }
                Err(why) => fault = why,
            }
        }
        *lock(&self.found) = None;
        Err(fault)
    }

    /// The error for the caller. A server that nobody can connect to is lost; after any other failure of the way to it
    /// the keeper asks it, since a request that goes wrong may be that request's fault.
    fn lost(&self, fault: Fault, path: &str, era: u64) -> Error {
        let refused = matches!(fault, Fault::Refused(_));
        let garbled = matches!(fault, Fault::Garbled(_) | Fault::Ended);
        let error = fault.at(self, path);
        if refused && self.link.lose_in(era, &error) {
            self.pool.clear();
        }
        if !garbled && !self.link.is_keeper() {
            self.keeper.wake();
        }
        error
    }

    /// Loads a picture, in whatever form the server has it.
    pub(super) fn image(&self, path: &str) -> Result<Image> {
        let (call, total, stall) = (self.policy.call, self.policy.image, self.policy.stall);
        let (begun, era) = (Instant::now(), self.link.era());
        let mut limit = Limit::of((call * IMAGE_HEAD).min(total), &self.pool, false);
        let accept = format!("{MEDIA_TYPE}, application/json");
        let mut reply = self.answered(Verb::Get, path, &Form::new(), &accept, &mut limit)?;
        limit.watch(total.saturating_sub(begun.elapsed()), stall);
        let image = if reply.status != 200 {
            reply.all(LONGEST_BODY, &mut limit).map(|body| Err(answer::refusal(reply.status, &body)))
        } else if reply.media.contains("imagebytes") || reply.media == "application/octet-stream" {
            arriving::bytes(&mut reply, &mut limit)
        } else {
            arriving::array(&mut reply, &mut limit)
        };
        let image = image.map_err(|fault| self.lost(fault, path, era))?;
        self.pool.keep(reply);
        image
    }
}

impl Kept for Server {
    fn link(&self) -> &Arc<LinkState> {
        &self.link
    }

    fn keeping(&self) -> Keeping {
        self.policy.keeping
    }

    /// Asks the server, and none of its drivers: whatever it answers, it is there.
    fn probe(&self) -> Option<Result<()>> {
        self.pool.clear();
        Some(self.page("/management/apiversions").map(drop))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verb {
    Get,
    Put,
}

fn read_value(reply: Result<(u16, Vec<u8>)>) -> Result<Value> {
    match reply? {
        (200, body) => answer::parse(&body),
        (status, body) => Err(answer::refusal(status, &body)),
    }
}

/// Marks this program among a server's clients; not zero.
fn client_id() -> u32 {
    // 16 bits, since some drivers keep it in an int of theirs.
    (std::process::id() & 0xFFFF).max(1)
}
