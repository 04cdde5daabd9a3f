//! Pictures of our server: on a connection of their own, so that nobody waits behind them.

use super::{connection::Connection, handle::Handle};
use crate::{
    Error, ErrorKind, Image, Result,
    backend::tcp,
    wait::Deadline,
    wire::rpc::{Incoming, Line, PictureHead, bytes_of_mut, request_line, room},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::ErrorKind as IoKind;

/// The largest picture that is taken in, bytes.
const LIMIT: u64 = 8 << 30;

/// What was fetched.
#[derive(Debug)]
pub(super) enum Fetched {
    /// The picture that has the tag which was known.
    Same,
    /// Another one, and its tag.
    New(Box<Image>, String),
}

/// Fetches the last picture unless it is the one that is known; `take` lets the server let it go.
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
    let params = json!({ "device": handle.id.name, "known": known, "take": take });
    let request = request_line("camera_get_image", 1, Some(&params))?;
    let late = |error: std::io::Error| match error.kind() {
        IoKind::WouldBlock | IoKind::TimedOut if deadline.has_passed() => Error::timeout("the picture", policy.image),
        IoKind::WouldBlock | IoKind::TimedOut => Error::timeout("a part of the picture", policy.stall),
        _ => Error::new(ErrorKind::Unreachable, format!("the picture was cut off: {error}")),
    };
    tcp::write_all(&greeted.stream, &request, &deadline).map_err(late)?;
    let answer = loop {
        let answer = match greeted.lines.next_line() {
            Some(Line::Whole(line)) => Some(Incoming::parse(line)),
            Some(Line::TooLong) => return Err(super::socket::too_long()),
            None => None,
        };
        match answer {
            Some(Incoming::Answer(_, outcome)) => break outcome?,
            Some(_) => {}
            // The server may have to fetch it first.
            None => greeted.receive(&deadline, policy.image).map_err(late)?,
        }
    };
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
    Ok(Fetched::New(Box::new(head.picture(pixels)?), tag))
}
