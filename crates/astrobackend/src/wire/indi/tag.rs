//! One tag: where it ends and where its attributes lie, in one pass over its bytes.

use super::text::find;

/// First byte and the byte after the last, counted from the beginning of the message.
pub(super) type Span = (u32, u32);

/// Name and value of an attribute.
pub(super) type Attribute = (Span, Span);

/// What a look at a tag found; places count from the beginning of the message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Where its name ends and where its `>` stands.
    Whole { name_end: usize, end: usize },
    /// The `>` has not come yet.
    Half,
    /// Another `<` begins there: this tag was torn off.
    Torn(usize),
}

/// Looks at the tag whose name begins at `from`. Notes its attributes; what is no `name="value"` is passed over.
pub(super) fn look(bytes: &[u8], from: usize, attributes: &mut Vec<Attribute>) -> Look {
    // A comment or declaration may hold apostrophes.
    if let Some(b'!' | b'?') = bytes.get(from) {
        return match bytes[from..].iter().position(|byte| *byte == b'>') {
            Some(length) => Look::Whole { name_end: from + length, end: from + length },
            None => Look::Half,
        };
    }
    let name_end = word_end(bytes, from);
    let mut at = name_end;
    // The word that may turn out to be an attribute's name, and whether its `=` has been seen.
    let (mut word, mut equals) = ((at, at), false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'=' => equals = true,
            b'"' | b'\'' => {
                let Some(length) = find(*byte, &bytes[at + 1..]) else { return Look::Half };
                if equals {
                    attributes.push((span(word), span((at + 1, at + 1 + length))));
                }
                at += 1 + length;
                (word, equals) = ((at + 1, at + 1), false);
            }
            b'>' => return Look::Whole { name_end, end: at },
            b'<' => return Look::Torn(at),
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => {
                let end = word_end(bytes, at);
                (word, equals) = ((at, end), false);
                at = end;
                continue;
            }
        }
        at += 1;
    }
    Look::Half
}

/// Where the name that begins here ends: at a blank or at a character that means something in a tag.
fn word_end(bytes: &[u8], from: usize) -> usize {
    let delimits = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'=' | b'>' | b'<' | b'"' | b'\'');
    bytes[from..].iter().position(delimits).map_or(bytes.len(), |length| from + length)
}

fn span((from, to): (usize, usize)) -> Span {
    (from as u32, to as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(tag: &str) -> (Look, Vec<(&str, &str)>) {
        let mut found = Vec::new();
        let look = look(tag.as_bytes(), 1, &mut found);
        let text = |(from, to): Span| &tag[from as usize..to as usize];
        (look, found.into_iter().map(|(name, value)| (text(name), text(value))).collect())
    }

    #[test]
    fn attributes_are_found_among_anything() {
        let (look, found) = attributes("<a  b='c>' d = \"it's\"\n e=f g g='' ='x' 'y' h='z'/> k='l'");
        assert_eq!(look, Look::Whole { name_end: 2, end: 49 });
        assert_eq!(found, [("b", "c>"), ("d", "it's"), ("g", ""), ("", "x"), ("h", "z")]);
    }

    #[test]
    fn half_and_torn_tags() {
        assert_eq!(attributes("<a b='c").0, Look::Half);
        assert_eq!(attributes("<a b").0, Look::Half);
        assert_eq!(attributes("<a b='<' <c>").0, Look::Torn(9));
        assert_eq!(attributes("<!-- it's <b> here").0, Look::Whole { name_end: 12, end: 12 });
    }
}
