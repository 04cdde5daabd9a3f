//! From a request to its reply: paths, access, parameters, status codes.
//!
//! 200 is what was understood, done or not; 400 with a text is what was not. Nothing here knows a device kind.

use super::{
    access, actions,
    body::Body,
    dispatch, management,
    options::{Access, Limits, Options},
    pictures,
    registry::Registry,
    served::Served,
    setup,
};
use crate::calls::Calls;
use astrobackend::{
    Error, Result,
    device::DeviceKind,
    wire::alpaca::{
        Member, Verb,
        extensions::FRAME_TYPE,
        image_bytes::MEDIA_TYPE,
        member,
        reply::{self, Transaction, Value},
        request::{Argument, Arguments, ClientIds, Parameters, Path, parse_path},
    },
};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};
use tokio::time;

/// The longest body of a request, bytes.
const BODY: usize = 64 * 1024;

/// Looks at the list of devices that have not come back.
const LISTING: usize = 4;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// What all connections share.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) registry: Arc<Registry>,
    pub(super) location: String,
    access: Access,
    pub(super) limits: Limits,
    /// Looks at which devices there are; a backend that hangs must not take all threads.
    pub(super) listing: Arc<Calls>,
    /// Reachable from this computer only.
    loopback: bool,
    transactions: AtomicU32,
}

/// A reply before it is HTTP.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    media: &'static str,
    body: Body,
    gzip: bool,
    /// ASCOM's number of the error within, for the log.
    error: u32,
}

impl Reply {
    fn json(body: Vec<u8>) -> Self {
        Reply { status: StatusCode::OK, media: JSON, body: Body::whole(body), gzip: false, error: 0 }
    }

    fn refused(status: StatusCode, why: &str) -> Self {
        Reply { status, media: TEXT, body: Body::whole(why.to_owned()), gzip: false, error: 0 }
    }

    fn html(page: String) -> Self {
        Reply { media: HTML, body: Body::whole(page), ..Reply::json(Vec::new()) }
    }
}

/// What was not understood.
impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Reply::refused(StatusCode::BAD_REQUEST, &error.to_string())
    }
}

impl Service {
    pub(super) fn new(registry: Registry, options: &Options, address: SocketAddr) -> Self {
        Service {
            registry: Arc::new(registry),
            location: options.location.clone(),
            access: options.access.clone(),
            limits: options.limits,
            listing: Calls::new(LISTING),
            loopback: address.ip().to_canonical().is_loopback(),
            transactions: AtomicU32::new(1),
        }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
        let begun = Instant::now();
        let (head, body) = request.into_parts();
        let reply = self.reply(peer, &head, body).await.unwrap_or_else(|refused| refused);
        let (status, error) = (reply.status.as_u16(), reply.error);
        log::debug!("{peer} {} {} {status} {error:#x} {:.2?}", head.method, head.uri.path(), begun.elapsed());
        respond(reply)
    }

    async fn reply(&self, peer: SocketAddr, head: &Parts, body: Incoming) -> Result<Reply, Reply> {
        access::check(&self.access, self.loopback, peer, &head.headers)
            .map_err(|(status, why)| Reply::refused(status, why))?;
        let verb = match head.method {
            Method::GET => Verb::Get,
            Method::PUT => Verb::Put,
            _ => return Err(Reply::refused(StatusCode::METHOD_NOT_ALLOWED, "only GET and PUT have a meaning here")),
        };
        let form = if verb == Verb::Put { self.read(body).await? } else { Bytes::new() };
        let parameters = match verb {
            Verb::Get => Parameters::of_query(head.uri.query().unwrap_or_default()),
            Verb::Put => Parameters::of_form(&form),
        };
        match (parse_path(head.uri.path())?, verb) {
            (Path::Member { kind, number, name }, _) => {
                self.member(kind, number, verb, name, parameters, &head.headers).await
            }
            (Path::Setup, Verb::Get) => Ok(Reply::html(setup::list(self))),
            (Path::DeviceSetup { kind, number }, Verb::Get) => {
                let served = self.registry.find(kind, number)?;
                Ok(Reply::html(setup::device(&served).await))
            }
            (management, Verb::Get) => {
                let ids = self.number(parameters.ids()?);
                Ok(Reply::json(management::answer(self, management, ids).await))
            }
            _ => Err(Reply::refused(StatusCode::METHOD_NOT_ALLOWED, "this can only be read, with GET")),
        }
    }

    /// The form of a PUT.
    async fn read(&self, body: Incoming) -> Result<Bytes, Reply> {
        match time::timeout(self.limits.body, Limited::new(body, BODY).collect()).await {
            Ok(Ok(form)) => Ok(form.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                Err(Reply::refused(StatusCode::PAYLOAD_TOO_LARGE, "the body of a request has at most 64 KiB"))
            }
            Ok(Err(_)) => Err(Reply::refused(StatusCode::BAD_REQUEST, "the body of the request broke off")),
            Err(_) => Err(Reply::refused(StatusCode::REQUEST_TIMEOUT, "the body of the request did not come")),
        }
    }

    /// The numbers of a request; those of the server begin at 1 again after the largest.
    fn number(&self, ids: ClientIds) -> Transaction {
        let server = match self.transactions.fetch_add(1, Ordering::Relaxed) {
            0 => self.transactions.fetch_add(1, Ordering::Relaxed),
            number => number,
        };
        Transaction { client: ids.transaction, server }
    }

    async fn member(
        &self,
        kind: DeviceKind,
        number: u32,
        verb: Verb,
        name: &str,
        parameters: Parameters<'_>,
        headers: &HeaderMap,
    ) -> Result<Reply, Reply> {
        let member = member(kind, verb, name).ok_or_else(|| no_member(kind, verb, name))?;
        let served = self.registry.find(kind, number)?;
        let ids = parameters.ids()?;
        let arguments = read_arguments(member, parameters)?;
        if self.access.read_only && verb == Verb::Put && !changes_nothing(&served, member, &arguments).await {
            return Err(Reply::refused(StatusCode::FORBIDDEN, "this server can only be read"));
        }
        let ids = self.number(ids);
        if matches!(member.name, "imagearray" | "imagearrayvariant") {
            return Ok(image(&served, ids, headers).await);
        }
        let outcome = dispatch::call(&served, member, arguments).await;
        let error = outcome.as_ref().err().map_or(0, |error| error.kind().ascom_code());
        Ok(Reply { error, ..Reply::json(reply::print(member.returns, &outcome, ids)) })
    }
}

fn no_member(kind: DeviceKind, verb: Verb, name: &str) -> Error {
    let (verb, other) = if verb == Verb::Get { ("GET", Verb::Put) } else { ("PUT", Verb::Get) };
    let hint = if member(kind, other, name).is_some() { ", only the other way round" } else { "" };
    Error::not_found(format!("a {} has no {verb} {name:?}{hint}", kind.alpaca_name()))
}

fn read_arguments(member: &Member, parameters: Parameters<'_>) -> Result<Arguments> {
    let mut arguments = parameters.arguments(member)?;
    if member.name == "startexposure"
        && let Some(frame_type) = parameters.text(FRAME_TYPE)?
    {
        arguments.0.push(Argument::Text(frame_type.into_owned()));
    }
    Ok(arguments)
}

/// True for a PUT that a server that can only be read answers nevertheless: without, no client could begin.
async fn changes_nothing(served: &Arc<Served>, member: &Member, arguments: &Arguments) -> bool {
    let connects = match member.name {
        "action" => return arguments.text(0).is_ok_and(|name| actions::only_reads(&name)),
        "connect" => true,
        "connected" => arguments.bool(0).unwrap_or(false),
        _ => false,
    };
    let connected = dispatch::read(served, "connected", |served| served.device()?.device().is_connected());
    connects && connected.await.unwrap_or(false)
}

/// The picture, as ImageBytes for those who take them; errors are JSON for everybody.
async fn image(served: &Arc<Served>, ids: Transaction, headers: &HeaderMap) -> Reply {
    let picture = match pictures::load(served).await {
        Ok(picture) => picture,
        Err(error) => {
            let error = error.on(&served.id);
            let number = error.kind().ascom_code();
            return Reply { error: number, ..Reply::json(reply::print_image_error(&error, ids)) };
        }
    };
    if accepts(headers, header::ACCEPT, MEDIA_TYPE) {
        return Reply { media: MEDIA_TYPE, body: Body::image_bytes(&picture, ids), ..Reply::json(Vec::new()) };
    }
    let gzip = accepts(headers, header::ACCEPT_ENCODING, "gzip");
    Reply { body: Body::json(&picture, ids, gzip), gzip, ..Reply::json(Vec::new()) }
}

/// True when one of a header's values begins with this word and is not ruled out.
fn accepts(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| {
        let mut parts = value.split(';').map(str::trim);
        let named = parts.next().is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|quality| quality.parse().ok());
        named && quality.unwrap_or(1.0) > 0.0
    })
}

fn respond(reply: Reply) -> Response<Body> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.media));
    if reply.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if reply.media == HTML {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(setup::POLICY));
    }
    match reply.status {
        StatusCode::UNAUTHORIZED => {
            let realm = HeaderValue::from_static("Basic realm=\"astrobackend\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, realm);
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, PUT"));
        }
        _ => {}
    }
    response
}

/// What a device's members answer, for those who need no HTTP.
pub(super) async fn look(served: &Arc<Served>, name: &'static str) -> Result<Value> {
    let member = member(served.id.kind, Verb::Get, name);
    let member = member.ok_or_else(|| Error::protocol(format!("{name} is not known")))?;
    dispatch::call(served, member, Arguments::default()).await
}
