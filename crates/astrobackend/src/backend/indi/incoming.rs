//! Pictures made while they arrive: the frame is in memory once, and is ready when its last byte is.

use super::{picture, property::Content};
use crate::{Error, Result, wire::indi::Parser};
use std::io::{self, BufRead, ErrorKind, Read};

/// A picture whose bytes are through; the message that carries it may still lack its end.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) device: String,
    pub(super) vector: String,
    pub(super) element: String,
    pub(super) format: String,
    pub(super) content: Content,
}

impl Incoming {
    /// Bytes of memory that its content takes.
    fn bytes(&self) -> u64 {
        match &self.content {
            Content::Picture(Ok(image)) => (image.pixels().len() * image.pixels().bytes_per_pixel()) as u64,
            Content::Picture(Err(_)) => 0,
            Content::File(bytes) => bytes.len() as u64,
        }
    }
}

/// Refuses one more picture of a message when those before it are as large as any may be: packed ones take little to
/// send, and all are kept until the message ends.
pub(super) fn check_room(pictures: &[Incoming]) -> Result<()> {
    match pictures.iter().map(Incoming::bytes).sum::<u64>() < picture::MOST {
        true => Ok(()),
        false => Err(Error::protocol(format!("sends more than {} bytes of pictures in one message", picture::MOST))),
    }
}

/// Receives the BLOB whose content is arriving, if there is one: a picture that somebody wants is made of it, what
/// nobody wants is passed over. Returns whether it was received; one in another format is left to the parser.
///
/// # Errors
/// Those of the socket.
pub(super) fn receive(
    parser: &mut Parser,
    socket: impl Read,
    wanted: impl FnOnce(&str, &str) -> bool,
    pictures: &mut Vec<Incoming>,
) -> io::Result<bool> {
    let Some(blob) = parser.arriving() else { return Ok(false) };
    let (device, vector) = (blob.device.into_owned(), blob.vector.into_owned());
    let (element, format) = (blob.element.into_owned(), blob.format.into_owned());
    let length = blob.length.unwrap_or(picture::MOST);
    let wanted = wanted(&device, &vector);
    if wanted && !picture::is_readable(&format) {
        return Ok(false);
    }
    let mut body = Body { parser, socket, piece: Vec::new(), at: 0, complete: false };
    if wanted {
        let picture = check_room(pictures).and_then(|()| picture::read(&format, &mut body, length));
        pictures.push(Incoming { device, vector, element, format, content: Content::Picture(picture) });
    }
    body.pass_over()?;
    Ok(true)
}

/// The bytes of a BLOB, received as they are asked for.
struct Body<'p, S> {
    parser: &'p mut Parser,
    socket: S,
    piece: Vec<u8>,
    at: usize,
    complete: bool,
}

impl<S: Read> Body<'_, S> {
    /// Receives what is left.
    fn pass_over(mut self) -> io::Result<()> {
        loop {
            let length = self.fill_buf()?.len();
            if length == 0 {
                return Ok(());
            }
            self.consume(length);
        }
    }
}

impl<S: Read> BufRead for Body<'_, S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.piece.len() && !self.complete {
            self.at = 0;
            self.complete = !self.parser.take_arrived(&mut self.piece);
            if self.piece.is_empty() && !self.complete {
                match self.socket.read(self.parser.room()) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(n) => self.parser.filled(n),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(&self.piece[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.piece.len());
    }
}

impl<S: Read> Read for Body<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind as Kind, Image, fits, image::Pixels, wire::indi::Message};

    /// A socket that gives a few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = buffer.len().min(self.0.len()).min(1000);
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn fits() -> Vec<u8> {
        let image = Image::new(50, 40, Pixels::U16((0..2000).collect())).unwrap();
        let mut file = io::Cursor::new(Vec::new());
        fits::write_to(&mut file, &image, &fits::Header::new()).unwrap();
        file.into_inner()
    }

    fn message(format: &str, data: Vec<u8>) -> Vec<u8> {
        use crate::wire::indi::{Blob, Element, Elements, Vector};
        let blob = Blob { format: format.into(), data, ..Blob::default() };
        Message::Set(Vector::new("C", "CCD1", Elements::Blob(vec![Element::new("CCD1", blob)]))).to_bytes()
    }

    /// What is received of a message, and how many bytes are left in it.
    fn received(stream: &[u8], wanted: bool) -> (io::Result<bool>, Vec<Incoming>, Option<usize>) {
        use crate::wire::indi::{Elements, Vector};
        let (mut parser, mut pictures) = (Parser::default(), Vec::new());
        parser.push(&stream[..500]);
        assert!(parser.next_message().is_none());
        let mut socket = Slow(&stream[500..]);
        let result = receive(&mut parser, &mut socket, |_, _| wanted, &mut pictures);
        parser.push(socket.0);
        let left = match parser.next_message() {
            Some(Ok(Message::Set(Vector { elements: Elements::Blob(blobs), .. }))) => Some(blobs[0].value.data.len()),
            _ => None,
        };
        (result, pictures, left)
    }

    #[test]
    fn a_picture_is_made_on_the_way() {
        let (result, mut pictures, left) = received(&message(".FITS", fits()), true);
        assert!(result.unwrap() && left == Some(0));
        let one = pictures.remove(0);
        assert_eq!((one.device.as_str(), one.vector.as_str(), one.element.as_str()), ("C", "CCD1", "CCD1"));
        let Content::Picture(Ok(image)) = one.content else { panic!() };
        assert_eq!((image.width(), image.pixels()), (50, &Pixels::U16((0..2000).collect())));
    }

    #[test]
    fn a_message_of_many_pictures_is_refused_before_memory_is_full() {
        let large = Image::new(1 << 15, 1 << 14, Pixels::U16(vec![0; 1 << 29])).unwrap();
        let one = |image: Image| Incoming {
            device: "C".into(),
            vector: "CCD1".into(),
            element: "CCD1".into(),
            format: ".fits".into(),
            content: Content::Picture(Ok(Box::new(image))),
        };
        assert!(check_room(&[one(Image::new(1, 1, Pixels::U8(vec![7])).unwrap())]).is_ok());
        assert_eq!(check_room(&[one(large)]).unwrap_err().kind(), Kind::Protocol);
    }

    #[test]
    fn what_is_unwanted_damaged_or_of_another_format() {
        let (result, pictures, left) = received(&message(".fits", fits()), false);
        assert!(result.unwrap() && pictures.is_empty() && left == Some(0), "passed over");
        let (result, pictures, left) = received(&message(".fits", vec![7; 9000]), true);
        assert!(
            result.unwrap() && matches!(pictures[0].content, Content::Picture(Err(_))) && left == Some(0),
            "damaged"
        );
        let (result, pictures, left) = received(&message(".xisf", fits()), true);
        assert!(!result.unwrap() && pictures.is_empty() && left == Some(fits().len()), "kept for later");
        let (result, _, left) = received(&message(".fits", fits())[..3000], true);
        assert!(result.is_err() && left.is_none(), "the server went away");
    }
}
