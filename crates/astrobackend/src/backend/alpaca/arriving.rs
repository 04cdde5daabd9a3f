//! A picture out of the body of a reply, while it arrives.

use super::{
    http::{Fault, Limit, Reply},
    server::LONGEST_BODY,
};
use crate::{
    Error, Image, Result,
    wire::alpaca::{
        answer,
        array::Array,
        columns::Columns,
        image_bytes::{HEADER, Header},
    },
};

/// Bytes of a JSON picture that are read at once.
const PIECE: usize = 256 << 10;

/// Reads an ImageBytes body, its pixels straight to where they are turned into rows.
pub(super) fn bytes(reply: &mut Reply, limit: &mut Limit<'_>) -> Result<Result<Image>, Fault> {
    let announced = reply.length();
    let mut head = [0; HEADER];
    read_exactly(reply, &mut head, limit)?;
    let header = match Header::parse(&head) {
        Ok(header) => header,
        Err(error) => return Ok(Err(error)),
    };
    let mut between = vec![0; header.data_start - HEADER];
    read_exactly(reply, &mut between, limit)?;
    let Some(shape) = header.shape else {
        let text = reply.all(LONGEST_BODY, limit)?;
        return Ok(Err(answer::image_error(&header, &text)));
    };
    let expected = header.data_start as u64 + shape.bytes();
    if announced.is_some_and(|announced| announced != expected) {
        let message = format!("sent {announced:?} bytes for a picture of {}x{}", shape.width, shape.height);
        return Ok(Err(Error::protocol(message)));
    }
    let mut columns = match Columns::new(&shape) {
        Ok(columns) => columns,
        Err(error) => return Ok(Err(error)),
    };
    columns.receive(|space| reply.read(space, limit))?;
    // In chunks, the last one is still to be read.
    reply.read(&mut [0], limit)?;
    Ok(columns.finish())
}

fn read_exactly(reply: &mut Reply, into: &mut [u8], limit: &mut Limit<'_>) -> Result<(), Fault> {
    let mut filled = 0;
    while filled < into.len() {
        match reply.read(&mut into[filled..], limit)? {
            0 => return Err(Fault::Garbled("sent less than the header of a picture".into())),
            bytes => filled += bytes,
        }
    }
    Ok(())
}

/// Reads a JSON body with a picture, or with an error.
pub(super) fn array(reply: &mut Reply, limit: &mut Limit<'_>) -> Result<Result<Image>, Fault> {
    let (mut array, mut piece) = (Array::new(), vec![0; PIECE]);
    loop {
        match reply.read(&mut piece, limit)? {
            0 => return Ok(array.finish()),
            bytes => {
                if let Err(error) = array.push(&piece[..bytes]) {
                    return Ok(Err(error));
                }
            }
        }
    }
}
