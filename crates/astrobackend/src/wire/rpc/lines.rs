//! Bytes to whole lines, however they are cut into packets, within a limit; a line beyond it costs only itself.

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole line.
    Whole(&'a [u8]),
    /// A line that is longer than the limit has begun; the rest of it is dropped as it comes.
    TooLong,
}

/// Collects bytes and gives lines.
#[derive(Debug)]
pub struct Lines {
    buffer: Vec<u8>,
    /// Bytes before this were given out.
    start: usize,
    /// Bytes before this were searched for an end.
    searched: usize,
    limit: usize,
    /// The line that goes on is too long and was reported.
    skipping: bool,
}

impl Lines {
    /// Of at most this many bytes each.
    pub fn new(limit: usize) -> Self {
        Lines { buffer: Vec::new(), start: 0, searched: 0, limit, skipping: false }
    }

    /// Takes in what came.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start == self.buffer.len() {
            self.buffer.clear();
            (self.start, self.searched) = (0, 0);
        } else if self.start > self.limit {
            self.buffer.drain(..self.start);
            (self.start, self.searched) = (0, self.searched - self.start);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next line that is there; blank ones are left out.
    pub fn next_line(&mut self) -> Option<Line<'_>> {
        loop {
            let Some(length) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else {
                return self.unfinished();
            };
            let (start, end) = (self.start, self.searched + length);
            (self.start, self.searched) = (end + 1, end + 1);
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if end - start > self.limit {
                return Some(Line::TooLong);
            }
            let line = self.buffer[start..end].trim_ascii();
            if !line.is_empty() {
                // Borrowed anew: the loop may go on.
                return Some(Line::Whole(self.buffer[start..end].trim_ascii()));
            }
        }
    }

    /// What came after the last whole line; it is given out with this.
    pub fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.buffer.split_off(self.start);
        self.buffer.clear();
        (self.start, self.searched) = (0, 0);
        rest
    }

    /// The end of the line has not come.
    fn unfinished(&mut self) -> Option<Line<'_>> {
        self.searched = self.buffer.len();
        if self.skipping || self.buffer.len() - self.start > self.limit {
            let known = std::mem::replace(&mut self.skipping, true);
            self.buffer.clear();
            (self.start, self.searched) = (0, 0);
            return (!known).then_some(Line::TooLong);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(lines: &mut Lines) -> Vec<Option<Vec<u8>>> {
        let mut found = Vec::new();
        while let Some(line) = lines.next_line() {
            found.push(match line {
                Line::Whole(line) => Some(line.to_vec()),
                Line::TooLong => None,
            });
        }
        found
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let mut lines = Lines::new(1000);
        let mut told = 0;
        for _ in 0..1000 {
            lines.push(&[b'x'; 4096]);
            told += all(&mut lines).len();
        }
        assert_eq!(told, 1);
        assert!(lines.buffer.capacity() < 20_000);
        lines.push(b"yz\n{}\r\n\n  \nrest");
        assert_eq!(all(&mut lines), [Some(b"{}".to_vec())]);
        assert_eq!(lines.take_rest(), b"rest");
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(text in "[ab\n\r ]{0,200}", cuts in proptest::collection::vec(1usize..20, 1..50)) {
            let mut whole = Lines::new(10);
            whole.push(text.as_bytes());
            let expected = all(&mut whole);
            let (mut pieces, mut found, mut rest) = (Lines::new(10), Vec::new(), text.as_bytes());
            for cut in cuts.into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                found.extend(all(&mut pieces));
                rest = after;
            }
            prop_assert_eq!(found, expected);
        }
    }
}
