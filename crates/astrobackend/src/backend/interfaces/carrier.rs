//! What carries the members of a device: an Alpaca server over HTTP, or a COM driver.

use crate::{Error, ErrorKind, Image, Result};
use serde_json::Value;
use std::{fmt, time::Duration};

/// The members of one device, read and changed by Alpaca's names for them (lower case). Values are as Alpaca has them
/// in JSON: a collection is a list, `AxisRates` a list of `Minimum` and `Maximum`, a moment its text.
pub(in crate::backend) trait Carrier: fmt::Debug + Send + Sync {
    /// Reads a member.
    ///
    /// # Errors
    /// `Unsupported` when the device does not have it; what the device answers; that it cannot be reached.
    fn get(&self, member: &'static str, arguments: &Arguments) -> Result<Value>;

    /// Reads several members, at the same time where that helps.
    fn get_many(&self, asked: &[(&'static str, Arguments)]) -> Vec<Result<Value>> {
        asked.iter().map(|(member, arguments)| self.get(member, arguments)).collect()
    }

    /// Changes something or calls a method; the value of the few that answer one.
    ///
    /// # Errors
    /// As [`Carrier::get`].
    fn put(&self, member: &'static str, arguments: &Arguments, limit: Duration) -> Result<Value>;

    /// The picture of the last exposure.
    ///
    /// # Errors
    /// As [`Carrier::get`]; `Protocol` for what is no picture.
    fn image(&self) -> Result<Image>;

    /// The longest that a call waits.
    fn limit(&self) -> Duration;

    /// How often the way to the device was lost: what was known before may have become wrong.
    fn losses(&self) -> u64 {
        0
    }

    /// Pictures are judged.
    fn is_guarded(&self) -> bool;

    /// One call at a time: while a command is being carried out, nothing else is answered.
    fn is_serial(&self) -> bool {
        false
    }

    /// Others go on using the device when it is disconnected here.
    fn is_shared(&self) -> bool {
        false
    }
}

/// The arguments of a member, in the order that its interface has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::backend) struct Arguments {
    /// Those of the interface.
    pub(in crate::backend) own: Vec<(&'static str, Argument)>,
    /// What a server of ours takes beside them.
    pub(in crate::backend) beside: Vec<(&'static str, Argument)>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::backend) enum Argument {
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(String),
}

impl Arguments {
    pub(in crate::backend) fn new() -> Self {
        Arguments::default()
    }

    /// With one more.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Argument>) -> Self {
        self.own.push((name, value.into()));
        self
    }

    /// With one that the interface does not have.
    #[must_use]
    pub(super) fn beside(mut self, name: &'static str, value: impl Into<Argument>) -> Self {
        self.beside.push((name, value.into()));
        self
    }
}

macro_rules! argument_from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Argument {
            fn from(value: $type) -> Self {
                Argument::$variant(value.into())
            }
        }
    )*};
}

argument_from!(bool => Bool, i32 => Integer, i64 => Integer, u32 => Integer, f64 => Real, &str => Text, String => Text);

/// Places of a wheel.
impl From<usize> for Argument {
    fn from(value: usize) -> Self {
        Argument::Integer(value.try_into().unwrap_or(i64::MAX))
    }
}

/// As Alpaca's forms have it.
impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Bool(value) => value.fmt(f),
            Argument::Integer(value) => value.fmt(f),
            Argument::Real(value) => value.fmt(f),
            Argument::Text(value) => value.fmt(f),
        }
    }
}

/// True for failures of the way to the device, or of the caller's patience, not of the device.
pub(in crate::backend) fn is_transport(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unreachable | ErrorKind::Cancelled)
}
