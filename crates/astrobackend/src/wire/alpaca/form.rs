//! Parameters as they are sent: the query of a GET, the form of a PUT.

use std::fmt::{Display, Write};

/// Parameters in their order, percent-encoded: `Position=5&ClientID=1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(String);

impl Form {
    /// Without parameters.
    pub fn new() -> Self {
        Form::default()
    }

    /// With one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a parameter. Numbers come out with a decimal point, booleans as `true` and `false`.
    pub fn push(&mut self, name: &str, value: impl Display) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        encode(name, &mut self.0);
        self.0.push('=');
        encode(&value.to_string(), &mut self.0);
    }

    /// The whole, fit for a query and for `application/x-www-form-urlencoded`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Everything but RFC 3986's unreserved characters is encoded, blanks too: `+` is one in forms only.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_printed_as_servers_read_them() {
        let form =
            Form::new().with("Light", true).with("Duration", 0.5).with("Rate", -1e-7).with("Command", "a b+c&d=é");
        assert_eq!(form.as_str(), "Light=true&Duration=0.5&Rate=-0.0000001&Command=a%20b%2Bc%26d%3D%C3%A9");
        assert_eq!(Form::new().as_str(), "");
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "\\PC{0,20}") {
            let form = Form::new().with("A", &text);
            let sent = form.as_str().strip_prefix("A=").unwrap();
            let mut bytes = Vec::new();
            let mut rest = sent.as_bytes();
            while let Some((first, after)) = rest.split_first() {
                if *first == b'%' {
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
                    rest = &after[2..];
                } else {
                    bytes.push(*first);
                    rest = after;
                }
            }
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), text);
        }
    }
}
