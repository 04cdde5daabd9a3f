//! Addresses of backends and devices: `indi://host:7624/CCD Simulator` to its parts and back.
//!
//! One line of text, fit for a command line or a configuration file. The forms that other
//! programs use are read too: Alpaca URLs, ASCOM ProgIDs, and the original's `ALPACA:camera:0`.

use crate::{Error, Result, device::DeviceKind};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where a backend or one of its devices is found.
///
/// ```
/// let address: astrobackend::Address = "indi://pi.local:7624/CCD Simulator".parse()?;
/// assert_eq!(address.scheme(), "indi");
/// assert_eq!(address.port(), Some(7624));
/// assert_eq!(address.path(), "CCD Simulator");
/// # Ok::<(), astrobackend::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Address {
    scheme: String,
    host: Option<String>,
    port: Option<u16>,
    path: String,
    options: Vec<(String, String)>,
}

impl Address {
    /// Only a scheme: the framework's default server.
    pub fn new(scheme: impl Into<String>) -> Self {
        Address { scheme: scheme.into(), host: None, port: None, path: String::new(), options: Vec::new() }
    }

    /// The framework: `sim`, `indi`, `indi+unix`, `alpaca`, `rpc`, `ascom`; always lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host, without the brackets of an IPv6 address; for `indi+unix` the name of the socket.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port, when one is given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// What follows the host, decoded, without its first slash: a device; may be empty.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The options after `?`, decoded, in their order.
    pub fn options(&self) -> &[(String, String)] {
        &self.options
    }

    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The same with another path: from a backend to one of its devices.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same with an option set.
    #[must_use]
    pub fn with_option(mut self, name: &str, value: impl Into<String>) -> Self {
        self.options.retain(|(key, _)| key != name);
        self.options.push((name.to_owned(), value.into()));
        self
    }

    /// The same for other people's eyes: a password is not shown.
    ///
    /// ```
    /// let address: astrobackend::Address = "alpaca://pi?user=me&password=secret".parse()?;
    /// assert_eq!(address.without_secrets().to_string(), "alpaca://pi?user=me&password=***");
    /// # Ok::<(), astrobackend::Error>(())
    /// ```
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        self.options.iter_mut().filter(|(key, _)| key == "password").for_each(|(_, value)| *value = "***".into());
        self
    }

    /// The same with host and port.
    #[must_use]
    pub fn with_host(mut self, host: impl Into<String>, port: Option<u16>) -> Self {
        self.host = Some(host.into());
        self.port = port;
        self
    }
}

impl FromStr for Address {
    type Err = Error;

    /// Reads an address.
    ///
    /// # Errors
    /// `InvalidValue`, with what is wrong; whether a framework of that name exists is asked only by
    /// [`open`](crate::open).
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = |why: &str| Error::invalid(format!("{text:?} is no address: {why}"));
        let Some((scheme, rest)) = text.split_once(':') else {
            return match is_scheme(text) {
                true => {
                    let mut address = Address::new(text.to_ascii_lowercase());
                    address.understand_foreign_form();
                    Ok(address)
                }
                false => Err(wrong("it wants the form scheme://host:port/device")),
            };
        };
        if !is_scheme(scheme) {
            return Err(wrong("it must begin with a framework's name"));
        }
        let scheme = scheme.to_ascii_lowercase();
        let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
        let mut address = Address { options: parse_options(query).map_err(|why| wrong(&why))?, ..Address::new(scheme) };
        if let Some(rest) = rest.strip_prefix("//") {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            (address.host, address.port) = parse_authority(authority).map_err(|why| wrong(&why))?;
            address.path = decode(path).map_err(|why| wrong(&why))?;
        } else {
            address.path = decode(rest).map_err(|why| wrong(&why))?;
        }
        address.understand_foreign_form();
        Ok(address)
    }
}

impl Address {
    /// True when the host is the name of a unix socket, and the device an option.
    fn is_on_socket(&self) -> bool {
        self.scheme == "indi+unix"
    }

    /// Rewrites the forms of other programs into ours.
    fn understand_foreign_form(&mut self) {
        // ConformU and Alpaca browsers: http://host:port/api/v1/camera/0
        if let ("http", Some(device)) = (&*self.scheme, self.path.strip_prefix("api/v1/")) {
            self.path = device.trim_end_matches('/').to_owned();
            self.scheme = "alpaca".into();
        }
        match self.scheme.as_str() {
            "com" => self.scheme = "ascom".into(),
            // The original's ALPACA:camera:0
            "alpaca" if self.host.is_none() => {
                if let Some((kind, number)) = self.path.split_once(':')
                    && let (Ok(kind), Ok(number)) = (kind.parse::<DeviceKind>(), number.parse::<u32>())
                {
                    self.path = format!("{}/{number}", kind.alpaca_name());
                }
            }
            // The whole is the socket's name, and the device an option: indi+unix:///tmp/indiserver?device=CCD Simulator
            "indi+unix" => {
                if self.host.is_none() && !self.path.is_empty() {
                    self.host = Some(format!("/{}", std::mem::take(&mut self.path)));
                }
                if let Some(at) = self.options.iter().position(|(key, _)| key == "device") {
                    self.path = self.options.remove(at).1;
                    self.options.retain(|(key, _)| key != "device");
                }
            }
            _ => {}
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn parse_authority(authority: &str) -> Result<(Option<String>, Option<u16>), String> {
    if authority.is_empty() {
        return Ok((None, None));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']').ok_or("the bracket of its IPv6 address is not closed")?;
            // A link-local address may carry its zone, with the percent sign encoded (RFC 6874).
            let (ip, zone) = host.split_once("%25").unwrap_or((host, "-"));
            if ip.parse::<std::net::Ipv6Addr>().is_err() || zone.is_empty() || zone.contains(char::is_whitespace) {
                return Err(format!("{host:?} is no IPv6 address"));
            }
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or("text follows its host")?) })
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let name = decode(host)?;
    // An IPv6 address has been looked at already, but for the name of its zone.
    let free = if authority.starts_with('[') { name.split_once('%').map_or("-", |(_, zone)| zone) } else { &name };
    if free.is_empty() || free.contains(|c: char| c.is_whitespace() || c.is_control() || "@:/?[]%".contains(c)) {
        return Err(format!("{host:?} is no host name"));
    }
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or(format!("{port:?} is no port")));
    Ok((Some(name), port.transpose()?))
}

fn parse_options(query: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = query.split('&').filter(|pair| !matches!(*pair, "" | "="));
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err("a % is not followed by two hexadecimal digits (write %25 for a percent sign)".into()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".into())
}

/// Encodes only what would be read as something else; blanks stay, for people.
fn encode(text: &str, special: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        // Wide blanks would be trimmed away at the end of an address; the plain one is dealt with there.
        let wide_blank = c != ' ' && c.is_whitespace();
        if c == '%' || c.is_control() || wide_blank || special.contains(c) {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        } else {
            encoded.push(c);
        }
    }
    encoded
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match &self.host {
            Some(socket) if self.is_on_socket() && socket.starts_with('/') => f.write_str(&encode(socket, "? "))?,
            Some(host) if host.contains(':') => write!(f, "[{}]", host.replace('%', "%25"))?,
            Some(host) => f.write_str(host)?,
            None => {}
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        let device = self.is_on_socket().then(|| ("device".to_owned(), self.path.clone()));
        if !self.path.is_empty() && device.is_none() {
            let mut path = encode(&self.path, "?");
            // A blank at the very end would be trimmed away on reading.
            if path.ends_with(' ') && self.options.is_empty() {
                path.truncate(path.len() - 1);
                path.push_str("%20");
            }
            write!(f, "/{path}")?;
        }
        let device = device.iter().filter(|(_, device)| !device.is_empty());
        for (n, (key, value)) in device.chain(&self.options).enumerate() {
            let separator = if n == 0 { '?' } else { '&' };
            write!(f, "{separator}{}", encode(key, "&= \t"))?;
            if !value.is_empty() {
                write!(f, "={}", encode(value, "& \t"))?;
            }
        }
        Ok(())
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(text: &str) -> String {
        text.parse::<Address>().unwrap().to_string()
    }

    #[test]
    fn addresses_of_every_framework_are_read() {
        assert_eq!(normal("sim://?seed=7&speed=100"), "sim://?seed=7&speed=100");
        assert_eq!(normal("INDI"), "indi://");
        assert_eq!(normal("indi://pi:7624/CCD%20Simulator"), "indi://pi:7624/CCD Simulator");
        assert_eq!(normal("indi+unix:///tmp/indiserver"), "indi+unix:///tmp/indiserver");
        assert_eq!(normal("indi+unix:///tmp/a%20:b"), "indi+unix:///tmp/a%20:b");
        let device = "indi+unix:///tmp/indiserver".parse::<Address>().unwrap().with_path("CCD Simulator");
        assert_eq!((device.host(), device.path()), (Some("/tmp/indiserver"), "CCD Simulator"));
        assert_eq!(device.to_string(), "indi+unix:///tmp/indiserver?device=CCD%20Simulator");
        assert_eq!(device.to_string().parse::<Address>().unwrap(), device);
        assert_eq!(normal("indi://[::1]:7624"), "indi://[::1]:7624");
        assert_eq!(normal("alpaca://[fe80::1%25eth0]:1"), "alpaca://[fe80::1%25eth0]:1");
        assert_eq!(normal("http://10.0.0.5:11111/api/v1/camera/0"), "alpaca://10.0.0.5:11111/camera/0");
        assert_eq!(normal("ALPACA:camera:0"), "alpaca:///camera/0");
        assert_eq!(normal("com:ASCOM.Simulator.Camera"), "ascom:///ASCOM.Simulator.Camera");
        assert_eq!("alpaca:uid=a-b".parse::<Address>().unwrap().path(), "uid=a-b");
        assert_eq!("sim:camera?seed=1".parse::<Address>().unwrap().option("seed"), Some("1"));
    }

    #[test]
    fn what_is_printed_is_read_as_the_same() {
        for text in [
            "com",
            "sim://?=",
            "indi+unix://?device=x",
            "indi+unix:///s?device=&device=b",
            "http:///api/v1/camera:0",
            "alpaca://[fe80::1%25eth0]:1/camera/0",
            "indi+unix://[fe80::1%25eth0]?device=x",
        ] {
            let address = text.parse::<Address>().unwrap();
            assert_eq!(address.to_string().parse::<Address>().unwrap(), address, "{text}");
        }
    }

    #[test]
    fn malformed_addresses_say_why() {
        for (text, why) in [
            ("", "form"),
            ("://x", "framework's name"),
            ("indi://host:99999", "port"),
            ("indi://ho st", "host name"),
            ("indi://[::1", "bracket"),
            ("indi://host/50%", "%25"),
            ("indi://a%2Fb/c", "host name"),
            ("indi://[fe80::1%25a%2Fb]", "host name"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(
            path in "[^/\\s][\\PC]{0,20}",
            value in "\\PC{0,12}",
            port in proptest::option::of(1u16..),
        ) {
            let host = port.map(|_| "host".to_owned());
            let address = Address { host, port, path, ..Address::new("indi") }.with_option("o", value);
            prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = text.parse::<Address>();
        }
    }
}
