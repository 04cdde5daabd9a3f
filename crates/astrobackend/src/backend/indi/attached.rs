//! BLOBs in shared memory: the message has their names, the bytes are behind descriptors that came beside it.

use super::{
    incoming::{Incoming, check_room},
    picture,
    property::Content,
};
use crate::{
    Error, Result,
    wire::indi::{Blob, Elements, Limits, Vector},
};
use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufReader, Read},
};

/// Bytes read at a time. They stay in the processor's cache until they are converted, which makes
/// reading faster than mapping the memory; and memory that its owner cuts short is an error, not a signal.
const PIECE: usize = 128 << 10;

/// True when a message has such BLOBs.
pub(super) fn has_attached(vector: &Vector<'_>) -> bool {
    matches!(&vector.elements, Elements::Blob(all) if all.iter().any(|one| one.value.attached))
}

/// Reads a message's BLOBs, each from the next of the descriptors; without `wanted` they are only put away.
pub(super) fn take(vector: &Vector<'_>, memory: &mut VecDeque<File>, wanted: bool, pictures: &mut Vec<Incoming>) {
    let Elements::Blob(blobs) = &vector.elements else { return };
    for one in blobs.iter().filter(|one| one.value.attached) {
        let file = memory.pop_front();
        if wanted {
            pictures.push(Incoming {
                device: vector.device.to_string(),
                vector: vector.name.to_string(),
                element: one.name.to_string(),
                format: one.value.format.to_string(),
                content: match check_room(pictures) {
                    Ok(()) => file.map_or_else(missing, |file| content(&file, &one.value)),
                    Err(error) => Content::Picture(Err(error)),
                },
            });
        }
    }
}

fn missing() -> Content {
    Content::Picture(Err(Error::protocol("the image's shared memory did not come with its message")))
}

fn content(file: &File, blob: &Blob<'_>) -> Content {
    let length = length(file, blob);
    if picture::is_readable(&blob.format) {
        let reader = BufReader::with_capacity(PIECE, Shared { file, at: 0 });
        return Content::Picture(length.and_then(|length| picture::read(&blob.format, reader, length)));
    }
    let mut bytes = Vec::new();
    let read = length.and_then(|length| {
        let read = Shared { file, at: 0 }.take(length).read_to_end(&mut bytes);
        read.map_err(|error| Error::io("the image's shared memory cannot be read", error))
    });
    match read {
        Ok(_) => Content::File(bytes),
        Err(error) => Content::Picture(Err(error)),
    }
}

/// The valid bytes: the memory is larger, and its size need not be what the message says.
fn length(file: &File, blob: &Blob<'_>) -> Result<u64> {
    let there = file.metadata().map_err(|error| Error::io("the image's shared memory cannot be read", error))?.len();
    let length = blob.length.or(blob.size).unwrap_or(there).min(there);
    let limit = Limits::default().blob as u64;
    if length > limit {
        return Err(Error::protocol(format!("a BLOB of {length} bytes is beyond the limit of {limit}")));
    }
    Ok(length)
}

/// Reads from a place of its own: the descriptor's is shared with the server and its other clients.
struct Shared<'f> {
    file: &'f File,
    at: u64,
}

impl Read for Shared<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let n = std::os::unix::fs::FileExt::read_at(self.file, buffer, self.at)?;
        #[cfg(windows)]
        let n = std::os::windows::fs::FileExt::seek_read(self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Image, fits, image::Pixels, wire::indi::Element};
    use std::io::{Seek, SeekFrom, Write};

    fn vector(blobs: &[(&'static str, &'static str, Option<u64>)]) -> Vector<'static> {
        let element = |(name, format, length): &(&'static str, &'static str, Option<u64>)| {
            Element::new(*name, Blob { format: (*format).into(), attached: true, length: *length, ..Blob::default() })
        };
        Vector::new("C", "CCD1", Elements::Blob(blobs.iter().map(element).collect()))
    }

    /// Memory rounded up to more than its content, read by others up to some place.
    fn memory(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.set_len(1 << 20).unwrap();
        file.seek(SeekFrom::Start(77)).unwrap();
        file
    }

    fn fits() -> Vec<u8> {
        let image = Image::new(3, 2, Pixels::U16(vec![0, 1, 2, 3, 4, 65535])).unwrap();
        let mut file = io::Cursor::new(Vec::new());
        fits::write_to(&mut file, &image, &fits::Header::new()).unwrap();
        file.into_inner()
    }

    #[test]
    fn each_blob_gets_its_own_memory() {
        let length = fits().len() as u64;
        let message = vector(&[("A", ".fits", Some(length)), ("B", ".jpg", Some(4)), ("C", ".fits", Some(9))]);
        let mut queue = VecDeque::from([memory(&fits()), memory(b"abcdef")]);
        let mut pictures = Vec::new();
        assert!(has_attached(&message));
        take(&message, &mut queue, true, &mut pictures);
        assert!(queue.is_empty());
        let Content::Picture(Ok(image)) = &pictures[0].content else { panic!("{:?}", pictures[0]) };
        assert_eq!(image.pixels(), &Pixels::U16(vec![0, 1, 2, 3, 4, 65535]));
        assert!(matches!(&pictures[1].content, Content::File(bytes) if bytes == b"abcd"), "cut to its length");
        assert!(matches!(&pictures[2].content, Content::Picture(Err(_))), "its memory is missing");
    }

    #[test]
    fn false_lengths_and_unwanted_memory() {
        let mut pictures = Vec::new();
        take(&vector(&[("A", ".fits", Some(u64::MAX))]), &mut VecDeque::from([memory(&fits())]), true, &mut pictures);
        assert!(matches!(&pictures[0].content, Content::Picture(Ok(_))), "no more is read than is there");
        take(&vector(&[("A", ".fits", Some(100))]), &mut VecDeque::from([memory(&fits())]), true, &mut pictures);
        assert!(matches!(&pictures[1].content, Content::Picture(Err(_))), "cut off");
        let mut queue = VecDeque::from([memory(&fits()), memory(b"next")]);
        take(&vector(&[("A", ".fits", None)]), &mut queue, false, &mut pictures);
        assert_eq!((queue.len(), pictures.len()), (1, 2), "put away");
    }
}
