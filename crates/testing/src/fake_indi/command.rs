//! What a client says: its stream cut into root elements, each read by an XML reader that is not ours.

/// A root element from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which client said it: 1, 2 ... in order of connecting.
    pub client: usize,
    /// `getProperties`, `newNumberVector`, `enableBLOB` ...
    pub tag: String,
    /// The attribute `device`, empty without one.
    pub device: String,
    /// The attribute `name`, empty without one.
    pub name: String,
    /// Names and values of the elements, in their order.
    pub elements: Vec<(String, String)>,
    /// The text of an element that has no others in it: the mode of `enableBLOB`.
    pub text: String,
    /// All attributes.
    pub attributes: Vec<(String, String)>,
}

impl Command {
    /// The value of an element.
    pub fn value(&self, element: &str) -> Option<&str> {
        self.elements.iter().find(|(name, _)| name == element).map(|(_, value)| value.as_str())
    }

    /// The value of an element as a number.
    pub fn number(&self, element: &str) -> Option<f64> {
        self.value(element).and_then(|value| value.parse().ok())
    }

    /// The first switch that is on.
    pub fn switched_on(&self) -> Option<&str> {
        self.elements.iter().find(|(_, value)| value == "On").map(|(name, _)| name.as_str())
    }

    /// True for a `new*Vector` to this property.
    pub fn sets(&self, device: &str, property: &str) -> bool {
        self.tag.starts_with("new") && self.device == device && self.name == property
    }

    fn read(xml: &str, client: usize) -> Result<Self, roxmltree::Error> {
        let document = roxmltree::Document::parse(xml)?;
        let root = document.root_element();
        let attribute = |name| root.attribute(name).unwrap_or_default().to_owned();
        let text = |node: roxmltree::Node<'_, '_>| node.text().unwrap_or_default().trim().to_owned();
        let element =
            |node: roxmltree::Node<'_, '_>| (node.attribute("name").unwrap_or_default().to_owned(), text(node));
        Ok(Command {
            client,
            tag: root.tag_name().name().to_owned(),
            device: attribute("device"),
            name: attribute("name"),
            elements: root.children().filter(roxmltree::Node::is_element).map(element).collect(),
            text: text(root),
            attributes: root.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect(),
        })
    }
}

/// Cuts a stream into root elements.
#[derive(Debug, Default)]
pub(super) struct Splitter(String);

impl Splitter {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.push_str(&String::from_utf8_lossy(bytes));
    }

    /// The next complete element.
    ///
    /// A client that speaks no XML gets a command with the tag `malformed` into its record, with the text.
    pub(super) fn next_command(&mut self, client: usize) -> Option<Command> {
        let start = self.0.find('<')?;
        let end = root_end(&self.0[start..])? + start;
        let xml: String = self.0.drain(..end).skip(start).collect();
        Some(Command::read(&xml, client).unwrap_or_else(|_| Command {
            client,
            tag: "malformed".into(),
            device: String::new(),
            name: String::new(),
            elements: Vec::new(),
            text: xml,
            attributes: Vec::new(),
        }))
    }
}

/// Where the root element that begins this text ends; `None` while it is incomplete.
fn root_end(xml: &str) -> Option<usize> {
    let head = tag_end(xml)?;
    if xml[..head].ends_with('/') {
        return Some(head + 1);
    }
    let name: String = xml[1..].chars().take_while(char::is_ascii_alphanumeric).collect();
    let close = format!("</{name}>");
    xml[head..].find(&close).map(|at| head + at + close.len())
}

/// Where the `>` of the first tag is, quotes respected.
fn tag_end(xml: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in xml.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_commands() {
        let stream = "<getProperties version='1.7'/>\n<newSwitchVector device=\"A>B\" name='CONNECTION'>\n\
                      <oneSwitch name='CONNECT'>\nOn\n</oneSwitch></newSwitchVector>";
        for cut in 0..stream.len() {
            let mut splitter = Splitter::default();
            let mut commands = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                splitter.push(part.as_bytes());
                commands.extend(std::iter::from_fn(|| splitter.next_command(1)));
            }
            assert_eq!(commands.len(), 2);
            assert_eq!(commands[1].device, "A>B");
            assert_eq!(commands[1].switched_on(), Some("CONNECT"));
        }
    }
}
