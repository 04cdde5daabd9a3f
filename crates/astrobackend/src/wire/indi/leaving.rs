//! A BLOB on its way out, the counterpart of [`Arriving`](super::Arriving): what is around its content is printed, the
//! content is encoded piece by piece, so that a large picture is in memory once.

use super::{base64::encode, message::Vector, print::around_file};

/// The message that carries a file, without its content.
#[derive(Clone, Debug)]
pub struct Leaving {
    message: Vec<u8>,
    content: usize,
}

impl Leaving {
    /// Bytes that are encoded at a time, all but the last; three of them are four characters.
    pub const PIECE: usize = 3 << 18;

    /// A `setBLOBVector` with one element, a file of so many bytes; the vector's own elements do not count.
    ///
    /// ```
    /// use astrobackend::wire::indi::{Elements, Leaving, Vector};
    /// let vector = Vector::new("Camera", "CCD1", Elements::Blob(Vec::new()));
    /// let leaving = Leaving::new(&vector, "CCD1", ".fits", 3);
    /// let mut base64 = Vec::new();
    /// Leaving::encode(b"abc", &mut base64);
    /// let sent = [leaving.head(), &base64, leaving.tail()].concat();
    /// assert!(String::from_utf8(sent).unwrap().contains("len=\"3\">\nYWJj\n</oneBLOB>"));
    /// ```
    pub fn new(vector: &Vector<'_>, element: &str, format: &str, bytes: usize) -> Self {
        let (message, content) = around_file(vector, element, format, bytes);
        Leaving { message, content }
    }

    /// What is sent before the content.
    pub fn head(&self) -> &[u8] {
        &self.message[..self.content]
    }

    /// What is sent after it.
    pub fn tail(&self) -> &[u8] {
        &self.message[self.content..]
    }

    /// Appends the characters of a piece of the content.
    pub fn encode(piece: &[u8], out: &mut Vec<u8>) {
        encode(piece, out);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Blob, Element, Elements, Message, Parser, State},
        *,
    };

    #[test]
    fn pieces_make_the_same_message_as_the_whole() {
        let file: Vec<u8> = (0..Leaving::PIECE + 7).map(|n| n as u8).collect();
        let mut vector = Vector::new("A \"camera\"", "CCD1", Elements::Blob(Vec::new()));
        vector.state = Some(State::Ok);
        vector.timestamp = Some("2026-01-15T21:30:00".into());
        let leaving = Leaving::new(&vector, "CCD1", ".fits", file.len());
        let mut sent = leaving.head().to_vec();
        file.chunks(Leaving::PIECE).for_each(|piece| Leaving::encode(piece, &mut sent));
        sent.extend_from_slice(leaving.tail());
        let blob = Blob { format: ".fits".into(), size: Some(file.len() as u64), data: file, ..Blob::default() };
        vector.elements = Elements::Blob(vec![Element::new("CCD1", blob)]);
        let whole = Message::Set(vector).to_bytes();
        assert!(whole == sent);
        let mut parser = Parser::default();
        parser.push(&sent);
        assert!(matches!(parser.next_message(), Some(Ok(Message::Set(_)))));
    }
}
