//! What can go wrong, in one type, so that a caller can act on the kind and a
//! person can read the sentence.
//!
//! Every error names the device and says what was asked of it and why it was
//! refused: `Focuser Simulator: position 70000 is beyond 60000`.

use crate::wait::{End, ended};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, sync::Arc};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kinds of failure, one for each way a caller may want to react.
///
/// The first group maps one to one onto ASCOM's error numbers 0x400 to 0x40E,
/// see [`ErrorKind::ascom_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The device or this build cannot do that at all (ASCOM 0x400).
    Unsupported,
    /// An argument is out of range or malformed (ASCOM 0x401).
    InvalidValue,
    /// A value was read before it was ever set (ASCOM 0x402).
    ValueNotSet,
    /// The device is not connected (ASCOM 0x407).
    NotConnected,
    /// The mount is parked and must be unparked first (ASCOM 0x408).
    Parked,
    /// The device is slaved to another one (ASCOM 0x409).
    Slaved,
    /// Not possible in the present state, e.g. an image before an exposure (ASCOM 0x40B).
    InvalidOperation,
    /// No action of that name (ASCOM 0x40C).
    UnknownAction,
    /// The operation was cancelled by the caller or by someone else (ASCOM 0x40E).
    Cancelled,
    /// The deadline passed.
    Timeout,
    /// The peer cannot be reached, or the connection was lost.
    Unreachable,
    /// The peer said something that its protocol does not allow.
    Protocol,
    /// The device is busy with another request.
    Busy,
    /// No such device, filter, file or name.
    NotFound,
    /// A file could not be read or written.
    Io,
    /// The device reports a failure of its own; the number is the driver's
    /// (ASCOM reserves 0x500 to 0xFFF), 0 when it gave none.
    Device(u32),
}

/// ASCOM numbers of the kinds that ASCOM has no number for: drivers may use
/// 0x500 to 0xFFF, ours sit at its end so that a bridge of ours keeps the kind.
const EXTENDED: [(ErrorKind, u32); 6] = [
    (ErrorKind::Timeout, 0xFF0),
    (ErrorKind::Unreachable, 0xFF1),
    (ErrorKind::Protocol, 0xFF2),
    (ErrorKind::Busy, 0xFF3),
    (ErrorKind::NotFound, 0xFF4),
    (ErrorKind::Io, 0xFF5),
];

const ASCOM: [(ErrorKind, u32); 9] = [
    (ErrorKind::Unsupported, 0x400),
    (ErrorKind::InvalidValue, 0x401),
    (ErrorKind::ValueNotSet, 0x402),
    (ErrorKind::NotConnected, 0x407),
    (ErrorKind::Parked, 0x408),
    (ErrorKind::Slaved, 0x409),
    (ErrorKind::InvalidOperation, 0x40B),
    (ErrorKind::UnknownAction, 0x40C),
    (ErrorKind::Cancelled, 0x40E),
];

impl ErrorKind {
    /// The kind in one word, as the command's JSON and the Python package have it: `not_connected`.
    ///
    /// ```
    /// assert_eq!(astrobackend::ErrorKind::NotConnected.name(), "not_connected");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::InvalidValue => "invalid_value",
            ErrorKind::ValueNotSet => "value_not_set",
            ErrorKind::NotConnected => "not_connected",
            ErrorKind::Parked => "parked",
            ErrorKind::Slaved => "slaved",
            ErrorKind::InvalidOperation => "invalid_operation",
            ErrorKind::UnknownAction => "unknown_action",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Unreachable => "unreachable",
            ErrorKind::Protocol => "protocol",
            ErrorKind::Busy => "busy",
            ErrorKind::NotFound => "not_found",
            ErrorKind::Io => "io",
            ErrorKind::Device(_) => "device",
        }
    }

    /// The ASCOM error number, 0x400 to 0xFFF (ASCOM Alpaca API Reference 12, "Error numbers").
    ///
    /// Kinds unknown to ASCOM get fixed numbers from the driver range;
    /// a driver number outside 0x500..=0xFFF becomes 0x500.
    ///
    /// ```
    /// use astrobackend::ErrorKind;
    /// assert_eq!(ErrorKind::Parked.ascom_code(), 0x408);
    /// assert_eq!(ErrorKind::from_ascom_code(0x408), ErrorKind::Parked);
    /// ```
    pub fn ascom_code(self) -> u32 {
        if let ErrorKind::Device(code) = self {
            return if (0x500..=0xFFF).contains(&code) { code } else { 0x500 };
        }
        let known = ASCOM.iter().chain(&EXTENDED).find(|(kind, _)| *kind == self);
        known.map_or(0x500, |(_, code)| *code)
    }

    /// The kind for an ASCOM error number; numbers of drivers and unknown ones become [`ErrorKind::Device`].
    pub fn from_ascom_code(code: u32) -> Self {
        let known = ASCOM.iter().chain(&EXTENDED).find(|(_, c)| *c == code);
        known.map_or(ErrorKind::Device(code), |(kind, _)| *kind)
    }
}

/// A failure: its kind, a sentence, the device it happened on, and what caused it.
///
/// Cheap to clone, so it can be both returned and reported as an event.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    device: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a kind with a sentence that names the request and the reason.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Arc::new(Inner { kind, message: message.into(), device: None, source: None }))
    }

    /// Names the device, unless one is named already: the innermost knows best.
    #[must_use]
    pub fn on(mut self, device: impl fmt::Display) -> Self {
        if self.0.device.is_none() {
            Arc::make_mut(&mut self.0).device = Some(device.to_string());
        }
        self
    }

    /// Attaches the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::new(source));
        self
    }

    /// The kind, to decide what to do.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence without the device's name.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The device's name, when the failure belongs to one.
    pub fn device(&self) -> Option<&str> {
        self.0.device.as_deref()
    }

    /// [`ErrorKind::Unsupported`] with a sentence.
    pub fn unsupported(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::Unsupported, message)
    }

    /// [`ErrorKind::InvalidValue`] with a sentence.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::InvalidValue, message)
    }

    /// [`ErrorKind::NotFound`] with a sentence.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::NotFound, message)
    }

    /// [`ErrorKind::InvalidOperation`] with a sentence.
    pub fn invalid_operation(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::InvalidOperation, message)
    }

    /// [`ErrorKind::Protocol`] with a sentence.
    pub fn protocol(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::Protocol, message)
    }

    /// [`ErrorKind::NotConnected`].
    pub fn not_connected() -> Self {
        Error::new(ErrorKind::NotConnected, "is not connected")
    }

    /// [`ErrorKind::Timeout`]: what was not done, and within which time.
    ///
    /// Where the caller's own limit ([`Wait::within`](crate::Wait::within)) ended it, that is the time, or it was
    /// [`ErrorKind::Cancelled`].
    pub fn timeout(what: impl fmt::Display, limit: std::time::Duration) -> Self {
        match ended() {
            Some(End::Cancelled) => Error::new(ErrorKind::Cancelled, format!("{what} was cancelled")),
            Some(End::Late(limit)) => Error::late(what, limit),
            None => Error::late(what, limit),
        }
    }

    fn late(what: impl fmt::Display, limit: std::time::Duration) -> Self {
        Error::new(ErrorKind::Timeout, format!("{what} did not finish within {limit:.1?}"))
    }

    /// [`ErrorKind::Io`] on a file, with the system's reason.
    pub fn io(what: impl fmt::Display, source: std::io::Error) -> Self {
        Error::new(ErrorKind::Io, format!("{what}: {source}")).caused_by(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.device {
            Some(device) => write!(f, "{device}: {}", self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Two errors are alike when kind, device and sentence are.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        (self.kind(), self.device(), self.message()) == (other.kind(), other.device(), other.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_trip_through_ascom_numbers() {
        for (kind, code) in ASCOM.iter().chain(&EXTENDED) {
            assert_eq!(kind.ascom_code(), *code);
            assert_eq!(ErrorKind::from_ascom_code(*code), *kind);
        }
        assert_eq!(ErrorKind::from_ascom_code(0x567), ErrorKind::Device(0x567));
        assert_eq!(ErrorKind::Device(3).ascom_code(), 0x500);
    }

    #[test]
    fn the_innermost_device_name_stays() {
        let error = Error::invalid("position 70000 is beyond 60000").on("Focuser Simulator").on("bridge");
        assert_eq!(error.to_string(), "Focuser Simulator: position 70000 is beyond 60000");
    }
}
