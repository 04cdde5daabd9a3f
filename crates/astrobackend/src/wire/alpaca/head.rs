//! The head of an HTTP reply, and the lines between chunks, after RFC 9112: the bytes alone, without a connection.

use crate::{Error, Result};

/// The longest head of a reply, bytes.
pub const LONGEST: usize = 32 << 10;

/// The most lines that a head may have, and the most that may follow the last chunk.
pub const MOST_LINES: usize = 64;

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// By the chunk that is empty.
    Chunks,
    /// The server closes the connection.
    Close,
}

/// What a reply says before its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status, such as 200.
    pub status: u16,
    /// The media type, lower case, without parameters; empty when there is none.
    pub media: String,
    /// Where the body ends.
    pub framing: Framing,
    /// The connection can be used again.
    pub keep: bool,
}

/// The head at the beginning of some bytes, and its length, when it is complete.
///
/// # Errors
/// `Protocol` for what is not HTTP, for a head that is too long, and for lengths that are none or contradict each other.
pub fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_LINES];
    let mut parsed = httparse::Response::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= LONGEST => {
            return Err(Error::protocol("sent a head without an end"));
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(why) => return Err(Error::protocol(format!("does not speak HTTP: {why}"))),
    };
    let status = parsed.code.unwrap_or_default();
    let mut head = Head { status, media: String::new(), framing: Framing::Close, keep: parsed.version == Some(1) };
    for header in parsed.headers.iter() {
        let value = String::from_utf8_lossy(header.value).trim().to_ascii_lowercase();
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let told = number(&value, 10).ok_or_else(|| Error::protocol(format!("sends {value:?} bytes")))?;
                head.framing = match head.framing {
                    Framing::Close => Framing::Length(told),
                    Framing::Length(before) if before != told => {
                        return Err(Error::protocol(format!("sends {before} bytes, and {told}")));
                    }
                    known => known,
                };
            }
            "transfer-encoding" if value.contains("chunked") => head.framing = Framing::Chunks,
            "content-type" => head.media = value.split(';').next().unwrap_or_default().trim().to_owned(),
            "connection" if value.contains("close") => head.keep = false,
            "connection" if value.contains("keep-alive") => head.keep = true,
            _ => {}
        }
    }
    if matches!(status, 204 | 304) {
        head.framing = Framing::Length(0);
    }
    Ok(Some((length, head)))
}

/// The length of a chunk, from the line before it.
///
/// # Errors
/// `Protocol` without one.
pub fn chunk(line: &str) -> Result<u64> {
    let digits = line.split(';').next().unwrap_or_default().trim();
    number(digits, 16).ok_or_else(|| Error::protocol(format!("sent a chunk of {line:?}")))
}

/// Digits and nothing else: no sign.
fn number(digits: &str, radix: u32) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_alphanumeric()).then(|| u64::from_str_radix(digits, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(lines: &str) -> Result<Framing> {
        Ok(parse(format!("HTTP/1.1 200 OK\r\n{lines}\r\n").as_bytes())?.expect("a whole head").1.framing)
    }

    #[test]
    fn the_end_of_the_body_is_told_in_one_way() {
        assert_eq!(framing("").unwrap(), Framing::Close);
        assert_eq!(framing("Content-Length: 7\r\n").unwrap(), Framing::Length(7));
        assert_eq!(framing("Content-Length: 7\r\ncontent-length: 7\r\n").unwrap(), Framing::Length(7));
        assert_eq!(framing("Content-Length: 7\r\nTransfer-Encoding: chunked\r\n").unwrap(), Framing::Chunks);
        assert_eq!(framing("Transfer-Encoding: chunked\r\nContent-Length: 7\r\n").unwrap(), Framing::Chunks);
        for wrong in ["7\r\nContent-Length: 8", "+7", "-7", "", "7 8", "99999999999999999999"] {
            assert!(framing(&format!("Content-Length: {wrong}\r\n")).is_err(), "{wrong}");
        }
        assert_eq!(
            parse(b"HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n").unwrap().unwrap().1.framing,
            Framing::Length(0)
        );
    }

    #[test]
    fn chunks_have_lengths() {
        assert_eq!(chunk("1aF ; name=value").unwrap(), 0x1af);
        for wrong in ["", ";", "+1", "0x1", "1 2", "11112222333344445"] {
            assert!(chunk(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_head_without_an_end_is_refused() {
        let mut bytes = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
        assert_eq!(parse(&bytes).unwrap(), None);
        bytes.resize(LONGEST, b'x');
        assert!(parse(&bytes).is_err());
    }
}
