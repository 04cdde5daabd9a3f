//! The values of several members, read together.

use super::carrier::is_transport;
use crate::{
    Error, ErrorKind, Result, Timestamp,
    device::{Age, DeviceId},
    wire::alpaca::answer,
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// A state that says that it is older has another clock, or another time zone.
const OLDEST: Duration = Duration::from_secs(600);

/// What a member's value can be read as.
pub(super) trait FromValue: Sized {
    fn read(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty: $read:expr;)*) => {$(
        impl FromValue for $type {
            fn read(value: &Value) -> Option<Self> {
                let read: fn(&Value) -> Option<Self> = $read;
                read(value)
            }
        }
    )*};
}

from_value! {
    bool: answer::boolean;
    i64: answer::integer;
    i32: |value| answer::integer(value).and_then(|value| value.try_into().ok());
    u32: |value| answer::integer(value).and_then(|value| value.try_into().ok());
    f64: answer::real;
    String: answer::text;
    Timestamp: answer::moment;
    Vec<String>: |value| answer::list(value, answer::text);
    Vec<i32>: |value| answer::list(value, i32::read);
    Value: |value| Some(value.clone());
}

/// The members that were read; those that the device does not have are not there.
#[derive(Debug)]
pub(super) struct Values {
    device: DeviceId,
    values: BTreeMap<&'static str, Result<Value>>,
    state: BTreeMap<String, Value>,
}

/// What a device that cannot tell a value right now answers.
fn is_not_now(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ValueNotSet | ErrorKind::InvalidOperation | ErrorKind::Device(_) | ErrorKind::Parked
    )
}

impl Values {
    pub(super) fn of(device: DeviceId) -> Self {
        Values { device, values: BTreeMap::new(), state: BTreeMap::new() }
    }

    pub(super) fn insert(&mut self, member: &'static str, value: Result<Value>) {
        self.values.insert(member, value);
    }

    /// How old a state is: by the `TimeStamp` that its `DeviceState` carries, if that is plausible. Clocks differ, and some
    /// drivers write local time.
    pub(super) fn age(&self) -> Age {
        let told = self.state.get("timestamp").and_then(answer::moment);
        let age = told.and_then(|told| Duration::try_from(Timestamp::now().duration_since(told)).ok());
        age.filter(|age| *age <= OLDEST).map_or(Age::NOW, Age::from)
    }

    pub(super) fn extend(&mut self, other: Values) {
        self.values.extend(other.values);
    }

    /// Takes what a `DeviceState` tells apart into members.
    ///
    /// # Errors
    /// Why the server has not answered.
    pub(super) fn take_state(&mut self, member: &'static str) -> Result<()> {
        let entries = match self.values.get(member) {
            Some(Ok(Value::Array(entries))) => entries,
            Some(Err(error)) if is_transport(error) => return Err(error.clone()),
            _ => return Ok(()),
        };
        let read = entries.iter().filter_map(|entry| {
            let mut entry = entry.as_object()?.clone();
            let name = answer::take(&mut entry, "Name")?.as_str()?.to_ascii_lowercase();
            let value = answer::take(&mut entry, "Value").filter(|value| !value.is_null())?;
            Some((name, value))
        });
        self.state = read.collect();
        Ok(())
    }

    /// True when `DeviceState` told this member.
    pub(super) fn is_in_state(&self, member: &str) -> bool {
        self.state.contains_key(member)
    }

    pub(super) fn has(&self, member: &str) -> bool {
        self.values.contains_key(member) || self.is_in_state(member)
    }

    fn found(&self, member: &str) -> Option<Result<&Value>> {
        // Singly read is newer.
        let single = self.values.get(member).map(|value| value.as_ref().map_err(Error::clone));
        single.or_else(|| self.state.get(member).map(Ok))
    }

    /// A member that must be there.
    ///
    /// # Errors
    /// What the device answered; `Protocol` for what makes no sense; `Unsupported` when it does not have it.
    pub(super) fn need<T: FromValue>(&self, member: &'static str) -> Result<T> {
        let missing = || Error::unsupported(format!("does not tell its {member}"));
        let value = self.found(member).ok_or_else(missing).and_then(|value| value);
        let value = value.map_err(|error| error.on(&self.device))?;
        T::read(value).ok_or_else(|| super::handle::no_sense(member, value).on(&self.device))
    }

    /// A member that need not be there, nor have a value at any time, nor one that makes sense.
    ///
    /// # Errors
    /// When the device is not connected, or the server not there.
    pub(super) fn maybe<T: FromValue>(&self, member: &'static str) -> Result<Option<T>> {
        match self.found(member) {
            None => Ok(None),
            Some(Ok(value)) => Ok(T::read(value)),
            Some(Err(error)) if is_not_now(&error) => Ok(None),
            Some(Err(error)) => Err(error.on(&self.device)),
        }
    }

    /// A flag that is off where it is not there.
    ///
    /// # Errors
    /// As [`Values::maybe`].
    pub(super) fn flag(&self, member: &'static str) -> Result<bool> {
        Ok(self.maybe(member)?.unwrap_or(false))
    }

    /// The first failure that concerns the server as a whole, if there is one.
    pub(super) fn all_there(&self) -> Result<()> {
        let broken = self.values.values().find_map(|value| value.as_ref().err().filter(|error| is_transport(error)));
        broken.map_or(Ok(()), |error| Err(error.clone().on(&self.device)))
    }
}
