//! What a client asks: the path, and the parameters of a query or a form, read as strictly as the Reference says.
//!
//! Everything that is refused here is an HTTP 400 whose text is the error's sentence. Nothing is copied
//! that needs no decoding.

use super::{Member, Type};
use crate::{Error, Result, Timestamp, device::DeviceKind};
use std::borrow::Cow;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path<'a> {
    /// `/api/v1/{type}/{number}/{member}`.
    Member {
        /// The kind of device.
        kind: DeviceKind,
        /// Its number among those of the kind.
        number: u32,
        /// The member's name, which may be none that there is.
        name: &'a str,
    },
    /// `/management/apiversions`.
    ApiVersions,
    /// `/management/v1/description`.
    Description,
    /// `/management/v1/configureddevices`.
    ConfiguredDevices,
    /// `/setup`, and `/`.
    Setup,
    /// `/setup/v1/{type}/{number}/setup`.
    DeviceSetup {
        /// The kind of device.
        kind: DeviceKind,
        /// Its number.
        number: u32,
    },
}

/// Reads the path of a request; everything in it is lower case.
///
/// # Errors
/// `NotFound` for a path of no meaning, `InvalidValue` for a device type or number that cannot be.
pub fn parse_path(path: &str) -> Result<Path<'_>> {
    let mut parts = path.strip_prefix('/').unwrap_or(path).split('/');
    let parts = [(); 6].map(|()| parts.next());
    match parts {
        [Some("api"), Some("v1"), Some(kind), Some(number), Some(name), None] => {
            let (kind, number) = (parse_kind(kind)?, parse_device_number(number)?);
            Ok(Path::Member { kind, number, name })
        }
        [Some("management"), Some("apiversions"), None, ..] => Ok(Path::ApiVersions),
        [Some("management"), Some("v1"), Some("description"), None, ..] => Ok(Path::Description),
        [Some("management"), Some("v1"), Some("configureddevices"), None, ..] => Ok(Path::ConfiguredDevices),
        [Some("" | "setup"), None, ..] => Ok(Path::Setup),
        [Some("setup"), Some("v1"), Some(kind), Some(number), Some("setup"), None] => {
            Ok(Path::DeviceSetup { kind: parse_kind(kind)?, number: parse_device_number(number)? })
        }
        _ => Err(Error::not_found(format!(
            "{path:?} is no path of this server: /api/v1/{{type}}/{{number}}/{{member}}, /management/... or /setup"
        ))),
    }
}

fn parse_kind(text: &str) -> Result<DeviceKind> {
    let kind = DeviceKind::ALL.into_iter().find(|kind| kind.alpaca_name() == text);
    kind.ok_or_else(|| {
        let names = DeviceKind::ALL.map(DeviceKind::alpaca_name).join(", ");
        Error::invalid(format!("{text:?} is no device type of this server: {names}, in lower case"))
    })
}

fn parse_device_number(text: &str) -> Result<u32> {
    // A device has one path: 00 is not 0.
    let number = parse_u32(text).filter(|_| text == "0" || !text.starts_with('0'));
    number.ok_or_else(|| Error::invalid(format!("{text:?} is no device number, 0 to {}", u32::MAX)))
}

/// Digits and nothing else.
fn parse_u32(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The numbers that a client gives a request, 0 where it gives none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientIds {
    /// Of the client.
    pub client: u32,
    /// Of this request.
    pub transaction: u32,
}

/// The parameters of a request, as they came.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    text: &'a [u8],
    exact: bool,
}

impl<'a> Parameters<'a> {
    /// Of a GET, after `?`: names in any casing.
    pub fn of_query(query: &'a str) -> Self {
        Parameters { text: query.as_bytes(), exact: false }
    }

    /// Of a PUT, in its body: names with the casing of the Reference.
    pub fn of_form(body: &'a [u8]) -> Self {
        Parameters { text: body, exact: true }
    }

    /// The text of a parameter, the first one if there are several; `None` without it.
    ///
    /// # Errors
    /// `InvalidValue` when it is not percent-encoded UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>> {
        let mut pairs = self.text.split(|byte| *byte == b'&').map(split_pair);
        let is_it =
            |key: &[u8]| if self.exact { *key == *name.as_bytes() } else { key.eq_ignore_ascii_case(name.as_bytes()) };
        // Names need no encoding, so hardly anybody encodes them.
        let found = pairs.find(|(key, _)| {
            is_it(key) || (key.contains(&b'%') && decode(key).is_some_and(|key| is_it(key.as_bytes())))
        });
        let Some((_, value)) = found else { return Ok(None) };
        let decoded = decode(value).ok_or_else(|| Error::invalid(format!("{name} is not percent-encoded UTF-8")))?;
        Ok(Some(decoded))
    }

    /// The client's numbers.
    ///
    /// # Errors
    /// `InvalidValue`, naming the parameter, for one that is there and no whole number of 32 bits.
    pub fn ids(&self) -> Result<ClientIds> {
        let id = |name| match self.text(name)? {
            None => Ok(0),
            Some(text) => parse_u32(&text).filter(|_| !text.is_empty()).ok_or_else(|| {
                Error::invalid(format!("{name} {:?} is no whole number, 0 to {}", shortened(&text), u32::MAX))
            }),
        };
        Ok(ClientIds { client: id("ClientID")?, transaction: id("ClientTransactionID")? })
    }

    /// What a member wants to be given, in the order of its table; unknown parameters are ignored.
    ///
    /// # Errors
    /// `InvalidValue`, naming the first parameter that is missing or wrong, and what is wrong with it.
    pub fn arguments(&self, member: &Member) -> Result<Arguments> {
        let read = |parameter: super::Parameter| match self.text(parameter.name)? {
            Some(text) => Argument::parse(parameter.name, parameter.of, text),
            None => Err(self.missing(parameter.name, parameter.of)),
        };
        member.parameters().map(read).collect::<Result<_>>().map(Arguments)
    }

    fn missing(&self, name: &str, of: Type) -> Error {
        let mut keys = self.text.split(|byte| *byte == b'&').map(|pair| split_pair(pair).0);
        let other = keys.find(|key| key.eq_ignore_ascii_case(name.as_bytes()));
        let hint = match other {
            Some(other) => format!("; {:?} has the wrong casing", String::from_utf8_lossy(other)),
            None => String::new(),
        };
        Error::invalid(format!("the parameter {name}, {}, is missing{hint}", describe(of)))
    }
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i32),
    /// A number; finite.
    Double(f64),
    /// Text.
    Text(String),
    /// A moment.
    Date(Timestamp),
}

/// The values of a member's parameters, by their place in its table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments(pub Vec<Argument>);

macro_rules! argument {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// `Protocol` where there is none of this type: the caller asks for what the table does not have.
        pub fn $name(&self, place: usize) -> Result<$type> {
            match self.0.get(place) {
                Some(Argument::$variant(value)) => Ok(value.to_owned()),
                _ => Err(Error::protocol(format!("there is no {} at place {place}", stringify!($name)))),
            }
        }
    };
}

impl Arguments {
    argument!(
        /// A truth value.
        bool, Bool, bool
    );
    argument!(
        /// A whole number.
        int, Int, i32
    );
    argument!(
        /// A number; finite.
        double, Double, f64
    );
    argument!(
        /// A text.
        text, Text, String
    );
    argument!(
        /// A moment.
        date, Date, Timestamp
    );
}

impl Argument {
    fn parse(name: &str, of: Type, text: Cow<'_, str>) -> Result<Self> {
        // A plus sign that a client forgot to encode has become a blank.
        let number = text.trim();
        let parsed = match of {
            Type::Bool => parse_bool(&text).map(Argument::Bool),
            Type::Int => number.parse().ok().map(Argument::Int),
            Type::Double => parse_double(number).map(Argument::Double),
            Type::Date => parse_date(number).map(Argument::Date),
            _ => return Ok(Argument::Text(text.into_owned())),
        };
        parsed.ok_or_else(|| Error::invalid(format!("{name} {:?} is not {}", shortened(&text), describe(of))))
    }
}

/// What a type is called in a refusal.
fn describe(of: Type) -> &'static str {
    match of {
        Type::Bool => "true or false",
        Type::Int => "a whole number of 32 bits",
        Type::Double => "a number with a decimal point",
        Type::Date => "a date and time such as 2026-03-21T20:15:00.0000000Z",
        _ => "a text",
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn parse_double(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let value: f64 = if plain { text.parse().ok()? } else { return None };
    value.is_finite().then_some(value)
}

/// ISO 8601; without an offset it is UTC.
fn parse_date(text: &str) -> Option<Timestamp> {
    // Other calendars and time zones in brackets are no part of the standard.
    if text.contains('[') || text.len() > 40 {
        return None;
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok()
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    let middle = pair.iter().position(|byte| *byte == b'=');
    middle.map_or((pair, &[]), |at| (&pair[..at], &pair[at + 1..]))
}

/// Percent-encoding and `+`; `None` for what is no UTF-8 or has a `%` without two digits.
fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(*byte).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// What somebody sent, short enough for a sentence.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::alpaca::{Verb, member};
    use proptest::prelude::*;

    fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn paths_are_lower_case_and_complete() {
        let path = parse_path("/api/v1/telescope/4294967295/canslew").unwrap();
        assert_eq!(path, Path::Member { kind: DeviceKind::Mount, number: u32::MAX, name: "canslew" });
        assert_eq!(parse_path("/management/v1/configureddevices").unwrap(), Path::ConfiguredDevices);
        assert_eq!(parse_path("/setup").unwrap(), Path::Setup);
        let page = Path::DeviceSetup { kind: DeviceKind::FilterWheel, number: 0 };
        assert_eq!(parse_path("/setup/v1/filterwheel/0/setup").unwrap(), page);
        for (wrong, why) in [
            ("/api/v1/Camera/0/name", "no device type"),
            ("/api/v1/mount/0/name", "no device type"),
            ("/api/v1/camera/-1/name", "\"-1\""),
            ("/api/v1/camera/+1/name", "no device number"),
            ("/api/v1/camera//name", "no device number"),
            ("/api/v1/camera/4294967296/name", "no device number"),
            ("/api/v1/camera/0", "no path"),
            ("/api/v1/camera/0/name/", "no path"),
            ("/API/v1/camera/0/name", "no path"),
            ("/api/v2/camera/0/name", "no path"),
            ("/../etc/passwd", "no path"),
        ] {
            let refused = refusal(parse_path(wrong));
            assert!(refused.contains(why), "{wrong}: {refused}");
        }
    }

    #[test]
    fn casing_matters_in_forms_only() {
        let query = Parameters::of_query("clientid=7&CLIENTTRANSACTIONID=8&rightASCENSION=1.5&Declination=%2D3");
        assert_eq!(query.ids().unwrap(), ClientIds { client: 7, transaction: 8 });
        let side = member(DeviceKind::Mount, Verb::Get, "destinationsideofpier").unwrap();
        assert_eq!(query.arguments(side).unwrap().0, [Argument::Double(1.5), Argument::Double(-3.0)]);
        let form = Parameters::of_form(b"clientid=7&binx=2");
        assert_eq!(form.ids().unwrap(), ClientIds::default());
        let bin = member(DeviceKind::Camera, Verb::Put, "binx").unwrap();
        assert!(refusal(form.arguments(bin)).contains("\"binx\" has the wrong casing"));
        assert_eq!(Parameters::of_form(b"x&BinX=2&=&BinX=3&More=1").arguments(bin).unwrap().0, [Argument::Int(2)]);
    }

    #[test]
    fn ids_are_whole_numbers_of_32_bits() {
        for wrong in ["", "%20%20", "-1", "abc", "1.5", "4294967296", "+1", "%2B1"] {
            for name in ["ClientID", "ClientTransactionID"] {
                let query = format!("{name}={wrong}");
                let refused = refusal(Parameters::of_query(&query).ids());
                assert!(refused.contains(name), "{query}: {refused}");
            }
        }
        let largest = Parameters::of_query("ClientID=4294967295").ids().unwrap();
        assert_eq!(largest.client, u32::MAX);
    }

    #[test]
    fn each_type_is_read_as_the_reference_says() {
        let parse = |of, text: &'static str| Argument::parse("X", of, text.into());
        assert_eq!(parse(Type::Bool, "TrUe").unwrap(), Argument::Bool(true));
        assert_eq!(parse(Type::Double, "-1.5e2").unwrap(), Argument::Double(-150.0));
        assert_eq!(parse(Type::Text, " a ").unwrap(), Argument::Text(" a ".into()));
        for text in
            ["2026-03-21T20:15:00.0000000Z", "2026-03-21T21:15:00+01:00", "2026-03-21 20:15:00", "2026-03-21T20:15:00"]
        {
            assert_eq!(
                parse(Type::Date, text).unwrap(),
                Argument::Date("2026-03-21T20:15:00Z".parse().unwrap()),
                "{text}"
            );
        }
        for (of, wrong) in [
            (Type::Bool, "1"),
            (Type::Bool, ""),
            (Type::Int, "1.0"),
            (Type::Int, "2147483648"),
            (Type::Int, ""),
            (Type::Double, "1,5"),
            (Type::Double, "nan"),
            (Type::Double, "1e999"),
            (Type::Double, "inf"),
            (Type::Double, "0x10"),
            (Type::Date, "yesterday"),
        ] {
            let refused = refusal(parse(of, wrong));
            assert!(refused.starts_with("X ") && refused.contains(describe(of)), "{refused}");
        }
    }

    #[test]
    fn encoding_is_undone_or_refused() {
        let text = |body: &'static [u8]| Parameters::of_form(body).text("A").map(|text| text.map(Cow::into_owned));
        assert_eq!(text(b"A=a+b%20c%C3%A9%26").unwrap().unwrap(), "a b c\u{e9}&");
        assert_eq!(text(b"%41=1").unwrap().unwrap(), "1");
        assert_eq!(text(b"B=1").unwrap(), None);
        for wrong in [&b"A=%"[..], b"A=%4", b"A=%zz", b"A=%FF", b"A=\xff"] {
            assert!(refusal(text(wrong)).contains("A is not percent-encoded"), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..80), path in "[/a-z0-9%.]{0,60}") {
            let form = Parameters::of_form(&body);
            let _ = (form.ids(), form.text("Action"), parse_path(&path));
            for name in ["binx", "startexposure", "moveaxis", "utcdate", "action", "connected"] {
                if let Some(member) = member(DeviceKind::Camera, Verb::Put, name) {
                    let _ = form.arguments(member);
                }
            }
        }

        #[test]
        fn what_was_encoded_comes_back(text in "\\PC{0,30}") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let body = format!("A={encoded}");
            let form = Parameters::of_form(body.as_bytes());
            prop_assert_eq!(form.text("A").unwrap().unwrap(), text);
        }
    }
}
