//! What clients send: small elements, complete or in pieces.

/// Collects bytes and gives out whole commands.
#[derive(Debug, Default)]
pub(super) struct Commands {
    text: String,
}

/// One root element.
#[derive(Debug)]
pub(super) struct Command {
    text: String,
    /// Where its opening tag ends.
    head: usize,
}

impl Commands {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.text.push_str(&String::from_utf8_lossy(bytes));
    }

    /// The next whole command.
    pub(super) fn next_command(&mut self) -> Option<Command> {
        let start = self.text.find('<')?;
        let head = start + self.text[start..].find('>')? + 1;
        let end = if self.text[..head].ends_with("/>") {
            head
        } else {
            let name = self.text[start + 1..head - 1].split_ascii_whitespace().next().unwrap_or_default();
            let close = format!("</{name}>");
            head + self.text[head..].find(&close)? + close.len()
        };
        let rest = self.text.split_off(end);
        let text = std::mem::replace(&mut self.text, rest).split_off(start);
        Some(Command { text, head: head - start })
    }
}

impl Command {
    /// The name of the root element.
    pub(super) fn root(&self) -> &str {
        let end = self.text.find([' ', '\n', '\t', '>', '/']).unwrap_or(self.text.len());
        &self.text[1..end]
    }

    /// An attribute of the root element.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        attribute(&self.text[..self.head], name)
    }

    /// What stands between the root's tags.
    pub(super) fn content(&self) -> &str {
        let end = self.text.rfind("</").unwrap_or(self.head).max(self.head);
        &self.text[self.head..end]
    }

    /// The name of the first switch that is on.
    pub(super) fn switched_on(&self) -> Option<&str> {
        self.content().split("<oneSwitch").skip(1).find_map(|element| {
            let (head, rest) = element.split_once('>')?;
            let (value, _) = rest.split_once('<')?;
            if value.trim() == "On" { attribute(head, "name") } else { None }
        })
    }
}

fn attribute<'t>(head: &'t str, name: &str) -> Option<&'t str> {
    let at = head.match_indices(name).map(|(at, _)| at).find(|at| {
        head[..*at].ends_with(|c: char| c.is_ascii_whitespace())
            && head[at + name.len()..].trim_start().starts_with('=')
    })?;
    let value = head[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_in_pieces() {
        let mut commands = Commands::default();
        commands.push(b"\n<getProperties version='1.7'/><newSwitchVector device=\"A\" na");
        let first = commands.next_command().unwrap();
        assert_eq!((first.root(), first.attribute("version"), first.content()), ("getProperties", Some("1.7"), ""));
        assert!(commands.next_command().is_none());
        commands.push(b"me=\"B\"><oneSwitch name='X'>Off</oneSwitch>\n<oneSwitch name='Y'>\nOn\n</oneSwitch>");
        assert!(commands.next_command().is_none());
        commands.push(b"</newSwitchVector>");
        let second = commands.next_command().unwrap();
        assert_eq!(second.attribute("name"), Some("B"));
        assert_eq!(second.switched_on(), Some("Y"));
    }
}
