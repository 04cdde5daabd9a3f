//! Bodies of replies: what is in memory anyway, or text that is made while it is sent.

use super::picture::{self, Picture};
use astrobackend::wire::alpaca::{
    image_bytes::{HEADER, Header},
    json_image::JsonImage,
    reply::Transaction,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::body::{Frame, SizeHint};
use std::{
    convert::Infallible,
    io::Write,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// The body of a reply.
#[derive(Debug)]
pub(super) enum Body {
    /// One or two pieces that are there; hyper writes them with the head in one call.
    Pieces([Bytes; 2]),
    /// A picture as text.
    Json(Box<JsonBody>),
}

impl Body {
    /// In one piece.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Body::Pieces([bytes.into(), Bytes::new()])
    }

    /// A picture as ImageBytes: the pixels are not copied.
    pub(super) fn image_bytes(picture: &Arc<Picture>, ids: Transaction) -> Self {
        let header = Header {
            client_transaction: ids.client,
            server_transaction: ids.server,
            data_start: HEADER,
            error: 0,
            shape: Some(picture.shape()),
        };
        Body::Pieces([header.print().to_vec().into(), picture::bytes(picture)])
    }

    /// A picture as JSON.
    pub(super) fn json(picture: &Arc<Picture>, ids: Transaction, gzip: bool) -> Self {
        let shape = picture.shape();
        let printer = JsonImage::new(shape.height as usize, shape.planes as usize, ids);
        let gzip = gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        Body::Json(Box::new(JsonBody { picture: picture.clone(), printer, gzip }))
    }

    fn next(&mut self) -> Option<Bytes> {
        match self {
            Body::Pieces(pieces) => pieces.iter_mut().find(|piece| !piece.is_empty()).map(std::mem::take),
            // Printing and packing take long: others are answered meanwhile.
            Body::Json(json) => tokio::task::block_in_place(|| json.next()),
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Pieces(pieces) if pieces.iter().all(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Pieces(pieces) => SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum()),
            Body::Json(_) => SizeHint::default(),
        }
    }
}

/// A picture that is printed, and compressed, while it is sent.
#[derive(Debug)]
pub(super) struct JsonBody {
    picture: Arc<Picture>,
    printer: JsonImage,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl JsonBody {
    fn next(&mut self) -> Option<Bytes> {
        loop {
            let mut text = Vec::new();
            if !self.printer.piece(self.picture.pixels(), self.picture.array_type(), &mut text) {
                return self.gzip.take()?.finish().ok().map(Bytes::from);
            }
            let Some(gzip) = &mut self.gzip else { return Some(text.into()) };
            // Writing to memory does not fail.
            gzip.write_all(&text).ok()?;
            let packed = std::mem::take(gzip.get_mut());
            if !packed.is_empty() {
                return Some(packed.into());
            }
        }
    }
}
