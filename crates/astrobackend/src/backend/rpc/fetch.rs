//! Pictures of our server: on a connection of their own, so that nobody waits behind them.

use super::{connection::Connection, handle::Handle, socket::Greeted};
use crate::{
    Error, ErrorKind, Image, Result, Wait,
    backend::tcp,
    wait::Deadline,
    wire::rpc::{Incoming, Line, PictureHead, bytes_of_mut, request_line, room},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{io::ErrorKind as IoKind, time::Duration};

/// The largest picture that is taken in, bytes.
const LIMIT: u64 = 8 << 30;

/// What a server has for letting go of a picture that has been fetched.
const LETTING_GO: Duration = Duration::from_secs(1);

/// What was fetched.
#[derive(Debug)]
pub(super) enum Fetched {
    /// The picture that has the tag which was known.
    Same,
    /// Another one, and its tag.
    New(Box<Image>, String),
}

/// Fetches the last picture unless it is the one that is known; `take` lets the server let it go once it is here.
pub(super) fn fetch(handle: &Handle, known: Option<&str>, take: bool) -> Result<Fetched> {
    let connection: &Connection = &handle.connection;
    if let Some(why) = connection.lost() {
        return Err(why);
    }
    let (server, policy) = (connection.server(), connection.policy());
    let deadline = Deadline::after(policy.image);
    let mut greeted = server.greet(policy.timeout.min(policy.image))?;
    if greeted.greeting.instance != connection.greeting().instance {
        return Err(Error::new(ErrorKind::Unreachable, "the server was started anew"));
    }
    let request = request(handle, 1, known, take && known.is_some())?;
    let late = |error: std::io::Error| match error.kind() {
        IoKind::WouldBlock | IoKind::TimedOut if deadline.has_passed() => Error::timeout("the picture", policy.image),
        IoKind::WouldBlock | IoKind::TimedOut => Error::timeout("a part of the picture", policy.stall),
        _ => Error::new(ErrorKind::Unreachable, format!("the picture was cut off: {error}")),
    };
    tcp::write_all(&greeted.stream, &request, &deadline).map_err(late)?;
    let answer = answer(&mut greeted, &deadline, policy.image, late)?;
    if answer["same"] == Value::Bool(true) {
        return Ok(Fetched::Same);
    }
    let head = PictureHead::deserialize(&answer)
        .map_err(|error| Error::protocol(format!("the picture is announced in words that nobody knows: {error}")))?;
    let mut pixels = room(&head, LIMIT)?;
    let bytes = bytes_of_mut(&mut pixels);
    let early = greeted.lines.take_rest();
    let mut filled = early.len().min(bytes.len());
    bytes[..filled].copy_from_slice(&early[..filled]);
    while filled < bytes.len() {
        filled +=
            super::socket::receive(&greeted.stream, &mut bytes[filled..], &deadline, policy.stall).map_err(late)?;
    }
    let tag = head.tag.clone();
    let image = head.picture(pixels)?;
    if take {
        // The picture is here, whatever becomes of this.
        let limit = LETTING_GO.min(deadline.remaining());
        let outcome = Wait::new(limit).within(|| let_go(handle, &mut greeted, &tag));
        outcome.unwrap_or_else(|error| log::debug!("a picture stays at its server: {error}"));
    }
    Ok(Fetched::New(Box::new(image), tag))
}

fn request(handle: &Handle, id: u64, known: Option<&str>, take: bool) -> Result<Vec<u8>> {
    let params = json!({ "device": handle.id.name, "known": known, "take": take });
    request_line("camera_get_image", id, Some(&params))
}

/// Waits for the answer to a request, which a server may have to fetch first.
fn answer(
    greeted: &mut Greeted,
    deadline: &Deadline,
    limit: Duration,
    late: impl Fn(std::io::Error) -> Error,
) -> Result<Value> {
    loop {
        let incoming = match greeted.lines.next_line() {
            Some(Line::Whole(line)) => Some(Incoming::parse(line)),
            Some(Line::TooLong) => return Err(super::socket::too_long()),
            None => None,
        };
        match incoming {
            Some(Incoming::Answer(_, outcome)) => return outcome,
            Some(_) => {}
            None => greeted.receive(deadline, limit).map_err(&late)?,
        }
    }
}

/// Has the server let go of a picture that was received.
fn let_go(handle: &Handle, greeted: &mut Greeted, tag: &str) -> Result<()> {
    let deadline = Deadline::after(LETTING_GO);
    let late = |error: std::io::Error| Error::new(ErrorKind::Unreachable, format!("it was not let go: {error}"));
    tcp::write_all(&greeted.stream, &request(handle, 2, Some(tag), true)?, &deadline).map_err(late)?;
    answer(greeted, &deadline, LETTING_GO, late).map(drop)
}
